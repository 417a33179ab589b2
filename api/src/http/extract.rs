//! What handlers are given: checked bodies, ids, keys, wishes. Each refusal is a [`Problem`].

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{
    ConnectInfo, FromRequest, FromRequestParts, MatchedPath, Path, Query, RawPathParams, Request,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use guichet_engine::rules::request::{CommandId, RequestId};
use guichet_engine::rules::text::Language;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::problem::Problem;
use super::{App, terms};
use crate::rights::{Claim, Denial, KeyScopes, Principal, Scope, Verdict, allows};

/// The deepest nesting of a JSON body.
pub(crate) const JSON_DEPTH_MAX: usize = 32;
/// The most languages of one client that are looked at.
const LANGUAGES_MAX: usize = 32;
/// The longest wait that a client may ask for with `Prefer: wait`.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(10);

/// The code of bodies that are JSON and not what was expected.
const BODY_SHAPE: &str = "body.shape";

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &App) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::not_json());
        }
        let method = request.method().as_str().to_owned();
        let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
        let bytes = Bytes::from_request(request, state).await?;
        parse(&bytes).map(Self).map_err(|mut problem| {
            if let (true, Some(route)) = (problem.code == BODY_SHAPE, route) {
                let body = serde_json::from_slice(&bytes).unwrap_or_default();
                problem.errors = terms::misfits(&method, &route, &body);
            }
            problem
        })
    }
}

pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// The value in `bytes`. What was sent is never repeated in the answer: it may be somebody's letter.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if depth(bytes) > JSON_DEPTH_MAX {
        return Err(Problem::malformed(
            "body.too_deep",
            format!("Le JSON est imbriqué sur plus de {JSON_DEPTH_MAX} niveaux."),
            format!("The JSON is nested more than {JSON_DEPTH_MAX} deep."),
        ));
    }
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Problem::malformed(
            "body.malformed",
            format!("Le corps n’est pas du JSON valable : ligne {line}, colonne {column}."),
            format!("The body is not valid JSON: line {line}, column {column}."),
        )
    })?;
    serde_json::from_value(value).map_err(|error| {
        let why = without_values(&error.to_string());
        Problem::unprocessable(
            BODY_SHAPE,
            format!("Le corps n’a pas la forme attendue : {why}."),
            format!("The body does not have the expected shape: {why}."),
        )
    })
}

/// How deep the brackets of a JSON text go, those inside of strings left out.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut inside, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match (inside, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (true, b'"') => inside = false,
            (true, _) => {}
            (false, b'"') => inside = true,
            (false, b'[' | b'{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            (false, _) => {}
        }
    }
    deepest
}

/// The words of a decoding error without the values that it quotes; names in backticks are the client's own keys or ours.
fn without_values(words: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    for symbol in words.chars().filter(|c| !c.is_control()).take(400) {
        match symbol {
            '"' => {
                quoted = !quoted;
                if quoted {
                    out.push('…');
                }
            }
            symbol if !quoted => out.push(symbol),
            _ => {}
        }
    }
    out
}

/// The collectivity in the path, and, where there is one, what follows it.
pub(crate) struct At<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &App) -> Result<Self, Problem> {
        let Path(value) = Path::<T>::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

/// What stands behind the question mark.
pub(crate) struct Ask<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Ask<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &App) -> Result<Self, Problem> {
        let Query(value) = Query::<T>::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

/// What a client's headers say.
#[derive(Debug, Clone)]
pub(crate) struct Wishes {
    /// The language it reads.
    pub(crate) language: Language,
    /// Where it calls from, as far as that is known.
    pub(crate) address: Option<IpAddr>,
    /// The id under which it sends a command.
    idempotency: Result<Option<CommandId>, Problem>,
    /// The revision that it expects.
    expected: Result<Option<u64>, Problem>,
    /// How long it would wait for read models to have seen its command.
    pub(crate) wait: Option<Duration>,
    /// Its key or its session's token, if it sent one.
    key: Option<String>,
    /// Its cookies, if it sent any.
    cookies: Option<String>,
    /// Whether it would change something and may have been made to by a page of another site.
    foreign: bool,
    /// What its path names.
    about: About,
    /// Who it is, where the program around these routes knows already.
    known: Option<Recognised>,
}

/// The request or process that a path names.
#[derive(Debug, Clone, Default)]
struct About {
    request: Option<String>,
    process: Option<String>,
}

impl About {
    fn of(named: &RawPathParams) -> Self {
        let part = |name: &str| named.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        let process = part("theme").zip(part("process"));
        Self {
            request: part("request").map(str::to_owned),
            process: process.map(|(theme, process)| format!("{theme}/{process}")),
        }
    }
}

/// Someone whom the program around the routes has recognised already, for one collectivity: it puts this among the
/// extensions of a request, which nothing that comes over the wire can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// The collectivity.
    pub tenant: String,
    /// Who.
    pub principal: Principal,
}

impl FromRequestParts<App> for Wishes {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &App) -> Result<Self, Problem> {
        let named = RawPathParams::from_request_parts(parts, state).await;
        let headers = &parts.headers;
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Ok(Self {
            language: language_of(headers),
            address,
            idempotency: idempotency(
                headers,
                text("idempotency-key"),
                &whose(parts, text("authorization"), address),
            ),
            expected: expected(headers, text("if-match")),
            wait: text("prefer").and_then(wait_of),
            key: text("authorization").and_then(bearer),
            cookies: text("cookie").map(str::to_owned),
            foreign: !parts.method.is_safe() && !is_own_page(headers, &state.sign_in.origin()),
            // A path that cannot be read names nothing; the handler's own reading of it refuses.
            about: named.map(|named| About::of(&named)).unwrap_or_default(),
            known: parts.extensions.get().cloned(),
        })
    }
}

/// The longest key of a command, in characters.
pub(crate) const IDEMPOTENCY_KEY_MAX: usize = 255;
/// The namespace of ids of commands that are made from keys which are no UUIDs.
const KEYS: Uuid = Uuid::from_u128(0x7c1d_52f6_33e8_5f0b_9a44_0d9c_6a1e_82b7);

/// A key of a command as the client wrote it (draft-ietf-httpapi-idempotency-key-header): a UUID, or 1 to 255 printable
/// characters of ASCII; quotes around it, as structured fields have them, do not count.
fn idempotency(headers: &HeaderMap, text: Option<&str>, whose: &str) -> Result<Option<CommandId>, Problem> {
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
fn whose(parts: &Parts, shown: Option<&str>, address: Option<IpAddr>) -> String {
    let tenant = parts.uri.path().split('/').nth(2).unwrap_or_default();
    match (shown, address) {
        (Some(shown), _) => format!("{tenant}\nkey\n{shown}"),
        (None, Some(address)) => format!("{tenant}\naddress\n{address}"),
        (None, None) => format!("{tenant}\n"),
    }
}

fn expected(headers: &HeaderMap, text: Option<&str>) -> Result<Option<u64>, Problem> {
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
fn is_own_page(headers: &HeaderMap, origin: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(from)) => from == origin,
        (None, None) => false,
    }
}

fn bearer(authorization: &str) -> Option<String> {
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

/// Somebody who was recognised, and what the key by which they were lets through.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Who.
    pub(crate) principal: Principal,
    scopes: KeyScopes,
    /// Processes and themes that the key is limited to; all of them if empty.
    processes: Vec<String>,
}

impl Caller {
    /// Whether the key reaches requests of this process.
    pub(crate) fn reaches(&self, process: &str) -> bool {
        let theme = process.split('/').next().unwrap_or_default();
        self.processes.is_empty() || self.processes.iter().any(|limit| limit == process || limit == theme)
    }

    /// Whether they may give these rights to a program: those of the staff may, a program only what it has itself.
    pub(crate) fn may_give(&self, scopes: &[Scope]) -> bool {
        match (&self.principal, &self.scopes) {
            (Principal::Agent(_), _) => true,
            (Principal::Integrator(_), KeyScopes::Only(own)) => scopes.iter().all(|one| own.contains(one)),
            (Principal::Integrator(_), KeyScopes::All) | (Principal::Citizen(_), _) => false,
        }
    }

    /// Whether the key is limited to some processes.
    pub(crate) fn is_limited(&self) -> bool {
        !self.processes.is_empty()
    }
}

impl Wishes {
    /// The same with a key that was sent in another place than the header, as some protocols do.
    pub(crate) fn with_key(mut self, key: Option<&str>) -> Self {
        if let Some(key) = key {
            self.key = Some(key.to_owned());
        }
        self
    }

    /// Whether the client shows a key, good or bad.
    pub(crate) fn shows_key(&self) -> bool {
        self.key.is_some()
    }

    /// Who calls; nobody if the client shows nothing.
    pub(crate) async fn caller(&self, app: &App, tenant: &str) -> Result<Option<Principal>, Problem> {
        Ok(self.recognised(app, tenant).await?.map(|caller| caller.principal))
    }

    /// Who calls, with what the key lets through.
    async fn recognised(&self, app: &App, tenant: &str) -> Result<Option<Caller>, Problem> {
        if let Some(known) = self.known.as_ref().filter(|known| known.tenant == tenant) {
            let (principal, processes) = (known.principal.clone(), Vec::new());
            return Ok(Some(Caller { principal, scopes: KeyScopes::All, processes }));
        }
        let now = app.guichet.now();
        if let Some(token) = self.session_token(app, tenant)? {
            let held = app.sign_in.holder(&app.guichet, tenant, &token, now).await?;
            return match held {
                Some((principal, _)) => {
                    self.still_there(app, tenant, &principal).await?;
                    Ok(Some(Caller { principal, scopes: KeyScopes::All, processes: Vec::new() }))
                }
                // A browser goes on sending the cookie of a session that is over: it is nobody then.
                None if self.key.is_none() => Ok(None),
                None => self.stranger(app, tenant),
            };
        }
        let Some(key) = &self.key else { return Ok(None) };
        let Some(entry) = app.access.holder(tenant, key, now).await? else {
            return self.stranger(app, tenant);
        };
        let principal = entry.principal();
        self.still_there(app, tenant, &principal).await?;
        Ok(Some(Caller { principal, scopes: entry.key_scopes(), processes: entry.processes }))
    }

    fn stranger<T>(&self, app: &App, tenant: &str) -> Result<T, Problem> {
        app.strangers.take(tenant, self.address, app.guichet.now()).map_err(Problem::too_many)?;
        Err(Problem::unauthorized())
    }

    /// Whoever left the town hall has a key, or a session, that opens nothing, even before it is taken back.
    async fn still_there(&self, app: &App, tenant: &str, principal: &Principal) -> Result<(), Problem> {
        let Principal::Agent(code) = principal else { return Ok(()) };
        let organisation = app.guichet.engine().organisation_now(tenant).await?.unwrap_or_default();
        let person = organisation.person(code).filter(|person| organisation.works_for(person, tenant));
        person.map(|_| ()).ok_or_else(Problem::unauthorized)
    }

    /// The token of the session that was shown, as a bearer's or as a cookie. A cookie is sent along whoever made the
    /// browser call, so for changing something the page must be this server's own.
    pub(crate) fn session_token(&self, app: &App, tenant: &str) -> Result<Option<String>, Problem> {
        match &self.key {
            Some(key) if key.starts_with(crate::sign_in::PREFIX) => Ok(Some(key.clone())),
            Some(_) => Ok(None),
            None => match self.session_cookie(app, tenant) {
                Some(_) if self.foreign => Err(Problem::cross_site()),
                token => Ok(token),
            },
        }
    }

    /// Whether a page of this server makes the call, for what changes something by a cookie.
    pub(crate) fn must_be_own_page(&self) -> Result<(), Problem> {
        if self.foreign { Err(Problem::cross_site()) } else { Ok(()) }
    }

    /// The session's token among the cookies.
    pub(crate) fn session_cookie(&self, app: &App, tenant: &str) -> Option<String> {
        self.cookies.as_deref().and_then(|header| app.sign_in.cookies().session(header, tenant))
    }

    /// What signs out at the identity provider, among the cookies.
    pub(crate) fn hint(&self, app: &App, tenant: &str) -> Option<String> {
        self.cookies.as_deref().and_then(|header| app.sign_in.cookies().hint(header, tenant))
    }

    /// What tells the browser that went to an identity provider, among the cookies.
    pub(crate) fn bound(&self, app: &App) -> Option<String> {
        self.cookies.as_deref().and_then(|header| app.sign_in.cookies().bound(header))
    }

    /// Who calls, if they may do this; there must be someone. A key that is limited to some processes is let through
    /// where the path names a request or a process that it reaches, and nowhere else.
    pub(crate) async fn needs(&self, app: &App, tenant: &str, scope: Scope) -> Result<Principal, Problem> {
        let caller = self.needs_caller(app, tenant, scope).await?;
        if caller.is_limited() {
            self.within_limits(app, tenant, &caller).await?;
        }
        Ok(caller.principal)
    }

    /// As [`Wishes::needs`], for routes that mind the limits of a key themselves, with [`Caller::reaches`].
    pub(crate) async fn needs_caller(
        &self,
        app: &App,
        tenant: &str,
        scope: Scope,
    ) -> Result<Caller, Problem> {
        let caller = self.recognised(app, tenant).await?.ok_or_else(Problem::unauthorized)?;
        let organisation = app.guichet.engine().organisation_now(tenant).await?.unwrap_or_default();
        let claim = Claim {
            principal: &caller.principal,
            scopes: &caller.scopes,
            tenant,
            day: app.guichet.now().date_naive(),
        };
        let rules = &app.guichet.options().settings.rights.staff;
        match allows(&claim, rules, &organisation, scope) {
            Verdict::Allowed(_) => Ok(caller),
            Verdict::Denied(Denial::Left) => Err(Problem::unauthorized()),
            Verdict::Denied(denial) => Err(Problem::right_missing(scope, &denial)),
        }
    }

    async fn within_limits(&self, app: &App, tenant: &str, caller: &Caller) -> Result<(), Problem> {
        if let Some(request) = &self.about.request {
            let known = app.guichet.request(tenant, request_id(request)?).await?;
            // As if it were not there: the key does not even learn that it is.
            return caller.reaches(&known.request.process).then_some(()).ok_or_else(Problem::not_found);
        }
        let process = self.about.process.as_deref();
        process.filter(|process| caller.reaches(process)).map(|_| ()).ok_or_else(Problem::beyond_key)
    }

    /// The id of the command: the client's, or a fresh one.
    pub(crate) fn command_id(&self, app: &App) -> Result<CommandId, Problem> {
        match self.idempotency.clone()? {
            Some(id) => Ok(id),
            None => Ok(app.guichet.fresh_command_id()?),
        }
    }

    /// The revision that the client expects. What it wrote amiss is told to those only who may call at all.
    pub(crate) fn expected(&self) -> Result<Option<u64>, Problem> {
        self.expected.clone()
    }
}

/// The request that a path names.
pub(crate) fn request_id(text: &str) -> Result<RequestId, Problem> {
    Uuid::parse_str(text).map(RequestId).map_err(|_| Problem::not_found())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_counted_outside_of_strings() {
        assert_eq!(depth(br#"{"a":["[[[[\"[[",{"b":1}]}"#), 3);
        assert_eq!(depth(b"[[[["), 4);
        let deep = [b"[".repeat(33), b"]".repeat(33)].concat();
        assert_eq!(parse::<serde_json::Value>(&deep).unwrap_err().code, "body.too_deep");
    }

    #[test]
    fn what_was_sent_is_never_repeated() {
        #[derive(Debug, serde::Deserialize)]
        struct Shape {
            #[serde(rename = "age")]
            _age: u8,
        }
        let problem = parse::<Shape>(br#"{"age":"Jeanne Dupont"}"#).unwrap_err();
        assert_eq!((problem.status, problem.code.as_str()), (422, "body.shape"));
        assert!(!problem.text.en.contains("Jeanne"), "{}", problem.text.en);
        let problem = parse::<Shape>(br#"{"age":"#).unwrap_err();
        assert_eq!((problem.status, problem.code.as_str()), (400, "body.malformed"));
    }

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
