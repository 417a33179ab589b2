//! What happens to keys when they are made, taken back, replaced or taken over, wherever they are kept.

use chrono::{DateTime, TimeDelta, Utc};
use guichet_engine::Ambient;
use sha2::{Digest, Sha256};

use super::{AccessError, KEYS_MAX, KeyEntry, KeyTerms, PREFIX};

/// The longest text that is looked up as a key, in characters.
const KEY_LENGTH_MAX: usize = 128;
/// How much of a digest names a key, in characters.
const ID_LENGTH: usize = 12;

/// The digest under which a text is looked up; none where it cannot be a key.
pub(super) fn looked_up(key: &str) -> Option<String> {
    (key.starts_with(PREFIX) && key.len() <= KEY_LENGTH_MAX).then(|| digest(key))
}

/// The entries of a list as it stands in a file or a table, those from before ids named.
pub(super) fn named(mut keys: Vec<KeyEntry>) -> Vec<KeyEntry> {
    for entry in keys.iter_mut().filter(|entry| entry.id.is_empty()) {
        entry.id = id_of(&entry.sha256);
    }
    keys
}

/// Makes a key.
pub(super) fn make(
    keys: &mut Vec<KeyEntry>,
    terms: &KeyTerms,
    ambient: &dyn Ambient,
) -> Result<(String, KeyEntry), AccessError> {
    let (key, entry) = drawn(terms, ambient)?;
    keys.push(entry.clone());
    bounded(keys)?;
    Ok((key, entry))
}

/// Takes a key back.
pub(super) fn revoke(
    keys: &mut [KeyEntry],
    tenant: &str,
    id: &str,
    now: DateTime<Utc>,
) -> Result<KeyEntry, AccessError> {
    let entry = find(keys, tenant, id)?;
    entry.revoked.get_or_insert(now);
    Ok(entry.clone())
}

/// Replaces a key by one with the same holder, rights and limits.
pub(super) fn rotate(
    keys: &mut Vec<KeyEntry>,
    (tenant, id): (&str, &str),
    grace: TimeDelta,
    ambient: &dyn Ambient,
) -> Result<(String, KeyEntry), AccessError> {
    let now = ambient.now();
    let old = find(keys, tenant, id)?;
    if !old.is_valid(now) {
        return Err(AccessError::Unknown(id.to_owned()));
    }
    let terms = KeyTerms {
        tenant: old.tenant.clone(),
        holder: old.holder.clone(),
        scopes: old.scopes.clone(),
        processes: old.processes.clone(),
        expires: None,
    };
    let (key, mut entry) = drawn(&terms, ambient)?;
    // What an old key could do by being old, its successor can still do: `None` stands for it on both.
    entry.scopes.clone_from(&old.scopes);
    let end = now + grace;
    old.expires = Some(old.expires.map_or(end, |expires| expires.min(end)));
    old.replaced_by = Some(entry.id.clone());
    keys.push(entry.clone());
    bounded(keys)?;
    Ok((key, entry))
}

/// Takes over the keys of a file. Of a key that is known already the stricter word counts: taken back by either, it is
/// taken back; it ends when the first of them says.
pub(super) fn take_over(keys: &mut Vec<KeyEntry>, file: Vec<KeyEntry>) -> Result<(), AccessError> {
    for other in file {
        match keys.iter_mut().find(|entry| entry.sha256 == other.sha256) {
            Some(entry) => {
                entry.revoked = earlier(entry.revoked, other.revoked);
                entry.expires = earlier(entry.expires, other.expires);
                entry.replaced_by = entry.replaced_by.take().or(other.replaced_by);
            }
            None => keys.push(other),
        }
    }
    bounded(keys)
}

fn earlier(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    one.into_iter().chain(other).min()
}

fn bounded(keys: &[KeyEntry]) -> Result<(), AccessError> {
    if keys.len() > KEYS_MAX { Err(AccessError::TooMany) } else { Ok(()) }
}

fn find<'a>(keys: &'a mut [KeyEntry], tenant: &str, id: &str) -> Result<&'a mut KeyEntry, AccessError> {
    let mut entries = keys.iter_mut();
    let found = entries.find(|entry| entry.id == id && entry.tenant == tenant);
    found.ok_or_else(|| AccessError::Unknown(id.to_owned()))
}

/// A new key and what is kept of it.
fn drawn(terms: &KeyTerms, ambient: &dyn Ambient) -> Result<(String, KeyEntry), AccessError> {
    let now = ambient.now();
    let scopes = terms.check(now)?;
    let mut bytes = [0; 32];
    ambient.fill(&mut bytes).map_err(AccessError::Chance)?;
    let key = format!("{PREFIX}{}", hexadecimal(&bytes));
    let sha256 = digest(&key);
    let entry = KeyEntry {
        id: id_of(&sha256),
        tenant: terms.tenant.clone(),
        holder: terms.holder.clone(),
        sha256,
        created: now,
        scopes,
        processes: terms.processes.clone(),
        expires: terms.expires,
        revoked: None,
        replaced_by: None,
    };
    Ok((key, entry))
}

fn id_of(sha256: &str) -> String {
    sha256.chars().take(ID_LENGTH).collect()
}

pub(super) fn digest(key: &str) -> String {
    hexadecimal(&Sha256::digest(key.as_bytes()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::Surroundings;
    use crate::rights::keys::Holder;

    #[test]
    fn of_two_words_on_a_key_the_stricter_counts() {
        let ambient = Surroundings::system();
        let mut known = Vec::new();
        let terms = KeyTerms::new("ville", Holder::Agent("a01".into()));
        for _ in 0..2 {
            make(&mut known, &terms, &ambient).unwrap();
        }
        let (now, mut file) = (known[0].created, known.clone());
        make(&mut file, &terms, &ambient).unwrap();
        known[0].revoked = Some(now);
        known[0].expires = Some(now + TimeDelta::days(1));
        file[0].expires = Some(now + TimeDelta::days(2));
        file[1].revoked = Some(now);
        take_over(&mut known, file.clone()).unwrap();
        let once = known.clone();
        take_over(&mut known, file).unwrap();
        assert_eq!(known, once, "taken over twice is taken over once");
        assert_eq!(known.len(), 3);
        assert_eq!((known[0].revoked, known[1].revoked), (Some(now), Some(now)));
        assert_eq!(known[0].expires, Some(now + TimeDelta::days(1)));
        assert!(known[2].is_valid(now), "what only the file knew opens as before");
    }
}
