//! `[alerts]`: the hours at which people are not told of what is no danger, for all collectivities or for one.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

use super::messages;
use crate::outbound::quiet::DailySpan;

/// The section `[alerts]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// When nobody is told, for example `20:00-08:00`; the `quiet_hours` of `[messages]` if nothing is said, and
    /// `20:00-08:00` if nothing is said there either.
    pub quiet_hours: Option<DailySpan>,
    /// The zone of these hours, by its name in the database of time zones; `Europe/Paris` by default.
    pub zone: Option<Zone>,
    /// `[alerts.tenants.ville]`: what is otherwise in one collectivity.
    pub tenants: BTreeMap<String, Hours>,
}

/// What is otherwise in one collectivity.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hours {
    /// When nobody is told.
    pub quiet_hours: Option<DailySpan>,
    /// The zone of these hours.
    pub zone: Option<Zone>,
}

/// A zone, by its name in the database of time zones (IANA).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Zone(pub Tz);

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let known = text.parse::<Tz>().map(Self);
        known.map_err(|_| "a zone is named like `Europe/Paris` or `Indian/Reunion`".to_owned())
    }
}

/// From eight in the evening to eight in the morning.
fn night() -> DailySpan {
    let at = |hour| chrono::NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
    DailySpan { from: at(20), until: at(8) }
}

impl Section {
    /// Whether people of this collectivity are left in peace at `now` (UTC).
    #[must_use]
    pub fn is_quiet(&self, tenant: &str, messages: &messages::Section, now: DateTime<Utc>) -> bool {
        let own = self.tenants.get(tenant);
        let hours = own.and_then(|own| own.quiet_hours).or(self.quiet_hours).or(messages.quiet_hours);
        let zone = own.and_then(|own| own.zone).or(self.zone).map_or(chrono_tz::Europe::Paris, |zone| zone.0);
        hours.unwrap_or_else(night).holds(now.with_timezone(&zone).time())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(alerts: &str, messages: &str, tenant: &str, now: &str) -> bool {
        let alerts: Section = toml::from_str(alerts).unwrap();
        let messages: messages::Section = toml::from_str(messages).unwrap();
        alerts.is_quiet(tenant, &messages, now.parse().unwrap())
    }

    #[test]
    fn what_is_said_of_a_collectivity_counts_before_what_is_said_of_all() {
        let evening = "2026-11-03T20:30:00Z";
        assert!(quiet("", "", "ville", evening), "half past nine in Paris, as if nothing were said");
        assert!(!quiet("", "quiet_hours = \"22:00-06:00\"", "ville", evening), "as messages do");
        let all = "quiet_hours = \"21:00-07:00\"\n[tenants.ccas]\nquiet_hours = \"23:00-06:00\"\n\
            [tenants.saint-denis]\nzone = \"Indian/Reunion\"\n";
        assert!(quiet(all, "quiet_hours = \"22:00-06:00\"", "ville", evening));
        assert!(!quiet(all, "", "ccas", evening));
        assert!(quiet(all, "", "saint-denis", "2026-11-03T17:30:00Z"), "half past nine there");
        assert!(!quiet(all, "", "ville", "2026-11-03T17:30:00Z"));
        assert!(toml::from_str::<Section>("zone = \"Paris\"").is_err());
    }
}
