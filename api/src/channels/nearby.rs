//! Open requests of the same process close to a place: what somebody reports may be known already.

use guichet_projections::{Card, CardOrder, CardQuery, ProjectionError};
use serde_json::{Map, Value};

use crate::guichet::Guichet;
use guichet_engine::rules::process::{Definition, FieldType};

/// The furthest that may be asked for, in metres.
pub const METRES_MAX: f64 = 1_000.0;
/// The most open requests of one process that are looked at, the newest first.
const LOOKED_AT_MAX: u32 = 1_000;
/// The most that are shown.
const SHOWN_MAX: usize = 10;
/// The mean radius of the Earth, in metres (IUGG).
const EARTH_METRES: f64 = 6_371_008.8;

/// The open requests of a process within so many metres of a place, the nearest first, each with its distance in metres.
///
/// # Errors
/// [`ProjectionError`].
pub(crate) async fn nearby(
    guichet: &Guichet,
    tenant: &str,
    process: &str,
    place: (f64, f64),
    metres: f64,
) -> Result<Vec<(Card, f64)>, ProjectionError> {
    let query = CardQuery {
        tenant: Some(tenant.to_owned()),
        process: Some(process.to_owned()),
        open: Some(true),
        order: CardOrder::Newest,
        limit: LOOKED_AT_MAX,
        ..CardQuery::default()
    };
    let cards = guichet.read_models().cards(&query).await?.value.items;
    let mut near: Vec<(Card, f64)> = cards
        .into_iter()
        .filter_map(|card| {
            let there = (card.lat?, card.lon?);
            Some((card, distance(place, there)))
        })
        .filter(|(_, distance)| *distance <= metres)
        .collect();
    near.sort_by(|a, b| a.1.total_cmp(&b.1));
    near.truncate(SHOWN_MAX);
    Ok(near)
}

/// The place that a form names, in degrees (WGS 84), where it names one.
pub(crate) fn place_of(definition: &Definition, form: &Map<String, Value>) -> Option<(f64, f64)> {
    let field = definition.form.iter().find(|field| field.kind == FieldType::Location)?;
    let (lat, lon) = match form.get(&field.field)? {
        Value::Array(pair) => (pair.first()?.as_f64()?, pair.get(1)?.as_f64()?),
        other => (other.get("lat")?.as_f64()?, other.get("lon")?.as_f64()?),
    };
    (lat.abs() <= 90.0 && lon.abs() <= 180.0).then_some((lat, lon))
}

/// The great-circle distance in metres (haversine).
fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (north, east) = ((b.0 - a.0).to_radians(), (b.1 - a.1).to_radians());
    let half = libm::pow(libm::sin(north / 2.0), 2.0)
        + libm::cos(a.0.to_radians()) * libm::cos(b.0.to_radians()) * libm::pow(libm::sin(east / 2.0), 2.0);
    2.0 * EARTH_METRES * libm::asin(libm::sqrt(half.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distances_are_those_of_the_map() {
        // A thousandth of a degree of latitude is 111 m everywhere, one of longitude less towards the poles.
        assert!((distance((48.957, 4.363), (48.958, 4.363)) - 111.2).abs() < 0.2);
        assert!((distance((48.957, 4.363), (48.957, 4.364)) - 73.0).abs() < 0.2);
        assert!(distance((48.957, 4.363), (48.957, 4.363)) < 1e-6);
    }
}
