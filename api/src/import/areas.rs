//! The neighbourhoods of a town, to find the one that a place lies in.

use serde_json::Value;

/// A ring of (longitude, latitude) in degrees.
type Ring = Vec<(f64, f64)>;

/// Neighbourhoods, each with its id and outline.
#[derive(Debug, Clone, Default)]
pub struct Areas {
    areas: Vec<(String, Vec<Ring>)>,
}

impl Areas {
    /// Reads a GeoJSON feature collection whose features are polygons with the property `id`. What is none is left out.
    #[must_use]
    pub fn read(geojson: &str) -> Self {
        let value: Value = serde_json::from_str(geojson).unwrap_or_default();
        let features = value.get("features").and_then(Value::as_array).cloned().unwrap_or_default();
        Self { areas: features.iter().filter_map(area).collect() }
    }

    /// The ids, in the order of the file.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.areas.iter().map(|(id, _)| id.as_str())
    }

    /// The neighbourhood of a place (degrees, WGS 84).
    #[must_use]
    pub fn find(&self, lat: f64, lon: f64) -> Option<&str> {
        self.areas.iter().find(|(_, rings)| inside(rings, lat, lon)).map(|(id, _)| id.as_str())
    }
}

fn area(feature: &Value) -> Option<(String, Vec<Ring>)> {
    let id = feature.pointer("/properties/id")?.as_str()?.to_owned();
    let geometry = feature.get("geometry")?;
    let coordinates = geometry.get("coordinates")?.as_array()?;
    let rings: Vec<&Value> = match geometry.get("type")?.as_str()? {
        "Polygon" => coordinates.iter().collect(),
        "MultiPolygon" => coordinates.iter().filter_map(Value::as_array).flatten().collect(),
        _ => return None,
    };
    Some((id, rings.into_iter().filter_map(ring).collect()))
}

fn ring(value: &Value) -> Option<Ring> {
    value.as_array()?.iter().map(|point| Some((point.get(0)?.as_f64()?, point.get(1)?.as_f64()?))).collect()
}

/// Whether a ray to the east crosses the outlines an odd number of times; holes count by themselves.
fn inside(rings: &[Ring], lat: f64, lon: f64) -> bool {
    let crosses = |((x1, y1), (x2, y2)): ((f64, f64), (f64, f64))| {
        (y1 > lat) != (y2 > lat) && lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1
    };
    let edges = rings
        .iter()
        .flat_map(|ring| ring.iter().copied().zip(ring.iter().copied().cycle().skip(1)).take(ring.len()));
    edges.filter(|edge| crosses(*edge)).count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_in_the_area_around_it_and_not_in_its_hole() {
        let areas = Areas::read(
            r#"{"features": [{"properties": {"id": "a"}, "geometry": {"type": "Polygon", "coordinates":
            [[[0,0],[4,0],[4,4],[0,4],[0,0]], [[1,1],[2,1],[2,2],[1,2],[1,1]]]}}]}"#,
        );
        assert_eq!(areas.find(3.0, 3.0), Some("a"));
        assert_eq!(areas.find(1.5, 1.5), None);
        assert_eq!(areas.find(5.0, 1.0), None);
        assert_eq!(Areas::read("nonsense").ids().count(), 0);
    }
}
