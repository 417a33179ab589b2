//! What the thing at a byte is, for somebody who points at it.

use std::ops::Range;

use super::walk::groups;
use super::{Index, Spot};
use crate::language::grammar::{Key, Shape};
use crate::language::outline::Place;
use crate::language::source::Mark;
use crate::text::Language;

/// Words about what stands somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// In Markdown.
    pub words: String,
    /// The bytes they are about.
    pub range: Range<usize>,
}

impl Index {
    /// What the thing at a byte of a file is.
    #[must_use]
    pub fn about(&self, path: &str, byte: usize, language: Language) -> Option<About> {
        let spot = self.spot(path, byte);
        let mut parts = Vec::new();
        let mut range = None;
        if let Some(name) = self.name_at(path, byte) {
            range = Some(name.mark.range());
            parts.extend(self.words_about(path, name, language));
        }
        if let Some(spot) = &spot {
            if spot.cursor.token.contains(&byte) || spot.cursor.token.end == byte {
                range.get_or_insert_with(|| spot.cursor.token.clone());
            }
            parts.extend(self.word_about(path, spot, language));
            if let Some(key) = self.key_of(path, spot) {
                let key = about_key(key, language);
                if !parts.is_empty() {
                    parts.push("---".to_owned());
                }
                parts.push(key);
            }
        }
        let base =
            self.in_base(path, byte).filter(|_| spot.is_some_and(|spot| spot.cursor.place == Place::Key));
        parts.extend(base.map(|mark| self.inherited_words(mark, language)));
        let range = range.filter(|range| !range.is_empty())?;
        (!parts.is_empty()).then(|| About { words: parts.join("\n\n"), range })
    }

    /// The key at the cursor, or whose value it is.
    fn key_of(&self, path: &str, spot: &Spot) -> Option<&'static Key> {
        if spot.cursor.place != Place::Key {
            return spot.key;
        }
        let written = self.text(path)?.get(spot.cursor.token.clone())?.trim_matches(['"', '\'']);
        spot.shapes.iter().flat_map(|shape| groups(*shape)).find_map(|group| group.key(written))
    }

    /// The meaning of a word of a closed list.
    fn word_about(&self, path: &str, spot: &Spot, language: Language) -> Option<String> {
        if spot.cursor.place == Place::Key {
            return None;
        }
        let written = self.text(path)?.get(spot.cursor.token.clone())?.trim_matches(['"', '\'']);
        let lists = spot.shapes.iter().map(|shape| match shape {
            Shape::Many(Shape::OneOf(words)) | Shape::OneOf(words) => *words,
            _ => &[],
        });
        let word = lists.flatten().find(|word| word.word == written)?;
        let (fr, en) = word.about;
        Some(format!("`{written}` · {}", say(language, fr, en)))
    }

    pub(super) fn inherited_words(&self, mark: Mark, language: Language) -> String {
        let (line, _) = self.sources.position(mark.file, mark.start);
        let file = self.sources.path(mark.file);
        match language {
            Language::Fr => format!("Le modèle le dit aussi : `{file}`, ligne {line}."),
            Language::En => format!("The model says it too: `{file}`, line {line}."),
        }
    }
}

/// The French or the English words.
pub(super) fn say<'t>(language: Language, fr: &'t str, en: &'t str) -> &'t str {
    match language {
        Language::Fr => fr,
        Language::En => en,
    }
}

fn about_key(key: &Key, language: Language) -> String {
    let (fr, en) = key.about;
    let mut words = format!("**`{}`** · {}", key.key, say(language, fr, en));
    if let Some((fr, en)) = key.default {
        let left_out = say(language, "Si on ne dit rien : ", "If left out: ");
        words.push_str(&format!("\n\n{left_out}{}.", say(language, fr, en)));
    }
    if key.required {
        let required = say(
            language,
            "À dire, par la fiche ou par son modèle.",
            "Must be said, by the sheet or its model.",
        );
        words.push_str(&format!("\n\n{required}"));
    }
    let example = key.example;
    words.push_str(&format!("\n\n```yaml\n{}: {example}\n```", key.key));
    words
}
