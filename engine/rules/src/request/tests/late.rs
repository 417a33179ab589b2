//! What fell due before a command came is recorded with it: what a request goes through does not depend on when a
//! program ran.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Map, json};

use super::properties::{actors, commands, ends, rich};
use super::*;
use crate::process::*;
use crate::request::*;

/// A question asked by telephone on Monday at ten; the answer is promised for Wednesday at five.
fn asked() -> Story {
    let mut story = Story::of(vec![question()]);
    story.does(&agent("a02"), receive("institutions/question", Channel::Phone, json!({ "question": "?" })));
    story
}

/// Nothing runs until then.
fn silent_until(story: &mut Story, local: &str) {
    story.world.now = paris(local);
}

fn deliver() -> Command {
    Command::Deliver { by: Delivery::Phone }
}

/// Names, instants and actors of what happened since `from`.
fn happened(story: &Story, from: usize) -> Vec<(&'static str, DateTime<Utc>, String)> {
    let line = |(event, meta): &(Event, Meta)| {
        let name = event.what.name().strip_prefix("request.").unwrap();
        (name, meta.occurred_at, meta.actor.clone())
    };
    story.world.cases[story.case].history.iter().skip(from).map(line).collect()
}

/// The promises found broken: which, and when they were due.
fn breaches(story: &Story) -> Vec<(String, DateTime<Utc>)> {
    let history = story.world.cases[story.case].history.iter();
    let breach = |(event, _): &(Event, Meta)| match &event.what {
        What::CommitmentBroken(event) => Some((event.commitment.clone(), event.due)),
        _ => None,
    };
    history.filter_map(breach).collect()
}

#[test]
fn a_late_answer_breaks_its_promise_although_no_timer_ran() {
    let mut story = asked();
    let from = happened(&story, 0).len();
    silent_until(&mut story, "2026-05-07T09:00");
    story.does(&agent("a01"), answer("Oui."));
    let engine = || "engine".to_owned();
    let mut expected = vec![
        ("commitment_warned", paris("2026-05-05T13:30"), engine()),
        ("commitment_warned", paris("2026-05-06T12:24"), engine()),
        ("commitment_broken", paris("2026-05-06T17:00"), engine()),
    ];
    let by_hand = |name| (name, paris("2026-05-07T09:00"), "agent:a01".to_owned());
    expected.extend([by_hand("drafted"), by_hand("validated"), by_hand("delivery_opened")]);
    let mut told = happened(&story, from);
    told.retain(|(name, ..)| *name != "notified");
    assert_eq!(told, expected);
    let role = |role: &str| Recipient::Party(Party::Role(role.into()));
    let breach = |(_, subject): &(Recipient, Subject)| matches!(subject, Subject::Breach(_));
    let told: Vec<Recipient> = story.told().into_iter().filter(breach).map(|(to, _)| to).collect();
    assert_eq!(told, [role("chef-de-service"), role("dga")]);
    story.does(&agent("a01"), deliver());
    assert_eq!(story.clock("answer").status, ClockStatus::Late);
    // The worker comes too late to say it again.
    let due = paris("2026-05-06T17:00");
    let elapse = Command::Elapse { timer: TimerKind::Breach { commitment: "answer".into() }, due };
    assert_eq!(story.refuses(&Actor::Engine, elapse), "timer.stale");
}

#[test]
fn what_was_done_in_time_and_written_down_later_breaks_nothing() {
    let mut story = asked();
    story.does(&agent("a01"), answer("Oui."));
    silent_until(&mut story, "2026-05-12T09:00");
    story.world.submit_at(0, &agent("a01"), &deliver(), paris("2026-05-06T16:59")).unwrap();
    assert_eq!(story.clock("answer").status, ClockStatus::Kept);
    assert_eq!(breaches(&story), []);
    // What was written down later still may have happened too late: that is dated, and broken, as it happened.
    let mut story = asked();
    story.does(&agent("a01"), answer("Oui."));
    silent_until(&mut story, "2026-05-12T09:00");
    story.world.submit_at(0, &agent("a01"), &deliver(), paris("2026-05-06T17:01")).unwrap();
    assert_eq!(story.clock("answer").status, ClockStatus::Late);
    assert_eq!(breaches(&story), [("answer".to_owned(), paris("2026-05-06T17:00"))]);
}

#[test]
fn what_is_done_at_the_very_instant_of_its_term_is_in_time_whether_timers_ran_or_not() {
    for ran in [true, false] {
        let mut story = asked();
        story.does(&agent("a01"), answer("Oui."));
        if ran {
            story.at("2026-05-06T17:00");
        } else {
            silent_until(&mut story, "2026-05-06T17:00");
        }
        story.does(&agent("a01"), deliver());
        assert_eq!(story.clock("answer").status, ClockStatus::Kept);
        assert_eq!(breaches(&story), []);
    }
}

#[test]
fn a_term_that_is_over_binds_before_its_timer_ran() {
    let mut story = Story::pothole(false);
    let ask = Command::Ask { question: "Où ?".into(), pieces: Vec::new(), within: None };
    story.does(&agent("a02"), ask);
    silent_until(&mut story, "2026-05-25T10:00");
    let reply = Command::Reply { text: None, form: form(json!({ "place": [48.9, 4.4] })), complete: true };
    // Nothing is awaited any more, and a refused command leaves nothing behind.
    assert_eq!(story.refuses(&Actor::Requester, reply), "waiting.not_waiting");
    story.does(&agent("a02"), Command::Note { text: "Rappelé.".into() });
    let lapsed = happened(&story, 0).into_iter().find(|(name, ..)| *name == "lapsed");
    assert_eq!(lapsed, Some(("lapsed", paris("2026-05-20T00:00"), "engine".to_owned())));
    assert!(story.request().hold.is_none());
}

#[test]
fn silence_is_agreement_even_if_nobody_was_there_to_say_so() {
    let mut sheet = pothole();
    let circuit = sheet.validation.circuit.as_mut().unwrap();
    circuit.steps[0].on_late = OnLate::Approve;
    let mut story = Story::of(vec![sheet]);
    let place = json!({ "place": [48.9, 4.3], "danger": true });
    story.does(&agent("a22"), receive("voirie/chaussee-abimee", Channel::Phone, place));
    let qualify = Command::Qualify { process: None, complexity: None, priority: None, form: Map::new() };
    story.does(&agent("a02"), qualify);
    story.does(&agent("a05"), complete("visite", json!({ "finding": "trou", "made_safe": true })));
    story.does(&agent("a21"), answer("Fait."));
    silent_until(&mut story, "2026-05-11T09:00");
    // The director's two days ended on Wednesday; the elected official may go on at once, the director no more.
    let approve = |step: &str| Command::Approve { step: step.into() };
    assert_eq!(story.refuses(&agent("a80"), approve("direction")), "approval.not_yours");
    story.does(&agent("a90"), approve("elu"));
    assert_eq!(story.stage(), "validated");
    let agreed = happened(&story, 0).into_iter().find(|(name, ..)| *name == "approved");
    assert_eq!(agreed, Some(("approved", paris("2026-05-06T17:00"), "engine".to_owned())));
}

/// How many warnings and reminders were told to anyone after an outage, by what the sheet says of missed ones.
fn told_after(missed: Missed, outage_until: &str) -> (usize, usize) {
    let mut sheet = pothole();
    sheet.commitments[1].missed = missed;
    sheet.waiting.missed = missed;
    let mut story = Story::of(vec![sheet]);
    let who = reachable(Some("camille@example.org"), None, None);
    let values = json!({ "place": [48.9, 4.3] });
    // Received by one who qualifies, so that there is a service in charge to be warned.
    story.does(&agent("a02"), received_from("voirie/chaussee-abimee", Channel::Phone, values, who));
    story.case = story.world.open();
    let values = json!({ "place": [48.9, 4.3] });
    let who = reachable(Some("claude@example.org"), None, None);
    story.does(&agent("a22"), received_from("voirie/chaussee-abimee", Channel::Phone, values, who));
    story.does(&agent("a02"), Command::Ask { question: "Où ?".into(), pieces: Vec::new(), within: None });
    silent_until(&mut story, outage_until);
    story.at(outage_until);
    let asked = |story: &Story, subject: &Subject| {
        story.told().into_iter().filter(|(_, about)| about == subject).count()
    };
    let reminders = asked(&story, &Subject::Question) - 1;
    story.case = 0;
    let recorded = happened(&story, 0).into_iter().filter(|(name, ..)| *name == "commitment_warned");
    assert!(recorded.count() >= 1, "what is recorded is the same, whoever is told");
    (asked(&story, &Subject::Warning("answer".into())), reminders)
}

#[test]
fn of_what_was_missed_in_an_outage_the_sheet_says_what_is_still_told() {
    // Warned at half on Tuesday 13:30 and at four fifths on Wednesday 12:24, broken on Wednesday at 17:00.
    // Reminded on Thursday at 17:00, lapsed on 20 May.
    let tuesday = "2026-05-05T14:00";
    let wednesday = "2026-05-06T12:30";
    let thursday = "2026-05-07T20:00";
    let may = "2026-05-21T09:00";
    for (missed, expected) in [
        (Missed::Once, [(1, 0), (1, 0), (0, 1), (0, 0)]),
        (Missed::Each, [(1, 0), (2, 0), (2, 1), (2, 1)]),
        (Missed::Skip, [(1, 0), (1, 0), (0, 0), (0, 0)]),
    ] {
        let told = [tuesday, wednesday, thursday, may].map(|until| told_after(missed, until));
        assert_eq!(told, expected, "{missed:?}");
    }
}

/// The same life in two towns: in one the timers run in time, in the other nothing ever runs by itself.
struct Twins {
    prompt: Story,
    silent: Story,
}

impl Twins {
    fn step(&mut self, (who, what, minutes): (usize, usize, i64)) {
        let later = self.prompt.world.now + TimeDelta::minutes(minutes);
        self.prompt.world.wait_until(later).unwrap();
        self.silent.world.now = later;
        let all: Vec<Actor> = actors().into_iter().filter(|actor| *actor != Actor::Engine).collect();
        let possible =
            (0..all.len()).map(|offset| all[(who + offset) % all.len()].clone()).find_map(|actor| {
                let fits = |command: &Command| {
                    (what % 7 == 0 || !ends(command))
                        && matches!(
                            self.prompt.world.try_out(self.prompt.case, &actor, command, later),
                            Some(Ok(_))
                        )
                };
                let fits: Vec<Command> = commands(&self.prompt).into_iter().filter(fits).collect();
                (!fits.is_empty()).then(|| (actor.clone(), fits[what % fits.len()].clone()))
            });
        let Some((actor, command)) = possible else { return };
        self.prompt.does(&actor, command.clone());
        self.silent.does(&actor, command);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 5, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_life_is_the_same_whether_its_timers_ran_in_time_or_not(
        silence in prop_oneof![Just(Silence::None), Just(Silence::Acceptance), Just(Silence::Rejection)],
        (danger, agrees) in any::<(bool, bool)>(),
        steps in prop::collection::vec((0..40_usize, 0..10_000_usize, 0..6_000_i64), 1..25),
    ) {
        let mut sheet = rich(silence);
        if agrees {
            sheet.validation.circuit.as_mut().unwrap().steps[0].on_late = OnLate::Approve;
        }
        let mut prompt = Story::of(vec![sheet, question()]);
        prompt.world.sends = false;
        let values = json!({ "place": [48.9, 4.3], "danger": danger });
        prompt.does(&agent("a22"), receive("voirie/chaussee-abimee", Channel::Phone, values));
        let silent = Story { world: prompt.world.clone(), case: 0 };
        let mut twins = Twins { prompt, silent };
        for drawn in steps {
            twins.step(drawn);
        }
        let later = twins.prompt.world.now + TimeDelta::days(800);
        twins.prompt.world.wait_until(later).unwrap();
        twins.silent.world.wait_until(later).unwrap();
        prop_assert_eq!(happened(&twins.silent, 0), happened(&twins.prompt, 0));
        prop_assert_eq!(breaches(&twins.silent), breaches(&twins.prompt));
        let clocks = |story: &Story| story.request().clocks.clone();
        prop_assert_eq!(clocks(&twins.silent), clocks(&twins.prompt));
        let broken = breaches(&twins.silent);
        for clock in clocks(&twins.silent) {
            let found = broken.contains(&(clock.commitment.clone(), clock.due));
            // Terms that were changed after a breach, and had passed as well by then, are not broken a second time.
            let noticed = broken.iter().any(|(name, due)| *name == clock.commitment && *due <= clock.due);
            prop_assert!(clock.status != ClockStatus::Late || noticed, "{:?} is late unnoticed", clock);
            prop_assert!(clock.status != ClockStatus::Kept || !found, "{:?} is kept and broken", clock);
        }
    }
}
