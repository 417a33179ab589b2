//! Those who use the town: they ask any server, and ask again, with the same key, until they are answered.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use guichet_tests::http::post;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{PATIENCE, Town};
use crate::kill::Numbers;

fn report(danger: bool) -> Value {
    json!({
        "process": "voirie/chaussee-abimee",
        "channel": "web",
        "requester": { "preferred": "email", "contact": { "name": "Camille Exemple", "email": "camille@exemple.example" } },
        "form": { "place": [48.957, 4.363], "nature": "Trou dans la chaussée", "danger": danger }
    })
}

pub(super) fn client(town: &Town, numbers: &mut Numbers) {
    while !town.enough.load(Ordering::SeqCst) {
        let report = report(numbers.next(2) == 0);
        let received = town.send(numbers, "/v1/ville/requests", &report);
        let Some(request) = received else { continue };
        let commands = format!("/v1/ville/requests/{request}/commands");
        town.send(numbers, &commands, &json!({ "command": "qualify" }));
        if numbers.next(2) == 0 {
            town.send(numbers, &commands, &json!({ "command": "note", "text": "vu" }));
        }
    }
}

impl Town {
    /// Sends a command to one server after the other until one of them answers; the request, unless it is refused.
    fn send(&self, numbers: &mut Numbers, path: &str, body: &Value) -> Option<Uuid> {
        let command = Uuid::from_u64_pair(numbers.next(u64::MAX), numbers.next(u64::MAX));
        let (id, key) = (command.to_string(), format!("Bearer {}", self.key));
        let headers = [("Idempotency-Key", id.as_str()), ("Authorization", key.as_str())];
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < PATIENCE, "command {command} was not answered for {PATIENCE:?}");
            let first = usize::try_from(numbers.next(3)).unwrap();
            let live = (0..3).find_map(|next| self.slots[(first + next) % 3].address());
            let Some(server) = live else {
                std::thread::sleep(Duration::from_millis(20));
                continue;
            };
            let Ok(answer) = post(server, path, &headers, body) else {
                std::thread::sleep(Duration::from_millis(10));
                continue;
            };
            match answer.status {
                200..300 => {
                    let request = answer.body["request"].as_str().unwrap().parse().unwrap();
                    let revision = answer.body["revision"].as_u64().unwrap();
                    self.acknowledged.lock().unwrap().insert(command, (request, revision));
                    self.count.fetch_add(1, Ordering::SeqCst);
                    return Some(request);
                }
                503 => std::thread::sleep(Duration::from_millis(50)),
                // The town's time goes fast: somebody may have been quicker than this client.
                409 => return None,
                _ => panic!("{answer:?}"),
            }
        }
    }
}
