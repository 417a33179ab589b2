//! The vectors, computed by a program written apart from this one.

use guichet_rules::calendar::Calendar;
use guichet_rules::commitment::{LineError, Pause, answer_line};
use serde_json::Value;

use crate::support::{all_calendars, calendar, file, try_due, utc};

#[test]
fn every_vector_is_met_to_the_second() {
    let calendars = all_calendars();
    let mut wrong = Vec::new();
    let text = file("vectors/clock.jsonl");
    for (number, line) in text.lines().enumerate() {
        let expected: Value = serde_json::from_str(line).unwrap();
        let mut asked = expected.clone();
        asked.as_object_mut().unwrap().remove("due");
        let answer: Value =
            serde_json::from_str(&answer_line(&asked.to_string(), &calendars).unwrap()).unwrap();
        if answer != expected {
            wrong.push(format!("line {}: {} instead of {line}", number + 1, answer["due"]));
        }
    }
    assert_eq!(text.lines().count(), 400);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The machine's zone is an environment variable, so the vectors are run again in processes that have others.
#[test]
fn the_zone_of_the_machine_changes_nothing() {
    for zone in ["America/New_York", "Pacific/Apia", "Asia/Kathmandu"] {
        let run = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "vectors::every_vector_is_met_to_the_second"])
            .env("TZ", zone)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && said.contains("1 passed"), "under {zone}:\n{said}");
    }
}

#[test]
fn a_line_keeps_what_else_it_says() {
    let calendars = all_calendars();
    let line = r#"{"id": 7, "calendar": "mairie", "from": "2026-05-07T14:50:00Z", "within": "2 working days", "due": "?"}"#;
    let answer: Value = serde_json::from_str(&answer_line(line, &calendars).unwrap()).unwrap();
    assert_eq!(answer["due"], "2026-05-12T15:00:00+00:00");
    assert_eq!(answer["id"], 7);
}

#[test]
fn a_line_that_cannot_be_answered_says_why() {
    let calendars = all_calendars();
    let ask = |line: &str| answer_line(line, &calendars).unwrap_err();
    let line = |rest: &str| format!(r#"{{"from": "2026-05-07T14:50:00Z", {rest}}}"#);
    assert!(matches!(ask("due?"), LineError::Unreadable(_)));
    assert!(matches!(ask("[]"), LineError::Unreadable(_)));
    assert!(matches!(ask(&line(r#""calendar": "x", "within": "1 day""#)), LineError::UnknownCalendar(_)));
    assert!(matches!(ask(&line(r#""within": "1 day""#)), LineError::NoCalendar));
    assert!(matches!(ask(&line(r#""calendar": "mairie""#)), LineError::NoBudget));
    assert!(matches!(
        ask(&line(r#""calendar": "mairie", "amount": 10001, "unit": "working_days""#)),
        LineError::Budget(_)
    ));
    let standing = r#""calendar": "mairie", "within": "1 day", "pauses": [["2026-05-07T15:00:00Z", null]]"#;
    assert!(matches!(ask(&line(standing)), LineError::NoDue(_)));
}

/// Dates worked out by hand for the eleven French holidays, Monday to Friday.
#[test]
fn working_days_around_the_holidays() {
    let mairie = calendar("mairie");
    let cases = [
        ("2026-04-30", 2, "2026-05-05"),
        ("2026-05-07", 2, "2026-05-12"),
        ("2026-05-13", 2, "2026-05-18"),
        ("2026-05-16", 2, "2026-05-19"),
        ("2026-04-29", 10, "2026-05-18"),
        ("2026-07-13", 10, "2026-07-28"),
        ("2026-11-10", 2, "2026-11-13"),
        ("2026-12-24", 2, "2026-12-29"),
        ("2027-12-31", 2, "2028-01-04"),
        ("2026-03-27", 2, "2026-03-31"),
        ("2026-10-23", 2, "2026-10-27"),
    ];
    for (from, days, due) in cases {
        for hour in ["00:00", "08:59", "12:00", "17:00", "23:59"] {
            let within = format!("{days} working days");
            let answer = crate::support::due_at(&mairie, &format!("{from} {hour}"), &within, &[]);
            assert_eq!(answer, format!("{due} 17:00"), "{from} {hour} + {within}");
        }
    }
}

/// Month arithmetic where filing day and next day part ways, for two months and for both rules.
#[test]
fn the_day_before_and_the_day_after_differ_where_months_are_short() {
    use guichet_rules::commitment::{MonthRule, due_instant};
    let mairie = calendar("mairie");
    let last_day = |from: &str, within: &str, rule| {
        let from = crate::support::at(&mairie, &format!("{from} 10:00"));
        let due = due_instant(&mairie, from, crate::support::budget(within), rule, &[]).unwrap();
        mairie.local_date(due - crate::support::minutes(1)).to_string()
    };
    let cases = [
        ("2026-02-28", "2026-04-28", "2026-04-29"),
        ("2026-06-30", "2026-08-30", "2026-08-31"),
        ("2026-07-30", "2026-09-30", "2026-10-01"),
        ("2026-11-30", "2027-01-30", "2027-01-31"),
        ("2026-12-28", "2027-02-28", "2027-03-01"),
        ("2026-12-29", "2027-02-28", "2027-03-01"),
        ("2026-12-30", "2027-02-28", "2027-03-01"),
        ("2026-12-31", "2027-02-28", "2027-03-01"),
        ("2023-05-15", "2023-07-15", "2023-07-16"),
    ];
    for (from, same_day, day_after) in cases {
        assert_eq!(last_day(from, "2 months", MonthRule::SameDay), same_day, "{from}");
        assert_eq!(last_day(from, "2 months", MonthRule::DayAfter), day_after, "{from}");
    }
    assert_eq!(last_day("2028-02-29", "1 year", MonthRule::SameDay), "2029-02-28");
    assert_eq!(last_day("2028-02-29", "4 years", MonthRule::SameDay), "2032-02-29");
}

/// The published examples of the State's platform: decided at the first instant of the date they give.
#[test]
fn the_examples_of_the_state_platform() {
    let mairie = calendar("mairie");
    let due = |within: &str, pauses: &[(&str, &str)]| {
        crate::support::due_at(&mairie, "2023-05-15 14:00", within, pauses)
    };
    assert_eq!(due("2 months", &[]), "2023-07-16 00:00");
    assert_eq!(due("30 days", &[]), "2023-06-15 00:00");
    assert_eq!(due("56 days", &[]), "2023-07-11 00:00");
    // Corrections from the 20th to the 25th of May, both days included, are six days.
    assert_eq!(due("2 months", &[("2023-05-20 00:00", "2023-05-26 00:00")]), "2023-07-22 00:00");
}

#[test]
fn a_pause_is_read_from_two_instants() {
    let pause: Pause = "2026-05-07T10:00:00Z/2026-05-11T08:00:00+02:00".parse().unwrap();
    assert_eq!(pause, Pause::new(utc("2026-05-07T10:00:00Z"), utc("2026-05-11T06:00:00Z")));
    assert_eq!("2026-05-07T10:00:00Z/".parse::<Pause>().unwrap(), Pause::open(utc("2026-05-07T10:00:00Z")));
    for wrong in ["", "/", "2026-05-07T10:00:00Z", "2026-05-07/2026-05-08", "a/b"] {
        assert!(wrong.parse::<Pause>().is_err(), "{wrong}");
    }
}

/// Far more than is needed for one second's work is asked for in well under one.
#[test]
fn a_due_date_costs_microseconds() {
    let calendar: Calendar = calendar("guichet-samedi");
    let start = std::time::Instant::now();
    for minute in 0..20_000 {
        let from = utc("2026-01-01T00:00:00Z") + crate::support::minutes(minute);
        try_due(&calendar, from, "2 working days", &[]).unwrap();
    }
    println!("{:?} for one, unoptimised", start.elapsed() / 20_000);
    // Unoptimised code on a busy machine is allowed twenty times what was measured.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
