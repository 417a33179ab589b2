//! The main road: received, qualified, assigned, treated, validated, delivered.

use serde_json::{Map, json};

use super::*;
use crate::process::*;
use crate::request::*;

fn qualify() -> Command {
    Command::Qualify { process: None, complexity: None, priority: None, form: Map::new() }
}

#[test]
fn a_simple_report_goes_from_the_telephone_to_the_answer() {
    let mut story = Story::pothole(false);
    assert_eq!(story.names(), ["received", "acknowledged"]);
    assert_eq!(story.due("answer"), paris("2026-05-06T17:00"));
    story.does(&agent("a02"), qualify());
    assert_eq!(story.names()[2..], ["qualified", "assigned", "task_opened", "notified", "notified"]);
    assert_eq!(story.request().service.as_deref(), Some("voirie"));
    story.does(&agent("a05"), complete("visite", json!({ "finding": "trou", "made_safe": false })));
    story.does(&agent("a21"), complete("intervention", json!({})));
    story.does(&agent("a21"), answer("Réparé ce matin."));
    // Nobody can be written to, so the answer is kept at the counter.
    assert_eq!(story.request().stage, Stage::Validated { by: Some(Delivery::Counter), failed: vec![] });
    story.at("2026-05-06T17:00").does(&agent("a02"), Command::Deliver { by: Delivery::Counter });
    assert_eq!(story.stage(), "delivered");
    assert_eq!(story.clock("answer").status, ClockStatus::Kept);
    assert_eq!(story.request().live_clocks().count(), 0);
}

#[test]
fn whoever_qualifies_and_records_a_request_has_qualified_it_in_doing_so() {
    let mut story = Story::of(vec![pothole()]);
    let form = json!({ "place": [48.957, 4.363], "danger": true });
    story.does(&agent("a02"), receive("voirie/chaussee-abimee", Channel::Phone, form));
    assert_eq!(story.names()[..4], ["received", "acknowledged", "qualified", "assigned"]);
    assert_eq!(story.request().service.as_deref(), Some("astreinte"));
    // They may still say that it is something else than the rules found.
    let simple = Command::Qualify {
        process: None,
        complexity: Some(Complexity::Simple),
        priority: None,
        form: Map::new(),
    };
    story.does(&agent("a02"), simple);
    assert_eq!(story.request().complexity, Complexity::Simple);
}

#[test]
fn a_task_whose_rule_does_not_hold_is_skipped() {
    let story = Story::visited(false, true);
    assert_eq!(story.request().tasks["intervention"].status, TaskStatus::Skipped);
    let skipped = story.world.cases[0].history.iter().find_map(|(event, _)| match &event.what {
        What::TaskSkipped(event) => Some(event.rule.clone()),
        _ => None,
    });
    assert_eq!(skipped.as_deref(), Some("/treatment/1/when"));
}

#[test]
fn a_dangerous_report_is_complex_and_gets_ten_working_days_from_its_receipt() {
    let mut story = Story::pothole(true);
    story.at("2026-05-04T15:00").does(&agent("a02"), qualify());
    assert_eq!(story.request().complexity, Complexity::Complex);
    assert_eq!(story.request().service.as_deref(), Some("astreinte"));
    // Friday 8 May and Ascension Thursday 14 May are holidays.
    assert_eq!(story.due("answer"), paris("2026-05-20T17:00"));
    assert_eq!(story.clock("answer").from, paris("2026-05-04T10:00"));
    assert_eq!(story.clock("answer").rule.as_deref(), Some("/commitments/1/within/0"));
}

#[test]
fn whoever_can_be_written_to_is_acknowledged_and_answered_by_mail() {
    let mut story = Story::of(vec![question()]);
    let who = reachable(Some("camille@example.org"), None, None);
    story.does(
        &Actor::Integrator("portail".into()),
        received_from("institutions/question", Channel::Web, json!({ "question": "Quand ?" }), who),
    );
    assert_eq!(story.stage(), "assigned");
    assert!(story.request().acknowledged_at.is_some());
    story.does(&agent("a01"), answer("Lundi."));
    assert_eq!(story.request().stage, Stage::Delivered { by: Delivery::Email });
    assert_eq!(
        story.told().iter().map(|(_, subject)| subject.clone()).collect::<Vec<_>>(),
        [Subject::Acknowledgement, Subject::Assignment, Subject::Answer]
    );
}

#[test]
fn a_question_answered_at_the_counter_is_one_append() {
    let mut story = Story::of(vec![question()]);
    let Command::Receive {
        process,
        channel,
        opened_by,
        requester,
        form,
        external,
        first_received_at,
        origin,
        ..
    } = receive("institutions/question", Channel::Counter, json!({ "question": "Quand ?" }))
    else {
        unreachable!()
    };
    let command = Command::Receive {
        process,
        channel,
        opened_by,
        requester,
        form,
        external,
        first_received_at,
        answer: Some("Lundi.".into()),
        origin,
    };
    let events = story.world.submit(0, &agent("a02"), &command).unwrap();
    let names: Vec<_> = events.iter().map(|event| event.what.name()).collect();
    assert_eq!(
        names,
        [
            "request.received",
            "request.acknowledged",
            "request.qualified",
            "request.assigned",
            "request.drafted",
            "request.validated",
            "request.delivered"
        ]
    );
    assert_eq!(story.clock("answer").status, ClockStatus::Kept);
    assert_eq!(story.clock("acknowledgement").status, ClockStatus::Kept);
}

#[test]
fn what_needs_work_or_approval_cannot_be_resolved_at_first_contact() {
    let mut story = Story::pothole(false);
    assert_eq!(story.refuses(&agent("a02"), Command::Resolve { text: "Fait.".into() }), "resolve.tasks");
}

#[test]
fn when_one_means_fails_the_next_is_tried_and_the_counter_is_the_last() {
    let mut story = Story::of(vec![question()]);
    story.world.sends = false;
    let who = reachable(Some("camille@example.org"), Some("06 12 34 56 78"), Some(Delivery::Sms));
    story.does(
        &Actor::Requester,
        received_from("institutions/question", Channel::Web, json!({ "question": "?" }), who),
    );
    story.does(&agent("a01"), answer("Oui."));
    let by = |story: &Story| match &story.request().stage {
        Stage::Validated { by, .. } => *by,
        other => panic!("{other:?}"),
    };
    let fail = |by| Command::FailDelivery { by, reason: "rejected".into() };
    assert_eq!(by(&story), Some(Delivery::Sms));
    assert_eq!(story.refuses(&Actor::Engine, fail(Delivery::Email)), "delivery.other");
    story.does(&Actor::Engine, fail(Delivery::Sms));
    assert_eq!(by(&story), Some(Delivery::Email));
    story.does(&Actor::Engine, fail(Delivery::Email));
    assert_eq!(by(&story), Some(Delivery::Counter));
    story.does(&agent("a02"), fail(Delivery::Counter));
    assert_eq!(by(&story), Some(Delivery::Counter));
}

#[test]
fn what_the_patroller_saw_is_answered_to_nobody() {
    let mut story = Story::of(vec![pothole()]);
    let Command::Receive {
        process,
        channel,
        requester,
        form,
        external,
        first_received_at,
        answer: none,
        origin,
        ..
    } = receive("voirie/chaussee-abimee", Channel::Patrol, json!({ "place": [48.9, 4.3] }))
    else {
        unreachable!()
    };
    let opened_by = Opener::Patroller;
    let command = Command::Receive {
        process,
        channel,
        opened_by,
        requester,
        form,
        external,
        first_received_at,
        answer: none,
        origin,
    };
    story.does(&agent("a05"), command).does(&agent("a02"), qualify());
    story.does(&agent("a05"), complete("visite", json!({ "finding": "trou", "made_safe": true })));
    story.does(&agent("a21"), answer("Rebouché."));
    assert_eq!(story.request().stage, Stage::Delivered { by: Delivery::Screen });
    assert_eq!(story.clock("answer").status, ClockStatus::Kept);
}
