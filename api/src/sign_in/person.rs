//! Who somebody is here whom a provider vouches for.

use guichet_engine::rules::text::Language;
use guichet_engine::tenant_of;
use serde_json::Value;
use uuid::Uuid;

use super::token::{Claims, TokenFault, subject};
use super::{ProviderFault, SignInFault};
use crate::accounts::{self, Identity};
use crate::guichet::Guichet;
use crate::rights::Principal;
use crate::settings::{Provider, StaffBy};

/// The member of staff whom the claims name. There must be exactly one, and they must work for the collectivity.
pub(super) async fn staff(
    guichet: &Guichet,
    tenant: &str,
    settings: &Provider,
    claims: &Claims,
) -> Result<Principal, SignInFault> {
    let value = claims.get(&settings.staff_claim).and_then(Value::as_str).ok_or(SignInFault::Unknown)?;
    // An address that is not proven to be theirs would make them whoever they say.
    if settings.staff_by == StaffBy::Email && claims.get("email_verified") == Some(&Value::Bool(false)) {
        return Err(SignInFault::Unknown);
    }
    let organisation = guichet.engine().organisation_now(tenant).await?.unwrap_or_default();
    let is_meant = |person: &&guichet_engine::rules::organisation::Person| match settings.staff_by {
        StaffBy::Code => person.person == value,
        StaffBy::Email => {
            person.email.as_deref().is_some_and(|email| email.to_lowercase() == value.to_lowercase())
        }
    };
    let mut found = organisation.people.iter().filter(is_meant);
    let person = found.next().filter(|_| found.next().is_none()).ok_or(SignInFault::Unknown)?;
    if !organisation.works_for(person, tenant) {
        return Err(SignInFault::Unknown);
    }
    Ok(Principal::Agent(person.person.clone()))
}

/// The citizen whom the claims name, their account opened or brought up to date.
pub(super) async fn citizen(
    guichet: &Guichet,
    tenant: &str,
    settings: &Provider,
    claims: &Claims,
) -> Result<Principal, SignInFault> {
    let subject = subject(claims).ok_or(ProviderFault::Token(TokenFault::Incomplete))?;
    let account = account(guichet, tenant, &settings.issuer, subject)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    let proven = |name: &str| claims.get(name) != Some(&Value::Bool(false));
    let identity = Identity {
        provider: settings.name.clone(),
        given_name: text("given_name"),
        family_name: text("family_name"),
        birth_date: text("birthdate").and_then(|day| day.parse().ok()),
        email: text("email").filter(|_| proven("email_verified")),
        phone: text("phone_number").filter(|_| proven("phone_number_verified")),
        language: text("locale").and_then(|code| Language::from_code(&code)).unwrap_or_default(),
    };
    accounts::signed_in(guichet, tenant, account, &identity).await?;
    Ok(Principal::Citizen(account))
}

/// The account of whom a provider knows by this name. It is made with the collectivity's own secret: nobody can work out
/// from an id whose it is, nor that two collectivities know the same person.
fn account(guichet: &Guichet, tenant: &str, issuer: &str, subject: &str) -> Result<Uuid, SignInFault> {
    let name = tenant_of(tenant)?;
    let drawn = accounts::blind(guichet, &name, &["signed-in", issuer, subject]);
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(drawn.as_bytes()).for_each(|(byte, drawn)| *byte = *drawn);
    Ok(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}
