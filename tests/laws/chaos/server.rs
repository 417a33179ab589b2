//! A server in a process of its own, and whoever starts it again when it is gone.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use guichet::ambient::{Surroundings, SystemClock};
use guichet::engine::Clock;
use guichet::http::{HttpOptions, Server};
use guichet::outbound::{OutMessage, Outbound, SendError};
use guichet::{Guichet, Options, Store};

/// Names the data folder to the process that plays a server, and the rest of what it needs.
const DATA: &str = "GUICHET_TEST_CHAOS_DATA";
const STORE: &str = "GUICHET_TEST_CHAOS_STORE";
const SENT: &str = "GUICHET_TEST_CHAOS_SENT";
const CLOCK: &str = "GUICHET_TEST_CHAOS_CLOCK";
/// How fast the town's time goes: a second is nearly three hours, so that promises fall due while the test runs.
const FASTER: i32 = 10_000;
/// How long a server has a message to itself.
const LEASE: Duration = Duration::from_secs(3);

/// A clock that all servers share and that goes fast.
#[derive(Debug, Clone, Copy)]
pub(super) struct FastClock {
    began: DateTime<Utc>,
}

impl FastClock {
    pub(super) fn new() -> Self {
        Self { began: SystemClock.now() }
    }

    pub(super) fn surroundings(&self) -> Surroundings {
        Surroundings::with_clock(Arc::new(*self))
    }
}

impl Clock for FastClock {
    fn now(&self) -> DateTime<Utc> {
        let monday: DateTime<Utc> = "2026-05-04T06:00:00Z".parse().unwrap();
        let gone: TimeDelta = SystemClock.now() - self.began;
        (monday + gone * FASTER).trunc_subsecs(6)
    }
}

/// Writes down what goes out, a line for each message, before it says that it is sent.
struct Recorder(Mutex<std::fs::File>);

#[async_trait]
impl Outbound for Recorder {
    async fn send(&self, message: &OutMessage) -> Result<(), SendError> {
        let line = format!("{} {}\n", message.id, message.to);
        self.0.lock().unwrap().write_all(line.as_bytes()).unwrap();
        // A mail server takes its time, and a death may fall into it.
        tokio::time::sleep(Duration::from_millis(2)).await;
        Ok(())
    }
}

/// Not a test of its own: a server that the test kills. Without the variable it has nothing to do.
#[test]
fn server() {
    let Some(data) = std::env::var_os(DATA) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = FastClock { began: std::env::var(CLOCK).unwrap().parse().unwrap() };
        let sent = PathBuf::from(std::env::var_os(SENT).unwrap()).join(std::process::id().to_string());
        let sent = std::fs::OpenOptions::new().create(true).append(true).open(sent).unwrap();
        let mut options = Options::new(PathBuf::from(data))
            .store(Store::parse(&std::env::var(STORE).unwrap()).unwrap())
            .ambient(Arc::new(clock.surroundings()))
            .outbound(Arc::new(Recorder(Mutex::new(sent))));
        options.lease = LEASE;
        // The database may be dead just now: then this ends, and is started again.
        let guichet = match Guichet::open(options).await {
            Ok(guichet) => guichet,
            Err(error) => return println!("\nrefused {error}"),
        };
        let bind = "127.0.0.1:0".parse().unwrap();
        let server = Server::bind(&guichet, &HttpOptions { bind, ..HttpOptions::default() }).await.unwrap();
        let _workers = guichet.start_workers();
        println!("\nlistening {}", server.address().unwrap());
        server.run(std::future::pending()).await.unwrap();
    });
}

pub(super) fn data(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("data-{number}"))
}

pub(super) fn sent(folder: &Path) -> PathBuf {
    folder.join("sent")
}

/// A place where a server runs, most of the time.
#[derive(Default)]
pub(super) struct Slot {
    process: Mutex<Option<Child>>,
    address: Mutex<Option<SocketAddr>>,
}

impl Slot {
    /// Where it listens, if it does.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        *self.address.lock().unwrap()
    }

    /// Kills what runs here; false where nothing did.
    pub(super) fn kill(&self) -> bool {
        self.process.lock().unwrap().as_mut().is_some_and(|process| process.kill().is_ok())
    }

    /// Starts a server here, and another when it is gone, until it is over.
    pub(super) fn keep(&self, number: usize, folder: &Path, url: &str, clock: &FastClock, over: &AtomicBool) {
        std::fs::create_dir_all(sent(folder)).unwrap();
        while !over.load(Ordering::SeqCst) {
            let mut process = Command::new(std::env::current_exe().unwrap())
                .args(["chaos::server::server", "--exact", "--nocapture"])
                .env(DATA, data(folder, number))
                .env(STORE, url)
                .env(SENT, sent(folder))
                .env(CLOCK, clock.began.to_rfc3339())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let lines = BufReader::new(process.stdout.take().unwrap()).lines();
            *self.process.lock().unwrap() = Some(process);
            if over.load(Ordering::SeqCst) {
                self.kill();
            }
            // The pipe ends with the process.
            for line in lines.map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("listening ") {
                    *self.address.lock().unwrap() = Some(address.parse().unwrap());
                }
            }
            *self.address.lock().unwrap() = None;
            if let Some(mut process) = self.process.lock().unwrap().take() {
                let _ = process.kill();
                process.wait().unwrap();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
