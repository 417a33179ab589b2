//! How to reach the store, and how patient to be with it.

use std::time::Duration;

use eventstore_client::{ClientSettings, NodePreference};

use crate::error::JournalError;

/// Names this journal's parameter in the address; the client must not see it.
const PREFIX: &str = "streamPrefix";

/// Longest prefix of stream names, in bytes.
const PREFIX_BYTES_MAX: usize = 32;

/// How long to wait for the store, and how often to look after it.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the answer to one call, and for each event of a page.
    pub call: Duration,
    /// For one append or read altogether, repeated calls included.
    pub total: Duration,
    /// Before a failed call is repeated, the first time; doubled each time after.
    pub pause: Duration,
    /// Between two looks at the live subscription. Should it be silent for three of these, it is replaced.
    pub watch: Duration,
}

/// Longest pause between two attempts.
pub(super) const PAUSE_MAX: Duration = Duration::from_secs(2);

impl Default for Patience {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(5),
            total: Duration::from_secs(20),
            pause: Duration::from_millis(50),
            watch: Duration::from_secs(1),
        }
    }
}

/// Where a KurrentDB database is and what of it belongs to this journal. Neither it nor an error about it ever shows the password.
#[derive(Clone)]
pub struct KurrentOptions {
    pub(super) settings: ClientSettings,
    pub(super) prefix: String,
    pub(super) patience: Patience,
}

impl KurrentOptions {
    /// Reads an address: `kurrentdb://user:password@host:2113?tls=true`, several hosts separated by commas, or `kurrentdb+discover://`.
    /// Parameters are those of KurrentDB's clients, and one of our own: `streamPrefix=essai.` puts these letters before the name of every
    /// stream, so that several journals can live in one database.
    ///
    /// # Errors
    /// `Invalid` when it is no such address. The address itself is not repeated: it may hold a password.
    pub fn parse(url: &str) -> Result<Self, JournalError> {
        let (plain, prefix) = take_prefix(url);
        let settings: ClientSettings = plain.parse().map_err(|_| {
            JournalError::invalid(
                "the address of KurrentDB cannot be read; the form is kurrentdb://user:password@host:2113?tls=true",
            )
        })?;
        if settings.node_preference() != NodePreference::Leader {
            return Err(JournalError::invalid(
                "nodePreference can only be leader: another node may not know yet what was just appended",
            ));
        }
        let sound = prefix.len() <= PREFIX_BYTES_MAX
            && prefix.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.');
        if !sound {
            return Err(JournalError::invalid(format!(
                "{PREFIX} can only hold small letters, digits and dots, {PREFIX_BYTES_MAX} at most"
            )));
        }
        Ok(Self { settings, prefix, patience: Patience::default() })
    }

    /// The same with another patience.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }
}

/// The address without our own parameter, and that parameter's value.
fn take_prefix(url: &str) -> (String, String) {
    let Some((address, query)) = url.split_once('?') else { return (url.to_owned(), String::new()) };
    let mut prefix = String::new();
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case(PREFIX) => value.clone_into(&mut prefix),
            Some(_) | None => kept.push(pair),
        }
    }
    let plain = if kept.is_empty() { address.to_owned() } else { format!("{address}?{}", kept.join("&")) };
    (plain, prefix)
}

impl std::fmt::Debug for KurrentOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hosts: Vec<String> =
            self.settings.hosts().iter().map(|host| format!("{}:{}", host.host, host.port)).collect();
        f.debug_struct("KurrentOptions")
            .field("hosts", &hosts)
            .field("prefix", &self.prefix)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_its_password_never_shown() {
        let options =
            KurrentOptions::parse("kurrentdb://admin:s3cret@a:2113,b:2114?tls=false&streamPrefix=essai.")
                .unwrap();
        assert_eq!((options.prefix.as_str(), options.settings.hosts().len()), ("essai.", 2));
        assert!(!options.settings.is_secure_mode_enabled());
        let shown = format!("{options:?}");
        assert!(shown.contains("a:2113") && !shown.contains("s3cret") && !shown.contains("admin"), "{shown}");
        for bad in [
            "kurrentdb://admin:s3cret@:x?tls=perhaps",
            "postgres://admin:s3cret@host/x",
            "kurrentdb://admin:s3cret@host:99999",
            "kurrentdb://admin:s3cret@host?tls=s3cret",
            "kurrentdb://admin:s3cret@host?nodePreference=follower",
            "kurrentdb://admin:s3cret@host?streamPrefix=s3cret-",
            "",
        ] {
            let error = KurrentOptions::parse(bad).unwrap_err();
            assert!(matches!(error, JournalError::Invalid { .. }), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        }
    }
}
