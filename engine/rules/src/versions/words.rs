//! Parts of a sheet in words.

use serde::Serialize;

use crate::commitment::Budget;
use crate::process::{Alarm, Moment, OnLate, OnReject, Party, Quorum, Rule};
use crate::text::{Language, Text};

/// The same in both languages: names, expressions, what is written in the sheet.
pub(super) fn same(word: impl Into<String>) -> Text {
    let word = word.into();
    Text::new(word.clone(), word)
}

/// A word of the language, as sheets write it.
pub(super) fn word<T: Serialize>(value: &T) -> Text {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => same(word),
        Ok(other) => same(other.to_string()),
        Err(_) => same(""),
    }
}

pub(super) fn text(text: &Text) -> Text {
    text.clone()
}

pub(super) fn yes_no(value: &bool) -> Text {
    if *value { Text::new("oui", "yes") } else { Text::new("non", "no") }
}

pub(super) fn budget(budget: &Budget) -> Text {
    Text::new(budget.in_words(Language::Fr), budget.in_words(Language::En))
}

pub(super) fn party(party: &Party) -> Text {
    match party {
        Party::Role(id) => same(format!("role:{id}")),
        Party::Person(id) => same(format!("person:{id}")),
        Party::Service(id) => same(format!("service:{id}")),
        Party::ServiceInCharge => Text::new("le service chargé de la demande", "the service in charge"),
    }
}

pub(super) fn moment(moment: &Moment) -> Text {
    match moment {
        Moment::Task(task) => same(format!("task:{task}")),
        Moment::Received
        | Moment::Acknowledged
        | Moment::Qualified
        | Moment::Assigned
        | Moment::Treated
        | Moment::Validated
        | Moment::Delivered => word(moment),
    }
}

pub(super) fn alarm(alarm: &Alarm) -> Text {
    let (verb, named) = match alarm {
        Alarm::Notify(named) => ("notify", named),
        Alarm::EscalateTo(named) => ("escalate_to", named),
    };
    let named = party(named);
    Text::new(format!("{verb} {}", named.fr), format!("{verb} {}", named.en))
}

pub(super) fn quorum(rule: &Quorum) -> Text {
    match rule {
        Quorum::Any => Text::new("un seul suffit", "any one"),
        Quorum::All => Text::new("tous", "all"),
        Quorum::Majority => Text::new("la majorité", "a majority"),
        Quorum::AtLeast(n) => Text::new(format!("au moins {n}"), format!("at least {n}")),
    }
}

pub(super) fn on_reject(rule: &OnReject) -> Text {
    match rule {
        OnReject::Stop => Text::new("retour au rédacteur", "back to the author"),
        OnReject::CollectAll => Text::new("on attend tous les avis", "all are awaited"),
        OnReject::ReturnTo(step) => {
            Text::new(format!("retour à l’étape {step}"), format!("back to step {step}"))
        }
    }
}

pub(super) fn on_late(rule: &OnLate) -> Text {
    match rule {
        OnLate::Remind => Text::new("relance", "reminder"),
        OnLate::Approve => Text::new("le silence vaut accord", "silence is agreement"),
        OnLate::EscalateTo(named) => {
            let named = party(named);
            Text::new(format!("passe à {}", named.fr), format!("escalated to {}", named.en))
        }
    }
}

/// A rule of a list.
pub(super) fn rule<T>(rule: &Rule<T>, show: impl Fn(&T) -> Text) -> Text {
    let given = show(&rule.is);
    let en = if given.en.is_empty() { &given.fr } else { &given.en };
    match &rule.when {
        Some(when) => Text::new(format!("si {when} : {}", given.fr), format!("if {when}: {en}")),
        None => Text::new(format!("sinon {}", given.fr), format!("else {en}")),
    }
}

/// Cents in euros.
pub(super) fn cents(cents: &u64) -> Text {
    same(format!("{}.{:02} EUR", cents / 100, cents % 100))
}
