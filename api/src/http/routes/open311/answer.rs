//! Answers of Open311: one shape, written as XML or as the JSON that the Spark convention makes of that XML: the root
//! goes away, repeated elements become an array, an empty element becomes `null`.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use guichet_engine::rules::text::Language;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::dress::OwnForm;
use crate::http::problem::Problem;

/// In which form a client wants its answer: the ending of the address says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// `.xml`
    Xml,
    /// `.json`
    Json,
}

impl Format {
    /// Takes the ending off the last part of an address.
    pub(super) fn split(name: &str) -> Result<(&str, Self), Fault> {
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
        match ending {
            "xml" if !stem.is_empty() => Ok((stem, Self::Xml)),
            "json" if !stem.is_empty() => Ok((stem, Self::Json)),
            _ => Err(Problem::not_found().into()),
        }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Xml => "text/xml; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }
}

/// An answer whose root element is `root`.
pub(super) fn written(status: StatusCode, format: Format, root: &str, value: &impl Serialize) -> Response {
    let value = serde_json::to_value(value).unwrap_or_default();
    let body = match format {
        Format::Xml => xml(root, &value),
        Format::Json => value.to_string(),
    };
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, format.content_type());
    response.extensions_mut().insert(OwnForm);
    response
}

/// What the elements of a list are called.
fn item_of(list: &str) -> &str {
    match list {
        "service_requests" => "request",
        "service_request_updates" => "request_update",
        plural => plural.strip_suffix('s').unwrap_or("item"),
    }
}

fn xml(root: &str, value: &Value) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Writing into memory cannot fail.
    let _ = writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)));
    element(&mut writer, root, value);
    let mut text = String::from_utf8(writer.into_inner()).unwrap_or_default();
    text.push('\n');
    text
}

/// One element; how deep they go is settled by the shapes written, none of which a client chooses.
fn element(writer: &mut Writer<Vec<u8>>, name: &str, value: &Value) {
    let text = match value {
        Value::Null => None,
        Value::String(text) => Some(clean(text)),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => {
            let _ = writer.write_event(Event::Start(BytesStart::new(name)));
            match value {
                Value::Array(items) => items.iter().for_each(|item| element(writer, item_of(name), item)),
                Value::Object(parts) => parts.iter().for_each(|(part, value)| element(writer, part, value)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
            let _ = writer.write_event(Event::End(BytesEnd::new(name)));
            return;
        }
    };
    match text {
        None => {
            let _ = writer.write_event(Event::Empty(BytesStart::new(name)));
        }
        Some(text) => {
            let _ = writer.write_event(Event::Start(BytesStart::new(name)));
            let _ = writer.write_event(Event::Text(BytesText::new(&text)));
            let _ = writer.write_event(Event::End(BytesEnd::new(name)));
        }
    }
}

/// What an XML 1.0 document may hold (XML 1.0, production 2), without the controls of C1.
fn clean(text: &str) -> String {
    let allowed = |c: &char| match *c {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        c => !c.is_control(),
    };
    text.chars().filter(allowed).collect()
}

/// One error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Open311Error, example = json!({ "code": "404", "description": "service_code: no such service." }))]
pub(crate) struct ErrorRow {
    /// The status, or a finer one: `422` for a value that cannot be, where the status is 400.
    #[schema(pattern = "^[0-9]{3}$")]
    pub(super) code: String,
    /// What is wrong, for people.
    pub(super) description: String,
}

/// Why something is not done: a problem, spoken in Open311's words.
#[derive(Debug)]
pub(super) struct Fault(Vec<Problem>);

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl<E> From<E> for Fault
where
    Problem: From<E>,
    E: std::error::Error,
{
    fn from(error: E) -> Self {
        Self(vec![error.into()])
    }
}

impl Fault {
    /// Several things wrong at once.
    pub(super) fn of(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }

    /// An argument that is missing or cannot be read.
    pub(super) fn argument(name: &str, fr: impl AsRef<str>, en: impl AsRef<str>) -> Problem {
        let code = format!("open311.{name}");
        Problem::malformed(&code, format!("{name} : {}", fr.as_ref()), format!("{name}: {}", en.as_ref()))
    }

    /// An argument that names nothing here.
    pub(super) fn unknown(name: &str, fr: impl AsRef<str>, en: impl AsRef<str>) -> Problem {
        let code = format!("open311.{name}");
        Problem::new(
            StatusCode::NOT_FOUND,
            &code,
            format!("{name} : {}", fr.as_ref()),
            format!("{name}: {}", en.as_ref()),
        )
    }

    /// The code of the problem, if there is only one.
    pub(super) fn code(&self) -> &str {
        self.0.first().map_or("", |problem| problem.code.as_str())
    }

    /// Whether the engine says that the field at this pointer may not be given, or is too long.
    pub(super) fn is_about(&self, pointer: &str) -> bool {
        self.0.iter().flat_map(|problem| &problem.errors).any(|error| error.pointer == pointer)
    }

    /// With fields called by the arguments that they are filled from.
    pub(super) fn naming(mut self, argument: impl Fn(&str) -> Option<&'static str>) -> Self {
        for error in self.0.iter_mut().flat_map(|problem| &mut problem.errors) {
            let path = error.pointer.trim_start_matches("/form/").to_owned();
            let field = path.split('/').next().unwrap_or_default();
            let contact = path.strip_prefix("/requester/contact/");
            error.pointer = match contact.or(argument(field)) {
                Some("name") => "first_name, last_name".to_owned(),
                Some(name) => name.to_owned(),
                None => format!("attribute[{}]", path.replace('/', ".")),
            };
        }
        self
    }

    /// The answer: 404 for what does not exist, 403 for a key that is missing or wrong, 400 for whatever else is the
    /// client's; what tells to come back later keeps its status.
    pub(super) fn answer(self, format: Format, language: Language) -> Response {
        let first = self.0.first();
        let status = match first.map_or(500, |problem| problem.status) {
            401 | 403 => StatusCode::FORBIDDEN,
            status @ (404 | 429) | status @ 500..=599 => {
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            _ => StatusCode::BAD_REQUEST,
        };
        let retry = first.and_then(|problem| problem.retry_after);
        let rows: Vec<ErrorRow> =
            self.0.into_iter().flat_map(|problem| rows(problem.speaking(language))).collect();
        let mut response = written(status, format, "errors", &rows);
        if let Some(seconds) = retry {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn rows(problem: Problem) -> Vec<ErrorRow> {
    let code = if problem.status == 401 { 403 } else { problem.status };
    let row = |description: String| ErrorRow { code: code.to_string(), description };
    if problem.errors.is_empty() {
        return vec![row(problem.detail)];
    }
    let named = |pointer: &str| pointer.trim_start_matches("/form").trim_start_matches('/').replace('/', ".");
    problem.errors.iter().map(|error| row(format!("{}: {}", named(&error.pointer), error.detail))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_shape_is_written_twice() {
        let value = json!([{ "a": "<x> & \"y\" ]]>", "b": null, "c": true, "d": 1.5, "values": [{ "key": "é\u{0}\u{b}" }] }]);
        assert_eq!(
            xml("service_requests", &value),
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<service_requests>\n  <request>\n    \
             <a>&lt;x&gt; &amp; &quot;y&quot; ]]&gt;</a>\n    <b/>\n    <c>true</c>\n    <d>1.5</d>\n    <values>\n      <value>\n        \
             <key>é</key>\n      </value>\n    </values>\n  </request>\n</service_requests>\n"
        );
    }

    #[test]
    fn statuses_are_those_of_the_specification() {
        let status =
            |problem: Problem| Fault::from(problem).answer(Format::Json, Language::En).status().as_u16();
        assert_eq!(status(Problem::unauthorized()), 403);
        assert_eq!(status(Problem::forbidden("n", "n")), 403);
        assert_eq!(status(Problem::not_found()), 404);
        assert_eq!(status(Problem::unprocessable("x", "f", "e")), 400);
        assert_eq!(status(Problem::too_large()), 400);
        assert_eq!(status(Problem::too_many(3)), 429);
        assert_eq!(status(Problem::busy()), 503);
    }
}
