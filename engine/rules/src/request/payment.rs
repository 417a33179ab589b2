//! Payments of a request: the events that tell of them, and how they stand because of those.
//!
//! The provider holds the money and knows the card; the journal knows what was asked, what the provider said became of
//! it, and by which reference it said so.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::actor::RequestId;
use super::happened::RulePointer;
use super::personal::Personal;
use crate::commitment::Budget;
use crate::process::{PaidBefore, Unpaid};

/// The currency of every payment (ISO 4217).
pub const CURRENCY: &str = "EUR";
/// The largest amount that one payment may ask for, in cents.
pub const PAYMENT_CENTS_MAX: u64 = 10_000_000;
/// The most payments of one request.
pub const PAYMENTS_MAX: usize = 20;
/// The most times that one payment can be begun.
pub const PAYMENT_ATTEMPTS_MAX: usize = 50;

/// The requester is asked to pay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentRequested {
    /// Its number within the request, from 1.
    pub payment: u32,
    /// How much, in cents of [`CURRENCY`].
    pub amount: u64,
    /// What for.
    pub label: Personal<String>,
    /// The end of the term given (UTC).
    pub due: DateTime<Utc>,
    /// When they are reminded (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<DateTime<Utc>>,
    /// The rule of the sheet that gave the amount; none if an agent asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RulePointer>,
    /// On what terms the sheet asked; none if an agent did, for whom the answer waits and the service decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<PaymentTerms>,
}

/// On what terms a sheet asks for money: they stay those of the day, whatever becomes of the sheet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentTerms {
    /// How long was given, which made the end of the term.
    pub within: Budget,
    /// What waits for it.
    #[serde(default)]
    pub before: PaidBefore,
    /// Whether nothing waits for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// What becomes of the request where it is not paid in its term.
    #[serde(default)]
    pub if_unpaid: Unpaid,
    /// What the amount and its condition were worked out from, by name. Nothing of it is personal.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub operands: BTreeMap<String, Value>,
}

/// The requester went to the provider's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentStarted {
    /// The payment.
    pub payment: u32,
    /// By what the provider names this attempt to us.
    pub reference: String,
}

/// The money was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentSettled {
    /// The payment.
    pub payment: u32,
    /// The attempt; none where it was taken at the counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The provider's own number, or that of the receipt given at the counter.
    pub transaction: String,
    /// How much, in cents of [`CURRENCY`].
    pub amount: u64,
    /// Whether nothing was to be paid any more: it is to be given back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub surplus: bool,
}

/// Why an attempt came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentFailure {
    /// The provider or the bank refused.
    Refused,
    /// The requester gave up.
    Abandoned,
    /// Nothing came of it in the provider's time.
    Expired,
}

/// An attempt came to nothing; another may be begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentFailed {
    /// The payment.
    pub payment: u32,
    /// The attempt.
    pub reference: String,
    /// Why.
    pub reason: PaymentFailure,
}

/// The requester was reminded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentReminded {
    /// The payment.
    pub payment: u32,
    /// The end of the term (UTC).
    pub due: DateTime<Utc>,
    /// Whether nobody is told any more: it was missed while nothing ran.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untold: bool,
}

/// The term passed without payment: the service decides what becomes of the request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentLapsed {
    /// The payment.
    pub payment: u32,
    /// The end of the term (UTC).
    pub due: DateTime<Utc>,
}

/// It is no longer asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentCancelled {
    /// The payment.
    pub payment: u32,
    /// Why.
    pub reason: Personal<String>,
}

/// Money was given back, by hand or through the provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentRefunded {
    /// The payment.
    pub payment: u32,
    /// How much, in cents of [`CURRENCY`].
    pub amount: u64,
    /// Why.
    pub reason: Personal<String>,
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Asked for and not paid.
    Awaited,
    /// Paid.
    Settled,
    /// Not paid in its term.
    Lapsed,
    /// No longer asked for.
    Cancelled,
}

impl PaymentStatus {
    /// Its wire name.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Awaited => "awaited",
            Self::Settled => "settled",
            Self::Lapsed => "lapsed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The money was taken.
    Accepted,
    /// It was not.
    Failed,
}

/// A visit to the provider's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// By what the provider names it to us.
    pub reference: String,
    /// When (UTC).
    pub started_at: DateTime<Utc>,
    /// What became of it, once that is known.
    pub outcome: Option<Outcome>,
}

/// A payment, without what it is for: that is personal and stays in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its number within the request, from 1.
    pub number: u32,
    /// How much is asked, in cents of [`CURRENCY`].
    pub amount: u64,
    /// Since when (UTC).
    pub asked_at: DateTime<Utc>,
    /// The end of the term given (UTC).
    pub due: DateTime<Utc>,
    /// When they are reminded (UTC); none once they were.
    pub remind_at: Option<DateTime<Utc>>,
    /// The rule of the sheet that gave the amount.
    pub rule: Option<RulePointer>,
    /// The process in which it was asked for.
    pub process: String,
    /// What waits for it; nothing where it is optional.
    pub before: Option<PaidBefore>,
    /// What becomes of the request where it is not paid in its term.
    pub if_unpaid: Unpaid,
    /// The cycle of the request in which it was asked for.
    pub cycle: u32,
    /// Where it stands.
    pub status: PaymentStatus,
    /// Visits to the provider's page, oldest first.
    pub attempts: Vec<Attempt>,
    /// How much was taken, in cents.
    pub received: u64,
    /// How much was given back, in cents.
    pub refunded: u64,
    /// When it was paid (UTC).
    pub settled_at: Option<DateTime<Utc>>,
}

impl Payment {
    /// The attempt of this name.
    #[must_use]
    pub fn attempt(&self, reference: &str) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.reference == reference)
    }

    /// Whether it may still be made, in its term or after it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.status, PaymentStatus::Awaited | PaymentStatus::Lapsed)
    }
}

/// The alphabet of references: digits and capitals that are not taken for one another (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters for the 128 bits of a request's id.
const ID_CHARACTERS: usize = 26;

/// The name of an attempt at a provider: 30 characters, as PayFiP's `REFDET` allows. It holds the request's id and two
/// numbers, so that nothing need be kept to find the request again, and nothing personal.
#[must_use]
pub fn payment_reference(request: RequestId, payment: u32, attempt: usize) -> String {
    let mut bits = request.0.as_u128();
    let mut characters = [b'0'; ID_CHARACTERS];
    for place in characters.iter_mut().rev() {
        let digit = usize::try_from(bits & 31).unwrap_or_default();
        *place = ALPHABET.get(digit).copied().unwrap_or(b'0');
        bits >>= 5;
    }
    let id: String = characters.into_iter().map(char::from).collect();
    format!("{id}{payment:02}{attempt:02}")
}

/// The request and the number of the payment that a reference names; none if it is not one.
#[must_use]
pub fn payment_of_reference(reference: &str) -> Option<(RequestId, u32)> {
    if reference.len() != ID_CHARACTERS + 4 || !reference.is_ascii() {
        return None;
    }
    let (id, numbers) = reference.split_at_checked(ID_CHARACTERS)?;
    let mut bits: u128 = 0;
    for character in id.bytes() {
        let digit = ALPHABET.iter().position(|known| *known == character)?;
        bits = bits.checked_mul(32)?.checked_add(u128::try_from(digit).ok()?)?;
    }
    let payment = numbers.get(..2)?.parse().ok()?;
    let attempt: usize = numbers.get(2..)?.parse().ok()?;
    let request = RequestId(uuid::Uuid::from_u128(bits));
    // One name for each attempt: what reads alike and is written otherwise is no reference.
    (payment_reference(request, payment, attempt) == reference).then_some((request, payment))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_reference_leads_back_to_its_request_and_nothing_else_does() {
        for id in [Uuid::nil(), Uuid::max(), Uuid::from_u128(0x1234_5678_9abc_def0_0fed_cba9_8765_4321)] {
            let reference = payment_reference(RequestId(id), 7, 12);
            assert_eq!(reference.len(), 30);
            assert_eq!(payment_of_reference(&reference), Some((RequestId(id), 7)));
        }
        for wrong in
            ["", "é", "000000000000000000000000000101é", &"U".repeat(30), &"Z".repeat(30), &"0".repeat(31)]
        {
            assert_eq!(payment_of_reference(wrong), None, "{wrong}");
        }
    }
}
