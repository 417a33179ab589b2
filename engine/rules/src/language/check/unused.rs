//! Models, circuits, messages and calendars that nothing refers to.

use super::Whole;
use crate::language::diagnostic::Fault;

pub(super) fn check(whole: &Whole<'_>, faults: &mut Vec<Fault>) {
    // What could not be read may be what refers to them.
    if !whole.unreadable.is_empty() || whole.sheets.iter().any(|s| !s.complete) {
        return;
    }
    let library = whole.library;
    let default = [Some(library.header.calendar.as_str()), library.header.acknowledgement.as_deref()];
    let used = |name: &str| whole.used.contains(name) || default.contains(&Some(name));
    let parts = whole
        .models
        .iter()
        .map(|(name, mark)| (*name, Some(*mark), "modèle", "model"))
        .chain(
            library
                .circuits
                .iter()
                .map(|(n, i)| (n.as_str(), i.places.mark("/circuit"), "circuit", "circuit")),
        )
        .chain(
            library
                .messages
                .iter()
                .map(|(n, i)| (n.as_str(), i.places.mark("/message"), "message", "message")),
        )
        .chain(
            library
                .calendars
                .iter()
                .map(|(n, i)| (n.as_str(), i.places.mark("/calendar"), "calendrier", "calendar")),
        );
    for (name, mark, fr, en) in parts {
        let Some(mark) = mark.filter(|_| !used(name)) else { continue };
        faults.push(Fault::warning(
            "catalogue.unused",
            mark,
            format!("aucune fiche n’emploie ce {fr}"),
            format!("no sheet uses this {en}"),
        ));
    }
}
