//! A town to measure with: the Châlons catalogue, and requests that are taken through all their stages by the people
//! whom the sheets name.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use guichet::ambient::Surroundings;
use guichet::read_catalogue_folder;
use guichet_engine::{Engine, Publication, Receipt, Submission};
use guichet_journal::Journal;
use guichet_rules::language::Catalogue;
use guichet_rules::organisation::Organisation;
use guichet_rules::process::{Channel, Delivery, Opener, Party, Plan};
use guichet_rules::request::{
    Actor, Command, CommandId, Contact, Request, RequestId, RequesterInput, Stage, TaskStatus,
};
use serde_json::{Map, json};
use uuid::Uuid;

use crate::measure::Fault;

/// The collectivity measured with.
pub(crate) const TENANT: &str = "ville";
/// A report that an agent qualifies, with tasks that depend on each other.
pub(crate) const PROCESS: &str = "voirie/chaussee-abimee";
/// More commands than any request of that process needs.
const STEPS_MAX: usize = 24;

/// The engine on a journal, with the catalogue published.
///
/// # Errors
/// When the journal refuses or the catalogue is wrong.
pub(crate) async fn on(journal: Arc<dyn Journal>) -> Result<Arc<Engine>, Fault> {
    let engine = Engine::new(journal, Arc::new(Surroundings::system()));
    engine.publish(&publication()?, &Actor::Engine).await?;
    Ok(Arc::new(engine))
}

fn publication() -> Result<Publication, Fault> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../processes/chalons");
    let loaded = Catalogue::load(read_catalogue_folder(&folder)?);
    let mut catalogue = loaded.catalogue.ok_or("the catalogue has errors: run `guichet check`")?;
    let places = &mut catalogue.places;
    let definitions = catalogue
        .definitions
        .into_iter()
        .map(|definition| {
            let sources = places.remove(&definition.process).unwrap_or_default();
            (definition, sources)
        })
        .collect();
    Ok(Publication { definitions, organisation: catalogue.organisation })
}

/// Command ids that differ from run to run and cost nothing.
static NEXT: AtomicU64 = AtomicU64::new(1);

fn fresh(run: Uuid) -> CommandId {
    CommandId(Uuid::new_v5(&run, &NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes()))
}

/// The command that opens a request.
fn receive() -> Command {
    let mut form = Map::new();
    form.insert("place".into(), json!([48.957, 4.363]));
    form.insert("nature".into(), json!("Trou dans la chaussée, une roue peut s’y prendre"));
    let contact = Contact {
        name: Some("Camille Exemple".into()),
        email: Some("camille@exemple.example".into()),
        ..Contact::default()
    };
    Command::Receive {
        process: PROCESS.into(),
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

fn member(organisation: &Organisation, party: &Party, request: &Request) -> Option<String> {
    let of_service = |service: &str| {
        organisation.people.iter().find(|p| p.services.iter().any(|s| s == service)).map(|p| p.person.clone())
    };
    match party {
        Party::Role(role) => organisation.holders(role).next().map(|person| person.person.clone()),
        Party::Person(person) => Some(person.clone()),
        Party::Service(service) => of_service(service),
        Party::ServiceInCharge => of_service(request.service.as_deref()?),
    }
}

/// What comes next for a request, and who does it; nothing when it is delivered.
fn next(request: &Request, plan: &Plan, organisation: &Organisation) -> Option<(Command, Actor)> {
    let agent = |party: &Party| member(organisation, party, request).map(Actor::Agent);
    match &request.stage {
        Stage::Received => {
            let by = agent(plan.definition().qualification.by.as_ref()?)?;
            Some((Command::Qualify { process: None, complexity: None, priority: None, form: Map::new() }, by))
        }
        Stage::Assigned => {
            let open = request.tasks.iter().find(|(_, task)| task.status == TaskStatus::Open);
            if let Some((name, task)) = open {
                let mut report = Map::new();
                report.insert("finding".into(), json!("Constaté sur place"));
                let command = Command::Complete { task: name.clone(), report: fitting(report, plan, name) };
                return Some((command, agent(task.by.as_ref()?)?));
            }
            let text = "Bonjour, le trou a été rebouché ce matin. Merci de votre signalement.".into();
            Some((Command::Answer { text }, agent(&Party::ServiceInCharge)?))
        }
        Stage::InValidation(approval) => {
            let open = approval.open.as_ref()?;
            let approver = open.approvers.first()?.clone();
            Some((Command::Approve { step: open.step.clone() }, Actor::Agent(approver)))
        }
        Stage::Validated { by, .. } => {
            Some((Command::Deliver { by: by.unwrap_or(Delivery::Email) }, Actor::Engine))
        }
        Stage::Qualified
        | Stage::Delivered { .. }
        | Stage::Withdrawn
        | Stage::Cancelled
        | Stage::Refused
        | Stage::Forwarded { .. }
        | Stage::Merged { .. } => None,
    }
}

/// A report with a value for each field that must be given.
fn fitting(
    mut given: Map<String, serde_json::Value>,
    plan: &Plan,
    task: &str,
) -> Map<String, serde_json::Value> {
    use guichet_rules::process::{FieldType, Requirement};
    let fields = plan.definition().task(task).map(|sheet| sheet.report.as_slice()).unwrap_or_default();
    given.retain(|name, _| fields.iter().any(|field| field.field == *name));
    for field in fields.iter().filter(|field| field.required != Requirement::Optional) {
        let value = match field.kind {
            FieldType::Boolean => json!(true),
            FieldType::Date => json!("2026-05-04"),
            FieldType::Time => json!("10:00"),
            FieldType::Number | FieldType::Integer => json!(1),
            FieldType::Choice => json!(field.options.first().map(|option| option.value.clone())),
            FieldType::Choices => json!([field.options.first().map(|option| option.value.clone())]),
            FieldType::Location => json!([48.957, 4.363]),
            FieldType::Text
            | FieldType::Files
            | FieldType::Person
            | FieldType::Organisation
            | FieldType::Email
            | FieldType::Phone
            | FieldType::Address
            | FieldType::Iban
            | FieldType::Money => json!("Constaté sur place"),
        };
        given.entry(field.field.clone()).or_insert(value);
    }
    given
}

fn submission(run: Uuid, command: Command, actor: Actor, request: Option<RequestId>) -> Submission {
    Submission {
        tenant: TENANT.into(),
        request,
        command,
        actor,
        command_id: fresh(run),
        occurred_at: None,
        expected: None,
    }
}

/// A request under way.
#[derive(Debug)]
pub(crate) struct Life {
    run: Uuid,
    plan: Arc<Plan>,
    /// What its last command came to.
    pub(crate) receipt: Receipt,
}

impl Life {
    /// Opens a request.
    ///
    /// # Errors
    /// When the command is refused or the journal fails.
    pub(crate) async fn begin(engine: &Engine, run: Uuid) -> Result<Self, Fault> {
        let portal = Actor::Integrator("portal".into());
        let receipt = engine.submit(submission(run, receive(), portal, None)).await?;
        let plan = engine.state(TENANT, receipt.request).await?.plan;
        Ok(Self { run, plan, receipt })
    }

    /// Gives the next command; false when the request is delivered and there is none.
    ///
    /// # Errors
    /// When the command is refused or the journal fails.
    pub(crate) async fn step(&mut self, engine: &Engine) -> Result<bool, Fault> {
        let organisation = engine.definitions().organisation(TENANT).ok_or("no organisation")?;
        let Some((command, actor)) = next(&self.receipt.state, &self.plan, &organisation) else {
            return Ok(false);
        };
        self.receipt =
            engine.submit(submission(self.run, command, actor, Some(self.receipt.request))).await?;
        Ok(true)
    }
}

/// Takes one request from received to delivered, one durable command after the other.
///
/// # Errors
/// When a command is refused or the journal fails.
pub(crate) async fn live(engine: &Engine, run: Uuid, mut each: impl FnMut(&Receipt)) -> Result<(), Fault> {
    let mut life = Life::begin(engine, run).await?;
    each(&life.receipt);
    for _ in 0..STEPS_MAX {
        if !life.step(engine).await? {
            return Ok(());
        }
        each(&life.receipt);
    }
    Err("a request did not come to its end".into())
}
