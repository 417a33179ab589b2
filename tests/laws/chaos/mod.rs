//! Three servers over one PostgreSQL under load, and random `kill -9` of the servers and of PostgreSQL: nothing that was
//! acknowledged is lost, no command, timer or effect counts twice, and the read models equal those of a rebuild.

mod check;
mod clients;
mod server;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use guichet::outbound::MemoryOutbound;
use guichet::{Access, Guichet, Holder, Options, Store};
use guichet_tests::cluster::Cluster;
use guichet_tests::workspace;
use uuid::Uuid;

use crate::kill::Numbers;
use server::{FastClock, Slot};

const ROUNDS: u64 = 50;
const SERVERS: usize = 3;
const CLIENTS: u64 = 4;
/// How long anything may take to go on after a death.
const PATIENCE: Duration = Duration::from_secs(90);
const DATABASE: &str = "town";
/// The read models made anew, to compare.
const ANEW: &str = "anew";

/// What the clients and those who kill share.
#[derive(Default)]
struct Town {
    key: String,
    slots: [Slot; SERVERS],
    /// What clients were promised, by command: the request and the revision answered.
    acknowledged: Mutex<HashMap<Uuid, (Uuid, u64)>>,
    count: AtomicUsize,
    /// The clients begin nothing new.
    enough: AtomicBool,
    /// No server is started again.
    over: AtomicBool,
}

impl Town {
    /// Waits until clients were promised something that they were not before.
    fn goes_on(&self, round: u64) {
        let (before, began) = (self.count.load(Ordering::SeqCst), Instant::now());
        while self.count.load(Ordering::SeqCst) < before + 3 {
            assert!(began.elapsed() < PATIENCE, "round {round}: nothing went on for {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn fifty_kills_of_three_servers_and_of_their_database_lose_nothing_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // The database's own user must get through to its files.
    open_to_all(folder.path());
    let Some(mut cluster) = Cluster::start_new(&folder.path().join("cluster")) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let clock = FastClock::new();
    let key = runtime.block_on(prepared(&cluster, folder.path(), &clock));
    let town = Town { key, ..Town::default() };
    let url = cluster.url(DATABASE);
    let mut killed = (0, 0);
    std::thread::scope(|scope| {
        for (number, slot) in town.slots.iter().enumerate() {
            let (town, url, clock, folder) = (&town, &url, &clock, folder.path());
            scope.spawn(move || slot.keep(number, folder, url, clock, &town.over));
        }
        let clients: Vec<_> = (1..=CLIENTS)
            .map(|seed| {
                let town = &town;
                scope.spawn(move || clients::client(town, &mut Numbers(0xc11e_0000 + seed)))
            })
            .collect();
        // Whatever goes wrong, the servers and clients end, and with them this scope.
        let end = End(&town);
        town.goes_on(0);
        let mut numbers = Numbers(0xdead_5eed);
        for round in 1..=ROUNDS {
            std::thread::sleep(Duration::from_millis(50 + numbers.next(400)));
            if numbers.next(5) == 0 {
                cluster.kill();
                std::thread::sleep(Duration::from_millis(numbers.next(400)));
                cluster.start();
                killed.1 += 1;
            } else {
                let victim = usize::try_from(numbers.next(3)).unwrap();
                killed.0 += usize::from(town.slots[victim].kill());
            }
            town.goes_on(round);
        }
        town.enough.store(true, Ordering::SeqCst);
        clients.into_iter().for_each(|client| client.join().unwrap());
        runtime.block_on(check::everything_goes_out(&town, &url, folder.path(), &clock));
        drop(end);
    });
    println!(
        "killed: {} servers, {} databases; {} commands acknowledged",
        killed.0,
        killed.1,
        town.count.load(Ordering::SeqCst)
    );
    assert!(killed.0 > 20 && killed.1 > 4, "{killed:?}");
    runtime.block_on(check::all(&town, &cluster, folder.path(), &clock));
}

/// Ends the servers and the clients, also when the test breaks off.
struct End<'a>(&'a Town);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.enough.store(true, Ordering::SeqCst);
        self.0.over.store(true, Ordering::SeqCst);
        for slot in &self.0.slots {
            slot.kill();
        }
    }
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Makes the databases and a data folder for each server, publishes the catalogue, and gives the key of an agent.
async fn prepared(cluster: &Cluster, folder: &Path, clock: &FastClock) -> String {
    use sqlx::Connection;
    let mut connection = sqlx::PgConnection::connect(&cluster.url("postgres")).await.unwrap();
    for database in [DATABASE, ANEW] {
        let sql = format!("CREATE DATABASE {database}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    let first = server::data(folder, 0);
    let guichet = opened(&cluster.url(DATABASE), &first, clock).await;
    guichet.publish_folder(&workspace().join("processes/chalons")).await.unwrap();
    let organisation = guichet.engine().definitions().organisation("ville").unwrap();
    let agent = organisation.holders("ambassadrice").next().unwrap().person.clone();
    let access = Access::open(&first).unwrap();
    let key = access.create("ville", Holder::Agent(agent), guichet.ambient().as_ref()).unwrap();
    guichet.close().await;
    for number in 1..SERVERS {
        let other = server::data(folder, number);
        std::fs::create_dir_all(&other).unwrap();
        for file in ["master.key", "access.json"] {
            std::fs::copy(first.join(file), other.join(file)).unwrap();
        }
    }
    key
}

/// A look at the town from outside, without workers.
async fn opened(url: &str, data: &Path, clock: &FastClock) -> Guichet {
    let options = Options::new(data)
        .store(Store::parse(url).unwrap())
        .ambient(std::sync::Arc::new(clock.surroundings()))
        .outbound(std::sync::Arc::new(MemoryOutbound::default()));
    Guichet::open(options).await.unwrap()
}
