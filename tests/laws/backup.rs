//! A town is backed up while its server works, lost, and restored: what was answered before the backup is there, every
//! event is the one that stood, and its read models are those of a rebuild.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use guichet::backup::{BackupError, Tools, backup, restore};
use guichet::engine::journal::{Filter, Journal, Position, SqliteBeside};
use guichet::{Guichet, Options, Store};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::kill::{Numbers, Promised, check_read_models, client, start, town};

/// An event as it is stored: its command, header and body.
type Stored = (Position, Uuid, String, String);

async fn events(data: &Path, until: Option<Position>) -> Vec<Stored> {
    let journal = SqliteBeside::open(data).await.unwrap();
    let (mut events, mut after) = (Vec::new(), None);
    loop {
        let page = journal.read_all(after, &Filter::everything(), 4096).await.unwrap();
        after = page.through;
        events.extend(page.events.iter().map(|event| {
            let command = event.header().unwrap().command.uuid();
            let (header, body) = (event.stored_header().to_owned(), event.stored_body().to_owned());
            (event.position(), command, header, body)
        }));
        if page.at_end {
            break;
        }
    }
    journal.close().await;
    events.retain(|(position, ..)| until.is_none_or(|until| *position <= until));
    events
}

#[test]
fn a_town_backed_up_under_load_is_restored_to_the_byte() {
    let (folder, runtime) = (tempfile::tempdir().unwrap(), tokio::runtime::Runtime::new().unwrap());
    let at = |name: &str| folder.path().join(name);
    let data = at("data");
    let key = runtime.block_on(town(&data));
    let (promised, stop) = (Mutex::new(Promised::default()), AtomicBool::new(false));
    let (mut child, address) = start(&data);
    let (taken, before) = std::thread::scope(|scope| {
        for seed in 1..=4 {
            let (key, promised, stop) = (&key, &promised, &stop);
            scope.spawn(move || client(address, key, &mut Numbers(seed), promised, stop));
        }
        std::thread::sleep(Duration::from_secs(1));
        let before = promised.lock().unwrap().acknowledged.clone();
        let taken =
            runtime.block_on(backup(&Options::new(&data), &Tools::default(), &at("journal"), &at("keys")));
        std::thread::sleep(Duration::from_millis(300));
        child.kill().unwrap();
        stop.store(true, Ordering::Relaxed);
        (taken, before)
    });
    child.wait().unwrap();
    let taken = taken.unwrap();
    assert!(before.len() > 20, "hardly anything was answered before the backup");

    runtime.block_on(async {
        let stood = events(&data, taken.journal.position).await;
        let all = events(&data, None).await.len();
        assert!(stood.len() < all, "the server stood still during and after the backup");
        std::fs::remove_dir_all(&data).unwrap();

        let restored =
            restore(&at("journal"), &at("keys"), &Options::new(&data), &Tools::default()).await.unwrap();
        assert!(restored.verified.is_sound(), "{:?}", restored.verified.findings);
        assert_eq!((restored.verified.erased, restored.verified.opened), (0, restored.verified.events));
        let found = events(&data, None).await;
        assert_eq!(taken.journal.events, Some(u64::try_from(found.len()).unwrap()));
        assert!(found == stood, "an event is not the one that stood");
        let commands: std::collections::HashSet<Uuid> = found.iter().map(|event| event.1).collect();
        assert!(before.keys().all(|command| commands.contains(command)), "an answered command is lost");

        let guichet = Guichet::open(Options::new(&data)).await.unwrap();
        check_read_models(&guichet, &data, 0).await;
        guichet.close().await;
    });
}

/// A small town that has received one request.
async fn small_town(data: &Path) {
    let guichet = Guichet::open(Options::new(data)).await.unwrap();
    guichet.publish_folder(&guichet_tests::workspace().join("processes/chalons")).await.unwrap();
    let contact = guichet::engine::rules::request::Contact {
        email: Some("jeanne@exemple.example".into()),
        ..Default::default()
    };
    let request = guichet::NewRequest::new("ville", "voirie/chaussee-abimee")
        .field("place", serde_json::json!([48.957, 4.363]))
        .contact(contact);
    guichet.receive(request).await.unwrap();
    guichet.close().await;
}

#[tokio::test]
async fn whoever_was_erased_stays_erased_with_newer_keys_and_comes_back_with_older_ones() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    small_town(&at("data")).await;
    backup(&Options::new(at("data")), &Tools::default(), &at("journal-1"), &at("keys-1")).await.unwrap();
    let guichet = Guichet::open(Options::new(at("data"))).await.unwrap();
    let journal = guichet.engine().journal();
    let page = journal.read_all(None, &Filter::everything(), 4096).await.unwrap();
    let kids = page.events.iter().flat_map(|event| event.header().unwrap().keys.clone());
    let mut erased = 0;
    for kid in kids {
        journal.keys().destroy(&kid).await.unwrap();
        erased += 1;
    }
    assert!(erased > 0);
    // Beside the program that holds the folder.
    let taken =
        backup(&Options::new(at("data")), &Tools::default(), &at("journal-2"), &at("keys-2")).await.unwrap();
    assert!(taken.keys.destroyed > Some(0));
    guichet.close().await;

    let newer = restore(&at("journal-1"), &at("keys-2"), &Options::new(at("newer")), &Tools::default())
        .await
        .unwrap();
    assert!(newer.verified.is_sound() && newer.verified.erased > 0);
    let older = restore(&at("journal-1"), &at("keys-1"), &Options::new(at("older")), &Tools::default())
        .await
        .unwrap();
    assert!(older.verified.is_sound() && older.verified.erased == 0);
}

#[tokio::test]
async fn nothing_is_restored_from_what_is_not_the_backup_or_over_what_stands() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    small_town(&at("data")).await;
    let together = backup(&Options::new(at("data")), &Tools::default(), &at("both"), &at("both/keys")).await;
    assert!(matches!(together, Err(BackupError::Together(_))), "{together:?}");
    assert!(!at("both").exists());
    backup(&Options::new(at("data")), &Tools::default(), &at("journal"), &at("keys")).await.unwrap();
    let again = backup(&Options::new(at("data")), &Tools::default(), &at("journal"), &at("other-keys")).await;
    assert!(matches!(again, Err(BackupError::Taken(_))), "{again:?}");

    let over = restore(&at("journal"), &at("keys"), &Options::new(at("data")), &Tools::default()).await;
    assert!(matches!(over, Err(BackupError::Taken(_))), "{over:?}");
    let swapped = restore(&at("keys"), &at("journal"), &Options::new(at("new")), &Tools::default()).await;
    assert!(matches!(swapped, Err(BackupError::NotABackup { .. })), "{swapped:?}");
    let path = at("journal").join("journal.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let changed = restore(&at("journal"), &at("keys"), &Options::new(at("new")), &Tools::default()).await;
    assert!(matches!(changed, Err(BackupError::Changed { .. })), "{changed:?}");
    assert!(!at("new").exists(), "half a town stays behind");
    std::fs::remove_file(at("journal").join("manifest.json")).unwrap();
    let none = restore(&at("journal"), &at("keys"), &Options::new(at("new")), &Tools::default()).await;
    assert!(matches!(none, Err(BackupError::NotABackup { .. })), "{none:?}");
}

/// The server that `.ci/with-postgres` started, and its programs; none where there is none, which only a tester at their
/// own machine may be content with.
fn postgres() -> Option<(String, Tools)> {
    let variable = |name: &str| std::env::var(name).ok();
    let (server, programs) = (variable("GUICHET_TEST_POSTGRES"), variable("GUICHET_TEST_POSTGRES_BIN"));
    if let (Some(server), Some(programs)) = (server, programs) {
        return Some((server, Tools { folder: Some(programs.into()) }));
    }
    let wanted = ["CI", "GUICHET_TEST_ALL"].into_iter().find(|name| variable(name).is_some());
    assert_eq!(wanted, None, "there is no PostgreSQL: run the tests by `make test` or `.ci/with-postgres`");
    eprintln!("skipped: there is no PostgreSQL; run the tests by `.ci/with-postgres`");
    None
}

async fn order(server: &str, sql: String) {
    use sqlx::{Connection, Executor};
    let mut connection = sqlx::PgConnection::connect(server).await.unwrap();
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
}

async fn all_of(guichet: &Guichet) -> Vec<Stored> {
    let (journal, mut events, mut after) = (guichet.engine().journal(), Vec::new(), None);
    loop {
        let page = journal.read_all(after, &Filter::everything(), 4096).await.unwrap();
        after = page.through;
        events.extend(page.events.iter().map(|event| {
            let command = event.header().unwrap().command.uuid();
            let (header, body) = (event.stored_header().to_owned(), event.stored_body().to_owned());
            (event.position(), command, header, body)
        }));
        if page.at_end {
            return events;
        }
    }
}

async fn receive(guichet: &Guichet) {
    let contact = guichet::engine::rules::request::Contact {
        email: Some("jeanne@exemple.example".into()),
        ..Default::default()
    };
    let request = guichet::NewRequest::new("ville", "voirie/chaussee-abimee")
        .field("place", serde_json::json!([48.957, 4.363]))
        .contact(contact);
    guichet.receive(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_town_on_postgresql_backed_up_under_load_is_restored_to_the_byte() {
    let Some((server, tools)) = postgres() else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let database = format!("guichet_backup_{}", std::process::id());
    let url = format!("{}/{database}", server.rsplit_once('/').unwrap().0);
    let options = |data: &str| Options::new(at(data)).store(Store::parse(&url).unwrap());
    order(&server, format!("CREATE DATABASE {database}")).await;

    let guichet = Guichet::open(options("data")).await.unwrap();
    guichet.publish_folder(&guichet_tests::workspace().join("processes/chalons")).await.unwrap();
    for _ in 0..20 {
        receive(&guichet).await;
    }
    let stop = std::sync::Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..4)
        .map(|_| {
            let (guichet, stop) = (guichet.clone(), std::sync::Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    receive(&guichet).await;
                }
            })
        })
        .collect();
    let taken = backup(&options("data"), &tools, &at("journal"), &at("keys")).await;
    stop.store(true, Ordering::Relaxed);
    for task in load {
        task.await.unwrap();
    }
    let taken = taken.unwrap();
    let mut stood = all_of(&guichet).await;
    let all = stood.len();
    stood.retain(|event| Some(event.0) <= taken.journal.position);
    assert!(stood.len() < all && stood.len() > 20, "{} of {all}: the servers stood still", stood.len());
    assert_eq!(taken.journal.events, Some(u64::try_from(stood.len()).unwrap()));
    let over = restore(&at("journal"), &at("keys"), &options("over"), &tools).await;
    assert!(matches!(over, Err(BackupError::Standing(_))), "{over:?}");
    let other = restore(&at("journal"), &at("keys"), &Options::new(at("other")), &tools).await;
    assert!(matches!(other, Err(BackupError::OtherStore(_))), "{other:?}");
    guichet.close().await;

    order(&server, format!("DROP DATABASE {database} WITH (FORCE)")).await;
    order(&server, format!("CREATE DATABASE {database}")).await;
    let restored = restore(&at("journal"), &at("keys"), &options("restored"), &tools).await.unwrap();
    assert!(restored.verified.is_sound(), "{:?}", restored.verified.findings);
    assert_eq!(restored.verified.opened, restored.verified.events, "a key is missing");
    let guichet = Guichet::open(options("restored")).await.unwrap();
    assert!(all_of(&guichet).await == stood, "an event is not the one that stood");
    receive(&guichet).await;
    guichet.read_models().catch_up(Duration::from_secs(30)).await.unwrap();
    let received = |event: &&Stored| event.2.contains("\"type\":\"request.received\"");
    let requests = stood.iter().filter(received).count() + 1;
    let cards = guichet.read_models().cards(&guichet::projections::CardQuery::default()).await.unwrap();
    assert_eq!(cards.n, u64::try_from(requests).unwrap());
    guichet.close().await;
    order(&server, format!("DROP DATABASE {database} WITH (FORCE)")).await;
}
