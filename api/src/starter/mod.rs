//! Sheets to start from: a town that has nothing yet gets a small catalogue, and an officer who has an idea gets a
//! commented sheet that passes the checker, with a first scenario that was lived through by the rules themselves.

mod life;
mod samples;
mod sheet;
mod town;

use guichet_engine::rules::process::{FieldType, Kind, Silence};
use guichet_engine::rules::text::Text;

pub use life::{LifeError, first_scenario};
pub use sheet::write_sheet;
pub use town::{Town, write_catalogue};

/// What an officer says of a new process before a sheet is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Sketch {
    /// Its name: theme and short name, `voirie/banc-public`.
    pub process: String,
    /// The model that it starts from, `models/commun`, if there is one.
    pub model: Option<String>,
    /// What people call it.
    pub title: Text,
    /// What it is.
    pub kind: Kind,
    /// The words that citizens look for it by.
    pub keywords: Vec<String>,
    /// What is asked.
    pub fields: Vec<SketchedField>,
    /// The role that qualifies; nobody if the form is enough.
    pub qualified_by: Option<String>,
    /// The service in charge.
    pub service: String,
    /// What is done before the service answers.
    pub tasks: Vec<SketchedTask>,
    /// The circuit that signs the answer, `circuits/…`; the agent who answers if none.
    pub circuit: Option<String>,
    /// The working days within which an answer is promised; the model's promise if none.
    pub days: Option<u32>,
    /// What silence means after two months, and the article that says so; nothing if none.
    pub silence: Option<(Silence, String)>,
    /// The message that takes the answer, where no model names one.
    pub delivery: Option<String>,
    /// The path from the sheet to the JSON Schema of sheets, for editors, if there is one.
    pub schema: Option<String>,
}

/// One question of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SketchedField {
    /// Its name in rules.
    pub field: String,
    /// What people read.
    pub label: String,
    /// Its type.
    pub kind: FieldType,
    /// Whether it must be answered.
    pub required: bool,
    /// The answers to choose from.
    pub options: Vec<String>,
}

/// One task of the treatment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SketchedTask {
    /// Its name in rules.
    pub task: String,
    /// What people call it.
    pub title: Text,
    /// Who does it, as a sheet says it: `role:x`, `service:x`, `service`.
    pub by: String,
    /// How long it may take, as a sheet says it.
    pub within: Option<String>,
    /// The tasks that must be finished before.
    pub after: Vec<String>,
    /// Whether a finding is written down when it is done.
    pub finding: bool,
    /// What the officer should look at again, as comments.
    pub notes: Vec<String>,
}

/// A text between double quotes, as YAML reads it back.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for symbol in text.chars() {
        match symbol {
            '"' | '\\' => {
                out.push('\\');
                out.push(symbol);
            }
            symbol if symbol.is_control() => out.push(' '),
            symbol => out.push(symbol),
        }
    }
    out.push('"');
    out
}

/// A name made from words that people read: lower-case letters and digits, joined by `joint`.
#[must_use]
pub fn name_from(words: &str, joint: char) -> String {
    let mut name = String::new();
    for symbol in words.chars().flat_map(char::to_lowercase) {
        let plain = match symbol {
            'à' | 'â' | 'ä' | 'á' => "a",
            'é' | 'è' | 'ê' | 'ë' => "e",
            'î' | 'ï' | 'í' => "i",
            'ô' | 'ö' | 'ó' => "o",
            'ù' | 'û' | 'ü' | 'ú' => "u",
            'ç' => "c",
            'œ' => "oe",
            'æ' => "ae",
            'a'..='z' | '0'..='9' => {
                name.push(symbol);
                continue;
            }
            _ => {
                if !name.is_empty() && !name.ends_with(joint) {
                    name.push(joint);
                }
                continue;
            }
        };
        name.push_str(plain);
    }
    let mut short: String = name.chars().take(48).collect();
    while short.ends_with(joint) {
        short.pop();
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_what_people_write() {
        assert_eq!(name_from("Banc public cassé, ou tagué !", '-'), "banc-public-casse-ou-tague");
        assert_eq!(name_from("Où est-ce ?", '_'), "ou_est_ce");
        assert_eq!(name_from("   ", '-'), "");
        assert_eq!(name_from("Œuvre d’art", '-'), "oeuvre-d-art");
    }

    #[test]
    fn quoted_texts_cannot_leave_their_quotes() {
        assert_eq!(quoted("dit \"oui\" \\ non\n- x: y"), "\"dit \\\"oui\\\" \\\\ non - x: y\"");
    }
}
