//! JSON bodies, bounded and checked; nothing of what was sent stands in the answer.

use axum::body::Bytes;
use axum::extract::{FromRequest, MatchedPath, Request};
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use super::super::problem::Problem;
use super::super::{App, terms};

/// The deepest nesting of a JSON body.
pub(crate) const JSON_DEPTH_MAX: usize = 32;

/// The code of bodies that are JSON and not what was expected.
const BODY_SHAPE: &str = "body.shape";

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &App) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::not_json());
        }
        let method = request.method().as_str().to_owned();
        let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
        let bytes = Bytes::from_request(request, state).await?;
        parse(&bytes).map(Self).map_err(|mut problem| {
            if let (true, Some(route)) = (problem.code == BODY_SHAPE, route) {
                let body = serde_json::from_slice(&bytes).unwrap_or_default();
                problem.errors = terms::misfits(&method, &route, &body);
            }
            problem
        })
    }
}

pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// The value in `bytes`. What was sent is never repeated in the answer: it may be somebody's letter.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if depth(bytes) > JSON_DEPTH_MAX {
        return Err(Problem::malformed(
            "body.too_deep",
            format!("Le JSON est imbriqué sur plus de {JSON_DEPTH_MAX} niveaux."),
            format!("The JSON is nested more than {JSON_DEPTH_MAX} deep."),
        ));
    }
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Problem::malformed(
            "body.malformed",
            format!("Le corps n’est pas du JSON valable : ligne {line}, colonne {column}."),
            format!("The body is not valid JSON: line {line}, column {column}."),
        )
    })?;
    serde_json::from_value(value).map_err(|error| {
        let why = without_values(&error.to_string());
        Problem::unprocessable(
            BODY_SHAPE,
            format!("Le corps n’a pas la forme attendue : {why}."),
            format!("The body does not have the expected shape: {why}."),
        )
    })
}

/// How deep the brackets of a JSON text go, those inside of strings left out.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut inside, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match (inside, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (true, b'"') => inside = false,
            (true, _) => {}
            (false, b'"') => inside = true,
            (false, b'[' | b'{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            (false, _) => {}
        }
    }
    deepest
}

/// The words of a decoding error without the values that it quotes; names in backticks are the client's own keys or ours.
fn without_values(words: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    for symbol in words.chars().filter(|c| !c.is_control()).take(400) {
        match symbol {
            '"' => {
                quoted = !quoted;
                if quoted {
                    out.push('…');
                }
            }
            symbol if !quoted => out.push(symbol),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_counted_outside_of_strings() {
        assert_eq!(depth(br#"{"a":["[[[[\"[[",{"b":1}]}"#), 3);
        assert_eq!(depth(b"[[[["), 4);
        let deep = [b"[".repeat(33), b"]".repeat(33)].concat();
        assert_eq!(parse::<serde_json::Value>(&deep).unwrap_err().code, "body.too_deep");
    }

    #[test]
    fn what_was_sent_is_never_repeated() {
        #[derive(Debug, serde::Deserialize)]
        struct Shape {
            #[serde(rename = "age")]
            _age: u8,
        }
        let problem = parse::<Shape>(br#"{"age":"Jeanne Dupont"}"#).unwrap_err();
        assert_eq!((problem.status, problem.code.as_str()), (422, "body.shape"));
        assert!(!problem.text.en.contains("Jeanne"), "{}", problem.text.en);
        let problem = parse::<Shape>(br#"{"age":"#).unwrap_err();
        assert_eq!((problem.status, problem.code.as_str()), (400, "body.malformed"));
    }
}
