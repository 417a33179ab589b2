//! Files: sent, named, fetched, taken away.

use std::io::Cursor;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use exif::experimental::Writer;
use exif::{Field, In, Rational, Tag, Value as ExifValue};
use guichet::Holder;
use guichet::attachments::Swept;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use crate::support::{Answer, Town, pothole, request};

/// A photo as a telephone takes it, lying on its side: forty by twenty points, red on the left, with its place, its maker
/// and its owner's name.
fn photo() -> Vec<u8> {
    let picture =
        RgbImage::from_fn(40, 20, |x, _| if x < 20 { Rgb([250, 10, 10]) } else { Rgb([10, 10, 250]) });
    let mut jpeg = Cursor::new(Vec::new());
    picture.write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
    let jpeg = jpeg.into_inner();
    let degrees = |whole, minutes| {
        ExifValue::Rational(vec![
            Rational { num: whole, denom: 1 },
            Rational { num: minutes, denom: 1 },
            Rational { num: 0, denom: 1 },
        ])
    };
    let text = |text: &str| ExifValue::Ascii(vec![text.as_bytes().to_vec()]);
    let fields = [
        (Tag::Orientation, ExifValue::Short(vec![6])),
        (Tag::Make, text("Fairphone")),
        (Tag::Artist, text("Jeanne Dupont")),
        (Tag::GPSLatitudeRef, text("N")),
        (Tag::GPSLatitude, degrees(48, 57)),
        (Tag::GPSLongitudeRef, text("E")),
        (Tag::GPSLongitude, degrees(4, 21)),
    ]
    .map(|(tag, value)| Field { tag, ifd_num: In::PRIMARY, value });
    let mut writer = Writer::new();
    fields.iter().for_each(|field| writer.push_field(field));
    let mut notes = Cursor::new(Vec::new());
    writer.write(&mut notes, false).unwrap();
    let notes = notes.into_inner();
    let length = u16::try_from(notes.len() + 8).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, b"Exif\0\0", &notes, &jpeg[2..]].concat()
}

/// A photo that was sent, as a form names it.
pub(crate) async fn sent_photo(town: &Town) -> Value {
    let sent = town.upload("trou.jpg", "image/jpeg", photo()).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.text);
    sent.json
}

/// A pothole with a photo.
pub(crate) fn form_with(photo: &Value) -> Value {
    let mut body = pothole();
    body["form"]["photos"] = json!([photo]);
    body
}

impl Town {
    async fn upload(&self, name: &str, kind: &str, bytes: Vec<u8>) -> Answer {
        let disposition = format!("attachment; filename=\"{name}\"");
        let headers = [("content-type", kind), ("content-disposition", disposition.as_str())];
        self.call(request(Method::POST, "/v1/ville/files", None, &headers, Body::from(bytes))).await
    }

    /// A pothole with these files.
    async fn with_photos(&self, photos: Value) -> Answer {
        let mut body = pothole();
        body["form"]["photos"] = photos;
        self.post("/v1/ville/requests", None, &body).await
    }

    async fn bytes(&self, path: &str, key: &str, headers: &[(&str, &str)]) -> (Answer, Vec<u8>) {
        use tower::ServiceExt;
        let asked = request(Method::GET, path, Some(key), headers, Body::empty());
        let response = self.router.clone().oneshot(asked).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 8 << 20).await.unwrap().to_vec();
        let answer =
            Answer { status: parts.status, headers: parts.headers, json: Value::Null, text: String::new() };
        (answer, bytes)
    }
}

#[tokio::test]
async fn a_photo_loses_its_place_its_maker_and_its_names_and_stands_upright() {
    assert!(exif::Reader::new().read_from_container(&mut Cursor::new(photo())).is_ok(), "it has notes");
    let town = Town::new().await;
    let sent = town.upload("IMG 0042 é.jpg", "image/jpeg", photo()).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.text);
    assert_eq!(sent.json["type"], "image/jpeg");
    let received = town.with_photos(json!([sent.json])).await;
    assert_eq!(received.status, StatusCode::CREATED, "{}", received.text);
    let (id, digest) = (received.json["request"].as_str().unwrap(), sent.json["sha256"].as_str().unwrap());

    let agent = town.agent("a01");
    let path = format!("/v1/ville/requests/{id}/files/{digest}");
    let (answer, bytes) = town.bytes(&path, &agent, &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(bytes.len() as u64, sent.json["size"].as_u64().unwrap());
    assert!(exif::Reader::new().read_from_container(&mut Cursor::new(&bytes)).is_err(), "it has none left");
    let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(!holds(b"Fairphone") && !holds(b"Jeanne") && !holds(b"Exif"));
    let picture = image::load_from_memory(&bytes).unwrap().to_rgb8();
    assert_eq!(picture.dimensions(), (20, 40), "turned upright");
    assert!(picture.get_pixel(10, 2)[0] > 200 && picture.get_pixel(10, 37)[2] > 200, "left is up now");
    assert_eq!(answer.headers["content-security-policy"], "sandbox; default-src 'none'");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert!(
        answer.headers["content-disposition"].to_str().unwrap().starts_with("inline; filename*=UTF-8''IMG")
    );

    let (part, some) = town.bytes(&path, &agent, &[("range", "bytes=2-5")]).await;
    assert_eq!((part.status, some.as_slice()), (StatusCode::PARTIAL_CONTENT, &bytes[2..6]));
    let tag = answer.headers["etag"].to_str().unwrap();
    let (same, nothing) = town.bytes(&path, &agent, &[("if-none-match", tag)]).await;
    assert_eq!((same.status, nothing.len()), (StatusCode::NOT_MODIFIED, 0));

    // The requester, with the code; nobody else, and no other town.
    let body = json!({ "code": received.json["tracking_code"], "sha256": digest });
    let mine = town.post("/v1/ville/follow/files", None, &body).await;
    assert_eq!(mine.status, StatusCode::OK, "{}", mine.text);
    let other = town.pothole().await;
    let body = json!({ "code": other.json["tracking_code"], "sha256": digest });
    assert_eq!(town.post("/v1/ville/follow/files", None, &body).await.status, StatusCode::NOT_FOUND);
    assert_eq!(town.get(&path, None).await.status, StatusCode::UNAUTHORIZED);
    let foreign = town.key("ccas", Holder::Agent("a01".into()));
    let elsewhere = path.replace("/ville/", "/ccas/");
    assert!(town.get(&elsewhere, Some(&foreign)).await.status.is_client_error());
    assert!(town.get(&path, Some(&foreign)).await.status.is_client_error());
    let unnamed = format!("/v1/ville/requests/{}/files/{digest}", other.json["request"].as_str().unwrap());
    assert_eq!(town.get(&unnamed, Some(&agent)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nobody_names_a_file_that_they_did_not_send() {
    let town = Town::new().await;
    let sent = town.upload("photo.jpg", "image/jpeg", photo()).await.json;
    let mut without = sent.clone();
    without.as_object_mut().unwrap().remove("proof");
    let mut guessed = sent.clone();
    guessed["proof"] = "0".repeat(32).into();
    let mut renamed = sent.clone();
    renamed["name"] = "other.jpg".into();
    let mut invented = sent.clone();
    invented["sha256"] = "ab".repeat(32).into();
    let mut words = Vec::new();
    for lie in [without, guessed, renamed, invented] {
        let answer = town.with_photos(json!([sent, lie])).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
        assert_eq!(answer.json["errors"][0]["pointer"], "/form/photos/1");
        assert_eq!(answer.json["errors"][0]["code"], "field.file_unknown");
        words.push(answer.json["errors"].clone());
    }
    assert!(words.windows(2).all(|pair| pair[0] == pair[1]), "whether it is stored is not told");
    town.move_to("2026-11-04T09:00:01Z");
    assert_eq!(
        town.with_photos(json!([sent])).await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "a day has passed"
    );
}

#[tokio::test]
async fn what_nobody_named_goes_after_a_day_and_what_was_named_stays() {
    let town = Town::new().await;
    let named = town.upload("a.txt", "text/plain", b"named".to_vec()).await.json;
    let photo = town.upload("photo.jpg", "image/jpeg", photo()).await.json;
    let refused = town.upload("b.txt", "text/plain", b"refused".to_vec()).await.json;
    let forgotten = town.upload("c.txt", "text/plain", b"forgotten".to_vec()).await.json;
    assert_eq!(town.with_photos(json!([photo])).await.status, StatusCode::CREATED);
    let received = town.with_photos(json!([refused])).await;
    assert_eq!(received.status, StatusCode::UNPROCESSABLE_ENTITY, "no text among photos");
    let files = town.guichet.attachments();
    let sweep = async || files.sweep(&town.guichet, town.guichet.now()).await.unwrap();
    assert_eq!(sweep().await, Swept::default(), "nothing is old yet");

    town.move_to("2026-11-04T10:00:01Z");
    assert_eq!(sweep().await, Swept { removed: 3, named: 1, scanned: 0 });
    let digest = |file: &Value| file["sha256"].as_str().unwrap().to_owned();
    for gone in [&named, &refused, &forgotten] {
        assert!(files.open("ville", &digest(gone)).await.unwrap().is_none());
    }
    assert!(files.open("ville", &digest(&photo)).await.unwrap().is_some());
    town.move_to("2027-11-04T10:00:01Z");
    assert_eq!(sweep().await, Swept::default(), "what is named is never looked at again");
    assert!(files.open("ville", &digest(&photo)).await.unwrap().is_some());
}

#[tokio::test]
async fn erasing_a_request_takes_its_files_unless_another_holds_them() {
    let town = Town::new().await;
    let mut requests = Vec::new();
    let mut digest = String::new();
    for _ in 0..2 {
        let sent = town.upload("photo.jpg", "image/jpeg", photo()).await.json;
        digest = sent["sha256"].as_str().unwrap().to_owned();
        let received = town.with_photos(json!([sent])).await.json;
        requests.push(received["request"].as_str().unwrap().parse().unwrap());
    }
    town.move_to("2026-11-04T10:00:01Z");
    let files = town.guichet.attachments();
    files.sweep(&town.guichet, town.guichet.now()).await.unwrap();
    let request = guichet::engine::rules::request::RequestId;
    assert_eq!(files.forget("ville", request(requests[0])).await.unwrap(), 0);
    assert!(files.open("ville", &digest).await.unwrap().is_some(), "the other request names it still");
    assert_eq!(files.forget("ville", request(requests[1])).await.unwrap(), 1);
    assert!(files.open("ville", &digest).await.unwrap().is_none());
}

/// A finished request with a photo, and the digest of the photo.
async fn withdrawn(town: &Town) -> (String, String, String) {
    let sent = town.upload("photo.jpg", "image/jpeg", photo()).await.json;
    let received = town.with_photos(json!([sent])).await.json;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let code = text(&received["tracking_code"]);
    let body = json!({ "code": code, "command": { "command": "withdraw", "reason": "réparé" } });
    let done = town.post("/v1/ville/follow/actions", None, &body).await;
    assert!(done.status.is_success(), "{}", done.text);
    (text(&received["request"]), code, text(&sent["sha256"]))
}

#[tokio::test]
async fn an_erased_request_is_read_no_more_and_the_order_says_why() {
    let town = Town::new().await;
    let lawyer = town.agent("a83");
    let open = town.pothole().await.json;
    let path = |request: &str| format!("/v1/ville/requests/{request}/erasure");
    let order = json!({ "basis": "unneeded", "reference": "Visa AD51 2026-118" });
    let refused = town.post(&path(open["request"].as_str().unwrap()), Some(&lawyer), &order).await;
    assert_eq!(
        (refused.status.as_u16(), refused.json["code"].as_str()),
        (409, Some("erasure.open")),
        "{}",
        refused.text
    );

    let (request, code, digest) = withdrawn(&town).await;
    let forbidden = town.post(&path(&request), Some(&town.agent("a01")), &order).await;
    assert_eq!(forbidden.status, StatusCode::FORBIDDEN, "{}", forbidden.text);
    for wrong in
        [json!({ "basis": "unneeded", "reference": "" }), json!({ "basis": "because", "reference": "x" })]
    {
        let answer = town.post(&path(&request), Some(&lawyer), &wrong).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
    }
    let id = request.parse().map(guichet::engine::rules::request::RequestId).unwrap();
    let said = async || {
        let history =
            town.guichet.history("ville", id, &guichet::engine::Span::default(), true).await.unwrap();
        format!("{history:?}")
    };
    // What is personal is never printed, only whether it is known.
    assert!(said().await.contains("Personal(requester, known)"), "{}", said().await);
    // What was uploaded within the last day is held by its upload still.
    town.move_to("2026-11-04T10:00:01Z");
    town.guichet.attachments().sweep(&town.guichet, town.guichet.now()).await.unwrap();
    let erased = town.post(&path(&request), Some(&lawyer), &order).await;
    assert_eq!((erased.status.as_u16(), erased.json["files"].as_u64()), (200, Some(1)), "{}", erased.text);
    assert!(!said().await.contains("known)"), "{}", said().await);
    assert!(said().await.contains("Personal(requester, erased)"), "{}", said().await);
    assert!(town.guichet.attachments().open("ville", &digest).await.unwrap().is_none());
    let followed = town.post("/v1/ville/follow", None, &json!({ "code": code })).await;
    assert!(followed.status.is_success() && !followed.text.contains("exemple.example"), "{}", followed.text);

    // Again, with another ground: what was ordered first stands.
    let again = json!({ "basis": "asked", "reference": "another" });
    let again = town.post(&path(&request), Some(&lawyer), &again).await;
    assert_eq!(
        (again.json["reference"].as_str(), again.json["files"].as_u64()),
        (Some("Visa AD51 2026-118"), Some(0))
    );
    assert_eq!(again.json["ordered_at"], erased.json["ordered_at"]);
    let record = town.guichet.engine().recorded_of("ville", "erasure", id.0, true).await.unwrap();
    let names: Vec<&str> = record.iter().map(|entry| entry.event.name()).collect();
    assert_eq!(names, ["erasure.ordered", "erasure.done"]);
}

/// Settings of a town whose files stand in the bucket that the environment names.
fn bucket(endpoint: Option<&str>) -> Option<String> {
    let Ok(server) = std::env::var("GUICHET_TEST_S3") else {
        eprintln!("skipped: GUICHET_TEST_S3 names no server");
        return None;
    };
    let keys = std::env::var("GUICHET_TEST_S3_KEYS").unwrap();
    let name = std::env::var("GUICHET_TEST_S3_BUCKET").unwrap();
    let (server, process) = (endpoint.unwrap_or(&server), std::process::id());
    Some(format!(
        "[attachments.s3]\nendpoint = \"{server}\"\nregion = \"fr-par\"\nbucket = \"{name}\"\nprefix = \"http-{process}\"\n\
        access_key_file = \"{keys}/id\"\nsecret_key_file = \"{keys}/secret\"\n"
    ))
}

#[tokio::test]
async fn a_town_keeps_its_files_in_a_bucket_as_in_a_folder() {
    let Some(settings) = bucket(None) else { return };
    let town = Town::set("voirie", &settings).await;
    let sent = town.upload("photo.jpg", "image/jpeg", photo()).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.text);
    let long: Vec<u8> = b"Une ligne.\n".iter().copied().cycle().take(20_000_000).collect();
    let unnamed = town.upload("long.txt", "text/plain", long).await;
    assert_eq!(unnamed.status, StatusCode::CREATED, "{}", unnamed.text);
    let received = town.with_photos(json!([sent.json])).await;
    assert_eq!(received.status, StatusCode::CREATED, "{}", received.text);
    let (id, digest) = (received.json["request"].as_str().unwrap(), sent.json["sha256"].as_str().unwrap());
    let (agent, path) = (town.agent("a01"), format!("/v1/ville/requests/{id}/files/{digest}"));
    let (answer, bytes) = town.bytes(&path, &agent, &[]).await;
    assert_eq!((answer.status, bytes.len() as u64), (StatusCode::OK, sent.json["size"].as_u64().unwrap()));
    let (part, some) = town.bytes(&path, &agent, &[("range", "bytes=2-5")]).await;
    assert_eq!((part.status, some.as_slice()), (StatusCode::PARTIAL_CONTENT, &bytes[2..6]));
    let files = town.guichet.attachments();
    town.move_to("2026-11-04T10:00:01Z");
    let swept = files.sweep(&town.guichet, town.guichet.now()).await.unwrap();
    assert_eq!(swept, Swept { removed: 1, named: 1, scanned: 0 });
    assert!(files.open("ville", unnamed.json["sha256"].as_str().unwrap()).await.unwrap().is_none());
    let request = guichet::engine::rules::request::RequestId(id.parse().unwrap());
    assert_eq!(files.forget("ville", request).await.unwrap(), 1);
    assert!(files.open("ville", digest).await.unwrap().is_none());
}

#[tokio::test]
async fn while_the_bucket_is_away_nothing_that_names_files_is_acknowledged() {
    let Some(settings) = bucket(Some("http://127.0.0.1:9")) else { return };
    let town = Town::set("voirie", &settings).await;
    let sent = town.upload("photo.jpg", "image/jpeg", photo()).await;
    assert_eq!(
        (sent.status.as_u16(), sent.json["code"].as_str()),
        (503, Some("file.store_unavailable")),
        "{}",
        sent.text
    );
    assert!(sent.headers.contains_key("retry-after"));
    let file = json!({ "name": "photo.jpg", "type": "image/jpeg", "size": 3, "sha256": "ab".repeat(32), "proof": "0".repeat(32) });
    let named = town.with_photos(json!([file])).await;
    assert_eq!(named.status, StatusCode::SERVICE_UNAVAILABLE, "{}", named.text);
    assert_eq!(town.pothole().await.status, StatusCode::CREATED, "requests without files are received");
}

#[tokio::test]
async fn real_scanners_refuse_the_test_file_and_nothing_is_taken_while_they_are_away() {
    let (Ok(clamd), Ok(icap)) = (std::env::var("GUICHET_TEST_CLAMD"), std::env::var("GUICHET_TEST_ICAP"))
    else {
        eprintln!("skipped: GUICHET_TEST_CLAMD and GUICHET_TEST_ICAP name no scanners");
        return;
    };
    // Put together here, so that no scanner takes this repository for it.
    let eicar = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    let (clamd, icap) = (format!("clamd = \"{clamd}\""), format!("icap = \"{icap}\""));
    for scanners in [clamd.clone(), icap.clone(), format!("{clamd}\n{icap}")] {
        let town = Town::set("voirie", &format!("[attachments]\n{scanners}\n")).await;
        let clean = town.upload("photo.jpg", "image/jpeg", photo()).await;
        assert_eq!(clean.status, StatusCode::CREATED, "{scanners}: {}", clean.text);
        let found = town.upload("note.txt", "text/plain", eicar.clone().into_bytes()).await;
        assert_eq!(
            (found.status.as_u16(), found.json["code"].as_str()),
            (422, Some("file.infected")),
            "{}",
            found.text
        );
        let digest = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f";
        assert!(
            town.guichet.attachments().open("ville", digest).await.unwrap().is_none(),
            "it is kept nowhere"
        );
    }
    for away in
        ["clamd = \"127.0.0.1:9\"".to_owned(), format!("{clamd}\nicap = \"icap://127.0.0.1:9/avscan\"")]
    {
        let town = Town::set("voirie", &format!("[attachments]\n{away}\n")).await;
        let refused = town.upload("photo.jpg", "image/jpeg", photo()).await;
        assert_eq!(
            (refused.status.as_u16(), refused.json["code"].as_str()),
            (503, Some("file.scanner_unavailable"))
        );
        assert!(refused.headers.contains_key("retry-after"));
    }
}

#[tokio::test]
async fn forms_of_browsers_are_read_and_bad_uploads_are_told_why() {
    let town = Town::new().await;
    let form = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../note.txt\"\r\n\
        Content-Type: text/plain\r\n\r\nBonjour\r\n--x--\r\n";
    let kind = ("content-type", "multipart/form-data; boundary=x");
    let asked = request(Method::POST, "/v1/ville/files", None, &[kind], Body::from(form));
    let sent = town.call(asked).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.text);
    assert_eq!((sent.json["name"].as_str(), sent.json["size"].as_u64()), (Some("note.txt"), Some(7)));

    for (kind, bytes, status, code) in [
        ("image/png", &b"%PDF-1.7\n%%EOF"[..], 422, "file.type_differs"),
        ("image/svg+xml", b"<svg onload='x()'/>", 422, "file.type_refused"),
        ("text/plain", b"<html><script>", 422, "file.type_refused"),
        ("image/jpeg", b"\xff\xd8\xff\xe0 cut off", 422, "file.picture_unreadable"),
        ("image/jpeg", b"", 422, "file.empty"),
        ("multipart/form-data; boundary=x", b"nothing", 400, "file.form_unreadable"),
    ] {
        let answer = town.upload("f", kind, bytes.to_vec()).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
        assert_eq!(answer.json["code"], code, "{}", answer.text);
    }
    let large = town.upload("f", "text/plain", vec![b'a'; 26 * 1024 * 1024]).await;
    assert_eq!((large.status.as_u16(), large.json["code"].as_str()), (413, Some("file.too_large")));
    let nowhere = request(Method::POST, "/v1/atlantide/files", None, &[], Body::from("x"));
    assert_eq!(town.call(nowhere).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_picture_that_would_fill_the_memory_is_refused_by_its_first_line() {
    let town = Town::new().await;
    // Thirty thousand by thirty thousand points of white, in a few bytes of PNG: only the header counts.
    let mut bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x75\x30\0\0\x75\x30\x08\x02\0\0\0".to_vec();
    let mut sum = 0xffff_ffff_u32;
    for byte in &bomb[12..] {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
        }
    }
    bomb.extend((!sum).to_be_bytes());
    let answer = town.upload("bomb.png", "image/png", bomb).await;
    assert_eq!(answer.json["code"], "file.picture_unreadable", "{}", answer.text);
}
