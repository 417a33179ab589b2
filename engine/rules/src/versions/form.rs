//! Fields, of the form and of reports.

use super::differ::{Differ, Spot};
use super::words::{same, text, word, yes_no};
use super::{Area, Audience};
use crate::process::{Field, FieldOption, Requirement};
use crate::text::Text;

const ALL: &[Audience] = &[Audience::Citizens, Audience::Service];

pub(super) fn form(d: &mut Differ<'_>) {
    let (old, new) = (&d.old.form, &d.new.form);
    let spot =
        |name: &str| Spot::new(Area::Form, ALL, format!("Champ « {name} »"), format!("Field “{name}”"));
    fields(d, (old, new), ("/form", "/form"), spot);
}

/// The fields of a form or a report, each by its name.
pub(super) fn fields<'a>(
    d: &mut Differ<'a>,
    (old, new): (&'a [Field], &'a [Field]),
    bases: (&str, &str),
    spot: impl Fn(&str) -> Spot,
) {
    for (spot, old, new) in d.named((old, new), |field| &field.field, &spot, bases, shown) {
        field(d, &spot, old, new);
    }
    let order = |fields: &[Field], others: &[Field]| -> Vec<String> {
        let both = fields.iter().filter(|field| others.iter().any(|other| other.field == field.field));
        both.map(|field| field.field.clone()).collect()
    };
    let whole = spot("…").between(bases.0, bases.1);
    let whole = Spot { subject: Text::new("Ordre des champs", "Order of the fields"), ..whole };
    d.list(&whole, &order(old, new), &order(new, old), |name| same(name));
}

/// A field in a few words.
fn shown(field: &Field) -> Text {
    let kind = word(&field.kind).fr;
    let (fr, en) = match &field.required {
        Requirement::Optional => (String::new(), String::new()),
        Requirement::Always => (", obligatoire".to_owned(), ", required".to_owned()),
        Requirement::When(rule) => (format!(", obligatoire si {rule}"), format!(", required if {rule}")),
    };
    let label = &field.label;
    let english = if label.en.is_empty() { &label.fr } else { &label.en };
    Text::new(format!("« {} » ({kind}{fr})", label.fr), format!("“{english}” ({kind}{en})"))
}

fn required(requirement: &Requirement) -> Text {
    match requirement {
        Requirement::Optional => Text::new("facultatif", "optional"),
        Requirement::Always => Text::new("obligatoire", "required"),
        Requirement::When(rule) => Text::new(format!("obligatoire si {rule}"), format!("required if {rule}")),
    }
}

fn field<'a>(d: &mut Differ<'a>, spot: &Spot, old: &'a Field, new: &'a Field) {
    d.value(&spot.part("libellé", "label", "label"), &old.label, &new.label, text);
    d.option(&spot.part("aide", "help", "help"), old.help.as_ref(), new.help.as_ref(), text);
    d.value(&spot.part("type", "type", "type"), &old.kind, &new.kind, word);
    d.value(&spot.part("à remplir", "to be given", "required"), &old.required, &new.required, required);
    let shown_when = spot.part("montré si", "shown if", "shown_when");
    d.option(&shown_when, old.shown_when.as_ref(), new.shown_when.as_ref(), |rule| same(rule));
    options(d, &spot.part("choix", "options", "options"), &old.options, &new.options);
    let number = |value: &u32| same(value.to_string());
    d.list(&spot.part("types de fichiers", "kinds of files", "accept"), &old.accept, &new.accept, |n| {
        same(n)
    });
    let at_most = spot.part("au plus", "at most", "at_most");
    d.option(&at_most, old.at_most.as_ref(), new.at_most.as_ref(), number);
    let size = spot.part("taille d’un fichier, en octets", "size of a file, in bytes", "max_size");
    d.option(&size, old.max_size.as_ref(), new.max_size.as_ref(), |size| same(size.to_string()));
    d.option(&spot.part("minimum", "minimum", "min"), old.min.as_ref(), new.min.as_ref(), |n| {
        same(n.to_string())
    });
    d.option(&spot.part("maximum", "maximum", "max"), old.max.as_ref(), new.max.as_ref(), |n| {
        same(n.to_string())
    });
    let length = spot.part("longueur, en caractères", "length, in characters", "max_length");
    d.option(&length, old.max_length.as_ref(), new.max_length.as_ref(), number);
    let personal = spot.part("personnel", "personal", "personal");
    d.value(
        &personal.for_whom(&[Audience::Citizens, Audience::Auditors]),
        &old.personal,
        &new.personal,
        yes_no,
    );
}

fn options<'a>(d: &mut Differ<'a>, spot: &Spot, old: &'a [FieldOption], new: &'a [FieldOption]) {
    let one = |name: &str| Spot {
        subject: Text::new(
            format!("{} « {name} »", spot.subject.fr),
            format!("{} “{name}”", spot.subject.en),
        ),
        ..spot.clone()
    };
    let bases = (spot.at.0.as_str(), spot.at.1.as_str());
    let both = d.named((old, new), |option| &option.value, one, bases, |option| option.label.clone());
    for (spot, old, new) in both {
        d.value(&spot, &old.label, &new.label, text);
    }
    let order = |list: &[FieldOption], others: &[FieldOption]| -> Vec<String> {
        let both = list.iter().filter(|option| others.iter().any(|other| other.value == option.value));
        both.map(|option| option.value.clone()).collect()
    };
    let ordered = Spot {
        subject: Text::new(format!("{}, ordre", spot.subject.fr), format!("{}, order", spot.subject.en)),
        ..spot.clone()
    };
    d.list(&ordered, &order(old, new), &order(new, old), |name| same(name));
}
