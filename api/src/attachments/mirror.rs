//! The files of a data folder as a backup keeps them: the same folder again, without what is gone.
//!
//! Bytes stand under their digests and never change, so a backup copies what is new only, and each can be checked by its
//! name. What was taken away – because a request was erased – is taken away from the copy too: otherwise the backup
//! would bring back whom the town hall erased.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::arrive::hexadecimal;

/// The folder of bytes below a collectivity's.
const BLOBS: &str = "blobs";
/// A copy of so few things may lose all of them.
const LOST_MIN: usize = 20;
/// How deep the keys of files go below a collectivity's folder.
const DEPTH_MAX: usize = 4;

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

/// Brings the files of a copy back into a folder that holds none yet.
///
/// # Errors
/// As [`mirror`]; and where the folder holds something already, then nothing was changed.
pub fn bring_back(from: &Path, to: &Path) -> io::Result<Mirrored> {
    if !keys(to)?.is_empty() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the folder of the files is not empty"));
    }
    mirror(from, to)
}

/// Makes `to` what `from` is. Bytes come before the notes that name them, and leave after.
///
/// # Errors
/// What the system said; what was copied by then is whole. A folder that is not there, or that lost more than half of
/// what the copy holds, is taken for a mistake, and the copy stays as it is.
pub fn mirror(from: &Path, to: &Path) -> io::Result<Mirrored> {
    let mut done = Mirrored::default();
    if !from.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "there is no folder of files here"));
    }
    let wanted = keys(from)?;
    let held = keys(to)?;
    if held.len() > LOST_MIN && held.intersection(&wanted).count() * 2 < held.len() {
        let words = "more than half of what the copy holds is gone here: look first, or give an empty folder";
        return Err(io::Error::other(words));
    }
    let is_blob = |key: &&PathBuf| key.iter().nth(1).is_some_and(|part| part == BLOBS);
    done.files = u64::try_from(wanted.iter().filter(is_blob).count()).unwrap_or(u64::MAX);
    let (blobs, notes): (Vec<&PathBuf>, Vec<&PathBuf>) = wanted.iter().partition(is_blob);
    for key in blobs.into_iter().chain(notes) {
        let there = to.join(key);
        if there.exists() {
            continue;
        }
        match copy(&from.join(key), &there) {
            Ok(()) => done.copied += 1,
            // A server may have taken it away meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    for key in keys(to)?.difference(&wanted) {
        fs::remove_file(to.join(key))?;
        done.removed += 1;
    }
    Ok(done)
}

/// Copies under another name, then renames: nobody takes half a file for a whole one.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder)?;
    let half = folder.join(".copying");
    fs::copy(from, &half)?;
    File::open(&half)?.sync_all()?;
    fs::rename(&half, to)?;
    File::open(folder)?.sync_all()
}

/// Reads every file, if `whole`, and compares it with its digest; looks whether what is named is there, and whether what is there is
/// held by anything.
///
/// # Errors
/// What the system said.
pub fn check(folder: &Path, whole: bool) -> io::Result<Checked> {
    let mut checked = Checked::default();
    let keys = keys(folder)?;
    let part =
        |key: &PathBuf, place: usize| key.iter().nth(place).map(|part| part.to_string_lossy().into_owned());
    let mut held = BTreeSet::new();
    for key in &keys {
        let (Some(tenant), Some(kind), Some(third)) = (part(key, 0), part(key, 1), part(key, 2)) else {
            continue;
        };
        match kind.as_str() {
            "holders" => {
                held.insert((tenant, third));
            }
            "uploads" => {
                let sha256 = third.split('.').next().unwrap_or_default().to_owned();
                held.insert((tenant, sha256));
            }
            _ => {}
        }
    }
    for key in keys.iter().filter(|key| part(key, 1).as_deref() == Some(BLOBS)) {
        let (Some(tenant), Some(sha256)) = (part(key, 0), part(key, 3)) else { continue };
        if !whole || digest(&folder.join(key))? == sha256 {
            checked.sound += 1;
        } else {
            checked.changed.push(sha256.clone());
        }
        if !held.contains(&(tenant, sha256.clone())) {
            checked.orphans.push(sha256);
        }
    }
    for (tenant, sha256) in &held {
        let start = sha256.get(..2).unwrap_or("00");
        let key = Path::new(tenant).join(BLOBS).join(start).join(sha256);
        // An infected file that was taken away leaves the note that a request names it: it is missing, and that is told.
        if !keys.contains(&key) {
            checked.missing.push(sha256.clone());
        }
    }
    Ok(checked)
}

fn digest(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hexadecimal(&sum.finalize()));
        }
        sum.update(buffer.get(..read).unwrap_or_default());
    }
}

/// The keys of a folder; what begins with a dot is not whole yet. A folder that is not there has none.
fn keys(folder: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut open = vec![(PathBuf::new(), 0)];
    while let Some((below, depth)) = open.pop() {
        let entries = match fs::read_dir(folder.join(&below)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_string_lossy().starts_with('.') {
                continue;
            }
            let key = below.join(name);
            if entry.file_type()?.is_dir() {
                if depth < DEPTH_MAX {
                    open.push((key, depth + 1));
                }
            } else {
                found.insert(key);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attachments::{ATTACHMENTS_FOLDER, Attachments};
    use crate::settings::Settings;

    #[tokio::test]
    async fn a_mirror_follows_what_comes_and_what_goes_and_tells_what_changed() {
        let (data, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let ambient: std::sync::Arc<dyn guichet_engine::Ambient> =
            std::sync::Arc::new(crate::ambient::Surroundings::system());
        let files = Attachments::new(data.path(), &Settings::default(), &ambient);
        let one = files.put_bytes("ville", "a.txt", None, b"one").await.unwrap();
        let folder = data.path().join(ATTACHMENTS_FOLDER);
        let done = mirror(&folder, backup.path()).unwrap();
        assert_eq!(done, Mirrored { files: 1, copied: 2, removed: 0 });
        files.put_bytes("ville", "b.txt", None, b"two").await.unwrap();
        assert_eq!(mirror(&folder, backup.path()).unwrap(), Mirrored { files: 2, copied: 2, removed: 0 });
        assert_eq!(check(backup.path(), true).unwrap(), Checked { sound: 2, ..Checked::default() });

        let blob = Path::new("ville").join(BLOBS).join(&one.sha256[..2]).join(&one.sha256);
        fs::write(backup.path().join(&blob), b"changed").unwrap();
        assert_eq!(check(backup.path(), true).unwrap().changed, std::slice::from_ref(&one.sha256));
        fs::remove_file(folder.join(&blob)).unwrap();
        assert_eq!(check(&folder, false).unwrap().missing, std::slice::from_ref(&one.sha256));
        assert_eq!(mirror(&folder, backup.path()).unwrap().removed, 1, "erased here is erased there");
        assert!(!backup.path().join(&blob).exists());

        let nowhere = data.path().join("nowhere");
        assert!(mirror(&nowhere, backup.path()).is_err(), "a wrong folder takes nothing away");
        for number in 0..LOST_MIN {
            let text = format!("many {number}");
            files.put_bytes("ville", "c.txt", None, text.as_bytes()).await.unwrap();
        }
        mirror(&folder, backup.path()).unwrap();
        assert!(mirror(tempfile::tempdir().unwrap().path(), backup.path()).is_err(), "nor does a lost disk");
        assert!(bring_back(backup.path(), &folder).is_err(), "what is there is not overwritten");
        assert_eq!(bring_back(backup.path(), &nowhere).unwrap().files, 21);
    }
}
