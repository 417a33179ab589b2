//! What a delivery says: an event in the envelope of CloudEvents 1.0, with the request as it stood right after it. Nothing
//! in it is personal, and the same event always gives the same bytes, however late it is sent.

use chrono::{DateTime, Utc};
use guichet_engine::journal::Recorded;
use guichet_engine::rules::process::{Channel, Priority};
use guichet_engine::rules::request::{ClockStatus, Event, Hold, Meta, Request, RequestId, evolve};
use guichet_engine::rules::text::Text;
use guichet_engine::{Engine, EngineError};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// What stands before the wire name of an event.
pub const TYPE_PREFIX: &str = "fr.guichet.";

/// An event on its way to a webhook (CloudEvents 1.0, structured JSON mode). The header `webhook-id` repeats `id`: whoever
/// receives it twice does nothing the second time. `data.revision` (and `sequence`, which sorts as text) orders the events
/// of one request, whatever the order in which they arrive.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookEvent)]
pub struct Envelope {
    /// `1.0`.
    #[schema(example = "1.0")]
    pub specversion: &'static str,
    /// The event's id, the same at every try.
    pub id: Uuid,
    /// The collectivity's address.
    #[schema(example = "https://guichet.ville.example/v1/ville")]
    pub source: String,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(example = "fr.guichet.request.received")]
    pub kind: String,
    /// The request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it happened (UTC).
    pub time: DateTime<Utc>,
    /// `application/json`.
    pub datacontenttype: &'static str,
    /// Where `data` is described.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataschema: Option<String>,
    /// The event's place in the history of its request, with leading zeros (CloudEvents extension *sequence*).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<String>,
    /// The request right after it; none in a trial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Change>,
}

/// A request as it stood right after an event.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookRequest)]
pub struct Change {
    /// The request.
    pub request: Uuid,
    /// Its process.
    pub process: String,
    /// What the process is called.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>, example = json!({ "fr": "Chaussée abîmée", "en": "Damaged road" }))]
    pub title: Option<Text>,
    /// The stage that it had reached.
    pub stage: &'static str,
    /// `waiting_for_requester` or `suspended`, if it rested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<&'static str>,
    /// The way it came in.
    #[schema(value_type = String)]
    pub channel: Channel,
    /// How soon it should be taken up.
    #[schema(value_type = String)]
    pub priority: Priority,
    /// The service in charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// When it was received (UTC).
    pub received: DateTime<Utc>,
    /// The number it has in the system it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external: Option<String>,
    /// The promises of the present cycle.
    pub promises: Vec<ChangePromise>,
    /// The event's place in the history of the request.
    pub revision: u64,
}

/// A promise as it stood.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookPromise)]
pub struct ChangePromise {
    /// Its name; `silence` for the legal clock.
    pub commitment: String,
    /// `running`, `paused`, `kept`, `late` or `dropped`.
    #[schema(value_type = String)]
    pub status: ClockStatus,
    /// When it is due (UTC).
    pub due: DateTime<Utc>,
    /// Whether it was found broken.
    pub broken: bool,
}

impl Envelope {
    /// A trial: something to verify a signature with.
    #[must_use]
    pub fn trial(id: Uuid, tenant: &str, public_url: &str, now: DateTime<Utc>) -> Self {
        Self {
            specversion: "1.0",
            id,
            source: source(public_url, tenant),
            kind: format!("{TYPE_PREFIX}ping"),
            subject: None,
            time: now,
            datacontenttype: "application/json",
            dataschema: None,
            sequence: None,
            data: None,
        }
    }

    /// The events of a request at these revisions, each with the request as it stood right after it.
    ///
    /// # Errors
    /// [`EngineError`] when the history cannot be read.
    pub async fn of(
        engine: &Engine,
        public_url: &str,
        tenant: &str,
        request: RequestId,
        revisions: &[u64],
    ) -> Result<Vec<Self>, EngineError> {
        let mut found = Vec::with_capacity(revisions.len());
        let mut state: Option<Request> = None;
        for recorded in engine.recorded(tenant, request).await? {
            if recorded.is_newer() {
                return Err(EngineError::Newer(recorded.event_type().to_owned()));
            }
            let header = recorded.header()?;
            let event = Event::decode(recorded.event_type(), recorded.body().as_bytes())?;
            let meta = Meta {
                tenant: tenant.to_owned(),
                actor: header.actor.as_str().to_owned(),
                occurred_at: header.occurred_at,
                recorded_at: header.recorded_at,
            };
            state = evolve(state, &event, &meta);
            let revision = header.revision.get();
            if let Some(after) = state.as_ref().filter(|_| revisions.contains(&revision)) {
                found.push(Self::after(engine, public_url, tenant, &recorded, after).await?);
            }
        }
        Ok(found)
    }

    async fn after(
        engine: &Engine,
        public_url: &str,
        tenant: &str,
        recorded: &Recorded,
        after: &Request,
    ) -> Result<Self, EngineError> {
        let header = recorded.header()?;
        let plan = engine.published(&after.definition).await?;
        let revision = header.revision.get();
        Ok(Self {
            specversion: "1.0",
            id: header.event.uuid(),
            source: source(public_url, tenant),
            kind: format!("{TYPE_PREFIX}{}", recorded.event_type()),
            subject: Some(after.id.to_string()),
            time: header.occurred_at,
            datacontenttype: "application/json",
            dataschema: Some(format!(
                "{}openapi.json#/components/schemas/WebhookRequest",
                slashed(public_url)
            )),
            sequence: Some(format!("{revision:010}")),
            data: Some(Change {
                request: after.id.0,
                process: after.process.clone(),
                title: plan.map(|plan| plan.definition().title.clone()),
                stage: after.stage.id(),
                hold: after.hold.as_ref().map(|hold| match hold {
                    Hold::WaitingForRequester { .. } => "waiting_for_requester",
                    Hold::Suspended { .. } => "suspended",
                }),
                channel: after.channel,
                priority: after.priority,
                service: after.service.clone(),
                received: after.milestones.received,
                external: after.external.clone(),
                promises: promises(after),
                revision,
            }),
        })
    }

    /// As it is sent.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

fn promises(request: &Request) -> Vec<ChangePromise> {
    let present = request.clocks.iter().filter(|clock| clock.cycle == request.cycle);
    let promise = |clock: &guichet_engine::rules::request::Clock| ChangePromise {
        commitment: clock.commitment.clone(),
        status: clock.status,
        due: clock.due,
        broken: clock.broken,
    };
    present.map(promise).collect()
}

fn source(public_url: &str, tenant: &str) -> String {
    format!("{}v1/{tenant}", slashed(public_url))
}

fn slashed(url: &str) -> String {
    format!("{}/", url.trim_end_matches('/'))
}
