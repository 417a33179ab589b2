//! `extends`: a sheet says only what differs from its base.

use std::collections::BTreeMap;

use super::desk::{At, Desk, Kind};
use crate::language::diagnostic::Fault;
use crate::language::source::Mark;
use crate::language::yaml::{Entry, Kind as Tree, Node};

/// Lists whose items have a name, and the key that holds it: they merge item by item.
const KEYED: [(&str, &str); 4] =
    [("form", "field"), ("report", "field"), ("treatment", "task"), ("steps", "step")];

/// The keys that say who a sheet is, and are never inherited.
pub(in crate::language) const IDENTITY: [&str; 4] = ["process", "model", "extends", "remove"];

/// A model, as written.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) node: Node,
}

/// The sheet with everything it inherits written out; nothing, if a base cannot be found. Each part keeps the place
/// where it was written.
pub(crate) fn inherit(desk: &mut Desk, sheet: &Node, models: &BTreeMap<String, Base>) -> Option<Node> {
    let mut chain: Vec<(String, Mark)> = Vec::new();
    let mut layers = vec![sheet];
    let mut at = sheet;
    while let Some(entry) = at.entry("extends") {
        let Some(name) = entry.value.text().filter(|_| !entry.value.is_null()) else {
            let (fr, en) = ("il faut le nom d’un modèle ici", "the name of a model is needed here");
            desk.fault(Fault::error("value.kind", entry.value.mark, fr, en));
            return None;
        };
        if let Some((_, first)) = chain.iter().find(|(seen, _)| seen == name) {
            let (fr, en) = (format!("`{name}` se prolonge lui-même"), format!("`{name}` extends itself"));
            let fault = Fault::error("extends.loop", entry.value.mark, fr, en);
            desk.fault(fault.label(*first, "la boucle commence ici", "the loop begins here"));
            return None;
        }
        let kind = Kind { code: "model.unknown", fr: "modèle inconnu", en: "unknown model" };
        if !desk.known(name, entry.value.mark, models.keys().map(String::as_str), &kind) {
            return None;
        }
        desk.used.insert(name.to_owned());
        chain.push((name.to_owned(), entry.value.mark));
        let base = models.get(name)?;
        layers.push(&base.node);
        at = &base.node;
    }
    let mut layers = layers.into_iter().rev();
    let first = layers.next()?;
    // The first has nothing to take away from.
    let nothing = Node { kind: Tree::Map(Vec::new()), mark: first.mark };
    removed(desk, nothing, first);
    Some(layers.fold(without_identity(first, std::ptr::eq(first, sheet)), |base, own| {
        let own_is_sheet = std::ptr::eq(own, sheet);
        let base = removed(desk, base, own);
        merge(&base, &without_identity(own, own_is_sheet), "")
    }))
}

/// A layer without the keys that say who it is, unless it is the sheet itself.
pub(crate) fn without_identity(node: &Node, keep: bool) -> Node {
    let Tree::Map(entries) = &node.kind else { return node.clone() };
    let stays = |e: &&Entry| keep && e.key != "remove" || !IDENTITY.contains(&e.key.as_str());
    Node { kind: Tree::Map(entries.iter().filter(stays).cloned().collect()), mark: node.mark }
}

/// The base without what `own` takes away: fields, tasks, commitments, messages by name.
fn removed(desk: &mut Desk, base: Node, own: &Node) -> Node {
    let Some(entry) = own.entry("remove") else { return base };
    let names: Vec<&Node> = match entry.value.list() {
        Some(items) => items.iter().collect(),
        None => vec![&entry.value],
    };
    let mut base = base;
    let mut known = Vec::new();
    for name in &names {
        let Some(text) = desk.text(&At::root(name)) else { continue };
        let text = text.as_str();
        let before = base.size();
        base = take_away(base, text, &mut known);
        if base.size() == before {
            let kind = Kind {
                code: "extends.remove_unknown",
                fr: "rien à retirer de ce nom",
                en: "nothing of this name to remove",
            };
            known.sort_unstable();
            known.dedup();
            desk.known(text, name.mark, known.iter().map(String::as_str), &kind);
        }
    }
    base
}

fn take_away(mut base: Node, name: &str, known: &mut Vec<String>) -> Node {
    let Tree::Map(entries) = &mut base.kind else { return base };
    for entry in entries {
        let key = KEYED.iter().find(|(list, _)| *list == entry.key).map(|(_, key)| *key);
        match (&mut entry.value.kind, key) {
            (Tree::List(items), Some(key)) => {
                known.extend(items.iter().filter_map(|i| i.get(key)?.text().map(str::to_owned)));
                items.retain(|i| i.get(key).and_then(Node::text) != Some(name));
            }
            (Tree::Map(inner), _) if entry.key == "commitments" || entry.key == "messages" => {
                known.extend(inner.iter().map(|e| e.key.clone()));
                inner.retain(|e| e.key != name);
            }
            _ => {}
        }
    }
    base
}

fn merge(base: &Node, own: &Node, key: &str) -> Node {
    match (&base.kind, &own.kind) {
        (Tree::Map(theirs), Tree::Map(ours)) => {
            Node { kind: Tree::Map(merge_maps(theirs, ours)), mark: own.mark }
        }
        (Tree::List(theirs), Tree::List(ours)) => match KEYED.iter().find(|(list, _)| *list == key) {
            Some((_, name)) => Node { kind: Tree::List(merge_lists(theirs, ours, name)), mark: own.mark },
            None => own.clone(),
        },
        _ => own.clone(),
    }
}

fn merge_maps(theirs: &[Entry], ours: &[Entry]) -> Vec<Entry> {
    let mut merged: Vec<Entry> = theirs
        .iter()
        .map(|base| match ours.iter().find(|own| own.key == base.key) {
            Some(own) => Entry { value: merge(&base.value, &own.value, &own.key), ..own.clone() },
            None => base.clone(),
        })
        .collect();
    merged.extend(ours.iter().filter(|own| !theirs.iter().any(|base| base.key == own.key)).cloned());
    merged
}

fn merge_lists(theirs: &[Node], ours: &[Node], name: &str) -> Vec<Node> {
    let same = |a: &Node, b: &Node| {
        let name_of = |node: &Node| node.get(name).and_then(Node::text).map(str::to_owned);
        name_of(a).is_some() && name_of(a) == name_of(b)
    };
    let mut merged: Vec<Node> = theirs
        .iter()
        .map(|base| match ours.iter().find(|own| same(base, own)) {
            Some(own) => merge(base, own, ""),
            None => base.clone(),
        })
        .collect();
    merged.extend(ours.iter().filter(|own| !theirs.iter().any(|base| same(base, own))).cloned());
    merged
}
