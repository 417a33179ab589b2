//! The catalogue's own references.

use super::Whole;
use crate::language::diagnostic::{Fault, near};
use crate::language::source::Mark;

pub(super) fn check(whole: &Whole<'_>, faults: &mut Vec<Fault>) {
    let Some(file) = whole.header_file else { return };
    let header = &whole.library.header;
    let calendars: Vec<&str> = whole.library.calendars.keys().map(String::as_str).collect();
    let messages: Vec<&str> = whole.library.messages.keys().map(String::as_str).collect();
    let references = [
        (
            Some(header.calendar.as_str()),
            calendars,
            "calendar.unknown",
            "calendrier inconnu",
            "unknown calendar",
        ),
        (
            header.acknowledgement.as_deref(),
            messages,
            "message.unknown",
            "message inconnu",
            "unknown message",
        ),
        (
            header.publication.as_deref(),
            whole.sheets.iter().map(|sheet| sheet.definition.process.as_str()).collect(),
            "process.unknown",
            "fiche inconnue",
            "unknown process",
        ),
    ];
    for (name, known, code, fr, en) in references {
        let Some(name) =
            name.filter(|n| !n.is_empty() && !known.contains(n) && !whole.unreadable.contains(*n))
        else {
            continue;
        };
        // A name that is wrong stands in the file exactly once: where it was read.
        let start = whole.sources.text(file).find(name).unwrap_or_default();
        let mark = Mark { file, start, end: start + name.len() };
        let fault = Fault::error(code, mark, format!("{fr} : `{name}`"), format!("{en}: `{name}`"));
        faults.push(fault.suggest(near(name, known)));
    }
}
