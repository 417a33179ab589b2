//! The laws, tried from outside. One file for each law or promise, one line here for each file.

mod architecture;
mod dependencies;
mod schemas;
