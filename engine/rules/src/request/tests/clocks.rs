//! Promises: when they start, rest, change and stop. Each way in which others got it wrong is a test here.

use serde_json::{Map, json};

use super::*;
use crate::process::*;
use crate::request::*;

fn qualify() -> Command {
    Command::Qualify { process: None, complexity: None, priority: None, form: Map::new() }
}

fn ask(pieces: &[&str]) -> Command {
    let pieces = pieces.iter().map(|piece| (*piece).to_owned()).collect();
    Command::Ask { question: "Où exactement ?".into(), pieces, within: None }
}

fn reply() -> Command {
    Command::Reply { text: Some("Ici.".into()), form: Map::new(), complete: true }
}

#[test]
fn waiting_over_a_weekend_moves_the_promise_by_the_closings_that_were_missed_and_no_more() {
    let mut story = Story::pothole(false);
    story.does(&agent("a02"), qualify());
    assert_eq!(story.due("answer"), paris("2026-05-06T17:00"));
    // Asked on Wednesday before closing; Friday 8 May is a holiday; answered on Monday morning.
    story.at("2026-05-06T16:00").does(&agent("a21"), ask(&[]));
    assert_eq!(story.clock("answer").status, ClockStatus::Paused);
    story.at("2026-05-11T10:00").does(&Actor::Requester, reply());
    // Missed closings: Wednesday's and Thursday's. One of two days was counted before, so Monday's is the second.
    assert_eq!(story.due("answer"), paris("2026-05-11T17:00"));
}

#[test]
fn a_promise_to_do_what_is_not_needed_is_neither_kept_nor_broken() {
    let mut sheet = pothole();
    let promise = json!({ "commitment": "repair", "from": "received", "until": { "task": "intervention" },
        "within": [ { "is": "5 working days" } ], "calendar": "mairie" });
    sheet.commitments.push(serde_json::from_value(promise).unwrap());
    for (made_safe, status) in [(true, ClockStatus::Dropped), (false, ClockStatus::Kept)] {
        let mut story = Story::of(vec![sheet.clone()]);
        let form = json!({ "place": [48.957, 4.363], "danger": false });
        story.does(&agent("a02"), receive("voirie/chaussee-abimee", Channel::Phone, form));
        assert_eq!(story.clock("repair").status, ClockStatus::Running);
        story.does(&agent("a05"), complete("visite", json!({ "finding": "trou", "made_safe": made_safe })));
        if !made_safe {
            story.does(&agent("a21"), complete("intervention", json!({})));
        }
        assert_eq!(story.clock("repair").status, status);
    }
}

#[test]
fn nothing_is_warned_or_broken_while_the_clock_rests() {
    let mut story = Story::pothole(false);
    story.does(&agent("a02"), qualify());
    story.at("2026-05-04T11:00").does(&agent("a21"), ask(&[]));
    story.at("2026-05-15T12:00");
    assert!(!story.names().contains(&"commitment_warned"));
    assert!(!story.names().contains(&"commitment_broken"));
    assert!(!story.clock("answer").broken);
    assert_eq!(story.stage(), "assigned");
}

#[test]
fn the_pause_is_remembered_when_the_promise_changes_during_or_after_it() {
    let rated = Command::Qualify {
        process: None,
        complexity: Some(Complexity::Complex),
        priority: None,
        form: Map::new(),
    };
    // After the pause.
    let mut after = Story::pothole(false);
    after.does(&agent("a02"), qualify());
    after.at("2026-05-04T16:00").does(&agent("a21"), ask(&[]));
    after.at("2026-05-06T10:00").does(&Actor::Requester, reply());
    after.does(&agent("a02"), rated.clone());
    // During it.
    let mut during = Story::pothole(false);
    during.does(&agent("a02"), qualify());
    during.at("2026-05-04T16:00").does(&agent("a21"), ask(&[]));
    during.at("2026-05-05T10:00").does(&agent("a02"), rated);
    assert_eq!(during.clock("answer").status, ClockStatus::Paused);
    during.at("2026-05-06T10:00").does(&Actor::Requester, reply());
    // Ten closings after 4 May without that of the 5th: 6, 7, 11, 12, 13, 15, 18, 19, 20, 21 May.
    assert_eq!(after.due("answer"), paris("2026-05-21T17:00"));
    assert_eq!(during.due("answer"), paris("2026-05-21T17:00"));
}

#[test]
fn a_reclassified_request_does_not_keep_the_old_due_date() {
    let mut sheet = question();
    let (acknowledgement, answer) = (sheet.commitments[0].clone(), sheet.commitments[1].clone());
    let mut study = answer.clone();
    study.commitment = "study".into();
    let mut answer = answer;
    answer.within = vec![Rule { when: None, is: "5 working days".parse().unwrap() }];
    sheet.commitments = vec![acknowledgement, answer, study];
    let mut story = Story::of(vec![pothole(), sheet]);
    story.does(
        &agent("a22"),
        receive("voirie/chaussee-abimee", Channel::Phone, json!({ "place": [48.9, 4.3] })),
    );
    let command = |question: &str| Command::Qualify {
        process: Some("institutions/question".into()),
        complexity: None,
        priority: None,
        form: form(json!({ "question": question })),
    };
    story.at("2026-05-05T09:00");
    assert_eq!(story.rejection(&agent("a02"), command("")).fields[0].code, "field.required");
    story.does(&agent("a02"), command("Qui répare ?"));
    assert_eq!(story.request().process, "institutions/question");
    // From its own receipt on the 4th: 5, 6, 7, 11, 12 May.
    assert_eq!(story.due("answer"), paris("2026-05-12T17:00"));
    assert_eq!(story.clock("study").from, paris("2026-05-04T10:00"));
    assert_eq!(story.request().form.keys().collect::<Vec<_>>(), ["question"]);
    assert_eq!(story.request().service.as_deref(), Some("relation-usagers"));
}

#[test]
fn a_promise_that_the_new_process_does_not_make_is_dropped() {
    let mut sheet = question();
    sheet.commitments.retain(|commitment| commitment.commitment != "answer");
    let mut story = Story::of(vec![pothole(), sheet]);
    story.does(
        &agent("a22"),
        receive("voirie/chaussee-abimee", Channel::Phone, json!({ "place": [48.9, 4.3] })),
    );
    let form = form(json!({ "question": "?" }));
    let process = Some("institutions/question".to_owned());
    story.does(&agent("a02"), Command::Qualify { process, complexity: None, priority: None, form });
    assert_eq!(story.clock("answer").status, ClockStatus::Dropped);
    assert!(timers(story.request()).is_empty());
}

#[test]
fn warnings_and_the_breach_fall_at_their_instants_and_are_told_to_those_named() {
    let mut story = Story::pothole(false);
    story.does(&agent("a02"), qualify());
    story.at("2026-05-07T09:00");
    let happened: Vec<(&str, _)> = story.world.cases[0]
        .history
        .iter()
        .filter_map(|(event, _)| match &event.what {
            What::CommitmentWarned(event) => Some(("warned", event.at)),
            What::CommitmentBroken(event) => Some(("broken", event.due)),
            _ => None,
        })
        .collect();
    // 23 open hours lie between Monday 10:00 and Wednesday 17:00.
    let expected = [
        ("warned", paris("2026-05-05T13:30")),
        ("warned", paris("2026-05-06T12:24")),
        ("broken", paris("2026-05-06T17:00")),
    ];
    assert_eq!(happened, expected);
    let breach: Vec<_> = story
        .told()
        .into_iter()
        .filter(|(_, subject)| matches!(subject, Subject::Breach(_)))
        .map(|(to, _)| to)
        .collect();
    let role = |role: &str| Recipient::Party(Party::Role(role.into()));
    assert_eq!(breach, [role("chef-de-service"), role("dga")]);
    assert!(story.clock("answer").broken);
}

#[test]
fn a_breach_noticed_late_is_dated_by_its_due_instant_and_noticed_once() {
    let mut story = Story::pothole(false);
    // Nothing ran for two weeks.
    story.world.now = paris("2026-05-20T08:00");
    let due = paris("2026-05-06T17:00");
    let elapse = Command::Elapse { timer: TimerKind::Breach { commitment: "answer".into() }, due };
    story.does(&Actor::Engine, elapse.clone());
    let broken = story.world.cases[0].history.iter().find_map(|(event, _)| match &event.what {
        What::CommitmentBroken(event) => Some(event.due),
        _ => None,
    });
    assert_eq!(broken, Some(due));
    assert_eq!(story.refuses(&Actor::Engine, elapse), "timer.stale");
    let early = Command::Elapse { timer: TimerKind::Breach { commitment: "other".into() }, due };
    assert_eq!(story.refuses(&Actor::Engine, early), "timer.stale");
}

#[test]
fn a_timer_does_not_fire_before_its_time() {
    let mut story = Story::pothole(false);
    let due = paris("2026-05-06T17:00");
    let elapse = Command::Elapse { timer: TimerKind::Breach { commitment: "answer".into() }, due };
    assert_eq!(story.refuses(&agent("a02"), elapse.clone()), "role.needed");
    assert_eq!(story.refuses(&Actor::Engine, elapse), "timer.early");
}

#[test]
fn an_extension_adds_to_the_promise_and_survives_a_new_rating() {
    let mut story = Story::pothole(false);
    story.does(&agent("a02"), qualify());
    let extend = |by: &str| Command::Extend {
        commitment: "answer".into(),
        by: by.parse().unwrap(),
        basis: "Intempéries".into(),
    };
    assert_eq!(story.refuses(&agent("a21"), extend("3 days")), "extension.unit");
    story.does(&agent("a21"), extend("3 working days"));
    // 5, 6, 7, 11, 12 May.
    assert_eq!(story.due("answer"), paris("2026-05-12T17:00"));
    let rated = Command::Qualify {
        process: None,
        complexity: Some(Complexity::Complex),
        priority: None,
        form: Map::new(),
    };
    story.does(&agent("a21"), rated);
    assert_eq!(story.clock("answer").budget, "13 working days".parse().unwrap());
    story.at("2026-06-01T09:00");
    assert_eq!(story.refuses(&agent("a21"), extend("1 working day")), "extension.too_late");
}

#[test]
fn reopening_starts_a_new_cycle_beside_the_closed_one_each_time() {
    let mut story = Story::of(vec![question()]);
    story.does(&agent("a02"), receive("institutions/question", Channel::Phone, json!({ "question": "?" })));
    for cycle in 1..=3 {
        story.does(&agent("a01"), answer("Oui."));
        story.does(&agent("a01"), Command::Deliver { by: Delivery::Phone });
        assert_eq!(story.request().live_clocks().count(), 0);
        story.does(&Actor::Requester, Command::Reopen { reason: "Ce n’est pas fait.".into() });
        assert_eq!((story.stage(), story.request().cycle), ("assigned", cycle));
        assert_eq!(
            story.request().live_clocks().map(|clock| clock.commitment.as_str()).collect::<Vec<_>>(),
            ["answer"]
        );
    }
    let kept = story.request().clocks.iter().filter(|clock| clock.status == ClockStatus::Kept);
    assert_eq!(kept.filter(|clock| clock.commitment == "answer").count(), 3);
    // A pause in one cycle moves nothing in another.
    story.does(&agent("a01"), ask(&[]));
    assert_eq!(story.request().clocks.iter().filter(|clock| !clock.pauses.is_empty()).count(), 1);
}

#[test]
fn reopening_ends_with_its_term() {
    let mut story = Story::of(vec![question()]);
    story.does(&agent("a02"), receive("institutions/question", Channel::Phone, json!({ "question": "?" })));
    story.does(&agent("a01"), answer("Oui."));
    story.does(&agent("a01"), Command::Deliver { by: Delivery::Phone });
    story.at("2026-06-03T23:00");
    assert!(story.allowed(&Actor::Requester).contains(&"reopen"));
    story.at("2026-06-04T00:30");
    assert_eq!(
        story.refuses(&Actor::Requester, Command::Reopen { reason: "Encore.".into() }),
        "reopen.too_late"
    );
}

#[test]
fn a_merged_request_escalates_no_more() {
    let mut story = Story::pothole(false);
    story.case = story.world.open();
    story.does(
        &agent("a22"),
        receive("voirie/chaussee-abimee", Channel::Phone, json!({ "place": [48.9, 4.3] })),
    );
    let into = story.world.cases[0].id;
    let own = story.request().id;
    assert_eq!(story.refuses(&agent("a02"), Command::Merge { into: own }), "merge.self");
    assert_eq!(
        story.refuses(&agent("a02"), Command::Merge { into: RequestId(uuid::Uuid::nil()) }),
        "merge.unknown"
    );
    story.does(&agent("a02"), Command::Merge { into });
    assert!(timers(story.request()).is_empty());
    story.at("2026-05-20T12:00");
    assert!(!story.names().contains(&"commitment_broken"));
    // The other one goes on.
    story.case = 0;
    assert!(story.names().contains(&"commitment_broken"));
}

#[test]
fn what_happened_earlier_counts_from_then_and_nothing_from_the_future() {
    let mut story = Story::of(vec![pothole()]);
    let command = receive("voirie/chaussee-abimee", Channel::Phone, json!({ "place": [48.9, 4.3] }));
    let future = paris("2026-05-04T10:01");
    let refused = story.world.submit_at(0, &agent("a02"), &command, future).unwrap_err();
    assert_eq!(refused.code, "time.future");
    // A call on Thursday evening, written down on Monday.
    story.world.submit_at(0, &agent("a02"), &command, paris("2026-04-30T18:00")).unwrap();
    assert_eq!(story.request().milestones.received, paris("2026-04-30T18:00"));
    assert_eq!(story.due("answer"), paris("2026-05-05T17:00"));
    let before = paris("2026-04-30T17:00");
    let refused = story.world.submit_at(0, &agent("a02"), &qualify(), before).unwrap_err();
    assert_eq!(refused.code, "time.before_receipt");
}

#[test]
fn a_clock_may_rest_during_validation_if_the_sheet_says_so() {
    let mut sheet = pothole();
    sheet.commitments[1].paused_while.push(PauseReason::Validation);
    let mut story = Story::of(vec![sheet]);
    story.does(
        &agent("a22"),
        receive("voirie/chaussee-abimee", Channel::Phone, json!({ "place": [48.9, 4.3], "danger": true })),
    );
    story.does(&agent("a02"), qualify());
    story.does(&agent("a05"), complete("visite", json!({ "finding": "trou", "made_safe": true })));
    story.does(&agent("a21"), answer("Fait."));
    assert_eq!(story.clock("answer").status, ClockStatus::Paused);
    story
        .at("2026-05-05T17:00")
        .does(&agent("a80"), Command::Return { step: "direction".into(), reason: "Trop bref.".into() });
    assert_eq!(story.clock("answer").status, ClockStatus::Running);
    assert_eq!(story.due("answer"), paris("2026-05-20T17:00"));
    // Sent again after closing, so that day counts; Wednesday's closing does not.
    story.at("2026-05-05T18:00");
    story.does(&agent("a21"), answer("C’est réparé."));
    story.at("2026-05-07T10:00").does(&agent("a80"), Command::Approve { step: "direction".into() });
    story.does(&agent("a90"), Command::Approve { step: "elu".into() });
    assert_eq!(story.clock("answer").status, ClockStatus::Running);
    assert_eq!(story.due("answer"), paris("2026-05-21T17:00"));
}

#[test]
fn a_suspension_ends_at_its_instant_however_late_the_timer_fires() {
    let mut sheet = pothole();
    sheet.commitments[1].paused_while.push(PauseReason::Suspended);
    let mut story = Story::of(vec![sheet]);
    story.does(
        &agent("a22"),
        receive("voirie/chaussee-abimee", Channel::Phone, json!({ "place": [48.9, 4.3] })),
    );
    let until = Some(paris("2026-05-07T10:00"));
    assert_eq!(
        story.refuses(
            &agent("a02"),
            Command::Suspend { reason: "Crue".into(), until: Some(paris("2026-05-04T09:00")) }
        ),
        "time.past"
    );
    story.does(&agent("a02"), Command::Suspend { reason: "Crue".into(), until });
    story.world.now = paris("2026-05-20T10:00");
    let due = paris("2026-05-07T10:00");
    story.does(&Actor::Engine, Command::Elapse { timer: TimerKind::SuspensionEnd, due });
    assert!(story.request().hold.is_none());
    // Missed closings: 4, 5 and 6 May; so 7 and 11 May are the two days.
    assert_eq!(story.due("answer"), paris("2026-05-11T17:00"));
}

#[test]
fn a_term_without_answer_lapses_and_the_request_goes_on() {
    let mut story = Story::pothole(false);
    story.does(&agent("a02"), qualify());
    story.does(&agent("a21"), ask(&[]));
    story.at("2026-05-12T09:00");
    assert_eq!(story.names().iter().filter(|name| **name == "reminded").count(), 1);
    story.at("2026-05-20T09:00");
    assert!(story.names().contains(&"lapsed"));
    assert!(story.request().hold.is_none());
    assert_eq!(story.clock("answer").pauses[0].until, Some(paris("2026-05-20T00:00")));
}

#[test]
fn a_late_task_is_told_once() {
    let mut story = Story::pothole(false);
    story.does(&agent("a02"), qualify());
    story.at("2026-05-06T09:00");
    assert!(story.request().tasks["visite"].late);
    let warned =
        story.told().into_iter().filter(|(_, subject)| *subject == Subject::Warning("task:visite".into()));
    assert_eq!(warned.count(), 1);
}

#[test]
fn a_rest_ends_at_its_term_even_if_its_timer_never_ran() {
    let mut fired = Story::pothole(false);
    fired.does(&agent("a02"), ask(&[]));
    let mut missed = Story { world: fired.world.clone(), case: 0 };
    fired.at("2026-05-25T10:00").does(&Actor::Requester, reply());
    missed.world.now = paris("2026-05-25T10:00");
    missed.does(&Actor::Requester, reply());
    assert_eq!(missed.due("answer"), fired.due("answer"));
    assert_eq!(missed.clock("answer").pauses[0].until, Some(paris("2026-05-20T00:00")));
}

#[test]
fn a_warning_that_was_given_is_not_given_again_because_the_promise_changed_while_it_rested() {
    let mut story = Story::pothole(false);
    story.does(&agent("a02"), qualify());
    // Half of two days was gone on Tuesday; half of three will be on Wednesday at 9:30.
    story.at("2026-05-06T09:10").does(&agent("a21"), ask(&[]));
    let extend = Command::Extend {
        commitment: "answer".into(),
        by: "1 working day".parse().unwrap(),
        basis: "Crue".into(),
    };
    story.does(&agent("a21"), extend);
    story.at("2026-05-06T09:20").does(&Actor::Requester, reply());
    assert_eq!(
        story.clock("answer").warnings.iter().map(|warning| warning.percent).collect::<Vec<_>>(),
        [50, 80]
    );
    let mut story = Story::pothole(false);
    story.does(&agent("a02"), qualify());
    story.at("2026-05-06T16:00").does(&agent("a21"), ask(&[]));
    let extend = Command::Extend {
        commitment: "answer".into(),
        by: "1 working day".parse().unwrap(),
        basis: "Crue".into(),
    };
    story.does(&agent("a21"), extend);
    story.at("2026-05-06T16:30").does(&Actor::Requester, reply());
    // Half of three days was gone by then; four fifths lie ahead again.
    assert_eq!(
        story.clock("answer").warnings.iter().map(|warning| warning.percent).collect::<Vec<_>>(),
        [80]
    );
}
