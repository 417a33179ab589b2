//! Carrying out what a message is to become. One message is one command, whose id is made from the message's own.

use guichet_engine::journal::JournalError;
use guichet_engine::rules::process::{Channel, Delivery, Opener, request_of};
use guichet_engine::rules::request::{
    Actor, Command, CommandId, Contact, Recipient, RequestId, RequesterInput, Stage,
};
use guichet_engine::rules::text::Language;
use guichet_engine::rules::tracking::TrackingCode;
use guichet_engine::{EngineError, Receipt, Submission, tenant_of};
use guichet_projections::ProjectionError;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::form;
use super::limits::{NEW_PER_DOOR, NEW_PER_SENDER, REPLIES_PER_REQUEST};
use super::mail::{Attachment, codes};
use super::thread::{self, Thread};
use crate::attachments::AttachmentError;
use crate::guichet::Guichet;
use crate::settings::channels::Becomes;

/// The names from which ids of commands are made (RFC 9562, version 5).
const NAMESPACE: Uuid = Uuid::from_u128(0x5e1f_0b6c_93d7_4a2e_8c40_71d5_e2a9_06b3);
/// The longest text that a command may say, in characters.
const SAID_MAX: usize = 10_000;
/// The most requests that one thread may come to, one after the other was closed.
const GENERATIONS_MAX: u32 = 50;
/// How long a code just given may take to be known to the lists.
const CATCH_UP: std::time::Duration = std::time::Duration::from_secs(5);

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Became {
    /// A new request.
    Request {
        /// Its id.
        request: RequestId,
        /// Its tracking code, as it is said; for channels that answer at once.
        code: Option<String>,
        /// Whether the message had come before.
        repeated: bool,
    },
    /// A word on a request.
    Reply {
        /// The request.
        request: RequestId,
        /// Whether the message had come before.
        repeated: bool,
    },
    /// A note on a request that is closed.
    Noted {
        /// The request.
        request: RequestId,
        /// Whether the message had come before.
        repeated: bool,
    },
    /// A mark on a request that a message to its requester did not arrive.
    Undelivered {
        /// The request.
        request: RequestId,
    },
    /// A question about a request, answered at once.
    Followed {
        /// The request.
        request: RequestId,
    },
    /// Nothing, for this reason.
    Ignored(&'static str),
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The engine, or its rules.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The read models do not answer.
    #[error(transparent)]
    ReadModels(#[from] ProjectionError),
    /// The store of files does not answer.
    #[error(transparent)]
    Attachments(#[from] AttachmentError),
    /// Too much has come in from there; after these seconds more may come.
    #[error("too much has come in from this sender; more may come in {0} seconds")]
    TooMuch(u64),
    /// What it is to become is not in force any more.
    #[error("the process `{0}` that messages are to become is not in force")]
    NoProcess(String),
}

impl TakeError {
    /// Whether the same message may be taken later. What the rules refuse today they may take once the settings or the
    /// sheet are put right, so a mail is kept; only its own shape makes one unreadable.
    #[must_use]
    pub fn seconds_to_wait(&self) -> u64 {
        match self {
            Self::TooMuch(seconds) => *seconds,
            Self::Engine(_) | Self::ReadModels(_) | Self::Attachments(_) | Self::NoProcess(_) => 60,
        }
    }
}

/// A message, whatever the channel it came through.
#[derive(Clone)]
pub(crate) struct Message<'m> {
    pub(crate) guichet: &'m Guichet,
    pub(crate) tenant: &'m str,
    pub(crate) channel: Channel,
    /// Its name among all that came through this channel: the gateway's, or the mail's own id.
    pub(crate) id: String,
    /// Who sent it, by an address or number; for counting, never for proof.
    pub(crate) sender: String,
    pub(crate) contact: Contact,
    pub(crate) preferred: Option<Delivery>,
    pub(crate) language: Language,
    pub(crate) subject: &'m str,
    pub(crate) text: &'m str,
    pub(crate) files: &'m [Attachment],
    pub(crate) left_out: usize,
}

impl Message<'_> {
    /// Receives it as a new request.
    pub(crate) async fn receive(&self, becomes: &Becomes) -> Result<Became, TakeError> {
        let engine = self.guichet.engine();
        // Also brings the latest published version here.
        engine.organisation_now(self.tenant).await?.ok_or(EngineError::UnknownTenant)?;
        let plan = engine.definitions().in_force(self.tenant, &becomes.process);
        let plan = plan.ok_or_else(|| TakeError::NoProcess(becomes.process.clone()))?;
        let definition = plan.definition();
        self.count("door", &becomes.process, NEW_PER_DOOR)?;
        self.count("new", &self.sender.to_lowercase(), NEW_PER_SENDER)?;
        let field = form::files_field(definition, becomes.files.as_deref());
        let store = self.guichet.attachments();
        let files = form::store(store, self.tenant, field, 0, self.files).await?;
        let told = form::told(&files.refused, self.left_out, self.language);
        let (form, rest) = form::form(becomes, definition, (self.subject, self.text, &told), files);
        let receipt = self.received(becomes, form).await?;
        if let Some(rest) = rest {
            // What had no room in the form is kept beside it.
            let mut rest = Some(rest);
            for number in 0..10 {
                let Some(text) = rest.take() else { break };
                let (said, more) = form::cut(&text, SAID_MAX);
                self.note(receipt.request, &said, &format!("rest-{number}")).await?;
                rest = more;
            }
        }
        Ok(Became::Request {
            request: receipt.request,
            code: receipt.tracking.as_ref().map(TrackingCode::spoken),
            repeated: receipt.repeated,
        })
    }

    async fn received(&self, becomes: &Becomes, form: Map<String, Value>) -> Result<Receipt, EngineError> {
        let command = |contact: Contact| Command::Receive {
            process: becomes.process.clone(),
            channel: self.channel,
            opened_by: Opener::Citizen,
            requester: RequesterInput {
                language: self.language,
                preferred: self.preferred,
                contact,
                ..RequesterInput::default()
            },
            form: form.clone(),
            external: None,
            first_received_at: None,
            answer: None,
            origin: None,
        };
        let done = self.submit(None, command(self.contact.clone()), Actor::Requester, "receive").await;
        match done {
            // An address that mail servers take and forms do not: the request counts all the same.
            Err(EngineError::Rejected(rejection))
                if rejection.fields.iter().all(|fault| fault.pointer.starts_with("/requester/contact"))
                    && !rejection.fields.is_empty() =>
            {
                let named = Contact { name: self.contact.name.clone(), ..Contact::default() };
                self.submit(None, command(named), Actor::Requester, "receive").await
            }
            done => done,
        }
    }

    /// Takes it as a word on a request, for which its sender has shown a proof.
    pub(crate) async fn reply(&self, request: RequestId) -> Result<Became, TakeError> {
        self.count("reply", &request.to_string(), REPLIES_PER_REQUEST)?;
        let known = self.guichet.request(self.tenant, request).await?;
        let definition = known.plan.definition();
        let open = self.guichet.allowed(&known, &Actor::Requester).contains(&"reply");
        let field = form::files_field(definition, None).filter(|_| open);
        let mut there = Vec::new();
        if let Some(field) = field.filter(|_| !self.files.is_empty()) {
            let dossier = self.guichet.dossier(self.tenant, &known).await?;
            there = dossier.form.get(&field.field).and_then(Value::as_array).cloned().unwrap_or_default();
        }
        let store = self.guichet.attachments();
        let files = form::store(store, self.tenant, field, there.len(), self.files).await?;
        let told = form::told(&files.refused, self.left_out, self.language);
        let (text, _) = form::cut(format!("{}\n{told}", self.text.trim()).trim(), SAID_MAX);
        if !open {
            let repeated = self.note(request, &self.after_the_end(&text), "note").await?;
            return Ok(Became::Noted { request, repeated });
        }
        let mut form = Map::new();
        // The same file twice is one.
        let added: Vec<Value> = files.taken.into_iter().filter(|file| !there.contains(file)).collect();
        if let Some(field) = field.filter(|_| !added.is_empty()) {
            there.extend(added);
            form.insert(field.field.clone(), there.into());
        }
        if text.is_empty() && form.is_empty() {
            return Ok(Became::Ignored("empty"));
        }
        let reply = Command::Reply { text: (!text.is_empty()).then_some(text.clone()), form, complete: true };
        match self.submit(Some(request), reply, Actor::Requester, "reply").await {
            Ok(receipt) => Ok(Became::Reply { request, repeated: receipt.repeated }),
            // Closed since it was looked at: what was said stands as a note.
            Err(EngineError::Rejected(rejection)) if rejection.fields.is_empty() => {
                let repeated = self.note(request, &self.after_the_end(&text), "note").await?;
                Ok(Became::Noted { request, repeated })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes it as part of a thread: its first message is a request, those after it are words on that; once the request is
    /// closed, the next message begins another.
    pub(crate) async fn in_thread(&self, thread: &str, becomes: &Becomes) -> Result<Became, TakeError> {
        for generation in 0..GENERATIONS_MAX {
            let first = Self { id: format!("{thread}\n{generation}"), ..self.clone() };
            let request = RequestId(request_of(first.command_id("receive").0));
            let known = match self.guichet.request(self.tenant, request).await {
                Ok(known) => known,
                Err(EngineError::UnknownRequest) => match first.receive(becomes).await {
                    // Two messages at once: the other began it.
                    Err(TakeError::Engine(EngineError::Journal(JournalError::CommandReused { .. }))) => {
                        return self.reply(request).await;
                    }
                    done => return done,
                },
                Err(error) => return Err(error.into()),
            };
            let definition = known.plan.definition();
            let dossier = self.guichet.dossier(self.tenant, &known).await?;
            let (form, _) =
                form::form(becomes, definition, (self.subject, self.text, ""), form::Files::default());
            if dossier.form.get(&becomes.text) == form.get(&becomes.text) {
                // The same words as at its beginning: the message that began it has come again.
                return Ok(Became::Request { request, code: None, repeated: true });
            }
            if !known.request.stage.is_finished() {
                return self.reply(request).await;
            }
            if self.is_word_on(request).await? {
                return Ok(Became::Reply { request, repeated: true });
            }
        }
        Err(TakeError::TooMuch(3600))
    }

    /// Whether this message stands on a closed request already, as a word that was taken before it was closed.
    async fn is_word_on(&self, request: RequestId) -> Result<bool, EngineError> {
        let reply =
            Command::Reply { text: Some(self.text.trim().to_owned()), form: Map::new(), complete: true };
        match self.submit(Some(request), reply, Actor::Requester, "reply").await {
            Ok(_) | Err(EngineError::Journal(JournalError::CommandReused { .. })) => Ok(true),
            Err(EngineError::Rejected(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn after_the_end(&self, text: &str) -> String {
        let words = match self.language {
            Language::Fr => "Message du demandeur, arrivé après la clôture :",
            Language::En => "Message from the requester, received after closing:",
        };
        form::cut(&format!("{words}\n{text}"), SAID_MAX).0
    }

    async fn note(&self, request: RequestId, text: &str, how: &str) -> Result<bool, EngineError> {
        let note = Command::Note { text: text.to_owned() };
        Ok(self.submit(Some(request), note, Actor::Engine, how).await?.repeated)
    }

    async fn submit(
        &self,
        request: Option<RequestId>,
        command: Command,
        actor: Actor,
        how: &str,
    ) -> Result<Receipt, EngineError> {
        let submission = Submission {
            tenant: self.tenant.to_owned(),
            request,
            command,
            actor,
            command_id: self.command_id(how),
            occurred_at: None,
            expected: None,
        };
        self.guichet.submit(submission).await
    }

    fn command_id(&self, how: &str) -> CommandId {
        let name = format!("{}\n{}\n{}\n{how}", self.channel.id(), self.tenant, self.id);
        CommandId(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }

    fn count(&self, what: &str, whom: &str, most: u32) -> Result<(), TakeError> {
        let tenant = tenant_of(self.tenant)?;
        let keys = self.guichet.engine().journal().keys();
        let text = format!("count\n{}\n{what}\n{whom}", self.channel.id());
        let key = Uuid::new_v5(&NAMESPACE, &keys.blind(&tenant, text.as_bytes())).to_string();
        self.guichet.limits().take(&key, most, self.guichet.now()).map_err(TakeError::TooMuch)
    }
}

/// The request of this collectivity whose tracking code the texts name; the first text counts first.
pub(crate) async fn by_code(
    guichet: &Guichet,
    tenant: &str,
    texts: &[&str],
) -> Result<Option<RequestId>, TakeError> {
    let name = tenant_of(tenant)?;
    for code in texts.iter().flat_map(|text| codes(text)).take(super::mail::CODES_MAX) {
        let digest = guichet.engine().code_digest(&name, &code);
        let models = guichet.read_models();
        let mut card = models.card_by_tracking(&digest).await?.value;
        if card.is_none() {
            // Whoever answers at once must not be faster than the lists.
            models.catch_up(CATCH_UP).await?;
            card = models.card_by_tracking(&digest).await?.value;
        }
        if let Some(card) = card.filter(|card| card.tenant == tenant) {
            return Ok(Some(card.request));
        }
    }
    Ok(None)
}

/// The message of ours that the ids name, the first first.
pub(crate) fn by_tag(guichet: &Guichet, tenant: &str, ids: &[String]) -> Result<Option<Thread>, EngineError> {
    let name = tenant_of(tenant)?;
    let tag_of = |request| thread::tag(guichet.engine(), &name, request);
    Ok(ids.iter().find_map(|id| thread::of_message_id(id, tag_of)))
}

/// Marks that a message of ours did not arrive: the answer's delivery failed if it still counts as under way, and else
/// the message is reported as one that did not reach its reader, however long ago it was handed over.
pub(crate) async fn undelivered(
    guichet: &Guichet,
    tenant: &str,
    thread: Thread,
    (by, reason): (Delivery, String),
) -> Result<Became, TakeError> {
    let known = guichet.request(tenant, thread.request).await?;
    if thread.effect.0 > known.revision {
        // Nothing that happened asked for such a message.
        return Ok(Became::Ignored("unknown"));
    }
    let under_way = matches!(known.request.stage, Stage::Validated { by: Some(open), .. } if open == by);
    let effect = thread.effect_id();
    let command = if under_way {
        Command::FailDelivery { by, reason }
    } else {
        Command::FailNotification { effect, recipient: Recipient::Requester, reason, late: true }
    };
    let name = format!("undelivered\n{tenant}\n{}\n{}", thread.request, thread.effect_id());
    let submission = Submission {
        tenant: tenant.to_owned(),
        request: Some(thread.request),
        command,
        actor: Actor::Engine,
        command_id: CommandId(Uuid::new_v5(&NAMESPACE, name.as_bytes())),
        occurred_at: None,
        expected: None,
    };
    match guichet.submit(submission).await {
        Ok(_) => {
            let by = crate::accounts::means(by);
            metrics::counter!("guichet_channels_undelivered_total", "by" => by).increment(1);
            Ok(Became::Undelivered { request: thread.request })
        }
        Err(EngineError::Rejected(_)) => Ok(Became::Ignored("report")),
        // The same report in other words: the first one stands.
        Err(EngineError::Journal(JournalError::CommandReused { .. })) => {
            Ok(Became::Undelivered { request: thread.request })
        }
        Err(error) => Err(error.into()),
    }
}
