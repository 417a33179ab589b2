//! Money and dates in scenarios: a step says what people know, a command names numbers and instants.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, Value, json};

use super::run::Problem;
use crate::language::sheet::{Deed, local_time};
use crate::request::{CURRENCY, Command, Payment, Request, payment_reference};

/// The commands that a step about money or dates comes to, in their order. `instant` gives the instant of a wall-clock
/// time of the process's calendar.
pub(super) fn commands(
    deed: &Deed,
    request: Option<&Request>,
    instant: impl Fn(NaiveDateTime) -> DateTime<Utc>,
) -> Result<Vec<Command>, Problem> {
    let mut body = in_utc(Value::Object(deed.said.clone()), &instant);
    let mut said = body.as_object_mut().map(std::mem::take).unwrap_or_default();
    let number = said.get("payment").and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let payment = request.and_then(|request| match number {
        Some(number) => request.payments.iter().find(|payment| payment.number == number),
        None => request.payments.last(),
    });
    let number = number.or(payment.map(|payment| payment.number)).unwrap_or(1);
    const OF_ONE: [&str; 6] =
        ["start_payment", "pay", "payment_fails", "pay_at_counter", "cancel_payment", "refund_payment"];
    if OF_ONE.contains(&deed.verb) {
        said.insert("payment".into(), number.into());
    }
    let mut all = Vec::new();
    match deed.verb {
        "pay" | "payment_fails" => {
            let asked = said.remove("attempt").and_then(|attempt| attempt.as_u64());
            let (visits, attempt) = visit(payment, asked.and_then(|asked| usize::try_from(asked).ok()));
            all.extend(std::iter::repeat_n(json!({ "command": "start_payment", "payment": number }), visits));
            let reference = request.map(|request| payment_reference(request.id, number, attempt));
            said.insert("reference".into(), json!(reference));
            all.push(told(deed.verb, said, payment));
        }
        "pay_at_counter" => all.push(told(deed.verb, said, payment)),
        "refund_payment" => {
            let left = payment.map_or(0, |payment| payment.received.saturating_sub(payment.refunded));
            said.entry("amount").or_insert_with(|| left.into());
            all.push(command(deed.verb, said));
        }
        "record_attendance" => {
            said.entry("came").or_insert(Value::Bool(true));
            all.push(command(deed.verb, said));
        }
        verb => all.push(command(verb, said)),
    }
    let read = |body: Value| {
        serde_json::from_value::<Command>(body)
            .map_err(|error| Problem::new(deed.verb, "a command", error.to_string()))
    };
    all.into_iter().map(read).collect()
}

/// How many visits to the page are still to begin, and which visit is meant: the one that was asked for, else the one
/// under way, else a new one.
fn visit(payment: Option<&Payment>, asked: Option<usize>) -> (usize, usize) {
    let attempts = payment.map(|payment| payment.attempts.as_slice()).unwrap_or_default();
    let under_way = attempts.iter().rposition(|attempt| attempt.outcome.is_none()).map(|index| index + 1);
    let attempt = asked.or(under_way).unwrap_or(attempts.len() + 1);
    (attempt.saturating_sub(attempts.len()), attempt)
}

/// What the provider says of a visit, or the cashier of the money on the desk: as much as was asked for.
fn told(verb: &str, mut said: Map<String, Value>, payment: Option<&Payment>) -> Value {
    if verb == "payment_fails" {
        said.entry("reason").or_insert_with(|| "refused".into());
        return command("fail_payment", said);
    }
    let (key, usual) = if verb == "pay" { ("transaction", "T-1") } else { ("receipt", "Q-1") };
    let number = said.remove(key).unwrap_or_else(|| usual.into());
    said.insert("transaction".into(), number);
    said.insert("amount".into(), payment.map_or(0, |payment| payment.amount).into());
    said.insert("currency".into(), CURRENCY.into());
    command("settle_payment", said)
}

fn command(name: &str, mut said: Map<String, Value>) -> Value {
    said.insert("command".into(), name.into());
    Value::Object(said)
}

/// Wall-clock times as instants; whatever else is said stays.
fn in_utc(value: Value, instant: &impl Fn(NaiveDateTime) -> DateTime<Utc>) -> Value {
    const TIMES: [&str; 4] = ["from", "until", "slot", "due"];
    match value {
        Value::Object(parts) => {
            let one = |(key, part): (String, Value)| {
                let local = part.as_str().filter(|_| TIMES.contains(&key.as_str())).and_then(local_time);
                let part = match local {
                    Some(local) => json!(instant(local)),
                    None => in_utc(part, instant),
                };
                (key, part)
            };
            Value::Object(parts.into_iter().map(one).collect())
        }
        Value::Array(items) => items.into_iter().map(|item| in_utc(item, instant)).collect(),
        other => other,
    }
}
