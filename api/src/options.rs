//! How a [`Guichet`](crate::Guichet) is opened: everything that an installation may choose.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use guichet_engine::Ambient;
use guichet_projections::Place;

use crate::ambient::Surroundings;
use crate::outbound::Outbound;
use crate::settings::Settings;
use crate::store::Store;

/// Where messages to citizens point for follow-up, unless the installation says otherwise.
pub const PUBLIC_URL: &str = "http://127.0.0.1:8080/";

/// What an installation chooses. Start with [`Options::new`] and change what differs.
#[derive(Clone)]
pub struct Options {
    /// The data folder: the master key, keys of agents and programs, messages that leave as files; with SQLite the
    /// journal and the read models too. Made when it is missing.
    pub data: PathBuf,
    /// Where the journal stands; in SQLite files of the data folder by default.
    pub store: Store,
    /// Where the read models stand; beside the journal by default, and in a file of the data folder where the journal's
    /// store has no tables.
    pub read_models: Option<Place>,
    /// Time and chance; the machine's own by default.
    pub ambient: Arc<dyn Ambient>,
    /// How messages leave; into files below the data folder by default.
    pub outbound: Option<Arc<dyn Outbound>>,
    /// The address that letters give for following a request. It holds no secret: the citizen types the code there.
    pub public_url: String,
    /// How long sending is tried again before it is reported failed.
    pub retries: Retries,
    /// How long a worker has an effect to itself: what a server that died had claimed is taken up by another after that.
    /// It must be longer than handing a message over ever takes. Two minutes by default.
    pub lease: Duration,
    /// What the file of settings says; nothing by default.
    pub settings: Arc<Settings>,
}

/// How often, and how long apart, a message that did not go out is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Tries in all, the first included.
    pub attempts_max: u32,
    /// The wait after the first failure; it doubles each time.
    pub first_wait: Duration,
    /// The longest wait.
    pub wait_max: Duration,
}

impl Default for Retries {
    /// Eight tries within about ten hours: a mail server that is down for a night loses nothing.
    fn default() -> Self {
        Self {
            attempts_max: 8,
            first_wait: Duration::from_secs(5 * 60),
            wait_max: Duration::from_secs(4 * 60 * 60),
        }
    }
}

impl Retries {
    /// The wait after `failures` failures.
    #[must_use]
    pub fn wait_after(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        self.first_wait.saturating_mul(1 << doublings).min(self.wait_max)
    }
}

impl Options {
    /// The usual choices, on this data folder.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        let data = data.into();
        Self {
            store: Store::Sqlite(data.clone()),
            data,
            read_models: None,
            ambient: Arc::new(Surroundings::system()),
            outbound: None,
            public_url: PUBLIC_URL.to_owned(),
            retries: Retries::default(),
            lease: Duration::from_secs(120),
            settings: Arc::default(),
        }
    }

    /// With the journal in another place.
    #[must_use]
    pub fn store(mut self, store: Store) -> Self {
        self.store = store;
        self
    }

    /// With the read models in another place.
    #[must_use]
    pub fn read_models(mut self, place: Place) -> Self {
        self.read_models = Some(place);
        self
    }

    /// With another clock or chance.
    #[must_use]
    pub fn ambient(mut self, ambient: Arc<dyn Ambient>) -> Self {
        self.ambient = ambient;
        self
    }

    /// With messages leaving another way.
    #[must_use]
    pub fn outbound(mut self, outbound: Arc<dyn Outbound>) -> Self {
        self.outbound = Some(outbound);
        self
    }

    /// With these settings.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Arc::new(settings);
        self
    }

    /// With another follow-up address.
    #[must_use]
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = url.into();
        self
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Options")
            .field("data", &self.data)
            .field("store", &self.store)
            .field("read_models", &self.read_models)
            .field("public_url", &self.public_url)
            .field("retries", &self.retries)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_their_limit() {
        let retries = Retries::default();
        let minutes: Vec<u64> = (1..=8).map(|failures| retries.wait_after(failures).as_secs() / 60).collect();
        assert_eq!(minutes, [5, 10, 20, 40, 80, 160, 240, 240]);
    }
}
