//! What was said in a request: its personal parts, opened from its own history for those who may read them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use guichet_engine::rules::process::Party;
use guichet_engine::rules::records::access::Ground;
use guichet_engine::rules::request::{Contact, Hold, Personal, Request, Stage, What};
use guichet_engine::{Entry, Known};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// What was said. Nothing of it is kept anywhere but in the journal.
#[derive(Clone, Default, Serialize, JsonSchema)]
pub struct Dossier {
    /// How to reach the requester; none if they did not say, or were erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// The form, as completed.
    pub form: Map<String, Value>,
    /// What the requester is asked for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Pieces that are missing now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<String>,
    /// The requester's last answer to a question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// The draft of the answer, or the answer itself once it is delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// What patrollers found, the first first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// Notes between agents, the first first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Messages to the requester, the first first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
    /// What payments are for, in the order of their numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<String>,
    /// Where the last appointment offered takes place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appointment_place: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appointment_subject: Option<String>,
}

/// Never prints what was said.
impl std::fmt::Debug for Dossier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Dossier(…)")
    }
}

impl Dossier {
    /// From a history whose personal parts were opened.
    #[must_use]
    pub fn of(history: &[Entry], request: &Request) -> Self {
        let mut dossier = Self::default();
        for entry in history {
            dossier.take(&entry.event.what);
        }
        if !matches!(request.hold, Some(Hold::WaitingForRequester { .. })) {
            (dossier.question, dossier.pieces) = (None, Vec::new());
        }
        dossier.form = dossier.form.into_iter().filter_map(|(k, v)| Some((k, opened(v)?))).collect();
        dossier
    }

    /// Events that say nothing in words are left aside on purpose; the timeline has them all.
    fn take(&mut self, what: &What) {
        if let What::Received(event) = what {
            self.contact = event.requester.contact.as_ref().and_then(Personal::known).cloned();
            self.form.clone_from(&event.form);
        } else if let What::Qualified(event) = what {
            self.form.extend(event.form.clone());
        } else if let What::Reclassified(event) = what {
            self.form.clone_from(&event.form);
        } else if let What::Migrated(event) = what {
            rename(&mut self.form, &event.fields);
        } else if let What::Asked(event) = what {
            self.question = event.question.known().cloned();
            self.pieces.clone_from(&event.pieces);
        } else if let What::Replied(event) = what {
            self.reply = event.text.as_ref().and_then(Personal::known).cloned();
            self.form.extend(event.form.clone());
        } else if let What::Drafted(event) = what {
            self.answer = event.text.known().cloned();
        } else if let What::Visited(event) = what {
            self.findings.extend(event.finding.known().cloned());
        } else if let What::Noted(event) = what {
            self.notes.extend(event.text.known().cloned());
        } else if let What::Messaged(event) = what {
            self.messages.extend(event.text.known().cloned());
        } else if let What::PaymentRequested(event) = what {
            self.payments.push(event.label.known().cloned().unwrap_or_default());
        } else if let What::AppointmentOffered(event) = what {
            self.appointment_place = event.place.known().cloned();
            self.appointment_subject = event.what.known().cloned();
        } else if let What::InterventionSet(_) = what {
            (self.appointment_place, self.appointment_subject) = (None, None);
        }
    }
}

/// Gives the fields of a form the names that another version of the process has for them.
pub(crate) fn rename(form: &mut Map<String, Value>, names: &BTreeMap<String, String>) {
    if !names.is_empty() {
        let all = std::mem::take(form).into_iter();
        form.extend(all.map(|(field, value)| (names.get(&field).cloned().unwrap_or(field), value)));
    }
}

/// By which right a member of staff may read on `day` what was said in a request: the agent and the service in charge,
/// those whom the sheet names for its qualification or a task of it, and those who are to approve its answer or stand in
/// for one of them on that day. None for colleagues elsewhere, who see where it stands only.
#[must_use]
pub fn reading_ground(known: &Known, code: &str, day: NaiveDate) -> Option<Ground> {
    let (request, organisation) = (&known.request, &known.organisation);
    let is_one_of = |party: &Party| {
        let people = organisation.all_of(party, &request.tenant, request.service.as_deref());
        people.iter().any(|person| person.person == code)
    };
    let tasks = || request.tasks.values().filter_map(|task| task.by.as_ref()).any(is_one_of);
    let qualifies = || known.plan.definition().qualification.by.as_ref().is_some_and(is_one_of);
    match () {
        () if request.agent.as_deref() == Some(code) => Some(Ground::InCharge),
        () if is_one_of(&Party::ServiceInCharge) => Some(Ground::Service),
        () if qualifies() => Some(Ground::Qualification),
        () if tasks() => Some(Ground::Task),
        () if approves(known, code, day) => Some(Ground::Approval),
        () => None,
    }
}

/// Whether a member of staff may read on `day` what was said in a request: see [`reading_ground`].
#[must_use]
pub fn may_read(known: &Known, code: &str, day: NaiveDate) -> bool {
    reading_ground(known, code, day).is_some()
}

/// Whether the answer waits for their approval, or for that of somebody whom they stand in for on that day.
fn approves(known: &Known, code: &str, day: NaiveDate) -> bool {
    let stands_in = |absent: &str| {
        let mut standins = known.organisation.standins.iter();
        standins.any(|one| one.by == code && one.absent == absent && one.from <= day && day <= one.until)
    };
    match &known.request.stage {
        Stage::InValidation(approval) => approval.open.as_ref().is_some_and(|open| {
            let mut named = open.approvers.iter().chain(open.delegated.iter().map(|(_, to)| to));
            named.any(|approver| approver == code || stands_in(approver))
        }),
        Stage::Received
        | Stage::Qualified
        | Stage::Assigned
        | Stage::Validated { .. }
        | Stage::Delivered { .. }
        | Stage::Withdrawn
        | Stage::Cancelled
        | Stage::Refused
        | Stage::Forwarded { .. }
        | Stage::Merged { .. } => false,
    }
}

/// A form value without the wrapping of personal ones; nothing where it is erased or still sealed.
pub(crate) fn opened(value: Value) -> Option<Value> {
    match value {
        Value::Object(mut object) if object.contains_key("$personal") || object.contains_key("$sealed") => {
            object.remove("value")
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn personal_values_come_out_of_their_wrapping_and_erased_ones_vanish() {
        assert_eq!(opened(json!({"$personal": "requester", "value": "x"})), Some(json!("x")));
        assert_eq!(opened(json!({"$personal": "requester"})), None);
        assert_eq!(opened(json!({"$sealed": "…", "$subject": "requester"})), None);
        assert_eq!(opened(json!({"lat": 1.0})), Some(json!({"lat": 1.0})));
    }
}
