//! Traces as a collector of OpenTelemetry receives them.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost_of_traces::Message;
use serde_json::json;

use crate::operations::{Running, key_of, report};

/// A collector in this process: every body that it was sent.
fn collector() -> (SocketAddr, Arc<Mutex<Vec<Vec<u8>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, bodies) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<Vec<u8>>>>::default());
    let kept = Arc::clone(&bodies);
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || take(socket, &kept));
        }
    });
    (address, bodies)
}

fn take(mut socket: TcpStream, kept: &Mutex<Vec<Vec<u8>>>) {
    let mut reader = BufReader::new(socket.try_clone().unwrap());
    loop {
        let (mut length, mut line) = (0, String::new());
        assert!(reader.read_line(&mut line).unwrap() == 0 || line.starts_with("POST /v1/traces "), "{line}");
        while line.trim() != "" {
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
            reader.read_line(&mut line).unwrap();
        }
        if length == 0 {
            return;
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        kept.lock().unwrap().push(body);
        socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    }
}

fn spans(bodies: &[Vec<u8>]) -> Vec<Span> {
    let all = bodies.iter().map(|body| ExportTraceServiceRequest::decode(body.as_slice()).unwrap());
    all.flat_map(|sent| sent.resource_spans).flat_map(|of| of.scope_spans).flat_map(|of| of.spans).collect()
}

#[test]
fn one_command_is_one_tree_with_the_names_of_the_rooms_and_nothing_personal() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (address, bodies) = collector();
    let url = format!("http://{address}");
    let server = Running::start(&data, &["--catalogue", "processes/chalons", "--otlp", &url], "info");
    let key = key_of(&data);
    let (trace, caller) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let body = report("MARKdetails", "MARKname", "MARKmail@exemple.example", "+33612345678");
    let mut socket = TcpStream::connect(server.address).unwrap();
    let head = format!(
        "POST /v1/ville/requests HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
         traceparent: 00-{trace}-{caller}-01\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let answer: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let code = answer["tracking_code"].as_str().unwrap().to_owned();
    let path = format!("/v1/ville/requests/{}/commands", answer["request"].as_str().unwrap());
    assert_eq!(server.send("GET", "/v1/ville/catalogue?mail=MARKquery", &key, "").0, 400);
    let note = json!({ "command": "note", "text": "MARKnote" }).to_string();
    assert_eq!(server.send("POST", &path, &key, &note).0, 200);
    assert!(server.send("GET", "/v1/ville/requests/MARKpath", "gk_MARKkey", "").0 >= 400);
    std::thread::sleep(std::time::Duration::from_secs(1));
    server.stop();

    let bodies = bodies.lock().unwrap();
    let spans = spans(&bodies);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let ours: HashMap<&str, &Span> = spans
        .iter()
        .filter(|span| hex(&span.trace_id) == trace)
        .map(|span| (span.name.as_str(), span))
        .collect();
    assert_eq!(ours.len(), 3, "{ours:#?}");
    let (http, submit, append) = (ours["http.request"], ours["engine.submit"], ours["journal.append"]);
    assert_eq!(hex(&http.parent_span_id), caller);
    assert_eq!((&submit.parent_span_id, &append.parent_span_id), (&http.span_id, &submit.span_id));
    for (inner, outer) in [(submit, http), (append, submit)] {
        assert!(outer.start_time_unix_nano <= inner.start_time_unix_nano);
        assert!(inner.end_time_unix_nano <= outer.end_time_unix_nano);
    }
    // What nobody asked for begins traces of its own, under the names of its rooms.
    let named =
        |name: &str| spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name}"));
    assert!(named("projections.batch").parent_span_id.is_empty());
    let effect = named("workers.effect");
    assert!(spans.iter().any(|span| span.name == "engine.submit" && span.parent_span_id == effect.span_id));
    for body in bodies.iter() {
        let text = String::from_utf8_lossy(body).to_lowercase();
        for mark in ["mark", "612345678", &code.to_lowercase(), &key.to_lowercase()] {
            assert!(!text.contains(mark), "`{mark}` left with the traces");
        }
    }
}
