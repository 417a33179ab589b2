//! What operators and auditors look at: the outbox, who opened what, and that they themselves are on record.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::operations::Running;
use crate::support::run;

/// A server whose mails go nowhere, and a request of Jeanne in it.
fn town(data: &std::path::Path) -> (Running, String) {
    // A port that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let smtp = ["--outbound", "smtp", "--smtp-tls", "none", "--smtp-host", "127.0.0.1", "--smtp-port", &port];
    let mut line = vec!["--catalogue", "processes/chalons"];
    line.extend(smtp);
    let server = Running::start(data, &line, "error");
    let body = json!({
        "process": "voirie/chaussee-abimee",
        "requester": { "contact": { "name": "Jeanne Dupont", "email": "jeanne@exemple.example" } },
        "form": { "place": [48.957, 4.363], "danger": true, "details": "devant chez moi" }
    });
    let (status, made) = server.send("POST", "/v1/ville/requests", "", &body.to_string());
    assert_eq!(status, 201, "{made}");
    (server, made["request"].as_str().unwrap().to_owned())
}

/// Looks at the town beside its server: what is not personal can be seen, what is cannot. The message that failed.
fn beside(data: &std::path::Path, request: &str) -> String {
    let began = Instant::now();
    let failed = loop {
        let listed = run(data, &["outbox", "--failed", "--format", "json"]);
        assert_eq!(listed.code, 0, "{listed:?}");
        if let Some(message) = listed.json()["messages"].as_array().unwrap().first() {
            break message.clone();
        }
        assert!(began.elapsed() < Duration::from_secs(30), "nothing failed");
        std::thread::sleep(Duration::from_millis(200));
    };
    assert_eq!(
        (&failed["request"], &failed["by"], failed["attempts"].as_u64() > Some(0)),
        (&json!(request), &json!("email"), true),
        "{failed}"
    );
    assert!(!failed.to_string().contains("jeanne"), "{failed}");
    let effect = failed["effect"].as_str().unwrap();
    let held = run(data, &["outbox", "retry", request, effect]);
    assert_eq!(held.code, 3, "the server holds it: {held:?}");
    assert_eq!(run(data, &["show", request]).code, 0);
    for line in [
        vec!["show", request, "--dossier"],
        vec!["replay", request, "--dossier", "--format", "json"],
        vec!["letter", request, "0-0"],
    ] {
        for (language, words) in [("fr", "rien n’est ouvert"), ("en", "nothing is opened")] {
            let line: Vec<&str> = line.iter().copied().chain(["--lang", language]).collect();
            let refused = run(data, &line);
            assert_eq!((refused.code, refused.out.as_str()), (3, ""), "{refused:?}");
            assert!(refused.err.contains(words), "{refused:?}");
        }
    }
    effect.to_owned()
}

#[test]
fn what_waits_is_seen_beside_the_server_and_sent_again_and_whoever_opens_a_dossier_is_on_record() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let (server, request) = town(data);
    let effect = beside(data, &request);
    let effect = effect.as_str();
    server.stop();

    let retried = run(data, &["outbox", "retry", &request, effect, "--lang", "en"]);
    assert!(retried.code == 0 && retried.out.contains("tried again"), "{retried:?}");
    let list = run(data, &["outbox", "--format", "json"]).json();
    assert_eq!(list["messages"][0]["attempts"], 0, "{list}");
    let human = run(data, &["outbox", "--lang", "en"]);
    assert!(human.out.contains("acknowledgement") && human.out.contains("messages wait"), "{human:?}");
    assert_eq!(run(data, &["outbox", "retry", &request, "9-9"]).code, 1);
    assert_eq!(run(data, &["outbox", "resend", "5e1c0000-0000-7000-8000-000000000000"]).code, 1);

    let closed = run(data, &["show", &request, "--format", "json"]);
    assert!(closed.json().get("dossier").is_none() && !closed.out.contains("Jeanne"));
    let opened = run(data, &["show", &request, "--dossier", "--lang", "en"]);
    assert!(opened.out.contains("What was said") && opened.out.contains("Jeanne Dupont"), "{opened:?}");
    let opened = run(data, &["replay", &request, "--dossier", "--format", "json"]);
    assert!(opened.out.contains("devant chez moi"), "{opened:?}");
    assert_eq!(run(data, &["replay", &request, "--dossier"]).code, 2, "a table has no room for it");

    let user = std::process::Command::new("id").arg("-un").output().unwrap();
    let user = String::from_utf8(user.stdout).unwrap().trim().to_owned();
    let seen = run(data, &["accesses", "--request", &request, "--format", "json"]).json();
    assert_eq!(seen["n"], 1, "once an hour: {seen}");
    let who = seen["accesses"][0]["actor"].as_str().unwrap();
    assert!(who.starts_with(&format!("operator:{user}")), "{who}");
    assert_eq!(
        (&seen["accesses"][0]["what"], &seen["accesses"][0]["ground"]),
        (&json!("dossier"), &json!("console"))
    );
    let count = |line: &[&str]| {
        let line: Vec<&str> = ["accesses", "--format", "json"].iter().chain(line).copied().collect();
        run(data, &line).json()["n"].clone()
    };
    let user = who.strip_prefix("operator:").unwrap();
    assert_eq!(count(&["--operator", user]), 1);
    assert_eq!(count(&["--agent", "a01"]), 0);
    assert_eq!(count(&["--tenant", "ccas"]), 0);
    assert_eq!(count(&["--to", "2026-01-01"]), Value::from(0));
    assert_eq!(count(&["--from", "2026-01-01"]), 1);
    let table = run(data, &["accesses", "--lang", "en"]);
    assert!(table.out.contains("command line") && table.out.contains("1 of 1 accesses"), "{table:?}");
}
