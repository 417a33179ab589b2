//! Keys that are only read, beside the server that holds them.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnection;

use super::sqlite::{found, missing, recognise};
use super::{DataKey, KEYS_FILE, KeyState, KeyStore, MASTER_FILE, MasterKey};
use crate::error::JournalError;
use crate::id::{Kid, Tenant};
use crate::sqlite::{fault, reading};

/// The keys of a data folder, read without holding the folder. Nothing is remembered: a key that the server destroys is destroyed
/// here as well.
pub(crate) struct KeysBeside {
    path: PathBuf,
    master: MasterKey,
    connection: tokio::sync::Mutex<SqliteConnection>,
}

impl KeysBeside {
    pub(crate) async fn open(folder: &Path) -> Result<Self, JournalError> {
        let (path, master) = (folder.join(KEYS_FILE), folder.join(MASTER_FILE));
        for file in [&path, &master] {
            if !file.exists() {
                return Err(missing(file, "what it sealed cannot be read without it"));
            }
        }
        let master = MasterKey::read(&master)?;
        let connected = reading(&path).connect().await;
        let mut connection = connected.map_err(|error| fault::reading(&error, &path))?;
        recognise(&mut connection, &path, &master).await?;
        Ok(Self { path, master, connection: tokio::sync::Mutex::new(connection) })
    }

    fn refused<T>(&self) -> Result<T, JournalError> {
        let reason = "it was opened for reading only, beside the server that holds it".to_owned();
        Err(JournalError::ReadOnly { path: self.path.display().to_string(), reason })
    }
}

#[async_trait]
impl KeyStore for KeysBeside {
    async fn fresh(&self) -> Result<(Kid, DataKey), JournalError> {
        self.refused()
    }

    async fn find(&self, kid: &Kid) -> Result<KeyState, JournalError> {
        let mut connection = self.connection.lock().await;
        found(&mut connection, &self.path, &self.master, kid).await
    }

    async fn revoke(&self, _kid: &Kid) -> Result<(), JournalError> {
        self.refused()
    }

    async fn restore(&self, _kid: &Kid) -> Result<(), JournalError> {
        self.refused()
    }

    async fn destroy(&self, _kid: &Kid) -> Result<(), JournalError> {
        self.refused()
    }

    fn blind(&self, tenant: &Tenant, text: &[u8]) -> [u8; 32] {
        self.master.blind(tenant, text)
    }

    async fn close(&self) {}
}
