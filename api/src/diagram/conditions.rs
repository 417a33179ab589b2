//! Rules as an officer reads them: the sheet's own names, without the grammar around them.

use std::collections::BTreeMap;

use guichet_engine::rules::process::Definition;
use guichet_engine::rules::text::Language;

use super::chart::say;
use super::measure::shortened;

/// The longest label shown whole, in characters.
const LABEL_MAX: usize = 60;

/// Turns rules into short words, with the labels of a form's options.
pub(super) struct Conditions {
    options: BTreeMap<String, String>,
    /// What rules call things, and what people do: fields of the form and of reports, tasks.
    labels: BTreeMap<String, String>,
    language: Language,
}

impl Conditions {
    pub(super) fn of(definition: &Definition, language: Language) -> Self {
        let reports = definition.treatment.iter().flat_map(|task| &task.report);
        let options = definition.form.iter().chain(reports).flat_map(|field| &field.options);
        let options =
            options.map(|option| (option.value.clone(), option.label.get(language).to_owned())).collect();
        let mut labels: BTreeMap<String, String> = BTreeMap::new();
        for field in &definition.form {
            labels.insert(format!("form.{}", field.field), field.label.get(language).to_owned());
        }
        for task in &definition.treatment {
            let name = format!("tasks.{}", task.task);
            for field in &task.report {
                let label = field.label.get(language).to_owned();
                labels.insert(format!("{name}.report.{}", field.field), label);
            }
            labels.insert(name, task.title.get(language).to_owned());
        }
        labels.retain(|_, label| !label.trim().is_empty());
        Self { options, labels, language }
    }

    /// The rule in words; the whole of it, for whoever shortens it.
    pub(super) fn words(&self, rule: &str) -> String {
        let mut words: Vec<String> = Vec::new();
        let mut rest = rule.trim();
        while let Some(first) = rest.chars().next() {
            let length = token(rest, first);
            let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            rest = after.trim_start();
            words.push(self.word(token));
        }
        let text = format!(" {} ", words.join(" "));
        let complex =
            format!(" {} = {} ", self.say("complexité", "complexity"), self.say("complexe", "complex"));
        let text = text.replace(&complex, &format!(" {} ", self.say("complexe", "complex")));
        let text = text.replace(" ( ", "(").replace("( ", "(").replace(" )", ")").replace(" ,", ",");
        text.replace(" [ ", " [").replace(" ]", "]").replace(". (", ".(").trim().to_owned()
    }

    fn say<'a>(&self, fr: &'a str, en: &'a str) -> &'a str {
        say(self.language, fr, en)
    }

    fn quoted(&self, label: &str) -> String {
        format!("{}{label}{}", self.say("« ", "“"), self.say(" »", "”"))
    }

    fn word(&self, token: &str) -> String {
        let known = match token {
            "&&" => self.say("et", "and"),
            "||" => self.say("ou", "or"),
            "!" => self.say("non", "not"),
            "==" => "=",
            "!=" => "≠",
            "<=" => "≤",
            ">=" => "≥",
            "true" => self.say("oui", "yes"),
            "false" => self.say("non", "no"),
            "in" => self.say("parmi", "in"),
            "request.complexity" => self.say("complexité", "complexity"),
            "request.priority" => self.say("priorité", "priority"),
            "request.channel" => self.say("canal", "channel"),
            "request.kind" => self.say("nature", "kind"),
            _ => "",
        };
        if !known.is_empty() {
            return known.to_owned();
        }
        if let Some(text) = token.strip_prefix(['\'', '"']) {
            let text = text.strip_suffix(['\'', '"']).unwrap_or(text);
            return self.value(text);
        }
        if let Some(words) = self.labelled(token) {
            return words;
        }
        let bare = token.strip_prefix("form.").or_else(|| token.strip_prefix("tasks.")).unwrap_or(token);
        bare.replace(".report.", ".")
    }

    /// What people read for a field or a task, with what is asked of it.
    fn labelled(&self, token: &str) -> Option<String> {
        let quoted = |label: &String| self.quoted(&shortened(label.trim(), LABEL_MAX));
        if let Some(label) = self.labels.get(token) {
            return Some(quoted(label));
        }
        let (name, part) = token.rsplit_once('.')?;
        let label = quoted(self.labels.get(name)?);
        Some(match part {
            "done" => format!("{label} {}", self.say("fait", "done")),
            "skipped" => format!("{label} {}", self.say("sans objet", "skipped")),
            part => format!("{label}.{part}"),
        })
    }

    fn value(&self, text: &str) -> String {
        if let Some(label) = self.options.get(text) {
            return self.quoted(label);
        }
        match text {
            "complex" => self.say("complexe", "complex").to_owned(),
            "urgent" => self.say("urgente", "urgent").to_owned(),
            "high" => self.say("haute", "high").to_owned(),
            "low" => self.say("basse", "low").to_owned(),
            "normal" => self.say("normale", "normal").to_owned(),
            other => other.to_owned(),
        }
    }
}

/// The length in bytes of the token at the start of `rest`.
fn token(rest: &str, first: char) -> usize {
    if first == '\'' || first == '"' {
        let end = rest.char_indices().skip(1).find(|(_, c)| *c == first);
        return end.map_or(rest.len(), |(at, c)| at + c.len_utf8());
    }
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    if part_of_name(first) {
        return rest.find(|c| !part_of_name(c)).unwrap_or(rest.len());
    }
    let double = ["&&", "||", "==", "!=", "<=", ">="].iter().any(|two| rest.starts_with(two));
    if double { 2 } else { first.len_utf8() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read_without_their_grammar() {
        let options = BTreeMap::from([("wires".to_owned(), "Fils accessibles".to_owned())]);
        let label = |name: &str, label: &str| (name.to_owned(), label.to_owned());
        let labels = BTreeMap::from([
            label("form.danger", "Y a-t-il un danger ?"),
            label("tasks.visite.report.made_safe", "Mis en sécurité"),
            label("tasks.visite", "Visite"),
        ]);
        let conditions = Conditions { options, labels, language: Language::Fr };
        let words = |rule: &str| conditions.words(rule);
        assert_eq!(words("form.danger"), "« Y a-t-il un danger ? »");
        assert_eq!(words("tasks.visite.skipped || form.other"), "« Visite » sans objet ou other");
        assert_eq!(words("request.complexity == 'complex'"), "complexe");
        assert_eq!(words("tasks.visite.report.made_safe == false"), "« Mis en sécurité » = non");
        assert_eq!(
            words("form.fault == 'wires' && !(form.height >= 2.5)"),
            "fault = « Fils accessibles » et non(height ≥ 2.5)"
        );
        assert_eq!(words("'unfinished"), "unfinished");
        assert_eq!(words("été é&"), "été é &");
    }
}
