//! The commands on a PostgreSQL database, beside a server that works on it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::{Run, guichet};

/// A database of its own on the test server; it goes away with it.
pub(crate) struct Database {
    name: String,
    pub(crate) url: String,
    pub(crate) programs: PathBuf,
    server: String,
}

impl Database {
    /// None where there is no server: the test is skipped then, or fails where every test must run.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let named = |variable: &str| std::env::var(variable).ok();
        let (Some(server), Some(programs)) =
            (named("GUICHET_TEST_POSTGRES"), named("GUICHET_TEST_POSTGRES_BIN"))
        else {
            assert!(named("CI").or(named("GUICHET_TEST_ALL")).is_none(), "run me by .ci/with-postgres");
            eprintln!("skipped: no PostgreSQL server; run the tests by: .ci/with-postgres cargo test");
            return None;
        };
        let name = format!("{name}_{}", std::process::id());
        let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
        let database = Self { name, url, programs: programs.into(), server };
        database.program("psql", &["-qc", &format!("CREATE DATABASE {}", database.name)]);
        Some(database)
    }

    fn program(&self, program: &str, arguments: &[&str]) {
        let done =
            Command::new(self.programs.join(program)).arg("-d").arg(&self.server).args(arguments).status();
        assert!(done.unwrap().success(), "{program} {arguments:?}");
    }

    fn inside(&self, sql: &str) {
        let done = Command::new(self.programs.join("psql")).args(["-d", &self.url, "-qc", sql]).status();
        assert!(done.unwrap().success(), "{sql}");
    }

    pub(crate) fn run(&self, data: &Path, arguments: &[&str]) -> Run {
        Run::of(&guichet(data, arguments).env("GUICHET_STORE", &self.url).output().unwrap())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.program("psql", &["-qc", &format!("DROP DATABASE {} WITH (FORCE)", self.name)]);
    }
}

struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn commands_work_beside_a_server_on_the_same_database() {
    let Some(database) = Database::new("beside") else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let empty = database.run(&data, &["stats"]);
    assert_eq!(empty.code, 3, "a database without a town is told so: {empty:?}");
    let serve = ["serve", "--catalogue", "processes/chalons", "--listen", "127.0.0.1:0", "--drain", "0"];
    let mut server = guichet(&data, &serve);
    server.env("GUICHET_STORE", &database.url).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Served(server.spawn().unwrap());
    let line = BufReader::new(server.0.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    assert!(line.contains("http://"), "{line}");
    let table = folder.path().join("reports.csv");
    std::fs::write(&table, crate::support::reports(5)).unwrap();
    let table = table.to_str().unwrap();
    let imported = database.run(&data, &["import", table, "--map", crate::support::MAP]);
    assert_eq!(imported.code, 0, "{imported:?}");
    let published = database.run(&data, &["publish", "processes/chalons"]);
    assert_eq!(published.code, 0, "{published:?}");
    for command in [
        &["verify"][..],
        &["stats"],
        &["inbox"],
        &["doctor"],
        &["versions", "voirie/chaussee-abimee"],
        &["rebuild", "statistics"],
    ] {
        let run = database.run(&data, command);
        assert!(run.code == 0 || (command[0] == "doctor" && run.code == 1), "{command:?}: {run:?}");
        assert!(!run.out.is_empty(), "{command:?}");
    }
    assert!(server.0.try_wait().unwrap().is_none(), "the server goes on");
    // What a version of long ago left is named by the doctor, and taken away when asked for.
    let left = "guichet_models_0badcafe";
    database.inside(&format!("CREATE SCHEMA {left}; CREATE TABLE {left}.request_card (request bytea)"));
    let doctor = database.run(&data, &["doctor"]);
    assert!(
        doctor.code == 1 && doctor.out.contains(left) && doctor.out.contains("--drop-unused"),
        "{doctor:?}"
    );
    let dropped = database.run(&data, &["rebuild", "--drop-unused"]);
    assert!(dropped.code == 0 && dropped.out.contains(left), "{dropped:?}");
    let doctor = database.run(&data, &["doctor"]);
    assert!(!doctor.out.contains(left), "{doctor:?}");
}

#[test]
fn a_database_that_is_away_is_told_with_the_exit_code_of_the_store_and_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens on the port of the discard service.
    for (language, word) in [("fr", "entrepôt"), ("en", "available")] {
        let run = Run::of(
            &guichet(folder.path(), &["--lang", language, "stats"])
                .env("GUICHET_STORE", "postgres://guichet:s3cret@127.0.0.1:9/guichet")
                .output()
                .unwrap(),
        );
        assert_eq!(run.code, 3, "{run:?}");
        assert!(run.err.contains(word) && !run.err.contains("s3cret"), "{run:?}");
    }
}
