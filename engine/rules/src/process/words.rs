//! The fixed words of the field: kinds, channels, ways out, complexity and priority.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a request is, in the words of the town hall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it")]
pub enum Kind {
    Question,
    Report,
    Application,
    Complaint,
    Idea,
    Internal,
}

/// Who may open a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Opener {
    /// A member of the public.
    Citizen,
    /// A member of staff, for a citizen or for the town.
    Agent,
    /// A patroller on the round (*autosaisine*).
    Patroller,
}

/// The way a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it")]
pub enum Channel {
    Counter,
    Phone,
    Letter,
    Email,
    Sms,
    Web,
    Mobile,
    Social,
    Patrol,
    Council,
}

impl Channel {
    /// Every channel, in the order shown to people.
    pub const ALL: [Self; 10] = [
        Self::Counter,
        Self::Phone,
        Self::Letter,
        Self::Email,
        Self::Sms,
        Self::Web,
        Self::Mobile,
        Self::Social,
        Self::Patrol,
        Self::Council,
    ];

    /// Whether the unit cost of an online operation applies; otherwise that of the counter does.
    #[must_use]
    pub fn is_online(self) -> bool {
        match self {
            Self::Email | Self::Sms | Self::Web | Self::Mobile | Self::Social => true,
            Self::Counter | Self::Phone | Self::Letter | Self::Patrol | Self::Council => false,
        }
    }

    /// The id used in sheets, events and addresses.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Phone => "phone",
            Self::Letter => "letter",
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Web => "web",
            Self::Mobile => "mobile",
            Self::Social => "social",
            Self::Patrol => "patrol",
            Self::Council => "council",
        }
    }
}

/// A way out: how an acknowledgement or an answer reaches the requester.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Sent by the engine as an e-mail.
    Email,
    /// Sent by the engine as a text message.
    Sms,
    /// Printed and posted by an agent.
    Letter,
    /// Handed over, or kept ready, at the counter.
    Counter,
    /// Said on the telephone.
    Phone,
    /// Shown on the screen on which the request was made.
    Screen,
    /// Sent by the engine into the conversation of the social network by which the request came.
    Social,
}

/// An entry of `delivery.by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it; the first is what the requester prefers")]
pub enum DeliveryChoice {
    RequesterChoice,
    Email,
    Sms,
    Letter,
    Counter,
    Phone,
}

/// How much study a request needs; the public promise depends on it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it")]
pub enum Complexity {
    #[default]
    Simple,
    Complex,
}

/// How soon it should be taken up.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it")]
pub enum Priority {
    Low,
    #[default]
    Normal,
    High,
    Urgent,
}

/// What becomes of a warning or reminder whose instant passed while nothing ran. What is recorded is the same with each;
/// it says only who is still told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// Of several that are overdue the last one is told, and none where what they announce has come by then.
    #[default]
    Once,
    /// Each is told, however late.
    Each,
    /// None is told that is more than an hour late.
    Skip,
}

impl Missed {
    /// Whether it is what holds where a sheet says nothing.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
