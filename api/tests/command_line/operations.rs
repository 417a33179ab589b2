//! A server as those who run it see it: its measures and its log.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{guichet, run};

/// A server that runs in a process of its own, and what it says.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: SocketAddr,
    metrics: SocketAddr,
    log: mpsc::Receiver<String>,
}

impl Running {
    pub(crate) fn start(data: &Path, arguments: &[&str], log: &str) -> Self {
        let mut line = vec!["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"];
        line.extend(arguments);
        let mut command = guichet(data, &line);
        let mut child =
            command.env("GUICHET_LOG", log).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = child.stderr.take().unwrap();
        let (tell, log) = mpsc::channel();
        std::thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).unwrap();
            tell.send(text).unwrap();
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = || {
            let line = lines.next().expect("the server came up").unwrap();
            let (_, rest) = line.split_once("http://").unwrap();
            rest.split(['/', ' ']).next().unwrap().parse().unwrap()
        };
        let (address, metrics) = (address(), address());
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address, metrics, log }
    }

    pub(crate) fn send(&self, method: &str, path: &str, key: &str, body: &str) -> (u16, Value) {
        let (status, text) = exchange(self.address, method, path, key, body);
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    fn scrape(&self) -> String {
        let (status, text) = exchange(self.metrics, "GET", "/metrics", "", "");
        assert_eq!(status, 200);
        text
    }

    /// Ends it as a loss of power would (SIGKILL).
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Everything it logged until its end.
    pub(crate) fn stop(mut self) -> String {
        let done = std::process::Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(done.success() && self.child.wait().unwrap().success());
        self.log.recv_timeout(Duration::from_secs(10)).unwrap()
    }
}

fn exchange(server: SocketAddr, method: &str, path: &str, key: &str, body: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(server).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {key}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// A sample of Prometheus' text format: its name and labels as written, its value.
type Samples = BTreeMap<String, f64>;

/// Reads the text format 0.0.4 and refuses whatever is not of it: a line of another shape, a sample without its type, a
/// type told twice, a sample told twice, buckets that do not grow or do not add up.
fn parse(text: &str) -> Samples {
    let (mut samples, mut types) = (Samples::new(), BTreeMap::new());
    let is_name = |name: &str| {
        name.chars()
            .enumerate()
            .all(|(at, c)| c.is_ascii_alphabetic() || c == '_' || c == ':' || at > 0 && c.is_ascii_digit())
            && !name.is_empty()
    };
    assert!(text.ends_with('\n'), "the last line has no end");
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (kind, name, what) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            assert!(is_name(name) && matches!(kind, "HELP" | "TYPE"), "{line}");
            if kind == "TYPE" {
                assert!(["counter", "gauge", "histogram"].contains(&what), "{line}");
                assert!(types.insert(name.to_owned(), what.to_owned()).is_none(), "told twice: {line}");
            }
            continue;
        }
        let (key, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
        let (name, labels) = key.split_once('{').unwrap_or((key, "}"));
        assert!(is_name(name), "{line}");
        let labels = labels.strip_suffix('}').unwrap_or_else(|| panic!("{line}"));
        for label in labels.split("\",").filter(|label| !label.is_empty()) {
            let (name, value) = label.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
            assert!(is_name(name) && !value.trim_end_matches('"').contains(['"', '\n']), "{line}");
        }
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let kind = types.get(name).or_else(|| types.get(family?));
        let kind = kind.unwrap_or_else(|| panic!("without a type before it: {line}"));
        assert!(kind != "counter" || value >= 0.0, "{line}");
        assert!(samples.insert(key.to_owned(), value).is_none(), "told twice: {line}");
    }
    for (key, count) in samples.iter().filter(|(key, _)| key.contains("le=\"+Inf\"")) {
        let total =
            key.replace("_bucket{", "_count{").replace(",le=\"+Inf\"", "").replace("{le=\"+Inf\"}", "");
        assert_eq!(samples.get(&total), Some(count), "{key}");
    }
    samples
}

#[test]
fn what_is_no_prometheus_text_is_noticed() {
    let good = "# HELP a_b x y\n# TYPE a_b counter\na_b{c=\"d\",e=\"f g\"} 3\n";
    assert_eq!(parse(good).len(), 1);
    for bad in [
        "a 1\n",
        "# TYPE a counter\na x\n",
        "# TYPE a thing\na 1\n",
        "# TYPE a counter\na 1\na 1\n",
        "# TYPE a counter\na{b=c} 1\n",
    ] {
        assert!(std::panic::catch_unwind(|| parse(bad)).is_err(), "{bad}");
    }
}

pub(crate) fn key_of(data: &Path) -> String {
    run(data, &["key", "--tenant", "ville", "--agent", "a01"]).out.trim().to_owned()
}

pub(crate) fn report(details: &str, name: &str, mail: &str, phone: &str) -> String {
    json!({
        "process": "voirie/chaussee-abimee",
        "form": { "place": [48.957, 4.363], "danger": true, "details": details },
        "requester": { "preferred": "email", "contact": { "name": name, "email": mail, "phone": phone } }
    })
    .to_string()
}

fn total(samples: &Samples, family: &str, labels: &[&str]) -> f64 {
    let wanted = |key: &str| key.starts_with(&format!("{family}{{")) || key == family;
    let all = samples.iter().filter(|(key, _)| wanted(key) && labels.iter().all(|label| key.contains(label)));
    all.map(|(_, value)| value).sum()
}

#[test]
fn what_a_server_tells_prometheus_is_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Running::start(&data, &["--catalogue", "processes/chalons"], "info");
    let key = key_of(&data);
    let before = parse(&server.scrape());
    for number in 0_u32..40 {
        let mail = format!("p{number}@exemple.example");
        let (status, answer) =
            server.send("POST", "/v1/ville/requests", "", &report("un trou", "Camille", &mail, "0600000000"));
        assert_eq!(status, 201, "{answer}");
        let path = format!("/v1/ville/requests/{}/commands", answer["request"].as_str().unwrap());
        if number % 4 == 0 {
            assert_eq!(server.send("POST", &path, &key, &json!({ "command": "qualify" }).to_string()).0, 200);
        }
        if number % 10 == 0 {
            let refused = json!({ "command": "deliver", "by": "counter" }).to_string();
            assert!(server.send("POST", &path, &key, &refused).0 >= 400);
        }
    }
    assert_eq!(server.send("GET", "/nowhere/at/all", "", "").0, 404);
    assert_eq!(server.send("BREW", "/v1/ville/catalogue", "", "").0, 405);
    // The acknowledgements go out by themselves.
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    let samples = loop {
        let samples = parse(&server.scrape());
        let done = total(&samples, "guichet_workers_effects_total", &["outcome=\"done\""]);
        if done >= 40.0
            && samples["guichet_outbox_waiting"] == 0.0
            && samples["guichet_projections_lag_events"] == 0.0
        {
            break samples;
        }
        assert!(std::time::Instant::now() < deadline, "{samples:#?}");
        std::thread::sleep(Duration::from_millis(200));
    };
    let http = |labels: &[&str]| total(&samples, "guichet_http_requests_seconds_count", labels);
    assert_eq!(http(&["route=\"/v1/{tenant}/requests\"", "method=\"POST\"", "status=\"201\""]), 40.0);
    assert_eq!(http(&["/commands\"", "status=\"200\""]), 10.0);
    assert_eq!((http(&["route=\"-\"", "status=\"404\""]), http(&["method=\"other\""])), (1.0, 1.0));
    let submit = |labels: &[&str]| total(&samples, "guichet_engine_submit_seconds_count", labels);
    assert_eq!(submit(&["command=\"receive\"", "outcome=\"accepted\""]), 40.0);
    assert_eq!(submit(&["command=\"qualify\"", "outcome=\"accepted\""]), 10.0);
    assert_eq!(submit(&["command=\"deliver\"", "outcome=\"rejected\""]), 4.0);
    assert_eq!(samples["guichet_build_info{version=\"0.1.0\"}"], 1.0);
    assert!(samples["process_resident_memory_bytes"] > 1e7 && samples["process_open_fds"] > 5.0);
    assert!(samples["process_start_time_seconds"] > 1.7e9);
    assert_eq!(samples["process_start_time_seconds"], before["process_start_time_seconds"]);
    let (written, groups) =
        (samples["guichet_journal_group_events_sum"], samples["guichet_projections_events_total"]);
    let log = server.stop();
    assert!(
        log.contains("answered") && log.contains("engine.submit") || log.contains("http.request"),
        "{log}"
    );
    // Every event of the journal was counted once by the journal, and once by the read models.
    let verified = run(&data, &["verify", "--format", "json"]).json()["events"].as_f64().unwrap();
    assert_eq!((written, groups), (verified, verified));
}

/// A mail server that knows nobody, and says so with the address, as they do.
fn refusing_mail_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut out = socket.try_clone().unwrap();
                let _ = out.write_all(b"220 mail ready\r\n");
                for line in BufReader::new(socket).lines().map_while(Result::ok) {
                    let answer = match line.get(..4).unwrap_or_default() {
                        "EHLO" => "250-mail\r\n250 AUTH PLAIN LOGIN\r\n".to_owned(),
                        "AUTH" => "235 welcome\r\n".to_owned(),
                        "RCPT" => format!("550 5.1.1 {line}: nobody of that name\r\n"),
                        "QUIT" => "221 bye\r\n".to_owned(),
                        _ => "250 well\r\n".to_owned(),
                    };
                    if out.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// Every way in and out is given marks of what is personal or secret; none may come out where operators look.
#[test]
fn no_personal_data_and_no_secret_is_logged_or_measured() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mail = refusing_mail_server();
    let credentials = folder.path().join("mail");
    std::fs::write(&credentials, "portail\nMARKpassword\n").unwrap();
    let (host, port) = (mail.ip().to_string(), mail.port().to_string());
    let arguments = [
        "--catalogue",
        "processes/chalons",
        "--log-format",
        "json",
        "--outbound",
        "smtp",
        "--smtp-host",
        &host,
        "--smtp-port",
        &port,
        "--smtp-tls",
        "none",
        "--smtp-credentials",
        credentials.to_str().unwrap(),
    ];
    // Everything that our own crates could say, and what those beneath say in production.
    let log = "info,guichet=trace,guichet_engine=trace,guichet_journal=trace,guichet_projections=trace,guichet_rules=trace";
    let server = Running::start(&data, &arguments, log);
    let key = key_of(&data);
    let body = report("MARKdetails rue MARKstreet", "MARKname", "MARKmail@exemple.example", "+33612345678");
    let (status, received) = server.send("POST", "/v1/ville/requests", "", &body);
    assert_eq!(status, 201, "{received}");
    let code = received["tracking_code"].as_str().expect("a code").to_owned();
    let path = format!("/v1/ville/requests/{}/commands", received["request"].as_str().unwrap());
    let act = |command: Value| server.send("POST", &path, &key, &command.to_string());
    assert_eq!(act(json!({ "command": "qualify" })).0, 200);
    assert_eq!(act(json!({ "command": "note", "text": "MARKnote" })).0, 200);
    assert_eq!(server.send("POST", "/v1/ville/follow", "", &json!({ "code": code }).to_string()).0, 200);
    let told = json!({ "code": code, "command": { "command": "message", "text": "MARKmessage" } });
    server.send("POST", "/v1/ville/follow", "", &told.to_string());
    // What goes wrong: refusals, rubbish, unknown codes, keys and routes, each with its mark.
    assert!(act(json!({ "command": "answer", "outcome": "MARKoutcome", "text": "MARKanswer" })).0 >= 400);
    assert!(act(json!({ "command": "MARKcommand" })).0 >= 400);
    let unreadable = r#"{ "process": "voirie/chaussee-abimee", "form": { "MARKfield": "MARKvalue" "#;
    assert!(server.send("POST", "/v1/ville/requests", "", unreadable).0 >= 400);
    let unknown = json!({ "process": "MARKprocess", "form": { "MARKfield": "MARKvalue" } }).to_string();
    assert!(server.send("POST", "/v1/ville/requests", "", &unknown).0 >= 400);
    assert!(server.send("POST", "/v1/ville/follow", "", &json!({ "code": "MARKcode" }).to_string()).0 >= 400);
    assert!(server.send("GET", "/v1/ville/requests", "gk_MARKkey", "").0 >= 400);
    assert!(server.send("GET", "/v1/ville/requests/MARKpath?mail=MARKquery", &key, "").0 >= 400);
    assert!(server.send("GET", "/MARKroute?code=MARKquery", "", "").0 >= 400);
    server.send("MARKMETHOD", "/v1/MARKtenant/requests", "", "");
    // The mail server refuses the acknowledgement: reported failed.
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    let mut scraped = server.scrape();
    while total(&parse(&scraped), "guichet_workers_effects_total", &["outcome=\"failed\""]) < 1.0 {
        assert!(std::time::Instant::now() < deadline, "{scraped}");
        std::thread::sleep(Duration::from_millis(200));
        scraped = server.scrape();
    }
    let log = server.stop();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 30, "hardly anything was logged");
    assert!(lines.iter().any(|line| line["message"] == "a message cannot go out"), "{log}");
    let marks = ["MARK", &code, &code.replace([' ', '-'], ""), &key, "612345678"];
    for text in [&log, &scraped] {
        for mark in marks {
            let told = text.lines().find(|line| line.to_lowercase().contains(&mark.to_lowercase()));
            assert_eq!(told, None, "the mark `{mark}` came out");
        }
    }
}

fn findings(run: &crate::support::Run) -> BTreeMap<String, bool> {
    let list = run.json()["findings"].as_array().unwrap().clone();
    list.iter().map(|f| (f["what"].as_str().unwrap().to_owned(), f["well"].as_bool().unwrap())).collect()
}

fn unwell(run: &crate::support::Run) -> Vec<String> {
    findings(run).into_iter().filter(|(_, well)| !well).map(|(what, _)| what).collect()
}

#[test]
fn whoever_only_reads_is_served_beside_the_server_and_whoever_writes_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Running::start(&data, &["--catalogue", "processes/chalons"], "info");
    let body = report("un trou", "Camille", "camille@exemple.example", "0600000000");
    let (_, received) = server.send("POST", "/v1/ville/requests", "", &body);
    let request = received["request"].as_str().unwrap();
    for command in [
        &["stats"][..],
        &["inbox"],
        &["show", request],
        &["explain", request],
        &["replay", request, "--at", "2100-01-01T00:00:00Z"],
        &["verify"],
        &["versions", "voirie/chaussee-abimee"],
    ] {
        let done = run(&data, command);
        assert_eq!(done.code, 0, "{command:?}: {done:?}");
    }
    let verified = run(&data, &["verify", "--format", "json"]).json();
    assert!(
        verified["opened"] == verified["events"] && verified["erased"] == 0,
        "personal parts open beside as well"
    );
    for command in [&["rebuild"][..], &["publish", "processes/chalons"]] {
        let done = run(&data, command);
        assert_eq!(done.code, 3, "{command:?}: {done:?}");
    }
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (journal, keys) = (at("backups/1"), at("vault/1"));
    let before = run(&data, &["doctor", "--format", "json", "--backup", &at("backups")]);
    assert_eq!((before.code, unwell(&before)), (1, vec!["backup".to_owned()]), "{before:?}");
    let taken = run(&data, &["backup", &journal, "--keys", &keys]);
    assert!(taken.code == 0 && taken.out.contains("Sauvegardés"), "{taken:?}");
    let doctor = run(&data, &["doctor", "--format", "json", "--backup", &at("backups")]);
    assert_eq!((doctor.code, unwell(&doctor)), (0, vec![]), "{doctor:?}");
    let seen: Vec<String> = findings(&doctor).into_keys().collect();
    let all = [
        "access",
        "backup",
        "clock",
        "definitions",
        "disk",
        "files",
        "journal",
        "key files",
        "keys",
        "outbox",
        "program",
        "read models",
        "timers",
    ];
    assert_eq!(seen, all);
    // The server went on undisturbed.
    assert_eq!(server.send("POST", "/v1/ville/requests", "", &body).0, 201);
    server.stop();

    let lost = data.join("keys.db");
    std::fs::remove_file(&lost).unwrap();
    let gone = run(&data, &["doctor", "--format", "json"]);
    assert_eq!((gone.code, unwell(&gone)), (3, vec!["key files".to_owned(), "open".to_owned()]), "{gone:?}");

    let restored = folder.path().join("restored");
    let back = run(&restored, &["restore", "--from", &journal, "--keys", &keys]);
    assert!(back.code == 0 && back.out.contains("Restaurés et vérifiés"), "{back:?}");
    let again = run(&restored, &["restore", "--from", &journal, "--keys", &keys]);
    assert!(again.code == 2 && again.err.contains("n’est pas vide"), "{again:?}");
    let show = run(&restored, &["show", request]);
    assert!(show.code == 0 && show.out.contains("voirie/chaussee-abimee"), "{show:?}");
}

#[test]
fn keys_are_listed_replaced_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let make = ["key", "make", "--tenant", "ville", "--integrator", "portail", "--scope", "requests:read"];
    let made = run(data, &[&make[..], &["--process", "voirie", "--format", "json"]].concat()).json();
    let id = made["id"].as_str().unwrap();
    let rotated = run(data, &["key", "rotate", "--tenant", "ville", id, "--grace", "1"]);
    assert!(rotated.code == 0 && rotated.out.starts_with("gk_"), "{rotated:?}");
    assert_eq!(run(data, &["key", "revoke", "--tenant", "ville", id]).code, 0);
    assert_eq!(
        run(data, &["key", "revoke", "--tenant", "ccas", id]).code,
        1,
        "another collectivity’s is none"
    );
    let list = run(data, &["key", "list", "--tenant", "ville", "--format", "json"]).json();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert!(list[0]["revoked"].is_string() && list[0]["replaced_by"] == list[1]["id"], "{list}");
    assert_eq!(list[1]["processes"][0], "voirie");
    let shown = run(data, &["key", "list", "--tenant", "ville"]);
    assert!(shown.out.contains("retirée") && shown.out.contains("requests:read"), "{shown:?}");
    assert_eq!(
        run(data, &[&make[..7], &["--scope", "account"]].concat()).code,
        2,
        "no program has an account"
    );
}
