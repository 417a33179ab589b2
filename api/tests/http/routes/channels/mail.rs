use axum::body::Body;
use axum::http::{Method, StatusCode};
use guichet::outbound::{Means, OutMessage};
use guichet::projections::{InboxQuery, Whose, Work};
use guichet::rights::Scope;
use serde_json::json;

use crate::support::{Answer, Town, request};

const SETTINGS: &str = r#"
    [[channels.mailboxes]]
    tenant = "ville"
    address = "bonjour@ville.chalons.example"
    authserv_id = "mx.ville.chalons.example"
    becomes = { process = "institutions/question-generale", text = "question", form = { about = "other" } }
"#;

async fn town() -> (Town, String) {
    let town = Town::set("institutions", SETTINGS).await;
    let key = town.program("ville", &[Scope::ChannelsDeliver]);
    (town, key)
}

async fn hand_over(town: &Town, key: &str, mail: &str) -> Answer {
    let headers = [("content-type", "message/rfc822")];
    let path = "/v1/ville/channels/mail";
    town.call(request(Method::POST, path, Some(key), &headers, Body::from(mail.replace('\n', "\r\n")))).await
}

fn question(id: &str, more: &str) -> String {
    format!(
        "From: =?utf-8?Q?Jeanne_Dupr=C3=A9?= <jeanne@exemple.example>\nTo: bonjour@ville.chalons.example\n\
         Subject: Déchèterie\nMessage-ID: <{id}@exemple.example>\n{more}\nBonjour,\n\nEst-elle ouverte le samedi ?\n"
    )
}

fn last_mail(town: &Town) -> OutMessage {
    let mut sent = town.sent.sent().into_iter();
    sent.rfind(|mail| mail.means == Means::Email && mail.to == "jeanne@exemple.example").unwrap()
}

#[tokio::test]
async fn a_mail_becomes_a_request_and_its_answers_become_words_on_it() {
    let (town, key) = town().await;
    let first = hand_over(&town, &key, &question("q1", "")).await;
    assert_eq!(
        (first.status, first.json["became"].as_str()),
        (StatusCode::OK, Some("request")),
        "{}",
        first.text
    );
    town.send_all().await;
    let acknowledged = last_mail(&town);
    assert!(acknowledged.text.contains("au plus tard le 5 novembre 2026"), "{}", acknowledged.text);
    let reply = |id: &str, headers: String, text: &str| {
        format!(
            "From: jeanne@exemple.example\nTo: bonjour@ville.chalons.example\nSubject: Re: x\nMessage-ID: <{id}@e.example>\n{headers}\n{text}\n"
        )
    };
    let answers = format!("In-Reply-To: <{}@ville.chalons.example>\n", acknowledged.id);
    let said = reply(
        "r1",
        answers.clone(),
        "Et le dimanche ?\n\nLe 3 nov. 2026 à 10:00, Ville <x@y.example> a écrit :\n> Bonjour",
    );
    let replied = hand_over(&town, &key, &said).await;
    assert_eq!(replied.json["became"], "reply", "{}", replied.text);
    assert_eq!(replied.json["request"], first.json["request"]);
    let again = hand_over(&town, &key, &said).await;
    assert_eq!(again.json["repeated"], true);
    let absent = reply("r2", format!("{answers}Auto-Submitted: auto-replied\n"), "Je suis absente.");
    let absent = hand_over(&town, &key, &absent).await;
    assert_eq!(
        (absent.json["became"].as_str(), absent.json["reason"].as_str()),
        (Some("ignored"), Some("auto_submitted"))
    );
    // A stranger who copies the request's id and not the tag begins something of their own.
    let untagged = format!(
        "In-Reply-To: <{}.3-0.{}@v.example>\n",
        first.json["request"].as_str().unwrap(),
        "0".repeat(24)
    );
    let stranger = hand_over(&town, &key, &reply("r3", untagged, "Annulez !")).await;
    assert_eq!(stranger.json["became"], "request", "{}", stranger.text);
    assert_ne!(stranger.json["request"], first.json["request"]);
    // The code in the subject does as well as the tag.
    let code = acknowledged.subject.split(' ').next_back().unwrap().to_owned();
    let by_code = reply("r4", String::new(), "Merci d’avance.").replace("Re: x", &format!("Question {code}"));
    assert_eq!(hand_over(&town, &key, &by_code).await.json["request"], first.json["request"]);
}

#[tokio::test]
async fn the_same_mail_twice_is_one_request() {
    let (town, key) = town().await;
    let first = hand_over(&town, &key, &question("q1", "")).await;
    let again = hand_over(&town, &key, &question("q1", "")).await;
    assert_eq!(
        (&again.json["request"], again.json["repeated"].as_bool()),
        (&first.json["request"], Some(true))
    );
    // With another content under the same id it is no repeat, and nothing of it counts.
    let other = hand_over(&town, &key, &question("q1", "").replace("samedi", "lundi")).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", other.text);
}

#[tokio::test]
async fn files_are_taken_or_named_as_refused() {
    let (town, key) = town().await;
    let pdf = "JVBERi0xLjQKJeLjz9MKMSAwIG9iago8PD4+CmVuZG9iagp0cmFpbGVyCjw8Pj4KJSVFT0YK";
    let mail = format!(
        "From: jeanne@exemple.example\nSubject: Pièces\nContent-Type: multipart/mixed; boundary=A\n\n--A\n\
         Content-Type: text/plain; charset=utf-8\n\nVoici.\n--A\nContent-Type: application/pdf; name=plan.pdf\n\
         Content-Transfer-Encoding: base64\n\n{pdf}\n--A\nContent-Type: application/ms-tnef; name=winmail.dat\n\
         Content-Transfer-Encoding: base64\n\neJ8+IgA=\n--A--\n"
    );
    let answer = hand_over(&town, &key, &mail).await;
    assert_eq!(answer.json["became"], "request", "{}", answer.text);
    let id =
        guichet::engine::rules::request::RequestId(answer.json["request"].as_str().unwrap().parse().unwrap());
    let known = town.guichet.request("ville", id);
    let known = known.await.unwrap();
    let dossier = town.guichet.dossier("ville", &known).await.unwrap();
    assert_eq!(dossier.form["attachments"][0]["name"], "plan.pdf", "{:?}", dossier.form);
    let text = dossier.form["question"].as_str().unwrap();
    assert!(
        text.starts_with("Pièces\n\nVoici.") && text.contains("[Pièce jointe refusée : « winmail.dat » –"),
        "{text}"
    );
    // Unasked, a reply may add files; it takes none away, and changes nothing else.
    let path = format!("/v1/ville/requests/{}/commands", answer.json["request"].as_str().unwrap());
    let agent = town.agent("a01");
    for form in [json!({ "attachments": [] }), json!({ "question": "Autre chose." })] {
        let refused = town.post(&path, Some(&agent), &json!({ "command": "reply", "form": form })).await;
        assert_eq!(refused.json["code"], "waiting.not_waiting", "{}", refused.text);
    }
}

#[tokio::test]
async fn a_bounce_marks_the_message_that_did_not_arrive_and_a_closed_request_takes_a_note() {
    let (town, key) = town().await;
    let first = hand_over(&town, &key, &question("q1", "")).await;
    let agent = town.agent("a01");
    let path = format!("/v1/ville/requests/{}/commands", first.json["request"].as_str().unwrap());
    {
        let command = json!({ "command": "resolve", "text": "Oui, de 9 h à 18 h." });
        let done = town.post(&path, Some(&agent), &command).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    }
    town.send_all().await;
    let answer = last_mail(&town);
    assert!(answer.text.contains("Oui, de 9 h à 18 h."), "{}", answer.text);
    let thanks = format!(
        "From: jeanne@exemple.example\nSubject: Re: x\nIn-Reply-To: <{}@ville.chalons.example>\n\nMerci !\n",
        answer.id
    );
    let noted = hand_over(&town, &key, &thanks).await;
    assert_eq!(noted.json["became"], "noted", "{}", noted.text);
    let bounce = format!(
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.exemple.example\nAuto-Submitted: auto-replied\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=R\n\n--R\nContent-Type: message/delivery-status\n\n\
         Final-Recipient: rfc822; jeanne@exemple.example\nAction: failed\nStatus: 5.1.1\n--R\n\
         Content-Type: text/rfc822-headers\n\nMessage-ID: <{}@ville.chalons.example>\n--R--\n",
        answer.id
    );
    let bounced = hand_over(&town, &key, &bounce).await;
    assert_eq!(bounced.json["became"], "undelivered", "{}", bounced.text);
    town.guichet.read_models().catch_up(std::time::Duration::from_secs(10)).await.unwrap();
    let timeline = town
        .get(
            &format!("/v1/ville/requests/{}/timeline", first.json["request"].as_str().unwrap()),
            Some(&agent),
        )
        .await;
    assert!(timeline.text.contains("request.notification_failed"), "{}", timeline.text);
    assert!(!timeline.text.contains("jeanne@"), "{}", timeline.text);
    // The request is answered and closed; that nobody read the answer is still somebody's business.
    let query = InboxQuery { tenant: "ville".into(), whose: Whose::Everyone, work: Vec::new(), limit: 100 };
    let items = town.guichet.read_models().inbox(&query).await.unwrap().value;
    let item = items.iter().find(|item| item.work == Work::Reach).map(|item| json!(item.request));
    assert_eq!(item.as_ref(), Some(&first.json["request"]), "{items:?}");
}

#[tokio::test]
async fn what_is_forged_is_kept_and_not_written_to_and_too_much_waits() {
    let (town, key) = town().await;
    let forged = question(
        "q1",
        "Authentication-Results: mx.ville.chalons.example; dmarc=fail header.from=exemple.example\n",
    );
    assert_eq!(hand_over(&town, &key, &forged).await.json["became"], "request");
    let foreign = question("q2", "Authentication-Results: mx.elsewhere.example; dmarc=fail\n");
    assert_eq!(hand_over(&town, &key, &foreign).await.json["became"], "request");
    town.send_all().await;
    let to_jeanne = town.sent.sent().into_iter().filter(|mail| mail.to == "jeanne@exemple.example").count();
    assert_eq!(to_jeanne, 1, "only a verdict of our own mail server counts");
    let mut last = None;
    for number in 0..12 {
        last = Some(hand_over(&town, &key, &question(&format!("n{number}"), "")).await);
    }
    let last = last.unwrap();
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS, "{}", last.text);
    assert!(last.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn who_may_not_deliver_and_what_is_no_mail_are_told_so() {
    let (town, key) = town().await;
    let path = "/v1/ville/channels/mail";
    let mail = || Body::from("From: a@b.example\r\n\r\nx");
    let headers = [("content-type", "message/rfc822")];
    let nobody = town.call(request(Method::POST, path, None, &headers, mail())).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    let elsewhere =
        town.call(request(Method::POST, "/v1/ccas/channels/mail", Some(&key), &headers, mail())).await;
    assert_eq!(elsewhere.status, StatusCode::UNAUTHORIZED);
    let json = town.call(request(Method::POST, path, Some(&key), &[], mail())).await;
    assert_eq!((json.status.as_u16(), json.json["code"].as_str()), (415, Some("body.not_mail")));
    let other = town.program("ccas", &[Scope::ChannelsDeliver]);
    let unset =
        town.call(request(Method::POST, "/v1/ccas/channels/mail", Some(&other), &headers, mail())).await;
    assert_eq!((unset.status.as_u16(), unset.json["code"].as_str()), (404, Some("channel.unset")));
    let parts = "Content-Type: message/rfc822\r\n\r\n".repeat(1_000);
    let bomb = town.call(request(Method::POST, path, Some(&key), &headers, Body::from(parts))).await;
    assert_eq!((bomb.status.as_u16(), bomb.json["code"].as_str()), (422, Some("mail.unreadable")));
}
