//! A call as it came in: its form, its arguments, whom it concerns.

use axum::response::Response;
use guichet_engine::rules::process::{Channel, Definition, Kind, Opener};
use guichet_engine::rules::text::Language;

use super::answer::{Fault, Format};
use crate::http::App;
use crate::http::extract::{Caller, Wishes};
use crate::http::flat_form::Flat;
use crate::http::problem::Problem;
use crate::rights::Scope;

/// A call whose collectivity is known.
pub(super) struct Call {
    /// The collectivity.
    pub(super) tenant: String,
    /// What was sent, behind the question mark and in the body.
    pub(super) arguments: Flat,
    /// What the headers say, with the key wherever it stood.
    pub(super) wishes: Wishes,
}

impl Call {
    /// Finds the collectivity.
    pub(super) async fn new(app: &App, arguments: Flat, wishes: Wishes) -> Result<Self, Fault> {
        let tenant = jurisdiction(app, arguments.one("jurisdiction_id")).await?;
        let wishes = wishes.with_key(arguments.one("api_key"));
        Ok(Self { tenant, arguments, wishes })
    }

    /// Who sees more than everybody. A key that is wrong is refused, even where none is needed; one without the right sees
    /// what everybody sees.
    pub(super) async fn reader(&self, app: &App) -> Result<Option<Caller>, Fault> {
        if self.wishes.caller(app, &self.tenant).await?.is_none() {
            return Ok(None);
        }
        match self.wishes.needs_caller(app, &self.tenant, Scope::RequestsRead).await {
            Ok(caller) => Ok(Some(caller)),
            Err(problem) if problem.status == 403 => Ok(None),
            Err(problem) => Err(problem.into()),
        }
    }

    /// Whether an argument says yes.
    pub(super) fn says(&self, name: &str) -> bool {
        self.arguments.one(name).is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }

    /// The values of a list separated by commas; the argument may also stand several times.
    pub(super) fn list<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        let values = self.arguments.all(name).flat_map(|value| value.split(','));
        values.map(str::trim).filter(|value| !value.is_empty()).collect()
    }

    /// A whole number between two limits, both included.
    pub(super) fn number(&self, name: &str, (min, max): (u32, u32)) -> Result<Option<u32>, Fault> {
        let Some(text) = self.arguments.one(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| (min..=max).contains(number));
        number.map(Some).ok_or_else(|| {
            Fault::argument(
                name,
                format!("il faut un nombre entier, de {min} à {max}."),
                format!("a whole number is needed, {min} to {max}."),
            )
            .into()
        })
    }
}

/// Answers in the form that was asked for, whatever happens.
pub(super) async fn answered(
    format: Format,
    language: Language,
    work: impl Future<Output = Result<Response, Fault>>,
) -> Response {
    match work.await {
        Ok(response) => response,
        Err(fault) => fault.answer(format, language),
    }
}

/// The collectivity that a `jurisdiction_id` means: its id, or a name given in the settings; without one, the only one
/// that there is.
async fn jurisdiction(app: &App, named: Option<&str>) -> Result<String, Fault> {
    let definitions = app.guichet.engine().definitions();
    let Some(named) = named else {
        return match definitions.tenants().as_slice() {
            [only] => Ok(only.clone()),
            _ => Err(Fault::argument(
                "jurisdiction_id",
                "cet argument est nécessaire : plusieurs collectivités partagent ce service.",
                "this argument is needed: several collectivities share this service.",
            )
            .into()),
        };
    };
    let plain = named.trim_start_matches("www.").to_lowercase();
    let names = &app.guichet.options().settings.open311.jurisdictions;
    let tenant = names.get(&plain).unwrap_or(&plain);
    if app.guichet.engine().organisation_now(tenant).await?.is_some() {
        return Ok(tenant.clone());
    }
    let (fr, en) = ("cette collectivité n’est pas servie ici.", "this collectivity is not served here.");
    Err(Fault::unknown("jurisdiction_id", fr, en).into())
}

/// Whether a process is a service of Open311: a report or a question that citizens may open by the web or a mobile
/// application.
pub(super) fn is_service(definition: &Definition) -> bool {
    let kind = match definition.kind {
        Kind::Report | Kind::Question => true,
        Kind::Application | Kind::Complaint | Kind::Idea | Kind::Internal => false,
    };
    kind && definition.open_to.contains(&Opener::Citizen) && channel(definition, false).is_some()
}

/// The channel by which it comes in: mobile if a device sends it and the process lets it, else the web.
pub(super) fn channel(definition: &Definition, device: bool) -> Option<Channel> {
    let open = |channel: &Channel| definition.channels.is_empty() || definition.channels.contains(channel);
    let wished = if device { [Channel::Mobile, Channel::Web] } else { [Channel::Web, Channel::Mobile] };
    wished.into_iter().find(open)
}

/// The `service_code` of a process: its name with a dot for the slash, so that it stands in an address as it is.
pub(super) fn code_of(process: &str) -> String {
    process.replace('/', ".")
}

/// The process that a `service_code` means.
pub(super) fn process_of(code: &str) -> String {
    code.replacen('.', "/", 1)
}

/// What is said of a service that is none.
pub(super) fn no_service() -> Problem {
    Fault::unknown("service_code", "ce service n’existe pas ici.", "there is no such service here.")
}
