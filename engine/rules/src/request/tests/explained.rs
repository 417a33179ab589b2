//! Every due date and every route can say why.

use serde_json::{Map, json};

use super::*;
use crate::process::*;
use crate::request::explain::{About, Line, explain};
use crate::request::*;

fn lines(story: &Story) -> Vec<Line> {
    let mut sources = Sources::new();
    sources.insert(
        "/commitments/1/within".into(),
        SourceLine { file: "voirie/chaussee-abimee.yaml".into(), line: 68 },
    );
    sources
        .insert("/assignment/0".into(), SourceLine { file: "voirie/chaussee-abimee.yaml".into(), line: 30 });
    let plans: Vec<_> = story.world.plans.values().map(|plan| (plan.as_ref(), &sources)).collect();
    explain(&story.world.cases[story.case].history, &plans)
}

fn of(lines: &[Line], about: &About) -> Vec<Line> {
    lines.iter().filter(|line| line.about == *about).cloned().collect()
}

fn clock(commitment: &str) -> About {
    About::Clock { commitment: commitment.into(), cycle: 0 }
}

#[test]
fn a_due_date_cites_its_rule_its_line_its_operands_and_its_holidays() {
    let mut story = Story::pothole(true);
    story.does(
        &agent("a02"),
        Command::Qualify { process: None, complexity: None, priority: None, form: Map::new() },
    );
    let lines = lines(&story);
    let changed = &of(&lines, &clock("answer"))[1];
    assert_eq!(
        changed.text.en,
        "“answer” becomes 10 working days from 2026-05-04 10:00, due 2026-05-20 17:00."
    );
    let rule = &changed.rules[0];
    assert_eq!((rule.pointer.as_str(), rule.held), ("/commitments/1/within/0", true));
    assert_eq!(rule.when.as_deref(), Some("request.complexity == 'complex'"));
    assert_eq!(rule.operands, [("request.complexity".to_owned(), json!("complex"))]);
    assert_eq!(rule.source.as_ref().map(|source| source.line), Some(68));
    let explanation = changed.explanation.as_ref().unwrap();
    assert_eq!((explanation.holidays.len(), explanation.counted_total), (2, 10));
    assert!(changed.reasoning.iter().any(|text| text.fr.contains("Ascension")), "{:?}", changed.reasoning);
}

#[test]
fn a_route_cites_the_rules_that_did_not_hold_too() {
    let mut story = Story::visited(false, true);
    story.does(&agent("a21"), answer("Fait."));
    let lines = lines(&story);
    let service = &of(&lines, &About::Service)[0];
    assert_eq!(service.rules.iter().map(|rule| rule.held).collect::<Vec<_>>(), [false, true]);
    assert_eq!(service.rules[0].operands, [("form.danger".to_owned(), json!(false))]);
    assert_eq!(service.rules[0].source.as_ref().map(|source| source.line), Some(30));
    let skipped = &of(&lines, &About::Task("intervention".into()))[0];
    assert_eq!(skipped.rules[0].operands, [("tasks.visite.report.made_safe".to_owned(), json!(true))]);
    assert!(!skipped.rules[0].held);
    let circuit = &of(&lines, &About::Step("circuits/reponse".into()))[0];
    assert_eq!(circuit.text.fr, "Le circuit « circuits/reponse » n’est pas nécessaire.");
    let delivery = &of(&lines, &About::Delivery)[0];
    assert_eq!(delivery.reasoning.len(), 5);
    assert_eq!(delivery.reasoning[0].en, "“requester_choice”: the requester chose nothing.");
}

#[test]
fn the_steps_of_a_circuit_say_why_they_are_needed_or_not() {
    let story = Story::in_circuit("a21");
    let lines = lines(&story);
    let dgs = &of(&lines, &About::Step("dgs".into()))[0];
    assert_eq!(dgs.text.en, "Step “dgs” not needed.");
    assert_eq!(dgs.rules[0].operands, [("request.priority".to_owned(), json!("urgent"))]);
}

#[test]
fn a_pause_and_what_it_moved_are_told() {
    let mut story = Story::pothole(false);
    story.does(&agent("a02"), Command::Ask { question: "?".into(), pieces: Vec::new(), within: None });
    story
        .at("2026-05-06T10:00")
        .does(&Actor::Requester, Command::Reply { text: Some("!".into()), form: Map::new(), complete: true });
    let lines = of(&lines(&story), &clock("answer"));
    let texts: Vec<_> = lines.iter().map(|line| line.text.en.as_str()).collect();
    assert_eq!(
        texts[1..],
        [
            "“answer” is paused since 2026-05-04 10:00: the requester is awaited.",
            "“answer” goes on from 2026-05-06 10:00, due 2026-05-07 17:00.",
        ]
    );
    assert_eq!(lines[2].explanation.as_ref().unwrap().pauses.len(), 1);
}

#[test]
fn the_legal_clock_cites_its_articles() {
    let mut story = Story::of(vec![application(Silence::Acceptance)]);
    story.does(&agent("a02"), receive("urbanisme/demande", Channel::Phone, json!({ "question": "?" })));
    story.does(
        &agent("a01"),
        Command::Ask { question: "?".into(), pieces: vec!["plan".into()], within: None },
    );
    story
        .at("2026-05-06T10:00")
        .does(&Actor::Requester, Command::Reply { text: Some("!".into()), form: Map::new(), complete: true });
    let lines = of(&lines(&story), &clock("silence"));
    assert!(lines[0].reasoning[0].fr.starts_with("Le silence gardé vaut acceptation (CRPA L231-4)"));
    assert!(lines[1].reasoning[0].fr.contains("L114-5"));
    assert!(lines[2].reasoning[0].fr.contains("L114-5"));
}
