//! What the rules of a sheet may know of a request: nothing that identifies anyone.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::state::{Request, TaskStatus};
use crate::process::{Bindings, Plan};

/// The values that the rules of `plan` read for `request`.
#[must_use]
pub fn bindings(request: &Request, plan: &Plan) -> Bindings {
    let definition = plan.definition();
    let mut facts = Map::new();
    let mut fact = |name: &str, value: Value| facts.insert(name.into(), value);
    fact("channel", request.channel.id().into());
    fact("kind", word(&definition.kind));
    fact("process", request.process.as_str().into());
    fact("priority", word(&request.priority));
    fact("complexity", word(&request.complexity));
    fact("tenant", request.tenant.as_str().into());
    fact("service", request.service.as_deref().unwrap_or_default().into());
    fact("language", word(&request.requester.language));
    fact("open_to", word(&request.opened_by));
    fact("reopened", request.cycle.into());
    let tasks = definition.treatment.iter().map(|sheet| {
        let task = request.tasks.get(&sheet.task);
        let is = |status| task.is_some_and(|task| task.status == status);
        let report = task.map(|task| public(&task.report)).unwrap_or_default();
        let value =
            json!({ "report": report, "done": is(TaskStatus::Done), "skipped": is(TaskStatus::Skipped) });
        (sheet.task.clone(), value)
    });
    Bindings {
        request: facts,
        form: public(&request.form),
        tasks: tasks.collect(),
        requester: requester(request),
    }
}

fn requester(request: &Request) -> Map<String, Value> {
    let who = &request.requester;
    let facts = [
        ("reachable_by_email", who.by_email.into()),
        ("reachable_by_sms", who.by_sms.into()),
        ("reachable_by_letter", who.by_letter.into()),
        ("anonymous", (!who.named).into()),
        ("account", who.account.into()),
        ("kind", word(&who.kind)),
    ];
    facts.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value)).collect()
}

/// The id of a word of the language, as sheets and events write it.
fn word<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Whether a value of a form is personal, in whatever shape it stands there.
pub(super) fn is_personal(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.contains_key("$personal") || object.contains_key("$sealed"))
}

/// The fields of a form that are not personal.
pub(super) fn public(form: &Map<String, Value>) -> Map<String, Value> {
    form.iter()
        .filter(|(_, value)| !is_personal(value))
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect()
}
