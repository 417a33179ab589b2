//! Personal data: what a sheet names as personal exists.

use super::{Sheet, Whole};
use crate::language::diagnostic::{Fault, near};

pub(super) fn check(sheet: &Sheet, _: &Whole<'_>, faults: &mut Vec<Fault>) {
    let definition = &sheet.definition;
    let reports = definition.treatment.iter().flat_map(|t| &t.report);
    let mut known: Vec<&str> = definition.form.iter().chain(reports).map(|f| f.field.as_str()).collect();
    known.push("contact");
    for (i, name) in
        definition.privacy.personal.iter().enumerate().filter(|(_, n)| !known.contains(&n.as_str()))
    {
        let (fr, en) = (format!("champ inconnu : `{name}`"), format!("unknown field: `{name}`"));
        let mark = sheet.at(&format!("/privacy/personal/{i}"));
        faults.push(Fault::error("field.unknown", mark, fr, en).suggest(near(name, known.iter().copied())));
    }
}
