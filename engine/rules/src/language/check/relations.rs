//! `see_also` leads somewhere else.

use super::{Sheet, Whole};
use crate::language::diagnostic::{Fault, near};

pub(super) fn check(sheet: &Sheet, whole: &Whole<'_>, faults: &mut Vec<Fault>) {
    let known = || whole.sheets.iter().map(|s| s.definition.process.as_str());
    for (i, other) in sheet.definition.see_also.iter().enumerate() {
        let mark = sheet.at(&format!("/see_also/{i}"));
        if *other == sheet.definition.process {
            let (fr, en) = ("cette fiche renvoie à elle-même", "this sheet refers to itself");
            faults.push(Fault::error("see_also.itself", mark, fr, en));
        } else if !known().any(|name| name == other) && !whole.unreadable.contains(other) {
            let (fr, en) = (format!("fiche inconnue : `{other}`"), format!("unknown process: `{other}`"));
            faults.push(Fault::error("process.unknown", mark, fr, en).suggest(near(other, known())));
        }
    }
}
