//! Requests passed on between collectivities, on a server that is killed at moments that look random.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{guichet, run};

const KILLS: u64 = 12;
const PATIENCE: Duration = Duration::from_secs(60);

/// The server, ended with the test however it ends.
struct Served(Child, SocketAddr);

impl Drop for Served {
    fn drop(&mut self) {
        // SIGKILL: nothing is finished, nothing is said good-bye to.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(data: &Path, catalogue: &[&str]) -> Served {
    let arguments: Vec<&str> = ["--lang", "en", "serve", "--listen", "127.0.0.1:0"]
        .into_iter()
        .chain(catalogue.iter().copied())
        .collect();
    let mut child = guichet(data, &arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next().expect("the server came up").unwrap();
    let address = line.split("http://").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    Served(child, address)
}

fn call(server: &Served, key: &str, method: &str, path: &str, body: &Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut socket = TcpStream::connect(server.1).unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
    assert!((200..300).contains(&status), "{path}: {answer}");
    serde_json::from_str(body).unwrap()
}

/// Reported in the town and passed on to the agglomeration; its id.
fn passed_on(server: &Served, key: &str) -> String {
    let report = json!({ "process": "voirie/chaussee-abimee", "form": { "place": [48.957, 4.363] },
        "requester": { "contact": { "email": "camille@exemple.example" } } });
    let received = call(server, key, "POST", "/v1/ville/requests", &report);
    let request = received["request"].as_str().unwrap().to_owned();
    let forward = json!({ "command": "forward", "to": "agglo", "process": "eau/fuite" });
    call(server, key, "POST", &format!("/v1/ville/requests/{request}/commands"), &forward);
    request
}

/// The requests of the agglomeration, by the request of the town that each was: one pair for each that is there.
fn arrived(server: &Served, key: &str) -> Vec<(String, String)> {
    let list = call(server, key, "GET", "/v1/agglo/requests?limit=1000", &Value::Null);
    let items = list["value"]["items"].as_array().unwrap();
    let pair = |item: &Value| {
        let request = item["request"].as_str().unwrap().to_owned();
        let shown = call(server, key, "GET", &format!("/v1/agglo/requests/{request}"), &Value::Null);
        (shown["origin"]["request"].as_str().unwrap().to_owned(), request)
    };
    items.iter().map(pair).collect()
}

#[test]
fn whenever_the_server_is_killed_each_request_arrives_exactly_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let mut server = serve(data, &["--catalogue", "processes/chalons"]);
    let key = |tenant: &str, agent: &str| {
        run(data, &["key", "--tenant", tenant, "--agent", agent]).out.trim().to_owned()
    };
    let (town, water) = (key("ville", "a01"), key("agglo", "g01"));
    let mut sent = BTreeSet::new();
    for kill in 0..KILLS {
        for _ in 0..3 {
            sent.insert(passed_on(&server, &town));
        }
        // The worker looks twice a second: deaths fall before, into and behind what it does.
        std::thread::sleep(Duration::from_millis(kill * 397 % 700));
        drop(server);
        server = serve(data, &[]);
    }
    let began = Instant::now();
    let there = loop {
        let there = arrived(&server, &water);
        if there.len() >= sent.len() {
            break there;
        }
        assert!(began.elapsed() < PATIENCE, "{} of {} arrived", there.len(), sent.len());
        std::thread::sleep(Duration::from_millis(200));
    };
    // What would come twice has had the time to.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(arrived(&server, &water).len(), sent.len());
    assert_eq!(there.iter().map(|(origin, _)| origin.clone()).collect::<BTreeSet<_>>(), sent);
    for (origin, request) in there {
        let path = format!("/v1/ville/requests/{origin}");
        let shown = call(&server, &town, "GET", &path, &Value::Null);
        assert_eq!(shown["forwarding"]["request"], json!(request), "both histories name the other");
        let timeline = call(&server, &town, "GET", &format!("{path}/timeline"), &Value::Null).to_string();
        assert_eq!(timeline.matches("request.forward_arrived").count(), 1, "{timeline}");
    }
}
