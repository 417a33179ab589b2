//! Instants as headers hold them. Reading them is a fifth of what folding a journal costs, so the one form that is written is read without
//! the general reader; anything else still meets that.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::Deserialize;

/// `2026-11-22T08:30:00.000000Z`: UTC, to the microsecond (RFC 3339).
pub(crate) fn written(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Reads an instant in any form of RFC 3339.
pub(crate) fn read(text: &str) -> Option<DateTime<Utc>> {
    as_written(text.as_bytes()).or_else(|| text.parse().ok())
}

/// The same, for serde.
pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<DateTime<Utc>, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    read(&text).ok_or_else(|| serde::de::Error::custom("not an instant in the form of RFC 3339"))
}

/// None when it is not exactly the form that is written.
fn as_written(text: &[u8]) -> Option<DateTime<Utc>> {
    let (date, rest) = text.split_at_checked(10)?;
    let (time, rest) = rest.split_first_chunk::<16>()?;
    let ([b'T', hour @ .., b':', _, _, b':', _, _, b'.', _, _, _, _, _, _], b"Z") = (time, rest) else {
        return None;
    };
    let [year @ .., b'-', _, _, b'-', _, _] = date else { return None };
    let part = |from: &[u8], at: usize, length: usize| number(from.get(at..at + length)?);
    let day =
        NaiveDate::from_ymd_opt(i32::try_from(number(year)?).ok()?, part(date, 5, 2)?, part(date, 8, 2)?)?;
    let clock =
        day.and_hms_micro_opt(number(hour)?, part(time, 4, 2)?, part(time, 7, 2)?, part(time, 10, 6)?)?;
    Some(clock.and_utc())
}

fn number(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |sum: u32, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Years 0 to 9999, as headers may hold them.
        #[test]
        fn what_is_written_is_read_back_without_the_general_reader(micros in -62_167_219_200_000_000_i64..253_402_300_800_000_000) {
            let instant = DateTime::from_timestamp_micros(micros).unwrap();
            let text = written(instant);
            prop_assert_eq!(as_written(text.as_bytes()), Some(instant));
            prop_assert_eq!(text.parse::<DateTime<Utc>>().ok(), Some(instant));
        }

        #[test]
        fn one_wrong_letter_is_read_as_the_general_reader_reads_it(at in 0_usize..27, letter in 0_u8..128) {
            let mut text = b"2024-02-29T23:59:59.123456Z".to_vec();
            text[at] = letter;
            let text = String::from_utf8(text).unwrap();
            let general = text.parse::<DateTime<Utc>>().ok();
            if let Some(instant) = as_written(text.as_bytes()) {
                prop_assert_eq!(Some(instant), general);
            }
            prop_assert_eq!(read(&text), general);
        }
    }

    #[test]
    fn other_forms_are_read_too() {
        let same = read("2026-11-22T08:30:00.000000Z");
        assert!(same.is_some());
        for text in ["2026-11-22T08:30:00Z", "2026-11-22T09:30:00+01:00", "2026-11-22t08:30:00.000z"] {
            assert_eq!(read(text), same, "{text}");
        }
        for text in ["", "2026-11-22", "2026-13-22T08:30:00.000000Z", "2026-11-22T24:30:00.000000Z"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
