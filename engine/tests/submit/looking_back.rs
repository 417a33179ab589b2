use guichet_engine::rules::request::{Actor, Stage, What};
use guichet_engine::{Clock, Span};

use crate::town::{Town, note, qualify, submission};

#[tokio::test]
async fn a_request_is_seen_as_it_was_and_as_it_was_known() {
    let town = Town::new().await;
    let request = town.pothole(1).await.unwrap().request;
    let received = town.around.now();
    town.later(4);
    town.act(2, request, qualify()).await.unwrap();
    let qualified = town.around.now();
    town.later(20);
    // Noted on paper two hours after the request came in, typed in the next day.
    let mut told_late = submission(3, Some(request), note("vu sur place"), Actor::Agent("a01".into()));
    told_late.occurred_at = Some(received + chrono::TimeDelta::hours(2));
    town.engine.submit(told_late).await.unwrap();

    let at = async |span: Span| town.engine.replay("ville", request, &span).await.unwrap();
    let before = Span { at: Some(received - chrono::TimeDelta::seconds(1)), as_known_at: None };
    assert_eq!(at(before).await, None);
    let then = at(Span { at: Some(received), as_known_at: None }).await.unwrap();
    assert_eq!(then.stage, Stage::Received);
    let now = at(Span::default()).await.unwrap();
    assert_eq!(
        now,
        *town.engine.state("ville", request).await.unwrap().request,
        "a replay is the state kept live"
    );

    let noted = async |span: Span| {
        let history = town.engine.history("ville", request, &span, false).await.unwrap();
        history.iter().any(|entry| matches!(entry.event.what, What::Noted(_)))
    };
    let three_hours = received + chrono::TimeDelta::hours(3);
    assert!(noted(Span { at: Some(three_hours), as_known_at: None }).await, "it had happened by then");
    assert!(!noted(Span { at: Some(three_hours), as_known_at: Some(qualified) }).await, "nobody knew it yet");
}

#[tokio::test]
async fn personal_words_are_read_only_when_they_are_opened() {
    let town = Town::new().await;
    let request = town.pothole(1).await.unwrap().request;
    town.act(2, request, note("l’usager a rappelé")).await.unwrap();
    let text = async |open: bool| {
        let history = town.engine.history("ville", request, &Span::default(), open).await.unwrap();
        history.into_iter().find_map(|entry| match entry.event.what {
            What::Noted(noted) => Some(noted.text),
            _ => None,
        })
    };
    assert_eq!(text(true).await.unwrap().known().map(String::as_str), Some("l’usager a rappelé"));
    assert_eq!(text(false).await.unwrap().known(), None);
}

#[tokio::test]
async fn when_its_key_is_destroyed_a_history_reads_erased_and_still_replays() {
    let town = Town::new().await;
    let request = town.pothole(1).await.unwrap().request;
    town.act(2, request, qualify()).await.unwrap();
    let before = town.engine.state("ville", request).await.unwrap().request;
    for recorded in town.engine.recorded("ville", request).await.unwrap() {
        for kid in &recorded.header().unwrap().keys {
            town.engine.journal().keys().destroy(kid).await.unwrap();
        }
    }
    let history = town.engine.history("ville", request, &Span::default(), true).await.unwrap();
    let What::Received(received) = &history[0].event.what else { panic!("it begins with `received`") };
    assert!(received.tracking.is_erased() && received.requester.contact.as_ref().unwrap().is_erased());
    let after = town.engine.replay("ville", request, &Span::default()).await.unwrap().unwrap();
    assert_eq!(after, *before, "what is not personal stays as it was");
}

#[tokio::test]
async fn a_census_knows_every_request_as_it_stands_however_many_threads_fold() {
    let town = Town::new().await;
    let mut requests = Vec::new();
    for number in 0..40 {
        let request = town.pothole(1000 + number).await.unwrap().request;
        if number % 3 == 0 {
            town.act(2000 + number, request, qualify()).await.unwrap();
        }
        requests.push(request);
    }
    for threads in 1..=3 {
        let census = town.engine.census(threads.try_into().unwrap()).await.unwrap();
        assert_eq!(census.len(), requests.len());
        assert_eq!(census.through(), town.engine.journal().head().await.unwrap());
        let mut events = 0;
        for (tenant, id, request) in census.iter() {
            assert_eq!(*request, *town.engine.state(tenant, id).await.unwrap().request);
            events += town.engine.recorded(tenant, id).await.unwrap().len();
        }
        assert_eq!(census.events(), events as u64);
    }
}
