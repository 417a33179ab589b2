//! Instants as people in a French town hall read them.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use guichet_engine::rules::text::Language;

/// An instant on the wall clock of Paris, where nothing says another zone.
pub(crate) fn instant(language: Language, instant: DateTime<Utc>) -> String {
    in_zone(language, instant, Tz::Europe__Paris)
}

/// An instant on the wall clock of `zone`.
pub(crate) fn in_zone(language: Language, instant: DateTime<Utc>, zone: Tz) -> String {
    let local = instant.with_timezone(&zone);
    match language {
        Language::Fr => local.format("%d/%m/%Y %H:%M").to_string(),
        Language::En => local.format("%Y-%m-%d %H:%M").to_string(),
    }
}
