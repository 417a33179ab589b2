//! The answer and its approval: the draft, the steps of the circuit, and the ways back.

use std::collections::{BTreeMap, BTreeSet};

use guichet_engine::rules::process::{
    Circuit, CircuitStep, Excluded, OnLate, OnReject, Party, Quorum, Simple,
};

use super::chart::{Alarm, Column, Hands, Shape, Subject, Way};
use super::flow::Builder;
use super::treatment::alarm;

/// Draws answer and validation after `from`; gives the node at which the answer may go out.
pub(super) fn draw(builder: &mut Builder<'_>, from: usize) -> usize {
    let validation = &builder.definition.validation;
    let circuit = validation.circuit.as_ref().filter(|circuit| !circuit.steps.is_empty());
    let Some(circuit) = circuit else {
        return match validation.otherwise {
            Simple::ByAuthor => answer(builder, from, Column::Treatment, false).1,
            Simple::Automatic => from,
        };
    };
    let back = circuit.steps.iter().any(|step| !matches!(step.on_reject, OnReject::ReturnTo(_)));
    let Some(rule) = validation.when.as_deref() else {
        let (rework, written) = answer(builder, from, Column::Treatment, back);
        return steps(builder, circuit, written, rework);
    };
    let service = builder.service_lane();
    let (yes, no) = (builder.say("oui", "yes"), builder.say("non", "no"));
    match validation.otherwise {
        Simple::ByAuthor => {
            let (rework, written) = answer(builder, from, Column::Treatment, back);
            let choice = builder.choice("if_circuit", rule, service, Column::Validation);
            builder.link(written, choice);
            let first = builder.chart.edges.len();
            let passed = steps(builder, circuit, choice, rework);
            lead(builder, first, choice, yes, rule);
            meet(builder, choice, passed, service, no)
        }
        Simple::Automatic => {
            let choice = builder.choice("if_circuit", rule, service, Column::Validation);
            builder.link(from, choice);
            let first = builder.chart.edges.len();
            let (rework, written) = answer(builder, choice, Column::Validation, back);
            lead(builder, first, choice, yes, rule);
            let passed = steps(builder, circuit, written, rework);
            meet(builder, choice, passed, service, no)
        }
    }
}

/// Puts `yes` and its rule on the arrow that leaves a choice, the first drawn since `first`.
fn lead(builder: &mut Builder<'_>, first: usize, choice: usize, yes: &str, rule: &str) {
    let mut arrows = builder.chart.edges.iter_mut().skip(first);
    if let Some(arrow) = arrows.find(|edge| edge.from == choice) {
        (arrow.label, arrow.rule) = (yes.to_owned(), Some(rule.to_owned()));
    }
}

fn meet(builder: &mut Builder<'_>, choice: usize, passed: usize, lane: usize, no: &str) -> usize {
    let merge = builder.way("end_if_circuit", Shape::Merge, lane, Column::Validation);
    builder.link(passed, merge);
    builder.arrow(choice, merge, Way::Past, no, None);
    merge
}

/// The answer: where a refusal leads back to, and the answer itself.
fn answer(builder: &mut Builder<'_>, from: usize, column: Column, back: bool) -> (usize, usize) {
    let lane = builder.service_lane();
    let mut entry = from;
    if back {
        entry = builder.way("rework", Shape::Merge, lane, column);
        builder.link(from, entry);
    }
    let title = builder.say("Rédiger la réponse", "Write the answer");
    let node = builder.node("answer", Shape::Work, (lane, column), title, Subject::Answer);
    builder.link(entry, node);
    (entry, node)
}

/// What the steps drawn so far are reached by.
struct Reached {
    /// Where steps can be returned to.
    entries: BTreeMap<String, usize>,
    /// Steps that a later one returns to.
    wanted: BTreeSet<String>,
    /// Where the draft goes back to its author.
    rework: usize,
}

fn steps(builder: &mut Builder<'_>, circuit: &Circuit, from: usize, rework: usize) -> usize {
    let wanted = circuit.steps.iter().filter_map(|step| match &step.on_reject {
        OnReject::ReturnTo(name) => Some(name.clone()),
        OnReject::Stop | OnReject::CollectAll => None,
    });
    let mut reached = Reached { entries: BTreeMap::new(), wanted: wanted.collect(), rework };
    let mut exit = from;
    for step in &circuit.steps {
        exit = one(builder, step, exit, &mut reached);
    }
    exit
}

fn one(builder: &mut Builder<'_>, sheet: &CircuitStep, from: usize, reached: &mut Reached) -> usize {
    let lane = builder.lane(Hands::Staff(sheet.by.clone()));
    let (yes, no) = (builder.say("oui", "yes"), builder.say("non", "no"));
    let column = Column::Validation;
    let mut entry = from;
    if reached.wanted.contains(&sheet.step) {
        entry = builder.way(&format!("again_{}", sheet.step), Shape::Merge, lane, column);
        builder.link(from, entry);
        reached.entries.insert(sheet.step.clone(), entry);
    }
    let choice = sheet.when.as_deref().map(|rule| {
        let choice = builder.choice(&format!("if_step_{}", sheet.step), rule, lane, column);
        builder.link(entry, choice);
        (choice, rule)
    });
    let node = step(builder, sheet, lane);
    match choice {
        Some((choice, rule)) => builder.arrow(choice, node, Way::Forward, yes, Some(rule)),
        None => builder.link(entry, node),
    }
    let agreed = builder.say("Accord ?", "Agreed?");
    let accord =
        builder.node(&format!("agreed_{}", sheet.step), Shape::Choice, (lane, column), agreed, Subject::Way);
    builder.link(node, accord);
    let target = match &sheet.on_reject {
        OnReject::ReturnTo(name) => reached.entries.get(name).copied().unwrap_or(reached.rework),
        OnReject::Stop | OnReject::CollectAll => reached.rework,
    };
    builder.arrow(accord, target, Way::Back, builder.say("refus", "no"), None);
    let silent = sheet.within.is_some() && sheet.on_late == OnLate::Approve;
    if choice.is_none() && !silent {
        return accord;
    }
    let merge = builder.way(&format!("end_step_{}", sheet.step), Shape::Merge, lane, column);
    builder.link(accord, merge);
    if let Some((choice, _)) = choice {
        builder.arrow(choice, merge, Way::Past, no, None);
    }
    merge
}

fn step(builder: &mut Builder<'_>, sheet: &CircuitStep, lane: usize) -> usize {
    let name = sheet.step.replace(['-', '_'], " ");
    let title = format!("{} {name}", builder.say("Valider :", "Approve:"));
    let subject = Subject::Step(sheet.step.clone());
    let node = builder.node(
        &format!("step_{}", sheet.step),
        Shape::Work,
        (lane, Column::Validation),
        title,
        subject,
    );
    let details = details(builder, sheet);
    builder.tell(node, details.clone(), details.join("\n"));
    let alarm = late(builder, sheet);
    if let Some(node) = builder.chart.nodes.get_mut(node) {
        node.alarm = alarm;
    }
    node
}

fn details(builder: &Builder<'_>, sheet: &CircuitStep) -> Vec<String> {
    let mut details = Vec::new();
    let quorum = match sheet.rule {
        Quorum::Any => builder.say("un seul suffit", "one is enough").to_owned(),
        Quorum::All => builder.say("tous", "all of them").to_owned(),
        Quorum::Majority => builder.say("à la majorité", "by majority").to_owned(),
        Quorum::AtLeast(count) => format!("{} {count}", builder.say("au moins", "at least")),
    };
    details.push(quorum);
    if !sheet.veto.is_empty() {
        let roles = sheet.veto.iter().map(|role| builder.names.role(role, builder.language));
        let roles = roles.collect::<Vec<_>>().join(", ");
        details.push(format!("{} {roles}", builder.say("veto :", "veto:")));
    }
    let excluded = sheet.exclude.iter().map(|who| match who {
        Excluded::Author => builder.say("jamais l’auteur", "never the author"),
        Excluded::PreviousApprover => builder.say("ni le valideur précédent", "nor the approver before"),
    });
    let excluded = excluded.collect::<Vec<_>>().join(", ");
    if !excluded.is_empty() {
        details.push(excluded);
    }
    if sheet.on_reject == OnReject::CollectAll {
        details.push(builder.say("tous les avis avant un refus", "all opinions before a refusal").to_owned());
    }
    details
}

fn late(builder: &Builder<'_>, sheet: &CircuitStep) -> Option<Alarm> {
    let within = sheet.within?;
    let (effect, ends) = match &sheet.on_late {
        OnLate::Remind => (builder.say("sinon rappel", "else a reminder").to_owned(), false),
        OnLate::Approve => (builder.say("sinon accord tacite", "else taken as agreed").to_owned(), true),
        OnLate::EscalateTo(party) => {
            let party: &Party = party;
            let party = builder.names.party(party, builder.language);
            (format!("{} {party}", builder.say("sinon aussi :", "else also:")), false)
        }
    };
    Some(alarm(builder, within, effect, ends))
}
