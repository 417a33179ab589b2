#![doc = include_str!("../README.md")]
//!
//! ## The example above, run
//!
//! ```
//! use std::time::Duration;
//!
//! use guichet::engine::rules::request::Contact;
//! use guichet::{Guichet, NewRequest, Options};
//! use serde_json::json;
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//!
//! let (data, catalogue) = ("guichet-data", "processes/chalons");
//! # let folder = tempfile::tempdir()?;
//! # let (data, catalogue) = (folder.path().join("data"), "../processes/chalons");
//! let guichet = Guichet::open(Options::new(data)).await?;
//! guichet.publish_folder(catalogue.as_ref()).await?;
//! let workers = guichet.start_workers();
//!
//! let jeanne = Contact { email: Some("jeanne@exemple.example".into()), ..Contact::default() };
//! let request = NewRequest::new("ville", "voirie/chaussee-abimee")
//!     .field("place", json!([48.957, 4.363]))
//!     .contact(jeanne);
//! let receipt = guichet.receive(request).await?;
//! println!("{}", receipt.tracking.expect("a received request has a code").spoken());
//!
//! guichet.wait_for(receipt.position, Duration::from_secs(5)).await?;
//! let card = guichet.read_models().card("ville", receipt.request).await?;
//! assert_eq!(card.value.expect("it is in the lists now").stage, "received");
//!
//! workers.stop().await;
//! guichet.close().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod accounts;
pub mod adopt;
pub mod ambient;
pub mod attachments;
pub mod backup;
pub mod calendar_file;
mod catalogue_folder;
pub mod channels;
pub mod cli;
mod dashboard;
pub mod diagram;
mod dossier;
mod erasure;
mod explanation;
mod guichet;
pub mod http;
pub mod import;
mod lsp;
pub mod metrics;
pub mod migration;
mod options;
pub mod outbound;
pub mod outgoing;
pub mod payments;
mod proposals;
mod publish;
mod recording;
mod request;
pub mod rights;
pub mod settings;
mod sign_in;
pub mod simulation;
pub mod starter;
mod store;
pub mod traces;
mod troubles;
mod vocabulary;
mod webhooks;
pub mod what_if;
pub mod workers;

pub use crate::guichet::{Guichet, OpenError, READ_MODELS_FILE};
pub use catalogue_folder::{
    BYTES_MAX, CatalogueFiles, CatalogueFolderError, DEPTH_MAX, FILE_BYTES_MAX, FILES_MAX,
    list_catalogue_files, read_catalogue_files, read_catalogue_folder,
};
pub use dashboard::{Dashboard, Titles};
pub use dossier::{Dossier, may_read, reading_ground};
pub use explanation::{Choice, ClockExplained, Explained, RuleCited, explain};
pub use guichet_engine as engine;
pub use guichet_projections as projections;
pub use options::{Options, PUBLIC_URL, Retries};
pub use proposals::{SheetProposal, load_files};
pub use publish::{Faults, PublishError, load_folder, publication_of};
pub use recording::RecordError;
pub use request::NewRequest;
pub use rights::keys::{ACCESS_FILE, Access, AccessError, Holder, KEYS_MAX, KeyEntry, KeyTerms, Keyring};
pub use store::{Address, Store, StoreError, read_models_place};
pub use webhooks::{Asking, Entrusted, GRACE_HOURS_MAX, WEBHOOKS_MAX};
