//! Dates and times as people write them, in French and in English.

use chrono::{DateTime, TimeZone, Timelike, Utc};
use guichet_engine::rules::text::{Language, date_in_words};

/// The date of an instant in a zone: `1er mai 2026`, `1 May 2026`.
pub fn date<Z: TimeZone>(at: DateTime<Utc>, zone: &Z, language: Language) -> String {
    // A term that ends a date at 24:00 is that date's, not the next one's.
    let local = last_moment(at).with_timezone(zone);
    date_in_words(local.date_naive(), language)
}

/// The time of an instant in a zone: `17 h 05`, `17:05`.
pub fn time<Z: TimeZone>(at: DateTime<Utc>, zone: &Z, language: Language) -> String {
    let local = at.with_timezone(zone);
    match language {
        Language::Fr if local.minute() == 0 => format!("{} h", local.hour()),
        Language::Fr => format!("{} h {:02}", local.hour(), local.minute()),
        Language::En => format!("{:02}:{:02}", local.hour(), local.minute()),
    }
}

/// Date and time: `3 novembre 2026 à 17 h`, `3 November 2026 at 17:00`.
pub fn date_time<Z: TimeZone>(at: DateTime<Utc>, zone: &Z, language: Language) -> String {
    let joint = match language {
        Language::Fr => "à",
        Language::En => "at",
    };
    let local = at.with_timezone(zone);
    let midnight = (local.hour(), local.minute(), local.second()) == (0, 0, 0);
    if midnight {
        return date(at, zone, language);
    }
    format!("{} {joint} {}", date(at, zone, language), time(at, zone, language))
}

fn last_moment(at: DateTime<Utc>) -> DateTime<Utc> {
    at.checked_sub_signed(chrono::TimeDelta::microseconds(1)).unwrap_or(at)
}

/// An amount in cents, as people write it.
#[must_use]
pub fn euros(cents: u64, language: Language) -> String {
    let (whole, part) = (cents / 100, cents % 100);
    match language {
        Language::Fr => format!("{whole},{part:02}\u{a0}€"),
        Language::En => format!("€{whole}.{part:02}"),
    }
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;

    use super::*;

    fn paris() -> FixedOffset {
        FixedOffset::east_opt(3600).unwrap()
    }

    #[test]
    fn dates_read_as_people_write_them() {
        let at = "2026-11-03T16:00:00Z".parse().unwrap();
        assert_eq!(date_time(at, &paris(), Language::Fr), "3 novembre 2026 à 17 h");
        assert_eq!(date_time(at, &paris(), Language::En), "3 November 2026 at 17:00");
        let first = "2026-05-01T10:05:00Z".parse().unwrap();
        assert_eq!(date_time(first, &paris(), Language::Fr), "1er mai 2026 à 11 h 05");
    }

    #[test]
    fn a_term_at_the_end_of_a_date_is_that_dates() {
        let end = "2026-11-03T23:00:00Z".parse().unwrap();
        assert_eq!(date(end, &paris(), Language::Fr), "3 novembre 2026");
        assert_eq!(date_time(end, &paris(), Language::Fr), "3 novembre 2026");
    }
}
