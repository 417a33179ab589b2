//! Why the engine did not do what was asked.

use guichet_journal::JournalError;
use guichet_rules::process::PlanError;
use guichet_rules::request::{DecodeError, Rejection, Request};
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
    /// The journal holds an event that this version cannot read.
    #[error("the journal holds what this version cannot read: {0}")]
    Decode(#[from] DecodeError),
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
}

/// The refusal of a command whose sender looked at an older revision.
pub(crate) fn moved_on(request: &Request) -> Rejection {
    let mut rejection = Rejection::new(
        "request.moved_on",
        Text::new(
            "La demande a changé depuis que vous l’avez lue : relisez-la, puis recommencez.",
            "The request has changed since you read it: read it again, then try once more.",
        ),
    );
    rejection.stage = Some(request.stage.id().to_owned());
    rejection
}
