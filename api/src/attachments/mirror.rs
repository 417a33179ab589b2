//! The files of an installation as a backup keeps them: the same keys again, without what is gone.
//!
//! Bytes stand under their digests and never change, so a backup copies what is new only, and each can be checked by its
//! name. What was taken away – because a request was erased – is taken away from the copy too: otherwise the backup
//! would bring back whom the town hall erased.

use std::collections::BTreeSet;
use std::path::Path;

use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

use super::arrive::hexadecimal;
use super::error::AttachmentError;
use super::store::Shelf;
use super::{ATTACHMENTS_FOLDER, blob_key};
use crate::settings::Settings;

/// The folder of bytes below a collectivity's.
const BLOBS: &str = "blobs";
/// A copy of so few things may lose all of them.
const LOST_MIN: usize = 20;

/// The files of an installation as they stand, without a server.
#[derive(Debug)]
pub struct Files(Shelf);

/// What a mirror is like after it was brought up to date.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirrored {
    /// Files in it, notes left out.
    pub files: u64,
    /// What was copied, notes included.
    pub copied: u64,
    /// What was taken away.
    pub removed: u64,
}

/// What the digests of a folder of files say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Files that are what they were.
    pub sound: u64,
    /// Files that changed, by their digests.
    pub changed: Vec<String>,
    /// Files that a request names and that are not there.
    pub missing: Vec<String>,
    /// Files that neither a request nor an upload of the last day holds.
    pub orphans: Vec<String>,
}

impl Files {
    /// Those of a data folder, or where the settings say that they are.
    ///
    /// # Errors
    /// [`AttachmentError::Store`] when the settings of a bucket, or the files of its keys, cannot be used.
    pub fn of(data: &Path, settings: &Settings) -> Result<Self, AttachmentError> {
        let section = &settings.attachments;
        match (&section.s3, &section.folder) {
            (Some(bucket), _) => Shelf::bucket(bucket).map(Self),
            (None, Some(folder)) => Ok(Self::folder(folder)),
            (None, None) => Ok(Self::folder(&data.join(ATTACHMENTS_FOLDER))),
        }
    }

    /// Those of a folder, or a copy there.
    #[must_use]
    pub fn folder(folder: &Path) -> Self {
        Self(Shelf::disk(folder))
    }

    /// Brings the files of a copy back into a place that holds none yet.
    ///
    /// # Errors
    /// As [`Files::mirror`]; and where the place holds something already, then nothing was changed.
    pub async fn bring_back(&self, from: &Self) -> Result<Mirrored, AttachmentError> {
        if !self.0.all().await?.is_empty() {
            return Err(refused("the place of the files is not empty"));
        }
        from.mirror(self).await
    }

    /// Makes `to` what this is. Bytes come before the notes that name them, and leave after.
    ///
    /// # Errors
    /// [`AttachmentError`]; what was copied by then is whole. A folder that is not there, or a place that lost more than half of
    /// what the copy holds, is taken for a mistake, and the copy stays as it is.
    pub async fn mirror(&self, to: &Self) -> Result<Mirrored, AttachmentError> {
        let mut done = Mirrored::default();
        let wanted = self.0.all().await?;
        if wanted.is_empty() && !self.0.is_there() {
            return Err(refused("there are no files here"));
        }
        let held = to.0.all().await?;
        if held.len() > LOST_MIN && held.intersection(&wanted).count() * 2 < held.len() {
            let words =
                "more than half of what the copy holds is gone here: look first, or give an empty folder";
            return Err(refused(words));
        }
        let (blobs, notes): (Vec<&String>, Vec<&String>) = wanted.iter().partition(|key| is_blob(key));
        done.files = u64::try_from(blobs.len()).unwrap_or(u64::MAX);
        for key in blobs.into_iter().chain(notes).filter(|key| !held.contains(*key)) {
            // A server may have taken it away meanwhile.
            let Some(reader) = self.0.open(key, 0).await? else { continue };
            to.0.receive(key, reader).await?;
            done.copied += 1;
        }
        for key in held.difference(&wanted) {
            to.0.remove(key).await?;
            done.removed += 1;
        }
        Ok(done)
    }

    /// Reads every file, if `whole`, and compares it with its digest; looks whether what is named is there, and whether
    /// what is there is held by anything.
    ///
    /// # Errors
    /// [`AttachmentError`] when the store does not answer.
    pub async fn check(&self, whole: bool) -> Result<Checked, AttachmentError> {
        let mut checked = Checked::default();
        let keys = self.0.all().await?;
        let held: BTreeSet<(&str, &str)> = keys.iter().filter_map(|key| holding(key)).collect();
        for key in keys.iter().filter(|key| is_blob(key)) {
            let (Some(tenant), Some(sha256)) = (key.split('/').next(), key.rsplit('/').next()) else {
                continue;
            };
            if !whole || self.digest(key).await?.as_deref() == Some(sha256) {
                checked.sound += 1;
            } else {
                checked.changed.push(sha256.to_owned());
            }
            if !held.contains(&(tenant, sha256)) {
                checked.orphans.push(sha256.to_owned());
            }
        }
        // An infected file that was taken away leaves the note that a request names it: it is missing, and that is told. A
        // note of an upload without its bytes is what a crash leaves, and goes by itself within a day.
        for (tenant, sha256) in keys.iter().filter(|key| is_holder(key)).filter_map(|key| holding(key)) {
            if !keys.contains(&blob_key(tenant, sha256)) {
                checked.missing.push(sha256.to_owned());
            }
        }
        checked.missing.sort();
        checked.missing.dedup();
        Ok(checked)
    }

    async fn digest(&self, key: &str) -> Result<Option<String>, AttachmentError> {
        let Some(mut reader) = self.0.open(key, 0).await? else { return Ok(None) };
        let mut sum = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = reader.read(&mut buffer).await.map_err(|error| AttachmentError::of_system(&error))?;
            if read == 0 {
                return Ok(Some(hexadecimal(&sum.finalize())));
            }
            sum.update(buffer.get(..read).unwrap_or_default());
        }
    }
}

fn refused(words: &str) -> AttachmentError {
    AttachmentError::Store { reason: words.to_owned() }
}

fn is_blob(key: &str) -> bool {
    key.split('/').nth(1) == Some(BLOBS)
}

fn is_holder(key: &str) -> bool {
    key.split('/').nth(1) == Some("holders")
}

/// The file, with its collectivity, that a note keeps from being taken away.
fn holding(key: &str) -> Option<(&str, &str)> {
    let mut parts = key.split('/');
    let (tenant, kind, third) = (parts.next()?, parts.next()?, parts.next()?);
    match kind {
        "holders" => Some((tenant, third)),
        "uploads" => Some((tenant, third.split('.').next()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::attachments::Attachments;

    #[tokio::test]
    async fn a_mirror_follows_what_comes_and_what_goes_and_tells_what_changed() {
        let (data, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let ambient: std::sync::Arc<dyn guichet_engine::Ambient> =
            std::sync::Arc::new(crate::ambient::Surroundings::system());
        let files = Attachments::new(data.path(), &Settings::default(), &ambient).unwrap();
        let one = files.put_bytes("ville", "a.txt", None, b"one").await.unwrap();
        let here = Files::of(data.path(), &Settings::default()).unwrap();
        let copy = Files::folder(backup.path());
        assert_eq!(here.mirror(&copy).await.unwrap(), Mirrored { files: 1, copied: 2, removed: 0 });
        files.put_bytes("ville", "b.txt", None, b"two").await.unwrap();
        assert_eq!(here.mirror(&copy).await.unwrap(), Mirrored { files: 2, copied: 2, removed: 0 });
        assert_eq!(copy.check(true).await.unwrap(), Checked { sound: 2, ..Checked::default() });

        let blob = blob_key("ville", &one.sha256);
        fs::write(backup.path().join(&blob), b"changed").unwrap();
        assert_eq!(copy.check(true).await.unwrap().changed, std::slice::from_ref(&one.sha256));
        fs::remove_file(data.path().join(ATTACHMENTS_FOLDER).join(&blob)).unwrap();
        assert!(here.check(false).await.unwrap().missing.is_empty(), "no request names it");
        let holder = format!("ville/holders/{}/some-request", one.sha256);
        here.0.write(&holder, Vec::new()).await.unwrap();
        assert_eq!(here.check(false).await.unwrap().missing, std::slice::from_ref(&one.sha256));
        here.0.remove(&holder).await.unwrap();
        assert_eq!(here.mirror(&copy).await.unwrap().removed, 1, "erased here is erased there");
        assert!(!backup.path().join(&blob).exists());

        let nowhere = Files::folder(&data.path().join("nowhere"));
        assert!(nowhere.mirror(&copy).await.is_err(), "a wrong folder takes nothing away");
        for number in 0..LOST_MIN {
            let text = format!("many {number}");
            files.put_bytes("ville", "c.txt", None, text.as_bytes()).await.unwrap();
        }
        here.mirror(&copy).await.unwrap();
        let other = tempfile::tempdir().unwrap();
        let lost = Files::folder(other.path());
        lost.0.write("ville/blobs/00/00", Vec::new()).await.unwrap();
        assert!(lost.mirror(&copy).await.is_err(), "nor does a lost disk");
        assert!(here.bring_back(&copy).await.is_err(), "what is there is not overwritten");
        assert_eq!(nowhere.bring_back(&copy).await.unwrap().files, 21);
    }
}
