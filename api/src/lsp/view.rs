//! A question about a place in a document: which catalogue, which file of it, which byte.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gen_lsp_types::{Location, Position, Range, Uri};
use guichet_engine::rules::language::Index;
use guichet_engine::rules::language::source::Mark;

use super::catalogue::Catalogue;
use super::documents::Documents;
use super::position::Lines;
use super::settings::Settings;

/// A document that a question is about, inside its catalogue.
pub(super) struct View<'s> {
    pub(super) settings: &'s Settings,
    pub(super) documents: &'s Documents,
    pub(super) catalogue: &'s Catalogue,
    /// The file's path inside the catalogue.
    pub(super) path: String,
    pub(super) uri: Uri,
    pub(super) lines: Lines<'s>,
}

impl<'s> View<'s> {
    /// The document with this address, if it is open and lies in a catalogue: the innermost, where they nest.
    pub(super) fn of(
        uri: Uri,
        settings: &'s Settings,
        documents: &'s Documents,
        catalogues: &'s BTreeMap<PathBuf, Catalogue>,
    ) -> Option<Self> {
        let path = documents.get(&uri)?.path.as_deref()?;
        let inside = catalogues.values().filter_map(|catalogue| Some((catalogue, catalogue.inside(path)?)));
        let (catalogue, path) = inside.min_by_key(|(_, path)| path.len())?;
        let lines = Lines::new(catalogue.index.text(&path)?, settings.encoding);
        Some(Self { settings, documents, catalogue, path, uri, lines })
    }

    pub(super) fn index(&self) -> &'s Index {
        &self.catalogue.index
    }

    pub(super) fn byte(&self, position: Position) -> usize {
        self.lines.byte(position)
    }

    /// A place of any file of the catalogue, as the editor addresses it.
    pub(super) fn location(&self, mark: Mark) -> Option<Location> {
        let sources = self.index().sources();
        let uri = self.catalogue.uri(sources.path(mark.file), self.documents)?;
        let range: Range = Lines::new(sources.text(mark.file), self.settings.encoding).range(mark.range());
        Some(Location { uri, range })
    }
}
