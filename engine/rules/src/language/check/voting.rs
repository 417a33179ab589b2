//! Voting: what is shown exists and names nobody, somebody looks at it first, and the vote does not end before it begins.

use super::{Sheet, Whole};
use crate::language::diagnostic::{Fault, near};
use crate::process::{FieldType, Voting};

pub(super) fn check(sheet: &Sheet, _: &Whole<'_>, faults: &mut Vec<Fault>) {
    let Some(voting) = &sheet.definition.voting else { return };
    shown(sheet, ("title", Some(&voting.title)), FieldType::Text, faults);
    shown(sheet, ("summary", voting.summary.as_ref()), FieldType::Text, faults);
    shown(sheet, ("cost", voting.cost.as_ref()), FieldType::Money, faults);
    moderated(sheet, voting, faults);
    if voting.from.zip(voting.until).is_some_and(|(from, until)| until < from) {
        let (fr, en) = ("le vote finit avant de commencer", "the vote ends before it begins");
        faults.push(Fault::error("voting.window", sheet.at("/voting/until"), fr, en));
    }
}

fn shown(sheet: &Sheet, (key, name): (&str, Option<&String>), kind: FieldType, faults: &mut Vec<Fault>) {
    let Some(name) = name else { return };
    let mark = sheet.at(&format!("/voting/{key}"));
    let form = &sheet.definition.form;
    let Some(field) = form.iter().find(|field| field.field == *name) else {
        let (fr, en) = (format!("champ inconnu : `{name}`"), format!("unknown field: `{name}`"));
        let known = form.iter().map(|field| field.field.as_str());
        return faults.push(Fault::error("field.unknown", mark, fr, en).suggest(near(name, known)));
    };
    if field.kind != kind || field.personal || field.kind.is_personal() {
        let (fr, en) = (
            format!("le champ `{name}` ne peut pas être montré à tous"),
            format!("the field `{name}` cannot be shown to everybody"),
        );
        faults.push(Fault::error("voting.field", mark, fr, en));
    }
}

/// Nothing is published that nobody has read.
fn moderated(sheet: &Sheet, voting: &Voting, faults: &mut Vec<Fault>) {
    let treatment = &sheet.definition.treatment;
    match &voting.after {
        Some(task) if !treatment.iter().any(|sheet| sheet.task == *task) => {
            let (fr, en) = (format!("tâche inconnue : `{task}`"), format!("unknown task: `{task}`"));
            let known = treatment.iter().map(|sheet| sheet.task.as_str());
            let fault = Fault::error("task.unknown", sheet.at("/voting/after"), fr, en);
            faults.push(fault.suggest(near(task, known)));
        }
        None if sheet.definition.qualification.by.is_none() => {
            let (fr, en) = (
                "les idées seraient montrées à tous sans que personne les ait lues",
                "ideas would be shown to everybody without anyone having read them",
            );
            faults.push(Fault::error("voting.unmoderated", sheet.at("/voting/title"), fr, en));
        }
        Some(_) | None => {}
    }
}
