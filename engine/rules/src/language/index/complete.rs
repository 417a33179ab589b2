//! What can be written at a byte.

use std::ops::Range;
use std::rc::Rc;

use super::rule::{self, Writing};
use super::walk::groups;
use super::{Index, Spot};
use crate::language::check::messages::{ALWAYS, SOMETIMES};
use crate::language::expression::{Environment, Type};
use crate::language::facts::{Stage, Vocabulary, environment};
use crate::language::grammar::{Group, Key, Referent, Shape};
use crate::language::load::{Role, name_of, role_of};
use crate::language::outline::{Place, Step};
use crate::process::{Channel, Definition};
use crate::text::Language;

/// What a suggestion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuggestionKind {
    /// A key.
    Key,
    /// A word that the key takes, a truth value or an option.
    Word,
    /// The name of something.
    Name(Referent),
    /// A part of a rule or a placeholder of a message that is no field of a form.
    Fact,
    /// A value as an example.
    Example,
}

/// Something that can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// What is shown, and written unless [`Suggestion::insert`] says otherwise.
    pub label: String,
    /// What is written.
    pub insert: String,
    /// The same with a first value to write over: what stands between the two texts, and that value.
    pub hole: Option<String>,
    /// What it is.
    pub kind: SuggestionKind,
    /// A few words beside it.
    pub detail: Option<String>,
    /// A paragraph about it.
    pub about: Option<String>,
    /// The bytes that it takes the place of.
    pub range: Range<usize>,
}

/// What completion works with.
struct Completion<'i> {
    index: &'i Index,
    path: &'i str,
    language: Language,
    spot: Spot,
    byte: usize,
    found: Vec<Suggestion>,
}

impl Index {
    /// What can be written at a byte of a file, in the order in which officers write it.
    #[must_use]
    pub fn suggestions(&self, path: &str, byte: usize, language: Language) -> Vec<Suggestion> {
        let Some(spot) = self.spot(path, byte) else { return Vec::new() };
        let mut completion = Completion { index: self, path, language, spot, byte, found: Vec::new() };
        completion.run();
        completion.found
    }
}

impl Completion<'_> {
    fn run(&mut self) {
        let shapes = self.spot.shapes.clone();
        let place = self.spot.cursor.place;
        if matches!(place, Place::Key | Place::Start) {
            for shape in &shapes {
                self.keys(*shape, "");
            }
        }
        if place == Place::Key {
            return;
        }
        let below_key = matches!(self.spot.cursor.path.last(), Some(Step::Key(_)));
        for shape in &shapes {
            match shape {
                // On a line of its own, an item of a list begins with a dash.
                Shape::List(inner) | Shape::Many(inner) if place == Place::Start && below_key => {
                    self.keys(**inner, "- ");
                    self.values(**inner, "- ");
                }
                Shape::Keyed(group) if place == Place::Start && below_key => {
                    self.keys(Shape::Group(group), "- ");
                }
                shape => self.values(*shape, ""),
            }
        }
        if self.found.is_empty() && place == Place::Value {
            self.example();
        }
    }

    fn say(&self, phrase: (&'static str, &'static str)) -> String {
        match self.language {
            Language::Fr => phrase.0.to_owned(),
            Language::En => phrase.1.to_owned(),
        }
    }

    fn keys(&mut self, shape: Shape, dash: &str) {
        for group in groups(shape) {
            let written = if dash.is_empty() { self.spot.cursor.siblings.clone() } else { Vec::new() };
            for key in group.keys.iter().filter(|key| fits_beside(group, key, &written)) {
                self.key(key, dash);
            }
        }
        if let Shape::Named(kind, _) = shape {
            for name in self.index.within_reach(self.path, kind) {
                if !self.spot.cursor.siblings.contains(&name.name) {
                    let about = self.index.words_about(self.path, &name, self.language);
                    self.push(
                        &name.name,
                        format!("{dash}{}: ", name.name),
                        SuggestionKind::Name(kind),
                        None,
                        about,
                    );
                }
            }
        }
    }

    fn key(&mut self, key: &'static Key, dash: &str) {
        let mut about = self.say(key.about);
        if let Some(default) = key.default {
            let (fr, en) = default;
            let words = match self.language {
                Language::Fr => format!("\n\nSans elle : {fr}."),
                Language::En => format!("\n\nIf left out: {en}."),
            };
            about.push_str(&words);
        }
        let required = key.required.then(|| self.say(("obligatoire", "required")));
        // Before a colon that is already there only the key is written.
        let colon = self.after_token().trim_start_matches([' ', '"', '\'']).starts_with(':');
        let insert = if colon { key.key.to_owned() } else { format!("{dash}{}: ", key.key) };
        self.push(key.key, insert, SuggestionKind::Key, required, Some(about));
        if let Some(last) = self.found.last_mut().filter(|_| !colon) {
            last.hole = Some(key.example.to_owned());
        }
    }

    fn after_token(&self) -> &str {
        let text = self.index.text(self.path).unwrap_or_default();
        let rest = text.get(self.spot.cursor.token.end..).unwrap_or_default();
        rest.lines().next().unwrap_or_default()
    }

    fn push(
        &mut self,
        label: &str,
        insert: String,
        kind: SuggestionKind,
        detail: Option<String>,
        about: Option<String>,
    ) {
        let range = self.spot.cursor.token.clone();
        if !self.found.iter().any(|known| known.insert == insert) {
            self.found.push(Suggestion {
                label: label.to_owned(),
                insert,
                hole: None,
                kind,
                detail,
                about,
                range,
            });
        }
    }

    fn values(&mut self, shape: Shape, dash: &str) {
        match shape {
            Shape::OneOf(words) => {
                for word in words {
                    let about = Some(self.say(word.about));
                    self.value(word.word, dash, SuggestionKind::Word, None, about);
                }
            }
            Shape::Boolean => {
                ["true", "false"].iter().for_each(|w| self.value(w, dash, SuggestionKind::Word, None, None))
            }
            Shape::Done => self.value("true", dash, SuggestionKind::Word, None, None),
            Shape::Name(kind) => self.names(kind, "", dash),
            Shape::Party(kinds) => {
                for kind in kinds {
                    self.party(*kind, dash);
                }
            }
            Shape::EndOfTask => self.names(Referent::Task, "task:", dash),
            Shape::Either(all) => all.iter().for_each(|shape| self.values(*shape, dash)),
            Shape::Many(inner) => self.values(*inner, dash),
            Shape::Expression => self.rule(),
            Shape::Words if role_of(self.path) == Role::Message => self.placeholder(),
            Shape::Any => self.answer(dash),
            _ => {}
        }
    }

    /// A value; at the very end of `key:` a blank comes first.
    fn value(
        &mut self,
        word: &str,
        dash: &str,
        kind: SuggestionKind,
        detail: Option<String>,
        about: Option<String>,
    ) {
        let before = self.index.text(self.path).and_then(|text| text.get(..self.spot.cursor.token.start));
        let tight = before.is_some_and(|before| before.ends_with(':')) && self.spot.cursor.token.is_empty();
        let blank = if tight { " " } else { "" };
        self.push(word, format!("{blank}{dash}{word}"), kind, detail, about);
    }

    fn names(&mut self, kind: Referent, prefix: &str, dash: &str) {
        for name in self.index.within_reach(self.path, kind) {
            let about = self.index.words_about(self.path, &name, self.language);
            let detail = self.index.title_of(&name, self.language);
            self.value(&format!("{prefix}{}", name.name), dash, SuggestionKind::Name(kind), detail, about);
        }
        if kind == Referent::Administration {
            self.names(Referent::Tenant, "tenant:", dash);
        }
        if kind == Referent::Commitment {
            let about = self.say(("Le délai légal du silence.", "The legal clock of silence."));
            self.value("silence", dash, SuggestionKind::Word, None, Some(about));
        }
        if kind == Referent::Field && matches!(self.spot.key, Some(key) if key.key == "personal") {
            let about = self.say(("La façon de joindre le demandeur.", "How the requester is reached."));
            self.value("contact", dash, SuggestionKind::Word, None, Some(about));
        }
    }

    fn party(&mut self, kind: Referent, dash: &str) {
        match kind {
            Referent::Role => self.names(kind, "role:", dash),
            Referent::Service => self.names(kind, "service:", dash),
            Referent::Person => self.names(kind, "person:", dash),
            Referent::ServiceInCharge => {
                let about =
                    self.say(("Le service chargé de la demande.", "The service in charge of the request."));
                self.value("service", dash, SuggestionKind::Word, None, Some(about));
            }
            Referent::Requester => {
                let about = self.say(("La personne qui a fait la demande.", "Whoever made the request."));
                self.value("requester", dash, SuggestionKind::Word, None, Some(about));
            }
            _ => {}
        }
    }

    /// The options of a choice, and the truth values of a yes-or-no, where a scenario fills in a form.
    fn answer(&mut self, dash: &str) {
        let Some(definition) = self.definition() else { return };
        let Some(Step::Key(name)) =
            self.spot.cursor.path.iter().rev().find(|step| matches!(step, Step::Key(_)))
        else {
            return;
        };
        let reports = definition.treatment.iter().flat_map(|task| &task.report);
        let Some(field) = definition.form.iter().chain(reports).find(|field| field.field == *name).cloned()
        else {
            return;
        };
        for option in &field.options {
            let label = option.label.get(self.language).to_owned();
            self.value(&option.value, dash, SuggestionKind::Word, Some(label), None);
        }
        if field.kind == crate::process::FieldType::Boolean {
            self.values(Shape::Boolean, dash);
        }
    }

    /// A value that the key could take, where nothing better is known.
    fn example(&mut self) {
        let named = matches!(self.spot.cursor.path.last(), Some(Step::Key(_)));
        let writes_text =
            self.spot.shapes.iter().all(|shape| matches!(shape, Shape::Expression | Shape::Any));
        let Some(key) = self.spot.key.filter(|_| named && !writes_text) else { return };
        if self.spot.cursor.token.is_empty() {
            let detail = Some(self.say(("exemple", "example")));
            let about = Some(self.say(key.about));
            self.value(key.example, "", SuggestionKind::Example, detail, about);
        }
    }

    /// The definition that the rules of this file are about.
    fn definition(&self) -> Option<Rc<Definition>> {
        let sheet = match role_of(self.path) {
            Role::Circuit => self.index.users(Referent::Circuit, name_of(self.path)).into_iter().next(),
            _ => self.index.sheet_of(self.path),
        };
        self.index.definition(&sheet?)
    }

    fn environment(&self) -> Option<Environment> {
        let definition = self.definition()?;
        let shared = self.index.shared();
        let vocabulary = Vocabulary {
            services: shared.organisation.services.iter().map(|service| service.service.clone()).collect(),
            channels: shared
                .header
                .channels
                .iter()
                .map(|channel: &Channel| channel.id().to_owned())
                .collect(),
        };
        let stage = match self.spot.cursor.path.first() {
            Some(Step::Key(key)) if key == "form" => Stage::Form,
            Some(Step::Key(key)) if key == "qualification" => Stage::Qualification,
            Some(Step::Key(key)) if key == "assignment" => Stage::Assignment,
            Some(_) | None => Stage::Later,
        };
        Some(environment(&definition, &vocabulary, stage))
    }

    /// Names inside a rule, and the words that a choice can be compared with.
    fn rule(&mut self) {
        let token = self.spot.cursor.token.clone();
        let text = self.index.text(self.path).unwrap_or_default();
        let (start, written) = inner(text, &token);
        let Some(writing) = rule::writing(written, self.byte.saturating_sub(start)) else { return };
        let Some(environment) = self.environment() else { return };
        match writing {
            Writing::Name(before, range) => {
                let range = start + range.start..start + range.end;
                for (name, kind) in parts(&environment, &before) {
                    let full: Vec<&str> = before.iter().map(String::as_str).chain([name.as_str()]).collect();
                    let about = self.about_fact(&full);
                    let suggestion = match full.as_slice() {
                        ["form", _] => SuggestionKind::Name(Referent::Field),
                        ["tasks", _] => SuggestionKind::Name(Referent::Task),
                        ["tasks", _, "report", _] => SuggestionKind::Name(Referent::ReportField),
                        _ => SuggestionKind::Fact,
                    };
                    self.fact(&name, suggestion, Some(self.say(kind.name())), about, range.clone());
                }
            }
            Writing::Text(compared, range) => {
                let range = start + range.start..start + range.end;
                for word in words_of(&environment, &compared) {
                    self.fact(&word, SuggestionKind::Word, None, None, range.clone());
                }
            }
        }
    }

    fn fact(
        &mut self,
        word: &str,
        kind: SuggestionKind,
        detail: Option<String>,
        about: Option<String>,
        range: Range<usize>,
    ) {
        self.push(word, word.to_owned(), kind, detail, about);
        if let Some(last) = self.found.last_mut() {
            last.range = range;
        }
    }

    /// What is known of a field by the label that people read.
    fn about_fact(&self, names: &[&str]) -> Option<String> {
        let definition = self.definition()?;
        let field = match names {
            ["form", field] => definition.form.iter().find(|f| f.field == *field)?,
            ["tasks", task] => return Some(definition.task(task)?.title.get(self.language).to_owned()),
            ["tasks", task, "report", field] => {
                definition.task(task)?.report.iter().find(|f| f.field == *field)?
            }
            _ => return None,
        };
        Some(field.label.get(self.language).to_owned())
    }

    /// Placeholders of a message.
    fn placeholder(&mut self) {
        let token = self.spot.cursor.token.clone();
        let text = self.index.text(self.path).unwrap_or_default();
        let written = text.get(token.clone()).unwrap_or_default();
        let Some(open) = rule::open_placeholder(written, self.byte.saturating_sub(token.start)) else {
            return;
        };
        let range = token.start + open.start..token.start + open.end;
        for name in ALWAYS.iter().chain(&SOMETIMES) {
            self.fact(name, SuggestionKind::Fact, None, None, range.clone());
        }
        for (kind, prefix) in [(Referent::Field, "form."), (Referent::ReportField, "tasks.")] {
            for name in self.index.within_reach(self.path, kind) {
                let of = name.of.as_ref().map(|task| format!("{task}.")).unwrap_or_default();
                let about = self.index.words_about(self.path, &name, self.language);
                let word = format!("{prefix}{of}{}", name.name);
                self.fact(&word, SuggestionKind::Name(kind), None, about, range.clone());
            }
        }
    }
}

/// Whether a key may still be written beside others: it is not there yet, and belongs to no other way of saying it.
fn fits_beside(group: &Group, key: &Key, written: &[String]) -> bool {
    let written_in = |way: &[&str]| way.iter().any(|k| written.iter().any(|w| w == k));
    let in_a_way = |name: &str| group.ways.iter().any(|way| way.contains(&name));
    let other_way = group.ways.iter().any(|way| written_in(way) && !way.contains(&key.key));
    let said_otherwise = in_a_way(key.key) && other_way;
    !said_otherwise && !written.iter().any(|w| w == key.key)
}

/// The text of a rule without its quotes, and where it begins.
fn inner<'t>(text: &'t str, token: &Range<usize>) -> (usize, &'t str) {
    let written = text.get(token.clone()).unwrap_or_default();
    match written.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        Some(quote) => {
            let inside = written.get(1..).unwrap_or_default();
            (token.start + 1, inside.strip_suffix(quote).unwrap_or(inside))
        }
        None => (token.start, written),
    }
}

/// The names that may follow others, with their types; what must not be used is left out.
fn parts(environment: &Environment, before: &[String]) -> Vec<(String, Type)> {
    let usable = |kind: &Type| !matches!(kind, Type::Hidden(_));
    if before.is_empty() {
        let roots =
            environment.names().filter_map(|name| Some((name.to_owned(), environment.get(name)?.clone())));
        return roots.filter(|(_, kind)| usable(kind)).collect();
    }
    match type_of(environment, before) {
        Some(Type::Record(fields)) => fields
            .iter()
            .filter(|(_, kind)| usable(kind))
            .map(|(name, kind)| (name.clone(), kind.clone()))
            .collect(),
        _ => Vec::new(),
    }
}

/// The words that something can be compared with.
fn words_of(environment: &Environment, names: &[String]) -> Vec<String> {
    match type_of(environment, names) {
        Some(Type::Choice(words)) => words.to_vec(),
        Some(Type::List(inner, _)) => match *inner {
            Type::Choice(words) => words.to_vec(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn type_of(environment: &Environment, names: &[String]) -> Option<Type> {
    let (root, rest) = names.split_first()?;
    let mut kind = environment.get(root)?.clone();
    for name in rest {
        kind = match kind {
            Type::Record(fields) => fields.get(name)?.clone(),
            _ => return None,
        };
    }
    Some(kind)
}
