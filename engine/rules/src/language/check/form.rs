//! Forms: no field twice, limits that fit the field's type, nothing shown that depends on itself.

use std::collections::BTreeMap;

use super::{Sheet, Whole};
use crate::language::diagnostic::Fault;
use crate::process::{Field, FieldType};

pub(super) fn check(sheet: &Sheet, _: &Whole<'_>, faults: &mut Vec<Fault>) {
    fields(sheet, "/form", &sheet.definition.form, faults);
    for (i, task) in sheet.definition.treatment.iter().enumerate() {
        fields(sheet, &format!("/treatment/{i}/report"), &task.report, faults);
    }
    own_display(sheet, faults);
}

fn fields(sheet: &Sheet, base: &str, fields: &[Field], faults: &mut Vec<Fault>) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, field) in fields.iter().enumerate() {
        let at = |key: &str| sheet.at(&format!("{base}/{i}/{key}"));
        if let Some(first) = seen.get(field.field.as_str()) {
            let (fr, en) = (
                format!("le champ `{}` est décrit deux fois", field.field),
                format!("the field `{}` is described twice", field.field),
            );
            let label = sheet.at(&format!("{base}/{first}/field"));
            faults.push(Fault::error("name.duplicate", at("field"), fr, en).label(
                label,
                "déjà ici",
                "already here",
            ));
        }
        seen.insert(&field.field, i);
        limits(field, at, faults);
    }
}

fn limits(field: &Field, at: impl Fn(&str) -> crate::language::source::Mark, faults: &mut Vec<Fault>) {
    let number = matches!(field.kind, FieldType::Number | FieldType::Integer | FieldType::Money);
    let list = matches!(field.kind, FieldType::Files | FieldType::Choices);
    let files = field.kind == FieldType::Files;
    let choice = matches!(field.kind, FieldType::Choice | FieldType::Choices);
    let given = [
        ("min", field.min.is_some(), number),
        ("max", field.max.is_some(), number),
        ("max_length", field.max_length.is_some(), field.kind == FieldType::Text),
        ("at_most", field.at_most.is_some(), list),
        ("accept", !field.accept.is_empty(), files),
        ("max_size", field.max_size.is_some(), files),
        ("options", !field.options.is_empty(), choice),
    ];
    for (key, _, _) in given.iter().filter(|(_, given, fits)| *given && !fits) {
        let (fr, en) = (
            format!("`{key}` ne va pas avec ce type de champ"),
            format!("`{key}` does not go with this type of field"),
        );
        faults.push(Fault::error("field.limit", at(key), fr, en));
    }
    if let (Some(min), Some(max)) = (field.min, field.max)
        && min > max
    {
        let (fr, en) = (
            "aucun nombre n’est entre ce minimum et ce maximum",
            "no number lies between this minimum and this maximum",
        );
        faults.push(Fault::error("field.limit", at("min"), fr, en));
    }
    if field.at_most == Some(0) {
        let (fr, en) = ("au plus zéro : le champ ne sert à rien", "at most none: the field is of no use");
        faults.push(Fault::error("field.limit", at("at_most"), fr, en));
    }
}

/// A field that is shown only when it has been filled in.
fn own_display(sheet: &Sheet, faults: &mut Vec<Fault>) {
    for (i, field) in sheet.definition.form.iter().enumerate() {
        let name = format!("form.{}", field.field);
        let itself = field.shown_when.as_ref().is_some_and(|rule| {
            rule.match_indices(&name).any(|(at, found)| {
                let next = rule.get(at + found.len()..).and_then(|rest| rest.chars().next());
                next.is_none_or(|c| !c.is_alphanumeric() && c != '_')
            })
        });
        if itself {
            let (fr, en) = (
                "ce champ n’est montré que s’il est déjà rempli",
                "this field is shown only once it is filled in",
            );
            faults.push(Fault::error(
                "field.shows_itself",
                sheet.at(&format!("/form/{i}/shown_when")),
                fr,
                en,
            ));
        }
    }
}
