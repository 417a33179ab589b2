//! A form that comes back filled in: its files are stored, everything that is wrong is shown at once with everything that
//! was typed, and what is right becomes a request whose code is shown once.

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use guichet_engine::rules::process::{Channel, Definition, FieldType, Opener, Plan};
use guichet_engine::rules::request::{Actor, Command, Facts, RequestId, Tracking, decide};
use guichet_engine::rules::text::Text;
use guichet_engine::rules::tracking::TrackingCode;
use guichet_engine::{Receipt, Submission};
use minijinja::context;

use super::catalogue::{asked, is_online, needs_consent, offered, requester, sheet};
use super::context::{Filled, KEPT, PREFIX};
use super::page::Reader;
use super::token;
use crate::attachments::Uploaded;
use crate::http::App;
use crate::http::extract::{At, Wishes};
use crate::http::flat_form::values;
use crate::http::problem::{FieldProblem, Problem};
use crate::http::routes::follow;
use crate::http::sent::{FILES_MAX, Sent, SentFile};
use crate::outbound::dates;

/// The cookie that shows the code of a request just made, to the one page that shows it.
const COOKIE: &str = "guichet_code";
/// How long that page can be shown again, in seconds.
const COOKIE_SECONDS: u32 = 15 * 60;

/// Files by the names of their fields.
type Files = BTreeMap<String, Vec<Uploaded>>;

/// A form, filled in.
pub(super) async fn send(
    State(app): State<App>,
    At((tenant, theme, name)): At<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    wishes: Wishes,
    request: Request,
) -> Response {
    let reader = Reader::new(&tenant, &asked(query), &headers);
    let process = format!("{theme}/{name}");
    let sent = async || {
        let plan = offered(&app, &tenant, &process).await?;
        if !is_online(plan.definition()) {
            return Err(Problem::not_found());
        }
        let sent = Sent::read(request, &app).await?;
        taken(&app, &reader, &wishes, &plan, sent).await
    };
    sent().await.unwrap_or_else(|problem| reader.problem(&app, problem))
}

async fn taken(
    app: &App,
    reader: &Reader,
    wishes: &Wishes,
    plan: &Plan,
    mut sent: Sent,
) -> Result<Response, Problem> {
    let (tenant, definition) = (&reader.tenant, plan.definition());
    if sent.flat.one("website").is_some() {
        // Nobody sees this field; programs that fill in whatever there is do.
        return Err(Problem::unprocessable(
            "form.trap",
            "Ce formulaire a été rempli par un programme.",
            "This form was filled in by a program.",
        ));
    }
    let mut errors = Vec::new();
    let came = std::mem::take(&mut sent.files);
    let permitted = app.arrivals.take(tenant, wishes.address, app.guichet.now());
    let mut files = kept(app, tenant, definition, &sent).await?;
    if permitted.is_ok() {
        stored(app, tenant, definition, came, &mut files, &mut errors).await;
    }
    let again = |problem: &Problem, errors: &[FieldProblem]| {
        let filled = Filled { flat: &sent.flat, errors, kept: &files, language: reader.language };
        let token = token::fresh(app, tenant, &definition.process)?;
        let inside = sheet(app, reader, plan, &filled, &token, Some(&problem.text))?;
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
        Ok(reader.page(app, status, "process.html", inside))
    };
    if let Err(seconds) = permitted {
        return again(&Problem::too_many(seconds), &[]);
    }
    let token = sent.flat.one("token").unwrap_or_default();
    let command_id = match token::checked(app, tenant, &definition.process, token) {
        Ok(id) => id,
        Err(problem) => return again(&problem, &errors),
    };
    let command = command(definition, reader, &sent, &files);
    let consent = needs_consent(definition) && sent.flat.one("consent").is_none();
    if consent || !errors.is_empty() {
        let (problem, more) = refused(app, tenant, plan, &command, consent)?;
        errors.extend(more);
        return again(&problem, &errors);
    }
    let submission = Submission {
        tenant: tenant.clone(),
        request: None,
        command,
        actor: Actor::Requester,
        command_id,
        occurred_at: None,
        expected: None,
    };
    match app.submit(submission).await {
        Ok(receipt) => shown(app, reader, &receipt),
        Err(problem) if problem.status < 500 => again(&problem, &problem.errors),
        Err(problem) => Err(problem),
    }
}

/// The command that the form is.
fn command(definition: &Definition, reader: &Reader, sent: &Sent, files: &Files) -> Command {
    let mut form = values(&definition.form, &sent.flat, PREFIX);
    for (field, files) in files {
        // Without its proof, which every upload draws anew: the same form sent twice must be the same command.
        let list = files.iter().filter_map(|file| serde_json::to_value(&file.file).ok());
        form.insert(field.clone(), list.collect());
    }
    Command::Receive {
        process: definition.process.clone(),
        channel: Channel::Web,
        opened_by: Opener::Citizen,
        requester: requester(&sent.flat, reader.language),
        form,
        external: None,
        first_received_at: None,
        answer: None,
        origin: None,
    }
}

/// What the engine would say against a form that is not sent to it, because something else is wrong already: everything
/// is told at once.
fn refused(
    app: &App,
    tenant: &str,
    plan: &Plan,
    command: &Command,
    consent: bool,
) -> Result<(Problem, Vec<FieldProblem>), Problem> {
    let organisation = app.guichet.engine().definitions().organisation(tenant).unwrap_or_default();
    let (now, id) = (app.guichet.now(), app.guichet.fresh_command_id()?);
    let tracking = Tracking { code: String::new(), digest: String::new() };
    let facts = Facts {
        tenant,
        request: RequestId(id.0),
        now,
        occurred_at: now,
        actor: &Actor::Requester,
        plan,
        organisation: &organisation,
        tracking: Some(&tracking),
        target: None,
        other: None,
    };
    let more = decide(None, command, &facts).err().map(|rejection| Problem::from(rejection).errors);
    let text = if consent {
        Text::new("Votre accord est nécessaire.", "Your consent is needed.")
    } else {
        Text::new("Un fichier n’a pas pu être accepté.", "A file could not be accepted.")
    };
    let problem = Problem::unprocessable("form.invalid", text.fr, text.en);
    Ok((problem, more.unwrap_or_default()))
}

/// Files that arrived with the form when it was sent before, if it was indeed here that they arrived.
async fn kept(app: &App, tenant: &str, definition: &Definition, sent: &Sent) -> Result<Files, Problem> {
    let mut files = Files::new();
    for field in definition.form.iter().filter(|field| field.kind == FieldType::Files) {
        let name = format!("{KEPT}{}", field.field);
        for text in sent.flat.all(&name).take(FILES_MAX) {
            let Ok(file) = serde_json::from_str::<Uploaded>(text) else { continue };
            let known = app.guichet.attachments().is_proven(tenant, &file.file, &file.proof).await;
            if known.unwrap_or_default() {
                files.entry(field.field.clone()).or_default().push(file);
            }
        }
    }
    Ok(files)
}

/// Stores the files that came; one that is refused is told of at its field.
async fn stored(
    app: &App,
    tenant: &str,
    definition: &Definition,
    came: Vec<SentFile>,
    files: &mut Files,
    errors: &mut Vec<FieldProblem>,
) {
    for file in came {
        let field = file.field.strip_prefix(PREFIX).unwrap_or_default().to_owned();
        if !definition.form.iter().any(|known| known.field == field && known.kind == FieldType::Files) {
            continue;
        }
        let declared = Some(file.kind.as_str()).filter(|kind| *kind != "application/octet-stream");
        let whole = futures_util::stream::once(async { Ok::<_, Infallible>(file.bytes) });
        match app.guichet.attachments().upload(tenant, &file.name, declared, whole).await {
            Ok(uploaded) => files.entry(field).or_default().push(uploaded),
            Err(error) => {
                let text = error.text();
                let text =
                    Text::new(format!("{} : {}", file.name, text.fr), format!("{}: {}", file.name, text.en));
                errors.push(FieldProblem {
                    pointer: format!("/form/{field}"),
                    code: error.code().to_owned(),
                    detail: text.fr.clone(),
                    text,
                });
            }
        }
    }
}

/// Sends the browser to the page that shows the code. The code travels in a cookie for that page alone: an address would
/// be kept in histories and logs.
fn shown(app: &App, reader: &Reader, receipt: &Receipt) -> Result<Response, Problem> {
    let page = format!("/pages/{}/received", reader.tenant);
    let code = receipt.tracking.as_ref().map(TrackingCode::spoken).unwrap_or_default();
    let secure = if app.guichet.options().public_url.starts_with("https:") { "; Secure" } else { "" };
    let cookie =
        format!("{COOKIE}={code}; Path={page}; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{secure}");
    let mut response = Redirect::to(&format!("{page}{}", reader.ending())).into_response();
    let cookie = HeaderValue::from_str(&cookie).map_err(|_| Problem::internal())?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// The code of a request just made, and when its answer is promised.
pub(super) async fn received(
    State(app): State<App>,
    At(tenant): At<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    wishes: Wishes,
) -> Response {
    let reader = Reader::new(&tenant, &asked(query), &headers);
    let code = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let code = code.flat_map(|value| value.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE).then(|| TrackingCode::parse(value).ok()).flatten()
    });
    let Some(code) = code else {
        return Redirect::to(&format!("/pages/{tenant}/follow{}", reader.ending())).into_response();
    };
    let due = async || {
        let request = follow::find(&app, &tenant, &wishes, &code.spoken()).await?;
        let known = app.guichet.request(&tenant, request).await?;
        Ok::<_, Problem>(due_of(&known, reader.language))
    };
    match due().await {
        Ok(due) => {
            let inside = context! { code => code.spoken(), due => due };
            reader.page(&app, StatusCode::OK, "received.html", inside)
        }
        Err(problem) => reader.problem(&app, problem),
    }
}

/// When the answer is promised, in words, while that is counted.
pub(super) fn due_of(
    known: &guichet_engine::Known,
    language: guichet_engine::rules::text::Language,
) -> Option<String> {
    let clock = known.request.clock("answer")?;
    let running = clock.status == guichet_engine::rules::request::ClockStatus::Running;
    running.then(|| dates::date_time(clock.due, &zone_of(known), language))
}

/// The zone in which a request's dates are written.
pub(super) fn zone_of(known: &guichet_engine::Known) -> chrono_tz::Tz {
    let calendar = known.plan.calendar(&known.plan.definition().calendar);
    calendar.map_or(chrono_tz::Europe::Paris, guichet_engine::rules::calendar::Calendar::zone)
}
