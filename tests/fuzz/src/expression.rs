//! Rules: refused with a place in their text, or total on every request that may come.

use std::sync::LazyLock;

use guichet_rules::language::Expression;
use guichet_rules::language::expression::{Environment, Hidden, Type};
use guichet_rules::process::Bindings;
use serde_json::{Map, Value, json};

/// A name of every type there is.
static NAMES: LazyLock<Environment> = LazyLock::new(|| {
    let form = Type::record([
        ("danger", Type::Boolean),
        ("kind", Type::choice(["trou", "affaissement", "marquage"])),
        ("tags", Type::List(Box::new(Type::choice(["nuit", "pluie"])), 2)),
        ("photos", Type::List(Box::new(Type::file()), 3)),
        ("place", Type::location()),
        ("details", Type::Text),
        ("count", Type::Integer),
        ("height", Type::Number),
        ("day", Type::Date),
        ("hour", Type::Time),
        ("email", Type::Hidden(Hidden::Personal)),
    ]);
    let report = Type::record([("made_safe", Type::Boolean), ("metres", Type::Integer)]);
    let task = Type::record([("report", report), ("done", Type::Boolean), ("skipped", Type::Boolean)]);
    let request = Type::record([
        ("channel", Type::choice(["phone", "web"])),
        ("priority", Type::Hidden(Hidden::TooEarly)),
        ("reopened", Type::Integer),
    ]);
    Environment::new()
        .with("form", form)
        .with("tasks", Type::record([("visite", task)]))
        .with("request", request)
        .with("requester", Type::record([("anonymous", Type::Boolean)]))
});

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// Nothing given; everything given; the largest that can be given; nothing of the type it should have.
static REQUESTS: LazyLock<[Bindings; 4]> = LazyLock::new(|| {
    let full = json!({
        "danger": true, "kind": "trou", "tags": ["nuit", "pluie"], "details": "près de l’école", "count": 3,
        "photos": [{ "type": "image/png", "size": 11 }], "place": [48.957, 4.363], "height": 1.5,
        "day": "2026-05-07", "hour": "16:50",
    });
    let large = json!({
        "count": i64::MAX, "height": f64::MAX, "details": "é".repeat(2_000), "tags": vec!["nuit"; 50],
        "photos": vec![json!({ "type": "x", "size": i64::MIN }); 50], "place": { "lat": -1e308, "lon": 1e308 },
    });
    let wrong = json!({
        "danger": "oui", "kind": 7, "tags": { "nuit": 1 }, "photos": [null, 3, []], "place": "ici", "count": "12,5",
        "height": null, "day": [], "hour": {}, "details": false,
    });
    [json!({}), full, large, wrong].map(|form| Bindings {
        form: object(form),
        request: object(json!({ "channel": "phone", "reopened": 1 })),
        tasks: object(json!({ "visite": { "done": true, "report": { "made_safe": true } } })),
        requester: object(json!({ "anonymous": true })),
    })
});

/// Compiles the rule; evaluates it on every request, if it compiles.
pub(crate) fn try_out(text: &str) {
    match crate::in_time(|| Expression::compile(text, &NAMES)) {
        Ok(expression) => evaluates(&expression),
        Err(found) => {
            assert!(!found.is_empty(), "refused without a reason");
            for finding in found {
                assert!(text.get(finding.range.clone()).is_some(), "{finding:?} is outside the rule");
            }
        }
    }
}

fn evaluates(expression: &Expression) {
    for request in REQUESTS.iter() {
        // Sums may leave the range of whole numbers, so a rule may fail; but it never says two things.
        let said = crate::in_time(|| expression.holds(request));
        assert_eq!(said, expression.holds(request), "the same rule on the same request");
        if let (Some(constant), Ok(said)) = (expression.constant(), &said) {
            assert_eq!(constant, *said, "called constant, and is not");
        }
        assert_eq!(expression.operands(request).len(), expression.reads().count());
    }
}
