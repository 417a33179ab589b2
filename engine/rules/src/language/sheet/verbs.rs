//! The verbs of scenarios, and the commands that they stand for.

use serde_json::{Map, Value as Json, json};

use super::desk::{At, Desk, Entries, Kind};
use super::expectation::local_time;
use super::parts::SERVICE;
use super::process::Library;
use super::scenario::{Action, StepBy};
use crate::language::diagnostic::Fault;
use crate::language::yaml::{Kind as Tree, Node, Style};
use crate::request::Command;

/// How a verb of a scenario becomes a command.
pub(super) struct Verb {
    pub(super) name: &'static str,
    command: &'static str,
    /// The part that a bare value stands for.
    bare: Option<&'static str>,
    /// The parts that a mapping may have.
    parts: &'static [&'static str],
    /// Keys that may stand beside the verb.
    pub(super) beside: &'static [&'static str],
}

const fn verb(
    name: &'static str,
    command: &'static str,
    bare: Option<&'static str>,
    parts: &'static [&'static str],
    beside: &'static [&'static str],
) -> Verb {
    Verb { name, command, bare, parts, beside }
}

const VERBS: [Verb; 29] = [
    verb("receive", "receive", None, &["channel", "form", "requester", "open_to", "answer"], &[]),
    verb("acknowledge", "acknowledge", Some("by"), &["by"], &[]),
    verb("qualify", "qualify", None, &["process", "complexity", "priority", "form"], &[]),
    verb("assign", "reassign", Some("to"), &["to", "reason"], &[]),
    verb("reassign", "reassign", None, &["to", "reason"], &[]),
    verb("claim", "claim", None, &[], &[]),
    verb("release", "release", None, &[], &[]),
    verb("complete", "complete", Some("task"), &["task", "report"], &["report"]),
    verb("visit", "visit", Some("finding"), &["finding", "made_safe"], &[]),
    verb("ask", "ask", Some("question"), &["question", "pieces", "within"], &[]),
    verb("reply", "reply", Some("text"), &["text", "form", "complete"], &[]),
    verb("suspend", "suspend", Some("reason"), &["reason", "until"], &[]),
    verb("resume", "resume", None, &[], &[]),
    verb("extend", "extend", None, &["commitment", "by", "basis"], &[]),
    verb("note", "note", Some("text"), &["text"], &[]),
    verb("message", "message", Some("text"), &["text"], &[]),
    verb("draft", "draft", Some("text"), &["text"], &[]),
    verb("submit", "submit", None, &[], &[]),
    verb("answer", "answer", Some("text"), &["text"], &[]),
    verb("approve", "approve", Some("step"), &["step"], &[]),
    verb("return", "return", Some("step"), &["step", "reason"], &["reason"]),
    verb("delegate", "delegate", None, &["step", "to"], &[]),
    verb("deliver", "deliver", Some("by"), &["by"], &[]),
    verb("delivery_failed", "fail_delivery", None, &["by", "reason"], &[]),
    verb("resolve", "resolve", Some("text"), &["text"], &[]),
    verb("withdraw", "withdraw", Some("reason"), &["reason"], &[]),
    verb("cancel", "cancel", Some("reason"), &["reason"], &[]),
    verb("refuse", "refuse", Some("reason"), &["reason", "basis"], &[]),
    verb("forward", "forward", Some("to"), &["to", "basis"], &[]),
];

const MORE_VERBS: [Verb; 3] = [
    verb("merge", "merge", Some("into"), &["into"], &[]),
    verb("reopen", "reopen", Some("reason"), &["reason"], &[]),
    verb("rate", "rate", Some("score"), &["score", "comment"], &[]),
];

pub(super) fn verbs() -> impl Iterator<Item = &'static Verb> {
    VERBS.iter().chain(&MORE_VERBS)
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
        let mut body = Map::new();
        if at.node.map().is_some() {
            self.entries(at, verb.parts);
            body = json_of(at.node).as_object().cloned().unwrap_or_default();
        } else if let Some(part) = verb.bare
            && at.node.text() != Some("true")
        {
            body.insert(part.to_owned(), json_of(at.node));
        }
        for beside in verb.beside {
            if let Some(value) = self.get(step, beside) {
                body.insert((*beside).to_owned(), json_of(value.node));
            }
        }
        self.adapt(verb.name, &mut body, by, process, library, at);
        if let Some(channel) = at.node.get("channel").filter(|_| verb.name == "receive") {
            let kind = Kind { code: "channel.unknown", fr: "canal inconnu", en: "unknown channel" };
            let known = library.header.channels.iter().map(|c| c.id());
            if !self.known(channel.text().unwrap_or_default(), channel.mark, known, &kind) {
                return None;
            }
        }
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

    /// What a scenario leaves unsaid or says shorter than the command.
    fn adapt(
        &mut self,
        verb: &str,
        body: &mut Map<String, Json>,
        by: &StepBy,
        process: &str,
        library: &Library<'_>,
        at: &At<'_>,
    ) {
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
                if let Some(Json::Object(flat)) = body.remove("requester") {
                    body.insert("requester".to_owned(), requester(flat));
                }
            }
            "acknowledge" => {
                body.entry("by").or_insert_with(|| "screen".into());
            }
            "assign" | "reassign" => {
                body.entry("reason").or_insert_with(|| "scenario".into());
                if let Some(name) =
                    body.get("to").and_then(Json::as_str).and_then(|t| t.strip_prefix("service:"))
                {
                    let name = name.to_owned();
                    let mark = at.node.get("to").map_or_else(|| at.mark(), |n| n.mark);
                    self.known(
                        &name,
                        mark,
                        library.organisation.services.iter().map(|s| s.service.as_str()),
                        &SERVICE,
                    );
                    body.insert("to".to_owned(), name.into());
                }
            }
            "forward" => {
                if let Some(name) =
                    body.get("to").and_then(Json::as_str).and_then(|t| t.strip_prefix("tenant:"))
                {
                    let name = Json::from(name);
                    body.insert("to".to_owned(), name);
                }
            }
            _ => {}
        }
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

/// A tree as JSON: unquoted `true`, `false` and numbers are what they look like, everything else is text.
fn json_of(node: &Node) -> Json {
    match &node.kind {
        Tree::Scalar(_) if node.is_null() => Json::Null,
        Tree::Scalar(scalar) if scalar.style == Style::Plain => match scalar.text.as_str() {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            text => text
                .parse::<i64>()
                .ok()
                .filter(|n| n.to_string() == text)
                .map(Json::from)
                .or_else(|| decimal(text))
                .unwrap_or_else(|| text.into()),
        },
        Tree::Scalar(scalar) => scalar.text.clone().into(),
        Tree::List(items) => items.iter().map(json_of).collect(),
        Tree::Map(entries) => {
            Json::Object(entries.iter().map(|e| (e.key.clone(), json_of(&e.value))).collect())
        }
    }
}

fn decimal(text: &str) -> Option<Json> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let looks = digits.contains('.') && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    if looks {
        text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Json::Number)
    } else {
        None
    }
}
