//! What the cases are made of.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use guichet_journal::{JournalError, PostgresJournal, PostgresKeyStore, PostgresOptions};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

/// Names the server that the tests use, by a URL whose user may create databases. `.ci/with-postgres COMMAND` starts one and sets it.
pub(crate) const SERVER: &str = "GUICHET_TEST_POSTGRES";

/// Whether there is a server. Without one the tests are skipped, with a word; where everything must run, they fail.
pub(crate) fn present() -> bool {
    if std::env::var_os(SERVER).is_some() {
        return true;
    }
    let all = ["CI", "GUICHET_TEST_ALL"].iter().any(|name| std::env::var_os(name).is_some());
    assert!(
        !all,
        "{SERVER} names no server, and every test must run; run the tests by: .ci/with-postgres cargo test"
    );
    eprintln!("skipped: {SERVER} names no PostgreSQL server; run the tests by: .ci/with-postgres cargo test");
    false
}

static DRAWN: AtomicU64 = AtomicU64::new(0);

/// A database of its own and a folder for the master key; both go away with it.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) folder: tempfile::TempDir,
    server: String,
    name: String,
}

impl Database {
    pub(crate) async fn new() -> Self {
        Self::on(&std::env::var(SERVER).unwrap()).await
    }

    /// On the server that this URL names.
    pub(crate) async fn on(server: &str) -> Self {
        let name = format!("journal_{}_{}", std::process::id(), DRAWN.fetch_add(1, Ordering::Relaxed));
        execute(server, &format!("CREATE DATABASE {name}")).await;
        let (front, _) = server.rsplit_once('/').unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self { url: format!("{front}/{name}"), folder, server: server.to_owned(), name }
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        PostgresOptions::parse(&self.url).unwrap()
    }

    pub(crate) async fn keys(&self) -> Result<PostgresKeyStore, JournalError> {
        PostgresKeyStore::open(&self.options(), self.folder.path()).await
    }

    /// Breaks the connections of this database whose last statement is of this kind.
    pub(crate) async fn break_connections(&self, which: &str) {
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}' AND ({which})",
            self.name
        );
        execute(&self.server, &sql).await;
    }

    /// Does something behind the journal's back.
    pub(crate) async fn execute(&self, sql: &str) {
        execute(&self.url, sql).await;
    }

    /// One more server on this database.
    pub(crate) async fn open(&self) -> Result<PostgresJournal, JournalError> {
        PostgresJournal::open(&self.options(), Arc::new(self.keys().await?)).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, drop) = (self.server.clone(), format!("DROP DATABASE {} WITH (FORCE)", self.name));
        // A test's own runtime cannot be waited for here.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                if let Ok(mut connection) = PgConnection::connect(&server).await {
                    let _server_goes_away = sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut connection).await;
                }
            });
        });
        let _goes_away_with_the_server = dropped.join();
    }
}

async fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
