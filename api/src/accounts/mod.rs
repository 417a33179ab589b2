//! People's accounts: opened when somebody signs in or subscribes, each in one collectivity and nothing anywhere else.

pub mod alerts;
pub mod codes;
pub mod votes;

use std::borrow::Cow;

use chrono::NaiveDate;
use guichet_engine::journal::{Digest, Tenant};
use guichet_engine::rules::process::Delivery;
use guichet_engine::rules::records::RecordEvent;
use guichet_engine::rules::records::contact::{Account, CONTACT, ContactEvent};
use guichet_engine::rules::request::{Actor, CommandId, Rejection};
use guichet_engine::rules::text::{Language, Text};
use guichet_engine::{EngineError, RecordEntry, RecordReceipt, RecordSubmission, tenant_of};
use guichet_projections::ProjectionError;
use serde::Serialize;
use uuid::Uuid;

use crate::guichet::Guichet;

/// What a session says of whose it is where that is an account.
pub(crate) const CITIZEN: &str = "citizen";
/// How often a change is decided again when others change the same account at the same moment.
const ATTEMPTS: usize = 5;
/// What stands in a refusal when the account changed between reading and deciding.
const MOVED_ON: &str = "account.moved_on";

/// Who signed in, as the provider vouches for it. What the provider did not say, or does not hold for proven, is none.
#[derive(Clone, Default)]
pub struct Identity {
    /// The provider: `franceconnect`, `proconnect`, or `email` where only an address was proven.
    pub provider: String,
    /// Given names.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Date of birth, only where the collectivity needs it.
    pub birth_date: Option<NaiveDate>,
    /// An e-mail address that is theirs.
    pub email: Option<String>,
    /// A telephone number that is theirs.
    pub phone: Option<String>,
    /// The language they are written to in.
    pub language: Language,
}

/// Never prints who it is.
impl std::fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Identity({}, …)", self.provider)
    }
}

/// An account as it stands, opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The account.
    pub account: Account,
    /// How many events it was folded from.
    pub(crate) events: usize,
}

/// Somebody signed in: their account is opened if there is none, and what is newly known of them is recorded.
///
/// # Errors
/// [`EngineError`], and then nothing was recorded.
pub async fn signed_in(
    guichet: &Guichet,
    tenant: &str,
    account: Uuid,
    identity: &Identity,
) -> Result<(), EngineError> {
    let known = guichet_engine::rules::records::contact::Identity {
        given_name: identity.given_name.clone(),
        family_name: identity.family_name.clone(),
        birth_date: identity.birth_date,
        email: identity.email.clone(),
        phone: identity.phone.clone(),
    };
    let decide = |account: &Account| Ok(account.signed_in(&identity.provider, &known, identity.language));
    let id = guichet.fresh_command_id()?;
    change(guichet, (tenant, account), id, &(&identity.provider, &known), decide).await.map(drop)
}

/// The account of whoever proved that an address is theirs. Its id comes from the address under a secret of the
/// collectivity, so that nobody can tell from an id whose it is, nor whether an address has an account.
///
/// # Errors
/// [`EngineError::UnknownTenant`] when `tenant` cannot be a name.
pub fn account_of(guichet: &Guichet, tenant: &str, by: Delivery, address: &str) -> Result<Uuid, EngineError> {
    let name = tenant_of(tenant)?;
    let digest = blind(guichet, &name, &["account", means(by), &same_address(address)]);
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest.as_bytes()).for_each(|(byte, drawn)| *byte = *drawn);
    Ok(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// An account with its personal parts opened; what was erased stays unknown.
///
/// # Errors
/// As [`Engine::recorded_of`](guichet_engine::Engine::recorded_of).
pub async fn open(guichet: &Guichet, tenant: &str, account: Uuid) -> Result<Opened, EngineError> {
    let entries = guichet.engine().recorded_of(tenant, CONTACT, account, true).await?;
    Ok(Opened { account: fold(&entries), events: entries.len() })
}

/// An account with its personal parts sealed: enough to decide whose something is.
///
/// # Errors
/// As [`Engine::recorded_of`](guichet_engine::Engine::recorded_of).
pub async fn sealed(guichet: &Guichet, tenant: &str, account: Uuid) -> Result<Account, EngineError> {
    Ok(fold(&guichet.engine().recorded_of(tenant, CONTACT, account, false).await?))
}

/// Changes an account. `decide` is given it as it stands, opened; the same `id` with the same `content` answers the
/// first receipt.
///
/// # Errors
/// [`EngineError::Rejected`] when `decide` refuses; otherwise as [`Engine::record`](guichet_engine::Engine::record).
pub async fn change<T, D>(
    guichet: &Guichet,
    (tenant, account): (&str, Uuid),
    id: CommandId,
    content: &T,
    decide: D,
) -> Result<RecordReceipt, EngineError>
where
    T: Serialize + Sync,
    D: Fn(&Account) -> Result<Vec<ContactEvent>, Rejection> + Send + Sync,
{
    let submission = RecordSubmission {
        tenant,
        kind: CONTACT,
        record: account,
        actor: &Actor::Requester,
        command_id: id,
        content,
    };
    for _ in 0..ATTEMPTS {
        let opened = open(guichet, tenant, account).await?;
        let done = guichet.engine().record(&submission, |entries, _| {
            // What is decided on was opened a moment ago; it must still be all there is.
            if entries.len() != opened.events {
                return Err(Rejection::new(MOVED_ON, Text::default()));
            }
            Ok(decide(&opened.account)?.into_iter().map(RecordEvent::from).collect())
        });
        match done.await {
            Err(EngineError::Rejected(rejection)) if rejection.code == MOVED_ON => {}
            done => return done,
        }
    }
    Err(EngineError::Contended)
}

/// Erases what says who an account's holder is: the keys of all sealed parts are destroyed, so that neither the journal
/// nor any copy of it can ever be opened again.
///
/// # Errors
/// [`EngineError::Journal`] when the keys cannot be destroyed now; asking again goes on.
pub async fn erase(guichet: &Guichet, tenant: &str, account: Uuid) -> Result<(), EngineError> {
    guichet.engine().erase_record(tenant, CONTACT, account).await
}

/// What happened to an account, in order, opened as far as it still can be.
///
/// # Errors
/// As [`Engine::recorded_of`](guichet_engine::Engine::recorded_of).
pub async fn history(
    guichet: &Guichet,
    tenant: &str,
    account: Uuid,
) -> Result<Vec<RecordEntry>, EngineError> {
    guichet.engine().recorded_of(tenant, CONTACT, account, true).await
}

/// Closes an account and erases who its holder is. Erasing comes first: should the server die in between, nothing is
/// left that says who it was, and closing again goes on.
///
/// # Errors
/// [`EngineError`]; asking again goes on.
pub async fn close(guichet: &Guichet, tenant: &str, account: Uuid) -> Result<(), EngineError> {
    erase(guichet, tenant, account).await?;
    let id = guichet.fresh_command_id()?;
    change(guichet, (tenant, account), id, &"close", |account| Ok(account.close())).await?;
    // Whoever changed the account in between did so under a key of its own.
    erase(guichet, tenant, account).await
}

/// Ends all sessions of an account, on every server.
///
/// # Errors
/// [`ProjectionError`]; asking again goes on.
pub async fn sign_out_everywhere(
    guichet: &Guichet,
    tenant: &str,
    account: Uuid,
) -> Result<(), ProjectionError> {
    guichet.read_models().sessions_end(tenant, CITIZEN, &account.to_string()).await
}

pub(crate) fn fold(entries: &[RecordEntry]) -> Account {
    Account::fold(entries.iter().filter_map(|entry| match &entry.event {
        RecordEvent::Contact(event) => Some((event, entry.meta.occurred_at)),
        RecordEvent::Access(_)
        | RecordEvent::Erasure(_)
        | RecordEvent::Alert(_)
        | RecordEvent::Support(_)
        | RecordEvent::Webhook(_) => None,
    }))
}

/// A digest of words under a secret of the collectivity. The words are told apart whatever they hold.
pub(crate) fn blind(guichet: &Guichet, tenant: &Tenant, words: &[&str]) -> Digest {
    let mut text = String::from("guichet people 1");
    for word in words {
        text.push('\n');
        text.push_str(&word.len().to_string());
        text.push(' ');
        text.push_str(word);
    }
    Digest::new(guichet.engine().journal().keys().blind(tenant, text.as_bytes()))
}

/// The name of a way to be reached.
pub(crate) fn means(by: Delivery) -> &'static str {
    match by {
        Delivery::Email => "email",
        Delivery::Sms => "sms",
        Delivery::Letter => "letter",
        Delivery::Counter => "counter",
        Delivery::Phone => "phone",
        Delivery::Screen => "screen",
        Delivery::Social => "social",
    }
}

/// An address as it is compared: the same mailbox written otherwise is the same mailbox. Capitals of ASCII alone count as
/// small letters: beyond them are signs (`K`, the kelvin) whose small letter is that of another address, and whoever has the
/// one must not come into the account of the other.
fn same_address(address: &str) -> Cow<'_, str> {
    let trimmed = address.trim();
    if trimmed.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(trimmed.to_ascii_lowercase())
    } else {
        Cow::Borrowed(trimmed)
    }
}

#[cfg(test)]
mod tests {
    use super::same_address;

    #[test]
    fn an_address_is_the_same_in_capitals_and_another_with_a_sign_that_looks_alike() {
        assert_eq!(same_address(" Mike@Exemple.Example"), "mike@exemple.example");
        assert_ne!(same_address("mi\u{212a}e@exemple.example"), "mike@exemple.example");
    }
}
