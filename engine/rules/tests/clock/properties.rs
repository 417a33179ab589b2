//! The laws of commitments as properties, over all calendars and units.

use chrono::{DateTime, TimeDelta, Utc};
use guichet_rules::calendar::Calendar;
use guichet_rules::commitment::{
    Budget, MonthRule, NoDue, Pause, Unit, due, due_instant, open_time, warning,
};
use proptest::prelude::*;

use crate::support::{NAMES, calendar};

fn calendars() -> impl Strategy<Value = Calendar> {
    proptest::sample::select(&NAMES[..]).prop_map(calendar)
}

fn budgets() -> impl Strategy<Value = Budget> {
    let of = |unit, most: u32| (0..=most).prop_map(move |amount| Budget::new(amount, unit).unwrap());
    prop_oneof![
        of(Unit::WorkingDays, 30),
        of(Unit::WorkingHours, 80),
        of(Unit::WorkingMinutes, 3000),
        of(Unit::Hours, 200),
        of(Unit::Minutes, 3000),
        of(Unit::Days, 60),
        of(Unit::Months, 14),
        of(Unit::Years, 2),
    ]
}

fn rules() -> impl Strategy<Value = MonthRule> {
    proptest::sample::select(vec![MonthRule::SameDay, MonthRule::DayAfter])
}

/// Instants over five years to the second, often near the end of a month, where months are hardest.
fn starts() -> impl Strategy<Value = DateTime<Utc>> {
    let anywhere = (1_735_689_600i64..1_893_456_000).prop_map(|s| DateTime::from_timestamp(s, 0).unwrap());
    let month_ends = (0i64..60, -400_000i64..200_000).prop_map(|(months, seconds)| {
        let first = chrono::NaiveDate::from_ymd_opt(2025, 1, 1).unwrap();
        let months = chrono::Months::new(u32::try_from(months).unwrap());
        let midnight = (first + months).and_hms_opt(0, 0, 0).unwrap().and_utc();
        midnight + TimeDelta::seconds(seconds)
    });
    prop_oneof![anywhere, month_ends]
}

/// Pauses as seconds after some start, and lengths, some of them empty.
fn offsets() -> impl Strategy<Value = Vec<(i64, i64)>> {
    let length = prop_oneof![1 => Just(0i64), 5 => 0i64..40_000, 5 => 0i64..1_500_000];
    proptest::collection::vec((-100_000i64..4_000_000, length), 0..4)
}

fn seconds(n: i64) -> TimeDelta {
    TimeDelta::seconds(n)
}

fn pauses(from: DateTime<Utc>, offsets: &[(i64, i64)]) -> Vec<Pause> {
    offsets
        .iter()
        .map(|(after, length)| Pause::new(from + seconds(*after), from + seconds(after + length)))
        .collect()
}

/// A whole minute, so that pauses and budgets of minutes can be compared.
fn minute(instant: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(instant.timestamp() / 60 * 60, 0).unwrap()
}

fn working_minutes(amount: i64) -> Budget {
    Budget::new(u32::try_from(amount).unwrap(), Unit::WorkingMinutes).unwrap()
}

proptest! {
    #![proptest_config(crate::support::cases(500))]

    #[test]
    fn a_later_start_is_never_due_earlier(
        calendar in calendars(), budget in budgets(), rule in rules(), from in starts(),
        later in prop_oneof![0i64..100_000, 0i64..3_000_000], offsets in offsets(),
    ) {
        let pauses = pauses(from, &offsets);
        let first = due_instant(&calendar, from, budget, rule, &pauses).unwrap();
        let second = due_instant(&calendar, from + seconds(later), budget, rule, &pauses).unwrap();
        prop_assert!(first <= second, "{first} then {second}");
    }

    #[test]
    fn nothing_is_due_before_it_starts(
        calendar in calendars(), budget in budgets(), rule in rules(), from in starts(), offsets in offsets(),
    ) {
        prop_assert!(from <= due_instant(&calendar, from, budget, rule, &pauses(from, &offsets)).unwrap());
    }

    #[test]
    fn a_longer_budget_is_never_due_earlier(
        calendar in calendars(), budget in budgets(), rule in rules(), from in starts(), offsets in offsets(),
        more in 0u32..20,
    ) {
        let longer = Budget::new(budget.amount() + more, budget.unit()).unwrap();
        let pauses = pauses(from, &offsets);
        let short = due_instant(&calendar, from, budget, rule, &pauses).unwrap();
        prop_assert!(short <= due_instant(&calendar, from, longer, rule, &pauses).unwrap());
    }

    #[test]
    fn a_pause_never_brings_a_due_date_forward(
        calendar in calendars(), budget in budgets(), rule in rules(), from in starts(), offsets in offsets(),
        after in -100_000i64..2_000_000, length in 0i64..1_500_000,
    ) {
        let mut pauses = pauses(from, &offsets);
        let without = due_instant(&calendar, from, budget, rule, &pauses).unwrap();
        pauses.push(Pause::new(from + seconds(after), from + seconds(after + length)));
        prop_assert!(without <= due_instant(&calendar, from, budget, rule, &pauses).unwrap());
    }

    #[test]
    fn an_empty_pause_and_one_that_is_over_move_nothing(
        calendar in calendars(), budget in budgets(), rule in rules(), from in starts(), offsets in offsets(),
        at in -100_000i64..2_000_000,
    ) {
        let mut pauses = pauses(from, &offsets);
        let without = due_instant(&calendar, from, budget, rule, &pauses).unwrap();
        pauses.push(Pause::new(from + seconds(at), from + seconds(at)));
        pauses.push(Pause::new(from - seconds(100_000), from));
        prop_assert_eq!(without, due_instant(&calendar, from, budget, rule, &pauses).unwrap());
    }

    #[test]
    fn pauses_in_any_order_cut_in_pieces_or_repeated_are_the_same(
        calendar in calendars(), budget in budgets(), rule in rules(), from in starts(), offsets in offsets(),
    ) {
        let whole = pauses(from, &offsets);
        let mut pieces: Vec<Pause> = Vec::new();
        for pause in whole.iter().rev() {
            let middle = pause.from + (pause.until.unwrap() - pause.from) / 2;
            pieces.extend([Pause::new(middle, pause.until.unwrap()), Pause::new(pause.from, middle), *pause]);
        }
        prop_assert_eq!(
            due_instant(&calendar, from, budget, rule, &whole),
            due_instant(&calendar, from, budget, rule, &pieces)
        );
    }

    #[test]
    fn a_pause_in_closed_time_moves_no_working_time(
        name in proptest::sample::select(vec!["mairie", "guichet-samedi", "strasbourg", "la-reunion"]),
        amount in 0i64..5000, from in starts(), date in 0i64..60,
    ) {
        let calendar = calendar(name);
        let budget = working_minutes(amount);
        // From the closing of one open date to the opening of the next one.
        let first = calendar.local_date(from) + TimeDelta::days(date);
        let mut open = first.iter_days().flat_map(|date| calendar.open_spans(date));
        let closes = open.next().unwrap().closes;
        let pause = Pause::new(closes, open.next().unwrap().opens);
        let rule = MonthRule::SameDay;
        prop_assert_eq!(
            due_instant(&calendar, from, budget, rule, &[]),
            due_instant(&calendar, from, budget, rule, &[pause])
        );
    }

    #[test]
    fn a_pause_of_so_many_open_minutes_moves_working_time_by_as_many(
        calendar in calendars(), amount in 1i64..3000, from in starts(), share in 0i64..100,
        length in 0i64..20_000,
    ) {
        let from = minute(from);
        let rule = MonthRule::SameDay;
        let unpaused = due_instant(&calendar, from, working_minutes(amount), rule, &[]).unwrap();
        // It begins before the budget is spent: at the due instant nothing is left to move.
        let begins = minute(from + (unpaused - from) / 100 * i32::try_from(share).unwrap());
        prop_assume!(begins < unpaused && open_time(&calendar, begins, unpaused, &[]) > TimeDelta::zero());
        let pause = Pause::new(begins, begins + TimeDelta::minutes(length));
        let open = open_time(&calendar, begins, pause.until.unwrap(), &[]).num_minutes();
        prop_assert_eq!(
            due_instant(&calendar, from, working_minutes(amount), rule, &[pause]),
            due_instant(&calendar, from, working_minutes(amount + open), rule, &[])
        );
    }

    #[test]
    fn so_much_and_then_so_much_from_there_is_both_together(
        calendar in calendars(), from in starts(), a in 0u32..100, b in 0u32..100, offsets in offsets(),
        unit in proptest::sample::select(vec![Unit::WorkingHours, Unit::WorkingMinutes, Unit::Hours, Unit::Minutes]),
    ) {
        let pauses = pauses(from, &offsets);
        let due = |from, amount| {
            due_instant(&calendar, from, Budget::new(amount, unit).unwrap(), MonthRule::SameDay, &pauses).unwrap()
        };
        prop_assert_eq!(due(from, a + b), due(due(from, a), b));
    }

    #[test]
    fn working_time_spent_at_the_due_instant_is_the_budget(
        calendar in calendars(), from in starts(), amount in 0i64..5000, offsets in offsets(),
    ) {
        let pauses = pauses(from, &offsets);
        let due = due_instant(&calendar, from, working_minutes(amount), MonthRule::SameDay, &pauses).unwrap();
        prop_assert_eq!(open_time(&calendar, from, due, &pauses), TimeDelta::minutes(amount));
    }

    #[test]
    fn a_warning_lies_in_open_time_and_before_the_breach(
        calendar in calendars(), budget in budgets(), rule in rules(), from in starts(), offsets in offsets(),
        percent in 1u8..=100,
    ) {
        let pauses = pauses(from, &offsets);
        let due = due_instant(&calendar, from, budget, rule, &pauses).unwrap();
        let warned = warning(&calendar, from, due, percent, &pauses).unwrap();
        prop_assert!(from <= warned && warned <= due);
        prop_assert!(warning(&calendar, from, due, percent - 1, &pauses).unwrap() <= warned);
        let total = open_time(&calendar, from, due, &pauses);
        let spent = open_time(&calendar, from, warned, &pauses);
        prop_assert!(spent * 100 >= total * i32::from(percent));
        prop_assert!((spent - TimeDelta::microseconds(1)) * 100 < total * i32::from(percent) || spent.is_zero());
        if !total.is_zero() {
            let just_before = warned - TimeDelta::microseconds(1);
            prop_assert!(calendar.is_open_at(just_before) && !pauses.iter().any(|p| p.contains(just_before)));
        }
    }

    #[test]
    fn the_explanation_comes_to_the_same_instant(
        calendar in calendars(), budget in budgets(), rule in rules(), from in starts(), offsets in offsets(),
    ) {
        let pauses = pauses(from, &offsets);
        let due = due(&calendar, from, budget, rule, &pauses).unwrap();
        prop_assert_eq!(Ok(due.at), due_instant(&calendar, from, budget, rule, &pauses));
        prop_assert_eq!(due.explanation.due, due.at);
        if budget.unit() == Unit::WorkingDays {
            prop_assert_eq!(due.explanation.counted_total, budget.amount().max(1));
            if let Some(last) = due.explanation.counted.last().filter(|_| budget.amount() < 31) {
                prop_assert_eq!(calendar.closing_of(*last), Some(due.at));
            }
        }
        let stored = serde_json::to_value(&due).unwrap();
        prop_assert_eq!(serde_json::from_value::<guichet_rules::commitment::Due>(stored).unwrap(), due);
    }

    #[test]
    fn a_clock_that_stands_has_no_due_instant_unless_it_came_before(
        calendar in calendars(), budget in budgets(), rule in rules(), from in starts(), offsets in offsets(),
        stops in -10_000i64..4_000_000,
    ) {
        let stops = from + seconds(stops);
        let mut pauses = pauses(from, &offsets);
        let before = due_instant(&calendar, from, budget, rule, &pauses).unwrap();
        pauses.push(Pause::open(stops));
        match due_instant(&calendar, from, budget, rule, &pauses) {
            Ok(at) => prop_assert!(at == before && (at <= stops || budget.amount() == 0)),
            Err(NoDue::Paused { since }) => prop_assert!(since <= stops.max(from) && stops <= before),
            Err(NoDue::OutOfRange) => prop_assert!(false, "out of range"),
        }
    }

    #[test]
    fn a_budget_reads_back_as_it_is_written(budget in budgets()) {
        prop_assert_eq!(budget.to_string().parse::<Budget>(), Ok(budget));
        let stored = serde_json::to_value(budget).unwrap();
        prop_assert_eq!(serde_json::from_value::<Budget>(stored).unwrap(), budget);
    }
}
