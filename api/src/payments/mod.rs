//! Money: what is said to the provider that takes it, and what the provider says.
//!
//! The provider is anyone who offers a page to pay on and tells what became of it from server to server, as PayFiP does.
//! Guichet never sees a card. Every message either side sends carries a signature over its time and its body
//! ([`signature`]); what a browser says on its way back is believed by nobody.
//!
//! | what | how |
//! | --- | --- |
//! | a page | `POST {url}/pages` with [`PageAsked`]; the answer's `url` is where the citizen goes |
//! | what became of it | the provider posts a [`Notice`] to `/v1/{tenant}/payments/notifications` |
//! | nothing heard | `POST {url}/status` with [`StatusAsked`]; the answer is a [`Notice`] |

mod provider;
pub mod signature;

use std::sync::Arc;
use std::sync::OnceLock;

use guichet_engine::rules::request::{
    Actor, Command, CommandId, PaymentFailure, PaymentStatus, RequestId, payment_of_reference,
};
use guichet_engine::{EngineError, Submission};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::guichet::Guichet;
use crate::outgoing::Outgoing;
use crate::settings::Settings;
pub use provider::{PageAsked, Provider, ProviderError, StatusAsked};

/// The names from which the ids of the provider's commands are made.
const NAMESPACE: Uuid = Uuid::from_u128(0x3f6e_11d2_9c0a_4b53_8e27_71b4_0fd9_a615);

/// What the provider says of an attempt to pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "merchant": "12345", "reference": "2R7XF8B6A0QMZ1T4C9KJ3H5N8W0101", "status": "accepted",
    "transaction": "TX-2026-000123", "amount": 4250, "currency": "EUR"
}))]
pub struct Notice {
    /// The collectivity's number at the provider.
    #[schema(max_length = 100)]
    pub merchant: String,
    /// The attempt, by the name that Guichet gave it.
    #[schema(max_length = 30)]
    pub reference: String,
    /// What became of it.
    pub status: NoticeStatus,
    /// The provider's own number.
    #[schema(max_length = 100)]
    pub transaction: String,
    /// How much, in cents.
    pub amount: u64,
    /// In which currency (ISO 4217).
    #[schema(max_length = 3)]
    pub currency: String,
}

/// What became of an attempt, in the provider's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeStatus {
    /// The money was taken.
    Accepted,
    /// The provider or the bank refused.
    Refused,
    /// The citizen gave up.
    Abandoned,
    /// The page is no longer valid.
    Expired,
    /// It is not known yet.
    Pending,
}

impl NoticeStatus {
    fn id(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Abandoned => "abandoned",
            Self::Expired => "expired",
            Self::Pending => "pending",
        }
    }
}

/// The providers of an installation. Cheap to clone.
#[derive(Clone, Default)]
pub struct Payments {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    settings: Arc<Settings>,
    outgoing: OnceLock<Option<Outgoing>>,
}

impl Payments {
    pub(crate) fn new(settings: &Arc<Settings>) -> Self {
        let inner = Inner { settings: Arc::clone(settings), outgoing: OnceLock::new() };
        Self { inner: Arc::new(inner) }
    }

    /// The provider of a collectivity; none if it takes no money.
    #[must_use]
    pub fn provider(&self, tenant: &str) -> Option<Provider> {
        let section = self.inner.settings.payments.providers.get(tenant)?;
        let outgoing = self.inner.outgoing.get_or_init(|| {
            Outgoing::new().inspect_err(|error| tracing::error!(error, "payments cannot call anybody")).ok()
        });
        Some(Provider::new(section.clone(), outgoing.clone()?))
    }

    /// Whether anyone takes money here.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.inner.settings.payments.providers.is_empty()
    }

    /// The shortest wait of all providers before they are asked, in minutes.
    #[must_use]
    pub fn ask_after_minutes(&self) -> u32 {
        let providers = self.inner.settings.payments.providers.values();
        providers.map(|provider| provider.ask_after_minutes).min().unwrap_or(u32::MAX)
    }
}

impl std::fmt::Debug for Payments {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Payments(…)")
    }
}

/// What the journal holds of a payment after the provider's word, whether that brought anything new or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// The request.
    pub request: RequestId,
    /// Where the payment stands.
    pub status: PaymentStatus,
}

/// Takes the word of a provider that was recognised. A word that was heard before, or that came after a better one,
/// changes nothing and is answered with what stands.
///
/// # Errors
/// [`EngineError::UnknownRequest`] where the reference names nothing of this collectivity; the rules' refusal where the
/// amount or the currency is not what was asked; what the engine says otherwise.
pub async fn hear(guichet: &Guichet, tenant: &str, notice: &Notice) -> Result<Heard, EngineError> {
    let (request, payment) = payment_of_reference(&notice.reference).ok_or(EngineError::UnknownRequest)?;
    let known = guichet.request(tenant, request).await?;
    let of_payment = known.request.payments.iter().find(|known| known.number == payment);
    if of_payment.and_then(|payment| payment.attempt(&notice.reference)).is_none() {
        return Err(EngineError::UnknownRequest);
    }
    let failed = |reason| Command::FailPayment { payment, reference: notice.reference.clone(), reason };
    let command = match notice.status {
        NoticeStatus::Accepted => Command::SettlePayment {
            payment,
            reference: Some(notice.reference.clone()),
            transaction: notice.transaction.clone(),
            amount: notice.amount,
            currency: notice.currency.clone(),
        },
        NoticeStatus::Refused => failed(PaymentFailure::Refused),
        NoticeStatus::Abandoned => failed(PaymentFailure::Abandoned),
        NoticeStatus::Expired => failed(PaymentFailure::Expired),
        NoticeStatus::Pending => return heard(guichet, tenant, request, payment).await,
    };
    // The id names everything that was said, so that another amount under the same number is not taken for a repeat.
    let name = format!(
        "{tenant}:{}:{}:{}:{}:{}",
        notice.reference,
        notice.status.id(),
        notice.transaction,
        notice.amount,
        notice.currency
    );
    let submission = Submission {
        tenant: tenant.to_owned(),
        request: Some(request),
        command,
        actor: Actor::Engine,
        command_id: CommandId(Uuid::new_v5(&NAMESPACE, name.as_bytes())),
        occurred_at: None,
        expected: None,
    };
    match guichet.submit(submission).await {
        Ok(_) => {}
        Err(EngineError::Rejected(rejection))
            if ["payment.settled_already", "payment.failed_already"].contains(&rejection.code.as_str()) => {}
        Err(error) => return Err(error),
    }
    heard(guichet, tenant, request, payment).await
}

async fn heard(
    guichet: &Guichet,
    tenant: &str,
    request: RequestId,
    payment: u32,
) -> Result<Heard, EngineError> {
    let known = guichet.request(tenant, request).await?;
    let payment = known.request.payments.iter().find(|known| known.number == payment);
    let status = payment.map(|payment| payment.status).ok_or(EngineError::UnknownRequest)?;
    Ok(Heard { request, status })
}
