//! Calendars and questions made to hang or crash the engine.

use chrono::{DateTime, Utc};
use guichet_rules::calendar::Calendar;
use guichet_rules::commitment::{
    Budget, MonthRule, NoDue, Pause, Unit, due, due_instant, open_time, warning,
};
use proptest::prelude::*;

use crate::support::{all_calendars, calendar, utc, written};

fn longest(unit: Unit) -> Budget {
    Budget::new(unit.most(), unit).unwrap()
}

/// One open minute a week, and none in whole seasons.
fn sparse() -> Calendar {
    written(
        "{ calendar: x, zone: Europe/Paris, holidays: FR, hours: { mon: ['09:00-09:01'] },
           closures: [ { from: 2026-01-01, until: 2026-12-20 }, { from: 2027-02-01, until: 2027-12-20 } ] }",
    )
}

#[test]
fn budgets_have_a_limit() {
    for unit in Unit::ALL {
        assert!(Budget::new(unit.most() + 1, unit).is_err());
        assert!(format!("{} {}", u64::from(unit.most()) + 1, unit.key()).parse::<Budget>().is_err());
    }
    assert!("99999999999999999999999999 days".parse::<Budget>().is_err());
}

#[test]
fn the_longest_budget_on_every_calendar_ends() {
    let started = std::time::Instant::now();
    let from = utc("2026-01-01T00:00:00Z");
    for calendar in all_calendars().into_values() {
        for unit in Unit::ALL {
            let due = due(&calendar, from, longest(unit), MonthRule::DayAfter, &[]).unwrap();
            assert!(due.explanation.counted.len() <= 31 && due.explanation.holidays.len() <= 31);
            assert!(serde_json::to_string(&due).unwrap().len() < 16_384);
        }
    }
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn a_sparse_calendar_does_not_hang() {
    let started = std::time::Instant::now();
    let (sparse, from) = (sparse(), utc("2026-01-01T00:00:00Z"));
    let ask = |unit| due_instant(&sparse, from, longest(unit), MonthRule::SameDay, &[]);
    // Nine thousand Mondays that are no holidays are nearly 200 years, where the search ends; 100,000 hours of one
    // minute a week would be 115,000.
    let days = Budget::new(9_000, Unit::WorkingDays).unwrap();
    assert!(due_instant(&sparse, from, days, MonthRule::SameDay, &[]).is_ok());
    assert_eq!(ask(Unit::WorkingDays), Err(NoDue::OutOfRange));
    assert_eq!(ask(Unit::WorkingHours), Err(NoDue::OutOfRange));
    assert_eq!(ask(Unit::WorkingMinutes), Err(NoDue::OutOfRange));
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn a_standing_pause_ends_the_search() {
    let from = utc("2026-01-01T00:00:00Z");
    for calendar in all_calendars().into_values().chain([sparse()]) {
        for unit in Unit::ALL {
            let due = due_instant(&calendar, from, longest(unit), MonthRule::SameDay, &[Pause::open(from)]);
            assert_eq!(due, Err(NoDue::Paused { since: from }), "{unit:?}");
        }
    }
}

#[test]
fn a_pause_of_centuries_is_out_of_range() {
    let from = utc("2026-01-01T00:00:00Z");
    let pause = Pause::new(from, utc("2590-01-01T00:00:00Z"));
    for unit in [Unit::WorkingDays, Unit::WorkingMinutes, Unit::Days, Unit::Months] {
        let budget = Budget::new(1, unit).unwrap();
        let due = due_instant(&calendar("mairie"), from, budget, MonthRule::SameDay, &[pause]);
        assert_eq!(due, Err(NoDue::OutOfRange), "{unit:?}");
    }
}

#[test]
fn the_ends_of_time_do_not_crash() {
    let calendar = calendar("mairie");
    let ends = [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC];
    let far = Pause::new(ends[0], ends[1]);
    for from in ends.into_iter().chain([utc("2026-01-01T00:00:00Z"), utc("2400-12-31T23:59:59Z")]) {
        for unit in Unit::ALL {
            for pauses in [&[][..], &[far], &[Pause::open(ends[1])], &[Pause::open(ends[0])]] {
                let _ = due(&calendar, from, longest(unit), MonthRule::DayAfter, pauses);
            }
        }
        let _ = (calendar.local_date(from), calendar.is_open_at(from));
        for until in ends {
            let _ = open_time(&calendar, from, until, &[]);
            let _ = warning(&calendar, from, until, 255, &[far]);
        }
    }
}

#[test]
fn ten_thousand_pauses_are_taken_in_one_pass() {
    let calendar = calendar("mairie");
    let from = utc("2026-01-01T00:00:00Z");
    let minute = |n: i64| from + crate::support::minutes(n);
    let pauses: Vec<Pause> = (0..10_000).map(|n| Pause::new(minute(n * 10), minute(n * 10 + 5))).collect();
    let started = std::time::Instant::now();
    for unit in Unit::ALL {
        due(&calendar, from, Budget::new(30, unit).unwrap(), MonthRule::SameDay, &pauses).unwrap();
    }
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

proptest! {
    #![proptest_config(crate::support::cases(500))]
    #[test]
    fn nothing_that_is_read_crashes(text in "\\PC{0,40}") {
        let _ = text.parse::<Budget>();
        let _ = text.parse::<Pause>();
        let _ = text.parse::<guichet_rules::calendar::Interval>();
        let _ = guichet_rules::commitment::answer_line(&text, &std::collections::BTreeMap::new());
    }
}
