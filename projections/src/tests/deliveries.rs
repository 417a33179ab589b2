//! Webhooks: who is claimed, what a turn leaves behind, and that a rebuild makes the same rows.

use std::sync::Arc;

use guichet_rules::records::WebhookEvent;
use guichet_rules::records::webhook::{
    Disablement, Subscription, Webhook, WebhookDisabled, WebhookRegistered, WebhookRemoved, WebhookStanding,
    personal,
};
use guichet_rules::request::RequestId;
use uuid::Uuid;

use super::ground::Ground;
use super::town::Town;
use super::{SOON, differences, dump, memory, open};
use crate::{EndpointClaim, Options, Parked, ReadModels, Settled};

on_each_place!(
    a_turn_is_settled_once_and_what_was_not_taken_waits,
    a_rebuild_leaves_deliveries_alone_and_makes_the_same_rows,
);

const HOOK: Uuid = Uuid::from_u128(0x0198_c6a2_0000_7000_8000_0000_0000_00a1);

fn registered() -> WebhookEvent {
    WebhookRegistered {
        address: personal("https://portail.example/".into()),
        secret: personal("whsec_AAAA".into()),
        subscription: Subscription { active: true, ..Subscription::default() },
    }
    .into()
}

async fn happen(town: &mut Town, events: &[WebhookEvent]) {
    for event in events {
        town.publish("ville", ("webhook", HOOK), event.name(), event).await;
    }
}

fn claim(town: &Town, models: &ReadModels, holder: &str, later: i64) -> EndpointClaim {
    let now = town.now + chrono::Duration::minutes(later);
    let head = models.inner().progress.borrow().position.unwrap();
    EndpointClaim {
        holder: holder.into(),
        now,
        lease_until: now + chrono::Duration::minutes(3),
        head,
        limit: 8,
    }
}

async fn a_turn_is_settled_once_and_what_was_not_taken_waits(ground: Ground) {
    let (journal, place) = (memory(), ground.place("r").await);
    let mut town = Town::new(Arc::clone(&journal), 5).await;
    happen(&mut town, &[registered()]).await;
    for _ in 0..20 {
        town.step().await;
    }
    let models = open(&place, &journal, Options::default()).await;
    models.catch_up(SOON).await.unwrap();
    let first = models.webhook_claim(&claim(&town, &models, "one", 0)).await.unwrap().remove(0);
    assert_eq!((first.webhook, first.tenant.as_str(), first.failures), (HOOK, "ville", 0));
    assert!(first.position.is_some(), "it begins where it was registered");
    assert!(models.webhook_claim(&claim(&town, &models, "one", 0)).await.unwrap().is_empty(), "it is taken");
    let parked = Parked {
        event: Uuid::from_u128(7),
        request: RequestId(Uuid::from_u128(8)),
        revision: 3,
        position: first.position.unwrap(),
        attempts: 1,
        next_attempt: Some(town.now + chrono::Duration::minutes(5)),
        dead: false,
        error: Some("answered 500".into()),
    };
    let settled = Settled {
        position: models.inner().progress.borrow().position,
        succeeded: false,
        delivered: Vec::new(),
        parked: vec![parked.clone()],
        failures: 1,
        failing_since: Some(town.now),
        rest_until: None,
        error: Some("answered 500".into()),
    };
    assert!(models.webhook_settle(&first, &settled, town.now).await.unwrap());
    assert!(!models.webhook_settle(&first, &settled, town.now).await.unwrap(), "the claim is over");
    assert!(
        models.webhook_claim(&claim(&town, &models, "one", 0)).await.unwrap().is_empty(),
        "nothing is due"
    );
    let again = models.webhook_claim(&claim(&town, &models, "one", 6)).await.unwrap().remove(0);
    assert_eq!((again.waiting.as_slice(), again.failures), (&[parked.clone()][..], 1));
    let dead = Settled {
        parked: vec![Parked { dead: true, attempts: 10, ..parked.clone() }],
        position: None,
        error: None,
        ..settled
    };
    assert!(models.webhook_settle(&again, &dead, town.now).await.unwrap());
    let entry = models.webhook("ville", HOOK).await.unwrap().unwrap();
    assert_eq!((entry.deliveries.dead, entry.deliveries.waiting), (1, 0));
    assert_eq!(entry.deliveries.error.as_deref(), Some("answered 500"), "it is kept until there is another");
    let letters = models.dead_letters(HOOK, 10).await.unwrap();
    assert_eq!((letters[0].event, letters[0].attempts), (parked.event, 10));
    assert_eq!(models.revive_dead_letters(HOOK, Some(Uuid::from_u128(9)), town.now).await.unwrap(), 0);
    assert_eq!(models.revive_dead_letters(HOOK, None, town.now).await.unwrap(), 1);
    let last = models.webhook_claim(&claim(&town, &models, "one", 6)).await.unwrap().remove(0);
    let taken = Settled { succeeded: true, delivered: vec![parked.event], ..Settled::default() };
    assert!(models.webhook_settle(&last, &taken, town.now).await.unwrap());
    assert!(!models.drop_dead_letter(HOOK, parked.event).await.unwrap());
    assert!(models.webhook("agglo", HOOK).await.unwrap().is_none());
    models.close().await;
}

async fn a_rebuild_leaves_deliveries_alone_and_makes_the_same_rows(ground: Ground) {
    let (journal, place) = (memory(), ground.place("r").await);
    let mut town = Town::new(Arc::clone(&journal), 6).await;
    let models = open(&place, &journal, Options::default()).await;
    let changed = Webhook::change(
        Webhook::of(&[registered()]).as_ref(),
        None,
        Subscription { events: vec!["request.".into()], ..Subscription::default() },
    );
    let disabled = WebhookDisabled { reason: Disablement::Gone, error: "answered 410".into() };
    happen(&mut town, &[registered()]).await;
    models.catch_up(SOON).await.unwrap();
    happen(&mut town, &changed.unwrap()).await;
    models.catch_up(SOON).await.unwrap();
    happen(&mut town, &[disabled.into()]).await;
    models.catch_up(SOON).await.unwrap();
    let entry = models.webhooks("ville").await.unwrap().remove(0);
    assert_eq!((entry.standing, entry.disabled), (WebhookStanding::Disabled, Some(Disablement::Gone)));
    assert_eq!(entry.subscription.events, ["request."]);
    let live = dump(&models).await;
    models.rebuild(&[]).await.unwrap();
    assert_eq!(differences(&live, &dump(&models).await), Vec::<String>::new());
    happen(&mut town, &[WebhookRemoved {}.into()]).await;
    models.catch_up(SOON).await.unwrap();
    assert!(models.webhooks("ville").await.unwrap().is_empty());
    models.close().await;
}
