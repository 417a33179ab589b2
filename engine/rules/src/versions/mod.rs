//! Two versions of a process compared by what they mean: what changes, for whom, in words.
//!
//! Layout, comments and the order in which a sheet is written say nothing. Whatever makes two definitions hash
//! differently is named here at least once: a test changes every value of a sheet and looks.

mod course;
mod differ;
mod form;
mod frame;
mod payment;
mod promises;
mod treatment;
mod what_if;
mod words;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::process::{Definition, DefinitionHash, SourceLine, Sources};
use crate::text::Text;
use differ::Differ;
pub use what_if::{Incomparable, comparable};

/// Whom a change concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Those who make requests.
    Citizens,
    /// Those who treat them.
    Service,
    /// Those who sign answers.
    Approvers,
    /// Those who look back, and those who account for law, privacy and cost.
    Auditors,
}

impl Audience {
    /// What they are called.
    #[must_use]
    pub fn name(self) -> Text {
        match self {
            Self::Citizens => Text::new("les usagers", "citizens"),
            Self::Service => Text::new("le service", "the service"),
            Self::Approvers => Text::new("les approbateurs", "approvers"),
            Self::Auditors => Text::new("l’audit", "auditors"),
        }
    }
}

/// The part of a sheet that a change is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words are those of the sheet")]
pub enum Area {
    Identity,
    Form,
    Qualification,
    Assignment,
    Treatment,
    Validation,
    Delivery,
    Messages,
    Commitments,
    Calendars,
    Law,
    Privacy,
    Costs,
    Payment,
}

impl Area {
    /// The heading under which its changes stand.
    #[must_use]
    pub fn title(self) -> Text {
        let (fr, en) = match self {
            Self::Identity => ("Présentation et accès", "Presentation and access"),
            Self::Form => ("Formulaire", "Form"),
            Self::Qualification => ("Qualification", "Qualification"),
            Self::Assignment => ("Affectation", "Assignment"),
            Self::Treatment => ("Traitement", "Treatment"),
            Self::Validation => ("Validation", "Validation"),
            Self::Delivery => ("Remise de la réponse", "Delivery"),
            Self::Messages => ("Messages", "Messages"),
            Self::Commitments => ("Engagements", "Commitments"),
            Self::Calendars => ("Calendriers", "Calendars"),
            Self::Law => ("Droit", "Law"),
            Self::Privacy => ("Données personnelles", "Privacy"),
            Self::Costs => ("Coûts", "Costs"),
            Self::Payment => ("Paiement", "Payment"),
        };
        Text::new(fr, en)
    }
}

/// What kind of change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another.
    Changed,
    /// A term is longer.
    Longer,
    /// A term is shorter.
    Shorter,
}

/// One thing that changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The part of the sheet.
    pub area: Area,
    /// Whom it concerns.
    pub concerns: Vec<Audience>,
    /// What kind of change it is.
    pub nature: Nature,
    /// What changes, in words.
    pub subject: Text,
    /// What it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Text>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Text>,
    /// Where the old version says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_at: Option<SourceLine>,
    /// Where the new version says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_at: Option<SourceLine>,
}

/// A version with the places of its parts.
#[derive(Debug, Clone, Copy)]
pub struct Version<'a> {
    /// The definition.
    pub definition: &'a Definition,
    /// Where its parts were written; empty if that is not known.
    pub sources: &'a Sources,
}

/// What becomes of one process.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProcessChanges {
    /// The process.
    pub process: String,
    /// Its title, in the new version if there is one.
    pub title: Text,
    /// Whether it is new, gone, or another.
    pub nature: Nature,
    /// Its version until now.
    pub old: Option<DefinitionHash>,
    /// Its version from now on.
    pub new: Option<DefinitionHash>,
    /// What changes in it.
    pub changes: Vec<Change>,
}

/// What changes from one version of a process to another, in the order of the sheet.
#[must_use]
pub fn changes(old: Version<'_>, new: Version<'_>) -> Vec<Change> {
    let mut differ = Differ::new(old, new);
    frame::identity(&mut differ);
    form::form(&mut differ);
    course::qualification(&mut differ);
    course::assignment(&mut differ);
    treatment::treatment(&mut differ);
    treatment::validation(&mut differ);
    course::delivery(&mut differ);
    course::messages(&mut differ);
    promises::commitments(&mut differ);
    promises::calendars(&mut differ);
    frame::law(&mut differ);
    frame::privacy(&mut differ);
    frame::costs(&mut differ);
    frame::voting(&mut differ);
    payment::payment(&mut differ);
    differ.into_changes()
}

/// What changes from one catalogue to another. Processes that mean the same in both are left out.
#[must_use]
pub fn compare(old: &[Version<'_>], new: &[Version<'_>]) -> Vec<ProcessChanges> {
    let by_name = |versions: &[Version<'_>]| -> BTreeMap<String, usize> {
        let names = versions.iter().enumerate();
        names.map(|(index, version)| (version.definition.process.clone(), index)).collect()
    };
    let (old_names, new_names) = (by_name(old), by_name(new));
    let names: BTreeSet<&String> = old_names.keys().chain(new_names.keys()).collect();
    let mut found = Vec::new();
    for name in names {
        let was = old_names.get(name).and_then(|index| old.get(*index));
        let is = new_names.get(name).and_then(|index| new.get(*index));
        let Some(shown) = is.or(was) else { continue };
        let hash = |version: Option<&Version<'_>>| version.and_then(|v| v.definition.hash().ok());
        let (old_hash, new_hash) = (hash(was), hash(is));
        if old_hash == new_hash {
            continue;
        }
        let (nature, changes) = match (was, is) {
            (None, _) => (Nature::Added, Vec::new()),
            (_, None) => (Nature::Removed, Vec::new()),
            (Some(was), Some(is)) => (Nature::Changed, changes(*was, *is)),
        };
        found.push(ProcessChanges {
            process: name.clone(),
            title: shown.definition.title.clone(),
            nature,
            old: old_hash,
            new: new_hash,
            changes,
        });
    }
    found
}

/// Parts of the old version that look as if they were only called otherwise in the new one, as `guichet migrate --map`
/// takes them: `task:old=new`.
#[must_use]
pub fn likely_renames(old: &Definition, new: &Definition) -> Vec<String> {
    let tasks = |definition: &Definition| -> Vec<(String, serde_json::Value)> {
        let blank = |task: &crate::process::TaskSheet| crate::process::TaskSheet {
            task: String::new(),
            after: Vec::new(),
            when: None,
            ..task.clone()
        };
        let tasks = definition.treatment.iter();
        tasks.map(|t| (t.task.clone(), serde_json::to_value(blank(t)).unwrap_or_default())).collect()
    };
    let fields = |definition: &Definition| -> Vec<(String, serde_json::Value)> {
        let blank =
            |field: &crate::process::Field| crate::process::Field { field: String::new(), ..field.clone() };
        let fields = definition.form.iter();
        fields.map(|f| (f.field.clone(), serde_json::to_value(blank(f)).unwrap_or_default())).collect()
    };
    let mut found = pairs("task", &tasks(old), &tasks(new));
    found.extend(pairs("field", &fields(old), &fields(new)));
    found
}

/// What is gone and what is new, alike in all but the name, and alike with nothing else.
fn pairs(
    kind: &str,
    old: &[(String, serde_json::Value)],
    new: &[(String, serde_json::Value)],
) -> Vec<String> {
    let has = |list: &[(String, serde_json::Value)], name: &String| list.iter().any(|(n, _)| n == name);
    let gone: Vec<_> = old.iter().filter(|(name, _)| !has(new, name)).collect();
    let come: Vec<_> = new.iter().filter(|(name, _)| !has(old, name)).collect();
    let mut found = Vec::new();
    for (was, shape) in &gone {
        let mut alike = come.iter().filter(|(_, other)| other == shape);
        let alone = gone.iter().filter(|(_, other)| other == shape).count() == 1;
        if let (Some((is, _)), None, true) = (alike.next(), alike.next(), alone) {
            found.push(format!("{kind}:{was}={is}"));
        }
    }
    found
}
