//! Guichet: the engine behind the citizen portals of town halls. Library, HTTP and command line.

mod access;
pub mod ambient;
mod catalogue_folder;
pub mod cli;
mod guichet;
pub mod import;
mod options;
pub mod outbound;
mod publish;
mod request;

pub use crate::guichet::{Guichet, OpenError};
pub use access::{ACCESS_FILE, Access, AccessError, Holder, KEYS_MAX, KeyEntry};
pub use catalogue_folder::{
    CatalogueFolderError, DEPTH_MAX, FILE_BYTES_MAX, FILES_MAX, read_catalogue_folder,
};
pub use guichet_engine as engine;
pub use options::{Options, PUBLIC_URL, Retries};
pub use publish::{Faults, PublishError, load_folder, publication_of};
pub use request::NewRequest;
