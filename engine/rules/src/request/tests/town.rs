//! A small town with a rich process, and the story of one request in it.

use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, Value, json};

use crate::calendar::{Calendar, CalendarSheet};
use crate::organisation::Organisation;
use crate::process::*;
use crate::request::scenario::World;
use crate::request::*;
use crate::text::Text;

pub(crate) fn same(words: &str) -> Text {
    Text::new(words, words)
}

pub(crate) fn mairie() -> CalendarSheet {
    let day = "09:00-17:00";
    serde_json::from_value(json!({
        "calendar": "mairie", "zone": "Europe/Paris", "holidays": "FR",
        "hours": { "mon": [day], "tue": [day], "wed": [day], "thu": [day], "fri": [day] },
    }))
    .unwrap()
}

/// A process with everything: form, qualification, tasks, circuit, promises.
pub(crate) fn pothole() -> Definition {
    serde_json::from_value(json!({
        "process": "voirie/chaussee-abimee", "theme": "voirie", "tenants": ["ville"],
        "title": { "fr": "Chaussée abîmée", "en": "Damaged road" }, "kind": "report",
        "open_to": ["citizen", "agent", "patroller"],
        "form": [
            { "field": "place", "type": "location", "label": { "fr": "Où ?" }, "required": "always" },
            { "field": "danger", "type": "boolean", "label": { "fr": "Danger ?" } },
            { "field": "photos", "type": "files", "label": { "fr": "Photos" }, "accept": ["image/jpeg"], "at_most": 3, "max_size": 1000 },
            { "field": "details", "type": "text", "label": { "fr": "Détails" }, "max_length": 20, "shown_when": "form.danger" },
            { "field": "witness", "type": "phone", "label": { "fr": "Témoin" }, "personal": true },
        ],
        "qualification": {
            "by": { "role": "ambassadrice" },
            "complexity": [ { "when": "form.danger", "is": "complex" }, { "is": "simple" } ],
            "priority": [ { "when": "form.danger", "is": "urgent" }, { "is": "normal" } ],
        },
        "assignment": [ { "when": "form.danger", "is": "astreinte" }, { "is": "voirie" } ],
        "treatment": [
            { "task": "visite", "by": { "role": "patrouilleur" }, "within": "1 working day", "report": [
                { "field": "finding", "type": "text", "label": { "fr": "Constat" }, "required": "always" },
                { "field": "made_safe", "type": "boolean", "label": { "fr": "Sûr" } } ] },
            { "task": "intervention", "by": "service_in_charge", "after": ["visite"],
              "when": "tasks.visite.report.made_safe == false" },
        ],
        "validation": {
            "circuit": { "circuit": "circuits/reponse", "steps": [
                { "step": "direction", "by": [ { "role": "directeur" } ], "exclude": ["author"], "within": "2 working days" },
                { "step": "dgs", "by": [ { "role": "dgs" } ], "exclude": ["author"], "when": "request.priority == 'low'" },
                { "step": "elu", "by": [ { "role": "elu" } ], "exclude": ["author", "previous_approver"],
                  "on_reject": { "return_to": "direction" } },
            ] },
            "when": "request.complexity == 'complex'",
        },
        "delivery": { "by": ["requester_choice", "email", "sms", "letter"], "message": { "message": "messages/reponse", "subject": { "fr": "Réponse" }, "body": { "fr": "{answer}" } } },
        "acknowledgement": { "message": "messages/accuse", "subject": { "fr": "Reçu" }, "body": { "fr": "{code}" } },
        "waiting": { "remind_after": "3 working days", "lapse_after": "15 days" },
        "withdrawable_until": "validated", "reopenable_for": "30 days",
        "commitments": [
            { "commitment": "acknowledgement", "from": "received", "until": "acknowledged", "within": [ { "is": "1 working hour" } ], "calendar": "mairie" },
            { "commitment": "answer", "from": "received", "until": "delivered", "within": [
                { "when": "request.complexity == 'complex'", "is": "10 working days" }, { "is": "2 working days" } ],
              "paused_while": ["waiting_for_requester"], "warn_at": [50, 80],
              "when_broken": [ { "notify": { "role": "chef-de-service" } }, { "escalate_to": { "role": "dga" } } ], "calendar": "mairie" },
        ],
        "calendars": { "mairie": mairie() }, "calendar": "mairie",
        "law": { "silence": "none" },
        "privacy": { "basis": "public_task", "retain": "2 years", "then": "anonymise" },
        "costs": { "counter_cents": 1200, "online_cents": 300, "letter_out_cents": 270 },
    }))
    .unwrap()
}

/// A process that passes as far as it can by itself: nobody qualifies, the answer needs no circuit.
pub(crate) fn question() -> Definition {
    let mut sheet = pothole();
    sheet.process = "institutions/question".into();
    sheet.kind = Kind::Question;
    sheet.form = vec![
        serde_json::from_value(json!({ "field": "question", "type": "text", "label": { "fr": "Question" }, "required": "always" })).unwrap(),
    ];
    sheet.qualification = Qualification { by: None, complexity: Vec::new(), priority: Vec::new() };
    sheet.assignment = vec![Rule { when: None, is: "relation-usagers".into() }];
    sheet.treatment = Vec::new();
    sheet.validation = Validation::default();
    sheet
}

/// An application with a legal clock.
pub(crate) fn application(silence: Silence) -> Definition {
    let mut sheet = question();
    sheet.process = "urbanisme/demande".into();
    sheet.kind = Kind::Application;
    sheet.law = Law {
        silence,
        after: Some("2 months".parse().unwrap()),
        basis: "CRPA L231-4".into(),
        month_rule: crate::commitment::MonthRule::SameDay,
    };
    sheet
}

pub(crate) fn town() -> Organisation {
    let service = |service: &str, tenant: &str, head: &str| json!({ "service": service, "tenant": tenant, "title": { "fr": service }, "email": format!("{service}@x.example"), "head": head });
    let person = |person: &str, tenant: &str, roles: &[&str], services: &[&str]| json!({ "person": person, "name": person, "tenant": tenant, "roles": roles, "services": services });
    serde_json::from_value(json!({
        "tenants": [ { "tenant": "ville", "name": { "fr": "Ville" } }, { "tenant": "ccas", "name": { "fr": "CCAS" } } ],
        "services": [ service("voirie", "ville", "a20"), service("astreinte", "ville", "a20"),
                      service("relation-usagers", "ville", "a01"), service("aides", "ccas", "c01") ],
        "roles": [],
        "people": [
            person("a01", "ville", &["ambassadrice", "chef-de-service"], &["relation-usagers"]),
            person("a02", "ville", &["ambassadrice"], &["relation-usagers"]),
            person("a05", "ville", &["patrouilleur"], &["relation-usagers"]),
            person("a20", "ville", &["chef-de-service"], &["voirie", "astreinte"]),
            person("a21", "ville", &["agent"], &["voirie", "astreinte"]),
            person("a22", "ville", &["agent"], &["voirie"]),
            person("a80", "ville", &["directeur"], &["voirie", "astreinte"]),
            person("a81", "ville", &["adjoint"], &[]),
            person("a84", "ville", &["directeur"], &["relation-usagers"]),
            person("a82", "ville", &["dga"], &[]),
            person("a83", "ville", &["dgs"], &[]),
            person("a90", "ville", &["elu"], &[]),
            person("a91", "ville", &["elu"], &[]),
            person("c01", "ccas", &["chef-de-service", "directeur", "ambassadrice"], &["aides"]),
        ],
        "standins": [
            { "for": "a80", "by": "a81", "from": "2026-01-01", "until": "2026-12-31", "roles": ["directeur"] },
            { "for": "a81", "by": "a82", "from": "2026-01-01", "until": "2026-12-31" },
            { "for": "a90", "by": "a80", "from": "2026-01-01", "until": "2026-12-31", "roles": ["elu"] },
            { "for": "a83", "by": "a82", "from": "2026-01-01", "until": "2026-01-31" },
        ],
    }))
    .unwrap()
}

pub(crate) fn plan(definition: Definition) -> Arc<Plan> {
    Arc::new(Plan::compile(Arc::new(definition)).unwrap())
}

/// An instant of a local time in Paris.
pub(crate) fn paris(local: &str) -> DateTime<Utc> {
    let calendar = Calendar::compile(&mairie()).unwrap();
    calendar.instant(NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M").unwrap()).unwrap()
}

pub(crate) fn agent(code: &str) -> Actor {
    Actor::Agent(code.into())
}

pub(crate) fn form(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

/// The story of one request.
pub(crate) struct Story {
    pub(crate) world: World,
    pub(crate) case: usize,
}

impl Story {
    pub(crate) fn of(definitions: Vec<Definition>) -> Self {
        let plans = definitions.into_iter().map(plan).collect();
        let mut world = World::new(plans, town(), "ville", paris("2026-05-04T10:00"));
        let case = world.open();
        Self { world, case }
    }

    /// The pothole on Monday 4 May 2026 at ten, reported on the telephone by nobody in particular.
    pub(crate) fn pothole(danger: bool) -> Self {
        let mut story = Self::of(vec![pothole(), question()]);
        story.does(
            // Someone of the roads service answered the telephone, who does not qualify.
            &agent("a22"),
            receive(
                "voirie/chaussee-abimee",
                Channel::Phone,
                json!({ "place": [48.957, 4.363], "danger": danger }),
            ),
        );
        story
    }

    /// The same, qualified, and visited by the patroller, who leaves work for the crew or not.
    pub(crate) fn visited(danger: bool, made_safe: bool) -> Self {
        let mut story = Self::pothole(danger);
        story.does(
            &agent("a02"),
            Command::Qualify { process: None, complexity: None, priority: None, form: Map::new() },
        );
        story.does(
            &agent("a05"),
            complete("visite", json!({ "finding": "affaissement", "made_safe": made_safe })),
        );
        story
    }

    /// The dangerous one with its answer in the circuit, written by `author`.
    pub(crate) fn in_circuit(author: &str) -> Self {
        let mut story = Self::visited(true, true);
        story.does(&agent(author), Command::Answer { text: "Réparé.".into() });
        story
    }

    pub(crate) fn at(&mut self, local: &str) -> &mut Self {
        self.world.wait_until(paris(local)).unwrap();
        self
    }

    pub(crate) fn does(&mut self, actor: &Actor, command: Command) -> &mut Self {
        if let Err(rejection) = self.world.submit(self.case, actor, &command) {
            panic!("{} by {actor:?} was refused: {rejection} {:?}", command.name(), rejection.fields);
        }
        self
    }

    /// Gives a command that must be refused; says with which code, after making sure that nothing changed.
    pub(crate) fn refuses(&mut self, actor: &Actor, command: Command) -> String {
        self.rejection(actor, command).code
    }

    pub(crate) fn rejection(&mut self, actor: &Actor, command: Command) -> Rejection {
        let before = self.world.clone();
        let rejection = self.world.submit(self.case, actor, &command).expect_err("refused");
        assert_eq!(before.cases[self.case].request, self.world.cases[self.case].request);
        assert_eq!(before.cases[self.case].history.len(), self.world.cases[self.case].history.len());
        assert!(REJECTION_CODES.contains(&rejection.code.as_str()), "{} is on no list", rejection.code);
        rejection
    }

    pub(crate) fn request(&self) -> &Request {
        self.world.cases[self.case].request.as_ref().unwrap()
    }

    pub(crate) fn stage(&self) -> &'static str {
        self.request().stage.id()
    }

    /// The names of all events so far, without `request.`.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let names = self.world.cases[self.case].history.iter().map(|(event, _)| event.what.name());
        names.map(|name| name.strip_prefix("request.").unwrap()).collect()
    }

    pub(crate) fn clock(&self, commitment: &str) -> &Clock {
        self.request().clock(commitment).unwrap()
    }

    pub(crate) fn due(&self, commitment: &str) -> DateTime<Utc> {
        self.clock(commitment).due
    }

    /// Who was to be told of what, in order, since the beginning.
    pub(crate) fn told(&self) -> Vec<(Recipient, Subject)> {
        let asked = &self.world.cases[self.case].asked;
        asked.iter().map(|effect| (effect.recipient.clone(), effect.subject.clone())).collect()
    }

    pub(crate) fn allowed(&self, actor: &Actor) -> Vec<&'static str> {
        let (case, now) = (self.case, self.world.now);
        self.world
            .with_facts(case, actor, &Command::Claim {}, now, |request, facts| {
                allowed(request.unwrap(), facts)
            })
            .unwrap()
    }
}

pub(crate) fn receive(process: &str, channel: Channel, values: Value) -> Command {
    received_from(process, channel, values, RequesterInput::default())
}

pub(crate) fn received_from(
    process: &str,
    channel: Channel,
    values: Value,
    requester: RequesterInput,
) -> Command {
    Command::Receive {
        process: process.into(),
        channel,
        opened_by: Opener::Citizen,
        requester,
        form: form(values),
        external: None,
        first_received_at: None,
        answer: None,
        origin: None,
    }
}

pub(crate) fn complete(task: &str, report: Value) -> Command {
    Command::Complete { task: task.into(), report: form(report) }
}

pub(crate) fn answer(text: &str) -> Command {
    Command::Answer { text: text.into() }
}

pub(crate) fn reachable(
    email: Option<&str>,
    phone: Option<&str>,
    preferred: Option<Delivery>,
) -> RequesterInput {
    let contact = Contact {
        name: Some("Camille Durand".into()),
        email: email.map(Into::into),
        phone: phone.map(Into::into),
        address: None,
        social: None,
    };
    RequesterInput { preferred, contact, ..RequesterInput::default() }
}
