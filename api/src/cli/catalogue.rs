//! Catalogues on the disk: found, read, checked.

use std::path::{Path, PathBuf};

use guichet_engine::rules::language::diagnostic::{Diagnostic, Severity, Style, render};
use guichet_engine::rules::language::{Catalogue, Loaded, Sources};
use guichet_engine::rules::text::Language;

use super::failure::Failure;
use crate::{CatalogueFiles, CatalogueFolderError, read_catalogue_files};

/// Where the reference town stands in the repository.
pub(crate) const CHALONS: &str = "processes/chalons";

/// The catalogue's folder that `path` lies in, or is.
pub(crate) fn root_of(path: &Path) -> Option<PathBuf> {
    let full = std::fs::canonicalize(path).ok()?;
    let root = full.ancestors().find(|folder| folder.join("catalogue.yaml").is_file())?;
    // The path is kept as it was written, as long as that names the same folder.
    let depth = full.ancestors().position(|folder| folder == root)?;
    let written = path.ancestors().nth(depth).filter(|p| std::fs::canonicalize(p).is_ok_and(|p| p == root));
    let written = written.map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    Some(written.unwrap_or(root).to_owned())
}

/// The folder of the Châlons catalogue: below the current folder or one above it.
pub(crate) fn chalons() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().map(|folder| folder.join(CHALONS)).find(|folder| folder.join("catalogue.yaml").is_file())
}

/// Reads and checks the catalogue in `folder`.
pub(crate) fn load(folder: &Path, language: Language) -> Result<Loaded, Failure> {
    let CatalogueFiles { files, unread } = read(folder, language)?;
    Ok(Catalogue::load_beside(files, unread))
}

/// Reads the files of the catalogue in `folder`.
pub(crate) fn read(folder: &Path, language: Language) -> Result<CatalogueFiles, Failure> {
    read_catalogue_files(folder).map_err(|error| failure(&error, language))
}

/// The catalogue in `folder`, or its first errors.
pub(crate) fn sound(folder: &Path, language: Language) -> Result<Catalogue, Failure> {
    whole(folder, language).map(|(catalogue, _)| catalogue)
}

/// The catalogue in `folder` with its files and the places of its parts, or its first errors.
pub(crate) fn whole(folder: &Path, language: Language) -> Result<(Catalogue, Loaded), Failure> {
    let mut loaded = load(folder, language)?;
    match loaded.catalogue.take() {
        Some(catalogue) => Ok((catalogue, loaded)),
        None => Err(unsound(folder, &loaded, language)),
    }
}

/// The first errors of a catalogue that cannot be used.
pub(crate) fn unsound(folder: &Path, loaded: &Loaded, language: Language) -> Failure {
    let errors = loaded.diagnostics.iter().filter(|finding| finding.severity == Severity::Error);
    let drawn = errors.take(3).map(|error| render(error, &loaded.sources, language, Style::Plain));
    let drawn: Vec<String> = drawn.collect();
    let (folder, drawn) = (folder.display(), drawn.join("\n\n"));
    Failure::found(match language {
        Language::Fr => {
            format!(
                "le catalogue {folder} contient des erreurs ; `guichet check` les montre toutes\n\n{drawn}"
            )
        }
        Language::En => {
            format!("the catalogue {folder} has errors; `guichet check` shows all of them\n\n{drawn}")
        }
    })
}

/// The findings as people read them, one blank line between two.
pub(crate) fn drawn(
    findings: &[Diagnostic],
    sources: &Sources,
    language: Language,
    coloured: bool,
) -> Vec<String> {
    let style = if coloured { Style::Coloured } else { Style::Plain };
    findings.iter().map(|finding| render(finding, sources, language, style)).collect()
}

pub(crate) fn failure(error: &CatalogueFolderError, language: Language) -> Failure {
    Failure::usage(folder_words(error, language))
}

/// Why a folder cannot be read, for a person.
pub(crate) fn folder_words(error: &CatalogueFolderError, language: Language) -> String {
    use CatalogueFolderError as E;
    match (error, language) {
        (_, Language::En) => error.to_string(),
        (E::Unreadable { path, source }, Language::Fr) => {
            format!("impossible de lire {} : {source}", path.display())
        }
        (E::NoCatalogue { path }, Language::Fr) => {
            format!("{} n’est pas un catalogue : il n’y a pas de fichier catalogue.yaml", path.display())
        }
        (E::TooLarge { path }, Language::Fr) => format!("{} dépasse la taille permise", path.display()),
        (E::NotText { path }, Language::Fr) => format!("{} n’est pas du texte UTF-8", path.display()),
        (E::TooMuch { path }, Language::Fr) => {
            format!("{} contient plus de 32 Mio de fiches", path.display())
        }
        (E::TooMany { path }, Language::Fr) => {
            format!("{} contient trop de fichiers, ou des dossiers trop profonds", path.display())
        }
    }
}
