//! Text messages and messages of social networks, from gateways.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::{StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::mail::Arrived;
use super::unset;
use crate::channels::gateway::{MESSAGE_BYTES_MAX, Sent, Shown, shown};
use crate::channels::{sms, social};
use crate::http::App;
use crate::http::extract::{At, Wishes};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::outbound::{Means, OutMessage};
use crate::rights::Scope;
use crate::settings::channels::Proof;

/// A text message, by the names that are used unless the settings give those of the gateway.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it stands for the schema of a body")]
#[schema(example = json!({ "from": "+33639980001", "text": "Lampadaire éteint rue de la Marne", "id": "g-1" }))]
pub(crate) struct SmsBody {
    /// Who sent it.
    from: String,
    /// What it says.
    text: String,
    /// The gateway's id of it: the same id again counts once.
    id: String,
    /// What the parts of one long message have in common, where they come one by one.
    reference: Option<String>,
}

/// A message of a social network, by the names that are used unless the settings give those of the gateway.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it stands for the schema of a body")]
#[schema(example = json!({ "platform": "mastodon", "thread": "t-1", "author": "@camille", "text": "Un banc est cassé au Jard", "id": "m-1" }))]
pub(crate) struct SocialBody {
    /// The network.
    platform: String,
    /// The thread: its first message is a request, those after it are words on it.
    thread: String,
    /// Who wrote it.
    author: String,
    /// What it says.
    text: String,
    /// The gateway's id of it: the same id again counts once.
    id: String,
    /// Addresses of pictures; they are written down and never fetched.
    media: Option<Vec<String>>,
    /// An e-mail address of the author, where the network gives one.
    email: Option<String>,
}

/// What became of a text message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "became": "request", "request": "8d698e70-82cc-5089-85b7-f13ddea0fe6f", "repeated": false }))]
pub(crate) struct SmsArrived {
    #[serde(flatten)]
    arrived: Arrived,
    /// What to answer by text message, where the settings leave that to the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
}

/// Hand over a text message.
///
/// JSON or a form, by names that the settings give. Instead of a key, the gateway may sign (HMAC-SHA256) or show a shared
/// secret, where the settings name one. A text with a tracking code is a word on that request, or, with nothing but the
/// code, asks how it stands; `STOP` ends all text messages to its sender; any other text is a new request.
#[utoipa::path(
    post, path = "/v1/{tenant}/channels/sms", tag = "agents", operation_id = "channels_sms",
    security(("key" = ["channels:deliver"])),
    request_body(content((SmsBody = "application/json"), (SmsBody = "application/x-www-form-urlencoded")), description = "The message."),
    responses(
        (status = 200, description = "What became of it.", body = SmsArrived),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn channels_sms(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    request: Request,
) -> Result<axum::Json<SmsArrived>, Problem> {
    let settings = &app.guichet.options().settings.channels.sms;
    let gateway = settings.iter().find(|gateway| gateway.tenant == tenant);
    let proof = gateway.and_then(|gateway| gateway.proof.as_ref());
    let sent = sent(&app, &tenant, &wishes, proof, request).await?;
    let gateway = gateway.ok_or_else(unset)?;
    let names = &gateway.fields;
    let text = sms::Text {
        from: needed(&sent, &names.from, 40)?,
        text: needed(&sent, &names.text, 20_000)?,
        id: needed(&sent, &names.id, 200)?,
        reference: sent.text(&names.reference).filter(|text| !text.is_empty() && text.len() <= 200),
    };
    let taken = sms::take(&app.guichet, gateway, &text).await?;
    let mut answer = taken.answer;
    if gateway.answers_by_message
        && let Some(words) = answer.take()
    {
        let message = OutMessage {
            id: format!("follow.{}", uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.id.as_bytes())),
            means: Means::Sms,
            to: text.from.clone(),
            from: String::new(),
            from_name: String::new(),
            subject: String::new(),
            text: words,
            at: app.guichet.now(),
            language: guichet_engine::rules::text::Language::Fr,
            thread: String::new(),
            link: String::new(),
            files: Vec::new(),
            unsubscribe: None,
        };
        if let Err(error) = app.guichet.outbound().send(&message).await {
            tracing::warn!(%error, "the answer to a text message did not go out");
        }
    }
    Ok(axum::Json(SmsArrived { arrived: taken.became.into(), answer }))
}

/// Hand over a message of a social network.
///
/// JSON or a form, by names that the settings give. Instead of a key, the gateway may sign (HMAC-SHA256) or show a shared
/// secret, where the settings name one.
#[utoipa::path(
    post, path = "/v1/{tenant}/channels/social", tag = "agents", operation_id = "channels_social",
    security(("key" = ["channels:deliver"])),
    request_body(content((SocialBody = "application/json"), (SocialBody = "application/x-www-form-urlencoded")), description = "The message."),
    responses(
        (status = 200, description = "What became of it.", body = Arrived),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn channels_social(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    request: Request,
) -> Result<axum::Json<Arrived>, Problem> {
    let settings = &app.guichet.options().settings.channels.social;
    let gateway = settings.iter().find(|gateway| gateway.tenant == tenant);
    let proof = gateway.and_then(|gateway| gateway.proof.as_ref());
    let sent = sent(&app, &tenant, &wishes, proof, request).await?;
    let gateway = gateway.ok_or_else(unset)?;
    let names = &gateway.fields;
    let post = social::Post {
        platform: needed(&sent, &names.platform, 40)?,
        thread: needed(&sent, &names.thread, 200)?,
        author: needed(&sent, &names.author, 200)?,
        text: sent.text(&names.text).unwrap_or_default(),
        id: needed(&sent, &names.id, 200)?,
        media: sent.list(&names.media),
        email: sent.text(&names.email),
    };
    Ok(axum::Json(social::take(&app.guichet, gateway, &post).await?.into()))
}

/// What a gateway sent, once it has shown who it is.
pub(super) async fn sent(
    app: &App,
    tenant: &str,
    wishes: &Wishes,
    proof: Option<&Proof>,
    request: Request,
) -> Result<Sent, Problem> {
    let headers = request.headers().clone();
    // A body that shows neither key nor signature is not even read.
    let signs = proof.is_some_and(|proof| headers.contains_key(&proof.header));
    if !signs {
        wishes.needs(app, tenant, Scope::ChannelsDeliver).await?;
    }
    let body = Bytes::from_request(request, app).await?;
    if signs && shown(proof, &headers, &body, app.guichet.now()).await != Shown::Right {
        return Err(Problem::unauthorized());
    }
    if body.len() > MESSAGE_BYTES_MAX {
        return Err(Problem::too_large());
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match Sent::read(kind, &body) {
        Some(Ok(sent)) => Ok(sent),
        Some(Err(())) => Err(Problem::malformed(
            "body.malformed",
            "Le corps n’est pas un objet JSON valable.",
            "The body is not a valid JSON object.",
        )),
        None => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "body.not_message",
            "Le corps doit être du JSON ou un formulaire.",
            "The body must be JSON or a form.",
        )),
    }
}

pub(super) fn needed(sent: &Sent, name: &str, most: usize) -> Result<String, Problem> {
    let text = sent.text(name).map(|text| text.trim().to_owned());
    text.filter(|text| !text.is_empty() && text.len() <= most).ok_or_else(|| {
        Problem::unprocessable(
            "message.incomplete",
            format!("« {name} » manque, ou est trop long."),
            format!("“{name}” is missing, or too long."),
        )
    })
}
