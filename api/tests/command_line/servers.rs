//! Two servers, each a program of its own, on one PostgreSQL database: what one is told counts on the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::databases::Database;
use crate::support::{guichet, run};

/// A server that runs; it is killed with this value.
struct Served(Child, SocketAddr);

impl Served {
    fn start(database: &Database, data: &Path, more: &[&str]) -> Self {
        let serve = ["--lang", "en", "serve", "--listen", "127.0.0.1:0", "--drain", "0"];
        let arguments: Vec<&str> = serve.iter().chain(more).copied().collect();
        let mut command = guichet(data, &arguments);
        command.env("GUICHET_STORE", &database.url).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let line = BufReader::new(child.stdout.take().unwrap()).lines().next().expect("it came up").unwrap();
        let address = line.split("http://").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        Self(child, address)
    }

    fn call(&self, method: &str, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut socket = TcpStream::connect(self.1).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(
            socket,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.1,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    fn opens(&self, key: &str) -> u16 {
        self.call("GET", "/v1/ville/requests?limit=1", key, &Value::Null).0
    }

    fn stop(mut self) {
        let stopped = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(stopped.success() && self.0.wait().unwrap().success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn made(out: &str) -> String {
    out.trim().to_owned()
}

/// Takes a key back on one server while the other is busy with it: nothing that begins after the answer gets through.
fn busy_while_taken_back(first: &Served, second: &Served, manager: &str, (secret, id): (&str, &str)) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| {
            let mut calls = Vec::new();
            while !over.load(Ordering::SeqCst) {
                let began = Instant::now();
                calls.push((began, second.opens(secret)));
                // Keys that open nothing are answered with 429 when they come too fast.
                std::thread::sleep(Duration::from_millis(50));
            }
            calls
        });
        std::thread::sleep(Duration::from_millis(700));
        let asked = Instant::now();
        let (status, answer) =
            first.call("POST", &format!("/v1/ville/keys/{id}/revoke"), manager, &Value::Null);
        let answered = Instant::now();
        assert_eq!(status, 200, "{answer}");
        std::thread::sleep(Duration::from_millis(300));
        over.store(true, Ordering::SeqCst);
        let calls = busy.join().unwrap();
        assert!(calls.iter().any(|(began, status)| *began < asked && *status == 200));
        let late: Vec<u16> =
            calls.iter().filter(|(began, _)| *began >= answered).map(|(_, status)| *status).collect();
        assert!(!late.is_empty() && late.iter().all(|status| matches!(status, 401 | 429)), "{late:?}");
        eprintln!("taken back in {:?}", answered - asked);
    });
}

#[test]
fn a_key_that_one_server_takes_back_opens_nothing_on_the_other() {
    let Some(database) = Database::new("keys") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    std::fs::create_dir_all(&other).unwrap();
    // Keys of an earlier version, in the file of the first server's data folder.
    let scopes = ["--scope", "keys:manage", "--scope", "requests:read"];
    let make = [&["key", "make", "--tenant", "ville", "--integrator", "gestion"][..], &scopes].concat();
    let manager = made(&run(&one, &make).out);
    let portal = made(&run(&one, &["key", "--tenant", "ville", "--integrator", "portail"]).out);
    let file = one.join("access.json");
    let kept = std::fs::read(&file).unwrap();
    let first = Served::start(&database, &one, &["--catalogue", "processes/chalons"]);
    assert!(!file.exists() && one.join("access.json.moved").exists(), "the file was taken over");
    std::fs::copy(one.join("master.key"), other.join("master.key")).unwrap();
    let second = Served::start(&database, &other, &[]);
    for server in [&first, &second] {
        assert_eq!((server.opens(&manager), server.opens(&portal)), (200, 200));
        assert_eq!(server.opens("gk_0000"), 401);
    }

    // Made on one, it opens on the other at once.
    let new = json!({ "integrator": "neuf", "scopes": ["requests:read"] });
    let (status, answer) = first.call("POST", "/v1/ville/keys", &manager, &new);
    assert_eq!(status, 201, "{answer}");
    let (secret, id) = (answer["secret"].as_str().unwrap(), answer["key"]["id"].as_str().unwrap());
    assert_eq!(second.opens(secret), 200);

    busy_while_taken_back(&first, &second, &manager, (secret, id));

    // The command line works on the same table, from any folder.
    let run = database.run(&other, &["key", "--tenant", "ville", "--integrator", "ligne"]);
    let line = made(&run.out);
    assert_eq!((first.opens(&line), second.opens(&line)), (200, 200), "{run:?}");
    let list = database.run(&one, &["--format", "json", "key", "list", "--tenant", "ville"]).json();
    let of = |name: &str| {
        let mut keys = list.as_array().unwrap().iter();
        keys.find(|key| key["holder"]["integrator"] == name).unwrap()["id"].as_str().unwrap().to_owned()
    };
    for name in ["ligne", "portail"] {
        assert_eq!(database.run(&one, &["key", "revoke", "--tenant", "ville", &of(name)]).code, 0);
    }
    assert_eq!((first.opens(&line), second.opens(&portal)), (401, 401));

    // Cut short between the table and the file, and long after: what was taken back since stays so.
    first.stop();
    std::fs::write(&file, &kept).unwrap();
    let doctor = database.run(&one, &["--lang", "en", "doctor"]);
    assert!(doctor.out.contains("access.json` is read no more"), "{doctor:?}");
    let first = Served::start(&database, &one, &[]);
    assert!(!file.exists(), "it is taken over again");
    assert_eq!((first.opens(&portal), first.opens(&manager)), (401, 200));
    let doctor = database.run(&one, &["--lang", "en", "doctor"]);
    assert!(doctor.out.contains("in the database, for all servers: 4, 1 of them valid"), "{doctor:?}");

    // A backup has them as a file, which a server after a restore takes over.
    let (journal, keys) = (folder.path().join("journal"), folder.path().join("keys"));
    let programs = database.programs.to_str().unwrap();
    let arguments =
        ["backup", journal.to_str().unwrap(), "--keys", keys.to_str().unwrap(), "--pg-bin", programs];
    let backup = database.run(&one, &arguments);
    assert_eq!(backup.code, 0, "{backup:?}");
    let saved: Value = serde_json::from_slice(&std::fs::read(journal.join("access.json")).unwrap()).unwrap();
    let saved = saved.as_array().unwrap();
    assert_eq!((saved.len(), saved.iter().filter(|key| key["revoked"].is_null()).count()), (4, 1));
}
