//! Where a test's read models stand: files of its own, or databases of its own.

use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::Place;

/// The URL of a PostgreSQL server whose user may create databases.
const SERVER: &str = "GUICHET_TEST_POSTGRES";

/// Databases made so far.
static COUNT: AtomicU32 = AtomicU32::new(0);

#[derive(Clone)]
pub(crate) enum Ground {
    Sqlite(Arc<tempfile::TempDir>),
    Postgres { url: String, databases: Arc<Mutex<Vec<String>>> },
}

impl Ground {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(Arc::new(tempfile::tempdir().unwrap()))
    }

    /// None where there is no server to test on, which is said; `GUICHET_TEST_ALL` and `CI` do not let it pass.
    pub(crate) fn postgres() -> Option<Self> {
        let Ok(url) = std::env::var(SERVER) else {
            let all = ["CI", "GUICHET_TEST_ALL"].iter().any(|name| std::env::var_os(name).is_some());
            assert!(!all, "{SERVER} is not set; `make test` sets it");
            eprintln!("skipped: {SERVER} is not set; `make test` sets it");
            return None;
        };
        Some(Self::Postgres { url, databases: Arc::default() })
    }

    /// A place of the test's own; the same name gives the same place.
    pub(crate) async fn place(&self, name: &str) -> Place {
        match self {
            Self::Sqlite(folder) => Place::Sqlite(folder.path().join(format!("{name}.db"))),
            Self::Postgres { url, databases } => {
                let ending = format!("_{name}");
                let known = databases.lock().unwrap().iter().find(|one| one.ends_with(&ending)).cloned();
                let database = match known {
                    Some(database) => database,
                    None => {
                        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
                        let database = format!("guichet_models_{process}_{count}{ending}");
                        databases.lock().unwrap().push(database.clone());
                        self.administer(&format!("DROP DATABASE IF EXISTS {database}")).await;
                        self.administer(&format!("CREATE DATABASE {database}")).await;
                        database
                    }
                };
                let (server, _) = url.rsplit_once('/').unwrap();
                Place::Postgres(format!("{server}/{database}"))
            }
        }
    }

    async fn administer(&self, sql: &str) {
        if let Self::Postgres { url, .. } = self {
            let options = PgConnectOptions::from_str(url).unwrap();
            let mut connection = PgConnection::connect_with(&options).await.unwrap();
            connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
        }
    }

    /// Takes the databases away.
    pub(crate) async fn clear(&self) {
        if let Self::Postgres { databases, .. } = self {
            let names: Vec<String> = databases.lock().unwrap().drain(..).collect();
            for name in names {
                self.administer(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
            }
        }
    }
}
