//! Circuits: somebody can approve each step, and it is not only the one who wrote the draft.

use std::collections::BTreeSet;

use super::{Sheet, Whole};
use crate::language::diagnostic::{Fault, near};
use crate::language::source::Mark;
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
    faults.push(Fault::error("circuit.return_to", mark, fr, en).suggest(near(target, earlier)));
}

fn approvers(sheet: &Sheet, whole: &Whole<'_>, i: usize, step: &CircuitStep, faults: &mut Vec<Fault>) {
    let organisation = whole.library.organisation;
    let mark = sheet.at(&format!("{BASE}/steps/{i}/by"));
    let able: Vec<BTreeSet<&str>> =
        sheet.definition.tenants.iter().map(|tenant| members(sheet, step, organisation, tenant)).collect();
    if able.iter().all(BTreeSet::is_empty) {
        let (fr, en) = (
            format!("personne ne peut approuver l’étape `{}`", step.step),
            format!("nobody can approve the step `{}`", step.step),
        );
        faults.push(Fault::error("circuit.no_approver", mark, fr, en));
        return;
    }
    for (able, tenant) in able.iter().zip(&sheet.definition.tenants) {
        if able.is_empty() {
            let (fr, en) = (
                format!(
                    "personne ne peut approuver l’étape `{}` dans la collectivité `{tenant}`, qui propose cette démarche",
                    step.step
                ),
                format!(
                    "nobody can approve the step `{}` in the collectivity `{tenant}`, which offers this process",
                    step.step
                ),
            );
            faults.push(Fault::warning("role.nobody_there", mark, fr, en));
            continue;
        }
        enough(sheet, i, step, able.len(), faults);
        let authors: BTreeSet<&str> = in_charge(sheet)
            .flat_map(|service| organisation.all_of(&Party::Service(service.into()), tenant, None))
            .map(|person| person.person.as_str())
            .collect();
        if step.exclude.contains(&Excluded::Author) && able.len() == 1 && authors == *able {
            faults.push(only_author(step, mark));
        }
    }
}

fn enough(sheet: &Sheet, i: usize, step: &CircuitStep, able: usize, faults: &mut Vec<Fault>) {
    let Quorum::AtLeast(least) = step.rule else { return };
    if usize::try_from(least).unwrap_or(usize::MAX) <= able {
        return;
    }
    let (fr, en) = (
        format!("il faut {least} approbations ; combien de personnes peuvent en donner : {able}"),
        format!("{least} approvals are needed; how many people can give one: {able}"),
    );
    faults.push(Fault::error("circuit.quorum", sheet.at(&format!("{BASE}/steps/{i}/rule")), fr, en));
}

fn only_author(step: &CircuitStep, mark: Mark) -> Fault {
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
    Fault::error("circuit.only_author", mark, fr, en)
}

fn in_charge(sheet: &Sheet) -> impl Iterator<Item = &str> {
    sheet.definition.assignment.iter().map(|rule| rule.is.as_str())
}

/// The staff codes of those who may decide on a step for a collectivity: a party means its people there.
fn members<'o>(
    sheet: &Sheet,
    step: &CircuitStep,
    organisation: &'o Organisation,
    tenant: &str,
) -> BTreeSet<&'o str> {
    let mut able = Vec::new();
    for party in &step.by {
        match party {
            Party::Role(_) | Party::Person(_) | Party::Service(_) => {
                able.extend(organisation.all_of(party, tenant, None));
            }
            Party::ServiceInCharge => in_charge(sheet).for_each(|service| {
                able.extend(organisation.all_of(party, tenant, Some(service)));
            }),
        }
    }
    able.into_iter().map(|person| person.person.as_str()).collect()
}
