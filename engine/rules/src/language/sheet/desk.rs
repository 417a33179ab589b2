//! The desk at which sheets are read: findings pile up on it, and it remembers where each part was.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::commitment::{Budget, BudgetError, Unit};
use crate::language::diagnostic::{Fault, Suggestion, near};
use crate::language::grammar::{self, Choice, Group};
use crate::language::source::Mark;
use crate::language::yaml::{Entry, Node, Scalar, Style};
use crate::text::Text;

/// The most unknown keys that are told of one mapping.
const MOST_STRANGERS: usize = 50;

/// Where each part of a definition was written, by JSON pointer into the definition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    marks: BTreeMap<String, Mark>,
    scalars: BTreeMap<String, Scalar>,
}

impl Places {
    /// The place of a part, or of the nearest whole around it that was written.
    pub(crate) fn mark(&self, pointer: &str) -> Option<Mark> {
        let mut at = pointer;
        loop {
            if let Some(mark) = self.marks.get(at) {
                return Some(*mark);
            }
            at = at.rsplit_once('/')?.0;
        }
    }

    /// Whether this very part was written.
    pub(crate) fn has(&self, pointer: &str) -> bool {
        self.marks.contains_key(pointer)
    }

    /// The scalar that a text was read from.
    pub(crate) fn scalar(&self, pointer: &str) -> Option<&Scalar> {
        self.scalars.get(pointer)
    }

    /// All places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Mark)> {
        self.marks.iter().map(|(pointer, mark)| (pointer.as_str(), *mark))
    }

    pub(crate) fn put(&mut self, pointer: &str, mark: Mark) {
        self.marks.insert(pointer.to_owned(), mark);
    }

    /// Takes over the places of a shared part, which has become the part at `base` of something larger.
    pub(crate) fn adopt(&mut self, base: &str, part: &Places) {
        // The part as a whole stays where it is referred to.
        let inner = part.marks.iter().filter(|(pointer, _)| !pointer.is_empty());
        self.marks.extend(inner.map(|(p, m)| (format!("{base}{p}"), *m)));
        self.scalars.extend(part.scalars.iter().map(|(p, s)| (format!("{base}{p}"), s.clone())));
    }
}

/// A value about to be read: what it is, the key it stands under, and which part of the definition it becomes.
#[derive(Debug, Clone)]
pub(crate) struct At<'n> {
    pub(crate) node: &'n Node,
    /// The key; the value itself for items of lists.
    pub(crate) key_mark: Mark,
    pub(crate) pointer: String,
}

impl<'n> At<'n> {
    /// A whole file.
    pub(crate) fn root(node: &'n Node) -> Self {
        Self { node, key_mark: node.mark, pointer: String::new() }
    }

    /// The same value as another part of the definition.
    pub(crate) fn becoming(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = pointer.into();
        self
    }

    /// Where a message about the value belongs: at the value, or at its key if there is none.
    pub(crate) fn mark(&self) -> Mark {
        if self.node.is_null() { self.key_mark } else { self.node.mark }
    }
}

/// The entries of a mapping whose keys have been looked at.
#[derive(Debug, Clone)]
pub(crate) struct Entries<'n> {
    entries: &'n [Entry],
    pub(crate) mark: Mark,
    pub(crate) pointer: String,
}

/// The names that things of one kind have, and what that kind is called.
pub(crate) struct Kind {
    /// The code of the finding about an unknown one.
    pub(crate) code: &'static str,
    /// `rôle inconnu`.
    pub(crate) fr: &'static str,
    /// `unknown role`.
    pub(crate) en: &'static str,
}

/// What has been read so far.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    pub(crate) faults: Vec<Fault>,
    pub(crate) places: Places,
    /// Shared parts that something refers to.
    pub(crate) used: BTreeSet<String>,
    /// Files that exist but could not be read: a name that leads to one is not unknown.
    pub(crate) unreadable: BTreeSet<String>,
    /// Texts that are given in French alone.
    pub(crate) french_only: BTreeSet<Mark>,
}

impl Desk {
    pub(crate) fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// The entries of a mapping; unknown keys are reported, with the known one that was probably meant.
    pub(crate) fn entries<'n>(&mut self, at: &At<'n>, group: &Group) -> Entries<'n> {
        self.entries_among(at, group.names())
    }

    /// The same, where only some of a group's keys are in place.
    pub(crate) fn entries_among<'n>(
        &mut self,
        at: &At<'n>,
        known: impl Iterator<Item = &'static str> + Clone,
    ) -> Entries<'n> {
        self.places.put(&at.pointer, at.node.mark);
        let Some(entries) = at.node.map() else {
            self.wrong(
                at,
                "une liste de clés et de valeurs (`clé: valeur`)",
                "keys with values (`key: value`)",
            );
            return Entries { entries: &[], mark: at.mark(), pointer: at.pointer.clone() };
        };
        let unknown = |e: &&Entry| !known.clone().any(|key| key == e.key) && e.key != "<<";
        // A mapping with more strangers than that is something else altogether.
        for entry in entries.iter().filter(unknown).take(MOST_STRANGERS) {
            let meant = near(&entry.key, known.clone());
            let mut fault = Fault::error(
                "key.unknown",
                entry.key_mark,
                format!("clé inconnue : `{}`", entry.key),
                format!("unknown key: `{}`", entry.key),
            )
            .suggest(meant.clone());
            if meant.is_none() {
                let list = known.clone().collect::<Vec<_>>().join(", ");
                fault = fault.help(format!("clés connues ici : {list}"), format!("keys known here: {list}"));
            }
            self.fault(fault);
        }
        Entries { entries, mark: at.mark(), pointer: at.pointer.clone() }
    }

    /// The value under a key, if there is one that says something.
    pub(crate) fn get<'n>(&mut self, entries: &Entries<'n>, key: &str) -> Option<At<'n>> {
        let entry = entries.entries.iter().find(|e| e.key == key)?;
        let pointer = format!("{}/{key}", entries.pointer);
        let at = At { node: &entry.value, key_mark: entry.key_mark, pointer };
        self.places.put(&at.pointer, at.mark());
        if entry.value.is_null() {
            self.fault(Fault::error(
                "value.missing",
                entry.key_mark,
                format!("`{key}` n’a pas de valeur"),
                format!("`{key}` has no value"),
            ));
            return None;
        }
        Some(at)
    }

    /// The value under a key that must be there.
    pub(crate) fn require<'n>(&mut self, entries: &Entries<'n>, key: &str) -> Option<At<'n>> {
        if !entries.entries.iter().any(|e| e.key == key) {
            self.fault(Fault::error(
                "key.missing",
                entries.mark,
                format!("il manque `{key}`"),
                format!("`{key}` is missing"),
            ));
            return None;
        }
        self.get(entries, key)
    }

    /// Reports a value of the wrong kind.
    pub(crate) fn wrong(&mut self, at: &At<'_>, fr: &str, en: &str) {
        self.fault(Fault::error(
            "value.kind",
            at.mark(),
            format!("il faut {fr} ici"),
            format!("{en} is needed here"),
        ));
    }

    /// A scalar's text, as written: a number or a date is as good as any text. `true` and `null` are not: whoever means
    /// the word puts it in quotes.
    pub(crate) fn text(&mut self, at: &At<'_>) -> Option<String> {
        let plain = |s: &Scalar| s.style == Style::Plain && matches!(s.text.as_str(), "true" | "false");
        if at.node.is_null() || at.node.scalar().is_some_and(plain) {
            self.wrong(at, "un texte", "a text");
            return None;
        }
        self.rule_text(at)
    }

    fn rule_text(&mut self, at: &At<'_>) -> Option<String> {
        let Some(scalar) = at.node.scalar() else {
            self.wrong(at, "un texte", "a text");
            return None;
        };
        if scalar.text.trim().is_empty() {
            let (fr, en) = ("ce texte est vide", "this text is empty");
            self.fault(Fault::error("value.empty", at.mark(), fr, en));
            return None;
        }
        Some(scalar.text.clone())
    }

    /// A text that has placeholders: its scalar is kept for places inside it.
    fn kept_text(&mut self, at: &At<'_>) -> Option<String> {
        self.text(at)?;
        self.rule(at)
    }

    /// A rule, which may be `true`: its scalar is kept for places inside it.
    pub(crate) fn rule(&mut self, at: &At<'_>) -> Option<String> {
        let text = self.rule_text(at)?;
        if let Some(scalar) = at.node.scalar() {
            self.places.scalars.insert(at.pointer.clone(), scalar.clone());
        }
        Some(text)
    }

    /// Words in French and English, `{ fr: …, en: … }`; a bare text is French.
    pub(crate) fn words(&mut self, at: &At<'_>) -> Option<Text> {
        if at.node.scalar().is_some() {
            let fr = self.kept_text(&at.clone().becoming(format!("{}/fr", at.pointer)))?;
            self.french_only.insert(at.mark());
            return Some(Text::new(fr, ""));
        }
        let entries = self.entries(at, &grammar::WORDS);
        let fr = self.require(&entries, "fr").and_then(|a| self.kept_text(&a));
        let en = self.get(&entries, "en").and_then(|a| self.kept_text(&a));
        if en.is_none() && at.node.get("en").is_none() {
            self.french_only.insert(at.mark());
        }
        Some(Text::new(fr?, en.unwrap_or_default()))
    }

    /// The words under a key, empty if there is none.
    pub(crate) fn words_or_empty(&mut self, entries: &Entries<'_>, key: &str) -> Text {
        self.get(entries, key).and_then(|at| self.words(&at)).unwrap_or_default()
    }

    /// `true` or `false`; the other words that people use for them are reported.
    pub(crate) fn boolean(&mut self, at: &At<'_>) -> Option<bool> {
        let (text, plain) =
            at.node.scalar().map_or(("", false), |s| (s.text.as_str(), s.style == Style::Plain));
        match (text, plain) {
            ("true", true) => return Some(true),
            ("false", true) => return Some(false),
            _ => {}
        }
        let meant = match text.to_lowercase().as_str() {
            "yes" | "oui" | "on" | "vrai" | "true" => Some("true"),
            "no" | "non" | "off" | "faux" | "false" => Some("false"),
            _ => None,
        };
        let fault = Fault::error(
            "value.kind",
            at.mark(),
            "il faut `true` ou `false` ici",
            "`true` or `false` is needed here",
        );
        self.fault(fault.suggest(meant.map(Suggestion::certain)));
        None
    }

    /// A whole number that fits.
    pub(crate) fn integer<N: std::str::FromStr>(&mut self, at: &At<'_>) -> Option<N> {
        let parsed = plain(at).and_then(|t| t.parse().ok());
        if parsed.is_none() {
            self.wrong(at, "un nombre entier", "a whole number");
        }
        parsed
    }

    /// A decimal number.
    pub(crate) fn number(&mut self, at: &At<'_>) -> Option<f64> {
        let parsed = plain(at).and_then(|t| t.parse::<f64>().ok()).filter(|n| n.is_finite());
        if parsed.is_none() {
            self.wrong(at, "un nombre", "a number");
        }
        parsed
    }

    /// A day, `2026-05-07`.
    pub(crate) fn date(&mut self, at: &At<'_>) -> Option<NaiveDate> {
        let digits = at.node.text().filter(|t| laid_out(t, "0000-00-00"));
        let parsed = digits.and_then(|t| NaiveDate::parse_from_str(t, "%Y-%m-%d").ok());
        if parsed.is_none() {
            self.wrong(at, "une date comme 2026-05-07", "a day such as 2026-05-07");
        }
        parsed
    }

    /// A duration, `2 working days`.
    pub(crate) fn budget(&mut self, at: &At<'_>) -> Option<Budget> {
        let text = self.text(at)?;
        self.budget_in(&text, at)
    }

    /// A duration that is a part of a text.
    pub(crate) fn budget_in(&mut self, text: &str, at: &At<'_>) -> Option<Budget> {
        let error = match text.parse::<Budget>() {
            Ok(budget) => return Some(budget),
            Err(error) => error,
        };
        let units = Unit::ALL.map(|u| u.key().replace('_', " "));
        let fault = Fault::error(
            "duration.invalid",
            at.mark(),
            format!("`{text}` n’est pas une durée"),
            format!("`{text}` is not a duration"),
        );
        let list = units.join(", ");
        let (amount, unit) = text.trim().split_once(char::is_whitespace).unwrap_or((text, ""));
        let unit = french_unit(unit)
            .map(Suggestion::certain)
            .or_else(|| near(unit, units.iter().map(String::as_str)));
        let fault = match (unit, &error) {
            (Some(unit), BudgetError::UnknownUnit(_)) => {
                let singular =
                    |unit: String| if amount == "1" { unit.trim_end_matches('s').to_owned() } else { unit };
                fault.suggest(Some(unit.map(|unit| format!("{amount} {}", singular(unit)))))
            }
            (_, BudgetError::TooLong { unit, .. }) => {
                let most = unit.most();
                fault.help(format!("au plus {most}"), format!("at most {most}"))
            }
            _ => {
                fault.help(format!("un nombre et une unité : {list}"), format!("a number and a unit: {list}"))
            }
        };
        self.fault(fault);
        None
    }

    /// An amount of money in cents, `12.00 EUR`.
    pub(crate) fn cents(&mut self, at: &At<'_>) -> Option<u64> {
        let text = at.node.text().unwrap_or_default();
        let amount = text.strip_suffix("EUR").or_else(|| text.strip_suffix('€')).map(str::trim);
        let parsed = amount.and_then(|amount| {
            let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
            let digits = fraction.len() <= 2 && fraction.bytes().all(|b| b.is_ascii_digit());
            let hundredths: u64 = format!("{fraction:0<2}").parse().ok().filter(|_| digits)?;
            whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(hundredths)
        });
        if parsed.is_none() {
            self.wrong(at, "un montant comme `12.00 EUR`", "an amount such as `12.00 EUR`");
        }
        parsed
    }

    /// One of the words that may stand here, as what it stands for. Words and variants have the same names, which a
    /// test of the grammar holds.
    pub(crate) fn one_of<T: DeserializeOwned>(
        &mut self,
        at: &At<'_>,
        choices: &'static [Choice],
    ) -> Option<T> {
        self.word(at, choices).and_then(meaning)
    }

    /// One of the words that may stand here.
    pub(crate) fn word(&mut self, at: &At<'_>, choices: &'static [Choice]) -> Option<&'static str> {
        let text = at.node.text().unwrap_or_default();
        if let Some(choice) = choices.iter().find(|choice| choice.word == text) {
            return Some(choice.word);
        }
        let list = choices.iter().map(|choice| choice.word).collect::<Vec<_>>().join(", ");
        let meant = near(text, choices.iter().map(|choice| choice.word));
        let fault = if at.node.scalar().is_some() {
            let (fr, en) = (format!("`{text}` n’est pas admis ici"), format!("`{text}` is not allowed here"));
            Fault::error("value.unknown", at.mark(), fr, en)
        } else {
            Fault::error("value.kind", at.mark(), "il faut un seul mot ici", "a single word is needed here")
        };
        self.fault(fault.help(format!("au choix : {list}"), format!("one of: {list}")).suggest(meant));
        None
    }

    /// The items of a list; a single value counts as a list of one.
    pub(crate) fn items<'n>(&mut self, at: &At<'n>) -> Vec<At<'n>> {
        let nodes = match at.node.list() {
            Some(items) => items,
            None => std::slice::from_ref(at.node),
        };
        let items: Vec<At<'n>> = nodes
            .iter()
            .enumerate()
            .map(|(i, node)| At { node, key_mark: node.mark, pointer: format!("{}/{i}", at.pointer) })
            .collect();
        for item in &items {
            self.places.put(&item.pointer, item.mark());
        }
        items
    }

    /// The items of what must be a list.
    pub(crate) fn list<'n>(&mut self, at: &At<'n>) -> Vec<At<'n>> {
        if at.node.list().is_none() {
            self.wrong(at, "une liste (`- …`)", "a list (`- …`)");
            return Vec::new();
        }
        self.items(at)
    }

    /// The texts of a list, each with its place.
    pub(crate) fn texts(&mut self, at: &At<'_>) -> Vec<String> {
        self.items(at).iter().filter_map(|item| self.text(item)).collect()
    }

    /// The entries of a mapping whose keys are free, each as a value to read.
    pub(crate) fn named<'n>(&mut self, at: &At<'n>) -> Vec<(&'n Entry, At<'n>)> {
        let Some(entries) = at.node.map() else {
            self.wrong(at, "des noms avec leurs valeurs", "names with values");
            return Vec::new();
        };
        entries
            .iter()
            .map(|e| {
                let pointer = format!("{}/{}", at.pointer, e.key);
                (e, At { node: &e.value, key_mark: e.key_mark, pointer })
            })
            .collect()
    }

    /// Reports a name that is not among the known ones; says whether it is.
    pub(crate) fn known<'k>(
        &mut self,
        name: &str,
        mark: Mark,
        known: impl IntoIterator<Item = &'k str>,
        kind: &Kind,
    ) -> bool {
        let mut known: Vec<&str> = known.into_iter().collect();
        if known.contains(&name) {
            return true;
        }
        if self.unreadable.contains(name) {
            return false;
        }
        known.dedup();
        let meant = near(name, known.iter().copied());
        // What was probably meant is not unused for being misspelt.
        self.used.extend(meant.as_ref().map(|meant| meant.text.clone()));
        let mut fault = Fault::error(
            kind.code,
            mark,
            format!("{} : `{name}`", kind.fr),
            format!("{}: `{name}`", kind.en),
        )
        .suggest(meant.clone());
        if meant.is_none() && !known.is_empty() {
            let list = known.iter().take(20).copied().collect::<Vec<_>>().join(", ");
            fault = fault.help(format!("on connaît : {list}"), format!("known: {list}"));
        }
        self.fault(fault);
        false
    }
}

/// The text of a scalar without quotes: a number in quotes is a text.
fn plain<'n>(at: &At<'n>) -> Option<&'n str> {
    at.node.scalar().filter(|s| s.style == Style::Plain).map(|s| s.text.as_str())
}

/// Whether a text has digits where the layout has `0`, and its other characters where they are.
pub(super) fn laid_out(text: &str, layout: &str) -> bool {
    let fits = |(is, should): (u8, u8)| if should == b'0' { is.is_ascii_digit() } else { is == should };
    text.len() == layout.len() && text.bytes().zip(layout.bytes()).all(fits)
}

/// What a word stands for.
pub(crate) fn meaning<T: DeserializeOwned>(word: &'static str) -> Option<T> {
    let word: StrDeserializer<'_, serde::de::value::Error> = word.into_deserializer();
    T::deserialize(word).ok()
}

/// The unit that an officer meant who wrote it in French.
fn french_unit(unit: &str) -> Option<&'static str> {
    let unit = unit.trim().to_lowercase();
    let words: Vec<&str> = unit.split_whitespace().map(|word| word.trim_end_matches('s')).collect();
    let found = match words.as_slice() {
        ["jour", "ouvré"] | ["jo"] | ["working-day"] => "working days",
        ["heure", "ouvrée"] => "working hours",
        ["minute", "ouvrée"] => "working minutes",
        ["jour"] => "days",
        ["heure" | "h"] => "hours",
        // « mois » has an s of its own.
        ["moi"] => "months",
        ["an" | "année"] => "years",
        _ => return None,
    };
    Some(found)
}
