//! Where the towns of these tests keep their journal: in memory, or, where `GUICHET_TEST_HTTP_STORE` says `postgres`, each
//! in a database of its own on the server that `GUICHET_TEST_POSTGRES` names.
//!
//! A database is made as a copy of one in which the theme's processes are in force already.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use guichet::engine::Ambient;
use guichet::engine::rules::language::Catalogue;
use guichet::outbound::MemoryOutbound;
use guichet::{AccessError, Guichet, Holder, KeyEntry, KeyTerms, Keyring, Options, Store};

/// Whether towns stand on PostgreSQL.
pub(crate) fn on_postgres() -> bool {
    std::env::var("GUICHET_TEST_HTTP_STORE").is_ok_and(|store| store == "postgres")
}

/// A database on the test server; it goes away with this value.
pub(crate) struct Database {
    name: String,
    pub(crate) url: String,
}

/// The server's address and the folder of its programs.
fn server() -> (String, PathBuf) {
    let named = |variable: &str| {
        std::env::var(variable)
            .unwrap_or_else(|_| panic!("{variable} is not set: run me by .ci/with-postgres"))
    };
    (named("GUICHET_TEST_POSTGRES"), named("GUICHET_TEST_POSTGRES_BIN").into())
}

fn told(sql: &str) {
    let (server, programs) = server();
    let done = Command::new(programs.join("psql")).args(["-d", &server, "-qc", sql]).output().unwrap();
    assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
}

impl Database {
    /// None where there is no server: the test is skipped then, or fails where every test must run.
    pub(crate) fn for_servers() -> Option<Self> {
        if std::env::var_os("GUICHET_TEST_POSTGRES").is_none() {
            let all = ["CI", "GUICHET_TEST_ALL"].iter().any(|name| std::env::var_os(name).is_some());
            assert!(!all, "run me by .ci/with-postgres");
            eprintln!("skipped: no PostgreSQL server; run the tests by: .ci/with-postgres cargo test");
            return None;
        }
        Some(Self::new(None))
    }

    fn new(template: Option<&str>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("http_{}_{number}", std::process::id());
        let of = template.map(|template| format!(" TEMPLATE {template}")).unwrap_or_default();
        told(&format!("CREATE DATABASE {name}{of}"));
        let url = format!("{}/{name}", server().0.rsplit_once('/').unwrap().0);
        Self { name, url }
    }

    pub(crate) fn store(&self) -> Store {
        Store::parse(&self.url).unwrap()
    }

    /// A database in which a catalogue is in force, and the master key of its data folder, which is put into `data`.
    pub(crate) async fn with(
        (name, catalogue): (&str, &Catalogue),
        data: &Path,
        ambient: &Arc<dyn Ambient>,
    ) -> Self {
        type Templates = tokio::sync::Mutex<HashMap<String, (Database, Vec<u8>)>>;
        static TEMPLATES: OnceLock<Templates> = OnceLock::new();
        let mut templates = TEMPLATES.get_or_init(Templates::default).lock().await;
        if !templates.contains_key(name) {
            let (folder, template) = (tempfile::tempdir().unwrap(), Self::new(None));
            let options = Options::new(folder.path()).store(template.store()).ambient(Arc::clone(ambient));
            let options = options.outbound(Arc::new(MemoryOutbound::default()));
            let guichet = Guichet::open(options).await.unwrap();
            guichet.publish(catalogue).await.unwrap();
            guichet.read_models().catch_up(std::time::Duration::from_secs(60)).await.unwrap();
            guichet.close().await;
            // Whoever was connected is not always gone yet, and nobody may be while it is copied.
            let sql = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
                template.name
            );
            told(&sql);
            let master = std::fs::read(folder.path().join("master.key")).unwrap();
            templates.insert(name.to_owned(), (template, master));
        }
        let (template, master) = &templates[name];
        private(&data.join("master.key"), master);
        Self::new(Some(&template.name))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        told(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// Writes a file that nobody else may read.
pub(crate) fn private(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// The keys of a town from beside it, as the command line has them.
pub(crate) struct Keys {
    options: Options,
}

impl Keys {
    pub(crate) fn of(guichet: &Guichet) -> Self {
        Self { options: guichet.options().clone() }
    }

    pub(crate) fn create(&self, tenant: &str, holder: Holder) -> String {
        self.make(&KeyTerms::new(tenant, holder)).unwrap().0
    }

    pub(crate) fn make(&self, terms: &KeyTerms) -> Result<(String, KeyEntry), AccessError> {
        let (options, terms) = (&self.options, terms.clone());
        beside(async move || Keyring::at(options)?.make(&terms, &options.ambient).await)
    }

    pub(crate) fn revoke(&self, tenant: &str, id: &str) -> Result<KeyEntry, AccessError> {
        let options = &self.options;
        beside(async move || Keyring::at(options)?.revoke(tenant, id, options.ambient.now()).await)
    }
}

/// Runs work to its end on a thread of its own, from wherever it is asked for: the test's own runtime may have one only.
fn beside<T: Send>(work: impl AsyncFnOnce() -> T + Send) -> T {
    static ONE: Mutex<()> = Mutex::new(());
    let _one_at_a_time = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(work())
        });
        thread.join().unwrap()
    })
}
