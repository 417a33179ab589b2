//! Tasks and the approval circuit.

use super::differ::{Differ, Spot};
use super::form::fields;
use super::words::{on_late, on_reject, party, quorum, same, text, word};
use super::{Area, Audience};
use crate::process::{CircuitStep, TaskSheet};
use crate::text::Text;

const SERVICE: &[Audience] = &[Audience::Service];
const APPROVERS: &[Audience] = &[Audience::Approvers, Audience::Service];

pub(super) fn treatment(d: &mut Differ<'_>) {
    let (old, new) = (d.old.treatment.as_slice(), d.new.treatment.as_slice());
    let spot = |name: &str| {
        Spot::new(Area::Treatment, SERVICE, format!("Tâche « {name} »"), format!("Task “{name}”"))
    };
    let bases = ("/treatment", "/treatment");
    for (spot, old, new) in d.named((old, new), |task| &task.task, spot, bases, |task| party(&task.by)) {
        task(d, &spot, old, new);
    }
    let order = |tasks: &[TaskSheet], others: &[TaskSheet]| -> Vec<String> {
        let both = tasks.iter().filter(|task| others.iter().any(|other| other.task == task.task));
        both.map(|task| task.task.clone()).collect()
    };
    let ordered = Spot::new(Area::Treatment, SERVICE, "Ordre des tâches", "Order of the tasks");
    d.list(&ordered.at("/treatment"), &order(old, new), &order(new, old), |name| same(name));
}

fn task<'a>(d: &mut Differ<'a>, spot: &Spot, old: &'a TaskSheet, new: &'a TaskSheet) {
    d.value(&spot.part("titre", "title", "title"), &old.title, &new.title, text);
    d.value(&spot.part("par", "by", "by"), &old.by, &new.by, party);
    d.term(&spot.part("délai", "term", "within"), old.within.as_ref(), new.within.as_ref());
    d.list(&spot.part("après", "after", "after"), &old.after, &new.after, |name| same(name));
    let when = spot.part("seulement si", "only if", "when");
    d.option(&when, old.when.as_ref(), new.when.as_ref(), |rule| same(rule));
    let report = spot.part("compte rendu", "report", "report");
    let bases = report.at.clone();
    let one = |name: &str| Spot {
        subject: Text::new(
            format!("{}, champ « {name} »", report.subject.fr),
            format!("{}, field “{name}”", report.subject.en),
        ),
        ..report.clone()
    };
    fields(d, (&old.report, &new.report), (&bases.0, &bases.1), one);
}

pub(super) fn validation(d: &mut Differ<'_>) {
    let (old, new) = (&d.old.validation, &d.new.validation);
    let spot = |fr: &str, en: &str, key: &str| {
        Spot::new(Area::Validation, APPROVERS, fr, en).at(format!("/validation/{key}"))
    };
    let name = |validation: &crate::process::Validation| {
        validation.circuit.as_ref().map(|circuit| circuit.circuit.clone())
    };
    let circuit = spot("Circuit d’approbation", "Approval circuit", "circuit");
    d.option(&circuit, name(old).as_ref(), name(new).as_ref(), |name| same(name));
    let when = spot("Circuit nécessaire si", "Circuit needed if", "when");
    d.option(&when, old.when.as_ref(), new.when.as_ref(), |rule| same(rule));
    let otherwise = spot("Sans circuit", "Without a circuit", "otherwise");
    d.value(&otherwise, &old.otherwise, &new.otherwise, word);
    let (Some(old), Some(new)) = (&old.circuit, &new.circuit) else { return };
    let step = |name: &str| {
        Spot::new(Area::Validation, APPROVERS, format!("Étape « {name} »"), format!("Step “{name}”"))
    };
    let bases = ("/validation/circuit/steps", "/validation/circuit/steps");
    let shown = |step: &CircuitStep| {
        let people: Vec<Text> = step.by.iter().map(party).collect();
        let of = |take: fn(&Text) -> &str| people.iter().map(take).collect::<Vec<_>>().join(", ");
        Text::new(of(|text| &text.fr), of(|text| &text.en))
    };
    let steps = (old.steps.as_slice(), new.steps.as_slice());
    for (spot, old, new) in d.named(steps, |step| &step.step, step, bases, shown) {
        circuit_step(d, &spot, old, new);
    }
    let order = |steps: &[CircuitStep], others: &[CircuitStep]| -> Vec<String> {
        let both = steps.iter().filter(|step| others.iter().any(|other| other.step == step.step));
        both.map(|step| step.step.clone()).collect()
    };
    let ordered = spot("Ordre des étapes", "Order of the steps", "circuit/steps");
    d.list(&ordered, &order(&old.steps, &new.steps), &order(&new.steps, &old.steps), |name| same(name));
}

fn circuit_step(d: &mut Differ<'_>, spot: &Spot, old: &CircuitStep, new: &CircuitStep) {
    d.list(&spot.part("approuvée par", "approved by", "by"), &old.by, &new.by, party);
    d.value(&spot.part("combien", "how many", "rule"), &old.rule, &new.rule, quorum);
    d.list(&spot.part("veto", "veto", "veto"), &old.veto, &new.veto, |role| same(role));
    d.value(
        &spot.part("en cas de refus", "on refusal", "on_reject"),
        &old.on_reject,
        &new.on_reject,
        on_reject,
    );
    d.list(&spot.part("sauf", "except", "exclude"), &old.exclude, &new.exclude, word);
    let when = spot.part("seulement si", "only if", "when");
    d.option(&when, old.when.as_ref(), new.when.as_ref(), |rule| same(rule));
    d.term(&spot.part("délai", "term", "within"), old.within.as_ref(), new.within.as_ref());
    d.value(&spot.part("en cas de retard", "when late", "on_late"), &old.on_late, &new.on_late, on_late);
}
