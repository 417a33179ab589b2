//! Asks the provider what became of payments that were begun and of which nothing was heard.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use guichet_engine::EngineError;
use guichet_projections::PaymentVisit;

use super::rounds::{Left, Round};
use super::{CATCH_UP, WorkerError};
use crate::guichet::Guichet;
use crate::payments::{Notice, NoticeStatus, hear};

/// The rest between two looks at what is not settled.
const PACE: Duration = Duration::from_secs(5);
/// Visits looked at in one step.
const BATCH: u32 = 64;
/// The wait before the provider is asked again; it doubles each time.
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(5);
/// The longest wait between two questions.
const WAIT_MAX: TimeDelta = TimeDelta::hours(6);
/// After this a page that the provider still calls open, or never heard of, is taken to have come to nothing. Should the
/// money come after all, its notification is taken in.
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::hours(48);

/// The worker, where there is a provider to ask.
pub(super) fn round(guichet: &Guichet) -> Option<Box<dyn Round>> {
    guichet.payments().any().then(|| Box::new(PaymentInquiries::new(guichet)) as Box<dyn Round>)
}

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heard {
    /// Visits about which the provider was asked.
    pub asked: usize,
    /// Visits whose end is known now.
    pub settled: usize,
}

/// The worker that asks after payments.
#[derive(Debug)]
pub struct PaymentInquiries {
    guichet: Guichet,
    /// When each visit is asked about next, and how often it was. A restart forgets it and asks once more.
    next: HashMap<String, (DateTime<Utc>, TimeDelta)>,
}

impl PaymentInquiries {
    /// A worker for this engine.
    #[must_use]
    pub fn new(guichet: &Guichet) -> Self {
        Self { guichet: guichet.clone(), next: HashMap::new() }
    }

    /// Asks about visits that were begun long enough before `now` (UTC).
    ///
    /// # Errors
    /// [`WorkerError`]; what was heard before stands. A provider that does not answer is asked again later.
    pub async fn run_once(&mut self, now: DateTime<Utc>) -> Result<Heard, WorkerError> {
        self.guichet.read_models().catch_up(CATCH_UP).await?;
        let patience = TimeDelta::minutes(self.guichet.payments().ask_after_minutes().into());
        let visits = self.guichet.read_models().payment_visits(now - patience, BATCH).await?.value;
        self.next.retain(|reference, _| visits.iter().any(|visit| visit.reference == *reference));
        let mut heard = Heard::default();
        for visit in &visits {
            if self.next.get(&visit.reference).is_some_and(|(at, _)| *at > now) {
                continue;
            }
            let wait = self.next.get(&visit.reference).map_or(FIRST_WAIT, |(_, wait)| *wait);
            self.next.insert(visit.reference.clone(), (now + wait, (wait * 2).min(WAIT_MAX)));
            let known = self.ask(visit, now, &mut heard).await?;
            if let Some(notice) = known {
                heard.settled += usize::from(self.take(visit, &notice).await?);
            }
        }
        Ok(heard)
    }

    /// What the provider says of a visit, if it says that it is over.
    async fn ask(
        &self,
        visit: &PaymentVisit,
        now: DateTime<Utc>,
        heard: &mut Heard,
    ) -> Result<Option<Notice>, WorkerError> {
        let Some(provider) = self.guichet.payments().provider(&visit.tenant) else { return Ok(None) };
        if now - visit.started < TimeDelta::minutes(provider.ask_after_minutes().into()) {
            return Ok(None);
        }
        heard.asked += 1;
        metrics::counter!("guichet_payments_inquiries_total").increment(1);
        let expired = || Notice {
            merchant: provider.merchant().to_owned(),
            reference: visit.reference.clone(),
            status: NoticeStatus::Expired,
            transaction: String::new(),
            amount: 0,
            currency: String::new(),
        };
        let over = now - visit.started > GIVEN_UP_AFTER;
        Ok(match provider.status(&visit.reference, now).await {
            Ok(Some(notice)) if notice.status != NoticeStatus::Pending => Some(notice),
            Ok(_) => over.then(expired),
            Err(error) => {
                tracing::warn!(request.id = %visit.request, %error, "a provider could not be asked");
                None
            }
        })
    }

    async fn take(&self, visit: &PaymentVisit, notice: &Notice) -> Result<bool, WorkerError> {
        match hear(&self.guichet, &visit.tenant, notice).await {
            Ok(_) => Ok(true),
            Err(EngineError::Rejected(rejection)) => {
                tracing::warn!(request.id = %visit.request, code = rejection.code, "a provider says what cannot be");
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}

#[async_trait]
impl Round for PaymentInquiries {
    fn name(&self) -> &'static str {
        "payments"
    }

    fn pace(&self) -> Duration {
        PACE
    }

    async fn round(&mut self, now: DateTime<Utc>) -> Result<Left, WorkerError> {
        self.run_once(now).await?;
        Ok(Left::Nothing)
    }
}
