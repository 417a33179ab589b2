//! Fills the placeholders of a designer's text. Pure: it knows no request, only names and values.
//!
//! `{name}` takes the value of that name; `{name|words}` takes `words` where there is no value; `{{` and `}}` are
//! braces. A name without a value and without words of its own gets neutral words, so that no letter to a citizen ever
//! holds a hole, a brace or a `None`.

use std::collections::BTreeMap;

use guichet_engine::rules::text::Language;

/// Values by placeholder name.
pub type Values = BTreeMap<String, String>;

/// The longest value that a placeholder brings in, in characters; the rest is cut with an ellipsis.
pub const VALUE_CHARACTERS_MAX: usize = 20_000;

/// `template` with its placeholders filled in, without blank lines left by empty values.
#[must_use]
pub fn render(template: &str, values: &Values, language: Language) -> String {
    let mut out = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        rest = if let Some(after) = from.strip_prefix("{{") {
            out.push('{');
            after
        } else if let Some(after) = from.strip_prefix("}}") {
            out.push('}');
            after
        } else if let Some((inside, after)) = from.strip_prefix('{').and_then(|text| text.split_once('}')) {
            out.push_str(&value_of(inside, values, language));
            after
        } else {
            // A lone brace: the checker refuses it, and here it is better shown than lost.
            let mut symbols = from.chars();
            out.extend(symbols.next());
            symbols.as_str()
        };
    }
    out.push_str(rest);
    tidy(&out)
}

/// The same on one line, for subjects and text messages.
#[must_use]
pub fn render_line(template: &str, values: &Values, language: Language) -> String {
    one_line(&render(template, values, language))
}

/// Any text as one line without control characters: nothing can be smuggled into a mail's headers with it.
#[must_use]
pub fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The names of the placeholders of `template`, with whether each has words of its own for when it is empty.
#[must_use]
pub fn placeholders(template: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    let mut rest = template;
    while let Some((_, from)) = rest.split_once('{') {
        if let Some(after) = from.strip_prefix('{') {
            rest = after;
            continue;
        }
        let Some((inside, after)) = from.split_once('}') else { break };
        let (name, words) = inside.split_once('|').map_or((inside, None), |(n, w)| (n, Some(w)));
        found.push((name.trim(), words.is_some()));
        rest = after;
    }
    found
}

fn value_of(inside: &str, values: &Values, language: Language) -> String {
    let (name, words) = inside.split_once('|').map_or((inside, None), |(name, words)| (name, Some(words)));
    let value = values.get(name.trim()).map(String::as_str).filter(|value| !value.trim().is_empty());
    match (value, words) {
        (Some(value), _) => clean(value),
        (None, Some(words)) => words.to_owned(),
        (None, None) => neutral(name.trim(), language).to_owned(),
    }
}

/// What stands where the value of a placeholder is missing and the designer foresaw no words.
fn neutral(name: &str, language: Language) -> &'static str {
    let (fr, en) = match name {
        "due" | "reply_by" => ("terme prévu", "the date planned"),
        "service" => ("Relation usagers", "Citizen relations"),
        "code" => ("(numéro communiqué à part)", "(number given separately)"),
        "title" => ("votre demande", "your request"),
        "reason" => ("Motif précisé dans votre dossier.", "The reason is stated in your file."),
        "question" => ("Voir la page de suivi.", "See the follow-up page."),
        "answer" => ("Votre demande a été traitée.", "Your request has been dealt with."),
        "silence" | "contact" | "link" | "tenant" => ("", ""),
        _ => ("–", "–"),
    };
    match language {
        Language::Fr => fr,
        Language::En => en,
    }
}

/// A value without control characters other than line ends, and not endless.
fn clean(value: &str) -> String {
    let mut out: String = value
        .replace("\r\n", "\n")
        .chars()
        .filter(|c| *c == '\n' || !c.is_control())
        .take(VALUE_CHARACTERS_MAX)
        .collect();
    if value.chars().count() > VALUE_CHARACTERS_MAX {
        out.push('…');
    }
    out.trim().to_owned()
}

/// No spaces at the ends of lines, never more than one blank line in a row, none at the ends.
fn tidy(text: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() && out.last().is_none_or(|last| last.is_empty()) {
            continue;
        }
        out.push(line);
    }
    while out.last().is_some_and(|last| last.is_empty()) {
        out.pop();
    }
    out.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn placeholders_take_their_values() {
        let values = values(&[("code", "K7M-4QP-9TXA"), ("form.street", "rue de l’Arquebuse")]);
        let text = render("Demande {code}, {form.street}. {{sic}}", &values, Language::Fr);
        assert_eq!(text, "Demande K7M-4QP-9TXA, rue de l’Arquebuse. {sic}");
    }

    #[test]
    fn what_is_empty_takes_the_designers_words_and_else_neutral_ones() {
        let values = values(&[("due", " ")]);
        assert_eq!(render("le {due|prochain jour ouvré}", &values, Language::Fr), "le prochain jour ouvré");
        assert_eq!(render("by {due}", &values, Language::En), "by the date planned");
        assert_eq!(render("A\n\n{silence}\n\nB", &values, Language::Fr), "A\n\nB", "no hole is left");
    }

    #[test]
    fn a_value_is_never_read_as_a_template_and_brings_in_no_header() {
        let values = values(&[("answer", "{code}\r\nBcc: x@y.example\u{0}"), ("code", "K")]);
        assert_eq!(render("{answer}", &values, Language::Fr), "{code}\nBcc: x@y.example");
        assert_eq!(render_line("{answer}", &values, Language::Fr), "{code} Bcc: x@y.example");
    }

    #[test]
    fn lone_braces_are_shown_not_lost() {
        assert_eq!(render("a { b", &Values::new(), Language::Fr), "a { b");
        assert_eq!(render("a } b", &Values::new(), Language::Fr), "a } b");
    }

    #[test]
    fn the_names_in_a_text_are_found_with_their_words() {
        let found = placeholders("{code} {{no}} {due|bientôt} {tasks.visite.finding}");
        assert_eq!(found, [("code", false), ("due", true), ("tasks.visite.finding", false)]);
    }
}
