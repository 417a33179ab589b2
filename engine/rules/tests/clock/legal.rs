//! The silence of the administration: implied acceptance and implied rejection differ (CRPA L114-3, L114-5).

use guichet_rules::calendar::Calendar;
use guichet_rules::commitment::{
    ImpliedDecision, LegalHistory, LegalRule, MonthRule, Pause, PiecesAsked, SilenceMeans, implied_decision,
};

use crate::support::{at, budget, calendar, shown};

fn history(mairie: &Calendar, pieces: &[(&str, &str, Option<&str>)]) -> LegalHistory {
    let pieces = pieces
        .iter()
        .map(|(asked, term, received)| PiecesAsked {
            asked: at(mairie, asked),
            term: at(mairie, term),
            received: received.map(|received| at(mairie, received)),
        })
        .collect();
    LegalHistory { first_seized: at(mairie, "2026-03-02 10:00"), competent: None, pieces }
}

fn decided(mairie: &Calendar, silence: SilenceMeans, history: &LegalHistory) -> Option<ImpliedDecision> {
    implied_decision(mairie, silence, budget("2 months"), MonthRule::SameDay, history).unwrap()
}

fn date(mairie: &Calendar, silence: SilenceMeans, history: &LegalHistory) -> String {
    decided(mairie, silence, history).map_or("open".into(), |decision| shown(mairie, decision.due.at))
}

#[test]
fn a_complete_request_is_decided_on_the_same_day_either_way() {
    let mairie = calendar("mairie");
    let history = history(&mairie, &[]);
    for silence in [SilenceMeans::Acceptance, SilenceMeans::Rejection] {
        assert_eq!(date(&mairie, silence, &history), "2026-05-03 00:00");
        assert!(decided(&mairie, silence, &history).unwrap().rules.is_empty());
    }
}

#[test]
fn acceptance_starts_when_the_file_is_complete() {
    let mairie = calendar("mairie");
    let waiting = history(&mairie, &[("2026-03-10 10:00", "2026-04-10 23:00", None)]);
    assert_eq!(date(&mairie, SilenceMeans::Acceptance, &waiting), "open");
    let complete = history(&mairie, &[("2026-03-10 10:00", "2026-04-10 23:00", Some("2026-03-20 15:00"))]);
    assert_eq!(date(&mairie, SilenceMeans::Acceptance, &complete), "2026-05-21 00:00");
    let rules = decided(&mairie, SilenceMeans::Acceptance, &complete).unwrap().rules;
    assert_eq!(rules, [LegalRule::AcceptanceFromComplete]);
}

#[test]
fn rejection_stands_still_for_the_term_and_no_longer() {
    let mairie = calendar("mairie");
    // Pieces in ten days: ten ends of dates. Pieces too late, or never: the 31 of the term.
    for (received, due) in [
        (Some("2026-03-20 15:00"), "2026-05-13 00:00"),
        (Some("2026-04-20 15:00"), "2026-06-03 00:00"),
        (None, "2026-06-03 00:00"),
    ] {
        let history = history(&mairie, &[("2026-03-10 10:00", "2026-04-10 23:00", received)]);
        assert_eq!(date(&mairie, SilenceMeans::Rejection, &history), due, "{received:?}");
        let clock = history.clock(SilenceMeans::Rejection);
        assert_eq!(clock.from, Some(history.first_seized));
        assert_eq!(clock.rules, [LegalRule::RejectionSuspended]);
    }
}

#[test]
fn a_forwarded_request_has_two_starts() {
    let mairie = calendar("mairie");
    let mut history = history(&mairie, &[]);
    history.competent = Some(at(&mairie, "2026-03-12 10:00"));
    assert_eq!(date(&mairie, SilenceMeans::Rejection, &history), "2026-05-03 00:00");
    assert_eq!(date(&mairie, SilenceMeans::Acceptance, &history), "2026-05-13 00:00");
    let rules = |silence| decided(&mairie, silence, &history).unwrap().rules;
    assert_eq!(rules(SilenceMeans::Rejection), [LegalRule::RejectionFromFirstSeized]);
    assert_eq!(rules(SilenceMeans::Acceptance), [LegalRule::AcceptanceFromCompetent]);
}

#[test]
fn pieces_asked_for_after_the_decision_undo_nothing() {
    let mairie = calendar("mairie");
    let late = history(&mairie, &[("2026-05-04 10:00", "2026-06-10 23:00", None)]);
    assert_eq!(date(&mairie, SilenceMeans::Acceptance, &late), "2026-05-03 00:00");
    assert_eq!(date(&mairie, SilenceMeans::Rejection, &late), "2026-05-03 00:00");
    assert!(decided(&mairie, SilenceMeans::Acceptance, &late).unwrap().rules.is_empty());
}

#[test]
fn pieces_asked_for_twice_count_twice_and_in_any_order() {
    let mairie = calendar("mairie");
    let asked = [
        ("2026-04-01 10:00", "2026-04-20 23:00", Some("2026-04-03 15:00")),
        ("2026-03-10 10:00", "2026-04-10 23:00", Some("2026-03-20 15:00")),
    ];
    let history = history(&mairie, &asked);
    assert_eq!(date(&mairie, SilenceMeans::Acceptance, &history), "2026-06-04 00:00");
    assert_eq!(date(&mairie, SilenceMeans::Rejection, &history), "2026-05-15 00:00");
    let pauses = history.clock(SilenceMeans::Rejection).pauses;
    assert!(pauses.contains(&Pause::new(at(&mairie, asked[0].0), at(&mairie, "2026-04-03 15:00"))));
    for rule in decided(&mairie, SilenceMeans::Rejection, &history).unwrap().rules {
        assert!(rule.text().fr.contains("L114") && rule.text().en.contains("L114"));
    }
}
