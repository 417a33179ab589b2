//! The stream itself. It reads a page of changes when the connection takes one, and holds no more than that page: a reader
//! that is slow costs nothing but its place, and the connection itself cuts one that takes nothing at all.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::body::Bytes;
use chrono::{DateTime, Utc};
use futures_util::{Stream, stream};
use guichet_engine::journal::Position;
use guichet_engine::rules::text::{Language, Text};
use guichet_projections::{ChangeEntry, ChangeQuery};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::listeners::Place;
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::words;

/// How often a stream on which nothing happens says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a stream lasts; whoever listens on connects again, and shows its key again.
const STREAM_MAX: Duration = Duration::from_secs(15 * 60);
/// The least time between two looks, so that many commands are one page and not many.
const BREATH: Duration = Duration::from_millis(25);
/// What browsers are told to wait before they connect again.
const RECONNECT_MILLIS: u32 = 2_000;

/// A change of a request as its requester hears of it. What was written is not in it: it is read with the code.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct Told {
    /// Where it stands in the journal; the place to go on from.
    #[schemars(with = "String")]
    position: Position,
    /// When it happened (UTC).
    occurred: DateTime<Utc>,
    /// What is new: of `stage`, `promise`, `message`.
    about: Vec<&'static str>,
    /// The stage by now.
    stage: String,
    /// The stage in words, in the reader’s language.
    words: String,
    /// The same in French and in English.
    text: Text,
    /// When the next promise is due (UTC), by now.
    due: Option<DateTime<Utc>>,
    /// The revision, for `If-Match`.
    revision: u64,
}

/// Events by which a requester’s request reaches another stage.
const STAGES: [&str; 12] = [
    "received",
    "qualified",
    "reclassified",
    "assigned",
    "reassigned",
    "validated",
    "delivered",
    "withdrawn",
    "cancelled",
    "refused",
    "forwarded",
    "merged",
];
/// Events that give a requester something to read or to answer, or take it back.
const MESSAGES: [&str; 7] = ["asked", "messaged", "delivered", "replied", "reminded", "lapsed", "resumed"];

impl Told {
    /// What a requester hears of a change; nothing of what is the town hall’s own business.
    pub(crate) fn of(entry: &ChangeEntry, language: Language) -> Option<Self> {
        let what = entry.event.strip_prefix("request.").unwrap_or(&entry.event);
        let mut about = Vec::new();
        about.extend((STAGES.contains(&what) || what == "reopened").then_some("stage"));
        about.extend((!entry.promises.is_empty()).then_some("promise"));
        about.extend(MESSAGES.contains(&what).then_some("message"));
        let text = words::stage(&entry.stage);
        (!about.is_empty()).then(|| Self {
            position: entry.position,
            occurred: entry.occurred,
            about,
            stage: entry.stage.clone(),
            words: text.get(language).to_owned(),
            text,
            due: entry.due,
            revision: entry.revision,
        })
    }
}

struct Reader<F> {
    app: App,
    query: ChangeQuery,
    /// Everything up to here was told, or is not asked for.
    after: Option<Position>,
    /// Read, and not yet told.
    page: VecDeque<ChangeEntry>,
    tell: F,
    ends: Instant,
    first: bool,
    _place: Place,
}

/// The events after `after`, from now on if it is none.
pub(super) async fn events<F>(
    app: App,
    query: ChangeQuery,
    after: Option<Position>,
    place: Place,
    tell: F,
) -> Result<impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static + use<F>, Problem>
where
    F: Fn(&ChangeEntry) -> Option<Value> + Send + Sync + 'static,
{
    let after = match after {
        Some(after) => Some(after),
        None => app.guichet.read_models().status().await?.position,
    };
    let ends = Instant::now() + STREAM_MAX;
    let reader = Reader { app, query, after, page: VecDeque::new(), tell, ends, first: true, _place: place };
    Ok(stream::unfold(reader, |mut reader| async {
        let bytes = reader.next().await?;
        Some((Ok(bytes), reader))
    }))
}

impl<F: Fn(&ChangeEntry) -> Option<Value>> Reader<F> {
    /// What is sent next; nothing at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if std::mem::take(&mut self.first) {
            return Some(self.ready());
        }
        loop {
            let told = self.told();
            if told.is_some() {
                return told;
            }
            if self.app.readiness.is_draining() || Instant::now() >= self.ends {
                return None;
            }
            if !self.read().await? {
                let silent = self.rest().await?;
                if silent {
                    return Some(self.heartbeat());
                }
            }
        }
    }

    /// From where on changes are told.
    fn ready(&self) -> Bytes {
        let id = self.after.map_or_else(|| "0".repeat(16), |after| after.to_string());
        format!("retry: {RECONNECT_MILLIS}\nid: {id}\nevent: ready\ndata: {{\"position\":\"{id}\"}}\n\n")
            .into()
    }

    /// A comment, with the place reached: whoever connects again need not go through what was not asked for.
    fn heartbeat(&self) -> Bytes {
        let id = self.after.map(|after| format!("id: {after}\n")).unwrap_or_default();
        format!(": …\n{id}\n").into()
    }

    /// The events of the page at hand.
    fn told(&mut self) -> Option<Bytes> {
        let mut out = String::new();
        while let Some(entry) = self.page.pop_front() {
            self.after = Some(entry.position);
            let Some(data) = (self.tell)(&entry) else { continue };
            let (id, event) = (entry.position, &entry.event);
            out.push_str(&format!("id: {id}\nevent: {event}\ndata: {data}\n\n"));
        }
        (!out.is_empty()).then(|| out.into())
    }

    /// Reads the next page; whether there was anything in it. Ends where the read models do not answer: the client
    /// connects again, and goes on from the last event that it heard.
    async fn read(&mut self) -> Option<bool> {
        let read = self.app.guichet.read_models().changes(&self.query, self.after).await;
        let answer = read.inspect_err(|error| tracing::warn!(%error, "a stream of changes ends")).ok()?;
        self.page = answer.value.into();
        if self.page.is_empty() {
            self.after = self.after.max(answer.as_of);
        }
        Some(!self.page.is_empty())
    }

    /// Waits until something happened; whether nothing did for a while. Ends when the server is stopped.
    async fn rest(&self) -> Option<bool> {
        let models = self.app.guichet.read_models();
        tokio::select! {
            moved = models.moved_beyond(self.after) => {
                moved.ok()?;
                tokio::time::sleep(BREATH).await;
                Some(false)
            }
            () = self.app.readiness.drained() => None,
            () = tokio::time::sleep(HEARTBEAT) => Some(true),
        }
    }
}
