//! A scanner that finds things, is away, and comes back; a disk that refuses.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use guichet_engine::Ambient;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::ambient::Surroundings;
use crate::{Guichet, Options};

fn with(folder: &Path, clamd: Option<String>, when_down: WhenDown) -> Attachments {
    let mut settings = Settings::default();
    settings.attachments.clamd = clamd;
    settings.attachments.scanner_down = when_down;
    let ambient: Arc<dyn Ambient> = Arc::new(Surroundings::system());
    Attachments::new(folder, &settings, &ambient).unwrap()
}

fn attachments(folder: &Path) -> Attachments {
    with(folder, None, WhenDown::Refuse)
}

/// Speaks as clamd does (clamd(8), INSTREAM), and finds whatever says EICAR.
async fn clamd(listener: TcpListener) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut command = [0; 10];
        stream.read_exact(&mut command).await.unwrap();
        assert_eq!(&command, b"zINSTREAM\0");
        let mut all = Vec::new();
        loop {
            let length = stream.read_u32().await.unwrap();
            if length == 0 {
                break;
            }
            let mut chunk = vec![0; usize::try_from(length).unwrap()];
            stream.read_exact(&mut chunk).await.unwrap();
            all.extend(chunk);
        }
        let found = all.windows(5).any(|window| window == b"EICAR");
        let answer: &[u8] = if found { b"stream: Eicar-Signature FOUND\0" } else { b"stream: OK\0" };
        stream.write_all(answer).await.unwrap();
    }
}

#[tokio::test]
async fn what_was_put_can_be_read_by_its_digest_and_by_its_own_collectivity_only() {
    let folder = tempfile::tempdir().unwrap();
    let files = attachments(folder.path());
    let file = files.put_bytes("ville", "notes.txt", Some("text/plain"), b"Bonjour").await.unwrap();
    assert_eq!((file.name.as_str(), file.kind.as_str(), file.size), ("notes.txt", "text/plain", 7));
    let mut opened = files.open("ville", &file.sha256).await.unwrap().unwrap();
    let mut text = String::new();
    opened.reader.read_to_string(&mut text).await.unwrap();
    assert_eq!((opened.size, text.as_str()), (7, "Bonjour"));
    assert!(files.open("ccas", &file.sha256).await.unwrap().is_none());
    assert!(files.open("ville", "../../etc/passwd").await.unwrap().is_none());
    assert!(matches!(files.open("../ville", &file.sha256).await, Err(AttachmentError::UnknownTenant)));
}

#[tokio::test]
async fn what_is_too_large_empty_or_cut_off_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let files = attachments(folder.path());
    let endless = futures_util::stream::repeat_with(|| Ok::<_, Infallible>(vec![0_u8; 1 << 20]));
    let error = files.put("ville", "a", None, endless).await.unwrap_err();
    assert!(matches!(error, AttachmentError::TooLarge { .. }), "{error}");
    let error = files.put_bytes("ville", "a", None, b"").await.unwrap_err();
    assert!(matches!(error, AttachmentError::Empty), "{error}");
    let cut = futures_util::stream::iter([Ok(b"half".to_vec()), Err("gone")]);
    let error = files.put("ville", "a", None, cut).await.unwrap_err();
    assert!(matches!(error, AttachmentError::Interrupted), "{error}");
    let error = files.put_bytes("ville", "a.svg", None, b"<svg/>").await.unwrap_err();
    assert!(matches!(error, AttachmentError::Refused { .. }), "{error}");
    let arriving = folder.path().join(ATTACHMENTS_FOLDER).join(ARRIVING);
    assert_eq!(std::fs::read_dir(arriving).unwrap().count(), 0);
    assert!(!folder.path().join(ATTACHMENTS_FOLDER).join("ville").exists());
}

#[tokio::test]
async fn a_disk_that_refuses_is_told_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    // A file where the folder should be: even the superuser cannot write below it.
    std::fs::write(folder.path().join(ATTACHMENTS_FOLDER), b"").unwrap();
    let error = attachments(folder.path()).put_bytes("ville", "a", None, b"text").await.unwrap_err();
    assert_eq!(error.code(), "file.store_unavailable", "{error}");
    let full = AttachmentError::of_system(&std::io::Error::from(std::io::ErrorKind::StorageFull));
    assert_eq!(full.code(), "file.store_full");
}

#[tokio::test]
async fn what_the_scanner_finds_is_refused_and_what_it_cannot_see_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let scanner = tokio::spawn(clamd(listener));
    let files = with(folder.path(), Some(address), WhenDown::Refuse);
    files.put_bytes("ville", "a.txt", None, b"harmless").await.unwrap();
    let error = files.put_bytes("ville", "b.txt", None, b"an EICAR test").await.unwrap_err();
    assert!(
        matches!(&error, AttachmentError::Infected { finding } if finding == "Eicar-Signature"),
        "{error}"
    );
    scanner.abort();
    let _ = scanner.await;
    let error = files.put_bytes("ville", "c.txt", None, b"unseen").await.unwrap_err();
    assert_eq!(error.code(), "file.scanner_unavailable", "{error}");
}

#[tokio::test]
async fn quarantine_is_left_only_past_the_scanner() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let files = with(folder.path(), Some(address.to_string()), WhenDown::Quarantine);
    let clean = files.put_bytes("ville", "a.txt", None, b"harmless").await.unwrap();
    let bad = files.put_bytes("ville", "b.txt", None, b"an EICAR test").await.unwrap();
    for file in [&clean, &bad] {
        let error = files.open("ville", &file.sha256).await.unwrap_err();
        assert_eq!(error.code(), "file.quarantined");
    }
    let guichet = Guichet::in_memory(Options::new(folder.path())).await.unwrap();
    assert_eq!(files.sweep(&guichet, guichet.now()).await.unwrap(), Swept::default(), "it is still away");
    let scanner = tokio::spawn(clamd(TcpListener::bind(address).await.unwrap()));
    assert_eq!(files.sweep(&guichet, guichet.now()).await.unwrap().scanned, 2);
    assert!(files.open("ville", &clean.sha256).await.unwrap().is_some());
    assert!(files.open("ville", &bad.sha256).await.unwrap().is_none(), "nobody ever sees it");
    scanner.abort();
}
