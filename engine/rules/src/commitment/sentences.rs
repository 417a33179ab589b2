//! An explanation in words, one step a line, in French and in English.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Timelike, Utc};
use chrono_tz::Tz;

use super::explanation::{ClosureSkipped, CountedPause, DueRule, Explanation, PauseEffect};
use crate::text::{Language, date_in_words};

const WEEKDAYS_FR: [&str; 7] = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];
const WEEKDAYS_EN: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

impl Explanation {
    /// The explanation as sentences, one step each, dates and hours in the calendar's zone.
    #[must_use]
    pub fn sentences(&self, language: Language) -> Vec<String> {
        let mut lines = self.operands(language);
        lines.extend(self.counted_line(language));
        lines.extend(self.not_after_start_on.map(|date| not_after_line(date, language)));
        lines.extend(self.holiday_lines(language));
        lines.extend(self.closures.iter().map(|closure| closure_line(closure, language)));
        lines.extend(self.pauses.iter().map(|pause| self.pause_line(pause, language)));
        lines.push(match language {
            Language::Fr => format!("Échéance : {}, soit {}.", self.due_local(language), utc(self.due)),
            Language::En => format!("Due: {}, that is {}.", self.due_local(language), utc(self.due)),
        });
        lines
    }

    fn operands(&self, language: Language) -> Vec<String> {
        let (from, budget) = (self.local(self.from, language), self.budget.in_words(language));
        let (calendar, zone) = (&self.calendar, &self.zone);
        let version = self.calendar_version.get(..12).unwrap_or(&self.calendar_version);
        let rule = self.rule_line(language);
        match language {
            Language::Fr => vec![
                format!("Départ : {from}, soit {}.", utc(self.from)),
                format!("Délai : {budget} ; calendrier « {calendar} », version {version}, fuseau {zone}."),
                rule,
            ],
            Language::En => vec![
                format!("Start: {from}, that is {}.", utc(self.from)),
                format!("Time allowed: {budget}; calendar “{calendar}”, version {version}, zone {zone}."),
                rule,
            ],
        }
    }

    fn rule_line(&self, language: Language) -> String {
        let same_day = self.same_day.map(|date| date_words(date, language)).unwrap_or_default();
        match language {
            Language::Fr => match self.rule {
                DueRule::WorkingDays => {
                    "Règle : à la fermeture du dernier des jours ouverts comptés ; le jour du départ ne compte pas.".into()
                }
                DueRule::WorkingTime => {
                    "Règle : quand le temps d’ouverture écoulé atteint le délai.".into()
                }
                DueRule::ElapsedTime => "Règle : quand le temps écoulé, ouvert ou non, atteint le délai.".into(),
                DueRule::Days => {
                    "Règle : à la fin (24:00) du dernier des jours de calendrier ; le jour du départ ne compte pas.".into()
                }
                DueRule::MonthsSameDay => {
                    format!("Règle : à la fin (24:00) du même quantième, ou du dernier jour du mois : {same_day}.")
                }
                DueRule::MonthsDayAfter => format!(
                    "Règle : à la fin (24:00) du lendemain du même quantième, ou du dernier jour du mois : lendemain du {same_day}."
                ),
            },
            Language::En => match self.rule {
                DueRule::WorkingDays => {
                    "Rule: the closing of the last of the open dates counted; the date of the start does not count.".into()
                }
                DueRule::WorkingTime => "Rule: when open time since the start reaches the time allowed.".into(),
                DueRule::ElapsedTime => {
                    "Rule: when time since the start, open or not, reaches the time allowed.".into()
                }
                DueRule::Days => {
                    "Rule: the end (24:00) of the last of the calendar dates; the date of the start does not count.".into()
                }
                DueRule::MonthsSameDay => {
                    format!("Rule: the end (24:00) of the same day-number, or of the month’s last day: {same_day}.")
                }
                DueRule::MonthsDayAfter => format!(
                    "Rule: the end (24:00) of the day after the same day-number, or after the month’s last day: the day after {same_day}."
                ),
            },
        }
    }

    fn counted_line(&self, language: Language) -> Option<String> {
        if self.counted.is_empty() {
            return None;
        }
        let dates: Vec<String> = self.counted.iter().map(|date| date_words(*date, language)).collect();
        let (total, dates) = (self.counted_total, dates.join(", "));
        let listed = u32::try_from(self.counted.len()).unwrap_or(u32::MAX);
        let more = if total > listed { ", …" } else { "" };
        Some(match language {
            Language::Fr => format!("Jours comptés ({total}) : {dates}{more}."),
            Language::En => format!("Dates counted ({total}): {dates}{more}."),
        })
    }

    fn holiday_lines(&self, language: Language) -> impl Iterator<Item = String> + '_ {
        self.holidays.iter().map(move |skipped| {
            let (date, name) = (date_words(skipped.date, language), skipped.holiday.name());
            let name = name.get(language);
            match language {
                Language::Fr => format!("Non compté : {date}, jour férié ({name})."),
                Language::En => format!("Not counted: {date}, public holiday ({name})."),
            }
        })
    }

    fn pause_line(&self, pause: &CountedPause, language: Language) -> String {
        let (from, until) = (self.local(pause.from, language), self.local(pause.until, language));
        match language {
            Language::Fr => {
                let effect = match pause.effect {
                    PauseEffect::Closings(n) => format!("fermetures de jours ouverts non comptées : {n}"),
                    PauseEffect::DateEnds(n) => format!("fins de journée non comptées : {n}"),
                    PauseEffect::OpenMicroseconds(n) => {
                        format!("temps d’ouverture non compté : {}", length(n))
                    }
                    PauseEffect::ElapsedMicroseconds(n) => format!("temps non compté : {}", length(n)),
                };
                format!("Pause : du {from} au {until} ; {effect}.")
            }
            Language::En => {
                let effect = match pause.effect {
                    PauseEffect::Closings(n) => format!("closings of open dates not counted: {n}"),
                    PauseEffect::DateEnds(n) => format!("ends of dates not counted: {n}"),
                    PauseEffect::OpenMicroseconds(n) => format!("open time not counted: {}", length(n)),
                    PauseEffect::ElapsedMicroseconds(n) => format!("time not counted: {}", length(n)),
                };
                format!("Pause: from {from} to {until}; {effect}.")
            }
        }
    }

    /// The due instant on the local clock; the midnight that ends a date is 24:00 of that date.
    fn due_local(&self, language: Language) -> String {
        let local = self.due.with_timezone(&self.zone());
        let ends_a_date = match self.rule {
            DueRule::WorkingDays
            | DueRule::WorkingTime
            | DueRule::Days
            | DueRule::MonthsSameDay
            | DueRule::MonthsDayAfter => local.time() == NaiveTime::MIN,
            DueRule::ElapsedTime => false,
        };
        let before = local.date_naive().checked_sub_days(Days::new(1)).filter(|_| ends_a_date);
        match (before, language) {
            (Some(date), Language::Fr) => format!("{} à 24:00", date_words(date, language)),
            (Some(date), Language::En) => format!("{} at 24:00", date_words(date, language)),
            (None, _) => self.local(self.due, language),
        }
    }

    fn local(&self, instant: DateTime<Utc>, language: Language) -> String {
        let local = instant.with_timezone(&self.zone());
        let date = date_words(local.date_naive(), language);
        let time = if local.second() == 0 { local.format("%H:%M") } else { local.format("%H:%M:%S") };
        match language {
            Language::Fr => format!("{date} à {time}"),
            Language::En => format!("{date} at {time}"),
        }
    }

    fn zone(&self) -> Tz {
        self.zone.parse().unwrap_or(Tz::UTC)
    }
}

fn not_after_line(date: NaiveDate, language: Language) -> String {
    let date = date_words(date, language);
    match language {
        Language::Fr => format!(
            "Jamais plus tard que pour un départ ultérieur : compté comme un départ du {date}, dont l’échéance vient plus tôt."
        ),
        Language::En => {
            format!("Never later than for a later start: counted as a start on {date}, which is due earlier.")
        }
    }
}

fn closure_line(closure: &ClosureSkipped, language: Language) -> String {
    let (from, until) = (date_words(closure.from, language), date_words(closure.until, language));
    let why = closure.why.as_ref().map(|why| format!(" ({})", why.get(language))).unwrap_or_default();
    let dates = closure.dates;
    match (language, closure.from == closure.until) {
        (Language::Fr, true) => format!("Non compté : {from}, fermeture{why}."),
        (Language::En, true) => format!("Not counted: {from}, closed{why}."),
        (Language::Fr, false) => {
            format!("Jours non comptés ({dates}) : fermeture du {from} au {until}{why}.")
        }
        (Language::En, false) => format!("Dates not counted ({dates}): closed from {from} to {until}{why}."),
    }
}

fn date_words(date: NaiveDate, language: Language) -> String {
    let weekdays = match language {
        Language::Fr => &WEEKDAYS_FR,
        Language::En => &WEEKDAYS_EN,
    };
    let weekday = weekdays.get(date.weekday().num_days_from_monday() as usize).copied().unwrap_or_default();
    format!("{weekday} {}", date_in_words(date, language))
}

fn utc(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

/// A length of time as `2 h 05 min 30 s`, without the parts that are zero.
fn length(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let shown: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    if shown.is_empty() { "0 s".to_owned() } else { shown.join(" ") }
}
