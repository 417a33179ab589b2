//! A new request, as an integrator writes it down.

use chrono::{DateTime, Utc};
use guichet_engine::rules::process::{Channel, Opener};
use guichet_engine::rules::request::{Actor, Command, CommandId, Contact, RequesterInput};
use serde_json::{Map, Value};

/// A request to be received. Start with [`NewRequest::new`] and add what is known.
#[derive(Debug, Clone)]
pub struct NewRequest {
    /// The collectivity.
    pub tenant: String,
    /// The process, as in the catalogue: `voirie/chaussee-abimee`.
    pub process: String,
    /// The way it came in; the web by default.
    pub channel: Channel,
    /// Who opens it; a citizen by default.
    pub opened_by: Opener,
    /// Who it is for.
    pub requester: RequesterInput,
    /// The form.
    pub form: Map<String, Value>,
    /// The number it has in the system it comes from.
    pub external: Option<String>,
    /// The answer, if it was given at once.
    pub answer: Option<String>,
    /// Who sends it; the requester by default.
    pub actor: Actor,
    /// The command's id, if the sender keeps one to be able to send the same again; drawn by default.
    pub command_id: Option<CommandId>,
    /// When it was made (UTC), if that was before now.
    pub occurred_at: Option<DateTime<Utc>>,
    /// When another administration first received it (UTC), if it was forwarded from there (CRPA L114-3).
    pub first_received_at: Option<DateTime<Utc>>,
}

impl NewRequest {
    /// A citizen's request, through the web, from nobody in particular.
    #[must_use]
    pub fn new(tenant: impl Into<String>, process: impl Into<String>) -> Self {
        Self {
            tenant: tenant.into(),
            process: process.into(),
            channel: Channel::Web,
            opened_by: Opener::Citizen,
            requester: RequesterInput::default(),
            form: Map::new(),
            external: None,
            answer: None,
            actor: Actor::Requester,
            command_id: None,
            occurred_at: None,
            first_received_at: None,
        }
    }

    /// With a field of the form.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.form.insert(name.into(), value.into());
        self
    }

    /// Through another channel.
    #[must_use]
    pub fn channel(mut self, channel: Channel) -> Self {
        self.channel = channel;
        self
    }

    /// With a way to reach the requester.
    #[must_use]
    pub fn contact(mut self, contact: Contact) -> Self {
        self.requester.contact = contact;
        self
    }

    /// Under an id of the sender's, so that sending it twice receives it once.
    #[must_use]
    pub fn command_id(mut self, id: CommandId) -> Self {
        self.command_id = Some(id);
        self
    }

    pub(crate) fn command(self) -> Command {
        Command::Receive {
            process: self.process,
            channel: self.channel,
            opened_by: self.opened_by,
            requester: self.requester,
            form: self.form,
            external: self.external,
            answer: self.answer,
            first_received_at: self.first_received_at,
            origin: None,
        }
    }
}
