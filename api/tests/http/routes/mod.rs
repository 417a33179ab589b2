mod catalogue;
mod commands;
mod dashboard;
mod diagram;
mod follow;
mod health;
mod receive;
mod requests;
