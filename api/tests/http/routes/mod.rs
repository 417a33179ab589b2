mod catalogue;
mod commands;
mod dashboard;
mod follow;
mod health;
mod receive;
mod requests;
