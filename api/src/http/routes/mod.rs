//! One file, one resource.

pub(super) mod access;
pub(super) mod account;
pub(super) mod alerts;
pub(super) mod appointments;
pub(super) mod catalogue;
pub(super) mod changes;
pub(super) mod channels;
pub(super) mod commands;
pub(super) mod dashboard;
pub(super) mod diagram;
pub(super) mod erasure;
pub(super) mod files;
pub(super) mod follow;
pub(super) mod health;
pub(super) mod ideas;
pub(super) mod inbox;
pub(super) mod letters;
pub(super) mod open311;
pub(super) mod outbox;
pub(super) mod page;
pub(super) mod pages;
pub(super) mod payments;
pub(super) mod proposals;
pub(super) mod receive;
pub(super) mod requests;
pub(super) mod webhooks;
