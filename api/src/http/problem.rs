//! What a client is told when something is not done: problem details (RFC 9457). The one place where HTTP status codes
//! are decided.

use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use guichet_engine::EngineError;
use guichet_engine::journal::JournalError;
use guichet_engine::rules::request::{FieldFault, Ground, Rejection};
use guichet_engine::rules::text::{Language, Text};
use guichet_projections::ProjectionError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::attachments::AttachmentError;
use crate::rights::{Denial, Scope};

/// The media type of problem details.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request was not carried out. Nothing has changed then, unless `code` is `journal.indeterminate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// A URI made from the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words, the same for every problem of this status.
    pub title: String,
    /// The HTTP status code.
    pub status: u16,
    /// Stable code for programs, for example `stage.wrong`.
    pub code: String,
    /// A sentence for people, in the language that the client prefers.
    pub detail: String,
    /// The same sentence in French and in English.
    #[schema(value_type = super::openapi::Words)]
    pub text: Text,
    /// The stage that the request is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Commands that this client could give instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
    /// Every wrong field at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// The right that is missing, for example `requests:act`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    /// Seconds after which trying again makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The id of this exchange, to be named when asking for help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<String>,
}

/// A wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// JSON pointer into what was sent.
    pub pointer: String,
    /// Stable code, for example `field.required`.
    pub code: String,
    /// A sentence for people.
    pub detail: String,
    /// The same sentence in French and in English.
    #[schema(value_type = super::openapi::Words)]
    pub text: Text,
}

impl Problem {
    /// A problem with its status, code and sentence.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, fr: impl Into<String>, en: impl Into<String>) -> Self {
        let text = Text::new(fr, en);
        Self {
            kind: format!("urn:guichet:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: text.fr.clone(),
            text,
            stage: None,
            allowed: Vec::new(),
            errors: Vec::new(),
            needs: None,
            retry_after: None,
            exchange: None,
        }
    }

    /// The status that it is answered with.
    #[must_use]
    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// With the seconds after which trying again makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Its sentences in another language.
    #[must_use]
    pub fn speaking(mut self, language: Language) -> Self {
        self.detail = self.text.get(language).to_owned();
        for error in &mut self.errors {
            error.detail = error.text.get(language).to_owned();
        }
        self
    }

    /// What is not there: also what is another collectivity's, so that nobody learns whether it exists.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "Il n’y a rien à cette adresse.",
            "There is nothing here.",
        )
    }

    /// A key is needed, or the one given is not known.
    #[must_use]
    pub fn unauthorized() -> Self {
        let (fr, en) = (
            "Une clé valable est nécessaire (« Authorization: Bearer … »).",
            "A valid key is needed (“Authorization: Bearer …”).",
        );
        Self::new(StatusCode::UNAUTHORIZED, "access.key_needed", fr, en)
    }

    /// A message that only its sender could have signed is not signed, or by somebody else.
    #[must_use]
    pub fn unsigned() -> Self {
        let (fr, en) = ("La signature ne convient pas.", "The signature does not fit.");
        Self::new(StatusCode::BAD_REQUEST, "payment.unsigned", fr, en)
    }

    /// What does not fit the state that things are in.
    #[must_use]
    pub fn conflict(code: &str, fr: &str, en: &str) -> Self {
        Self::new(StatusCode::CONFLICT, code, fr, en)
    }

    /// The provider that takes money does not answer.
    #[must_use]
    pub fn provider_unavailable() -> Self {
        let (fr, en) = (
            "Le service de paiement ne répond pas ; rien n’a été débité.",
            "The payment service does not answer; nothing was taken.",
        );
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "payment.provider_unavailable", fr, en).retry_after(30)
    }

    /// The key does not open this.
    #[must_use]
    pub fn forbidden(fr: &str, en: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "access.denied", fr, en)
    }

    /// A right is missing: which one, and why.
    #[must_use]
    pub fn right_missing(scope: Scope, denial: &Denial) -> Self {
        let words = denial.words(scope);
        let problem = Self::new(StatusCode::FORBIDDEN, "access.right_missing", words.fr, words.en);
        Self { needs: Some(scope.name().to_owned()), ..problem }
    }

    /// A cookie came along with what another site's page may have made the browser send.
    #[must_use]
    pub fn cross_site() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "session.cross_site",
            "Cette action vient d’un autre site que celui-ci ; elle n’est pas faite.",
            "This action comes from another site than this one; it is not done.",
        )
    }

    /// The key is limited to some processes, and this is about another one, or about all of them.
    #[must_use]
    pub fn beyond_key() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "access.limited",
            "Cette clé est limitée à certaines démarches ; ceci en concerne d’autres.",
            "This key is limited to some processes; this is about others.",
        )
    }

    /// What was sent cannot be understood.
    #[must_use]
    pub fn malformed(code: &str, fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, fr, en)
    }

    /// What was sent can be understood and is wrong.
    #[must_use]
    pub fn unprocessable(code: &str, fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, fr, en)
    }

    /// Too many calls.
    #[must_use]
    pub fn too_many(seconds: u64) -> Self {
        let (fr, en) =
            ("Trop de demandes à la fois : patientez un peu.", "Too many calls: please wait a little.");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate.exceeded", fr, en).retry_after(seconds)
    }

    /// The server is busy with others.
    #[must_use]
    pub fn busy() -> Self {
        let (fr, en) = ("Le serveur est très occupé : réessayez.", "The server is very busy: try again.");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "server.busy", fr, en).retry_after(2)
    }

    /// It took too long.
    #[must_use]
    pub fn too_slow() -> Self {
        let (fr, en) = (
            "Le serveur n’a pas répondu à temps ; renvoyez la même demande avec la même clé d’idempotence.",
            "The server did not answer in time; send the same again with the same idempotency key.",
        );
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "server.too_slow", fr, en).retry_after(2)
    }

    /// A newer version wrote what is asked for, while servers of both run: one of those can answer.
    #[must_use]
    pub fn newer() -> Self {
        let (fr, en) = (
            "Une version plus récente de Guichet a déjà traité cette demande ; réessayez : un autre serveur répondra.",
            "A newer version of Guichet has dealt with this already; try again: another server will answer.",
        );
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "version.newer", fr, en).retry_after(2)
    }

    /// A fault of ours: what it is stands in the log, under the id of the exchange.
    #[must_use]
    pub fn internal() -> Self {
        let (fr, en) = ("Une erreur interne est survenue.", "Something went wrong inside.");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server.error", fr, en)
    }

    /// A page of a list that goes on from nowhere.
    #[must_use]
    pub fn bad_cursor() -> Self {
        let (fr, en) = (
            "Ce curseur ne vient pas de cette liste ; recommencez sans lui.",
            "This cursor did not come from this list; start again without it.",
        );
        Self::malformed("query.cursor", fr, en)
    }

    /// The problem that stands for an answer that something below us gave, such as `405` or `413`.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::not_found(),
            StatusCode::UNAUTHORIZED => Self::unauthorized(),
            StatusCode::METHOD_NOT_ALLOWED => {
                let (fr, en) =
                    ("Cette méthode n’existe pas à cette adresse.", "This method is not offered here.");
                Self::new(status, "method.not_allowed", fr, en)
            }
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_large(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::not_json(),
            StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE => Self::too_slow(),
            status if status.is_client_error() => {
                let (fr, en) = ("La requête ne peut pas être lue.", "The request cannot be read.");
                Self::new(status, "request.malformed", fr, en)
            }
            _ => Self::internal(),
        }
    }

    /// More than a body may hold.
    #[must_use]
    pub fn too_large() -> Self {
        let limit = super::BODY_BYTES_MAX / 1024;
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body.too_large",
            format!(
                "Le corps dépasse {limit} Kio ; les pièces jointes ne s’envoient pas dans le formulaire."
            ),
            format!("The body exceeds {limit} KiB; attachments are not sent inside the form."),
        )
    }

    /// Not JSON by its own account.
    #[must_use]
    pub fn not_json() -> Self {
        let (fr, en) = (
            "Le corps doit être du JSON (« Content-Type: application/json »).",
            "The body must be JSON (“Content-Type: application/json”).",
        );
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "body.not_json", fr, en)
    }

    fn of_rejection(rejection: &Rejection, status: StatusCode) -> Self {
        Self {
            stage: rejection.stage.clone(),
            allowed: rejection.allowed.clone(),
            errors: rejection.fields.iter().map(FieldProblem::from).collect(),
            ..Self::new(status, &rejection.code, rejection.text.fr.clone(), rejection.text.en.clone())
        }
    }
}

/// The status of a refusal, by the kind of reason that the rules name.
fn status_of(rejection: &Rejection) -> StatusCode {
    match rejection.ground {
        Ground::Absence => StatusCode::NOT_FOUND,
        Ground::Race => StatusCode::PRECONDITION_FAILED,
        Ground::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        Ground::Person => StatusCode::FORBIDDEN,
        Ground::Content => StatusCode::UNPROCESSABLE_ENTITY,
        // A request may have no place in another version for several reasons; they are named as wrong fields are.
        Ground::State if !rejection.fields.is_empty() => StatusCode::UNPROCESSABLE_ENTITY,
        Ground::State => StatusCode::CONFLICT,
    }
}

impl From<&FieldFault> for FieldProblem {
    fn from(fault: &FieldFault) -> Self {
        // The rules point into the form; how to reach somebody stands beside it.
        let beside = fault.pointer.starts_with("/requester/contact/");
        Self {
            pointer: if beside { fault.pointer.clone() } else { format!("/form{}", fault.pointer) },
            code: fault.code.clone(),
            detail: fault.text.fr.clone(),
            text: fault.text.clone(),
        }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        match status_of(&rejection) {
            // The same words as for what does not exist.
            StatusCode::NOT_FOUND => Self::not_found(),
            status => Self::of_rejection(&rejection, status),
        }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Rejected(rejection) => Self::from(*rejection),
            EngineError::UnknownTenant | EngineError::UnknownRequest => Self::not_found(),
            EngineError::Journal(error) => Self::from(error),
            EngineError::Contended => Self::busy(),
            EngineError::Newer(_) => {
                tracing::error!(error = %error, "a newer version wrote what is asked for");
                Self::newer()
            }
            EngineError::Decode(_)
            | EngineError::Plan(_)
            | EngineError::MissingDefinition(_)
            | EngineError::Chance(_)
            | EngineError::Encode(_) => {
                tracing::error!(error = %error, "the engine failed");
                Self::internal()
            }
        }
    }
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        let unavailable = |code: &str, fr: &str, en: &str| {
            Self::new(StatusCode::SERVICE_UNAVAILABLE, code, fr, en).retry_after(10)
        };
        match &error {
            JournalError::CommandReused { .. } => Self::unprocessable(
                "idempotency.reused",
                "Cette clé d’idempotence a déjà servi pour un autre contenu.",
                "This idempotency key was already used with another content.",
            ),
            JournalError::Conflict { .. } => Self::busy(),
            JournalError::Tombstoned { .. } => Self::not_found(),
            JournalError::TooLarge { .. } => Self::too_large(),
            JournalError::Full => unavailable(
                "journal.full",
                "Le disque du serveur est plein ; rien n’a été enregistré.",
                "The server’s disk is full; nothing was recorded.",
            ),
            JournalError::Indeterminate { .. } => unavailable(
                "journal.indeterminate",
                "On ne sait pas si c’est enregistré : renvoyez la même demande avec la même clé d’idempotence.",
                "It is not known whether it was recorded: send the same again with the same idempotency key.",
            ),
            JournalError::Unavailable { .. }
            | JournalError::Closed
            | JournalError::Locked { .. }
            | JournalError::ReadOnly { .. } => {
                tracing::error!(error = %error, "the journal does not answer");
                unavailable(
                    "journal.unavailable",
                    "Le journal ne répond pas ; rien n’a été enregistré.",
                    "The journal does not answer; nothing was recorded.",
                )
            }
            JournalError::Newer { .. } => {
                tracing::error!(error = %error, "the journal has a newer format");
                Self::newer()
            }
            JournalError::Invalid { .. }
            | JournalError::Corrupt { .. }
            | JournalError::Keys { .. }
            | JournalError::KeyMissing { .. } => {
                tracing::error!(error = %error, "the journal failed");
                Self::internal()
            }
        }
    }
}

impl From<ProjectionError> for Problem {
    fn from(error: ProjectionError) -> Self {
        match error {
            ProjectionError::Cursor => Self::bad_cursor(),
            ProjectionError::Journal(error) => Self::from(error),
            ProjectionError::Store { .. }
            | ProjectionError::Unavailable { .. }
            | ProjectionError::Poison(_)
            | ProjectionError::Timeout { .. }
            | ProjectionError::UnknownName { .. }
            | ProjectionError::Superseded
            | ProjectionError::Closed => {
                tracing::error!(error = %error, "the read models do not answer");
                let (fr, en) = (
                    "Les tableaux de lecture ne répondent pas ; ce qui est enregistré l’est bien.",
                    "The read models do not answer; what was recorded is safe.",
                );
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "read_models.unavailable", fr, en).retry_after(10)
            }
        }
    }
}

impl From<AttachmentError> for Problem {
    fn from(error: AttachmentError) -> Self {
        let (status, text) = (status_of_file(&error), error.text());
        if status == StatusCode::SERVICE_UNAVAILABLE {
            tracing::error!(%error, "a file is not stored, or cannot be read");
        }
        match error {
            AttachmentError::UnknownTenant => Self::not_found(),
            AttachmentError::Busy => Self::busy(),
            _ if status == StatusCode::SERVICE_UNAVAILABLE => {
                Self::new(status, error.code(), text.fr, text.en).retry_after(60)
            }
            _ => Self::new(status, error.code(), text.fr, text.en),
        }
    }
}

/// The status of a refusal of a file.
fn status_of_file(error: &AttachmentError) -> StatusCode {
    match error {
        AttachmentError::UnknownTenant => StatusCode::NOT_FOUND,
        AttachmentError::Interrupted => StatusCode::BAD_REQUEST,
        AttachmentError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        AttachmentError::Empty
        | AttachmentError::Lies { .. }
        | AttachmentError::Refused { .. }
        | AttachmentError::Picture { .. }
        | AttachmentError::Infected { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        AttachmentError::Scanner { .. }
        | AttachmentError::Quarantined
        | AttachmentError::Busy
        | AttachmentError::Full
        | AttachmentError::ReadOnly { .. }
        | AttachmentError::Store { .. } => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        Self::of_status(rejection.status())
    }
}

impl From<PathRejection> for Problem {
    fn from(_: PathRejection) -> Self {
        // What is not even an id names nothing.
        Self::not_found()
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        let why: String = rejection.body_text().chars().filter(|c| !c.is_control()).take(200).collect();
        Self::malformed(
            "query.invalid",
            format!("Les paramètres de l’adresse ne conviennent pas : {why}"),
            format!("The parameters of the address do not fit: {why}"),
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status_code();
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The outermost layer writes it again in the client's language, with the id of the exchange.
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests;
