//! Signing in with a code sent by e-mail: by whom it was asked for, once, and in time.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use guichet::http::{HttpOptions, router};
use guichet::outbound::OutMessage;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::files::{form_with, sent_photo};
use crate::support::{Answer, Town, request};

const ASK: &str = "/v1/ville/sign-in/email";
const GIVE: &str = "/v1/ville/sign-in/email/confirm";
const CAMILLE: &str = "camille@exemple.example";
const HERE: (&str, &str) = ("sec-fetch-site", "same-origin");

/// The next mail after so many: it leaves after the answer.
async fn mail(town: &Town, before: usize) -> OutMessage {
    for _ in 0..500 {
        if let Some(message) = town.sent.sent().get(before) {
            return message.clone();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("no mail left");
}

fn code_in(message: &OutMessage) -> String {
    message.subject.chars().filter(char::is_ascii_digit).take(8).collect()
}

fn another(code: &str) -> &'static str {
    if code == "00000000" { "11111111" } else { "00000000" }
}

/// What a browser sends back of the cookies that it was given.
fn cookies(answer: &Answer) -> String {
    let all = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let all = all.map(|cookie| cookie.split(';').next().unwrap()).filter(|pair| !pair.ends_with('='));
    all.collect::<Vec<_>>().join("; ")
}

/// Asks for a code in a browser: its cookie, and the code that came.
async fn asked(town: &Town, path: &str, address: &str, cookie: &str) -> (String, String) {
    let before = town.sent.sent().len();
    let answer =
        town.post_with(path, None, &[HERE, ("cookie", cookie)], &json!({ "address": address })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    let message = mail(town, before).await;
    assert_eq!(message.to, address);
    (cookies(&answer), code_in(&message))
}

async fn give(town: &Town, cookie: &str, address: &str, code: &str) -> Answer {
    let body = json!({ "address": address, "code": code });
    town.post_with(GIVE, None, &[HERE, ("cookie", cookie)], &body).await
}

async fn get(town: &Town, path: &str, cookie: &str) -> Answer {
    town.call(request(Method::GET, path, None, &[("cookie", cookie)], Body::empty())).await
}

/// Somebody who signed in: their cookie.
async fn signed_in(town: &Town, address: &str) -> String {
    let (cookie, code) = asked(town, ASK, address, "").await;
    let answer = give(town, &cookie, address, &code).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    cookies(&answer)
}

#[tokio::test]
async fn a_code_opens_a_session_like_any_other_once_and_in_its_ten_minutes() {
    let town = Town::new().await;
    let (cookie, code) = asked(&town, ASK, CAMILLE, "").await;
    let opened = give(&town, &cookie, CAMILLE, &code).await;
    assert_eq!((opened.status, &opened.json["kind"]), (StatusCode::OK, &json!("citizen")), "{}", opened.text);
    assert!(opened.json.get("token").is_none(), "a browser has its cookie");
    let set = opened.headers["set-cookie"].to_str().unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
    let session = cookies(&opened);
    let me = get(&town, "/v1/ville/account", &session).await;
    assert_eq!(
        (&me.json["email"], &me.json["email_proven"], &me.json["provider"]),
        (&json!(CAMILLE), &json!(true), &json!("email")),
        "{}",
        me.text
    );
    // The same person, however they write the address; nobody in another town.
    let again = signed_in(&town, "CAMILLE@exemple.example").await;
    assert_eq!(get(&town, "/v1/ville/account", &again).await.json["account"], me.json["account"]);
    assert_eq!(get(&town, "/v1/ccas/account", &session).await.status, StatusCode::UNAUTHORIZED);
    // Used, or too late, it is worth nothing.
    assert_eq!(give(&town, &cookie, CAMILLE, &code).await.json["code"], json!("code.wrong"), "used");
    let (cookie, code) = asked(&town, ASK, CAMILLE, "").await;
    town.move_to("2026-11-03T09:10:01Z");
    assert_eq!(give(&town, &cookie, CAMILLE, &code).await.json["code"], json!("code.wrong"), "too late");
    // What changes something comes from a page of this server.
    let elsewhere = [("sec-fetch-site", "cross-site"), ("cookie", session.as_str())];
    let out = town.post_with("/v1/ville/sign-out", None, &elsewhere, &Value::Null).await;
    assert_eq!(out.status, StatusCode::FORBIDDEN);
    let out = town.post_with("/v1/ville/sign-out", None, &[HERE, elsewhere[1]], &Value::Null).await;
    assert_eq!(out.status, StatusCode::OK, "{}", out.text);
    assert_eq!(get(&town, "/v1/ville/account", &session).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_known_of_an_address_shows_in_no_answer_and_mails_speak_the_language_asked_for() {
    let town = Town::new().await;
    signed_in(&town, CAMILLE).await;
    let mut answers = Vec::new();
    for (address, language, words) in [
        (CAMILLE, "fr", "Voici le code pour vous connecter"),
        ("nobody@exemple.example", "en", "code to sign in"),
    ] {
        let before = town.sent.sent().len();
        let body = json!({ "address": address, "language": language });
        let answer = town.post(ASK, None, &body).await;
        let set = answer.headers["set-cookie"].to_str().unwrap().split('=').next().unwrap().to_owned();
        answers.push((answer.status, answer.text, set));
        let message = mail(&town, before).await;
        assert!(message.text.contains(words), "{}", message.text);
        assert!(!message.text.contains(address), "nothing personal that need not be there");
    }
    assert_eq!(answers[0], answers[1]);
    // Nobody has an account who only asked.
    let (cookie, _) = asked(&town, ASK, "nobody@exemple.example", "").await;
    assert_eq!(get(&town, "/v1/ville/session", &cookie).await.json["kind"], json!("nobody"));
}

#[tokio::test]
async fn nobody_guesses_a_code_nor_uses_up_another_browsers_tries() {
    let town = Town::new().await;
    let (cookie, code) = asked(&town, ASK, CAMILLE, "").await;
    // Somebody else asks for the same address, and guesses; a browser without a cookie has nothing to guess at.
    let (other, theirs) = asked(&town, ASK, CAMILLE, "").await;
    assert_ne!(cookie, other);
    for _ in 0..6 {
        assert_eq!(give(&town, &other, CAMILLE, another(&theirs)).await.json["code"], json!("code.wrong"));
    }
    assert_eq!(
        give(&town, &other, CAMILLE, &theirs).await.json["code"],
        json!("code.wrong"),
        "guessed too often"
    );
    assert_eq!(give(&town, &other, CAMILLE, &code).await.json["code"], json!("code.wrong"), "not theirs");
    assert_eq!(give(&town, "", CAMILLE, &code).await.json["code"], json!("code.wrong"));
    assert_eq!(
        give(&town, &cookie, "someone@exemple.example", &code).await.json["code"],
        json!("code.wrong")
    );
    let elsewhere = json!({ "address": CAMILLE, "code": code });
    let headers = [HERE, ("cookie", cookie.as_str())];
    let ccas = town.post_with("/v1/ccas/sign-in/email/confirm", None, &headers, &elsewhere).await;
    assert_eq!(ccas.json["code"], json!("code.wrong"), "another town: {}", ccas.text);
    let crossed = [("sec-fetch-site", "cross-site"), headers[1]];
    let crossed = town.post_with(GIVE, None, &crossed, &elsewhere).await;
    assert_eq!(crossed.json["code"], json!("session.cross_site"), "{}", crossed.text);
    assert_eq!(give(&town, &cookie, CAMILLE, &code).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_address_gets_five_codes_an_hour_from_all_browsers_and_a_caller_is_slowed_down() {
    let town = Town::new().await;
    for _ in 0..5 {
        asked(&town, ASK, CAMILLE, "").await;
    }
    let much = town.post(ASK, None, &json!({ "address": CAMILLE })).await;
    assert_eq!(much.status, StatusCode::TOO_MANY_REQUESTS, "{}", much.text);
    assert!(much.headers.contains_key("retry-after"));
    let mut statuses = Vec::new();
    for n in 0..20 {
        let address = format!("someone{n}@exemple.example");
        statuses.push(town.post(ASK, None, &json!({ "address": address })).await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::ACCEPTED).count(), 14, "{statuses:?}");
    // Five and fourteen: all of them are out before the next is looked for.
    mail(&town, 18).await;
    town.move_to("2026-11-03T10:00:01Z");
    asked(&town, ASK, CAMILLE, "").await;
}

#[tokio::test]
async fn no_address_makes_another_header_of_a_mail() {
    let town = Town::new().await;
    for address in [
        "camille@exemple.example\r\nBcc: all@exemple.example",
        "camille@exemple.example\nSubject: x",
        "camille@exemple.example, eve@exemple.example",
        "camille@exemple.example\u{0}",
        "Camille <camille@exemple.example>",
        "camille",
        "",
    ] {
        let refused = town.post(ASK, None, &json!({ "address": address })).await;
        let at = &refused.json["errors"][0]["pointer"];
        assert_eq!((refused.status.as_u16(), at), (422, &json!("/address")), "{address:?}: {}", refused.text);
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(town.sent.sent().len(), 0);
}

#[tokio::test]
async fn a_portal_elsewhere_gets_a_token_for_its_verifier() {
    let town = Town::new().await;
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let answer = town.post(ASK, None, &json!({ "address": CAMILLE, "challenge": challenge })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    assert!(!answer.headers.contains_key("set-cookie"));
    let code = code_in(&mail(&town, 0).await);
    let body = |verifier: &str| json!({ "address": CAMILLE, "code": code, "verifier": verifier });
    let wrong = town.post(GIVE, None, &body(&"x".repeat(43))).await;
    assert_eq!(wrong.json["code"], json!("code.wrong"), "{}", wrong.text);
    let opened = town.post(GIVE, None, &body(verifier)).await;
    let token = opened.json["token"].as_str().unwrap_or_else(|| panic!("{}", opened.text));
    assert!(!opened.headers.contains_key("set-cookie"));
    assert_eq!(town.get("/v1/ville/account", Some(token)).await.json["email"], json!(CAMILLE));
}

#[tokio::test]
async fn where_the_town_wants_a_provider_nobody_signs_in_by_e_mail() {
    let town = Town::set("voirie", "[sign_in]\ncitizens_by_email = false\n").await;
    for path in [ASK, GIVE] {
        let body = json!({ "address": CAMILLE, "code": "12345678" });
        let body = if path == ASK { json!({ "address": CAMILLE }) } else { body };
        assert_eq!(town.post(path, None, &body).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(town.get("/pages/ville/account", None).await.status, StatusCode::NOT_FOUND);
    assert!(!town.get("/pages/ville", None).await.text.contains("/account"));
}

#[tokio::test]
async fn closing_the_account_ends_its_sessions_on_every_server_at_once() {
    let town = Town::new().await;
    let (one, two) = (signed_in(&town, CAMILLE).await, signed_in(&town, CAMILLE).await);
    let neighbour = signed_in(&town, "neighbour@exemple.example").await;
    let held = get(&town, "/v1/ville/account/export", &one).await;
    assert_eq!(held.json["sessions"].as_array().unwrap().len(), 2, "{}", held.text);
    let other = Town { router: router(&town.guichet, &HttpOptions::default()).unwrap(), ..town };
    let session = async |cookie: &str| get(&other, "/v1/ville/session", cookie).await.json["kind"].clone();
    assert_eq!(session(&two).await, json!("citizen"));
    let close = request(Method::DELETE, "/v1/ville/account", None, &[HERE, ("cookie", &one)], Body::empty());
    assert_eq!(other.call(close).await.status, StatusCode::NO_CONTENT);
    for cookie in [&one, &two] {
        assert_eq!(session(cookie).await, json!("nobody"));
    }
    assert_eq!(session(&neighbour).await, json!("citizen"));
}

#[tokio::test]
async fn ones_own_files_are_fetched_through_the_account_and_stand_in_the_export() {
    let town = Town::new().await;
    let (mine, other) =
        (signed_in(&town, CAMILLE).await, signed_in(&town, "neighbour@exemple.example").await);
    let photo = sent_photo(&town).await;
    let headers = [HERE, ("cookie", mine.as_str()), ("prefer", "wait=5")];
    let made = town.post_with("/v1/ville/requests", None, &headers, &form_with(&photo)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let held = get(&town, "/v1/ville/account/export", &mine).await;
    let file = &held.json["requests"][0]["files"][0];
    assert_eq!(file["sha256"], photo["sha256"], "{}", held.text);
    let path = file["path"].as_str().unwrap();
    let fetched = get(&town, path, &mine).await;
    assert_eq!(
        (fetched.status, &fetched.headers["content-type"]),
        (StatusCode::OK, &"image/jpeg".parse().unwrap())
    );
    assert_eq!(get(&town, path, &other).await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&town, path, "").await.status, StatusCode::UNAUTHORIZED);
    let unknown = format!("{}{}", &path[..path.len() - 64], "a".repeat(64));
    assert_eq!(get(&town, &unknown, &mine).await.status, StatusCode::NOT_FOUND);
    // Nobody of the town hall looked at it.
    let id = made.json["request"].as_str().unwrap();
    let seen = town.get(&format!("/v1/ville/requests/{id}/accesses"), Some(&town.agent("a83"))).await;
    assert_eq!(seen.json["n"], 0, "{}", seen.text);
}

/// A form of a page, as a browser sends it.
async fn press(town: &Town, path: &str, cookie: &str, pairs: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let headers = [HERE, ("cookie", cookie), ("content-type", "application/x-www-form-urlencoded")];
    town.call(request(Method::POST, path, None, &headers, Body::from(body))).await
}

fn plain(page: &Answer) -> String {
    page.text.replace("&#x2f;", "/")
}

#[tokio::test]
async fn without_a_script_one_signs_in_sees_ones_requests_and_consents_and_leaves() {
    let town = Town::new().await;
    let home = "/pages/ville/account?lang=en";
    let door = town.get(home, None).await;
    assert!(door.text.contains("Sign in by e-mail") && !door.text.contains("FranceConnect"), "{}", door.text);
    let wrong = press(&town, "/pages/ville/account/code?lang=en", "", &[("address", "x")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("This must be an e-mail address") && wrong.text.contains("aria-invalid"));
    let sent = press(&town, "/pages/ville/account/code?lang=en", "", &[("address", CAMILLE)]).await;
    assert_eq!(sent.status, StatusCode::OK, "{}", sent.text);
    let message = mail(&town, 0).await;
    assert!(message.text.contains("Here is the code"), "{}", message.text);
    let (cookie, code) = (cookies(&sent), code_in(&message));
    let path = "/pages/ville/account/sign-in?lang=en";
    let pairs = |code| [("address", CAMILLE), ("code", code)];
    let wrong = press(&town, path, &cookie, &pairs(another(&code))).await;
    assert!(wrong.text.contains("This code is not the right one"), "{}", wrong.text);
    let opened = press(&town, path, &cookie, &pairs(&code)).await;
    assert_eq!((opened.status, &opened.headers["location"]), (StatusCode::SEE_OTHER, &home.parse().unwrap()));
    let session = cookies(&opened);
    let me = get(&town, home, &session).await;
    assert!(me.text.contains("No request so far") && me.text.contains(CAMILLE), "{}", me.text);
    // A request made before is taken in by its code.
    let made = town.pothole().await;
    let (id, code) = (made.json["request"].as_str().unwrap(), made.json["tracking_code"].as_str().unwrap());
    let one = format!("/pages/ville/account/requests/{id}?lang=en");
    assert_eq!(get(&town, &one, &session).await.status, StatusCode::NOT_FOUND);
    let wrong = press(&town, "/pages/ville/account/requests?lang=en", &session, &[("code", "x")]).await;
    assert!(wrong.text.contains("mistake in this code"), "{}", wrong.text);
    let taken = press(&town, "/pages/ville/account/requests?lang=en", &session, &[("code", code)]).await;
    assert!(plain(&taken).contains(&one), "{}", taken.text);
    let shown = get(&town, &one, &session).await;
    let token = shown.text.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(!shown.text.contains("name=\"code\""), "{}", shown.text);
    let act = format!("/pages/ville/account/requests/{id}/actions?lang=en");
    let stranger = press(&town, &act, "", &[("token", token), ("action", "withdraw")]).await;
    assert_eq!(stranger.status, StatusCode::SEE_OTHER, "to the door");
    let withdrawn = press(&town, &act, &session, &[("token", token), ("action", "withdraw")]).await;
    assert!(withdrawn.text.contains("This is recorded"), "{}", withdrawn.text);
    // Consents.
    let consent = json!({ "version": "2026-01" });
    let put = request(
        Method::PUT,
        "/v1/ville/account/consents/contact_base",
        None,
        &[HERE, ("cookie", &session)],
        Body::from(consent.to_string()),
    );
    assert_eq!(town.call(put).await.status, StatusCode::OK);
    assert!(get(&town, home, &session).await.text.contains("contact_base"));
    let path = "/pages/ville/account/consents?lang=en";
    let after = press(&town, path, &session, &[("purpose", "contact_base")]).await;
    assert!(
        after.text.contains("This is recorded") && !after.text.contains("contact_base"),
        "{}",
        after.text
    );
    let left = press(&town, "/pages/ville/account/sign-out?lang=en", &session, &[]).await;
    assert_eq!(left.status, StatusCode::SEE_OTHER);
    assert!(get(&town, home, &session).await.text.contains("Sign in by e-mail"));
}
