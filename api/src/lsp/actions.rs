//! Remedies: what a finding proposes to write instead.

use gen_lsp_types::{CodeActionParams, Diagnostic, Range};
use serde_json::{Value, json};

use super::view::View;

/// The remedies of the findings in a stretch of the document.
pub(super) fn answer(view: &View<'_>, params: &CodeActionParams) -> Value {
    let given = &params.context.diagnostics;
    // An editor that keeps what we attach to a finding gives it back where the finding has moved to meanwhile.
    let kept = given.iter().any(|finding| suggestion(finding).is_some());
    let told =
        view.catalogue.told.get(&view.path).map(|(_, findings)| findings.as_slice()).unwrap_or_default();
    let findings = if kept { given.as_slice() } else { told };
    let near = findings.iter().filter(|finding| touches(finding.range, params.range));
    near.filter_map(|finding| remedy(view, finding)).collect()
}

fn suggestion(finding: &Diagnostic) -> Option<&str> {
    finding.data.as_ref()?.get("suggestion")?.as_str()
}

fn touches(one: Range, other: Range) -> bool {
    one.start <= other.end && other.start <= one.end
}

fn remedy(view: &View<'_>, finding: &Diagnostic) -> Option<Value> {
    let new_text = suggestion(finding)?;
    let title = view.settings.say(format!("Écrire `{new_text}`"), format!("Write `{new_text}`"));
    let edit = json!({ "range": finding.range, "newText": new_text });
    Some(json!({
        "title": title,
        "kind": "quickfix",
        "diagnostics": [finding],
        "isPreferred": true,
        "edit": { "changes": { view.uri.as_ref(): [edit] } },
    }))
}
