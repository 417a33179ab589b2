//! What headers say: ids of commands, expected revisions, waits, languages, whose page calls.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use guichet_engine::rules::request::CommandId;
use guichet_engine::rules::text::Language;
use uuid::Uuid;

use super::super::problem::Problem;

/// The most languages of one client that are looked at.
const LANGUAGES_MAX: usize = 32;
/// The longest wait that a client may ask for with `Prefer: wait`.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(10);

/// The longest key of a command, in characters.
pub(crate) const IDEMPOTENCY_KEY_MAX: usize = 255;
/// The namespace of ids of commands that are made from keys which are no UUIDs.
const KEYS: Uuid = Uuid::from_u128(0x7c1d_52f6_33e8_5f0b_9a44_0d9c_6a1e_82b7);

/// A key of a command as the client wrote it (draft-ietf-httpapi-idempotency-key-header): a UUID, or 1 to 255 printable
/// characters of ASCII; quotes around it, as structured fields have them, do not count.
pub(super) fn idempotency(
    headers: &HeaderMap,
    text: Option<&str>,
    whose: &str,
) -> Result<Option<CommandId>, Problem> {
    if !headers.contains_key("idempotency-key") {
        return Ok(None);
    }
    let quoted = |text: &'_ str| Some(text.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    let bare = text.map(|text| quoted(text).filter(|inside| !inside.is_empty()).unwrap_or(text.to_owned()));
    let usable = bare.filter(|text| {
        (1..=IDEMPOTENCY_KEY_MAX).contains(&text.len())
            && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
    });
    usable.map(|text| Some(command_of(&text, whose))).ok_or_else(|| {
        Problem::malformed(
            "idempotency.malformed",
            "La clé d’idempotence doit être un UUID, ou de 1 à 255 caractères ASCII imprimables.",
            "The idempotency key must be a UUID, or 1 to 255 printable characters of ASCII.",
        )
    })
}

/// The id of the command with this key. A UUID is one already; any other key is somebody’s own, and makes an id that
/// depends on who calls and where, so that two programs that count from 1 do not meet.
fn command_of(key: &str, whose: &str) -> CommandId {
    match Uuid::parse_str(key) {
        Ok(id) if !id.is_nil() => CommandId(id),
        Ok(_) | Err(_) => CommandId(Uuid::new_v5(&KEYS, format!("{whose}\n{key}").as_bytes())),
    }
}

/// Whose keys of commands they are: the collectivity's in the path, then the bearer of what was shown, else whoever calls
/// from this address.
pub(super) fn whose(parts: &Parts, shown: Option<&str>, address: Option<IpAddr>) -> String {
    let tenant = parts.uri.path().split('/').nth(2).unwrap_or_default();
    match (shown, address) {
        (Some(shown), _) => format!("{tenant}\nkey\n{shown}"),
        (None, Some(address)) => format!("{tenant}\naddress\n{address}"),
        (None, None) => format!("{tenant}\n"),
    }
}

pub(super) fn expected(headers: &HeaderMap, text: Option<&str>) -> Result<Option<u64>, Problem> {
    if !headers.contains_key(header::IF_MATCH) || matches!(text, Some("*" | "")) {
        return Ok(None);
    }
    let revision = text.and_then(|text| text.trim_matches('"').parse().ok());
    revision.map(Some).ok_or_else(|| {
        Problem::malformed(
            "if_match.malformed",
            "« If-Match » doit reprendre l’« ETag » reçu, par exemple \"7\".",
            "“If-Match” must repeat the “ETag” that was given, such as \"7\".",
        )
    })
}

pub(crate) fn wait_of(prefer: &str) -> Option<Duration> {
    let seconds = prefer.split([',', ';']).find_map(|part| part.trim().strip_prefix("wait="))?;
    Some(Duration::from_secs(seconds.trim().parse().ok()?).min(WAIT_MAX))
}

/// Whether a page of this server makes the call, by what the browser says and no page can forge (Fetch Metadata; RFC 6454).
/// What says nothing of it is no browser, and has no business with cookies.
pub(super) fn is_own_page(headers: &HeaderMap, origin: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(from)) => from == origin,
        (None, None) => false,
    }
}

pub(super) fn bearer(authorization: &str) -> Option<String> {
    let (scheme, key) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim().to_owned())
}

/// The language of ours that the client prefers (RFC 9110, section 12.5.4); French where it says nothing that helps.
pub(crate) fn language_of(headers: &HeaderMap) -> Language {
    let listed = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<(f32, &str)> = listed
        .flat_map(|value| value.split(','))
        .take(LANGUAGES_MAX)
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let code = parts.next().filter(|code| !code.is_empty())?;
            let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
            Some((weight.map_or(Some(1.0), |weight| weight.trim().parse().ok())?, code))
        })
        .collect();
    let said = |language: Language| {
        let of_ours = |(_, code): &&(f32, &str)| Language::from_code(code) == Some(language);
        let place = ranges.iter().position(|range| of_ours(&range));
        let place = place.or_else(|| ranges.iter().position(|(_, code)| *code == "*"))?;
        ranges.get(place).map(|(weight, _)| (*weight, place))
    };
    match (said(Language::Fr), said(Language::En)) {
        (None, Some((weight, _))) if weight > 0.0 => Language::En,
        (Some((fr, _)), None) if fr <= 0.0 => Language::En,
        (Some((fr, first)), Some((en, second))) if en > fr || (en == fr && second < first) => Language::En,
        (None | Some(_), None | Some(_)) => Language::Fr,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_first_of_ours() {
        let with = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, text.parse().unwrap());
            language_of(&headers)
        };
        assert_eq!(with("de, en-GB;q=0.8, fr;q=0.5"), Language::En);
        assert_eq!(with("en;q=0.2, fr-FR"), Language::Fr);
        assert_eq!(with("de"), Language::Fr);
        assert_eq!(with("*"), Language::Fr);
        assert_eq!(with("en, *;q=0.5"), Language::En);
        assert_eq!(with("fr;q=0, *"), Language::En);
        assert_eq!(with("fr;q=0"), Language::En);
        assert_eq!(with("en;q=0"), Language::Fr);
        assert_eq!(with("en ; q=0.9 , fr ; q=0.3"), Language::En);
        assert_eq!(with("en;q=high, fr"), Language::Fr);
    }

    #[test]
    fn a_wait_is_bounded() {
        assert_eq!(wait_of("respond-async, wait=5"), Some(Duration::from_secs(5)));
        assert_eq!(wait_of("wait=9999"), Some(WAIT_MAX));
        assert_eq!(wait_of("return=minimal"), None);
    }
}
