//! Where a name is said, and where it is used.

use super::walk::Occurrence;
use super::{Index, Spot};
use crate::language::grammar::{Group, Shape};
use crate::language::outline::{Place, Step};
use crate::language::sheet::IDENTITY;
use crate::language::source::Mark;
use crate::language::yaml::Node;

/// The most models between a sheet and what it inherits from.
const CHAIN_MAX: usize = 32;

impl Index {
    /// The name that stands at a byte of a file.
    pub(super) fn name_at(&self, path: &str, byte: usize) -> Option<&Occurrence> {
        let (file, leaf) = self.of(path)?;
        let around = leaf
            .names
            .iter()
            .filter(|name| name.mark.file == file && name.mark.start <= byte && byte <= name.mark.end);
        around.min_by_key(|name| name.mark.end - name.mark.start)
    }

    /// Where the thing at a byte is said: a name where it was given, a key of a sheet where its model says the same.
    #[must_use]
    pub fn definitions(&self, path: &str, byte: usize) -> Vec<Mark> {
        if let Some(name) = self.wider_name_at(path, byte) {
            let (kind, of) = (name.kind, name.of.as_deref());
            let found = self.meant(path, kind, &name.name, of);
            // The name of a field that the model has too leads on to the model.
            let base = if name.own { self.in_base(path, byte) } else { None };
            return base.map_or(found, |mark| vec![mark]);
        }
        self.in_base(path, byte).into_iter().collect()
    }

    /// As [`Self::name_at`], but anywhere on a value such as `role:x`.
    fn wider_name_at(&self, path: &str, byte: usize) -> Option<&Occurrence> {
        self.name_at(path, byte).or_else(|| {
            let spot = self.spot(path, byte)?;
            let whole = matches!(spot.cursor.place, Place::Value | Place::Start)
                && spot
                    .shapes
                    .iter()
                    .any(|shape| matches!(shape, Shape::Party(_) | Shape::EndOfTask | Shape::Name(_)));
            let end = spot.cursor.token.end;
            if whole && spot.cursor.token.contains(&byte) {
                self.name_at(path, end.saturating_sub(1))
            } else {
                None
            }
        })
    }

    /// Where a base of the sheet says the same key, or has an item of the same name: the nearest one.
    pub(super) fn in_base(&self, path: &str, byte: usize) -> Option<Mark> {
        let Spot { cursor, .. } = self.spot(path, byte)?;
        let (file, leaf) = self.of(path)?;
        let mut wanted = cursor.path;
        if cursor.place == Place::Key {
            wanted.push(Step::Key(
                self.sources.text(file).get(cursor.token)?.trim_matches(['"', '\'']).to_owned(),
            ));
        }
        // What a sheet is called and what it extends is its own.
        if matches!(wanted.first(), Some(Step::Key(key)) if IDENTITY.contains(&key.as_str())) {
            return None;
        }
        let document = leaf.document?;
        let mut sheet = &leaf.tree;
        for _ in 0..CHAIN_MAX {
            let base = self.path_of(sheet.get("extends")?.text()?)?;
            let (_, model) = self.of(&base)?;
            if let Some(mark) = same_place(document, &leaf.tree, &model.tree, &wanted) {
                return Some(mark);
            }
            sheet = &model.tree;
        }
        None
    }

    /// Everywhere the thing at a byte is used, and where it is said if that is wanted.
    #[must_use]
    pub fn references(&self, path: &str, byte: usize, said_too: bool) -> Vec<Mark> {
        let Some(name) = self.wider_name_at(path, byte).cloned() else { return Vec::new() };
        let meant = self.meant(path, name.kind, &name.name, name.of.as_deref());
        let mut marks = Vec::new();
        for (other, file) in &self.files {
            let names = self.leaves.get(file).map(|leaf| leaf.names.as_slice()).unwrap_or_default();
            let same = names.iter().filter(|n| n.kind == name.kind && n.name == name.name && n.of == name.of);
            for found in same.filter(|found| said_too || !found.own) {
                let leads_there = meant.contains(&found.mark)
                    || self
                        .meant(other, found.kind, &found.name, found.of.as_deref())
                        .iter()
                        .any(|m| meant.contains(m));
                if leads_there {
                    marks.push(found.mark);
                }
            }
        }
        marks
    }
}

/// Where `base` has what stands at `path` in `own`. Items of lists that merge are found by their names.
fn same_place(document: &'static Group, own: &Node, base: &Node, path: &[Step]) -> Option<Mark> {
    let (mut own, mut base) = (Some(own), base);
    let mut mark = None;
    for (depth, step) in path.iter().enumerate() {
        match step {
            Step::Key(name) => {
                let entry = base.entry(name)?;
                mark = Some(entry.key_mark);
                own = own.and_then(|node| node.get(name));
                base = &entry.value;
            }
            Step::Item(index) => {
                let shapes = super::walk::shapes_at(document, path.get(..depth)?);
                let group = shapes.into_iter().find_map(|shape| match shape {
                    Shape::Keyed(group) => Some(group),
                    _ => None,
                })?;
                let own_key = group.own_name()?.key;
                let item = own?.list()?.get(*index)?;
                let name = item.get(own_key)?.text()?;
                own = Some(item);
                base =
                    base.list()?.iter().find(|node| node.get(own_key).and_then(Node::text) == Some(name))?;
                mark = base.entry(own_key).map(|entry| entry.value.mark);
            }
        }
    }
    mark
}
