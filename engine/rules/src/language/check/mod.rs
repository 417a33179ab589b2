//! What sheets mean: the checks that are run once everything has been read. One file is one check; adding one is a
//! file and a line in one of the two lists below.

mod circuit;
mod commitments;
mod feasible;
mod form;
mod frame;
mod law;
pub(super) mod messages;
mod order;
mod payment;
mod people;
mod privacy;
mod relations;
mod rules;
mod scenarios;
mod span;
mod tasks;
mod titles;
mod translations;
mod twins;
mod unused;
mod voting;

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::Fault;
use super::sheet::{Library, Places, ScenarioFile};
use super::source::{FileId, Mark, Sources};
use crate::process::Definition;
use crate::text::Text;

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
    titles::check,
    law::check,
    privacy::check,
    relations::check,
    voting::check,
    payment::check,
];

/// The checks of the catalogue as a whole.
const CATALOGUE_CHECKS: &[fn(&Whole<'_>, &mut Vec<Fault>)] =
    &[frame::check, twins::check, unused::check, scenarios::check, translations::check];

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
    /// Whether its base was found: if not, what seems to be missing may be inherited.
    pub(super) complete: bool,
}

impl Sheet {
    /// The place of a part of the definition, by JSON pointer.
    pub(super) fn at(&self, pointer: &str) -> Mark {
        self.places.mark(pointer).unwrap_or(self.name)
    }

    /// A finding about a part that stands in another file says where this sheet takes it from.
    pub(super) fn say_who_inherits(&self, fault: &mut Fault) {
        if fault.mark.file == self.file || fault.labels.iter().any(|(mark, _)| mark.file == self.file) {
            return;
        }
        let side_ways = self.definition.messages.keys().map(|name| format!("/messages/{name}"));
        let references = ["/validation/circuit", "/acknowledgement", "/delivery/message"].map(str::to_owned);
        let shared = references.into_iter().chain(side_ways).find(|pointer| {
            let inside = if pointer == "/validation/circuit" { "steps" } else { "subject" };
            self.places.mark(&format!("{pointer}/{inside}")).is_some_and(|mark| mark.file == fault.mark.file)
        });
        let reference = shared.filter(|pointer| self.places.has(pointer)).map(|pointer| self.at(&pointer));
        if let Some(mark) = reference.filter(|mark| mark.file != fault.mark.file) {
            fault.labels.push((mark, Text::new("employé ici", "used here")));
        }
        if reference.is_none_or(|mark| mark.file != self.file) {
            let label = Text::new("employé par cette fiche", "used by this sheet");
            fault.labels.push((self.extends.unwrap_or(self.name), label));
        }
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
    /// The names of files that could not be read.
    pub(super) unreadable: &'a BTreeSet<String>,
    pub(super) header_file: Option<FileId>,
    /// Texts that are given in French alone.
    pub(super) french_only: &'a BTreeSet<Mark>,
}

/// Runs every check on everything.
pub(super) fn run(whole: &Whole<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for sheet in whole.sheets.iter().filter(|s| s.complete) {
        let mut found = Vec::new();
        for check in SHEET_CHECKS {
            check(sheet, whole, &mut found);
        }
        found.iter_mut().for_each(|fault| sheet.say_who_inherits(fault));
        faults.append(&mut found);
    }
    for check in CATALOGUE_CHECKS {
        check(whole, &mut faults);
    }
    faults
}
