//! What is made of a request for the collectivity that it is passed on to.

use std::collections::BTreeMap;

use guichet_engine::rules::calendar::Calendar;
use guichet_engine::rules::process::{Definition, FieldType};
use guichet_engine::rules::request::{Command, Origin, PassedOn, RequesterInput, fitting};
use guichet_engine::rules::text::Language;
use guichet_engine::{Entry, Known};
use serde_json::{Map, Value};

use crate::attachments::{StoredFile, as_file};
use crate::dossier::Dossier;
use crate::outbound::slip;
use crate::outbound::values::{Ground, Reader, reference};

/// What arrives, before its files are there.
pub(super) struct Parcel {
    process: String,
    pub(super) form: Map<String, Value>,
    rest: Option<String>,
}

/// What of the form has a field at the other collectivity, and in words what has none.
pub(super) fn parcel(known: &Known, history: &[Entry], dossier: &Dossier, there: &Definition) -> Parcel {
    let here = known.plan.definition();
    let (mut form, mut left) = fitting(there, &dossier.form);
    left.retain(|name| !takes_files(there, &mut form, dossier.form.get(name)));
    let zone = known.plan.calendar(&here.calendar);
    let ground = Ground {
        known,
        history,
        language: Language::Fr,
        reader: Reader::Requester,
        zone: zone.map_or(chrono_tz::Europe::Paris, Calendar::zone),
        now: known.request.updated_at,
        public_url: "",
    };
    let lines =
        slip::in_words(&here.form, &ground.values(), Language::Fr, |name| left.iter().any(|l| l == name));
    let number = reference(&known.request);
    let rest = (!lines.is_empty()).then(|| {
        format!(
            "Transmis avec la demande, sans champ ici ; les fichiers restent au dossier {number} de la collectivité qui transmet. / Passed on with the request, with no field here; files stay in the file {number} of whoever passed it on.\n\n{}",
            lines.join("\n")
        )
    });
    Parcel { process: there.process.clone(), form, rest }
}

/// Puts files that have no field of their name into the first field that takes them; whether there is one.
fn takes_files(there: &Definition, form: &mut Map<String, Value>, value: Option<&Value>) -> bool {
    let Some(Value::Array(files)) =
        value.filter(|value| value.as_array().is_some_and(|it| it.iter().all(|one| as_file(one).is_some())))
    else {
        return false;
    };
    for field in there.form.iter().filter(|field| field.kind == FieldType::Files) {
        let held = form.get(&field.field).and_then(Value::as_array).cloned().unwrap_or_default();
        let more: Value = held.into_iter().chain(files.iter().cloned()).collect();
        let alone = Map::from_iter([(field.field.clone(), more)]);
        if fitting(there, &alone).1.is_empty() {
            form.extend(alone);
            return true;
        }
    }
    false
}

/// What the other collectivity receives. The request counts from the first administration that had it (CRPA L114-3).
pub(super) fn command(known: &Known, dossier: &Dossier, parcel: &Parcel) -> Command {
    let request = &known.request;
    let earlier = request.origin.as_ref().map_or(&[][..], |origin| &origin.through);
    let through = earlier.iter().chain([&request.tenant]).cloned().collect();
    Command::Receive {
        process: parcel.process.clone(),
        channel: request.channel,
        opened_by: request.opened_by,
        requester: RequesterInput {
            kind: request.requester.kind,
            language: request.requester.language,
            preferred: request.requester.preferred,
            account: request.requester.account,
            // An account is a collectivity's own: its id says nothing to another.
            account_id: None,
            contact: dossier.contact.clone().unwrap_or_default(),
        },
        form: parcel.form.clone(),
        external: None,
        first_received_at: Some(request.first_received_at.unwrap_or(request.milestones.received)),
        answer: None,
        origin: Some(PassedOn { origin: Origin { through, request: request.id }, rest: parcel.rest.clone() }),
    }
}

/// Lets a value name copies instead of what they were copied from.
pub(super) fn renamed(value: &mut Value, copies: &BTreeMap<String, StoredFile>) {
    if let Value::Array(items) = value {
        items.iter_mut().for_each(|item| renamed(item, copies));
        return;
    }
    let copy = as_file(value).and_then(|file| copies.get(&file.sha256)).map(serde_json::to_value);
    if let Some(Ok(copy)) = copy {
        *value = copy;
    }
}
