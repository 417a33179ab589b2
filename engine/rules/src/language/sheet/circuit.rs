//! Approval circuits.

use super::desk::{At, Desk, Entries};
use super::parts::ROLE;
use super::process::Library;
use crate::language::diagnostic::Fault;
use crate::language::grammar;
use crate::process::{Circuit, CircuitStep, Excluded, OnLate, OnReject, Quorum};

/// A file of `circuits/`.
pub(crate) fn read_circuit(
    desk: &mut Desk,
    at: &At<'_>,
    name: &str,
    library: &Library<'_>,
) -> Option<Circuit> {
    let entries = desk.entries(at, &grammar::CIRCUIT);
    desk.own_name(&entries, "circuit", name);
    let list = desk.require(&entries, "steps")?;
    let mut steps: Vec<CircuitStep> = Vec::new();
    for item in desk.list(&list) {
        let item = item.becoming(format!("/steps/{}", steps.len()));
        steps.extend(desk.step(&item, library));
    }
    Some(Circuit { circuit: name.to_owned(), steps })
}

impl Desk {
    fn step(&mut self, at: &At<'_>, library: &Library<'_>) -> Option<CircuitStep> {
        let entries = self.entries(at, &grammar::STEP);
        let step = self.require(&entries, "step").and_then(|a| self.text(&a));
        let by = self.require(&entries, "by").map(|list| {
            let items = self.items(&list);
            items.iter().filter_map(|item| self.party(item, library)).collect()
        });
        let veto = self.get(&entries, "veto").map(|a| self.roles(&a, library)).unwrap_or_default();
        let exclude = self.get(&entries, "exclude").map(|list| {
            let items = self.items(&list);
            items.iter().filter_map(|item| self.one_of(item, &grammar::EXCLUDED)).collect()
        });
        Some(CircuitStep {
            step: step?,
            by: by.unwrap_or_default(),
            rule: self.quorum(&entries),
            veto,
            on_reject: self.on_reject(&entries),
            exclude: exclude.unwrap_or_else(|| vec![Excluded::Author]),
            when: self.get(&entries, "when").and_then(|a| self.rule(&a)),
            within: self.get(&entries, "within").and_then(|a| self.budget(&a)),
            on_late: self.on_late(&entries, library),
        })
    }

    /// Role ids, with or without `role:`.
    pub(super) fn roles(&mut self, at: &At<'_>, library: &Library<'_>) -> Vec<String> {
        let known: Vec<&str> = library.organisation.roles.iter().map(|r| r.role.as_str()).collect();
        let mut roles = Vec::new();
        for item in self.items(at) {
            let Some(text) = self.text(&item) else { continue };
            let role = text.strip_prefix("role:").unwrap_or(&text).trim().to_owned();
            let mark = self.part_of(&item, &text, &role);
            self.known(&role, mark, known.iter().copied(), &ROLE);
            roles.push(role);
        }
        roles
    }

    fn quorum(&mut self, entries: &Entries<'_>) -> Quorum {
        let Some(at) = self.get(entries, "rule") else { return Quorum::Any };
        if at.node.map().is_some() {
            let inner = self.entries(&at, &grammar::AT_LEAST);
            let least = self.require(&inner, "at_least").and_then(|a| self.integer::<u32>(&a));
            if least == Some(0) {
                let (fr, en) = ("personne n’approuverait", "nobody would approve");
                self.fault(Fault::error("circuit.quorum", at.mark(), fr, en));
            }
            return least.map_or(Quorum::Any, Quorum::AtLeast);
        }
        self.one_of(&at, &grammar::QUORUMS).unwrap_or_default()
    }

    fn on_reject(&mut self, entries: &Entries<'_>) -> OnReject {
        let Some(at) = self.get(entries, "on_reject") else { return OnReject::Stop };
        if at.node.map().is_some() {
            let inner = self.entries(&at, &grammar::RETURN_TO);
            let step = self.require(&inner, "return_to").and_then(|a| self.text(&a));
            return step.map_or(OnReject::Stop, OnReject::ReturnTo);
        }
        self.one_of(&at, &grammar::ON_REJECT).unwrap_or_default()
    }

    fn on_late(&mut self, entries: &Entries<'_>, library: &Library<'_>) -> OnLate {
        let Some(at) = self.get(entries, "on_late") else { return OnLate::Remind };
        if at.node.map().is_some() {
            let inner = self.entries(&at, &grammar::ESCALATE_TO);
            let to = self.require(&inner, "escalate_to").and_then(|a| self.party(&a, library));
            return to.map_or(OnLate::Remind, OnLate::EscalateTo);
        }
        self.one_of(&at, &grammar::ON_LATE).unwrap_or_default()
    }
}
