use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Town, catalogue, request};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const PAGE: &str = "/pages/ville/voirie/chaussee-abimee";

fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The value of the first input of this name.
fn value<'a>(page: &'a str, name: &str) -> &'a str {
    let input =
        page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_else(|| panic!("{name}: {page}"));
    input.split('"').next().unwrap()
}

async fn post(town: &Town, path: &str, pairs: &[(&str, &str)]) -> Answer {
    town.call(request(Method::POST, path, None, &[FORM], Body::from(form(pairs)))).await
}

async fn token(town: &Town) -> String {
    let page = town.get(PAGE, None).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    value(&page.text, "token").to_owned()
}

/// The page behind the redirection, with the cookie that it was given.
async fn shown(town: &Town, sent: &Answer) -> Answer {
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    let cookie = sent.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("Path=/pages/ville/received"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let place = sent.headers["location"].to_str().unwrap();
    assert!(!place.contains(cookie.split('=').nth(1).unwrap()), "no code in an address: {place}");
    town.call(request(Method::GET, place, None, &[("cookie", cookie)], Body::empty())).await
}

fn code_of(page: &str) -> String {
    page.split("id=\"code\">").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_form_becomes_a_request_that_is_followed_and_taken_back() {
    let town = Town::new().await;
    let list = town.get("/pages/ville?q=nid-de-poule&lang=en", None).await;
    let links = list.text.replace("&#x2f;", "/");
    assert!(links.contains("/pages/ville/voirie/chaussee-abimee?lang=en"), "{links}");
    let policy = list.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    let token = token(&town).await;
    let pairs = [
        ("token", token.as_str()),
        ("f.place.address", "1 place Foch"),
        ("f.place.lat", "48,957"),
        ("f.place.lon", "4,363"),
        ("f.danger", "true"),
        ("contact.email", "jeanne@exemple.example"),
    ];
    let sent = post(&town, PAGE, &pairs).await;
    let page = shown(&town, &sent).await;
    let code = code_of(&page.text);
    assert!(page.text.contains("id=\"due\""), "the promised date is shown: {}", page.text);
    let twice = post(&town, PAGE, &pairs).await;
    assert_eq!(code_of(&shown(&town, &twice).await.text), code, "pressing twice makes one request");
    let followed = post(&town, "/pages/ville/follow", &[("code", &code.to_lowercase())]).await;
    assert!(followed.text.contains("id=\"stage\""), "{}", followed.text);
    let token = value(&followed.text, "token").to_owned();
    let said = [("code", code.as_str()), ("token", &token), ("action", "reply"), ("text", "Il grandit")];
    let said = post(&town, "/pages/ville/follow/actions", &said).await;
    assert!(said.status == StatusCode::OK && said.text.contains("role=\"status\""), "{}", said.text);
    let token = value(&said.text, "token").to_owned();
    let back = [("code", code.as_str()), ("token", &token), ("action", "withdraw")];
    let back = post(&town, "/pages/ville/follow/actions", &back).await;
    assert!(back.text.contains("Vous avez retiré"), "{}", back.text);
    let nobody = post(&town, "/pages/ville/follow", &[("code", "2345-6789-ABCD")]).await;
    assert!(nobody.status.is_client_error() && nobody.text.contains("role=\"alert\""), "{}", nobody.text);
}

#[tokio::test]
async fn everything_wrong_is_said_at_once_and_everything_typed_is_kept() {
    let town = Town::new().await;
    let token = token(&town).await;
    let hostile = "\"><script>alert(1)</script>";
    let pairs = [
        ("token", token.as_str()),
        ("f.place.lat", "north"),
        ("f.place.address", hostile),
        ("f.danger", "false"),
        ("f.details", "Sans danger"),
        ("contact.email", "jeanne"),
        ("contact.name", hostile),
    ];
    let again = post(&town, PAGE, &pairs).await;
    assert_eq!(again.status.as_u16(), 422, "{}", again.text);
    for wrong in ["#f-place", "#f-details", "#contact-email"] {
        assert!(again.text.contains(&format!("href=\"{wrong}\"")), "{wrong}: {}", again.text);
    }
    assert!(!again.text.contains("<script>"), "{}", again.text);
    assert!(again.text.contains("Sans danger</textarea>") && again.text.contains("value=\"jeanne\""));
    assert!(again.text.contains("aria-invalid=\"true\""));
}

#[tokio::test]
async fn hostile_forms_are_refused_without_harm() {
    let town = Town::new().await;
    let stale = post(&town, PAGE, &[("token", "x"), ("f.place.address", "1 place Foch")]).await;
    assert_eq!(stale.status.as_u16(), 422);
    assert!(stale.text.contains("1 place Foch"), "what was typed is kept: {}", stale.text);
    let other = town.get("/pages/ville/voirie/trottoir-abime", None).await;
    let foreign = value(&other.text, "token").to_owned();
    let foreign = post(&town, PAGE, &[("token", &foreign), ("f.place.address", "1 place Foch")]).await;
    assert_eq!(foreign.status.as_u16(), 422, "a token is for one form");
    let token = token(&town).await;
    let trap = post(
        &town,
        PAGE,
        &[("token", &token), ("f.place.address", "x"), ("website", "https://spam.example")],
    )
    .await;
    assert_eq!(trap.status.as_u16(), 422);
    for body in ["f.place.address=%FF", "f.place.address=%00", "\u{0}=1"] {
        let answer = town.call(request(Method::POST, PAGE, None, &[FORM], Body::from(body))).await;
        assert_eq!(answer.status.as_u16(), 400, "{body}: {}", answer.text);
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    }
    let huge = format!("token={token}&f.nature={}", "x".repeat(300 * 1024));
    let huge = town.call(request(Method::POST, PAGE, None, &[FORM], Body::from(huge))).await;
    assert_eq!(huge.status.as_u16(), 413, "{}", huge.text);
    let split = post(
        &town,
        PAGE,
        &[("token", &token), ("f.place.address", "x\r\nSet-Cookie: a=b"), ("f.danger", "false")],
    )
    .await;
    assert_eq!(split.headers.get_all("set-cookie").iter().count(), 1, "{}", split.text);
    for path in ["/pages/nulle", "/pages/ville/voirie/volcan", "/pages/nulle/follow"] {
        assert_eq!(town.get(path, None).await.status.as_u16(), 404, "{path}");
    }
    let json = town.call(request(Method::POST, PAGE, None, &[], Body::from("{}"))).await;
    assert_eq!(json.status.as_u16(), 415);
}

#[tokio::test]
async fn a_photo_comes_with_the_form_and_is_kept_when_something_else_is_wrong() {
    let town = Town::new().await;
    let multipart = |token: &str, more: &[(&str, &str)], photo: Option<&[u8]>| {
        let mut body = Vec::new();
        for (name, text) in [&[("token", token), ("f.danger", "true")], more].concat() {
            body.extend(
                format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n").bytes(),
            );
        }
        if let Some(photo) = photo {
            let head = "--x\r\ncontent-disposition: form-data; name=\"f.photos\"; filename=\"trou.png\"\r\ncontent-type: image/png\r\n\r\n";
            body.extend(head.bytes());
            body.extend(photo);
            body.extend(b"\r\n");
        }
        body.extend(b"--x--\r\n");
        request(
            Method::POST,
            PAGE,
            None,
            &[("content-type", "multipart/form-data; boundary=x")],
            Body::from(body),
        )
    };
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(4, 4).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let without_place = town.call(multipart(&token(&town).await, &[], Some(png.get_ref()))).await;
    assert_eq!(without_place.status.as_u16(), 422, "{}", without_place.text);
    let kept = value(&without_place.text, "kept.photos").replace("&quot;", "\"").replace("&#x2f;", "/");
    let again = value(&without_place.text, "token").to_owned();
    let sent = town
        .call(multipart(&again, &[("f.place.address", "1 place Foch"), ("kept.photos", &kept)], None))
        .await;
    let page = shown(&town, &sent).await;
    let key = town.agent("a01");
    town.guichet.read_models().catch_up(std::time::Duration::from_secs(5)).await.unwrap();
    let list = town.get("/v1/ville/requests", Some(&key)).await;
    let id = list.json["value"]["items"][0]["request"]
        .as_str()
        .unwrap_or_else(|| panic!("{}", list.text))
        .to_owned();
    let read = town.get(&format!("/v1/ville/requests/{id}"), Some(&key)).await;
    assert_eq!(read.json["dossier"]["form"]["photos"][0]["name"], "trou.png", "{} {}", read.text, page.text);
}

#[tokio::test]
async fn the_schema_of_a_form_takes_what_the_engine_takes() {
    let town = Town::new().await;
    let answer = town.get("/v1/ville/catalogue/voirie/chaussee-abimee/form", None).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let schema = jsonschema::validator_for(&answer.json["schema"]).unwrap();
    let good = [
        json!({ "place": [48.957, 4.363] }),
        json!({ "place": { "address": "1 place Foch" }, "danger": true, "details": "profond" }),
        json!({ "place": { "lat": 1, "lon": 2, "address": null }, "nature": "", "danger": null, "photos": [] }),
    ];
    let bad = [
        json!({}),
        json!({ "place": [48.957] }),
        json!({ "place": [91, 0] }),
        json!({ "place": { "address": " " } }),
        json!({ "place": [1, 2], "danger": "yes" }),
        json!({ "place": [1, 2], "nature": "x".repeat(301) }),
        json!({ "place": [1, 2], "volcano": 1 }),
        json!({ "place": [1, 2], "photos": [{ "name": "a", "type": "text/html", "size": 1, "sha256": "0".repeat(64) }] }),
    ];
    for (forms, fits) in [(&good[..], true), (&bad[..], false)] {
        for form in forms {
            let body = json!({ "process": "voirie/chaussee-abimee", "form": form });
            let engine = town.post("/v1/ville/requests", None, &body).await;
            assert_eq!(schema.is_valid(form), fits, "{form}");
            assert_eq!(engine.status == StatusCode::CREATED, fits, "{form}: {}", engine.text);
        }
    }
}

#[tokio::test]
async fn every_process_of_the_town_has_its_page_in_both_languages() {
    let town = Town::new().await;
    town.guichet.publish(catalogue()).await.unwrap();
    town.guichet.read_models().catch_up(std::time::Duration::from_secs(60)).await.unwrap();
    let mut seen = 0;
    for definition in &catalogue().definitions {
        let open = definition.open_to.contains(&guichet::engine::rules::process::Opener::Citizen);
        let Some(tenant) = definition.tenants.first().filter(|_| open) else { continue };
        for language in ["fr", "en"] {
            let page =
                town.get(&format!("/pages/{tenant}/{}?lang={language}", definition.process), None).await;
            assert_eq!(page.status, StatusCode::OK, "{}: {}", definition.process, page.text);
            assert!(page.text.contains(&format!("<html lang=\"{language}\">")));
        }
        let schema = town.get(&format!("/v1/{tenant}/catalogue/{}/form", definition.process), None).await;
        assert_ne!(schema.json["schema"], Value::Null, "{}", schema.text);
        jsonschema::validator_for(&schema.json["schema"]).unwrap();
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
}
