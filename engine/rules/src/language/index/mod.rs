//! A catalogue as an editor sees it: files that change one at a time and are wrong most of the time, names, where they
//! are said and where they are used, and what stands at a byte.
//!
//! [`Catalogue::load`](super::Catalogue::load) says what is wrong with a whole. The index says what is where, also in a
//! file that the reader of YAML refuses because a line is half written.

use std::collections::BTreeMap;

use super::load::{Role, role_of};
use super::source::{FileId, SourceFile, Sources};

/// The files of a catalogue, kept in step with an editor.
#[derive(Debug, Default)]
pub struct Index {
    sources: Sources,
    files: BTreeMap<String, FileId>,
}

impl Index {
    /// An index of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a file, or its new text. Says whether anything changed.
    pub fn put(&mut self, path: &str, text: &str) -> bool {
        if let Some(file) = self.files.get(path) {
            if self.sources.text(*file) == text {
                return false;
            }
            self.sources.set(*file, text.to_owned());
        } else {
            let file = self.sources.add(SourceFile { path: path.to_owned(), text: text.to_owned() });
            self.files.insert(path.to_owned(), file);
        }
        true
    }

    /// Forgets a file. Says whether there was one.
    pub fn remove(&mut self, path: &str) -> bool {
        let Some(file) = self.files.remove(path) else { return false };
        self.sources.set(file, String::new());
        true
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

    fn of_role(&self, role: Role) -> impl Iterator<Item = (&str, FileId)> {
        self.files
            .iter()
            .filter(move |(path, _)| role_of(path) == role)
            .map(|(path, file)| (path.as_str(), *file))
    }
}
