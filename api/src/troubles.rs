//! What does not work on this server though the server does: told by `/ready`, which stays ready, so that somebody looks.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use utoipa::ToSchema;

/// Something that does not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Trouble {
    /// What, as the settings call it, such as `channels.mailboxes[1]`.
    #[schema(example = "channels.mailboxes[1]")]
    pub(crate) place: String,
    /// Why, by a code that stays: `imap.refused`, `imap.unreachable`, `differs` …
    #[schema(example = "imap.refused")]
    pub(crate) code: String,
}

/// What does not work on this server now.
#[derive(Debug, Default)]
pub(crate) struct Troubles(Mutex<BTreeMap<String, &'static str>>);

impl Troubles {
    /// Notes that something does not work, and why.
    pub(crate) fn note(&self, place: &str, code: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(place.to_owned(), code);
    }

    /// Notes that it works.
    pub(crate) fn clear(&self, place: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(place);
    }

    /// All of it, by place.
    pub(crate) fn list(&self) -> Vec<Trouble> {
        let troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told =
            |(place, code): (&String, &&str)| Trouble { place: place.clone(), code: (*code).to_owned() };
        troubles.iter().map(told).collect()
    }
}
