//! Messages: every placeholder is known, and none can leave a hole in a citizen's letter.

use super::{Sheet, Whole};
use crate::language::diagnostic::{Fault, near};
use crate::language::source::Mark;
use crate::language::template::{self, Piece, TemplateError};
use crate::process::{Definition, Field, Message, Party, Requirement, Silence, Simple};

/// What may be empty when a message is sent for one occasion.
struct Occasion {
    /// Pointer of the message in the definition.
    pointer: String,
    /// Placeholders that are sure to have a value, beyond those that always do.
    sure: &'static [&'static str],
}

/// Always known of a request.
pub(in crate::language) const ALWAYS: [&str; 7] =
    ["code", "title", "received", "contact", "link", "tenant", "date"];
/// Known on some occasions.
pub(in crate::language) const SOMETIMES: [&str; 18] = [
    "due",
    "service",
    "answer",
    "question",
    "reply_by",
    "reason",
    "silence",
    "origin",
    "first_received",
    "amount",
    "label",
    "pay_by",
    "transaction",
    "appointment",
    "slots",
    "place",
    "what",
    "zone",
];

pub(super) fn check(sheet: &Sheet, whole: &Whole<'_>, faults: &mut Vec<Fault>) {
    let definition = &sheet.definition;
    let mut occasions =
        vec![(Occasion { pointer: "/acknowledgement".into(), sure: &[] }, &definition.acknowledgement)];
    let answered: &'static [&'static str] = match definition.validation.otherwise {
        Simple::ByAuthor => &["answer", "service"],
        Simple::Automatic => &["service"],
    };
    occasions.push((
        Occasion { pointer: "/delivery/message".into(), sure: answered },
        &definition.delivery.message,
    ));
    for (name, message) in &definition.messages {
        let sure: &'static [&'static str] = match name.as_str() {
            "asked" | "reminded" => &["question", "reply_by"],
            "message" | "refused" | "forwarded" | "cancelled" | "suspended" | "reopened" | "merged" => {
                &["reason"]
            }
            "arrived" => &["origin", "first_received"],
            "extended" => &["reason", "due"],
            "assigned" => &["service"],
            "counter" => answered,
            "payment_requested" | "payment_reminded" | "payment_failed" | "payment_lapsed" => {
                &["amount", "label", "pay_by"]
            }
            "payment_settled" => &["amount", "label", "transaction"],
            "payment_cancelled" | "payment_refunded" => &["amount", "label", "reason"],
            "appointment_offered" => &["slots", "place", "what", "zone"],
            "appointment_chosen" => &["appointment", "place", "what", "zone"],
            "intervention_set" | "appointment_reminded" => &["appointment", "zone"],
            "appointment_cancelled" => &["reason", "zone"],
            _ => &[],
        };
        occasions.push((Occasion { pointer: format!("/messages/{name}"), sure }, message));
    }
    for (occasion, message) in occasions {
        texts(sheet, whole, &occasion, message, faults);
    }
}

fn texts(sheet: &Sheet, whole: &Whole<'_>, occasion: &Occasion, message: &Message, faults: &mut Vec<Fault>) {
    let parts =
        [("subject", Some(&message.subject)), ("body", Some(&message.body)), ("sms", message.sms.as_ref())];
    for (part, text) in parts {
        let Some(text) = text else { continue };
        for (language, text) in [("fr", &text.fr), ("en", &text.en)] {
            let pointer = format!("{}/{part}/{language}", occasion.pointer);
            let mark = |range: std::ops::Range<usize>| match sheet.places.scalar(&pointer) {
                Some(scalar) => scalar.locate_range(whole.sources.text(scalar.raw.file), range),
                None => sheet.at(&pointer),
            };
            one(&sheet.definition, occasion, part != "body", text, mark, faults);
        }
    }
}

fn one(
    definition: &Definition,
    occasion: &Occasion,
    open: bool,
    text: &str,
    mark: impl Fn(std::ops::Range<usize>) -> Mark,
    faults: &mut Vec<Fault>,
) {
    let pieces = match template::pieces(text) {
        Ok(pieces) => pieces,
        Err(TemplateError { at, fr, en }) => {
            let fault = Fault::error("message.braces", mark(at..at + 1), fr, en);
            faults.push(fault.help("une accolade s’écrit `{{` ou `}}`", "a brace is written `{{` or `}}`"));
            return;
        }
    };
    for piece in pieces {
        let Piece::Placeholder { name, default, range } = piece else { continue };
        // A place is looked for only where there is something to say about it.
        let place = || mark(range.clone());
        match state(definition, occasion, name) {
            State::Unknown(known) => {
                let (fr, en) = (
                    format!("mention inconnue : `{{{name}}}`"),
                    format!("unknown placeholder: `{{{name}}}`"),
                );
                let meant =
                    near(name, known.iter().map(String::as_str)).map(|n| n.map(|n| format!("{{{n}}}")));
                let mut fault = Fault::error("message.placeholder", place(), fr, en);
                if meant.is_none() {
                    let list = known.join(", ");
                    fault = fault.help(format!("on connaît : {list}"), format!("known: {list}"));
                }
                faults.push(fault.suggest(meant));
            }
            State::Personal if open => {
                let (fr, en) = (
                    format!("`{name}` est une donnée personnelle : ni objet, ni SMS"),
                    format!("`{name}` is personal data: not in a subject or a text message"),
                );
                faults.push(Fault::error("message.personal", place(), fr, en));
            }
            State::MayBeEmpty | State::Personal if default.is_none() => {
                let (fr, en) = (
                    format!("`{{{name}}}` peut être vide : la lettre aurait un trou"),
                    format!("`{{{name}}}` can be empty: the letter would have a hole"),
                );
                faults.push(
                    Fault::error("message.may_be_empty", place(), fr, en)
                        .help("dites quoi écrire dans ce cas, après `|`", "say what to write then, after `|`")
                        .suggest(Some(format!("{{{name}|…}}"))),
                );
            }
            State::Sure | State::MayBeEmpty | State::Personal => {}
        }
    }
}

/// What is known of a placeholder on an occasion.
enum State {
    Sure,
    MayBeEmpty,
    Personal,
    Unknown(Vec<String>),
}

fn state(definition: &Definition, occasion: &Occasion, name: &str) -> State {
    if ALWAYS.contains(&name) {
        return State::Sure;
    }
    if let Some(field) = name.strip_prefix("form.") {
        return field_state(&definition.form, field, "form.");
    }
    if let Some((task, field)) = name.strip_prefix("tasks.").and_then(|rest| rest.split_once('.')) {
        let Some(found) = definition.task(task) else {
            return State::Unknown(
                definition.treatment.iter().map(|t| format!("tasks.{}.{field}", t.task)).collect(),
            );
        };
        return match field_state(&found.report, field, &format!("tasks.{task}.")) {
            // What a task found is there only once it is done, and if it is done at all.
            State::Sure if found.when.is_some() || occasion.pointer != "/delivery/message" => {
                State::MayBeEmpty
            }
            other => other,
        };
    }
    if !SOMETIMES.contains(&name) {
        let fields = definition.form.iter().map(|f| format!("form.{}", f.field));
        return State::Unknown(
            ALWAYS.iter().chain(&SOMETIMES).map(|s| (*s).to_owned()).chain(fields).collect(),
        );
    }
    let sure = match name {
        "due" => definition.commitment("answer").is_some(),
        "silence" => definition.law.silence != Silence::None,
        "service" => assigned_at_once(definition),
        _ => false,
    };
    if sure || occasion.sure.contains(&name) { State::Sure } else { State::MayBeEmpty }
}

/// Whether a service is in charge as soon as the request is received.
fn assigned_at_once(definition: &Definition) -> bool {
    match &definition.qualification.by {
        None => true,
        Some(Party::Role(_) | Party::Person(_) | Party::Service(_) | Party::ServiceInCharge) => false,
    }
}

fn field_state(fields: &[Field], name: &str, prefix: &str) -> State {
    let Some(field) = fields.iter().find(|f| f.field == name) else {
        return State::Unknown(fields.iter().map(|f| format!("{prefix}{}", f.field)).collect());
    };
    if field.personal || field.kind.is_personal() {
        return State::Personal;
    }
    match field.required {
        Requirement::Always if field.shown_when.is_none() => State::Sure,
        Requirement::Always | Requirement::When(_) | Requirement::Optional => State::MayBeEmpty,
    }
}
