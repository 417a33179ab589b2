//! What was said in a request: its personal parts, opened from its own history for those who may read them.

use guichet_engine::Entry;
use guichet_engine::rules::request::{Contact, Hold, Personal, Request, What};
use serde::Serialize;
use serde_json::{Map, Value};

/// What was said. Nothing of it is kept anywhere but in the journal.
#[derive(Clone, Default, Serialize)]
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
        }
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
