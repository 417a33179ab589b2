//! How positions can be given in PostgreSQL so that no reader misses an event, and what each way costs. The journal uses the first of them.
//!
//! Each "server" is one connection that writes what its callers wait for as one group. A reader that follows by position counts what it saw.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use guichet_journal::{MemoryKeyStore, PostgresJournal, PostgresOptions};
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::query::{Query, QueryScalar};
use sqlx::{AssertSqlSafe, Connection, Postgres};
use tokio::sync::{mpsc, oneshot};

use crate::measure::{Fault, Stopwatch, rate};

/// Rows of one group at most.
const GROUP: usize = 256;
/// How long each way writes, each time.
const SPELL: Duration = Duration::from_secs(2);
/// How often each way has its turn; the best counts, for what else the machine does can only make it slower.
const TURNS: usize = 3;

/// A way of giving positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The journal's own: one call of a function that takes a lock, reads the end and writes. In the partitioned table.
    Function,
    /// The same in a table without partitions.
    FunctionPlain,
    /// A transaction of four messages: begin, lock, insert behind the end, commit.
    Transaction,
    /// One statement that moves a counter row and writes behind it.
    Counter,
    /// One statement that moves the counter row only if it stands where this server thinks it does, and is sent again otherwise.
    Optimistic,
    /// A sequence and no lock; readers go by transaction and position, and stay below the oldest transaction that is still open.
    Horizon,
    /// A sequence and no lock, and a reader that does not care: what order costs is measured against this.
    Careless,
}

const WAYS: [Way; 7] = [
    Way::Function,
    Way::FunctionPlain,
    Way::Transaction,
    Way::Counter,
    Way::Optimistic,
    Way::Horizon,
    Way::Careless,
];

const TABLE: &str = "
    CREATE TABLE events (
        position bigint PRIMARY KEY, birth bigint NOT NULL, revision bigint NOT NULL, stream text COLLATE \"C\", command bytea,
        fingerprint bytea, header text NOT NULL, body text NOT NULL, writer xid8 NOT NULL DEFAULT pg_current_xact_id());
    CREATE UNIQUE INDEX ON events (birth, revision);
    CREATE UNIQUE INDEX ON events (stream) WHERE stream IS NOT NULL;
    CREATE UNIQUE INDEX ON events (birth, command) WHERE command IS NOT NULL;
    CREATE INDEX ON events (writer, position);
    CREATE SEQUENCE positions;
    CREATE TABLE counter (next bigint NOT NULL) WITH (fillfactor = 10);
    INSERT INTO counter VALUES (1);
    CREATE FUNCTION append_plain(streams text[], commands bytea[], headers text[], bodies text[]) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE last bigint;
    BEGIN
        PERFORM pg_advisory_xact_lock('events'::regclass::oid::integer, 1);
        SELECT coalesce(max(position), 0) INTO last FROM events;
        INSERT INTO events (position, birth, revision, stream, command, fingerprint, header, body)
        SELECT last + number, last + number, 0, stream, command, command, header, body
        FROM unnest(streams, commands, headers, bodies) WITH ORDINALITY AS row (stream, command, header, body, number);
        RETURN last + 1;
    END $$;";

const ROWS: &str = "unnest($1, $2, $3, $4) WITH ORDINALITY AS row (stream, command, header, body, number)";
const COLUMNS: &str = "events (position, birth, revision, stream, command, fingerprint, header, body)";

fn behind(start: &str) -> String {
    format!(
        "INSERT INTO {COLUMNS} SELECT {start} + number, {start} + number, 0, stream, command, command, header, body FROM {ROWS}"
    )
}

/// Events of a group, one new stream each.
#[derive(Default)]
struct Rows {
    streams: Vec<String>,
    commands: Vec<Vec<u8>>,
    headers: Vec<String>,
    bodies: Vec<String>,
}

impl Rows {
    fn add(&mut self, number: usize) {
        let name = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, &number.to_be_bytes());
        self.streams.push(format!("ville.request-{name}"));
        self.commands.push(name.as_bytes().to_vec());
        self.headers.push(format!("{{\"stream\":\"{name}\",\"filled\":\"{}\"}}", "h".repeat(600)));
        self.bodies.push(format!("{{\"name\":\"{name}\",\"filled\":\"{}\"}}", "b".repeat(300)));
    }

    fn bind<'q>(&'q self, query: Query<'q, Postgres, PgArguments>) -> Query<'q, Postgres, PgArguments> {
        query.bind(&self.streams).bind(&self.commands).bind(&self.headers).bind(&self.bodies)
    }

    fn call(&self) -> QueryScalar<'_, Postgres, i64, PgArguments> {
        let births: Vec<i64> = (1..).zip(&self.streams).map(|(place, _): (i64, _)| -place).collect();
        sqlx::query_scalar("SELECT append_events(0, $1, $2, $3, $4, $5, $6, $7)")
            .bind(births)
            .bind(vec![0_i64; self.streams.len()])
            .bind(&self.streams)
            .bind(&self.commands)
            .bind(&self.commands)
            .bind(&self.headers)
            .bind(&self.bodies)
    }
}

/// One server's connection, and where it believes the journal to go on.
struct Server {
    connection: PgConnection,
    next: i64,
}

async fn connect(url: &str, way: Way) -> Result<PgConnection, Fault> {
    let mut connection = PgConnection::connect(url).await?;
    let set =
        format!("SET search_path = order_{way:?}; SET synchronous_commit = on; SET jit = off").to_lowercase();
    sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut connection).await?;
    Ok(connection)
}

impl Server {
    async fn write(&mut self, way: Way, rows: &Rows) -> Result<(), Fault> {
        let connection = &mut self.connection;
        match way {
            Way::Function => drop(rows.call().fetch_one(connection).await?),
            Way::FunctionPlain => {
                rows.bind(sqlx::query("SELECT append_plain($1, $2, $3, $4)")).execute(connection).await?;
            }
            Way::Transaction => {
                let mut transaction = connection.begin().await?;
                sqlx::query("SELECT pg_advisory_xact_lock('events'::regclass::oid::integer, 1)")
                    .execute(&mut *transaction)
                    .await?;
                let text = behind("(SELECT coalesce(max(position), 0) FROM events)");
                rows.bind(sqlx::query(AssertSqlSafe(text))).execute(&mut *transaction).await?;
                transaction.commit().await?;
            }
            Way::Counter => {
                let text = format!(
                    "WITH given AS (UPDATE counter SET next = next + cardinality($1) RETURNING next - cardinality($1) - 1 AS last) {}, given",
                    behind("last")
                );
                rows.bind(sqlx::query(AssertSqlSafe(text))).execute(connection).await?;
            }
            Way::Optimistic => self.try_until_it_fits(rows).await?,
            Way::Horizon | Way::Careless => {
                let text = format!(
                    "INSERT INTO {COLUMNS} SELECT nextval('positions'), currval('positions'), 0, stream, command, command, header, body FROM {ROWS}"
                );
                rows.bind(sqlx::query(AssertSqlSafe(text))).execute(connection).await?;
            }
        }
        Ok(())
    }

    async fn try_until_it_fits(&mut self, rows: &Rows) -> Result<(), Fault> {
        let text = format!(
            "WITH given AS (UPDATE counter SET next = next + cardinality($1) WHERE next = $5 RETURNING $5 - 1 AS last) {}, given",
            behind("last")
        );
        loop {
            let query = rows.bind(sqlx::query(AssertSqlSafe(text.clone()))).bind(self.next);
            let written = query.execute(&mut self.connection).await?.rows_affected();
            if written > 0 {
                self.next += i64::try_from(written)?;
                return Ok(());
            }
            let next = sqlx::query_scalar("SELECT next FROM counter").fetch_one(&mut self.connection).await?;
            self.next = next;
        }
    }
}

/// What came of a way in one setting.
struct Outcome {
    written: usize,
    missed: usize,
    rate: f64,
}

impl Outcome {
    fn take_better(&mut self, other: &Self) {
        self.rate = self.rate.max(other.rate);
        self.written += other.written;
        self.missed += other.missed;
    }
}

struct Shared {
    drawn: AtomicUsize,
    written: AtomicUsize,
    stop: AtomicBool,
    done: AtomicBool,
}

async fn serve(
    mut server: Server,
    way: Way,
    mut callers: mpsc::Receiver<oneshot::Sender<()>>,
    shared: Arc<Shared>,
) -> Result<(), Fault> {
    while let Some(first) = callers.recv().await {
        let (mut waiting, mut rows) = (vec![first], Rows::default());
        while waiting.len() < GROUP
            && let Ok(caller) = callers.try_recv()
        {
            waiting.push(caller);
        }
        for _ in &waiting {
            rows.add(shared.drawn.fetch_add(1, Ordering::Relaxed));
        }
        server.write(way, &rows).await?;
        shared.written.fetch_add(waiting.len(), Ordering::Relaxed);
        for caller in waiting {
            let _gone = caller.send(());
        }
    }
    Ok(())
}

/// Follows by position as a read model would, and answers how many events it saw.
async fn follow(url: String, way: Way, from: i64, shared: Arc<Shared>) -> Result<usize, Fault> {
    let mut connection = connect(&url, way).await?;
    let text = match way {
        // A lower position may become visible later, in a younger transaction: the order of positions is not the order to read in.
        Way::Horizon => {
            "SELECT position, writer::text FROM events WHERE (writer, position) > ($2::xid8, $1)
             AND writer < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY writer, position LIMIT 2000"
        }
        _ => "SELECT position, '0' FROM events WHERE position > $1 AND $2 = $2 ORDER BY position LIMIT 2000",
    };
    let before: String = sqlx::query_scalar("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
        .fetch_one(&mut connection)
        .await?;
    let (mut seen, mut last) = (0, (from, before));
    loop {
        let done = shared.done.load(Ordering::SeqCst);
        let query = sqlx::query_as(text).bind(last.0).bind(&last.1);
        let found: Vec<(i64, String)> = query.fetch_all(&mut connection).await?;
        seen += found.len();
        match found.last() {
            Some(place) => last = place.clone(),
            None if done => return Ok(seen),
            None => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

async fn measure(
    url: &str,
    way: Way,
    servers: usize,
    writers: usize,
    drawn: &AtomicUsize,
) -> Result<Outcome, Fault> {
    let shared = Arc::new(Shared {
        drawn: AtomicUsize::new(drawn.load(Ordering::Relaxed)),
        written: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
        done: AtomicBool::new(false),
    });
    let mut first = connect(url, way).await?;
    let from =
        sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM events").fetch_one(&mut first).await?;
    let following = tokio::spawn(follow(url.to_owned(), way, from, Arc::clone(&shared)));
    let (mut serving, mut queues) = (Vec::new(), Vec::new());
    for _ in 0..servers {
        let (queue, callers) = mpsc::channel(1024);
        let server = Server { connection: connect(url, way).await?, next: from + 1 };
        serving.push(tokio::spawn(serve(server, way, callers, Arc::clone(&shared))));
        queues.push(queue);
    }
    let watch = Stopwatch::start();
    let mut calling = Vec::new();
    for queue in queues.iter().cycle().take(writers.max(servers)) {
        let (queue, shared) = (queue.clone(), Arc::clone(&shared));
        calling.push(tokio::spawn(async move {
            while !shared.stop.load(Ordering::Relaxed) {
                let (reply, answer) = oneshot::channel();
                if queue.send(reply).await.is_err() || answer.await.is_err() {
                    return;
                }
            }
        }));
    }
    drop(queues);
    tokio::time::sleep(SPELL).await;
    shared.stop.store(true, Ordering::Relaxed);
    for caller in calling {
        caller.await?;
    }
    let elapsed = watch.elapsed();
    for server in serving {
        server.await??;
    }
    shared.done.store(true, Ordering::SeqCst);
    let (seen, written) = (following.await??, shared.written.load(Ordering::Relaxed));
    drawn.store(shared.drawn.load(Ordering::Relaxed), Ordering::Relaxed);
    Ok(Outcome { written, missed: written.saturating_sub(seen), rate: rate(written, elapsed) })
}

async fn prepare(url: &str, way: Way) -> Result<(), Fault> {
    let schema = format!("order_{way:?}").to_lowercase();
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(AssertSqlSafe(format!("DROP SCHEMA IF EXISTS {schema} CASCADE")))
        .execute(&mut connection)
        .await?;
    if way == Way::Function {
        let options = PostgresOptions::parse(url)?.with_schema(&schema)?;
        let journal = PostgresJournal::open(&options, Arc::new(MemoryKeyStore::new()?)).await?;
        guichet_journal::Journal::close(&journal).await;
    } else {
        let make = format!("CREATE SCHEMA {schema}; SET search_path = {schema}; {TABLE}");
        sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut connection).await?;
    }
    Ok(())
}

/// One caller while somebody else keeps a snapshot open, as a dump does: what a counter row leaves behind cannot be cleaned away.
async fn beside_a_dump(url: &str, way: Way, drawn: &AtomicUsize) -> Result<f64, Fault> {
    let mut dump = PgConnection::connect(url).await?;
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")
        .execute(&mut dump)
        .await?;
    let before = measure(url, way, 1, 1, drawn).await?.rate;
    for _ in 0..3 {
        measure(url, way, 1, 1, drawn).await?;
    }
    let after = measure(url, way, 1, 1, drawn).await?.rate;
    sqlx::raw_sql("ROLLBACK").execute(&mut dump).await?;
    Ok(after / before)
}

/// Prints what each way reaches against a sequence without any order.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn run(url: &str) -> Result<(), Fault> {
    let drawn = AtomicUsize::new(0);
    for way in WAYS {
        prepare(url, way).await?;
    }
    println!("order: events a second against a sequence without order, and what a follower missed");
    for (servers, writers) in [(1, 1), (1, 64), (3, 3), (3, 64)] {
        let mut best: Vec<Outcome> = Vec::new();
        for _ in 0..TURNS {
            for (index, way) in WAYS.into_iter().enumerate() {
                let found = measure(url, way, servers, writers, &drawn).await?;
                match best.get_mut(index) {
                    Some(best) => best.take_better(&found),
                    None => best.push(found),
                }
            }
        }
        let floor = best.last().map_or(1.0, |careless| careless.rate);
        for (way, found) in WAYS.into_iter().zip(&best) {
            println!(
                "  {servers} servers, {writers:2} callers  {:14} {:7.0}/s  {:5.2}  missed {} of {}",
                format!("{way:?}"),
                found.rate,
                found.rate / floor,
                found.missed,
                found.written
            );
        }
    }
    println!("the same way a quarter of a minute later, while a dump keeps its snapshot open:");
    for way in [Way::Function, Way::Counter] {
        println!("  {:14} {:5.2}", format!("{way:?}"), beside_a_dump(url, way, &drawn).await?);
    }
    Ok(())
}
