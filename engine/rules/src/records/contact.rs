//! A person's account in one collectivity: who they are, how they wish to be reached, what they consented to, which news
//! they asked for, which earlier requests are theirs.
//!
//! Someone who only subscribed by e-mail has one too: its id comes from the address under a secret, so the same person
//! signing in with that address later finds it again. What says who it is, is [`Personal`]; everything else is pseudonymous.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::record_events;
use crate::process::Delivery;
use crate::request::{Content, Personal, Rejection, RequestId};
use crate::text::{Language, Text};

/// Whose the personal parts of the record are: there is one person in it.
const HOLDER: &str = "holder";
/// The kind of its streams.
pub const CONTACT: &str = "contact";
/// How many subscriptions an account can have.
pub const SUBSCRIPTIONS_MAX: usize = 50;
/// How many purposes an account can have consented to, those withdrawn included.
pub const CONSENTS_MAX: usize = 50;
/// How many earlier requests can be taken into an account by their codes.
pub const LINKED_MAX: usize = 500;

record_events! {
    /// What happened.
    ContactEvent {
        /// There is an account.
        AccountOpened = "contact.opened",
        /// Someone else vouches for who it is.
        IdentityVerified = "contact.identity_verified",
        /// They are reached otherwise.
        DetailsChanged = "contact.details_changed",
        /// They proved that an address is theirs.
        AddressVerified = "contact.address_verified",
        /// They wish to be told otherwise.
        PreferencesChanged = "contact.preferences_changed",
        /// They agreed (GDPR, articles 6 (1) (a) and 7).
        ConsentGiven = "contact.consent_given",
        /// They no longer agree (GDPR, article 7 (3)).
        ConsentWithdrawn = "contact.consent_withdrawn",
        /// They wish to be told news.
        Subscribed = "contact.subscribed",
        /// They no longer wish to be told these news.
        Unsubscribed = "contact.unsubscribed",
        /// An earlier request is theirs: they had its code.
        RequestLinked = "contact.request_linked",
        /// There is no account any more.
        AccountClosed = "contact.closed",
    }
}

/// There is an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountOpened {
    /// The language they are written to in.
    pub language: Language,
}

/// Someone else vouches for who it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IdentityVerified {
    /// Who vouches: the provider's name, or `email` and `sms` where only an address was proven.
    pub provider: String,
    /// Who it is.
    pub identity: Personal<Identity>,
    /// It holds a proven e-mail address.
    pub by_email: bool,
    /// It holds a proven telephone number.
    pub by_sms: bool,
}

/// They are reached otherwise: all of it, not only what is new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DetailsChanged {
    /// How they are reached.
    pub details: Personal<Details>,
    /// It holds an e-mail address that was proven before.
    pub by_email: bool,
    /// It holds a telephone number that was proven before.
    pub by_sms: bool,
}

/// They proved that an address is theirs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AddressVerified {
    /// The e-mail address or the telephone number (`sms`).
    pub by: Delivery,
}

/// They wish to be told otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreferencesChanged {
    /// By which means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred: Option<Delivery>,
    /// In which language.
    pub language: Language,
}

/// They agreed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConsentGiven {
    /// To what, for example `contact_base` or `news`.
    pub purpose: String,
    /// To which wording of it.
    pub version: String,
}

/// They no longer agree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConsentWithdrawn {
    /// To what.
    pub purpose: String,
}

/// They wish to be told news.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscribed {
    /// Its id.
    pub subscription: Uuid,
    /// What news.
    #[serde(flatten)]
    pub wish: Wish,
}

/// They no longer wish to be told these news.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unsubscribed {
    /// Which.
    pub subscription: Uuid,
}

/// An earlier request is theirs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestLinked {
    /// The request.
    pub request: RequestId,
}

/// There is no account any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountClosed {}

/// News about a topic, in a place. What is not said is not limited.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// A theme of the catalogue; every topic if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// A neighbourhood, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// Around a point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub around: Option<Circle>,
}

/// What lies around a point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Circle {
    /// Latitude, in degrees (WGS 84).
    pub lat: f64,
    /// Longitude, in degrees (WGS 84).
    pub lon: f64,
    /// How far around it, in metres.
    pub metres: u32,
}

/// Who someone is, as somebody else vouches for.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Given names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Date of birth, where the collectivity needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<NaiveDate>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// How someone is reached.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Postal address, in lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// Never prints who it is.
impl std::fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Identity(…)")
    }
}

/// Never prints where.
impl std::fmt::Debug for Details {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Details(…)")
    }
}

/// A consent as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The wording that was agreed to.
    pub version: String,
    /// When it was given (UTC).
    pub given: DateTime<Utc>,
    /// When it was withdrawn (UTC), if it was.
    pub withdrawn: Option<DateTime<Utc>>,
}

/// An account as it stands: the fold of its events.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Account {
    /// When it was opened (UTC); none where there is none, or none any more.
    pub opened: Option<DateTime<Utc>>,
    /// When it was closed (UTC), if it was and was not opened again.
    pub closed: Option<DateTime<Utc>>,
    /// Who vouches for who it is.
    pub provider: Option<String>,
    /// Who it is, as far as the events were opened.
    pub identity: Identity,
    /// How they are reached, as far as the events were opened.
    pub details: Details,
    /// Whether the e-mail address was proven to be theirs.
    pub by_email: bool,
    /// Whether the telephone number was proven to be theirs.
    pub by_sms: bool,
    /// By which means they wish to be told.
    pub preferred: Option<Delivery>,
    /// In which language.
    pub language: Language,
    /// What they consented to, by purpose.
    pub consents: BTreeMap<String, Consent>,
    /// What news they asked for, with the instant since when (UTC).
    pub subscriptions: BTreeMap<Uuid, (Wish, DateTime<Utc>)>,
    /// Earlier requests that are theirs.
    pub requests: BTreeSet<RequestId>,
}

impl Account {
    /// The fold of events, each with the instant at which it happened (UTC), sealed or opened.
    pub fn fold<'a>(events: impl IntoIterator<Item = (&'a ContactEvent, DateTime<Utc>)>) -> Self {
        events.into_iter().fold(Self::default(), |account, (event, at)| account.evolve(event, at))
    }

    /// Whether it can be used.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.opened.is_some()
    }

    fn evolve(mut self, event: &ContactEvent, at: DateTime<Utc>) -> Self {
        match event {
            // What was before a closing is no part of what is opened after it.
            ContactEvent::AccountOpened(event) => {
                return Self { opened: Some(at), language: event.language, ..Self::default() };
            }
            ContactEvent::IdentityVerified(event) => {
                let Identity { email, phone, .. } = event.identity.known().cloned().unwrap_or_default();
                self.identity = event.identity.known().cloned().unwrap_or_default();
                self.provider = Some(event.provider.clone());
                if event.by_email {
                    (self.details.email, self.by_email) = (email, true);
                }
                if event.by_sms {
                    (self.details.phone, self.by_sms) = (phone, true);
                }
            }
            ContactEvent::DetailsChanged(event) => {
                self.details = event.details.known().cloned().unwrap_or_default();
                (self.by_email, self.by_sms) = (event.by_email, event.by_sms);
            }
            ContactEvent::AddressVerified(event) => {
                self.by_email |= event.by == Delivery::Email;
                self.by_sms |= event.by == Delivery::Sms;
            }
            ContactEvent::PreferencesChanged(event) => {
                (self.preferred, self.language) = (event.preferred, event.language);
            }
            ContactEvent::ConsentGiven(ConsentGiven { purpose, version }) => {
                let consent = Consent { version: version.clone(), given: at, withdrawn: None };
                self.consents.insert(purpose.clone(), consent);
            }
            ContactEvent::ConsentWithdrawn(event) => {
                if let Some(consent) = self.consents.get_mut(&event.purpose) {
                    consent.withdrawn = Some(at);
                }
            }
            ContactEvent::Subscribed(event) => {
                self.subscriptions.insert(event.subscription, (event.wish.clone(), at));
            }
            ContactEvent::Unsubscribed(event) => {
                self.subscriptions.remove(&event.subscription);
            }
            ContactEvent::RequestLinked(event) => {
                self.requests.insert(event.request);
            }
            ContactEvent::AccountClosed(AccountClosed {}) => {
                return Self { closed: Some(at), ..Self::default() };
            }
        }
        self
    }

    /// They signed in: the account is opened if there is none, and what is newly known of them is recorded. `self` must
    /// have been folded from opened events, or everything is new.
    #[must_use]
    pub fn signed_in(&self, provider: &str, identity: &Identity, language: Language) -> Vec<ContactEvent> {
        let mut events = Vec::new();
        if !self.is_open() {
            events.push(AccountOpened { language }.into());
        }
        let same = self.provider.as_deref() == Some(provider) && self.identity == *identity;
        if !same {
            let (by_email, by_sms) = (identity.email.is_some(), identity.phone.is_some());
            let (provider, identity) = (provider.to_owned(), personal(identity.clone()));
            events.push(IdentityVerified { provider, identity, by_email, by_sms }.into());
        }
        events
    }

    /// They are reached otherwise. An address that changes has to be proven anew. `self` must have been folded from
    /// opened events.
    ///
    /// # Errors
    /// `account.closed`.
    pub fn reach(&self, details: Details) -> Result<Vec<ContactEvent>, Rejection> {
        self.must_be_open()?;
        if details == self.details {
            return Ok(Vec::new());
        }
        let by_email = self.by_email && details.email == self.details.email;
        let by_sms = self.by_sms && details.phone == self.details.phone;
        Ok(vec![DetailsChanged { details: personal(details), by_email, by_sms }.into()])
    }

    /// They proved that the address by this means is theirs.
    ///
    /// # Errors
    /// `account.closed`.
    pub fn prove(&self, by: Delivery) -> Result<Vec<ContactEvent>, Rejection> {
        self.must_be_open()?;
        let known = match by {
            Delivery::Email => self.by_email,
            Delivery::Sms => self.by_sms,
            Delivery::Letter | Delivery::Counter | Delivery::Phone | Delivery::Screen | Delivery::Social => {
                true
            }
        };
        Ok(if known { Vec::new() } else { vec![AddressVerified { by }.into()] })
    }

    /// They wish to be told by this means, in this language.
    ///
    /// # Errors
    /// `account.closed`.
    pub fn prefer(
        &self,
        preferred: Option<Delivery>,
        language: Language,
    ) -> Result<Vec<ContactEvent>, Rejection> {
        self.must_be_open()?;
        let same = (self.preferred, self.language) == (preferred, language);
        Ok(if same { Vec::new() } else { vec![PreferencesChanged { preferred, language }.into()] })
    }

    /// They agree to this wording of a purpose.
    ///
    /// # Errors
    /// `account.closed`, `account.too_many`.
    pub fn consent(&self, purpose: &str, version: &str) -> Result<Vec<ContactEvent>, Rejection> {
        self.must_be_open()?;
        let known = self.consents.get(purpose);
        if known.is_some_and(|known| known.withdrawn.is_none() && known.version == version) {
            return Ok(Vec::new());
        }
        if known.is_none() && self.consents.len() >= CONSENTS_MAX {
            return Err(too_many(CONSENTS_MAX));
        }
        Ok(vec![ConsentGiven { purpose: purpose.to_owned(), version: version.to_owned() }.into()])
    }

    /// They no longer agree to a purpose; nothing happens where they never did.
    ///
    /// # Errors
    /// `account.closed`.
    pub fn withdraw_consent(&self, purpose: &str) -> Result<Vec<ContactEvent>, Rejection> {
        self.must_be_open()?;
        let given = self.consents.get(purpose).is_some_and(|consent| consent.withdrawn.is_none());
        Ok(if given { vec![ConsentWithdrawn { purpose: purpose.to_owned() }.into()] } else { Vec::new() })
    }

    /// They wish to be told these news. The same wish again changes nothing.
    ///
    /// # Errors
    /// `account.closed`, `account.too_many`.
    pub fn subscribe(&self, subscription: Uuid, wish: &Wish) -> Result<Vec<ContactEvent>, Rejection> {
        self.must_be_open()?;
        if self.subscriptions.values().any(|(known, _)| known == wish) {
            return Ok(Vec::new());
        }
        if self.subscriptions.len() >= SUBSCRIPTIONS_MAX {
            return Err(too_many(SUBSCRIPTIONS_MAX));
        }
        Ok(vec![Subscribed { subscription, wish: wish.clone() }.into()])
    }

    /// They no longer wish to be told these news, or any if none is named. Nothing happens where there are none.
    #[must_use]
    pub fn unsubscribe(&self, subscription: Option<Uuid>) -> Vec<ContactEvent> {
        let wanted = |id: &&Uuid| subscription.is_none_or(|subscription| subscription == **id);
        let ended = self.subscriptions.keys().filter(wanted);
        ended.map(|id| Unsubscribed { subscription: *id }.into()).collect()
    }

    /// An earlier request is theirs.
    ///
    /// # Errors
    /// `account.closed`, `account.too_many`.
    pub fn link(&self, request: RequestId) -> Result<Vec<ContactEvent>, Rejection> {
        self.must_be_open()?;
        if self.requests.contains(&request) {
            return Ok(Vec::new());
        }
        if self.requests.len() >= LINKED_MAX {
            return Err(too_many(LINKED_MAX));
        }
        Ok(vec![RequestLinked { request }.into()])
    }

    /// They want no account any more: subscriptions and consents end with it.
    #[must_use]
    pub fn close(&self) -> Vec<ContactEvent> {
        if !self.is_open() {
            return Vec::new();
        }
        let mut events = self.unsubscribe(None);
        let given = self.consents.iter().filter(|(_, consent)| consent.withdrawn.is_none());
        events.extend(given.map(|(purpose, _)| ConsentWithdrawn { purpose: purpose.clone() }.into()));
        events.push(AccountClosed {}.into());
        events
    }

    fn must_be_open(&self) -> Result<(), Rejection> {
        let text = Text::new("Ce compte est fermé.", "This account is closed.");
        self.is_open().then_some(()).ok_or_else(|| Rejection::new("account.closed", text))
    }
}

fn personal<T>(value: T) -> Personal<T> {
    Personal { subject: HOLDER.into(), content: Content::Known(value) }
}

fn too_many(most: usize) -> Rejection {
    let text = Text::new(
        format!("Un compte ne peut pas en avoir plus de {most}."),
        format!("An account cannot have more than {most} of them."),
    );
    Rejection::new("account.too_many", text)
}
