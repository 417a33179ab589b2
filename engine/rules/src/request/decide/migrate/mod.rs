//! Letting a request follow another version of its process.
//!
//! What the request has reached must mean the same in the new version; else it is refused with every reason at once,
//! and stays on its own version, where nothing is lost. Nothing is guessed: parts keep their names unless the mapping
//! says otherwise.

mod circuit;
mod moved;
mod place;
mod reason;

use std::collections::{BTreeMap, BTreeSet};

pub use reason::MIGRATION_REASONS;

use super::decision::Decision;
use crate::process::{DefinitionHash, Plan};
use crate::request::happened::{Migrated, TaskSkipped};
use crate::request::migration::{ClockPolicy, Mapping};
use crate::request::{Rejection, refusal};

/// What was decided to be done with a request.
pub(super) type Wish<'a> = (ClockPolicy, &'a Mapping);

pub(super) fn migrate(
    d: &mut Decision<'_>,
    definition: &DefinitionHash,
    (policy, mapping): Wish<'_>,
    plan: Option<&str>,
) -> Result<(), Rejection> {
    d.unfinished()?;
    d.engine_or_head()?;
    let request = d.request()?;
    if request.definition == *definition {
        return Err(refusal::migration_same_version());
    }
    let known = d.facts.target.filter(|target| target.hash() == definition);
    let target = known.ok_or_else(refusal::migration_version_unknown)?;
    let sheet = target.definition();
    if sheet.process != request.process {
        return Err(refusal::migration_other_process(&sheet.process));
    }
    if !sheet.tenants.iter().any(|tenant| tenant == d.facts.tenant) {
        return Err(refusal::migration_version_unknown());
    }
    fits(d.plan, target, mapping)?;
    let plan = plan.map(|plan| plan.chars().take(64).collect());
    let (event, skipped) = moved::moved(d, target, (policy, mapping), plan)?;
    let preview = d.preview(event.clone()).ok_or_else(refusal::request_unknown)?;
    let reasons = place::reasons(d, target, &preview, &event, &skipped)?;
    if !reasons.is_empty() {
        return Err(Rejection { fields: reasons, ..refusal::migration_no_place() });
    }
    d.plan = target;
    d.emit(event)?;
    skip(d, &skipped)
}

/// Tasks that the request is past are not needed, in the words of the new sheet.
fn skip(d: &mut Decision<'_>, skipped: &BTreeSet<String>) -> Result<(), Rejection> {
    let plan = d.plan;
    for (index, sheet) in plan.definition().treatment.iter().enumerate() {
        if skipped.contains(&sheet.task) {
            d.emit(TaskSkipped { task: sheet.task.clone(), rule: format!("/treatment/{index}") })?;
        }
    }
    Ok(())
}

/// Whether the mapping speaks of things that there are, and of each once.
fn fits(old: &Plan, new: &Plan, mapping: &Mapping) -> Result<(), Rejection> {
    let (old, new) = (old.definition(), new.definition());
    let steps = |definition: &crate::process::Definition| {
        let circuit = definition.validation.circuit.iter();
        circuit.flat_map(|circuit| &circuit.steps).map(|step| step.step.clone()).collect::<Vec<_>>()
    };
    let tasks = |definition: &crate::process::Definition| {
        definition.treatment.iter().map(|task| task.task.clone()).collect::<Vec<_>>()
    };
    let fields = |definition: &crate::process::Definition| {
        definition.form.iter().map(|field| field.field.clone()).collect::<Vec<_>>()
    };
    let commitments = |definition: &crate::process::Definition| {
        definition.commitments.iter().map(|sheet| sheet.commitment.clone()).collect::<Vec<_>>()
    };
    named(&mapping.tasks, &tasks(old), &tasks(new))?;
    named(&mapping.steps, &steps(old), &steps(new))?;
    named(&mapping.fields, &fields(old), &fields(new))?;
    named(&mapping.commitments, &commitments(old), &commitments(new))?;
    match mapping.skip.iter().find(|task| new.task(task).is_none()) {
        Some(task) => Err(absent(task, "nouvelle", "new")),
        None => Ok(()),
    }
}

fn absent(name: &str, fr: &str, en: &str) -> Rejection {
    let shown: String = name.chars().filter(|symbol| !symbol.is_control()).take(80).collect();
    refusal::migration_mapping(
        &format!("la {fr} version n’a pas de « {shown} »"),
        &format!("the {en} version has no “{shown}”"),
    )
}

/// Two old things cannot become one: neither by name, nor beside one that keeps its name.
fn named(names: &BTreeMap<String, String>, old: &[String], new: &[String]) -> Result<(), Rejection> {
    let mut taken: BTreeSet<&str> =
        old.iter().filter(|name| !names.contains_key(*name)).map(String::as_str).collect();
    for (from, to) in names {
        if !old.contains(from) {
            return Err(absent(from, "précédente", "old"));
        }
        if !new.contains(to) {
            return Err(absent(to, "nouvelle", "new"));
        }
        if !taken.insert(to) {
            return Err(refusal::migration_mapping(
                &format!("deux choses deviendraient « {to} »"),
                &format!("two things would become “{to}”"),
            ));
        }
    }
    Ok(())
}

impl Migrated {
    /// What a task of the old version is called now.
    pub(super) fn task<'n>(&'n self, name: &'n str) -> &'n str {
        self.tasks.iter().find(|moved| moved.from == name).map_or(name, |moved| moved.to.as_str())
    }
}
