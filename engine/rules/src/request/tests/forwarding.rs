//! Passing requests on: within the installation, out of it, and what is reported of it.

use serde_json::{Map, json};
use uuid::Uuid;

use super::town::*;
use crate::organisation::Administration;
use crate::process::{Channel, Delivery, Silence};
use crate::request::*;

fn forward(to: &str) -> Command {
    Command::Forward { to: to.into(), process: None, basis: Some("CRPA L114-2".into()) }
}

fn by_mail() -> RequesterInput {
    reachable(Some("camille@example.org"), None, None)
}

fn told(story: &Story, from: usize) -> Vec<(Recipient, Subject)> {
    story.told().split_off(from)
}

/// A pothole of the town that is to be passed on; the list of administrations has two.
fn reported() -> Story {
    let mut story = Story::of(vec![pothole(), question()]);
    let listed = |id: &str, name: &str, email: Option<&str>| Administration {
        administration: id.into(),
        title: same(name),
        email: email.map(Into::into),
        address: Some("38 rue Carnot, 51000 Châlons".into()),
    };
    story.world.organisation.administrations = vec![
        listed("prefecture", "Préfecture", Some("courrier@prefecture.example")),
        listed("departement", "Département", None),
    ];
    let place = json!({ "place": [48.957, 4.363] });
    story.does(&Actor::Requester, received_from("voirie/chaussee-abimee", Channel::Web, place, by_mail()));
    story
}

/// What the worker brings from `through` at 11 in the morning, an hour after the first collectivity had it.
fn brought(through: &[&str], form: serde_json::Value, rest: Option<&str>) -> Command {
    let Command::Receive { process, channel, opened_by, requester, form, external, answer, .. } =
        received_from("voirie/chaussee-abimee", Channel::Counter, form, by_mail())
    else {
        unreachable!()
    };
    let through = through.iter().map(|tenant| (*tenant).to_owned()).collect();
    let origin = Origin { through, request: RequestId(Uuid::from_u128(7)) };
    Command::Receive {
        process,
        channel,
        opened_by,
        requester,
        form,
        external,
        first_received_at: Some(paris("2026-05-04T09:00")),
        answer,
        origin: Some(PassedOn { origin, rest: rest.map(Into::into) }),
    }
}

#[test]
fn within_the_installation_the_other_collectivity_tells_the_citizen() {
    let mut story = reported();
    let before = story.told().len();
    let command = Command::Forward { to: "ccas".into(), process: Some("aide/x".into()), basis: None };
    story.does(&agent("a02"), command);
    assert_eq!(story.stage(), "forwarded");
    assert!(told(&story, before).is_empty(), "one mail, from who is competent");
    let known = story.request().forwarding.clone().unwrap();
    assert_eq!((known.to.as_str(), known.process.as_deref()), ("ccas", Some("aide/x")));
    assert_eq!((known.means, known.standing), (ForwardMeans::Installation, ForwardStanding::UnderWay));
    // On its way it is nobody's to pass on again: there must not be two of it.
    assert_eq!(story.refuses(&agent("a02"), forward("prefecture")), "stage.wrong");
    assert_eq!(story.refuses(&agent("a02"), Command::Reopen { reason: "Non.".into() }), "stage.wrong");
    let there = RequestId(Uuid::from_u128(9));
    assert_eq!(story.refuses(&agent("a02"), Command::ConfirmForward { request: there }), "role.needed");
    story.does(&Actor::Engine, Command::ConfirmForward { request: there });
    assert_eq!(
        story.request().forwarding.as_ref().unwrap().standing,
        ForwardStanding::Arrived { request: there }
    );
    assert_eq!(story.refuses(&Actor::Engine, Command::ConfirmForward { request: there }), "stage.wrong");
    assert_eq!(story.refuses(&Actor::Engine, Command::BlockForward { reason: "x".into() }), "stage.wrong");
    assert_eq!(story.refuses(&agent("a02"), Command::Reopen { reason: "Non.".into() }), "stage.wrong");
}

#[test]
fn what_cannot_be_taken_is_told_once_and_left_to_people_and_to_the_engine_whoever_is_first() {
    let mut story = reported();
    story.does(&agent("a02"), forward("tenant:ccas"));
    let before = story.told().len();
    let block = || Command::BlockForward { reason: "process.unknown".into() };
    assert_eq!(story.refuses(&agent("a02"), block()), "role.needed");
    story.does(&Actor::Engine, block());
    assert_eq!(story.request().forwarding.as_ref().unwrap().blocked(), Some("process.unknown"));
    let front = Recipient::Party(crate::process::Party::Role("ambassadrice".into()));
    assert_eq!(told(&story, before), [(front, Subject::News("forward_blocked".into()))]);
    assert_eq!(story.refuses(&Actor::Engine, block()), "stage.wrong", "nobody is told twice");
    assert!(story.allowed(&agent("a02")).contains(&"forward"));
    assert!(story.allowed(&agent("a02")).contains(&"reopen"));
    assert!(!story.allowed(&agent("a22")).contains(&"forward"), "who does not handle it does not pass it on");
    assert!(!story.allowed(&Actor::Requester).contains(&"reopen"));
    let closed = story.request().closed_at;

    let mut again = Story { world: story.world.clone(), case: story.case };
    again.world.now += chrono::TimeDelta::hours(1);
    again.does(&Actor::Engine, forward("ccas"));
    assert_eq!(again.request().forwarding.as_ref().unwrap().standing, ForwardStanding::UnderWay);
    assert_eq!(again.request().closed_at, closed);
    assert_eq!(again.refuses(&agent("a02"), forward("prefecture")), "stage.wrong", "the engine was first");

    let mut elsewhere = Story { world: story.world.clone(), case: story.case };
    elsewhere.does(&agent("a02"), forward("prefecture"));
    assert_eq!(elsewhere.request().forwarding.as_ref().unwrap().means, ForwardMeans::Email);
    assert_eq!(elsewhere.refuses(&Actor::Engine, forward("ccas")), "stage.wrong", "the agent was first");

    story.does(&agent("a02"), Command::Reopen { reason: "Nous la gardons.".into() });
    assert_eq!((story.stage(), story.request().forwarding.clone()), ("received", None));
    assert_eq!(story.refuses(&Actor::Engine, forward("ccas")), "role.needed");
}

#[test]
fn out_of_the_installation_a_slip_goes_by_mail_or_by_letter_and_the_citizen_is_told() {
    let slip = |to: &str| (Recipient::Administration(to.into()), Subject::Slip);
    let news = (Recipient::Requester, Subject::News("forwarded".into()));
    for (to, meant, means) in [
        ("prefecture", "prefecture", ForwardMeans::Email),
        ("Préfecture", "prefecture", ForwardMeans::Email),
        ("administration:departement", "departement", ForwardMeans::Letter),
        ("Agence de l’eau", "Agence de l’eau", ForwardMeans::Letter),
    ] {
        let mut story = reported();
        let before = story.told().len();
        story.does(&agent("a02"), forward(to));
        assert_eq!(told(&story, before), [news.clone(), slip(meant)], "{to}");
        let known = story.request().forwarding.clone().unwrap();
        assert_eq!((known.to.as_str(), known.means), (meant, means), "{to}");
        let sent =
            if means == ForwardMeans::Email { ForwardStanding::Sent } else { ForwardStanding::UnderWay };
        assert_eq!(known.standing, sent, "{to}: what can be mailed is");
        assert_eq!(story.refuses(&agent("a02"), forward("ccas")), "stage.wrong");
    }
    let mut story = reported();
    for unknown in ["tenant:prefecture", "tenant:nulle-part", "administration:ccas", "administration:x"] {
        assert_eq!(story.refuses(&agent("a02"), forward(unknown)), "forward.unknown", "{unknown}");
    }
    let process = Some("aide/x".to_owned());
    let outside = Command::Forward { to: "prefecture".into(), process, basis: None };
    assert_eq!(story.refuses(&agent("a02"), outside), "forward.process");
}

#[test]
fn a_slip_that_did_not_arrive_by_mail_is_printed_and_nothing_is_printed_twice() {
    let mut story = reported();
    story.world.sends = false;
    let before = story.told().len();
    story.does(&agent("a02"), forward("prefecture"));
    let failed = |effect: &str| Command::FailNotification {
        effect: effect.into(),
        recipient: Recipient::Administration("prefecture".into()),
        reason: "the mail server answered 550".into(),
        late: false,
    };
    let slips = |story: &Story| {
        let asked = story.world.cases[story.case].asked.iter();
        asked.filter(|effect| effect.subject == Subject::Slip).cloned().collect::<Vec<_>>()
    };
    let first = slips(&story)[0].clone();
    assert_eq!((first.by, told(&story, before).len()), (Delivery::Email, 2));
    story.does(&Actor::Engine, failed(&first.id));
    let second = slips(&story)[1].clone();
    assert_eq!(second.by, Delivery::Letter);
    assert_eq!(story.request().forwarding.as_ref().unwrap().means, ForwardMeans::Letter);
    story.does(&agent("a02"), failed(&second.id));
    assert_eq!(slips(&story).len(), 2, "what no post delivers is for people to see to");
    let sent =
        Command::Notify { effect: second.id, recipient: Recipient::Administration("prefecture".into()) };
    assert_eq!(story.refuses(&agent("a02"), sent), "effect.done");
}

#[test]
fn a_slip_that_comes_back_days_later_is_printed_too() {
    let mut story = reported();
    story.does(&agent("a02"), forward("prefecture"));
    assert_eq!(story.request().forwarding.as_ref().unwrap().standing, ForwardStanding::Sent);
    let effect = {
        let asked = &story.world.cases[story.case].asked;
        asked.iter().find(|effect| effect.subject == Subject::Slip).unwrap().id.clone()
    };
    let recipient = Recipient::Administration("prefecture".into());
    let late = Command::FailNotification { effect, recipient, reason: "mailbox full".into(), late: true };
    story.does(&Actor::Engine, late);
    let asked = &story.world.cases[story.case].asked;
    assert_eq!(
        asked.last().map(|effect| (&effect.subject, effect.by)),
        Some((&Subject::Slip, Delivery::Letter))
    );
    assert_eq!(story.request().forwarding.as_ref().unwrap().standing, ForwardStanding::UnderWay);
}

#[test]
fn what_arrives_keeps_its_first_date_and_tells_the_citizen_whatever_the_door_they_came_by() {
    for (silence, due) in
        [(Silence::Rejection, "2026-06-21T00:00"), (Silence::Acceptance, "2026-07-05T00:00")]
    {
        let mut sheet = pothole();
        sheet.law = application(silence).law;
        sheet.channels = vec![Channel::Web];
        sheet.open_to = vec![crate::process::Opener::Agent];
        let mut story = Story::of(vec![sheet]);
        let mut command = brought(&["ccas"], json!({ "danger": false }), Some("Taille : 3 m"));
        if let Command::Receive { first_received_at, .. } = &mut command {
            *first_received_at = Some(paris("2026-04-20T11:00"));
        }
        story.does(&Actor::Engine, command);
        // At the counter of the first collectivity; nobody is at a counter here.
        assert_eq!(story.names()[..2], ["received", "noted"]);
        let told = story.told();
        assert_eq!(told[0], (Recipient::Requester, Subject::Acknowledgement));
        assert_eq!(story.due("silence"), paris(due), "{silence:?}");
        let origin = story.request().origin.clone().unwrap();
        assert_eq!((origin.from(), origin.request), ("ccas", RequestId(Uuid::from_u128(7))));
        assert!(
            !story.request().form.contains_key("place"),
            "what is missing is completed when it is qualified"
        );
        story.does(
            &agent("a02"),
            Command::Qualify {
                process: None,
                complexity: None,
                priority: None,
                form: form(json!({ "place": [48.9, 4.3] })),
            },
        );
    }
}

#[test]
fn nobody_sends_a_citizen_round_in_a_circle_nor_pretends_to_be_the_engine() {
    let mut story = Story::of(vec![pothole()]);
    let sound = || brought(&["ccas"], json!({ "place": [48.9, 4.3] }), None);
    for actor in [agent("a02"), Actor::Requester, Actor::Integrator("portail".into())] {
        assert_eq!(story.refuses(&actor, sound()), "origin.reserved", "{actor:?}");
    }
    let through = |through: &[&str]| brought(through, json!({}), None);
    assert_eq!(story.refuses(&Actor::Engine, through(&["ville"])), "forward.already_from_there");
    assert_eq!(story.refuses(&Actor::Engine, through(&[])), "forward.too_far");
    assert_eq!(story.refuses(&Actor::Engine, through(&["a", "b", "c", "d", "e"])), "forward.too_far");
    let wrong = brought(&["ccas"], json!({ "danger": "peut-être" }), None);
    assert_eq!(story.refuses(&Actor::Engine, wrong), "form.invalid", "what does not fit is not brought so");
    story.does(&Actor::Engine, sound());
    assert_eq!(story.refuses(&agent("a02"), forward("ccas")), "forward.already_from_there");
    assert_eq!(story.refuses(&agent("a02"), forward("tenant:ville")), "forward.self");
    story.does(&agent("a02"), forward("Préfecture de la Marne"));

    let mut far = Story::of(vec![pothole()]);
    far.does(&Actor::Engine, brought(&["a", "b", "c", "d"], json!({}), None));
    assert_eq!(far.refuses(&agent("a02"), forward("ccas")), "forward.too_far");
}

#[test]
fn a_form_is_taken_over_as_far_as_it_fits() {
    let given = json!({
        "place": [48.9, 4.3], "danger": "oui", "witness": "06 39 98 00 00", "size": 3, "details": "", "photos": null
    });
    let (fits, rest) = fitting(&pothole(), given.as_object().unwrap());
    assert_eq!(fits.keys().collect::<Vec<_>>(), ["place", "witness"]);
    assert_eq!(rest, ["danger", "size"]);
    assert_eq!(fitting(&pothole(), &Map::new()), (Map::new(), Vec::new()));
}

#[test]
fn what_older_versions_recorded_was_passed_on_by_hand_and_stays_so() {
    let story = reported();
    let body = br#"{"data":{"to":"ccas","basis":"CRPA L114-2"}}"#;
    let event = Event::decode("request.forwarded", body).unwrap();
    let meta = story.world.cases[story.case].history[0].1.clone();
    let after = evolve(Some(story.request().clone()), &event, &meta).unwrap();
    assert_eq!((after.stage.id(), &after.forwarding), ("forwarded", &None));
    let sheet = &story.world.plans["voirie/chaussee-abimee"];
    let asked = effects(9, &event, &after, sheet, &story.world.organisation);
    let told: Vec<_> = asked.into_iter().map(|effect| (effect.recipient, effect.subject)).collect();
    assert_eq!(told, [(Recipient::Requester, Subject::News("forwarded".into()))]);
}
