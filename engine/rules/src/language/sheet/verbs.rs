//! The verbs of scenarios, and the commands that they stand for.

use serde_json::{Map, Value as Json, json};

use super::desk::{At, Desk, Entries, Kind};
use super::expectation::local_time;
use super::process::Library;
use super::scenario::{Action, Deed, StepBy};
use crate::language::diagnostic::Fault;
use crate::language::grammar::{self as g, Group};
use crate::language::yaml::Style;
use crate::request::Command;

/// How a verb of a scenario becomes a command.
pub(super) struct Verb {
    pub(super) name: &'static str,
    command: &'static str,
    /// The part that a bare value stands for.
    bare: Option<&'static str>,
    /// The parts that a mapping may have.
    parts: &'static Group,
    /// Keys that may stand beside the verb.
    pub(super) beside: &'static [&'static str],
}

const fn verb(
    name: &'static str,
    command: &'static str,
    bare: Option<&'static str>,
    parts: &'static Group,
    beside: &'static [&'static str],
) -> Verb {
    Verb { name, command, bare, parts, beside }
}

static VERBS: [Verb; 44] = [
    verb("receive", "receive", None, &g::RECEIVE, &[]),
    verb("acknowledge", "acknowledge", Some("by"), &g::ACKNOWLEDGE, &[]),
    verb("qualify", "qualify", None, &g::QUALIFY, &[]),
    verb("assign", "reassign", Some("to"), &g::ASSIGN, &[]),
    verb("reassign", "reassign", None, &g::ASSIGN, &[]),
    verb("claim", "claim", None, &g::NOTHING, &[]),
    verb("release", "release", None, &g::NOTHING, &[]),
    verb("complete", "complete", Some("task"), &g::COMPLETE, &["report"]),
    verb("visit", "visit", Some("finding"), &g::VISIT, &[]),
    verb("ask", "ask", Some("question"), &g::ASK, &[]),
    verb("reply", "reply", Some("text"), &g::REPLY, &[]),
    verb("suspend", "suspend", Some("reason"), &g::SUSPEND, &[]),
    verb("resume", "resume", None, &g::NOTHING, &[]),
    verb("extend", "extend", None, &g::EXTEND, &[]),
    verb("note", "note", Some("text"), &g::WRITE, &[]),
    verb("message", "message", Some("text"), &g::WRITE, &[]),
    verb("draft", "draft", Some("text"), &g::WRITE, &[]),
    verb("submit", "submit", None, &g::NOTHING, &[]),
    verb("answer", "answer", Some("text"), &g::WRITE, &[]),
    verb("approve", "approve", Some("step"), &g::APPROVE, &[]),
    verb("return", "return", Some("step"), &g::RETURN, &["reason"]),
    verb("delegate", "delegate", None, &g::DELEGATE, &[]),
    verb("deliver", "deliver", Some("by"), &g::DELIVER, &[]),
    verb("delivery_failed", "fail_delivery", None, &g::DELIVERY_FAILED, &[]),
    verb("resolve", "resolve", Some("text"), &g::WRITE, &[]),
    verb("withdraw", "withdraw", Some("reason"), &g::WITHDRAW, &[]),
    verb("cancel", "cancel", Some("reason"), &g::GIVE_REASON, &[]),
    verb("refuse", "refuse", Some("reason"), &g::REFUSE, &[]),
    verb("forward", "forward", Some("to"), &g::FORWARD, &[]),
    verb("merge", "merge", Some("into"), &g::MERGE, &[]),
    verb("reopen", "reopen", Some("reason"), &g::GIVE_REASON, &[]),
    verb("rate", "rate", Some("score"), &g::RATE, &[]),
    verb("request_payment", "request_payment", None, &g::REQUEST_PAYMENT, &[]),
    verb("start_payment", "start_payment", None, &g::START_PAYMENT, &[]),
    verb("pay", "settle_payment", Some("transaction"), &g::PAY, &[]),
    verb("payment_fails", "fail_payment", Some("reason"), &g::PAYMENT_FAILS, &[]),
    verb("pay_at_counter", "settle_payment", Some("receipt"), &g::PAY_AT_COUNTER, &[]),
    verb("cancel_payment", "cancel_payment", Some("reason"), &g::CANCEL_PAYMENT, &[]),
    verb("refund_payment", "refund_payment", Some("reason"), &g::REFUND_PAYMENT, &[]),
    verb("offer_appointment", "offer_appointment", None, &g::OFFER_APPOINTMENT, &[]),
    verb("choose_appointment", "choose_appointment", Some("slot"), &g::CHOOSE_APPOINTMENT, &[]),
    verb("set_intervention", "set_intervention", None, &g::SET_INTERVENTION, &[]),
    verb("cancel_appointment", "cancel_appointment", Some("reason"), &g::CANCEL_APPOINTMENT, &[]),
    verb("record_attendance", "record_attendance", Some("came"), &g::RECORD_ATTENDANCE, &[]),
];

pub(super) fn verbs() -> impl Iterator<Item = &'static Verb> {
    VERBS.iter()
}

impl Desk {
    pub(super) fn command(
        &mut self,
        verb: &Verb,
        at: &At<'_>,
        step: &Entries<'_>,
        by: &StepBy,
        process: &str,
        library: &Library<'_>,
    ) -> Option<Action> {
        if let Some(channel) = at.node.get("channel").filter(|_| verb.name == "receive") {
            let kind = Kind { code: "channel.unknown", fr: "canal inconnu", en: "unknown channel" };
            let known = library.header.channels.iter().map(|c| c.id());
            if !self.known(channel.text().unwrap_or_default(), channel.mark, known, &kind) {
                return None;
            }
        }
        let before = self.faults.len();
        let mut body = self.said(verb, at, step, library);
        if self.faults.len() > before {
            return None;
        }
        adapt(verb.name, &mut body, by, process);
        match (verb.name, body.get("until").and_then(Json::as_str).and_then(local_time)) {
            ("suspend", Some(until)) => {
                let reason = body.get("reason").and_then(Json::as_str).unwrap_or_default().to_owned();
                return Some(Action::SuspendUntil { reason, until });
            }
            ("merge", _) => {
                return body
                    .get("into")
                    .and_then(Json::as_str)
                    .map(|into| Action::MergeInto(into.to_owned()));
            }
            _ => {}
        }
        if Deed::VERBS.contains(&verb.name) {
            return Some(Action::Deal(Deed { verb: verb.name, said: body }));
        }
        body.insert("command".to_owned(), verb.command.into());
        match serde_json::from_value::<Command>(Json::Object(body)) {
            Ok(command) => Some(Action::Do(Box::new(command))),
            Err(error) => {
                let (fr, en) = in_words(verb.name, &error.to_string());
                self.fault(Fault::error("scenario.action", at.mark(), fr, en));
                None
            }
        }
    }

    /// What is said beside and below a verb, by part.
    fn said(
        &mut self,
        verb: &Verb,
        at: &At<'_>,
        step: &Entries<'_>,
        library: &Library<'_>,
    ) -> Map<String, Json> {
        let mut body = Map::new();
        let shape = verb.bare.and_then(|part| Some((part, verb.parts.key(part)?.shape)));
        let just_do = at.node.scalar().is_some_and(|s| s.style == Style::Plain && s.text == "true");
        match shape {
            _ if at.node.map().is_some() => body = self.parts(at, verb.parts, library),
            _ if just_do => {}
            Some((part, shape)) => {
                body.extend(self.json(at, &shape, library).map(|value| (part.to_owned(), value)));
            }
            None => {
                let keys = verb.parts.names().collect::<Vec<_>>().join(", ");
                let (fr, en) = if keys.is_empty() {
                    ("`true` ou `{}`".to_owned(), "`true` or `{}`".to_owned())
                } else {
                    (format!("des clés parmi : {keys}"), format!("keys among: {keys}"))
                };
                self.wrong(at, &fr, &en);
                return body;
            }
        }
        for beside in verb.beside {
            let shape = verb.parts.key(beside).map(|key| key.shape);
            if let (Some(value), Some(shape)) = (self.get(step, beside), shape) {
                body.extend(self.json(&value, &shape, library).map(|json| ((*beside).to_owned(), json)));
            }
        }
        let at_hand =
            |key: &str, body: &Map<String, Json>| body.contains_key(key) || at.node.get(key).is_some();
        for key in verb.parts.keys.iter().filter(|key| key.required) {
            if !at_hand(key.key, &body) {
                let (fr, en) = (format!("il manque `{}`", key.key), format!("`{}` is missing", key.key));
                self.fault(Fault::error("key.missing", at.mark(), fr, en));
            }
        }
        body
    }
}

/// What a scenario leaves unsaid or says shorter than the command.
fn adapt(verb: &str, body: &mut Map<String, Json>, by: &StepBy, process: &str) {
    match verb {
        "receive" => {
            body.insert("process".to_owned(), process.into());
            let opener = match by {
                StepBy::Role(role) if role.starts_with("patrouill") => "patroller",
                StepBy::Role(_) | StepBy::Person(_) => "agent",
                StepBy::Fitting | StepBy::Requester => "citizen",
            };
            let opener = body.remove("open_to").unwrap_or_else(|| opener.into());
            body.insert("opened_by".to_owned(), opener);
            if let Some(through) = body.remove("passed_on_by") {
                // Which request it was there is nothing that a scenario could know.
                body.insert("origin".to_owned(), json!({ "through": through, "request": uuid::Uuid::nil() }));
            }
            if let Some(Json::Object(flat)) = body.remove("requester") {
                body.insert("requester".to_owned(), requester(flat));
            }
        }
        "acknowledge" => {
            body.entry("by").or_insert_with(|| "screen".into());
        }
        "assign" | "reassign" => {
            body.entry("reason").or_insert_with(|| "scenario".into());
            let name = body.get("to").and_then(Json::as_str).and_then(|t| t.strip_prefix("service:"));
            if let Some(name) = name.map(|name| name.trim().to_owned()) {
                body.insert("to".to_owned(), name.into());
            }
        }
        "forward" => {
            if let Some(name) = body.get("to").and_then(Json::as_str).and_then(|t| t.strip_prefix("tenant:"))
            {
                let name = Json::from(name);
                body.insert("to".to_owned(), name);
            }
        }
        _ => {}
    }
}

/// `{ name, email, …, language, preferred }` as the command has it.
fn requester(flat: Map<String, Json>) -> Json {
    let mut contact = Map::new();
    let mut rest = Map::new();
    for (key, value) in flat {
        match key.as_str() {
            "name" | "email" | "phone" | "address" => {
                contact.insert(key, value);
            }
            "preferred" if value == json!("none") => {}
            _ => {
                rest.insert(key, value);
            }
        }
    }
    rest.insert("contact".to_owned(), Json::Object(contact));
    Json::Object(rest)
}

/// What a command says of a body that it cannot take, for people.
fn in_words(verb: &str, error: &str) -> (String, String) {
    let name = error.split('`').nth(1).unwrap_or_default();
    if error.starts_with("missing field") {
        return (format!("`{verb}` : il manque `{name}`"), format!("`{verb}`: `{name}` is missing"));
    }
    if error.starts_with("unknown variant") {
        return (
            format!("`{verb}` : `{name}` n’est pas admis"),
            format!("`{verb}`: `{name}` is not allowed"),
        );
    }
    (format!("`{verb}` ne se dit pas ainsi ({error})"), format!("`{verb}` is not said like this ({error})"))
}
