//! Rules: names, types and options against the sheet's own form; rules that never or always hold.

use super::{Sheet, Whole};
use crate::language::diagnostic::Fault;
use crate::language::expression::{Expression, Finding};
use crate::language::facts::{RuleAt, Stage, Vocabulary, environment, prices_of, rules_of};

pub(super) fn check(sheet: &Sheet, whole: &Whole<'_>, faults: &mut Vec<Fault>) {
    let definition = &sheet.definition;
    let vocabulary = Vocabulary {
        services: whole.library.organisation.services.iter().map(|s| s.service.clone()).collect(),
        channels: whole.library.header.channels.iter().map(|c| c.id().to_owned()).collect(),
    };
    let stages = [Stage::Form, Stage::Qualification, Stage::Assignment, Stage::Later]
        .map(|stage| (stage, environment(definition, &vocabulary, stage)));
    for rule in rules_of(definition) {
        let Some((_, environment)) = stages.iter().find(|(stage, _)| *stage == rule.stage) else { continue };
        match Expression::compile(rule.text, environment) {
            Ok(compiled) => constant(sheet, &rule, compiled.constant(), faults),
            Err(findings) => faults.extend(placed(sheet, whole, &rule, findings)),
        }
    }
    for price in prices_of(definition) {
        let known = stages.iter().find(|(stage, _)| *stage == price.stage);
        let compiled = known.map(|(_, environment)| Expression::compile_cents(price.text, environment));
        if let Some(Err(findings)) = compiled {
            faults.extend(placed(sheet, whole, &price, findings));
        }
    }
}

/// Findings of an expression at their places in the file.
fn placed(sheet: &Sheet, whole: &Whole<'_>, rule: &RuleAt<'_>, findings: Vec<Finding>) -> Vec<Fault> {
    let place = |finding: Finding| match sheet.places.scalar(&rule.pointer) {
        Some(scalar) => finding.at(scalar, whole.sources.text(scalar.raw.file)),
        None => Fault::error(finding.code, sheet.at(&rule.pointer), finding.message.fr, finding.message.en),
    };
    findings.into_iter().map(place).collect()
}

fn constant(sheet: &Sheet, rule: &RuleAt<'_>, constant: Option<bool>, faults: &mut Vec<Fault>) {
    let Some(holds) = constant else { return };
    let mark = sheet.at(&rule.pointer);
    faults.push(if holds {
        Fault::warning("rule.always", mark, "cette règle tient toujours", "this rule always holds")
            .help("retirez `when`", "leave `when` out")
    } else {
        Fault::error("rule.never", mark, "cette règle ne tient jamais", "this rule never holds")
    });
}
