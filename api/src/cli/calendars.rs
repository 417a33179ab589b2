//! Calendars read from files or folders named on the command line.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use guichet_engine::rules::calendar::{Calendar, CalendarSheet};
use guichet_engine::rules::language::diagnostic::{self, Fault, Style, locate_all};
use guichet_engine::rules::language::source::{SourceFile, Sources};
use guichet_engine::rules::language::yaml::{self, Kind, Node};
use guichet_engine::rules::text::Language;
use serde_json::Value;

use super::failure::Failure;

/// Reads every calendar among `paths`; a folder stands for the YAML files in it. A calendar is known by the name that
/// its sheet gives it.
pub(crate) fn read_all(paths: &[PathBuf], language: Language) -> Result<BTreeMap<String, Calendar>, Failure> {
    let mut calendars = BTreeMap::new();
    for path in paths {
        for file in files(path, language)? {
            let calendar = read(&file, language)?;
            calendars.insert(calendar.name().to_owned(), calendar);
        }
    }
    Ok(calendars)
}

fn files(path: &Path, language: Language) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| unreadable(path, &error, language))? {
        let file = entry.map_err(|error| unreadable(path, &error, language))?.path();
        if file.extension().is_some_and(|ext| ext == "yaml" || ext == "yml") {
            found.push(file);
        }
    }
    found.sort();
    Ok(found)
}

/// The failure of a file that cannot be read.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error, language: Language) -> Failure {
    let path = path.display();
    Failure::usage(match (error.kind(), language) {
        (ErrorKind::NotFound, Language::Fr) => format!("{path} n’existe pas"),
        (ErrorKind::NotFound, Language::En) => format!("{path} does not exist"),
        (ErrorKind::PermissionDenied, Language::Fr) => format!("{path} : lecture interdite"),
        (ErrorKind::PermissionDenied, Language::En) => format!("{path} may not be read"),
        (_, Language::Fr) => format!("impossible de lire {path} : {error}"),
        (_, Language::En) => format!("cannot read {path}: {error}"),
    })
}

fn read(path: &Path, language: Language) -> Result<Calendar, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error, language))?;
    let mut sources = Sources::default();
    let file = sources.add(SourceFile { path: path.display().to_string(), text });
    let mut faults = Vec::new();
    let tree = yaml::parse(file, sources.text(file), &mut faults);
    let drawn = |faults: Vec<Fault>| {
        let drawn: Vec<String> = locate_all(faults, &sources)
            .iter()
            .map(|finding| diagnostic::render(finding, &sources, language, Style::Plain))
            .collect();
        Failure::found(drawn.join("\n\n"))
    };
    let Some(tree) = tree.filter(|_| faults.is_empty()) else { return Err(drawn(faults)) };
    let mut json = json_of(&tree);
    // A calendar that does not say its name has that of its file.
    if let (Some(map), Some(stem)) = (json.as_object_mut(), path.file_stem().and_then(|stem| stem.to_str())) {
        map.entry("calendar").or_insert_with(|| stem.into());
    }
    let sheet: CalendarSheet = serde_json::from_value(json).map_err(|error| {
        drawn(vec![Fault::error("calendar.shape", tree.mark, error.to_string(), error.to_string())])
    })?;
    Calendar::compile(&sheet).map_err(|error| {
        let path = error.path();
        let node = path.iter().try_fold(&tree, |node, key| step(node, key)).unwrap_or(&tree);
        drawn(vec![Fault::error("calendar.invalid", node.mark, error.to_string(), error.to_string())])
    })
}

fn step<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    match &node.kind {
        Kind::Map(_) => node.get(key),
        Kind::List(items) => key.parse::<usize>().ok().and_then(|at| items.get(at)),
        Kind::Scalar(_) => None,
    }
}

/// The tree as JSON, every scalar a text: a calendar has nothing else.
fn json_of(node: &Node) -> Value {
    match &node.kind {
        Kind::Scalar(_) if node.is_null() => Value::Null,
        Kind::Scalar(scalar) => Value::String(scalar.text.clone()),
        Kind::List(items) => items.iter().map(json_of).collect(),
        Kind::Map(entries) => {
            entries.iter().map(|entry| (entry.key.clone(), json_of(&entry.value))).collect()
        }
    }
}
