//! From a folder of YAML to processes in force.

use std::path::Path;

use guichet_engine::rules::language::diagnostic::{Style, render};
use guichet_engine::rules::language::{Catalogue, Diagnostic, Severity, Sources};
use guichet_engine::rules::text::Language;
use guichet_engine::{EngineError, Publication};

use crate::catalogue_folder::{CatalogueFolderError, read_catalogue_folder};

/// Why a catalogue does not enter into force. Nothing of it does then.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Its files cannot be read.
    #[error(transparent)]
    Folder(#[from] CatalogueFolderError),
    /// It has errors.
    #[error("{0}")]
    Faults(Faults),
    /// The journal cannot take it.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What is wrong with a catalogue, all of it.
#[derive(Debug)]
pub struct Faults {
    /// The findings, in the order of files and lines.
    pub diagnostics: Vec<Diagnostic>,
    /// The files, to draw the findings on.
    pub sources: Sources,
}

impl Faults {
    /// The findings drawn on their lines, for a terminal without colours.
    #[must_use]
    pub fn drawn(&self, language: Language) -> String {
        let drawn = self.diagnostics.iter().map(|d| render(d, &self.sources, language, Style::Plain));
        drawn.collect::<Vec<_>>().join("\n")
    }
}

impl std::fmt::Display for Faults {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let errors = self.diagnostics.iter().filter(|d| d.severity == Severity::Error);
        writeln!(formatter, "the catalogue has {} errors", errors.count())?;
        formatter.write_str(&self.drawn(Language::En))
    }
}

/// Reads, checks and resolves the catalogue of a folder.
///
/// # Errors
/// [`PublishError::Folder`] and [`PublishError::Faults`].
pub fn load_folder(folder: &Path) -> Result<Catalogue, PublishError> {
    let loaded = Catalogue::load(read_catalogue_folder(folder)?);
    match loaded.catalogue {
        Some(catalogue) => Ok(catalogue),
        None => {
            Err(PublishError::Faults(Faults { diagnostics: loaded.diagnostics, sources: loaded.sources }))
        }
    }
}

/// What a catalogue brings into force.
#[must_use]
pub fn publication_of(catalogue: &Catalogue) -> Publication {
    let definitions = catalogue.definitions.iter().map(|definition| {
        let places = catalogue.places.get(&definition.process).cloned().unwrap_or_default();
        (definition.clone(), places)
    });
    Publication { definitions: definitions.collect(), organisation: catalogue.organisation.clone() }
}
