//! A file's tree and the description of the language, walked side by side: which names stand where.

use std::ops::Range;

use super::rule::{chains, placeholders};
use crate::language::grammar::{Group, Key, Referent, Shape};
use crate::language::outline::Step;
use crate::language::source::Mark;
use crate::language::yaml::{Kind, MAX_DEPTH, Node, Scalar};

/// A name that stands somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Occurrence {
    pub(super) kind: Referent,
    pub(super) name: String,
    /// For a field of a report: the task.
    pub(super) of: Option<String>,
    pub(super) mark: Mark,
    /// Whether the thing is said here; else it is referred to.
    pub(super) own: bool,
    /// The mapping or list that the name stands in.
    pub(super) path: Vec<Step>,
}

/// What surrounds the names of a file.
pub(super) struct Walk<'a> {
    /// The text of a file that a mark points into: a sheet with its bases written out comes from several.
    pub(super) text: &'a dyn Fn(Mark) -> &'a str,
    /// Names of promises are said here, and not only referred to.
    pub(super) promises: bool,
    /// Words for people have placeholders here.
    pub(super) templates: bool,
    /// The task around the place.
    pub(super) task: Option<String>,
    pub(super) path: Vec<Step>,
    pub(super) found: Vec<Occurrence>,
}

impl Walk<'_> {
    pub(super) fn node(&mut self, node: &Node, shape: Shape) {
        if self.path.len() > MAX_DEPTH {
            return;
        }
        match (shape, &node.kind) {
            (Shape::Either(all), _) => {
                if let Some(fitting) = all.iter().find(|shape| fits(**shape, node)) {
                    self.node(node, *fitting);
                }
            }
            (Shape::Group(group), Kind::Map(_)) => self.group(node, group),
            (Shape::Named(kind, shape), Kind::Map(entries)) => {
                for entry in entries {
                    let own = self.promises && kind == Referent::Commitment;
                    self.found(kind, &entry.key, entry.key_mark, own);
                    self.below(Step::Key(entry.key.clone()), &entry.value, *shape);
                }
            }
            (Shape::List(shape) | Shape::Many(shape), Kind::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.below(Step::Item(index), item, *shape);
                }
            }
            (Shape::Keyed(group), Kind::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.below(Step::Item(index), item, Shape::Group(group));
                }
            }
            (Shape::Many(shape), _) => self.node(node, *shape),
            (Shape::Words, Kind::Map(entries)) => {
                entries.iter().for_each(|entry| self.node(&entry.value, Shape::Words));
            }
            (_, Kind::Scalar(scalar)) if node.text().is_some() => self.scalar(scalar, shape),
            _ => {}
        }
    }

    fn below(&mut self, step: Step, node: &Node, shape: Shape) {
        self.path.push(step);
        self.node(node, shape);
        self.path.pop();
    }

    fn group(&mut self, node: &Node, group: &'static Group) {
        let named = node.get("task").or_else(|| node.get("complete")).and_then(Node::text);
        let outer = self.task.clone();
        if let Some(task) = named {
            self.task = Some(task.to_owned());
        }
        for entry in node.map().unwrap_or_default() {
            if let Some(key) = group.key(&entry.key) {
                self.below(Step::Key(entry.key.clone()), &entry.value, key.shape);
            }
        }
        self.task = outer;
    }

    fn found(&mut self, kind: Referent, name: &str, mark: Mark, own: bool) {
        let path = self.path.clone();
        let report = kind == Referent::ReportField
            || (kind == Referent::Field && path.iter().any(|step| *step == Step::Key("report".to_owned())));
        let kind = if report { Referent::ReportField } else { kind };
        let of = if report { self.task.clone() } else { None };
        self.found.push(Occurrence { kind, name: name.to_owned(), of, mark, own, path });
    }

    fn scalar(&mut self, scalar: &Scalar, shape: Shape) {
        let mark = |range: Range<usize>| scalar.locate_range((self.text)(scalar.raw), range);
        let whole = 0..scalar.text.len();
        match shape {
            Shape::Own(kind) => self.found(kind, &scalar.text, mark(whole), true),
            Shape::Name(kind) => {
                let start = prefix(&scalar.text).map_or(0, |(_, length)| length);
                let name = scalar.text.get(start..).unwrap_or_default();
                self.found(kind, name, mark(start..whole.end), false);
            }
            Shape::Party(_) => {
                if let Some((kind, start)) = prefix(&scalar.text) {
                    let name = scalar.text.get(start..).unwrap_or_default();
                    self.found(kind, name, mark(start..whole.end), false);
                }
            }
            Shape::EndOfTask => {
                if let Some(task) = scalar.text.strip_prefix("task:").map(str::trim) {
                    self.found(Referent::Task, task, mark(whole.end - task.len()..whole.end), false);
                }
            }
            Shape::Expression => {
                let places: Vec<_> =
                    chains(&scalar.text).into_iter().flat_map(|chain| chain.names()).collect();
                for (kind, of, name, range) in places {
                    let (mark, path) = (mark(range), self.path.clone());
                    self.found.push(Occurrence { kind, name, of, mark, own: false, path });
                }
            }
            Shape::Words if self.templates => {
                for (kind, of, name, range) in placeholders(&scalar.text) {
                    let (mark, path) = (mark(range), self.path.clone());
                    self.found.push(Occurrence { kind, name, of, mark, own: false, path });
                }
            }
            _ => {}
        }
    }
}

/// `role:`, `service:` or `person:`, and the length of it with the blanks behind.
pub(super) fn prefix(text: &str) -> Option<(Referent, usize)> {
    let (word, rest) = text.split_once(':')?;
    let kind = match word.trim() {
        "role" => Referent::Role,
        "service" => Referent::Service,
        "person" => Referent::Person,
        _ => return None,
    };
    Some((kind, text.len() - rest.trim_start().len()))
}

/// Whether a value is of a shape, as far as it can be seen from outside.
fn fits(shape: Shape, node: &Node) -> bool {
    match (shape, &node.kind) {
        (Shape::Any, _) => true,
        (Shape::Either(all), _) => all.iter().any(|shape| fits(*shape, node)),
        (Shape::Group(_) | Shape::Named(..), Kind::Map(_)) => true,
        (Shape::Words, Kind::Map(_) | Kind::Scalar(_)) => true,
        (Shape::List(_) | Shape::Keyed(_) | Shape::Many(_), Kind::List(_)) => true,
        (Shape::Many(inner), _) => fits(*inner, node),
        (_, Kind::Map(_) | Kind::List(_)) => false,
        (Shape::OneOf(words), Kind::Scalar(scalar)) => words.iter().any(|word| word.word == scalar.text),
        (Shape::EndOfTask, Kind::Scalar(scalar)) => scalar.text.starts_with("task:"),
        (Shape::Boolean | Shape::Done, Kind::Scalar(scalar)) => {
            matches!(scalar.text.as_str(), "true" | "false")
        }
        (Shape::Group(_) | Shape::Named(..) | Shape::List(_) | Shape::Keyed(_), Kind::Scalar(_)) => false,
        (_, Kind::Scalar(_)) => true,
    }
}

/// What may stand at a path of a document: all the shapes that are possible there, none of them an alternative itself.
pub(super) fn shapes_at(document: &'static Group, path: &[Step]) -> Vec<Shape> {
    let mut shapes = vec![Shape::Group(document)];
    for step in path {
        shapes = shapes.into_iter().flat_map(|shape| below(shape, step)).collect();
    }
    shapes
}

/// The key whose value a path leads to, or lies in.
pub(super) fn key_at(document: &'static Group, path: &[Step]) -> Option<&'static Key> {
    let last = path.iter().rposition(|step| matches!(step, Step::Key(_)))?;
    let Some(Step::Key(name)) = path.get(last) else { return None };
    let around = shapes_at(document, path.get(..last)?);
    around.into_iter().find_map(|shape| groups(shape).into_iter().find_map(|group| group.key(name)))
}

fn below(shape: Shape, step: &Step) -> Vec<Shape> {
    let next: Vec<Shape> = match (shape, step) {
        (Shape::Words, Step::Key(key)) if key == "fr" || key == "en" => vec![Shape::Words],
        (Shape::Named(_, shape), Step::Key(_)) => vec![*shape],
        (Shape::List(shape) | Shape::Many(shape), Step::Item(_)) => vec![*shape],
        (Shape::Keyed(group), Step::Item(_)) => vec![Shape::Group(group)],
        (shape, Step::Key(key)) => {
            groups(shape).into_iter().filter_map(|group| group.key(key)).map(|key| key.shape).collect()
        }
        (_, Step::Item(_)) => Vec::new(),
    };
    next.into_iter().flat_map(alternatives).collect()
}

/// The mappings with known keys that a shape may be.
pub(super) fn groups(shape: Shape) -> Vec<&'static Group> {
    match shape {
        Shape::Group(group) => vec![group],
        Shape::Many(shape) => groups(*shape),
        Shape::Either(all) => all.iter().flat_map(|shape| groups(*shape)).collect(),
        _ => Vec::new(),
    }
}

/// A shape, or those that it leaves the choice between.
fn alternatives(shape: Shape) -> Vec<Shape> {
    match shape {
        Shape::Either(all) => all.iter().flat_map(|shape| alternatives(*shape)).collect(),
        other => vec![other],
    }
}
