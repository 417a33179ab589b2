//! One file, one resource.

pub(super) mod catalogue;
pub(super) mod commands;
pub(super) mod dashboard;
pub(super) mod diagram;
pub(super) mod follow;
pub(super) mod health;
pub(super) mod inbox;
pub(super) mod page;
pub(super) mod proposals;
pub(super) mod receive;
pub(super) mod requests;
