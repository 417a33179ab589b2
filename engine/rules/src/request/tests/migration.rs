//! Another version of the process for a request under way.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, json};

use super::properties::{holds, rich, step};
use super::*;
use crate::process::*;
use crate::request::*;

/// The story's process in another version, and its name.
fn publishes(story: &mut Story, change: impl FnOnce(&mut Definition)) -> DefinitionHash {
    let mut sheet = story.world.plans["voirie/chaussee-abimee"].definition().clone();
    change(&mut sheet);
    let plan = plan(sheet);
    let hash = plan.hash().clone();
    story.world.versions.push(plan);
    hash
}

fn to(definition: &DefinitionHash) -> Command {
    with(definition, ClockPolicy::Keep, Mapping::default())
}

fn with(definition: &DefinitionHash, promises: ClockPolicy, mapping: Mapping) -> Command {
    Command::Migrate { definition: definition.clone(), promises, mapping, plan: Some("ab".repeat(32)) }
}

fn names(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
}

/// The codes of all reasons against a migration.
fn reasons(story: &mut Story, command: Command) -> Vec<String> {
    let rejection = story.rejection(&Actor::Engine, command);
    assert_eq!(rejection.code, "migration.no_place", "{rejection:?}");
    for reason in &rejection.fields {
        assert!(MIGRATION_REASONS.contains(&reason.code.as_str()), "{} is on no list", reason.code);
        assert_ne!(reason.text.fr, reason.text.en);
    }
    rejection.fields.into_iter().map(|reason| reason.code).collect()
}

fn shorter(sheet: &mut Definition) {
    sheet.commitments[1].within = vec![serde_json::from_value(json!({ "is": "1 working day" })).unwrap()];
}

#[test]
fn the_same_version_is_no_migration() {
    let mut story = Story::pothole(false);
    let same = story.request().definition.clone();
    assert_eq!(story.refuses(&Actor::Engine, to(&same)), "migration.same_version");
    let unknown = DefinitionHash("0".repeat(64));
    assert_eq!(story.refuses(&Actor::Engine, to(&unknown)), "migration.version_unknown");
    let other = story.world.plans["institutions/question"].hash().clone();
    assert_eq!(story.refuses(&Actor::Engine, to(&other)), "migration.other_process");
}

#[test]
fn those_who_answer_for_the_sheet_migrate_and_nobody_else() {
    let mut story = Story::visited(false, false);
    let next = publishes(&mut story, shorter);
    // The roads service is in charge; a20 heads it, a21 works there, a01 heads another.
    for stranger in ["a21", "a02", "a01", "a83"] {
        assert_eq!(story.refuses(&agent(stranger), to(&next)), "role.needed", "{stranger}");
    }
    assert_eq!(story.refuses(&Actor::Requester, to(&next)), "role.needed");
    assert_eq!(story.refuses(&Actor::Integrator("portail".into()), to(&next)), "role.needed");
    assert_eq!(story.refuses(&agent("c01"), to(&next)), "request.unknown");
    story.does(&agent("a20"), to(&next));
    assert_eq!(story.request().definition, next);
}

#[test]
fn promises_are_kept_restarted_or_reckoned_anew() {
    let after = |policy| {
        let mut story = Story::pothole(false);
        let next = publishes(&mut story, shorter);
        story.at("2026-05-05T11:00").does(&Actor::Engine, with(&next, policy, Mapping::default()));
        holds_under(&story);
        (story.due("answer"), story.clock("answer").from)
    };
    let received = paris("2026-05-04T10:00");
    assert_eq!(after(ClockPolicy::Keep), (paris("2026-05-06T17:00"), received));
    assert_eq!(after(ClockPolicy::Restart), (paris("2026-05-06T17:00"), paris("2026-05-05T11:00")));
    assert_eq!(after(ClockPolicy::RecomputeRemaining), (paris("2026-05-05T17:00"), received));
}

#[test]
fn a_kept_promise_says_under_which_version_it_was_made() {
    let mut story = Story::pothole(false);
    let (old, next) = (story.request().definition.clone(), publishes(&mut story, shorter));
    story.does(&Actor::Engine, to(&next));
    assert_eq!(story.clock("answer").made_under, Some(old));
    let again = publishes(&mut story, |sheet| {
        shorter(sheet);
        sheet.keywords.push("trou".into());
    });
    story.does(&Actor::Engine, with(&again, ClockPolicy::RecomputeRemaining, Mapping::default()));
    assert_eq!(story.clock("answer").made_under, None);
}

#[test]
fn a_renamed_task_goes_on_under_its_new_name_once_it_is_said() {
    let mut story = Story::pothole(false);
    story.does(
        &agent("a02"),
        Command::Qualify { process: None, complexity: None, priority: None, form: Map::new() },
    );
    let next = publishes(&mut story, |sheet| {
        sheet.treatment[0].task = "constat".into();
        sheet.treatment[0].by = Party::Role("ambassadrice".into());
        sheet.treatment[1].after = vec!["constat".into()];
        sheet.treatment[1].when = Some("tasks.constat.report.made_safe == false".into());
    });
    assert_eq!(reasons(&mut story, to(&next)), ["migration.task_gone"]);
    let mapping = Mapping { tasks: names(&[("visite", "constat")]), ..Mapping::default() };
    let due = story.request().tasks["visite"].due;
    story.does(&Actor::Engine, with(&next, ClockPolicy::Keep, mapping));
    assert_eq!(story.request().tasks["constat"].due, due);
    assert!(!story.request().tasks.contains_key("visite"));
    // Whoever does it now is told so.
    let told = story.told();
    assert!(
        told.contains(&(
            Recipient::Party(Party::Role("ambassadrice".into())),
            Subject::Task("constat".into())
        ))
    );
    story.does(&agent("a02"), complete("constat", json!({ "finding": "trou", "made_safe": false })));
    story.does(&agent("a21"), complete("intervention", json!({})));
    story.does(&agent("a21"), answer("Réparé."));
    story.does(&agent("a02"), Command::Deliver { by: Delivery::Counter });
    assert_eq!(story.stage(), "delivered");
}

#[test]
fn a_task_put_before_what_has_begun_is_a_reason_unless_it_is_left_out() {
    let mut story = Story::visited(false, false);
    let next = publishes(&mut story, |sheet| {
        let mut permit = sheet.treatment[1].clone();
        permit.task = "arrete".into();
        permit.when = None;
        sheet.treatment[1].after.push("arrete".into());
        sheet.treatment.push(permit);
    });
    assert_eq!(reasons(&mut story, to(&next)), ["migration.task_before"]);
    let mapping = Mapping { skip: vec!["arrete".into()], ..Mapping::default() };
    story.does(&Actor::Engine, with(&next, ClockPolicy::Keep, mapping));
    assert_eq!(story.request().tasks["arrete"].status, TaskStatus::Skipped);
    // One for whom it is not too late does the task.
    let mut early = Story::pothole(false);
    early.world.versions = story.world.versions.clone();
    let mapping = Mapping { skip: vec!["arrete".into()], ..Mapping::default() };
    early.does(&Actor::Engine, with(&next, ClockPolicy::Keep, mapping));
    early.does(
        &agent("a02"),
        Command::Qualify { process: None, complexity: None, priority: None, form: Map::new() },
    );
    early.does(&agent("a05"), complete("visite", json!({ "finding": "trou" })));
    assert_eq!(early.request().tasks["arrete"].status, TaskStatus::Open);
}

#[test]
fn a_report_that_lacks_what_a_coming_rule_reads_is_a_reason() {
    let mut story = Story::visited(true, true);
    let next = publishes(&mut story, |sheet| {
        let depth = json!({ "field": "depth", "type": "integer", "label": { "fr": "Profondeur" } });
        sheet.treatment[0].report.push(serde_json::from_value(depth).unwrap());
        sheet.validation.when = Some("tasks.visite.report.depth > 10".into());
    });
    assert_eq!(reasons(&mut story, to(&next)), ["migration.report_lacks"]);
}

#[test]
fn the_form_must_hold_what_is_required_and_fit_what_it_is_now() {
    let mut story = Story::pothole(true);
    let next = publishes(&mut story, |sheet| {
        sheet.form[1].kind = FieldType::Integer;
        sheet.qualification.complexity.remove(0);
        sheet.qualification.priority.remove(0);
        sheet.assignment.remove(0);
        sheet.form[3].shown_when = None;
        sheet.form[3].required = Requirement::Always;
        sheet.channels = vec![Channel::Web];
        sheet.open_to = vec![Opener::Agent];
    });
    let found = reasons(&mut story, to(&next));
    assert_eq!(
        found,
        [
            "migration.channel_closed",
            "migration.not_open",
            "migration.field_unfit",
            "migration.field_missing"
        ]
    );
}

#[test]
fn a_renamed_field_takes_its_value_along_personal_or_not() {
    let mut story = Story::of(vec![pothole()]);
    let values = json!({ "place": [48.9, 4.3], "danger": true, "witness": "0612345678" });
    story.does(&Actor::Requester, receive("voirie/chaussee-abimee", Channel::Web, values));
    let next = publishes(&mut story, |sheet| {
        let text = serde_json::to_string(sheet).unwrap();
        let text = text.replace("form.danger", "form.hazard").replace("\"danger\"", "\"hazard\"");
        *sheet = serde_json::from_str(&text.replace("\"witness\"", "\"phone\"")).unwrap();
    });
    let mapping =
        Mapping { fields: names(&[("danger", "hazard"), ("witness", "phone")]), ..Mapping::default() };
    story.does(&Actor::Engine, with(&next, ClockPolicy::Keep, mapping));
    assert_eq!(story.request().form["hazard"], true);
    assert!(story.request().form["phone"]["$sealed"].is_string());
    assert!(!story.request().form.contains_key("danger"));
    story.does(
        &agent("a02"),
        Command::Qualify { process: None, complexity: None, priority: None, form: Map::new() },
    );
    assert_eq!(story.request().complexity, Complexity::Complex);
}

#[test]
fn a_circuit_under_way_keeps_its_open_step_or_stays_where_it_is() {
    let circuit = |change: fn(&mut Circuit)| {
        move |sheet: &mut Definition| change(sheet.validation.circuit.as_mut().unwrap())
    };
    let mut story = Story::in_circuit("a21");
    let gone = publishes(&mut story, |sheet| sheet.validation.circuit = None);
    assert_eq!(reasons(&mut story, to(&gone)), ["migration.circuit_gone"]);
    let without = publishes(
        &mut story,
        circuit(|circuit| {
            circuit.steps.remove(0);
            circuit.steps[1].on_reject = OnReject::Stop;
        }),
    );
    assert_eq!(reasons(&mut story, to(&without)), ["migration.step_gone"]);
    let others =
        publishes(&mut story, circuit(|circuit| circuit.steps[0].by = vec![Party::Role("dga".into())]));
    assert_eq!(reasons(&mut story, to(&others)), ["migration.step_people"]);
    let first = publishes(
        &mut story,
        circuit(|circuit| {
            let mut step = circuit.steps[0].clone();
            step.step = "relecture".into();
            circuit.steps.insert(0, step);
        }),
    );
    assert_eq!(reasons(&mut story, to(&first)), ["migration.step_before"]);
    let nobody = publishes(
        &mut story,
        circuit(|circuit| {
            let mut step = circuit.steps[0].clone();
            step.step = "maire".into();
            step.by = vec![Party::Role("maire".into())];
            circuit.steps.push(step);
        }),
    );
    assert_eq!(reasons(&mut story, to(&nobody)), ["migration.step_nobody"]);
    // Renamed, and one more signature at the end.
    let next = publishes(
        &mut story,
        circuit(|circuit| {
            circuit.steps[0].step = "chef".into();
            circuit.steps[2].on_reject = OnReject::Stop;
            let mut step = circuit.steps[0].clone();
            step.step = "dga".into();
            step.by = vec![Party::Role("dga".into())];
            circuit.steps.push(step);
        }),
    );
    let mapping = Mapping { steps: names(&[("direction", "chef")]), ..Mapping::default() };
    story.does(&Actor::Engine, with(&next, ClockPolicy::Keep, mapping));
    for (who, step) in [("a80", "chef"), ("a90", "elu"), ("a82", "dga")] {
        story.does(&agent(who), Command::Approve { step: step.into() });
    }
    assert_eq!(story.stage(), "validated");
}

#[test]
fn a_promise_that_is_gone_is_a_reason_while_promises_are_kept() {
    let mut story = Story::pothole(false);
    let next = publishes(&mut story, |sheet| sheet.commitments[1].commitment = "reply".into());
    assert_eq!(reasons(&mut story, to(&next)), ["migration.promise_gone"]);
    let due = story.due("answer");
    let mapping = Mapping { commitments: names(&[("answer", "reply")]), ..Mapping::default() };
    story.does(&Actor::Engine, with(&next, ClockPolicy::Keep, mapping));
    assert_eq!(story.due("reply"), due);
    let mut story = Story::pothole(false);
    let next = publishes(&mut story, |sheet| {
        sheet.commitments[1].calendar = "depot".into();
        let depot = sheet.calendars.remove("mairie").unwrap();
        sheet.calendars.insert("depot".into(), depot);
        sheet.calendar = "depot".into();
        sheet.commitments[0].calendar = "depot".into();
    });
    assert_eq!(reasons(&mut story, to(&next)), ["migration.calendar_gone"]);
    story.does(&Actor::Engine, with(&next, ClockPolicy::RecomputeRemaining, Mapping::default()));
    assert_eq!(story.clock("answer").calendar, "depot");
}

#[test]
fn the_legal_clock_is_never_restarted() {
    let mut story = Story::of(vec![application(Silence::Rejection)]);
    story.does(
        &Actor::Requester,
        receive("urbanisme/demande", Channel::Web, json!({ "question": "Permis ?" })),
    );
    let due = story.due("silence");
    let mut sheet = application(Silence::Acceptance);
    sheet.commitments[1].within = vec![serde_json::from_value(json!({ "is": "20 working days" })).unwrap()];
    let next = plan(sheet);
    let hash = next.hash().clone();
    story.world.versions.push(next);
    story.at("2026-05-20T10:00");
    assert_eq!(reasons(&mut story, to(&hash)), ["migration.law_changed"]);
    story.does(&Actor::Engine, with(&hash, ClockPolicy::Restart, Mapping::default()));
    assert_eq!(story.due("silence"), due, "the same term of two months, from the receipt");
    assert_eq!(story.clock("answer").from, paris("2026-05-20T10:00"));
}

#[test]
fn a_mapping_speaks_only_of_what_there_is_and_of_each_once() {
    let mut story = Story::visited(false, false);
    let next = publishes(&mut story, shorter);
    let mappings = [
        Mapping { tasks: names(&[("visit", "visite")]), ..Mapping::default() },
        Mapping { tasks: names(&[("visite", "constat")]), ..Mapping::default() },
        Mapping { tasks: names(&[("visite", "intervention")]), ..Mapping::default() },
        Mapping { skip: vec!["constat".into()], ..Mapping::default() },
        Mapping { fields: names(&[("danger", "place")]), ..Mapping::default() },
    ];
    for mapping in mappings {
        let command = with(&next, ClockPolicy::Keep, mapping);
        assert_eq!(story.refuses(&Actor::Engine, command), "migration.mapping");
    }
}

#[test]
fn what_is_finished_stays_as_it_was() {
    let mut story = Story::pothole(false);
    story.does(&agent("a02"), Command::Cancel { reason: "doublon".into() });
    let next = publishes(&mut story, shorter);
    assert_eq!(story.refuses(&Actor::Engine, to(&next)), "stage.wrong");
}

/// What holds of every request, under the version that it follows.
fn holds_under(story: &Story) {
    let mut story = Story { world: story.world.clone(), case: story.case };
    let followed = story.request().definition.clone();
    let plan = story.world.versions.iter().find(|plan| *plan.hash() == followed).cloned();
    if let Some(plan) = plan {
        let old = story.world.plans.insert(plan.definition().process.clone(), plan);
        story.world.versions.extend(old);
    }
    holds(&story);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 5, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_migration_wherever_it_comes_keeps_the_laws(
        silence in prop_oneof![Just(Silence::None), Just(Silence::Acceptance), Just(Silence::Rejection)],
        (danger, sends) in any::<(bool, bool)>(),
        policy in prop_oneof![Just(ClockPolicy::Keep), Just(ClockPolicy::Restart), Just(ClockPolicy::RecomputeRemaining)],
        before in prop::collection::vec((0..40_usize, 0..10_000_usize, 0..3_000_i64), 1..15),
        after in prop::collection::vec((0..40_usize, 0..10_000_usize, 0..3_000_i64), 1..15),
    ) {
        let mut story = Story::of(vec![rich(silence), question()]);
        story.world.sends = sends;
        let values = json!({ "place": [48.9, 4.3], "danger": danger, "witness": "0612345678" });
        story.does(&Actor::Requester, receive("voirie/chaussee-abimee", Channel::Web, values));
        for drawn in before {
            step(&mut story, drawn);
        }
        // A longer answer, another promise, one more task at the end.
        let next = publishes(&mut story, |sheet| {
            sheet.commitments[1].within = vec![serde_json::from_value(json!({ "is": "15 working days" })).unwrap()];
            let mut repair = sheet.commitments[1].clone();
            repair.commitment = "repair".into();
            repair.until = Moment::Validated;
            sheet.commitments.push(repair);
            let mut control = sheet.treatment[1].clone();
            control.task = "controle".into();
            control.after = vec!["intervention".into()];
            control.when = Some("form.danger".into());
            sheet.treatment.push(control);
        });
        if story.request().stage.is_finished() || story.request().process != "voirie/chaussee-abimee" {
            return Ok(());
        }
        let was = story.request().clone();
        let length = story.world.cases[0].history.len();
        story.does(&Actor::Engine, with(&next, policy, Mapping::default()));
        prop_assert_eq!(story.request().definition.clone(), next.clone());
        if policy == ClockPolicy::Keep {
            for clock in was.live_clocks() {
                let now = story.request().clock(&clock.commitment).unwrap();
                prop_assert_eq!((now.due, now.from, now.budget), (clock.due, clock.from, clock.budget));
            }
        }
        // What was written before reads as it did.
        let folded = story.world.cases[0].history[..length]
            .iter()
            .fold(None, |request, (event, meta)| evolve(request, event, meta));
        prop_assert_eq!(folded.as_ref(), Some(&was));
        // From here on the new version is all that there is.
        let plan = story.world.versions.last().unwrap().clone();
        story.world.plans.insert("voirie/chaussee-abimee".into(), plan);
        if policy != ClockPolicy::Keep {
            holds(&story);
        }
        for drawn in after {
            step(&mut story, drawn);
            if policy != ClockPolicy::Keep {
                holds(&story);
            }
        }
        let later = story.world.now + chrono::TimeDelta::days(800);
        story.world.wait_until(later).unwrap();
        prop_assert!(timers(story.request()).is_empty());
    }
}
