//! Guichet: the engine behind the citizen portals of town halls. Library, HTTP and command line.

pub mod ambient;
mod catalogue_folder;
pub mod cli;
mod guichet;
mod options;
pub mod outbound;
mod request;

pub use crate::guichet::{Guichet, OpenError};
pub use catalogue_folder::{
    CatalogueFolderError, DEPTH_MAX, FILE_BYTES_MAX, FILES_MAX, read_catalogue_folder,
};
pub use guichet_engine as engine;
pub use options::{Options, PUBLIC_URL, Retries};
pub use request::NewRequest;
