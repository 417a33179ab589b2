//! `[messages]`: the ways out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::outbound::quiet::{DailySpan, Quiet};

/// The section `[messages]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// `[messages.sms]`: the gateway for text messages; without it they go the way of e-mails.
    pub sms: Option<SmsGateway>,
    /// `[messages.social]`: the gateway for social messages, described likewise; `{to}` is then the author, `{thread}` the
    /// conversation and `{platform}` the network. Without it, who wrote by a network is answered another way.
    pub social: Option<SmsGateway>,
    /// When nobody is disturbed, for example `20:00-08:00`, in the zone of the process' calendar: text messages to
    /// requesters wait until it is over. What the law says must have been told by then is told in time all the same.
    pub quiet_hours: Option<DailySpan>,
    /// Days on which the process' calendar is closed are quiet as a whole.
    pub quiet_closed_days: bool,
    /// E-mails to requesters wait as well.
    pub quiet_mail: bool,
    /// E-mails to the town hall's own people wait as well, except to these services: they are on call. None by default:
    /// then nobody of the town hall waits.
    pub quiet_staff_except: Option<Vec<String>>,
    /// Minutes for which notices to the town hall's own people are gathered into one mail each; 0, the default, sends each
    /// at once. What is urgent, and what was promised and not kept, is never gathered.
    pub digest_minutes: u32,
}

impl Section {
    /// When nobody is disturbed.
    #[must_use]
    pub fn quiet(&self) -> Quiet {
        Quiet { hours: self.quiet_hours, closed_days: self.quiet_closed_days }
    }
}

/// A gateway for text messages, or for social messages, that speaks HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmsGateway {
    /// Its address.
    pub url: String,
    /// `POST` (the default) or `PUT`.
    pub method: String,
    /// Headers; `{id}` stands for the message's id, which stays the same when it is sent again.
    pub headers: BTreeMap<String, String>,
    /// Headers whose values stand in files: tokens and passwords.
    pub header_files: BTreeMap<String, PathBuf>,
    /// The body as JSON, in whose texts `{to}`, `{text}`, `{from}` and `{id}` are filled in.
    pub json: Option<String>,
    /// The body as a form, filled in likewise.
    pub form: BTreeMap<String, String>,
    /// The sender's name, for `{from}`.
    pub sender: String,
    /// Statuses with which the gateway says that it took the message.
    pub success: Vec<u16>,
    /// Where its answer (JSON) says whether it took it: a JSON pointer. Without it the status decides.
    pub accepted_at: Option<String>,
    /// What it says there when it did.
    pub accepted: Vec<String>,
    /// Where its answer (JSON) gives its own id of the message: a JSON pointer. Needed where its reports on what became of
    /// messages name them by that id and not by `{id}`.
    pub id_at: Option<String>,
    /// What stands for the first 0 of a number (`33`); without it numbers are sent as they were given.
    pub country_code: Option<String>,
    /// Segments that a message may take, 1 to 10; what is longer is cut.
    pub segments_max: u32,
    /// Characters that a social message may have; what is longer is cut. 500 by default.
    pub characters_max: usize,
    /// Letters and signs that would double a message's price are written simply.
    pub transliterate: bool,
}

impl Default for SmsGateway {
    fn default() -> Self {
        Self {
            url: String::new(),
            method: "POST".into(),
            headers: BTreeMap::new(),
            header_files: BTreeMap::new(),
            json: None,
            form: BTreeMap::new(),
            sender: String::new(),
            success: vec![200, 201, 202],
            accepted_at: None,
            accepted: Vec::new(),
            id_at: None,
            country_code: Some("33".into()),
            segments_max: 4,
            characters_max: 500,
            transliterate: false,
        }
    }
}
