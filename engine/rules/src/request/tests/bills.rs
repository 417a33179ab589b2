//! What a sheet asks to be paid: when, how much, what waits for it, and what becomes of those who do not pay.

use serde_json::{Value, json};

use super::*;
use crate::process::*;
use crate::request::explain::{About, explain};
use crate::request::*;

const AGENT: &str = "a22";

/// A pothole whose citizens pay for something, as `payment` says.
fn paid(payment: Value) -> Definition {
    let mut sheet = pothole();
    sheet.qualification.by = None;
    sheet.form.push(
        serde_json::from_value(json!({ "field": "days", "type": "integer", "label": { "fr": "Jours" } }))
            .unwrap(),
    );
    sheet.payment = Some(serde_json::from_value(payment).unwrap());
    sheet
}

fn fixed(more: Value) -> Value {
    let mut payment =
        json!({ "label": { "fr": "Droit", "en": "Fee" }, "amount": [{ "is": 2400 }], "within": "10 days" });
    payment.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    payment
}

fn received(definition: Definition, values: Value) -> Story {
    let mut story = Story::of(vec![definition, question()]);
    let who = reachable(Some("camille@exemple.example"), None, None);
    let mut form = json!({ "place": [48.957, 4.363] });
    form.as_object_mut().unwrap().extend(values.as_object().unwrap().clone());
    story.does(&Actor::Requester, received_from("voirie/chaussee-abimee", Channel::Web, form, who));
    story
}

fn pays(story: &mut Story) {
    let number = story.request().payments.last().unwrap().number;
    story.does(&Actor::Requester, Command::StartPayment { payment: number });
    let payment = story.request().payments.last().unwrap();
    let settle = Command::SettlePayment {
        payment: number,
        reference: Some(payment.attempts.last().unwrap().reference.clone()),
        transaction: "T-1".into(),
        amount: payment.amount,
        currency: "EUR".into(),
    };
    story.does(&Actor::Engine, settle);
}

fn asked(story: &Story) -> Vec<PaymentRequested> {
    let events = story.world.cases[story.case].history.iter();
    events
        .filter_map(|(event, _)| match &event.what {
            What::PaymentRequested(event) => Some(event.clone()),
            _ => None,
        })
        .collect()
}

fn told(story: &Story, news: &str) -> usize {
    story.told().iter().filter(|(_, subject)| *subject == Subject::News(news.into())).count()
}

#[test]
fn a_fixed_fee_is_asked_for_in_the_append_of_the_receipt_with_its_operands() {
    let story = received(paid(fixed(json!({}))), json!({}));
    let asked = asked(&story);
    let [event] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((event.amount, event.rule.as_deref()), (2_400, Some("/payment/amount/0")));
    assert_eq!(event.label.known().unwrap(), "Droit", "in the requester’s language");
    let terms = event.terms.as_ref().unwrap();
    assert_eq!((terms.within.to_string(), terms.before), ("10 days".into(), PaidBefore::Delivery));
    assert_eq!(
        event.due,
        paris("2026-05-15T00:00"),
        "ten days after the fourth of May end with the fourteenth"
    );
    assert_eq!(story.names().iter().position(|name| *name == "payment_requested"), Some(1));
    assert_eq!(told(&story, "payment_requested"), 1);
}

#[test]
fn an_amount_is_worked_out_of_the_form_and_what_it_read_is_written_down() {
    let payment = json!({
        "label": { "fr": "Droit" }, "when": "form.danger == false",
        "amount": [{ "when": "form.days > 7", "is": "form.days * 100" }, { "is": "form.days * 250" }],
    });
    let story = received(paid(payment.clone()), json!({ "days": 3, "danger": false }));
    let event = &asked(&story)[0];
    assert_eq!((event.amount, event.rule.as_deref()), (750, Some("/payment/amount/1")));
    let operands = &event.terms.as_ref().unwrap().operands;
    assert_eq!(operands["form.days"], json!(3));
    assert_eq!(operands["form.danger"], json!(false));
    assert_eq!(asked(&received(paid(payment.clone()), json!({ "days": 10 })))[0].amount, 1_000);
    for free in [json!({ "days": 3, "danger": true }), json!({ "days": 0 }), json!({ "days": -4 }), json!({})]
    {
        assert_eq!(asked(&received(paid(payment.clone()), free.clone())), [], "{free}");
    }
}

#[test]
fn more_than_can_be_asked_for_is_refused_while_the_form_can_be_put_right() {
    let payment =
        json!({ "label": { "fr": "Droit" }, "amount": [{ "is": "form.days * 250" }], "from": "validated" });
    let mut story = Story::of(vec![paid(payment)]);
    let form = json!({ "place": [48.957, 4.363], "days": 40_001 });
    let receive = receive("voirie/chaussee-abimee", Channel::Web, form);
    let rejection = story.world.submit(story.case, &Actor::Requester, &receive).unwrap_err();
    assert_eq!(rejection.code, "payment.amount");
}

#[test]
fn tasks_wait_for_the_money_and_the_promise_with_them() {
    let mut story = received(paid(fixed(json!({ "before": "treatment" }))), json!({}));
    assert_eq!(story.stage(), "assigned");
    assert!(story.request().tasks.is_empty(), "nothing is opened yet");
    assert_eq!(story.clock("answer").status, ClockStatus::Paused, "it is the requester who is awaited");
    let mut answered = story.world.clone();
    let refused = answered.submit(story.case, &agent(AGENT), &answer("Fait.")).unwrap_err();
    assert_eq!(refused.code, "payment.awaited");
    pays(&mut story);
    assert!(story.request().tasks.contains_key("visite"), "in the same append");
    assert_eq!(story.clock("answer").status, ClockStatus::Running);
}

#[test]
fn the_service_works_and_only_the_answer_waits() {
    let mut story = received(paid(fixed(json!({}))), json!({}));
    assert_eq!(story.clock("answer").status, ClockStatus::Running, "the service can go on");
    story.does(&agent("a05"), complete("visite", json!({ "finding": "trou", "made_safe": true })));
    story.does(&agent(AGENT), answer("Fait."));
    assert_eq!((story.stage(), story.clock("answer").status), ("validated", ClockStatus::Paused));
    pays(&mut story);
    assert_eq!((story.stage(), story.clock("answer").status), ("delivered", ClockStatus::Kept));
}

#[test]
fn what_is_reckoned_of_a_report_is_asked_for_when_the_answer_is_ready() {
    let payment = json!({
        "label": { "fr": "Droit" }, "from": "validated", "when": "tasks.visite.report.made_safe",
        "amount": [{ "is": 1200 }],
    });
    let mut story = received(paid(payment), json!({}));
    story.does(&agent("a05"), complete("visite", json!({ "finding": "trou", "made_safe": true })));
    assert_eq!(asked(&story), []);
    story.does(&agent(AGENT), answer("Fait."));
    assert_eq!((asked(&story).len(), story.stage()), (1, "validated"));
    assert!(!story.names().contains(&"delivery_opened"));
    pays(&mut story);
    assert_eq!(story.stage(), "delivered");
}

#[test]
fn who_does_not_pay_is_reminded_and_then_the_sheet_says_what_becomes_of_it() {
    let terms = json!({ "remind_after": "4 days", "if_unpaid": "cancelled" });
    let mut story = received(paid(fixed(terms)), json!({}));
    story.at("2026-05-09T10:00");
    assert_eq!(told(&story, "payment_reminded"), 1);
    story.at("2026-05-15T10:00");
    assert_eq!(story.stage(), "cancelled");
    assert_eq!(story.request().closed_at, Some(paris("2026-05-15T00:00")), "dated by the term");
    assert_eq!(story.refuses(&Actor::Requester, Command::StartPayment { payment: 1 }), "stage.wrong");

    let mut left = received(paid(fixed(json!({}))), json!({}));
    left.at("2026-05-15T10:00");
    assert_eq!((left.stage(), told(&left, "payment_lapsed")), ("assigned", 2));
    assert!(left.allowed(&Actor::Requester).contains(&"start_payment"));
    assert!(left.allowed(&agent(AGENT)).contains(&"cancel_payment"));
}

#[test]
fn nothing_waits_for_an_optional_payment_and_nobody_is_troubled_by_its_end() {
    let mut story = received(paid(fixed(json!({ "optional": true }))), json!({}));
    story.does(&agent("a05"), complete("visite", json!({ "finding": "trou", "made_safe": true })));
    story.at("2026-05-15T10:00");
    assert_eq!(story.request().payments[0].status, PaymentStatus::Lapsed);
    assert_eq!(told(&story, "payment_lapsed"), 0);
    story.does(&agent(AGENT), answer("Fait."));
    assert_eq!(story.stage(), "delivered");
}

#[test]
fn a_form_that_is_completed_changes_the_amount_as_long_as_nobody_is_paying() {
    let mut sheet = paid(json!({ "label": { "fr": "Droit" }, "amount": [{ "is": "form.days * 250" }] }));
    sheet.qualification.by = Some(Party::Role("ambassadrice".into()));
    let qualify = |days: i64| Command::Qualify {
        process: None,
        complexity: None,
        priority: None,
        form: form(json!({ "days": days })),
    };
    let mut story = received(sheet.clone(), json!({ "days": 2 }));
    story.does(&agent("a02"), qualify(4));
    let amounts: Vec<u64> = asked(&story).iter().map(|event| event.amount).collect();
    assert_eq!(amounts, [500, 1_000]);
    assert_eq!(story.request().payments[0].status, PaymentStatus::Cancelled);

    let mut paying = received(sheet.clone(), json!({ "days": 2 }));
    paying.does(&Actor::Requester, Command::StartPayment { payment: 1 }).does(&agent("a02"), qualify(4));
    assert_eq!(asked(&paying).len(), 1, "the page shows the amount that it was opened with");

    let mut done = received(sheet, json!({ "days": 2 }));
    pays(&mut done);
    done.does(&agent("a02"), qualify(4));
    assert_eq!(asked(&done).len(), 1, "what is paid is paid");
}

#[test]
fn another_process_asks_for_its_own() {
    let mut sheet = paid(fixed(json!({})));
    sheet.qualification.by = Some(Party::Role("ambassadrice".into()));
    let mut other = question();
    other.payment = Some(serde_json::from_value(fixed(json!({ "amount": [{ "is": 300 }] }))).unwrap());
    let mut story = Story::of(vec![sheet, other]);
    story.does(
        &Actor::Requester,
        receive("voirie/chaussee-abimee", Channel::Web, json!({ "place": [48.957, 4.363] })),
    );
    story.does(
        &agent("a02"),
        Command::Qualify {
            process: Some("institutions/question".into()),
            complexity: None,
            priority: None,
            form: form(json!({ "question": "?" })),
        },
    );
    let payments: Vec<(u64, PaymentStatus)> =
        story.request().payments.iter().map(|payment| (payment.amount, payment.status)).collect();
    assert_eq!(payments, [(2_400, PaymentStatus::Cancelled), (300, PaymentStatus::Awaited)]);
}

#[test]
fn what_was_recorded_elsewhere_is_not_asked_for_again() {
    let mut story = Story::of(vec![paid(fixed(json!({})))]);
    let mut command = receive("voirie/chaussee-abimee", Channel::Web, json!({ "place": [48.957, 4.363] }));
    if let Command::Receive { external, .. } = &mut command {
        *external = Some("DMR-1".into());
    }
    story.does(&Actor::Engine, command);
    assert_eq!(asked(&story), []);
}

#[test]
fn a_reopened_request_asks_again_for_what_was_never_paid_only() {
    let terms = json!({ "if_unpaid": "cancelled" });
    let mut story = received(paid(fixed(terms)), json!({}));
    story.at("2026-05-15T10:00");
    story.does(&agent(AGENT), Command::Reopen { reason: "virement égaré".into() });
    assert_eq!(asked(&story).len(), 2);
    assert_eq!(story.request().payments[1].status, PaymentStatus::Awaited);
    pays(&mut story);
    story.does(&agent("a05"), complete("visite", json!({ "finding": "trou", "made_safe": true })));
    story.does(&agent(AGENT), answer("Fait."));
    story.does(&Actor::Requester, Command::Reopen { reason: "pas fini".into() });
    assert_eq!(asked(&story).len(), 2);
}

#[test]
fn a_payment_explains_itself() {
    let payment = json!({
        "label": { "fr": "Droit" }, "when": "form.days > 0",
        "amount": [{ "when": "form.days > 7", "is": 5000 }, { "is": "form.days * 250" }], "before": "treatment",
    });
    let story = received(paid(payment), json!({ "days": 3 }));
    let plan = &story.world.plans["voirie/chaussee-abimee"];
    let sources = Sources::new();
    let lines = explain(&story.world.cases[0].history, &[(plan, &sources)]);
    let line = lines.iter().find(|line| line.about == About::Payment(1)).expect("explained");
    assert_eq!(line.text.en, "A payment of €7.50 is asked for.");
    let held: Vec<(&str, bool)> = line.rules.iter().map(|rule| (rule.pointer.as_str(), rule.held)).collect();
    assert_eq!(held, [("/payment/when", true), ("/payment/amount/0", false), ("/payment/amount/1", true)]);
    assert!(line.reasoning.iter().any(|text| text.en.contains("form.days = 3")));
}

#[test]
fn terms_stay_those_of_the_day_when_the_sheet_becomes_another() {
    let old = paid(fixed(json!({ "if_unpaid": "cancelled" })));
    let mut new = old.clone();
    new.payment = None;
    let mut story = received(old, json!({}));
    let plan = plan(new);
    let definition = plan.hash().clone();
    story.world.versions.push(plan);
    let migrate =
        Command::Migrate { definition, promises: ClockPolicy::Keep, mapping: Mapping::default(), plan: None };
    story.does(&agent("a20"), migrate);
    story.at("2026-05-15T10:00");
    assert_eq!(story.stage(), "cancelled");
}
