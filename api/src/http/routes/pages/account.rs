//! A citizen's account without a script: signing in with a code sent by e-mail, or through the identity provider, one's
//! requests, what one agreed to, and signing out.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use guichet_engine::rules::records::contact::Account;
use guichet_engine::rules::request::{Actor, RequestId};
use guichet_engine::{Known, Submission};
use guichet_projections::CardQuery;
use minijinja::{Value, context};
use uuid::Uuid;

use super::catalogue::asked;
use super::follow::{command, onwards, seen};
use super::form::Form;
use super::page::Reader;
use super::send::zone_of;
use super::token;
use crate::accounts;
use crate::attachments::files_of_requester;
use crate::http::App;
use crate::http::extract::{At, Wishes, request_id};
use crate::http::flat_form::Flat;
use crate::http::problem::Problem;
use crate::http::routes::access::{sessions, sign_in_email};
use crate::http::routes::account::requests::{cards_of, own};
use crate::http::routes::appointments::calendar_answer;
use crate::http::routes::follow::find;
use crate::http::routes::payments::{Visit, begin};
use crate::http::words;
use crate::outbound::dates;
use crate::rights::Principal;

/// What tokens of these forms are for.
const PURPOSE: &str = "account";
/// How many requests are shown at once.
const REQUESTS_AT_ONCE: u32 = 50;

/// Whoever is signed in as a citizen, with their account.
async fn citizen(app: &App, tenant: &str, wishes: &Wishes) -> Result<Option<(Uuid, Account)>, Problem> {
    let Some(Principal::Citizen(account)) = wishes.caller(app, tenant).await? else { return Ok(None) };
    let known = accounts::open(&app.guichet, tenant, account).await?.account;
    Ok(known.is_open().then_some((account, known)))
}

/// The account of whoever is signed in; the way to sign in for whoever is not.
pub(super) async fn show(
    State(app): State<App>,
    At(tenant): At<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    wishes: Wishes,
) -> Response {
    let query = asked(query);
    let reader = Reader::new(&tenant, &query, &headers);
    home(&app, &reader, &wishes, query.one("cursor"), context! {})
        .await
        .unwrap_or_else(|problem| reader.problem(&app, problem))
}

async fn home(
    app: &App,
    reader: &Reader,
    wishes: &Wishes,
    cursor: Option<&str>,
    said: Value,
) -> Result<Response, Problem> {
    let tenant = reader.tenant.as_str();
    app.guichet.engine().organisation_now(tenant).await?.ok_or_else(Problem::not_found)?;
    if !app.sign_in.is_by_email() && !app.sign_in.has_citizens() {
        return Err(Problem::not_found());
    }
    let Some((account, known)) = citizen(app, tenant, wishes).await? else {
        return Ok(signing_in(app, reader, StatusCode::OK, context! {}));
    };
    let query = CardQuery {
        tenant: Some(tenant.to_owned()),
        account: Some(cards_of(account, &known)),
        limit: REQUESTS_AT_ONCE,
        cursor: cursor.map(str::to_owned),
        ..CardQuery::default()
    };
    let found = app.guichet.read_models().cards(&query).await?;
    let mut requests = Vec::with_capacity(found.value.items.len());
    for card in &found.value.items {
        let known = app.guichet.request(tenant, card.request).await?;
        requests.push(line(reader, &known));
    }
    let given = known.consents.iter().filter(|(_, consent)| consent.withdrawn.is_none());
    let zone = chrono_tz::Europe::Paris;
    let consents = given.map(|(purpose, consent)| {
        context! {
            purpose => purpose, version => consent.version.clone(),
            given => dates::date_time(consent.given, &zone, reader.language),
        }
    });
    let inside = context! {
        name => known.identity.given_name,
        email => known.details.email,
        requests => requests,
        next => found.value.next,
        consents => consents.collect::<Vec<_>>(),
    };
    Ok(reader.page(app, StatusCode::OK, "account.html", context! { ..said, ..inside }))
}

fn line(reader: &Reader, known: &Known) -> Value {
    let words = words::stage(known.request.stage.id());
    context! {
        id => known.request.id.0.to_string(),
        title => known.plan.definition().title.get(reader.language),
        words => words.get(reader.language),
        received => dates::date_time(known.request.milestones.received, &zone_of(known), reader.language),
    }
}

/// The page that signs people in.
fn signing_in(app: &App, reader: &Reader, status: StatusCode, said: Value) -> Response {
    let ways = context! { by_email => app.sign_in.is_by_email(), by_provider => app.sign_in.has_citizens() };
    reader.page(app, status, "sign_in.html", context! { ..said, ..ways })
}

/// A code is asked for.
pub(super) async fn ask(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Form { reader, sent }: Form,
) -> Response {
    let address: String = sent.one("address").unwrap_or_default().to_owned();
    match sign_in_email::asked(&app, &tenant, &wishes, (&address, None), reader.language).await {
        Ok(cookie) => {
            let inside = context! { sent => true, address => address };
            let mut response = signing_in(&app, &reader, StatusCode::OK, inside);
            sign_in_email::set(&mut response, cookie.as_deref().into_iter());
            response
        }
        Err(problem) if problem.status == 404 => reader.problem(&app, problem),
        Err(problem) => {
            let field = problem.errors.first().map(|error| error.text.get(reader.language).to_owned());
            let words = field.unwrap_or_else(|| problem.text.get(reader.language).to_owned());
            signing_in(
                &app,
                &reader,
                problem.status_code(),
                context! { problem => words, address => address },
            )
        }
    }
}

/// A code is given back.
pub(super) async fn enter(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Form { reader, sent }: Form,
) -> Response {
    let address = sent.one("address").unwrap_or_default();
    let code = sent.one("code").unwrap_or_default();
    match sign_in_email::given(&app, &tenant, &wishes, (address, code), None).await {
        Ok((token, _)) => {
            let mut response = to_account(&reader);
            let cookies = app.sign_in.cookies().open(&tenant, &token, "");
            sign_in_email::set(&mut response, cookies.iter().map(String::as_str));
            response
        }
        Err(problem) if problem.status == 404 => reader.problem(&app, problem),
        Err(problem) => {
            let words = problem.text.get(reader.language);
            let inside = context! { sent => true, problem => words, address => address };
            signing_in(&app, &reader, problem.status_code(), inside)
        }
    }
}

fn to_account(reader: &Reader) -> Response {
    Redirect::to(&format!("/pages/{}/account{}", reader.tenant, reader.ending())).into_response()
}

/// The session ends, at the identity provider too.
pub(super) async fn leave(
    State(app): State<App>,
    At(tenant): At<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    wishes: Wishes,
) -> Response {
    let reader = Reader::new(&tenant, &asked(query), &headers);
    let mut response = match sessions::ended(&app, &tenant, &wishes).await {
        Ok(Some(provider)) => Redirect::to(provider.as_str()).into_response(),
        Ok(None) => to_account(&reader),
        Err(problem) => return reader.problem(&app, problem),
    };
    sign_in_email::set(&mut response, app.sign_in.cookies().close(&tenant).iter().map(String::as_str));
    response
}

/// A consent is withdrawn (GDPR, article 7 (3): as easily as it was given).
pub(super) async fn withdraw(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Form { reader, sent }: Form,
) -> Response {
    let purpose = sent.one("purpose").unwrap_or_default();
    let done = async || {
        let Some((account, _)) = citizen(&app, &tenant, &wishes).await? else {
            return Ok(to_account(&reader));
        };
        let id = app.guichet.fresh_command_id()?;
        let content = ("withdraw_consent", purpose);
        let withdrawn = |known: &Account| known.withdraw_consent(purpose);
        accounts::change(&app.guichet, (&tenant, account), id, &content, withdrawn).await?;
        home(&app, &reader, &wishes, None, context! { done => true }).await
    };
    done().await.unwrap_or_else(|problem| reader.problem(&app, problem))
}

/// An earlier request is taken in by its code.
pub(super) async fn take_in(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Form { reader, sent }: Form,
) -> Response {
    let code = sent.one("code").unwrap_or_default();
    let done = async || {
        let Some((account, _)) = citizen(&app, &tenant, &wishes).await? else {
            return Ok(to_account(&reader));
        };
        let request = match find(&app, &tenant, &wishes, code).await {
            Ok(request) => request,
            Err(problem) => {
                let words = super::follow::words_of(&problem).get(reader.language).to_owned();
                let typed: String = code.chars().take(40).collect();
                let said = context! { problem => words, typed => typed };
                return home(&app, &reader, &wishes, None, said).await;
            }
        };
        let id = app.guichet.fresh_command_id()?;
        let link = |known: &Account| known.link(request);
        accounts::change(&app.guichet, (&tenant, account), id, &("link", request), link).await?;
        home(&app, &reader, &wishes, None, context! { done => true }).await
    };
    done().await.unwrap_or_else(|problem| reader.problem(&app, problem))
}

/// One of one's requests, with the files that one sent.
pub(super) async fn one(
    State(app): State<App>,
    At((tenant, request)): At<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    wishes: Wishes,
) -> Response {
    let reader = Reader::new(&tenant, &asked(query), &headers);
    match mine(&app, &reader, &wishes, &request).await {
        Ok(Some(inside)) => reader.page(&app, StatusCode::OK, "follow.html", inside),
        Ok(None) => to_account(&reader),
        Err(problem) => reader.problem(&app, problem),
    }
}

async fn mine(app: &App, reader: &Reader, wishes: &Wishes, request: &str) -> Result<Option<Value>, Problem> {
    let tenant = reader.tenant.as_str();
    let Some((account, me)) = citizen(app, tenant, wishes).await? else { return Ok(None) };
    let known = own(app, tenant, account, &me, request_id(request)?).await?;
    let followed = seen(app, reader, wishes, &known).await?;
    let id = known.request.id;
    let target = format!("/pages/{tenant}/account/requests/{}/actions", id.0);
    let token = token::fresh(app, tenant, PURPOSE)?;
    Ok(Some(context! {
        followed => followed, token => token, target => target, files => files(app, tenant, id).await?
    }))
}

async fn files(app: &App, tenant: &str, request: RequestId) -> Result<Vec<Value>, Problem> {
    let history = app.guichet.history(tenant, request, &guichet_engine::Span::default(), true).await?;
    let place = |sha256: &str| format!("/v1/{tenant}/account/requests/{}/files/{sha256}", request.0);
    let shown = |file: crate::attachments::StoredFile| {
        context! { address => place(&file.sha256), name => file.name }
    };
    Ok(files_of_requester(&history).into_iter().map(shown).collect())
}

/// Something that the requester wants of one of their requests.
pub(super) async fn act(
    State(app): State<App>,
    At((_, request)): At<(String, String)>,
    wishes: Wishes,
    Form { reader, sent }: Form,
) -> Response {
    let done = acted(&app, &reader, &wishes, (&request, &sent)).await;
    let (status, said) = match &done {
        Ok(()) => (StatusCode::OK, context! { done => true }),
        Err(problem) => (problem.status_code(), context! { problem => problem.text.get(reader.language) }),
    };
    match mine(&app, &reader, &wishes, &request).await {
        Ok(Some(inside)) => reader.page(&app, status, "follow.html", context! { ..said, ..inside }),
        Ok(None) => to_account(&reader),
        Err(problem) => reader.problem(&app, problem),
    }
}

async fn acted(
    app: &App,
    reader: &Reader,
    wishes: &Wishes,
    (request, sent): (&str, &Flat),
) -> Result<(), Problem> {
    let tenant = reader.tenant.as_str();
    let (account, me) = citizen(app, tenant, wishes).await?.ok_or_else(Problem::unauthorized)?;
    let known = own(app, tenant, account, &me, request_id(request)?).await?;
    let command_id = token::checked(app, tenant, PURPOSE, sent.one("token").unwrap_or_default())?;
    let submission = Submission {
        tenant: tenant.to_owned(),
        request: Some(known.request.id),
        command: command(sent)?,
        actor: Actor::Requester,
        command_id,
        occurred_at: None,
        expected: None,
    };
    app.submit(submission).await.map(drop)
}

/// The way to the provider's page, for one of their requests.
pub(super) async fn pay(
    State(app): State<App>,
    At((_, request)): At<(String, String)>,
    wishes: Wishes,
    Form { reader, sent }: Form,
) -> Response {
    let problem = match paid(&app, &reader, &wishes, (&request, &sent)).await {
        Ok(url) => return onwards(&app, &reader, &url),
        Err(problem) => problem,
    };
    let said = context! { problem => problem.text.get(reader.language) };
    match mine(&app, &reader, &wishes, &request).await {
        Ok(Some(inside)) => {
            reader.page(&app, problem.status_code(), "follow.html", context! { ..said, ..inside })
        }
        Ok(None) => to_account(&reader),
        Err(problem) => reader.problem(&app, problem),
    }
}

async fn paid(
    app: &App,
    reader: &Reader,
    wishes: &Wishes,
    (request, sent): (&str, &Flat),
) -> Result<String, Problem> {
    let tenant = reader.tenant.as_str();
    let (account, me) = citizen(app, tenant, wishes).await?.ok_or_else(Problem::unauthorized)?;
    let known = own(app, tenant, account, &me, request_id(request)?).await?;
    let command_id = token::checked(app, tenant, PURPOSE, sent.one("token").unwrap_or_default())?;
    let payment = sent.one("payment").and_then(|number| number.parse().ok());
    let visit = Visit { request: known.request.id, payment, command_id, expected: None };
    Ok(begin(app, tenant, visit).await?.url().to_owned())
}

/// The appointment of one of their requests as a file for a calendar.
pub(super) async fn calendar(
    State(app): State<App>,
    At((tenant, request)): At<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    wishes: Wishes,
) -> Response {
    let reader = Reader::new(&tenant, &asked(query), &headers);
    let file = async {
        let (account, me) = citizen(&app, &tenant, &wishes).await?.ok_or_else(Problem::unauthorized)?;
        let known = own(&app, &tenant, account, &me, request_id(&request)?).await?;
        let dossier = app.guichet.dossier(&tenant, &known).await?;
        calendar_answer(&app, &known, &dossier, reader.language)
    };
    file.await.unwrap_or_else(|problem: Problem| reader.problem(&app, problem))
}
