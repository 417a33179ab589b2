//! What a scenario expects.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;

use super::desk::{At, Desk, Entries, laid_out};
use super::parts::SERVICE;
use super::process::Library;
use crate::language::grammar::{self, Choice};

/// What is expected of a request; what is not named may be anything.
#[derive(Debug, Clone, PartialEq, Default)]
#[allow(missing_docs, reason = "each is the word of the scenario file, listed in processes/manual.md")]
pub struct Expectation {
    pub stage: Option<String>,
    pub service: Option<String>,
    pub complexity: Option<String>,
    pub priority: Option<String>,
    pub outcome: Option<String>,
    /// The circuit's step that waits for an approval.
    pub approver_of: Option<String>,
    /// To whom it is passed on.
    pub forwarded_to: Option<String>,
    /// How it gets there.
    pub forwarded_by: Option<String>,
    pub waiting: Option<bool>,
    pub validated: Option<bool>,
    /// Due instants as wall-clock times of the process's calendar, by commitment.
    pub due: BTreeMap<String, NaiveDateTime>,
    pub kept: Option<Vec<String>>,
    pub broken: Option<Vec<String>>,
    pub warned: Option<Vec<String>>,
    pub tasks: BTreeMap<String, String>,
    pub notified: Vec<String>,
    pub allowed: Vec<String>,
    pub payment: Option<ExpectedPayment>,
    pub appointment: Option<String>,
}

/// What is expected of the last payment that was asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExpectedPayment {
    /// Where it stands; `none` if nothing is asked for.
    pub status: Option<String>,
    /// How much, in cents.
    pub amount: Option<u64>,
    /// The end of its term, as a wall-clock time of the process's calendar.
    pub due: Option<NaiveDateTime>,
    /// How much was given back, in cents.
    pub refunded: Option<u64>,
}

impl Desk {
    pub(super) fn expectation(&mut self, at: &At<'_>, library: &Library<'_>) -> Expectation {
        let entries = self.entries(at, &grammar::EXPECTATION);
        let mut expected = Expectation {
            stage: self.word_under(&entries, "stage", &grammar::STAGES),
            complexity: self.word_under(&entries, "complexity", &grammar::COMPLEXITY),
            priority: self.word_under(&entries, "priority", &grammar::PRIORITY),
            outcome: self.word_under(&entries, "outcome", &grammar::OUTCOMES),
            approver_of: self.get(&entries, "approver_of").and_then(|a| self.text(&a)),
            forwarded_to: self.get(&entries, "forwarded_to").and_then(|a| self.text(&a)),
            forwarded_by: self.word_under(&entries, "forwarded_by", &grammar::FORWARD_MEANS),
            waiting: self.get(&entries, "waiting").and_then(|a| self.boolean(&a)),
            validated: self.get(&entries, "validated").and_then(|a| self.boolean(&a)),
            kept: self.get(&entries, "kept").map(|a| self.texts(&a)),
            broken: self.get(&entries, "broken").map(|a| self.texts(&a)),
            warned: self.get(&entries, "warned").map(|a| self.texts(&a)),
            notified: self.get(&entries, "notified").map(|a| self.texts(&a)).unwrap_or_default(),
            allowed: self.get(&entries, "allowed").map(|a| self.texts(&a)).unwrap_or_default(),
            payment: self.get(&entries, "payment").map(|a| self.expected_payment(&a)),
            appointment: self.word_under(&entries, "appointment", &grammar::APPOINTMENT_STATES),
            ..Expectation::default()
        };
        expected.service = self.expected_service(&entries, library);
        if let Some(due) = self.get(&entries, "due") {
            expected.due = self.moments(&due);
        }
        if let Some(tasks) = self.get(&entries, "tasks") {
            expected.tasks = self.states(&tasks);
        }
        expected
    }

    /// A word alone says where it stands.
    fn expected_payment(&mut self, at: &At<'_>) -> ExpectedPayment {
        if at.node.scalar().is_some() {
            let status = self.word(at, &grammar::PAYMENT_STATES).map(str::to_owned);
            return ExpectedPayment { status, ..ExpectedPayment::default() };
        }
        let entries = self.entries(at, &grammar::EXPECTED_PAYMENT);
        ExpectedPayment {
            status: self.word_under(&entries, "status", &grammar::PAYMENT_STATES),
            amount: self.get(&entries, "amount").and_then(|a| self.cents(&a)),
            due: self.get(&entries, "due").and_then(|a| self.local(&a)),
            refunded: self.get(&entries, "refunded").and_then(|a| self.cents(&a)),
        }
    }

    fn expected_service(&mut self, entries: &Entries<'_>, library: &Library<'_>) -> Option<String> {
        let at = self.get(entries, "service")?;
        let text = self.text(&at)?;
        let service = text.strip_prefix("service:").unwrap_or(&text).to_owned();
        self.known(
            &service,
            at.mark(),
            library.organisation.services.iter().map(|s| s.service.as_str()),
            &SERVICE,
        );
        Some(service)
    }

    /// Wall-clock times by the name of the commitment.
    fn moments(&mut self, at: &At<'_>) -> BTreeMap<String, NaiveDateTime> {
        let mut moments = BTreeMap::new();
        for (entry, value) in self.named(at) {
            moments.extend(self.local(&value).map(|moment| (entry.key.clone(), moment)));
        }
        moments
    }

    /// A wall-clock time.
    fn local(&mut self, at: &At<'_>) -> Option<NaiveDateTime> {
        let moment = at.node.text().and_then(local_time);
        if moment.is_none() {
            self.wrong(at, "un moment comme \"2026-05-26T17:00\"", "a moment such as \"2026-05-26T17:00\"");
        }
        moment
    }

    /// States of tasks by the task's name.
    fn states(&mut self, at: &At<'_>) -> BTreeMap<String, String> {
        let named = self.named(at);
        named
            .iter()
            .filter_map(|(entry, value)| {
                Some((entry.key.clone(), self.word(value, &grammar::TASK_STATES)?.to_owned()))
            })
            .collect()
    }

    fn word_under(&mut self, entries: &Entries<'_>, key: &str, words: &'static [Choice]) -> Option<String> {
        self.get(entries, key).and_then(|a| self.word(&a, words)).map(str::to_owned)
    }
}

/// A wall-clock time, with or without seconds.
pub(crate) fn local_time(text: &str) -> Option<NaiveDateTime> {
    let layouts = [
        ("0000-00-00T00:00", "%Y-%m-%dT%H:%M"),
        ("0000-00-00T00:00:00", "%Y-%m-%dT%H:%M:%S"),
        ("0000-00-00 00:00", "%Y-%m-%d %H:%M"),
        ("0000-00-00 00:00:00", "%Y-%m-%d %H:%M:%S"),
    ];
    let (_, format) = layouts.iter().find(|(layout, _)| laid_out(text, layout))?;
    NaiveDateTime::parse_from_str(text, format).ok()
}
