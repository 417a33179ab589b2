//! Sealing: personal parts of a body are encrypted before it is stored, each person's under a key of their own.
//!
//! - In: `{"$personal": "<subject>", "value": …}`, anywhere in a body.
//! - Stored: `{"$sealed": "<base64 of nonce and ciphertext>", "$subject": "<subject>", "kid": "<key id>"}`.
//! - Opened again: as it came in, or `{"$personal": "<subject>"}` when the key is revoked or destroyed.
//!
//! **What a part is bound to.** The revision is known only when the writer places the event, so a part is bound (as associated data) to
//! the stream, the event id, the subject, the key id, the part's index and the version of this form. The event id is unique in its stream and
//! stands in the header that holds the revision and the digest of the whole stored body, so a part cannot be moved to another place, event,
//! person or tenant unseen.
//!
//! **The commitment.** A header carries `commit = SHA-256(salt ‖ clear body)`. Common ciphers do not bind a ciphertext to one key; the
//! commitment does. The salt must die with the data, or low-entropy data could be guessed from it:
//! - a body with sealed parts has a salt made of one 32-byte share per key, each inside the first part under that key. When any one of the
//!   keys is destroyed, the salt is lost and the commitment says nothing any more;
//! - a body without sealed parts is stored as `{"salt":"…","body":…}`. So neither digest in a header says anything to someone who holds headers only.

mod parts;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::error::JournalError;
use crate::event::Recorded;
use crate::id::{EventId, Kid, StreamId, Subject};
use crate::keys::{DataKey, KeyState, KeyStore, random};
use crate::limits::BODY_PERSONS_MAX;
use parts::Part;

const SALT_BYTES: usize = 32;
const SALT_TEXT_BYTES: usize = 43;
const ENVELOPE_START: &str = "{\"salt\":\"";
const ENVELOPE_MIDDLE: &str = "\",\"body\":";

/// A body as it is stored.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) text: String,
    pub(crate) digest: Digest,
    pub(crate) commitment: Digest,
    pub(crate) keys: Vec<Kid>,
}

/// The persons whom a body holds data of, each once, in order.
pub(crate) fn persons(body: &str) -> Result<Vec<Subject>, JournalError> {
    if parts::find(body, "$sealed")?.into_iter().next().is_some() {
        return Err(JournalError::invalid("a body holds a member `$sealed`, which only the journal writes"));
    }
    let mut persons: Vec<Subject> = Vec::new();
    for part in parts::find(body, "$personal")? {
        let subject = subject_of(&part)?;
        if part.raw("value").is_some() && !persons.contains(&subject) {
            persons.push(subject);
        }
    }
    if persons.len() > BODY_PERSONS_MAX {
        return Err(JournalError::TooLarge {
            what: "the number of persons in a body",
            size: persons.len(),
            limit: BODY_PERSONS_MAX,
        });
    }
    Ok(persons)
}

fn subject_of(part: &Part<'_>) -> Result<Subject, JournalError> {
    let [first, rest @ ..] = part.members.as_slice() else {
        return Err(JournalError::invalid("a personal part is empty"));
    };
    let known = |name: &str| matches!(name, "$personal" | "value");
    let twice = rest.iter().any(|(name, _)| *name == first.0);
    if rest.len() > 1 || twice || !part.members.iter().all(|(name, _)| known(name)) {
        return Err(JournalError::invalid(
            "a personal part holds other members than `$personal` and `value`",
        ));
    }
    let subject = part
        .text("$personal")
        .ok_or_else(|| JournalError::invalid("the `$personal` of a part is not a text"))?;
    Ok(subject.parse()?)
}

/// The clear form of a part, which is what the commitment is made of and what opening gives back.
fn clear_part(subject: &Subject, value: Option<&str>) -> String {
    value.map_or_else(
        || format!("{{\"$personal\":\"{subject}\"}}"),
        |value| format!("{{\"$personal\":\"{subject}\",\"value\":{value}}}"),
    )
}

fn bound(stream: &str, event: EventId, subject: &Subject, kid: &Kid, index: usize) -> String {
    // None of these names can hold a line feed, so no two lists of them look alike.
    format!("guichet part 1\n{stream}\n{event}\n{subject}\n{kid}\n{index}")
}

/// Seals the parts of a body under the keys of their persons, which stand in the order of [`persons`].
pub(crate) fn seal(
    body: &str,
    stream: &StreamId,
    event: EventId,
    keys: &[(Subject, Kid, DataKey)],
) -> Result<Sealed, JournalError> {
    if keys.is_empty() {
        return envelope(body);
    }
    let mut shares: Vec<Option<[u8; SALT_BYTES]>> = vec![None; keys.len()];
    let (mut text, mut clear, mut copied) =
        (String::with_capacity(body.len() * 2), String::with_capacity(body.len()), 0);
    for (index, part) in parts::find(body, "$personal")?.iter().enumerate() {
        let subject = subject_of(part)?;
        let between = body.get(copied..part.span.start).unwrap_or_default();
        copied = part.span.end;
        let value = part.raw("value");
        let clear_text = clear_part(&subject, value);
        text.push_str(between);
        clear.push_str(between);
        clear.push_str(&clear_text);
        let Some(value) = value else {
            text.push_str(&clear_text);
            continue;
        };
        let (place, (_, kid, key)) = keys
            .iter()
            .enumerate()
            .find(|(_, (whose, _, _))| *whose == subject)
            .ok_or_else(|| JournalError::invalid("a personal part has no key"))?;
        let mut message = Vec::with_capacity(SALT_BYTES + value.len());
        if let Some(share @ None) = shares.get_mut(place) {
            message.extend_from_slice(share.insert(random()?));
        }
        message.extend_from_slice(value.as_bytes());
        let sealed = key.seal(&message, bound(stream.as_str(), event, &subject, kid, index).as_bytes())?;
        text.push_str("{\"$sealed\":\"");
        STANDARD.encode_string(&sealed, &mut text);
        for piece in ["\",\"$subject\":\"", subject.as_str(), "\",\"kid\":\"", kid.as_str(), "\"}"] {
            text.push_str(piece);
        }
    }
    let rest = body.get(copied..).unwrap_or_default();
    text.push_str(rest);
    clear.push_str(rest);
    let shares: Vec<_> = shares.into_iter().flatten().collect();
    Ok(Sealed {
        digest: Digest::of(text.as_bytes()),
        commitment: commitment(&salt_of(&shares), clear.as_bytes()),
        keys: keys.iter().map(|(_, kid, _)| kid.clone()).collect(),
        text,
    })
}

fn envelope(body: &str) -> Result<Sealed, JournalError> {
    let salt: [u8; SALT_BYTES] = random()?;
    let mut text = String::with_capacity(body.len() + 64);
    text.push_str(ENVELOPE_START);
    URL_SAFE_NO_PAD.encode_string(salt, &mut text);
    text.push_str(ENVELOPE_MIDDLE);
    text.push_str(body);
    text.push('}');
    Ok(Sealed {
        digest: Digest::of(text.as_bytes()),
        commitment: commitment(&salt, body.as_bytes()),
        keys: Vec::new(),
        text,
    })
}

/// The salt and the content of an envelope.
fn envelope_parts(stored: &str) -> Option<(&str, &str)> {
    let rest = stored.strip_prefix(ENVELOPE_START)?;
    let (salt, rest) = rest.split_at_checked(SALT_TEXT_BYTES)?;
    Some((salt, rest.strip_prefix(ENVELOPE_MIDDLE)?.strip_suffix('}')?))
}

pub(crate) fn envelope_content(stored: &str) -> Option<&str> {
    envelope_parts(stored).map(|(_, content)| content)
}

fn salt_of(shares: &[[u8; SALT_BYTES]]) -> [u8; SALT_BYTES] {
    let mut hash = Sha256::new();
    hash.update(b"guichet salt 1\n");
    shares.iter().for_each(|share| hash.update(share));
    hash.finalize().into()
}

fn commitment(salt: &[u8; SALT_BYTES], clear: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update(salt);
    hash.update(clear);
    Digest::new(hash.finalize().into())
}

/// What an opened body came to.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The body in clear, erased parts without their value.
    pub(crate) text: String,
    /// The commitment of the body, unless a part could not be opened.
    pub(crate) commitment: Option<Digest>,
}

/// The body in clear.
pub(crate) async fn open(keys: &dyn KeyStore, event: &Recorded) -> Result<String, JournalError> {
    open_fully(keys, event).await.map(|opened| opened.text)
}

/// The body in clear, with its commitment as far as it can be known.
pub(crate) async fn open_fully(keys: &dyn KeyStore, event: &Recorded) -> Result<Opened, JournalError> {
    let stored = event.stored_body();
    let broken =
        |what: &str| JournalError::corrupt(format!("{what} in the body at position {}", event.position()));
    if !event.is_sealed() {
        let (salt, content) = envelope_parts(stored).ok_or_else(|| broken("no envelope"))?;
        let salt = URL_SAFE_NO_PAD.decode(salt).ok().and_then(|salt| <[u8; SALT_BYTES]>::try_from(salt).ok());
        let salt = salt.ok_or_else(|| broken("no salt"))?;
        return Ok(Opened {
            text: content.to_owned(),
            commitment: Some(commitment(&salt, content.as_bytes())),
        });
    }
    let header = event.header()?;
    let mut states = Vec::with_capacity(header.keys.len());
    for kid in &header.keys {
        match keys.find(kid).await? {
            KeyState::Unknown => return Err(JournalError::KeyMissing { kid: kid.clone() }),
            state @ (KeyState::Active(_) | KeyState::Revoked | KeyState::Destroyed) => {
                states.push((kid, state))
            }
        }
    }
    unseal(stored, event, &states).ok_or_else(|| broken("a sealed part that does not open"))
}

/// Puts the values back; none when a part is not what was sealed.
fn unseal(stored: &str, event: &Recorded, states: &[(&Kid, KeyState)]) -> Option<Opened> {
    let header = event.header().ok()?;
    let mut shares: Vec<Option<[u8; SALT_BYTES]>> = vec![None; states.len()];
    let (mut text, mut copied, mut index, mut whole) = (String::with_capacity(stored.len()), 0, 0, true);
    for part in merged(stored)? {
        text.push_str(stored.get(copied..part.span.start)?);
        copied = part.span.end;
        if part.raw("$sealed").is_none() {
            text.push_str(stored.get(part.span.clone())?);
            index += 1;
            continue;
        }
        let subject: Subject = part.text("$subject")?.parse().ok()?;
        let kid: Kid = part.text("kid")?.parse().ok()?;
        let (place, (_, state)) = states.iter().enumerate().find(|(_, (known, _))| **known == kid)?;
        match state {
            KeyState::Active(key) => {
                let sealed = STANDARD.decode(part.text("$sealed")?).ok()?;
                let opened = key.open(
                    &sealed,
                    bound(header.stream.as_str(), header.event, &subject, &kid, index).as_bytes(),
                )?;
                let value = match shares.get_mut(place)? {
                    Some(_) => opened.as_slice(),
                    share @ None => {
                        let (first, value) = opened.split_first_chunk::<SALT_BYTES>()?;
                        *share = Some(*first);
                        value
                    }
                };
                text.push_str(&clear_part(&subject, Some(std::str::from_utf8(value).ok()?)));
            }
            KeyState::Revoked | KeyState::Destroyed | KeyState::Unknown => {
                whole = false;
                text.push_str(&clear_part(&subject, None));
            }
        }
        index += 1;
    }
    text.push_str(stored.get(copied..)?);
    let shares: Vec<_> = shares.into_iter().flatten().collect();
    let commitment = whole.then(|| commitment(&salt_of(&shares), text.as_bytes()));
    Some(Opened { text, commitment })
}

/// The sealed parts and those that came without a value, in the order of the text: together they are the parts that were counted.
fn merged(stored: &str) -> Option<Vec<Part<'_>>> {
    let mut all = parts::find(stored, "$sealed").ok()?;
    all.extend(parts::find(stored, "$personal").ok()?);
    all.sort_by_key(|part| part.span.start);
    Some(all)
}

/// Which person has which key in a stored body.
pub(crate) fn keys_in(stored: &str) -> Vec<(Subject, Kid)> {
    let found = parts::find(stored, "$sealed").unwrap_or_default();
    found
        .iter()
        .filter_map(|part| Some((part.text("$subject")?.parse().ok()?, part.text("kid")?.parse().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests;
