//! The master key: wraps every sealing key, and is the root of the tenants' secrets.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::DataKey;
use crate::error::JournalError;
use crate::id::{Kid, Tenant};

/// The key that wraps the others. It is never printed.
pub struct MasterKey(DataKey);

impl MasterKey {
    /// The key with this value, for installations that keep it elsewhere than in a file.
    #[must_use]
    pub fn new(value: [u8; 32]) -> Self {
        Self(DataKey::new(value))
    }

    pub(crate) fn draw() -> Result<Self, JournalError> {
        DataKey::draw().map(Self)
    }

    /// Reads the key from a file that only its owner can read: 44 characters of base64.
    ///
    /// # Errors
    /// `Keys` when the file is missing, readable by others, or not a key.
    pub fn read(path: &Path) -> Result<Self, JournalError> {
        let bad = |reason: String| JournalError::Keys { reason };
        let file =
            File::open(path).map_err(|error| bad(format!("`{}` cannot be read: {error}", path.display())))?;
        refuse_open_to_others(&file, path)?;
        let mut text = String::new();
        file.take(256)
            .read_to_string(&mut text)
            .map_err(|error| bad(format!("`{}` cannot be read: {error}", path.display())))?;
        let value = STANDARD.decode(text.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        value.map(Self::new).ok_or_else(|| {
            bad(format!("`{}` is not a master key: 32 bytes in base64 are expected", path.display()))
        })
    }

    /// Draws a key and writes it to a new file that only its owner can read.
    ///
    /// # Errors
    /// `ReadOnly` when the file cannot be written.
    pub fn create(path: &Path) -> Result<Self, JournalError> {
        let key = Self::draw()?;
        let written = create_private(path).and_then(|mut file| {
            file.write_all(format!("{}\n", STANDARD.encode(key.0.as_bytes())).as_bytes())?;
            file.sync_all()
        });
        written.map_err(|error| JournalError::ReadOnly {
            path: path.display().to_string(),
            reason: error.to_string(),
        })?;
        Ok(key)
    }

    pub(crate) fn wrap(&self, kid: &Kid, key: &DataKey) -> Result<Vec<u8>, JournalError> {
        self.0.seal(key.as_bytes(), &bound(kid))
    }

    pub(crate) fn unwrap_key(&self, kid: &Kid, wrapped: &[u8]) -> Result<DataKey, JournalError> {
        let opened = self.0.open(wrapped, &bound(kid)).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        opened.map(DataKey::new).ok_or_else(|| JournalError::Keys {
            reason: format!("key `{kid}` does not open with this master key; `master.key` and `keys.db` do not belong together, or one is damaged"),
        })
    }

    pub(crate) fn blind(&self, tenant: &Tenant, text: &[u8]) -> [u8; 32] {
        let secret = keyed(self.0.as_bytes(), &[b"guichet blind 1\0", tenant.as_str().as_bytes()]);
        keyed(&secret, &[text])
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

fn bound(kid: &Kid) -> Vec<u8> {
    [b"guichet key 1\0".as_slice(), kid.as_str().as_bytes()].concat()
}

fn keyed(secret: &[u8; 32], pieces: &[&[u8]]) -> [u8; 32] {
    // A key shorter than HMAC's block is filled up with zeros; done here, it cannot fail.
    let mut block = [0; 64];
    for (place, byte) in block.iter_mut().zip(secret) {
        *place = *byte;
    }
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    for piece in pieces {
        mac.update(piece);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(unix)]
fn create_private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(unix)]
fn refuse_open_to_others(file: &File, path: &Path) -> Result<(), JournalError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().map_or(0, |about| about.permissions().mode()) & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(JournalError::Keys {
        reason: format!(
            "`{}` can be read by others (mode {mode:o}); run: chmod 600 {}",
            path.display(),
            path.display()
        ),
    })
}

#[cfg(not(unix))]
fn refuse_open_to_others(_file: &File, _path: &Path) -> Result<(), JournalError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_key_reads_back_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let made = MasterKey::create(&path).unwrap();
        let read = MasterKey::read(&path).unwrap();
        let tenant = "ville".parse().unwrap();
        assert_eq!(made.blind(&tenant, b"x"), read.blind(&tenant, b"x"));
        assert!(MasterKey::create(&path).is_err(), "an existing key is never replaced");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            assert!(MasterKey::read(&path).unwrap_err().to_string().contains("chmod 600"));
        }
    }

    #[test]
    fn a_wrapped_key_opens_under_its_own_id_and_master_only() {
        let (master, key) = (MasterKey::new([1; 32]), DataKey::new([2; 32]));
        let (kid, other): (Kid, Kid) = ("a".parse().unwrap(), "b".parse().unwrap());
        let wrapped = master.wrap(&kid, &key).unwrap();
        assert_eq!(master.unwrap_key(&kid, &wrapped).unwrap().as_bytes(), key.as_bytes());
        assert!(master.unwrap_key(&other, &wrapped).is_err());
        assert!(MasterKey::new([3; 32]).unwrap_key(&kid, &wrapped).is_err());
    }

    #[test]
    fn secrets_differ_by_tenant_and_master_and_are_never_printed() {
        let master = MasterKey::new([1; 32]);
        let (ville, ccas) = ("ville".parse().unwrap(), "ccas".parse().unwrap());
        assert_eq!(master.blind(&ville, b"K7M"), master.blind(&ville, b"K7M"));
        assert_ne!(master.blind(&ville, b"K7M"), master.blind(&ccas, b"K7M"));
        assert_ne!(master.blind(&ville, b"K7M"), MasterKey::new([2; 32]).blind(&ville, b"K7M"));
        assert_eq!(format!("{master:?} {:?}", DataKey::new([7; 32])), "MasterKey(…) DataKey(…)");
    }
}
