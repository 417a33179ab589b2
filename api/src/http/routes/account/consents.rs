//! What a citizen agrees to, and which news they asked for.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use guichet_engine::rules::records::contact::{Circle, Wish};
use guichet_engine::rules::request::Rejection;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{AccountAnswer, AroundBody, changed, fault, holder, opened, wrong};
use crate::http::App;
use crate::http::extract::{At, Json, Wishes};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::rights::Scope;

/// The longest name of a purpose, and of a wording, in characters.
const NAME_MAX: usize = 40;
/// The farthest that news are asked for around a point, in metres.
const METRES_MAX: u32 = 50_000;
/// The longest id of a topic or of a neighbourhood, in characters.
const PLACE_MAX: usize = 80;

/// A consent that is given.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "version": "2026-01" }))]
pub(crate) struct ConsentBody {
    /// The wording that was shown.
    #[schema(min_length = 1, max_length = 40, pattern = "^[A-Za-z0-9_.-]{1,40}$")]
    version: String,
}

fn is_name(text: &str) -> bool {
    let plain = |symbol: char| symbol.is_ascii_alphanumeric() || matches!(symbol, '_' | '.' | '-');
    (1..=NAME_MAX).contains(&text.len()) && text.chars().all(plain)
}

/// Agree to a purpose: to be in the contact base of the collectivity, to receive news, … (GDPR, article 7).
#[utoipa::path(
    put, path = "/v1/{tenant}/account/consents/{purpose}", tag = "account", security(("key" = ["account"])),
    params(
        ("purpose" = String, Path, description = "What for, for example `contact_base`.",
            min_length = 1, max_length = 40, pattern = "^[A-Za-z0-9_.-]{1,40}$"),
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    request_body = ConsentBody,
    responses(
        (status = 200, description = "The account as it stands now.", body = AccountAnswer),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn account_consent(
    State(app): State<App>,
    At((tenant, purpose)): At<(String, String)>,
    wishes: Wishes,
    Json(body): Json<ConsentBody>,
) -> Result<Response, Problem> {
    let account = holder(&wishes, &app, &tenant).await?;
    opened(&app, &tenant, account).await?;
    if !is_name(&purpose) {
        return Err(Problem::not_found());
    }
    if !is_name(&body.version) {
        let words = ("Il faut un mot de 40 lettres au plus.", "This must be a word of 40 letters at most.");
        return Err(super::own(wrong(vec![fault("/version", words.0, words.1)])));
    }
    let content = ("consent", &purpose, &body.version);
    changed(&app, &wishes, (&tenant, account), &content, |known| known.consent(&purpose, &body.version)).await
}

/// Agree no longer.
#[utoipa::path(
    delete, path = "/v1/{tenant}/account/consents/{purpose}", tag = "account", security(("key" = ["account"])),
    params(
        ("purpose" = String, Path, description = "What for.",
            min_length = 1, max_length = 40, pattern = "^[A-Za-z0-9_.-]{1,40}$"),
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    responses(
        (status = 200, description = "The account as it stands now.", body = AccountAnswer),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn account_withdraw_consent(
    State(app): State<App>,
    At((tenant, purpose)): At<(String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    let account = holder(&wishes, &app, &tenant).await?;
    opened(&app, &tenant, account).await?;
    let content = ("withdraw_consent", &purpose);
    changed(&app, &wishes, (&tenant, account), &content, |known| known.withdraw_consent(&purpose)).await
}

/// News that somebody asks for. What is not said is not limited.
#[derive(Debug, Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "topic": "voirie", "area": "centre" }))]
pub(crate) struct WishBody {
    /// A theme of the catalogue.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 80)]
    topic: Option<String>,
    /// A neighbourhood, by its id.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 80)]
    area: Option<String>,
    /// Around a point.
    #[serde(default)]
    around: Option<AroundBody>,
}

impl WishBody {
    /// The wish, if it can be one.
    pub(crate) fn wish(&self) -> Result<Wish, Rejection> {
        let mut faults = Vec::new();
        let mut name = |text: &Option<String>, pointer: &str| {
            let wrong = text.as_ref().is_some_and(|text| {
                !(1..=PLACE_MAX).contains(&text.chars().count()) || text.chars().any(char::is_control)
            });
            if wrong {
                faults.push(fault(
                    pointer,
                    "Ce nom est vide ou trop long.",
                    "This name is empty or too long.",
                ));
            }
        };
        name(&self.topic, "/topic");
        name(&self.area, "/area");
        if let Some(around) = &self.around {
            let on_earth = around.lat.abs() <= 90.0 && around.lon.abs() <= 180.0;
            if !on_earth || !(1..=METRES_MAX).contains(&around.metres) {
                let (fr, en) = ("Ce lieu n’en est pas un.", "This is no such place.");
                faults.push(fault("/around", fr, en));
            }
        }
        if !faults.is_empty() {
            return Err(wrong(faults));
        }
        let around = self.around.map(|at| Circle { lat: at.lat, lon: at.lon, metres: at.metres });
        Ok(Wish { topic: self.topic.clone(), area: self.area.clone(), around })
    }
}

/// Ask for news.
#[utoipa::path(
    post, path = "/v1/{tenant}/account/subscriptions", tag = "account", security(("key" = ["account"])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    request_body = WishBody,
    responses(
        (status = 200, description = "The account as it stands now.", body = AccountAnswer),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn account_subscribe(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(body): Json<WishBody>,
) -> Result<Response, Problem> {
    let account = holder(&wishes, &app, &tenant).await?;
    opened(&app, &tenant, account).await?;
    let wish = body.wish().map_err(super::own)?;
    // From the command, so that a repeat makes the same one.
    let subscription = Uuid::new_v5(&account, wishes.command_id(&app)?.0.as_bytes());
    let content = ("subscribe", &wish);
    changed(&app, &wishes, (&tenant, account), &content, |known| known.subscribe(subscription, &wish)).await
}

/// Ask for these news no longer.
#[utoipa::path(
    delete, path = "/v1/{tenant}/account/subscriptions/{subscription}", tag = "account",
    security(("key" = ["account"])),
    params(
        ("subscription" = Uuid, Path, description = "The subscription."),
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    responses(
        (status = 200, description = "The account as it stands now.", body = AccountAnswer)
    )
)]
pub(crate) async fn account_unsubscribe(
    State(app): State<App>,
    At((tenant, subscription)): At<(String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    let account = holder(&wishes, &app, &tenant).await?;
    opened(&app, &tenant, account).await?;
    let subscription = Uuid::parse_str(&subscription).map_err(|_| Problem::not_found())?;
    let content = ("unsubscribe", subscription);
    let decide =
        |known: &guichet_engine::rules::records::contact::Account| Ok(known.unsubscribe(Some(subscription)));
    changed(&app, &wishes, (&tenant, account), &content, decide).await
}

/// How many people agreed to what.
#[derive(Serialize, ToSchema)]
pub(crate) struct ContactBaseAnswer {
    /// By purpose and wording.
    consents: Vec<ConsentCountAnswer>,
    /// How many people asked for news, by theme; those who named none under the empty name.
    topics: std::collections::BTreeMap<String, u64>,
    /// The position at which that is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
}

/// How many people agreed to one wording of a purpose.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConsentCountAnswer {
    /// To what.
    purpose: String,
    /// To which wording.
    version: String,
    /// How many.
    people: u64,
}

/// The collectivity's contact base, in numbers: who is in it is told to nobody.
#[utoipa::path(
    get, path = "/v1/{tenant}/contact-base", tag = "agents", security(("key" = ["alerts:send"])),
    responses(
        (status = 200, description = "How many people agreed to what, and asked for which news.", body = ContactBaseAnswer)
    )
)]
pub(crate) async fn contact_base(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    wishes.needs(&app, &tenant, Scope::AlertsSend).await?;
    let consents = app.guichet.read_models().consents(&tenant).await?;
    let topics = app.guichet.read_models().topics(&tenant).await?;
    let counts = consents.value.into_iter().map(|count| ConsentCountAnswer {
        purpose: count.purpose,
        version: count.version,
        people: count.people,
    });
    let as_of = consents.as_of.map(|position| position.to_string());
    let answer = ContactBaseAnswer { consents: counts.collect(), topics: topics.value, as_of };
    Ok(axum::Json(answer).into_response())
}
