//! Why a promise is due when it is due.

use chrono::{DateTime, Utc};

use super::{About, Line, Moment};
use crate::commitment::{LegalRule, due};
use crate::process::{PauseReason, Silence};
use crate::request::clock::{Clock, ClockChange};
use crate::request::state::Hold;
use crate::request::{What, bindings};
use crate::text::{Language, Text};

const SILENCE: &str = "silence";

pub(super) fn lines(moment: &Moment<'_>, lines: &mut Vec<Line>) {
    for change in &moment.event.clocks {
        let commitment = change.commitment();
        let about = About::Clock { commitment: commitment.to_owned(), cycle: moment.after.cycle };
        let Some(clock) = moment.after.clock(commitment) else { continue };
        let mut line = moment.line(about, sentence(moment, change, clock));
        match change {
            ClockChange::Started { rule, .. } | ClockChange::Changed { rule, .. } => {
                budget(moment, commitment, rule.as_ref(), &mut line);
                arithmetic(moment, clock, change, &mut line);
            }
            ClockChange::Resumed { .. } => arithmetic(moment, clock, change, &mut line),
            ClockChange::Paused { .. } | ClockChange::Stopped { .. } | ClockChange::Dropped { .. } => {}
        }
        if commitment == SILENCE {
            law(moment, change, &mut line);
        }
        lines.push(line);
    }
    if let What::CommitmentBroken(event) = &moment.event.what {
        let about = About::Clock { commitment: event.commitment.clone(), cycle: moment.after.cycle };
        let at = local(moment, moment.after.clock(&event.commitment), event.due);
        let text = Text::new(
            format!("« {} » n’est pas tenu : échéance {at} passée.", event.commitment),
            format!("“{}” is broken: due {at} has passed.", event.commitment),
        );
        lines.push(moment.line(about, text));
    }
}

/// An instant as a wall-clock time of the clock's calendar.
fn local(moment: &Moment<'_>, clock: Option<&Clock>, instant: DateTime<Utc>) -> String {
    let calendar = clock.and_then(|clock| moment.plan.calendar(&clock.calendar));
    match calendar {
        Some(calendar) => instant.with_timezone(&calendar.zone()).format("%Y-%m-%d %H:%M").to_string(),
        None => instant.format("%Y-%m-%d %H:%M UTC").to_string(),
    }
}

fn sentence(moment: &Moment<'_>, change: &ClockChange, clock: &Clock) -> Text {
    let name = &clock.commitment;
    let at = |instant: DateTime<Utc>| local(moment, Some(clock), instant);
    let within = |language| clock.budget.in_words(language);
    match change {
        ClockChange::Started { due, from, .. } => Text::new(
            format!(
                "« {name} » court depuis le {} : {}, échéance {}.",
                at(*from),
                within(Language::Fr),
                at(*due)
            ),
            format!("“{name}” counts from {}: {}, due {}.", at(*from), within(Language::En), at(*due)),
        ),
        ClockChange::Changed { due: Some(due), from, .. } => Text::new(
            format!(
                "« {name} » devient {} depuis le {}, échéance {}.",
                within(Language::Fr),
                at(*from),
                at(*due)
            ),
            format!("“{name}” becomes {} from {}, due {}.", within(Language::En), at(*from), at(*due)),
        ),
        ClockChange::Changed { due: None, from, .. } => Text::new(
            format!(
                "« {name} » devient {} depuis le {}, et reste suspendu.",
                within(Language::Fr),
                at(*from)
            ),
            format!("“{name}” becomes {} from {}, and stays paused.", within(Language::En), at(*from)),
        ),
        ClockChange::Paused { at: since, reason, .. } => {
            let (fr, en) = match reason {
                PauseReason::WaitingForRequester => ("on attend le demandeur", "the requester is awaited"),
                PauseReason::Suspended => ("la demande est suspendue", "the request is suspended"),
                PauseReason::Validation => ("la réponse est en validation", "the answer is in validation"),
            };
            Text::new(
                format!("« {name} » est suspendu depuis le {} : {fr}.", at(*since)),
                format!("“{name}” is paused since {}: {en}.", at(*since)),
            )
        }
        ClockChange::Resumed { at: since, due, .. } => Text::new(
            format!("« {name} » reprend le {}, échéance {}.", at(*since), at(*due)),
            format!("“{name}” goes on from {}, due {}.", at(*since), at(*due)),
        ),
        ClockChange::Stopped { at: when, kept: true, .. } => Text::new(
            format!("« {name} » est tenu : fait le {}, échéance {}.", at(*when), at(clock.due)),
            format!("“{name}” is kept: done {}, due {}.", at(*when), at(clock.due)),
        ),
        ClockChange::Stopped { at: when, kept: false, .. } => Text::new(
            format!("« {name} » est tenu en retard : fait le {}, échéance {}.", at(*when), at(clock.due)),
            format!("“{name}” is late: done {}, due {}.", at(*when), at(clock.due)),
        ),
        ClockChange::Dropped { .. } => {
            Text::new(format!("« {name} » n’a plus d’objet."), format!("“{name}” no longer applies."))
        }
    }
}

/// The rules that gave the budget.
fn budget(moment: &Moment<'_>, commitment: &str, rule: Option<&String>, line: &mut Line) {
    let facts = bindings(moment.after, moment.plan);
    match moment.plan.definition().commitment(commitment) {
        Some(sheet) => line.rules = moment.tried(&sheet.within, rule, &facts),
        None => line.rules.extend(rule.map(|pointer| moment.condition(pointer, None, &facts))),
    }
    if let What::Extended(event) = &moment.event.what {
        let by = |language| event.by.in_words(language);
        line.reasoning.push(Text::new(
            format!("Prolongé de {} : {}.", by(Language::Fr), event.basis),
            format!("Extended by {}: {}.", by(Language::En), event.basis),
        ));
    }
}

/// The arithmetic is done again from the recorded operands. Should it ever come to another instant than the one
/// that was promised, that is said, and the promise stands.
fn arithmetic(moment: &Moment<'_>, clock: &Clock, change: &ClockChange, line: &mut Line) {
    let promised = match change {
        ClockChange::Started { due, .. } | ClockChange::Resumed { due, .. } => Some(*due),
        ClockChange::Changed { due, .. } => *due,
        ClockChange::Paused { .. } | ClockChange::Stopped { .. } | ClockChange::Dropped { .. } => None,
    };
    let (Some(promised), Some(calendar)) = (promised, moment.plan.calendar(&clock.calendar)) else { return };
    // A pause that began later in the same event has no part in it.
    let pauses: Vec<_> = clock.pauses.iter().copied().filter(|pause| pause.until.is_some()).collect();
    let Ok(computed) = due(calendar, clock.from, clock.budget, clock.month_rule, &pauses) else { return };
    let fr = computed.explanation.sentences(Language::Fr);
    let en = computed.explanation.sentences(Language::En);
    line.reasoning.extend(fr.into_iter().zip(en).map(|(fr, en)| Text::new(fr, en)));
    if computed.at != promised {
        let at = local(moment, Some(clock), promised);
        line.reasoning.push(Text::new(
            format!("L’échéance promise reste le {at}."),
            format!("The due instant promised stays {at}."),
        ));
    }
    line.explanation = Some(computed.explanation);
}

/// The articles behind the legal clock.
fn law(moment: &Moment<'_>, change: &ClockChange, line: &mut Line) {
    let law = &moment.plan.definition().law;
    let (fr, en, first) = match law.silence {
        Silence::None => return,
        Silence::Acceptance => ("acceptation", "acceptance", LegalRule::AcceptanceFromCompetent),
        Silence::Rejection => ("rejet", "rejection", LegalRule::RejectionFromFirstSeized),
    };
    let basis = &law.basis;
    match change {
        ClockChange::Started { .. } => {
            line.reasoning.insert(
                0,
                Text::new(
                    format!("Le silence gardé vaut {fr} ({basis})."),
                    format!("Silence means {en} ({basis})."),
                ),
            );
            if moment.after.first_received_at.is_some() {
                line.reasoning.insert(1, first.text());
            }
        }
        ClockChange::Changed { .. } if law.silence == Silence::Acceptance && completes(moment) => {
            line.reasoning.insert(0, LegalRule::AcceptanceFromComplete.text());
        }
        ClockChange::Paused { .. } if law.silence == Silence::Acceptance => {
            line.reasoning.push(LegalRule::AcceptanceFromComplete.text());
        }
        ClockChange::Paused { .. } | ClockChange::Resumed { .. } if law.silence == Silence::Rejection => {
            line.reasoning.insert(0, LegalRule::RejectionSuspended.text());
        }
        ClockChange::Changed { .. }
        | ClockChange::Paused { .. }
        | ClockChange::Resumed { .. }
        | ClockChange::Stopped { .. }
        | ClockChange::Dropped { .. } => {}
    }
}

/// Whether the event completes the file.
fn completes(moment: &Moment<'_>) -> bool {
    let waited =
        moment.before.is_some_and(|before| matches!(before.hold, Some(Hold::WaitingForRequester { .. })));
    match &moment.event.what {
        What::Replied(event) => event.complete,
        What::Resumed(_) => waited,
        _ => false,
    }
}
