//! A group: appends that waited at the same moment, decided one after the other and written by one statement.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::JournalError;
use crate::event::Appended;
use crate::id::{CommandId, StreamId};
use crate::place::{Head, admit, place};
use crate::prepare::Prepared;

/// What the group decided for one of its appends. Nobody hears of it before the group is durable: a conflict may come from an append of
/// the same group.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Placed; a receipt once the group is durable.
    Placed(Appended),
    /// The same command as another append of the group.
    SameAs(usize),
    /// Refused, or answered from what stands already.
    Answered(Result<Appended, JournalError>),
}

/// Heads of the streams that the group touches, and what it adds to them.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) verdicts: Vec<Verdict>,
    /// The heads after the group; an absent stream has none.
    pub(crate) heads: HashMap<StreamId, Option<Head>>,
    commands: HashMap<(StreamId, CommandId), usize>,
    pub(crate) next: u64,
}

impl Group {
    pub(crate) fn new(next: u64) -> Self {
        Self { next, ..Self::default() }
    }

    /// Whether the head of this stream is known.
    pub(crate) fn knows(&self, stream: &StreamId) -> bool {
        self.heads.contains_key(stream)
    }

    /// Decides the next append. Its head must be known, or is taken to be absent.
    pub(crate) fn decide(&mut self, prepared: &Prepared) {
        let name = (prepared.stream.clone(), prepared.command);
        if let Some(twin) = self.commands.get(&name) {
            self.verdicts.push(Verdict::SameAs(*twin));
            return;
        }
        let head = self.heads.get(&prepared.stream).and_then(Option::as_ref);
        let placed = admit(prepared, head).and_then(|()| place(prepared, head, self.next));
        match placed {
            Ok((receipt, head)) => {
                self.commands.insert(name, self.verdicts.len());
                self.next = receipt.position.token().saturating_add(1);
                self.heads.insert(prepared.stream.clone(), Some(head));
                self.verdicts.push(Verdict::Placed(receipt));
            }
            Err(error) => self.verdicts.push(Verdict::Answered(Err(error))),
        }
    }

    /// Moves what the group adds from the position it was decided for to the one it was given.
    pub(crate) fn begin_at(&mut self, decided_for: u64, given: u64) {
        let Some(by) = given.checked_sub(decided_for).filter(|by| *by > 0) else { return };
        self.next = self.next.saturating_add(by);
        for head in self.heads.values_mut().flatten().filter(|head| head.birth >= decided_for) {
            head.birth = head.birth.saturating_add(by);
        }
        for verdict in &mut self.verdicts {
            if let Verdict::Placed(receipt) = verdict {
                receipt.move_by(by);
            }
        }
    }

    /// Answers an append from what stands already.
    pub(crate) fn answer(&mut self, answer: Result<Appended, JournalError>) {
        self.verdicts.push(Verdict::Answered(answer));
    }

    /// The receipt for an append that is the same command as another of the group.
    pub(crate) fn twin(
        first: &Prepared,
        second: &Prepared,
        receipt: &Appended,
    ) -> Result<Appended, JournalError> {
        crate::place::repeated(second, &first.fingerprint, receipt.events.clone())
    }
}

/// One row of the table.
pub(crate) struct EventRow {
    pub(crate) position: u64,
    pub(crate) birth: u64,
    pub(crate) revision: u64,
    pub(crate) stream: Option<Arc<str>>,
    pub(crate) command: Option<(CommandId, [u8; 16])>,
    pub(crate) header: Arc<str>,
    pub(crate) body: Arc<str>,
}

/// The rows that a placed append adds.
pub(crate) fn rows_of(prepared: &Prepared, receipt: &Appended, birth: u64) -> Vec<EventRow> {
    let first = receipt.first_revision.get();
    let row = |(index, event): (u64, &crate::event::Recorded)| EventRow {
        position: event.position().token(),
        birth,
        revision: first.saturating_add(index),
        stream: (first == 0 && index == 0).then(|| Arc::from(prepared.stream.as_str())),
        command: (index == 0).then_some((prepared.command, prepared.fingerprint)),
        header: event.header_text(),
        body: event.body_text(),
    };
    (0..).zip(&receipt.events).map(row).collect()
}
