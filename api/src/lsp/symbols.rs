//! The outline of a document.

use gen_lsp_types::SymbolKind;
use guichet_engine::rules::language::grammar::Referent;
use guichet_engine::rules::language::index::Symbol;
use serde_json::{Value, json};

use super::view::View;

/// What a document says, nested where the editor can show it so.
pub(super) fn answer(view: &View<'_>) -> Value {
    let symbols = view.index().symbols(&view.path, view.settings.language);
    if view.settings.nested_symbols {
        return symbols.iter().map(|symbol| nested(view, symbol)).collect();
    }
    let mut flat = Vec::new();
    symbols.iter().for_each(|symbol| flatten(view, symbol, None, &mut flat));
    Value::Array(flat)
}

fn nested(view: &View<'_>, symbol: &Symbol) -> Value {
    let children: Vec<Value> = symbol.children.iter().map(|child| nested(view, child)).collect();
    let mut value = json!({
        "name": symbol.name,
        "kind": kind(symbol.kind),
        "range": view.lines.range(symbol.whole.clone()),
        "selectionRange": view.lines.range(symbol.name_at.clone()),
        "children": children,
    });
    if let (Some(detail), Some(object)) = (&symbol.detail, value.as_object_mut()) {
        object.insert("detail".to_owned(), detail.clone().into());
    }
    value
}

fn flatten(view: &View<'_>, symbol: &Symbol, around: Option<&str>, flat: &mut Vec<Value>) {
    let location = json!({ "uri": view.uri, "range": view.lines.range(symbol.whole.clone()) });
    let mut value = json!({ "name": symbol.name, "kind": kind(symbol.kind), "location": location });
    if let (Some(around), Some(object)) = (around, value.as_object_mut()) {
        object.insert("containerName".to_owned(), around.into());
    }
    flat.push(value);
    symbol.children.iter().for_each(|child| flatten(view, child, Some(&symbol.name), flat));
}

fn kind(kind: Option<Referent>) -> SymbolKind {
    match kind {
        None => SymbolKind::Namespace,
        Some(Referent::Field | Referent::ReportField) => SymbolKind::Field,
        Some(Referent::OptionValue) => SymbolKind::EnumMember,
        Some(Referent::Task | Referent::Step) => SymbolKind::Method,
        Some(Referent::Commitment) => SymbolKind::Event,
        Some(Referent::Role | Referent::Service | Referent::Person | Referent::Tenant) => SymbolKind::Class,
        Some(Referent::Scenario) => SymbolKind::Function,
        Some(_) => SymbolKind::Object,
    }
}
