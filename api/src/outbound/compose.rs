//! Turns an effect into messages: who they go to, by which text, in which language.

use chrono::{DateTime, Utc};
use guichet_engine::rules::organisation::Organisation;
use guichet_engine::rules::process::{Definition, Delivery, Message, Party};
use guichet_engine::rules::request::{Effect, Recipient, Subject, What};
use guichet_engine::rules::text::Language;
use guichet_engine::{Entry, Known};

use super::render::{Values, render, render_line};
use super::values::{Ground, Reader};
use super::{Means, OutFile, OutMessage, slip, texts};
use crate::calendar_file::of_appointment;
use crate::dossier::Dossier;

/// The longest text message, in characters: four parts of the network's.
pub const SMS_CHARACTERS_MAX: usize = 600;

/// What an effect comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Composed {
    /// These are to be sent: one for each person.
    Send(Vec<OutMessage>),
    /// There is nothing to send: it is shown on the screen on which the request was made.
    Shown,
    /// Nobody can be reached; the words say why, without addresses.
    Unreachable(String),
}

/// What a message is composed from.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// The effect.
    pub effect: &'a Effect,
    /// The request, its plan and the organisation.
    pub known: &'a Known,
    /// Its history with personal parts opened.
    pub history: &'a [Entry],
    /// Now (UTC).
    pub now: DateTime<Utc>,
    /// The follow-up address.
    pub public_url: &'a str,
}

/// The messages of an effect.
#[must_use]
pub fn compose(occasion: &Occasion<'_>) -> Composed {
    match (&occasion.effect.recipient, occasion.effect.by) {
        (Recipient::Requester, Delivery::Screen) => Composed::Shown,
        (Recipient::Requester, Delivery::Email) => to_requester(occasion, Means::Email),
        (Recipient::Requester, Delivery::Sms) => to_requester(occasion, Means::Sms),
        (Recipient::Requester, Delivery::Social) => to_requester(occasion, Means::Social),
        (Recipient::Requester, Delivery::Letter | Delivery::Counter | Delivery::Phone) => {
            Composed::Unreachable("this means is carried out by an agent".into())
        }
        (Recipient::Party(party), _) => to_staff(occasion, party),
        (Recipient::Administration(to), Delivery::Email) => slip::mail(occasion, to),
        (Recipient::Administration(_), _) => {
            Composed::Unreachable("this means is carried out by an agent".into())
        }
    }
}

fn to_requester(occasion: &Occasion<'_>, means: Means) -> Composed {
    let request = &occasion.known.request;
    let contact = occasion.history.iter().find_map(|entry| {
        let What::Received(received) = &entry.event.what else { return None };
        received.requester.contact.as_ref()?.known()
    });
    let to = contact.and_then(|contact| match means {
        Means::Email => contact.email.clone(),
        Means::Sms => contact.phone.clone(),
        Means::Social => serde_json::to_string(contact.social.as_ref()?).ok(),
    });
    let Some(to) = to else {
        return Composed::Unreachable("the requester gave no address, or it was erased".into());
    };
    let message = message_of(occasion, Reader::Requester);
    let mut values = values(occasion, Reader::Requester, request.requester.language);
    if means == Means::Social {
        // Others may read along: what opens the request does not stand there.
        for secret in ["code", "link"] {
            values.insert(secret.to_owned(), String::new());
        }
    }
    Composed::Send(vec![write(occasion, &message, &values, means, to, request.requester.language, 0)])
}

fn to_staff(occasion: &Occasion<'_>, party: &Party) -> Composed {
    let request = &occasion.known.request;
    let service = request.service.as_deref();
    let addresses = addresses(party, &request.tenant, service, &occasion.known.organisation);
    if addresses.is_empty() {
        return Composed::Unreachable("nobody there has an address".into());
    }
    let message = message_of(occasion, Reader::Staff);
    let values = values(occasion, Reader::Staff, Language::Fr);
    let letters = addresses.into_iter().enumerate();
    Composed::Send(
        letters
            .map(|(index, to)| write(occasion, &message, &values, Means::Email, to, Language::Fr, index))
            .collect(),
    )
}

/// Where a service, role or person is told.
pub(crate) fn addresses(
    party: &Party,
    tenant: &str,
    service: Option<&str>,
    organisation: &Organisation,
) -> Vec<String> {
    let of_service = |id: &str| organisation.service(id).map(|service| service.email.clone());
    let mut found: Vec<String> = match party {
        Party::Service(service) => of_service(service).into_iter().collect(),
        Party::ServiceInCharge => service.and_then(of_service).into_iter().collect(),
        Party::Person(_) | Party::Role(_) => {
            let people = organisation.concerned(party, tenant, service);
            people.into_iter().filter_map(|person| person.email.clone()).collect()
        }
    };
    found.retain(|address| !address.is_empty());
    found.dedup();
    found
}

/// The designer's text for an effect, or ours where there is none.
fn message_of(occasion: &Occasion<'_>, reader: Reader) -> Message {
    let definition: &Definition = occasion.known.plan.definition();
    let named = |name: &str| definition.messages.get(name).cloned();
    let subject = &occasion.effect.subject;
    if reader == Reader::Staff {
        let own = if matches!(subject, Subject::Assignment) { named("assigned") } else { None };
        return own.unwrap_or_else(|| texts::to_staff(subject));
    }
    let own = match subject {
        // Who was passed on is told so, by whom, and under which code they go on.
        Subject::Acknowledgement if occasion.known.request.origin.is_some() => {
            Some(named("arrived").unwrap_or_else(texts::arrived))
        }
        Subject::Acknowledgement => Some(definition.acknowledgement.clone()),
        Subject::Answer => Some(definition.delivery.message.clone()),
        Subject::Question if reminded(occasion) => named("reminded").or_else(|| named("asked")),
        Subject::Question => named("asked"),
        Subject::Message => named("message"),
        Subject::News(news) => named(news),
        Subject::Reply
        | Subject::Assignment
        | Subject::Task(_)
        | Subject::Approval(_)
        | Subject::Rework
        | Subject::Slip
        | Subject::Warning(_)
        | Subject::Breach(_) => None,
    };
    own.unwrap_or_else(|| texts::to_requester(subject))
}

fn reminded(occasion: &Occasion<'_>) -> bool {
    let asking = until(occasion.history, &occasion.effect.id).last();
    asking.is_some_and(|entry| matches!(entry.event.what, What::Reminded(_)))
}

fn values(occasion: &Occasion<'_>, reader: Reader, language: Language) -> Values {
    let mut values = ground(occasion, reader, language).values();
    if let Some(name) = subject_name(&occasion.effect.subject) {
        values.insert("subject".into(), name.to_owned());
    }
    values
}

/// What the values of a message are taken from.
pub(super) fn ground<'a>(occasion: &Occasion<'a>, reader: Reader, language: Language) -> Ground<'a> {
    let plan = &occasion.known.plan;
    let calendar = plan.calendar(&plan.definition().calendar);
    Ground {
        known: occasion.known,
        history: until(occasion.history, &occasion.effect.id),
        language,
        reader,
        zone: calendar.map_or(chrono_tz::Europe::Paris, guichet_engine::rules::calendar::Calendar::zone),
        now: occasion.now,
        public_url: occasion.public_url,
    }
}

fn subject_name(subject: &Subject) -> Option<&str> {
    match subject {
        Subject::Task(name)
        | Subject::Approval(name)
        | Subject::Warning(name)
        | Subject::Breach(name)
        | Subject::News(name) => Some(name),
        Subject::Acknowledgement
        | Subject::Answer
        | Subject::Question
        | Subject::Message
        | Subject::Reply
        | Subject::Slip
        | Subject::Assignment
        | Subject::Rework => None,
    }
}

/// The history up to the event that asked for the effect: a later answer must not slip into an earlier letter.
fn until<'a>(history: &'a [Entry], effect: &str) -> &'a [Entry] {
    let revision = effect.split_once('-').and_then(|(revision, _)| revision.parse::<u64>().ok());
    let end = revision
        .map_or(history.len(), |revision| history.partition_point(|entry| entry.revision <= revision));
    history.get(..end).unwrap_or(history)
}

fn write(
    occasion: &Occasion<'_>,
    message: &Message,
    values: &Values,
    means: Means,
    to: String,
    language: Language,
    index: usize,
) -> OutMessage {
    let subject = render_line(message.subject.get(language), values, language);
    let text = match (means, &message.sms) {
        (Means::Email | Means::Social, _) => render(message.body.get(language), values, language),
        (Means::Sms, Some(sms)) => render_line(sms.get(language), values, language),
        (Means::Sms, None) => short(&subject, &render(message.body.get(language), values, language)),
    };
    let text = if means == Means::Sms { cut(text) } else { text };
    addressed(occasion, (means, to), (subject, text), language, index)
}

/// A message of the collectivity: the `index`-th of its effect.
pub(super) fn addressed(
    occasion: &Occasion<'_>,
    (means, to): (Means, String),
    (subject, text): (String, String),
    language: Language,
    index: usize,
) -> OutMessage {
    let request = &occasion.known.request;
    let collectivity = occasion.known.organisation.tenant(&request.tenant);
    let suffix = if index == 0 { String::new() } else { format!(".{index}") };
    OutMessage {
        id: format!("{}.{}{suffix}", request.id, occasion.effect.id),
        means,
        to,
        from: collectivity.map(|tenant| tenant.email.clone()).unwrap_or_default(),
        from_name: collectivity.map(|tenant| tenant.name.get(language).to_owned()).unwrap_or_default(),
        subject,
        text,
        at: occasion.now,
        language,
        thread: request.id.to_string(),
        link: occasion.public_url.to_owned(),
        files: calendar(occasion, means, language).into_iter().collect(),
        unsubscribe: None,
    }
}

/// The file that goes with what is told of an appointment: to the requester only, for it says where and what for. It
/// tells what stands now, which is newer than the letter if that was late; its type names its method (RFC 6047).
fn calendar(occasion: &Occasion<'_>, means: Means, language: Language) -> Option<OutFile> {
    const WITH_DATE: [&str; 3] = ["appointment_chosen", "intervention_set", "appointment_cancelled"];
    let Subject::News(news) = &occasion.effect.subject else { return None };
    let to_them = means == Means::Email && occasion.effect.recipient == Recipient::Requester;
    if !to_them || !WITH_DATE.contains(&news.as_str()) {
        return None;
    }
    let dossier = Dossier::of(occasion.history, &occasion.known.request);
    let said = (dossier.appointment_subject.as_deref(), dossier.appointment_place.as_deref());
    let file = of_appointment(occasion.known, said, language, occasion.now)?;
    Some(OutFile {
        name: "rendez-vous.ics".to_owned(),
        kind: format!("text/calendar; charset=utf-8; method={}", file.method),
        bytes: file.text.into_bytes().into(),
    })
}

/// The subject and the words of an effect for the requester, as they are written on paper.
#[must_use]
pub fn in_writing(occasion: &Occasion<'_>) -> (String, String) {
    let language = occasion.known.request.requester.language;
    let message = message_of(occasion, Reader::Requester);
    let values = values(occasion, Reader::Requester, language);
    let subject = render_line(message.subject.get(language), &values, language);
    (subject, render(message.body.get(language), &values, language))
}

/// The subject and the first line that says something beyond a greeting.
fn short(subject: &str, body: &str) -> String {
    let lines = body.lines().filter(|line| !line.trim().is_empty() && !line.trim().ends_with(','));
    lines.take(1).fold(subject.to_owned(), |text, line| format!("{text}. {line}"))
}

fn cut(text: String) -> String {
    match text.char_indices().nth(SMS_CHARACTERS_MAX - 1) {
        Some((at, _)) if text.chars().count() > SMS_CHARACTERS_MAX => {
            format!("{}…", text.get(..at).unwrap_or_default().trim_end())
        }
        _ => text,
    }
}
