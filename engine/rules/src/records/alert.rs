//! One message to all whom it concerns.
//!
//! An alert is a record of its own; whom it reached stands in records beside it, one for each batch of recipients, so
//! that neither grows with the town. A batch is taken before it is sent and told of when it is: whatever stops in
//! between, the next one goes on with the same people. Nobody is named: recipients are ids of accounts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::contact::{Circle, Wish};
use super::record_events;
use crate::process::Delivery;
use crate::request::{Ground, Rejection};
use crate::text::Text;

/// The kind of its streams.
pub const ALERT: &str = "alert";
/// How many people a batch holds.
pub const BATCH_PEOPLE: usize = 50;
/// The Earth's mean radius, in metres (IUGG).
const EARTH_METRES: f64 = 6_371_008.8;

record_events! {
    /// What happened.
    AlertEvent {
        /// It is written.
        AlertDrafted = "alert.drafted",
        /// A second person agrees.
        AlertApproved = "alert.approved",
        /// It goes out from now on.
        AlertSent = "alert.sent",
        /// It goes out no further.
        AlertCancelled = "alert.cancelled",
        /// It has gone out to everybody whom it concerns.
        AlertFinished = "alert.finished",
        /// These people are told next.
        BatchTaken = "alert.batch_taken",
        /// They were told, or could not be.
        BatchDone = "alert.batch_done",
    }
}

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Information,
    /// To be taken into account.
    Warning,
    /// People are in danger: it goes out at any hour, once a second person agrees.
    Danger,
}

/// A place that an alert is about: a neighbourhood, or what lies around a point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// A neighbourhood, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// Around a point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub around: Option<Circle>,
}

/// It is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertDrafted {
    /// Staff code of the author.
    pub by: String,
    /// How grave it is.
    pub severity: Severity,
    /// Themes of the catalogue; for whoever asked for any news if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<String>,
    /// Where; everywhere if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
    /// By which means, of e-mail and text message.
    pub channels: Vec<Delivery>,
    /// One line.
    pub subject: Text,
    /// The text of an e-mail.
    pub body: Text,
    /// The text message; the subject if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms: Option<Text>,
}

/// A second person agrees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertApproved {
    /// Staff code.
    pub by: String,
}

/// It goes out from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertSent {
    /// Staff code.
    pub by: String,
}

/// It goes out no further.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertCancelled {
    /// Staff code.
    pub by: String,
}

/// It has gone out to everybody whom it concerns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertFinished {}

/// These people are told next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchTaken {
    /// The alert.
    pub alert: Uuid,
    /// The number of the batch, from 0.
    pub batch: u32,
    /// Their accounts.
    pub recipients: Vec<Uuid>,
}

/// They were told, or could not be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchDone {
    /// The alert.
    pub alert: Uuid,
    /// The number of the batch.
    pub batch: u32,
    /// To whom it was handed over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reached: Vec<Uuid>,
    /// Whose message the transport refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Uuid>,
    /// Who has no proven address by any of its means, or none any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreachable: Vec<Uuid>,
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Written, and nothing more.
    Drafted,
    /// Agreed to by a second person.
    Approved,
    /// On its way.
    Sending,
    /// Gone out to everybody.
    Finished,
    /// Stopped.
    Cancelled,
}

/// An alert as it stands: the fold of its events.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// What it says, and to whom.
    pub draft: AlertDrafted,
    /// When it was written (UTC).
    pub drafted: DateTime<Utc>,
    /// Who agreed, by staff code.
    pub approved_by: Option<String>,
    /// When it began to go out (UTC).
    pub sent: Option<DateTime<Utc>>,
    /// Where it stands.
    pub standing: Standing,
}

impl Alert {
    /// The fold of its events, each with the instant at which it happened (UTC); none before the first.
    pub fn fold<'a>(events: impl IntoIterator<Item = (&'a AlertEvent, DateTime<Utc>)>) -> Option<Self> {
        events.into_iter().fold(None, |alert, (event, at)| evolve(alert, event, at))
    }

    /// A second person agrees: never its author.
    ///
    /// # Errors
    /// `alert.standing`, `alert.own`.
    pub fn approve(&self, by: &str) -> Result<Vec<AlertEvent>, Rejection> {
        self.must_be(&[Standing::Drafted])?;
        if self.draft.by == by {
            let text = Text::new("Nul n’approuve sa propre alerte.", "Nobody approves their own alert.");
            return Err(Rejection::new("alert.own", text).because(Ground::Person));
        }
        Ok(vec![AlertApproved { by: by.to_owned() }.into()])
    }

    /// It goes out.
    ///
    /// # Errors
    /// `alert.standing`, `alert.approval_needed`.
    pub fn send(&self, by: &str) -> Result<Vec<AlertEvent>, Rejection> {
        self.must_be(&[Standing::Drafted, Standing::Approved])?;
        if self.draft.severity == Severity::Danger && self.approved_by.is_none() {
            let text = Text::new(
                "Une alerte de danger ne part qu’avec l’accord d’une deuxième personne.",
                "An alert of danger goes out only once a second person agrees.",
            );
            return Err(Rejection::new("alert.approval_needed", text));
        }
        Ok(vec![AlertSent { by: by.to_owned() }.into()])
    }

    /// It goes out no further. What has gone out has.
    ///
    /// # Errors
    /// `alert.standing`.
    pub fn cancel(&self, by: &str) -> Result<Vec<AlertEvent>, Rejection> {
        self.must_be(&[Standing::Drafted, Standing::Approved, Standing::Sending])?;
        Ok(vec![AlertCancelled { by: by.to_owned() }.into()])
    }

    /// Everybody has been told; nothing happens where that was said already, or where it was cancelled meanwhile.
    #[must_use]
    pub fn finish(&self) -> Vec<AlertEvent> {
        if self.standing == Standing::Sending { vec![AlertFinished {}.into()] } else { Vec::new() }
    }

    /// Whether it concerns whoever asked for these news.
    #[must_use]
    pub fn concerns(&self, wish: &Wish) -> bool {
        concerns(&self.draft.topics, &self.draft.places, wish)
    }

    fn must_be(&self, standings: &[Standing]) -> Result<(), Rejection> {
        let text = Text::new(
            "Ce n’est pas possible là où en est l’alerte.",
            "This is not possible where the alert stands.",
        );
        let fits = standings.contains(&self.standing);
        fits.then_some(()).ok_or_else(|| Rejection::new("alert.standing", text))
    }
}

fn evolve(alert: Option<Alert>, event: &AlertEvent, at: DateTime<Utc>) -> Option<Alert> {
    if let AlertEvent::AlertDrafted(draft) = event {
        let (draft, standing) = (draft.clone(), Standing::Drafted);
        return Some(Alert { draft, drafted: at, approved_by: None, sent: None, standing });
    }
    let mut alert = alert?;
    match event {
        AlertEvent::AlertDrafted(_) => {}
        AlertEvent::AlertApproved(event) => {
            alert.approved_by = Some(event.by.clone());
            alert.standing = Standing::Approved;
        }
        AlertEvent::AlertSent(_) => {
            alert.sent = Some(at);
            alert.standing = Standing::Sending;
        }
        AlertEvent::AlertCancelled(_) => alert.standing = Standing::Cancelled,
        AlertEvent::AlertFinished(AlertFinished {}) => alert.standing = Standing::Finished,
        // These stand in streams of their own.
        AlertEvent::BatchTaken(_) | AlertEvent::BatchDone(_) => {}
    }
    Some(alert)
}

/// The record of a batch of an alert.
#[must_use]
pub fn batch_of(alert: Uuid, batch: u32) -> Uuid {
    Uuid::new_v5(&alert, &batch.to_be_bytes())
}

/// Whether an alert on these topics, about these places, concerns whoever asked for these news. Who named no topic asked
/// for all of them, who named no place for everywhere; an alert without places is about everywhere.
#[must_use]
pub fn concerns(topics: &[String], places: &[Place], wish: &Wish) -> bool {
    let topic = wish.topic.as_ref().is_none_or(|topic| topics.is_empty() || topics.contains(topic));
    let anywhere = places.is_empty() || (wish.area.is_none() && wish.around.is_none());
    topic && (anywhere || places.iter().any(|place| touches(place, wish)))
}

fn touches(place: &Place, wish: &Wish) -> bool {
    let same_area = place.area.is_some() && place.area == wish.area;
    let near = place
        .around
        .zip(wish.around)
        .is_some_and(|(here, there)| metres(here, there) <= f64::from(here.metres) + f64::from(there.metres));
    same_area || near
}

/// How far two points are from each other along a great circle, in metres (haversine).
fn metres(one: Circle, other: Circle) -> f64 {
    let (lat, lon) = ((other.lat - one.lat).to_radians() / 2.0, (other.lon - one.lon).to_radians() / 2.0);
    let across = one.lat.to_radians().cos() * other.lat.to_radians().cos() * lon.sin().powi(2);
    let half = (lat.sin().powi(2) + across).clamp(0.0, 1.0);
    2.0 * EARTH_METRES * half.sqrt().asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(topic: Option<&str>, area: Option<&str>, around: Option<Circle>) -> Wish {
        Wish { topic: topic.map(str::to_owned), area: area.map(str::to_owned), around }
    }

    #[test]
    fn an_alert_concerns_those_whose_topic_and_place_it_is() {
        let at = |lat, lon, metres| Some(Circle { lat, lon, metres });
        let topics = vec!["voirie".to_owned()];
        let places = vec![
            Place { area: Some("centre".into()), around: None },
            Place { area: None, around: at(48.957, 4.363, 500) },
        ];
        let told = |wish: &Wish| concerns(&topics, &places, wish);
        assert!(told(&wish(None, None, None)) && told(&wish(Some("voirie"), Some("centre"), None)));
        assert!(
            !told(&wish(Some("eau"), Some("centre"), None))
                && !told(&wish(Some("voirie"), Some("nord"), None))
        );
        // A hundredth of a degree of latitude is 1,112 metres.
        assert!(
            told(&wish(None, None, at(48.967, 4.363, 700)))
                && !told(&wish(None, None, at(48.967, 4.363, 600)))
        );
        assert!(concerns(&[], &[], &wish(Some("eau"), Some("nord"), None)));
    }

    #[test]
    fn danger_needs_a_second_person_and_never_the_author() {
        let draft = |severity| AlertDrafted {
            by: "a01".into(),
            severity,
            topics: Vec::new(),
            places: Vec::new(),
            channels: vec![Delivery::Email],
            subject: Text::new("Crue", "Flood"),
            body: Text::new("Montez.", "Go up."),
            sms: None,
        };
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let fold = |events: &[AlertEvent]| Alert::fold(events.iter().map(|event| (event, now))).unwrap();
        let mut events: Vec<AlertEvent> = vec![draft(Severity::Danger).into()];
        let code = |done: Result<Vec<AlertEvent>, Rejection>| done.unwrap_err().code;
        assert_eq!(code(fold(&events).send("a02")), "alert.approval_needed");
        assert_eq!(code(fold(&events).approve("a01")), "alert.own");
        events.extend(fold(&events).approve("a02").unwrap());
        events.extend(fold(&events).send("a01").unwrap());
        assert_eq!(code(fold(&events).send("a01")), "alert.standing");
        events.extend(fold(&events).cancel("a01").unwrap());
        assert_eq!(fold(&events).standing, Standing::Cancelled);
        assert!(fold(&events).finish().is_empty());
        assert!(fold(&[draft(Severity::Warning).into()]).send("a01").is_ok());
    }
}
