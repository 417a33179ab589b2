//! How a message that answers one of ours shows which request it is about.
//!
//! The id of a mail to a requester ends with a tag: a keyed digest of the request, which nobody can make who has not seen
//! a mail of that request. The tracking code itself never stands in a header, where every server on the way keeps it.

use guichet_engine::Engine;
use guichet_engine::journal::Tenant;
use guichet_engine::rules::request::RequestId;
use uuid::Uuid;

/// Hexadecimal characters of a tag: 96 bits.
const TAG_LENGTH: usize = 24;

/// A message of ours, as its id says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thread {
    /// The request.
    pub request: RequestId,
    /// The revision of the event that asked for the message, and which of its effects it was.
    pub effect: (u64, u32),
}

impl Thread {
    /// The effect's name, as in the outbox.
    #[must_use]
    pub fn effect_id(&self) -> String {
        format!("{}-{}", self.effect.0, self.effect.1)
    }
}

/// The tag of a request: what its requester's mails carry, and nobody else can make.
#[must_use]
pub fn tag(engine: &Engine, tenant: &Tenant, request: RequestId) -> String {
    let secret = engine.journal().keys().blind(tenant, format!("thread\n{request}").as_bytes());
    let text = secret.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    text.get(..TAG_LENGTH).unwrap_or_default().to_owned()
}

/// The message of ours that an id without a tag names, `<request>.<effect>`, as text messages have: for carriers who have
/// shown who they are.
#[must_use]
pub fn of_reference(id: &str) -> Option<Thread> {
    let mut parts = id.split('.');
    let request = Uuid::parse_str(parts.next()?).ok().map(RequestId)?;
    let (revision, place) = parts.next()?.split_once('-')?;
    Some(Thread { request, effect: (revision.parse().ok()?, place.parse().ok()?) })
}

/// The message of ours that an id names: `<request>.<effect>.<tag>@…`, if the tag is the request's.
#[must_use]
pub fn of_message_id(id: &str, tag_of: impl Fn(RequestId) -> String) -> Option<Thread> {
    let local = id.split('@').next()?;
    let mut parts = local.split('.');
    let request = Uuid::parse_str(parts.next()?).ok().map(RequestId)?;
    let (revision, place) = parts.next()?.split_once('-')?;
    let effect = (revision.parse().ok()?, place.parse().ok()?);
    let given = parts.next_back()?;
    let right = tag_of(request);
    let same = given.len() == right.len()
        && given.bytes().zip(right.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0;
    same.then_some(Thread { request, effect })
}
