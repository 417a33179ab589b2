//! Folders and files that are locked, read-only, full, lost, or not what they should be.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use guichet_journal::{
    Expected, JOURNAL_FILE, Journal, JournalError, KEYS_FILE, MASTER_FILE, SqliteJournal, verify_all,
};

use crate::tools::{command, everything, filled, length, reopen, stream, tamper};

async fn refusal(folder: &Path) -> JournalError {
    SqliteJournal::open(folder).await.expect_err("the folder should have been refused")
}

#[tokio::test]
async fn two_servers_cannot_share_a_folder() {
    let (folder, _) = filled(&[1]).await;
    let first = SqliteJournal::open(folder.path()).await.unwrap();
    let refused = refusal(folder.path()).await;
    assert!(matches!(refused, JournalError::Locked { .. }), "{refused:?}");
    assert!(refused.to_string().contains("in use by another running guichet"), "{refused}");
    first.append(command(&stream(), Expected::NoStream, 1)).await.unwrap();
    first.close().await;
    let second =
        SqliteJournal::open(folder.path()).await.expect("a closed journal lets go of its folder at once");
    drop(second);
    reopen(folder.path()).await;
}

#[tokio::test]
async fn files_of_a_newer_version_are_refused_and_left_alone() {
    for file in [JOURNAL_FILE, KEYS_FILE] {
        let (folder, _) = filled(&[1]).await;
        let path = folder.path().join(file);
        tamper(&path, "PRAGMA user_version = 9").await;
        let before = std::fs::read(&path).unwrap();
        let refused = refusal(folder.path()).await;
        assert!(matches!(refused, JournalError::Newer { found: 9, known: 1, .. }), "{refused:?}");
        assert!(refused.to_string().contains("written by a newer version of guichet"), "{refused}");
        assert!(std::fs::read(&path).unwrap() == before, "`{file}` was changed");
    }
}

#[tokio::test]
async fn files_of_something_else_are_refused() {
    for file in [JOURNAL_FILE, KEYS_FILE] {
        let (folder, _) = filled(&[1]).await;
        let path = folder.path().join(file);
        std::fs::remove_file(&path).unwrap();
        tamper_new(&path, "CREATE TABLE recipes (name TEXT); PRAGMA application_id = 7").await;
        assert!(matches!(refusal(folder.path()).await, JournalError::Corrupt { .. }));
        std::fs::write(&path, "not a database, but long enough to be read as one".repeat(100)).unwrap();
        let refused = refusal(folder.path()).await;
        assert!(matches!(refused, JournalError::Corrupt { .. }), "{refused:?}");
    }
}

async fn tamper_new(path: &Path, sql: &'static str) {
    std::fs::write(path, "").unwrap();
    tamper(path, sql).await;
}

#[tokio::test]
async fn lost_files_are_named_and_nothing_is_made_in_their_place() {
    for (lost, named) in [(JOURNAL_FILE, JOURNAL_FILE), (KEYS_FILE, KEYS_FILE), (MASTER_FILE, MASTER_FILE)] {
        let (folder, _) = filled(&[1]).await;
        let path = folder.path().join(lost);
        let kept = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        for _ in 0..2 {
            let refused = refusal(folder.path()).await.to_string();
            assert!(refused.contains(named) && refused.contains("missing"), "{refused}");
            assert!(!path.exists(), "`{lost}` was made anew");
        }
        std::fs::write(&path, kept).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(verify_all(&reopen(folder.path()).await).await.unwrap().is_sound());
    }
}

#[tokio::test]
async fn keys_and_master_key_must_belong_together() {
    let ((folder, _), (other, _)) = (filled(&[1]).await, filled(&[1]).await);
    std::fs::copy(other.path().join(MASTER_FILE), folder.path().join(MASTER_FILE)).unwrap();
    let refused = refusal(folder.path()).await;
    assert!(
        matches!(refused, JournalError::Keys { .. })
            && refused.to_string().contains("do not belong together"),
        "{refused}"
    );
    std::fs::copy(other.path().join(KEYS_FILE), folder.path().join(KEYS_FILE)).unwrap();
    let journal = reopen(folder.path()).await;
    let report = verify_all(&journal).await.unwrap();
    assert_eq!(report.findings.len(), 1, "keys of another journal must be noticed");
    assert!(matches!(
        journal.open(&everything(&journal).await[0]).await,
        Err(JournalError::KeyMissing { .. })
    ));
}

#[tokio::test]
async fn a_journal_taken_away_while_it_is_open_acknowledges_nothing() {
    let (folder, streams) = filled(&[1]).await;
    let journal = reopen(folder.path()).await;
    let path = folder.path().join(JOURNAL_FILE);
    let aside = folder.path().join("aside");
    std::fs::rename(&path, &aside).unwrap();
    let refused = journal.append(command(&streams[0], Expected::Exists, 1)).await.unwrap_err();
    assert!(
        matches!(refused, JournalError::Unavailable { .. }) && refused.to_string().contains("taken away"),
        "{refused}"
    );
    std::fs::rename(&aside, &path).unwrap();
    journal.append(command(&streams[0], Expected::Exists, 1)).await.unwrap();
    assert_eq!(length(&journal, &streams[0]).await, 2);
}

/// A small disk of its own, for those who may mount one.
struct SmallDisk(PathBuf, #[expect(dead_code, reason = "the folder goes away with it")] tempfile::TempDir);

impl SmallDisk {
    fn mount(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]).arg(folder.path()).output();
        if mounted.is_ok_and(|done| done.status.success()) {
            return Some(Self(folder.path().to_owned(), folder));
        }
        eprintln!("skipped: this user may not mount a disk");
        None
    }

    fn remount(&self, options: &str) {
        let done =
            Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(&self.0).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_nothing_and_room_heals_it() {
    let Some(disk) = SmallDisk::mount("size=6m") else { return };
    let journal = SqliteJournal::open(&disk.0).await.unwrap();
    let ballast = disk.0.join("ballast");
    std::fs::write(&ballast, vec![1; 3 << 20]).unwrap();
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    for _ in 0..4000 {
        let append = command(&stream(), Expected::NoStream, 3);
        match journal.append(append.clone()).await {
            Ok(_) => kept.push(append),
            Err(JournalError::Full | JournalError::Indeterminate { .. }) => refused.push(append),
            Err(error) => panic!("{error}"),
        }
        if refused.len() == 20 {
            break;
        }
    }
    assert_eq!(refused.len(), 20, "the disk never filled");
    let full = journal.append(refused[0].clone()).await.unwrap_err();
    assert!(full.to_string().contains("the disk of the journal is full"), "{full}");
    for append in &kept {
        assert_eq!(length(&journal, &append.stream).await, 3, "an acknowledged append is gone");
    }
    std::fs::remove_file(&ballast).unwrap();
    for append in refused.iter().chain(&kept) {
        journal.append(append.clone()).await.unwrap();
        assert_eq!(length(&journal, &append.stream).await, 3);
    }
    journal.close().await;
    let journal = reopen(&disk.0).await;
    let report = verify_all(&journal).await.unwrap();
    assert!(report.is_sound() && report.events == 3 * (kept.len() + 20) as u64, "{report:?}");
}

#[tokio::test]
async fn a_read_only_folder_is_refused_in_words() {
    let Some(disk) = SmallDisk::mount("size=6m") else { return };
    let journal = SqliteJournal::open(&disk.0).await.unwrap();
    journal.append(command(&stream(), Expected::NoStream, 3)).await.unwrap();
    journal.close().await;
    drop(journal);
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    disk.remount("ro");
    let refused = refusal(&disk.0).await;
    assert!(
        matches!(refused, JournalError::ReadOnly { .. }) && refused.to_string().contains("cannot be written"),
        "{refused:?}"
    );
    disk.remount("rw");
    assert!(verify_all(&reopen(&disk.0).await).await.unwrap().is_sound());
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let refused = refusal(&folder.path().join("file")).await;
    assert!(matches!(refused, JournalError::ReadOnly { .. }), "{refused:?}");
}
