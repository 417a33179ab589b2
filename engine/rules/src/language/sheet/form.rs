//! The fields of a form.

use super::desk::{At, Desk, Entries, meaning};
use crate::language::diagnostic::Fault;
use crate::language::grammar;
use crate::process::{Field, FieldOption, FieldType, Requirement};
use crate::text::Text;

impl Desk {
    /// A list of fields.
    pub(super) fn fields(&mut self, at: &At<'_>) -> Vec<Field> {
        let mut fields = Vec::new();
        for item in self.list(at) {
            let item = item.becoming(format!("{}/{}", at.pointer, fields.len()));
            fields.extend(self.field(&item));
        }
        fields
    }

    fn field(&mut self, at: &At<'_>) -> Option<Field> {
        let entries = self.entries(at, &grammar::FIELD);
        let name = self.require(&entries, "field").and_then(|a| self.identifier(&a));
        let word = self.require(&entries, "type").and_then(|a| self.word(&a, &grammar::FIELD_TYPES));
        // One file is a list of at most one.
        let single = word == Some("file");
        let kind = word.map(|w| if single { "files" } else { w }).and_then(meaning);
        let label = self.words_or_empty(&entries, "label");
        let personal = self.get(&entries, "personal").and_then(|a| self.boolean(&a)).unwrap_or_default();
        let (name, kind) = (name?, kind?);
        let at_most = self.get(&entries, "at_most").and_then(|a| self.integer(&a));
        Some(Field {
            label: if label.fr.is_empty() { Text::new(name.replace('_', " "), "") } else { label },
            help: self.get(&entries, "help").and_then(|a| self.words(&a)),
            required: self.requirement(&entries),
            shown_when: self.get(&entries, "shown_when").and_then(|a| self.rule(&a)),
            options: self.options(&entries, kind),
            accept: self.get(&entries, "accept").map(|a| self.texts(&a)).unwrap_or_default(),
            at_most: if single { Some(1) } else { at_most },
            max_size: self.get(&entries, "max_size").and_then(|a| self.size(&a)),
            min: self.get(&entries, "min").and_then(|a| self.number(&a)),
            max: self.get(&entries, "max").and_then(|a| self.number(&a)),
            max_length: self.get(&entries, "max_length").and_then(|a| self.integer(&a)),
            personal: personal || kind.is_personal(),
            field: name,
            kind,
        })
    }

    /// A name that rules can use: lower-case letters, digits and underscores.
    pub(super) fn identifier(&mut self, at: &At<'_>) -> Option<String> {
        let name = self.text(at)?;
        let sound = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && !matches!(
                name.as_str(),
                "in" | "true" | "false" | "null" | "as" | "if" | "for" | "let" | "var"
            );
        if !sound {
            let (fr, en) = (
                format!("`{name}` ne peut pas servir de nom dans une règle"),
                format!("`{name}` cannot be used as a name in a rule"),
            );
            let fixed: String = name
                .to_lowercase()
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
                .collect();
            let fits = fixed.starts_with(|c: char| c.is_ascii_lowercase()) && fixed != name;
            self.fault(
                Fault::error("name.invalid", at.mark(), fr, en)
                    .help(
                        "lettres minuscules sans accent, chiffres et `_`",
                        "lower-case letters, digits and `_`",
                    )
                    .suggest(fits.then_some(fixed)),
            );
        }
        // A name that is wrong is still the name that the rest of the sheet uses.
        Some(name)
    }

    fn requirement(&mut self, entries: &Entries<'_>) -> Requirement {
        let Some(at) = self.get(entries, "required") else { return Requirement::Optional };
        match at.node.text() {
            Some("true") => Requirement::Always,
            Some("false") => Requirement::Optional,
            Some("yes" | "oui" | "no" | "non" | "on" | "off") => {
                self.boolean(&at);
                Requirement::Optional
            }
            Some(_) => self.rule(&at).map_or(Requirement::Optional, Requirement::When),
            None => {
                self.wrong(&at, "`true`, `false` ou une règle", "`true`, `false` or a rule");
                Requirement::Optional
            }
        }
    }

    fn options(&mut self, entries: &Entries<'_>, kind: FieldType) -> Vec<FieldOption> {
        let Some(at) = self.get(entries, "options") else {
            if matches!(kind, FieldType::Choice | FieldType::Choices) {
                let (fr, en) = ("un choix a besoin de ses `options`", "a choice needs its `options`");
                self.fault(Fault::error("key.missing", entries.mark, fr, en));
            }
            return Vec::new();
        };
        let mut options: Vec<FieldOption> = Vec::new();
        for item in self.list(&at) {
            let option = if item.node.scalar().is_some() {
                self.text(&item)
                    .map(|value| FieldOption { label: Text::new(value.replace(['_', '-'], " "), ""), value })
            } else {
                let inner = self.entries(&item, &grammar::OPTION);
                let value = self.require(&inner, "value").and_then(|a| self.text(&a));
                let label = self.words_or_empty(&inner, "label");
                value.map(|value| FieldOption {
                    label: if label.fr.is_empty() {
                        Text::new(value.replace(['_', '-'], " "), "")
                    } else {
                        label
                    },
                    value,
                })
            };
            let Some(option) = option else { continue };
            if options.iter().any(|o| o.value == option.value) {
                let (fr, en) = (
                    format!("l’option `{}` est écrite deux fois", option.value),
                    format!("the option `{}` is written twice", option.value),
                );
                self.fault(Fault::error("name.duplicate", item.mark(), fr, en));
            } else {
                options.push(option);
            }
        }
        options
    }

    /// A size in bytes: `10 MiB`, `500 KiB`.
    fn size(&mut self, at: &At<'_>) -> Option<u64> {
        let text = at.node.text().unwrap_or_default();
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (amount, unit) = text.split_at(split);
        let factor: Option<u64> = match unit.trim() {
            "" | "B" => Some(1),
            "KiB" => Some(1 << 10),
            "kB" | "KB" | "ko" | "Ko" => Some(1_000),
            "MiB" => Some(1 << 20),
            "MB" | "Mo" => Some(1_000_000),
            _ => None,
        };
        let size = amount.parse::<u64>().ok().zip(factor).and_then(|(n, f)| n.checked_mul(f));
        if size.is_none() {
            self.wrong(at, "une taille comme `10 MiB`", "a size such as `10 MiB`");
        }
        size
    }
}
