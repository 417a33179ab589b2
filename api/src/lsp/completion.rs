//! Completion of keys, words and names.

use gen_lsp_types::{CompletionItemKind, InsertTextFormat, Position};
use guichet_engine::rules::language::grammar::Referent;
use guichet_engine::rules::language::index::{Suggestion, SuggestionKind};
use serde_json::{Value, json};

use super::view::View;

/// The most suggestions of one answer; an editor asks again when more letters are there.
const SUGGESTIONS_MAX: usize = 1_000;

/// What can be written at a position.
pub(super) fn answer(view: &View<'_>, position: Position) -> Value {
    let found = view.index().suggestions(&view.path, view.byte(position), view.settings.language);
    let cut = found.len() > SUGGESTIONS_MAX;
    let items: Vec<Value> =
        found.iter().take(SUGGESTIONS_MAX).enumerate().map(|(order, one)| item(view, one, order)).collect();
    json!({ "isIncomplete": cut, "items": items })
}

fn item(view: &View<'_>, suggestion: &Suggestion, order: usize) -> Value {
    let hole = suggestion.hole.as_ref().filter(|_| view.settings.snippets);
    let (new_text, format) = match hole {
        Some(example) => {
            let (text, example) = (escaped(&suggestion.insert), escaped(example));
            (format!("{text}${{1:{example}}}"), InsertTextFormat::Snippet)
        }
        None => (suggestion.insert.clone(), InsertTextFormat::PlainText),
    };
    let mut item = json!({
        "label": suggestion.label,
        "kind": kind(suggestion.kind),
        // Officers write keys in an order; the alphabet is no help.
        "sortText": format!("{order:04}"),
        "insertTextFormat": format,
        "textEdit": { "range": view.lines.range(suggestion.range.clone()), "newText": new_text },
    });
    if let Some(object) = item.as_object_mut() {
        if suggestion.insert.trim_start() != suggestion.label {
            object.insert("filterText".to_owned(), filter(view, suggestion).into());
        }
        if let Some(detail) = &suggestion.detail {
            object.insert("detail".to_owned(), detail.clone().into());
        }
        if let Some(about) = &suggestion.about {
            let documentation = json!({ "kind": "markdown", "value": about });
            object.insert("documentation".to_owned(), documentation);
        }
    }
    item
}

/// What the letters already there are compared with: a quote that is being written over belongs to them.
fn filter(view: &View<'_>, suggestion: &Suggestion) -> String {
    let written = view.index().text(&view.path).and_then(|text| text.get(suggestion.range.clone()));
    let quote = written.and_then(|written| written.chars().next()).filter(|c| matches!(c, '"' | '\''));
    quote.into_iter().chain(suggestion.label.chars()).collect()
}

/// Text in a snippet, in which `$`, `}` and `\` mean something.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('$', "\\$").replace('}', "\\}")
}

fn kind(kind: SuggestionKind) -> CompletionItemKind {
    match kind {
        SuggestionKind::Key => CompletionItemKind::Property,
        SuggestionKind::Word => CompletionItemKind::EnumMember,
        SuggestionKind::Fact => CompletionItemKind::Variable,
        SuggestionKind::Example => CompletionItemKind::Value,
        SuggestionKind::Name(Referent::Field | Referent::ReportField) => CompletionItemKind::Field,
        SuggestionKind::Name(Referent::Role | Referent::Person | Referent::Service) => {
            CompletionItemKind::Class
        }
        SuggestionKind::Name(Referent::Task | Referent::Step) => CompletionItemKind::Method,
        SuggestionKind::Name(Referent::Commitment) => CompletionItemKind::Event,
        SuggestionKind::Name(_) => CompletionItemKind::Reference,
    }
}
