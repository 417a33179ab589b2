//! What an auditor reads.

use guichet_rules::commitment::{DueRule, Explanation, MonthRule, Pause, PauseEffect, Question, due};
use guichet_rules::text::Language;

use crate::support::{at, budget, calendar};

fn explained(name: &str, from: &str, within: &str, pauses: &[(&str, &str)]) -> Explanation {
    let calendar = calendar(name);
    let pauses: Vec<Pause> =
        pauses.iter().map(|(from, until)| Pause::new(at(&calendar, from), at(&calendar, until))).collect();
    due(&calendar, at(&calendar, from), budget(within), MonthRule::SameDay, &pauses).unwrap().explanation
}

#[test]
fn two_working_days_before_a_holiday() {
    let explanation = explained(
        "mairie",
        "2026-05-07 16:50",
        "2 working days",
        &[("2026-05-11 16:00", "2026-05-12 10:00")],
    );
    let version = &calendar("mairie").version()[..12].to_owned();
    assert_eq!(explanation.rule, DueRule::WorkingDays);
    assert_eq!(
        explanation.sentences(Language::Fr),
        [
            "Départ : jeudi 7 mai 2026 à 16:50, soit 2026-05-07T14:50:00Z.".to_owned(),
            format!("Délai : 2 jours ouvrés ; calendrier « mairie », version {version}, fuseau Europe/Paris."),
            "Règle : à la fermeture du dernier des jours ouverts comptés ; le jour du départ ne compte pas.".into(),
            "Jours comptés (2) : mardi 12 mai 2026, mercredi 13 mai 2026.".into(),
            "Non compté : vendredi 8 mai 2026, jour férié (Victoire de 1945).".into(),
            "Pause : du lundi 11 mai 2026 à 16:00 au mardi 12 mai 2026 à 10:00 ; fermetures de jours ouverts non comptées : 1.".into(),
            "Échéance : mercredi 13 mai 2026 à 17:00, soit 2026-05-13T15:00:00Z.".into(),
        ]
    );
    assert_eq!(
        explanation.sentences(Language::En),
        [
            "Start: Thursday 7 May 2026 at 16:50, that is 2026-05-07T14:50:00Z.".to_owned(),
            format!("Time allowed: 2 working days; calendar “mairie”, version {version}, zone Europe/Paris."),
            "Rule: the closing of the last of the open dates counted; the date of the start does not count.".into(),
            "Dates counted (2): Tuesday 12 May 2026, Wednesday 13 May 2026.".into(),
            "Not counted: Friday 8 May 2026, public holiday (Victory in Europe Day).".into(),
            "Pause: from Monday 11 May 2026 at 16:00 to Tuesday 12 May 2026 at 10:00; closings of open dates not counted: 1.".into(),
            "Due: Wednesday 13 May 2026 at 17:00, that is 2026-05-13T15:00:00Z.".into(),
        ]
    );
}

#[test]
fn working_hours_across_a_closure() {
    let explanation = explained("guichet-samedi", "2026-07-31 16:30", "2 working hours", &[]);
    // Friday to 17:30, then an hour of Saturday: nothing of the closure is reached.
    assert!(explanation.closures.is_empty());
    let explanation = explained("guichet-samedi", "2026-07-31 16:30", "5 working hours", &[]);
    assert_eq!(explanation.closures.len(), 1);
    assert_eq!(explanation.closures[0].dates, 11);
    assert_eq!(explanation.holidays.len(), 1);
    assert_eq!(explanation.counted_total, 3);
    let french = explanation.sentences(Language::Fr).join("\n");
    assert!(
        french.contains(
            "Jours comptés (3) : vendredi 31 juillet 2026, samedi 1er août 2026, lundi 17 août 2026."
        )
    );
    assert!(french.contains(
        "Jours non comptés (11) : fermeture du lundi 3 août 2026 au vendredi 14 août 2026 (Fermeture d’été)."
    ));
    assert!(french.contains("samedi 15 août 2026, jour férié (Assomption)"));
}

#[test]
fn the_end_of_a_date_is_said_as_twenty_four_hours() {
    let explanation =
        explained("mairie", "2026-01-31 10:00", "1 month", &[("2026-02-10 09:00", "2026-02-12 09:00")]);
    assert_eq!(explanation.rule, DueRule::MonthsSameDay);
    assert_eq!(explanation.same_day, Some("2026-02-28".parse().unwrap()));
    assert_eq!(explanation.pauses[0].effect, PauseEffect::DateEnds(2));
    assert_eq!(
        explanation.sentences(Language::Fr).last().unwrap(),
        "Échéance : lundi 2 mars 2026 à 24:00, soit 2026-03-02T23:00:00Z."
    );
    let elapsed = explained("mairie", "2026-06-01 10:00", "14 hours", &[]);
    assert!(elapsed.sentences(Language::En).last().unwrap().contains("Tuesday 2 June 2026 at 00:00"));
}

#[test]
fn a_start_that_may_not_be_due_after_a_later_one_says_which() {
    let explanation =
        explained("mairie", "2026-01-29 10:00", "1 month", &[("2026-01-30 20:00", "2026-01-31 08:00")]);
    assert_eq!(explanation.not_after_start_on, Some("2026-01-31".parse().unwrap()));
    assert_eq!(explanation.pauses[0].effect, PauseEffect::DateEnds(0));
    let french = explanation.sentences(Language::Fr).join("\n");
    assert!(french.contains("compté comme un départ du samedi 31 janvier 2026"));
}

#[test]
fn a_pause_says_how_much_open_time_it_took() {
    let pause = ("2026-06-05 16:00", "2026-06-08 10:00");
    let explanation = explained("mairie", "2026-06-05 15:00", "2 working hours", &[pause]);
    assert_eq!(explanation.pauses[0].effect, PauseEffect::OpenMicroseconds(2 * 3_600_000_000));
    let elapsed = explained("mairie", "2026-06-05 15:00", "2 hours", &[pause]);
    assert_eq!(elapsed.pauses[0].effect, PauseEffect::ElapsedMicroseconds(66 * 3_600_000_000));
    assert!(elapsed.sentences(Language::En).join("\n").contains("time not counted: 66 h."));
}

#[test]
fn both_names_of_a_double_holiday_are_given() {
    let explanation = explained("mairie", "2008-04-30 10:00", "1 working day", &[]);
    let english = explanation.sentences(Language::En).join("\n");
    assert!(english.contains("Labour Day") && english.contains("Ascension Day"));
}

#[test]
fn a_question_is_answered_with_or_without_its_explanation() {
    let mairie = calendar("mairie");
    let question = Question {
        from: at(&mairie, "2026-05-07 16:50"),
        within: budget("2 working days"),
        month_rule: MonthRule::SameDay,
        pauses: Vec::new(),
    };
    assert_eq!(question.lines(&mairie, None).unwrap(), ["2026-05-12T15:00:00+00:00"]);
    let lines = question.lines(&mairie, Some(Language::Fr)).unwrap();
    assert_eq!(lines[0], "2026-05-12T15:00:00+00:00");
    assert!(lines.len() > 5);
}

#[test]
fn schemas_name_what_is_stored() {
    let schema = serde_json::to_string(&schemars::schema_for!(Explanation)).unwrap();
    assert!(schema.contains("working_days") && schema.contains("abolition_of_slavery"));
    let schema =
        serde_json::to_string(&schemars::schema_for!(guichet_rules::calendar::CalendarSheet)).unwrap();
    assert!(schema.contains("24:00"));
}
