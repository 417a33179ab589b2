//! The log that the nodes share: KurrentDB's rules of appending, reading and deleting, as its source and its documents tell them.

use std::collections::{HashMap, HashSet};

use tonic::{Code, Status};
use uuid::Uuid;

use super::messages::{
    Content, Expected, Expression, Filter, Proposed, ReadEvent, RecordedEvent, Revision, StreamIdentifier,
    Subject, UuidValue,
};

/// What a deleted stream's metadata say: nothing before this number can be read.
const DELETED: u64 = i64::MAX as u64;

#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) stream: String,
    pub(crate) number: u64,
    pub(crate) id: Uuid,
    pub(crate) event_type: String,
    pub(crate) content_type: String,
    pub(crate) metadata: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) position: u64,
}

impl Record {
    pub(crate) fn told(&self) -> Content {
        let system = [("type", &self.event_type), ("content-type", &self.content_type)];
        let mut system: HashMap<String, String> =
            system.into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        system.insert("created".to_owned(), "17000000000000000".to_owned());
        let id = super::messages::Uuid { value: Some(UuidValue::Text(self.id.to_string())) };
        let event = RecordedEvent {
            id: Some(id),
            stream: Some(StreamIdentifier { name: self.stream.clone().into_bytes() }),
            revision: self.number,
            prepare: self.position,
            commit: self.position,
            system,
            metadata: self.metadata.clone(),
            data: self.data.clone(),
        };
        Content::Event(ReadEvent { event: Some(event), commit: Some(self.position) })
    }
}

/// How an append ended.
pub(crate) enum Appended {
    Done { last: u64, position: u64 },
    Wrong { current: Option<u64> },
}

#[derive(Default)]
pub(crate) struct Log {
    pub(crate) records: Vec<Record>,
    /// Indexes of the records, by number.
    streams: HashMap<String, Vec<usize>>,
    truncated: HashMap<String, u64>,
    tombstoned: HashSet<String>,
    end: u64,
    pub(crate) append_bytes_max: Option<usize>,
}

fn refused(code: Code, said: &str, exception: &'static str) -> Status {
    let mut status = Status::new(code, said);
    status.metadata_mut().insert("exception", exception.parse().unwrap());
    status
}

pub(crate) fn id_of(proposed: &Proposed) -> Uuid {
    match proposed.id.as_ref().and_then(|id| id.value.as_ref()).expect("an event has an id") {
        UuidValue::Text(text) => text.parse().unwrap(),
        UuidValue::Structured(halves) => {
            Uuid::from_u64_pair(halves.most.cast_unsigned(), halves.least.cast_unsigned())
        }
    }
}

impl Log {
    /// A log as a new node has it: with records of its own at the beginning.
    pub(crate) fn new() -> Self {
        let mut log = Self::default();
        for stream in ["$users", "$settings"] {
            log.write(stream, Uuid::new_v5(&Uuid::NAMESPACE_OID, stream.as_bytes()), "$UserCreated", b"{}");
        }
        log
    }

    fn push(&mut self, record: Record) -> u64 {
        // Positions are places of bytes: they grow by what stands there.
        let record = Record { position: self.end, ..record };
        let position = record.position;
        self.end += 120 + (record.stream.len() + record.metadata.len() + record.data.len()) as u64;
        self.streams.entry(record.stream.clone()).or_default().push(self.records.len());
        self.records.push(record);
        position
    }

    /// An event of the system's or of another program's.
    pub(crate) fn write(&mut self, stream: &str, id: Uuid, event_type: &str, data: &[u8]) -> u64 {
        self.push(Record {
            stream: stream.to_owned(),
            number: self.streams.get(stream).map_or(0, |stream| stream.len() as u64),
            id,
            event_type: event_type.to_owned(),
            content_type: "application/json".to_owned(),
            metadata: Vec::new(),
            data: data.to_vec(),
            position: 0,
        })
    }

    fn last(&self, stream: &str) -> Option<u64> {
        self.streams.get(stream).map(|places| places.len() as u64 - 1)
    }

    fn is_deleted(&self, stream: &str) -> bool {
        self.truncated.get(stream) == Some(&DELETED)
    }

    /// Whether these ids stand at these numbers already.
    fn repeats(&self, stream: &str, from: u64, events: &[Proposed]) -> Option<Appended> {
        let places = self.streams.get(stream)?;
        let standing = places.get(usize::try_from(from).unwrap()..)?.get(..events.len())?;
        let same = standing.iter().zip(events).all(|(place, event)| self.records[*place].id == id_of(event));
        let last = self.records.get(*standing.last()?)?;
        same.then_some(Appended::Done { last: last.number, position: last.position })
    }

    pub(crate) fn append(
        &mut self,
        stream: &str,
        expected: &Expected,
        events: &[Proposed],
    ) -> Result<Appended, Status> {
        if self.tombstoned.contains(stream) {
            let said = format!("Event stream '{stream}' is deleted.");
            return Err(refused(Code::FailedPrecondition, &said, "stream-deleted"));
        }
        let bytes = events.iter().map(|event| event.data.len() + event.metadata.len()).sum::<usize>();
        if let Some(most) = self.append_bytes_max.filter(|most| bytes > *most) {
            let said = format!("Maximum Append Size of {most} Exceeded.");
            return Err(refused(Code::InvalidArgument, &said, "maximum-append-size-exceeded"));
        }
        let last = self.last(stream);
        let (holds, from) = match expected {
            Expected::NoStream(_) => (last.is_none() || self.is_deleted(stream), 0),
            Expected::Revision(number) => (last == Some(*number), number + 1),
            Expected::Any(_) => (true, 0),
            Expected::Exists(_) => (last.is_some(), 0),
        };
        if !holds {
            return Ok(self.repeats(stream, from, events).unwrap_or(Appended::Wrong { current: last }));
        }
        if self.is_deleted(stream) {
            self.truncated.insert(stream.to_owned(), last.map_or(0, |last| last + 1));
        }
        let mut position = 0;
        for event in events {
            let named = |name: &str| event.system.get(name).cloned().unwrap_or_default();
            position = self.push(Record {
                stream: stream.to_owned(),
                number: self.last(stream).map_or(0, |last| last + 1),
                id: id_of(event),
                event_type: named("type"),
                content_type: named("content-type"),
                metadata: event.metadata.clone(),
                data: event.data.clone(),
                position: 0,
            });
        }
        // What a running node writes between the events of others.
        if self.records.len().is_multiple_of(11) {
            let number = self.records.len();
            let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes());
            self.write("$stats-127.0.0.1:2113", id, "$statsCollected", b"{}");
        }
        Ok(Appended::Done { last: self.last(stream).unwrap_or_default(), position })
    }

    /// Deletes a stream softly: it can be begun again.
    pub(crate) fn delete(&mut self, stream: &str) -> u64 {
        self.truncated.insert(stream.to_owned(), DELETED);
        let metadata = format!("{{\"$tb\":{DELETED}}}");
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{stream} {}", self.end).as_bytes());
        self.write(&format!("$${stream}"), id, "$metadata", metadata.as_bytes())
    }

    /// The log as it was when it held so many records.
    pub(crate) fn put_back(&mut self, records: usize) {
        self.end = self.records[records].position;
        self.records.truncate(records);
        for places in self.streams.values_mut() {
            places.retain(|place| *place < records);
        }
        self.streams.retain(|_, places| !places.is_empty());
    }

    /// Removes the events of a stream before this number.
    pub(crate) fn truncate(&mut self, stream: &str, before: u64) {
        self.truncated.insert(stream.to_owned(), before);
    }

    /// Deletes a stream for good.
    pub(crate) fn tombstone(&mut self, stream: &str) -> u64 {
        self.tombstoned.insert(stream.to_owned());
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, stream.as_bytes());
        self.push(Record {
            stream: stream.to_owned(),
            number: DELETED,
            id,
            event_type: "$streamDeleted".to_owned(),
            content_type: String::new(),
            metadata: Vec::new(),
            data: Vec::new(),
            position: 0,
        })
    }

    /// A page of a stream, and the number of its last event; none when there is nothing to be read of it.
    pub(crate) fn stream(
        &self,
        stream: &str,
        from: &Revision,
        backwards: bool,
        count: usize,
    ) -> Result<Option<(Vec<Record>, u64)>, Status> {
        if self.tombstoned.contains(stream) {
            let said = format!("Event stream '{stream}' is deleted.");
            return Err(refused(Code::FailedPrecondition, &said, "stream-deleted"));
        }
        let before = self.truncated.get(stream).copied().unwrap_or_default();
        let places = self.streams.get(stream).map(Vec::as_slice).unwrap_or_default();
        let standing: Vec<&Record> = places
            .iter()
            .map(|place| &self.records[*place])
            .filter(|record| record.number >= before)
            .collect();
        let Some(last) = standing.last().map(|record| record.number) else { return Ok(None) };
        let wanted = |record: &&&Record| match (from, backwards) {
            (Revision::Number(from), false) => record.number >= *from,
            (Revision::Number(from), true) => record.number <= *from,
            (Revision::Start(_), _) | (Revision::End(_), true) => true,
            (Revision::End(_), false) => false,
        };
        let found: Vec<Record> = if backwards {
            standing.iter().rev().filter(wanted).take(count).map(|record| (*record).clone()).collect()
        } else {
            standing.iter().filter(wanted).take(count).map(|record| (*record).clone()).collect()
        };
        Ok(Some((found, last)))
    }

    /// The records from this position on, that one included.
    pub(crate) fn forwards(&self, from: u64) -> &[Record] {
        let start = self.records.partition_point(|record| record.position < from);
        &self.records[start..]
    }

    /// The records before this position, the last one first.
    pub(crate) fn backwards(&self, from: u64) -> impl Iterator<Item = &Record> {
        let end = self.records.partition_point(|record| record.position < from);
        self.records[..end].iter().rev()
    }
}

/// Whether a filter lets a record pass. Of regular expressions only the one is known that leaves the system's events out.
pub(crate) fn passes(filter: Option<&Filter>, record: &Record) -> bool {
    let Some(subject) = filter.and_then(|filter| filter.subject.as_ref()) else { return true };
    let (Expression { regex, prefixes }, text) = match subject {
        Subject::Stream(expression) => (expression, &record.stream),
        Subject::EventType(expression) => (expression, &record.event_type),
    };
    assert!(regex.is_empty() || regex == "^[^\\$].*", "the server does not know the expression {regex}");
    if regex.is_empty() {
        prefixes.iter().any(|prefix| text.starts_with(prefix))
    } else {
        !text.starts_with('$')
    }
}
