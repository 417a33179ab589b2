//! Money: asked for, taken, refused, late, twice, given back.

use serde_json::json;

use super::*;
use crate::process::*;
use crate::request::*;

const AGENT: &str = "a21";

fn ask() -> Command {
    Command::RequestPayment { amount: 4_250, label: "Copie d’acte".into(), due: None }
}

fn start() -> Command {
    Command::StartPayment { payment: 1 }
}

fn settle(reference: &str, amount: u64) -> Command {
    Command::SettlePayment {
        payment: 1,
        reference: Some(reference.into()),
        transaction: format!("T-{reference}"),
        amount,
        currency: "EUR".into(),
    }
}

fn fail(reference: &str) -> Command {
    Command::FailPayment { payment: 1, reference: reference.into(), reason: PaymentFailure::Refused }
}

/// A pothole whose repair is to be paid, by someone with an e-mail address; begun once if `begun`.
fn story(begun: bool) -> (Story, String) {
    let mut story = Story::of(vec![pothole()]);
    let who = reachable(Some("camille@exemple.example"), None, None);
    let form = json!({ "place": [48.957, 4.363], "danger": false });
    story.does(&agent("a22"), received_from("voirie/chaussee-abimee", Channel::Phone, form, who));
    let qualify =
        Command::Qualify { process: None, complexity: None, priority: None, form: Default::default() };
    story.does(&agent("a02"), qualify);
    story.does(&agent("a05"), complete("visite", json!({ "finding": "trou", "made_safe": true })));
    story.does(&agent(AGENT), ask());
    if begun {
        story.does(&Actor::Requester, start());
    }
    let reference = payment_reference(story.request().id, 1, 1);
    (story, reference)
}

fn payment(story: &Story) -> &Payment {
    &story.request().payments[0]
}

fn told(story: &Story, news: &str) -> usize {
    story.told().iter().filter(|(_, subject)| *subject == Subject::News(news.into())).count()
}

#[test]
fn a_payment_is_asked_for_begun_and_taken_and_the_answer_goes_out_only_then() {
    let (mut story, reference) = story(true);
    assert_eq!((payment(&story).status, payment(&story).amount), (PaymentStatus::Awaited, 4_250));
    assert_eq!(told(&story, "payment_requested"), 1);
    story.does(&agent(AGENT), answer("Réparé."));
    assert_eq!(story.stage(), "validated");
    assert!(!story.names().contains(&"delivery_opened"), "the answer waits for the money");
    assert_eq!(story.clock("answer").status, ClockStatus::Paused, "and the promise for the requester");
    let deliver = Command::Deliver { by: Delivery::Counter };
    assert_eq!(story.refuses(&agent("a02"), deliver), "payment.awaited");
    story.does(&Actor::Engine, settle(&reference, 4_250));
    assert_eq!(payment(&story).status, PaymentStatus::Settled);
    assert!(story.names().contains(&"delivery_opened"), "in the same append");
    assert_eq!(story.stage(), "delivered", "and the engine sends it");
    assert_eq!(story.clock("answer").status, ClockStatus::Kept);
    assert_eq!((told(&story, "payment_settled"), told(&story, "payment_surplus")), (1, 0));
}

#[test]
fn only_those_who_may_ask_begin_and_settle() {
    let (mut story, reference) = story(true);
    assert_eq!(story.refuses(&Actor::Requester, ask()), "role.needed");
    assert_eq!(story.refuses(&agent(AGENT), ask()), "payment.live");
    assert_eq!(story.refuses(&agent(AGENT), start()), "role.needed");
    assert_eq!(story.refuses(&Actor::Requester, settle(&reference, 4_250)), "role.needed");
    assert_eq!(story.refuses(&agent(AGENT), settle(&reference, 4_250)), "payment.unknown");
    assert_eq!(story.refuses(&agent(AGENT), fail(&reference)), "role.needed");
    for (amount, label) in [(0, "Copie"), (10_000_001, "Copie"), (1, " ")] {
        let (mut fresh, _) = self::story(false);
        fresh.does(&agent(AGENT), Command::CancelPayment { payment: 1, reason: "erreur".into() });
        let ask = Command::RequestPayment { amount, label: label.into(), due: None };
        let code = fresh.refuses(&agent(AGENT), ask);
        assert_eq!(code, if amount == 1 { "text.empty" } else { "payment.amount" });
    }
}

#[test]
fn what_the_provider_says_is_held_against_what_was_asked() {
    let (mut story, reference) = story(true);
    assert_eq!(story.refuses(&Actor::Engine, settle(&reference, 4_249)), "payment.amount_differs");
    let other = payment_reference(story.request().id, 1, 2);
    assert_eq!(story.refuses(&Actor::Engine, settle(&other, 4_250)), "payment.unknown");
    assert_eq!(story.refuses(&Actor::Engine, fail(&other)), "payment.unknown");
    let dollars = Command::SettlePayment {
        payment: 1,
        reference: Some(reference),
        transaction: "T".into(),
        amount: 4_250,
        currency: "USD".into(),
    };
    assert_eq!(story.refuses(&Actor::Engine, dollars), "payment.amount_differs");
    assert_eq!(payment(&story).status, PaymentStatus::Awaited);
}

#[test]
fn refused_then_accepted_is_accepted_and_accepted_then_refused_too() {
    let (mut story, reference) = story(true);
    story.does(&Actor::Engine, fail(&reference));
    assert_eq!(story.refuses(&Actor::Engine, fail(&reference)), "payment.failed_already");
    story.does(&Actor::Engine, settle(&reference, 4_250));
    assert_eq!(payment(&story).status, PaymentStatus::Settled);
    assert_eq!(story.refuses(&Actor::Engine, fail(&reference)), "payment.settled_already");
    assert_eq!(story.refuses(&Actor::Engine, settle(&reference, 4_250)), "payment.settled_already");
    assert_eq!(payment(&story).received, 4_250);
}

#[test]
fn money_that_comes_twice_or_after_the_end_is_recorded_and_given_back() {
    let (mut twice, first) = story(true);
    twice.does(&Actor::Requester, start());
    let second = payment_reference(twice.request().id, 1, 2);
    twice.does(&Actor::Engine, settle(&first, 4_250)).does(&Actor::Engine, settle(&second, 4_250));
    assert_eq!((payment(&twice).received, told(&twice, "payment_surplus")), (8_500, 1));
    let refund = |amount| Command::RefundPayment { payment: 1, amount, reason: "payé deux fois".into() };
    assert_eq!(twice.refuses(&agent(AGENT), refund(8_501)), "refund.too_much");
    twice.does(&agent(AGENT), refund(4_250)).does(&agent(AGENT), refund(4_250));
    assert_eq!(twice.refuses(&agent(AGENT), refund(1)), "refund.too_much");

    let (mut late, reference) = story(true);
    late.does(&agent(AGENT), Command::Cancel { reason: "sans objet".into() });
    assert_eq!(payment(&late).status, PaymentStatus::Cancelled);
    late.does(&Actor::Engine, settle(&reference, 4_250));
    assert_eq!(
        (payment(&late).received, told(&late, "payment_surplus"), late.stage()),
        (4_250, 1, "cancelled")
    );
    late.does(&agent(AGENT), refund(4_250));
}

#[test]
fn a_payment_that_is_not_made_is_reminded_of_lapses_and_leaves_the_service_a_way_on() {
    let (mut story, _) = story(false);
    story.does(&agent(AGENT), answer("Réparé."));
    story.at("2026-05-12T12:00");
    assert_eq!(told(&story, "payment_reminded"), 1);
    story.at("2026-06-01T12:00");
    assert_eq!((payment(&story).status, told(&story, "payment_lapsed")), (PaymentStatus::Lapsed, 2));
    assert_eq!(story.stage(), "validated");
    assert_eq!(story.clock("answer").status, ClockStatus::Running, "the service is awaited again");
    for way_on in ["request_payment", "cancel_payment", "cancel", "settle_payment"] {
        assert!(story.allowed(&agent(AGENT)).contains(&way_on), "{way_on}");
    }
    assert!(story.allowed(&Actor::Requester).contains(&"start_payment"), "who is late may still pay");
    story.does(&agent(AGENT), Command::CancelPayment { payment: 1, reason: "exonéré".into() });
    assert!(story.names().contains(&"delivery_opened"));
}

#[test]
fn money_may_be_taken_at_the_counter() {
    let (mut story, _) = story(false);
    let at_the_counter = |amount| Command::SettlePayment {
        payment: 1,
        reference: None,
        transaction: "Q-77".into(),
        amount,
        currency: "EUR".into(),
    };
    assert_eq!(story.refuses(&agent(AGENT), at_the_counter(4_000)), "payment.amount_differs");
    story.does(&agent(AGENT), at_the_counter(4_250));
    assert_eq!(payment(&story).status, PaymentStatus::Settled);
    assert_eq!(story.refuses(&agent(AGENT), at_the_counter(4_250)), "payment.settled_already");
    assert_eq!(story.refuses(&Actor::Requester, start()), "payment.settled_already");
}

#[test]
fn visits_and_payments_are_bounded() {
    let (mut story, _) = story(false);
    for _ in 0..PAYMENT_ATTEMPTS_MAX {
        story.does(&Actor::Requester, start());
    }
    assert_eq!(story.refuses(&Actor::Requester, start()), "payment.too_many");
    for number in 1..=PAYMENTS_MAX {
        let payment = u32::try_from(number).unwrap();
        story.does(&agent(AGENT), Command::CancelPayment { payment, reason: "erreur".into() });
        if number < PAYMENTS_MAX {
            story.does(&agent(AGENT), ask());
        }
    }
    assert_eq!(story.refuses(&agent(AGENT), ask()), "payment.too_many");
}
