//! Following a request with its code, and what its requester may do. The code is typed into a form and comes in its body.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::SecondsFormat;
use guichet_engine::rules::request::{
    Actor, AppointmentStatus, ClockStatus, Command, Payment, PaymentStatus,
};
use guichet_engine::rules::text::{Language, Text};
use guichet_engine::rules::tracking::TrackingCode;
use guichet_engine::{Known, Submission};
use minijinja::{Value, context};
use serde_json::Map;

use super::catalogue::asked;
use super::form::Form;
use super::page::Reader;
use super::send::{due_of, zone_of};
use super::token;
use crate::dossier::Dossier;
use crate::http::App;
use crate::http::extract::{At, Wishes};
use crate::http::flat_form::Flat;
use crate::http::problem::Problem;
use crate::http::routes::appointments::calendar_answer;
use crate::http::routes::follow::{find, passed_on, view};
use crate::http::routes::payments::{Visit, begin, no_store};
use crate::outbound::dates;
use crate::vocabulary;

/// What tokens of these forms are for.
const PURPOSE: &str = "follow";

/// The form that asks for a code.
pub(super) async fn ask(
    State(app): State<App>,
    At(tenant): At<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let reader = Reader::new(&tenant, &asked(query), &headers);
    match app.guichet.engine().organisation_now(&tenant).await {
        Ok(Some(_)) => reader.page(&app, StatusCode::OK, "follow.html", context! {}),
        Ok(None) => reader.problem(&app, Problem::not_found()),
        Err(error) => reader.problem(&app, error.into()),
    }
}

/// The request with the code that was typed.
pub(super) async fn follow(State(app): State<App>, wishes: Wishes, Form { reader, sent }: Form) -> Response {
    let code = sent.one("code").unwrap_or_default();
    match followed(&app, &reader, &wishes, code).await {
        Ok(inside) => reader.page(&app, StatusCode::OK, "follow.html", inside),
        Err(problem) => again(&app, &reader, problem, code),
    }
}

/// The form once more, with what was typed and what is wrong with it.
fn again(app: &App, reader: &Reader, problem: Problem, typed: &str) -> Response {
    let status = problem.status_code();
    let typed: String = typed.chars().take(40).collect();
    let inside = context! { problem => words_of(&problem).get(reader.language), typed => typed };
    reader.page(app, status, "follow.html", inside)
}

/// What is wrong with a code that was typed.
pub(super) fn words_of(problem: &Problem) -> Text {
    let nobody = || Text::new("Aucune demande n’a ce code.", "No request has this code.");
    if problem.code == "not_found" { nobody() } else { problem.text.clone() }
}

async fn followed(app: &App, reader: &Reader, wishes: &Wishes, code: &str) -> Result<Value, Problem> {
    let request = find(app, &reader.tenant, wishes, code).await?;
    let known = app.guichet.request(&reader.tenant, request).await?;
    let inside = seen(app, reader, wishes, &known).await?;
    let code = TrackingCode::parse(code).map(|code| code.spoken()).unwrap_or_default();
    let token = token::fresh(app, &reader.tenant, PURPOSE)?;
    let target = format!("/pages/{}/follow/actions", reader.tenant);
    Ok(context! { followed => inside, code => code, token => token, target => target })
}

/// A request as its requester sees it.
pub(super) async fn seen(
    app: &App,
    reader: &Reader,
    wishes: &Wishes,
    known: &Known,
) -> Result<Value, Problem> {
    let dossier = app.guichet.dossier(&reader.tenant, known).await?;
    let (zone, language) = (zone_of(known), reader.language);
    let seen = view(app, wishes, known, dossier.clone());
    let goes_on = passed_on(app, known).await?;
    let when = |at| dates::date_time(at, &zone, language);
    let asked = seen.asked.map(|asked| {
        context! { question => asked.question, pieces => asked.pieces, reply_by => when(asked.reply_by) }
    });
    Ok(context! {
        title => seen.title.get(language),
        words => seen.text.get(language),
        received => when(seen.received),
        service => seen.service.as_ref().map(|title| title.get(language)),
        promises => promises(known, language),
        asked => asked,
        passed_on => goes_on.map(|there| {
            context! { to => there.to.get(language), tenant => there.tenant, code => there.code }
        }),
        passed_on_by => seen.passed_on_by.as_ref().map(|title| title.get(language)),
        messages => seen.messages,
        answer => seen.answer,
        payments => payments(known, &dossier, language, app.guichet.payments().provider(&reader.tenant).is_some()),
        appointment => appointment(known, &dossier, language),
        may => seen.may,
    })
}

/// What was promised, and what became of it.
fn promises(known: &Known, language: Language) -> Vec<String> {
    if let Some(due) = due_of(known, language) {
        return vec![match language {
            Language::Fr => format!("Réponse promise au plus tard le {due}."),
            Language::En => format!("An answer is promised by {due}."),
        }];
    }
    let clock = known.request.clock("answer").filter(|clock| clock.status != ClockStatus::Dropped);
    let said = clock.map(|clock| {
        let name = vocabulary::commitment(&clock.commitment, language);
        let became = vocabulary::promise(clock.status, clock.broken, language);
        let joint = match language {
            Language::Fr => " : ",
            Language::En => ": ",
        };
        format!("{name}{joint}{became}.")
    });
    said.into_iter().collect()
}

/// What is to be paid, was paid, or is no longer asked for.
fn payments(known: &Known, dossier: &Dossier, language: Language, online: bool) -> Vec<Value> {
    let zone = zone_of(known);
    let open = !known.request.stage.is_finished();
    let labels = dossier.payments.iter().map(String::as_str).chain(std::iter::repeat(""));
    let shown = |(payment, label): (&Payment, &str)| {
        let standing = match payment.status {
            PaymentStatus::Awaited => Text::new("attendu", "awaited"),
            PaymentStatus::Settled if payment.refunded > 0 => Text::new("remboursé", "given back"),
            PaymentStatus::Settled => Text::new("reçu", "received"),
            PaymentStatus::Lapsed => Text::new("délai passé", "overdue"),
            PaymentStatus::Cancelled => Text::new("sans objet", "no longer asked for"),
        };
        context! {
            number => payment.number,
            label => label,
            amount => dates::euros(payment.amount, language),
            due => (payment.status == PaymentStatus::Awaited).then(|| dates::date(payment.due, &zone, language)),
            standing => standing.get(language),
            payable => online && open && payment.is_open(),
            refunded => (payment.refunded > 0).then(|| dates::euros(payment.refunded, language)),
        }
    };
    known.request.payments.iter().zip(labels).map(shown).collect()
}

/// The appointment to choose or to keep, or what became of the last one.
fn appointment(known: &Known, dossier: &Dossier, language: Language) -> Option<Value> {
    let appointment = known.request.appointment.as_ref()?;
    let zone = zone_of(known);
    let when = |at| dates::date_time(at, &zone, language);
    let (fr, en) = match appointment.status {
        AppointmentStatus::Offered => ("Choisissez un créneau", "Choose a time"),
        AppointmentStatus::Fixed => ("Votre rendez-vous est fixé", "Your appointment is fixed"),
        AppointmentStatus::Kept => ("Le rendez-vous a eu lieu", "The appointment took place"),
        AppointmentStatus::Missed => ("Vous n’êtes pas venu", "You did not come"),
        AppointmentStatus::Cancelled => ("Le rendez-vous est annulé", "The appointment was called off"),
        AppointmentStatus::Lapsed => ("Aucun créneau n’a été choisi", "No time was chosen"),
    };
    let open = appointment.status == AppointmentStatus::Offered;
    let slots = appointment.slots.iter().filter(|_| open).map(|slot| {
        context! { value => slot.from.to_rfc3339_opts(SecondsFormat::Secs, true), label => when(slot.from) }
    });
    Some(context! {
        standing => Text::new(fr, en).get(language),
        slots => slots.collect::<Vec<_>>(),
        from => appointment.slot.map(|slot| when(slot.from)),
        until => appointment.slot.map(|slot| dates::time(slot.until, &zone, language)),
        zone => zone.name(),
        place => dossier.appointment_place.clone(),
        what => dossier.appointment_subject.clone(),
    })
}

/// The way to the provider's page: a page of our own whose `Refresh` goes on there, because browsers hold what a form
/// leads to against `form-action`, and the provider's address is known only once it has answered.
pub(super) async fn pay(State(app): State<App>, wishes: Wishes, Form { reader, sent }: Form) -> Response {
    let code = sent.one("code").unwrap_or_default();
    let problem = match paid(&app, &reader, &wishes, &sent, code).await {
        Ok(url) => return onwards(&app, &reader, &url),
        Err(problem) => problem,
    };
    if matches!(problem.code.as_str(), "not_found" | "follow.code_unreadable" | "rate.exceeded") {
        return again(&app, &reader, problem, code);
    }
    let status = problem.status_code();
    match followed(&app, &reader, &wishes, code).await {
        Ok(inside) => {
            let inside = context! { problem => problem.text.get(reader.language), ..inside };
            reader.page(&app, status, "follow.html", inside)
        }
        Err(problem) => reader.problem(&app, problem),
    }
}

/// The page that goes on to the provider's.
pub(super) fn onwards(app: &App, reader: &Reader, url: &str) -> Response {
    let mut response = reader.page(app, StatusCode::OK, "payment.html", context! { url => url });
    if let Ok(onwards) = HeaderValue::from_str(&format!("0; url={url}")) {
        response.headers_mut().insert(header::REFRESH, onwards);
    }
    no_store(&mut response);
    response
}

async fn paid(
    app: &App,
    reader: &Reader,
    wishes: &Wishes,
    sent: &Flat,
    code: &str,
) -> Result<String, Problem> {
    let request = find(app, &reader.tenant, wishes, code).await?;
    let command_id = token::checked(app, &reader.tenant, PURPOSE, sent.one("token").unwrap_or_default())?;
    let payment = sent.one("payment").and_then(|number| number.parse().ok());
    let visit = Visit { request, payment, command_id, expected: None };
    Ok(begin(app, &reader.tenant, visit).await?.url().to_owned())
}

/// The appointment as a file for a calendar.
pub(super) async fn calendar(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Form { reader, sent }: Form,
) -> Response {
    let file = async {
        let request = find(&app, &tenant, &wishes, sent.one("code").unwrap_or_default()).await?;
        let known = app.guichet.request(&tenant, request).await?;
        let dossier = app.guichet.dossier(&tenant, &known).await?;
        calendar_answer(&app, &known, &dossier, reader.language)
    };
    file.await.unwrap_or_else(|problem: Problem| reader.problem(&app, problem))
}

/// Something that the requester wants.
pub(super) async fn act(State(app): State<App>, wishes: Wishes, Form { reader, sent }: Form) -> Response {
    let code = sent.one("code").unwrap_or_default();
    let done = acted(&app, &reader, &wishes, &sent, code).await;
    if let Err(problem) = &done
        && matches!(problem.code.as_str(), "not_found" | "follow.code_unreadable" | "rate.exceeded")
    {
        return again(&app, &reader, problem.clone(), code);
    }
    let status = match &done {
        Ok(()) => StatusCode::OK,
        Err(problem) => problem.status_code(),
    };
    let problem = done.as_ref().err().map(|problem| problem.text.get(reader.language).to_owned());
    match followed(&app, &reader, &wishes, code).await {
        Ok(inside) => {
            let inside = context! { done => done.is_ok(), problem => problem, ..inside };
            reader.page(&app, status, "follow.html", inside)
        }
        Err(problem) => reader.problem(&app, problem),
    }
}

async fn acted(app: &App, reader: &Reader, wishes: &Wishes, sent: &Flat, code: &str) -> Result<(), Problem> {
    let request = find(app, &reader.tenant, wishes, code).await?;
    let command_id = token::checked(app, &reader.tenant, PURPOSE, sent.one("token").unwrap_or_default())?;
    let command = command(sent)?;
    let submission = Submission {
        tenant: reader.tenant.clone(),
        request: Some(request),
        command,
        actor: Actor::Requester,
        command_id,
        occurred_at: None,
        expected: None,
    };
    app.submit(submission).await.map(drop)
}

/// What the requester wants, by the button that they pressed.
pub(super) fn command(sent: &Flat) -> Result<Command, Problem> {
    let text = sent.one("text").map(str::to_owned);
    Ok(match sent.one("action") {
        Some("reply") => Command::Reply { text, form: Map::new(), complete: true },
        Some("withdraw") => Command::Withdraw { reason: text },
        Some("reopen") => Command::Reopen { reason: text.unwrap_or_default() },
        Some("rate") => {
            let score = sent.one("score").and_then(|score| score.parse().ok()).unwrap_or_default();
            Command::Rate { score, comment: text }
        }
        Some("choose_appointment") => {
            let slot = sent.one("slot").and_then(|slot| slot.parse().ok());
            Command::ChooseAppointment { slot: slot.ok_or_else(no_slot)? }
        }
        Some("cancel_appointment") => {
            Command::CancelAppointment { by: None, reason: text.unwrap_or_default() }
        }
        Some(_) | None => {
            let (fr, en) = ("Ce formulaire est incomplet.", "This form is incomplete.");
            return Err(Problem::unprocessable("form.invalid", fr, en));
        }
    })
}

fn no_slot() -> Problem {
    Problem::unprocessable("form.invalid", "Choisissez un créneau.", "Choose a time.")
}
