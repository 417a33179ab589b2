//! What is sent and answered, and the limits of each part.

use chrono::{DateTime, Utc};
use guichet_engine::rules::records::webhook::{Disablement, Subscription, Webhook, WebhookStanding};
use guichet_projections::{DeadLetter, WebhookEntry};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::App;
use crate::http::problem::Problem;
use crate::outbound::webhook::{AddressFault, TYPE_PREFIX, checked_address};

/// The longest description, in characters.
const DESCRIPTION_CHARACTERS_MAX: usize = 200;
/// The most beginnings of names of events.
const EVENTS_MAX: usize = 20;
/// The longest of them, in characters.
const EVENT_CHARACTERS_MAX: usize = 100;
/// The most processes.
const PROCESSES_MAX: usize = 50;
/// The longest name of a process, in characters.
const PROCESS_CHARACTERS_MAX: usize = 200;

/// An address to be told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookWanted {
    /// Where to: `https`, a public host, no user name or password.
    #[schema(format = "uri", min_length = 1, max_length = 2000)]
    pub(super) url: String,
    /// What it is for; nothing personal.
    #[serde(default)]
    #[schema(max_length = 200)]
    description: Option<String>,
    /// Beginnings of event types, with or without `fr.guichet.`: `request.` or `request.delivered`; everything if empty.
    #[serde(default)]
    #[schema(max_items = 20, pattern = "^[a-z_.]{1,100}$")]
    events: Vec<String>,
    /// Processes; all of them if empty.
    #[serde(default)]
    #[schema(max_items = 50, pattern = "^[a-z0-9/_-]{1,200}$")]
    processes: Vec<String>,
    /// Whether to begin at once.
    #[serde(default = "yes")]
    #[schema(default = true)]
    active: bool,
}

fn yes() -> bool {
    true
}

impl WebhookWanted {
    pub(super) fn subscription(self) -> Result<Subscription, Problem> {
        checked(Subscription {
            description: self.description,
            events: self.events,
            processes: self.processes,
            active: self.active,
        })
    }
}

/// What is to be different; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookChange {
    /// Where to.
    #[serde(default)]
    #[schema(format = "uri", min_length = 1, max_length = 2000)]
    pub(super) url: Option<String>,
    /// What it is for; empty for nothing.
    #[serde(default)]
    #[schema(max_length = 200)]
    description: Option<String>,
    /// Beginnings of event types.
    #[serde(default)]
    #[schema(max_items = 20, pattern = "^[a-z_.]{1,100}$")]
    events: Option<Vec<String>>,
    /// Processes.
    #[serde(default)]
    #[schema(max_items = 50, pattern = "^[a-z0-9/_-]{1,200}$")]
    processes: Option<Vec<String>>,
    /// `false` pauses: what happens meanwhile is sent afterwards.
    #[serde(default)]
    active: Option<bool>,
}

impl WebhookChange {
    pub(super) fn on(self, before: Subscription) -> Result<Subscription, Problem> {
        checked(Subscription {
            description: self.description.or(before.description),
            events: self.events.unwrap_or(before.events),
            processes: self.processes.unwrap_or(before.processes),
            active: self.active.unwrap_or(true),
        })
    }
}

/// Within the limits, and in one form: an event type without its prefix, no empty description.
fn checked(mut subscription: Subscription) -> Result<Subscription, Problem> {
    let description = subscription.description.as_deref().unwrap_or_default();
    let event = |name: &String| {
        (1..=EVENT_CHARACTERS_MAX).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || b"_.".contains(&byte))
    };
    let process = |name: &String| {
        (1..=PROCESS_CHARACTERS_MAX).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"/_-".contains(&b))
    };
    let wrong = if description.chars().count() > DESCRIPTION_CHARACTERS_MAX {
        "description"
    } else if subscription.events.len() > EVENTS_MAX || !subscription.events.iter().all(event) {
        "events"
    } else if subscription.processes.len() > PROCESSES_MAX || !subscription.processes.iter().all(process) {
        "processes"
    } else {
        subscription.description = subscription.description.filter(|text| !text.trim().is_empty());
        for name in &mut subscription.events {
            if let Some(rest) = name.strip_prefix(TYPE_PREFIX) {
                *name = rest.to_owned();
            }
        }
        return Ok(subscription);
    };
    Err(Problem::unprocessable(
        "webhook.filter",
        format!("« {wrong} » sort des limites décrites dans le document OpenAPI."),
        format!("“{wrong}” is outside of the limits that the OpenAPI document describes."),
    ))
}

/// The address, as it is kept.
pub(super) fn address_of(app: &App, text: &str) -> Result<String, Problem> {
    let checked = checked_address(text, &app.guichet.options().settings);
    checked.map(String::from).map_err(|fault| {
        let (fr, en) = match fault {
            AddressFault::Malformed => (
                "L’adresse n’est pas une adresse HTTP, ou dépasse 2 000 caractères.",
                "The address is not one for HTTP, or longer than 2,000 characters.",
            ),
            AddressFault::InClear => {
                ("L’adresse doit commencer par https://.", "The address must begin with https://.")
            }
            AddressFault::Credentials => (
                "L’adresse ne doit contenir ni nom d’utilisateur ni mot de passe.",
                "The address must hold no user name and no password.",
            ),
            AddressFault::NotPublic => (
                "L’adresse doit être publique ; l’exploitant peut en autoriser d’autres dans ses réglages.",
                "The address must be public; the operator may allow others in the settings.",
            ),
        };
        Problem::unprocessable("webhook.address", fr, en)
    })
}

/// An address that changes are sent to.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(crate) struct WebhookAnswer {
    /// Its id.
    id: Uuid,
    /// Where to; none once its key was destroyed.
    url: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// Beginnings of event types; everything if empty.
    events: Vec<String>,
    /// Processes; all of them if empty.
    processes: Vec<String>,
    /// `active`, `paused` or `disabled`.
    #[schema(value_type = String, example = "active")]
    standing: WebhookStanding,
    /// Why it is disabled: `gone` (the receiver answered 410) or `failing` (for five days).
    #[schema(value_type = Option<String>)]
    disabled: Option<Disablement>,
    /// Until when the secret before this one signs as well (UTC).
    previous_secret_until: Option<DateTime<Utc>>,
    /// When it was registered (UTC); none for a moment after that.
    registered: Option<DateTime<Utc>>,
    /// How its deliveries go.
    deliveries: WebhookDeliveries,
}

/// How the deliveries of a webhook go.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct WebhookDeliveries {
    /// Events that are tried again.
    waiting: u64,
    /// Events that are not tried any more.
    dead: u64,
    /// Failures since the last success.
    failures: u32,
    /// When the first of them was (UTC).
    failing_since: Option<DateTime<Utc>>,
    /// The last success (UTC).
    delivered: Option<DateTime<Utc>>,
    /// How the last failure ended.
    error: Option<String>,
}

impl WebhookAnswer {
    pub(super) fn of(id: Uuid, webhook: &Webhook, entry: Option<WebhookEntry>) -> Self {
        let wanted = webhook.subscription.clone();
        let registered = entry.as_ref().map(|entry| entry.registered);
        let deliveries = entry.map(|entry| entry.deliveries).unwrap_or_default();
        Self {
            id,
            url: webhook.address.known().cloned(),
            description: wanted.description,
            events: wanted.events,
            processes: wanted.processes,
            standing: webhook.standing(),
            disabled: webhook.disabled,
            previous_secret_until: webhook.previous.as_ref().map(|(_, until)| *until),
            registered,
            deliveries: WebhookDeliveries {
                waiting: deliveries.waiting,
                dead: deliveries.dead,
                failures: deliveries.failures,
                failing_since: deliveries.failing_since,
                delivered: deliveries.delivered,
                error: deliveries.error,
            },
        }
    }
}

/// An address, with the secret that was made for it.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookCreated {
    /// The address.
    #[serde(flatten)]
    pub(super) webhook: WebhookAnswer,
    /// What signs deliveries (Standard Webhooks). Keep it: it is not shown again.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub(super) secret: String,
}

/// Addresses.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookList {
    /// The first registered first.
    pub(super) webhooks: Vec<WebhookAnswer>,
}

/// How long the present secret goes on signing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookRotation {
    /// Hours during which both secrets sign; 0 where the present one is known to others.
    #[serde(default = "a_day")]
    #[schema(minimum = 0, maximum = 168, default = 24)]
    pub(super) grace_hours: u32,
}

fn a_day() -> u32 {
    24
}

/// A new secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookSecret {
    /// What signs deliveries from now on. Keep it: it is not shown again.
    pub(super) secret: String,
    /// Until when the secret before this one signs as well (UTC).
    pub(super) previous_until: Option<DateTime<Utc>>,
}

/// How a trial ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookTrial {
    /// The delivery’s id, as in `webhook-id`.
    pub(super) id: Uuid,
    /// Whether the receiver took it.
    pub(super) delivered: bool,
    /// How it ended otherwise.
    pub(super) error: Option<String>,
}

/// An event that is not tried any more.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookDeadLetter {
    /// The event’s id, as in `webhook-id`.
    event: Uuid,
    /// Its request.
    request: Uuid,
    /// Its place in the history of the request.
    revision: u64,
    /// Tries made.
    attempts: u32,
    /// When it was given up (UTC).
    since: DateTime<Utc>,
    /// How the last try ended.
    error: Option<String>,
}

impl From<DeadLetter> for WebhookDeadLetter {
    fn from(letter: DeadLetter) -> Self {
        Self {
            event: letter.event,
            request: letter.request.0,
            revision: letter.revision,
            attempts: letter.attempts,
            since: letter.since,
            error: letter.error,
        }
    }
}

/// Events that are not tried any more.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookDeadLetters {
    /// The first first.
    pub(super) dead_letters: Vec<WebhookDeadLetter>,
}

/// How many events are sent again.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookRevived {
    /// So many.
    pub(super) revived: usize,
}
