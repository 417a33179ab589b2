//! What silence means must rest on a text, and have a term.

use super::{Sheet, Whole};
use crate::commitment::Unit;
use crate::language::diagnostic::Fault;
use crate::process::{Kind, Silence};

pub(super) fn check(sheet: &Sheet, _: &Whole<'_>, faults: &mut Vec<Fault>) {
    let law = &sheet.definition.law;
    let mark = sheet.at("/law/silence");
    match law.silence {
        Silence::None => {
            if sheet.definition.kind == Kind::Application && !sheet.places.has("/law") {
                let (fr, en) = (
                    "cette demande appelle une décision : que signifie le silence ?",
                    "this application calls for a decision: what does silence mean?",
                );
                faults.push(Fault::warning("law.unsaid", sheet.at("/kind"), fr, en).help(
                    "par exemple : law: { silence: rejection, after: 2 months, basis: \"CRPA L231-4\" }",
                    "for example: law: { silence: rejection, after: 2 months, basis: \"CRPA L231-4\" }",
                ));
            }
        }
        Silence::Acceptance | Silence::Rejection => {
            if law.after.is_none() {
                let (fr, en) = (
                    "le silence vaut décision : au bout de combien de temps ?",
                    "silence is a decision: after how long?",
                );
                let help = "after: 2 months";
                faults.push(Fault::error("law.no_term", mark, fr, en).help(help, help));
            }
            if law.basis.trim().is_empty() {
                let (fr, en) = (
                    "le silence vaut décision : en vertu de quel texte ?",
                    "silence is a decision: by what text of law?",
                );
                let help = "basis: \"CRPA L231-4 5°\"";
                faults.push(Fault::error("law.no_basis", mark, fr, en).help(help, help));
            }
            if law.after.is_some_and(|after| !matches!(after.unit(), Unit::Months | Unit::Days | Unit::Years))
            {
                let (fr, en) = (
                    "un délai légal se compte en jours, mois ou années",
                    "a legal term counts in days, months or years",
                );
                faults.push(Fault::error("law.unit", sheet.at("/law/after"), fr, en));
            }
        }
    }
}
