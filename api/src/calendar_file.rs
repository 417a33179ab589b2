//! Calendar files (iCalendar, RFC 5545): one appointment, for the calendar of whoever asks.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use guichet_engine::Known;
use guichet_engine::rules::request::AppointmentStatus;
use guichet_engine::rules::text::Language;

/// The longest line, in bytes without its end (RFC 5545, section 3.1).
const LINE_BYTES_MAX: usize = 75;

/// What becomes of the entry in the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryStatus {
    /// It takes place.
    Confirmed,
    /// It does not.
    Cancelled,
}

/// An entry of a calendar. Instants are in UTC, which every calendar shows in its reader's zone.
#[derive(Debug, Clone)]
pub struct CalendarEntry<'a> {
    /// Always the same for the same appointment, so that a later file changes the entry instead of adding one.
    pub uid: &'a str,
    /// How many times it changed (RFC 5545, section 3.8.7.4).
    pub sequence: u32,
    /// What becomes of it.
    pub status: EntryStatus,
    /// When the file was made (UTC).
    pub made: DateTime<Utc>,
    /// When it begins (UTC).
    pub from: DateTime<Utc>,
    /// When it ends (UTC).
    pub until: DateTime<Utc>,
    /// One line.
    pub summary: &'a str,
    /// More, with line ends.
    pub description: &'a str,
    /// Where; nothing if empty.
    pub location: &'a str,
    /// The town hall's e-mail address, which publishing and calling off must name (RFC 5546, sections 3.2.1 and 3.2.5);
    /// left out if it has none.
    pub organizer: &'a str,
}

impl CalendarEntry<'_> {
    /// The file.
    #[must_use]
    pub fn file(&self) -> String {
        let (method, status) = match self.status {
            EntryStatus::Confirmed => ("PUBLISH", "CONFIRMED"),
            EntryStatus::Cancelled => ("CANCEL", "CANCELLED"),
        };
        let mut file = String::new();
        let mut line = |name: &str, value: &str| folded(&mut file, &format!("{name}:{value}"));
        line("BEGIN", "VCALENDAR");
        line("VERSION", "2.0");
        line("PRODID", "-//Guichet//Guichet//FR");
        line("CALSCALE", "GREGORIAN");
        line("METHOD", method);
        line("BEGIN", "VEVENT");
        line("UID", &escaped(self.uid));
        line("SEQUENCE", &self.sequence.to_string());
        line("DTSTAMP", &instant(self.made));
        line("DTSTART", &instant(self.from));
        line("DTEND", &instant(self.until));
        line("STATUS", status);
        // An address with anything else in it than an address has no place in a property.
        if self.organizer.contains('@') && self.organizer.chars().all(|c| c.is_ascii_graphic() && c != '"') {
            line("ORGANIZER", &format!("mailto:{}", self.organizer));
        }
        line("SUMMARY", &escaped(self.summary));
        for (name, text) in [("DESCRIPTION", self.description), ("LOCATION", self.location)] {
            if !text.trim().is_empty() {
                line(name, &escaped(text));
            }
        }
        line("END", "VEVENT");
        line("END", "VCALENDAR");
        file
    }
}

/// The method of a file: `PUBLISH` puts the entry into a calendar or changes it, `CANCEL` takes it out (RFC 5546).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarFile {
    /// `PUBLISH` or `CANCEL`.
    pub method: &'static str,
    /// The file.
    pub text: String,
}

/// The file of a request's last appointment, if it has a date, also of one that was called off. `subject` and `place` are
/// personal, and stand in the requester's own file only.
#[must_use]
pub fn of_appointment(
    known: &Known,
    (subject, place): (Option<&str>, Option<&str>),
    language: Language,
    made: DateTime<Utc>,
) -> Option<CalendarFile> {
    let appointment = known.request.appointment.as_ref()?;
    let slot = appointment.slot?;
    let title = known.plan.definition().title.get(language);
    let tenant = known.organisation.tenant(&known.request.tenant);
    let name = tenant.map(|tenant| tenant.name.get(language)).unwrap_or_default();
    let summary = format!("{name} – {}", subject.unwrap_or(title));
    let status = match appointment.status {
        AppointmentStatus::Cancelled => EntryStatus::Cancelled,
        AppointmentStatus::Offered
        | AppointmentStatus::Fixed
        | AppointmentStatus::Kept
        | AppointmentStatus::Missed
        | AppointmentStatus::Lapsed => EntryStatus::Confirmed,
    };
    let entry = CalendarEntry {
        uid: &format!("{}.{}@guichet", known.request.id, appointment.number),
        sequence: appointment.sequence,
        status,
        made,
        from: slot.from,
        until: slot.until,
        summary: &summary,
        description: title,
        location: place.unwrap_or_default(),
        organizer: tenant.map(|tenant| tenant.email.as_str()).unwrap_or_default(),
    };
    let method = if status == EntryStatus::Cancelled { "CANCEL" } else { "PUBLISH" };
    Some(CalendarFile { method, text: entry.file() })
}

/// A date with UTC time (section 3.3.5).
fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// A text whose separators and line ends do not end the property (section 3.3.11). Other control characters have no
/// place in a calendar.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.replace("\r\n", "\n").chars() {
        match character {
            '\\' | ';' | ',' => out.extend(['\\', character]),
            '\n' | '\r' => out.push_str("\\n"),
            '\t' => out.push(' '),
            other if other.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

/// Adds a line, folded before it grows too long, never inside a character (section 3.1).
fn folded(file: &mut String, line: &str) {
    let mut room = LINE_BYTES_MAX;
    for character in line.chars() {
        if character.len_utf8() > room {
            file.push_str("\r\n ");
            room = LINE_BYTES_MAX - 1;
        }
        // Writing into a string cannot fail.
        let _ = file.write_char(character);
        room -= character.len_utf8();
    }
    file.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry<'a>(summary: &'a str, description: &'a str) -> CalendarEntry<'a> {
        CalendarEntry {
            uid: "7f4c-1@guichet",
            sequence: 2,
            status: EntryStatus::Confirmed,
            made: "2026-11-03T09:00:00Z".parse().unwrap(),
            from: "2026-11-05T08:00:00Z".parse().unwrap(),
            until: "2026-11-05T08:30:00Z".parse().unwrap(),
            summary,
            description,
            location: "",
            organizer: "bonjour@ville.example",
        }
    }

    /// What a reader makes of a file: lines unfolded, then the texts as they were.
    fn read(file: &str, name: &str) -> Option<String> {
        let unfolded = file.replace("\r\n ", "");
        let line = unfolded.split("\r\n").find_map(|line| line.strip_prefix(&format!("{name}:")))?;
        let mut out = String::new();
        let mut characters = line.chars();
        while let Some(character) = characters.next() {
            match (character, character == '\\') {
                (_, true) => out.push(match characters.next()? {
                    'n' => '\n',
                    other => other,
                }),
                (other, false) => out.push(other),
            }
        }
        Some(out)
    }

    #[test]
    fn texts_come_back_as_they_were_and_no_line_is_too_long() {
        let long =
            "Remise du titre ; apportez l’original, un justificatif\\domicile et 2 photos — ".repeat(9);
        let two = "première ligne\nseconde, ligne;\r\ntroisième";
        let file = entry(&long, two).file();
        assert!(file.ends_with("END:VCALENDAR\r\n"));
        for line in file.split("\r\n") {
            assert!(line.len() <= LINE_BYTES_MAX, "{line}");
            assert!(!line.contains('\n') && !line.contains('\r'));
        }
        assert_eq!(read(&file, "SUMMARY").as_deref(), Some(long.as_str()));
        assert_eq!(read(&file, "DESCRIPTION").as_deref(), Some("première ligne\nseconde, ligne;\ntroisième"));
        assert_eq!(read(&file, "DTSTART").as_deref(), Some("20261105T080000Z"));
        assert_eq!(read(&file, "LOCATION"), None);
    }

    #[test]
    fn nothing_that_somebody_wrote_becomes_a_property_of_its_own() {
        let file = entry("a\r\nATTENDEE:mailto:x@y.example\nBEGIN:VALARM\u{b}", "\u{0}\rATTACH:x").file();
        let lines: Vec<&str> = file.split("\r\n").collect();
        for forbidden in ["ATTENDEE", "BEGIN:VALARM", "ATTACH"] {
            assert!(!lines.iter().any(|line| line.starts_with(forbidden)), "{file}");
        }
    }
}
