//! Calendars: holidays, zones, closures, openings, and what is refused.

use chrono::{Datelike, NaiveDate};
use guichet_rules::calendar::{
    Calendar, CalendarError, CalendarSheet, DayStatus, Holiday, HolidaySet, easter_sunday,
};

use crate::support::{NAMES, at, calendar, due_at, sheet, shown, written};

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn days(set: HolidaySet, year: i32) -> Vec<String> {
    let mut days: Vec<String> = set.of_year(year).iter().map(|(date, _)| date.to_string()).collect();
    days.dedup();
    days
}

/// Dates of Easter from the tables of the Bureau international des poids et mesures and of almanacs, the extremes
/// (22 March, 25 April) among them.
#[test]
fn easter_is_computed() {
    for text in [
        "1818-03-22",
        "1900-04-15",
        "1943-04-25",
        "1954-04-18",
        "1981-04-19",
        "2000-04-23",
        "2008-03-23",
        "2011-04-24",
        "2024-03-31",
        "2025-04-20",
        "2026-04-05",
        "2027-03-28",
        "2028-04-16",
        "2029-04-01",
        "2030-04-21",
        "2038-04-25",
        "2049-04-18",
        "2285-03-22",
    ] {
        assert_eq!(easter_sunday(date(text).year()), Some(date(text)));
    }
    for year in 1583..3000 {
        let easter = easter_sunday(year).unwrap();
        assert_eq!(easter.weekday(), chrono::Weekday::Sun);
        assert!((3, 22) <= (easter.month(), easter.day()) && (easter.month(), easter.day()) <= (4, 25));
    }
    assert_eq!(easter_sunday(1500), None);
}

#[test]
fn the_eleven_holidays_of_2026() {
    let expected = [
        "2026-01-01",
        "2026-04-06",
        "2026-05-01",
        "2026-05-08",
        "2026-05-14",
        "2026-05-25",
        "2026-07-14",
        "2026-08-15",
        "2026-11-01",
        "2026-11-11",
        "2026-12-25",
    ];
    assert_eq!(days(HolidaySet::France, 2026), expected);
}

#[test]
fn each_territory_has_its_own() {
    let own = |set| {
        let france = days(HolidaySet::France, 2026);
        days(set, 2026).into_iter().filter(|day| !france.contains(day)).collect::<Vec<_>>()
    };
    assert_eq!(own(HolidaySet::AlsaceMoselle), ["2026-04-03", "2026-12-26"]);
    assert_eq!(own(HolidaySet::Mayotte), ["2026-04-27"]);
    assert_eq!(own(HolidaySet::Martinique), ["2026-05-22"]);
    assert_eq!(own(HolidaySet::Guadeloupe), ["2026-05-27"]);
    assert_eq!(own(HolidaySet::Guyane), ["2026-06-10"]);
    assert_eq!(own(HolidaySet::Reunion), ["2026-12-20"]);
    assert!(HolidaySet::None.of_year(2026).is_empty());
    for set in HolidaySet::ALL {
        assert_eq!(HolidaySet::from_name(set.name()), Some(set));
    }
}

/// 1 May 2008 was Labour Day and Ascension Day: one day off, two names.
#[test]
fn two_holidays_on_one_date_are_one() {
    assert_eq!(days(HolidaySet::France, 2008).len(), 10);
    let mairie = calendar("mairie");
    assert_eq!(due_at(&mairie, "2008-04-30 10:00", "1 working day", &[]), "2008-05-02 17:00");
    let names: Vec<Holiday> = mairie
        .holidays_of(2008)
        .into_iter()
        .filter(|(day, _)| *day == date("2008-05-01"))
        .map(|(_, holiday)| holiday)
        .collect();
    assert_eq!(names, [Holiday::LabourDay, Holiday::Ascension]);
}

/// A local time that does not exist moves forward by the gap; of two equal ones an opening takes the first and a
/// closing the second.
#[test]
fn opening_hours_across_a_change_of_clock() {
    let night = |hours: &str| {
        written(&format!(
            "{{ calendar: nuit, zone: Europe/Paris, holidays: none, hours: {{ sun: [{hours}] }} }}"
        ))
    };
    let spans = |hours: &str, day: &str| -> Vec<(String, String)> {
        let spans = night(hours).open_spans(date(day));
        let utc = |at: chrono::DateTime<chrono::Utc>| at.format("%H:%M").to_string();
        spans.iter().map(|span| (utc(span.opens), utc(span.closes))).collect()
    };
    let pair = |a: &str, b: &str| vec![(a.to_owned(), b.to_owned())];
    // Spring: 02:00 to 03:00 does not exist, and 03:00 is 01:00 UTC.
    assert_eq!(spans("'02:15-02:45'", "2026-03-29"), pair("01:15", "01:45"));
    assert_eq!(spans("'01:30-02:30'", "2026-03-29"), pair("00:30", "01:30"));
    assert_eq!(spans("'01:00-04:00'", "2026-03-29"), pair("00:00", "02:00"));
    // What would end before it starts is no open time.
    assert_eq!(spans("'02:30-03:15'", "2026-03-29"), []);
    assert!(!night("'02:30-03:15'").is_open_on(date("2026-03-29")));
    // Autumn: 02:00 to 03:00 comes twice, at 00:00 and at 01:00 UTC.
    assert_eq!(spans("'02:15-02:45'", "2026-10-25"), pair("00:15", "01:45"));
    assert_eq!(spans("'02:00-03:00'", "2026-10-25"), pair("00:00", "02:00"));
    assert_eq!(spans("'00:00-24:00'", "2026-10-25"), pair("22:00", "23:00"));
    // Two intervals that the gap lays over each other are counted once.
    let both = night("'02:15-02:45', '03:00-03:30'");
    let from = at(&both, "2026-03-29 00:00");
    let counted = guichet_rules::commitment::open_time(&both, from, at(&both, "2026-03-30 00:00"), &[]);
    assert_eq!(counted.num_minutes(), 45);
}

/// In the Azores the clock goes back from 01:00 to 00:00, so midnight itself comes twice.
#[test]
fn a_midnight_that_comes_twice_is_counted_once() {
    let hours =
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| format!("{day}: ['00:00-24:00']"));
    let calendar = written(&format!(
        "{{ calendar: x, zone: Atlantic/Azores, holidays: none, hours: {{ {} }} }}",
        hours.join(", ")
    ));
    let from = crate::support::utc("2026-10-24T12:00:00Z");
    let until = crate::support::utc("2026-10-26T12:00:00Z");
    let counted = guichet_rules::commitment::open_time(&calendar, from, until, &[]);
    assert_eq!(counted.num_hours(), 48);
    assert!(calendar.is_open_at(crate::support::utc("2026-10-25T00:30:00Z")));
}

#[test]
fn openings_win_over_holidays_and_closures_and_add_to_the_week() {
    let calendar = written(
        "{ calendar: x, zone: Europe/Paris, holidays: FR, hours: { mon: ['09:00-12:00'], sat: ['09:00-12:00'] },
           closures: [ { from: 2026-06-01, until: 2026-06-07 } , { on: 2026-06-08, why: { fr: Pont } } ],
           openings: [ { on: 2026-07-14, hours: ['10:00-11:00'] }, { on: 2026-06-06, hours: ['14:00-16:00'] },
                       { on: 2026-06-15, hours: ['11:00-14:00', '15:00-16:00'] } ] }",
    );
    let hours = |day: &str| -> Vec<String> {
        let span = |at| shown(&calendar, at).split_off(11);
        calendar
            .open_spans(date(day))
            .iter()
            .map(|s| format!("{}-{}", span(s.opens), span(s.closes)))
            .collect()
    };
    assert_eq!(hours("2026-07-14"), ["10:00-11:00"]);
    assert_eq!(hours("2026-06-06"), ["14:00-16:00"]);
    assert_eq!(hours("2026-06-15"), ["09:00-14:00", "15:00-16:00"]);
    assert_eq!(hours("2026-06-08"), [""; 0]);
    assert!(matches!(calendar.status(date("2026-06-08")), DayStatus::Closed(_)));
    assert_eq!(calendar.status(date("2026-06-09")), DayStatus::NoHours);
    assert_eq!(calendar.status(date("2026-05-25")), DayStatus::Holiday(Holiday::WhitMonday));
    assert_eq!(due_at(&calendar, "2026-05-30 10:00", "2 working days", &[]), "2026-06-13 12:00");
}

#[test]
fn overlapping_closures_are_both_closed() {
    let calendar = written(
        "{ calendar: x, zone: Europe/Paris, holidays: none, hours: { wed: ['09:00-12:00'] },
           closures: [ { from: 2026-06-01, until: 2026-06-30 }, { from: 2026-06-08, until: 2026-06-12 },
                       { from: 2026-06-20, until: 2026-07-10 } ] }",
    );
    assert_eq!(due_at(&calendar, "2026-05-30 10:00", "1 working day", &[]), "2026-07-15 12:00");
}

/// The version is that of the content: neither the order of lists nor the layout counts, everything else does.
#[test]
fn the_version_is_that_of_the_content() {
    let first = sheet("guichet-samedi");
    let mut second = first.clone();
    for intervals in second.hours.values_mut() {
        intervals.reverse();
    }
    second.hours.insert(guichet_rules::calendar::Weekday::Sun, Vec::new());
    let version = |sheet: &CalendarSheet| Calendar::compile(sheet).unwrap().version().to_owned();
    assert_eq!(version(&first), version(&second));
    assert_eq!(version(&first).len(), 64);
    second.closures[0].until = date("2026-08-15");
    assert_ne!(version(&first), version(&second));
    let versions: std::collections::BTreeSet<String> =
        NAMES.iter().map(|name| calendar(name).version().to_owned()).collect();
    assert_eq!(versions.len(), NAMES.len());
}

#[test]
fn a_sheet_reads_back_as_it_is_stored() {
    for name in NAMES {
        let stored = serde_json::to_string(&sheet(name)).unwrap();
        assert_eq!(serde_json::from_str::<CalendarSheet>(&stored).unwrap(), sheet(name));
    }
}

fn refusal(rest: &str) -> CalendarError {
    let yaml = format!("{{ calendar: x, {rest} }}");
    Calendar::compile(&serde_saphyr::from_str(&yaml).unwrap()).unwrap_err()
}

/// Zammad #1396: a calendar without hours gave error 500 on every later edit. Here it never gets in, and the message
/// says where the fault is.
#[test]
fn what_cannot_be_computed_with_is_refused_with_its_place() {
    let paris = "zone: Europe/Paris, holidays: FR";
    let monday = "hours: { mon: ['09:00-12:00'] }";
    for (rest, path, words) in [
        (format!("zone: Europe/Chalons, holidays: FR, {monday}"), "zone", "Europe/Chalons"),
        (format!("zone: Europe/Paris, holidays: fr, {monday}"), "holidays", "FR-alsace-moselle"),
        (format!("{paris}, hours: {{ mon: ['12:00-09:00'] }}"), "hours.mon.0", "ends before it starts"),
        (format!("{paris}, hours: {{ mon: ['12:00-12:00'] }}"), "hours.mon.0", "ends before it starts"),
        (format!("{paris}, hours: {{ mon: ['13:00-17:00', '08:00-13:30'] }}"), "hours.mon.0", "overlap"),
        (format!("{paris}, hours: {{}}"), "hours", "no open minute in a year"),
        (
            format!("{paris}, hours: {{}}, openings: [ {{ on: 2026-09-05, hours: ['09:00-12:00'] }} ]"),
            "hours",
            "no open minute in a year",
        ),
        (
            format!("{paris}, {monday}, closures: [ {{ from: 2026-12-20, until: 2027-12-31 }} ]"),
            "closures",
            "no open minute in 2027",
        ),
        (
            format!("{paris}, {monday}, closures: [ {{ from: 2026-12-31, until: 2026-12-24 }} ]"),
            "closures.0",
            "ends before it starts",
        ),
        (
            format!("{paris}, {monday}, closures: [ {{ from: 2026-12-31, until: 9999-12-24 }} ]"),
            "closures.0.until",
            "1900 to 2600",
        ),
        (
            format!("{paris}, {monday}, openings: [ {{ on: 2026-09-05, hours: ['12:00-09:00'] }} ]"),
            "openings.0.hours.0",
            "ends before it starts",
        ),
    ] {
        let error = refusal(&rest);
        assert_eq!(error.path().join("."), path, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn an_interval_is_two_times_of_day() {
    for good in ["00:00-24:00", "09:00-17:00", "09:00 - 17:00", "23:59-24:00"] {
        assert!(good.parse::<guichet_rules::calendar::Interval>().is_ok(), "{good}");
    }
    for wrong in [
        "",
        "9:00-17:00",
        "09:00",
        "09:00-24:01",
        "09:60-10:00",
        "25:00-26:00",
        "+9:00-17:00",
        "09:00-17:00-18:00",
    ] {
        assert!(wrong.parse::<guichet_rules::calendar::Interval>().is_err(), "{wrong}");
    }
    // Zammad meant 24:00 by 23:59, and lost a minute a day.
    let calendar = calendar("astreinte");
    assert_eq!(due_at(&calendar, "2026-06-01 00:00", "48 working hours", &[]), "2026-06-03 00:00");
}

/// A year kept open by one extra opening is open in that year.
#[test]
fn one_open_minute_a_year_is_enough() {
    let calendar = written(
        "{ calendar: x, zone: Europe/Paris, holidays: FR, hours: { mon: ['09:00-09:01'] },
           closures: [ { from: 2027-01-01, until: 2027-12-31 } ],
           openings: [ { on: 2027-06-12, hours: ['23:59-24:00'] } ] }",
    );
    assert_eq!(due_at(&calendar, "2026-12-28 10:00", "1 working day", &[]), "2027-06-13 00:00");
    assert_eq!(due_at(&calendar, "2026-12-28 10:00", "2 working minutes", &[]), "2028-01-03 09:01");
}
