//! Messages and calendars, which many sheets share.

use std::collections::BTreeMap;

use super::desk::{At, Desk, Entries};
use crate::calendar::{
    Calendar, CalendarError, CalendarSheet, Closure, HolidaySet, Interval, Opening, Weekday,
};
use crate::language::diagnostic::{Fault, Suggestion, near};
use crate::language::grammar;
use crate::process::Message;

impl Desk {
    /// A file's own name must be that of its path, so that a reference can be followed by eye.
    pub(super) fn own_name(&mut self, entries: &Entries<'_>, key: &str, path: &str) {
        let Some(at) = self.require(entries, key) else { return };
        let Some(name) = self.text(&at) else { return };
        let short = path.rsplit('/').next().unwrap_or(path);
        let expected = if key == "process" { path } else { short };
        if name != expected && name != path {
            let (fr, en) = (
                format!("ce fichier s’appelle `{path}`, et son contenu `{name}`"),
                format!("this file is called `{path}`, and its content `{name}`"),
            );
            self.fault(
                Fault::error("name.mismatch", at.mark(), fr, en).suggest(Some(Suggestion::certain(expected))),
            );
        }
    }
}

/// A file of `messages/`.
pub(crate) fn read_message(desk: &mut Desk, at: &At<'_>, name: &str) -> Option<Message> {
    let entries = desk.entries(at, &grammar::MESSAGE);
    desk.own_name(&entries, "message", name);
    let subject = desk.require(&entries, "subject").and_then(|a| desk.words(&a));
    let body = desk.require(&entries, "body").and_then(|a| desk.words(&a));
    let sms = desk.get(&entries, "sms").and_then(|a| desk.words(&a));
    Some(Message { message: name.to_owned(), subject: subject?, body: body?, sms })
}

/// A file of `calendars/`.
pub(crate) fn read_calendar(desk: &mut Desk, at: &At<'_>, name: &str) -> Option<CalendarSheet> {
    let entries = desk.entries(at, &grammar::CALENDAR);
    desk.own_name(&entries, "calendar", name);
    let zone = desk.require(&entries, "zone").and_then(|a| desk.text(&a));
    let holidays = desk.require(&entries, "holidays").and_then(|a| desk.text(&a));
    let hours = desk.require(&entries, "hours").map(|a| desk.week(&a));
    let closures = desk.get(&entries, "closures").map(|a| desk.closures(&a)).unwrap_or_default();
    let openings = desk.get(&entries, "openings").map(|a| desk.openings(&a)).unwrap_or_default();
    let short = name.rsplit('/').next().unwrap_or(name).to_owned();
    let sheet = CalendarSheet {
        calendar: short,
        zone: zone?,
        holidays: holidays?,
        hours: hours?,
        closures,
        openings,
    };
    desk.compiles(&sheet, at);
    Some(sheet.normalised())
}

impl Desk {
    fn week(&mut self, at: &At<'_>) -> BTreeMap<Weekday, Vec<Interval>> {
        let mut week = BTreeMap::new();
        let entries = self.entries(at, &grammar::HOURS);
        for day in Weekday::ALL {
            if let Some(hours) = self.get(&entries, day.key()) {
                week.insert(day, self.intervals(&hours));
            }
        }
        week
    }

    fn intervals(&mut self, at: &At<'_>) -> Vec<Interval> {
        let mut intervals = Vec::new();
        for item in self.items(at) {
            match item.node.text().map(str::parse::<Interval>) {
                Some(Ok(interval)) => intervals.push(interval),
                Some(Err(_)) | None => {
                    self.wrong(&item, "des heures comme \"09:00-17:00\"", "hours such as \"09:00-17:00\"");
                }
            }
        }
        intervals
    }

    fn closures(&mut self, at: &At<'_>) -> Vec<Closure> {
        let mut closures = Vec::new();
        for item in self.list(at) {
            let entries = self.entries(&item, &grammar::CLOSURE);
            let why = self.get(&entries, "why").and_then(|a| self.words(&a));
            let on = self.get(&entries, "on").and_then(|a| self.date(&a));
            let from = self.get(&entries, "from").and_then(|a| self.date(&a));
            let until = self.get(&entries, "until").and_then(|a| self.date(&a));
            match (on, from, until) {
                (Some(day), None, None) => closures.push(Closure { from: day, until: day, why }),
                (None, Some(from), Some(until)) => closures.push(Closure { from, until, why }),
                _ => {
                    self.wrong(&item, "`from` et `until`, ou bien `on`,", "`from` and `until`, or else `on`,")
                }
            }
        }
        closures
    }

    fn openings(&mut self, at: &At<'_>) -> Vec<Opening> {
        let mut openings = Vec::new();
        for item in self.list(at) {
            let entries = self.entries(&item, &grammar::OPENING);
            let on = self.require(&entries, "on").and_then(|a| self.date(&a));
            let hours = self.require(&entries, "hours").map(|a| self.intervals(&a));
            let why = self.get(&entries, "why").and_then(|a| self.words(&a));
            if let (Some(on), Some(hours)) = (on, hours) {
                openings.push(Opening { on, hours, why });
            }
        }
        openings
    }

    /// What only the calendar itself can tell: zones, holiday sets, hours that overlap, years without opening.
    fn compiles(&mut self, sheet: &CalendarSheet, at: &At<'_>) {
        let Err(error) = Calendar::compile(sheet) else { return };
        let pointer = format!("/{}", error.path().join("/"));
        let mark = self.places.mark(&pointer).unwrap_or_else(|| at.mark());
        let (code, fr, meant) = match &error {
            CalendarError::UnknownZone(zone) => {
                let meant = near(zone, chrono_tz::TZ_VARIANTS.iter().map(|z| z.name()));
                ("calendar.zone", format!("fuseau horaire inconnu : `{zone}`"), meant)
            }
            CalendarError::UnknownHolidays(set) => {
                let meant = near(set, HolidaySet::ALL.map(HolidaySet::name));
                ("calendar.holidays", format!("jeu de jours fériés inconnu : `{set}`"), meant)
            }
            CalendarError::Backwards { interval, .. } => {
                ("calendar.hours", format!("`{interval}` finit avant de commencer"), None)
            }
            CalendarError::Overlap { first, second, .. } => {
                ("calendar.hours", format!("`{first}` et `{second}` se chevauchent"), None)
            }
            CalendarError::ClosureBackwards { from, until, .. } => {
                ("calendar.closure", format!("cette fermeture commence le {from} et finit le {until}"), None)
            }
            CalendarError::NoHours => {
                ("calendar.never_open", "ce calendrier n’a aucune heure d’ouverture".into(), None)
            }
            CalendarError::NeverOpen { year } => {
                ("calendar.never_open", format!("rien n’est ouvert en {year}"), None)
            }
            other @ (CalendarError::DateOutOfRange { .. } | CalendarError::TooMany { .. }) => {
                ("calendar.invalid", format!("calendrier inutilisable : {other}"), None)
            }
        };
        self.fault(Fault::error(code, mark, fr, error.to_string()).suggest(meant));
    }
}
