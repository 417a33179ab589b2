//! A promise must leave room for the work: no shorter than the steps that always have to be done within it.

use std::collections::BTreeMap;

use super::{Sheet, Whole};
use crate::commitment::Unit;
use crate::language::diagnostic::Fault;
use crate::process::{Moment, TaskSheet};

pub(super) fn check(sheet: &Sheet, _: &Whole<'_>, faults: &mut Vec<Fault>) {
    let definition = &sheet.definition;
    let tasks = longest_path(&definition.treatment);
    let circuit: u32 = match (&definition.validation.circuit, &definition.validation.when) {
        (Some(circuit), None) => {
            let always = circuit.steps.iter().filter(|s| s.when.is_none());
            always.filter_map(|s| working_days(s.within)).sum()
        }
        _ => 0,
    };
    for (i, commitment) in definition.commitments.iter().enumerate() {
        let starts_before_work = matches!(
            commitment.from,
            Moment::Received | Moment::Acknowledged | Moment::Qualified | Moment::Assigned
        );
        let needed = match commitment.until {
            Moment::Treated => tasks,
            Moment::Validated | Moment::Delivered => tasks + circuit,
            Moment::Received
            | Moment::Acknowledged
            | Moment::Qualified
            | Moment::Assigned
            | Moment::Task(_) => 0,
        };
        let most =
            commitment.within.iter().map(|rule| working_days(Some(rule.is))).collect::<Option<Vec<_>>>();
        // Only sums in one unit can be compared without a calendar and a date.
        let Some(most) = most.and_then(|list| list.into_iter().max()) else { continue };
        if starts_before_work && needed > most {
            let name = &commitment.commitment;
            let mark = sheet.at(&format!("/commitments/{i}/within"));
            let (fr, en) = (
                format!(
                    "l’engagement `{name}` donne {most} jours ouvrés ; les étapes obligatoires en demandent {needed}"
                ),
                format!(
                    "the commitment `{name}` gives {most} working days; the steps that must be done take {needed}"
                ),
            );
            faults.push(Fault::warning("commitment.too_short", mark, fr, en));
        }
    }
}

fn working_days(budget: Option<crate::commitment::Budget>) -> Option<u32> {
    budget.filter(|b| b.unit() == Unit::WorkingDays).map(crate::commitment::Budget::amount)
}

/// The working days of the longest chain of tasks that are always done.
fn longest_path(tasks: &[TaskSheet]) -> u32 {
    let mut longest: BTreeMap<&str, u32> = BTreeMap::new();
    // As many rounds as tasks: enough for any chain, and an end for any cycle.
    for _ in tasks {
        for task in tasks {
            let before =
                task.after.iter().filter_map(|a| longest.get(a.as_str())).max().copied().unwrap_or_default();
            let own = if task.when.is_none() { working_days(task.within).unwrap_or_default() } else { 0 };
            longest.insert(&task.task, before.saturating_add(own));
        }
    }
    longest.into_values().max().unwrap_or_default()
}
