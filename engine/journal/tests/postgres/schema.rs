//! The schema: made once, by the program or by hand, refused when it is another's, divided by years, examined.

use std::process::Command;
use std::sync::Arc;

use guichet_journal::{
    Expected, Filter, Followed, Journal, JournalError, PostgresJournal, PostgresOptions, Revision,
    verify_all, verify_stream,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::appends::{command, everything, stream};
use crate::tools::{Database, present};

async fn opened(database: &Database) -> Result<PostgresJournal, JournalError> {
    database.open().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_start_at_once_make_one_schema() {
    if !present() {
        return;
    }
    let database = Arc::new(Database::new().await);
    let mut starting = Vec::new();
    for _ in 0..6 {
        let database = Arc::clone(&database);
        starting.push(tokio::spawn(async move { opened(&database).await.unwrap() }));
    }
    let mut servers = Vec::new();
    for server in starting {
        servers.push(server.await.unwrap());
    }
    for server in &servers {
        server.append(command(&stream(), Expected::NoStream, 1)).await.unwrap();
    }
    let all = everything(&servers[0]).await;
    assert_eq!(all.len(), 6);
    for event in &all {
        assert!(
            servers[5].open(event).await.unwrap().contains("Ines Dupont"),
            "the servers seal with different keys"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_can_make_the_schemas_by_hand() {
    if !present() {
        return;
    }
    let database = Database::new().await;
    let psql = std::path::Path::new(&std::env::var("GUICHET_TEST_POSTGRES_BIN").unwrap()).join("psql");
    for (schema, file) in [
        ("guichet", "src/postgres/migrations/0001_events.sql"),
        ("guichet_keys", "src/keys/migrations/0001_keys.sql"),
    ] {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        // The very command that the file tells.
        let told = std::fs::read_to_string(&file).unwrap();
        assert!(told.contains(&format!(
            "--command 'CREATE SCHEMA {schema}' --command 'SET search_path = {schema}' --file"
        )));
        let status = Command::new(&psql)
            .args(["--quiet", "--set", "ON_ERROR_STOP=1", "--single-transaction"])
            .args([
                "--command",
                &format!("CREATE SCHEMA {schema}"),
                "--command",
                &format!("SET search_path = {schema}"),
            ])
            .arg("--file")
            .arg(&file)
            .arg(&database.url)
            .status()
            .unwrap();
        assert!(status.success(), "{schema}");
    }
    let journal = opened(&database).await.unwrap();
    journal.append(command(&stream(), Expected::NoStream, 2)).await.unwrap();
    assert_eq!(journal.examine().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_of_a_newer_version_or_of_something_else_is_refused() {
    if !present() {
        return;
    }
    for schema in ["guichet", "guichet_keys"] {
        let database = Database::new().await;
        opened(&database).await.unwrap().close().await;
        database.execute(&format!("INSERT INTO {schema}.format (version) VALUES (9)")).await;
        let refused = opened(&database).await.unwrap_err();
        assert!(matches!(refused, JournalError::Newer { found: 9, known: 1, .. }), "{refused:?}");
        assert!(refused.to_string().contains("written by a newer version of guichet"), "{refused}");
        let database = Database::new().await;
        database.execute(&format!("CREATE SCHEMA {schema}; CREATE TABLE {schema}.recipes (name text)")).await;
        let refused = opened(&database).await.unwrap_err();
        assert!(matches!(refused, JournalError::Corrupt { .. }), "{refused:?}");
        assert!(refused.to_string().contains("tables of something else"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_towns_can_share_a_database_under_schemas_of_their_own() {
    if !present() {
        return;
    }
    let database = Database::new().await;
    let journal = opened(&database).await.unwrap();
    let keys = Arc::new(guichet_journal::MemoryKeyStore::new().unwrap());
    let options = PostgresOptions::parse(&format!("{}?schema=annexe", database.url)).unwrap();
    let annexe = PostgresJournal::open(&options, keys).await.unwrap();
    let one = stream();
    for _ in 0..3 {
        journal.append(command(&one, Expected::Any, 1)).await.unwrap();
        annexe.append(command(&one, Expected::Any, 2)).await.unwrap();
    }
    assert_eq!((everything(&journal).await.len(), everything(&annexe).await.len()), (3, 6));
}

/// Whatever the database or the role sets by default, events are durable, and positions have no holes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_endanger_events_are_overruled() {
    if !present() {
        return;
    }
    let database = Database::new().await;
    let name = database.url.rsplit_once('/').unwrap().1.to_owned();
    for setting in [
        "synchronous_commit = off",
        "default_transaction_isolation = 'serializable'",
        "default_transaction_read_only = on",
        "search_path = pg_catalog",
    ] {
        let mut server =
            PgConnection::connect(&std::env::var("GUICHET_TEST_POSTGRES").unwrap()).await.unwrap();
        let alter = format!("ALTER DATABASE {name} SET {setting}");
        sqlx::raw_sql(AssertSqlSafe(alter)).execute(&mut server).await.unwrap();
    }
    let (first, second) = (opened(&database).await.unwrap(), opened(&database).await.unwrap());
    // A trigger sees the settings of the session that writes.
    database
        .execute(
            "SET default_transaction_read_only = off; BEGIN READ WRITE; SET LOCAL search_path = guichet;
             CREATE TABLE seen (name text);
             CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
             CREATE TRIGGER see AFTER INSERT ON events_1 FOR EACH ROW EXECUTE FUNCTION see(); COMMIT",
        )
        .await;
    for server in [&first, &second, &first] {
        server.append(command(&stream(), Expected::NoStream, 2)).await.unwrap();
    }
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let seen: Vec<String> = sqlx::query_scalar("SELECT DISTINCT name FROM guichet.seen")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert_eq!(seen, ["on"]);
    assert!(verify_all(&second).await.unwrap().is_sound());
    let said = first.examine().await.unwrap();
    assert!(said.len() == 1 && said[0].starts_with("synchronous_commit is off"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_works_again_once_there_is_room() {
    if !present() {
        return;
    }
    let database = Database::new().await;
    let journal = opened(&database).await.unwrap();
    journal.append(command(&stream(), Expected::NoStream, 1)).await.unwrap();
    // A server cannot be given a full disk without being root; it says so with this code.
    database
        .execute(
            "SET search_path = guichet;
             CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
             CREATE TRIGGER fill AFTER INSERT ON events_1 FOR EACH ROW EXECUTE FUNCTION fill()",
        )
        .await;
    let append = command(&stream(), Expected::NoStream, 2);
    for _ in 0..3 {
        assert_eq!(journal.append(append.clone()).await.unwrap_err(), JournalError::Full);
    }
    assert_eq!(everything(&journal).await.len(), 1);
    database.execute("DROP TRIGGER fill ON guichet.events_1").await;
    let receipt = journal.append(append).await.unwrap();
    assert!(!receipt.repeated);
    assert_eq!(everything(&journal).await.len(), 3);
    assert_eq!(journal.examine().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_change_nothing_that_is_seen() {
    if !present() {
        return;
    }
    let database = Database::new().await;
    let (first, second) = (opened(&database).await.unwrap(), opened(&database).await.unwrap());
    let mut follower = second.follow(None, Filter::everything());
    let (mut streams, mut told) = (Vec::new(), Vec::new());
    for year in 0..4 {
        let new = stream();
        first.append(command(&new, Expected::NoStream, 1)).await.unwrap();
        streams.push(new);
        // Streams of every year go on.
        for stream in &streams {
            second.append(command(stream, Expected::Any, 2)).await.unwrap();
        }
        if year < 3 {
            first.begin_partition(0).await.unwrap();
        }
    }
    // A stream of an earlier partition is no new stream, whoever remembers it.
    let fresh = opened(&database).await.unwrap();
    for (age, stream) in streams.iter().enumerate() {
        let refused = fresh.append(command(stream, Expected::NoStream, 1)).await.unwrap_err();
        let last = Revision::new(2 * u64::try_from(4 - age).unwrap());
        assert!(
            matches!(refused, JournalError::Conflict { actual, .. } if actual == Some(last)),
            "{refused:?}"
        );
        assert!(verify_stream(&fresh, stream).await.unwrap().is_sound());
    }
    let due = 4 + 2 * (1 + 2 + 3 + 4);
    while told.len() < due {
        if let Followed::Event(event) = follower.next().await.unwrap() {
            told.push(event.header_digest());
        }
    }
    let all = everything(&first).await;
    assert!(
        all.iter().map(guichet_journal::Recorded::header_digest).eq(told),
        "the follower was told another journal"
    );
    let report = verify_all(&second).await.unwrap();
    assert!(report.is_sound() && report.streams == 4, "{report:?}");
    assert_eq!(second.examine().await.unwrap(), Vec::<String>::new());
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let filled: Vec<i64> =
        sqlx::query_scalar("SELECT count(*) FROM guichet.events GROUP BY tableoid ORDER BY min(birth)")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    assert_eq!(filled, [9, 7, 5, 3], "each stream stays in the partition of its birth");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_begins_while_servers_write() {
    if !present() {
        return;
    }
    let database = Database::new().await;
    let (first, second) =
        (Arc::new(opened(&database).await.unwrap()), Arc::new(opened(&database).await.unwrap()));
    let mut writers = Vec::new();
    for journal in [&first, &second, &first, &second] {
        let journal = Arc::clone(journal);
        writers.push(tokio::spawn(async move {
            for _ in 0..40 {
                let stream = stream();
                journal.append(command(&stream, Expected::NoStream, 5)).await.unwrap();
                journal.append(command(&stream, Expected::Exact(Revision::new(4)), 5)).await.unwrap();
            }
        }));
    }
    for _ in 0..3 {
        first.begin_partition(300).await.unwrap();
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let report = verify_all(first.as_ref()).await.unwrap();
    assert!(report.is_sound() && report.events == 4 * 40 * 10, "{report:?}");
    assert_eq!(first.examine().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_examination_says_what_is_wrong_with_the_database() {
    if !present() {
        return;
    }
    let database = Database::new().await;
    let journal = opened(&database).await.unwrap();
    for _ in 0..3 {
        journal.append(command(&stream(), Expected::NoStream, 2)).await.unwrap();
    }
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let refused = sqlx::raw_sql("UPDATE guichet.events SET body = ''").execute(&mut connection).await;
    assert!(refused.unwrap_err().to_string().contains("only ever appended"));
    let damage = [
        ("DROP INDEX guichet.events_1_by_position", "the index events_1_by_position is missing or broken"),
        ("DROP INDEX guichet.events_by_command", "the index events_by_command is missing or broken"),
        (
            "ALTER TABLE guichet.events DISABLE TRIGGER events_stay",
            "the trigger that refuses changes is missing or disabled",
        ),
        ("DELETE FROM guichet.events WHERE position = 2", "position 0000000000000003 is not the next"),
        (
            "UPDATE guichet.events SET header = replace(header, '\"n\":1', '\"n\":7') WHERE position = 4",
            "position 0000000000000004 is",
        ),
        ("UPDATE guichet.events SET header = 'x' WHERE position = 6", "position 0000000000000006 is"),
    ];
    for (found, (harm, sentence)) in damage.into_iter().enumerate() {
        database.execute(harm).await;
        let said = journal.examine().await.unwrap();
        assert_eq!(said.len(), found + 1, "{said:?}");
        assert!(said.iter().any(|said| said.contains(sentence)), "{sentence}: {said:?}");
    }
    // What is damaged can still be read, and verification says where the damage lies.
    let report = verify_all(&journal).await.unwrap();
    assert!(!report.is_sound());
}
