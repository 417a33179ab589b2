//! The writer: the one task that changes the journal.
//!
//! It takes whatever waits in the queue as one group, decides each append in turn against the heads it remembers, and writes the group as one
//! `INSERT` with many rows. That statement is a transaction by itself: one round trip, one fsync, all or nothing.
//!
//! The common group costs no read. Two things are taken on trust and checked by the table's unique indexes: that a stream not remembered does
//! not exist when the append expects none, and that a command has not come before when the stream stands where the append expects it. When an
//! index objects, nothing was written; the group is decided again from what the table holds.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lru::LruCache;
use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions, Connection, Row};
use tokio::sync::{mpsc, oneshot, watch};

use super::folder::Folder;
use super::read::{recorded, signed, stretch};
use super::{fault, schema};
use crate::error::{Expected, JournalError};
use crate::event::{Appended, Recorded};
use crate::follow::Progress;
use crate::group::{EventRow, Group, Verdict, rows_of};
use crate::id::{Position, StreamId};
use crate::limits::{GROUP_BYTES_MAX, GROUP_EVENTS_MAX, HEADS_CACHED_MAX};
use crate::place::{Head, repeated};
use crate::prepare::Prepared;

type Answer = Result<Appended, JournalError>;

/// An append in the queue.
pub(super) struct Request {
    pub(super) prepared: Prepared,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// Why a group was not written.
enum Stop {
    /// A row stands already where one was to be written: decide again from the table.
    Taken,
    Failed(JournalError),
}

impl From<JournalError> for Stop {
    fn from(error: JournalError) -> Self {
        Self::Failed(error)
    }
}

pub(super) struct Writer {
    folder: Folder,
    path: PathBuf,
    /// None after a failure that leaves its state in doubt; opened again for the next group.
    connection: Option<SqliteConnection>,
    /// Which file the connection holds, so that a file taken away is noticed.
    identity: Option<Identity>,
    /// The position token of the next event.
    next: u64,
    heads: LruCache<StreamId, Head>,
    /// The insert statement for each number of rows that was needed so far.
    statements: HashMap<usize, Arc<str>>,
}

impl Writer {
    pub(super) async fn open(folder: Folder, path: &Path) -> Result<Self, JournalError> {
        let mut writer = Self {
            folder,
            path: path.to_owned(),
            connection: None,
            identity: None,
            next: 1,
            heads: LruCache::new(NonZeroUsize::new(HEADS_CACHED_MAX).unwrap_or(NonZeroUsize::MIN)),
            statements: HashMap::new(),
        };
        writer.connect().await?;
        Ok(writer)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.next == 1
    }

    pub(super) fn head(&self) -> Option<Position> {
        (!self.is_empty()).then(|| Position::from_token(self.next - 1))
    }

    async fn connect(&mut self) -> Result<(), JournalError> {
        let fault = |error: sqlx::Error| fault::reading(&error, &self.path);
        let mut connection = schema::writing(&self.path).connect().await.map_err(fault)?;
        schema::prepare(&mut connection, &self.path).await?;
        let next = next_position(&mut connection).await.map_err(fault)?;
        self.folder.sync()?;
        self.identity = identity(&self.path);
        self.next = next;
        self.heads.clear();
        self.connection = Some(connection);
        Ok(())
    }

    /// Serves the queue until it is told to finish, or nobody can fill the queue any more; then empties it.
    pub(super) async fn run(
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
            self.serve(group, &progress).await;
        }
        self.finish().await;
    }

    async fn serve(&mut self, group: Vec<Request>, progress: &watch::Sender<Progress>) {
        let (prepared, replies): (Vec<_>, Vec<_>) =
            group.into_iter().map(|request| (request.prepared, request.reply)).unzip();
        let answers = match self.write(&prepared).await {
            Ok(answers) => answers,
            Err(error) => {
                tracing::error!(%error, appends = prepared.len(), "a group of appends was not written");
                vec![Err(error); prepared.len()]
            }
        };
        let head = self.head();
        progress.send_if_modified(|progress| std::mem::replace(&mut progress.head, head) != head);
        for (reply, answer) in replies.into_iter().zip(answers) {
            // Whoever asked may have stopped waiting; the events stand all the same.
            let _unheard = reply.send(answer);
        }
    }

    async fn write(&mut self, group: &[Prepared]) -> Result<Vec<Answer>, JournalError> {
        if self.connection.is_none() {
            self.connect().await?;
        }
        if identity(&self.path) != self.identity {
            return Err(JournalError::unavailable(format!(
                "`{}` was taken away or replaced",
                self.path.display()
            )));
        }
        let written = match self.attempt(group, false).await {
            Err(Stop::Taken) => self.attempt(group, true).await,
            other => other,
        };
        written.map_err(|stop| match stop {
            Stop::Failed(error) => error,
            Stop::Taken => JournalError::corrupt(format!(
                "`{}` holds rows that its indexes do not know",
                self.path.display()
            )),
        })
    }

    /// Decides and writes a group; `doubting`, it trusts neither what is remembered nor that commands are new.
    async fn attempt(&mut self, group: &[Prepared], doubting: bool) -> Result<Vec<Answer>, Stop> {
        if doubting {
            let next = next_position(connected(&mut self.connection)?).await;
            self.next = next.map_err(|error| fault::reading(&error, &self.path))?;
        }
        let mut decided = Group::new(self.next);
        self.gather_heads(group, &mut decided, doubting).await?;
        let wary =
            |prepared: &Prepared| doubting || matches!(prepared.expected, Expected::Any | Expected::Exists);
        let mut standing = self.standing(group, &decided, |index| group.get(index).is_some_and(wary)).await?;
        for (index, prepared) in group.iter().enumerate() {
            match standing.remove(&index) {
                Some(answer) => decided.answer(answer),
                None => decided.decide(prepared),
            }
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
        self.insert(group, &decided).await?;
        self.next = decided.next;
        for (stream, head) in std::mem::take(&mut decided.heads) {
            if let Some(head) = head {
                self.heads.put(stream, head);
            }
        }
        Ok(answers(group, decided.verdicts))
    }

    /// The heads that the group needs: remembered, or read in one go.
    async fn gather_heads(
        &mut self,
        group: &[Prepared],
        decided: &mut Group,
        doubting: bool,
    ) -> Result<(), JournalError> {
        let mut asked: Vec<&str> = Vec::new();
        for prepared in group {
            if decided.knows(&prepared.stream) {
                continue;
            }
            match self.heads.get(&prepared.stream) {
                Some(head) if !doubting => {
                    decided.heads.insert(prepared.stream.clone(), Some(*head));
                }
                Some(_) | None if doubting || prepared.expected != Expected::NoStream => {
                    decided.heads.insert(prepared.stream.clone(), None);
                    asked.push(prepared.stream.as_str());
                }
                Some(_) | None => {}
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(
            "SELECT last.position, last.header, '', last.birth FROM json_each(?1) AS asked
             JOIN events AS first ON first.stream = asked.value
             JOIN events AS last ON last.birth = first.position
                AND last.revision = (SELECT max(revision) FROM events WHERE birth = first.position)",
        );
        let names = serde_json::to_string(&asked).unwrap_or_default();
        let (path, connection) = (&self.path, connected(&mut self.connection)?);
        let fault = |error: sqlx::Error| fault::reading(&error, path);
        for row in rows.bind(names).fetch_all(connection).await.map_err(fault)? {
            let last = recorded(&row).map_err(fault)?;
            let birth: i64 = row.try_get(3).map_err(fault)?;
            let stream: StreamId = last
                .stream()
                .parse()
                .map_err(|_| JournalError::corrupt("a header without a stream's name"))?;
            decided.heads.insert(stream, Some(Head::of(birth.unsigned_abs(), &last)?));
        }
        Ok(())
    }

    /// For those of the group that `which` picks and whose command stands already in its stream: the answer to give.
    async fn standing(
        &mut self,
        group: &[Prepared],
        decided: &Group,
        which: impl Fn(usize) -> bool,
    ) -> Result<HashMap<usize, Answer>, JournalError> {
        let mut births = HashMap::new();
        let mut asked: Vec<(usize, u64, String)> = Vec::new();
        for (index, prepared) in group.iter().enumerate().filter(|(index, _)| which(*index)) {
            if let Some(Some(head)) = decided.heads.get(&prepared.stream) {
                births.insert(index, head.birth);
                asked.push((index, head.birth, prepared.command.uuid().simple().to_string()));
            }
        }
        let mut answers = HashMap::new();
        if asked.is_empty() {
            return Ok(answers);
        }
        let query = sqlx::query(
            "SELECT asked.value ->> 0, events.revision, events.fingerprint FROM json_each(?1) AS asked
             JOIN events ON events.birth = asked.value ->> 1 AND events.command = unhex(asked.value ->> 2)",
        );
        let (path, connection) = (&self.path, connected(&mut self.connection)?);
        let fault = |error: sqlx::Error| fault::reading(&error, path);
        let names = serde_json::to_string(&asked).unwrap_or_default();
        for row in query.bind(names).fetch_all(&mut *connection).await.map_err(fault)? {
            let index = usize::try_from(row.try_get::<i64, _>(0).map_err(fault)?).unwrap_or(usize::MAX);
            let (first, fingerprint): (i64, Vec<u8>) =
                (row.try_get(1).map_err(fault)?, row.try_get(2).map_err(fault)?);
            let (Some(prepared), Some(birth)) = (group.get(index), births.get(&index)) else { continue };
            // One more than expected, so that a longer append by the same command is seen to be another.
            let mut events =
                stretch(&mut *connection, *birth, first, prepared.events.len() + 1).await.map_err(fault)?;
            events.retain(|event: &Recorded| {
                event.header().is_ok_and(|header| header.command == prepared.command)
            });
            answers.insert(index, repeated(prepared, &fingerprint, events));
        }
        Ok(answers)
    }

    async fn insert(&mut self, group: &[Prepared], decided: &Group) -> Result<(), Stop> {
        let mut rows: Vec<EventRow> = Vec::new();
        for (prepared, verdict) in group.iter().zip(&decided.verdicts) {
            if let (Verdict::Placed(receipt), Some(Some(head))) =
                (verdict, decided.heads.get(&prepared.stream))
            {
                rows.extend(rows_of(prepared, receipt, head.birth));
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let statement =
            self.statements.entry(rows.len()).or_insert_with_key(|count| insert_text(*count)).clone();
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
        for row in rows {
            let (command, fingerprint) =
                row.command.map(|(id, print)| (id.uuid().as_bytes().to_vec(), print.to_vec())).unzip();
            query = query
                .bind(signed(row.position))
                .bind(signed(row.birth))
                .bind(signed(row.revision))
                .bind(row.stream);
            query = query.bind(command).bind(fingerprint).bind(row.header).bind(row.body);
        }
        let done = query.execute(connected(&mut self.connection)?).await;
        done.map(drop).map_err(|error| {
            if fault::is_taken(&error) {
                return Stop::Taken;
            }
            let error = fault::writing(&error, &self.path);
            if !error.surely_not_written() {
                self.connection = None;
            }
            Stop::Failed(error)
        })
    }

    /// Moves what is in the write-ahead log into the table, so that a closed journal is one file.
    async fn finish(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            let moved = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await;
            if let Err(error) = moved.map(drop).and(connection.close().await) {
                tracing::warn!(%error, "the journal was closed without moving its write-ahead log; the next start does it");
            }
        }
    }
}

async fn next_position(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let last: Option<i64> =
        sqlx::query_scalar("SELECT max(position) FROM events").fetch_one(connection).await?;
    Ok(last.map_or(0, i64::unsigned_abs).saturating_add(1))
}

fn connected(connection: &mut Option<SqliteConnection>) -> Result<&mut SqliteConnection, JournalError> {
    connection.as_mut().ok_or_else(|| JournalError::unavailable("no connection"))
}

fn insert_text(rows: usize) -> Arc<str> {
    const START: &str =
        "INSERT INTO events (position, birth, revision, stream, command, fingerprint, header, body) VALUES ";
    let row = ["(?,?,?,?,?,?,?,?)"];
    format!("{START}{}", row.repeat(rows).join(",")).into()
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

/// Which file stands under a path.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|about| (about.dev(), about.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    path.exists().then_some((0, 0))
}

#[cfg(test)]
mod tests;
