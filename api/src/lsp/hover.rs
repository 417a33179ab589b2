//! What the thing under the pointer is.

use gen_lsp_types::Position;
use serde_json::{Value, json};

use super::view::View;

/// Words about what stands at a position.
pub(super) fn answer(view: &View<'_>, position: Position) -> Value {
    let Some(about) = view.index().about(&view.path, view.byte(position), view.settings.language) else {
        return Value::Null;
    };
    let (kind, value) =
        if view.settings.markdown { ("markdown", about.words) } else { ("plaintext", plain(&about.words)) };
    json!({ "contents": { "kind": kind, "value": value }, "range": view.lines.range(about.range) })
}

/// The words without their Markdown.
fn plain(words: &str) -> String {
    let lines = words.lines().filter(|line| !line.starts_with("```") && *line != "---");
    lines.collect::<Vec<_>>().join("\n").replace("**", "").replace('`', "")
}
