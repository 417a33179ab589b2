//! Circuits: somebody can approve each step, and it is not only the one who wrote the draft.

use std::collections::BTreeSet;

use super::{Sheet, Whole};
use crate::language::diagnostic::{Fault, nearest};
use crate::organisation::Organisation;
use crate::process::{Circuit, CircuitStep, Excluded, OnReject, Party, Quorum};

const BASE: &str = "/validation/circuit";

pub(super) fn check(sheet: &Sheet, whole: &Whole<'_>, faults: &mut Vec<Fault>) {
    let Some(circuit) = &sheet.definition.validation.circuit else { return };
    if circuit.steps.is_empty() {
        let (fr, en) = ("ce circuit n’a aucune étape", "this circuit has no step");
        faults.push(Fault::error("circuit.no_approver", sheet.at(&format!("{BASE}/steps")), fr, en));
    }
    for (i, step) in circuit.steps.iter().enumerate() {
        names(sheet, circuit, i, step, faults);
        approvers(sheet, whole, i, step, faults);
    }
}

fn names(sheet: &Sheet, circuit: &Circuit, i: usize, step: &CircuitStep, faults: &mut Vec<Fault>) {
    if circuit.steps.iter().take(i).any(|earlier| earlier.step == step.step) {
        let (fr, en) = (
            format!("l’étape `{}` est décrite deux fois", step.step),
            format!("the step `{}` is described twice", step.step),
        );
        faults.push(Fault::error("name.duplicate", sheet.at(&format!("{BASE}/steps/{i}/step")), fr, en));
    }
    let OnReject::ReturnTo(target) = &step.on_reject else { return };
    let earlier: Vec<&str> = circuit.steps.iter().take(i).map(|s| s.step.as_str()).collect();
    if earlier.contains(&target.as_str()) {
        return;
    }
    let mark = sheet.at(&format!("{BASE}/steps/{i}/on_reject/return_to"));
    let exists = circuit.steps.iter().any(|s| s.step == *target);
    let (fr, en) = if exists {
        (
            format!("`{target}` ne vient pas avant cette étape"),
            format!("`{target}` does not come before this step"),
        )
    } else {
        (format!("étape inconnue : `{target}`"), format!("unknown step: `{target}`"))
    };
    faults.push(Fault::error("circuit.return_to", mark, fr, en).suggest(nearest(target, earlier)));
}

fn approvers(sheet: &Sheet, whole: &Whole<'_>, i: usize, step: &CircuitStep, faults: &mut Vec<Fault>) {
    let organisation = whole.library.organisation;
    let mark = sheet.at(&format!("{BASE}/steps/{i}/by"));
    let in_charge: Vec<&str> = sheet.definition.assignment.iter().map(|rule| rule.is.as_str()).collect();
    let able: BTreeSet<&str> =
        step.by.iter().flat_map(|party| members(party, organisation, &in_charge)).collect();
    if able.is_empty() {
        let (fr, en) = (
            format!("personne ne peut approuver l’étape `{}`", step.step),
            format!("nobody can approve the step `{}`", step.step),
        );
        faults.push(Fault::error("circuit.no_approver", mark, fr, en));
        return;
    }
    if let Quorum::AtLeast(least) = step.rule
        && usize::try_from(least).unwrap_or(usize::MAX) > able.len()
    {
        let (fr, en) = (
            format!("il faut {least} approbations ; combien de personnes peuvent en donner : {}", able.len()),
            format!("{least} approvals are needed; how many people can give one: {}", able.len()),
        );
        faults.push(Fault::error("circuit.quorum", sheet.at(&format!("{BASE}/steps/{i}/rule")), fr, en));
    }
    let authors: BTreeSet<&str> = in_charge
        .iter()
        .flat_map(|s| organisation.people.iter().filter(move |p| p.services.iter().any(|x| x == s)))
        .map(|p| p.person.as_str())
        .collect();
    if step.exclude.contains(&Excluded::Author) && able.len() == 1 && authors == able {
        let (fr, en) = (
            format!(
                "la seule personne qui peut approuver l’étape `{}` est aussi la seule à pouvoir rédiger",
                step.step
            ),
            format!(
                "the only person who can approve the step `{}` is also the only one who can draft",
                step.step
            ),
        );
        faults.push(Fault::error("circuit.only_author", mark, fr, en));
    }
}

/// The staff codes of those a party stands for.
fn members<'o>(party: &Party, organisation: &'o Organisation, in_charge: &[&str]) -> Vec<&'o str> {
    organisation
        .people
        .iter()
        .filter(|person| match party {
            Party::Role(role) => person.roles.contains(role),
            Party::Person(code) => person.person == *code,
            Party::Service(service) => person.services.contains(service),
            Party::ServiceInCharge => person.services.iter().any(|s| in_charge.contains(&s.as_str())),
        })
        .map(|person| person.person.as_str())
        .collect()
}
