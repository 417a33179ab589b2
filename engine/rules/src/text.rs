//! Text that a citizen or an agent reads, in the languages of the catalogue.

use chrono::{Datelike, NaiveDate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A language that people are written to in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// French, the default everywhere.
    #[default]
    Fr,
    /// English.
    En,
}

impl Language {
    /// The language whose code is `code` (`fr`, `fr-FR`, `en`, `en-GB` …), if it is one of ours.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        match code.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "fr" => Some(Self::Fr),
            "en" => Some(Self::En),
            _ => None,
        }
    }
}

/// The same words in French and in English.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// French.
    pub fr: String,
    /// English; where it is empty the French words are shown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub en: String,
}

impl Text {
    /// The same words in both languages, given.
    #[must_use]
    pub fn new(fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self { fr: fr.into(), en: en.into() }
    }

    /// The words for a reader of `language`.
    #[must_use]
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::En if !self.en.is_empty() => &self.en,
            Language::En | Language::Fr => &self.fr,
        }
    }
}

const MONTHS_FR: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A date as people write it: `1er mai 2026`, `1 May 2026`.
#[must_use]
pub fn date_in_words(date: NaiveDate, language: Language) -> String {
    let months = match language {
        Language::Fr => &MONTHS_FR,
        Language::En => &MONTHS_EN,
    };
    let month = months.get(date.month0() as usize).copied().unwrap_or_default();
    let day = match (language, date.day()) {
        (Language::Fr, 1) => "1er".to_owned(),
        (Language::Fr | Language::En, day) => day.to_string(),
    };
    format!("{day} {month} {}", date.year())
}
