//! Who does what in a scenario that does not say it: the first person for whom it is possible.

use chrono::{DateTime, Utc};

use super::world::World;
use crate::language::sheet::StepBy;
use crate::organisation::Person;
use crate::process::Delivery;
use crate::request::{Actor, Command, Event, Meta, Rejection, What};

/// The actor of a step.
pub(super) fn actor_of(
    world: &World,
    case: usize,
    by: &StepBy,
    command: &Command,
    at: DateTime<Utc>,
) -> Actor {
    match by {
        StepBy::Requester => Actor::Requester,
        StepBy::Person(code) => Actor::Agent(code.clone()),
        StepBy::Role(role) => {
            let holds = |person: &&Person| person.roles.iter().any(|held| held == role);
            among(world, case, command, at, holds).unwrap_or(Actor::Requester)
        }
        StepBy::Fitting => fitting(world, case, command, at),
    }
}

fn fitting(world: &World, case: usize, command: &Command, at: DateTime<Utc>) -> Actor {
    let sent =
        |by: &Delivery| matches!(by, Delivery::Email | Delivery::Sms | Delivery::Screen | Delivery::Social);
    match command {
        Command::Reply { .. }
        | Command::Withdraw { .. }
        | Command::Rate { .. }
        | Command::Reopen { .. }
        | Command::StartPayment { .. }
        | Command::ChooseAppointment { .. } => return Actor::Requester,
        Command::SettlePayment { reference: Some(_), .. } | Command::FailPayment { .. } => {
            return Actor::Engine;
        }
        Command::Receive { origin: Some(_), .. } => return Actor::Engine,
        Command::Receive { channel, answer: None, .. } if channel.is_online() => return Actor::Requester,
        Command::Acknowledge { by } | Command::Deliver { by } | Command::FailDelivery { by, .. }
            if sent(by) =>
        {
            return Actor::Engine;
        }
        _ => {}
    }
    let first = front_office(world, command);
    let near = |person: &&Person| first.contains(&person.person);
    if let Some(actor) =
        among(world, case, command, at, near).filter(|actor| possible(world, case, actor, command, at))
    {
        return actor;
    }
    among(world, case, command, at, |_| true).unwrap_or(Actor::Requester)
}

/// Those who qualify requests of the process that is received: they answer the telephone and stand at the counter.
fn front_office(world: &World, command: &Command) -> Vec<String> {
    let Command::Receive { process, .. } = command else { return Vec::new() };
    let party = world.plans.get(process).and_then(|plan| plan.definition().qualification.by.clone());
    let people =
        party.map(|party| world.organisation.all_of(&party, &world.tenant, None)).unwrap_or_default();
    people.into_iter().map(|person| person.person.clone()).collect()
}

fn possible(world: &World, case: usize, actor: &Actor, command: &Command, at: DateTime<Utc>) -> bool {
    matches!(world.try_out(case, actor, command, at), Some(Ok(_)))
}

/// The best of those who fit: one who may, in their own name rather than another's; else one who is refused for what
/// is asked rather than for who they are; else the first.
fn among(
    world: &World,
    case: usize,
    command: &Command,
    at: DateTime<Utc>,
    fits: impl Fn(&&Person) -> bool,
) -> Option<Actor> {
    let people = world.organisation.people.iter();
    let staff = people.filter(|person| world.organisation.works_for(person, &world.tenant)).filter(fits);
    let rank = |actor: &Actor| match world.try_out(case, actor, command, at) {
        Some(Ok(events)) => u8::from(in_anothers_name(&events)),
        Some(Err(rejection)) if !is_personal(&rejection) => 2,
        Some(Err(_)) | None => 3,
    };
    staff.map(|person| Actor::Agent(person.person.clone())).min_by_key(rank)
}

fn in_anothers_name(events: &[(Event, Meta)]) -> bool {
    events.iter().any(|(event, _)| match &event.what {
        What::Approved(event) => event.on_behalf_of.is_some(),
        What::Returned(event) => event.on_behalf_of.is_some(),
        _ => false,
    })
}

fn is_personal(rejection: &Rejection) -> bool {
    rejection.code.starts_with("approval.")
        || ["role.needed", "request.unknown"].contains(&rejection.code.as_str())
}
