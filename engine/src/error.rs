//! Why the engine did not do what was asked.

use guichet_journal::JournalError;
use guichet_rules::process::PlanError;
use guichet_rules::request::{DecodeError, Ground, Rejection, Request};
use guichet_rules::text::Text;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The rules refuse; nothing changed.
    #[error(transparent)]
    Rejected(Box<Rejection>),
    /// The journal could not do its part.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// No collectivity is called that.
    #[error("no collectivity has this name")]
    UnknownTenant,
    /// There is no such request for this collectivity; whether another has it is not told.
    #[error("there is no such request")]
    UnknownRequest,
    /// A newer version of the program wrote what is asked for, while servers of both run. Nothing was decided by it.
    #[error("the journal holds an event `{0}` in a form that only a newer version of guichet knows")]
    Newer(String),
    /// The journal holds an event that this version cannot read.
    #[error("the journal holds what this version cannot read: {0}")]
    Decode(DecodeError),
    /// A definition in the journal cannot run.
    #[error("a published process cannot run: {0}")]
    Plan(#[from] PlanError),
    /// A request is pinned to a version of its process that the journal does not hold.
    #[error("process version {0} is not in the journal")]
    MissingDefinition(String),
    /// Others kept changing the same request, and it was tried as often as is sensible.
    #[error("the request is changing too fast; send the same command again")]
    Contended,
    /// The system gave no random bytes.
    #[error("no randomness can be had: {0}")]
    Chance(String),
    /// An event cannot be written.
    #[error("an event cannot be written: {0}")]
    Encode(#[from] serde_json::Error),
}

impl From<DecodeError> for EngineError {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::UnknownType(kind) => Self::Newer(kind),
            DecodeError::Shape { .. } => Self::Decode(error),
        }
    }
}

impl From<Rejection> for EngineError {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(Box::new(rejection))
    }
}

impl EngineError {
    /// The refusal, if the rules refused.
    #[must_use]
    pub fn rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            Self::Journal(_)
            | Self::UnknownTenant
            | Self::UnknownRequest
            | Self::Newer(_)
            | Self::Decode(_)
            | Self::Plan(_)
            | Self::MissingDefinition(_)
            | Self::Contended
            | Self::Chance(_)
            | Self::Encode(_) => None,
        }
    }
}

/// The refusal of a process that is not offered.
pub(crate) fn process_unknown(process: &str) -> Rejection {
    let shown: String = process.chars().filter(|symbol| !symbol.is_control()).take(80).collect();
    Rejection::new(
        "process.unknown",
        Text::new(
            format!("La démarche « {shown} » n’existe pas dans le catalogue de cette collectivité."),
            format!("There is no process `{shown}` in the catalogue of this collectivity."),
        ),
    )
    .because(Ground::Content)
}

/// The refusal of a request of a process that is out of force.
pub(crate) fn process_retired(process: &str, replacement: Option<&str>) -> Rejection {
    let (fr, en) = match replacement {
        Some(other) => (format!(" Voyez « {other} »."), format!(" See `{other}`.")),
        None => (String::new(), String::new()),
    };
    Rejection::new(
        "request.process_retired",
        Text::new(
            format!("La démarche « {process} » n’est plus proposée.{fr}"),
            format!("The process `{process}` is no longer offered.{en}"),
        ),
    )
}

/// The refusal of someone who is no member of staff.
pub(crate) fn role_needed() -> Rejection {
    Rejection::new(
        "role.needed",
        Text::new(
            "Cette action revient à un agent de la collectivité.",
            "This is for a member of the collectivity’s staff to do.",
        ),
    )
    .because(Ground::Person)
}

/// Why a draft is not taken, or is given up. `about` is what the sentence names.
pub(crate) fn draft_refused(code: &'static str, about: &str) -> Rejection {
    let about: String = about.chars().filter(|symbol| !symbol.is_control()).take(80).collect();
    let (fr, en) = match code {
        "draft.no_circuit" => (
            format!(
                "« {about} » n’a pas désigné de fiche qui porte les nouvelles versions (`publication`, dans catalogue.yaml)."
            ),
            format!(
                "`{about}` has named no sheet that carries new versions (`publication`, in catalogue.yaml)."
            ),
        ),
        "draft.no_change" => (
            format!("« {about} » est déjà ainsi : cette version ne change rien."),
            format!("`{about}` is like this already: this version changes nothing."),
        ),
        "draft.unknown_party" => (
            format!("La fiche nomme `{about}`, que l’organisation en vigueur ne connaît pas."),
            format!("The sheet names `{about}`, which the organisation in force does not know."),
        ),
        "draft.stale" => (
            format!(
                "« {about} » a changé depuis ce projet : il faut le reprendre sur la version en vigueur et le proposer de nouveau."
            ),
            format!(
                "`{about}` has changed since this draft: base it on the version in force and propose it again."
            ),
        ),
        _ => (
            format!("« {about} » n’est pas proposée par cette collectivité."),
            format!("`{about}` is not offered by this collectivity."),
        ),
    };
    Rejection::new(code, Text::new(fr, en))
}

/// The refusal of a command whose sender looked at an older revision.
pub(crate) fn moved_on(request: &Request) -> Rejection {
    let text = Text::new(
        "La demande a changé depuis que vous l’avez lue : relisez-la, puis recommencez.",
        "The request has changed since you read it: read it again, then try once more.",
    );
    let stage = Some(request.stage.id().to_owned());
    Rejection { stage, ..Rejection::new("request.moved_on", text).because(Ground::Race) }
}
