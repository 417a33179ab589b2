//! From the files of a folder to a catalogue, with every finding of one run.

use std::collections::{BTreeMap, BTreeSet};

use super::check::{self, Sheet, Whole};
use super::diagnostic::{Diagnostic, Fault, Severity, locate_all};
use super::expression::on_long_stack;
use super::sheet::{
    At, Base, Desk, Header, Item, Library, ScenarioFile, inherit, read_calendar, read_catalogue,
    read_circuit, read_message, read_organisation, read_process, read_scenarios, without_identity,
};
use super::source::{FileId, Mark, SourceFile, Sources, Unread};
use super::unread;
use super::yaml::{self, Node};
use crate::calendar::CalendarSheet;
use crate::organisation::Organisation;
use crate::process::{self, Channel, Costs, Definition, SourceLine};
use crate::text::{Language, Text};

/// The most files of one catalogue.
pub const MAX_FILES: usize = 10_000;

/// Everything that a town has written down, checked and resolved.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// Its id.
    pub catalogue: String,
    /// What people call it.
    pub name: Text,
    /// The languages that people are written to in.
    pub languages: Vec<Language>,
    /// The channels in use.
    pub channels: Vec<Channel>,
    /// Unit costs where a process says nothing of its own.
    pub costs: Costs,
    /// The name of the default calendar, a key of `calendars`.
    pub calendar: String,
    /// Its calendars by name.
    pub calendars: BTreeMap<String, CalendarSheet>,
    /// Collectivities, themes, services, roles, people, stand-ins.
    pub organisation: Organisation,
    /// The processes, resolved, by name.
    pub definitions: Vec<Definition>,
    /// Where the parts of each process were written, for explanations. No part of any version.
    pub places: BTreeMap<String, process::Sources>,
    /// The scenarios.
    pub scenarios: Vec<ScenarioFile>,
    /// The text of `areas.geojson`, if there is one.
    pub areas: Option<String>,
}

/// What came of loading.
#[derive(Debug)]
pub struct Loaded {
    /// The catalogue, if no finding is an error.
    pub catalogue: Option<Catalogue>,
    /// The findings, in the order of files and lines.
    pub diagnostics: Vec<Diagnostic>,
    /// The files, to draw the findings on.
    pub sources: Sources,
    /// Where each part of each process was written, by process and JSON pointer into its definition.
    pub marks: BTreeMap<String, BTreeMap<String, Mark>>,
}

impl Loaded {
    /// Where a part of a process was written; where that is not known, the smallest whole around it that is.
    #[must_use]
    pub fn mark(&self, process: &str, pointer: &str) -> Option<Mark> {
        let marks = self.marks.get(process)?;
        let mut at = pointer;
        loop {
            if let Some(mark) = marks.get(at) {
                return Some(*mark);
            }
            at = at.rsplit_once('/')?.0;
        }
    }
}

impl Catalogue {
    /// Reads and checks the files of a catalogue. Paths are relative to the catalogue's folder, with `/`.
    #[must_use]
    pub fn load(files: Vec<SourceFile>) -> Loaded {
        Self::load_beside(files, Vec::new())
    }

    /// The same where some files could not be read, each of which is a finding.
    #[must_use]
    pub fn load_beside(mut files: Vec<SourceFile>, mut unread: Vec<Unread>) -> Loaded {
        files.retain(|file| role_of(&file.path) != Role::Other);
        unread.retain(|file| role_of(&file.path) != Role::Other);
        files.extend(unread.iter().map(unread::shown));
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let sources = Sources::new(files);
        let (catalogue, faults, marks) = on_long_stack(|| {
            let mut loader = Loader::new(&sources, &unread);
            let catalogue = loader.load();
            (catalogue, loader.faults, loader.marks)
        });
        let diagnostics = locate_all(faults, &sources);
        let sound = diagnostics.iter().all(|d| d.severity != Severity::Error);
        Loaded { catalogue: catalogue.filter(|_| sound), diagnostics, sources, marks }
    }

    /// The process with this name.
    #[must_use]
    pub fn definition(&self, process: &str) -> Option<&Definition> {
        self.definitions.iter().find(|d| d.process == process)
    }
}

/// Findings that mean nothing about a sheet whose base could not be read.
const MAY_BE_INHERITED: [&str; 4] =
    ["key.missing", "privacy.missing", "acknowledgement.missing", "extends.remove_unknown"];

/// Findings that a value has by itself, whatever is said elsewhere.
const OF_SHAPE: [&str; 9] = [
    "key.unknown",
    "value.missing",
    "value.empty",
    "value.kind",
    "value.unknown",
    "duration.invalid",
    "party.invalid",
    "name.invalid",
    "privacy.retention",
];

/// What a file is for, by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Catalogue,
    Organisation,
    Areas,
    Calendar,
    Model,
    Circuit,
    Message,
    Process,
    Scenario,
    Other,
}

pub(super) fn role_of(path: &str) -> Role {
    let Some(stem) = path.strip_suffix(".yaml").or_else(|| path.strip_suffix(".yml")) else {
        return if path == "areas.geojson" { Role::Areas } else { Role::Other };
    };
    if stem.ends_with(".test") {
        return Role::Scenario;
    }
    match stem.split_once('/') {
        None if stem == "catalogue" => Role::Catalogue,
        None if stem == "organisation" => Role::Organisation,
        None => Role::Other,
        Some(("calendars", _)) => Role::Calendar,
        Some(("models", _)) => Role::Model,
        Some(("circuits", _)) => Role::Circuit,
        Some(("messages", _)) => Role::Message,
        // Maps of columns for `guichet import`, read by that command alone.
        Some(("imports", _)) => Role::Other,
        Some(_) => Role::Process,
    }
}

/// A file's name as others refer to it: its path without the extension.
pub(super) fn name_of(path: &str) -> &str {
    let stem = path.strip_suffix(".yaml").or_else(|| path.strip_suffix(".yml")).unwrap_or(path);
    stem.strip_suffix(".test").unwrap_or(stem)
}

struct Loader<'s> {
    sources: &'s Sources,
    unread: &'s [Unread],
    faults: Vec<Fault>,
    used: BTreeSet<String>,
    french_only: BTreeSet<Mark>,
    trees: Vec<(FileId, Role, Node)>,
    unreadable: BTreeSet<String>,
    marks: BTreeMap<String, BTreeMap<String, Mark>>,
}

impl<'s> Loader<'s> {
    fn new(sources: &'s Sources, unread: &'s [Unread]) -> Self {
        Self {
            sources,
            unread,
            faults: Vec::new(),
            used: BTreeSet::new(),
            french_only: BTreeSet::new(),
            trees: Vec::new(),
            unreadable: BTreeSet::new(),
            marks: BTreeMap::new(),
        }
    }

    fn load(&mut self) -> Option<Catalogue> {
        self.parse_all()?;
        let (header, organisation) = self.frame()?;
        let library = self.library(&header, &organisation);
        let models = self.models();
        let sheets = self.sheets(&library, &models);
        self.models_themselves(&library, &models);
        let scenarios = self.scenarios(&library, &sheets);
        let whole = Whole {
            sources: self.sources,
            library: &library,
            models: models.iter().map(|(name, base)| (name.as_str(), base.node.mark)).collect(),
            sheets: &sheets,
            scenarios: &scenarios,
            used: &self.used,
            unreadable: &self.unreadable,
            header_file: self.file(Role::Catalogue),
            french_only: &self.french_only,
        };
        self.faults.extend(check::run(&whole));
        let calendars = library.calendars.iter().map(|(n, item)| (n.clone(), item.value.clone())).collect();
        let places = sheets.iter().map(|s| (s.definition.process.clone(), self.lines(s))).collect();
        let marks = |s: &Sheet| s.places.iter().map(|(pointer, mark)| (pointer.to_owned(), mark)).collect();
        self.marks = sheets.iter().map(|s| (s.definition.process.clone(), marks(s))).collect();
        let areas = self.sources.ids().find(|id| role_of(self.sources.path(*id)) == Role::Areas);
        Some(Catalogue {
            catalogue: header.catalogue.clone(),
            name: header.name.clone(),
            languages: header.languages.clone(),
            channels: header.channels.clone(),
            costs: header.costs,
            calendar: header.calendar.clone(),
            calendars,
            organisation: organisation.clone(),
            definitions: sheets.into_iter().map(|s| s.definition).collect(),
            places,
            scenarios,
            areas: areas.map(|id| self.sources.text(id).to_owned()),
        })
    }

    /// Reads the YAML of every file, whatever is wrong with the others.
    fn parse_all(&mut self) -> Option<()> {
        let mut whole = true;
        for (count, file) in self.sources.ids().enumerate() {
            if count >= MAX_FILES {
                let (fr, en) =
                    (format!("plus de {MAX_FILES} fichiers"), format!("more than {MAX_FILES} files"));
                self.faults.push(Fault::error("catalogue.too_large", start_of(file), fr, en));
                return None;
            }
            let path = self.sources.path(file);
            let role = role_of(path);
            let unread = self.unread.iter().find(|unread| unread.path == path);
            self.faults.extend(unread.map(|unread| unread::fault(unread, file)));
            if role == Role::Areas {
                continue;
            }
            let parsed = match unread {
                None => yaml::parse(file, self.sources.text(file), &mut self.faults),
                Some(_) => None,
            };
            match parsed {
                Some(node) if !node.is_null() => self.trees.push((file, role, node)),
                Some(_) => {
                    let (fr, en) = ("ce fichier est vide", "this file is empty");
                    self.faults.push(Fault::error("file.empty", start_of(file), fr, en));
                    self.unreadable.insert(name_of(self.sources.path(file)).to_owned());
                }
                None => {
                    self.unreadable.insert(name_of(self.sources.path(file)).to_owned());
                    whole &= !matches!(role, Role::Catalogue | Role::Organisation);
                }
            }
        }
        whole.then_some(())
    }

    fn file(&self, role: Role) -> Option<FileId> {
        self.trees.iter().find(|(_, r, _)| *r == role).map(|(file, ..)| *file)
    }

    fn all(&self, role: Role) -> Vec<(FileId, Node)> {
        self.trees
            .iter()
            .filter(|(_, r, _)| *r == role)
            .map(|(file, _, node)| (*file, node.clone()))
            .collect()
    }

    fn desk(&self) -> Desk {
        Desk { unreadable: self.unreadable.clone(), ..Desk::default() }
    }

    /// What was found at a desk; its places are the reader's.
    fn clear(&mut self, desk: Desk) -> super::sheet::Places {
        self.faults.extend(desk.faults);
        self.used.extend(desk.used);
        self.french_only.extend(desk.french_only);
        desk.places
    }

    /// `catalogue.yaml` and `organisation.yaml`, without which nothing else can be looked at.
    fn frame(&mut self) -> Option<(Header, Organisation)> {
        let found = (self.all(Role::Catalogue).pop(), self.all(Role::Organisation).pop());
        let (Some((_, catalogue)), Some((_, organisation))) = found else {
            let missing = if found.0.is_none() { "catalogue.yaml" } else { "organisation.yaml" };
            if let Some(file) = self.sources.ids().next() {
                let (fr, en) = (
                    format!("il manque le fichier `{missing}` à la racine du catalogue"),
                    format!("the file `{missing}` is missing at the root of the catalogue"),
                );
                self.faults.push(Fault::error("catalogue.incomplete", start_of(file), fr, en));
            }
            return None;
        };
        let mut desk = self.desk();
        let (header, tenants) = read_catalogue(&mut desk, &At::root(&catalogue));
        self.clear(desk);
        let mut desk = self.desk();
        let mut organisation = read_organisation(&mut desk, &At::root(&organisation), tenants);
        organisation.themes.clone_from(&header.themes);
        organisation.publication.clone_from(&header.publication);
        self.clear(desk);
        Some((header, organisation))
    }

    /// Reads the files of one role with `read`, each into a shared part with its places.
    fn shared<T>(
        &mut self,
        role: Role,
        read: impl Fn(&mut Desk, &At<'_>, &str) -> Option<T>,
    ) -> BTreeMap<String, Item<T>> {
        let mut items = BTreeMap::new();
        for (file, node) in self.all(role) {
            let name = name_of(self.sources.path(file)).to_owned();
            let mut desk = self.desk();
            let value = read(&mut desk, &At::root(&node), &name);
            let places = self.clear(desk);
            if let Some(value) = value {
                items.insert(name, Item { value, places });
            }
        }
        items
    }

    fn library<'l>(&mut self, header: &'l Header, organisation: &'l Organisation) -> Library<'l> {
        let messages = self.shared(Role::Message, read_message);
        let calendars = self.shared(Role::Calendar, read_calendar);
        let mut library = Library { header, organisation, messages, circuits: BTreeMap::new(), calendars };
        library.circuits =
            self.shared(Role::Circuit, |desk, at, name| read_circuit(desk, at, name, &library));
        library
    }

    fn models(&mut self) -> BTreeMap<String, Base> {
        let mut models = BTreeMap::new();
        for (file, node) in self.all(Role::Model) {
            let name = name_of(self.sources.path(file)).to_owned();
            let own = node.get("model").and_then(Node::text).map(str::to_owned);
            let short = name.rsplit('/').next().unwrap_or(&name);
            if node.map().is_none() {
                let (fr, en) = (
                    "un modèle est fait de clés et de valeurs (`clé: valeur`)",
                    "a model is made of keys with values (`key: value`)",
                );
                self.faults.push(Fault::error("value.kind", node.mark, fr, en));
                self.unreadable.insert(name);
                continue;
            }
            if own.as_deref().is_none_or(|own| own != short && own != name) {
                let mark = node.get("model").map_or(node.mark, |n| n.mark);
                let (fr, en) = (
                    format!("ce fichier s’appelle `{name}` : il lui faut `model: {short}`"),
                    format!("this file is called `{name}`: it needs `model: {short}`"),
                );
                self.faults.push(Fault::error("name.mismatch", mark, fr, en));
            }
            models.insert(name, Base { node });
        }
        models
    }

    /// Looks at the shape of the models' own values, also of those that every sheet replaces.
    fn models_themselves(&mut self, library: &Library<'_>, models: &BTreeMap<String, Base>) {
        for (name, base) in models {
            let mut desk = self.desk();
            let own = without_identity(&base.node, false);
            read_process(&mut desk, &At::root(&own), name, library);
            desk.faults.retain(|fault| OF_SHAPE.contains(&fault.code));
            desk.used.clear();
            self.clear(desk);
        }
    }

    fn sheets(&mut self, library: &Library<'_>, models: &BTreeMap<String, Base>) -> Vec<Sheet> {
        let mut sheets = Vec::new();
        for (file, node) in self.all(Role::Process) {
            let path = name_of(self.sources.path(file)).to_owned();
            let mut desk = self.desk();
            let resolved = inherit(&mut desk, &node, models);
            let complete = resolved.is_some();
            let definition =
                read_process(&mut desk, &At::root(resolved.as_ref().unwrap_or(&node)), &path, library);
            if !complete {
                desk.faults.retain(|fault| !MAY_BE_INHERITED.contains(&fault.code));
            }
            let faults = std::mem::take(&mut desk.faults);
            let sheet = Sheet {
                definition,
                places: self.clear(desk),
                file,
                extends: node.get("extends").map(|n| n.mark),
                name: node.get("process").map_or(node.mark, |n| n.mark),
                complete,
            };
            self.faults.extend(faults.into_iter().map(|mut fault| {
                sheet.say_who_inherits(&mut fault);
                fault
            }));
            sheets.push(sheet);
        }
        sheets
    }

    fn scenarios(&mut self, library: &Library<'_>, sheets: &[Sheet]) -> Vec<ScenarioFile> {
        let processes: Vec<&str> = sheets.iter().map(|s| s.definition.process.as_str()).collect();
        let mut scenarios = Vec::new();
        for (file, node) in self.all(Role::Scenario) {
            let mut desk = self.desk();
            let path = self.sources.path(file);
            scenarios.extend(read_scenarios(&mut desk, &At::root(&node), path, library, &processes));
            self.clear(desk);
        }
        scenarios
    }

    /// The places of a definition as lines, for explanations.
    fn lines(&self, sheet: &Sheet) -> process::Sources {
        sheet
            .places
            .iter()
            .map(|(pointer, mark)| {
                let (line, _) = self.sources.position(mark.file, mark.start);
                let file = self.sources.path(mark.file).to_owned();
                (pointer.to_owned(), SourceLine { file, line: u32::try_from(line).unwrap_or(u32::MAX) })
            })
            .collect()
    }
}

fn start_of(file: FileId) -> Mark {
    Mark { file, start: 0, end: 0 }
}
