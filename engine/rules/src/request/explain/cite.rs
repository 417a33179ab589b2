//! Rules, with what they read and where they stand.

use super::{Moment, Tried};
use crate::process::{Bindings, Rule, SourceLine};

impl Moment<'_> {
    /// Where a part of the definition was written: at its own place, or else at that of what it is part of.
    pub(super) fn source(&self, pointer: &str) -> Option<SourceLine> {
        let mut pointer = pointer;
        loop {
            if let Some(source) = self.sources.get(pointer) {
                return Some(source.clone());
            }
            pointer = pointer.rsplit_once('/')?.0;
        }
    }

    /// A condition that was evaluated on these values.
    pub(super) fn condition(&self, pointer: &str, when: Option<&String>, facts: &Bindings) -> Tried {
        let compiled = when.and_then(|when| self.plan.expression(when));
        Tried {
            pointer: pointer.to_owned(),
            when: when.cloned(),
            held: compiled.is_none_or(|rule| rule.holds(facts).unwrap_or(false)),
            operands: compiled.map(|rule| rule.operands(facts)).unwrap_or_default(),
            source: self.source(pointer),
        }
    }

    /// The rules of a list up to the one that decided, which `pointer` names.
    pub(super) fn tried<T>(
        &self,
        rules: &[Rule<T>],
        pointer: Option<&String>,
        facts: &Bindings,
    ) -> Vec<Tried> {
        let Some((base, index)) = pointer.and_then(|pointer| pointer.rsplit_once('/')) else {
            return Vec::new();
        };
        let Ok(decided) = index.parse::<usize>() else { return Vec::new() };
        let before = rules.iter().enumerate().take(decided.saturating_add(1));
        before
            .map(|(index, rule)| self.condition(&format!("{base}/{index}"), rule.when.as_ref(), facts))
            .collect()
    }
}
