//! Who may do what, tried: every operation of the OpenAPI document, as everybody, for every collectivity. A new operation
//! is tried by being in the document; one that does not say who may call it fails here.
//!
//! Bodies and ids come from the document's examples. Whoever is let in must have sent a body that can be read, so that
//! whoever is refused was refused for what they are.

use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use guichet::accounts::{Identity, signed_in};
use guichet::http::openapi::document;
use guichet::projections::Session;
use guichet::rights::{RoleRules, Scope};
use guichet::{Holder, KeyTerms};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Town, pothole, request};

/// An operation of the document.
struct Operation {
    method: Method,
    path: String,
    /// The rights of which one is enough; none for operations that everybody may call.
    scopes: Vec<Scope>,
    /// Whether nobody in particular may call it.
    public: bool,
    /// Whether its path names a request.
    of_request: bool,
    kind: Option<String>,
    body: String,
}

/// Whoever calls.
struct Caller {
    name: String,
    key: Option<String>,
    /// What they may do.
    may: Vec<Scope>,
    /// Their session, if they signed in.
    session: Option<(&'static str, &'static str, String)>,
    /// The collectivity that knows them, if one does.
    home: Option<&'static str>,
}

#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Allowed,
    Missing,
    Stranger,
    /// Open to everybody, called with a key that adds nothing: either is right.
    Either,
}

#[tokio::test]
async fn every_operation_lets_in_whom_its_security_names_and_nobody_else() {
    let town = Town::new().await;
    let of_request = town.pothole().await.json["request"].as_str().unwrap().to_owned();
    let operations = operations(&of_request);
    let callers = callers(&town).await;
    let mut wrong = Vec::new();
    let mut tried = 0;
    for operation in &operations {
        for caller in &callers {
            // Whoever signed out, or closed the account, by an operation before this one is there again.
            if let Some((tenant, kind, holder)) = &caller.session {
                session(&town, tenant, kind, holder).await;
            }
            for tenant in ["ville", "ccas", "nulle"] {
                if tenant != "ville" && !operation.path.contains("{tenant}") {
                    continue;
                }
                tried += 1;
                // Nobody is slowed down here: that has tests of its own.
                town.clock.move_to(town.guichet.now() + TimeDelta::seconds(4));
                let expected = expected(operation, caller, tenant);
                let (status, code, needs) = call(&town, operation, caller, tenant).await;
                if !fits(operation, &expected, tenant, status, &code, &needs) {
                    let who = &caller.name;
                    wrong.push(format!(
                        "{} {} as {who} in {tenant}: {status} {code} {needs}, expected {expected:?}",
                        operation.method, operation.path
                    ));
                }
            }
        }
    }
    assert!(operations.len() > 15 && tried > 1_000, "{tried}");
    assert!(wrong.is_empty(), "{} of {tried} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn expected(operation: &Operation, caller: &Caller, tenant: &str) -> Expected {
    let known = caller.home == Some(tenant);
    let held = operation.scopes.iter().any(|scope| caller.may.contains(scope));
    match (operation.public, &caller.key) {
        (true, None) => Expected::Allowed,
        (true, Some(_)) if known && held => Expected::Allowed,
        (true, Some(_)) => Expected::Either,
        (false, _) if !known => Expected::Stranger,
        (false, _) if held => Expected::Allowed,
        (false, _) => Expected::Missing,
    }
}

fn fits(
    operation: &Operation,
    expected: &Expected,
    tenant: &str,
    status: u16,
    code: &str,
    needs: &str,
) -> bool {
    if status >= 500 {
        return false;
    }
    if operation.path.starts_with("/open311/") {
        // It says 403 for a key that is missing, wrong or not enough, in words of its own, and names no right.
        return match expected {
            Expected::Allowed => status != 403,
            Expected::Missing | Expected::Stranger => status == 403,
            Expected::Either => true,
        };
    }
    let unreadable = ["body.shape", "body.malformed", "body.not_json", "query.invalid"].contains(&code);
    match expected {
        // A request of the town, looked for by the people of another collectivity.
        Expected::Allowed if tenant != "ville" && operation.of_request => status == 404,
        // What a collectivity that nobody has heard of is answered is said by the operation, never by a right.
        Expected::Allowed if tenant != "ville" => !matches!(status, 401 | 403),
        Expected::Allowed => status != 401 && code != "access.right_missing" && !unreadable,
        Expected::Missing => {
            status == 403
                && code == "access.right_missing"
                && operation.scopes.iter().any(|scope| scope.name() == needs)
        }
        Expected::Stranger => status == 401,
        Expected::Either => true,
    }
}

async fn call(town: &Town, operation: &Operation, caller: &Caller, tenant: &str) -> (u16, String, String) {
    let path = operation.path.replace("{tenant}", tenant);
    let kind = operation.kind.as_deref().unwrap_or("application/json");
    let sent = request(
        operation.method.clone(),
        &path,
        caller.key.as_deref(),
        &[("content-type", kind)],
        Body::from(operation.body.clone()),
    );
    let response = tower::ServiceExt::oneshot(town.router.clone(), sent).await.unwrap();
    let status = response.status().as_u16();
    let is_problem =
        response.headers().get("content-type").is_some_and(|kind| kind == "application/problem+json");
    if !is_problem {
        // A stream of changes never ends.
        return (status, String::new(), String::new());
    }
    let read = axum::body::to_bytes(response.into_body(), 1024 * 1024);
    let bytes = tokio::time::timeout(Duration::from_secs(10), read).await.unwrap().unwrap();
    let problem: Value = serde_json::from_slice(&bytes).unwrap();
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    (status, text("code"), text("needs"))
}

fn operations(of_request: &str) -> Vec<Operation> {
    let document = document();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            let security = operation["security"].as_array();
            let security = security.unwrap_or_else(|| panic!("{method} {path} does not say who may call it"));
            assert!(!security.is_empty(), "{method} {path} does not say who may call it");
            let scopes = security.iter().flat_map(|one| one.as_object().unwrap().values());
            let scopes = scopes.flat_map(|names| names.as_array().unwrap());
            let scopes: Vec<Scope> = scopes.map(|name| name.as_str().unwrap().parse().unwrap()).collect();
            let public = security.iter().any(|one| one.as_object().unwrap().is_empty());
            assert!(public || !scopes.is_empty(), "{method} {path} asks for a key and names no right");
            let (kind, body) = body_of(document, operation, path);
            let names_request = path.contains("{request}");
            let path = path_of(path, operation, of_request);
            operations.push(Operation {
                method,
                path,
                scopes,
                public,
                of_request: names_request,
                kind,
                body,
            });
        }
    }
    operations
}

/// The path with its ids, and the query that it cannot do without.
fn path_of(path: &str, operation: &Value, of_request: &str) -> String {
    let mut path = path.replace("{request}", of_request);
    path = path.replace("{theme}/{process}", "voirie/chaussee-abimee");
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let examples =
            [&parameter["example"], &parameter["schema"]["example"], &parameter["schema"]["examples"][0]];
        let example = examples.into_iter().find(|example| !example.is_null());
        let example = example.map_or_else(|| "0198c6a2-0000-7000-8000-0000000000ff".to_owned(), plain);
        match parameter["in"].as_str().unwrap() {
            "path" if name != "tenant" => path = path.replace(&format!("{{{name}}}"), &example),
            "query" if parameter["required"] == true => query.push(format!("{name}={example}")),
            _ => {}
        }
    }
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The body of an operation by its example, and its media type.
fn body_of(document: &Value, operation: &Value, path: &str) -> (Option<String>, String) {
    let Some(content) = operation.pointer("/requestBody/content").and_then(Value::as_object) else {
        return (None, String::new());
    };
    let (kind, media) = content.iter().next().unwrap();
    if kind == "application/octet-stream" {
        return (Some(kind.clone()), "un texte".to_owned());
    }
    let schema = &media["schema"];
    let schema =
        schema["$ref"].as_str().map_or(schema, |to| document.pointer(to.trim_start_matches('#')).unwrap());
    let named = media["examples"].as_object().and_then(|all| all.values().next()).map(|one| &one["value"]);
    let examples = [named, media.get("example"), schema.get("example"), schema.pointer("/examples/0")];
    let example = examples.into_iter().flatten().next().cloned().or_else(|| known_body(path));
    let example = example.or_else(|| (kind == "multipart/form-data").then(|| serde_json::json!({})));
    let example = example.unwrap_or_else(|| panic!("{path} has a body and no example of it"));
    match kind.as_str() {
        "application/x-www-form-urlencoded" => {
            let fields = example.as_object().unwrap().iter();
            let fields: Vec<String> =
                fields.map(|(name, value)| format!("{name}={}", plain(value))).collect();
            (Some(kind.clone()), fields.join("&"))
        }
        "multipart/form-data" => {
            let fields = example.as_object().into_iter().flatten();
            let parts = fields.map(|(name, value)| {
                format!(
                    "--limit\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{}\r\n",
                    plain(value)
                )
            });
            let body = format!("{}--limit--\r\n", parts.collect::<String>());
            (Some(format!("{kind}; boundary=limit")), body)
        }
        _ => (Some(kind.clone()), if example.is_string() { plain(&example) } else { example.to_string() }),
    }
}

/// Bodies of operations that are older than their examples.
fn known_body(path: &str) -> Option<Value> {
    match path {
        "/v1/{tenant}/requests" => Some(pothole()),
        "/v1/{tenant}/files" => Some(json!("some bytes")),
        "/v1/{tenant}/follow/files" => Some(json!({ "code": "2345-6789-ABCD", "sha256": "a".repeat(64) })),
        "/v1/{tenant}/follow" => Some(json!({ "code": "2345-6789-ABCD" })),
        "/v1/{tenant}/account/requests" => Some(json!({ "code": "2345-6789-ABCD" })),
        "/v1/{tenant}/account/requests/{request}/actions" => Some(json!({ "command": "withdraw" })),
        "/v1/{tenant}/follow/actions" => {
            Some(json!({ "code": "2345-6789-ABCD", "command": { "command": "withdraw" } }))
        }
        "/v1/{tenant}/requests/{request}/commands" => Some(json!({ "command": "note", "text": "Vu." })),
        "/v1/{tenant}/requests/{request}/erasure" => {
            Some(json!({ "basis": "asked", "reference": "2026-118" }))
        }
        "/v1/{tenant}/processes/proposals" => {
            Some(json!({ "process": "voirie/chaussee-abimee", "reason": "Essai." }))
        }
        _ => None,
    }
}

/// Everybody there is.
async fn callers(town: &Town) -> Vec<Caller> {
    let access = town.access();
    let make = |holder: Holder, scopes: Option<Vec<Scope>>, tenant: &str| {
        let terms = KeyTerms { scopes, ..KeyTerms::new(tenant, holder) };
        access.make(&terms).unwrap()
    };
    let caller = |name: &str, key: String, may: &[Scope]| Caller {
        name: name.to_owned(),
        key: Some(key),
        may: may.to_vec(),
        session: None,
        home: Some("ville"),
    };
    let stranger = |name: &str, key: String| Caller { home: None, ..caller(name, key, &[]) };
    let program = || Holder::Integrator("portail".into());
    let staff: Vec<Scope> = STAFF.to_vec();

    let mut callers =
        vec![Caller { name: "nobody".into(), key: None, may: Vec::new(), session: None, home: None }];
    callers.push(caller("program without rights", make(program(), Some(Vec::new()), "ville").0, &[]));
    for scope in Scope::ALL.iter().filter(|scope| !PEOPLE.contains(scope)) {
        let key = make(program(), Some(vec![*scope]), "ville").0;
        callers.push(caller(&format!("program with {scope}"), key, &[*scope]));
    }
    callers.push(caller(
        "plain agent",
        make(Holder::Agent(plain_agent(town).await), None, "ville").0,
        &staff,
    ));
    let reading = make(Holder::Agent(plain_agent(town).await), Some(vec![Scope::RequestsRead]), "ville").0;
    callers.push(caller("agent with a key for reading", reading, &[Scope::RequestsRead]));
    for (name, person, may) in reserved(town).await {
        callers.push(caller(&name, make(Holder::Agent(person), None, "ville").0, &may));
    }
    let elsewhere = make(Holder::Agent("c09".into()), None, "ccas").0;
    callers.push(Caller { home: Some("ccas"), ..caller("agent of another collectivity", elsewhere, &staff) });
    callers.push(stranger("one who left", make(Holder::Agent("z99".into()), None, "ville").0));
    callers.push(stranger("guessed", format!("gk_{}", "0".repeat(64))));
    let all: Vec<Scope> = Scope::ALL.iter().copied().filter(|scope| !PEOPLE.contains(scope)).collect();
    let (key, entry) = make(program(), Some(all.clone()), "ville");
    access.revoke("ville", &entry.id).unwrap();
    callers.push(stranger("taken back", key));
    let plain = plain_agent(town).await;
    for (name, tenant, kind, holder, home, may) in [
        ("citizen with an account", "ville", "citizen", ACCOUNT, Some("ville"), &CITIZENS[..]),
        ("citizen of another collectivity", "ccas", "citizen", ACCOUNT, Some("ccas"), &CITIZENS),
        ("plain agent who signed in", "ville", "agent", plain.as_str(), Some("ville"), &STAFF),
        ("one who left and is signed in", "ville", "agent", "z99", None, &[]),
    ] {
        let key = session(town, tenant, kind, holder).await;
        let session = Some((tenant, kind, holder.to_owned()));
        callers.push(Caller { session, home, ..caller(name, key, may) });
    }
    callers.push(stranger("guessed session", format!("gs_{}", "A".repeat(43))));
    let soon = KeyTerms {
        scopes: Some(all),
        expires: Some(town.guichet.now() + TimeDelta::seconds(1)),
        ..KeyTerms::new("ville", program())
    };
    callers.push(stranger("over", access.make(&soon).unwrap().0));
    callers
}

/// What every member of staff may do.
const STAFF: [Scope; 10] = [
    Scope::RequestsReceive,
    Scope::RequestsRead,
    Scope::RequestsAct,
    Scope::DossiersRead,
    Scope::InboxRead,
    Scope::FiguresRead,
    Scope::DefinitionsRead,
    Scope::DefinitionsPropose,
    Scope::FilesWrite,
    Scope::FilesRead,
];
/// What every citizen with an account may do.
const CITIZENS: [Scope; 2] = [Scope::Account, Scope::FilesWrite];
/// An account.
const ACCOUNT: &str = "0198c6a2-0000-8000-8000-0000000000aa";

/// The token of somebody who is signed in, however long the test takes.
async fn session(town: &Town, tenant: &str, kind: &str, holder: &str) -> String {
    let token = format!("gs_{tenant}-{kind}-{holder}");
    let now = town.guichet.now();
    let session = Session {
        digest: URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes())),
        tenant: tenant.to_owned(),
        kind: kind.to_owned(),
        holder: holder.to_owned(),
        opened: now,
        touched: now + TimeDelta::days(30),
        ends: now + TimeDelta::days(30),
    };
    let models = town.guichet.read_models();
    models.session_end(&session.digest).await.unwrap();
    models.session_open(&session, TimeDelta::minutes(30)).await.unwrap();
    if kind == "citizen" {
        let identity = Identity { provider: "essai".into(), ..Identity::default() };
        signed_in(&town.guichet, tenant, ACCOUNT.parse().unwrap(), &identity).await.unwrap();
    }
    token
}

/// What only people can have.
const PEOPLE: [Scope; 3] = [Scope::Account, Scope::DefinitionsPropose, Scope::RequestsErase];

/// Someone of the town without any right that is reserved.
async fn plain_agent(town: &Town) -> String {
    let organisation = town.guichet.engine().organisation_now("ville").await.unwrap().unwrap();
    let plain = organisation.people.iter().find(|person| {
        person.tenant == "ville"
            && person.roles == ["agent"]
            && organisation.standins.iter().all(|s| s.by != person.person)
    });
    plain.unwrap().person.clone()
}

/// For each right that is reserved, someone of the town who has it, and all that they may do.
async fn reserved(town: &Town) -> Vec<(String, String, Vec<Scope>)> {
    use guichet::engine::rules::organisation::Organisation;
    let organisation = town.guichet.engine().organisation_now("ville").await.unwrap().unwrap();
    let rules = RoleRules::default();
    let day = town.guichet.now().date_naive();
    let named = |code: &str, scope: Scope| {
        let person = organisation.person(code).unwrap();
        rules.of(scope).is_some_and(|parties| {
            parties.iter().any(|party| {
                let guichet::engine::rules::process::Party::Role(role) = party else { return false };
                let absent = organisation.represented_by(code, Some(role), day);
                Organisation::is_named(person, party, None)
                    || absent.iter().any(|absent| {
                        Organisation::is_named(organisation.person(absent).unwrap(), party, None)
                    })
            })
        })
    };
    let mut found = Vec::new();
    for scope in Scope::ALL.iter().filter(|scope| rules.of(**scope).is_some()) {
        let mut people = organisation.people.iter().filter(|person| person.tenant == "ville");
        let person = people.find(|person| named(&person.person, *scope)).map(|person| person.person.clone());
        let person = person.unwrap_or_else(|| panic!("nobody of Châlons has {scope}"));
        let mut may = STAFF.to_vec();
        may.extend(Scope::ALL.iter().copied().filter(|other| named(&person, *other)));
        found.push((format!("{person}, who has {scope}"), person, may));
    }
    found
}
