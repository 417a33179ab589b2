mod batches;
mod desk;
mod gateways;
mod mail;
mod patrol;
