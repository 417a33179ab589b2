//! The HTTP doors under a load that does not wait for answers: 200 calls a second, mixed as a town's portal mixes them,
//! each write read back at the position that it was answered with.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::measure::{Fault, line, quantile, row};

/// Calls a second, all kinds together.
const RATE: u32 = 200;
/// Where the read models' own wait ends.
const POSITION: &str = "guichet-position";

/// What a call is for; so many of twenty.
const MIX: [(&str, u32); 5] = [("receive", 4), ("follow", 6), ("list", 4), ("command", 3), ("catalogue", 3)];

/// The server, ended when this goes.
struct Server {
    child: Child,
    folder: tempfile::TempDir,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// The program beside this one, on a folder of its own.
    fn start() -> Result<Self, Fault> {
        let folder = tempfile::tempdir()?;
        let mut child = Command::new(program()?)
            .args(["--lang", "en", "--data"])
            .arg(folder.path())
            .args(["serve", "--listen", "127.0.0.1:0", "--calls-per-second", "100000", "--catalogue"])
            .arg(catalogue())
            .env("GUICHET_LOG", "warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let out = child.stdout.take().ok_or("the server says nothing")?;
        let mut lines = BufReader::new(out).lines();
        let address = loop {
            let said = lines.next().ok_or("the server ended")??;
            if let Some(at) = said.find("http://") {
                break said.split_at(at).1.split(' ').next().unwrap_or_default().to_owned();
            }
        };
        Ok(Self { child, folder, address })
    }

    fn key(&self) -> Result<String, Fault> {
        let made = Command::new(program()?)
            .arg("--data")
            .arg(self.folder.path())
            .args(["key", "--tenant", "ville", "--agent", "a01"])
            .output()?;
        let words = String::from_utf8(made.stdout)?;
        let key = words.split_whitespace().find(|word| word.starts_with("gk_"));
        Ok(key.ok_or("no key was made")?.to_owned())
    }

    /// Resident memory, in MiB.
    fn memory(&self) -> Result<u64, Fault> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().split(' ').next()?.parse::<u64>().ok());
        Ok(kib.ok_or("the system does not say how much memory the server has")? / 1024)
    }
}

fn program() -> Result<PathBuf, Fault> {
    let beside = std::env::current_exe()?.with_file_name("guichet");
    if beside.is_file() {
        Ok(beside)
    } else {
        Err("build it first: cargo build --release --bin guichet".into())
    }
}

fn catalogue() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../processes/chalons")
}

/// What is known of the town, and what came of the calls.
struct Town {
    client: Client,
    address: String,
    key: String,
    /// Requests and their codes.
    known: Mutex<Vec<(String, String)>>,
    tally: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    took: BTreeMap<&'static str, Vec<Duration>>,
    statuses: BTreeMap<(&'static str, u16), u64>,
    broken: u64,
    unread: u64,
    read_back: u64,
}

impl Town {
    async fn call(
        &self,
        kind: &'static str,
        method: Method,
        path: &str,
        position: Option<&str>,
        body: Option<Value>,
    ) -> Option<(StatusCode, Option<String>, Value)> {
        let mut call = self.client.request(method, format!("{}{path}", self.address)).bearer_auth(&self.key);
        if let Some(position) = position {
            call = call.header(POSITION, position);
        }
        if let Some(body) = body {
            call = call.header("content-type", "application/json").body(body.to_string());
        }
        let answered = async {
            let answer = call.send().await.ok()?;
            let status = answer.status();
            let position =
                answer.headers().get(POSITION).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let bytes = answer.bytes().await.ok()?;
            Some((status, position, serde_json::from_slice(&bytes).unwrap_or_default()))
        };
        let answered = answered.await;
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        match &answered {
            Some((status, ..)) => *tally.statuses.entry((kind, status.as_u16())).or_default() += 1,
            None => tally.broken += 1,
        }
        answered
    }

    fn some_request(&self, n: u32) -> Option<(String, String)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let place = usize::try_from(n).ok()?.checked_rem(known.len())?;
        known.get(place).cloned()
    }

    /// One call, and what belongs to it.
    async fn live(&self, kind: &'static str, n: u32, due: Instant) {
        let answered = match kind {
            "receive" => self.call(kind, Method::POST, "/v1/ville/requests", None, Some(pothole(n))).await,
            "list" => self.call(kind, Method::GET, "/v1/ville/requests?limit=20", None, None).await,
            "catalogue" => self.call(kind, Method::GET, "/v1/ville/catalogue?q=chaussee", None, None).await,
            _ => {
                let Some((request, code)) = self.some_request(n) else { return };
                if kind == "follow" {
                    self.call(kind, Method::POST, "/v1/ville/follow", None, Some(json!({ "code": code })))
                        .await
                } else {
                    let path = format!("/v1/ville/requests/{request}/commands");
                    let note = json!({ "command": "note", "text": "Vu sur place." });
                    self.call(kind, Method::POST, &path, None, Some(note)).await
                }
            }
        };
        let took = due.elapsed();
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).took.entry(kind).or_default().push(took);
        if let Some((status, Some(position), body)) = answered
            && status.is_success()
            && matches!(kind, "receive" | "command")
        {
            self.read_back(&position, &body).await;
        }
    }

    /// A write must be in the history that is read at its position.
    async fn read_back(&self, position: &str, receipt: &Value) {
        let Some(request) = receipt.get("request").and_then(Value::as_str) else { return };
        let path = format!("/v1/ville/requests/{request}/timeline");
        let read = self.call("read back", Method::GET, &path, Some(position), None).await;
        let shown = read.is_some_and(|(_, _, history)| {
            let entries = history.get("value").and_then(Value::as_array).into_iter().flatten();
            entries
                .filter_map(|entry| entry.get("revision"))
                .any(|revision| Some(revision) == receipt.get("revision"))
        });
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        if shown {
            tally.read_back += 1;
        } else {
            tally.unread += 1;
        }
        drop(tally);
        if let Some(code) = receipt.get("tracking_code").and_then(Value::as_str) {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.push((request.to_owned(), code.to_owned()));
        }
    }
}

fn pothole(n: u32) -> Value {
    let east = 4.3 + f64::from(n % 1000) / 10_000.0;
    // The sheet asks for details only where there is danger.
    let form = if n.is_multiple_of(7) {
        json!({ "place": [48.957, east], "danger": true, "details": "un trou profond" })
    } else {
        json!({ "place": [48.957, east] })
    };
    json!({
        "process": "voirie/chaussee-abimee",
        "form": form,
        "requester": { "preferred": "email", "contact": { "email": format!("p{n}@exemple.example") } }
    })
}

/// The kind of the `n`-th call: all kinds, evenly through each twenty.
fn kind(n: u32) -> &'static str {
    let mut place = n.wrapping_mul(7) % 20;
    for (kind, share) in MIX {
        if place < share {
            return kind;
        }
        place -= share;
    }
    "list"
}

/// Keeps the load up for as long as was asked.
///
/// # Errors
/// When the server does not come up.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), Fault> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = Server::start()?;
    let town = Arc::new(Town {
        client: Client::builder().timeout(Duration::from_secs(30)).build()?,
        address: server.address.clone(),
        key: server.key()?,
        known: Mutex::default(),
        tally: Mutex::default(),
    });
    for n in 0..40 {
        town.live("receive", n, Instant::now()).await;
    }
    *town.tally.lock().unwrap_or_else(PoisonError::into_inner) = Tally::default();
    let calls = RATE * u32::try_from(arguments.duration.as_secs())?;
    let mut memory = vec![server.memory()?];
    let began = Instant::now();
    let mut under_way = tokio::task::JoinSet::new();
    for n in 0..calls {
        let due = began + Duration::from_secs(1) / RATE * n;
        tokio::time::sleep_until(due.into()).await;
        let town = Arc::clone(&town);
        under_way.spawn(async move { town.live(kind(n), n, due).await });
        while under_way.try_join_next().is_some() {}
        if n > 0 && n % (RATE * 60) == 0 {
            memory.push(server.memory()?);
        }
    }
    while under_way.join_next().await.is_some() {}
    let took = began.elapsed();
    memory.push(server.memory()?);
    tell(&town, calls, took, &memory);
    Ok(())
}

fn tell(town: &Town, calls: u32, took: Duration, memory: &[u64]) {
    let mut tally = town.tally.lock().unwrap_or_else(PoisonError::into_inner);
    let ms = |took: Duration| format!("{:.1} ms", took.as_secs_f64() * 1000.0);
    let mut all: Vec<Duration> = Vec::new();
    for (kind, took) in &mut tally.took {
        took.sort_unstable();
        all.extend(took.iter());
        let most = took.last().copied().unwrap_or_default();
        let figures = [
            ("calls", took.len().to_string()),
            ("p50", ms(quantile(took, 0.5))),
            ("p99", ms(quantile(took, 0.99))),
            ("max", ms(most)),
        ];
        line(&format!("http {kind}"), &figures);
    }
    for ((kind, status), count) in &tally.statuses {
        line(&format!("http {kind} answered {status}"), &[("calls", count.to_string())]);
    }
    all.sort_unstable();
    let wrong = |((_, status), count): (&(&str, u16), &u64)| if *status >= 400 { *count } else { 0 };
    let errors: u64 = tally.statuses.iter().map(wrong).sum::<u64>() + tally.broken;
    let memory = memory.iter().map(|mib| format!("{mib}")).collect::<Vec<_>>().join(" → ");
    line(
        "http memory of the server, MiB, at the start, each minute, at the end",
        &[("resident", memory.clone())],
    );
    line(
        "http writes",
        &[("read back", tally.read_back.to_string()), ("not shown", tally.unread.to_string())],
    );
    row(
        format!("HTTP, {RATE} calls a second mixed, {:.0} s, {calls} calls", took.as_secs_f64()),
        format!(
            "p50 {}, p99 {}, max {}",
            ms(quantile(&all, 0.5)),
            ms(quantile(&all, 0.99)),
            ms(all.last().copied().unwrap_or_default())
        ),
        format!(
            "{errors} errors, {} writes read back, {} not shown; memory {memory} MiB",
            tally.read_back, tally.unread
        ),
        "no error, every write shown",
    );
}
