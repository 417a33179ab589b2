//! What the placeholders of a message stand for, taken from a request, its history and its process.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use guichet_engine::rules::process::{Definition, Field, FieldType, Silence};
use guichet_engine::rules::request::{ClockStatus, Hold, Request, What};
use guichet_engine::rules::text::Language;
use guichet_engine::{Entry, Known};
use serde_json::{Map, Value};

use super::dates;
use super::render::Values;

/// Who reads the message: what they may be shown depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The requester: their own words and their code.
    Requester,
    /// People of the town hall, by e-mail: nothing personal, and never the code, which lets its bearer act.
    Staff,
}

/// What a message is made from.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The request, its plan and the organisation.
    pub known: &'a Known,
    /// Its history with personal parts opened, up to and including the event that asked for the message.
    pub history: &'a [Entry],
    /// The language of whoever reads it.
    pub language: Language,
    /// Who reads it.
    pub reader: Reader,
    /// The zone in which dates are written.
    pub zone: Tz,
    /// Now (UTC).
    pub now: DateTime<Utc>,
    /// The follow-up address.
    pub public_url: &'a str,
}

impl Ground<'_> {
    pub(super) fn definition(&self) -> &Definition {
        self.known.plan.definition()
    }

    pub(super) fn request(&self) -> &Request {
        &self.known.request
    }

    pub(super) fn say(&self, fr: &str, en: &str) -> String {
        match self.language {
            Language::Fr => fr.to_owned(),
            Language::En => en.to_owned(),
        }
    }

    pub(super) fn date(&self, at: DateTime<Utc>) -> String {
        dates::date(at, &self.zone, self.language)
    }

    /// Every value that a placeholder may name.
    #[must_use]
    pub fn values(&self) -> Values {
        let mut values = Values::new();
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                values.insert(name.to_owned(), value);
            }
        };
        let request = self.request();
        put("code", self.code());
        put("title", Some(self.definition().title.get(self.language).to_owned()));
        put("received", Some(self.date(request.milestones.received)));
        put("due", self.due());
        put("service", self.service());
        put("contact", self.contact());
        put("tenant", self.collectivity().map(|tenant| tenant.name.get(self.language).to_owned()));
        put("answer", self.answer());
        put("question", self.question());
        put("reply_by", self.reply_by().map(|at| self.date(at)));
        put("reason", self.reason());
        put("silence", self.silence());
        put("origin", request.origin.as_ref().map(|origin| self.named(origin.from())));
        put(
            "first_received",
            Some(self.date(request.first_received_at.unwrap_or(request.milestones.received))),
        );
        put("link", Some(self.public_url.to_owned()));
        put("date", Some(self.date(self.now)));
        super::dated::put(self, &mut values);
        self.form(&mut values);
        self.reports(&mut values);
        values
    }

    fn code(&self) -> Option<String> {
        match self.reader {
            Reader::Staff => Some(reference(self.request())),
            Reader::Requester => self.last(|what| {
                let What::Received(received) = what else { return None };
                received.tracking.known().cloned()
            }),
        }
    }

    /// The promised date of the answer, while it is still a promise.
    fn due(&self) -> Option<String> {
        let clock = self.request().clock("answer")?;
        (clock.status == ClockStatus::Running).then(|| self.date(clock.due))
    }

    fn service(&self) -> Option<String> {
        let service = self.known.organisation.service(self.request().service.as_deref()?)?;
        Some(service.title.get(self.language).to_owned())
    }

    pub(super) fn collectivity(&self) -> Option<&guichet_engine::rules::organisation::Collectivity> {
        self.known.organisation.tenant(&self.request().tenant)
    }

    pub(super) fn contact(&self) -> Option<String> {
        let tenant = self.collectivity()?;
        let lines = [tenant.address.as_str(), tenant.phone.as_str(), tenant.email.as_str()];
        Some(lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"))
    }

    fn answer(&self) -> Option<String> {
        self.last(|what| {
            let What::Drafted(drafted) = what else { return None };
            Some(drafted.text.known().cloned())
        })?
    }

    fn question(&self) -> Option<String> {
        let (question, pieces) = self.last(|what| {
            let What::Asked(asked) = what else { return None };
            Some((asked.question.known().cloned(), asked.pieces.clone()))
        })?;
        let mut lines = vec![question?];
        lines.extend(pieces.iter().map(|piece| format!("- {piece}")));
        Some(lines.join("\n"))
    }

    fn reply_by(&self) -> Option<DateTime<Utc>> {
        match &self.request().hold {
            Some(Hold::WaitingForRequester { reply_by, .. }) => Some(*reply_by),
            Some(Hold::Suspended { .. }) | None => None,
        }
    }

    /// The reason given by the event that asked for the message.
    fn reason(&self) -> Option<String> {
        let what = &self.history.last()?.event.what;
        if let What::Refused(refused) = what {
            return with_basis(refused.reason.known()?, refused.basis.as_deref());
        }
        if let What::Forwarded(forwarded) = what {
            return with_basis(&self.named(&forwarded.to), forwarded.basis.as_deref());
        }
        if let What::Extended(extended) = what {
            return Some(extended.basis.clone());
        }
        let reason = if let What::Cancelled(cancelled) = what {
            &cancelled.reason
        } else if let What::Returned(returned) = what {
            &returned.reason
        } else if let What::Reassigned(reassigned) = what {
            &reassigned.reason
        } else if let What::Messaged(messaged) = what {
            &messaged.text
        } else if let What::Withdrawn(withdrawn) = what {
            withdrawn.reason.as_ref()?
        } else if let What::PaymentCancelled(cancelled) = what {
            &cancelled.reason
        } else if let What::PaymentRefunded(refunded) = what {
            &refunded.reason
        } else if let What::AppointmentCancelled(cancelled) = what {
            &cancelled.reason
        } else {
            return None;
        };
        reason.known().cloned()
    }

    /// What an administration or a collectivity is called.
    pub(super) fn named(&self, administration: &str) -> String {
        self.known.organisation.addressee(administration).get(self.language).to_owned()
    }

    /// What the administration's silence will mean, and when (CRPA R112-5).
    fn silence(&self) -> Option<String> {
        let law = &self.definition().law;
        let (fr, en) = match law.silence {
            Silence::None => return None,
            Silence::Acceptance => ("acceptée", "granted"),
            Silence::Rejection => ("rejetée", "rejected"),
        };
        let basis = if law.basis.is_empty() { String::new() } else { format!(" ({})", law.basis) };
        let clock = self.request().clock("silence").filter(|clock| clock.status == ClockStatus::Running);
        let text = match (clock, law.after) {
            (Some(clock), _) => {
                let date = self.date(clock.due);
                self.say(
                    &format!("Sans réponse de notre part au {date}, votre demande sera réputée {fr}{basis}."),
                    &format!("If you have no answer from us by {date}, your request is deemed {en}{basis}."),
                )
            }
            (None, Some(after)) => {
                let after = after.in_words(self.language);
                self.say(
                    &format!("Sans réponse de notre part au bout de {after} à compter de la réception du dossier complet, votre demande sera réputée {fr}{basis}."),
                    &format!("If you have no answer from us within {after} of your complete application, your request is deemed {en}{basis}."),
                )
            }
            (None, None) => return None,
        };
        Some(text)
    }

    pub(super) fn last<T>(&self, take: impl Fn(&What) -> Option<T>) -> Option<T> {
        self.history.iter().rev().find_map(|entry| take(&entry.event.what))
    }

    fn form(&self, values: &mut Values) {
        let mut form = Map::new();
        for entry in self.history {
            let what = &entry.event.what;
            if let What::Received(event) = what {
                form.extend(event.form.clone());
            } else if let What::Qualified(event) = what {
                form.extend(event.form.clone());
            } else if let What::Replied(event) = what {
                form.extend(event.form.clone());
            } else if let What::Reclassified(event) = what {
                form.clone_from(&event.form);
            } else if let What::Migrated(event) = what {
                crate::dossier::rename(&mut form, &event.fields);
            }
        }
        for field in &self.definition().form {
            self.put(values, format!("form.{}", field.field), field, form.get(&field.field));
        }
    }

    fn reports(&self, values: &mut Values) {
        let mut reports = BTreeMap::new();
        for entry in self.history {
            if let What::TaskCompleted(done) = &entry.event.what {
                reports.insert(done.task.clone(), &done.report);
            } else if let What::Migrated(event) = &entry.event.what {
                let taken: Vec<_> =
                    event.tasks.iter().filter_map(|task| Some((task, reports.remove(&task.from)?))).collect();
                reports.extend(taken.into_iter().map(|(task, report)| (task.to.clone(), report)));
            }
        }
        for task in &self.definition().treatment {
            let Some(report) = reports.get(&task.task) else { continue };
            for field in &task.report {
                let name = format!("tasks.{}.{}", task.task, field.field);
                self.put(values, name, field, report.get(&field.field));
            }
        }
    }

    fn put(&self, values: &mut Values, name: String, field: &Field, value: Option<&Value>) {
        let personal = value.is_some_and(|value| value.get("$personal").is_some());
        if personal && self.reader == Reader::Staff {
            return;
        }
        let opened = if personal { value.and_then(|value| value.get("value")) } else { value };
        if let Some(text) = opened.and_then(|value| self.words(field, value)) {
            values.insert(name, text);
        }
    }

    /// A form value as people write it.
    fn words(&self, field: &Field, value: &Value) -> Option<String> {
        let text = match value {
            Value::Null => return None,
            Value::Bool(true) => self.say("oui", "yes"),
            Value::Bool(false) => self.say("non", "no"),
            Value::Number(number) => number.to_string(),
            Value::String(text) => match field.kind {
                FieldType::Choice | FieldType::Choices => self.label(field, text),
                FieldType::Date => self.day(text),
                _ => text.clone(),
            },
            Value::Array(items) => {
                let words: Vec<_> = items.iter().filter_map(|item| self.words(field, item)).collect();
                words.join(", ")
            }
            Value::Object(object) => of_object(object)?,
        };
        Some(text).filter(|text| !text.is_empty())
    }

    fn label(&self, field: &Field, value: &str) -> String {
        let option = field.options.iter().find(|option| option.value == value);
        option.map_or_else(|| value.to_owned(), |option| option.label.get(self.language).to_owned())
    }

    fn day(&self, text: &str) -> String {
        let noon = format!("{text}T12:00:00Z").parse::<DateTime<Utc>>();
        noon.map_or_else(|_| text.to_owned(), |at| dates::date(at, &Utc, self.language))
    }
}

/// The short number by which colleagues name a request to each other: no secret, unlike the tracking code.
#[must_use]
pub fn reference(request: &Request) -> String {
    request.id.to_string().rsplit('-').next().unwrap_or_default().to_uppercase()
}

fn with_basis(reason: &str, basis: Option<&str>) -> Option<String> {
    Some(basis.map_or_else(|| reason.to_owned(), |basis| format!("{reason} ({basis})")))
}

/// A person, place, amount or file in one line.
fn of_object(object: &Map<String, Value>) -> Option<String> {
    let text = |key: &str| object.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let amount = match object.get("amount") {
        Some(Value::String(amount)) => Some(amount.clone()),
        Some(Value::Number(amount)) => Some(amount.to_string()),
        _ => None,
    };
    if let Some(amount) = amount {
        return Some(format!("{amount} {}", text("currency").unwrap_or("EUR")));
    }
    let parts: Vec<&str> = ["first_name", "name", "street", "address", "postcode", "city"]
        .into_iter()
        .filter_map(text)
        .collect();
    if !parts.is_empty() {
        return Some(parts.join(" "));
    }
    let coordinate = |key: &str| object.get(key).and_then(Value::as_f64);
    coordinate("lat").zip(coordinate("lon")).map(|(lat, lon)| format!("{lat:.5}, {lon:.5}"))
}
