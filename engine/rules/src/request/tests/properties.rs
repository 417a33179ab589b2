//! What is true of every life that a request may have, however strange: lives are drawn at random.

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::commitment::due_instant;
use crate::process::*;
use crate::request::decide::moments::reached;
use crate::request::decide::tries::samples;
use crate::request::*;

/// Everyone who could do something.
pub(super) fn actors() -> Vec<Actor> {
    let mut all = vec![Actor::Requester, Actor::Engine, Actor::Integrator("portail".into())];
    all.extend(town().people.iter().map(|person| agent(&person.person)));
    all
}

/// What could be asked, with arguments that sometimes matter.
pub(super) fn commands(story: &Story) -> Vec<Command> {
    let request = story.request();
    let mut all = samples(request, story.world.now);
    let qualify = |complexity, form| Command::Qualify { process: None, complexity, priority: None, form };
    all.extend([
        qualify(Some(Complexity::Complex), Map::new()),
        qualify(Some(Complexity::Simple), Map::new()),
        qualify(None, form(json!({ "danger": true }))),
        Command::Qualify {
            process: Some("institutions/question".into()),
            complexity: None,
            priority: None,
            form: form(json!({ "question": "?" })),
        },
        complete("visite", json!({ "finding": "trou", "made_safe": true })),
        complete("visite", json!({ "finding": "trou", "made_safe": false })),
        Command::Ask {
            question: "?".into(),
            pieces: vec!["plan".into()],
            within: Some("4 days".parse().unwrap()),
        },
        Command::Suspend { reason: "-".into(), until: Some(story.world.now + chrono::TimeDelta::days(3)) },
        Command::Reassign { to: "relation-usagers".into(), reason: "-".into() },
        Command::Delegate { step: "direction".into(), to: "a83".into() },
        Command::FailDelivery { by: Delivery::Email, reason: "-".into() },
        Command::Deliver { by: Delivery::Letter },
    ]);
    all
}

pub(super) fn ends(command: &Command) -> bool {
    matches!(command.name(), "cancel" | "refuse" | "forward" | "merge" | "withdraw" | "resolve")
}

/// One step of a life: someone does something that is possible, or tries something that is not.
pub(super) fn step(story: &mut Story, (who, what, minutes): (usize, usize, i64)) {
    let later = story.world.now + chrono::TimeDelta::minutes(minutes);
    story.world.wait_until(later).unwrap();
    let actors = actors();
    let possible: Vec<(Actor, Command)> = (0..actors.len())
        .map(|offset| actors[(who + offset) % actors.len()].clone())
        .find_map(|actor| {
            let all = commands(story).into_iter();
            let fits: Vec<(Actor, Command)> = all
                .filter(|command| what % 7 == 0 || !ends(command))
                .filter(|command| {
                    matches!(story.world.try_out(story.case, &actor, command, story.world.now), Some(Ok(_)))
                })
                .map(|command| (actor.clone(), command))
                .collect();
            (!fits.is_empty()).then_some(fits)
        })
        .unwrap_or_default();
    if what % 3 == 0 || possible.is_empty() {
        let all = commands(story);
        let command = all[what % all.len()].clone();
        let before = story.request().clone();
        let length = story.world.cases[0].history.len();
        if story.world.submit(story.case, &actors[who % actors.len()], &command).is_err() {
            assert_eq!(*story.request(), before);
            assert_eq!(story.world.cases[0].history.len(), length);
        }
    } else {
        let (actor, command) = possible[what % possible.len()].clone();
        story.does(&actor, command);
    }
}

/// A rich sheet: every clock rests for something, silence means something.
pub(super) fn rich(silence: Silence) -> Definition {
    let mut sheet = pothole();
    sheet.law = application(silence).law;
    sheet.commitments[1].paused_while.extend([PauseReason::Suspended, PauseReason::Validation]);
    let mut crew = sheet.commitments[1].clone();
    crew.commitment = "crew".into();
    crew.from = Moment::Task("visite".into());
    crew.until = Moment::Treated;
    sheet.commitments.push(crew);
    sheet
}

pub(super) fn holds(story: &Story) {
    let request = story.request();
    replays(story);
    money_adds_up(story);
    if request.stage.is_finished() {
        assert_eq!(request.live_clocks().count(), 0, "{:?}", request.clocks);
        assert!(timers(request).is_empty());
        assert!(request.tasks.values().all(|task| task.status != TaskStatus::Open));
        assert!(request.closed_at.is_some());
    } else {
        assert!(request.closed_at.is_none());
        let someone = actors().iter().any(|actor| {
            let mut names = story.allowed(actor);
            // What leads nowhere is no way on.
            names.retain(|name| !["note", "visit", "message", "reply", "extend"].contains(name));
            !names.is_empty()
        });
        assert!(someone || !timers(request).is_empty(), "nobody can move {:?} on", request.stage);
    }
    for clock in &request.clocks {
        clock_holds(request, clock);
    }
    let plan = &story.world.plans[&request.process];
    request.live_clocks().for_each(|clock| recomputes(plan, clock));
    for clock in request.live_clocks().filter(|clock| clock.commitment != "silence") {
        let sheet =
            plan.definition().commitment(&clock.commitment).expect("a promise of the process followed");
        assert!(
            reached(request, plan, &sheet.until).is_none(),
            "{} goes on though it is done",
            clock.commitment
        );
        // What waits for the requester's payment alone rests: the answer, or the treatment.
        let unpaid = request.unpaid().is_some();
        let rests = request.hold.is_some() || matches!(request.stage, Stage::InValidation(_)) || unpaid;
        let (status, stage) = (clock.status, request.stage.id());
        assert!(status == ClockStatus::Running || rests, "{} rests for nothing, {stage}", clock.commitment);
    }
}

/// Money: each visit is taken for paid once, all that came is known, and never more is given back.
fn money_adds_up(story: &Story) {
    let history = &story.world.cases[story.case].history;
    for payment in &story.request().payments {
        let mut settled: Vec<(Option<String>, u64, bool)> = Vec::new();
        let (mut refunded, mut asked) = (0, Vec::new());
        for (event, _) in history {
            match &event.what {
                What::PaymentRequested(event) if event.payment == payment.number => asked.push(event.amount),
                What::PaymentSettled(event) if event.payment == payment.number => {
                    settled.push((event.reference.clone(), event.amount, event.surplus));
                }
                What::PaymentRefunded(event) if event.payment == payment.number => refunded += event.amount,
                _ => {}
            }
        }
        assert_eq!(asked, [payment.amount], "asked for once, and the amount never changes");
        let own = settled.iter().filter(|(_, _, surplus)| !surplus).count();
        assert!(own <= 1, "paid twice: {settled:?}");
        let mut visits: Vec<&String> = settled.iter().filter_map(|(visit, ..)| visit.as_ref()).collect();
        visits.sort();
        assert!(visits.windows(2).all(|pair| pair[0] != pair[1]), "one visit taken twice: {settled:?}");
        assert_eq!(settled.iter().map(|(_, amount, _)| amount).sum::<u64>(), payment.received);
        assert_eq!(refunded, payment.refunded);
        assert!(payment.refunded <= payment.received);
    }
    let live = story.request().payments.iter().filter(|payment| payment.status == PaymentStatus::Awaited);
    assert!(live.count() <= 2, "one of the sheet and one of an agent at most");
}

/// The state is the fold of the events, in any reading.
fn replays(story: &Story) {
    let case = &story.world.cases[story.case];
    let mut folded = None;
    for (event, meta) in &case.history {
        let body = serde_json::to_vec(event).unwrap();
        let event = Event::decode(event.what.name(), &body).unwrap();
        folded = evolve(folded, &event, meta);
    }
    assert_eq!(folded.as_ref(), Some(story.request()));
}

/// What was promised is what its recorded operands give, whatever became of it in between.
fn recomputes(plan: &Plan, clock: &Clock) {
    if clock.status == ClockStatus::Running {
        let calendar = plan.calendar(&clock.calendar).unwrap();
        let due = due_instant(calendar, clock.from, clock.budget, clock.month_rule, &clock.pauses).unwrap();
        assert_eq!(due, clock.due, "{clock:?}");
    }
}

fn clock_holds(request: &Request, clock: &Clock) {
    for (index, pause) in clock.pauses.iter().enumerate() {
        let last = index + 1 == clock.pauses.len();
        assert!(
            pause.until.is_some_and(|until| pause.from <= until)
                || (last && clock.status == ClockStatus::Paused)
        );
    }
    match clock.status {
        ClockStatus::Running => {
            assert!(clock.pauses.iter().all(|pause| pause.until.is_some()));
            assert!(clock.warnings.iter().all(|warning| warning.at <= clock.due));
            assert!(clock.due >= clock.from);
        }
        ClockStatus::Paused => assert!(clock.pauses.last().unwrap().until.is_none()),
        ClockStatus::Kept => assert!(clock.stopped_at.is_some()),
        ClockStatus::Late | ClockStatus::Dropped => assert!(clock.stopped_at.is_some()),
    }
    assert!(clock.cycle <= request.cycle);
    let same = |other: &&Clock| other.cycle == clock.cycle && other.commitment == clock.commitment;
    assert_eq!(request.clocks.iter().filter(same).count(), 1, "one clock of a commitment in a cycle");
}

/// What a sheet may ask to be paid, if anything.
fn fees() -> impl Strategy<Value = Option<PaymentSheet>> {
    let word = |words: &'static [&'static str]| prop::sample::select(words);
    let terms = (
        word(&["received", "qualified", "validated"]),
        word(&["treatment", "delivery"]),
        word(&["service", "cancelled"]),
        any::<bool>(),
    );
    prop::option::of(terms.prop_map(|(from, before, if_unpaid, optional)| {
        let before = if from == "validated" || optional { "delivery" } else { before };
        serde_json::from_value(json!({
            "label": { "fr": "Droit" }, "from": from, "before": before, "if_unpaid": if_unpaid,
            "optional": optional, "within": "4 days", "remind_after": "2 days",
            "amount": [{ "when": "form.danger", "is": 900 }, { "is": 450 }],
        }))
        .unwrap()
    }))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 5, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_life_of_a_request_keeps_the_laws(
        silence in prop_oneof![Just(Silence::None), Just(Silence::Acceptance), Just(Silence::Rejection)],
        (danger, by_mail, sends) in any::<(bool, bool, bool)>(),
        fee in fees(),
        steps in prop::collection::vec((0..40_usize, 0..10_000_usize, 0..3_000_i64), 1..30),
    ) {
        let mut sheet = rich(silence);
        sheet.payment = fee;
        let mut story = Story::of(vec![sheet, question()]);
        story.world.sends = sends;
        let who = reachable(by_mail.then_some("camille@example.org"), None, None);
        let values = json!({ "place": [48.9, 4.3], "danger": danger, "witness": "0612345678" });
        story.does(&Actor::Requester, received_from("voirie/chaussee-abimee", Channel::Web, values, who));
        for drawn in steps {
            step(&mut story, drawn);
            holds(&story);
        }
        // Left alone, it comes to rest: no timer fires for ever.
        let later = story.world.now + chrono::TimeDelta::days(800);
        story.world.wait_until(later).unwrap();
        holds(&story);
    }
}
