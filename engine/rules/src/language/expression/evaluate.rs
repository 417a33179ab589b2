//! Evaluating a checked rule over the values of one request.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, Env, Program};
use serde_json::Value as Json;

use super::environment::Type;
use crate::process::Bindings;

/// Why a rule that compiled could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// A sum left the range of whole numbers, or a value was not of the type that the form declares.
    #[error("the rule cannot be evaluated on these values")]
    Failed,
}

/// The value under a full name, if it was given: `form.place.lat`, `tasks.visite.report.made_safe`.
fn find<'a>(bindings: &'a Bindings, path: &str) -> Option<&'a Json> {
    let mut parts = path.split('.');
    let root = match parts.next()? {
        "form" => &bindings.form,
        "request" => &bindings.request,
        "tasks" => &bindings.tasks,
        "requester" => &bindings.requester,
        _ => return None,
    };
    let first = root.get(parts.next()?);
    parts.fold(first, |value, part| part_of(value, part))
}

/// A part of a group of fields; a place is either `[lat, lon]` or an object.
fn part_of<'v>(value: Option<&'v Json>, part: &str) -> Option<&'v Json> {
    match (value?, part) {
        (Json::Array(pair), "lat") => pair.first(),
        (Json::Array(pair), "lon") => pair.get(1),
        (other, part) => other.get(part),
    }
}

struct Resolver<'e> {
    paths: &'e BTreeMap<String, Type>,
    bindings: &'e Bindings,
}

impl VariableResolver for Resolver<'_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        let kind = self.paths.get(name)?;
        Some(CowVal::Owned(convert(kind, find(self.bindings, name))))
    }
}

/// A JSON value as its declared type; what was not given, or is of another type, is the type's zero. The form's
/// values are checked when they come in, so the second cannot happen on a request that was received.
fn convert<'b>(kind: &Type, json: Option<&'b Json>) -> Box<dyn Val + 'b> {
    match kind {
        Type::Boolean => Box::new(CelBool::from(json.and_then(Json::as_bool).unwrap_or_default())),
        Type::Integer => Box::new(CelInt::from(json.and_then(integer).unwrap_or_default())),
        Type::Number => Box::new(CelDouble::from(json.and_then(Json::as_f64).unwrap_or_default())),
        Type::List(item, most) => {
            let items = json.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
            CelList::from(items.iter().take(*most).map(|i| convert(item, Some(i))).collect::<Vec<_>>())
                .clone_as_boxed()
        }
        Type::Record(parts) => {
            let map: HashMap<CelMapKey<'b>, Box<dyn Val + 'b>> = parts
                .iter()
                .map(|(name, kind)| {
                    let key = CelMapKey::String(CelString::from(name.clone()));
                    (key, convert(kind, part_of(json, name)))
                })
                .collect();
            Box::new(CelMap::from(map))
        }
        Type::Text | Type::Date | Type::Time | Type::Choice(_) | Type::Hidden(_) | Type::Unknown => {
            Box::new(CelString::from(json.and_then(Json::as_str).unwrap_or_default()))
        }
    }
}

/// A whole number; an amount of money (`{ amount, currency }`, or `12.50 EUR`) as its cents.
fn integer(json: &Json) -> Option<i64> {
    match json {
        Json::Number(number) => number.as_i64(),
        Json::String(text) => cents(text.split_whitespace().next()?),
        Json::Object(money) => match money.get("amount")? {
            Json::String(text) => cents(text),
            Json::Number(number) => cents(&number.to_string()),
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
        },
        Json::Null | Json::Bool(_) | Json::Array(_) => None,
    }
}

/// `12.5` or `12,50` as 1250, without a detour through binary fractions.
fn cents(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once(['.', ',']).unwrap_or((digits, ""));
    if fraction.len() > 2 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hundredths: i64 = format!("{fraction:0<2}").parse().ok()?;
    Some(sign * whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(hundredths)?)
}

static LIBRARY: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

pub(super) fn evaluate(
    program: &Program,
    paths: &BTreeMap<String, Type>,
    bindings: &Bindings,
) -> Result<bool, EvaluationError> {
    match value(program, paths, bindings) {
        Ok(cel::Value::Bool(holds)) => Ok(holds),
        Ok(_) | Err(_) => Err(EvaluationError::Failed),
    }
}

/// An amount in cents.
pub(super) fn cents_of(
    program: &Program,
    paths: &BTreeMap<String, Type>,
    bindings: &Bindings,
) -> Result<i64, EvaluationError> {
    match value(program, paths, bindings) {
        Ok(cel::Value::Int(cents)) => Ok(cents),
        Ok(_) | Err(_) => Err(EvaluationError::Failed),
    }
}

fn value(
    program: &Program,
    paths: &BTreeMap<String, Type>,
    bindings: &Bindings,
) -> Result<cel::Value, EvaluationError> {
    let resolver = Resolver { paths, bindings };
    let mut context = Context::with_env(Arc::clone(&LIBRARY));
    context.set_variable_resolver(&resolver);
    program.execute(&context).map_err(|_| EvaluationError::Failed)
}

/// The value under a full name, for an explanation.
pub(super) fn operand(bindings: &Bindings, path: &str, kind: &Type) -> Json {
    match find(bindings, path) {
        Some(json) if *kind == Type::Integer => integer(json).map_or(Json::Null, Into::into),
        Some(json) => json.clone(),
        None => zero(kind),
    }
}

fn zero(kind: &Type) -> Json {
    match kind {
        Type::Boolean => false.into(),
        Type::Integer => 0.into(),
        Type::Number => 0.0.into(),
        Type::List(..) => Json::Array(Vec::new()),
        Type::Record(_) => Json::Object(serde_json::Map::new()),
        Type::Text | Type::Date | Type::Time | Type::Choice(_) | Type::Hidden(_) | Type::Unknown => "".into(),
    }
}
