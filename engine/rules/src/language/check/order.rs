//! Lists of rules: a last resort at the end, and none that an earlier one makes useless.

use super::{Sheet, Whole};
use crate::language::diagnostic::Fault;
use crate::process::Rule;

pub(super) fn check(sheet: &Sheet, _: &Whole<'_>, faults: &mut Vec<Fault>) {
    let definition = &sheet.definition;
    one(sheet, "/qualification/complexity", &definition.qualification.complexity, faults);
    one(sheet, "/qualification/priority", &definition.qualification.priority, faults);
    one(sheet, "/assignment", &definition.assignment, faults);
    if let Some(payment) = &definition.payment {
        one(sheet, "/payment/amount", &payment.amount, faults);
    }
    for (i, commitment) in definition.commitments.iter().enumerate() {
        one(sheet, &format!("/commitments/{i}/within"), &commitment.within, faults);
    }
}

fn one<T>(sheet: &Sheet, pointer: &str, rules: &[Rule<T>], faults: &mut Vec<Fault>) {
    let Some(last) = rules.last() else {
        if sheet.places.has(pointer) && pointer == "/assignment" {
            let (fr, en) = (
                "aucun service : il faut au moins `- { to: service:… }`",
                "no service: at least `- { to: service:… }` is needed",
            );
            faults.push(Fault::error("rule.no_last_resort", sheet.at(pointer), fr, en));
        }
        return;
    };
    // A rule that could not be read may have been the last resort.
    let unread = sheet.places.has(&format!("{pointer}/{}", rules.len()));
    if last.when.is_some() && !unread {
        let mark = sheet.at(&format!("{pointer}/{}", rules.len() - 1));
        faults.push(
            Fault::error(
                "rule.no_last_resort",
                mark,
                "aucune règle n’est sans condition : que faire si aucune ne tient ?",
                "no rule is without a condition: what if none holds?",
            )
            .help("ajoutez à la fin une règle sans `when`", "add a rule without `when` at the end"),
        );
    }
    let mut closed = None;
    for (i, rule) in rules.iter().enumerate() {
        let mark = sheet.at(&format!("{pointer}/{i}"));
        if let Some(earlier) = closed {
            let (fr, en) = ("cette règle n’est jamais atteinte", "this rule is never reached");
            faults.push(Fault::error("rule.unreachable", mark, fr, en).label(
                earlier,
                "celle-ci tient toujours",
                "this one always holds",
            ));
            continue;
        }
        let same = rule.when.as_ref().and_then(|when| {
            rules.iter().take(i).position(|r| r.when.as_ref().is_some_and(|w| follows(when, w)))
        });
        if let Some(first) = same {
            let (fr, en) = (
                "cette règle n’est jamais atteinte : quand elle tient, une règle plus haut tient déjà",
                "this rule is never reached: whenever it holds, one above holds already",
            );
            let earlier = sheet.at(&format!("{pointer}/{first}"));
            faults.push(Fault::error("rule.unreachable", mark, fr, en).label(
                earlier,
                "celle-ci tient d’abord",
                "this one holds first",
            ));
        }
        let always = rule.when.as_ref().is_none_or(|when| squeezed(when) == "true");
        closed = always.then_some(mark);
    }
}

/// Whether `earlier` holds whenever `rule` does, as far as the text shows: everything that it asks for, `rule` asks for
/// too.
fn follows(rule: &str, earlier: &str) -> bool {
    let (Some(all), Some(some)) = (conjuncts(rule), conjuncts(earlier)) else {
        return squeezed(rule) == squeezed(earlier);
    };
    some.iter().all(|part| all.contains(part))
}

/// The parts that `&&` joins at the top of a rule; nothing where it has other connectives there, or brackets and
/// quotes that do not pair.
fn conjuncts(rule: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let (mut depth, mut quote) = (0_usize, None);
    let mut letters = rule.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(_), '\\') => return None,
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.checked_sub(1)?,
            (None, '|' | '?') if depth == 0 => return None,
            (None, '&') if depth == 0 && letters.peek() == Some(&'&') => {
                letters.next();
                parts.push(String::new());
                continue;
            }
            (None, _) => {}
        }
        if quote.is_some() || !letter.is_whitespace() {
            parts.last_mut()?.push(letter);
        }
    }
    (depth == 0 && quote.is_none()).then_some(parts)
}

/// A rule without its white space.
fn squeezed(rule: &str) -> String {
    rule.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_follows_from_each_part_of_its_conjunction() {
        for (rule, earlier, follows_from) in [
            ("form.a && form.b", "form.a", true),
            ("form.a&&form.b == 'x y'", "form.b=='x y' && form.a", true),
            ("form.b == 'x y'", "form.b == 'xy'", false),
            ("form.a", "form.a && form.b", false),
            ("form.a && form.b || form.c", "form.a", false),
            ("(form.a || form.b) && form.c", "form.a || form.b", false),
            ("(form.a || form.b) && form.c", "(form.a||form.b)", true),
            ("form.a || form.b", "form.a||form.b", true),
            ("form.a == '\\'' && form.b", "form.a == '\\''", false),
            ("form.a == 'b && c'", "c'", false),
        ] {
            assert_eq!(follows(rule, earlier), follows_from, "{rule} after {earlier}");
        }
    }
}
