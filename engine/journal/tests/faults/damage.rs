//! Bytes that are not what was written: every change is found where it lies, and nothing panics.

use std::path::Path;

use guichet_journal::{
    JOURNAL_FILE, Journal, JournalError, KEYS_FILE, MASTER_FILE, SqliteJournal, Wrong, verify_all,
    verify_stream,
};

use crate::tools::{command, digests, everything, filled, reopen, stream, tamper};
use guichet_journal::{Expected, KeyState, KeyStore, SqliteKeyStore};

/// Events in the journal whose bytes are changed.
const EVENTS: usize = 6;

/// Changes one byte of a closed journal's file: the byte `offset` behind the `nth` place where `text` stands.
fn flip(file: &Path, text: &str, nth: usize, offset: usize) {
    let mut bytes = std::fs::read(file).unwrap();
    let places: Vec<_> = bytes
        .windows(text.len())
        .enumerate()
        .filter(|(_, window)| *window == text.as_bytes())
        .map(|(at, _)| at)
        .collect();
    // A page that was split keeps old bytes that mean nothing any more; the living ones stand behind it.
    let at = places[places.len() - EVENTS + nth] + offset;
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    std::fs::write(file, bytes).unwrap();
}

#[tokio::test]
async fn a_flipped_byte_is_found_where_it_lies() {
    for (text, offset, wrong) in [
        ("Rue de Marne", 4, Wrong::Body),
        ("\"$sealed\":\"", 15, Wrong::Body),
        ("\"commit\":\"", 20, Wrong::Commitment),
        ("\"body\":\"", 20, Wrong::Body),
        ("\"prev\":\"", 20, Wrong::Previous),
        ("\"actor\":\"agent:12", 16, Wrong::Previous),
        ("\"type\":\"request", 9, Wrong::Previous),
    ] {
        let (folder, streams) = filled(&[4, 2]).await;
        let file = folder.path().join(JOURNAL_FILE);
        tamper(&file, "VACUUM").await;
        // An event in the middle of its stream: what the last header of a stream says, only a witness outside can hold to.
        flip(&file, text, 3, offset);
        let journal = reopen(folder.path()).await;
        let report = verify_all(&journal).await.unwrap();
        assert_eq!(report.events, 6, "{text}");
        assert!(
            report.findings.iter().any(|finding| finding.wrong == wrong),
            "{text}: {:?}",
            report.findings
        );
        let streams_hit: std::collections::HashSet<_> =
            report.findings.iter().map(|finding| finding.stream.clone()).collect();
        assert_eq!(streams_hit.len(), 1, "{text}: the damage spread: {:?}", report.findings);
        let mut sound = 0;
        for stream in &streams {
            sound += usize::from(verify_stream(&journal, stream).await.unwrap().is_sound());
        }
        assert_eq!(sound, 1, "{text}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_found_too() {
    let (folder, _) = filled(&[4]).await;
    let file = folder.path().join(JOURNAL_FILE);
    for byte in [0xff, 0x1e, 0x00] {
        let mut bytes = std::fs::read(&file).unwrap();
        let at = bytes.windows(12).position(|window| window == b"Rue de Marne").unwrap();
        bytes[at] = byte;
        std::fs::write(&file, &bytes).unwrap();
        let journal = reopen(folder.path()).await;
        let report = verify_all(&journal).await.unwrap();
        assert_eq!((report.events, report.is_sound()), (4, false), "byte {byte:#x}: {report:?}");
        journal.close().await;
        bytes[at] = b'R';
        std::fs::write(&file, &bytes).unwrap();
    }
}

#[tokio::test]
async fn rows_taken_out_doubled_or_moved_are_found() {
    for (sql, wrong) in [
        ("DELETE FROM events WHERE position = 2", "an event is missing"),
        (
            "UPDATE events SET header = (SELECT header FROM events WHERE position = 1), body = (SELECT body FROM events WHERE position = 1) WHERE position = 2",
            "an event is missing, doubled",
        ),
        (
            "UPDATE events SET body = (SELECT body FROM events WHERE position = 3) WHERE position = 2",
            "its body was changed",
        ),
        (
            "UPDATE events SET header = replace(header, '\"n\":1,', '\"n\":7,') WHERE position = 2",
            "it has revision 7",
        ),
        ("DELETE FROM events WHERE position = 1", "it has revision 1 where 0 was due"),
    ] {
        let (folder, _) = filled(&[4]).await;
        tamper(&folder.path().join(JOURNAL_FILE), sql).await;
        let report = verify_all(&reopen(folder.path()).await).await.unwrap();
        let found: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        assert!(found.iter().any(|finding| finding.contains(wrong)), "{sql}: {found:?}");
    }
    let (folder, _) = filled(&[4, 2]).await;
    tamper(&folder.path().join(JOURNAL_FILE), "UPDATE events SET birth = 5, revision = 9 WHERE position = 2")
        .await;
    let journal = reopen(folder.path()).await;
    let examined = journal.examine().await.unwrap();
    assert!(examined.iter().any(|line| line.contains("filed under another place")), "{examined:?}");
}

#[tokio::test]
async fn pages_of_rubbish_end_in_an_error_not_in_a_panic() {
    let (folder, streams) = filled(&[24, 24, 24]).await;
    let file = folder.path().join(JOURNAL_FILE);
    let sound = std::fs::read(&file).unwrap();
    for page in 1..sound.len() / 4096 {
        let mut bytes = sound.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        std::fs::write(&file, bytes).unwrap();
        let noticed = match SqliteJournal::open(folder.path()).await {
            Err(error) => matches!(error, JournalError::Corrupt { .. }),
            Ok(journal) => {
                let verified = verify_all(&journal).await;
                let mut noticed = !verified.is_ok_and(|report| report.is_sound() && report.events == 72);
                for stream in &streams {
                    noticed |= !verify_stream(&journal, stream)
                        .await
                        .is_ok_and(|report| report.is_sound() && report.events == 24);
                }
                noticed |= journal.examine().await.map_or(true, |found| !found.is_empty());
                let _any_answer = journal.append(command(&streams[0], Expected::Any, 1)).await;
                journal.close().await;
                noticed
            }
        };
        assert!(noticed, "a page {page} of rubbish was not noticed");
    }
}

#[tokio::test]
async fn a_torn_write_ahead_log_leaves_a_sound_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(folder.path()).await.unwrap();
    for count in 1..30 {
        journal.append(command(&stream(), Expected::NoStream, count % 4 + 1)).await.unwrap();
    }
    let whole = everything(&journal).await;
    let names = [JOURNAL_FILE, KEYS_FILE, MASTER_FILE, "journal.db-wal", "keys.db-wal"];
    let files: Vec<_> =
        names.iter().filter_map(|name| Some((name, std::fs::read(folder.path().join(name)).ok()?))).collect();
    let log =
        files.iter().find(|(name, _)| **name == "journal.db-wal").map(|(_, bytes)| bytes.len()).unwrap();
    assert!(log > 100_000, "the log is empty, so the test proves nothing");
    let mut lengths = std::collections::HashSet::new();
    for round in 0..24_usize {
        let copy = tempfile::tempdir().unwrap();
        let cut = round * log / 24 + round % 7;
        for (name, bytes) in &files {
            let mut bytes = bytes.clone();
            if **name == "journal.db-wal" {
                if round % 2 == 0 { bytes.truncate(cut) } else { bytes[cut] ^= 0x40 }
            }
            std::fs::write(copy.path().join(name), bytes).unwrap();
        }
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(copy.path().join(MASTER_FILE), std::fs::Permissions::from_mode(0o600))
            .unwrap();
        // With its first frames torn not even the table is there, and the keys betray that there was more.
        let torn = match SqliteJournal::open(copy.path()).await {
            Ok(torn) => torn,
            Err(error) => panic!("cut at {cut} of {log}: {error}"),
        };
        let left = everything(&torn).await;
        assert!(
            digests(&whole).starts_with(&digests(&left)),
            "cut at {cut}: not a beginning of what was written"
        );
        let report = verify_all(&torn).await.unwrap();
        assert!(report.is_sound(), "cut at {cut}: {:?}", report.findings);
        torn.append(command(&stream(), Expected::NoStream, 2)).await.unwrap();
        assert!(verify_all(&torn).await.unwrap().is_sound());
        lengths.insert(left.len());
    }
    assert!(lengths.len() > 10, "the cuts hardly differed: {lengths:?}");
}

#[tokio::test]
async fn a_destroyed_key_is_gone_from_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let keys = SqliteKeyStore::open(folder.path(), true).await.unwrap();
    let mut drawn = std::collections::HashSet::new();
    for _ in 0..1500 {
        let (kid, _) = keys.fresh().await.unwrap();
        assert!(drawn.insert(kid), "a key was given out twice");
    }
    let kid = drawn.iter().next().unwrap().clone();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join(KEYS_FILE));
    let mut reader =
        <sqlx::sqlite::SqliteConnection as sqlx::Connection>::connect_with(&options).await.unwrap();
    let wrapped: Vec<u8> = sqlx::query_scalar("SELECT wrapped FROM keys WHERE kid = ?1")
        .bind(kid.as_str())
        .fetch_one(&mut reader)
        .await
        .unwrap();
    sqlx::Connection::close(reader).await.unwrap();
    keys.destroy(&kid).await.unwrap();
    assert!(matches!(keys.find(&kid).await.unwrap(), KeyState::Destroyed));
    for name in [KEYS_FILE, "keys.db-wal"] {
        let bytes = std::fs::read(folder.path().join(name)).unwrap_or_default();
        assert!(
            !bytes.windows(wrapped.len()).any(|window| window == wrapped),
            "`{name}` still holds the key"
        );
    }
    keys.close().await;
    let again = SqliteKeyStore::open(folder.path(), true).await.unwrap();
    assert!(matches!(again.find(&kid).await.unwrap(), KeyState::Destroyed));
    drawn.remove(&kid);
    for kid in drawn.iter().take(200) {
        assert!(
            matches!(again.find(kid).await.unwrap(), KeyState::Active(_)),
            "a key that was given out is gone"
        );
    }
    assert!(matches!(again.find(&"unheard-of".parse().unwrap()).await.unwrap(), KeyState::Unknown));
    let (fresh, _) = again.fresh().await.unwrap();
    assert!(!drawn.contains(&fresh));
}
