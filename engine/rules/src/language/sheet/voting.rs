//! What of an idea the public sees, and how it votes.

use super::desk::{At, Desk};
use crate::language::grammar;
use crate::process::Voting;

impl Desk {
    /// The section `voting`.
    pub(super) fn voting(&mut self, at: &At<'_>) -> Option<Voting> {
        let entries = self.entries(at, &grammar::VOTING);
        let title = self.require(&entries, "title").and_then(|a| self.text(&a));
        let summary = self.get(&entries, "summary").and_then(|a| self.text(&a));
        let cost = self.get(&entries, "cost").and_then(|a| self.text(&a));
        let after = self.get(&entries, "after").and_then(|a| self.text(&a));
        let from = self.get(&entries, "from").and_then(|a| self.date(&a));
        let until = self.get(&entries, "until").and_then(|a| self.date(&a));
        let by = self.get(&entries, "by").and_then(|a| self.one_of(&a, &grammar::VOTERS));
        Some(Voting { title: title?, summary, cost, after, from, until, by: by.unwrap_or_default() })
    }
}
