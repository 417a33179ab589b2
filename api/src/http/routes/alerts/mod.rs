//! One message to all whom it concerns: written, agreed to, sent, watched, stopped; and news that people ask for by their
//! address alone.

mod subscribe;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use guichet_engine::rules::process::Delivery;
use guichet_engine::rules::records::alert::{Alert, AlertDrafted, AlertEvent, Place, Severity, Standing};
use guichet_engine::rules::records::contact::Circle;
use guichet_engine::rules::request::Rejection;
use guichet_engine::rules::text::Text;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::account::{AroundBody, Way, fault, own, wrong};
use crate::accounts::alerts::{Concern, alert, change, count, events};
use crate::http::App;
use crate::http::extract::{At, Json, Wishes};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::rights::{Principal, Scope};

/// How many topics and how many places an alert can name.
const NAMED_MAX: usize = 50;
/// The longest line, text and text message of an alert, in characters.
const LENGTHS: [(&str, usize); 3] = [("/subject", 150), ("/body", 10_000), ("/sms", 600)];
/// The latest alerts that a list shows.
const LISTED: u32 = 100;

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(alerts_list, alerts_draft))
        .routes(routes!(alerts_one))
        .routes(routes!(alerts_act))
        .routes(routes!(subscribe::subscriptions_ask))
        .routes(routes!(subscribe::subscriptions_confirm))
        .routes(routes!(subscribe::unsubscribe_page, subscribe::unsubscribe))
}

/// How grave an alert is.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Gravity {
    /// Good to know.
    Information,
    /// To be taken into account.
    Warning,
    /// People are in danger: it goes out at any hour, once a second person agrees.
    Danger,
}

impl From<Gravity> for Severity {
    fn from(gravity: Gravity) -> Self {
        match gravity {
            Gravity::Information => Self::Information,
            Gravity::Warning => Self::Warning,
            Gravity::Danger => Self::Danger,
        }
    }
}

/// Words in French and in English.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WordsBody {
    /// French.
    #[schema(min_length = 1)]
    fr: String,
    /// English; the French words are shown where it is left out.
    #[serde(default)]
    en: String,
}

/// Where an alert is about: a neighbourhood, or what lies around a point.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceBody {
    /// A neighbourhood, by its id.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 80)]
    area: Option<String>,
    /// Around a point.
    #[serde(default)]
    around: Option<AroundBody>,
}

/// An alert as it is written.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "severity": "warning", "topics": ["voirie"], "places": [{ "area": "centre" }], "channels": ["email", "sms"],
    "subject": { "fr": "Pont fermé demain", "en": "Bridge closed tomorrow" },
    "body": { "fr": "Le pont sera fermé demain de 8 h à 18 h.", "en": "The bridge is closed tomorrow from 8 to 18." }
}))]
pub(crate) struct AlertBody {
    /// How grave it is.
    severity: Gravity,
    /// Themes of the catalogue; for whoever asked for any news if empty.
    #[serde(default)]
    #[schema(max_items = 50)]
    topics: Vec<String>,
    /// Where; everywhere if empty.
    #[serde(default)]
    #[schema(max_items = 50)]
    places: Vec<PlaceBody>,
    /// By which means.
    #[schema(min_items = 1, max_items = 2)]
    channels: Vec<Way>,
    /// One line, of 150 characters at most.
    subject: WordsBody,
    /// The text of an e-mail, of 10,000 characters at most.
    body: WordsBody,
    /// The text message, of 600 characters at most; the line if none.
    #[serde(default)]
    sms: Option<WordsBody>,
}

impl AlertBody {
    fn draft(self, by: String) -> Result<AlertDrafted, Rejection> {
        let mut faults = Vec::new();
        for (words, (pointer, most)) in
            [Some(&self.subject), Some(&self.body), self.sms.as_ref()].into_iter().zip(LENGTHS)
        {
            let Some(words) = words else { continue };
            let long = words.fr.chars().count() > most || words.en.chars().count() > most;
            if words.fr.trim().is_empty() || long {
                faults.push(fault(
                    pointer,
                    "Ce texte est vide ou trop long.",
                    "This text is empty or too long.",
                ));
            }
        }
        if self.subject.fr.contains(['\n', '\r']) || self.subject.en.contains(['\n', '\r']) {
            faults.push(fault("/subject", "Il faut une seule ligne.", "This must be one line."));
        }
        let much = self.topics.len() > NAMED_MAX || self.places.len() > NAMED_MAX;
        if much || self.channels.is_empty() || self.channels.len() > 2 {
            faults.push(fault("", "Il y en a trop, ou trop peu.", "There are too many, or too few."));
        }
        let empty = |place: &PlaceBody| place.area.is_none() == place.around.is_none();
        if self.places.iter().any(empty) {
            let (fr, en) = ("Un lieu est un quartier ou un cercle.", "A place is an area or a circle.");
            faults.push(fault("/places", fr, en));
        }
        if !faults.is_empty() {
            return Err(wrong(faults));
        }
        let text = |words: WordsBody| Text::new(words.fr, words.en);
        let place = |place: PlaceBody| Place { area: place.area, around: place.around.map(Circle::from) };
        let mut channels: Vec<Delivery> = self.channels.into_iter().map(Way::delivery).collect();
        channels.dedup();
        Ok(AlertDrafted {
            by,
            severity: self.severity.into(),
            topics: self.topics,
            places: self.places.into_iter().map(place).collect(),
            channels,
            subject: text(self.subject),
            body: text(self.body),
            sms: self.sms.map(text),
        })
    }
}

/// An alert as it stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertAnswer {
    /// The alert.
    alert: Uuid,
    /// Where it stands: `drafted`, `approved`, `sending`, `finished` or `cancelled`.
    #[schema(value_type = String)]
    standing: Standing,
    /// Staff code of the author.
    by: String,
    /// Who agreed, by staff code.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<String>,
    /// How grave it is: `information`, `warning` or `danger`.
    #[schema(value_type = String)]
    severity: Severity,
    /// Its line.
    #[schema(value_type = Object)]
    subject: Text,
    /// Its text.
    #[schema(value_type = Object)]
    body: Text,
    /// When it was written (UTC).
    drafted: DateTime<Utc>,
    /// When it began to go out (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<DateTime<Utc>>,
    /// How many people it concerns: now, or when it began to go out.
    people: u64,
    /// How far it has gone out.
    reach: ReachAnswer,
}

/// How far an alert has gone out: numbers of people.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReachAnswer {
    /// About to be told.
    taken: u64,
    /// Told.
    reached: u64,
    /// Whose message the transport refused.
    failed: u64,
    /// Without a proven address by any of its means.
    unreachable: u64,
}

/// The alerts of a collectivity.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertsAnswer {
    /// The latest written first.
    alerts: Vec<AlertAnswer>,
}

async fn agent(wishes: &Wishes, app: &App, tenant: &str) -> Result<Principal, Problem> {
    match wishes.needs(app, tenant, Scope::AlertsSend).await? {
        agent @ Principal::Agent(_) => Ok(agent),
        // That a second person agrees says something only of people.
        Principal::Integrator(_) | Principal::Citizen(_) => Err(Problem::forbidden(
            "Une alerte est écrite, approuvée et envoyée par des agents.",
            "An alert is written, approved and sent by members of staff.",
        )),
    }
}

async fn answer(app: &App, tenant: &str, id: Uuid, alert: Alert) -> Result<AlertAnswer, Problem> {
    let (topics, places) = (&alert.draft.topics, &alert.draft.places);
    let until = alert.sent.unwrap_or_else(|| app.guichet.now());
    let people = count(&app.guichet, &Concern { tenant, topics, places, until }).await?;
    let reach = app.guichet.read_models().alert_reach(id).await?.value;
    Ok(AlertAnswer {
        alert: id,
        standing: alert.standing,
        by: alert.draft.by,
        approved_by: alert.approved_by,
        severity: alert.draft.severity,
        subject: alert.draft.subject,
        body: alert.draft.body,
        drafted: alert.drafted,
        sent: alert.sent,
        people,
        reach: ReachAnswer {
            taken: reach.taken,
            reached: reach.reached,
            failed: reach.failed,
            unreachable: reach.unreachable,
        },
    })
}

/// The alerts of a collectivity, the latest written first.
#[utoipa::path(
    get, path = "/v1/{tenant}/alerts", tag = "agents", security(("key" = ["alerts:send"])),
    responses(
        (status = 200, description = "The latest hundred.", body = AlertsAnswer)
    )
)]
pub(crate) async fn alerts_list(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    wishes.needs(&app, &tenant, Scope::AlertsSend).await?;
    let mut alerts = Vec::new();
    for line in app.guichet.read_models().alerts(&tenant, LISTED).await?.value {
        if let Some(known) = alert(&app.guichet, &tenant, line.alert).await? {
            alerts.push(answer(&app, &tenant, line.alert, known).await?);
        }
    }
    Ok(axum::Json(AlertsAnswer { alerts }).into_response())
}

/// Write an alert. The answer says how many people it concerns; nothing goes out yet.
#[utoipa::path(
    post, path = "/v1/{tenant}/alerts", tag = "agents", security(("key" = ["alerts:send"])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    request_body = AlertBody,
    responses(
        (status = 201, description = "It is written.", body = AlertAnswer),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn alerts_draft(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(body): Json<AlertBody>,
) -> Result<Response, Problem> {
    let agent = agent(&wishes, &app, &tenant).await?;
    let actor = agent.actor();
    let draft = body.draft(actor.staff_code().unwrap_or_default().to_owned()).map_err(own)?;
    let command = wishes.command_id(&app)?;
    // From the command, so that a repeat finds the same one.
    let id = Uuid::new_v5(&command.0, tenant.as_bytes());
    change(&app.guichet, (&tenant, id), (&actor, command), &("draft", &draft), |entries| {
        Ok(if entries.is_empty() { vec![AlertEvent::from(draft.clone())] } else { Vec::new() })
    })
    .await?;
    shown(&app, &tenant, id, StatusCode::CREATED).await
}

async fn shown(app: &App, tenant: &str, id: Uuid, status: StatusCode) -> Result<Response, Problem> {
    let known = alert(&app.guichet, tenant, id).await?.ok_or_else(Problem::not_found)?;
    Ok((status, axum::Json(answer(app, tenant, id, known).await?)).into_response())
}

/// One alert, and how far it has gone out.
#[utoipa::path(
    get, path = "/v1/{tenant}/alerts/{alert}", tag = "agents", security(("key" = ["alerts:send"])),
    params(
        ("alert" = Uuid, Path, description = "The alert.")
    ),
    responses(
        (status = 200, description = "The alert.", body = AlertAnswer)
    )
)]
pub(crate) async fn alerts_one(
    State(app): State<App>,
    At((tenant, id)): At<(String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    wishes.needs(&app, &tenant, Scope::AlertsSend).await?;
    let id = Uuid::parse_str(&id).map_err(|_| Problem::not_found())?;
    shown(&app, &tenant, id, StatusCode::OK).await
}

/// What is done about an alert.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlertAction {
    /// Agree to it; never its author.
    Approve,
    /// Let it go out.
    Send,
    /// Stop it; who was told was told.
    Cancel,
}

/// What is to be done about an alert.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "action": "send" }))]
pub(crate) struct AlertActionBody {
    /// What.
    action: AlertAction,
}

/// Agree to an alert, let it go out, or stop it.
#[utoipa::path(
    post, path = "/v1/{tenant}/alerts/{alert}/actions", tag = "agents", security(("key" = ["alerts:send"])),
    params(
        ("alert" = Uuid, Path, description = "The alert."),
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    request_body = AlertActionBody,
    responses(
        (status = 200, description = "The alert as it stands now.", body = AlertAnswer),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn alerts_act(
    State(app): State<App>,
    At((tenant, id)): At<(String, String)>,
    wishes: Wishes,
    Json(body): Json<AlertActionBody>,
) -> Result<Response, Problem> {
    let agent = agent(&wishes, &app, &tenant).await?;
    let id = Uuid::parse_str(&id).map_err(|_| Problem::not_found())?;
    let actor = agent.actor();
    let by = actor.staff_code().unwrap_or_default();
    alert(&app.guichet, &tenant, id).await?.ok_or_else(Problem::not_found)?;
    let command = wishes.command_id(&app)?;
    change(&app.guichet, (&tenant, id), (&actor, command), &body, |entries| {
        // It is there: nothing takes an alert away.
        let Some(alert) = Alert::fold(events(entries)) else { return Ok(Vec::new()) };
        match body.action {
            AlertAction::Approve => alert.approve(by),
            AlertAction::Send => alert.send(by),
            AlertAction::Cancel => alert.cancel(by),
        }
    })
    .await?;
    shown(&app, &tenant, id, StatusCode::OK).await
}
