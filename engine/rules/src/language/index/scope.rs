//! What the names of a sheet can mean: the sheet with its bases written out, and what all sheets share.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::walk::Occurrence;
use super::{Index, names_file};
use crate::calendar::CalendarSheet;
use crate::language::grammar::{self, Referent};
use crate::language::load::{Role, name_of, role_of};
use crate::language::sheet::{
    At, Base, Desk, Header, Item, Library, inherit, read_calendar, read_catalogue, read_circuit,
    read_message, read_organisation, read_process,
};
use crate::language::source::Mark;
use crate::language::yaml::Node;
use crate::organisation::Organisation;
use crate::process::{Circuit, Definition, Message};

/// A process or a model with its bases written out.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) node: Node,
    /// All its names, each where it was written.
    pub(super) names: Vec<Occurrence>,
}

/// What all sheets share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) header: Header,
    pub(super) organisation: Organisation,
    pub(super) messages: BTreeMap<String, Item<Message>>,
    pub(super) circuits: BTreeMap<String, Item<Circuit>>,
    pub(super) calendars: BTreeMap<String, Item<CalendarSheet>>,
    models: BTreeMap<String, Base>,
}

/// The most sheets that are asked what they send or use: who wants to know more asks the checker.
const SHEETS_MAX: usize = 64;

impl Shared {
    fn library(&self) -> Library<'_> {
        Library {
            header: &self.header,
            organisation: &self.organisation,
            messages: self.messages.clone(),
            circuits: self.circuits.clone(),
            calendars: self.calendars.clone(),
        }
    }
}

impl Index {
    fn trees(&self, role: Role) -> impl Iterator<Item = (&str, &Node)> {
        self.files.iter().filter(move |(path, _)| role_of(path) == role).filter_map(|(path, file)| {
            let leaf = self.leaves.get(file)?;
            Some((name_of(path), &leaf.tree))
        })
    }

    /// What all sheets share, as good as it can be read.
    pub(super) fn shared(&self) -> Rc<Shared> {
        Rc::clone(self.shared.get_or_init(|| Rc::new(self.read_shared())))
    }

    fn read_shared(&self) -> Shared {
        let mut desk = Desk::default();
        let (header, tenants) = match self.trees(Role::Catalogue).next() {
            Some((_, tree)) => read_catalogue(&mut desk, &At::root(tree)),
            None => (Header::default(), Vec::new()),
        };
        let mut organisation = match self.trees(Role::Organisation).next() {
            Some((_, tree)) => read_organisation(&mut desk, &At::root(tree), tenants),
            None => Organisation { tenants, ..Organisation::default() },
        };
        organisation.themes.clone_from(&header.themes);
        let mut shared = Shared {
            header,
            organisation,
            messages: self.items(Role::Message, read_message),
            circuits: BTreeMap::new(),
            calendars: self.items(Role::Calendar, read_calendar),
            models: self
                .trees(Role::Model)
                .map(|(name, node)| (name.to_owned(), Base { node: node.clone() }))
                .collect(),
        };
        let library = shared.library();
        let circuits = self.items(Role::Circuit, |desk, at, name| read_circuit(desk, at, name, &library));
        shared.circuits = circuits;
        shared
    }

    fn items<T>(
        &self,
        role: Role,
        read: impl Fn(&mut Desk, &At<'_>, &str) -> Option<T>,
    ) -> BTreeMap<String, Item<T>> {
        let mut items = BTreeMap::new();
        for (name, tree) in self.trees(role) {
            let mut desk = Desk::default();
            if let Some(value) = read(&mut desk, &At::root(tree), name) {
                items.insert(name.to_owned(), Item { value, places: desk.places });
            }
        }
        items
    }

    /// The sheet or model in a file, with its bases written out.
    pub(super) fn resolved(&self, path: &str) -> Option<Rc<Resolved>> {
        if let Some(known) = self.resolved.borrow().get(path) {
            return known.clone();
        }
        let resolved = self.resolve_file(path).map(Rc::new);
        self.resolved.borrow_mut().insert(path.to_owned(), resolved.clone());
        resolved
    }

    fn resolve_file(&self, path: &str) -> Option<Resolved> {
        if !matches!(role_of(path), Role::Process | Role::Model) {
            return None;
        }
        let (_, leaf) = self.of(path)?;
        let shared = self.shared();
        let node =
            inherit(&mut Desk::default(), &leaf.tree, &shared.models).unwrap_or_else(|| leaf.tree.clone());
        let names = self.names(&node, &grammar::PROCESS, path);
        Some(Resolved { node, names })
    }

    /// What the rules of a sheet or model may know. Whatever is wrong with it, this is as good as can be read.
    pub(super) fn definition(&self, path: &str) -> Option<Rc<Definition>> {
        if let Some(known) = self.definitions.borrow().get(path) {
            return Some(Rc::clone(known));
        }
        let resolved = self.resolved(path)?;
        let shared = self.shared();
        let (mut desk, at) = (Desk::default(), At::root(&resolved.node));
        let definition = Rc::new(read_process(&mut desk, &at, name_of(path), &shared.library()));
        self.definitions.borrow_mut().insert(path.to_owned(), Rc::clone(&definition));
        Some(definition)
    }

    /// The path of the sheet that a file is about: its own, or that of the process whose scenarios it holds.
    pub(super) fn sheet_of(&self, path: &str) -> Option<String> {
        match role_of(path) {
            Role::Process | Role::Model => Some(path.to_owned()),
            Role::Scenario => {
                let (_, leaf) = self.of(path)?;
                self.path_of(leaf.tree.get("process")?.text()?)
            }
            Role::Catalogue
            | Role::Organisation
            | Role::Areas
            | Role::Calendar
            | Role::Circuit
            | Role::Message
            | Role::Other => None,
        }
    }

    /// The file with this name.
    pub(super) fn path_of(&self, name: &str) -> Option<String> {
        [".yaml", ".yml"].iter().map(|end| format!("{name}{end}")).find(|path| self.files.contains_key(path))
    }

    /// Everything of this kind that can be named from a file.
    pub(super) fn within_reach(&self, path: &str, kind: Referent) -> Vec<Occurrence> {
        match kind {
            Referent::Step => self.steps(path),
            Referent::Field | Referent::Task | Referent::ReportField | Referent::Commitment => {
                let sheets: Vec<String> = match role_of(path) {
                    // A message is read by all the processes that send it.
                    Role::Message => self.senders(name_of(path)),
                    Role::Circuit => Vec::new(),
                    _ => self.sheet_of(path).into_iter().collect(),
                };
                let names = sheets.iter().filter_map(|sheet| self.resolved(sheet)).flat_map(|resolved| {
                    let own = resolved.names.iter().filter(|name| name.own && name.kind == kind);
                    own.cloned().collect::<Vec<_>>()
                });
                once(names.collect())
            }
            Referent::Inherited => self.inherited(path),
            Referent::Scenario => {
                let own = self.of(path).map(|(_, leaf)| leaf.names.as_slice()).unwrap_or_default();
                own.iter().filter(|name| name.own && name.kind == kind).cloned().collect()
            }
            _ => self.said(kind).cloned().collect(),
        }
    }

    /// The sheets that send a message.
    pub(super) fn senders(&self, message: &str) -> Vec<String> {
        let mut senders = self.users(Referent::Message, message);
        if self.shared().header.acknowledgement.as_deref() == Some(message) {
            let says_its_own = |path: &str| {
                self.resolved(path).is_none_or(|resolved| resolved.node.get("acknowledgement").is_some())
            };
            let sheets = self.paths().filter(|path| role_of(path) == Role::Process).take(SHEETS_MAX);
            senders.extend(sheets.filter(|path| !says_its_own(path)).map(str::to_owned));
        }
        senders
    }

    /// The sheets that name a message or a circuit, themselves or through a model.
    pub(super) fn users(&self, kind: Referent, name: &str) -> Vec<String> {
        let named = |found: &Occurrence| found.kind == kind && found.name == name;
        let written_in = |path: &str| self.of(path).is_some_and(|(_, leaf)| leaf.names.iter().any(named));
        let in_a_model = self
            .trees(Role::Model)
            .any(|(model, _)| self.path_of(model).is_some_and(|path| written_in(&path)));
        let sheets = self.paths().filter(|path| role_of(path) == Role::Process);
        let candidates = sheets.filter(|path| in_a_model || written_in(path)).take(SHEETS_MAX);
        let uses = |path: &&str| self.resolved(path).is_some_and(|resolved| resolved.names.iter().any(named));
        candidates.filter(uses).map(str::to_owned).collect()
    }

    fn steps(&self, path: &str) -> Vec<Occurrence> {
        let circuit = match role_of(path) {
            Role::Circuit => Some(path.to_owned()),
            _ => self.sheet_of(path).and_then(|sheet| {
                let resolved = self.resolved(&sheet)?;
                self.path_of(resolved.node.get("validation")?.get("circuit")?.text()?)
            }),
        };
        let names = circuit.and_then(|path| Some(self.of(&path)?.1.names.clone())).unwrap_or_default();
        names.into_iter().filter(|name| name.own && name.kind == Referent::Step).collect()
    }

    /// What a sheet could take away of its base: fields, tasks, promises, messages.
    fn inherited(&self, path: &str) -> Vec<Occurrence> {
        let base = self.of(path).and_then(|(_, leaf)| leaf.tree.get("extends")?.text().map(str::to_owned));
        let Some(base) = base.and_then(|name| self.path_of(&name)).and_then(|path| self.resolved(&path))
        else {
            return Vec::new();
        };
        let kinds = [Referent::Field, Referent::ReportField, Referent::Task, Referent::Commitment];
        let mut names: Vec<Occurrence> =
            base.names.iter().filter(|name| name.own && kinds.contains(&name.kind)).cloned().collect();
        for entry in base.node.get("messages").and_then(Node::map).unwrap_or_default() {
            let (kind, name) = (Referent::Inherited, entry.key.clone());
            names.push(Occurrence {
                kind,
                name,
                of: None,
                mark: entry.key_mark,
                own: true,
                path: Vec::new(),
            });
        }
        names
    }

    /// The places that a name means, seen from a file.
    pub(super) fn meant(&self, path: &str, kind: Referent, name: &str, of: Option<&str>) -> Vec<Mark> {
        if names_file(kind) {
            return self.file_named(name).into_iter().collect();
        }
        let reach = self.within_reach(path, kind);
        let same = |known: &&Occurrence| known.name == name && (of.is_none() || known.of.as_deref() == of);
        let mut marks: Vec<Mark> = reach.iter().filter(same).map(|known| known.mark).collect();
        marks.sort_unstable();
        marks.dedup();
        marks
    }

    /// Where a file says its name; its beginning, if it does not.
    fn file_named(&self, name: &str) -> Option<Mark> {
        let path = self.path_of(name)?;
        let (file, leaf) = self.of(&path)?;
        let own = leaf.names.iter().find(|own| own.own && names_file(own.kind));
        Some(own.map_or(Mark { file, start: 0, end: 0 }, |own| own.mark))
    }
}

/// The same names once.
fn once(names: Vec<Occurrence>) -> Vec<Occurrence> {
    let mut kept: Vec<Occurrence> = Vec::new();
    for name in names {
        if !kept.iter().any(|known| known.mark == name.mark && known.name == name.name) {
            kept.push(name);
        }
    }
    kept
}
