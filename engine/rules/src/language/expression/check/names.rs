//! Names: fields of the form, facts of the request, reports of tasks.

use std::ops::Range;

use cel::common::ast::{Expr, IdedExpr};

use super::super::Finding;
use super::super::environment::{Hidden, Type};
use super::{Checker, Part};
use crate::language::diagnostic::{Suggestion, near};

impl Checker<'_> {
    /// `form.place.area`: the whole chain at once, so that the message names the part that is wrong.
    pub(super) fn name(&mut self, expr: &IdedExpr) -> Option<Part> {
        let mut parts: Vec<(&str, Range<usize>)> = Vec::new();
        let mut at = expr;
        loop {
            match &at.expr {
                Expr::Select(select) if select.test => {
                    self.no_has(at);
                    return None;
                }
                Expr::Select(select) => {
                    parts.push((&select.field, self.field_after(at, &select.field)));
                    at = &select.operand;
                }
                Expr::Ident(root) => {
                    parts.push((root, self.place(at)));
                    break;
                }
                _ => {
                    let place = self.place(at);
                    let (fr, en) = ("seuls les noms ont des champs", "only names have fields");
                    self.report(Finding::new("expression.type", place, fr, en));
                    return None;
                }
            }
        }
        parts.reverse();
        self.resolve(&parts)
    }

    fn no_has(&mut self, at: &IdedExpr) {
        let place = self.place(at);
        self.report(
            Finding::new("expression.has", place, "`has` n’a pas d’emploi ici", "`has` has no use here").help(
                "un champ qui n’a pas été donné vaut false, '', 0 ou une liste vide : comparez-le à cette valeur",
                "a field that was not given is false, '', 0 or an empty list: compare it with that",
            ),
        );
    }

    /// The bytes of a field's name, which follows its dot.
    fn field_after(&self, dot: &IdedExpr, field: &str) -> Range<usize> {
        let place = self.place(dot);
        let rest = self.text.get(place.end..).unwrap_or_default();
        let start = place.end + (rest.len() - rest.trim_start().len());
        start..(start + field.len()).min(self.text.len())
    }

    fn resolve(&mut self, parts: &[(&str, Range<usize>)]) -> Option<Part> {
        let ((root, place), rest) = parts.split_first()?;
        let bound = self.scope.iter().rev().find(|(name, _)| name == root).map(|(_, kind)| kind.clone());
        let free = bound.is_none();
        let Some(mut kind) = bound.or_else(|| self.environment.get(root).cloned()) else {
            let known: Vec<&str> = self.environment.names().collect();
            self.unknown(root, place.clone(), &known, None);
            return None;
        };
        let mut path = (*root).to_owned();
        let mut last = place.clone();
        for (field, place) in rest {
            kind = self.part_of(&kind, &path, field, place)?;
            path = format!("{path}.{field}");
            last = place.clone();
        }
        self.usable(&kind, &path, place.start..last.end)?;
        if free {
            self.paths.insert(path, kind.clone());
        }
        Some(Part::of(kind, place.start..last.end))
    }

    fn part_of(&mut self, whole: &Type, path: &str, field: &str, place: &Range<usize>) -> Option<Type> {
        // What is hidden is hidden with all its parts.
        if let Type::Hidden(_) = whole {
            return Some(whole.clone());
        }
        let Type::Record(fields) = whole else {
            let (fr, en) = whole.name();
            self.report(Finding::new(
                "expression.no_field",
                place.clone(),
                format!("`{path}` est {fr} : il n’a pas de champ `{field}`"),
                format!("`{path}` is {en}: it has no field `{field}`"),
            ));
            return None;
        };
        if let Some(kind) = fields.get(field) {
            return Some(kind.clone());
        }
        let known: Vec<&str> = fields.keys().map(String::as_str).collect();
        self.unknown(field, place.clone(), &known, Some(path));
        None
    }

    fn unknown(&mut self, name: &str, place: Range<usize>, known: &[&str], of: Option<&str>) {
        let (fr, en) = match of {
            None => (format!("nom inconnu : `{name}`"), format!("unknown name: `{name}`")),
            Some(path) => {
                (format!("`{path}` n’a pas de champ `{name}`"), format!("`{path}` has no field `{name}`"))
            }
        };
        let meant = near(name, known.iter().copied());
        let mut finding = Finding::new("expression.unknown_name", place, fr, en).suggest(meant.clone());
        if meant.is_none() && of.is_none() && !matches!(name, "oui" | "non" | "vrai" | "faux") {
            let list = known.join(", ");
            finding = finding.help(
                format!("noms connus : {list} ; un texte s’écrit entre apostrophes : '{name}'"),
                format!("known names: {list}; a text stands in quotes: '{name}'"),
            );
        } else if meant.is_none() && of.is_none() {
            let instead = if matches!(name, "oui" | "vrai") { "true" } else { "false" };
            finding = finding.suggest(Some(Suggestion::certain(instead)));
        } else if meant.is_none() && !known.is_empty() && known.len() <= 20 {
            let list = known.join(", ");
            finding = finding.help(format!("champs connus : {list}"), format!("known fields: {list}"));
        }
        self.report(finding);
    }

    /// Whether a name may be used here, and is a value rather than a group of values.
    fn usable(&mut self, kind: &Type, path: &str, place: Range<usize>) -> Option<()> {
        let finding = match kind {
            Type::Hidden(Hidden::Personal) => Finding::new(
                "expression.personal",
                place,
                format!("`{path}` est une donnée personnelle : une règle ne peut pas s’en servir"),
                format!("`{path}` is personal data: a rule cannot use it"),
            )
            .help(
                "demandez ce dont la règle a besoin dans un champ qui n’identifie personne",
                "ask for what the rule needs in a field that identifies nobody",
            ),
            Type::Hidden(Hidden::TooEarly) => Finding::new(
                "expression.too_early",
                place,
                format!("`{path}` n’est pas encore connu quand cette règle est évaluée"),
                format!("`{path}` is not yet known when this rule is evaluated"),
            ),
            Type::Record(fields) => {
                let list = fields.keys().map(String::as_str).take(12).collect::<Vec<_>>().join(", ");
                Finding::new(
                    "expression.group",
                    place,
                    format!("`{path}` est un ensemble de champs : lequel ?"),
                    format!("`{path}` is a group of fields: which one?"),
                )
                .help(format!("champs connus : {list}"), format!("known fields: {list}"))
            }
            Type::Boolean
            | Type::Integer
            | Type::Number
            | Type::Text
            | Type::Date
            | Type::Time
            | Type::Choice(_)
            | Type::List(..)
            | Type::Unknown => return Some(()),
        };
        self.report(finding);
        None
    }
}
