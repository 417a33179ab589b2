//! Guichet: the engine behind the citizen portals of town halls. Library, HTTP and command line.

mod access;
pub mod ambient;
mod catalogue_folder;
pub mod cli;
mod dashboard;
mod dossier;
mod explanation;
mod guichet;
pub mod http;
pub mod import;
mod options;
pub mod outbound;
mod publish;
mod request;
pub mod simulation;
pub mod workers;

pub use crate::guichet::{Guichet, OpenError, READ_MODELS_FILE};
pub use access::{ACCESS_FILE, Access, AccessError, Holder, KEYS_MAX, KeyEntry};
pub use catalogue_folder::{
    CatalogueFolderError, DEPTH_MAX, FILE_BYTES_MAX, FILES_MAX, read_catalogue_folder,
};
pub use dashboard::Dashboard;
pub use dossier::Dossier;
pub use explanation::{Choice, ClockExplained, Explained, RuleCited, explain};
pub use guichet_engine as engine;
pub use guichet_projections as projections;
pub use options::{Options, PUBLIC_URL, Retries};
pub use publish::{Faults, PublishError, load_folder, publication_of};
pub use request::NewRequest;
