//! Simulated towns: the same seed is the same town, and the demonstration is one command.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};
use guichet::ambient::Surroundings;
use guichet::engine::Span;
use guichet::engine::rules::request::ClockStatus;
use guichet::import::Areas;
use guichet::simulation::{Figures, Lived, Month, Post, TownClock, live};
use guichet::{Guichet, Options};

use crate::support::{guichet as program, repository, run};

const WEEK: u32 = 7;

/// A week of a small town: what was lived, every history, and the dashboard.
async fn week(data: &Path, seed: u64) -> (Lived, BTreeMap<String, Vec<serde_json::Value>>, String) {
    let from = NaiveDate::from_ymd_opt(2026, 5, 4).unwrap();
    let until = from + TimeDelta::days(i64::from(WEEK) - 1);
    let clock = Arc::new(TownClock::at(from.and_hms_opt(0, 0, 0).unwrap().and_utc() - TimeDelta::days(1)));
    let surroundings = Arc::new(Surroundings::with_clock(Arc::<TownClock>::clone(&clock)));
    let options = Options::new(data).ambient(surroundings).outbound(Arc::new(Post::new(seed)));
    let guichet = Guichet::in_memory(options).await.unwrap();
    let folder = repository().join("processes/chalons");
    guichet.publish_folder(&folder).await.unwrap();
    let areas = Areas::read(&std::fs::read_to_string(folder.join("areas.geojson")).unwrap());
    let days = Month { from, until, permille: 150 };
    let (lived, figures) = live(&guichet, clock.manual(), seed, &days, &areas, &mut |_, _| {}).await.unwrap();
    agrees(&guichet, &lived, &figures).await;
    let mut histories = BTreeMap::new();
    for (tenant, request) in &lived.received {
        let mut events = Vec::new();
        for entry in guichet.history(tenant, *request, &Span::default(), true).await.unwrap() {
            let mut body = serde_json::to_value(&entry.event).unwrap();
            forget_chance(&mut body);
            events.push(serde_json::json!([
                entry.revision,
                entry.event.what.name(),
                entry.meta.occurred_at,
                entry.meta.recorded_at,
                entry.meta.actor,
                body,
            ]));
        }
        histories.insert(request.to_string(), events);
    }
    guichet.read_models().catch_up(std::time::Duration::from_secs(60)).await.unwrap();
    let dashboard = serde_json::to_string(&guichet.dashboard(None).await.unwrap()).unwrap();
    guichet.close().await;
    (lived, histories, dashboard)
}

/// What the simulation says of a town it lived in memory is what the engine's journal says of the same town.
async fn agrees(guichet: &Guichet, lived: &Lived, figures: &Figures) {
    let (mut events, mut stages, mut kept, mut late) = (0, BTreeMap::new(), 0, 0);
    for (tenant, request) in &lived.received {
        let known = guichet.request(tenant, *request).await.unwrap();
        events += known.revision + 1;
        *stages.entry(known.request.stage.id()).or_insert(0) += 1;
        let ended = |status: ClockStatus| {
            u64::try_from(known.request.clocks.iter().filter(|clock| clock.status == status).count()).unwrap()
        };
        kept += ended(ClockStatus::Kept);
        late += ended(ClockStatus::Late);
    }
    assert_eq!((lived.requests, lived.timers), (figures.received, figures.timers));
    assert_eq!((&stages, events), (&figures.stages, figures.events));
    assert_eq!((kept, late), (figures.kept().kept, figures.kept().late));
    assert!(kept > 50, "{kept} {late}");
    // Everybody is somewhere.
    assert_eq!(figures.received, figures.stages.values().sum::<u64>());
}

/// Takes out what is drawn by the machine and not by the seed.
fn forget_chance(body: &mut serde_json::Value) {
    match body {
        serde_json::Value::Object(object) => {
            object.remove("tracking_digest");
            object.remove("tracking");
            object.values_mut().for_each(forget_chance);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(forget_chance),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_seed_is_the_same_town() {
    let (one, two, other) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, histories, dashboard) = week(one.path(), 7).await;
    let (second, histories_again, dashboard_again) = week(two.path(), 7).await;
    assert!(first.requests > 30, "{first:?}");
    assert_eq!(first, second);
    for (request, events) in &histories {
        assert_eq!(Some(events), histories_again.get(request), "{request}");
    }
    assert_eq!(dashboard, dashboard_again);
    let (third, ..) = week(other.path(), 8).await;
    assert_ne!(first.received, third.received);
}

#[test]
fn the_demonstration_prints_its_month_and_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("town");
    let demo = run(&data, &["demo", "--exit", "--busy", "60", "--seed", "3"]);
    assert_eq!(demo.code, 0, "{}", demo.err);
    for words in ["Tableau de bord", "étape", "canal", "thème", "à temps ÷", "économie"] {
        assert!(demo.out.contains(words), "{words}: {}", demo.out);
    }
    assert_eq!(run(&data, &["verify"]).code, 0);
    let refused = run(&data, &["demo", "--exit"]);
    assert_eq!(refused.code, 2, "a demonstration does not write over data");
    let csv = run(&data, &["stats", "--format", "csv"]);
    assert!(csv.out.starts_with("section,key,requests,open,delivered,"), "{}", csv.out);
}

#[test]
fn a_second_program_may_look_into_a_folder_but_not_write_there() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("town");
    assert_eq!(run(&data, &["publish", "processes/chalons"]).code, 0);
    let mut server = program(&data, &["serve", "--listen", "127.0.0.1:0"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // Its first line says that it listens, and so that it holds the folder.
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(server.stdout.take().unwrap()), &mut line)
        .unwrap();
    let looked = run(&data, &["stats"]);
    let refused = run(&data, &["publish", "processes/chalons"]);
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(looked.code, 0, "{line}{}", looked.err);
    assert_eq!(refused.code, 3, "{line}{}", refused.err);
    assert!(refused.err.contains("est utilisé par un autre guichet"), "{}", refused.err);
    assert_eq!(refused.err.lines().count(), 1);
}
