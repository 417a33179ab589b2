//! `kill -9` of a loaded server, a hundred times at random moments: every command that was acknowledged is there once,
//! nothing is there in part, and the read models equal those rebuilt from nothing.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guichet::engine::journal::{Filter, Journal, verify_all};
use guichet::http::{HttpOptions, Server};
use guichet::projections::{Place, ReadModels};
use guichet::{Access, Guichet, Holder, Options, READ_MODELS_FILE};
use guichet_tests::{http::post, workspace};
use serde_json::json;
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Row, TypeInfo, ValueRef};
use uuid::Uuid;

/// Kills in each of the two towns that are tormented side by side.
const KILLS: u64 = 50;
const CLIENTS: u64 = 4;
/// Names the data folder to the process that plays the server.
const SERVER: &str = "GUICHET_TEST_SERVER";
const PATIENCE: Duration = Duration::from_secs(60);

/// Numbers that look random, the same in each run: a failure names its round and can be had again.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// What clients were promised, by command: the request and the revision answered.
#[derive(Default)]
pub(crate) struct Promised {
    pub(crate) acknowledged: HashMap<Uuid, (Uuid, u64)>,
    unanswered: Vec<(Uuid, String, serde_json::Value)>,
}

/// Not a test of its own: the server that the test below kills. Without the variable it has nothing to do.
#[test]
fn server() {
    let Some(data) = std::env::var_os(SERVER) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let guichet = Guichet::open(Options::new(PathBuf::from(data))).await.unwrap();
        let bind = "127.0.0.1:0".parse().unwrap();
        let server = Server::bind(&guichet, &HttpOptions { bind, ..HttpOptions::default() }).await.unwrap();
        let _workers = guichet.start_workers();
        println!("\nlistening {}", server.address().unwrap());
        server.run(std::future::pending()).await.unwrap();
    });
}

pub(crate) fn start(data: &Path) -> (Child, SocketAddr) {
    let mut child = Process::new(std::env::current_exe().unwrap())
        .args(["kill::server", "--exact", "--nocapture"])
        .env(SERVER, data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = loop {
        let line = lines.next().expect("the server came up").unwrap();
        if let Some(address) = line.strip_prefix("listening ") {
            break address.parse().unwrap();
        }
    };
    // The pipe stays open, so that a late word of the server cannot stop it.
    std::thread::spawn(move || lines.for_each(drop));
    (child, address)
}

fn report() -> serde_json::Value {
    json!({
        "process": "voirie/chaussee-abimee",
        "channel": "web",
        "requester": { "contact": { "name": "Camille Exemple", "email": "camille@exemple.example" } },
        "form": { "place": [48.957, 4.363], "nature": "Trou dans la chaussée" }
    })
}

/// One client: receives requests and takes them on, until the server is gone.
pub(crate) fn client(
    server: SocketAddr,
    key: &str,
    numbers: &mut Numbers,
    promised: &Mutex<Promised>,
    stop: &AtomicBool,
) {
    let send = |path: String, body: serde_json::Value, command: Uuid| -> Option<(Uuid, u64)> {
        let authorization = format!("Bearer {key}");
        let id = command.to_string();
        let headers = [("Idempotency-Key", id.as_str()), ("Authorization", authorization.as_str())];
        let Ok(answer) = post(server, &path, &headers, &body) else {
            promised.lock().unwrap().unanswered.push((command, path, body));
            return None;
        };
        assert!(answer.status < 500, "{answer:?}");
        if answer.status >= 300 {
            return None;
        }
        let request = answer.body["request"].as_str().unwrap().parse().unwrap();
        let revision = answer.body["revision"].as_u64().unwrap();
        promised.lock().unwrap().acknowledged.insert(command, (request, revision));
        Some((request, revision))
    };
    while !stop.load(Ordering::Relaxed) {
        // What was not answered before is sent again, as a careful client does.
        let again = promised.lock().unwrap().unanswered.pop();
        if let Some((command, path, body)) = again {
            send(path, body, command);
        }
        let fresh =
            |numbers: &mut Numbers| Uuid::from_u64_pair(numbers.next(u64::MAX), numbers.next(u64::MAX));
        let Some((request, _)) = send("/v1/ville/requests".into(), report(), fresh(numbers)) else {
            continue;
        };
        let commands = format!("/v1/ville/requests/{request}/commands");
        send(commands.clone(), json!({ "command": "qualify" }), fresh(numbers));
        if numbers.next(2) == 0 {
            send(commands, json!({ "command": "note", "text": "vu" }), fresh(numbers));
        }
    }
}

/// Where a command stands in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    stream: Uuid,
    end: u64,
    /// Unbroken runs of events; the events of one append stand together, so a second run is a second append.
    runs: usize,
}

/// Goes through the journal in order, across pages.
#[derive(Default)]
struct Tally {
    standing: HashMap<Uuid, Standing>,
    lengths: HashMap<String, u64>,
    before: Option<(Uuid, Uuid)>,
}

impl Tally {
    fn take(&mut self, command: Uuid, stream: (&str, Uuid), revision: u64) {
        let (name, stream) = stream;
        let next = self.lengths.entry(name.to_owned()).or_default();
        assert_eq!(revision, *next, "a hole in {name}");
        *next += 1;
        let entry = self.standing.entry(command).or_insert(Standing { stream, end: 0, runs: 0 });
        assert_eq!(entry.stream, stream, "command {command} stands in two streams");
        entry.end = revision;
        entry.runs += usize::from(self.before.replace((command, stream)) != Some((command, stream)));
    }

    fn doubled(&self) -> Vec<Uuid> {
        self.standing.iter().filter(|(_, standing)| standing.runs != 1).map(|(command, _)| *command).collect()
    }
}

#[test]
fn a_command_that_was_appended_twice_is_noticed() {
    let (twice, other, stream) =
        (Uuid::from_u128(1), Uuid::from_u128(2), ("ville.request", Uuid::from_u128(9)));
    let mut tally = Tally::default();
    for (revision, command) in [twice, twice, other, twice].into_iter().enumerate() {
        tally.take(command, stream, u64::try_from(revision).unwrap());
    }
    assert_eq!(tally.doubled(), [twice]);
}

/// Every acknowledged command stands in the journal once, in its request's stream, and ends where it was said to; no
/// command, acknowledged or not, stands there twice.
async fn check_journal(guichet: &Guichet, acknowledged: &HashMap<Uuid, (Uuid, u64)>, round: u64) {
    let journal: &dyn Journal = guichet.engine().journal().as_ref();
    let (mut tally, mut after) = (Tally::default(), None);
    loop {
        let page = journal.read_all(after, &Filter::everything(), 4096).await.unwrap();
        for recorded in &page.events {
            let header = recorded.header().unwrap();
            let stream = (header.stream.as_str(), header.stream.id());
            tally.take(header.command.uuid(), stream, header.revision.get());
        }
        after = page.through;
        if page.at_end {
            break;
        }
    }
    assert_eq!(tally.doubled(), Vec::<Uuid>::new(), "round {round}: appended twice");
    for (command, (request, revision)) in acknowledged {
        let found = tally.standing.get(command);
        let expected = Standing { stream: *request, end: *revision, runs: 1 };
        assert_eq!(found, Some(&expected), "round {round}: acknowledged command {command}");
    }
    if round.is_multiple_of(10) {
        let verification = verify_all(journal).await.unwrap();
        assert!(verification.findings.is_empty(), "round {round}: {:?}", verification.findings);
    }
}

/// All rows of all read models, as text, without what only tells when they were built.
async fn rows(path: &Path) -> BTreeMap<String, Vec<String>> {
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
                 AND name NOT IN ('read_model', 'leadership', 'outbox_attempt', 'catalogue_view') ORDER BY name";
    let tables: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut connection).await.unwrap();
    let mut all = BTreeMap::new();
    for table in tables {
        let query = AssertSqlSafe(format!("SELECT * FROM {table}"));
        let found = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
        let mut lines: Vec<String> = found.iter().map(shown).collect();
        lines.sort();
        all.insert(table, lines);
    }
    all
}

fn shown(row: &sqlx::sqlite::SqliteRow) -> String {
    let value = |index: usize| {
        let raw = row.try_get_raw(index).unwrap();
        let kind = raw.type_info().name().to_owned();
        match kind.as_str() {
            "NULL" => "null".to_owned(),
            "INTEGER" => row.get_unchecked::<i64, _>(index).to_string(),
            "REAL" => row.get_unchecked::<f64, _>(index).to_string(),
            "BLOB" => format!("{:?}", row.get_unchecked::<Vec<u8>, _>(index)),
            _ => row.get_unchecked::<String, _>(index),
        }
    };
    let named =
        |(index, column): (usize, &sqlx::sqlite::SqliteColumn)| format!("{}={}", column.name(), value(index));
    row.columns().iter().enumerate().map(named).collect::<Vec<_>>().join(" | ")
}

/// The read models that were kept live through all deaths equal those rebuilt from nothing.
pub(crate) async fn check_read_models(guichet: &Guichet, data: &Path, round: u64) {
    guichet.read_models().catch_up(PATIENCE).await.unwrap();
    let fresh = tempfile::tempdir().unwrap();
    let path = fresh.path().join(READ_MODELS_FILE);
    let rebuilt =
        ReadModels::open(&Place::Sqlite(path.clone()), Arc::clone(guichet.engine().journal())).await.unwrap();
    rebuilt.catch_up(PATIENCE).await.unwrap();
    let (kept, anew) = (rows(&data.join(READ_MODELS_FILE)).await, rows(&path).await);
    rebuilt.close().await;
    assert!(!anew.is_empty() && anew.values().any(|rows| rows.len() > 10));
    for (table, lines) in &anew {
        assert_eq!(kept.get(table), Some(lines), "round {round}: table {table}");
    }
}

/// A town with its catalogue and a key of an agent.
pub(crate) async fn town(data: &Path) -> String {
    let guichet = Guichet::open(Options::new(data)).await.unwrap();
    guichet.publish_folder(&workspace().join("processes/chalons")).await.unwrap();
    let organisation = guichet.engine().definitions().organisation("ville").unwrap();
    let agent = organisation.holders("ambassadrice").next().unwrap().person.clone();
    let access = Access::open(data).unwrap();
    let key = access.create("ville", Holder::Agent(agent), guichet.ambient().as_ref()).unwrap();
    guichet.close().await;
    key
}

fn torment(seed: u64) {
    let data = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let key = runtime.block_on(town(data.path()));
    let promised = Mutex::new(Promised::default());
    let mut numbers = Numbers(seed);
    for round in 1..=KILLS {
        let (mut child, address) = start(data.path());
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                let mut numbers = Numbers(seed + round * 1000 + numbers.next(u64::MAX / 2));
                let (key, promised, stop) = (&key, &promised, &stop);
                scope.spawn(move || client(address, key, &mut numbers, promised, stop));
            }
            std::thread::sleep(Duration::from_millis(20 + numbers.next(150)));
            child.kill().unwrap();
            stop.store(true, Ordering::Relaxed);
        });
        child.wait().unwrap();
        let acknowledged = promised.lock().unwrap().acknowledged.clone();
        runtime.block_on(async {
            let guichet = Guichet::open(Options::new(data.path())).await.unwrap();
            check_journal(&guichet, &acknowledged, round).await;
            check_read_models(&guichet, data.path(), round).await;
            guichet.close().await;
        });
    }
    let promised = promised.lock().unwrap();
    assert!(
        promised.acknowledged.len() > usize::try_from(KILLS).unwrap(),
        "hardly anything was acknowledged"
    );
}

#[test]
fn fifty_kills_of_a_loaded_server_lose_nothing_and_double_nothing() {
    torment(0x5eed_0001);
}

#[test]
fn fifty_more_kills_with_other_moments() {
    torment(0xfeed_0002);
}
