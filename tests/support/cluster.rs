//! A PostgreSQL server of a test's own, to be killed and started again.

use std::ffi::OsStr;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Names the folder of the server's programs; `.ci/with-postgres COMMAND` sets it.
pub const PROGRAMS: &str = "GUICHET_TEST_POSTGRES_BIN";

/// A server with its own data. It goes away with this value.
#[derive(Debug)]
pub struct Cluster {
    home: PathBuf,
    programs: PathBuf,
    port: u16,
    server: Option<Child>,
}

impl Cluster {
    /// A new server that runs, or none where its programs are not named: then the test is skipped with a word, or fails
    /// where every test must run.
    ///
    /// # Panics
    /// When the server does not come up, or when all tests must run and there is none.
    #[must_use]
    pub fn start_new(home: &Path) -> Option<Self> {
        let Some(programs) = std::env::var_os(PROGRAMS) else {
            let all = ["CI", "GUICHET_TEST_ALL"].iter().any(|name| std::env::var_os(name).is_some());
            assert!(
                !all,
                "{PROGRAMS} names no programs, and every test must run: .ci/with-postgres cargo test"
            );
            eprintln!(
                "skipped: {PROGRAMS} names no programs; run the tests by: .ci/with-postgres cargo test"
            );
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).map(|at| at.port());
        let mut cluster =
            Self { home: home.to_owned(), programs: programs.into(), port: port.ok()?, server: None };
        let made = cluster.made();
        assert!(made.is_ok(), "the cluster cannot be made: {made:?}");
        cluster.start();
        Some(cluster)
    }

    fn made(&self) -> io::Result<()> {
        let data = self.data();
        std::fs::create_dir_all(&self.home)?;
        if is_root() {
            // The server refuses to run as root.
            done(Command::new("chown").arg("postgres:postgres").arg(&self.home))?;
        }
        done(
            self.command("initdb")
                .args([
                    "-U",
                    "postgres",
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                    "--no-sync",
                    "-D",
                ])
                .arg(&data)
                .stdout(Stdio::null()),
        )
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir("/");
        command
    }

    /// Starts it, after a kill with what it has to recover, and waits until it answers.
    ///
    /// # Panics
    /// When it does not come up within a minute.
    pub fn start(&mut self) {
        for _ in 0..60 {
            let settings = [
                format!("port={}", self.port),
                "listen_addresses=127.0.0.1".to_owned(),
                format!("unix_socket_directories={}", self.home.display()),
                "max_connections=200".to_owned(),
                "shared_buffers=64MB".to_owned(),
                "log_min_messages=fatal".to_owned(),
            ];
            let mut command = self.command("postgres");
            command.arg("-D").arg(self.data()).stdout(Stdio::null()).stderr(Stdio::null());
            for setting in &settings {
                command.arg("-c").arg(setting);
            }
            self.server = command.spawn().ok();
            if self.answers() {
                return;
            }
            // What is left of the one before may still hold its memory for a moment.
            self.kill();
            std::thread::sleep(Duration::from_millis(200));
        }
        self.server = None;
        assert!(self.server.is_some(), "the server does not come up");
    }

    /// Whether it takes connections, within ten seconds.
    fn answers(&mut self) -> bool {
        for _ in 0..200 {
            if self.server.as_mut().is_none_or(|server| !matches!(server.try_wait(), Ok(None))) {
                return false;
            }
            let ready = self
                .command("pg_isready")
                .args(["-q", "-h", "127.0.0.1", "-p"])
                .arg(self.port.to_string())
                .status();
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok()
                && ready.is_ok_and(|ready| ready.success())
            {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }

    /// Kills it with everything that belongs to it, as the loss of the machine's power does to its processes.
    pub fn kill(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        // Its processes leave its group, so that they are found by their parent. The parent is stopped first, or it
        // would begin new ones.
        let parent = server.id();
        let _ = signal("-STOP", &[parent]);
        let mut all = children_of(parent);
        all.push(parent);
        let _ = signal("-KILL", &all);
        let _ = server.wait();
    }

    /// Where a database of it is reached.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|about| {
        use std::os::unix::fs::MetadataExt;
        about.uid() == 0
    })
}

fn done(command: &mut Command) -> io::Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?}: {status}"))) }
}

fn signal(kind: &str, processes: &[u32]) -> io::Result<()> {
    let processes = processes.iter().map(ToString::to_string);
    Command::new("kill").arg(kind).args(processes).stderr(Stdio::null()).status().map(drop)
}

/// The processes that this one began.
fn children_of(parent: u32) -> Vec<u32> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let numbers = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|process| parent_of(*process) == Some(parent)).collect()
}

fn parent_of(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join(OsStr::new("stat")));
    // After the name, which may hold anything but ends with the last parenthesis: the state, then the parent.
    let stat = stat.ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}
