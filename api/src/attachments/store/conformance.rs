//! What every store of files promises, tried on each of them: a folder, and a bucket of a server that nobody here wrote
//! (`.ci/with-s3`).

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use super::*;

/// Settings of the server that the environment names, each time below a prefix that nobody else uses.
pub(super) fn bucket() -> Option<BucketSettings> {
    static SERIAL: AtomicU32 = AtomicU32::new(0);
    let Ok(endpoint) = std::env::var("GUICHET_TEST_S3") else {
        eprintln!("skipped: GUICHET_TEST_S3 names no server");
        return None;
    };
    let keys = std::path::PathBuf::from(std::env::var("GUICHET_TEST_S3_KEYS").unwrap());
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    Some(BucketSettings {
        endpoint,
        bucket: std::env::var("GUICHET_TEST_S3_BUCKET").unwrap(),
        region: "fr-par".to_owned(),
        prefix: format!("trial-{}-{serial}", std::process::id()),
        path_style: true,
        access_key_file: keys.join("id"),
        secret_key_file: keys.join("secret"),
    })
}

/// Bytes that differ from place to place.
pub(super) fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|place| u8::try_from((place / 7 + place) % 251).unwrap()).collect()
}

pub(super) async fn whole(shelf: &Shelf, key: &str, from: u64) -> Option<Vec<u8>> {
    let mut reader = shelf.open(key, from).await.unwrap()?;
    let mut all = Vec::new();
    reader.read_to_end(&mut all).await.unwrap();
    Some(all)
}

pub(super) fn reader(bytes: Vec<u8>) -> Reader {
    Box::pin(std::io::Cursor::new(bytes))
}

/// Gives so many bytes and then breaks, as a connection does.
pub(super) struct Breaking(pub(super) usize);

impl AsyncRead for Breaking {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.0 == 0 {
            return Poll::Ready(Err(std::io::ErrorKind::ConnectionReset.into()));
        }
        let length = self.0.min(buffer.remaining());
        buffer.put_slice(&vec![7; length]);
        self.0 -= length;
        Poll::Ready(Ok(()))
    }
}

async fn placed(shelf: &Shelf, key: &str, bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("arrived");
    std::fs::write(&file, bytes).unwrap();
    shelf.place(&file, key).await.unwrap();
}

async fn what_is_stored_is_read_from_any_byte_on(shelf: &Shelf) {
    for length in [1, 100_000, PART - 1, PART, PART + 1, 2 * PART + 12_345] {
        let (key, all) = (format!("ville/blobs/aa/{length}"), bytes(length));
        placed(shelf, &key, &all).await;
        assert_eq!(shelf.size(&key).await.unwrap(), Some(u64::try_from(length).unwrap()));
        assert!(whole(shelf, &key, 0).await.unwrap() == all, "{length} bytes come back otherwise");
        let half = length / 2;
        assert!(whole(shelf, &key, u64::try_from(half).unwrap()).await.unwrap() == all[half..]);
        for beyond in [length, length + 1] {
            assert_eq!(whole(shelf, &key, u64::try_from(beyond).unwrap()).await.unwrap(), b"");
        }
        // The same again is the same.
        placed(shelf, &key, &all).await;
        assert!(whole(shelf, &key, 0).await.unwrap() == all);
    }
    assert_eq!(shelf.half_sent().await.unwrap(), Vec::<String>::new());
    assert!(whole(shelf, "ville/blobs/aa/none", 0).await.is_none());
    assert!(whole(shelf, "ville/blobs/aa/none", 5).await.is_none());
    assert_eq!(shelf.size("ville/blobs/aa/none").await.unwrap(), None);
}

async fn notes_are_written_over(shelf: &Shelf) {
    shelf.write("ville/uploads/a", b"one".to_vec()).await.unwrap();
    shelf.write("ville/uploads/a", b"two".to_vec()).await.unwrap();
    assert_eq!(shelf.read("ville/uploads/a").await.unwrap().as_deref(), Some(&b"two"[..]));
    shelf.write("ville/uploads/empty", Vec::new()).await.unwrap();
    assert_eq!(shelf.read("ville/uploads/empty").await.unwrap().as_deref(), Some(&b""[..]));
    assert_eq!(shelf.size("ville/uploads/empty").await.unwrap(), Some(0));
    assert_eq!(shelf.read("ville/uploads/b").await.unwrap(), None);
}

async fn lists_hold_what_is_directly_below(shelf: &Shelf) {
    for key in ["ccas/uploads/a", "ccas/uploads/b", "ccas/holders/c/d", "ccas2/uploads/e", "ccas/uploads2/f"]
    {
        shelf.write(key, Vec::new()).await.unwrap();
    }
    let list = |folder: &'static str| async move {
        shelf.list(folder).await.unwrap().into_iter().collect::<BTreeSet<String>>()
    };
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
    assert_eq!(list("ccas/uploads").await, set(&["a", "b"]));
    assert_eq!(list("ccas").await, set(&["holders", "uploads", "uploads2"]));
    assert!(list("").await.is_superset(&set(&["ccas", "ccas2"])));
    assert_eq!(list("ccas/nothing").await, set(&[]));
    let all = shelf.all().await.unwrap();
    assert!(all.is_superset(&set(&["ccas/holders/c/d", "ccas2/uploads/e"])), "{all:?}");
    assert!(all.iter().all(|key| sound(key).is_ok()), "{all:?}");
    let many: Vec<String> = (0..1_100).map(|number| format!("ccas3/uploads/{number:04}")).collect();
    for key in &many {
        shelf.write(key, Vec::new()).await.unwrap();
    }
    assert_eq!(shelf.list("ccas3/uploads").await.unwrap().len(), many.len(), "more than one page");
}

async fn keys_are_renamed_and_removed(shelf: &Shelf) {
    placed(shelf, "ville/blobs/bb/x", b"moved").await;
    assert!(shelf.rename("ville/blobs/bb/x", "ville/aside/x").await.unwrap());
    assert!(!shelf.rename("ville/blobs/bb/x", "ville/aside/x").await.unwrap(), "it is there no more");
    assert_eq!(whole(shelf, "ville/aside/x", 0).await.unwrap(), b"moved");
    shelf.remove("ville/aside/x").await.unwrap();
    shelf.remove("ville/aside/x").await.unwrap();
    assert_eq!(shelf.size("ville/aside/x").await.unwrap(), None);
    assert!(!shelf.list("ville").await.unwrap().contains(&"aside".to_owned()), "an empty folder is none");
}

async fn keys_that_climb_are_refused(shelf: &Shelf) {
    for key in ["../x", "ville/../x", "/x", "ville//x", "ville/.parts", "ville\\x", ""] {
        assert!(shelf.write(key, Vec::new()).await.is_err(), "{key:?}");
        assert!(shelf.read(key).await.is_err(), "{key:?}");
        assert!(shelf.remove(key).await.is_err(), "{key:?}");
    }
}

async fn what_breaks_off_is_not_there(shelf: &Shelf) {
    for length in [10, PART + 10, 2 * PART] {
        let key = format!("ville/blobs/cc/{length}");
        assert!(shelf.receive(&key, Box::pin(Breaking(length))).await.is_err());
        assert_eq!(shelf.size(&key).await.unwrap(), None, "{length}");
        shelf.receive(&key, reader(bytes(length))).await.unwrap();
        assert!(whole(shelf, &key, 0).await.unwrap() == bytes(length), "{length}");
    }
    nothing_half_sent(shelf).await;
}

/// What was given up is given up behind the back of whoever failed.
pub(super) async fn nothing_half_sent(shelf: &Shelf) {
    for _ in 0..100 {
        if shelf.half_sent().await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("something stands half sent: {:?}", shelf.half_sent().await);
}

async fn writers_of_one_key_do_not_mix(shelf: &Shelf) {
    let all = bytes(PART + 100);
    let writers = (0..6).map(|_| async {
        shelf.receive("ville/blobs/dd/same", reader(all.clone())).await.unwrap();
        assert!(whole(shelf, "ville/blobs/dd/same", 0).await.unwrap() == all);
    });
    futures_util::future::join_all(writers).await;
}

async fn conforms(shelf: &Shelf) {
    what_is_stored_is_read_from_any_byte_on(shelf).await;
    notes_are_written_over(shelf).await;
    lists_hold_what_is_directly_below(shelf).await;
    keys_are_renamed_and_removed(shelf).await;
    keys_that_climb_are_refused(shelf).await;
    what_breaks_off_is_not_there(shelf).await;
    writers_of_one_key_do_not_mix(shelf).await;
}

#[tokio::test]
async fn a_folder_keeps_the_promises_of_a_store() {
    let folder = tempfile::tempdir().unwrap();
    conforms(&Shelf::disk(folder.path())).await;
    assert_eq!(
        std::fs::read_dir(folder.path().join(".arriving")).unwrap().count(),
        0,
        "nothing is left over"
    );
}

#[tokio::test]
async fn a_bucket_keeps_the_promises_of_a_store() {
    let Some(settings) = bucket() else { return };
    conforms(&Shelf::bucket(&settings).unwrap()).await;
    // Another prefix of the same bucket holds nothing of it; without a prefix, all of it stands below the prefix.
    let beside = BucketSettings { prefix: format!("{}0", settings.prefix), ..settings.clone() };
    assert!(Shelf::bucket(&beside).unwrap().all().await.unwrap().is_empty());
    let above = Shelf::bucket(&BucketSettings { prefix: String::new(), ..settings.clone() }).unwrap();
    assert!(above.list("").await.unwrap().contains(&settings.prefix));
    assert_eq!(above.size(&format!("{}/ville/uploads/empty", settings.prefix)).await.unwrap(), Some(0));
}
