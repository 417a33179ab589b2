//! A folder of files. Whole files appear by renaming, after their bytes reached the disk; the folder is written out too,
//! so that the name itself outlives a loss of power.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::AsyncSeekExt;

use super::{Reader, sound};
use crate::attachments::error::AttachmentError;

/// How deep the keys of files go below a collectivity's folder.
const DEPTH_MAX: usize = 4;
/// Tells apart what this program writes at one moment.
static SERIAL: AtomicU64 = AtomicU64::new(0);

#[derive(Debug, Clone)]
pub(crate) struct Disk {
    folder: PathBuf,
    /// Tells this program from others that write into the same folder.
    drawn: u32,
}

impl Disk {
    pub(super) fn new(folder: &Path) -> Self {
        let mut drawn = [0; 4];
        // Without chance the process's number tells programs of one machine apart.
        let _ = getrandom::fill(&mut drawn);
        Self { folder: folder.to_owned(), drawn: u32::from_be_bytes(drawn) }
    }

    fn at(&self, key: &str) -> Result<PathBuf, AttachmentError> {
        sound(key)?;
        Ok(self.folder.join(key))
    }

    /// A name for a file that is not whole yet.
    fn temporary(&self) -> PathBuf {
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{:08x}-{serial}.part", std::process::id(), self.drawn);
        self.folder.join(".arriving").join(name)
    }

    async fn run<T: Send + 'static>(
        work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, AttachmentError> {
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done.map_err(|error| AttachmentError::of_system(&error)),
            Err(error) => Err(AttachmentError::Store { reason: error.to_string() }),
        }
    }

    pub(super) async fn place(&self, file: &Path, key: &str) -> Result<(), AttachmentError> {
        let (from, to) = (file.to_owned(), self.at(key)?);
        Self::run(move || moved(&from, &to)).await
    }

    pub(super) async fn write(&self, key: &str, bytes: Vec<u8>) -> Result<(), AttachmentError> {
        let (to, temporary) = (self.at(key)?, self.temporary());
        Self::run(move || {
            make(temporary.parent().unwrap_or(&temporary))?;
            let written = File::create(&temporary).and_then(|mut file| {
                file.write_all(&bytes)?;
                file.sync_all()
            });
            let done = written.and_then(|()| moved(&temporary, &to));
            if done.is_err() {
                // What is wrong is told already; the leftover has a name that nobody reads.
                let _ = fs::remove_file(&temporary);
            }
            done
        })
        .await
    }

    pub(super) async fn receive(&self, key: &str, mut reader: Reader) -> Result<(), AttachmentError> {
        let (to, temporary) = (self.at(key)?, self.temporary());
        let told = |error: std::io::Error| AttachmentError::of_system(&error);
        let folder = temporary.parent().unwrap_or(&temporary).to_owned();
        Self::run(move || make(&folder)).await?;
        let arrived = Passing(temporary);
        let mut file = tokio::fs::File::create(&arrived.0).await.map_err(told)?;
        tokio::io::copy(&mut reader, &mut file).await.map_err(told)?;
        file.sync_all().await.map_err(told)?;
        Self::run(move || moved(&arrived.0, &to)).await
    }

    pub(super) async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, AttachmentError> {
        let path = self.at(key)?;
        Self::run(move || present(fs::read(path))).await
    }

    pub(super) async fn size(&self, key: &str) -> Result<Option<u64>, AttachmentError> {
        let path = self.at(key)?;
        Self::run(move || Ok(present(fs::metadata(path))?.map(|found| found.len()))).await
    }

    pub(super) async fn open(&self, key: &str, from: u64) -> Result<Option<Reader>, AttachmentError> {
        let path = self.at(key)?;
        let told = |error: std::io::Error| AttachmentError::of_system(&error);
        let Some(mut file) = present(tokio::fs::File::open(path).await).map_err(told)? else {
            return Ok(None);
        };
        if from > 0 {
            file.seek(std::io::SeekFrom::Start(from)).await.map_err(told)?;
        }
        Ok(Some(Box::pin(file)))
    }

    pub(super) async fn rename(&self, key: &str, to: &str) -> Result<bool, AttachmentError> {
        let (from, to) = (self.at(key)?, self.at(to)?);
        Self::run(move || Ok(present(moved(&from, &to))?.is_some())).await
    }

    pub(super) async fn remove(&self, key: &str) -> Result<(), AttachmentError> {
        let path = self.at(key)?;
        Self::run(move || {
            present(fs::remove_file(&path))?;
            // An empty folder of one file or one request goes too; one that is not empty stays.
            let _ = path.parent().map(fs::remove_dir);
            Ok(())
        })
        .await
    }

    pub(super) async fn list(&self, folder: &str) -> Result<Vec<String>, AttachmentError> {
        let path = if folder.is_empty() { self.folder.clone() } else { self.at(folder)? };
        Self::run(move || {
            let Some(entries) = present(fs::read_dir(path))? else { return Ok(Vec::new()) };
            let mut all = Vec::new();
            for entry in entries {
                let entry = entry?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                if !name.starts_with('.') {
                    all.push(name);
                }
            }
            Ok(all)
        })
        .await
    }

    pub(super) fn is_there(&self) -> bool {
        self.folder.is_dir()
    }

    pub(super) async fn all(&self) -> Result<BTreeSet<String>, AttachmentError> {
        let folder = self.folder.clone();
        Self::run(move || {
            let mut found = BTreeSet::new();
            let mut open = vec![(String::new(), 0)];
            while let Some((below, depth)) = open.pop() {
                for entry in present(fs::read_dir(folder.join(&below)))?.into_iter().flatten() {
                    let entry = entry?;
                    let Ok(name) = entry.file_name().into_string() else { continue };
                    if name.starts_with('.') {
                        continue;
                    }
                    let key = if below.is_empty() { name } else { format!("{below}/{name}") };
                    if !entry.file_type()?.is_dir() {
                        found.insert(key);
                    } else if depth < DEPTH_MAX {
                        open.push((key, depth + 1));
                    }
                }
            }
            Ok(found)
        })
        .await
    }
}

/// A file that is not whole yet; it goes when this does, unless it was moved.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        // Usually it was moved; what stays after a crash is swept later.
        let _ = fs::remove_file(&self.0);
    }
}

/// What is there, or nothing; every other fault stays one.
fn present<T>(found: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes a folder and those above it, each written out into the one above.
fn make(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        make(above)?;
    }
    match fs::create_dir(folder) {
        Ok(()) => folder.parent().map_or(Ok(()), synced),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn moved(from: &Path, to: &Path) -> std::io::Result<()> {
    let folder = to.parent().unwrap_or(to);
    make(folder)?;
    let renamed = match fs::rename(from, to) {
        // Somebody who took the last file away took the folder too.
        Err(error) if error.kind() == ErrorKind::NotFound && from.exists() => {
            make(folder)?;
            fs::rename(from, to)
        }
        other => other,
    };
    renamed?;
    synced(folder)
}

fn synced(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}
