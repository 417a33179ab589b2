//! A PostgreSQL server of a test's own, to be killed, put back and configured.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The folder of `initdb`, `pg_ctl` and the rest; `.ci/with-postgres` sets it.
const PROGRAMS: &str = "GUICHET_TEST_POSTGRES_BIN";

pub(crate) struct Server {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) port: u16,
}

impl Server {
    /// A server that listens on a spare port, with these lines at the end of its configuration and its list of who may come in.
    pub(crate) fn new(settings: &str, clients: &str) -> Self {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        own(folder.path());
        let server = Self { folder, port: spare_port() };
        let data = server.data();
        let made = server.run(
            "initdb",
            &[
                "-D",
                text(&data),
                "-U",
                "postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ],
        );
        assert!(made, "initdb failed");
        let (socket, port) = (text(server.folder.path()).to_owned(), server.port);
        let configuration = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{socket}'\nshared_buffers = 32MB\nmax_connections = 60\n{settings}\n"
        );
        append_to(&data.join("postgresql.conf"), &configuration);
        if !clients.is_empty() {
            std::fs::write(data.join("pg_hba.conf"), clients).unwrap();
        }
        server.start();
        server
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    pub(crate) fn start(&self) {
        let log = self.folder.path().join("log");
        let started =
            self.run("pg_ctl", &["-D", text(&self.data()), "-l", text(&log), "-w", "-t", "60", "start"]);
        assert!(started, "the server did not start: {}", std::fs::read_to_string(log).unwrap_or_default());
    }

    /// Ends it as a loss of power would, as far as its own processes go.
    pub(crate) fn kill(&self) {
        let _stopped = self.run("pg_ctl", &["-D", text(&self.data()), "-m", "immediate", "-t", "60", "stop"]);
    }

    pub(crate) fn stop(&self) {
        assert!(self.run("pg_ctl", &["-D", text(&self.data()), "-m", "fast", "-t", "60", "stop"]));
    }

    /// Runs one of the server's programs as the user that the server runs as.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let path =
            PathBuf::from(std::env::var_os(PROGRAMS).expect("GUICHET_TEST_POSTGRES_BIN names no folder"))
                .join(program);
        self.run_as_server(&path, arguments)
    }

    fn run_as_server(&self, program: &Path, arguments: &[&str]) -> bool {
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let status = command
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.unwrap().success()
    }

    /// Copies the data of the stopped server, as a backup does, or back.
    pub(crate) fn copy(&self, from: &Path, to: &Path) {
        assert!(self.run_as_server(Path::new("rm"), &["-rf", text(to)]));
        assert!(self.run_as_server(Path::new("cp"), &["-a", text(from), text(to)]));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0
}

/// Gives a file or folder to the user that the server runs as.
pub(crate) fn own(path: &Path) {
    if is_root() {
        assert!(
            Command::new("chown").args(["-R", "postgres:postgres", text(path)]).status().unwrap().success()
        );
    }
}

fn append_to(file: &Path, text: &str) {
    use std::io::Write;
    std::fs::OpenOptions::new().append(true).open(file).unwrap().write_all(text.as_bytes()).unwrap();
}

fn spare_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until something holds, but not for ever.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not come to pass within 30 seconds");
}
