//! Messages: what a body says, and what is answered.

use gen_lsp_types::ErrorCodes;
use gen_lsp_types::json_rpc::{Error, Id, RequestObject};
use serde_json::Value;

/// The request was taken back before it was answered.
pub(super) const CANCELLED: ErrorCodes = ErrorCodes::Custom(-32800);

/// What an editor sends.
#[derive(Debug)]
pub(super) enum Incoming {
    /// It wants an answer.
    Request(Id, String, Value),
    /// It tells something.
    Notification(String, Value),
    /// It answers something we asked for. Nothing hangs on what it says.
    Response,
    /// It said nothing that can be understood.
    Malformed(Id, Error),
}

/// An error to answer with.
pub(super) fn error(code: ErrorCodes, message: impl Into<String>) -> Error {
    Error { code, message: message.into(), data: None }
}

/// What a body says.
pub(super) fn read(body: &[u8]) -> Incoming {
    let value: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        // The message of the reader names a line and a column, and no content.
        Err(wrong) => return Incoming::Malformed(Id::Null, error(ErrorCodes::ParseError, wrong.to_string())),
    };
    let id = value.get("id").cloned().and_then(|id| serde_json::from_value(id).ok()).unwrap_or(Id::Null);
    if value.get("method").is_none() && (value.get("result").is_some() || value.get("error").is_some()) {
        return Incoming::Response;
    }
    let wrong = |what: &str| Incoming::Malformed(id.clone(), error(ErrorCodes::InvalidRequest, what));
    if value.get("method").and_then(Value::as_str).is_none() {
        return wrong("neither a request nor a notification nor a response");
    }
    match serde_json::from_value::<RequestObject>(value) {
        Ok(request) => match request.into_parts() {
            (method, Some(id), params) => Incoming::Request(id, method, params.unwrap_or_default()),
            (method, None, params) => Incoming::Notification(method, params.unwrap_or_default()),
        },
        Err(_) => wrong("no message of JSON-RPC 2.0"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(body: &str) -> (Id, ErrorCodes) {
        match read(body.as_bytes()) {
            Incoming::Malformed(id, error) => (id, error.code),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_message_says_so_under_its_own_id_where_it_has_one() {
        assert_eq!(code("{"), (Id::Null, ErrorCodes::ParseError));
        assert_eq!(code(&"[".repeat(100_000)), (Id::Null, ErrorCodes::ParseError));
        assert_eq!(code("[]"), (Id::Null, ErrorCodes::InvalidRequest));
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":7}"#), (Id::Number(7), ErrorCodes::InvalidRequest));
        assert_eq!(code(r#"{"jsonrpc":"1.0","id":"a","method":"x"}"#).0, Id::String("a".into()));
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#).1, ErrorCodes::InvalidRequest);
        assert!(matches!(read(br#"{"jsonrpc":"2.0","id":1,"result":null}"#), Incoming::Response));
    }
}
