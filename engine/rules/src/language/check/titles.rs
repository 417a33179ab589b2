//! Titles and labels are the same for everybody: they fill nothing in, least of all somebody's data.

use super::{Sheet, Whole};
use crate::language::diagnostic::Fault;
use crate::language::template::{self, Piece};
use crate::process::Definition;
use crate::text::Text;

pub(super) fn check(sheet: &Sheet, whole: &Whole<'_>, faults: &mut Vec<Fault>) {
    let definition = &sheet.definition;
    let mut texts: Vec<(String, &Text)> = vec![("/title".into(), &definition.title)];
    texts.extend(definition.description.iter().map(|text| ("/description".into(), text)));
    for (i, task) in definition.treatment.iter().enumerate() {
        texts.push((format!("/treatment/{i}/title"), &task.title));
        let labels = task.report.iter().enumerate();
        texts.extend(labels.map(|(j, field)| (format!("/treatment/{i}/report/{j}/label"), &field.label)));
    }
    for (i, commitment) in definition.commitments.iter().enumerate() {
        texts.extend(commitment.title.iter().map(|text| (format!("/commitments/{i}/title"), text)));
    }
    for (i, field) in definition.form.iter().enumerate() {
        texts.push((format!("/form/{i}/label"), &field.label));
        texts.extend(field.help.iter().map(|text| (format!("/form/{i}/help"), text)));
    }
    for (pointer, text) in texts {
        for (language, text) in [("fr", &text.fr), ("en", &text.en)] {
            one(sheet, whole, &format!("{pointer}/{language}"), text, faults);
        }
    }
}

fn one(sheet: &Sheet, whole: &Whole<'_>, pointer: &str, text: &str, faults: &mut Vec<Fault>) {
    // A lone brace is no placeholder, and is printed as it stands.
    for piece in template::pieces(text).unwrap_or_default() {
        let Piece::Placeholder { name, range, .. } = piece else { continue };
        let mark = match sheet.places.scalar(pointer) {
            Some(scalar) => scalar.locate_range(whole.sources.text(scalar.raw.file), range),
            None => sheet.at(pointer),
        };
        faults.push(if is_personal(&sheet.definition, name) {
            let (fr, en) = (
                format!("`{name}` est une donnée personnelle : un titre est lu par tous"),
                format!("`{name}` is personal data: everybody reads a title"),
            );
            Fault::error("title.personal", mark, fr, en)
        } else {
            let (fr, en) = (
                format!("un titre n’a pas de mentions : `{{{name}}}` serait imprimé tel quel"),
                format!("a title has no placeholders: `{{{name}}}` would be printed as it stands"),
            );
            Fault::error("title.placeholder", mark, fr, en)
                .help("seuls les messages en ont", "only messages have them")
        });
    }
}

fn is_personal(definition: &Definition, name: &str) -> bool {
    let (fields, field) =
        if let Some((task, field)) = name.strip_prefix("tasks.").and_then(|rest| rest.split_once('.')) {
            (definition.task(task).map(|t| &t.report), field)
        } else {
            (Some(&definition.form), name.strip_prefix("form.").unwrap_or(name))
        };
    let found = fields.into_iter().flatten().find(|f| f.field == field);
    name == "contact" || found.is_some_and(|f| f.personal || f.kind.is_personal())
}
