//! What sheets mean: the checks that are run once everything has been read. One file is one check; adding one is a
//! file and a line in one of the two lists below.

mod circuit;
mod commitments;
mod feasible;
mod form;
mod frame;
mod law;
mod messages;
mod order;
mod people;
mod privacy;
mod relations;
mod rules;
mod scenarios;
mod tasks;
mod twins;
mod unused;

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::Fault;
use super::sheet::{Library, Places, ScenarioFile};
use super::source::{FileId, Mark, Sources};
use crate::process::Definition;

/// The checks of each sheet by itself.
const SHEET_CHECKS: &[fn(&Sheet, &Whole<'_>, &mut Vec<Fault>)] = &[
    form::check,
    rules::check,
    order::check,
    tasks::check,
    people::check,
    circuit::check,
    commitments::check,
    feasible::check,
    messages::check,
    law::check,
    privacy::check,
    relations::check,
];

/// The checks of the catalogue as a whole.
const CATALOGUE_CHECKS: &[fn(&Whole<'_>, &mut Vec<Fault>)] =
    &[frame::check, twins::check, unused::check, scenarios::check];

/// A process sheet that has been read.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) definition: Definition,
    pub(super) places: Places,
    /// The file it stands in; parts of it may stand in others.
    pub(super) file: FileId,
    /// Its `extends`.
    pub(super) extends: Option<Mark>,
    /// Its name.
    pub(super) name: Mark,
}

impl Sheet {
    /// The place of a part of the definition, by JSON pointer.
    pub(super) fn at(&self, pointer: &str) -> Mark {
        self.places.mark(pointer).unwrap_or(self.name)
    }
}

/// Everything that was read.
pub(super) struct Whole<'a> {
    pub(super) sources: &'a Sources,
    pub(super) library: &'a Library<'a>,
    pub(super) models: BTreeMap<&'a str, Mark>,
    pub(super) sheets: &'a [Sheet],
    pub(super) scenarios: &'a [ScenarioFile],
    /// The shared parts that something refers to.
    pub(super) used: &'a BTreeSet<String>,
    pub(super) header_file: Option<FileId>,
}

/// Runs every check on everything.
pub(super) fn run(whole: &Whole<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for sheet in whole.sheets {
        let mut found = Vec::new();
        for check in SHEET_CHECKS {
            check(sheet, whole, &mut found);
        }
        found.iter_mut().for_each(|fault| say_who_inherits(fault, sheet.file, sheet.extends, sheet.name));
        faults.append(&mut found);
    }
    for check in CATALOGUE_CHECKS {
        check(whole, &mut faults);
    }
    faults
}

/// A finding about a part that was inherited names the sheet that inherits it as well.
pub(super) fn say_who_inherits(fault: &mut Fault, file: FileId, extends: Option<Mark>, name: Mark) {
    if fault.mark.file == file || fault.labels.iter().any(|(mark, _)| mark.file == file) {
        return;
    }
    let label = crate::text::Text::new("employé par cette fiche", "used by this sheet");
    fault.labels.push((extends.unwrap_or(name), label));
}
