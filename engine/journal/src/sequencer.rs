//! The sequencer: the one task of a server that changes the journal.
//!
//! It takes whatever waits in the queue as one group, decides each append in turn against the heads it remembers, and has the group written
//! whole by one statement: one round trip, one fsync, all or nothing.
//!
//! The common group costs no read. Two things are taken on trust and checked by the table's unique indexes: that a stream not remembered does
//! not exist when the append expects none, and that a command has not come before when the stream stands where the append expects it. When an
//! index objects, nothing was written; the group is decided again from what the table holds, with every other server kept away. Where several
//! servers write one table, a refusal is not taken on trust either: the stream may have grown since.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;

use async_trait::async_trait;
use lru::LruCache;
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::{Expected, JournalError};
use crate::event::{Appended, Recorded};
use crate::follow::Progress;
use crate::group::{EventRow, Group, Verdict, rows_of};
use crate::id::{CommandId, Position, StreamId};
use crate::limits::{GROUP_BYTES_MAX, GROUP_EVENTS_MAX, HEADS_CACHED_MAX};
use crate::place::{Head, repeated};
use crate::prepare::Prepared;

pub(crate) type Answer = Result<Appended, JournalError>;

/// An append in the queue.
pub(crate) struct Request {
    pub(crate) prepared: Prepared,
    pub(crate) reply: oneshot::Sender<Answer>,
}

/// Why a group was not written.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A row stands already where one was to be written: decide again, alone, from the table.
    Taken,
    /// A refusal rests on what is only remembered: decide again from the table.
    Doubtful,
    Failed(JournalError),
}

impl From<JournalError> for Stop {
    fn from(error: JournalError) -> Self {
        Self::Failed(error)
    }
}

/// A command that stands in a stream.
pub(crate) struct StandingCommand {
    /// Which of those asked for.
    pub(crate) asked: usize,
    /// The revision of its first event.
    pub(crate) first: u64,
    pub(crate) fingerprint: Vec<u8>,
}

/// The table of events as the sequencer needs it.
#[async_trait]
pub(crate) trait Table: Send {
    /// Whether other servers write it too.
    const SHARED: bool;

    /// Its name for the person who reads an error.
    fn name(&self) -> String;

    /// Makes sure of the connection. When it had to be made anew, answers the position token of the next event: nothing remembered holds.
    async fn ready(&mut self) -> Result<Option<u64>, JournalError>;

    /// The position token of the next event.
    async fn next(&mut self) -> Result<u64, JournalError>;

    /// The last event of each of these streams that exists, with the stream's birth.
    async fn last_of(&mut self, streams: &[&str]) -> Result<Vec<(u64, Recorded)>, JournalError>;

    /// Those of these commands, each with its stream's birth, that stand.
    async fn commands(&mut self, asked: &[(u64, CommandId)]) -> Result<Vec<StandingCommand>, JournalError>;

    /// `count` events of the stream born at `birth`, from revision `first` on.
    async fn stretch(&mut self, birth: u64, first: u64, count: usize) -> Result<Vec<Recorded>, JournalError>;

    /// Writes the rows, and answers at which position the first of them stands: where its row says, or later, and all others with it, when
    /// other servers wrote meanwhile.
    async fn insert(&mut self, rows: Vec<EventRow>) -> Result<u64, Stop>;

    /// Keeps all other servers from writing until `unlock` or the end of the next `insert`.
    async fn lock(&mut self) -> Result<(), JournalError> {
        Ok(())
    }

    /// Takes `lock` back, if it still holds.
    async fn unlock(&mut self) {}

    /// Gives the connection back.
    async fn finish(&mut self);
}

/// What an attempt at a group rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// On the heads that are remembered.
    Memory,
    /// On what the table holds.
    Table,
    /// On what the table holds while nobody else writes.
    Alone,
}

pub(crate) struct Sequencer<T> {
    pub(crate) table: T,
    /// The position token of the next event, as far as this server knows.
    next: u64,
    heads: LruCache<StreamId, Head>,
}

/// A length as metrics take it; none here comes near what a float cannot hold.
fn length(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

impl<T: Table> Sequencer<T> {
    pub(crate) async fn open(mut table: T) -> Result<Self, JournalError> {
        let next = match table.ready().await? {
            Some(next) => next,
            None => table.next().await?,
        };
        let heads = LruCache::new(NonZeroUsize::new(HEADS_CACHED_MAX).unwrap_or(NonZeroUsize::MIN));
        Ok(Self { table, next, heads })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.next == 1
    }

    pub(crate) fn head(&self) -> Option<Position> {
        (!self.is_empty()).then(|| Position::from_token(self.next - 1))
    }

    /// Serves the queue until it is told to finish, or nobody can fill the queue any more; then empties it.
    pub(crate) async fn run(
        mut self,
        mut requests: mpsc::Receiver<Request>,
        mut finishing: oneshot::Receiver<()>,
        progress: watch::Sender<Progress>,
    ) {
        let mut carried = None;
        loop {
            let waiting = match carried.take() {
                Some(request) => Some(request),
                None if requests.is_closed() => requests.recv().await,
                None => tokio::select! {
                    request = requests.recv() => request,
                    _told = &mut finishing => {
                        requests.close();
                        continue;
                    }
                },
            };
            let Some(first) = waiting else { break };
            let (mut events, mut bytes) = (first.prepared.events.len(), first.prepared.bytes);
            let mut group = vec![first];
            while let Ok(request) = requests.try_recv() {
                events += request.prepared.events.len();
                bytes += request.prepared.bytes;
                if events > GROUP_EVENTS_MAX || bytes > GROUP_BYTES_MAX {
                    carried = Some(request);
                    break;
                }
                group.push(request);
            }
            metrics::gauge!("guichet_journal_queue_length").set(length(requests.len()));
            self.serve(group, &progress).await;
        }
        self.table.finish().await;
    }

    /// Writes a group and answers everyone in it.
    async fn serve(&mut self, group: Vec<Request>, progress: &watch::Sender<Progress>) {
        let (prepared, replies): (Vec<_>, Vec<_>) =
            group.into_iter().map(|request| (request.prepared, request.reply)).unzip();
        let answers = match self.write(&prepared).await {
            Ok(answers) => {
                let written = answers.iter().flatten().filter(|answer| !answer.repeated);
                let events: usize = written.map(|answer| answer.events.len()).sum();
                metrics::histogram!("guichet_journal_group_events").record(length(events));
                answers
            }
            Err(error) => {
                metrics::counter!("guichet_journal_failed_groups_total").increment(1);
                tracing::error!(%error, appends = prepared.len(), "a group of appends was not written");
                vec![Err(error); prepared.len()]
            }
        };
        Progress::reach(progress, self.head());
        for (reply, answer) in replies.into_iter().zip(answers) {
            // Whoever asked may have stopped waiting; the events stand all the same.
            let _unheard = reply.send(answer);
        }
    }

    pub(crate) async fn write(&mut self, group: &[Prepared]) -> Result<Vec<Answer>, JournalError> {
        if let Some(next) = self.table.ready().await? {
            self.heads.clear();
            self.go_on_from(next)?;
        }
        let (mut trust, mut doubt) = (Trust::Memory, None);
        loop {
            let stop = match self.attempt_with(group, trust).await {
                Ok(answers) => return Ok(answers),
                Err(stop) => stop,
            };
            trust = match stop {
                // Whatever keeps the group from being sent again, the first time may have succeeded.
                Stop::Failed(error) if doubt.is_some() || !T::SHARED => return Err(doubt.unwrap_or(error)),
                Stop::Failed(error) if error.surely_not_written() => return Err(error),
                Stop::Failed(error) => {
                    self.recover(&error).await?;
                    doubt = Some(error);
                    Trust::Alone
                }
                Stop::Doubtful if trust == Trust::Memory => Trust::Table,
                Stop::Taken | Stop::Doubtful if trust != Trust::Alone => Trust::Alone,
                Stop::Taken | Stop::Doubtful => {
                    let what = format!("{} holds rows that its indexes do not know", self.table.name());
                    return Err(JournalError::corrupt(what));
                }
            };
        }
    }

    /// Connects again after an error that leaves it open whether the group stands: sent again, it gets a sure answer, here as from its callers.
    async fn recover(&mut self, error: &JournalError) -> Result<(), JournalError> {
        match self.table.ready().await {
            Ok(Some(next)) => {
                self.heads.clear();
                self.go_on_from(next)
            }
            Ok(None) => Ok(()),
            Err(corrupt @ JournalError::Corrupt { .. }) => Err(corrupt),
            Err(_) => Err(error.clone()),
        }
    }

    /// What was acknowledged must still be there: a store that ends before it was put back from an older copy, or handed over to one.
    fn go_on_from(&mut self, next: u64) -> Result<(), JournalError> {
        if next < self.next {
            return Err(JournalError::corrupt(format!(
                "{} ends at position {}, and this server has acknowledged events up to {}",
                self.table.name(),
                next.saturating_sub(1),
                self.next.saturating_sub(1)
            )));
        }
        self.next = next;
        Ok(())
    }

    async fn attempt_with(&mut self, group: &[Prepared], trust: Trust) -> Result<Vec<Answer>, Stop> {
        if trust == Trust::Alone {
            self.table.lock().await?;
        }
        if trust != Trust::Memory {
            let next = self.table.next().await?;
            self.go_on_from(next)?;
        }
        let outcome = self.attempt(group, trust).await;
        if trust == Trust::Alone {
            self.table.unlock().await;
        }
        outcome
    }

    /// Decides and writes a group.
    async fn attempt(&mut self, group: &[Prepared], trust: Trust) -> Result<Vec<Answer>, Stop> {
        let mut decided = Group::new(self.next);
        let remembered = self.gather_heads(group, &mut decided, trust).await?;
        let wary = |prepared: &Prepared| {
            trust != Trust::Memory || matches!(prepared.expected, Expected::Any | Expected::Exists)
        };
        let mut standing = self.standing(group, &decided, |index| group.get(index).is_some_and(wary)).await?;
        for (index, prepared) in group.iter().enumerate() {
            match standing.remove(&index) {
                Some(answer) => decided.answer(answer),
                None => decided.decide(prepared),
            }
        }
        if T::SHARED && rests_on_memory(group, &decided, &remembered) {
            return Err(Stop::Doubtful);
        }
        // A refusal may be a retry that comes after its own events.
        let refused = |index: usize| matches!(decided.verdicts.get(index), Some(Verdict::Answered(Err(_))));
        if (0..group.len()).any(refused) {
            for (index, answer) in self.standing(group, &decided, refused).await? {
                if let Some(verdict) = decided.verdicts.get_mut(index) {
                    *verdict = Verdict::Answered(answer);
                }
            }
        }
        let rows = rows(group, &decided);
        if !rows.is_empty() {
            let first = self.table.insert(rows).await?;
            decided.begin_at(self.next, first);
            self.next = decided.next;
        }
        for (stream, head) in std::mem::take(&mut decided.heads) {
            if let Some(head) = head {
                self.heads.put(stream, head);
            }
        }
        Ok(answers(group, decided.verdicts))
    }

    /// The heads that the group needs: remembered, or read in one go. Answers the streams whose head is only remembered.
    async fn gather_heads(
        &mut self,
        group: &[Prepared],
        decided: &mut Group,
        trust: Trust,
    ) -> Result<HashSet<StreamId>, JournalError> {
        let mut asked: Vec<&str> = Vec::new();
        let mut remembered = HashSet::new();
        for prepared in group {
            if decided.knows(&prepared.stream) {
                continue;
            }
            match self.heads.get(&prepared.stream) {
                Some(head) if trust == Trust::Memory => {
                    decided.heads.insert(prepared.stream.clone(), Some(*head));
                    if T::SHARED {
                        remembered.insert(prepared.stream.clone());
                    }
                }
                Some(_) | None if trust != Trust::Memory || prepared.expected != Expected::NoStream => {
                    decided.heads.insert(prepared.stream.clone(), None);
                    asked.push(prepared.stream.as_str());
                }
                Some(_) | None => {}
            }
        }
        if asked.is_empty() {
            return Ok(remembered);
        }
        for (birth, last) in self.table.last_of(&asked).await? {
            let stream: StreamId = last
                .stream()
                .parse()
                .map_err(|_| JournalError::corrupt("a header without a stream's name"))?;
            decided.heads.insert(stream, Some(Head::of(birth, &last)?));
            // Whatever is born behind the next position must be new, so no other server's stream may look as if it were.
            self.next = self.next.max(last.position().later(1).token());
        }
        decided.next = self.next;
        Ok(remembered)
    }

    /// For those of the group that `which` picks and whose command stands already in its stream: the answer to give.
    async fn standing(
        &mut self,
        group: &[Prepared],
        decided: &Group,
        which: impl Fn(usize) -> bool,
    ) -> Result<HashMap<usize, Answer>, JournalError> {
        let (mut places, mut asked) = (Vec::new(), Vec::new());
        for (index, prepared) in group.iter().enumerate().filter(|(index, _)| which(*index)) {
            if let Some(Some(head)) = decided.heads.get(&prepared.stream) {
                places.push((index, prepared, head.birth));
                asked.push((head.birth, prepared.command));
            }
        }
        let mut answers = HashMap::new();
        if asked.is_empty() {
            return Ok(answers);
        }
        for found in self.table.commands(&asked).await? {
            let Some((index, prepared, birth)) = places.get(found.asked) else { continue };
            // One more than expected, so that a longer append by the same command is seen to be another.
            let mut events = self.table.stretch(*birth, found.first, prepared.events.len() + 1).await?;
            events.retain(|event: &Recorded| {
                event.header().is_ok_and(|header| header.command == prepared.command)
            });
            answers.insert(*index, repeated(prepared, &found.fingerprint, events));
        }
        Ok(answers)
    }
}

/// Whether the group refuses an append because of a head that is only remembered. Where the group adds to the stream, the table's index has
/// the last word on the head.
fn rests_on_memory(group: &[Prepared], decided: &Group, remembered: &HashSet<StreamId>) -> bool {
    if remembered.is_empty() {
        return false;
    }
    let of = |wanted: fn(&Verdict) -> bool| {
        let pairs = group.iter().zip(&decided.verdicts);
        pairs.filter(move |(_, verdict)| wanted(verdict)).map(|(prepared, _)| &prepared.stream)
    };
    let grown: HashSet<_> = of(|verdict| matches!(verdict, Verdict::Placed(_))).collect();
    of(|verdict| {
        matches!(
            verdict,
            Verdict::Answered(Err(JournalError::Conflict { .. } | JournalError::Tombstoned { .. }))
        )
    })
    .any(|stream| remembered.contains(stream) && !grown.contains(stream))
}

fn rows(group: &[Prepared], decided: &Group) -> Vec<EventRow> {
    let mut rows: Vec<EventRow> = Vec::new();
    for (prepared, verdict) in group.iter().zip(&decided.verdicts) {
        if let (Verdict::Placed(receipt), Some(Some(head))) = (verdict, decided.heads.get(&prepared.stream)) {
            rows.extend(rows_of(prepared, receipt, head.birth));
        }
    }
    rows
}

/// What each append of a durable group is told.
fn answers(group: &[Prepared], verdicts: Vec<Verdict>) -> Vec<Answer> {
    let mut answers: Vec<Answer> = Vec::with_capacity(group.len());
    for (verdict, prepared) in verdicts.into_iter().zip(group) {
        let answer = match verdict {
            Verdict::Placed(receipt) => Ok(receipt),
            Verdict::Answered(answer) => answer,
            Verdict::SameAs(twin) => match (group.get(twin), answers.get(twin)) {
                (Some(first), Some(Ok(receipt))) => Group::twin(first, prepared, receipt),
                (_, Some(Err(error))) => Err(error.clone()),
                (_, _) => Err(JournalError::unavailable("an append lost its twin")),
            },
        };
        answers.push(answer);
    }
    answers
}
