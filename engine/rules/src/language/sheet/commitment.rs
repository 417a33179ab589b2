//! Commitments: public promises and legal clocks.

use super::desk::{At, Desk};
use super::process::Library;
use crate::language::diagnostic::Fault;
use crate::language::grammar;
use crate::process::CommitmentSheet;

impl Desk {
    /// The commitments by name. They are kept in the order of their names: a mapping has no order of its own.
    pub(super) fn commitments(
        &mut self,
        at: &At<'_>,
        library: &Library<'_>,
        calendar: &str,
    ) -> Vec<CommitmentSheet> {
        let mut named = self.named(at);
        named.sort_by(|a, b| a.0.key.cmp(&b.0.key));
        let mut commitments = Vec::new();
        for (entry, item) in named {
            let item = item.becoming(format!("/commitments/{}", commitments.len()));
            let read = self.commitment(&entry.key, &item, library, calendar);
            // Findings about the commitment as a whole stand at its name.
            self.places.put(&item.pointer, entry.key_mark);
            commitments.extend(read);
        }
        commitments
    }

    fn commitment(
        &mut self,
        name: &str,
        at: &At<'_>,
        library: &Library<'_>,
        calendar: &str,
    ) -> Option<CommitmentSheet> {
        let mut entries = self.entries(at, &grammar::COMMITMENT);
        entries.mark = at.key_mark;
        let title = self.get(&entries, "title").and_then(|a| self.words(&a));
        let from = self.require(&entries, "from").and_then(|a| self.moment(&a));
        let until = self.require(&entries, "until").and_then(|a| self.moment(&a));
        let within = self.require(&entries, "within").map(|a| self.budgets(&a));
        let own = self.get(&entries, "calendar").and_then(|a| self.calendar_name(&a, library));
        let month_rule =
            self.get(&entries, "month_rule").and_then(|a| self.one_of(&a, &grammar::MONTH_RULES));
        let paused = self.get(&entries, "paused_while").map(|list| {
            let items = self.items(&list);
            items.iter().filter_map(|item| self.one_of(item, &grammar::PAUSE_REASONS)).collect()
        });
        let warn_at = self.get(&entries, "warn_at").map(|list| {
            let items = self.items(&list);
            items.iter().filter_map(|item| self.percentage(item)).collect()
        });
        let missed = self.get(&entries, "missed").and_then(|a| self.one_of(&a, &grammar::MISSED));
        let when_warned = self.get(&entries, "when_warned").map(|a| self.alarms(&a, library));
        let when_broken = self.get(&entries, "when_broken").map(|a| self.alarms(&a, library));
        Some(CommitmentSheet {
            commitment: name.to_owned(),
            title,
            from: from?,
            until: until?,
            within: within.filter(|rules| !rules.is_empty())?,
            month_rule: month_rule.unwrap_or_default(),
            paused_while: paused.unwrap_or_default(),
            warn_at: warn_at.unwrap_or_default(),
            missed: missed.unwrap_or_default(),
            when_warned: when_warned.unwrap_or_default(),
            when_broken: when_broken.unwrap_or_default(),
            calendar: own.unwrap_or_else(|| calendar.to_owned()),
        })
    }

    /// `50%`: where between start and due instant a warning falls.
    fn percentage(&mut self, at: &At<'_>) -> Option<u8> {
        let text = at.node.text().unwrap_or_default();
        let number = text.strip_suffix('%').map(str::trim).and_then(|n| n.parse::<u32>().ok());
        match number {
            Some(n @ 1..=99) => u8::try_from(n).ok(),
            Some(n) => {
                let (fr, en) = if n == 0 {
                    (
                        "cet avertissement partirait dès le début".to_owned(),
                        "this warning would go out at the start".to_owned(),
                    )
                } else {
                    (
                        format!("à {n} %, l’avertissement vient après l’échéance"),
                        format!("at {n} % the warning comes after the breach"),
                    )
                };
                self.fault(
                    Fault::error("commitment.warning", at.mark(), fr, en)
                        .help("de `1%` à `99%` du délai", "from `1%` to `99%` of the time"),
                );
                None
            }
            None => {
                self.wrong(at, "un pourcentage comme `80%`", "a percentage such as `80%`");
                None
            }
        }
    }
}
