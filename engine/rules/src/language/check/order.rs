//! Lists of rules: a last resort at the end, and none that an earlier one makes useless.

use super::{Sheet, Whole};
use crate::language::diagnostic::Fault;
use crate::process::Rule;

pub(super) fn check(sheet: &Sheet, _: &Whole<'_>, faults: &mut Vec<Fault>) {
    let definition = &sheet.definition;
    one(sheet, "/qualification/complexity", &definition.qualification.complexity, faults);
    one(sheet, "/qualification/priority", &definition.qualification.priority, faults);
    one(sheet, "/assignment", &definition.assignment, faults);
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
            rules.iter().take(i).position(|r| r.when.as_ref().is_some_and(|w| squeezed(w) == squeezed(when)))
        });
        if let Some(first) = same {
            let (fr, en) = (
                "cette règle n’est jamais atteinte : une règle plus haut a la même condition",
                "this rule is never reached: one above has the same condition",
            );
            let earlier = sheet.at(&format!("{pointer}/{first}"));
            faults.push(Fault::error("rule.unreachable", mark, fr, en).label(
                earlier,
                "même condition",
                "same condition",
            ));
        }
        let always = rule.when.as_ref().is_none_or(|when| squeezed(when) == "true");
        closed = always.then_some(mark);
    }
}

/// A rule without its white space.
fn squeezed(rule: &str) -> String {
    rule.chars().filter(|c| !c.is_whitespace()).collect()
}
