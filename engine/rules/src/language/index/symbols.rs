//! What a file says, as an outline to jump around in: stages, tasks, fields, promises, people.

use std::ops::Range;

use super::Index;
use crate::language::grammar::{Group, Referent, Shape};
use crate::language::yaml::{Kind, Node};
use crate::text::Language;

/// Something that a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Its name; a key for a part of a sheet.
    pub name: String,
    /// What people call it.
    pub detail: Option<String>,
    /// What it is; nothing for a part of a sheet.
    pub kind: Option<Referent>,
    /// The bytes of its name.
    pub name_at: Range<usize>,
    /// All its bytes.
    pub whole: Range<usize>,
    /// What is inside.
    pub children: Vec<Symbol>,
}

impl Index {
    /// What a file says, in its order.
    #[must_use]
    pub fn symbols(&self, path: &str, language: Language) -> Vec<Symbol> {
        let Some((_, leaf)) = self.of(path) else { return Vec::new() };
        leaf.document.map(|document| of_group(&leaf.tree, document, language)).unwrap_or_default()
    }
}

/// The parts of a mapping that hold something that has a name, or are worth a line of their own.
fn of_group(node: &Node, group: &'static Group, language: Language) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    for entry in node.map().unwrap_or_default() {
        let Some(key) = group.key(&entry.key) else { continue };
        let children = inside(&entry.value, key.shape, language);
        if children.is_empty() && !is_stage(key.shape, &entry.value) {
            continue;
        }
        let name_at = entry.key_mark.range();
        symbols.push(Symbol {
            name: entry.key.clone(),
            detail: None,
            kind: None,
            whole: name_at.start..extent(&entry.value).max(name_at.end),
            name_at,
            children,
        });
    }
    symbols
}

/// Whether a key opens a part of the file that is worth a line of its own.
fn is_stage(shape: Shape, value: &Node) -> bool {
    match shape {
        Shape::Group(_) | Shape::List(_) | Shape::Keyed(_) | Shape::Named(..) => true,
        // A stage that may be said in one word; a list of words is none.
        Shape::Either(all) => {
            value.map().is_some() && !all.iter().any(|shape| matches!(shape, Shape::Many(_) | Shape::List(_)))
        }
        _ => false,
    }
}

/// The things with names that a value holds.
fn inside(node: &Node, shape: Shape, language: Language) -> Vec<Symbol> {
    match (shape, &node.kind) {
        (Shape::List(Shape::Group(group)), _) => inside(node, Shape::Keyed(group), language),
        (Shape::Keyed(group), Kind::List(items)) => {
            items.iter().filter_map(|item| of_item(item, group, language)).collect()
        }
        (Shape::Named(kind, Shape::Group(group)), Kind::Map(entries)) => entries
            .iter()
            .map(|entry| {
                let name_at = entry.key_mark.range();
                Symbol {
                    name: entry.key.clone(),
                    detail: title(&entry.value, language),
                    kind: Some(kind),
                    whole: name_at.start..extent(&entry.value).max(name_at.end),
                    name_at,
                    children: of_group(&entry.value, group, language)
                        .into_iter()
                        .filter(|symbol| symbol.children.iter().any(|child| child.kind.is_some()))
                        .collect(),
                }
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn of_item(item: &Node, group: &'static Group, language: Language) -> Option<Symbol> {
    let key = group.own_name()?;
    let Shape::Own(kind) = key.shape else { return None };
    let own = item.entry(key.key)?;
    let children = item.map().unwrap_or_default().iter().flat_map(|entry| {
        let shape = group.key(&entry.key).map(|key| key.shape);
        shape.map(|shape| inside(&entry.value, shape, language)).unwrap_or_default()
    });
    let first = item.map()?.first()?.key_mark.start;
    let name_at = own.value.mark.range();
    Some(Symbol {
        name: own.value.text()?.to_owned(),
        detail: title(item, language),
        kind: Some(kind),
        whole: first.min(name_at.start)..extent(item).max(name_at.end),
        name_at,
        children: children.collect(),
    })
}

/// What people call it.
pub(super) fn title(node: &Node, language: Language) -> Option<String> {
    let words = ["title", "label", "name"].iter().find_map(|key| node.get(key))?;
    let chosen = match language {
        Language::En => words.get("en").or_else(|| words.get("fr")),
        Language::Fr => words.get("fr"),
    };
    chosen.unwrap_or(words).text().map(str::to_owned)
}

/// The last byte of a value.
fn extent(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar(scalar) => scalar.raw.end.max(node.mark.end),
        Kind::List(items) => items.iter().map(extent).max().unwrap_or_default().max(node.mark.end),
        Kind::Map(entries) => {
            let inner = entries.iter().map(|entry| extent(&entry.value).max(entry.key_mark.end)).max();
            inner.unwrap_or_default().max(node.mark.end)
        }
    }
}
