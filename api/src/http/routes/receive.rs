//! Receiving a request, from the public or through an agent.

use axum::extract::State;
use axum::response::Response;
use guichet_engine::Submission;
use guichet_engine::rules::process::{Channel, Opener};
use guichet_engine::rules::request::{Actor, Command, Contact, RequesterInput};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::http::App;
use crate::http::answers::{ReceiptAnswer, receipt};
use crate::http::extract::{At, Json, Wishes};
use crate::http::openapi::IncomingBody;
use crate::http::problem::Problem;
use crate::http::routes::files::proven;
use crate::rights::{Principal, Scope};

/// A request as a client sends it: the command `receive` without its name.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Incoming {
    /// The process, for example `voirie/chaussee-abimee`.
    process: String,
    /// The way it came in. Without a key: `web` or `mobile`.
    #[serde(default = "web")]
    channel: Channel,
    /// Who opens it.
    #[serde(default = "citizen")]
    opened_by: Opener,
    /// Who it is for.
    #[serde(default)]
    requester: RequesterInput,
    /// The form, as the catalogue describes it.
    #[serde(default)]
    form: Map<String, Value>,
    /// The number it has in the system it comes from; with a key only.
    #[serde(default)]
    external: Option<String>,
    /// The answer, if it was given at once; with an agent’s key only.
    #[serde(default)]
    answer: Option<String>,
    /// When it was made (UTC), if that was before now; with a key only.
    #[serde(default)]
    occurred_at: Option<chrono::DateTime<chrono::Utc>>,
    /// When another administration first received it (UTC), if it was forwarded from there; with a key only.
    #[serde(default)]
    first_received_at: Option<chrono::DateTime<chrono::Utc>>,
}

fn web() -> Channel {
    Channel::Web
}

fn citizen() -> Opener {
    Opener::Citizen
}

impl Incoming {
    /// The command, and when what it tells of happened.
    pub(crate) fn command(self) -> (Command, Option<chrono::DateTime<chrono::Utc>>) {
        let command = Command::Receive {
            process: self.process,
            channel: self.channel,
            opened_by: self.opened_by,
            requester: self.requester,
            form: self.form,
            external: self.external,
            first_received_at: self.first_received_at,
            answer: self.answer,
            origin: None,
        };
        (command, self.occurred_at)
    }

    /// Without a key only what a member of the public says of themselves, on a screen, counts.
    fn is_public(&self) -> bool {
        matches!(self.channel, Channel::Web | Channel::Mobile)
            && self.opened_by == Opener::Citizen
            && !self.requester.account
            && self.external.is_none()
            && self.answer.is_none()
            && self.occurred_at.is_none()
            && self.first_received_at.is_none()
    }
}

/// Receive a request.
///
/// Without a key it is a citizen's, through the web or a mobile application. With an agent's or integrator's key it may
/// come through any channel. Send an `Idempotency-Key` (any UUID): the same key again answers the first receipt.
#[utoipa::path(
    post, path = "/v1/{tenant}/requests", tag = "public", operation_id = "requests_receive", security((), ("key" = ["requests:receive"])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client."),
        ("Prefer" = Option<String>, Header, description = "`wait=5`: answer once lists and figures show it, after 5 seconds at most.")
    ),
    request_body(content = IncomingBody, description = "The request.",
        example = json!({
            "process": "voirie/chaussee-abimee",
            "form": { "place": [48.957, 4.363], "danger": true, "details": "un trou profond" },
            "requester": { "preferred": "email", "contact": { "email": "jeanne@exemple.example" } }
        })),
    responses(
        (status = 201, description = "Received.", body = ReceiptAnswer),
        (status = 200, description = "It had been received before.", body = ReceiptAnswer)
    )
)]
pub(crate) async fn receive(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(mut incoming): Json<Incoming>,
) -> Result<Response, Problem> {
    let (principal, account) = match wishes.caller(&app, &tenant).await? {
        // With an account one reports as everybody does, and finds it again there.
        Some(Principal::Citizen(account)) => (None, Some(account)),
        Some(Principal::Agent(_) | Principal::Integrator(_)) => {
            let caller = wishes.needs_caller(&app, &tenant, Scope::RequestsReceive).await?;
            let reached = caller.reaches(&incoming.process);
            (Some(reached.then_some(caller.principal).ok_or_else(Problem::beyond_key)?), None)
        }
        None => (None, None),
    };
    if app.guichet.engine().organisation_now(&tenant).await?.is_none() {
        return Err(Problem::not_found());
    }
    if principal.is_none() && !incoming.is_public() {
        return Err(Problem::unauthorized());
    }
    if principal.is_none() {
        app.arrivals.take(&tenant, wishes.address, app.guichet.now()).map_err(Problem::too_many)?;
    }
    if let Some(account) = account {
        in_account(&app, &tenant, account, &mut incoming.requester).await?;
    }
    proven(&app, &tenant, &mut incoming.form).await?;
    let (command, occurred_at) = incoming.command();
    let submission = Submission {
        request: None,
        command,
        actor: principal.map_or(Actor::Requester, |principal| principal.actor()),
        command_id: wishes.command_id(&app)?,
        occurred_at,
        expected: None,
        tenant,
    };
    let done = app.submit(submission).await?;
    Ok(receipt(&app, &wishes, done, true).await)
}

/// Says that a request is made in an account. Whoever does not say how to be reached is reached as their account says.
async fn in_account(
    app: &App,
    tenant: &str,
    account: Uuid,
    requester: &mut RequesterInput,
) -> Result<(), Problem> {
    let known = super::account::opened(app, tenant, account).await?;
    (requester.account, requester.account_id) = (true, Some(account));
    if requester.contact == Contact::default() {
        let names = [known.identity.given_name, known.identity.family_name];
        let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
        requester.contact = Contact {
            name: (!name.is_empty()).then_some(name),
            email: known.details.email.filter(|_| known.by_email),
            phone: known.details.phone.filter(|_| known.by_sms),
            address: known.details.address,
            social: None,
        };
        requester.preferred = requester.preferred.or(known.preferred);
        requester.language = known.language;
    }
    Ok(())
}
