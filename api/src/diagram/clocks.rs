//! The clocks above the picture, and what may happen beside the way drawn.

use guichet_engine::rules::commitment::Budget;
use guichet_engine::rules::process::{
    Alarm, CommitmentSheet, Definition, Moment, PauseReason, Rule, Silence,
};
use guichet_engine::rules::text::Language;

use super::chart::{Bar, say};
use super::conditions::Conditions;
use super::names::Names;
use crate::vocabulary;

/// The promises in the order of the sheet, then the law's clock.
pub(super) fn bars(
    definition: &Definition,
    names: &Names,
    conditions: &Conditions,
    language: Language,
) -> Vec<Bar> {
    let mut bars: Vec<Bar> =
        definition.commitments.iter().map(|sheet| promise(sheet, names, conditions, language)).collect();
    bars.extend(law(definition, language));
    bars
}

fn promise(sheet: &CommitmentSheet, names: &Names, conditions: &Conditions, language: Language) -> Bar {
    let title = sheet.title.as_ref().map(|title| title.get(language).to_owned());
    let mut details = vec![budgets(&sheet.within, conditions, language)];
    if !sheet.paused_while.is_empty() {
        let reasons = sheet.paused_while.iter().map(|reason| match reason {
            PauseReason::WaitingForRequester => {
                say(language, "l’attente du demandeur", "waiting for the requester")
            }
            PauseReason::Suspended => say(language, "une suspension", "a suspension"),
            PauseReason::Validation => say(language, "la validation", "the approval"),
        });
        let reasons = reasons.collect::<Vec<_>>().join(say(language, " et ", " and "));
        details.push(format!("{} {reasons}", say(language, "arrêté pendant", "stands still during")));
    }
    if !sheet.warn_at.is_empty() {
        let at: Vec<String> =
            sheet.warn_at.iter().map(|at| format!("{at}{}", say(language, " %", "%"))).collect();
        let mut words = format!("{} {}", say(language, "alerte à", "warning at"), at.join(", "));
        if !sheet.when_warned.is_empty() {
            words = format!("{words} ({})", alarms(&sheet.when_warned, names, language));
        }
        details.push(words);
    }
    if !sheet.when_broken.is_empty() {
        let told = alarms(&sheet.when_broken, names, language);
        details.push(format!("{} {told}", say(language, "dépassé :", "broken:")));
    }
    Bar {
        commitment: sheet.commitment.clone(),
        title: title.unwrap_or_else(|| vocabulary::commitment(&sheet.commitment, language)),
        details,
        from: sheet.from.clone(),
        until: sheet.until.clone(),
        warnings: sheet.warn_at.clone(),
        legal: false,
        mark: None,
    }
}

fn budgets(rules: &[Rule<Budget>], conditions: &Conditions, language: Language) -> String {
    let parts = rules.iter().map(|rule| {
        let words = rule.is.in_words(language);
        match &rule.when {
            Some(when) => format!("{words} {} {}", say(language, "si", "if"), conditions.words(when)),
            None if rules.len() > 1 => format!("{} {words}", say(language, "sinon", "otherwise")),
            None => words,
        }
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn alarms(alarms: &[Alarm], names: &Names, language: Language) -> String {
    let parts = alarms.iter().map(|alarm| match alarm {
        Alarm::Notify(party) => names.party(party, language),
        Alarm::EscalateTo(party) => {
            format!("{} {}", say(language, "porté devant", "escalated to"), names.party(party, language))
        }
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn law(definition: &Definition, language: Language) -> Option<Bar> {
    let (fr, en) = match definition.law.silence {
        Silence::None => return None,
        Silence::Acceptance => ("Silence vaut acceptation", "Silence means acceptance"),
        Silence::Rejection => ("Silence vaut rejet", "Silence means rejection"),
    };
    let after = definition.law.after?.in_words(language);
    let mut details = vec![format!("{} {after}", say(language, "après", "after"))];
    if !definition.law.basis.trim().is_empty() {
        details.push(definition.law.basis.clone());
    }
    if definition.law.silence == Silence::Acceptance {
        details.push(say(language, "compté du dossier complet", "counted from the complete file").to_owned());
    }
    Some(Bar {
        commitment: "silence".to_owned(),
        title: say(language, fr, en).to_owned(),
        details,
        from: Moment::Received,
        until: Moment::Delivered,
        warnings: Vec::new(),
        legal: true,
        mark: None,
    })
}

/// Waiting, withdrawal, reopening, and the ends that any process has.
pub(super) fn aside(definition: &Definition, language: Language) -> Vec<String> {
    let waiting = &definition.waiting;
    let lapse = waiting.lapse_after.in_words(language);
    let asked = match waiting.remind_after.map(|after| after.in_words(language)) {
        Some(after) => match language {
            Language::Fr => format!(
                "Si l’on interroge le demandeur : relance après {after}, on poursuit sans lui après {lapse}."
            ),
            Language::En => format!(
                "When the requester is asked something: a reminder after {after}, on without them after {lapse}."
            ),
        },
        None => match language {
            Language::Fr => format!("Si l’on interroge le demandeur : on poursuit sans lui après {lapse}."),
            Language::En => format!("When the requester is asked something: on without them after {lapse}."),
        },
    };
    let until = moment(&definition.withdrawable_until, language);
    let reopen = definition.reopenable_for.in_words(language);
    let back = match language {
        Language::Fr => format!(
            "Retrait possible jusqu’à : {until}. Réouverture possible pendant {reopen} après la clôture."
        ),
        Language::En => {
            format!("Can be withdrawn until: {until}. Can be reopened for {reopen} after closing.")
        }
    };
    let ends = say(
        language,
        "À toute étape : suspension, refus motivé, transmission à l’administration compétente, rattachement à un doublon, annulation.",
        "At any stage: suspended, refused with reasons, forwarded to the competent administration, merged into a duplicate, cancelled.",
    );
    vec![asked, back, ends.to_owned()]
}

fn moment(moment: &Moment, language: Language) -> String {
    let (fr, en) = match moment {
        Moment::Received => ("reçue", "received"),
        Moment::Acknowledged => ("accusée", "acknowledged"),
        Moment::Qualified => ("qualifiée", "qualified"),
        Moment::Assigned => ("affectée", "assigned"),
        Moment::Treated => ("traitée", "treated"),
        Moment::Validated => ("validée", "validated"),
        Moment::Delivered => ("délivrée", "delivered"),
        Moment::Task(task) => return task.replace('_', " "),
    };
    say(language, fr, en).to_owned()
}
