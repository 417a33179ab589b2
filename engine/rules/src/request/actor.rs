//! Who asks, and the ids of what they ask about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::process::Party;

/// The id of a request: made from the id of the command that opened it, so that a repeated command finds it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RequestId(pub Uuid);

impl std::fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The id of a command, chosen by whoever sends it; sending it twice has the effect of sending it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct CommandId(pub Uuid);

/// Under which title someone acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The requester, recognised by the tracking code or an account.
    Requester,
    /// A member of staff, by staff code; roles and services are looked up in the organisation.
    Agent(String),
    /// A portal or another program, by the name of its key, on behalf of the public.
    Integrator(String),
    /// The engine itself: timers and effects.
    Engine,
    /// Whoever works at the command line of the server, by the name of their user there. They look; requests take no
    /// command from them.
    Operator(String),
}

impl Actor {
    /// What stands on events: a code, never a name.
    #[must_use]
    pub fn pseudonym(&self) -> String {
        match self {
            Self::Requester => "requester".into(),
            Self::Agent(code) => format!("agent:{code}"),
            Self::Integrator(name) => format!("integrator:{name}"),
            Self::Engine => "engine".into(),
            Self::Operator(user) => format!("operator:{user}"),
        }
    }

    /// The staff code, if it is a member of staff.
    #[must_use]
    pub fn staff_code(&self) -> Option<&str> {
        match self {
            Self::Agent(code) => Some(code),
            Self::Requester | Self::Integrator(_) | Self::Engine | Self::Operator(_) => None,
        }
    }
}

/// Who a notification goes to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// The requester.
    Requester,
    /// A service, role or person of the town hall.
    Party(Party),
    /// An administration elsewhere, by its id or its name.
    Administration(String),
}
