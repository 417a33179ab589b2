//! Timers and messages, step by step.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use guichet::engine::rules::request::{ClockStatus, RequestId};
use guichet::outbound::{Means, OutMessage, Outbound, SendError};
use guichet::workers::{Outbox, Timers};
use serde_json::json;

use crate::support::Town;

async fn id(town: &Town) -> RequestId {
    RequestId(town.pothole().await.json["request"].as_str().unwrap().parse().unwrap())
}

#[tokio::test]
async fn the_acknowledgement_goes_out_once_and_stops_its_clock() {
    let town = Town::new().await;
    let request = id(&town).await;
    town.send_all().await;
    let sent = town.sent.sent();
    let letter = sent.iter().find(|message| message.to == "jeanne@exemple.example").unwrap();
    assert_eq!(letter.means, Means::Email);
    assert!(letter.subject.starts_with("Merci de votre signalement"), "{}", letter.subject);
    assert!(letter.text.contains("5 novembre 2026"), "{}", letter.text);
    assert!(letter.text.contains("Chaussée abîmée"), "{}", letter.text);
    assert!(letter.id.starts_with(&request.to_string()));
    let known = town.guichet.request("ville", request).await.unwrap();
    assert_eq!(known.request.clock("acknowledgement").unwrap().status, ClockStatus::Kept);
    town.send_all().await;
    assert_eq!(town.sent.sent().len(), sent.len(), "nothing goes out twice");
}

#[tokio::test]
async fn people_of_the_town_hall_never_read_the_code_or_a_name_in_a_mail() {
    let town = Town::new().await;
    let received = town.pothole().await;
    let (request, code) =
        (received.json["request"].as_str().unwrap(), received.json["tracking_code"].as_str().unwrap());
    let path = format!("/v1/ville/requests/{request}/commands");
    town.post(&path, Some(&town.agent("a01")), &json!({ "command": "qualify" })).await;
    town.send_all().await;
    let staff: Vec<OutMessage> =
        town.sent.sent().into_iter().filter(|message| message.to != "jeanne@exemple.example").collect();
    assert!(!staff.is_empty(), "the service is told");
    for message in staff {
        let all = format!("{} {}", message.subject, message.text);
        assert!(!all.contains(code) && !all.contains("Jeanne"), "{all}");
    }
}

#[tokio::test]
async fn a_promise_breaks_at_its_instant_however_late_the_timer_fires() {
    let town = Town::new().await;
    let request = id(&town).await;
    town.send_all().await;
    assert_eq!(town.fire().await, 0);
    town.move_to("2026-11-09T08:00:00Z");
    assert!(town.fire().await >= 3, "two warnings and the breach");
    assert_eq!(town.fire().await, 0, "each fires once");
    let history = town.guichet.history("ville", request, &Default::default(), false).await.unwrap();
    let names: Vec<&str> = history.iter().map(|entry| entry.event.what.name()).collect();
    let broken = history.iter().find(|e| e.event.what.name() == "request.commitment_broken").unwrap();
    assert_eq!(
        broken.meta.occurred_at,
        "2026-11-05T16:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap(),
        "{names:?}"
    );
    let at: Vec<_> = history
        .iter()
        .filter(|e| e.meta.actor == "engine" && e.event.what.name().contains("commitment"))
        .map(|e| e.meta.occurred_at)
        .collect();
    assert!(at.is_sorted(), "in the order of their instants: {at:?}");
}

/// Fails as long as it is told to.
struct Moody {
    failures: AtomicUsize,
    error: SendError,
}

#[async_trait]
impl Outbound for Moody {
    async fn send(&self, _: &OutMessage) -> Result<(), SendError> {
        let left = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if left.is_ok() { Err(self.error.clone()) } else { Ok(()) }
    }
}

async fn moody(failures: usize, error: SendError) -> Town {
    Town::sending(Some(Arc::new(Moody { failures: AtomicUsize::new(failures), error }))).await
}

#[tokio::test]
async fn what_may_pass_is_tried_again_after_a_wait() {
    let town = moody(1, SendError::Later("the mail server answered 450".into())).await;
    let request = id(&town).await;
    let outbox = Outbox::new(&town.guichet).in_order();
    assert_eq!(outbox.run_once(town.guichet.now()).await.unwrap().postponed, 1);
    assert_eq!(outbox.run_once(town.guichet.now()).await.unwrap().claimed, 0, "not at once");
    let later = town.move_to("2026-11-03T09:05:00Z");
    assert_eq!(outbox.run_once(later).await.unwrap().done, 1);
    let known = town.guichet.request("ville", request).await.unwrap();
    assert!(known.request.acknowledged_at.is_some());
}

#[tokio::test]
async fn what_cannot_pass_is_reported_and_left() {
    let town = moody(usize::MAX, SendError::Never("the mail server answered 550".into())).await;
    let request = id(&town).await;
    let outbox = Outbox::new(&town.guichet).in_order();
    assert_eq!(outbox.run_once(town.guichet.now()).await.unwrap().failed, 1);
    let history = town.guichet.history("ville", request, &Default::default(), false).await.unwrap();
    assert!(history.iter().any(|entry| entry.event.what.name() == "request.notification_failed"));
    assert_eq!(outbox.run_once(town.guichet.now()).await.unwrap().claimed, 0);
}

#[tokio::test]
async fn a_crash_between_sending_and_reporting_doubles_nothing_in_the_journal() {
    let town = Town::new().await;
    let request = id(&town).await;
    let first = Outbox::new(&town.guichet).in_order();
    first.run_once(town.guichet.now()).await.unwrap();
    town.guichet.read_models().catch_up(std::time::Duration::from_secs(10)).await.unwrap();
    let before = town.guichet.request("ville", request).await.unwrap().revision;
    // The read models are made again from nothing, as after the loss of their file.
    town.guichet.read_models().rebuild(&[]).await.unwrap();
    Outbox::new(&town.guichet).in_order().run_once(town.guichet.now()).await.unwrap();
    Timers::new(&town.guichet).run_once(town.guichet.now()).await.unwrap();
    assert_eq!(town.guichet.request("ville", request).await.unwrap().revision, before);
}
