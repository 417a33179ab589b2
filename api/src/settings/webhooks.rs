//! `[webhooks]`: where changes are sent.

use reqwest::Url;
use serde::Deserialize;

/// The section `[webhooks]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// Hosts (`portal.interne`, or with a port `127.0.0.1:9000`) that may be sent to although they are not public, and
    /// without TLS: portals in the town hall's own network. Nothing else inside it is ever called.
    pub allowed_hosts: Vec<String>,
}

impl Section {
    /// Whether the operator named the host of this address.
    #[must_use]
    pub fn allows(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let port = url.port_or_known_default().unwrap_or_default();
        self.allowed_hosts.iter().any(|allowed| *allowed == host || *allowed == format!("{host}:{port}"))
    }
}
