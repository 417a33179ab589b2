//! Promises, and the calendars that they count by.

use std::collections::BTreeSet;

use super::differ::{Differ, Spot};
use super::words::{alarm, budget, moment, rule, same, text, word};
use super::{Area, Audience, Nature};
use crate::calendar::{CalendarSheet, Closure, Opening, Weekday};
use crate::commitment::Budget;
use crate::process::{CommitmentSheet, Rule};
use crate::text::Text;

const ALL: &[Audience] = &[Audience::Citizens, Audience::Service];
const SERVICE: &[Audience] = &[Audience::Service];

impl Differ<'_> {
    /// A term: longer and shorter are told apart where both count in one unit.
    pub(super) fn term(&mut self, spot: &Spot, old: Option<&Budget>, new: Option<&Budget>) {
        match (old, new) {
            (Some(old), Some(new)) if old != new => {
                self.push(spot, nature(*old, *new), Some(budget(old)), Some(budget(new)));
            }
            _ => self.option(spot, old, new, budget),
        }
    }
}

fn nature(old: Budget, new: Budget) -> Nature {
    match (old.unit() == new.unit(), new.amount() > old.amount()) {
        (false, _) => Nature::Changed,
        (true, true) => Nature::Longer,
        (true, false) => Nature::Shorter,
    }
}

pub(super) fn commitments(d: &mut Differ<'_>) {
    let (old, new) = (d.old.commitments.as_slice(), d.new.commitments.as_slice());
    let spot = |name: &str| {
        Spot::new(Area::Commitments, ALL, format!("Engagement « {name} »"), format!("Commitment “{name}”"))
    };
    let shown = |sheet: &CommitmentSheet| {
        let rules: Vec<Text> = sheet.within.iter().map(|r| rule(r, budget)).collect();
        let of = |take: fn(&Text) -> &str| rules.iter().map(take).collect::<Vec<_>>().join(", ");
        Text::new(of(|text| &text.fr), of(|text| &text.en))
    };
    let bases = ("/commitments", "/commitments");
    for (spot, old, new) in d.named((old, new), |sheet| &sheet.commitment, spot, bases, shown) {
        commitment(d, &spot, old, new);
    }
    let order = |sheets: &[CommitmentSheet], others: &[CommitmentSheet]| -> Vec<String> {
        let both = sheets.iter().filter(|one| others.iter().any(|other| other.commitment == one.commitment));
        both.map(|one| one.commitment.clone()).collect()
    };
    let ordered = Spot::new(Area::Commitments, SERVICE, "Ordre des engagements", "Order of the commitments");
    d.list(&ordered.at("/commitments"), &order(old, new), &order(new, old), |name| same(name));
}

fn commitment(d: &mut Differ<'_>, spot: &Spot, old: &CommitmentSheet, new: &CommitmentSheet) {
    d.option(&spot.part("titre", "title", "title"), old.title.as_ref(), new.title.as_ref(), text);
    d.value(&spot.part("à partir de", "from", "from"), &old.from, &new.from, moment);
    d.value(&spot.part("jusqu’à", "until", "until"), &old.until, &new.until, moment);
    within(d, &spot.part("délai", "term", "within"), &old.within, &new.within);
    d.value(
        &spot.part("fin des mois", "how months end", "month_rule"),
        &old.month_rule,
        &new.month_rule,
        word,
    );
    let paused = spot.part("ne compte pas pendant", "does not count while", "paused_while");
    d.list(&paused, &old.paused_while, &new.paused_while, word);
    let percent = |percent: &u8| Text::new(format!("{percent} %"), format!("{percent}%"));
    let warn = spot.part("alertes à", "warnings at", "warn_at").for_whom(SERVICE);
    d.list(&warn, &old.warn_at, &new.warn_at, percent);
    let warned = spot.part("alerté", "told of a warning", "when_warned").for_whom(SERVICE);
    d.list(&warned, &old.when_warned, &new.when_warned, alarm);
    let broken = spot.part("averti du retard", "told of a breach", "when_broken").for_whom(SERVICE);
    d.list(&broken, &old.when_broken, &new.when_broken, alarm);
    d.value(&spot.part("calendrier", "calendar", "calendar"), &old.calendar, &new.calendar, |name| {
        same(name)
    });
}

/// Rule by rule where the conditions are the same, else as a whole.
fn within(d: &mut Differ<'_>, spot: &Spot, old: &[Rule<Budget>], new: &[Rule<Budget>]) {
    let whens = |rules: &[Rule<Budget>]| rules.iter().map(|rule| rule.when.clone()).collect::<Vec<_>>();
    if whens(old) != whens(new) {
        d.list(spot, old, new, |r| rule(r, budget));
        return;
    }
    for (index, (old, new)) in old.iter().zip(new).enumerate().filter(|(_, (old, new))| old.is != new.is) {
        let mut spot = spot.clone();
        spot.at = (format!("{}/{index}", spot.at.0), format!("{}/{index}", spot.at.1));
        if let Some(when) = &old.when {
            spot.subject.fr.push_str(&format!(" si {when}"));
            spot.subject.en.push_str(&format!(" if {when}"));
        }
        d.term(&spot, Some(&old.is), Some(&new.is));
    }
}

pub(super) fn calendars(d: &mut Differ<'_>) {
    let (old, new) = (d.old, d.new);
    let main = Spot::new(Area::Calendars, SERVICE, "Calendrier de la démarche", "Calendar of the process");
    d.value(&main.at("/calendar"), &old.calendar, &new.calendar, |name| same(name));
    let names: BTreeSet<&String> = old.calendars.keys().chain(new.calendars.keys()).collect();
    for name in names {
        let spot =
            Spot::new(Area::Calendars, ALL, format!("Calendrier « {name} »"), format!("Calendar “{name}”"))
                .at(format!("/calendars/{}", name.replace('~', "~0").replace('/', "~1")));
        match (old.calendars.get(name), new.calendars.get(name)) {
            (Some(old), Some(new)) => calendar(d, &spot, old, new),
            (Some(_), None) => d.push(&spot, Nature::Removed, None, None),
            (None, Some(_)) => d.push(&spot, Nature::Added, None, None),
            (None, None) => {}
        }
    }
}

fn calendar(d: &mut Differ<'_>, spot: &Spot, old: &CalendarSheet, new: &CalendarSheet) {
    d.value(&spot.part("nom", "name", "calendar"), &old.calendar, &new.calendar, |name| same(name));
    d.value(&spot.part("fuseau", "zone", "zone"), &old.zone, &new.zone, |name| same(name));
    d.value(&spot.part("jours fériés", "holidays", "holidays"), &old.holidays, &new.holidays, |name| {
        same(name)
    });
    for day in Weekday::ALL {
        let (fr, en) = day_name(day);
        let hours = spot.part(fr, en, &format!("hours/{}", day.key()));
        let of = |sheet: &CalendarSheet| sheet.hours.get(&day).cloned().unwrap_or_default();
        d.list(&hours, &of(old), &of(new), |interval| same(interval.to_string()));
    }
    let closures = spot.part("fermeture", "closure", "closures");
    each(d, &closures, &old.closures, &new.closures, |closure: &Closure| {
        let days = if closure.from == closure.until {
            closure.from.to_string()
        } else {
            format!("{} – {}", closure.from, closure.until)
        };
        because(&days, closure.why.as_ref())
    });
    let openings = spot.part("ouverture", "opening", "openings");
    each(d, &openings, &old.openings, &new.openings, |opening: &Opening| {
        let hours: Vec<String> = opening.hours.iter().map(ToString::to_string).collect();
        because(&format!("{} {}", opening.on, hours.join(", ")), opening.why.as_ref())
    });
}

/// What is gone from a list and what is new in it, each by itself.
fn each<T: PartialEq>(d: &mut Differ<'_>, spot: &Spot, old: &[T], new: &[T], show: impl Fn(&T) -> Text) {
    for gone in old.iter().filter(|item| !new.contains(item)) {
        d.push(spot, Nature::Removed, Some(show(gone)), None);
    }
    for come in new.iter().filter(|item| !old.contains(item)) {
        d.push(spot, Nature::Added, None, Some(show(come)));
    }
}

/// Dates, and why.
fn because(days: &str, why: Option<&Text>) -> Text {
    match why {
        Some(why) => {
            let en = if why.en.is_empty() { &why.fr } else { &why.en };
            Text::new(format!("{days} ({})", why.fr), format!("{days} ({en})"))
        }
        None => same(days),
    }
}

fn day_name(day: Weekday) -> (&'static str, &'static str) {
    match day {
        Weekday::Mon => ("lundi", "Monday"),
        Weekday::Tue => ("mardi", "Tuesday"),
        Weekday::Wed => ("mercredi", "Wednesday"),
        Weekday::Thu => ("jeudi", "Thursday"),
        Weekday::Fri => ("vendredi", "Friday"),
        Weekday::Sat => ("samedi", "Saturday"),
        Weekday::Sun => ("dimanche", "Sunday"),
    }
}
