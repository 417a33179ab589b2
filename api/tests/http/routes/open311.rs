use axum::body::Body;
use axum::http::Method;
use guichet::adopt::{read_definition, read_services};
use guichet::rights::Scope;
use guichet::{Holder, KeyTerms};
use serde_json::{Value, json};

use crate::support::{Answer, Town, request};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");

/// A form as its names and values say.
fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

async fn send(town: &Town, path: &str, pairs: &[(&str, &str)]) -> Answer {
    town.call(request(Method::POST, path, None, &[FORM], Body::from(form(pairs)))).await
}

/// A pothole with a key; what else is sent comes first, so that it counts.
async fn pothole(town: &Town, key: &str, more: &[(&str, &str)]) -> Answer {
    let usual = [
        ("api_key", key),
        ("jurisdiction_id", "ville"),
        ("service_code", "voirie.chaussee-abimee"),
        ("lat", "48.95712"),
        ("long", "4.36345"),
        ("attribute[danger]", "true"),
        ("description", "Un trou <profond> & \"large\""),
        ("first_name", "Jeanne"),
        ("last_name", "Dupont"),
        ("email", "jeanne@exemple.example"),
    ];
    send(town, "/open311/v2/requests.json", &[more, &usual].concat()).await
}

fn key(town: &Town) -> String {
    let scopes = vec![Scope::RequestsReceive, Scope::RequestsRead, Scope::RequestsAct];
    let holder = Holder::Integrator("fixmystreet".into());
    let terms = KeyTerms { scopes: Some(scopes), ..KeyTerms::new("ville", holder) };
    let access = town.access();
    access.make(&terms).unwrap().0
}

#[tokio::test]
async fn a_client_lists_reads_posts_and_follows_to_the_end() {
    let town = Town::new().await;
    let services = town.get("/open311/v2/services.json?jurisdiction_id=ville", None).await;
    assert_eq!(services.headers["content-type"], "application/json; charset=utf-8");
    let service =
        services.json.as_array().unwrap().iter().find(|s| s["service_code"] == "voirie.chaussee-abimee");
    let service = service.unwrap_or_else(|| panic!("{}", services.text));
    assert_eq!(
        (&service["metadata"], &service["type"], &service["group"]),
        (&json!(true), &json!("realtime"), &json!("Voirie"))
    );
    let address = "/open311/v2/services/voirie.chaussee-abimee.json?jurisdiction_id=ville&api_key=";
    let definition = town.get(address, None).await;
    let attributes = definition.json["attributes"].as_array().unwrap();
    assert_eq!(attributes[0]["variable"], false, "{}", definition.text);
    let danger = attributes.iter().find(|a| a["code"] == "danger").unwrap();
    assert_eq!(
        (&danger["datatype"], &danger["values"][0]["key"]),
        (&json!("singlevaluelist"), &json!("true"))
    );

    let made = pothole(&town, &key(&town), &[]).await;
    assert_eq!(made.status.as_u16(), 200, "{}", made.text);
    let id = made.json[0]["service_request_id"].as_str().unwrap().to_owned();
    assert!(made.json[0].get("token").is_none() && made.json[0]["account_id"].is_null());
    assert!(made.json[0]["service_notice"].as_str().unwrap().contains("Code de suivi"), "{}", made.text);

    let one = town.get(&format!("/open311/v2/requests/{id}.json?jurisdiction_id=ville"), None).await;
    let row = &one.json[0];
    assert_eq!(
        (&row["status"], &row["requested_datetime"]),
        (&json!("open"), &json!("2026-11-03T09:00:00Z")),
        "{}",
        one.text
    );
    assert!(row["expected_datetime"].as_str().unwrap() > "2026-11-05", "{}", one.text);
    assert_eq!(
        (row["lat"].as_f64(), row["long"].as_f64()),
        (Some(48.957), Some(4.363)),
        "to a hundred metres"
    );
    assert!(row["description"].is_null() && !one.text.contains("jeanne"), "{}", one.text);

    let withdrawn = format!("/v1/ville/requests/{id}/commands");
    let withdrawn =
        town.post(&withdrawn, Some(&key(&town)), &json!({ "command": "withdraw", "reason": "réparé" })).await;
    assert_eq!(withdrawn.status.as_u16(), 200, "{}", withdrawn.text);
    town.guichet.read_models().catch_up(std::time::Duration::from_secs(5)).await.unwrap();
    let closed = town.get("/open311/v2/requests.json?jurisdiction_id=ville&status=closed", None).await;
    assert_eq!(closed.json[0]["service_request_id"].as_str(), Some(id.as_str()), "{}", closed.text);
    let open = town.get("/open311/v2/requests.json?jurisdiction_id=ville&status=open", None).await;
    assert_eq!(open.json, json!([]));
}

#[tokio::test]
async fn xml_says_the_same_and_holds_no_markup_of_strangers() {
    let town = Town::new().await;
    let made = pothole(&town, &key(&town), &[]).await;
    let id = made.json[0]["service_request_id"].as_str().unwrap();
    let key = key(&town);
    let one =
        town.get(&format!("/open311/v2/requests/{id}.xml?jurisdiction_id=ville&api_key={key}"), None).await;
    assert_eq!(one.headers["content-type"], "text/xml; charset=utf-8");
    assert!(
        one.text.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<service_requests>\n  <request>"),
        "{}",
        one.text
    );
    assert!(
        one.text.contains("<description>Un trou &lt;profond&gt; &amp; &quot;large&quot;</description>"),
        "{}",
        one.text
    );
    assert!(one.text.contains("<lat>48.95712</lat>"), "with a key the place is whole: {}", one.text);
    let list = town.get("/open311/v2/services.xml?jurisdiction_id=ville", None).await;
    let services = read_services(&list.text).unwrap();
    let other = town.get("/open311/v2/services.json?jurisdiction_id=ville", None).await;
    let plain = |mut services: Vec<guichet::adopt::Service>| {
        services.iter_mut().for_each(|service| service.line = 0);
        services
    };
    assert_eq!(
        plain(services),
        plain(read_services(&other.text).unwrap()),
        "`guichet adopt` reads both alike"
    );
    let definition =
        town.get("/open311/v2/services/voirie.chaussee-abimee.xml?jurisdiction_id=ville", None).await;
    let (code, fields, left_out) = read_definition(&definition.text).unwrap();
    assert_eq!(
        (code.as_str(), fields.len(), left_out.len()),
        ("voirie.chaussee-abimee", 2, 1),
        "{}",
        definition.text
    );
}

#[tokio::test]
async fn refusals_are_those_of_the_specification() {
    let town = Town::new().await;
    let key = key(&town);
    let status = |answer: &Answer| {
        (answer.status.as_u16(), answer.json[0]["code"].as_str().unwrap_or_default().to_owned())
    };
    let no_key = send(&town, "/open311/v2/requests.json", &[]).await;
    assert_eq!(status(&no_key), (403, "403".into()), "{}", no_key.text);
    let wrong =
        send(&town, "/open311/v2/requests.json", &[("api_key", "gk_0"), ("jurisdiction_id", "ville")]).await;
    assert_eq!(status(&wrong), (403, "403".into()));
    let elsewhere = pothole(&town, &key, &[("jurisdiction_id", "ccas")]).await;
    assert_eq!(status(&elsewhere), (403, "403".into()), "a key opens nothing in another collectivity");
    let nowhere = pothole(&town, &key, &[("jurisdiction_id", "atlantis")]).await;
    assert_eq!(status(&nowhere), (404, "404".into()));
    let missing = town.get("/open311/v2/services.json?jurisdiction_id=", None).await;
    assert_eq!(status(&missing), (400, "400".into()));
    let unknown = pothole(&town, &key, &[("service_code", "voirie.volcan")]).await;
    assert_eq!(status(&unknown), (404, "404".into()), "{}", unknown.text);
    let internal =
        town.get("/open311/v2/services/institutions.publication.json?jurisdiction_id=ville", None).await;
    assert_eq!(internal.status.as_u16(), 404);
    let nothing = town.get("/open311/v2/nothing.xml", None).await;
    assert!(nothing.status.as_u16() == 404 && nothing.text.contains("<errors>"), "{}", nothing.text);
    let several = pothole(
        &town,
        &key,
        &[("lat", "north"), ("long", "1e9"), ("attribute[volcano]", "1"), ("attribute[danger]", "true")],
    )
    .await;
    assert_eq!(
        (several.status.as_u16(), several.json.as_array().unwrap().len()),
        (400, 3),
        "{}",
        several.text
    );
    let shape = pothole(&town, &key, &[("attribute[danger]", "perhaps"), ("email", "jeanne")]).await;
    assert_eq!(status(&shape), (400, "422".into()), "{}", shape.text);
    let description = shape.json[0]["description"].as_str().unwrap();
    assert!(description.starts_with("attribute[danger]: "), "{}", shape.text);
    let bytes = town
        .call(request(Method::POST, "/open311/v2/requests.json", None, &[FORM], Body::from("api_key=%FF")))
        .await;
    assert_eq!(status(&bytes), (400, "400".into()));
    let json =
        town.call(request(Method::POST, "/open311/v2/requests.json", None, &[], Body::from("{}"))).await;
    assert_eq!(status(&json), (400, "415".into()));
}

#[tokio::test]
async fn filters_fit_the_specification() {
    let town = Town::new().await;
    let key = key(&town);
    let first = pothole(&town, &key, &[]).await.json[0]["service_request_id"].as_str().unwrap().to_owned();
    town.move_to("2026-11-04T09:00:00Z");
    let second = pothole(&town, &key, &[]).await.json[0]["service_request_id"].as_str().unwrap().to_owned();
    town.guichet.read_models().catch_up(std::time::Duration::from_secs(5)).await.unwrap();
    let ids = async |query: &str| {
        let answer =
            town.get(&format!("/open311/v2/requests.json?jurisdiction_id=ville&{query}"), None).await;
        let rows = answer.json.as_array().unwrap_or_else(|| panic!("{}", answer.text)).clone();
        rows.iter()
            .map(|row| row["service_request_id"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("").await, [second.clone(), first.clone()]);
    assert_eq!(
        ids("start_date=&end_date=&status=&service_code=&page=").await.len(),
        2,
        "what is empty was not sent"
    );
    assert_eq!(ids("end_date=2026-11-03T10:00:00%2B01:00").await, std::slice::from_ref(&first));
    assert_eq!(ids("start_date=2026-11-03T09:00:01Z").await, std::slice::from_ref(&second));
    assert_eq!(ids("page_size=1&page=2").await, std::slice::from_ref(&first));
    assert_eq!(
        ids("status=open,closed&service_code=voirie.chaussee-abimee,voirie.trottoir-abime").await.len(),
        2
    );
    let named = format!("service_request_id={first},{second}&status=closed&start_date=nonsense");
    assert_eq!(ids(&named).await, [first.clone(), second], "ids override whatever else is sent");
    town.move_to("2027-02-03T09:00:00Z");
    assert!(ids("").await.is_empty(), "the last ninety days");
    for wrong in [
        "start_date=2026-11-03",
        "start_date=2026-01-01T00:00:00Z&end_date=2026-05-01T00:00:00Z",
        "status=ajar",
        "page=0",
        "page_size=1001",
    ] {
        let answer =
            town.get(&format!("/open311/v2/requests.json?jurisdiction_id=ville&{wrong}"), None).await;
        assert_eq!(answer.status.as_u16(), 400, "{wrong}: {}", answer.text);
    }
    let extended = town
        .get(&format!("/open311/v2/requests/{first}.json?jurisdiction_id=ville&extensions=true"), None)
        .await;
    assert_eq!(
        extended.json[0]["extended_attributes"],
        json!({ "channel": "web", "extended_status": "open" }),
        "{}",
        extended.text
    );
    assert_eq!(extended.json[0]["notes"][0]["type"], "received");
}

#[tokio::test]
async fn a_token_is_the_key_of_the_sending_and_sending_twice_makes_one() {
    let town = Town::new().await;
    let key = key(&town);
    let token = "0198c6a2-0000-7000-8000-00000000311a";
    let post = async || {
        let pairs = form(&[
            ("api_key", &key),
            ("jurisdiction_id", "ville"),
            ("service_code", "voirie.chaussee-abimee"),
            ("address_string", "1 place Foch"),
            ("attribute[danger]", "false"),
        ]);
        town.call(request(
            Method::POST,
            "/open311/v2/requests.json",
            None,
            &[FORM, ("idempotency-key", token)],
            Body::from(pairs),
        ))
        .await
    };
    let first = post().await;
    assert_eq!(first.status.as_u16(), 200, "{}", first.text);
    assert_eq!(post().await.json[0]["service_request_id"], first.json[0]["service_request_id"]);
    let found = town.get(&format!("/open311/v2/tokens/{token}.json?jurisdiction_id=ville"), None).await;
    assert_eq!(
        found.json,
        json!([{ "service_request_id": first.json[0]["service_request_id"], "token": token }]),
        "{}",
        found.text
    );
    let other = town
        .get("/open311/v2/tokens/0198c6a2-0000-7000-8000-00000000311b.json?jurisdiction_id=ville", None)
        .await;
    assert_eq!(other.status.as_u16(), 404);
    let id = first.json[0]["service_request_id"].as_str().unwrap();
    let row = town.get(&format!("/open311/v2/requests/{id}.json?jurisdiction_id=ville"), Some(&key)).await;
    assert_eq!(
        (row.json[0]["address"].as_str(), row.json[0]["lat"].as_f64()),
        (Some("1 place Foch"), None),
        "{}",
        row.text
    );
    let everybody = town.get(&format!("/open311/v2/requests/{id}.json?jurisdiction_id=ville"), None).await;
    assert_eq!(everybody.json[0]["address"], Value::Null);
}

#[tokio::test]
async fn what_the_form_does_not_take_is_recorded_beside_it() {
    let town = Town::new().await;
    // Without danger the sheet asks for no details, and clients send a description all the same.
    let made = pothole(&town, &key(&town), &[("attribute[danger]", "false")]).await;
    assert_eq!(made.status.as_u16(), 200, "{}", made.text);
    let id = made.json[0]["service_request_id"].as_str().unwrap();
    let agent = town.agent("a01");
    let read = town.get(&format!("/v1/ville/requests/{id}"), Some(&agent)).await;
    assert_eq!(read.json["dossier"]["reply"], "Un trou <profond> & \"large\"", "{}", read.text);
    assert_eq!(read.json["dossier"]["contact"]["name"], "Jeanne Dupont");
}

#[tokio::test]
async fn updates_are_told_and_taken_once() {
    let town = Town::new().await;
    let key = key(&town);
    let made = pothole(&town, &key, &[]).await;
    let id = made.json[0]["service_request_id"].as_str().unwrap();
    let address = "/open311/v2/servicerequestupdates.json";
    let send = async |status: &str, update: &str, more: &[(&str, &str)]| {
        let usual = [
            ("api_key", key.as_str()),
            ("jurisdiction_id", "ville"),
            ("service_request_id", id),
            ("update_id", update),
            ("status", status),
            ("updated_datetime", "2026-11-03T09:00:00Z"),
            ("description", "Toujours là"),
        ];
        send(&town, address, &[more, &usual].concat()).await
    };
    let said = send("OPEN", "12", &[]).await;
    assert_eq!(said.status.as_u16(), 200, "{}", said.text);
    assert!(said.json[0]["update_id"].as_str().unwrap().starts_with(id), "{}", said.text);
    assert_eq!(send("OPEN", "12", &[]).await.status.as_u16(), 400, "the same id again");
    assert_eq!(send("OPEN", "12", &[("description", "Autre")]).await.status.as_u16(), 400);
    assert_eq!(send("ajar", "13", &[]).await.status.as_u16(), 400);
    assert_eq!(send("OPEN", "14", &[("api_key", "gk_0")]).await.status.as_u16(), 403);
    assert_eq!(send("cancelled", "15", &[]).await.status.as_u16(), 200);
    town.guichet.read_models().catch_up(std::time::Duration::from_secs(5)).await.unwrap();
    let told = town.get(&format!("{address}?jurisdiction_id=ville"), None).await;
    let statuses: Vec<&str> =
        told.json.as_array().unwrap().iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["for_triage", "cancelled"], "{}", told.text);
    assert!(!told.text.contains("Toujours"), "what people say is not told: {}", told.text);
    let xml = town.get("/open311/v2/servicerequestupdates.xml?jurisdiction_id=ville", None).await;
    assert!(xml.text.contains("<service_request_updates>\n  <request_update>"), "{}", xml.text);
}

#[tokio::test]
async fn discovery_says_where() {
    let town = Town::new().await;
    let found = town.get("/open311/discovery.json", None).await;
    let endpoint = &found.json["endpoints"][0];
    assert_eq!(endpoint["specification"], "http://wiki.open311.org/GeoReport_v2", "{}", found.text);
    assert_eq!(endpoint["formats"], json!(["text/xml", "application/json"]));
    assert!(endpoint["url"].as_str().unwrap().ends_with("/open311/v2"));
    let xml = town.get("/open311/discovery.xml", None).await;
    assert!(xml.text.contains("<format>text/xml</format>"), "{}", xml.text);
}
