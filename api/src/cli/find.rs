//! Finds the request that was meant: by its id, its tracking code, or its number in another system.

use guichet_engine::rules::request::RequestId;
use guichet_engine::rules::tracking::TrackingCode;
use guichet_engine::tenant_of;
use guichet_projections::Card;
use uuid::Uuid;

use super::context::Context;
use super::failure::Failure;
use super::store;
use crate::Guichet;

/// The card of the request that `text` names. `tenant` decides where several collectivities have the same number.
pub(crate) async fn card(
    context: &Context,
    guichet: &Guichet,
    text: &str,
    tenant: Option<&str>,
) -> Result<Card, Failure> {
    let language = context.language;
    let models = guichet.read_models();
    let failed = |error: &guichet_projections::ProjectionError| store::reading(error, language);
    models.catch_up(store::PATIENCE).await.map_err(|error| failed(&error))?;
    let tenants = match tenant {
        Some(tenant) => vec![tenant.to_owned()],
        None => guichet.engine().definitions().tenants(),
    };
    let mut found = Vec::new();
    if let Ok(id) = text.parse::<Uuid>() {
        for tenant in &tenants {
            found.extend(models.card(tenant, RequestId(id)).await.map_err(|error| failed(&error))?.value);
        }
    } else {
        if let Ok(code) = TrackingCode::parse(text) {
            for name in &tenants {
                let tenant = tenant_of(name).map_err(|error| store::engine(&error, language))?;
                let digest = guichet.engine().code_digest(&tenant, &code);
                let card = models.card_by_tracking(&digest).await.map_err(|error| failed(&error))?.value;
                found.extend(card.filter(|card| card.tenant == *name));
            }
        }
        for tenant in tenants.iter().filter(|_| found.is_empty()).cloned().collect::<Vec<_>>() {
            found.extend(models.card_by_external(&tenant, text).await.map_err(|error| failed(&error))?.value);
        }
    }
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(card), None) => Ok(card),
        (Some(_), Some(_)) => Err(Failure::usage(context.say(
            "plusieurs collectivités ont ce numéro ; précisez --tenant",
            "several collectivities have this number; say which with --tenant",
        ))),
        (None, _) => Err(Failure::found(context.say(
            "aucune demande n’a cet identifiant, ce code de suivi ni ce numéro",
            "no request has this id, tracking code or number",
        ))),
    }
}
