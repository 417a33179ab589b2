//! Watches Maildirs (<https://cr.yp.to/proto/maildir.html>): what stands in `new/` is taken in and moved to `cur/`.
//!
//! A server that dies between the two takes the same mail again, which then counts as one that came before. What cannot be
//! read is moved to `quarantine/`, with the reason beside it; nothing is ever deleted.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::fs;
use tokio::sync::watch;

use super::mail::MAIL_BYTES_MAX;
use super::post::{PostError, deliver};
use crate::guichet::Guichet;
use crate::settings::channels::Mailbox;

/// How often a folder is looked at.
const PACE: Duration = Duration::from_secs(1);
/// Mails taken in one look at a folder; the others have their turn in the next.
const BATCH: usize = 100;
/// The longest wait before a mail that could not be taken is tried again.
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);

/// Watches one mailbox until it is asked to stop.
pub(crate) async fn watch(guichet: Guichet, mailbox: Mailbox, mut stopped: watch::Receiver<bool>) {
    let Some(folder) = mailbox.maildir.clone() else { return };
    let mut later: HashMap<PathBuf, Instant> = HashMap::new();
    while !*stopped.borrow() {
        let waiting = match list(&folder).await {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "a mailbox cannot be read");
                Vec::new()
            }
        };
        later.retain(|path, _| waiting.contains(path));
        let ready = |path: &&PathBuf| later.get(*path).is_none_or(|at| *at <= Instant::now());
        let ready: Vec<&PathBuf> = waiting.iter().filter(ready).take(BATCH).collect();
        for path in ready {
            if *stopped.borrow() {
                return;
            }
            match take(&guichet, &mailbox, &folder, path).await {
                Ok(None) => {
                    later.remove(path);
                }
                Ok(Some(wait)) => {
                    later.insert(path.clone(), Instant::now() + wait.min(WAIT_MAX));
                }
                Err(error) => {
                    tracing::warn!(folder = %folder.display(), %error, "a mail cannot be moved");
                    later.insert(path.clone(), Instant::now() + Duration::from_secs(60));
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PACE) => {}
            _ = stopped.changed() => {}
        }
    }
}

/// The mails that wait, the oldest name first.
async fn list(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder.join("new")).await?;
    let mut found = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        // A link may lead anywhere: only files themselves are mails.
        if !hidden && entry.file_type().await?.is_file() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Takes one mail in and moves it to where it belongs; otherwise how long to wait before it is tried again.
async fn take(
    guichet: &Guichet,
    mailbox: &Mailbox,
    folder: &Path,
    path: &Path,
) -> std::io::Result<Option<Duration>> {
    let size = fs::metadata(path).await?.len();
    let bytes = if usize::try_from(size).is_ok_and(|size| size <= MAIL_BYTES_MAX) {
        fs::read(path).await?
    } else {
        quarantine(folder, path, "the mail is too large").await?;
        return Ok(None);
    };
    match deliver(guichet, &mailbox.tenant, Some(mailbox), bytes).await {
        Ok(_) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // `S`: seen.
            let name = if name.contains(":2,") { name } else { format!("{name}:2,S") };
            moved(path, &folder.join("cur"), &name).await?;
            Ok(None)
        }
        Err(error @ (PostError::Unreadable(_) | PostError::Reused(_) | PostError::Broken)) => {
            quarantine(folder, path, &error.to_string()).await?;
            Ok(None)
        }
        Err(PostError::Take(error)) => {
            tracing::warn!(folder = %folder.display(), why = %error, "a mail is taken in later");
            Ok(Some(Duration::from_secs(error.seconds_to_wait())))
        }
    }
}

async fn quarantine(folder: &Path, path: &Path, reason: &str) -> std::io::Result<()> {
    tracing::warn!(folder = %folder.display(), reason, "a mail is put in quarantine");
    metrics::counter!("guichet_channels_mails_total", "outcome" => "quarantined").increment(1);
    let aside = folder.join("quarantine");
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    fs::create_dir_all(&aside).await?;
    fs::write(aside.join(format!("{name}.reason")), format!("{reason}\n")).await?;
    moved(path, &aside, &name).await
}

/// Moves a mail; another server that watches the same folder may have moved it already.
async fn moved(path: &Path, into: &Path, name: &str) -> std::io::Result<()> {
    fs::create_dir_all(into).await?;
    match fs::rename(path, into.join(name)).await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
