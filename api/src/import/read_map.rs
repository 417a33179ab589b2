//! Reads the map of an import as strictly as the sheets of a catalogue: an unknown key is an error with its place.

use chrono::NaiveTime;
use chrono_tz::Tz;
use guichet_engine::rules::language::diagnostic::{Diagnostic, Fault, Severity, locate_all, near};
use guichet_engine::rules::language::grammar::{self, Choice, Group};
use guichet_engine::rules::language::source::{FileId, Mark, Sources};
use guichet_engine::rules::language::yaml::{self, Entry, Kind, Node, Style};
use guichet_engine::rules::process::Opener;
use guichet_engine::rules::text::Language;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::conditions::{Condition, Test, fold};
use super::map::{Blank, ImportMap, Lookup, ProcessRule, Received, Value};

/// Reads the map in `file`.
///
/// # Errors
/// Everything that is wrong with it, at once, each with its line and column.
pub fn read_map(file: FileId, sources: &Sources) -> Result<ImportMap, Vec<Diagnostic>> {
    let mut desk = Desk { faults: Vec::new(), columns: Vec::new() };
    let tree = yaml::parse(file, sources.text(file), &mut desk.faults);
    let map = tree.and_then(|tree| desk.map(&tree));
    let wrong = desk.faults.iter().any(|fault| fault.severity == Severity::Error);
    match map {
        Some(map) if !wrong => Ok(map),
        Some(_) | None => Err(locate_all(desk.faults, sources)),
    }
}

/// Collects faults while it reads.
struct Desk {
    faults: Vec<Fault>,
    columns: Vec<(String, Mark)>,
}

impl Desk {
    fn map(&mut self, tree: &Node) -> Option<ImportMap> {
        self.keys(tree, &grammar::IMPORT_MAP)?;
        let name = self.needed(tree, "import").and_then(|node| self.text(node));
        let source = self.needed(tree, "source").and_then(|node| self.source(node));
        let channel = self
            .needed(tree, "channel")
            .and_then(|node| self.lookup(node, &grammar::CHANNEL_LOOKUP, &grammar::CHANNELS));
        let opened_by = match tree.get("opened_by") {
            Some(node) => self.lookup(node, &grammar::OPENER_LOOKUP, &grammar::OPENERS),
            None => Some(always(Opener::Citizen)),
        };
        let language = match tree.get("language") {
            Some(node) => self.word(node, &grammar::LANGUAGES),
            None => Some(Language::Fr),
        };
        let tenant = self.needed(tree, "tenant").and_then(|node| self.text(node));
        let form = tree.get("form").map(|node| self.form(node)).unwrap_or_default();
        let area = tree.get("area").and_then(|node| self.area(node));
        let rules = self.needed(tree, "process").map(|node| self.rules(node)).unwrap_or_default();
        let (separator, id, received) = source?;
        Some(ImportMap {
            name: name?,
            separator,
            id,
            received,
            channel: channel?,
            opened_by: opened_by?,
            language: language?,
            tenant: tenant?,
            form: form.into_iter().map(|(field, value, _)| (field, value)).collect(),
            area,
            rules,
            columns: std::mem::take(&mut self.columns),
        })
    }

    fn source(&mut self, node: &Node) -> Option<(u8, String, Received)> {
        self.keys(node, &grammar::SOURCE)?;
        if let Some(format) = self.needed(node, "format") {
            self.listed(format, &grammar::IMPORT_FORMATS);
        }
        let separator = match node.get("separator") {
            Some(separator) => self.separator(separator),
            None => Some(b','),
        };
        let id = self.needed(node, "id").and_then(|node| self.column(node));
        let received = self.needed(node, "received").and_then(|node| self.received(node));
        Some((separator?, id?, received?))
    }

    fn separator(&mut self, node: &Node) -> Option<u8> {
        // A tab is as good as a semicolon, and `text` takes no blanks.
        match node.text().unwrap_or_default().as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Some(*byte),
            _ => {
                let (fr, en) =
                    ("le séparateur est un seul caractère ASCII", "a separator is one ASCII character");
                self.fault(node.mark, fr, en);
                None
            }
        }
    }

    fn received(&mut self, node: &Node) -> Option<Received> {
        self.keys(node, &grammar::RECEIVED)?;
        let column = self.needed(node, "column").and_then(|node| self.column(node));
        let (time, zone) = match (node.get("time"), node.get("zone")) {
            (Some(time), Some(zone)) => (time, zone),
            (None, None) => return Some(Received { column: column?, at: None }),
            (Some(_), None) | (None, Some(_)) => {
                self.fault(node.mark, "`time` et `zone` vont ensemble", "`time` and `zone` go together");
                return None;
            }
        };
        let text = self.text(time)?;
        let at = NaiveTime::parse_from_str(&text, "%H:%M").ok().filter(|_| text.len() == 5);
        if at.is_none() {
            self.fault(time.mark, "une heure s’écrit `12:00`", "a time of day is written `12:00`");
        }
        let tz = self.text(zone)?.parse::<Tz>().ok();
        if tz.is_none() {
            self.fault(zone.mark, "fuseau horaire inconnu", "unknown time zone");
        }
        Some(Received { column: column?, at: Some((at?, tz?)) })
    }

    fn lookup<T: Copy + DeserializeOwned>(
        &mut self,
        node: &Node,
        group: &Group,
        known: &'static [Choice],
    ) -> Option<Lookup<T>> {
        if node.scalar().is_some() {
            return self.word(node, known).map(always);
        }
        self.keys(node, group)?;
        let column = self.needed(node, "column").and_then(|node| self.column(node));
        let mut map = Vec::new();
        for entry in self.needed(node, "map").and_then(|node| self.entries(node)).unwrap_or_default() {
            if let Some(word) = self.word(&entry.value, known) {
                map.push((fold(&entry.key), word));
            }
        }
        let blank = node.get("blank").and_then(|node| self.word(node, known));
        let otherwise = node.get("otherwise").and_then(|node| self.word(node, known));
        Some(Lookup { column: Some(column?), map, blank, otherwise })
    }

    fn area(&mut self, node: &Node) -> Option<(String, Blank)> {
        self.keys(node, &grammar::AREA)?;
        let column = self.needed(node, "column").and_then(|node| self.column(node));
        let blank = match node.get("blank") {
            Some(node) => self
                .listed(node, &grammar::BLANK_AREAS)
                .map(|word| if word == "locate" { Blank::Locate } else { Blank::Blank }),
            None => Some(Blank::Blank),
        };
        Some((column?, blank?))
    }

    fn rules(&mut self, node: &Node) -> Vec<ProcessRule> {
        let known = self.keys(node, &grammar::IMPORT_RULES);
        let Some(list) = known.and_then(|()| self.needed(node, "rules")) else { return Vec::new() };
        let Some(items) = list.list() else {
            self.fault(list.mark, "une liste de règles est attendue", "a list of rules is expected");
            return Vec::new();
        };
        items.iter().filter_map(|item| self.rule(item)).collect()
    }

    fn rule(&mut self, node: &Node) -> Option<ProcessRule> {
        self.keys(node, &grammar::IMPORT_RULE)?;
        let when = node.get("when").map(|when| self.conditions(when)).unwrap_or_default();
        let is = self.needed(node, "is")?;
        let process = self.text(is)?;
        let tenant = node.get("tenant").and_then(|node| self.text(node));
        let form = node.get("form").map(|node| self.form(node)).unwrap_or_default();
        Some(ProcessRule { when, process, mark: is.mark, tenant, form })
    }

    fn conditions(&mut self, node: &Node) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for entry in self.entries(node).unwrap_or_default() {
            self.columns.push((entry.key.clone(), entry.key_mark));
            let tests = match &entry.value.kind {
                Kind::Map(_) => self.tests(&entry.value),
                Kind::Scalar(_) | Kind::List(_) => vec![Test::Is(self.texts(&entry.value))],
            };
            conditions.push(Condition { column: entry.key.clone(), tests });
        }
        conditions
    }

    fn tests(&mut self, node: &Node) -> Vec<Test> {
        self.keys(node, &grammar::TESTS);
        let mut tests = Vec::new();
        for entry in node.map().unwrap_or_default() {
            let texts = self.texts(&entry.value);
            match entry.key.as_str() {
                "is" => tests.push(Test::Is(texts)),
                "starts_with" => tests.push(Test::StartsWith(texts)),
                "contains" => tests.push(Test::Contains(texts)),
                _ => {}
            }
        }
        tests
    }

    fn form(&mut self, node: &Node) -> Vec<(String, Value, Mark)> {
        let mut form = Vec::new();
        for entry in self.entries(node).unwrap_or_default() {
            if let Some(value) = self.value(&entry.value) {
                form.push((entry.key.clone(), value, entry.key_mark));
            }
        }
        form
    }

    fn value(&mut self, node: &Node) -> Option<Value> {
        if node.map().is_none() {
            return Some(Value::Constant(constant(node)));
        }
        self.keys(node, &grammar::VALUE)?;
        let said = |way: &&&[&str]| way.iter().any(|key| node.get(key).is_some());
        let address_alone = node.get("address").is_some() && node.get("lat").is_none();
        if grammar::VALUE.ways.iter().filter(said).count() > 1 || address_alone {
            let (fr, en) = (
                "une valeur vient d’une colonne, ou elle est constante, ou c’est un lieu",
                "a value is of a column, or constant, or a place",
            );
            self.fault(node.mark, fr, en);
            return None;
        }
        if let Some(column) = node.get("column") {
            return self.column(column).map(Value::Column);
        }
        if let Some(value) = node.get("value") {
            return Some(Value::Constant(constant(value)));
        }
        let lat = self.needed(node, "lat").and_then(|node| self.column(node));
        let lon = self.needed(node, "lon").and_then(|node| self.column(node));
        let address = node.get("address").and_then(|node| self.column(node));
        Some(Value::Place { lat: lat?, lon: lon?, address })
    }

    // What the rest is made of.

    fn fault(&mut self, mark: Mark, fr: &str, en: &str) {
        self.faults.push(Fault::error("import.invalid", mark, fr, en));
    }

    fn entries<'a>(&mut self, node: &'a Node) -> Option<&'a [Entry]> {
        let entries = node.map();
        if entries.is_none() {
            self.fault(node.mark, "des clés et leurs valeurs sont attendues", "keys and values are expected");
        }
        entries
    }

    /// Refuses keys that are not known; none where it is no mapping at all.
    fn keys(&mut self, node: &Node, group: &Group) -> Option<()> {
        for entry in self.entries(node)? {
            if group.key(&entry.key).is_none() {
                let (fr, en) =
                    (format!("clé inconnue : « {} »", entry.key), format!("unknown key `{}`", entry.key));
                let list = group.names().collect::<Vec<_>>().join(", ");
                let fault = Fault::error("import.unknown_key", entry.key_mark, fr, en)
                    .help(format!("clés possibles : {list}"), format!("possible keys: {list}"))
                    .suggest(near(&entry.key, group.names()));
                self.faults.push(fault);
            }
        }
        Some(())
    }

    fn needed<'a>(&mut self, node: &'a Node, key: &str) -> Option<&'a Node> {
        let found = node.get(key);
        if found.is_none() {
            let (fr, en) = (format!("il manque la clé « {key} »"), format!("the key `{key}` is missing"));
            self.fault(node.mark, &fr, &en);
        }
        found
    }

    fn text(&mut self, node: &Node) -> Option<String> {
        // As in sheets: a number is as good as any text, `true` and nothing are not.
        let plain = node.scalar().is_some_and(|scalar| scalar.style == Style::Plain);
        let none = |text: &str| text.trim().is_empty() || plain && matches!(text, "true" | "false");
        let text = node.text().filter(|text| !node.is_null() && !none(text)).map(str::to_owned);
        if text.is_none() {
            self.fault(node.mark, "un texte est attendu", "a text is expected");
        }
        text
    }

    fn texts(&mut self, node: &Node) -> Vec<String> {
        let items = node.list().unwrap_or(std::slice::from_ref(node));
        items.iter().filter_map(|item| self.text(item)).map(|text| fold(&text)).collect()
    }

    fn column(&mut self, node: &Node) -> Option<String> {
        let name = self.text(node)?;
        self.columns.push((name.clone(), node.mark));
        Some(name)
    }

    /// A word of a list, as what it stands for.
    fn word<T: DeserializeOwned>(&mut self, node: &Node, known: &'static [Choice]) -> Option<T> {
        let word: StrDeserializer<'_, serde::de::value::Error> =
            self.listed(node, known)?.into_deserializer();
        T::deserialize(word).ok()
    }

    fn listed(&mut self, node: &Node, known: &'static [Choice]) -> Option<&'static str> {
        let text = self.text(node)?;
        let word = known.iter().find(|choice| choice.word == text).map(|choice| choice.word);
        if word.is_none() {
            let list = known.iter().map(|choice| choice.word).collect::<Vec<_>>().join(", ");
            let (fr, en) =
                (format!("« {text} » n’est pas l’un de : {list}"), format!("`{text}` is none of: {list}"));
            let fault = Fault::error("import.unknown_word", node.mark, fr, en);
            self.faults.push(fault.suggest(near(&text, known.iter().map(|choice| choice.word))));
        }
        word
    }
}

fn always<T>(word: T) -> Lookup<T> {
    Lookup { column: None, map: Vec::new(), blank: None, otherwise: Some(word) }
}

/// A constant as JSON: what is quoted is text, a plain `true` or `12` is not.
fn constant(node: &Node) -> serde_json::Value {
    match &node.kind {
        Kind::Scalar(_) if node.is_null() => serde_json::Value::Null,
        Kind::Scalar(scalar) => match (scalar.style, scalar.text.as_str()) {
            (Style::Plain, "true") => true.into(),
            (Style::Plain, "false") => false.into(),
            (Style::Plain, text) => match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(whole), _) => whole.into(),
                (Err(_), Ok(number)) if number.is_finite() => number.into(),
                (Err(_), Ok(_) | Err(_)) => text.into(),
            },
            (Style::Single | Style::Double | Style::Block, text) => text.into(),
        },
        Kind::List(items) => items.iter().map(constant).collect(),
        Kind::Map(entries) => {
            entries.iter().map(|entry| (entry.key.clone(), constant(&entry.value))).collect()
        }
    }
}
