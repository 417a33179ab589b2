//! That somebody opened personal data is recorded before it is given out: where it cannot be recorded, it is not given.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use guichet_engine::rules::records::RecordEvent;
use guichet_engine::rules::records::access::{ACCESS, Data, DataOpened, Ground, opened};
use guichet_engine::rules::request::{Actor, CommandId, RequestId};
use guichet_engine::{EngineError, RecordSubmission};
use uuid::Uuid;

use super::Principal;
use crate::guichet::Guichet;

/// The namespace of records of access.
const RECORDS: Uuid = Uuid::from_u128(0x5b1e_0c7a_94d2_5e36_8f41_2a6d_3c90_e7b5);
/// How many records a server remembers having made, so as not to look for them again.
const REMEMBERED_MAX: usize = 10_000;

/// What a server knows to be on record.
#[derive(Debug, Default)]
pub struct Accesses {
    known: Mutex<HashSet<Uuid>>,
}

impl Accesses {
    /// Puts on record that somebody opens something of a request now (UTC), once an hour. Only after that may it be
    /// given out.
    ///
    /// # Errors
    /// [`EngineError`], and then nothing may be given out.
    pub async fn note(
        &self,
        guichet: &Guichet,
        (tenant, principal): (&str, &Principal),
        request: RequestId,
        opened: (Data, Ground),
    ) -> Result<(), EngineError> {
        self.note_of(guichet, (tenant, &principal.actor()), request, opened).await
    }

    /// The same of somebody who is known under another title.
    ///
    /// # Errors
    /// [`EngineError`], and then nothing may be given out.
    pub async fn note_of(
        &self,
        guichet: &Guichet,
        (tenant, actor): (&str, &Actor),
        request: RequestId,
        (what, ground): (Data, Ground),
    ) -> Result<(), EngineError> {
        let hour = hour_of(guichet.now());
        let name = format!(
            "{tenant}\n{actor:?}\n{}\n{}\n{}\n{}",
            request.0,
            what.name(),
            ground.name(),
            hour.timestamp()
        );
        let record = Uuid::new_v5(&RECORDS, name.as_bytes());
        if self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(&record) {
            return Ok(());
        }
        let event = DataOpened { request, what, ground, hour };
        let submission = RecordSubmission {
            tenant,
            kind: ACCESS,
            record,
            actor,
            command_id: CommandId(record),
            content: &event,
        };
        let decide = |entries: &[guichet_engine::RecordEntry], _| {
            let happened = opened(!entries.is_empty(), event.clone());
            Ok(happened.into_iter().map(RecordEvent::from).collect())
        };
        guichet.engine().record(&submission, decide).await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(record);
        Ok(())
    }
}

fn hour_of(now: DateTime<Utc>) -> DateTime<Utc> {
    now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now)
}
