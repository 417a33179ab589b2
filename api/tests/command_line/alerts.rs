//! An alert sent by servers that are killed in the middle of it: nobody is left out, and only what was in the hands of the
//! killed one is repeated.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::Timelike;
use guichet::accounts::{self, Identity};
use guichet::engine::rules::records::contact::{Account, Wish};
use guichet::{Guichet, Options};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::operations::Running;
use crate::support::{repository, run};

const PEOPLE: u128 = 120;
/// How long the mail server takes over a mail: long enough for a server to be killed between two.
const A_WHILE: Duration = Duration::from_millis(15);

/// A mail server that keeps the ids of the mails that it took, in their order.
fn mail_server() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&taken);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, kept) = (stream.unwrap(), Arc::clone(&kept));
            std::thread::spawn(move || take_mails(&stream, &kept));
        }
    });
    (port, taken)
}

/// One connection, until whoever sends is gone.
fn take_mails(stream: &TcpStream, kept: &Mutex<Vec<String>>) -> Option<()> {
    let mut out = stream.try_clone().unwrap();
    let mut say = |line: &str| out.write_all(format!("{line}\r\n").as_bytes()).ok();
    say("220 sink")?;
    let (mut data, mut id) = (false, String::new());
    for line in BufReader::new(stream).lines() {
        let line = line.ok()?;
        if data {
            if let Some(found) = line.strip_prefix("Message-ID: ") {
                id = found.to_owned();
            }
            if line == "." {
                data = false;
                // Taken is what is kept, whether or not the answer still reaches the sender.
                kept.lock().unwrap().push(std::mem::take(&mut id));
                std::thread::sleep(A_WHILE);
                say("250 kept")?;
            }
            continue;
        }
        match line.split(' ').next().unwrap_or_default().to_uppercase().as_str() {
            "DATA" => {
                data = true;
                say("354 go on")?;
            }
            "QUIT" => return say("221 bye"),
            _ => say("250 ok")?,
        }
    }
    Some(())
}

/// A town whose people asked for news; the hour of the day there is now (UTC).
async fn subscribed(data: &Path) -> u32 {
    let guichet = Guichet::open(Options::new(data)).await.unwrap();
    guichet.publish_folder(&repository().join("processes/chalons")).await.unwrap();
    let wish = Wish { topic: Some("voirie".into()), ..Wish::default() };
    for number in 1..=PEOPLE {
        let account = Uuid::from_u128(number);
        let identity = Identity {
            provider: "email".into(),
            email: Some(format!("a{number}@exemple.example")),
            ..Identity::default()
        };
        accounts::signed_in(&guichet, "ville", account, &identity).await.unwrap();
        let id = guichet.fresh_command_id().unwrap();
        let subscribe = |known: &Account| known.subscribe(Uuid::from_u128(number + 1_000_000), &wish);
        accounts::change(&guichet, ("ville", account), id, &"subscribe", subscribe).await.unwrap();
    }
    let hour = guichet.now().hour();
    guichet.close().await;
    hour
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn servers_that_are_killed_while_they_send_an_alert_leave_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // Whatever the hour at which the test runs, it is none of the quiet ones.
    let hour = tokio::runtime::Runtime::new().unwrap().block_on(subscribed(&data));
    let quiet = format!("{:02}:00-{:02}:00", (hour + 11) % 24, (hour + 12) % 24);
    let settings = folder.path().join("guichet.toml");
    std::fs::write(&settings, format!("[alerts]\nquiet_hours = \"{quiet}\"\nzone = \"UTC\"\n")).unwrap();
    let (port, taken) = mail_server();
    let (port, settings) = (port.to_string(), settings.to_str().unwrap().to_owned());
    let line = [
        "--outbound",
        "smtp",
        "--smtp-tls",
        "none",
        "--smtp-host",
        "127.0.0.1",
        "--smtp-port",
        &port,
        "--settings",
        &settings,
    ];
    let key = run(&data, &["key", "--tenant", "ville", "--agent", "a84"]).out.trim().to_owned();
    let server = Running::start(&data, &line, "error");
    let alert = json!({
        "severity": "information", "topics": ["voirie"], "channels": ["email"],
        "subject": { "fr": "Pont fermé", "en": "Bridge closed" },
        "body": { "fr": "Le pont est fermé.", "en": "The bridge is closed." }
    });
    let (status, drafted) = server.send("POST", "/v1/ville/alerts", &key, &alert.to_string());
    assert_eq!((status, &drafted["people"]), (201, &json!(PEOPLE)), "{drafted}");
    let path = format!("/v1/ville/alerts/{}", drafted["alert"].as_str().unwrap());
    let (status, sent) = server.send("POST", &format!("{path}/actions"), &key, r#"{"action":"send"}"#);
    assert_eq!(status, 200, "{sent}");

    let deaths = [1, 7, 50, 52, 101];
    let mut server = server;
    for death in deaths {
        until("mails go out", || taken.lock().unwrap().len() >= death);
        server.kill();
        server = Running::start(&data, &line, "error");
    }
    let reach = || -> Value { server.send("GET", &path, &key, "").1 };
    until("the alert is over", || reach()["standing"] == "finished");
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for id in taken.lock().unwrap().iter() {
        *times.entry(id.clone()).or_default() += 1;
    }
    assert_eq!(times.len() as u128, PEOPLE, "everybody was told");
    let repeats: usize = times.values().map(|times| times - 1).sum();
    assert!(repeats <= deaths.len(), "{repeats} repeats by {} deaths", deaths.len());
    assert_eq!(reach()["reach"]["reached"], json!(PEOPLE), "{}", reach());
    server.stop();
}
