//! The stages of a process: qualification, assignment, treatment, validation, delivery, and what surrounds them.

use super::desk::{At, Desk, Entries, Kind};
use super::process::Library;
use crate::commitment::{Budget, Unit};
use crate::language::diagnostic::{Fault, Suggestion};
use crate::language::grammar;
use crate::process::{
    Costs, DeliveryChoice, DeliverySheet, Law, Message, Missed, Privacy, Qualification, TaskSheet,
    Validation, Waiting,
};

impl Desk {
    /// `automatic`, or who qualifies by which rules.
    pub(super) fn qualification(&mut self, at: &At<'_>, library: &Library<'_>) -> Qualification {
        if at.node.scalar().is_some() {
            self.word(at, &grammar::AUTOMATIC);
            return Qualification { by: None, complexity: Vec::new(), priority: Vec::new() };
        }
        let entries = self.entries(at, &grammar::QUALIFICATION);
        let automatic = self.get(&entries, "automatic").and_then(|a| self.boolean(&a)).unwrap_or_default();
        let by = self.get(&entries, "by").and_then(|a| self.party(&a, library));
        let complexity = self.get(&entries, "complexity").map(|a| {
            self.rules(&a, &grammar::COMPLEXITY_RULE, "is", |d, v| d.one_of(v, &grammar::COMPLEXITY))
        });
        let priority = self
            .get(&entries, "priority")
            .map(|a| self.rules(&a, &grammar::PRIORITY_RULE, "is", |d, v| d.one_of(v, &grammar::PRIORITY)));
        if !automatic && by.is_none() && at.node.get("by").is_none() {
            let (fr, en) = (
                "qui qualifie ? `by: role:…`, ou `automatic: true`",
                "who qualifies? `by: role:…`, or `automatic: true`",
            );
            self.fault(Fault::error("key.missing", entries.mark, fr, en));
        }
        Qualification {
            by: by.filter(|_| !automatic),
            complexity: complexity.unwrap_or_default(),
            priority: priority.unwrap_or_default(),
        }
    }

    /// The tasks.
    pub(super) fn treatment(&mut self, at: &At<'_>, library: &Library<'_>) -> Vec<TaskSheet> {
        let mut tasks = Vec::new();
        for item in self.list(at) {
            let item = item.becoming(format!("{}/{}", at.pointer, tasks.len()));
            let entries = self.entries(&item, &grammar::TASK);
            let task = self.require(&entries, "task").and_then(|a| self.identifier(&a));
            let by = self.require(&entries, "by").and_then(|a| self.party(&a, library));
            let title = self.words_or_empty(&entries, "title");
            let within = self.get(&entries, "within").and_then(|a| self.budget(&a));
            let after = self.get(&entries, "after").map(|a| self.texts(&a)).unwrap_or_default();
            let when = self.get(&entries, "when").and_then(|a| self.rule(&a));
            let report = self.get(&entries, "report").map(|a| self.fields(&a)).unwrap_or_default();
            let Some(task) = task else { continue };
            let by = by.unwrap_or(crate::process::Party::ServiceInCharge);
            tasks.push(TaskSheet { task, title, by, within, after, when, report });
        }
        tasks
    }

    /// `by_author`, `automatic`, or a circuit.
    pub(super) fn validation(&mut self, at: &At<'_>, library: &Library<'_>) -> Validation {
        if at.node.scalar().is_some() {
            let otherwise = self.one_of(at, &grammar::SIMPLE_VALIDATION).unwrap_or_default();
            return Validation { circuit: None, when: None, otherwise };
        }
        let entries = self.entries(at, &grammar::VALIDATION);
        let circuit = self.require(&entries, "circuit").and_then(|a| {
            let kind = Kind { code: "circuit.unknown", fr: "circuit inconnu", en: "unknown circuit" };
            self.shared(&a, &library.circuits, &kind)
        });
        let when = self.get(&entries, "when").and_then(|a| self.rule(&a));
        let otherwise = self
            .get(&entries, "else")
            .and_then(|a| self.one_of(&a, &grammar::SIMPLE_VALIDATION))
            .unwrap_or_default();
        Validation { circuit, when, otherwise }
    }

    /// How the answer goes out.
    pub(super) fn delivery(&mut self, at: &At<'_>, library: &Library<'_>) -> Option<DeliverySheet> {
        let entries = self.entries(at, &grammar::DELIVERY);
        let by = self.get(&entries, "by").map(|list| {
            let items = self.items(&list);
            items.iter().filter_map(|item| self.one_of(item, &grammar::DELIVERY_CHOICES)).collect::<Vec<_>>()
        });
        let message = self.require(&entries, "message").and_then(|a| self.message(&a, library));
        let by = by.filter(|b| !b.is_empty()).unwrap_or_else(|| {
            vec![
                DeliveryChoice::RequesterChoice,
                DeliveryChoice::Email,
                DeliveryChoice::Sms,
                DeliveryChoice::Letter,
            ]
        });
        Some(DeliverySheet { by, message: message? })
    }

    /// A message by its name.
    pub(super) fn message(&mut self, at: &At<'_>, library: &Library<'_>) -> Option<Message> {
        let kind = Kind { code: "message.unknown", fr: "message inconnu", en: "unknown message" };
        self.shared(at, &library.messages, &kind)
    }

    /// What happens while the requester is asked for something.
    pub(super) fn waiting(&mut self, at: &At<'_>) -> Waiting {
        let entries = self.entries(at, &grammar::WAITING);
        let default = default_waiting();
        let lapse_after = self.get(&entries, "lapse_after").and_then(|a| self.budget(&a));
        Waiting {
            remind_after: self.get(&entries, "remind_after").and_then(|a| self.budget(&a)),
            missed: self
                .get(&entries, "missed")
                .and_then(|a| self.one_of(&a, &grammar::MISSED))
                .unwrap_or_default(),
            lapse_after: lapse_after.unwrap_or(default.lapse_after),
        }
    }

    /// The legal clock.
    pub(super) fn law(&mut self, at: &At<'_>) -> Law {
        let entries = self.entries(at, &grammar::LAW);
        let silence = self.require(&entries, "silence").and_then(|a| self.one_of(&a, &grammar::SILENCE));
        Law {
            silence: silence.unwrap_or_default(),
            after: self.get(&entries, "after").and_then(|a| self.budget(&a)),
            basis: self.get(&entries, "basis").and_then(|a| self.text(&a)).unwrap_or_default(),
            month_rule: self
                .get(&entries, "month_rule")
                .and_then(|a| self.one_of(&a, &grammar::MONTH_RULES))
                .unwrap_or_default(),
        }
    }

    /// What becomes of personal data.
    pub(super) fn privacy(&mut self, at: &At<'_>) -> Option<Privacy> {
        let entries = self.entries(at, &grammar::PRIVACY);
        let basis = self.require(&entries, "basis").and_then(|a| self.word(&a, &grammar::LAWFUL_BASES));
        let personal = self.get(&entries, "personal").map(|a| self.texts(&a)).unwrap_or_default();
        let retain = self.retention(&entries);
        let then = self.require(&entries, "then").and_then(|a| self.word(&a, &grammar::FATES));
        Some(Privacy { basis: basis?.to_owned(), personal, retain: retain?, then: then?.to_owned() })
    }

    /// `2 years after closed`.
    fn retention(&mut self, entries: &Entries<'_>) -> Option<Budget> {
        let at = self.require(entries, "retain")?;
        let text = self.text(&at)?;
        let (duration, event) = text.split_once(" after ").unwrap_or((&text, ""));
        if event.trim() != "closed" {
            let (fr, en) =
                ("la conservation se compte à partir de la clôture", "retention counts from closing");
            let fixed = duration
                .trim()
                .parse::<Budget>()
                .is_ok()
                .then(|| format!("{} after closed", duration.trim()));
            self.fault(
                Fault::error("privacy.retention", at.mark(), fr, en).suggest(fixed.map(Suggestion::certain)),
            );
            return None;
        }
        let budget = self.budget_in(duration.trim(), &at)?;
        if budget.unit().is_working() {
            let (fr, en) = (
                "la conservation se compte en jours, mois ou années",
                "retention counts in days, months or years",
            );
            self.fault(Fault::error("privacy.retention", at.mark(), fr, en));
        }
        Some(budget)
    }

    /// Unit costs; what is not said is the catalogue's.
    pub(super) fn costs(&mut self, at: &At<'_>, default: &Costs) -> Costs {
        let entries = self.entries(at, &grammar::COSTS);
        let mut cents =
            |key: &str, default: u64| self.get(&entries, key).and_then(|a| self.cents(&a)).unwrap_or(default);
        Costs {
            counter_cents: cents("counter", default.counter_cents),
            online_cents: cents("online", default.online_cents),
            letter_out_cents: cents("letter_out", default.letter_out_cents),
        }
    }
}

/// What holds where nobody says anything: two months for the requester's answer, sixty days to reopen.
pub(super) fn default_waiting() -> Waiting {
    Waiting { remind_after: None, missed: Missed::default(), lapse_after: budget(2, Unit::Months) }
}

pub(super) fn default_reopenable() -> Budget {
    budget(60, Unit::Days)
}

/// A budget whose amount is known to be within the unit's limit.
pub(super) fn budget(amount: u32, unit: Unit) -> Budget {
    Budget::new(amount.min(unit.most()), unit)
        .unwrap_or_else(|_| unreachable!("the amount was cut to the limit"))
}
