//! Operators and functions.

use std::ops::Range;

use cel::common::ast::{CallExpr, IdedExpr, operators as op};

use super::super::Finding;
use super::super::environment::Type;
use super::{Checker, Part, unify};

/// The functions that a rule may call, for the message about one that it may not.
const FUNCTIONS: [&str; 6] = ["size", "contains", "startsWith", "endsWith", "matches", "double"];

impl Checker<'_> {
    pub(super) fn call(&mut self, call: &CallExpr, place: Range<usize>) -> Option<Part> {
        let mut parts = Vec::with_capacity(call.args.len() + 1);
        let mut sound = true;
        for arg in call.target.iter().map(AsRef::as_ref).chain(&call.args) {
            match self.part(arg) {
                Some(part) => parts.push(part),
                None => sound = false,
            }
        }
        if !sound {
            return None;
        }
        let start = parts.iter().map(|p| p.range.start).min().unwrap_or(place.start).min(place.start);
        let end = parts.iter().map(|p| p.range.end).max().unwrap_or(place.end).max(place.end);
        let cost = parts.iter().fold(1_usize, |sum, p| sum.saturating_add(p.cost));
        let (kind, constant) = match parts.as_slice() {
            [a] => self.unary(call, a, place)?,
            [a, b] => self.binary(call, a, b, place)?,
            [a, b, c] if call.func_name == op::CONDITIONAL => {
                self.wants_boolean(a)?;
                let Some(kind) = unify(&b.kind, &c.kind) else {
                    self.mismatch(place, &b.kind, &c.kind);
                    return None;
                };
                let constant = match a.constant {
                    Some(true) => b.constant,
                    Some(false) => c.constant,
                    None => None,
                };
                (kind, constant)
            }
            _ => return self.no_function(call, place),
        };
        Some(Part { constant, cost, ..Part::of(kind, start..end) })
    }

    fn unary(&mut self, call: &CallExpr, a: &Part, place: Range<usize>) -> Option<(Type, Option<bool>)> {
        match call.func_name.as_str() {
            op::LOGICAL_NOT => {
                self.wants_boolean(a)?;
                Some((Type::Boolean, a.constant.map(|truth| !truth)))
            }
            // Written by the parser around the condition of `all` and `exists`.
            op::NOT_STRICTLY_FALSE => Some((Type::Boolean, None)),
            op::NEGATE if a.kind.is_numeric() => Some((a.kind.clone(), None)),
            "size" if matches!(a.kind, Type::List(..)) || a.kind.is_textual() => Some((Type::Integer, None)),
            "double" if a.kind.is_numeric() => Some((Type::Number, None)),
            op::NEGATE | "size" | "double" => {
                let (fr, en) = a.kind.name();
                let name = call.func_name.trim_end_matches('_');
                self.report(Finding::new(
                    "expression.type",
                    a.range.clone(),
                    format!("`{name}` ne s’applique pas à {fr}"),
                    format!("`{name}` does not apply to {en}"),
                ));
                None
            }
            _ => self.no_function(call, place).map(|p| (p.kind, None)),
        }
    }

    fn binary(
        &mut self,
        call: &CallExpr,
        a: &Part,
        b: &Part,
        place: Range<usize>,
    ) -> Option<(Type, Option<bool>)> {
        let truth = |constant| Some((Type::Boolean, constant));
        match call.func_name.as_str() {
            op::LOGICAL_AND => {
                self.wants_boolean(a)?;
                self.wants_boolean(b)?;
                truth(match (a.constant, b.constant) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                })
            }
            op::LOGICAL_OR => {
                self.wants_boolean(a)?;
                self.wants_boolean(b)?;
                truth(match (a.constant, b.constant) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                })
            }
            op::EQUALS | op::NOT_EQUALS => self.equal(a, b, place).and_then(|()| truth(None)),
            op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS => {
                self.ordered(a, b, place).and_then(|()| truth(None))
            }
            op::IN => self.member(a, b, place).and_then(|()| truth(None)),
            op::ADD | op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO => {
                self.arithmetic(call.func_name.as_str(), a, b, place).map(|kind| (kind, None))
            }
            "contains" | "startsWith" | "endsWith" | "matches" => {
                self.text_function(&call.func_name, a, b).and_then(|()| truth(None))
            }
            op::INDEX => {
                let (fr, en) =
                    ("on ne prend pas un élément par son rang", "items are not taken by their place");
                let help = (
                    "écrivez par exemple : form.choix.exists(c, c == 'x')",
                    "write for example: form.choices.exists(c, c == 'x')",
                );
                self.report(Finding::new("expression.not_here", place, fr, en).help(help.0, help.1));
                None
            }
            _ => self.no_function(call, place).map(|p| (p.kind, None)),
        }
    }

    fn arithmetic(&mut self, name: &str, a: &Part, b: &Part, place: Range<usize>) -> Option<Type> {
        if name == op::ADD {
            match (&a.kind, &b.kind) {
                (Type::List(x, n), Type::List(y, m)) => {
                    return Some(Type::List(Box::new(unify(x, y)?), n.saturating_add(*m)));
                }
                (x, y) if x.is_textual() && y.is_textual() => return Some(Type::Text),
                _ => {}
            }
        }
        if !(a.kind.is_numeric() && b.kind.is_numeric()) {
            self.mismatch(place, &a.kind, &b.kind);
            return None;
        }
        if a.kind != b.kind {
            self.report(
                Finding::new(
                    "expression.type",
                    place,
                    "un nombre entier et un nombre décimal ne se calculent pas ensemble",
                    "a whole number and a decimal number are not reckoned together",
                )
                .help("écrivez 2.0 au lieu de 2, ou double(…)", "write 2.0 instead of 2, or double(…)"),
            );
            return None;
        }
        if (name == op::DIVIDE || name == op::MODULO)
            && a.kind == Type::Integer
            && b.number.is_none_or(|n| n == 0)
        {
            self.report(Finding::new(
                "expression.division",
                b.range.clone(),
                "on ne divise que par un nombre écrit ici, autre que 0",
                "division is only by a number written here, other than 0",
            ));
            return None;
        }
        Some(a.kind.clone())
    }

    fn text_function(&mut self, name: &str, text: &Part, part: &Part) -> Option<()> {
        for side in [text, part] {
            if !side.kind.is_textual() {
                let (fr, en) = side.kind.name();
                let mut finding = Finding::new(
                    "expression.type",
                    side.range.clone(),
                    format!("`{name}` s’applique à des textes ; ceci est {fr}"),
                    format!("`{name}` applies to texts; this is {en}"),
                );
                if matches!(side.kind, Type::List(..)) {
                    finding = finding
                        .help("pour une liste, écrivez : 'x' in liste", "for a list, write: 'x' in list");
                }
                self.report(finding);
                return None;
            }
        }
        if name != "matches" {
            return Some(());
        }
        let [(pattern, place)] = part.literals.as_slice() else {
            let (fr, en) =
                ("le modèle de `matches` s’écrit ici même", "the pattern of `matches` is written right here");
            self.report(Finding::new("expression.pattern", part.range.clone(), fr, en));
            return None;
        };
        if !pattern_compiles(pattern) {
            let (fr, en) =
                ("ce modèle n’est pas une expression régulière", "this pattern is not a regular expression");
            self.report(Finding::new("expression.pattern", place.clone(), fr, en));
            return None;
        }
        Some(())
    }

    pub(super) fn wants_boolean(&mut self, part: &Part) -> Option<()> {
        if matches!(part.kind, Type::Boolean) {
            return Some(());
        }
        let (fr, en) = part.kind.name();
        self.report(Finding::new(
            "expression.type",
            part.range.clone(),
            format!("il faut une condition ici ; ceci est {fr}"),
            format!("a condition is needed here; this is {en}"),
        ));
        None
    }

    fn no_function(&mut self, call: &CallExpr, place: Range<usize>) -> Option<Part> {
        let name = &call.func_name;
        // The parser points at the opening bracket; the name stands before it.
        let before = self.text.get(..place.start).unwrap_or_default().trim_end();
        let place = match before.strip_suffix(name.as_str()) {
            Some(rest) => rest.len()..before.len(),
            None => place,
        };
        let known = FUNCTIONS.iter().copied().chain(["exists", "all", "filter", "map"]);
        let near = crate::language::diagnostic::nearest(name, known);
        let finding = Finding::new(
            "expression.unknown_function",
            place,
            format!("fonction inconnue, ou employée autrement qu’elle ne se doit : `{name}`"),
            format!("unknown function, or not called as it must be: `{name}`"),
        );
        let finding = match near {
            Some(near) if near != *name => finding.suggest(Some(near)),
            Some(_) | None => {
                let list = FUNCTIONS.join(", ");
                finding.help(
                    format!("fonctions connues : {list}, exists, all, filter, map"),
                    format!("known functions: {list}, exists, all, filter, map"),
                )
            }
        };
        self.report(finding);
        None
    }
}

/// Whether the evaluator's own engine, which is linear in the text, takes the pattern.
fn pattern_compiles(pattern: &str) -> bool {
    let quoted = pattern.replace('\\', "\\\\").replace('\'', "\\'").replace(['\n', '\r'], " ");
    cel::Program::compile(&format!("''.matches('{quoted}')"))
        .is_ok_and(|program| program.execute(&cel::Context::default()).is_ok())
}

/// The nodes of an expression, macros written out, counted without recursion.
pub(in super::super) fn count(root: &IdedExpr, most: usize) -> usize {
    use cel::common::ast::{EntryExpr, Expr};
    let mut waiting = vec![root];
    let mut counted = 0;
    while let Some(expr) = waiting.pop() {
        counted += 1;
        if counted > most {
            break;
        }
        match &expr.expr {
            Expr::Call(call) => waiting.extend(call.target.iter().map(AsRef::as_ref).chain(&call.args)),
            Expr::Select(select) => waiting.push(&select.operand),
            Expr::List(list) => waiting.extend(&list.elements),
            Expr::Comprehension(fold) => waiting.extend([
                &fold.iter_range,
                &fold.accu_init,
                &fold.loop_cond,
                &fold.loop_step,
                &fold.result,
            ]),
            Expr::Map(map) => waiting.extend(map.entries.iter().flat_map(|e| match &e.expr {
                EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
                EntryExpr::StructField(field) => vec![&field.value],
            })),
            Expr::Struct(made) => waiting.extend(made.entries.iter().flat_map(|e| match &e.expr {
                EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
                EntryExpr::StructField(field) => vec![&field.value],
            })),
            Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
        }
    }
    counted
}
