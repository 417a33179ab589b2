//! Mistakes that other systems made, each as a test: helpdesks (GLPI, Zammad), business-time libraries (biz,
//! business_time, jmix), and the procedures platform of the French State.

use chrono::TimeDelta;
use guichet_rules::commitment::{NoDue, Pause, open_time, warning};

use crate::support::{at, budget, calendar, due_at, minutes, shown, try_due, utc, written};

/// GLPI #10594: paused from Friday to Monday, the whole weekend was credited.
#[test]
fn a_weekend_in_a_pause_is_not_credited() {
    let mairie = calendar("mairie");
    let pause = [("2026-06-05 16:00", "2026-06-08 10:00")];
    // Friday's last hour and Monday's first: two open hours, not sixty-six.
    assert_eq!(due_at(&mairie, "2026-06-05 15:00", "2 working hours", &[]), "2026-06-05 17:00");
    assert_eq!(due_at(&mairie, "2026-06-05 15:00", "2 working hours", &pause), "2026-06-08 11:00");
    // In days, only Friday's closing fell in the pause.
    assert_eq!(due_at(&mairie, "2026-06-04 15:00", "2 working days", &pause), "2026-06-09 17:00");
    assert_eq!(due_at(&mairie, "2026-06-05 15:00", "2 working days", &pause), "2026-06-09 17:00");
}

/// GLPI #6902, #15605: a new commitment during or after a pause forgot the pause.
#[test]
fn a_pause_counts_under_the_new_budget_as_under_the_old() {
    let mairie = calendar("mairie");
    let pause = [("2026-06-02 09:00", "2026-06-03 09:00")];
    assert_eq!(due_at(&mairie, "2026-06-01 10:00", "8 working hours", &pause), "2026-06-03 10:00");
    assert_eq!(due_at(&mairie, "2026-06-01 10:00", "16 working hours", &pause), "2026-06-04 10:00");
    assert_eq!(due_at(&mairie, "2026-06-01 10:00", "2 working days", &pause), "2026-06-04 17:00");
    let standing = [Pause::open(at(&mairie, "2026-06-02 09:00"))];
    for within in ["8 working hours", "2 working days", "3 days", "1 month"] {
        let due = try_due(&mairie, at(&mairie, "2026-06-01 10:00"), within, &standing);
        assert_eq!(due, Err(NoDue::Paused { since: standing[0].from }), "{within}");
    }
}

/// GLPI #24481: shown as broken while it was paused.
#[test]
fn a_paused_clock_is_not_late() {
    let mairie = calendar("mairie");
    let from = at(&mairie, "2026-06-01 10:00");
    let due = |pauses: &[Pause]| try_due(&mairie, from, "2 working days", pauses);
    let paused = at(&mairie, "2026-06-03 16:59");
    assert_eq!(due(&[Pause::open(paused)]), Err(NoDue::Paused { since: paused }));
    // Once it was due, a pause changes nothing any more; one that begins at the very closing still does.
    assert_eq!(due(&[Pause::open(at(&mairie, "2026-06-03 17:01"))]), Ok(at(&mairie, "2026-06-03 17:00")));
    assert!(due(&[Pause::open(at(&mairie, "2026-06-03 17:00"))]).is_err());
}

/// GLPI #22678, #15357, #15429: a warning some hours before the due date crossed closing time and fired at midnight.
#[test]
fn a_warning_never_falls_in_the_night() {
    let mairie = calendar("mairie");
    let from = at(&mairie, "2026-06-01 16:00");
    let due = try_due(&mairie, from, "4 working hours", &[]).unwrap();
    assert_eq!(shown(&mairie, due), "2026-06-02 12:00");
    let warned = |percent| shown(&mairie, warning(&mairie, from, due, percent, &[]).unwrap());
    assert_eq!(warned(0), "2026-06-01 16:00");
    assert_eq!(warned(25), "2026-06-01 17:00");
    assert_eq!(warned(26), "2026-06-02 09:02");
    assert_eq!(warned(75), "2026-06-02 11:00");
    assert_eq!(warned(100), "2026-06-02 12:00");
    // Of two calendar months, half the open time: in open hours too.
    let due = try_due(&mairie, from, "2 months", &[]).unwrap();
    assert!(mairie.is_open_at(warning(&mairie, from, due, 50, &[]).unwrap() - minutes(1)));
    // A pause moves the warning as it moves the due date.
    let pauses = [Pause::new(at(&mairie, "2026-06-01 16:30"), at(&mairie, "2026-06-02 09:30"))];
    let due = try_due(&mairie, from, "4 working hours", &pauses).unwrap();
    assert_eq!(shown(&mairie, due), "2026-06-02 13:00");
    assert_eq!(shown(&mairie, warning(&mairie, from, due, 50, &pauses).unwrap()), "2026-06-02 11:00");
}

/// jmix #790: "1 day" became 24 business hours, three days.
#[test]
fn a_day_is_not_twenty_four_open_hours() {
    let mairie = calendar("mairie");
    assert_eq!(due_at(&mairie, "2026-06-01 10:00", "1 day", &[]), "2026-06-03 00:00");
    assert_eq!(due_at(&mairie, "2026-06-01 10:00", "1 working day", &[]), "2026-06-02 17:00");
    assert_eq!(due_at(&mairie, "2026-06-01 10:00", "24 hours", &[]), "2026-06-02 10:00");
    assert_eq!(due_at(&mairie, "2026-06-01 10:00", "24 working hours", &[]), "2026-06-04 10:00");
}

/// Days of 86,400 seconds counted 25 October 2026 twice and skipped 29 March.
#[test]
fn days_across_a_change_of_clock_are_dates() {
    let astreinte = calendar("astreinte");
    for (from, within, due) in [
        ("2026-10-25 00:30", "1 working day", "2026-10-27 00:00"),
        ("2026-10-24 23:30", "1 working day", "2026-10-26 00:00"),
        ("2026-03-28 23:30", "1 working day", "2026-03-30 00:00"),
        ("2026-03-28 23:30", "1 day", "2026-03-30 00:00"),
        ("2026-10-24 12:00", "1 day", "2026-10-26 00:00"),
        // The 25th had 25 hours and the 29th of March 23.
        ("2026-10-25 00:00", "25 working hours", "2026-10-26 00:00"),
        ("2026-10-25 00:00", "24 hours", "2026-10-25 23:00"),
        ("2026-03-29 00:00", "23 working hours", "2026-03-30 00:00"),
        ("2026-03-29 00:00", "24 hours", "2026-03-30 01:00"),
    ] {
        assert_eq!(due_at(&astreinte, from, within, &[]), due, "{from} + {within}");
    }
}

/// A pause on the autumn night ended "before" it began.
#[test]
fn a_pause_on_the_autumn_night_has_its_length() {
    let astreinte = calendar("astreinte");
    // From 02:50 summer time to 02:10 winter time: twenty minutes.
    let pause = Pause::new(utc("2026-10-25T00:50:00Z"), utc("2026-10-25T01:10:00Z"));
    let from = utc("2026-10-25T00:00:00Z");
    let due = |pauses: &[Pause]| try_due(&astreinte, from, "2 working hours", pauses).unwrap();
    assert_eq!(due(&[pause]) - due(&[]), minutes(20));
}

/// A yearly closure from 24 December to 2 January was never true: its end came before its start.
#[test]
fn a_closure_across_new_year_closes_both_years() {
    let calendar = written(
        "{ calendar: x, zone: Europe/Paris, holidays: none, hours: { mon: ['09:00-17:00'], tue: ['09:00-17:00'],
           wed: ['09:00-17:00'], thu: ['09:00-17:00'], fri: ['09:00-17:00'] },
           closures: [ { from: 2026-12-24, until: 2027-01-02 } ] }",
    );
    assert_eq!(due_at(&calendar, "2026-12-23 10:00", "1 working day", &[]), "2027-01-04 17:00");
}

/// business_time #174, #136, #149, #179: zero days from a Saturday went back to Friday, and Sunday + n came after
/// Monday + n.
#[test]
fn nothing_goes_back_in_time_from_a_weekend() {
    let mairie = calendar("mairie");
    let due = |from: &str, within: &str| due_at(&mairie, from, within, &[]);
    assert_eq!(due("2026-06-05 16:59", "0 working days"), "2026-06-05 17:00");
    assert_eq!(due("2026-06-05 17:00", "0 working days"), "2026-06-08 17:00");
    assert_eq!(due("2026-06-06 10:00", "0 working days"), "2026-06-08 17:00");
    assert_eq!(due("2026-06-07 10:00", "0 working days"), "2026-06-08 17:00");
    assert_eq!(due("2026-06-08 10:00", "0 working days"), "2026-06-08 17:00");
    assert_eq!(due("2026-06-07 10:00", "3 working days"), "2026-06-10 17:00");
    assert_eq!(due("2026-06-08 10:00", "3 working days"), "2026-06-11 17:00");
}

/// Zammad #188: closed and reopened several times, only one kind of pause was counted. Pauses of any reason add up.
#[test]
fn every_pause_counts_however_often_it_was_reopened() {
    let mairie = calendar("mairie");
    let pauses = [
        ("2026-06-01 11:00", "2026-06-01 12:00"),
        ("2026-06-01 13:00", "2026-06-01 14:00"),
        ("2026-06-01 14:00", "2026-06-01 15:00"),
        ("2026-06-02 08:00", "2026-06-02 10:00"),
    ];
    assert_eq!(due_at(&mairie, "2026-06-01 10:00", "6 working hours", &pauses), "2026-06-02 12:00");
}

/// Zammad cut seconds off (a pause of 40 seconds was empty) and lost the second of two pauses in one minute.
#[test]
fn seconds_and_two_pauses_in_a_minute_count() {
    let mairie = calendar("mairie");
    let from = utc("2026-06-01T08:00:00Z");
    let second = |n| from + TimeDelta::seconds(n);
    let pauses = [Pause::new(second(1), second(11)), Pause::new(second(20), second(50))];
    let due = |pauses: &[Pause]| try_due(&mairie, from, "1 working hour", pauses).unwrap();
    assert_eq!(due(&pauses) - due(&[]), TimeDelta::seconds(40));
}

/// GLPI #687: created outside opening hours, nothing ever elapsed. jBPM #1830, #1342: timers set before or after hours.
#[test]
fn a_start_outside_opening_hours_counts_from_the_opening() {
    let mairie = calendar("mairie");
    let spent = |from: &str, until: &str| open_time(&mairie, at(&mairie, from), at(&mairie, until), &[]);
    assert_eq!(spent("2026-06-06 22:00", "2026-06-08 10:30"), minutes(90));
    assert_eq!(spent("2026-06-08 03:00", "2026-06-08 08:00"), minutes(0));
    assert_eq!(due_at(&mairie, "2026-06-08 05:00", "1 working hour", &[]), "2026-06-08 10:00");
    assert_eq!(due_at(&mairie, "2026-06-08 17:00", "1 working hour", &[]), "2026-06-09 10:00");
    assert_eq!(due_at(&mairie, "2026-06-08 22:00", "1 working hour", &[]), "2026-06-09 10:00");
    // GLPI, by days: filed before the opening, it was due before the opening.
    assert_eq!(due_at(&mairie, "2026-06-08 05:00", "1 working day", &[]), "2026-06-09 17:00");
    assert_eq!(
        open_time(&mairie, at(&mairie, "2026-06-09 10:00"), at(&mairie, "2026-06-08 10:00"), &[]),
        minutes(0)
    );
}

/// pm4py #558, jBPM #233, business_time #175, Signalen: holidays accepted but not applied.
#[test]
fn holidays_count_in_hours_as_in_days() {
    let mairie = calendar("mairie");
    assert_eq!(due_at(&mairie, "2026-05-07 16:00", "2 working hours", &[]), "2026-05-11 10:00");
    assert_eq!(due_at(&mairie, "2026-05-07 16:00", "1 working day", &[]), "2026-05-11 17:00");
}

/// biz #138, #73: which day does midnight belong to?
#[test]
fn midnight_belongs_to_the_day_that_begins() {
    let mairie = calendar("mairie");
    assert_eq!(due_at(&mairie, "2026-06-02 00:00", "1 working day", &[]), "2026-06-03 17:00");
    assert_eq!(due_at(&mairie, "2026-06-01 23:59", "1 working day", &[]), "2026-06-02 17:00");
    assert_eq!(due_at(&mairie, "2026-06-02 00:00", "1 day", &[]), "2026-06-04 00:00");
    assert_eq!(due_at(&mairie, "2026-06-01 23:59", "1 day", &[]), "2026-06-03 00:00");
    // The day is the calendar's, not that of UTC: in Réunion it is already the 2nd.
    let reunion = calendar("la-reunion");
    let due = try_due(&reunion, utc("2026-06-01T20:30:00Z"), "1 working day", &[]).unwrap();
    assert_eq!(due, utc("2026-06-03T11:30:00Z"));
}

/// Reached exactly at a closing, it is that closing, and not the next opening.
#[test]
fn a_budget_spent_at_closing_time_is_due_at_closing_time() {
    let samedi = calendar("guichet-samedi");
    assert_eq!(due_at(&samedi, "2026-06-01 11:00", "1 working hour", &[]), "2026-06-01 12:00");
    assert_eq!(due_at(&samedi, "2026-06-01 12:00", "4 working hours", &[]), "2026-06-01 17:30");
    assert_eq!(due_at(&samedi, "2026-06-01 13:00", "4 working hours", &[]), "2026-06-01 17:30");
    assert_eq!(due_at(&samedi, "2026-06-06 11:00", "1 working hour", &[]), "2026-06-06 12:00");
}

/// A pause holds its first instant and not its last: a closing or a midnight at its end counts, one at its start does
/// not.
#[test]
fn a_pause_holds_its_first_instant_and_not_its_last() {
    let mairie = calendar("mairie");
    let due =
        |within: &str, from: &str, until: &str| due_at(&mairie, "2026-06-01 10:00", within, &[(from, until)]);
    assert_eq!(due("1 working day", "2026-06-02 09:00", "2026-06-02 17:00"), "2026-06-02 17:00");
    assert_eq!(due("1 working day", "2026-06-02 17:00", "2026-06-02 17:01"), "2026-06-03 17:00");
    assert_eq!(due("1 day", "2026-06-02 09:00", "2026-06-03 00:00"), "2026-06-03 00:00");
    assert_eq!(due("1 day", "2026-06-03 00:00", "2026-06-03 00:01"), "2026-06-04 00:00");
    assert_eq!(due("1 working hour", "2026-06-01 11:00", "2026-06-01 12:00"), "2026-06-01 11:00");
    assert_eq!(due("1 hour", "2026-06-01 11:00", "2026-06-01 12:00"), "2026-06-01 11:00");
}

/// A share of open time that is no whole number of microseconds has been reached at the next one, not before.
#[test]
fn a_warning_is_rounded_up() {
    let mairie = calendar("mairie");
    let from = at(&mairie, "2026-06-01 10:00");
    let due = from + TimeDelta::microseconds(101);
    let warned = warning(&mairie, from, due, 50, &[]).unwrap();
    assert_eq!(warned - from, TimeDelta::microseconds(51));
}

/// GLPI #11660: monthly dates drifted with the length of the months. GLPI #22306: invalid dates crashed.
#[test]
fn months_do_not_drift() {
    let mairie = calendar("mairie");
    let due = |within: &str| due_at(&mairie, "2026-01-31 10:00", within, &[]);
    assert_eq!(due("1 month"), "2026-03-01 00:00");
    assert_eq!(due("2 months"), "2026-04-01 00:00");
    assert_eq!(due("3 months"), "2026-05-01 00:00");
    assert_eq!(due("12 months"), due("1 year"));
    assert_eq!(due("13 months"), "2027-03-01 00:00");
}

/// DN #10862, #11494: finished and unfinished corrections together crashed the date.
#[test]
fn finished_and_unfinished_pauses_go_together() {
    let mairie = calendar("mairie");
    let from = at(&mairie, "2026-06-01 10:00");
    let finished = Pause::new(at(&mairie, "2026-06-02 10:00"), at(&mairie, "2026-06-04 10:00"));
    let standing = Pause::open(at(&mairie, "2026-06-03 10:00"));
    let due = try_due(&mairie, from, "2 months", &[standing, finished]);
    // The two overlap, so the clock has been standing since the first of them.
    assert_eq!(due, Err(NoDue::Paused { since: finished.from }));
}

/// Paused days move the end of the months on, as they do for days; but no request is due later than one that came
/// after it, though several days of start lead to the same month's end.
#[test]
fn months_and_pauses_at_the_end_of_a_month() {
    let mairie = calendar("mairie");
    let due = |from: &str, within: &str, pause| due_at(&mairie, from, within, &[pause]);
    let night = ("2026-01-30 20:00", "2026-01-31 08:00");
    assert_eq!(due("2026-01-29 10:00", "1 month", night), "2026-03-01 00:00");
    assert_eq!(due("2026-01-31 10:00", "1 month", night), "2026-03-01 00:00");
    let week = ("2026-02-09 09:00", "2026-02-16 09:00");
    for from in ["2026-01-28 10:00", "2026-01-30 10:00", "2026-01-31 10:00"] {
        assert_eq!(due(from, "1 month", week), "2026-03-08 00:00", "{from}");
    }
    assert_eq!(due("2026-01-27 10:00", "1 month", week), "2026-03-07 00:00");
    // Found by a property: seventeen paused days after the 12th of December may not lead past what a request of the
    // 31st, never paused, leads to.
    let advent = ("2029-12-13 00:12", "2029-12-29 23:00");
    assert_eq!(due("2029-12-12 07:42", "2 months", advent), "2030-03-01 00:00");
    assert_eq!(due("2029-12-12 07:42", "3 months", advent), "2030-03-29 00:00");
    assert_eq!(due("2029-12-28 07:42", "2 months", advent), "2030-03-01 00:00");
}

#[test]
fn budgets_are_read_in_all_their_spellings() {
    for (text, written) in [
        ("2 working days", "2 working days"),
        ("1 working day", "1 working day"),
        ("1 working days", "1 working day"),
        (" 3   working hour ", "3 working hours"),
        ("90 working_minutes", "90 working minutes"),
        ("0 days", "0 days"),
        ("2 months", "2 months"),
        ("1 years", "1 year"),
        ("45 minutes", "45 minutes"),
    ] {
        assert_eq!(budget(text).to_string(), written);
    }
    for wrong in
        ["", "2", "two days", "-1 days", "+1 days", "1.5 hours", "2days", "2 weeks", "2 jours", "2 working"]
    {
        assert!(wrong.parse::<guichet_rules::commitment::Budget>().is_err(), "{wrong}");
    }
}
