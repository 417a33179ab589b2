//! An account as its holder sees it.

use chrono::{DateTime, NaiveDate, Utc};
use guichet_engine::rules::process::Delivery;
use guichet_engine::rules::records::contact::{Account, Circle, Wish};
use guichet_engine::rules::text::Language;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Who somebody is to a collectivity.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountAnswer {
    /// The account: an id that says nothing outside of this collectivity.
    account: Uuid,
    /// Since when it is there (UTC).
    opened: DateTime<Utc>,
    /// Who vouches for who it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    /// Given names.
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<String>,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<String>,
    /// Date of birth, where the collectivity needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    birth_date: Option<NaiveDate>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Whether it was proven to be theirs.
    email_proven: bool,
    /// Telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    /// Whether it was proven to be theirs.
    phone_proven: bool,
    /// Postal address.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// By which means they wish to be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    preferred: Option<Delivery>,
    /// In which language.
    #[schema(value_type = String)]
    language: Language,
    /// What they agreed to, withdrawn consents included.
    consents: Vec<ConsentAnswer>,
    /// What news they asked for.
    subscriptions: Vec<SubscriptionAnswer>,
}

/// A consent (GDPR, article 7).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConsentAnswer {
    /// To what.
    purpose: String,
    /// To which wording.
    version: String,
    /// When it was given (UTC).
    given: DateTime<Utc>,
    /// When it was withdrawn (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawn: Option<DateTime<Utc>>,
}

/// What lies around a point.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AroundBody {
    /// Latitude, in degrees (WGS 84).
    #[schema(minimum = -90, maximum = 90)]
    pub(super) lat: f64,
    /// Longitude, in degrees (WGS 84).
    #[schema(minimum = -180, maximum = 180)]
    pub(super) lon: f64,
    /// How far around it, in metres.
    #[schema(minimum = 1, maximum = 50_000)]
    pub(super) metres: u32,
}

impl From<Circle> for AroundBody {
    fn from(circle: Circle) -> Self {
        Self { lat: circle.lat, lon: circle.lon, metres: circle.metres }
    }
}

impl From<AroundBody> for Circle {
    fn from(body: AroundBody) -> Self {
        Self { lat: body.lat, lon: body.lon, metres: body.metres }
    }
}

/// News that somebody asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SubscriptionAnswer {
    /// Its id.
    subscription: Uuid,
    /// The theme; every one if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    /// The neighbourhood.
    #[serde(skip_serializing_if = "Option::is_none")]
    area: Option<String>,
    /// Around a point.
    #[serde(skip_serializing_if = "Option::is_none")]
    around: Option<AroundBody>,
    /// Since when (UTC).
    since: DateTime<Utc>,
}

impl SubscriptionAnswer {
    /// One subscription.
    pub(crate) fn of(subscription: Uuid, wish: &Wish, since: DateTime<Utc>) -> Self {
        Self {
            subscription,
            topic: wish.topic.clone(),
            area: wish.area.clone(),
            around: wish.around.map(AroundBody::from),
            since,
        }
    }
}

impl AccountAnswer {
    /// An account that was opened for its holder.
    pub(crate) fn of(account: Uuid, known: &Account) -> Self {
        let consents = known.consents.iter().map(|(purpose, consent)| ConsentAnswer {
            purpose: purpose.clone(),
            version: consent.version.clone(),
            given: consent.given,
            withdrawn: consent.withdrawn,
        });
        let subscriptions =
            known.subscriptions.iter().map(|(id, (wish, since))| SubscriptionAnswer::of(*id, wish, *since));
        Self {
            account,
            opened: known.opened.unwrap_or_default(),
            provider: known.provider.clone(),
            given_name: known.identity.given_name.clone(),
            family_name: known.identity.family_name.clone(),
            birth_date: known.identity.birth_date,
            email: known.details.email.clone(),
            email_proven: known.by_email,
            phone: known.details.phone.clone(),
            phone_proven: known.by_sms,
            address: known.details.address.clone(),
            preferred: known.preferred,
            language: known.language,
            consents: consents.collect(),
            subscriptions: subscriptions.collect(),
        }
    }
}
