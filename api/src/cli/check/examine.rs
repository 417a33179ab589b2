//! Reads what lies below a path and finds what is wrong with it.

use std::path::{Path, PathBuf};

use guichet_engine::rules::language::diagnostic::{Diagnostic, locate_all};
use guichet_engine::rules::language::{Catalogue, SourceFile, Sources};
use guichet_engine::rules::text::Language;

use super::super::calendars::unreadable;
use super::super::catalogue::{read, root_of};
use super::super::failure::Failure;
use super::{covers, inside};
use crate::CatalogueFiles;
use crate::import::{beside, read_map};

/// What was found below one path.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) found: Vec<Diagnostic>,
    pub(super) sources: Sources,
    /// How many processes were read.
    pub(super) processes: usize,
    /// The folder that the files' paths begin in.
    pub(super) root: PathBuf,
}

/// What is wrong below a path.
pub(super) fn examine(path: &Path, language: Language) -> Result<Vec<Findings>, Failure> {
    if let Err(error) = std::fs::metadata(path) {
        return Err(unreadable(path, &error, language));
    }
    let Some(root) = root_of(path) else {
        let path = path.display();
        return Err(Failure::usage(match language {
            Language::Fr => {
                format!("{path} n’est ni un catalogue ni dans un catalogue (aucun catalogue.yaml)")
            }
            Language::En => format!("{path} neither is a catalogue nor lies in one (no catalogue.yaml)"),
        }));
    };
    let within = inside(&root, path);
    Ok(of_files(read(&root, language)?, &root, &within))
}

/// What is wrong with the files of a catalogue, as far as `within` covers them.
pub(super) fn of_files(files: CatalogueFiles, root: &Path, within: &str) -> Vec<Findings> {
    let (maps, sheets): (Vec<SourceFile>, Vec<SourceFile>) =
        files.files.into_iter().partition(|file| file.path.starts_with("imports/"));
    let loaded = Catalogue::load_beside(sheets, files.unread);
    let processes = loaded.sources.ids().filter(|id| is_process(loaded.sources.path(*id), within)).count();
    let mut found = loaded.diagnostics;
    found.retain(|finding| covers(within, &finding.place.file));
    let mut all = vec![Findings { found, sources: loaded.sources, processes, root: root.to_owned() }];
    for map in maps.into_iter().filter(|map| covers(within, &map.path)) {
        let mut sources = Sources::default();
        let file = sources.add(map);
        let found = match (read_map(file, &sources), &loaded.catalogue) {
            (Err(found), _) => found,
            (Ok(map), Some(catalogue)) => locate_all(beside(&map, catalogue), &sources),
            // What the map names may be what could not be read.
            (Ok(_), None) => Vec::new(),
        };
        all.push(Findings { found, sources, processes: 0, root: root.to_owned() });
    }
    all
}

fn is_process(file: &str, within: &str) -> bool {
    const PARTS: [&str; 5] = ["calendars", "models", "circuits", "messages", "imports"];
    let folder = file.split_once('/').map(|(folder, _)| folder);
    let sheet = file.strip_suffix(".yaml").is_some_and(|stem| !stem.ends_with(".test"));
    sheet && covers(within, file) && folder.is_some_and(|folder| !PARTS.contains(&folder))
}
