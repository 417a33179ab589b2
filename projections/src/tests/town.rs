//! A town whose people do what they are allowed to, at random, by the rules themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use guichet_journal::{
    Append, Appended, Body, CommandId, Digest, Expected, Journal, NewEvent, Revision, StreamId, Tenant,
};
use guichet_rules::organisation::Organisation;
use guichet_rules::process::{
    Definition, ORGANISATION_PUBLISHED, ORGANISATION_STREAM, OrganisationPublished, PROCESS_PUBLISHED,
    PROCESS_STREAM, Plan, ProcessPublished, REQUEST_STREAM, organisation_stream, process_stream,
};
use guichet_rules::request::{
    Actor, Command, Effect, Event, Facts, Meta, Recipient, Request, RequestId, Subject, Tracking, decide,
    effects, evolve, settled, timers,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// Numbers that look random and are the same each time.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    fn id(&mut self) -> Uuid {
        Uuid::from_u128(((self.below(usize::MAX) as u128) << 64) | self.below(usize::MAX) as u128)
    }
}

pub(crate) fn report() -> Definition {
    let day = "09:00-17:00";
    serde_json::from_value(json!({
        "process": "eclairage/lampadaire", "theme": "eclairage", "tenants": ["ville"],
        "title": { "fr": "Éclairage public en panne", "en": "Street light out" }, "kind": "report",
        "keywords": ["lampadaire", "réverbère"], "see_also": ["institutions/question"],
        "open_to": ["citizen", "agent", "patroller"],
        "form": [
            { "field": "place", "type": "location", "label": { "fr": "Où ?" } },
            { "field": "danger", "type": "boolean", "label": { "fr": "Danger ?" } },
            { "field": "witness", "type": "phone", "label": { "fr": "Témoin" }, "personal": true },
        ],
        "qualification": {
            "by": { "role": "ambassadrice" },
            "complexity": [ { "when": "form.danger", "is": "complex" }, { "is": "simple" } ],
            "priority": [ { "when": "form.danger", "is": "urgent" }, { "is": "normal" } ],
        },
        "assignment": [ { "when": "form.danger", "is": "astreinte" }, { "is": "voirie" } ],
        "treatment": [
            { "task": "visite", "title": { "fr": "Visite", "en": "Visit" }, "by": { "role": "patrouilleur" }, "within": "1 working day" },
            { "task": "intervention", "by": "service_in_charge", "after": ["visite"] },
        ],
        "validation": {
            "circuit": { "circuit": "circuits/reponse", "steps": [
                { "step": "direction", "by": [ { "role": "directeur" } ], "exclude": ["author"], "within": "2 working days" },
                { "step": "elu", "by": [ { "role": "elu" } ], "exclude": ["author"], "on_reject": { "return_to": "direction" } },
            ] },
            "when": "request.complexity == 'complex'",
        },
        "delivery": { "by": ["requester_choice", "email", "letter"], "message": { "message": "m/reponse", "subject": { "fr": "Réponse" }, "body": { "fr": "{answer}" } } },
        "acknowledgement": { "message": "m/accuse", "subject": { "fr": "Reçu" }, "body": { "fr": "{code}" } },
        "waiting": { "remind_after": "3 working days", "lapse_after": "15 days" },
        "withdrawable_until": "validated", "reopenable_for": "30 days",
        "commitments": [
            { "commitment": "acknowledgement", "from": "received", "until": "acknowledged", "within": [ { "is": "1 working hour" } ], "calendar": "mairie" },
            { "commitment": "answer", "from": "received", "until": "delivered", "within": [
                { "when": "request.complexity == 'complex'", "is": "10 working days" }, { "is": "2 working days" } ],
              "paused_while": ["waiting_for_requester", "suspended"], "warn_at": [50, 80],
              "when_broken": [ { "escalate_to": { "role": "dga" } } ], "calendar": "mairie" },
        ],
        "calendars": { "mairie": { "calendar": "mairie", "zone": "Europe/Paris", "holidays": "FR",
            "hours": { "mon": [day], "tue": [day], "wed": [day], "thu": [day], "fri": [day] } } },
        "calendar": "mairie", "law": { "silence": "none" },
        "privacy": { "basis": "public_task", "retain": "2 years", "then": "anonymise" },
        "costs": { "counter_cents": 1200, "online_cents": 300, "letter_out_cents": 270 },
    }))
    .unwrap()
}

pub(crate) fn question() -> Definition {
    let mut sheet = report();
    sheet.process = "institutions/question".into();
    sheet.theme = "institutions".into();
    sheet.title = guichet_rules::text::Text::new("Poser une question à la mairie", "Ask the town hall");
    sheet.keywords = vec!["renseignement".into()];
    sheet.see_also.clear();
    sheet.kind = guichet_rules::process::Kind::Question;
    sheet.form.extend(
        serde_json::from_value::<Vec<guichet_rules::process::Field>>(
            json!([{ "field": "title", "type": "text", "label": { "fr": "Titre" } }]),
        )
        .unwrap(),
    );
    sheet.voting = serde_json::from_value(json!({ "title": "title" })).unwrap();
    sheet.tenants = vec!["ville".into(), "ccas".into()];
    sheet.qualification.by = None;
    sheet.qualification.complexity.clear();
    sheet.qualification.priority.clear();
    sheet.assignment = serde_json::from_value(json!([{ "is": "relation-usagers" }])).unwrap();
    sheet.treatment.clear();
    sheet.validation = guichet_rules::process::Validation::default();
    sheet
}

pub(crate) fn organisation() -> Organisation {
    let service = |id: &str, tenant: &str| json!({ "service": id, "tenant": tenant, "title": { "fr": id }, "email": "s@x.example" });
    let person = |id: &str, tenant: &str, roles: &[&str], services: &[&str]| json!({ "person": id, "name": id, "tenant": tenant, "roles": roles, "services": services });
    serde_json::from_value(json!({
        "tenants": [ { "tenant": "ville", "name": { "fr": "Ville" } }, { "tenant": "ccas", "name": { "fr": "CCAS" } } ],
        "services": [ service("voirie", "ville"), service("astreinte", "ville"), service("relation-usagers", "ville") ],
        "roles": [ { "role": "dga", "title": { "fr": "DGA", "en": "Deputy head" } } ],
        "people": [
            person("a01", "ville", &["ambassadrice"], &["relation-usagers"]),
            person("a05", "ville", &["patrouilleur"], &["voirie"]),
            person("a20", "ville", &["directeur"], &["voirie", "astreinte"]),
            person("a21", "ville", &["agent"], &["voirie", "astreinte"]),
            person("a82", "ville", &["dga"], &[]),
            person("a90", "ville", &["elu"], &[]),
            person("c01", "ccas", &["ambassadrice"], &["relation-usagers"]),
        ],
        "standins": [ { "for": "a90", "by": "a20", "from": "2026-01-01", "until": "2026-12-31", "roles": ["elu"] } ],
    }))
    .unwrap()
}

/// A request, as the town knows it.
pub(crate) struct Known {
    pub(crate) tenant: Tenant,
    pub(crate) id: RequestId,
    pub(crate) request: Request,
    pub(crate) revision: u64,
    pub(crate) pending: Vec<Effect>,
}

/// The town.
pub(crate) struct Town {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) plans: BTreeMap<String, Plan>,
    pub(crate) organisation: Organisation,
    pub(crate) now: DateTime<Utc>,
    pub(crate) requests: Vec<Known>,
    pub(crate) dice: Dice,
}

impl Town {
    /// A town that has published its processes and its organisation.
    pub(crate) async fn new(journal: Arc<dyn Journal>, seed: u64) -> Self {
        let now = "2026-03-02T07:00:00Z".parse().unwrap();
        let plans = [report(), question()]
            .map(|sheet| (sheet.process.clone(), Plan::compile(Arc::new(sheet)).unwrap()));
        let plans = plans.into_iter().collect();
        let requests = Vec::new();
        let mut town =
            Self { journal, plans, organisation: organisation(), now, requests, dice: Dice::new(seed) };
        for tenant in ["ville", "ccas"] {
            let organisation = OrganisationPublished { organisation: town.organisation.clone() };
            let stream = (ORGANISATION_STREAM, organisation_stream(tenant));
            town.publish(tenant, stream, ORGANISATION_PUBLISHED, &organisation).await;
            for sheet in [report(), question()] {
                if sheet.tenants.iter().any(|t| t == tenant) {
                    let stream = (PROCESS_STREAM, process_stream(&sheet.process));
                    let body = ProcessPublished {
                        hash: sheet.hash().unwrap(),
                        definition: sheet,
                        sources: BTreeMap::new(),
                        entry: None,
                    };
                    town.publish(tenant, stream, PROCESS_PUBLISHED, &body).await;
                }
            }
        }
        town
    }

    pub(crate) async fn publish<T: serde::Serialize>(
        &mut self,
        tenant: &str,
        (kind, id): (&str, Uuid),
        event_type: &str,
        body: &T,
    ) -> Appended {
        let tenant: Tenant = tenant.parse().unwrap();
        let stream = StreamId::new(&tenant, kind, id).unwrap();
        let event = (event_type, Body::of(body).unwrap());
        self.append(stream, Expected::Any, "engine", vec![event]).await
    }

    pub(crate) async fn append(
        &mut self,
        stream: StreamId,
        expected: Expected,
        actor: &str,
        events: Vec<(&str, Body)>,
    ) -> Appended {
        let now = self.now;
        let event = |(event_type, body): (&str, Body)| NewEvent {
            event_type: event_type.parse().unwrap(),
            occurred_at: now,
            definition: None,
            actor: None,
            body,
        };
        let events = events.into_iter().map(event).collect();
        self.append_events(stream, expected, actor, events).await
    }

    async fn append_events(
        &mut self,
        stream: StreamId,
        expected: Expected,
        actor: &str,
        events: Vec<NewEvent>,
    ) -> Appended {
        let (now, command) = (self.now, self.dice.id());
        let append = Append {
            stream,
            expected,
            command: CommandId::new(command),
            command_digest: Digest::of(command.as_bytes()),
            actor: actor.parse().unwrap(),
            on_behalf_of: None,
            channel: None,
            recorded_at: now,
            correlation: None,
            causation: None,
            known_keys: Vec::new(),
            events,
        };
        self.journal.append(append).await.unwrap()
    }

    /// One thing happens, if the first few that come to mind are allowed.
    pub(crate) async fn step(&mut self) -> Option<Appended> {
        self.now += Duration::minutes(1 + self.dice.below(180) as i64);
        for _ in 0..12 {
            let fresh = self.requests.is_empty() || self.dice.below(14) == 0;
            let done = if fresh { self.receive().await } else { self.act().await };
            if done.is_some() {
                return done;
            }
        }
        None
    }

    /// Something happens beside requests: somebody subscribes, consents, votes, or is told of something.
    pub(crate) async fn record(&mut self) {
        let (person, subscription, alert) =
            (self.dice.below(6), self.dice.below(3), Uuid::from_u128(900 + self.dice.below(3) as u128));
        let who = Uuid::from_u128(person as u128 + 1);
        let request = match self.requests.first() {
            Some(known) if self.dice.below(2) == 0 => known.id,
            _ => RequestId(Uuid::from_u128(77)),
        };
        let purpose = *self.dice.pick(&["news", "contact_base"]);
        let subscription = Uuid::from_u128(500 + subscription as u128);
        let vote = Uuid::new_v5(&request.0, who.as_bytes());
        let batch = Uuid::new_v5(&alert, &[0]);
        let choices = [
            (
                "contact",
                who,
                "contact.subscribed",
                json!({ "subscription": subscription, "topic": "voirie", "around": { "lat": 48.9, "lon": 4.3, "metres": 500 } }),
            ),
            ("contact", who, "contact.unsubscribed", json!({ "subscription": subscription })),
            ("contact", who, "contact.consent_given", json!({ "purpose": purpose, "version": "1" })),
            ("contact", who, "contact.consent_withdrawn", json!({ "purpose": purpose })),
            ("support", vote, "support.given", json!({ "request": request })),
            ("support", vote, "support.withdrawn", json!({ "request": request })),
            ("alert", alert, "alert.sent", json!({ "by": "a01" })),
            ("alert", alert, "alert.finished", json!({})),
            ("alert", batch, "alert.batch_taken", json!({ "alert": alert, "batch": 0, "recipients": [who] })),
            ("alert", batch, "alert.batch_done", json!({ "alert": alert, "batch": 0, "reached": [who] })),
        ];
        let (kind, id, name, body) = self.dice.pick(&choices).clone();
        self.publish("ville", (kind, id), name, &body).await;
    }

    /// Somebody makes a request.
    pub(crate) async fn step_new(&mut self) -> Option<Appended> {
        self.now += Duration::minutes(1);
        self.receive().await
    }

    async fn receive(&mut self) -> Option<Appended> {
        let tenant: Tenant = self.dice.pick(&["ville", "ville", "ccas"]).parse().unwrap();
        let process =
            if tenant.as_str() == "ccas" || self.dice.below(3) == 0 { question() } else { report() }.process;
        let form = match (process.as_str(), self.dice.below(3)) {
            ("institutions/question", 0) => json!({ "title": "Un banc" }),
            ("institutions/question", _) => json!({}),
            (_, 0) => {
                json!({ "place": { "lat": 48.957, "lon": 4.365, "area": "centre" }, "danger": true, "witness": "+33600000000" })
            }
            (_, 1) => json!({ "place": [48.95, 4.36], "danger": false }),
            _ => json!({}),
        };
        let channel = *self.dice.pick(&["counter", "phone", "letter", "email", "web", "mobile"]);
        let contacts = [
            json!({ "email": "marie@exemple.fr", "name": "Marie Dupont" }),
            json!({ "address": "1 rue de la Paix" }),
            json!({}),
        ];
        let contact = self.dice.pick(&contacts);
        let answer =
            if channel == "counter" && self.dice.below(3) == 0 { json!("Voilà.") } else { Value::Null };
        let command: Command = serde_json::from_value(json!({
            "command": "receive", "process": process, "channel": channel, "opened_by": "citizen",
            "requester": { "contact": contact }, "form": form, "answer": answer,
        }))
        .unwrap();
        let actor = if matches!(channel, "web" | "mobile" | "email") {
            Actor::Requester
        } else {
            Actor::Agent(if tenant.as_str() == "ccas" { "c01" } else { "a01" }.into())
        };
        let id = RequestId(self.dice.id());
        self.submit(None, &tenant, id, &command, &actor).await
    }

    async fn act(&mut self) -> Option<Appended> {
        let all = self.requests.len();
        let recent = if self.dice.below(3) == 0 { all } else { all.min(20) };
        let place = all - 1 - self.dice.below(recent);
        let known = &self.requests[place];
        let (tenant, id) = (known.tenant.clone(), known.id);
        let due = timers(&known.request).into_iter().find(|timer| timer.fires_at() <= self.now);
        let due = due.filter(|_| self.dice.below(2) == 0);
        let (command, actor) = if let Some(timer) = due {
            (Command::Elapse { timer: timer.kind, due: timer.due }, Actor::Engine)
        } else if let Some(effect) = known.pending.first().filter(|_| self.dice.below(3) == 0).cloned() {
            (report_of(&effect, self.dice.below(5) == 0), Actor::Engine)
        } else if self.dice.below(2) > 0
            && let Some((command, person)) = next_step(&known.request)
        {
            (command, Actor::Agent(person))
        } else {
            let command = command(&mut self.dice, &known.request);
            let people =
                ["a01", "a05", "a20", "a21", "a82", "a90", "c01"].map(|code| Actor::Agent(code.into()));
            let actor =
                if self.dice.below(5) == 0 { Actor::Requester } else { self.dice.pick(&people).clone() };
            (command, actor)
        };
        self.submit(Some(place), &tenant, id, &command, &actor).await
    }

    pub(crate) async fn submit(
        &mut self,
        place: Option<usize>,
        tenant: &Tenant,
        id: RequestId,
        command: &Command,
        actor: &Actor,
    ) -> Option<Appended> {
        let state = place.map(|place| &self.requests[place].request);
        let process = match (state, command) {
            (Some(state), _) => state.process.clone(),
            (None, Command::Receive { process, .. }) => process.clone(),
            (None, _) => return None,
        };
        let code = Tracking { code: "ABC-DEF-GHJK".into(), digest: id.to_string() };
        let facts = Facts {
            tenant: tenant.as_str(),
            request: id,
            now: self.now,
            occurred_at: self.now,
            actor,
            plan: &self.plans[&process],
            organisation: &self.organisation,
            tracking: Some(&code),
            target: None,
            other: None,
        };
        let events = decide(state, command, &facts).ok()?;
        if events.is_empty() {
            return None;
        }
        let place = self.fold(place, tenant, id, &events);
        let expected = match self.requests[place].revision.checked_sub(events.len() as u64) {
            Some(revision) => Expected::Exact(Revision::new(revision)),
            None => Expected::NoStream,
        };
        let stream = StreamId::new(tenant, REQUEST_STREAM, id.0).unwrap();
        let new = |(event, meta): &(Event, Meta)| NewEvent {
            event_type: event.what.name().parse().unwrap(),
            occurred_at: meta.occurred_at,
            definition: None,
            actor: Some(meta.actor.parse().unwrap()),
            body: Body::of(event).unwrap(),
        };
        let new = events.iter().map(new).collect();
        Some(self.append_events(stream, expected, &actor.pseudonym(), new).await)
    }

    /// Keeps the town's own books: what the read models are held against.
    fn fold(
        &mut self,
        place: Option<usize>,
        tenant: &Tenant,
        id: RequestId,
        events: &[(Event, Meta)],
    ) -> usize {
        let mut state = place.map(|place| self.requests[place].request.clone());
        let mut revision = place.map_or(0, |place| self.requests[place].revision + 1);
        let mut pending = place.map_or_else(Vec::new, |place| self.requests[place].pending.clone());
        for (event, meta) in events {
            let over = settled(event, &pending);
            pending.retain(|effect| !over.contains(&effect.id));
            state = evolve(state.take(), event, meta);
            let after = state.as_ref().unwrap();
            pending.extend(effects(revision, event, after, &self.plans[&after.process], &self.organisation));
            revision += 1;
        }
        let known =
            Known { tenant: tenant.clone(), id, request: state.unwrap(), revision: revision - 1, pending };
        match place {
            Some(place) => {
                self.requests[place] = known;
                place
            }
            None => {
                self.requests.push(known);
                self.requests.len() - 1
            }
        }
    }
}

fn report_of(effect: &Effect, fails: bool) -> Command {
    match &effect.subject {
        Subject::Acknowledgement => Command::Acknowledge { by: effect.by },
        Subject::Answer if fails => Command::FailDelivery { by: effect.by, reason: "refused".into() },
        Subject::Answer => Command::Deliver { by: effect.by },
        _ => Command::Notify { effect: effect.id.clone(), recipient: Recipient::clone(&effect.recipient) },
    }
}

/// What an orderly town hall would do next, and who.
fn next_step(request: &Request) -> Option<(Command, String)> {
    use guichet_rules::request::{Stage, TaskStatus};
    let of_service = if request.service.as_deref() == Some("relation-usagers") { "a01" } else { "a21" };
    let (command, person) = match &request.stage {
        Stage::Received => (json!({ "command": "qualify" }), "a01".to_owned()),
        Stage::Assigned => {
            let open = request.tasks.iter().find(|(_, task)| task.status == TaskStatus::Open);
            match open {
                Some((task, _)) if task == "visite" => {
                    (json!({ "command": "complete", "task": task }), "a05".into())
                }
                Some((task, _)) => (json!({ "command": "complete", "task": task }), of_service.into()),
                None => (json!({ "command": "answer", "text": "C’est réparé." }), of_service.into()),
            }
        }
        Stage::InValidation(approval) => {
            let open = approval.open.as_ref()?;
            (json!({ "command": "approve", "step": open.step }), open.approvers.first()?.clone())
        }
        Stage::Validated { by: Some(by), .. } => {
            (json!({ "command": "deliver", "by": by }), of_service.into())
        }
        _ => return None,
    };
    Some((serde_json::from_value(command).unwrap(), person))
}

fn command(dice: &mut Dice, request: &Request) -> Command {
    let step = match &request.stage {
        guichet_rules::request::Stage::InValidation(approval) => {
            approval.open.as_ref().map_or("direction".to_owned(), |open| open.step.clone())
        }
        _ => "direction".to_owned(),
    };
    let task = *dice.pick(&["visite", "intervention"]);
    let choices = [
        json!({ "command": "qualify" }),
        json!({ "command": "qualify", "complexity": "complex" }),
        json!({ "command": "claim" }),
        json!({ "command": "release" }),
        json!({ "command": "complete", "task": task }),
        json!({ "command": "complete", "task": task }),
        json!({ "command": "visit", "finding": "Ampoule grillée", "made_safe": true }),
        json!({ "command": "ask", "question": "Où ?", "pieces": ["photo"] }),
        json!({ "command": "reply", "text": "Là." }),
        json!({ "command": "suspend", "reason": "gel" }),
        json!({ "command": "resume" }),
        json!({ "command": "extend", "commitment": "answer", "by": "2 working days", "basis": "CRPA" }),
        json!({ "command": "note", "text": "Vu." }),
        json!({ "command": "message", "text": "Nous y allons." }),
        json!({ "command": "answer", "text": "C’est réparé." }),
        json!({ "command": "answer", "text": "C’est réparé." }),
        json!({ "command": "approve", "step": step }),
        json!({ "command": "approve", "step": step }),
        json!({ "command": "return", "step": step, "reason": "ton" }),
        json!({ "command": "delegate", "step": step, "to": "a82" }),
        json!({ "command": "deliver", "by": "counter" }),
        json!({ "command": "deliver", "by": "letter" }),
        json!({ "command": "reassign", "to": "astreinte", "reason": "urgence" }),
        json!({ "command": "resolve", "text": "Voilà." }),
        json!({ "command": "withdraw" }),
        json!({ "command": "cancel", "reason": "doublon" }),
        json!({ "command": "refuse", "reason": "hors champ", "basis": "art. 1" }),
        json!({ "command": "reopen", "reason": "toujours en panne" }),
        json!({ "command": "rate", "score": 4 }),
    ];
    serde_json::from_value(dice.pick(&choices).clone()).unwrap()
}
