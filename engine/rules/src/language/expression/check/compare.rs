//! Comparisons: of like with like, and of choices with their own options.

use std::ops::Range;

use chrono::{NaiveDate, NaiveTime};

use super::super::Finding;
use super::super::environment::Type;
use super::{Checker, Part, unify};
use crate::language::diagnostic::near;

impl Checker<'_> {
    pub(super) fn mismatch(&mut self, place: Range<usize>, a: &Type, b: &Type) {
        let ((a_fr, a_en), (b_fr, b_en)) = (a.name(), b.name());
        self.report(Finding::new(
            "expression.type",
            place,
            format!("{a_fr} et {b_fr} ne vont pas ensemble"),
            format!("{a_en} and {b_en} do not go together"),
        ));
    }

    /// `==` and `!=`.
    pub(super) fn equal(&mut self, a: &Part, b: &Part, place: Range<usize>) -> Option<()> {
        if a.kind.is_numeric() && b.kind.is_numeric() {
            return Some(());
        }
        if unify(&a.kind, &b.kind).is_none() {
            self.mismatch(place, &a.kind, &b.kind);
            return None;
        }
        self.literals(&a.kind, &b.literals)?;
        self.literals(&b.kind, &a.literals)?;
        self.kinds_of_text(&a.kind, &b.kind, place)
    }

    /// `<`, `<=`, `>` and `>=`.
    pub(super) fn ordered(&mut self, a: &Part, b: &Part, place: Range<usize>) -> Option<()> {
        if a.kind.is_numeric() && b.kind.is_numeric() {
            return Some(());
        }
        let choice = matches!(a.kind, Type::Choice(_)) || matches!(b.kind, Type::Choice(_));
        if !(a.kind.is_textual() && b.kind.is_textual()) || choice {
            let ((a_fr, a_en), (b_fr, b_en)) = (a.kind.name(), b.kind.name());
            self.report(Finding::new(
                "expression.type",
                place,
                format!("`<` et `>` comparent des nombres, des dates ou des heures, non {a_fr} et {b_fr}"),
                format!("`<` and `>` compare numbers, days or times, not {a_en} and {b_en}"),
            ));
            return None;
        }
        self.equal(a, b, place)
    }

    /// `in`.
    pub(super) fn member(&mut self, item: &Part, list: &Part, place: Range<usize>) -> Option<()> {
        let Type::List(of, _) = &list.kind else {
            let (fr, en) = list.kind.name();
            self.report(Finding::new(
                "expression.type",
                list.range.clone(),
                format!("`in` cherche dans une liste ; ceci est {fr}"),
                format!("`in` looks into a list; this is {en}"),
            ));
            return None;
        };
        let as_item =
            Part { literals: list.literals.clone(), ..Part::of((**of).clone(), list.range.clone()) };
        self.equal(item, &as_item, place)
    }

    /// Texts written in the rule must be values that the field can have.
    fn literals(&mut self, kind: &Type, literals: &[(String, Range<usize>)]) -> Option<()> {
        let kind = match kind {
            Type::List(item, _) => item,
            other => other,
        };
        let before = self.findings.len();
        for (text, place) in literals.iter().filter(|(text, _)| !text.is_empty()) {
            match kind {
                Type::Choice(options) if !options.contains(text) => {
                    let list = options.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ");
                    let meant = near(text, options.iter().map(String::as_str))
                        .map(|word| word.map(|word| format!("'{word}'")));
                    let finding = Finding::new(
                        "expression.option",
                        place.clone(),
                        format!(
                            "`{text}` n’est pas une des valeurs possibles : la règle ne tiendrait jamais"
                        ),
                        format!("`{text}` is not one of the possible values: the rule would never hold"),
                    )
                    .help(format!("valeurs possibles : {list}"), format!("possible values: {list}"));
                    self.report(finding.suggest(meant));
                }
                Type::Date if NaiveDate::parse_from_str(text, "%Y-%m-%d").is_err() || text.len() != 10 => {
                    let (fr, en) = ("une date s’écrit '2026-05-07'", "a day is written '2026-05-07'");
                    self.report(Finding::new("expression.date", place.clone(), fr, en));
                }
                Type::Time if NaiveTime::parse_from_str(text, "%H:%M").is_err() || text.len() != 5 => {
                    let (fr, en) = ("une heure s’écrit '16:50'", "a time of day is written '16:50'");
                    self.report(Finding::new("expression.date", place.clone(), fr, en));
                }
                _ => {}
            }
        }
        (self.findings.len() == before).then_some(())
    }

    /// Two fields that are both texts may still have no value in common.
    fn kinds_of_text(&mut self, a: &Type, b: &Type, place: Range<usize>) -> Option<()> {
        let apart = match (a, b) {
            (Type::Choice(x), Type::Choice(y)) => !x.iter().any(|word| y.contains(word)),
            (Type::Date, Type::Time | Type::Choice(_))
            | (Type::Time, Type::Date | Type::Choice(_))
            | (Type::Choice(_), Type::Date | Type::Time) => true,
            _ => false,
        };
        if apart {
            self.report(Finding::new(
                "expression.type",
                place,
                "ces deux champs n’ont aucune valeur en commun",
                "these two fields have no value in common",
            ));
            return None;
        }
        Some(())
    }
}
