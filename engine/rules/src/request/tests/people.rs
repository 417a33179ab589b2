//! Who may do what, and what a refusal tells.

use serde_json::{Map, json};

use super::*;
use crate::process::*;
use crate::request::*;

fn qualify() -> Command {
    Command::Qualify { process: None, complexity: None, priority: None, form: Map::new() }
}

#[test]
fn another_collectivity_learns_nothing() {
    let mut story = Story::pothole(false);
    for command in [qualify(), Command::Note { text: "?".into() }, Command::Cancel { reason: "?".into() }] {
        let rejection = story.rejection(&agent("c01"), command);
        assert_eq!(
            (rejection.code.as_str(), rejection.stage, rejection.allowed.len()),
            ("request.unknown", None, 0)
        );
    }
    let mut elsewhere = story.world.clone();
    elsewhere.tenant = "ccas".into();
    let here = elsewhere.submit(0, &agent("c01"), &qualify()).unwrap_err();
    let case = elsewhere.open();
    let nowhere = elsewhere.submit(case, &agent("c01"), &qualify()).unwrap_err();
    assert_eq!(here, nowhere);
}

#[test]
fn a_refusal_says_the_stage_and_what_would_be_allowed() {
    let mut story = Story::pothole(false);
    let rejection = story.rejection(&agent("a02"), answer("Trop tôt."));
    assert_eq!((rejection.code.as_str(), rejection.stage.as_deref()), ("stage.wrong", Some("received")));
    assert_eq!(
        rejection.allowed,
        [
            "qualify",
            "visit",
            "ask",
            "reply",
            "suspend",
            "extend",
            "note",
            "message",
            "cancel",
            "refuse",
            "forward",
            "merge",
            "request_payment",
            "offer_appointment",
            "set_intervention"
        ]
    );
    assert_eq!(rejection.text.fr, "Ce n’est pas possible maintenant : la demande est reçue, à qualifier.");
}

#[test]
fn each_does_what_the_sheet_gives_them() {
    let mut story = Story::pothole(false);
    assert_eq!(story.refuses(&agent("a21"), qualify()), "role.needed");
    assert_eq!(story.refuses(&Actor::Requester, qualify()), "role.needed");
    story.does(&agent("a02"), qualify());
    let visit = || complete("visite", json!({ "finding": "trou" }));
    assert_eq!(story.refuses(&agent("a21"), visit()), "role.needed");
    story.does(&agent("a05"), visit());
    assert_eq!(story.refuses(&agent("a05"), visit()), "task.not_open");
    assert_eq!(story.refuses(&agent("a05"), complete("intervention", json!({}))), "role.needed");
    assert_eq!(story.refuses(&agent("a21"), answer("Bientôt.")), "tasks.unfinished");
    assert_eq!(story.refuses(&agent("a21"), complete("peinture", json!({}))), "task.unknown");
    story.does(&agent("a21"), Command::Claim {});
    assert_eq!(story.refuses(&agent("a22"), Command::Claim {}), "claim.taken");
    assert_eq!(story.refuses(&agent("a22"), Command::Release {}), "claim.not_yours");
    story.does(&agent("a20"), Command::Release {});
    assert_eq!(story.refuses(&agent("a05"), Command::Cancel { reason: "?".into() }), "role.needed");
}

#[test]
fn the_requester_may_reply_withdraw_rate_and_reopen_and_nothing_else() {
    let mut story = Story::pothole(false);
    assert_eq!(story.allowed(&Actor::Requester), ["reply", "withdraw"]);
    story = Story::visited(false, true);
    story.does(&agent("a21"), answer("Fait."));
    assert_eq!(story.refuses(&Actor::Requester, Command::Withdraw { reason: None }), "withdraw.too_late");
    story.does(&agent("a02"), Command::Deliver { by: Delivery::Counter });
    assert_eq!(story.allowed(&Actor::Requester), ["reopen", "rate"]);
    assert_eq!(story.refuses(&Actor::Requester, Command::Rate { score: 6, comment: None }), "rating.range");
    story.does(&Actor::Requester, Command::Rate { score: 4, comment: Some("Merci".into()) });
    assert_eq!(story.refuses(&Actor::Requester, Command::Rate { score: 1, comment: None }), "rating.already");
    assert_eq!(story.refuses(&agent("a02"), Command::Withdraw { reason: None }), "stage.wrong");
}

#[test]
fn what_is_said_unasked_changes_no_field() {
    let mut story = Story::pothole(false);
    let reply =
        |values| Command::Reply { text: Some("Encore là.".into()), form: form(values), complete: true };
    assert_eq!(story.refuses(&Actor::Requester, reply(json!({ "danger": true }))), "waiting.not_waiting");
    story.does(&Actor::Requester, reply(json!({})));
    let empty = Command::Reply { text: None, form: Map::new(), complete: true };
    assert_eq!(story.refuses(&Actor::Requester, empty), "reply.empty");
}

#[test]
fn a_reply_may_correct_fields_and_the_rules_see_it() {
    let mut story = Story::pothole(false);
    story.does(&agent("a02"), Command::Ask { question: "Danger ?".into(), pieces: Vec::new(), within: None });
    assert_eq!(
        story.refuses(&agent("a02"), Command::Suspend { reason: "?".into(), until: None }),
        "request.on_hold"
    );
    let reply = Command::Reply { text: None, form: form(json!({ "danger": true })), complete: true };
    story.does(&Actor::Integrator("portail".into()), reply);
    story.does(&agent("a02"), qualify());
    assert_eq!(story.request().complexity, Complexity::Complex);
}

#[test]
fn who_may_open_a_request_and_how() {
    let mut sheet = pothole();
    sheet.open_to = vec![Opener::Citizen, Opener::Patroller];
    sheet.channels = vec![Channel::Web, Channel::Patrol];
    let mut story = Story::of(vec![sheet]);
    let place = || json!({ "place": [48.9, 4.3] });
    let receive_as = |opened_by, channel| {
        let Command::Receive {
            process, requester, form, external, first_received_at, answer, origin, ..
        } = receive("voirie/chaussee-abimee", channel, place())
        else {
            unreachable!()
        };
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
        }
    };
    assert_eq!(story.refuses(&Actor::Requester, receive_as(Opener::Patroller, Channel::Web)), "role.needed");
    assert_eq!(story.refuses(&agent("a05"), receive_as(Opener::Agent, Channel::Patrol)), "process.not_open");
    assert_eq!(
        story.refuses(&Actor::Requester, receive_as(Opener::Citizen, Channel::Phone)),
        "channel.closed"
    );
    assert_eq!(story.refuses(&agent("c01"), receive_as(Opener::Citizen, Channel::Web)), "role.needed");
    assert_eq!(
        story.refuses(&Actor::Requester, receive("voirie/inconnu", Channel::Web, place())),
        "process.unknown"
    );
    story.does(&agent("a05"), receive_as(Opener::Patroller, Channel::Patrol));
    assert_eq!(
        story.refuses(&agent("a05"), receive_as(Opener::Patroller, Channel::Patrol)),
        "request.exists"
    );
}

#[test]
fn a_request_changes_hands_within_its_collectivity() {
    let mut story = Story::visited(false, false);
    let to = |service: &str| Command::Reassign { to: service.into(), reason: "Pas nous.".into() };
    assert_eq!(story.refuses(&agent("a21"), to("aides")), "service.unknown");
    assert_eq!(story.refuses(&agent("a21"), to("voirie")), "service.same");
    story.does(&agent("a21"), to("service:relation-usagers"));
    assert_eq!(story.request().reassignments, 1);
    assert_eq!(story.refuses(&agent("a21"), complete("intervention", json!({}))), "role.needed");
    story.does(&agent("a01"), complete("intervention", json!({})));
}

#[test]
fn forwarding_refusing_and_cancelling_end_the_request_and_tell_the_requester() {
    let forward =
        |to: &str| Command::Forward { to: to.into(), process: None, basis: Some("CRPA L114-2".into()) };
    let who = || reachable(Some("camille@example.org"), None, None);
    for (command, news, stage) in [
        (forward("Agence de l’eau"), "forwarded", "forwarded"),
        (Command::Refuse { reason: "Privé.".into(), basis: None }, "refused", "refused"),
        (Command::Cancel { reason: "Erreur.".into() }, "cancelled", "cancelled"),
    ] {
        let mut story = Story::of(vec![pothole()]);
        story.does(
            &agent("a22"),
            received_from("voirie/chaussee-abimee", Channel::Web, json!({ "place": [48.9, 4.3] }), who()),
        );
        assert_eq!(story.refuses(&agent("a02"), forward("ville")), "forward.self");
        story.does(&agent("a02"), command);
        assert_eq!(story.stage(), stage);
        assert!(story.told().contains(&(Recipient::Requester, Subject::News(news.into()))));
        assert!(timers(story.request()).is_empty());
        assert_eq!(story.refuses(&agent("a02"), qualify()), "stage.wrong");
    }
}

#[test]
fn an_effect_is_reported_once() {
    let mut story = Story::pothole(false);
    let notify = || Command::Notify { effect: "0-0".into(), recipient: Recipient::Requester };
    assert_eq!(story.refuses(&Actor::Requester, notify()), "role.needed");
    story.does(&Actor::Engine, notify());
    assert_eq!(story.refuses(&Actor::Engine, notify()), "effect.done");
    assert_eq!(
        story.refuses(&Actor::Engine, Command::Acknowledge { by: Delivery::Email }),
        "acknowledgement.already"
    );
}

#[test]
fn every_sentence_is_written_in_both_languages_and_every_code_is_unique() {
    let mut codes = REJECTION_CODES.to_vec();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), REJECTION_CODES.len());
    let rejection = crate::request::refusal::approval_not_yours("elu");
    assert_ne!(rejection.text.fr, rejection.text.en);
}
