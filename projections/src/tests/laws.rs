use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use guichet_journal::{Body, Expected, Journal, SqliteJournal, StreamId};
use guichet_rules::process::REQUEST_STREAM;
use proptest::prelude::*;

use super::ground::Ground;
use super::town::Town;
use super::{SOON, differences, dump, memory, open, run};
use crate::models::ALL;
use crate::runner::{Held, States, Trace};
use crate::{Options, Place, ProjectionError, ReadModels, RunState};

on_each_place!(
    the_journal_on_disk_gives_the_same_tables_however_often_it_is_read,
    readers_never_see_a_gap_while_it_is_rebuilt,
    whoever_holds_a_receipt_can_wait_for_it,
    an_event_of_a_newer_version_stops_it_in_front_and_says_so,
    another_version_is_rebuilt_at_the_start_and_others_are_left_alone,
    a_journal_from_an_older_backup_makes_it_begin_again,
);

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// How a run is disturbed before the next stretch of history.
#[derive(Debug, Clone, Copy)]
enum Disturbance {
    Nothing,
    Restart { batch_events: usize, states: usize },
    CutBeforeCommit { after: i64 },
    Rebuild,
}

fn disturbance() -> impl Strategy<Value = Disturbance> {
    prop_oneof![
        Just(Disturbance::Nothing),
        (1_usize..40, 1_usize..12)
            .prop_map(|(batch_events, states)| Disturbance::Restart { batch_events, states }),
        (0_i64..3).prop_map(|after| Disturbance::CutBeforeCommit { after }),
        Just(Disturbance::Rebuild),
    ]
}

async fn live_equals_rebuilt(ground: &Ground, seed: u64, stretches: Vec<(usize, Disturbance)>) {
    let journal = memory();
    let place = ground.place("r").await;
    let mut town = Town::new(Arc::clone(&journal), seed).await;
    let mut models = open(&place, &journal, Options::default()).await;
    for (steps, disturbance) in stretches {
        match disturbance {
            Disturbance::Nothing => {}
            Disturbance::Restart { batch_events, states } => {
                // Dropped wherever it is: in the middle of a batch, or between folding and writing.
                drop(models);
                let options = Options {
                    batch_events,
                    open_states: states,
                    rebuild_states: states,
                    finished_states: 1,
                    folders: states % 4,
                };
                models = open(&place, &journal, options).await;
            }
            Disturbance::CutBeforeCommit { after } => {
                models.inner().commits_left.store(after, Ordering::SeqCst)
            }
            Disturbance::Rebuild => {
                models.rebuild(&["inbox", "outbox", "statistics"]).await.unwrap();
            }
        }
        for _ in 0..steps {
            town.step().await;
            town.record().await;
        }
    }
    models.catch_up(SOON).await.unwrap();
    let live = dump(&models).await;
    assert!(live.iter().any(|line| line.starts_with("timeline")), "nothing happened");
    let fresh = open(&ground.place("fresh").await, &journal, Options::default()).await;
    fresh.catch_up(SOON).await.unwrap();
    assert_eq!(differences(&live, &dump(&fresh).await), Vec::<String>::new(), "live and from zero");
    models.rebuild(&[]).await.unwrap();
    assert_eq!(differences(&live, &dump(&models).await), Vec::<String>::new(), "live and rebuilt beside");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rebuilt_read_model_equals_the_live_one_whatever_disturbed_it(
        seed: u64,
        stretches in proptest::collection::vec((1_usize..60, disturbance()), 1..6),
    ) {
        runtime().block_on(async {
            live_equals_rebuilt(&Ground::sqlite(), seed, stretches.clone()).await;
            if let Some(ground) = Ground::postgres().filter(|_| seed % 8 == 0) {
                live_equals_rebuilt(&ground, seed, stretches).await;
                ground.clear().await;
            }
        });
    }
}

async fn the_journal_on_disk_gives_the_same_tables_however_often_it_is_read(ground: Ground) {
    let folder = tempfile::tempdir().unwrap();
    let journal: Arc<dyn Journal> = Arc::new(SqliteJournal::open(&folder.path().join("data")).await.unwrap());
    let place = ground.place("r").await;
    let mut town = Town::new(Arc::clone(&journal), 8).await;
    let models = open(&place, &journal, Options { batch_events: 7, ..Options::default() }).await;
    for _ in 0..120 {
        town.step().await;
        town.record().await;
    }
    models.catch_up(SOON).await.unwrap();
    let live = dump(&models).await;
    for table in ["subscription", "consent", "support", "alert_step", "alert_recipient", "idea"] {
        assert!(live.iter().any(|line| line.starts_with(&format!("{table}:"))), "{table}");
    }
    models.rebuild(&[]).await.unwrap();
    assert_eq!(differences(&live, &dump(&models).await), Vec::<String>::new());
    // The journal closes first, as at the end of the program; the rows stay, and the rest follows after a restart.
    journal.close().await;
    drop((models, journal, town));
    let journal: Arc<dyn Journal> = Arc::new(SqliteJournal::open(&folder.path().join("data")).await.unwrap());
    let models = open(&place, &journal, Options::default()).await;
    models.catch_up(SOON).await.unwrap();
    assert_eq!(differences(&live, &dump(&models).await), Vec::<String>::new());
}

async fn readers_never_see_a_gap_while_it_is_rebuilt(ground: Ground) {
    let journal = memory();
    let mut town = Town::new(Arc::clone(&journal), 2).await;
    let models = open(&ground.place("r").await, &journal, Options::default()).await;
    for _ in 0..300 {
        town.step().await;
    }
    models.catch_up(SOON).await.unwrap();
    let reader = models.clone();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let watching = tokio::spawn(async move {
        let (mut seen, mut position, mut reads) = (0, None, 0_u32);
        while !*stopped.borrow() {
            let answer = reader.cards(&crate::CardQuery::default()).await.unwrap();
            assert!(answer.n >= seen && answer.as_of >= position, "{} after {seen}", answer.n);
            assert!(reader.statistics(&crate::StatisticsQuery::default()).await.unwrap().n >= seen);
            (seen, position, reads) = (answer.n, answer.as_of, reads + 1);
        }
        reads
    });
    let writing = async {
        for _ in 0..200 {
            town.step().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let rebuilding = async {
        for _ in 0..3 {
            let rebuilt = models.rebuild(&[]).await.unwrap();
            assert!(rebuilt.events > 300 && rebuilt.names.len() == ALL.len(), "{rebuilt:?}");
        }
    };
    tokio::join!(writing, rebuilding);
    stop.send(true).unwrap();
    assert!(watching.await.unwrap() > 10);
    models.catch_up(SOON).await.unwrap();
    let live = dump(&models).await;
    let fresh = open(&ground.place("fresh").await, &journal, Options::default()).await;
    fresh.catch_up(SOON).await.unwrap();
    assert_eq!(differences(&live, &dump(&fresh).await), Vec::<String>::new());
}

async fn whoever_holds_a_receipt_can_wait_for_it(ground: Ground) {
    let journal = memory();
    let mut town = Town::new(Arc::clone(&journal), 3).await;
    let models = open(&ground.place("r").await, &journal, Options::default()).await;
    let mut last = None;
    for _ in 0..80 {
        let Some(receipt) = town.step().await else { continue };
        models.wait_for(receipt.position, SOON).await.unwrap();
        let stream = receipt.events[0].stream().to_owned();
        let known = town.requests.iter().find(|known| stream.ends_with(&known.id.to_string())).unwrap();
        let card = models.card(known.tenant.as_str(), known.id).await.unwrap();
        assert!(card.as_of >= Some(receipt.position));
        assert_eq!(card.value.unwrap().revision, known.revision);
        // Another collectivity does not learn that it exists.
        assert_eq!(models.card("agglo", known.id).await.unwrap().value, None);
        last = Some(receipt.position);
    }
    assert_eq!(models.status().await.unwrap().position, last);
    let far = "ffffffffffffff00".parse().unwrap();
    let late = models.wait_for(far, Duration::from_millis(20)).await;
    assert!(matches!(late, Err(ProjectionError::Timeout { reached, .. }) if reached == last));
}

async fn an_event_of_a_newer_version_stops_it_in_front_and_says_so(ground: Ground) {
    let journal = memory();
    let place = ground.place("r").await;
    let mut town = Town::new(Arc::clone(&journal), 4).await;
    for _ in 0..40 {
        town.step().await;
    }
    let known = &town.requests[0];
    let stream = StreamId::new(&known.tenant, REQUEST_STREAM, known.id.0).unwrap();
    let before = journal.head().await.unwrap().unwrap();
    let body = Body::parse(r#"{"data":{"secret":"Marie"}}"#.into()).unwrap();
    let strange = town.append(stream, Expected::Any, "engine", vec![("request.teleported", body)]).await;
    for _ in 0..5 {
        let known = town.requests.len();
        while town.requests.len() == known {
            town.step_new().await;
        }
    }
    let models = open(&place, &journal, Options::default()).await;
    let stopped = models.catch_up(SOON).await.unwrap_err();
    let ProjectionError::Poison(poison) = &stopped else { panic!("{stopped}") };
    assert_eq!((poison.position, poison.event_type.as_str()), (strange.position, "request.teleported"));
    assert!(
        stopped.to_string().contains("newer version") && !stopped.to_string().contains("Marie"),
        "{stopped}"
    );
    let status = models.status().await.unwrap();
    assert_eq!((status.position, status.caught_up), (Some(before), false));
    assert!(matches!(status.state, RunState::Stopped { at, .. } if at == strange.position));
    // Everything before it is served, nothing behind it.
    models.wait_for(before, SOON).await.unwrap();
    let n = models.cards(&crate::CardQuery::default()).await.unwrap().n;
    assert_eq!(n as usize, town.requests.len() - 5);
    // It stands there again after a restart, and a rebuild up to there works.
    drop(models);
    let models = open(&place, &journal, Options::default()).await;
    assert!(matches!(models.catch_up(SOON).await, Err(ProjectionError::Poison(_))));
    assert_eq!(models.rebuild(&[]).await.unwrap().position, Some(before));
}

async fn another_version_is_rebuilt_at_the_start_and_others_are_left_alone(ground: Ground) {
    let journal = memory();
    let place = ground.place("r").await;
    let mut town = Town::new(Arc::clone(&journal), 5).await;
    for _ in 0..120 {
        town.step().await;
    }
    let models = open(&place, &journal, Options::default()).await;
    models.catch_up(SOON).await.unwrap();
    let right = dump(&models).await;
    {
        for sql in [
            "DROP TABLE inbox",
            "CREATE TABLE inbox (old INTEGER)",
            "UPDATE read_model SET version = 0 WHERE name = 'inbox'",
            // A mark that only a rebuild would take away.
            "UPDATE timers SET tenant = 'marked'",
        ] {
            run(&models, sql).await;
        }
    }
    drop(models);
    let models = open(&place, &journal, Options::default()).await;
    let now = dump(&models).await;
    let inbox =
        |lines: &[String]| lines.iter().filter(|l| l.starts_with("inbox")).cloned().collect::<Vec<_>>();
    assert_eq!(inbox(&right), inbox(&now));
    assert!(!inbox(&now).is_empty() && now.iter().any(|line| line.contains("'marked'")));
}

async fn a_journal_from_an_older_backup_makes_it_begin_again(ground: Ground) {
    let journal = memory();
    let place = ground.place("r").await;
    let mut town = Town::new(Arc::clone(&journal), 6).await;
    for _ in 0..60 {
        town.step().await;
    }
    let models = open(&place, &journal, Options::default()).await;
    models.catch_up(SOON).await.unwrap();
    drop(models);
    let older = memory();
    let mut town = Town::new(Arc::clone(&older), 6).await;
    town.step().await;
    let models = open(&place, &older, Options::default()).await;
    models.catch_up(SOON).await.unwrap();
    assert_eq!(models.cards(&crate::CardQuery::default()).await.unwrap().n, town.requests.len() as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_database_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.db");
    std::fs::write(&path, vec![7; 8192]).unwrap();
    let error = ReadModels::open(&Place::Sqlite(path), memory()).await.unwrap_err();
    assert!(error.to_string().contains("not a database"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finished_requests_take_no_more_memory_and_never_push_out_an_open_one() {
    let mut town = Town::new(memory(), 7).await;
    for _ in 0..1_500 {
        town.step().await;
    }
    let (finished, open): (Vec<_>, Vec<_>) =
        town.requests.iter().partition(|known| known.request.stage.is_finished());
    assert!(finished.len() > 20 && open.len() >= 10, "{} {}", finished.len(), open.len());
    let held = |known: &super::town::Known| Held {
        request: known.request.clone(),
        trace: Trace::default(),
        rid: 1,
        revision: known.revision,
    };
    let mut states = States::new(10, 2);
    for known in open.iter().take(10).chain(&finished) {
        states.put((0, known.id.0), held(known));
    }
    assert_eq!(states.len(), (10, 2));
    assert!(open.iter().take(10).all(|known| states.take(&(0, known.id.0)).is_some()));
    // One that is finished now no longer stands among the open ones.
    states.put((0, finished[0].id.0), held(finished[0]));
    assert!(states.take(&(0, finished[0].id.0)).is_some() && states.len() == (0, 1));
}
