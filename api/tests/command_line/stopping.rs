//! A server that is asked to stop while it is busy.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{guichet, run};

const PATIENCE: Duration = Duration::from_secs(60);

fn serve(data: &Path, more: &[&str]) -> (Child, SocketAddr) {
    let arguments = ["--lang", "en", "serve", "--catalogue", "processes/chalons", "--listen", "127.0.0.1:0"];
    let arguments: Vec<&str> = arguments.iter().chain(more).copied().collect();
    let mut child = guichet(data, &arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next().expect("the server came up").unwrap();
    let address = line.split("http://").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    (child, address)
}

fn signal(child: &Child) {
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

fn waited(mut child: Child, patience: Duration) -> Option<i32> {
    let began = Instant::now();
    while began.elapsed() < patience {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    panic!("it did not end within {patience:?}");
}

/// What became of a call.
#[derive(Debug)]
enum Came {
    /// An answer, whole.
    Answer(u16, Value),
    /// Nobody listens any more.
    Nobody,
    /// Somebody listened and broke off.
    Broken(String),
}

fn call(server: SocketAddr, request: &str) -> Came {
    let mut socket = match TcpStream::connect_timeout(&server, Duration::from_secs(5)) {
        Ok(socket) => socket,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => return Came::Nobody,
        Err(error) => return Came::Broken(error.to_string()),
    };
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = Vec::new();
    let exchanged = socket.write_all(request.as_bytes()).and_then(|()| socket.read_to_end(&mut answer));
    let text = String::from_utf8(answer).unwrap();
    let parts = text.split_once("\r\n\r\n");
    match (exchanged, parts) {
        (Ok(_), Some((head, body))) => {
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            Came::Answer(status, serde_json::from_str(body).unwrap_or_default())
        }
        (exchanged, _) => Came::Broken(format!("{exchanged:?} {text:?}")),
    }
}

fn get(server: SocketAddr, path: &str) -> Came {
    call(server, &format!("GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n"))
}

fn post(server: SocketAddr, key: &str) -> Came {
    let body =
        json!({ "process": "voirie/chaussee-abimee", "form": { "place": [48.957, 4.363] } }).to_string();
    let length = body.len();
    call(
        server,
        &format!(
            "POST /v1/ville/requests HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ),
    )
}

#[test]
fn asked_to_stop_under_load_it_tells_the_balancer_breaks_nothing_off_and_keeps_what_it_said() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (child, server) = serve(&data, &["--drain", "1"]);
    let key = run(&data, &["key", "--tenant", "ville", "--agent", "a01"]).out.trim().to_owned();
    let (received, broken) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let stop = AtomicBool::new(false);
    let drained = std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    match post(server, &key) {
                        Came::Answer(201, answer) => {
                            received.lock().unwrap().push(answer["request"].as_str().unwrap().to_owned());
                        }
                        Came::Answer(503, _) => {}
                        Came::Nobody => return,
                        Came::Answer(status, answer) => {
                            broken.lock().unwrap().push(format!("{status} {answer}"))
                        }
                        Came::Broken(how) => broken.lock().unwrap().push(how),
                    }
                }
            });
        }
        while received.lock().unwrap().len() < 20 {
            std::thread::sleep(Duration::from_millis(20));
        }
        signal(&child);
        let began = Instant::now();
        let mut drained = None;
        // Readiness turns at once, while commands are still taken.
        while drained.is_none() && began.elapsed() < Duration::from_secs(1) {
            if let Came::Answer(503, answer) = get(server, "/ready") {
                drained = Some(answer);
            }
        }
        let before = received.lock().unwrap().len();
        let code = waited(child, PATIENCE);
        stop.store(true, Ordering::Relaxed);
        assert_eq!(code, Some(0));
        assert!(received.lock().unwrap().len() > before, "it went on serving while it drained");
        drained
    });
    assert_eq!(drained.expect("it said so")["reasons"][0], "draining");
    assert_eq!(broken.into_inner().unwrap(), Vec::<String>::new());
    for request in received.into_inner().unwrap().iter().rev().take(10) {
        let shown = run(&data, &["show", request, "--format", "json"]);
        assert_eq!(shown.code, 0, "{shown:?}");
    }
    let verified = run(&data, &["verify"]);
    assert_eq!(verified.code, 0, "{verified:?}");
}

#[test]
fn asked_twice_it_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (child, server) = serve(&data, &["--drain", "60"]);
    // Somebody is in the middle of a request and does not come to its end.
    let mut slow = TcpStream::connect(server).unwrap();
    slow.write_all(b"POST /v1/ville/requests HTTP/1.1\r\nContent-Length: 100\r\n\r\n{").unwrap();
    signal(&child);
    let began = Instant::now();
    while !matches!(get(server, "/ready"), Came::Answer(503, _)) {
        assert!(began.elapsed() < PATIENCE);
    }
    signal(&child);
    waited(child, Duration::from_secs(10));
    // What it left behind opens as ever.
    assert_eq!(run(&data, &["verify"]).code, 0);
}

/// Between the line that says that it listens and the first instant at which it heard the signal, a server was ended by
/// the system, without finishing anything.
#[test]
fn asked_as_soon_as_it_says_that_it_listens_it_stops_in_order() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let (child, _) = serve(&folder.path().join("data"), &[]);
        signal(&child);
        assert_eq!(waited(child, Duration::from_secs(30)), Some(0));
    }
}
