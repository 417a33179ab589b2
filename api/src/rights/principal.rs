//! Who calls.

use guichet_engine::rules::request::Actor;
use uuid::Uuid;

/// Someone, or something, that was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A member of staff, by staff code.
    Agent(String),
    /// A program, by the name of its key.
    Integrator(String),
    /// A citizen with an account, by its id.
    Citizen(Uuid),
}

impl Principal {
    /// Under which title they act on requests.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match self {
            Self::Agent(code) => Actor::Agent(code.clone()),
            Self::Integrator(name) => Actor::Integrator(name.clone()),
            Self::Citizen(_) => Actor::Requester,
        }
    }
}
