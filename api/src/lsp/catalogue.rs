//! Catalogues that documents lie in: what is on the disk, and over it what the editor holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gen_lsp_types::{Diagnostic, Uri};
use guichet_engine::rules::language::Index;

use super::address;
use super::documents::Documents;
use crate::{CatalogueFolderError, read_catalogue_folder};

/// The most catalogues that are looked after at once.
pub(super) const CATALOGUES_MAX: usize = 16;

/// One catalogue.
#[derive(Debug)]
pub(super) struct Catalogue {
    /// Its folder, links followed.
    pub(super) root: PathBuf,
    /// Its files.
    pub(super) index: Index,
    /// How often it has changed.
    pub(super) revision: u64,
    /// The revision whose check was asked for last.
    pub(super) asked: u64,
    /// What the editor was last told, file by file: only what differs is sent.
    pub(super) told: BTreeMap<String, (Option<i32>, Vec<Diagnostic>)>,
}

impl Catalogue {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, index: Index::new(), revision: 1, asked: 0, told: BTreeMap::new() }
    }

    /// Reads the folder again, and lays the open documents over it.
    ///
    /// # Errors
    /// If the folder cannot be read; what was known of it stays, and the open documents are taken in.
    pub(super) fn refresh(&mut self, documents: &Documents) -> Result<(), CatalogueFolderError> {
        let files = read_catalogue_folder(&self.root);
        let mut changed = false;
        let read = match files {
            Ok(files) => {
                let known: Vec<String> = self.index.paths().map(str::to_owned).collect();
                for gone in known.iter().filter(|path| files.iter().all(|file| file.path != **path)) {
                    if self.document(gone, documents).is_none() {
                        changed |= self.index.remove(gone);
                    }
                }
                for file in files {
                    if self.document(&file.path, documents).is_none() {
                        changed |= self.index.put(&file.path, &file.text);
                    }
                }
                Ok(())
            }
            // A catalogue that is being written for the first time has no `catalogue.yaml` on the disk yet.
            Err(CatalogueFolderError::NoCatalogue { .. }) => Ok(()),
            Err(error) => Err(error),
        };
        for (_, document) in documents.iter() {
            if let Some(path) = document.path.as_deref().and_then(|path| self.inside(path)) {
                changed |= self.index.put(&path, &document.text);
            }
        }
        self.revision += u64::from(changed);
        read
    }

    /// Takes in the text of one open document.
    pub(super) fn put(&mut self, path: &str, text: &str) {
        self.revision += u64::from(self.index.put(path, text));
    }

    /// The path of a file inside the catalogue, with `/`, if it lies in it and is a part of one.
    pub(super) fn inside(&self, path: &Path) -> Option<String> {
        let inside = path.strip_prefix(&self.root).ok()?;
        let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
        let part_of_it = inside.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "geojson")
            && !parts.iter().any(|part| part.starts_with('.'));
        part_of_it.then(|| parts.join("/"))
    }

    /// The address of a file of the catalogue: the editor's own, if it is open.
    pub(super) fn uri(&self, path: &str, documents: &Documents) -> Option<Uri> {
        match self.document(path, documents) {
            Some((uri, _)) => Some(uri.clone()),
            None => address::uri_of(&self.root.join(path)),
        }
    }

    /// The version of a file that is open.
    pub(super) fn version(&self, path: &str, documents: &Documents) -> Option<i32> {
        self.document(path, documents).map(|(_, version)| version)
    }

    fn document<'d>(&self, path: &str, documents: &'d Documents) -> Option<(&'d Uri, i32)> {
        let full = self.root.join(path);
        documents
            .iter()
            .find(|(_, document)| document.path.as_deref() == Some(full.as_path()))
            .map(|(uri, document)| (uri, document.version))
    }
}

/// The folder of the catalogue that a file lies in: the nearest above it with a `catalogue.yaml`, on the disk or open.
pub(super) fn root_of(path: &Path, documents: &Documents) -> Option<PathBuf> {
    let has = |folder: &Path| {
        let header = folder.join("catalogue.yaml");
        header.is_file() || documents.iter().any(|(_, document)| document.path.as_deref() == Some(&header))
    };
    path.ancestors().skip(1).find(|folder| has(folder)).map(Path::to_owned)
}
