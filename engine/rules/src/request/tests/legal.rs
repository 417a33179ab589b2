//! The legal clock beside the public promise (CRPA L114-3, L114-5).

use serde_json::{Map, json};

use super::*;
use crate::process::*;
use crate::request::*;

fn asked(silence: Silence) -> Story {
    let mut story = Story::of(vec![application(silence)]);
    story.does(
        &agent("a02"),
        receive("urbanisme/demande", Channel::Phone, json!({ "question": "Permission ?" })),
    );
    story
}

fn pieces() -> Command {
    Command::Ask {
        question: "Le plan, s’il vous plaît.".into(),
        pieces: vec!["plan".into()],
        within: Some("10 days".parse().unwrap()),
    }
}

fn reply() -> Command {
    Command::Reply { text: Some("Voici.".into()), form: Map::new(), complete: true }
}

#[test]
fn silence_counts_beside_the_promise_and_says_by_which_rule() {
    let story = asked(Silence::Rejection);
    let clock = story.clock("silence");
    assert_eq!((clock.due, clock.rule.as_deref()), (paris("2026-07-05T00:00"), Some("/law")));
    assert_eq!(story.due("answer"), paris("2026-05-06T17:00"));
}

#[test]
fn an_incomplete_file_suspends_a_rejection_for_the_term_given() {
    let mut story = asked(Silence::Rejection);
    story.at("2026-05-11T10:00").does(&agent("a01"), pieces());
    assert_eq!(story.clock("silence").status, ClockStatus::Paused);
    // The term ends on 21 May; nothing came. Ten ends of days were not counted.
    story.at("2026-05-25T10:00");
    assert_eq!(story.clock("silence").status, ClockStatus::Running);
    assert_eq!(story.due("silence"), paris("2026-07-15T00:00"));
}

#[test]
fn the_suspension_of_a_rejection_ends_early_when_the_pieces_arrive() {
    let mut story = asked(Silence::Rejection);
    story.at("2026-05-11T10:00").does(&agent("a01"), pieces());
    story.at("2026-05-13T10:00").does(&Actor::Requester, reply());
    assert_eq!(story.due("silence"), paris("2026-07-07T00:00"));
}

#[test]
fn an_acceptance_counts_from_the_moment_the_file_is_complete() {
    let mut story = asked(Silence::Acceptance);
    assert_eq!(story.due("silence"), paris("2026-07-05T00:00"));
    story.at("2026-05-11T10:00").does(&agent("a01"), pieces());
    story.at("2026-05-13T10:00").does(&Actor::Requester, reply());
    assert_eq!(story.clock("silence").from, paris("2026-05-13T10:00"));
    assert_eq!(story.due("silence"), paris("2026-07-14T00:00"));
}

#[test]
fn an_acceptance_has_not_begun_while_pieces_are_missing_even_after_the_term() {
    let mut story = asked(Silence::Acceptance);
    story.at("2026-05-11T10:00").does(&agent("a01"), pieces());
    story.at("2026-09-01T10:00");
    assert!(story.names().contains(&"lapsed"));
    assert_eq!(story.clock("silence").status, ClockStatus::Paused);
    // They come at last, without being awaited.
    story.does(&Actor::Requester, reply());
    assert_eq!(story.due("silence"), paris("2026-11-02T00:00"));
}

#[test]
fn a_plain_question_stops_no_legal_clock() {
    let mut story = asked(Silence::Acceptance);
    story.does(
        &agent("a01"),
        Command::Ask { question: "Pourquoi ?".into(), pieces: Vec::new(), within: None },
    );
    assert_eq!(story.clock("silence").status, ClockStatus::Running);
    assert_eq!(story.clock("answer").status, ClockStatus::Paused);
}

#[test]
fn a_request_passed_on_counts_from_the_first_administration_for_rejection_only() {
    for (silence, due) in
        [(Silence::Rejection, "2026-06-21T00:00"), (Silence::Acceptance, "2026-07-05T00:00")]
    {
        let mut story = Story::of(vec![application(silence)]);
        let Command::Receive {
            process, channel, opened_by, requester, form, external, answer, origin, ..
        } = receive("urbanisme/demande", Channel::Letter, json!({ "question": "Permission ?" }))
        else {
            unreachable!()
        };
        let first_received_at = Some(paris("2026-04-20T11:00"));
        story.does(
            &agent("a02"),
            Command::Receive {
                process,
                channel,
                opened_by,
                requester,
                form,
                external,
                first_received_at,
                answer,
                origin,
            },
        );
        assert_eq!(story.due("silence"), paris(due), "{silence:?}");
        assert_eq!(story.clock("answer").from, paris("2026-05-04T10:00"));
    }
}

#[test]
fn when_silence_has_spoken_the_service_hears_of_it_and_nothing_moves_it() {
    let mut story = asked(Silence::Rejection);
    story.at("2026-07-06T09:00");
    assert!(story.clock("silence").broken);
    let told = Subject::Breach("silence".into());
    assert!(story.told().iter().any(|(_, subject)| *subject == told));
    story.does(&agent("a01"), pieces());
    assert_eq!(story.clock("silence").status, ClockStatus::Running);
    assert_eq!(story.due("silence"), paris("2026-07-05T00:00"));
}

#[test]
fn an_express_decision_ends_the_silence_and_a_withdrawal_drops_it() {
    let mut refused = asked(Silence::Rejection);
    refused.does(&agent("a01"), Command::Refuse { reason: "Hors délai.".into(), basis: None });
    assert_eq!(refused.clock("silence").status, ClockStatus::Kept);
    assert_eq!(refused.clock("answer").status, ClockStatus::Dropped);
    let mut withdrawn = asked(Silence::Rejection);
    withdrawn.does(&Actor::Requester, Command::Withdraw { reason: None });
    assert_eq!(withdrawn.clock("silence").status, ClockStatus::Dropped);
}

#[test]
fn a_reopened_request_has_a_new_silence() {
    let mut story = asked(Silence::Rejection);
    story.does(&agent("a01"), answer("Non."));
    story.does(&agent("a01"), Command::Deliver { by: Delivery::Counter });
    assert_eq!(story.clock("silence").status, ClockStatus::Kept);
    story.at("2026-05-18T10:00").does(&Actor::Requester, Command::Reopen { reason: "Recours".into() });
    assert_eq!(story.due("silence"), paris("2026-07-19T00:00"));
    assert_eq!(story.request().clocks.iter().filter(|clock| clock.commitment == "silence").count(), 2);
}
