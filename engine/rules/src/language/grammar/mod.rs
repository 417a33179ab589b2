//! The whole language, described once: every kind of file, every key, every word that a key takes.
//!
//! The readers of sheets take the keys and words that they know from here, so that nothing can be read that is not
//! described, or described that is not read. The JSON Schemas of `schemas/`, completion and hover in editors, and the
//! test of the manual are made from the same description. Everything is static; nothing is built at run time.

mod calendar;
mod catalogue;
mod circuit;
mod commitment;
mod dealings;
mod form;
mod import;
mod message;
mod news;
mod organisation;
mod payment;
mod process;
mod scenario;
mod stages;
mod verbs;
mod voting;
mod words;

pub use calendar::{CALENDAR, CLOSURE, HOURS, OPENING};
pub use catalogue::{CATALOGUE, CONTACT, TENANT, THEME};
pub use circuit::{AT_LEAST, CIRCUIT, ESCALATE_TO, RETURN_TO, STEP};
pub use commitment::{ALARM, BUDGET_RULE, COMMITMENT};
pub use dealings::*;
pub use form::{FIELD, OPTION};
pub use import::{
    AREA, CHANNEL_LOOKUP, IMPORT_MAP, IMPORT_RULE, IMPORT_RULES, OPENER_LOOKUP, RECEIVED, SOURCE, TESTS,
    VALUE,
};
pub use message::{MESSAGE, WORDS};
pub use organisation::{ADMINISTRATION, ORGANISATION, PERSON, ROLE, SERVICE, STAND_IN};
pub use payment::{PAID_BEFORE, PAYMENT, PAYMENT_MOMENTS, PRICE_RULE, UNPAID};
pub use process::{KEYWORDS, MODEL, PROCESS, SIDE_WAYS};
pub use scenario::{EXPECTATION, SCENARIO, SCENARIO_FILE, SCENARIO_STEP};
pub use stages::{
    ASSIGNMENT_RULE, COMPLEXITY_RULE, COSTS, DELIVERY, LAW, PRIORITY_RULE, PRIVACY, QUALIFICATION, TASK,
    VALIDATION, WAITING,
};
pub use verbs::*;
pub use voting::{VOTERS, VOTING};
pub use words::*;

/// The same sentence in French and in English.
pub type Phrase = (&'static str, &'static str);

/// A mapping with known keys: a file, or a part of one.
#[derive(Debug)]
pub struct Group {
    /// What it is called in English, in the singular: `task`, `commitment`.
    pub name: &'static str,
    /// What it is, for an officer: two sentences at most.
    pub about: Phrase,
    /// The keys, in the order in which officers write them.
    pub keys: &'static [Key],
    /// Sets of keys of which exactly one set stands in such a mapping, all its keys together. Empty for most groups.
    pub ways: &'static [&'static [&'static str]],
}

/// A key of a mapping.
#[derive(Debug)]
pub struct Key {
    /// As it is written.
    pub key: &'static str,
    /// What it says, for an officer: two sentences at most.
    pub about: Phrase,
    /// What may stand under it.
    pub shape: Shape,
    /// Whether it must be said, by the sheet or by a model that it extends.
    pub required: bool,
    /// What holds where it is left out, in words.
    pub default: Option<Phrase>,
    /// A value, as YAML that fits on one line.
    pub example: &'static str,
}

/// What may stand under a key.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A text that is not empty. A number or a date is as good as any text.
    Text,
    /// Words that people read, `{ fr: …, en: … }`; a bare text is French.
    Words,
    /// `true` or `false`.
    Boolean,
    /// A whole number, from the first bound to the second, both included.
    Integer(u32, u32),
    /// A number.
    Number,
    /// A day, `2026-05-07`.
    Date,
    /// A wall-clock time, `2026-05-07T16:50`, of the process's calendar.
    LocalTime,
    /// A wall-clock time, or an instant with its zone, `2026-05-07T16:50:00+02:00`.
    Instant,
    /// A time of day, `12:00`.
    TimeOfDay,
    /// Hours of opening, `09:00-17:00`.
    Hours,
    /// A duration, `2 working days`.
    Duration,
    /// How long after closing, `2 years after closed`.
    Retention,
    /// A share of a time, `80%`.
    Percentage,
    /// An amount, `12.00 EUR`.
    Money,
    /// A size, `10 MiB`.
    Size,
    /// An e-mail address.
    Email,
    /// One ASCII character.
    Character,
    /// A rule in CEL.
    Expression,
    /// One of these words.
    OneOf(&'static [Choice]),
    /// The name of the file or item itself, by which others refer to it.
    Own(Referent),
    /// The name of something that exists.
    Name(Referent),
    /// Who: `role:x`, `service:x`, `person:x`, or the word of one who has no name, by what is allowed here.
    Party(&'static [Referent]),
    /// A moment that is the end of a task, `task:x`.
    EndOfTask,
    /// A mapping with known keys.
    Group(&'static Group),
    /// A mapping from names, which are of this kind, to values.
    Named(Referent, &'static Shape),
    /// A list.
    List(&'static Shape),
    /// A list of mappings whose first key is their name: over a model's, they merge item by item.
    Keyed(&'static Group),
    /// A list; a single value counts as a list of one.
    Many(&'static Shape),
    /// Any of these.
    Either(&'static [Shape]),
    /// `true`, of what needs no more to be said.
    Done,
    /// Whatever the form asks for: its own process says what is right.
    Any,
}

/// A word that a key takes.
#[derive(Debug)]
pub struct Choice {
    /// As it is written.
    pub word: &'static str,
    /// What it means.
    pub about: Phrase,
}

/// What a name refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Referent {
    /// A role of `organisation.yaml`.
    Role,
    /// A service of `organisation.yaml`.
    Service,
    /// A person of `organisation.yaml`, by staff code.
    Person,
    /// Whichever service is in charge: the word `service`.
    ServiceInCharge,
    /// Whoever made the request: the word `requester`.
    Requester,
    /// A collectivity of `catalogue.yaml`.
    Tenant,
    /// A theme of `catalogue.yaml`.
    Theme,
    /// A channel that the catalogue uses.
    Channel,
    /// The catalogue itself.
    Catalogue,
    /// A file of `messages/`.
    Message,
    /// A file of `circuits/`.
    Circuit,
    /// A file of `calendars/`.
    Calendar,
    /// A file of `models/`.
    Model,
    /// A process.
    Process,
    /// A file of `imports/`.
    Import,
    /// A field of the form.
    Field,
    /// A field of the report of the task in the same step.
    ReportField,
    /// A value of a choice.
    OptionValue,
    /// A task of the process.
    Task,
    /// A step of the circuit.
    Step,
    /// A commitment of the process, or `silence`.
    Commitment,
    /// Something of the model that can be taken away: a field, task, commitment or message.
    Inherited,
    /// A scenario of the same file.
    Scenario,
    /// A collectivity's id, or the id or name of an administration elsewhere.
    Administration,
    /// The code of a rejection.
    Rejection,
    /// The name of a command.
    Command,
    /// A time zone of the IANA database.
    Zone,
    /// A column of the file that is imported.
    Column,
    /// A text of the file that is imported.
    Cell,
}

impl Group {
    const fn new(name: &'static str, fr: &'static str, en: &'static str, keys: &'static [Key]) -> Self {
        Self { name, about: (fr, en), keys, ways: &[] }
    }

    const fn ways(self, ways: &'static [&'static [&'static str]]) -> Self {
        Self { ways, ..self }
    }

    /// The key of that name.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.key == name)
    }

    /// The names of its keys.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.keys.iter().map(|key| key.key)
    }

    /// The key that holds an item's own name, by which items merge over a model's.
    #[must_use]
    pub fn own_name(&self) -> Option<&'static Key> {
        self.keys.iter().find(|key| matches!(key.shape, Shape::Own(_)))
    }
}

impl Key {
    const fn new(
        key: &'static str,
        fr: &'static str,
        en: &'static str,
        shape: Shape,
        example: &'static str,
    ) -> Self {
        Self { key, about: (fr, en), shape, required: false, default: None, example }
    }

    const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    const fn default(self, fr: &'static str, en: &'static str) -> Self {
        Self { default: Some((fr, en)), ..self }
    }
}

impl Choice {
    const fn new(word: &'static str, fr: &'static str, en: &'static str) -> Self {
        Self { word, about: (fr, en) }
    }
}

/// The kinds of file, each with its JSON Schema's name: `process` is `schemas/process.schema.json`.
pub static DOCUMENTS: [(&str, &Group); 9] = [
    ("catalogue", &CATALOGUE),
    ("organisation", &ORGANISATION),
    ("calendar", &CALENDAR),
    ("model", &MODEL),
    ("circuit", &CIRCUIT),
    ("message", &MESSAGE),
    ("process", &PROCESS),
    ("scenario", &SCENARIO_FILE),
    ("import-map", &IMPORT_MAP),
];

/// The description of the file at `path`, which is relative to the catalogue's folder, with `/`.
#[must_use]
pub fn document(path: &str) -> Option<&'static Group> {
    let stem = path.strip_suffix(".yaml").or_else(|| path.strip_suffix(".yml"))?;
    if stem.ends_with(".test") {
        return Some(&SCENARIO_FILE);
    }
    match stem.split_once('/') {
        None if stem == "catalogue" => Some(&CATALOGUE),
        None if stem == "organisation" => Some(&ORGANISATION),
        None => None,
        Some(("calendars", _)) => Some(&CALENDAR),
        Some(("models", _)) => Some(&MODEL),
        Some(("circuits", _)) => Some(&CIRCUIT),
        Some(("messages", _)) => Some(&MESSAGE),
        Some(("imports", _)) => Some(&IMPORT_MAP),
        Some(_) => Some(&PROCESS),
    }
}
