//! What an installation configures beyond the command line: one file of TOML, one section for each concern, each section
//! described in the file of its name. Secrets never stand in it: a section names files that hold them.

use std::path::{Path, PathBuf};

use serde::Deserialize;

macro_rules! sections {
    ($( $(#[$doc:meta])* $name:ident, )*) => {
        $( $(#[$doc])* pub mod $name; )*

        /// Everything that an installation may configure. Without a file, nothing of it is set.
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Settings { $( $(#[$doc])* pub $name: $name::Section, )* }
    };
}

sections! {
    /// `[alerts]`: hours at which people are left in peace.
    alerts,
    /// `[attachments]`: where files stand, how large they may be, who looks for viruses.
    attachments,
    /// `[channels]`: mailboxes and gateways that requests come in by.
    channels,
    /// `[messages]`: gateways for text messages, quiet hours, digests, letters.
    messages,
    /// `[open311]`: names of jurisdictions, whom clients may ask.
    open311,
    /// `[payments]`: the provider that takes money.
    payments,
    /// `[rights]`: who of the staff may do what not everybody there may.
    rights,
    /// `[sign_in]`: the identity providers of agents and citizens.
    sign_in,
    /// `[webhooks]`: which addresses may be sent to.
    webhooks,
}

pub use attachments::{Bucket, WhenDown};
pub use payments::Provider as PaymentProvider;
pub use sign_in::{Provider, StaffBy};

/// The largest file of settings, in bytes.
pub const SETTINGS_BYTES_MAX: u64 = 256 * 1024;

/// Why settings cannot be used. The words quote no value.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is larger than any settings are.
    #[error("`{path}` is larger than {SETTINGS_BYTES_MAX} bytes: these are no settings")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It is not what settings look like.
    #[error("`{path}`, line {line}, column {column}: {reason}")]
    Shape {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
}

impl Settings {
    /// Reads a file. Paths in it count from its folder.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let fault = |source| SettingsError::File { path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(fault)?.len() > SETTINGS_BYTES_MAX {
            return Err(SettingsError::TooLarge { path: path.to_owned() });
        }
        let text = std::fs::read_to_string(path).map_err(fault)?;
        let mut settings = Self::parse(&text, path)?;
        settings.attachments.count_from(path.parent().unwrap_or(path));
        settings.sign_in.count_from(path.parent().unwrap_or(path));
        Ok(settings)
    }

    /// The files of secrets that it names, each with its place in the settings: all servers need the same in them.
    #[must_use]
    pub fn secret_files(&self) -> Vec<(String, PathBuf)> {
        let mut files = Vec::new();
        let people = [("agents", &self.sign_in.agents), ("citizens", &self.sign_in.citizens)];
        for (who, provider) in people.into_iter().filter_map(|(who, known)| Some((who, known.as_ref()?))) {
            files.push((format!("sign_in.{who}.client_secret_file"), provider.client_secret_file.clone()));
        }
        for (tenant, provider) in &self.payments.providers {
            files.push((format!("payments.{tenant}.secret_file"), provider.secret_file.clone()));
        }
        for (header, path) in self.messages.sms.iter().flat_map(|gateway| &gateway.header_files) {
            files.push((format!("messages.sms.header_files.{header}"), path.clone()));
        }
        let sms = self.channels.sms.iter().map(|gateway| ("sms", &gateway.tenant, &gateway.proof));
        let social = self.channels.social.iter().map(|gateway| ("social", &gateway.tenant, &gateway.proof));
        for (kind, tenant, proof) in sms.chain(social) {
            if let Some(proof) = proof {
                files
                    .push((format!("channels.{kind}.{tenant}.proof.secret_file"), proof.secret_file.clone()));
            }
        }
        for (index, mailbox) in self.channels.mailboxes.iter().enumerate() {
            if let Some(imap) = &mailbox.imap {
                let place = format!("channels.mailboxes[{}].imap.password_file", index + 1);
                files.push((place, imap.password_file.clone()));
            }
        }
        files
    }

    fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        toml::from_str(text).map_err(|error| {
            let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or_default();
            SettingsError::Shape {
                path: path.to_owned(),
                line: before.matches('\n').count() + 1,
                column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
                reason: error.message().to_owned(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_sets_nothing_and_a_wrong_one_says_where() {
        let path = Path::new("guichet.toml");
        Settings::parse("", path).unwrap();
        let error = Settings::parse("[webhooks]\n\n[nowhere]\n", path).unwrap_err().to_string();
        assert!(error.contains("line 3, column 2") && error.contains("nowhere"), "{error}");
    }
}
