//! Several servers on one PostgreSQL database: one keeps the read models, the others look on and are ready.

use std::io::BufRead;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use guichet_journal::{Body, Expected, Journal, MemoryKeyStore, PostgresJournal, PostgresOptions, StreamId};
use guichet_rules::process::REQUEST_STREAM;
use tokio::time::{Instant, timeout};

use super::ground::Ground;
use super::town::Town;
use super::{SOON, differences, dump, memory, open, run};
use crate::{Claim, Options, Place, ProjectionError, ReadModels};

/// Ends the sessions of the database that a condition names, but not the asking one.
async fn end_sessions(models: &ReadModels, condition: &str) {
    let sql = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND {condition}"
    );
    run(models, &sql).await;
}

/// The session that holds the lead.
const LEADER: &str =
    "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock')";

async fn one_leads(models: &[&ReadModels]) -> usize {
    let began = Instant::now();
    loop {
        if let Some(place) = models.iter().position(|one| one.leads()) {
            assert_eq!(models.iter().filter(|one| one.leads()).count(), 1);
            return place;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "nobody leads");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn equals_a_rebuild(ground: &Ground, models: &ReadModels, journal: &Arc<dyn Journal>) {
    let fresh = open(&ground.place("fresh").await, journal, Options::default()).await;
    fresh.catch_up(SOON).await.unwrap();
    assert_eq!(differences(&dump(models).await, &dump(&fresh).await), Vec::<String>::new());
    fresh.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_writes_and_another_takes_over_when_its_sessions_end() {
    let Some(ground) = Ground::postgres() else { return };
    let (journal, place) = (memory(), ground.place("r").await);
    let mut town = Town::new(Arc::clone(&journal), 31).await;
    let first = open(&place, &journal, Options::default()).await;
    first.wait_for_lead(true).await.unwrap();
    let second = open(&place, &journal, Options { batch_events: 5, ..Options::default() }).await;
    for _ in 0..100 {
        town.step().await;
    }
    for models in [&first, &second] {
        models.catch_up(SOON).await.unwrap();
        assert_eq!(models.status().await.unwrap().position, journal.head().await.unwrap());
        let n = models.cards(&crate::CardQuery::default()).await.unwrap().n;
        assert_eq!(n as usize, town.requests.len());
        // What was published is known to those who look on as well.
        assert!(models.organisation("ville").is_some());
    }
    assert!(first.leads() && !second.leads());
    assert!(first.status().await.unwrap().events > 0 && second.status().await.unwrap().events == 0);
    // The leader's sessions end again and again; whoever leads then goes on where it stood.
    for _ in 0..3 {
        end_sessions(&first, LEADER).await;
        let began = Instant::now();
        town.step().await;
        for models in [&first, &second] {
            models.catch_up(Duration::from_secs(5)).await.unwrap();
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }
    // One is gone altogether.
    let leader = one_leads(&[&first, &second]).await;
    let (gone, left) = if leader == 0 { (first, second) } else { (second, first) };
    drop(gone);
    timeout(Duration::from_secs(5), left.wait_for_lead(true)).await.unwrap().unwrap();
    for _ in 0..40 {
        town.step().await;
    }
    left.catch_up(SOON).await.unwrap();
    equals_a_rebuild(&ground, &left, &journal).await;
    left.close().await;
    ground.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_stands_before_an_event_it_does_not_know_lets_others_lead() {
    let Some(ground) = Ground::postgres() else { return };
    let (journal, place) = (memory(), ground.place("r").await);
    let mut town = Town::new(Arc::clone(&journal), 34).await;
    let first = open(&place, &journal, Options::default()).await;
    timeout(SOON, first.wait_for_lead(true)).await.unwrap().unwrap();
    let second = open(&place, &journal, Options::default()).await;
    while town.requests.is_empty() {
        town.step_new().await;
    }
    let known = &town.requests[0];
    let stream = StreamId::new(&known.tenant, REQUEST_STREAM, known.id.0).unwrap();
    let body = Body::parse(r#"{"data":{}}"#.into()).unwrap();
    let strange = town.append(stream, Expected::Any, "engine", vec![("request.teleported", body)]).await;
    let stopped = first.wait_for(strange.position, SOON).await;
    assert!(matches!(stopped, Err(ProjectionError::Poison(_))), "{stopped:?}");
    timeout(SOON, second.wait_for_lead(true)).await.unwrap().unwrap();
    timeout(SOON, first.wait_for_lead(false)).await.unwrap().unwrap();
    for models in [first, second] {
        models.close().await;
    }
    ground.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_whose_number_is_old_writes_nothing_and_goes_on_with_a_new_one() {
    let Some(ground) = Ground::postgres() else { return };
    let (journal, place) = (memory(), ground.place("r").await);
    let mut town = Town::new(Arc::clone(&journal), 32).await;
    let models = open(&place, &journal, Options::default()).await;
    models.catch_up(SOON).await.unwrap();
    for _ in 0..5 {
        let before = models.status().await.unwrap().position;
        // As if another had taken the lead: the number is drawn, and its row is held while it looks around.
        let mut held = models.database().beside().await.unwrap();
        let mut connection = held.connection();
        let taken = connection.in_transaction(async |connection| {
            connection.run("UPDATE leadership SET epoch = epoch + 1, pid = NULL", &[]).await?;
            town.step().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert_eq!(models.status().await.unwrap().position, before);
            Ok(())
        });
        taken.await.unwrap();
        drop(held);
        models.catch_up(SOON).await.unwrap();
    }
    assert!(models.leads());
    equals_a_rebuild(&ground, &models, &journal).await;
    models.close().await;
    ground.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_every_session_is_cut_it_goes_on_from_the_checkpoint_and_queries_say_so() {
    let Some(ground) = Ground::postgres() else { return };
    let (journal, place) = (memory(), ground.place("r").await);
    let mut town = Town::new(Arc::clone(&journal), 33).await;
    let models = open(&place, &journal, Options { batch_events: 3, ..Options::default() }).await;
    let reader = models.clone();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let watching = tokio::spawn(async move {
        let (mut answers, mut cut) = (0_u32, 0_u32);
        while !*stopped.borrow() {
            match reader.cards(&crate::CardQuery::default()).await {
                Ok(_) => answers += 1,
                Err(ProjectionError::Unavailable { .. }) => cut += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        (answers, cut)
    });
    let watch = open(&ground.place("watch").await, &memory(), Options::default()).await;
    for round in 0..8 {
        for _ in 0..20 {
            town.step().await;
        }
        tokio::time::sleep(Duration::from_millis(10 * round)).await;
        end_sessions_of(&watch, &place).await;
    }
    models.catch_up(SOON).await.unwrap();
    stop.send(true).unwrap();
    let (answers, _) = watching.await.unwrap();
    assert!(answers > 0);
    equals_a_rebuild(&ground, &models, &journal).await;
    models.close().await;
    watch.close().await;
    ground.clear().await;
}

/// Ends every session of another database.
async fn end_sessions_of(watch: &ReadModels, place: &Place) {
    let Place::Postgres(url) = place else { return };
    let (_, database) = url.rsplit_once('/').unwrap();
    let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
    run(watch, &sql).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_that_are_given_up_leave_no_transaction_behind() {
    let Some(ground) = Ground::postgres() else { return };
    let models = open(&ground.place("r").await, &memory(), Options::default()).await;
    models.cards(&crate::CardQuery::default()).await.unwrap();
    for micros in 0..300 {
        let patience = Duration::from_micros(micros * 20);
        let _ = timeout(patience, models.cards(&crate::CardQuery::default())).await;
        // Left behind, it would only let itself be read in.
        for _ in 0..2 {
            models.viewed("ville", "institutions/question").await.unwrap();
        }
    }
    models.close().await;
    ground.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_never_claim_the_same_effect() {
    let Some(ground) = Ground::postgres() else { return };
    let (journal, place) = (memory(), ground.place("r").await);
    let mut town = Town::new(Arc::clone(&journal), 34).await;
    let servers =
        [open(&place, &journal, Options::default()).await, open(&place, &journal, Options::default()).await];
    for _ in 0..250 {
        town.step().await;
    }
    let pending: usize = town.requests.iter().map(|known| known.pending.len()).sum();
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..6_usize {
        let (models, now) = (servers[worker % 2].clone(), town.now);
        workers.spawn(async move {
            models.catch_up(SOON).await.unwrap();
            let holder = format!("worker {worker}");
            let until = now + chrono::Duration::minutes(5);
            let claim = Claim { holder, now, lease_until: until, by: Vec::new(), limit: 3 };
            let mut mine = Vec::new();
            loop {
                let items = models.outbox_claim(&claim).await.unwrap();
                if items.is_empty() {
                    return mine;
                }
                mine.extend(items.into_iter().map(|item| (item.request, item.effect)));
            }
        });
    }
    let mut claimed = workers.join_all().await.concat();
    assert_eq!(claimed.len(), pending);
    claimed.sort();
    claimed.dedup();
    assert_eq!(claimed.len(), pending);
    for models in servers {
        models.close().await;
    }
    ground.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_versions_follow_side_by_side_and_an_effect_is_claimed_once_over_both() {
    let Some(ground) = Ground::postgres() else { return };
    let (journal, place) = (memory(), ground.place("r").await);
    let mut town = Town::new(Arc::clone(&journal), 37).await;
    for _ in 0..150 {
        town.step().await;
    }
    let old = open(&place, &journal, Options::default()).await;
    old.catch_up(SOON).await.unwrap();
    let set = "guichet_models_0000000a";
    let new = ReadModels::open_set(&place, Arc::clone(&journal), Options::default(), set).await.unwrap();
    for _ in 0..50 {
        town.step().await;
    }
    let pending: usize = town.requests.iter().map(|known| known.pending.len()).sum();
    let until = town.now + chrono::Duration::minutes(5);
    let claim = Claim { holder: "x".into(), now: town.now, lease_until: until, by: Vec::new(), limit: 2 };
    for models in [&old, &new] {
        models.catch_up(SOON).await.unwrap();
        assert!(models.leads());
    }
    let mut claimed = Vec::new();
    // In turns; what is reported done by one version stays done for the other, whose tables may lag behind.
    while claimed.len() < pending {
        let models = if claimed.len() % 4 == 0 { &old } else { &new };
        let items = models.outbox_claim(&claim).await.unwrap();
        assert!(!items.is_empty(), "{} of {pending}", claimed.len());
        for item in items {
            models.outbox_done(&item).await.unwrap();
            claimed.push((item.request, item.effect));
        }
    }
    run(&old, "UPDATE outbox_attempt SET leased_until = 1").await;
    for models in [&old, &new] {
        assert!(models.outbox_claim(&claim).await.unwrap().is_empty());
    }
    claimed.sort();
    claimed.dedup();
    assert_eq!(claimed.len(), pending);
    assert_eq!(differences(&dump(&old).await, &dump(&new).await), Vec::<String>::new());
    old.viewed("ville", "institutions/question").await.unwrap();
    let entry = new.catalogue_entry("ville", "institutions/question").await.unwrap().value.unwrap();
    assert_eq!(entry.views, 1);
    let (own, other) = (old.sets().await.unwrap(), new.sets().await.unwrap());
    assert!(own.iter().all(|set| set.in_use) && own.len() == 2 && other.len() == 2);
    assert!(new.drop_left_for(Duration::ZERO).await.unwrap().is_empty());
    for models in [old, new] {
        models.close().await;
    }
    ground.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sets_of_other_versions_are_dropped_when_nobody_uses_them() {
    let Some(ground) = Ground::postgres() else { return };
    let place = ground.place("r").await;
    let models = open(&place, &memory(), Options::default()).await;
    for name in ["guichet_models_00000001", "guichet_models_00000002"] {
        run(&models, &format!("CREATE SCHEMA {name}")).await;
        run(&models, &format!("CREATE TABLE {name}.inbox AS SELECT 1 AS rid")).await;
    }
    // Somebody uses the second.
    let lock = "SELECT pg_advisory_lock_shared(hashtextextended('guichet uses guichet_models_00000002', 0))";
    run(&models, lock).await;
    models.wait_for_lead(true).await.unwrap();
    let sets = models.sets().await.unwrap();
    assert_eq!(sets.len(), 3);
    assert!(sets.iter().all(|set| set.bytes > 0 && set.own == (set.unused_seconds.is_some())));
    assert_eq!(sets.iter().map(|set| set.in_use).collect::<Vec<_>>(), {
        let own = |name: &str| sets.iter().any(|set| set.own && set.name == name);
        sets.iter().map(|set| own(&set.name) || set.name.ends_with('2')).collect::<Vec<_>>()
    });
    assert_eq!(models.drop_left_for(Duration::ZERO).await.unwrap(), ["guichet_models_00000001"]);
    assert_eq!(models.sets().await.unwrap().len(), 2);
    // One that was in use a moment ago stays, unless it is left alone for long.
    run(&models, &lock.replace("lock_shared", "unlock_shared")).await;
    let note = "INSERT INTO guichet_shared.model_set VALUES ('guichet_models_00000002', now())";
    run(&models, note).await;
    assert!(models.drop_unused(Duration::ZERO).await.unwrap().is_empty());
    run(&models, "UPDATE guichet_shared.model_set SET touched = now() - interval '1 hour'").await;
    assert_eq!(models.drop_unused(Duration::ZERO).await.unwrap(), ["guichet_models_00000002"]);
    assert!(models.cards(&crate::CardQuery::default()).await.is_ok());
    models.close().await;
    ground.clear().await;
}

/// The database that a child is to serve; see below.
const CHILD: &str = "GUICHET_TEST_READ_MODELS_CHILD";

async fn shared_journal(url: &str) -> Arc<dyn Journal> {
    let options = PostgresOptions::parse(url).unwrap();
    let keys = Arc::new(MemoryKeyStore::new().unwrap());
    Arc::new(PostgresJournal::open(&options, keys).await.unwrap())
}

/// A server of its own, started by the test below; by itself it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(url) = std::env::var(CHILD) else { return };
    let models = ReadModels::open(&Place::Postgres(url.clone()), shared_journal(&url).await).await.unwrap();
    loop {
        let state = models.status().await.map(|status| status.state);
        println!("child leads={} state={state:?}", models.leads());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits for a line of the child that contains `what`.
fn until_said(lines: &mut impl Iterator<Item = std::io::Result<String>>, what: &str) {
    for _ in 0..400 {
        if lines.next().unwrap().unwrap().contains(what) {
            return;
        }
    }
    panic!("the child never said {what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_leader_is_replaced_and_does_no_harm_when_it_wakes() {
    let Some(ground) = Ground::postgres() else { return };
    let place = ground.place("r").await;
    let Place::Postgres(url) = &place else { return };
    let journal = shared_journal(url).await;
    let mut town = Town::new(Arc::clone(&journal), 35).await;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::servers::child", "--nocapture"])
        .env(CHILD, url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let id = child.id().to_string();
    let signal = |name: &str| {
        let status = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(status.success());
    };
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    until_said(&mut lines, "leads=true");
    let models = open(&place, &journal, Options::default()).await;
    town.step().await;
    models.catch_up(SOON).await.unwrap();
    assert!(!models.leads());
    for _ in 0..20 {
        town.step().await;
    }
    signal("-STOP");
    let began = Instant::now();
    models.wait_for_lead(true).await.unwrap();
    let waited = began.elapsed();
    eprintln!("a frozen leader was replaced after {waited:?}");
    for _ in 0..30 {
        town.step().await;
    }
    models.catch_up(SOON).await.unwrap();
    signal("-CONT");
    until_said(&mut lines, "leads=false");
    for _ in 0..30 {
        town.step().await;
    }
    models.catch_up(SOON).await.unwrap();
    assert!(models.leads() && waited < Duration::from_secs(8), "{waited:?}");
    // The one that was late looks on, and takes over when the other is gone.
    until_said(&mut lines, "state=Ok(Following)");
    equals_a_rebuild(&ground, &models, &journal).await;
    models.close().await;
    drop(models);
    until_said(&mut lines, "leads=true");
    child.kill().unwrap();
    child.wait().unwrap();
    ground.clear().await;
}
