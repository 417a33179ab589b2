//! What the OpenAPI document promises of an operation, held at the door for all of them alike: which parameters may stand
//! behind the question mark, what it can answer with, and, when a body does not fit, every place where it does not.

use std::collections::{BTreeSet, HashMap};
use std::sync::{LazyLock, OnceLock};

use axum::http::{HeaderMap, StatusCode, header};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Value, json};

use super::openapi::document;
use super::problem::{FieldProblem, Problem};
use guichet_engine::rules::text::Text;

/// The most wrong places of one answer.
const ERRORS_MAX: usize = 100;

/// What is known of an operation.
struct Terms {
    query: BTreeSet<String>,
    /// The bounds of whole numbers among them.
    bounds: HashMap<String, (i64, i64)>,
    /// Media types of what it answers when all is well.
    answers: BTreeSet<String>,
    body: Option<Value>,
    validator: OnceLock<Option<Validator>>,
}

type All = HashMap<(String, String), Terms>;

static TERMS: LazyLock<All> = LazyLock::new(|| {
    let mut all = All::new();
    let paths = document().get("paths").and_then(Value::as_object);
    for (path, item) in paths.into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            all.insert((method.to_uppercase(), path.clone()), terms(operation));
        }
    }
    all
});

fn terms(operation: &Value) -> Terms {
    let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let of_query = parameters.filter(|parameter| parameter.get("in") == Some(&json!("query")));
    let query = of_query.filter_map(|parameter| parameter.get("name")?.as_str().map(str::to_owned)).collect();
    let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let bounds = parameters.filter_map(bounds_of).collect();
    let answers = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
    let good = answers.filter(|(status, _)| status.starts_with('2'));
    let kinds = good.filter_map(|(_, answer)| answer.get("content")?.as_object());
    let answers = kinds.flat_map(|content| content.keys().cloned()).collect();
    let body = operation.pointer("/requestBody/content/application~1json/schema").cloned();
    Terms { query, bounds, answers, body, validator: OnceLock::new() }
}

fn bounds_of(parameter: &Value) -> Option<(String, (i64, i64))> {
    let schema = parameter.get("schema").filter(|_| parameter.get("in") == Some(&json!("query")))?;
    let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
    let (least, most) = (bound("minimum"), bound("maximum"));
    let name = parameter.get("name")?.as_str()?.to_owned();
    let whole = schema.get("type") == Some(&json!("integer")) && (least.is_some() || most.is_some());
    whole.then(|| (name, (least.unwrap_or(i64::MIN), most.unwrap_or(i64::MAX))))
}

fn of(method: &str, route: &str) -> Option<&'static Terms> {
    let method = if method == "HEAD" { "GET" } else { method };
    TERMS.get(&(method.to_owned(), route.to_owned()))
}

/// Addresses that other servers send people back to, with parameters of their own, which are read by nobody.
const COME_BACK_TO: [&str; 2] = ["/v1/{tenant}/payments/return", "/v1/{tenant}/sign-in/{kind}/callback"];

/// Whether a call may go on: its parameters are known, and it can be answered with something that the client takes.
///
/// # Errors
/// 400 `query.unknown`, 406 `accept.impossible`.
pub(crate) fn check(
    method: &str,
    route: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    if !route.starts_with("/v1/") {
        return Ok(());
    }
    let Some(terms) = of(method, route) else { return Ok(()) };
    let names = query.into_iter().flat_map(|query| url::form_urlencoded::parse(query.as_bytes()));
    let unknown: BTreeSet<String> =
        names.map(|(name, _)| name.into_owned()).filter(|name| !terms.query.contains(name)).collect();
    if !unknown.is_empty() && !COME_BACK_TO.contains(&route) {
        return Err(unknown_parameters(&unknown));
    }
    for (name, value) in query.into_iter().flat_map(|query| url::form_urlencoded::parse(query.as_bytes())) {
        let bounds = terms.bounds.get(name.as_ref());
        let number = value.parse::<i64>().ok();
        if let (Some((least, most)), Some(number)) = (bounds, number)
            && !(least..=most).contains(&&number)
        {
            return Err(Problem::malformed(
                &format!("query.{name}"),
                format!("« {name} » va de {least} à {most}."),
                format!("“{name}” goes from {least} to {most}."),
            ));
        }
    }
    let wished = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let wished: Vec<&str> = wished.flat_map(|value| value.split(',')).take(64).collect();
    let fits = |kind: &String| wished.iter().any(|range| takes(range, kind));
    if wished.is_empty() || terms.answers.is_empty() || terms.answers.iter().any(fits) {
        return Ok(());
    }
    let offered = terms.answers.iter().cloned().collect::<Vec<_>>().join(", ");
    Err(Problem::new(
        StatusCode::NOT_ACCEPTABLE,
        "accept.impossible",
        format!("Cette adresse ne répond qu’en {offered}."),
        format!("This address answers with {offered} only."),
    ))
}

fn unknown_parameters(names: &BTreeSet<String>) -> Problem {
    let mut problem = Problem::malformed(
        "query.unknown",
        "L’adresse porte des paramètres que cette opération ne connaît pas.",
        "The address has parameters that this operation does not know.",
    );
    let text = Text::new("Paramètre inconnu.", "Unknown parameter.");
    let field = |name: &String| FieldProblem {
        pointer: format!("?{}", name.chars().filter(|c| !c.is_control()).take(64).collect::<String>()),
        code: "field.unknown".to_owned(),
        detail: text.fr.clone(),
        text: text.clone(),
    };
    problem.errors = names.iter().take(ERRORS_MAX).map(field).collect();
    problem
}

/// Whether a range of `Accept` (RFC 9110, section 12.5.1) takes a media type.
fn takes(range: &str, kind: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let range = parts.next().unwrap_or_default();
    let refused = parts.any(|part| {
        part.strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok()).is_some_and(|q| q <= 0.0)
    });
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let whole = kind.split('/').next().unwrap_or_default();
    !refused
        && (range == "*/*" || range.eq_ignore_ascii_case(kind) || range.strip_suffix("/*") == Some(whole))
}

/// Every place where a body does not fit the schema of its operation; none if the schema sees nothing.
pub(crate) fn misfits(method: &str, route: &str, body: &Value) -> Vec<FieldProblem> {
    let Some(terms) = of(method, route) else { return Vec::new() };
    let Some(validator) = terms.validator.get_or_init(|| compiled(terms.body.as_ref()?)) else {
        return Vec::new();
    };
    let mut fields = Vec::new();
    for error in validator.iter_errors(body) {
        tell(&error, &mut fields);
    }
    // What is none of several words need not be told to be no word as well.
    let choices: BTreeSet<String> = fields
        .iter()
        .filter(|fault| fault.code == "field.choice")
        .map(|fault| fault.pointer.clone())
        .collect();
    fields.retain(|fault| fault.code != "field.type" || !choices.contains(&fault.pointer));
    fields.truncate(ERRORS_MAX);
    fields
}

/// The schema with everything that it may refer to.
fn compiled(schema: &Value) -> Option<Validator> {
    let whole = json!({ "allOf": [schema], "components": document().get("components")? });
    jsonschema::options().should_validate_formats(true).build(&whole).ok()
}

fn tell(error: &ValidationError<'_>, fields: &mut Vec<FieldProblem>) {
    let at = error.instance_path().as_str();
    match error.kind() {
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            // The alternative that was meant: one whose distinguishing word fits, and of those the nearest.
            let other = |faults: &Vec<ValidationError<'_>>| {
                let faults = faults.iter();
                faults.filter(|fault| matches!(fault.kind(), ValidationErrorKind::Constant { .. })).count()
            };
            match context.iter().min_by_key(|faults| (other(faults), faults.len())) {
                Some(nearest) if other(nearest) == 0 => nearest.iter().for_each(|fault| tell(fault, fields)),
                Some(_) | None => fields.push(field(at, "field.choice")),
            }
        }
        ValidationErrorKind::Required { property } => {
            fields.push(field(&below(at, property.as_str().unwrap_or_default()), "field.required"));
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            fields.extend(unexpected.iter().map(|name| field(&below(at, name), "field.unknown")));
        }
        kind => fields.push(field(at, code_of(kind.keyword()))),
    }
}

/// The pointer of a part (RFC 6901).
fn below(at: &str, name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn code_of(keyword: &str) -> &'static str {
    match keyword {
        "type" => "field.type",
        "enum" | "const" => "field.choice",
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => "field.range",
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
            "field.length"
        }
        "pattern" | "format" => "field.format",
        _ => "field.invalid",
    }
}

/// A wrong place, in words that repeat nothing of what was sent.
fn field(pointer: &str, code: &'static str) -> FieldProblem {
    let text = match code {
        "field.required" => Text::new("Ce champ est obligatoire.", "This field is required."),
        "field.unknown" => Text::new("Ce champ n’existe pas ici.", "There is no such field here."),
        "field.type" => {
            Text::new("Cette valeur n’est pas du type attendu.", "This value is not of the expected type.")
        }
        "field.choice" => {
            Text::new("Cette valeur n’est pas de celles admises.", "This value is not one of those allowed.")
        }
        "field.range" => Text::new("Ce nombre est hors des limites.", "This number is out of bounds."),
        "field.length" => {
            Text::new("Cette valeur est trop courte ou trop longue.", "This value is too short or too long.")
        }
        "field.format" => Text::new(
            "Cette valeur n’a pas la forme attendue.",
            "This value does not have the expected form.",
        ),
        _ => Text::new("Cette valeur ne convient pas.", "This value does not fit."),
    };
    FieldProblem { pointer: pointer.to_owned(), code: code.to_owned(), detail: text.fr.clone(), text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(route: &str, body: &Value) -> Vec<(String, String)> {
        let mut places: Vec<_> =
            misfits("POST", route, body).into_iter().map(|field| (field.pointer, field.code)).collect();
        places.sort();
        places
    }

    fn named(places: &[(&str, &str)]) -> Vec<(String, String)> {
        places.iter().map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned())).collect()
    }

    #[test]
    fn every_place_is_named() {
        let body = json!({ "channel": "pigeon", "opened_by": 3, "requester": { "contact": { "name": 1 }, "age": 7 } });
        assert_eq!(
            places("/v1/{tenant}/requests", &body),
            named(&[
                ("/channel", "field.choice"),
                ("/opened_by", "field.choice"),
                ("/process", "field.required"),
                ("/requester/age", "field.unknown"),
                ("/requester/contact/name", "field.type"),
            ])
        );
    }

    #[test]
    fn of_alternatives_the_one_that_was_meant_is_told_of() {
        let route = "/v1/{tenant}/requests/{request}/commands";
        assert_eq!(
            places(route, &json!({ "command": "reassign", "to": 1, "why": "x" })),
            named(&[("/reason", "field.required"), ("/to", "field.type"), ("/why", "field.unknown")])
        );
        assert_eq!(places(route, &json!({ "command": "dance" })), named(&[("", "field.choice")]));
    }

    #[test]
    fn ranges_of_media_types_are_understood() {
        assert!(takes("*/*", "application/json") && takes("application/*;q=0.1", "application/json"));
        assert!(
            takes(" application/json", "application/json")
                && !takes("application/json;q=0", "application/json")
        );
        assert!(!takes("text/html", "application/json"));
    }
}
