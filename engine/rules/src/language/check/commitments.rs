//! Commitments: each starts, each stops, and its warnings come in between.

use super::tasks::{ancestors, stuck};
use super::{Sheet, Whole};
use crate::language::diagnostic::{Fault, near};
use crate::process::{CommitmentSheet, Moment, PauseReason};

pub(super) fn check(sheet: &Sheet, _: &Whole<'_>, faults: &mut Vec<Fault>) {
    if sheet.definition.commitments.is_empty()
        && sheet.places.has("/commitments")
        && !sheet.places.has("/commitments/0")
    {
        let (fr, en) = ("cette fiche ne promet rien", "this sheet promises nothing");
        faults.push(Fault::warning("commitment.none", sheet.at("/commitments"), fr, en));
    }
    for (i, commitment) in sheet.definition.commitments.iter().enumerate() {
        let base = format!("/commitments/{i}");
        moment(sheet, &format!("{base}/from"), &commitment.from, faults);
        moment(sheet, &format!("{base}/until"), &commitment.until, faults);
        direction(sheet, &base, commitment, faults);
        reached(sheet, &base, commitment, faults);
        for (j, at) in commitment.warn_at.iter().enumerate() {
            if commitment.warn_at.iter().take(j).any(|earlier| earlier >= at) {
                let (fr, en) = (
                    "les avertissements se suivent du plus tôt au plus tard",
                    "warnings go from the earliest to the latest",
                );
                faults.push(Fault::error(
                    "commitment.warning",
                    sheet.at(&format!("{base}/warn_at/{j}")),
                    fr,
                    en,
                ));
            }
        }
        for (j, reason) in commitment.paused_while.iter().enumerate() {
            if *reason == PauseReason::Validation && sheet.definition.validation.circuit.is_none() {
                let (fr, en) = (
                    "cette fiche n’a pas de circuit : cette pause n’arrive jamais",
                    "this sheet has no circuit: this pause never happens",
                );
                faults.push(Fault::warning(
                    "commitment.pause",
                    sheet.at(&format!("{base}/paused_while/{j}")),
                    fr,
                    en,
                ));
            }
        }
        if commitment.within.iter().any(|rule| rule.is.amount() == 0 && !rule.is.unit().is_working()) {
            let (fr, en) = ("un délai nul est toujours dépassé", "a time of zero is always exceeded");
            faults.push(Fault::error("commitment.zero", sheet.at(&format!("{base}/within")), fr, en));
        }
    }
}

/// A task that starts or stops a clock must exist.
fn moment(sheet: &Sheet, pointer: &str, moment: &Moment, faults: &mut Vec<Fault>) {
    let Moment::Task(task) = moment else { return };
    let tasks = || sheet.definition.treatment.iter().map(|t| t.task.as_str());
    if !tasks().any(|t| t == task) {
        let (fr, en) = (format!("tâche inconnue : `{task}`"), format!("unknown task: `{task}`"));
        let meant = near(task, tasks()).map(|t| t.map(|t| format!("task:{t}")));
        faults.push(Fault::error("task.unknown", sheet.at(pointer), fr, en).suggest(meant));
    }
}

/// The place of a moment in a request's life; the acknowledgement has none of its own but comes after the receipt.
fn rank(moment: &Moment) -> u8 {
    match moment {
        Moment::Received => 0,
        Moment::Acknowledged => 1,
        Moment::Qualified => 2,
        Moment::Assigned => 3,
        Moment::Task(_) => 4,
        Moment::Treated => 5,
        Moment::Validated => 6,
        Moment::Delivered => 7,
    }
}

fn direction(sheet: &Sheet, base: &str, commitment: &CommitmentSheet, faults: &mut Vec<Fault>) {
    let (from, until) = (&commitment.from, &commitment.until);
    let name = &commitment.commitment;
    let before = |task: &str, other: &str| ancestors(&sheet.definition.treatment, task).contains(other);
    let backwards = match (from, until) {
        (Moment::Task(first), Moment::Task(last)) => before(first, last) && !before(last, first),
        _ => rank(from) > rank(until),
    };
    if from == until {
        let (fr, en) = (
            format!("l’engagement `{name}` finit au moment où il commence"),
            format!("the commitment `{name}` ends as it begins"),
        );
        faults.push(Fault::error("commitment.never_stops", sheet.at(&format!("{base}/until")), fr, en));
    } else if backwards {
        let (fr, en) = (
            format!("l’engagement `{name}` ne s’arrête jamais : sa fin vient avant son début"),
            format!("the commitment `{name}` never stops: its end comes before its beginning"),
        );
        faults.push(
            Fault::error("commitment.never_stops", sheet.at(&format!("{base}/until")), fr, en).label(
                sheet.at(&format!("{base}/from")),
                "commence ici",
                "begins here",
            ),
        );
    }
}

/// A clock that a task starts or stops runs only if the task is ever done.
fn reached(sheet: &Sheet, base: &str, commitment: &CommitmentSheet, faults: &mut Vec<Fault>) {
    let tasks = &sheet.definition.treatment;
    let never = stuck(tasks);
    let name = &commitment.commitment;
    let ends = [
        ("from", &commitment.from, "commitment.never_starts", "ne commence jamais", "never starts"),
        ("until", &commitment.until, "commitment.never_stops", "ne s’arrête jamais", "never stops"),
    ];
    for (key, moment, code, fr, en) in ends {
        let Moment::Task(task) = moment else { continue };
        let dead = tasks.iter().position(|t| t.task == *task && never.contains(task.as_str()));
        let Some(at) = dead else { continue };
        let (fr, en) = (
            format!("l’engagement `{name}` {fr} : la tâche `{task}` ne peut pas commencer"),
            format!("the commitment `{name}` {en}: the task `{task}` cannot start"),
        );
        faults.push(Fault::error(code, sheet.at(&format!("{base}/{key}")), fr, en).label(
            sheet.at(&format!("/treatment/{at}/after")),
            "voici pourquoi",
            "this is why",
        ));
    }
}
