//! What is offered to an editor.

use serde_json::{Value, json};

use super::settings::Settings;

/// The answer to `initialize`.
pub(super) fn offered(settings: &Settings) -> Value {
    json!({
        "serverInfo": { "name": "guichet", "version": env!("CARGO_PKG_VERSION") },
        "capabilities": {
            "positionEncoding": settings.encoding.name(),
            // Changes come as the stretches that changed.
            "textDocumentSync": { "openClose": true, "change": 2, "save": { "includeText": false } },
            // `:` after `role`, `.` after `form`, `{` in a message, `'` in a comparison, `-` and a blank before a value.
            "completionProvider": { "triggerCharacters": [":", ".", "{", "'", "-", " ", "/"] },
            "hoverProvider": true,
            "definitionProvider": true,
            "referencesProvider": true,
            "documentSymbolProvider": true,
            "codeActionProvider": { "codeActionKinds": ["quickfix"] },
        },
    })
}
