//! Erasing the persons of a request: its keys, so that no copy of the journal opens any more, and its files.
//!
//! The order is in the journal before the first key goes, and what became of it after the last file did. Asking again goes
//! on where a crash, or a store that was away, broke off.

use chrono::{DateTime, Utc};
use guichet_engine::journal::Position;
use guichet_engine::rules::records::RecordEvent;
use guichet_engine::rules::records::erasure::{
    ERASURE, ErasureDone, ErasureEvent, ErasureOrdered, order, ordered,
};
use guichet_engine::rules::request::{Actor, CommandId, RequestId};
use guichet_engine::{EngineError, RecordEntry, RecordSubmission};
use uuid::Uuid;

use crate::guichet::{Guichet, unnoted};

/// The names from which ids of the engine's own reports are made.
const NAMESPACE: Uuid = Uuid::from_u128(0x9d3c_42e1_0b7f_5a68_b1c4_6f20_83da_51e7);

/// What was erased.
#[derive(Debug, Clone)]
pub struct Erased {
    /// The order, as it was first given.
    pub order: ErasureOrdered,
    /// When (UTC).
    pub ordered_at: DateTime<Utc>,
    /// How many files went, this time.
    pub files: usize,
    /// A reader that has passed this position has seen it; none where nothing had to happen.
    pub position: Option<Position>,
}

impl Guichet {
    /// Erases the persons of a finished request, for ever, and takes away the files that no other request names.
    ///
    /// # Errors
    /// As [`Engine::record`](guichet_engine::Engine::record), `erasure.open` among them; and where the store of files does not answer.
    /// What was erased by then stays so; ask again.
    pub async fn erase_request(
        &self,
        (tenant, actor, command_id): (&str, &Actor, CommandId),
        wanted: &ErasureOrdered,
    ) -> Result<Erased, EngineError> {
        let request = wanted.request;
        let finished = self.request(tenant, request).await?.request.stage.is_finished();
        let submission =
            RecordSubmission { tenant, kind: ERASURE, record: request.0, actor, command_id, content: wanted };
        let receipt = self.engine().record(&submission, |before: &[RecordEntry], _| {
            let is_ordered = ordered(before.iter().map(|entry| &entry.event)).is_some();
            let happened = order(is_ordered, finished, wanted.clone())?;
            Ok(happened.into_iter().map(RecordEvent::from).collect())
        });
        let receipt = receipt.await?;
        self.engine().erase_request(tenant, request).await?;
        let files = self.attachments().forget(tenant, request).await.map_err(unnoted)?;
        let done = self.report(tenant, request, files).await?;
        let entries = self.engine().recorded_of(tenant, ERASURE, request.0, false).await?;
        let first = entries.first().map(|entry| entry.meta.recorded_at);
        let order = ordered(entries.iter().map(|entry| &entry.event)).unwrap_or(wanted).clone();
        let ordered_at = first.unwrap_or_else(|| self.now());
        Ok(Erased { order, ordered_at, files, position: done.or(receipt.position) })
    }

    /// Puts on record that it is done, once.
    async fn report(
        &self,
        tenant: &str,
        request: RequestId,
        files: usize,
    ) -> Result<Option<Position>, EngineError> {
        let name = format!("{tenant}:{}", request.0);
        let done = ErasureDone { request, files: u64::try_from(files).unwrap_or(u64::MAX) };
        let submission = RecordSubmission {
            tenant,
            kind: ERASURE,
            record: request.0,
            actor: &Actor::Engine,
            command_id: CommandId(Uuid::new_v5(&NAMESPACE, name.as_bytes())),
            content: &request,
        };
        let receipt = self.engine().record(&submission, |before: &[RecordEntry], _| {
            let is_done = before
                .iter()
                .any(|entry| matches!(entry.event, RecordEvent::Erasure(ErasureEvent::ErasureDone(_))));
            let event = ErasureEvent::from(done.clone());
            Ok(if is_done { Vec::new() } else { vec![event.into()] })
        });
        Ok(receipt.await?.position)
    }
}
