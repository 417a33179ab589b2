//! The names an expression may use, and their types.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What an expression or a part of it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Yes or no.
    Boolean,
    /// A whole number; amounts of money are whole cents.
    Integer,
    /// A decimal number.
    Number,
    /// Text.
    Text,
    /// A day, compared with texts of the form `2026-05-07`.
    Date,
    /// A time of day, compared with texts of the form `16:50`.
    Time,
    /// One of a closed set of words. An empty text is always possible too: nothing was chosen.
    Choice(Arc<[String]>),
    /// Several values of one type; the number is the most there can be.
    List(Box<Type>, usize),
    /// Something with named parts.
    Record(Arc<BTreeMap<String, Type>>),
    /// A name that exists but must not be used in this place.
    Hidden(Hidden),
    /// The type of the items of an empty list.
    Unknown,
}

/// Why a name must not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hidden {
    /// It identifies a person.
    Personal,
    /// It is decided later than this rule is evaluated.
    TooEarly,
}

impl Type {
    /// A choice among these words.
    pub fn choice<S: Into<String>>(words: impl IntoIterator<Item = S>) -> Self {
        Self::Choice(words.into_iter().map(Into::into).collect())
    }

    /// A record of these parts.
    pub fn record<S: Into<String>>(parts: impl IntoIterator<Item = (S, Type)>) -> Self {
        Self::Record(Arc::new(parts.into_iter().map(|(name, kind)| (name.into(), kind)).collect()))
    }

    /// The place of a location field: latitude and longitude in degrees, and the neighbourhood it lies in.
    #[must_use]
    pub fn location() -> Self {
        Self::record([("lat", Self::Number), ("lon", Self::Number), ("area", Self::Text)])
    }

    /// An attached file.
    #[must_use]
    pub fn file() -> Self {
        Self::record([("type", Self::Text), ("size", Self::Integer)])
    }

    /// What it is called, in French and in English.
    #[must_use]
    pub fn name(&self) -> (&'static str, &'static str) {
        match self {
            Self::Boolean => ("oui/non", "yes/no"),
            Self::Integer => ("un nombre entier", "a whole number"),
            Self::Number => ("un nombre", "a number"),
            Self::Text => ("un texte", "a text"),
            Self::Date => ("une date", "a date"),
            Self::Time => ("une heure", "a time of day"),
            Self::Choice(_) => ("un choix", "a choice"),
            Self::List(..) => ("une liste", "a list"),
            Self::Record(_) => ("un ensemble de champs", "a group of fields"),
            Self::Hidden(_) | Self::Unknown => ("une valeur", "a value"),
        }
    }

    /// Whether values of this type are texts for the expression language.
    pub(super) fn is_textual(&self) -> bool {
        match self {
            Self::Text | Self::Date | Self::Time | Self::Choice(_) => true,
            Self::Boolean
            | Self::Integer
            | Self::Number
            | Self::List(..)
            | Self::Record(_)
            | Self::Hidden(_)
            | Self::Unknown => false,
        }
    }

    /// Whether values of this type are numbers.
    pub(super) fn is_numeric(&self) -> bool {
        matches!(self, Self::Integer | Self::Number)
    }
}

/// The names that the rules of one sheet may use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    roots: BTreeMap<String, Type>,
}

impl Environment {
    /// An environment in which nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a root name, such as `form`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, kind: Type) -> Self {
        self.roots.insert(name.into(), kind);
        self
    }

    /// The type of a root name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Type> {
        self.roots.get(name)
    }

    /// All root names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.roots.keys().map(String::as_str)
    }
}
