//! Why it went this way: process, complexity, priority, service, tasks, steps, delivery.

use serde::Serialize;

use super::{About, Line, Moment};
use crate::process::{Bindings, Delivery, DeliveryChoice};
use crate::request::happened::{DeliveryOpened, Migrated, Qualified, Submitted};
use crate::request::state::{Request, Stage};
use crate::request::{ClockPolicy, What, bindings, merge_form};
use crate::text::Text;

/// The id of a word of the language.
fn word<T: Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

pub(super) fn lines(moment: &Moment<'_>, lines: &mut Vec<Line>) {
    let before = moment.before.unwrap_or(moment.after);
    match &moment.event.what {
        What::Received(event) => {
            let title = &moment.plan.definition().title;
            let text = Text::new(
                format!("Démarche « {} » ({}).", title.fr, event.process),
                format!(
                    "Process “{}” ({}).",
                    if title.en.is_empty() { &title.fr } else { &title.en },
                    event.process
                ),
            );
            lines.push(moment.line(About::Process, text));
        }
        What::Reclassified(event) => {
            let text = Text::new(
                format!(
                    "Reclassée de « {} » en « {} » par {}.",
                    event.from, event.process, moment.meta.actor
                ),
                format!(
                    "Reclassified from “{}” to “{}” by {}.",
                    event.from, event.process, moment.meta.actor
                ),
            );
            lines.push(moment.line(About::Process, text));
        }
        What::Migrated(event) => lines.push(migrated(moment, event)),
        What::Qualified(event) => qualified(moment, event, before, lines),
        What::Assigned(event) => {
            let text =
                Text::new(format!("Service : {}.", event.service), format!("Service: {}.", event.service));
            let facts = bindings(before, moment.plan);
            let rules = moment.tried(&moment.plan.definition().assignment, event.rule.as_ref(), &facts);
            lines.push(Line { rules, ..moment.line(About::Service, text) });
        }
        What::Reassigned(event) => {
            let text = Text::new(
                format!(
                    "Passée du service {} au service {} par {}.",
                    event.from, event.to, moment.meta.actor
                ),
                format!("Given by {} from the service {} to {}.", moment.meta.actor, event.from, event.to),
            );
            lines.push(moment.line(About::Service, text));
        }
        What::TaskOpened(event) => task(moment, &event.task, before, true, lines),
        What::TaskSkipped(event) => task(moment, &event.task, before, false, lines),
        What::Submitted(event) => submitted(moment, event, before, lines),
        What::Validated(_) if before.stage == Stage::Assigned => unneeded(moment, before, lines),
        What::DeliveryOpened(event) => delivery(moment, event, before, lines),
        _ => {}
    }
}

/// Which version took the place of which, and what that did to the promises.
fn migrated(moment: &Moment<'_>, event: &Migrated) -> Line {
    let short = |hash: &str| hash.get(..12).unwrap_or(hash).to_owned();
    let (from, to, actor) = (short(&event.from.0), short(&event.definition.0), &moment.meta.actor);
    let text = Text::new(
        format!("Passée de la version {from} à la version {to} de la démarche par {actor}."),
        format!("Moved from version {from} to version {to} of the process by {actor}."),
    );
    let mut line = moment.line(About::Process, text);
    let (fr, en) = match event.promises {
        ClockPolicy::Keep => {
            ("Les engagements gardent leurs échéances.", "The promises keep their due instants.")
        }
        ClockPolicy::Restart => (
            "Les engagements de la nouvelle version courent à partir de ce moment.",
            "The new version’s promises count from this moment.",
        ),
        ClockPolicy::RecomputeRemaining => (
            "Les engagements sont recalculés comme si la nouvelle version avait valu depuis le début.",
            "The promises are reckoned as if the new version had applied from the beginning.",
        ),
    };
    line.reasoning.push(Text::new(fr, en));
    if let Some(plan) = &event.plan {
        let plan = short(plan);
        line.reasoning
            .push(Text::new(format!("Plan de migration {plan}."), format!("Migration plan {plan}.")));
    }
    let tasks = event.tasks.iter().filter(|task| task.from != task.to).map(|task| (&task.from, &task.to));
    let steps = event.circuit.iter().flat_map(|circuit| &circuit.renamed);
    for (from, to) in tasks.chain(steps).chain(&event.fields).chain(&event.commitments) {
        let words = Text::new(
            format!("« {from} » s’appelle maintenant « {to} »."),
            format!("“{from}” is now called “{to}”."),
        );
        line.reasoning.push(words);
    }
    line
}

fn qualified(moment: &Moment<'_>, event: &Qualified, before: &Request, lines: &mut Vec<Line>) {
    let mut seen = before.clone();
    merge_form(&mut seen.form, &event.form);
    let facts = bindings(&seen, moment.plan);
    let sheet = &moment.plan.definition().qualification;
    let said = |ruled: bool| {
        if ruled {
            (String::new(), String::new())
        } else {
            let actor = &moment.meta.actor;
            (format!(", dite par {actor} ou par défaut"), format!(", said by {actor} or by default"))
        }
    };
    let (fr, en) = said(event.complexity_rule.is_some());
    let complexity = word(&event.complexity);
    let text = Text::new(format!("Complexité : {complexity}{fr}."), format!("Complexity: {complexity}{en}."));
    let rules = moment.tried(&sheet.complexity, event.complexity_rule.as_ref(), &facts);
    lines.push(Line { rules, ..moment.line(About::Complexity, text) });
    let (fr, en) = said(event.priority_rule.is_some());
    let priority = word(&event.priority);
    let text = Text::new(format!("Priorité : {priority}{fr}."), format!("Priority: {priority}{en}."));
    let rules = moment.tried(&sheet.priority, event.priority_rule.as_ref(), &facts);
    lines.push(Line { rules, ..moment.line(About::Priority, text) });
}

fn task(moment: &Moment<'_>, task: &str, before: &Request, opened: bool, lines: &mut Vec<Line>) {
    let definition = moment.plan.definition();
    let Some((index, sheet)) = definition.treatment.iter().enumerate().find(|(_, sheet)| sheet.task == task)
    else {
        return;
    };
    let text = if opened {
        Text::new(format!("Tâche « {task} » à faire."), format!("Task “{task}” to be done."))
    } else {
        Text::new(format!("Tâche « {task} » sans objet."), format!("Task “{task}” not needed."))
    };
    let mut line = moment.line(About::Task(task.to_owned()), text);
    if !sheet.after.is_empty() {
        let after = sheet.after.join(", ");
        line.reasoning.push(Text::new(
            format!("Sont terminées les tâches qui la précèdent : {after}."),
            format!("The tasks before it are finished: {after}."),
        ));
    }
    if sheet.when.is_some() {
        let facts = bindings(before, moment.plan);
        line.rules.push(moment.condition(&format!("/treatment/{index}/when"), sheet.when.as_ref(), &facts));
    }
    lines.push(line);
}

/// Why a circuit is needed, and which of its steps.
fn submitted(moment: &Moment<'_>, event: &Submitted, before: &Request, lines: &mut Vec<Line>) {
    let facts = bindings(before, moment.plan);
    let text = Text::new(
        format!("La réponse passe par le circuit « {} ».", event.circuit),
        format!("The answer goes through the circuit “{}”.", event.circuit),
    );
    let mut line = moment.line(About::Step(event.circuit.clone()), text);
    circuit_rule(moment, &facts, &mut line);
    lines.push(line);
    let circuit = moment.plan.definition().validation.circuit.as_ref();
    for (index, step) in circuit.iter().flat_map(|circuit| &circuit.steps).enumerate() {
        let name = &step.step;
        let text = if event.steps.contains(name) {
            Text::new(format!("Étape « {name} » nécessaire."), format!("Step “{name}” needed."))
        } else {
            Text::new(format!("Étape « {name} » sans objet."), format!("Step “{name}” not needed."))
        };
        let mut line = moment.line(About::Step(name.clone()), text);
        if step.when.is_some() {
            let pointer = format!("/validation/circuit/steps/{index}/when");
            line.rules.push(moment.condition(&pointer, step.when.as_ref(), &facts));
        }
        lines.push(line);
    }
}

fn circuit_rule(moment: &Moment<'_>, facts: &Bindings, line: &mut Line) {
    let when = moment.plan.definition().validation.when.as_ref();
    if when.is_some() {
        line.rules.push(moment.condition("/validation/when", when, facts));
    }
}

/// Validated without a circuit although the sheet has one.
fn unneeded(moment: &Moment<'_>, before: &Request, lines: &mut Vec<Line>) {
    let Some(circuit) = &moment.plan.definition().validation.circuit else { return };
    let text = Text::new(
        format!("Le circuit « {} » n’est pas nécessaire.", circuit.circuit),
        format!("The circuit “{}” is not needed.", circuit.circuit),
    );
    let mut line = moment.line(About::Step(circuit.circuit.clone()), text);
    circuit_rule(moment, &bindings(before, moment.plan), &mut line);
    lines.push(line);
}

/// Which means were thought of, and why each was passed over.
fn delivery(moment: &Moment<'_>, event: &DeliveryOpened, before: &Request, lines: &mut Vec<Line>) {
    let by = word(&event.by);
    let text = Text::new(format!("La réponse part par : {by}."), format!("The answer goes out by: {by}."));
    let mut line = moment.line(About::Delivery, text);
    let failed: &[Delivery] = match &before.stage {
        Stage::Validated { failed, .. } => failed,
        _ => &[],
    };
    let mut found = false;
    for choice in &moment.plan.definition().delivery.by {
        let name = word(choice);
        let means = match choice {
            DeliveryChoice::RequesterChoice => before.requester.preferred,
            DeliveryChoice::Email => Some(Delivery::Email),
            DeliveryChoice::Sms => Some(Delivery::Sms),
            DeliveryChoice::Letter => Some(Delivery::Letter),
            DeliveryChoice::Counter => Some(Delivery::Counter),
            DeliveryChoice::Phone => Some(Delivery::Phone),
        };
        if means == Some(event.by) {
            found = true;
            line.reasoning.push(Text::new(format!("« {name} » : possible."), format!("“{name}”: possible.")));
            break;
        }
        let (fr, en) = match means {
            None => ("le demandeur n’a rien choisi", "the requester chose nothing"),
            Some(means) if failed.contains(&means) => ("a déjà échoué", "has failed already"),
            Some(_) => ("le demandeur ne peut être joint ainsi", "the requester cannot be reached so"),
        };
        line.reasoning.push(Text::new(format!("« {name} » : {fr}."), format!("“{name}”: {en}.")));
    }
    if !found {
        line.reasoning.push(Text::new(
            "Aucun moyen de la fiche n’étant possible, la réponse est tenue à disposition au guichet.",
            "As no means of the sheet is possible, the answer is kept at the counter.",
        ));
    }
    lines.push(line);
}
