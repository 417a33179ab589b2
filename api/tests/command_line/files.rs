//! Files under a real server: killed while they arrive, without room, beside a bucket; and what photos take of memory.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guichet::attachments::StoredFile;
use guichet::{Guichet, Options};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{guichet, run};

/// A server, killed when it goes away.
struct Server(Child, SocketAddr);

impl Server {
    fn start(data: &Path, more: &[&str]) -> Self {
        let arguments =
            ["--lang", "en", "serve", "--catalogue", "processes/chalons", "--listen", "127.0.0.1:0"];
        let arguments: Vec<&str> = arguments.iter().chain(more).copied().collect();
        let mut child =
            guichet(data, &arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().expect("the server came up").unwrap();
        let address = line.split("http://").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        Self(child, address)
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// The most memory that it ever had, in bytes.
    fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// A call, and the whole answer; none where the server was gone before it had answered.
fn call(server: SocketAddr, path: &str, kind: &str, body: &[u8]) -> Option<(u16, Value)> {
    let mut socket = TcpStream::connect_timeout(&server, Duration::from_secs(5)).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {server}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).ok()?;
    // A server that refuses may answer before it has all.
    let _sent = socket.write_all(body);
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).ok()?;
    let text = String::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, serde_json::from_str(body).ok()?))
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A text that no other is equal to.
fn text(number: u64, length: usize) -> Vec<u8> {
    let line = format!("{number} Bonjour, voici une ligne de texte.\n");
    line.bytes().cycle().take(length).collect()
}

/// Every file that stands below the folder of bytes, by its name.
fn blobs(data: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let below = data.join("attachments/ville/blobs");
    for folder in fs::read_dir(below).into_iter().flatten().flatten() {
        for file in fs::read_dir(folder.path()).unwrap().flatten() {
            found.insert(file.file_name().into_string().unwrap(), file.path());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_while_files_arrive_keeps_all_that_it_acknowledged_and_no_half_of_any() {
    let data = tempfile::tempdir().unwrap();
    let acknowledged = Arc::new(Mutex::new(BTreeMap::<String, Value>::new()));
    let mut cut = 0;
    for round in 0..5_u64 {
        let server = Server::start(data.path(), &["--calls-per-second", "100000"]);
        let (address, stop) = (server.1, Arc::new(AtomicBool::new(false)));
        let senders: Vec<_> = (0..4_u64)
            .map(|sender| {
                let (acknowledged, stop) = (Arc::clone(&acknowledged), Arc::clone(&stop));
                std::thread::spawn(move || {
                    let mut broken = 0;
                    for number in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let length = 200_000 + usize::try_from(number % 5).unwrap() * 700_000;
                        let bytes = text(round * 1_000_000 + sender * 100_000 + number, length);
                        match call(address, "/v1/ville/files", "text/plain", &bytes) {
                            Some((201, file)) => {
                                assert_eq!(file["sha256"], digest(&bytes).as_str());
                                acknowledged.lock().unwrap().insert(digest(&bytes), file);
                            }
                            // Too many from one caller: the server's own limit.
                            Some((429, _)) => std::thread::sleep(Duration::from_millis(100)),
                            Some((status, told)) => panic!("{status}: {told}"),
                            None => broken += 1,
                        }
                        if broken > 0 {
                            break;
                        }
                    }
                    broken
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(300 + 170 * round));
        server.kill();
        stop.store(true, Ordering::Relaxed);
        cut += senders.into_iter().map(|sender| sender.join().unwrap()).sum::<u64>();
    }
    assert!(cut > 0, "something was cut off");
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(acknowledged.len() > 10, "{} files", acknowledged.len());
    let there = blobs(data.path());
    for (name, path) in &there {
        assert_eq!(&digest(&fs::read(path).unwrap()), name, "half a file stands under its name");
    }
    for name in acknowledged.keys() {
        assert!(there.contains_key(name), "an acknowledged file is gone");
    }
    let told = run(data.path(), &["files", "verify", "--format", "json"]);
    assert_eq!(told.code, 0, "{told:?}");
    assert_eq!(told.json()["sound"].as_u64().unwrap(), there.len() as u64);
    // What was cut off is swept: seen in one round, taken away in the next.
    let guichet = Guichet::open(Options::new(data.path())).await.unwrap();
    let files = guichet.attachments();
    for _ in 0..2 {
        files.sweep(&guichet, guichet.now()).await.unwrap();
    }
    for (name, told) in &acknowledged {
        let file: StoredFile = serde_json::from_value(told.clone()).unwrap();
        assert!(files.is_proven("ville", &file, told["proof"].as_str().unwrap()).await.unwrap(), "{told}");
        assert_eq!(files.open("ville", name).await.unwrap().unwrap().size, file.size);
    }
    guichet.close().await;
    assert_eq!(fs::read_dir(data.path().join("attachments/.arriving")).unwrap().count(), 0);
}

/// A small disk of its own, for those who may mount one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(megabytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={megabytes}m");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(folder.path()).output();
        if mounted.is_ok_and(|done| done.status.success()) {
            return Some(Self(folder));
        }
        eprintln!("skipped: this user may not mount a disk");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_of_files_is_told_and_loses_nothing() {
    let Some(disk) = SmallDisk::mount(4) else { return };
    let data = tempfile::tempdir().unwrap();
    let settings = data.path().join("guichet.toml");
    fs::write(&settings, format!("[attachments]\nfolder = {:?}\n", disk.0.path().join("files"))).unwrap();
    let server = Server::start(data.path(), &["--settings", settings.to_str().unwrap()]);
    let mut kept = Vec::new();
    let refused = (0..20).find_map(|number| {
        let bytes = text(number, 1_000_000);
        let (status, told) = call(server.1, "/v1/ville/files", "text/plain", &bytes).unwrap();
        if status == 201 {
            kept.push(digest(&bytes));
            return None;
        }
        Some((status, told))
    });
    let (status, told) = refused.expect("four megabytes are full of twenty");
    assert_eq!((status, told["code"].as_str()), (503, Some("file.store_full")), "{told}");
    assert!(kept.len() >= 2, "{kept:?}");
    let small = call(server.1, "/v1/ville/files", "text/plain", &text(99, 1_000)).unwrap();
    assert_eq!(small.0, 201, "half a file that did not fit takes no room: {}", small.1);
    server.kill();
    let folder = disk.0.path().join("files");
    let told =
        run(data.path(), &["files", "verify", "--format", "json", "--folder", folder.to_str().unwrap()]);
    assert_eq!(told.code, 0, "{told:?}");
    assert_eq!(
        told.json()["sound"].as_u64().unwrap(),
        kept.len() as u64 + 1,
        "all that was acknowledged is whole"
    );
}

#[test]
fn files_in_a_bucket_are_copied_checked_and_brought_back() {
    let Ok(endpoint) = std::env::var("GUICHET_TEST_S3") else {
        eprintln!("skipped: GUICHET_TEST_S3 names no server");
        return;
    };
    let (bucket, keys) =
        (std::env::var("GUICHET_TEST_S3_BUCKET").unwrap(), std::env::var("GUICHET_TEST_S3_KEYS").unwrap());
    let data = tempfile::tempdir().unwrap();
    let settings = |name: &str| {
        let path = data.path().join(format!("{name}.toml"));
        let text = format!(
            "[attachments.s3]\nendpoint = {endpoint:?}\nregion = \"fr-par\"\nbucket = {bucket:?}\nprefix = \"cli-{}-{name}\"\n\
            access_key_file = \"{keys}/id\"\nsecret_key_file = \"{keys}/secret\"\n",
            std::process::id()
        );
        fs::write(&path, text).unwrap();
        path.into_os_string().into_string().unwrap()
    };
    let (one, other) = (settings("one"), settings("other"));
    let server = Server::start(data.path(), &["--settings", &one]);
    for (number, length) in [(1, 1_000), (2, 9_000_000)] {
        let (status, told) = call(server.1, "/v1/ville/files", "text/plain", &text(number, length)).unwrap();
        assert_eq!(status, 201, "{told}");
    }
    server.kill();
    assert!(blobs(data.path()).is_empty(), "they stand elsewhere");
    let files = |more: &[&str]| run(data.path(), &[&["files", "--format", "json"], more].concat());
    let copy = tempfile::tempdir().unwrap();
    let backup = files(&["backup", copy.path().to_str().unwrap(), "--settings", &one]);
    assert_eq!((backup.code, backup.json()["files"].as_u64()), (0, Some(2)), "{backup:?}");
    let checked = files(&["verify", "--settings", &one]);
    assert_eq!((checked.code, checked.json()["sound"].as_u64()), (0, Some(2)), "{checked:?}");
    let refused = files(&["restore", copy.path().to_str().unwrap(), "--settings", &one]);
    assert_eq!(refused.code, 3, "what is there is not overwritten: {refused:?}");
    let back = files(&["restore", copy.path().to_str().unwrap(), "--settings", &other]);
    assert_eq!((back.code, back.json()["copied"].as_u64()), (0, Some(4)), "{back:?}");
    let checked = files(&["verify", "--settings", &other]);
    assert_eq!((checked.code, checked.json()["sound"].as_u64()), (0, Some(2)), "{checked:?}");
    let doctor = run(data.path(), &["doctor", "--format", "json", "--settings", &other]);
    let found = doctor.json();
    let about = found["findings"].as_array().unwrap().iter().find(|one| one["what"] == "files").unwrap();
    assert_eq!(about["well"], true, "{about}");
    fs::write(
        Path::new(&other),
        fs::read_to_string(&other).unwrap().replace(&endpoint, "http://127.0.0.1:9"),
    )
    .unwrap();
    let doctor = run(data.path(), &["doctor", "--format", "json", "--settings", &other]);
    let found = doctor.json();
    let about = found["findings"].as_array().unwrap().iter().find(|one| one["what"] == "files").unwrap();
    assert_eq!(about["well"], false, "a bucket that is away: {about}");
}

/// A JPEG of so many points, cheap to make: one line, over and over, said to lie on its side.
fn photo(width: u32, height: u32) -> Vec<u8> {
    let picture =
        image::RgbImage::from_fn(width, height, |x, y| image::Rgb([(x % 251) as u8, (y % 241) as u8, 90]));
    let mut jpeg = Cursor::new(Vec::new());
    picture.write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
    let jpeg = jpeg.into_inner();
    // The least that EXIF takes to say that the picture lies on its side: orientation 6.
    let notes = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let length = u16::try_from(notes.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, notes, &jpeg[2..]].concat()
}

#[test]
fn photos_that_come_together_take_no_more_memory_than_is_said() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let before = server.peak();
    // Six million points each: 18 MB decoded, as much again to be turned. All at once they would take 210 MB.
    let bytes = Arc::new(photo(3_000, 2_000));
    let address = server.1;
    let senders: Vec<_> = (0..6)
        .map(|_| {
            let bytes = Arc::clone(&bytes);
            std::thread::spawn(move || call(address, "/v1/ville/files", "image/jpeg", &bytes).unwrap())
        })
        .collect();
    for sender in senders {
        let (status, told) = sender.join().unwrap();
        // Who waits too long for a turn is told to come back.
        assert!(status == 201 || (status == 503 && told["code"] == "server.busy"), "{status}: {told}");
    }
    let taken = (server.peak() - before) / (1024 * 1024);
    assert!(taken < 130, "{taken} MiB for two photos at once");
}
