//! Passing requests on to the competent administration (CRPA L114-2, L114-3): within the installation, and out of it.
//!
//! What is passed on to a collectivity of the same installation becomes a request of its own there, and what it was before
//! stands on it as its [`Origin`]. Whoever passed it on learns what became of it: it arrived, or it cannot be taken for now.
//! While it cannot, agents may say otherwise; what brings it over begins anew by passing it on anew, so that one of the two
//! is first and the other is refused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::RequestId;

/// The most collectivities that a request may pass through: who is the fifth to have it decides, or refuses.
pub const PASSED_MAX: usize = 4;

/// Where a request came from that another collectivity of the installation passed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The collectivities that it passed through, the first seized first; the last of them passed it on here.
    pub through: Vec<String>,
    /// What it was there.
    pub request: RequestId,
}

impl Origin {
    /// The collectivity that passed it on here.
    #[must_use]
    pub fn from(&self) -> &str {
        self.through.last().map_or("", String::as_str)
    }
}

/// What comes along with a request that is passed on, beside what every request has.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassedOn {
    /// Where it came from.
    #[serde(flatten)]
    pub origin: Origin,
    /// What was said there and has no field here, in words for those who treat it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<String>,
}

/// Never prints what was said.
impl std::fmt::Debug for PassedOn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.origin.fmt(formatter)
    }
}

/// How a request gets to whom it is passed on to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForwardMeans {
    /// As a request of a collectivity of the same installation.
    Installation,
    /// As a summary slip by e-mail, with its files.
    Email,
    /// As a summary slip on paper, which an agent prints and posts.
    Letter,
}

impl ForwardMeans {
    /// Its id, as in JSON.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Installation => "installation",
            Self::Email => "email",
            Self::Letter => "letter",
        }
    }
}

/// What is known of a request that was passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarding {
    /// To whom: a collectivity's id, an administration's id, or the name of one that is on no list.
    pub to: String,
    /// The process under which it is to arrive, where it is another one.
    pub process: Option<String>,
    /// The article.
    pub basis: Option<String>,
    /// How it gets there.
    pub means: ForwardMeans,
    /// Whether it got there.
    pub standing: ForwardStanding,
}

/// Whether what was passed on got there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwardStanding {
    /// It is on its way.
    UnderWay,
    /// It cannot be taken there for now, for the reason with this code.
    Blocked {
        /// The code.
        reason: String,
    },
    /// It is there, as this request.
    Arrived {
        /// The request that it is there.
        request: RequestId,
    },
    /// Its slip was sent.
    Sent,
}

impl ForwardStanding {
    /// Its id, as read models and answers have it.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::UnderWay => "under_way",
            Self::Blocked { .. } => "blocked",
            Self::Arrived { .. } => "arrived",
            Self::Sent => "sent",
        }
    }
}

impl Forwarding {
    /// The code of the reason for which it cannot be taken where it was passed on to, if that is so.
    #[must_use]
    pub fn blocked(&self) -> Option<&str> {
        match &self.standing {
            ForwardStanding::Blocked { reason } => Some(reason),
            ForwardStanding::UnderWay | ForwardStanding::Arrived { .. } | ForwardStanding::Sent => None,
        }
    }
}
