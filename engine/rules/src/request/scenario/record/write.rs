//! A scenario's text.

use chrono::{DateTime, NaiveDateTime, SubsecRound, Timelike, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use crate::request::Command;

/// How exactly instants are written: as roughly as the history allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precision {
    /// To the minute, on the wall clock.
    Minute,
    /// To the second, on the wall clock.
    Second,
    /// As recorded, with the zone.
    Exact,
}

impl Precision {
    /// An instant, as far as it is written.
    pub(super) fn cut(self, instant: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Minute => {
                let whole = instant.trunc_subsecs(0);
                whole.with_second(0).unwrap_or(whole)
            }
            Self::Second => instant.trunc_subsecs(0),
            Self::Exact => instant,
        }
    }

    /// An instant as a step says it.
    pub(super) fn at(self, instant: DateTime<Utc>, zone: Tz) -> String {
        match self {
            Self::Minute | Self::Second => local(self.cut(instant), zone),
            Self::Exact => instant.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
        }
    }
}

/// A wall-clock time, with seconds where there are some.
pub(super) fn local(instant: DateTime<Utc>, zone: Tz) -> String {
    let local: NaiveDateTime = instant.with_timezone(&zone).naive_local();
    let format = if local.second() == 0 { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%dT%H:%M:%S" };
    local.format(format).to_string()
}

/// A step that does something: its verb, with what stands beside it.
#[allow(clippy::too_many_lines, reason = "one arm for each command: a list, not a procedure")]
pub(super) fn action(command: &Command, zone: Tz, merged: &str) -> Vec<(String, Value)> {
    let Ok(Value::Object(mut body)) = serde_json::to_value(command) else { return Vec::new() };
    body.remove("command");
    body.retain(|_, value| !is_nothing(value));
    let verb = match command {
        Command::FailDelivery { .. } => "delivery_failed",
        Command::SettlePayment { reference: Some(_), .. } => "pay",
        Command::SettlePayment { reference: None, .. } => "pay_at_counter",
        Command::FailPayment { .. } => "payment_fails",
        other => other.name(),
    };
    let mut beside = Vec::new();
    match command {
        Command::Receive { .. } => {
            body.remove("process");
            flatten_requester(&mut body);
            if let Some(Value::Object(mut origin)) = body.remove("origin") {
                body.extend(origin.remove("through").map(|through| ("passed_on_by".to_owned(), through)));
            }
            if let Some(opener) = body.remove("opened_by") {
                body.insert("open_to".into(), opener);
            }
        }
        Command::Complete { .. } => {
            beside.extend(body.remove("report").map(|report| ("report".into(), report)))
        }
        Command::Return { .. } => {
            beside.extend(body.remove("reason").map(|reason| ("reason".into(), reason)))
        }
        Command::Suspend { until: Some(until), .. } => {
            body.insert("until".into(), local(*until, zone).into());
        }
        Command::Merge { .. } => {
            body.insert("into".into(), merged.into());
        }
        Command::Reassign { to, .. } => {
            body.insert("to".into(), format!("service:{to}").into());
        }
        // Said unless it is so, and the other way round.
        Command::Reply { complete: false, .. } => {
            body.insert("complete".into(), false.into());
        }
        Command::Reply { .. } => {
            body.remove("complete");
        }
        Command::Acknowledge { .. }
        | Command::Qualify { .. }
        | Command::Migrate { .. }
        | Command::Claim {}
        | Command::Release {}
        | Command::Visit { .. }
        | Command::Ask { .. }
        | Command::Suspend { .. }
        | Command::Resume {}
        | Command::Extend { .. }
        | Command::Note { .. }
        | Command::Message { .. }
        | Command::Draft { .. }
        | Command::Submit {}
        | Command::Answer { .. }
        | Command::Approve { .. }
        | Command::Delegate { .. }
        | Command::Deliver { .. }
        | Command::FailDelivery { .. }
        | Command::Resolve { .. }
        | Command::Withdraw { .. }
        | Command::Cancel { .. }
        | Command::Refuse { .. }
        | Command::Forward { .. }
        | Command::ConfirmForward { .. }
        | Command::BlockForward { .. }
        | Command::Rate { .. }
        | Command::Reopen { .. }
        | Command::Elapse { .. }
        | Command::Notify { .. }
        | Command::FailNotification { .. }
        | Command::StartPayment { .. }
        | Command::CancelPayment { .. }
        | Command::CancelAppointment { .. } => {}
        Command::RecordAttendance { came } => {
            body.insert("came".into(), (*came).into());
        }
        Command::RequestPayment { .. }
        | Command::SettlePayment { .. }
        | Command::FailPayment { .. }
        | Command::RefundPayment { .. }
        | Command::OfferAppointment { .. }
        | Command::ChooseAppointment { .. }
        | Command::SetIntervention { .. } => deal(command, zone, &mut body),
    }
    beside.insert(0, (verb.to_owned(), bare(verb, body)));
    beside
}

/// Money and dates as people say them: amounts in euros, times of the wall clock, visits by their number.
fn deal(command: &Command, zone: Tz, body: &mut Map<String, Value>) {
    let euros = |cents: u64| Value::from(format!("{}.{:02} EUR", cents / 100, cents % 100));
    let time = |instant: &DateTime<Utc>| Value::from(local(*instant, zone));
    if let Command::RequestPayment { amount, due, .. } = command {
        body.insert("amount".into(), euros(*amount));
        body.extend(due.as_ref().map(|due| ("due".to_owned(), time(due))));
    } else if let Command::RefundPayment { amount, .. } = command {
        body.insert("amount".into(), euros(*amount));
    } else if let Command::SettlePayment { reference, transaction, .. } = command {
        let key = if reference.is_some() { "transaction" } else { "receipt" };
        ["amount", "currency", "transaction"].iter().for_each(|key| drop(body.remove(*key)));
        body.insert(key.into(), transaction.as_str().into());
    } else if let Command::OfferAppointment { slots, .. } = command {
        let each = slots.iter().map(|slot| json!({ "from": time(&slot.from), "until": time(&slot.until) }));
        body.insert("slots".into(), each.collect());
    } else if let Command::ChooseAppointment { slot } = command {
        body.insert("slot".into(), time(slot));
    } else if let Command::SetIntervention { from, until } = command {
        body.insert("from".into(), time(from));
        body.insert("until".into(), time(until));
    }
    // The last two digits of a reference are the visit’s.
    let visit = body.remove("reference").and_then(|reference| {
        let text = reference.as_str()?.to_owned();
        text.get(text.len().checked_sub(2)?..)?.parse::<u32>().ok()
    });
    body.extend(visit.map(|visit| ("attempt".to_owned(), visit.into())));
}

/// `{ text: … }` is said shorter: the one part that a verb is about needs no key.
fn bare(verb: &str, body: Map<String, Value>) -> Value {
    const SHORT: [&str; 13] = [
        "complete",
        "draft",
        "answer",
        "approve",
        "return",
        "note",
        "message",
        "resolve",
        "cancel",
        "reopen",
        "withdraw",
        "choose_appointment",
        "record_attendance",
    ];
    let mut parts = body.clone().into_iter();
    match (parts.next(), parts.next()) {
        (Some((_, only)), None) if SHORT.contains(&verb) => only,
        (None, _) => {
            if verb == "qualify" {
                json!({})
            } else {
                true.into()
            }
        }
        _ => Value::Object(body),
    }
}

fn flatten_requester(body: &mut Map<String, Value>) {
    let Some(Value::Object(mut requester)) = body.remove("requester") else { return };
    let contact = requester.remove("contact");
    let mut flat: Map<String, Value> =
        contact.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    let usual = [("kind", json!("person")), ("language", json!("fr")), ("account", json!(false))];
    requester.retain(|key, value| {
        !is_nothing(value) && !usual.iter().any(|(name, usual)| name == key && value == usual)
    });
    flat.extend(requester);
    flat.retain(|_, value| !is_nothing(value));
    if !flat.is_empty() {
        body.insert("requester".into(), Value::Object(flat));
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(parts) => parts.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// One step on one line.
pub(super) fn step(parts: &[(String, Value)]) -> String {
    if let [(key, value)] = parts {
        return format!("- {key}: {}", flow(value));
    }
    let inner: Vec<String> = parts.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
    format!("- {{ {} }}", inner.join(", "))
}

/// A value on one line of YAML, as it is read back.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => scalar(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(parts) if parts.is_empty() => "{}".into(),
        Value::Object(parts) => {
            let mut parts: Vec<(&String, &Value)> = parts.iter().collect();
            // The sort is stable: what has no place of its own stays in the order of the alphabet, in the middle.
            parts.sort_by_key(|(key, _)| rank(key));
            let inner: Vec<String> =
                parts.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
            format!("{{ {} }}", inner.join(", "))
        }
    }
}

/// Where a key stands among others, as officers write them.
fn rank(key: &str) -> usize {
    const FIRST: [&str; 12] = [
        "stage",
        "outcome",
        "service",
        "complexity",
        "priority",
        "waiting",
        "channel",
        "open_to",
        "requester",
        "name",
        "lat",
        "lon",
    ];
    const LAST: [&str; 5] = ["form", "answer", "due", "kept", "broken"];
    let first = FIRST.iter().position(|known| *known == key);
    let last = || LAST.iter().position(|known| *known == key).map(|place| FIRST.len() + 1 + place);
    first.or_else(last).unwrap_or(FIRST.len())
}

/// A text: plain where it is a word that YAML takes for nothing else, quoted where not.
fn scalar(text: &str) -> String {
    let word = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_:/".contains(c))
        && !text.ends_with(':')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text);
    let term = text.split_once(' ').is_some_and(|(count, unit)| {
        count.bytes().all(|b| b.is_ascii_digit()) && unit.chars().all(|c| c.is_ascii_lowercase() || c == ' ')
    });
    // A JSON string is a double-quoted YAML one.
    if word || term { text.to_owned() } else { Value::from(text).to_string() }
}
