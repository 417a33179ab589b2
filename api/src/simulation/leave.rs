//! Leave and illness: the dates on which someone is not there.

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate};

use super::dice::Dice;
use super::ground::{Ground, instant};

/// The dates on which one person is away, for every year of the period: some weeks of the summer, some of the rest of
/// the year, single days of illness.
pub(super) fn away(ground: &Ground, dice: &mut Dice) -> BTreeSet<NaiveDate> {
    let first = ground.calendar.local_date(instant(ground.begin));
    let mut dates = BTreeSet::new();
    // Work that is begun before the end may be finished in the year after.
    for year in first.year()..=ground.period.until.year() + 1 {
        year_of(ground, dice, year, &mut dates);
    }
    dates
}

fn year_of(ground: &Ground, dice: &mut Dice, year: i32, dates: &mut BTreeSet<NaiveDate>) {
    let staff = &ground.assumed.staff;
    let Some(monday) = NaiveDate::from_isoywd_opt(year, 1, chrono::Weekday::Mon) else { return };
    let mut week = |number: i64| {
        let start = u64::try_from(number * 7).ok().and_then(|days| monday.checked_add_days(Days::new(days)));
        dates.extend(start.into_iter().flat_map(|start| start.iter_days().take(7)));
    };
    // July and August are the weeks 27 to 35; the summer's weeks are taken together.
    let summer = i64::from(staff.summer_weeks).min(9);
    let start = dice.between(26, 35 - summer);
    (0..summer).for_each(|number| week(start + number));
    // Of the rest, one week in three is at the end of the year.
    for _ in 0..staff.other_weeks.min(43) {
        let number = match dice.below(3) {
            0 => dice.between(50, 51),
            _ => dice.between(0, 42),
        };
        week(if (26..35).contains(&number) { number + 9 } else { number });
    }
    for _ in 0..staff.sick_days {
        let day = u64::try_from(dice.between(0, 363)).unwrap_or_default();
        dates.extend(monday.checked_add_days(Days::new(day)));
    }
}
