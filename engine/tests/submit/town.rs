//! A town to test with: the Châlons catalogue on a journal in memory, a clock that is moved by hand, and chance that
//! is the same each time.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use guichet_engine::journal::{Filter, Journal, MemoryJournal};
use guichet_engine::rules::language::{Catalogue, SourceFile};
use guichet_engine::rules::process::{Channel, Opener};
use guichet_engine::rules::request::{Actor, Command, CommandId, Contact, RequestId, RequesterInput};
use guichet_engine::{Chance, Clock, Engine, EngineError, ManualClock, Publication, Receipt, Submission};
use serde_json::{Map, json};
use uuid::Uuid;

pub(crate) struct Surroundings {
    pub(crate) clock: ManualClock,
    drawn: AtomicU64,
}

impl Clock for Surroundings {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

impl Chance for Surroundings {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), String> {
        let drawn = self.drawn.fetch_add(1, Ordering::SeqCst);
        let digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, &drawn.to_be_bytes());
        bytes.iter_mut().zip(digest.as_bytes().iter().cycle()).for_each(|(to, from)| *to = *from);
        Ok(())
    }
}

pub(crate) struct Town {
    pub(crate) engine: Engine,
    pub(crate) around: Arc<Surroundings>,
}

fn files(folder: &Path, below: &str, found: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            files(&entry.path(), &format!("{name}/"), found);
        } else if name.ends_with(".yaml") && !name.starts_with("imports/") {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            found.push(SourceFile { path: name, text });
        }
    }
}

pub(crate) fn publication() -> Publication {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../processes/chalons"), "", &mut found);
    let catalogue = Catalogue::load(found).catalogue.expect("the catalogue is without errors");
    let definitions = catalogue.definitions.into_iter().map(|definition| (definition, Default::default()));
    Publication { definitions: definitions.collect(), organisation: catalogue.organisation }
}

impl Town {
    pub(crate) async fn on(journal: Arc<dyn Journal>) -> Self {
        let clock = ManualClock::at("2026-05-06T08:00:00Z".parse().unwrap());
        let around = Arc::new(Surroundings { clock, drawn: AtomicU64::new(0) });
        let engine = Engine::new(journal, Arc::clone(&around) as _);
        engine.publish(&publication(), &Actor::Engine).await.unwrap();
        Self { engine, around }
    }

    pub(crate) async fn new() -> Self {
        Self::on(Arc::new(MemoryJournal::new().unwrap())).await
    }

    pub(crate) fn later(&self, hours: i64) {
        self.around.clock.move_to(self.around.now() + TimeDelta::hours(hours));
    }

    /// A pothole, reported through the portal, under this command id.
    pub(crate) async fn pothole(&self, id: u128) -> Result<Receipt, EngineError> {
        self.engine.submit(submission(id, None, pothole(), Actor::Integrator("portal".into()))).await
    }

    pub(crate) async fn act(
        &self,
        id: u128,
        request: RequestId,
        command: Command,
    ) -> Result<Receipt, EngineError> {
        self.engine.submit(submission(id, Some(request), command, Actor::Agent("a01".into()))).await
    }

    pub(crate) async fn events(&self) -> usize {
        let journal = self.engine.journal();
        journal.read_all(None, &Filter::everything(), 8192).await.unwrap().events.len()
    }
}

pub(crate) fn submission(id: u128, request: Option<RequestId>, command: Command, actor: Actor) -> Submission {
    Submission {
        tenant: "ville".into(),
        request,
        command,
        actor,
        command_id: CommandId(Uuid::from_u128(id)),
        occurred_at: None,
        expected: None,
    }
}

pub(crate) fn pothole() -> Command {
    let mut form = Map::new();
    form.insert("place".into(), json!([48.957, 4.363]));
    form.insert("nature".into(), json!("Trou dans la chaussée"));
    let contact = Contact { email: Some("camille@exemple.example".into()), ..Contact::default() };
    Command::Receive {
        process: "voirie/chaussee-abimee".into(),
        channel: Channel::Web,
        opened_by: Opener::Citizen,
        requester: RequesterInput { contact, ..RequesterInput::default() },
        form,
        external: None,
        answer: None,
        first_received_at: None,
        origin: None,
    }
}

pub(crate) fn qualify() -> Command {
    Command::Qualify { process: None, complexity: None, priority: None, form: Map::new() }
}

pub(crate) fn note(text: &str) -> Command {
    Command::Note { text: text.into() }
}
