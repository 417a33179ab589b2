//! Names and types of a parsed rule, checked against the sheet before the rule is ever used.

mod calls;
mod compare;
mod names;

pub(super) use calls::count;

use std::collections::BTreeMap;
use std::ops::Range;

use cel::Program;
use cel::common::ast::{ComprehensionExpr, Expr, IdedExpr, ListExpr, LiteralValue, SourceInfo};

use super::environment::{Environment, Type};
use super::{Finding, MAX_COMPREHENSIONS, MAX_COST};

/// What is known of a rule that passed.
pub(super) struct Checked {
    pub(super) kind: Type,
    pub(super) paths: BTreeMap<String, Type>,
    pub(super) constant: Option<bool>,
}

/// What is known of a part of a rule.
struct Part {
    kind: Type,
    /// Its bytes in the text.
    range: Range<usize>,
    /// What it always comes out as, if it is a truth value and that is plain.
    constant: Option<bool>,
    /// The text literals it consists of: itself, or the items of a list.
    literals: Vec<(String, Range<usize>)>,
    /// The whole number written, if it is one.
    number: Option<i64>,
    /// The most steps that evaluating it takes.
    cost: usize,
}

/// Checks a whole rule.
pub(super) fn check(
    text: &str,
    program: &Program,
    environment: &Environment,
) -> Result<Checked, Vec<Finding>> {
    let mut checker = Checker {
        text,
        places: program.source_info(),
        environment,
        scope: Vec::new(),
        paths: BTreeMap::new(),
        findings: Vec::new(),
        comprehensions: 0,
    };
    let part = checker.part(program.expression());
    if let Some(part) = &part
        && part.cost > MAX_COST
    {
        let (fr, en) = (
            format!("cette règle peut demander {} pas de calcul ; au plus {MAX_COST}", part.cost),
            format!("this rule may take {} steps; at most {MAX_COST}", part.cost),
        );
        checker.report(Finding::new("expression.too_costly", 0..text.len(), fr, en));
    }
    match part {
        Some(part) if checker.findings.is_empty() => {
            Ok(Checked { kind: part.kind, paths: checker.paths, constant: part.constant })
        }
        Some(_) | None => Err(checker.findings),
    }
}

struct Checker<'e> {
    text: &'e str,
    places: &'e SourceInfo,
    environment: &'e Environment,
    /// Names bound by `exists` and its like, innermost last.
    scope: Vec<(String, Type)>,
    paths: BTreeMap<String, Type>,
    findings: Vec<Finding>,
    comprehensions: usize,
}

impl Checker<'_> {
    fn report(&mut self, finding: Finding) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// The bytes of one node alone: an operator, a dot, a name.
    fn place(&self, expr: &IdedExpr) -> Range<usize> {
        let whole = 0..self.text.len();
        let Some((start, last)) = self.places.offset_for(expr.id) else { return whole };
        let (Ok(start), Ok(last)) = (usize::try_from(start), usize::try_from(last)) else { return whole };
        // The parser names the first byte of the last character.
        let end =
            self.text.get(last..).and_then(|rest| rest.chars().next()).map_or(last, |c| last + c.len_utf8());
        start.min(self.text.len())..end.clamp(start.min(self.text.len()), self.text.len())
    }

    /// The kind and extent of an expression; nothing, if it contains a fault, which has been reported.
    fn part(&mut self, expr: &IdedExpr) -> Option<Part> {
        let place = self.place(expr);
        match &expr.expr {
            Expr::Literal(value) => self.literal(value, place),
            Expr::Ident(_) | Expr::Select(_) => self.name(expr),
            Expr::Call(call) => self.call(call, place),
            Expr::List(list) => self.list(list, place),
            Expr::Comprehension(fold) => self.fold(fold, place),
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                self.report(Finding::new(
                    "expression.not_here",
                    place,
                    "les accolades n’ont pas d’emploi dans une règle",
                    "braces have no use in a rule",
                ));
                None
            }
        }
    }

    fn literal(&mut self, value: &LiteralValue, place: Range<usize>) -> Option<Part> {
        let part = Part::of(Type::Unknown, place.clone());
        match value {
            LiteralValue::Boolean(truth) => {
                Some(Part { kind: Type::Boolean, constant: Some(*truth.inner()), ..part })
            }
            LiteralValue::Int(number) => {
                Some(Part { kind: Type::Integer, number: Some(*number.inner()), ..part })
            }
            LiteralValue::Double(_) => Some(Part { kind: Type::Number, ..part }),
            LiteralValue::String(text) => {
                let literals = vec![(text.inner().to_owned(), place)];
                Some(Part { kind: Type::Text, literals, ..part })
            }
            LiteralValue::Null => {
                self.report(
                    Finding::new(
                        "expression.null",
                        place,
                        "`null` n’existe pas ici",
                        "there is no `null` here",
                    )
                    .help(
                        "un champ qui n’a pas été donné vaut false, '', 0 ou une liste vide",
                        "a field that was not given is false, '', 0 or an empty list",
                    ),
                );
                None
            }
            LiteralValue::UInt(_) | LiteralValue::Bytes(_) => {
                let (fr, en) =
                    ("cette forme de valeur n’a pas d’emploi ici", "this form of value has no use here");
                self.report(Finding::new("expression.not_here", place, fr, en));
                None
            }
        }
    }

    fn list(&mut self, list: &ListExpr, place: Range<usize>) -> Option<Part> {
        let mut whole = Part::of(Type::Unknown, place);
        let mut kind = Type::Unknown;
        for element in &list.elements {
            let item = self.part(element)?;
            let Some(joined) = unify(&kind, &item.kind) else {
                self.mismatch(item.range, &kind, &item.kind);
                return None;
            };
            kind = joined;
            whole.cost += item.cost;
            whole.range.end = whole.range.end.max(item.range.end);
            whole.literals.extend(item.literals);
        }
        whole.kind = Type::List(Box::new(kind), list.elements.len());
        Some(whole)
    }

    /// `exists`, `all`, `exists_one`, `filter` and `map`, which the parser has written out as a fold over a list.
    fn fold(&mut self, fold: &ComprehensionExpr, place: Range<usize>) -> Option<Part> {
        let over = self.part(&fold.iter_range)?;
        let Type::List(item, most) = over.kind else {
            let (fr, en) = over.kind.name();
            self.report(Finding::new(
                "expression.type",
                over.range,
                format!("il faut une liste ici ; ceci est {fr}"),
                format!("a list is needed here; this is {en}"),
            ));
            return None;
        };
        if self.environment.get(&fold.iter_var).is_some() {
            let (fr, en) = (
                format!("`{}` désigne déjà autre chose ; choisissez un autre nom", fold.iter_var),
                format!("`{}` already means something else; choose another name", fold.iter_var),
            );
            self.report(Finding::new("expression.shadow", place, fr, en));
            return None;
        }
        self.comprehensions += 1;
        if self.comprehensions > MAX_COMPREHENSIONS {
            let (fr, en) = (
                format!("plus de {MAX_COMPREHENSIONS} `exists` ou `all` imbriqués"),
                format!("more than {MAX_COMPREHENSIONS} nested `exists` or `all`"),
            );
            self.report(Finding::new("expression.too_deep", place, fr, en));
            return None;
        }
        let folded = self.fold_body(fold, *item, most);
        self.comprehensions -= 1;
        let (kind, cost) = folded?;
        let cost = over.cost.saturating_add(cost.saturating_mul(most.max(1)));
        Some(Part { cost, ..Part::of(kind, over.range.start..place.end.max(over.range.end)) })
    }

    fn fold_body(&mut self, fold: &ComprehensionExpr, item: Type, most: usize) -> Option<(Type, usize)> {
        let start = self.part(&fold.accu_init)?;
        let depth = self.scope.len();
        self.scope.push((fold.iter_var.clone(), item));
        self.scope.push((fold.accu_var.clone(), start.kind));
        let step = self.part(&fold.loop_step);
        if let (Some(step), Some(last)) = (&step, self.scope.last_mut()) {
            // `map` and `filter` grow a list, by one item at most in each step.
            last.1 = match &step.kind {
                Type::List(item, _) => Type::List(item.clone(), most),
                other => other.clone(),
            };
        }
        let result = step.as_ref().and_then(|_| self.part(&fold.result));
        self.scope.truncate(depth);
        Some((result?.kind, step?.cost + 2))
    }
}

impl Part {
    fn of(kind: Type, range: Range<usize>) -> Self {
        Self { kind, range, constant: None, literals: Vec::new(), number: None, cost: 1 }
    }
}

/// The type that holds the values of both, if there is one.
fn unify(a: &Type, b: &Type) -> Option<Type> {
    match (a, b) {
        (Type::Unknown, other) | (other, Type::Unknown) => Some(other.clone()),
        (Type::List(x, n), Type::List(y, m)) => Some(Type::List(Box::new(unify(x, y)?), (*n).max(*m))),
        _ if a == b => Some(a.clone()),
        _ if a.is_textual() && b.is_textual() => Some(Type::Text),
        _ => None,
    }
}
