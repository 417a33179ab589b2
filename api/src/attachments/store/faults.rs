//! A bucket whose server is slow, away, full, or breaks off: a passage before the real one does what networks do.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::conformance::{Breaking, bucket, bytes, nothing_half_sent, reader, whole};
use super::*;

/// What the passage does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    /// Hands everything on.
    Open,
    /// Closes whatever connects.
    Closed,
    /// Answers this status so many times, then hands everything on.
    Answering(u16, usize),
    /// Hands on, and cuts the way back after so many bytes, so many times.
    Cutting(usize, usize),
}

/// A passage to the server. What it does holds for connections made from then on.
struct Passage {
    way: Arc<Mutex<Way>>,
    settings: BucketSettings,
    _running: JoinSet<()>,
}

impl Passage {
    async fn new() -> Option<Self> {
        let mut settings = bucket()?;
        let behind = settings.endpoint.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        settings.endpoint = format!("http://{}", listener.local_addr().unwrap());
        let way = Arc::new(Mutex::new(Way::Open));
        let mut running = JoinSet::new();
        let chosen = Arc::clone(&way);
        running.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let way = next(&chosen);
                tokio::spawn(carry(stream, behind.clone(), way));
            }
        });
        Some(Self { way, settings, _running: running })
    }

    fn shelf(&self) -> Shelf {
        Shelf::bucket(&self.settings).unwrap()
    }

    fn set(&self, way: Way) {
        *self.way.lock().unwrap() = way;
    }
}

fn next(chosen: &Mutex<Way>) -> Way {
    let mut way = chosen.lock().unwrap();
    let now = *way;
    match now {
        Way::Answering(_, 1) | Way::Cutting(_, 1) => *way = Way::Open,
        Way::Answering(status, times) => *way = Way::Answering(status, times - 1),
        Way::Cutting(after, times) => *way = Way::Cutting(after, times - 1),
        Way::Open | Way::Closed => {}
    }
    now
}

async fn carry(mut stream: TcpStream, behind: String, way: Way) {
    match way {
        Way::Closed => {}
        Way::Answering(status, _) => {
            // The head of the call, and as much of its body as is there: then the answer.
            let mut buffer = vec![0; 64 * 1024];
            let _ = stream.read(&mut buffer).await;
            let answer = format!("HTTP/1.1 {status} Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = tokio::time::timeout(Duration::from_millis(200), stream.read_to_end(&mut buffer)).await;
        }
        Way::Open | Way::Cutting(..) => {
            let mut server = TcpStream::connect(behind).await.unwrap();
            let most = if let Way::Cutting(after, _) = way { after as u64 } else { u64::MAX };
            let (mut from, mut to) = stream.split();
            let (back, mut on) = server.split();
            let going = tokio::io::copy(&mut from, &mut on);
            let mut back = back.take(most);
            let coming = tokio::io::copy(&mut back, &mut to);
            tokio::select! { _ = going => {}, _ = coming => {} }
        }
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_told_in_time_and_taken_up_again() {
    let Some(passage) = Passage::new().await else { return };
    passage.set(Way::Closed);
    let shelf = passage.shelf();
    let began = Instant::now();
    let error = shelf.write("ville/uploads/a", b"note".to_vec()).await.unwrap_err();
    assert_eq!(error.code(), "file.store_unavailable", "{error}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    for told in [error.to_string(), shelf.size("ville/uploads/secret-proof").await.unwrap_err().to_string()] {
        assert!(!told.contains("uploads") && !told.contains("127.0.0.1"), "{told}");
    }
    passage.set(Way::Open);
    assert_eq!(shelf.size("ville/uploads/a").await.unwrap(), None, "nothing was kept");
    shelf.write("ville/uploads/a", b"note".to_vec()).await.unwrap();
    assert_eq!(shelf.read("ville/uploads/a").await.unwrap().unwrap(), b"note");
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_may_not_is_told() {
    let Some(passage) = Passage::new().await else { return };
    for status in [500, 502, 503, 429] {
        passage.set(Way::Answering(status, 2));
        let key = format!("ville/blobs/aa/{status}");
        passage.shelf().receive(&key, reader(bytes(1000))).await.unwrap();
        assert_eq!(whole(&passage.shelf(), &key, 0).await.unwrap(), bytes(1000));
    }
    passage.set(Way::Answering(507, 100));
    let full = passage.shelf().receive("ville/blobs/aa/full", reader(bytes(1000))).await.unwrap_err();
    assert_eq!(full.code(), "file.store_full", "{full}");
    passage.set(Way::Answering(501, 5));
    // A server that knows no conditions is written to without one.
    passage.shelf().receive("ville/blobs/aa/501", reader(bytes(1000))).await.unwrap();
    passage.set(Way::Open);
    let keys = tempfile::tempdir().unwrap();
    std::fs::write(keys.path().join("secret"), "another").unwrap();
    let wrong = BucketSettings { secret_key_file: keys.path().join("secret"), ..passage.settings.clone() };
    let refused = Shelf::bucket(&wrong).unwrap().write("ville/uploads/a", Vec::new()).await.unwrap_err();
    assert!(refused.to_string().contains("refuses the key"), "{refused}");
    let wrong = BucketSettings { bucket: "nobodys".to_owned(), ..passage.settings.clone() };
    let refused = Shelf::bucket(&wrong).unwrap().write("ville/uploads/a", Vec::new()).await.unwrap_err();
    assert_eq!(refused.code(), "file.store_unavailable", "{refused}");
}

#[tokio::test]
async fn a_download_that_breaks_off_goes_on_where_it_was() {
    let Some(passage) = Passage::new().await else { return };
    let all = bytes(3 * PART);
    passage.shelf().receive("ville/blobs/aa/long", reader(all.clone())).await.unwrap();
    passage.set(Way::Cutting(PART, 2));
    assert!(whole(&passage.shelf(), "ville/blobs/aa/long", 0).await.unwrap() == all);
}

#[tokio::test]
async fn a_large_file_is_given_up_when_its_sender_goes_or_the_server_fails() {
    let Some(passage) = Passage::new().await else { return };
    let shelf = passage.shelf();
    // The sender goes away in the middle: whoever sends is dropped.
    let endless = Box::pin(Breaking(usize::MAX));
    let sent =
        tokio::time::timeout(Duration::from_millis(700), shelf.receive("ville/blobs/aa/gone", endless)).await;
    assert!(sent.is_err(), "it does not end by itself");
    nothing_half_sent(&shelf).await;
    assert_eq!(shelf.size("ville/blobs/aa/gone").await.unwrap(), None);
    // What a program left half sent that died at once is given up by its note.
    let Shelf::Bucket(bucket) = &shelf else { unreachable!() };
    let id = bucket.leave_half_sent("ville/blobs/aa/died").await.unwrap();
    assert!(!bucket.is_given_up("ville/blobs/aa/died", &id).await, "it stands there");
    let left = shelf.half_sent().await.unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(
        !shelf.all().await.unwrap().iter().any(|key| key.contains("parts")),
        "notes of parts are no keys"
    );
    shelf.abandon(&left[0]).await.unwrap();
    assert!(shelf.half_sent().await.unwrap().is_empty());
    assert!(bucket.is_given_up("ville/blobs/aa/died", &id).await, "the server knows no such upload any more");
}
