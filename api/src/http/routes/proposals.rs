//! Sheets that are to enter force through their own circuit, and the history of those that did.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use guichet_engine::rules::language::Severity;
use guichet_engine::rules::language::source::SourceFile;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::App;
use crate::http::answers::{ReceiptAnswer, receipt};
use crate::http::extract::{At, Json, Wishes};
use crate::http::openapi::{ProblemAnswer, VersionsAnswer};
use crate::http::problem::{FieldProblem, Problem};
use crate::rights::{Principal, Scope};
use crate::{FILE_BYTES_MAX, PublishError, SheetProposal, load_files};

/// The largest proposal, in bytes: a town's whole catalogue has about half a mebibyte.
pub(crate) const PROPOSAL_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most files of a proposal.
const FILES_MAX: usize = 2_000;
/// The most findings of one answer.
const FINDINGS_MAX: usize = 100;

/// A file of a catalogue.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// Its path inside the catalogue, with `/`.
    path: String,
    /// Its text.
    text: String,
}

/// A sheet to be brought into force.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proposed {
    /// The process.
    process: String,
    /// The files of the catalogue that the sheet is a part of; none proposes to take the process out of force.
    #[serde(default)]
    files: Vec<File>,
    /// Why.
    reason: String,
    /// Not before the beginning of this day, for example `2027-01-01`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    enters_force: Option<NaiveDate>,
    /// The process to turn to instead of one that is taken out of force.
    #[serde(default)]
    replacement: Option<String>,
}

/// The history of a process.
#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Versions {
    /// Its drafts, versions and its end, the first first; none for a process that nobody ever wrote.
    versions: Vec<guichet_engine::VersionEntry>,
}

/// Propose a sheet.
///
/// The files are checked here as `guichet check` does. The draft is recorded in full, and a request of the process that
/// the catalogue names under `publication` carries it through its circuit. It enters force once that request is
/// validated, and only if the version in force is still the one that it was drafted on.
#[utoipa::path(
    post, path = "/v1/{tenant}/processes/proposals", tag = "agents", operation_id = "processes_propose", security(("key" = ["definitions:propose"])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    request_body = Proposed,
    responses(
        (status = 201, description = "Proposed: the request that carries it.", body = ReceiptAnswer),
        (status = 200, description = "It had been proposed before.", body = ReceiptAnswer),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn propose(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(proposed): Json<Proposed>,
) -> Result<Response, Problem> {
    let principal = wishes.needs(&app, &tenant, Scope::DefinitionsPropose).await?;
    if !matches!(principal, Principal::Agent(_)) {
        return Err(Problem::forbidden(
            "Seul un agent peut proposer une fiche.",
            "Only a member of staff may propose a sheet.",
        ));
    }
    let proposal = SheetProposal {
        tenant,
        process: proposed.process,
        reason: proposed.reason,
        enters_force: proposed.enters_force,
        replacement: proposed.replacement,
        actor: principal.actor(),
        command_id: wishes.command_id(&app)?,
    };
    let catalogue = if proposed.files.is_empty() { None } else { Some(checked(proposed.files).await?) };
    let _place = app.pressure.place().await?;
    let done = app.guichet.propose(catalogue.as_ref(), &proposal).await?;
    Ok(receipt(&app, &wishes, done, true).await)
}

/// The catalogue that the files make, checked beside the other calls.
async fn checked(files: Vec<File>) -> Result<guichet_engine::rules::language::Catalogue, Problem> {
    let large = |file: &File| u64::try_from(file.text.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX;
    if files.len() > FILES_MAX || files.iter().any(large) {
        return Err(Problem::too_large());
    }
    let files = files.into_iter().map(|file| SourceFile { path: file.path, text: file.text }).collect();
    let loaded = tokio::task::spawn_blocking(move || load_files(files)).await;
    match loaded.map_err(|_| Problem::internal())? {
        Ok(catalogue) => Ok(catalogue),
        Err(PublishError::Faults(faults)) => {
            let mut problem = Problem::unprocessable(
                "catalogue.faults",
                "Le catalogue proposé contient des erreurs ; rien n’est enregistré.",
                "The proposed catalogue has errors; nothing is recorded.",
            );
            let errors = faults.diagnostics.iter().filter(|finding| finding.severity == Severity::Error);
            problem.errors = errors
                .take(FINDINGS_MAX)
                .map(|finding| FieldProblem {
                    pointer: format!(
                        "/files/{}:{}:{}",
                        finding.place.file, finding.place.line, finding.place.column
                    ),
                    code: finding.code.clone(),
                    detail: finding.message.fr.clone(),
                    text: finding.message.clone(),
                })
                .collect();
            Err(problem)
        }
        Err(PublishError::Folder(_)) => Err(Problem::internal()),
        Err(PublishError::Engine(error)) => Err(error.into()),
    }
}

/// The history of a process: its drafts, its versions and its end.
#[utoipa::path(
    get, path = "/v1/{tenant}/processes/{theme}/{process}/versions", tag = "agents", operation_id = "processes_versions", security(("key" = ["definitions:read"])),
    responses(
        (status = 200, description = "In order, with who, when and through which request.", body = VersionsAnswer),
        (status = 422, response = ProblemAnswer)
    )
)]
pub(crate) async fn versions(
    State(app): State<App>,
    At((tenant, theme, process)): At<(String, String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    wishes.needs(&app, &tenant, Scope::DefinitionsRead).await?;
    let versions = app.guichet.engine().versions(&tenant, &format!("{theme}/{process}")).await?;
    Ok(axum::Json(Versions { versions }).into_response())
}
