//! The map of an import: which column says what.

use chrono::NaiveTime;
use chrono_tz::Tz;
use guichet_engine::rules::language::source::Mark;
use guichet_engine::rules::process::{Channel, Opener};
use guichet_engine::rules::text::Language;

use super::conditions::Condition;

/// How rows become requests.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportMap {
    /// The map's name: with a row's id it makes the id of the request.
    pub name: String,
    /// The byte between two columns.
    pub separator: u8,
    /// The column that identifies a row.
    pub id: String,
    /// When the request was received.
    pub received: Received,
    /// The channel it came through.
    pub channel: Lookup<Channel>,
    /// Who opened it.
    pub opened_by: Lookup<Opener>,
    /// The language of the requester.
    pub language: Language,
    /// The collectivity that receives it, unless a rule says another.
    pub tenant: String,
    /// Form values of every row.
    pub form: Vec<(String, Value)>,
    /// The column of the neighbourhood, and what a blank one means.
    pub area: Option<(String, Blank)>,
    /// The process: the first rule that holds.
    pub rules: Vec<ProcessRule>,
    /// Every column that the map names, with its place.
    pub columns: Vec<(String, Mark)>,
}

/// When a request was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The column: a date, or an instant.
    pub column: String,
    /// The time of day and its zone that a date is taken at; none where the column holds instants.
    pub at: Option<(NaiveTime, Tz)>,
}

/// A word found by a column's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup<T> {
    /// The column; none where the word is always `otherwise`.
    pub column: Option<String>,
    /// What each value means; the values are folded.
    pub map: Vec<(String, T)>,
    /// What an empty value means.
    pub blank: Option<T>,
    /// What any other value means.
    pub otherwise: Option<T>,
}

/// Where a form value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// The text of a column; nothing when it is blank.
    Column(String),
    /// Always this.
    Constant(serde_json::Value),
    /// A place.
    Place {
        /// The column of the latitude, in degrees (WGS 84).
        lat: String,
        /// The column of the longitude, in degrees (WGS 84).
        lon: String,
        /// The column of the address.
        address: Option<String>,
    },
}

/// What a blank neighbourhood means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blank {
    /// It stays unknown.
    Blank,
    /// It is looked up by the coordinates.
    Locate,
}

/// One rule of the process.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessRule {
    /// Under what it holds: all of these.
    pub when: Vec<Condition>,
    /// The process.
    pub process: String,
    /// Where the process stands in the map.
    pub mark: Mark,
    /// Another collectivity.
    pub tenant: Option<String>,
    /// Form values of its own, each with its place.
    pub form: Vec<(String, Value, Mark)>,
}
