//! Every process of Châlons: a request is carried over to a changed sheet half-way, and goes on to its end.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::*;
use crate::language::{Catalogue, SourceFile};
use crate::process::*;
use crate::request::scenario::World;
use crate::request::*;

fn chalons() -> Catalogue {
    fn walk(folder: &Path, root: &Path, found: &mut Vec<SourceFile>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                found.push(SourceFile { path: name, text: std::fs::read_to_string(&path).unwrap() });
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../processes/chalons");
    let mut files = Vec::new();
    walk(&root, &root, &mut files);
    Catalogue::load(files).catalogue.unwrap()
}

/// A value that fits a field.
fn value(field: &Field) -> Value {
    match field.kind {
        FieldType::Text => json!("un texte"),
        FieldType::Number => json!(field.min.unwrap_or(1.0).max(1.0)),
        FieldType::Integer => {
            let least = field.min.unwrap_or(1.0).max(1.0);
            json!(format!("{least:.0}").parse::<i64>().unwrap())
        }
        FieldType::Boolean => json!(true),
        FieldType::Date => json!("2026-06-01"),
        FieldType::Time => json!("10:00"),
        FieldType::Choice => json!(field.options[0].value),
        FieldType::Choices => json!([field.options[0].value]),
        FieldType::Location => json!([48.957, 4.363]),
        FieldType::Files => {
            let kind = field.accept.first().cloned().unwrap_or_else(|| "image/jpeg".into());
            json!([{ "name": "piece", "type": kind, "size": 1, "sha256": "ab".repeat(32) }])
        }
        FieldType::Person => json!({ "name": "Durand", "first_name": "Camille" }),
        FieldType::Organisation => json!({ "name": "Les Amis" }),
        FieldType::Email => json!("camille@example.org"),
        FieldType::Phone => json!("06 12 34 56 78"),
        FieldType::Address => {
            json!({ "street": "1 rue de la Marne", "postcode": "51000", "city": "Châlons" })
        }
        FieldType::Iban => json!("FR1420041010050500013M02606"),
        FieldType::Money => json!("12.50 EUR"),
    }
}

/// What is asked for, found out by being told what is missing.
fn filled(fields: &[Field], mut attempt: impl FnMut(&Map<String, Value>) -> Result<(), Rejection>) -> bool {
    let mut form = Map::new();
    for _ in 0..30 {
        let rejection = match attempt(&form) {
            Ok(()) => return true,
            Err(rejection) => rejection,
        };
        let missing: Vec<&FieldFault> =
            rejection.fields.iter().filter(|fault| fault.code == "field.required").collect();
        if missing.is_empty() {
            return false;
        }
        for fault in missing {
            let name = fault.pointer.trim_start_matches('/');
            let field = fields.iter().find(|field| field.field == name).unwrap();
            form.insert(name.to_owned(), value(field));
        }
    }
    false
}

/// The sheet as it might be next year: other terms, one more question, one more promise, a task that comes last.
fn next_year(old: &Definition) -> Definition {
    let mut sheet = old.clone();
    sheet.title.fr.push_str(" (2027)");
    sheet.commitments[0].within = vec![Rule { when: None, is: "3 working days".parse().unwrap() }];
    let more = json!({ "field": "remark", "type": "text", "label": { "fr": "Remarque" } });
    sheet.form.push(serde_json::from_value(more).unwrap());
    let last: Vec<String> = sheet.treatment.iter().map(|task| task.task.clone()).collect();
    let control = json!({ "task": "verification_2027", "by": "service_in_charge", "after": last });
    sheet.treatment.push(serde_json::from_value(control).unwrap());
    sheet
}

/// One thing that the one whose turn it is does to bring the request on.
fn onward(world: &mut World, case: usize) -> bool {
    let request = world.cases[case].request.clone().unwrap();
    let plan = world.plans.values().chain(&world.versions).find(|plan| *plan.hash() == request.definition);
    let plan = Arc::clone(plan.unwrap());
    let definition = plan.definition();
    let someone = |world: &World, party: &Party| {
        let people = world.organisation.all_of(party, &world.tenant, request.service.as_deref());
        Actor::Agent(people[0].person.clone())
    };
    if let Some(payment) = request.held_by_payment() {
        let settle = Command::SettlePayment {
            payment: payment.number,
            reference: None,
            transaction: "Q-1".into(),
            amount: payment.amount,
            currency: CURRENCY.into(),
        };
        return world.submit(case, &someone(world, &Party::ServiceInCharge), &settle).is_ok();
    }
    let command = match &request.stage {
        Stage::Received => {
            let by = definition.qualification.by.as_ref().unwrap();
            let form = Map::new();
            (someone(world, by), Command::Qualify { process: None, complexity: None, priority: None, form })
        }
        Stage::InValidation(approval) => {
            let open = approval.open.as_ref().unwrap();
            let command = Command::Approve { step: open.step.clone() };
            return open.approvers.iter().any(|code| world.submit(case, &agent(code), &command).is_ok());
        }
        Stage::Validated { by: Some(by), .. } => {
            (someone(world, &Party::ServiceInCharge), Command::Deliver { by: *by })
        }
        _ => {
            let open = |task: &&TaskSheet| {
                request.tasks.get(&task.task).is_some_and(|state| state.status == TaskStatus::Open)
            };
            if let Some(task) = definition.treatment.iter().find(open) {
                let actor = someone(world, &task.by);
                return filled(&task.report, |report| {
                    let command = Command::Complete { task: task.task.clone(), report: report.clone() };
                    world.submit(case, &actor, &command).map(|_| ())
                });
            }
            (someone(world, &Party::ServiceInCharge), Command::Answer { text: "Voici.".into() })
        }
    };
    world.submit(case, &command.0, &command.1).is_ok()
}

/// Received by whoever may open it, through whatever is open.
fn received(world: &mut World, case: usize, definition: &Definition, actors: &[Actor]) -> bool {
    let openers = [
        (Opener::Citizen, Actor::Requester, Channel::Web),
        (Opener::Citizen, actors[0].clone(), Channel::Counter),
        (Opener::Agent, actors[0].clone(), Channel::Counter),
        (Opener::Agent, actors[0].clone(), Channel::Web),
    ];
    openers.into_iter().any(|(opened_by, actor, channel)| {
        filled(&definition.form, |form| {
            let command = Command::Receive {
                process: definition.process.clone(),
                channel,
                opened_by,
                requester: RequesterInput::default(),
                form: form.clone(),
                external: None,
                first_received_at: None,
                answer: None,
                origin: None,
            };
            world.submit(case, &actor, &command).map(|_| ())
        })
    })
}

#[test]
fn every_process_carries_a_request_over_at_once_or_half_way_and_on_to_its_end() {
    let catalogue = chalons();
    assert_eq!(catalogue.definitions.len(), 51);
    for definition in &catalogue.definitions {
        let (old, new) = (plan(definition.clone()), plan(next_year(definition)));
        let tenant = &definition.tenants[0];
        let staff = catalogue.organisation.people.iter();
        let staff = staff.filter(|person| catalogue.organisation.works_for(person, tenant));
        let actors: Vec<Actor> = staff.map(|person| Actor::Agent(person.person.clone())).collect();
        let mut way = 0;
        for half in [false, true] {
            let point = if half { way / 2 } else { 0 };
            let now = paris("2026-05-04T10:00");
            let organisation = catalogue.organisation.clone();
            let mut world = World::new(vec![Arc::clone(&old)], organisation, tenant, now);
            world.versions.push(Arc::clone(&new));
            let case = world.open();
            assert!(
                received(&mut world, case, definition, &actors),
                "{} opens to nobody",
                definition.process
            );
            let mut steps = 0;
            let finished = |world: &World| world.cases[case].request.as_ref().unwrap().stage.is_finished();
            while !finished(&world) {
                if steps == point {
                    let command = Command::Migrate {
                        definition: new.hash().clone(),
                        promises: ClockPolicy::RecomputeRemaining,
                        mapping: Mapping::default(),
                        plan: None,
                    };
                    let moved = world.submit(case, &Actor::Engine, &command);
                    assert!(moved.is_ok(), "{} at {point}: {moved:?}", definition.process);
                }
                assert!(onward(&mut world, case), "{} stuck at {steps}", definition.process);
                steps += 1;
                assert!(steps < 60, "{}", definition.process);
            }
            let request = world.cases[case].request.as_ref().unwrap();
            assert!(matches!(request.stage, Stage::Delivered { .. }), "{}", definition.process);
            if point < steps {
                assert_eq!(request.definition, *new.hash(), "{} at {point}", definition.process);
            }
            way = steps;
        }
    }
}
