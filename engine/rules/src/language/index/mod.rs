//! A catalogue as an editor sees it: files that change one at a time and are wrong most of the time, names, where they
//! are said and where they are used, and what stands at a byte.
//!
//! [`Catalogue::load`](super::Catalogue::load) says what is wrong with a whole. The index says what is where, also in a
//! file that the reader of YAML refuses because a line is half written.

mod complete;
mod explain;
mod find;
mod rule;
mod scope;
mod symbols;
mod walk;
mod words;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

pub use complete::{Suggestion, SuggestionKind};
pub use explain::About;
pub use symbols::Symbol;

use super::grammar::{self, Group, Key, Referent, Shape};
use super::load::name_of;
use super::outline::{Cursor, Outline, Step};
use super::source::{FileId, Mark, SourceFile, Sources};
use super::yaml::{self, Node};
use crate::process::Definition;
use scope::{Resolved, Shared};
use walk::{Occurrence, Walk, key_at, shapes_at};

/// The files of a catalogue, kept in step with an editor.
#[derive(Debug, Default)]
pub struct Index {
    sources: Sources,
    files: BTreeMap<String, FileId>,
    leaves: BTreeMap<FileId, Leaf>,
    /// What is worked out when it is first asked for, and forgotten when a file changes.
    shared: OnceCell<Rc<Shared>>,
    resolved: RefCell<BTreeMap<String, Option<Rc<Resolved>>>>,
    definitions: RefCell<BTreeMap<String, Rc<Definition>>>,
}

/// What is known of a file.
#[derive(Debug)]
struct Leaf {
    document: Option<&'static Group>,
    tree: Node,
    outline: Outline,
    names: Vec<Occurrence>,
}

/// What stands at a byte.
struct Spot {
    cursor: Cursor,
    /// All that may stand there.
    shapes: Vec<Shape>,
    /// The key whose value it is.
    key: Option<&'static Key>,
}

impl Index {
    /// An index of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a file, or its new text. Says whether anything changed.
    pub fn put(&mut self, path: &str, text: &str) -> bool {
        let file = if let Some(file) = self.files.get(path) {
            if self.sources.text(*file) == text && self.leaves.contains_key(file) {
                return false;
            }
            self.sources.set(*file, text.to_owned());
            *file
        } else {
            let file = self.sources.add(SourceFile { path: path.to_owned(), text: text.to_owned() });
            self.files.insert(path.to_owned(), file);
            file
        };
        let leaf = self.leaf(file, path);
        self.leaves.insert(file, leaf);
        self.forget();
        true
    }

    /// Forgets a file. Says whether there was one.
    pub fn remove(&mut self, path: &str) -> bool {
        let Some(file) = self.files.remove(path) else { return false };
        self.sources.set(file, String::new());
        self.leaves.remove(&file);
        self.forget();
        true
    }

    fn forget(&mut self) {
        self.shared = OnceCell::new();
        self.resolved = RefCell::default();
        self.definitions = RefCell::default();
    }

    fn leaf(&self, file: FileId, path: &str) -> Leaf {
        let text = self.sources.text(file);
        let outline = Outline::read(text);
        let document = grammar::document(path);
        let read =
            document.and_then(|_| yaml::parse(file, text, &mut Vec::new())).filter(|tree| !tree.is_null());
        let tree = read.unwrap_or_else(|| outline.tree(file, text));
        let mut names = document.map(|document| self.names(&tree, document, path)).unwrap_or_default();
        // A file is referred to by its path, whatever it calls itself.
        for own in names.iter_mut().filter(|name| name.own && names_file(name.kind)) {
            own.name = name_of(path).to_owned();
        }
        Leaf { document, tree, outline, names }
    }

    fn names(&self, tree: &Node, document: &'static Group, path: &str) -> Vec<Occurrence> {
        let text = |mark: Mark| self.sources.text(mark.file);
        let mut walk = Walk {
            text: &text,
            promises: std::ptr::eq(document, &raw const grammar::PROCESS)
                || std::ptr::eq(document, &raw const grammar::MODEL),
            templates: path.starts_with("messages/"),
            task: None,
            path: Vec::new(),
            found: Vec::new(),
        };
        walk.node(tree, Shape::Group(document));
        walk.found
    }

    /// The files, to turn marks into places.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The paths of all files, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The text of a file, if it is here.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(|file| self.sources.text(*file))
    }

    /// All files as they stand.
    #[must_use]
    pub fn files(&self) -> Vec<SourceFile> {
        let file = |(path, file): (&String, &FileId)| SourceFile {
            path: path.clone(),
            text: self.sources.text(*file).to_owned(),
        };
        self.files.iter().map(file).collect()
    }

    fn of(&self, path: &str) -> Option<(FileId, &Leaf)> {
        let file = *self.files.get(path)?;
        Some((file, self.leaves.get(&file)?))
    }

    /// Every name of the catalogue that is of this kind and is said somewhere.
    fn said(&self, kind: Referent) -> impl Iterator<Item = &Occurrence> {
        self.leaves.values().flat_map(|leaf| &leaf.names).filter(move |name| name.own && name.kind == kind)
    }

    fn spot(&self, path: &str, byte: usize) -> Option<Spot> {
        let (file, leaf) = self.of(path)?;
        let cursor = leaf.outline.cursor(self.sources.text(file), byte)?;
        let document = leaf.document?;
        let shapes = shapes_at(document, &cursor.path);
        let key = key_at(document, &cursor.path);
        Some(Spot { cursor, shapes, key })
    }
}

/// Whether things of this kind are whole files.
fn names_file(kind: Referent) -> bool {
    matches!(
        kind,
        Referent::Message | Referent::Circuit | Referent::Calendar | Referent::Model | Referent::Process
    )
}

#[cfg(test)]
mod tests;
