//! Moves turned into commands.

use chrono::{DateTime, Utc};
use guichet_engine::rules::commitment::{Budget, Unit};
use guichet_engine::rules::process::{Channel, Delivery, Kind, Opener, Party};
use guichet_engine::rules::request::{Actor, Command, Facts, RequestId, Stage, Tracking, decide};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::arrivals::Arrival;
use super::dice::Dice;
use super::forms::{Subject, fill};
use super::moves::{Fate, File, Move};
use super::staff::{Staff, after};
use super::{people, words};
use crate::import::Areas;

/// A command, and who gives it.
pub(super) type Act = (Command, Actor);

/// What a requester brings: a command that the rules take, and who gives it; none if the form cannot be filled in.
pub(super) fn receive(
    arrival: &Arrival,
    organisation: &guichet_engine::rules::organisation::Organisation,
    areas: &Areas,
    dice: &mut Dice,
    staff: &Staff,
) -> Option<Act> {
    let definition = arrival.plan.definition();
    let actor = opener(arrival, organisation, staff)?;
    let requester = people::requester(dice, arrival.channel, definition.kind == Kind::Report);
    let at_once = definition.kind == Kind::Question
        && matches!(arrival.channel, Channel::Counter | Channel::Phone)
        && dice.chance(620);
    let answer = at_once.then(|| words::answered(dice, definition.kind));
    let command = |form: &Map<String, Value>, answer: Option<String>| Command::Receive {
        process: definition.process.clone(),
        channel: arrival.channel,
        opened_by: arrival.opened_by,
        requester: requester.clone(),
        form: form.clone(),
        external: None,
        answer,
        first_received_at: None,
    };
    let tracking = Tracking { code: String::new(), digest: String::new() };
    let facts = Facts {
        tenant: &arrival.tenant,
        request: RequestId(Uuid::nil()),
        now: arrival.at,
        occurred_at: arrival.at,
        actor: &actor,
        plan: &arrival.plan,
        organisation,
        tracking: Some(&tracking),
        target: None,
        other: None,
    };
    let subject = Subject { kind: definition.kind, now: arrival.at, areas, report: false };
    let form =
        fill(dice, &definition.form, subject, |form| decide(None, &command(form, None), &facts).map(drop))?;
    let answered = command(&form, answer);
    let taken = decide(None, &answered, &facts).is_ok();
    Some((if taken { answered } else { command(&form, None) }, actor))
}

fn opener(
    arrival: &Arrival,
    organisation: &guichet_engine::rules::organisation::Organisation,
    staff: &Staff,
) -> Option<Actor> {
    let role = match (arrival.opened_by, arrival.channel) {
        (Opener::Citizen, Channel::Email | Channel::Sms | Channel::Social) => {
            return Some(Actor::Integrator("messagerie".into()));
        }
        (Opener::Citizen, _) => return Some(Actor::Integrator("espace-citoyen".into())),
        (Opener::Patroller, _) => "patrouilleur",
        (Opener::Agent, _) => "ambassadrice",
    };
    let party = Party::Role(role.into());
    let people = organisation.all_of(&party, &arrival.tenant, None);
    let codes: Vec<&str> = people.iter().map(|person| person.person.as_str()).collect();
    staff.freest(&codes).map(|code| Actor::Agent(code.to_owned()))
}

/// What a move does, or what happens in its place.
pub(super) fn act(
    file: &mut File,
    one: &Move,
    who: Option<&str>,
    at: DateTime<Utc>,
    twin: Option<RequestId>,
    areas: &Areas,
    dice: &mut Dice,
) -> Option<Act> {
    let kind = file.plan.definition().kind;
    let agent = |who: &str| Actor::Agent(who.to_owned());
    if let (Move::Qualify | Move::Task(_) | Move::Answer(_), Some(who)) = (one, who)
        && let Some(command) = instead(file, one, at, twin, dice)
    {
        return Some((command, agent(handler(file, who))));
    }
    let requester = || Actor::Requester;
    Some(match one {
        Move::Qualify => (
            Command::Qualify { process: None, complexity: None, priority: None, form: Map::new() },
            agent(who?),
        ),
        Move::PostAcknowledgement => (Command::Acknowledge { by: Delivery::Letter }, agent(who?)),
        Move::Claim => (Command::Claim {}, agent(who?)),
        Move::Task(task) => return complete(file, task, agent(who?), at, areas, dice),
        Move::Answer(_) => (Command::Answer { text: words::answered(dice, kind) }, agent(who?)),
        Move::Decide(step, decisions) => {
            let command = if *decisions == 0 && dice.chance(45) {
                let reason = "Merci de préciser le fondement et le délai.".to_owned();
                Command::Return { step: step.clone(), reason }
            } else {
                Command::Approve { step: step.clone() }
            };
            (command, agent(who?))
        }
        Move::HandOver(Delivery::Letter) if dice.chance(12) => {
            let reason = "n’habite pas à l’adresse indiquée".to_owned();
            (Command::FailDelivery { by: Delivery::Letter, reason }, agent(who?))
        }
        Move::HandOver(by) => (Command::Deliver { by: *by }, agent(who?)),
        Move::Reply => {
            let text = Some("Voici la pièce qui manquait.".to_owned());
            (Command::Reply { text, form: Map::new(), complete: true }, requester())
        }
        Move::Resume => (Command::Resume {}, agent(who?)),
        Move::Withdraw => {
            let reason = Some("Le problème est réglé.".to_owned());
            (Command::Withdraw { reason }, requester())
        }
        Move::Rate => {
            let score = dice.weighted(&[(1u8, 6), (2, 8), (3, 16), (4, 36), (5, 34)]).copied().unwrap_or(4);
            (Command::Rate { score, comment: None }, requester())
        }
        Move::Reopen => {
            file.fates.remove(&Fate::Reopen);
            (Command::Reopen { reason: "Le problème est revenu.".to_owned() }, requester())
        }
    })
}

/// Who may ask, refuse, forward: someone who handles the request, which the one who does a task need not.
fn handler<'a>(file: &'a File, who: &'a str) -> &'a str {
    let handlers = file.in_charge();
    if handlers.contains(&who) { who } else { handlers.first().copied().unwrap_or(who) }
}

/// What happens in place of a piece of work, once; the work itself is planned again afterwards.
fn instead(
    file: &mut File,
    one: &Move,
    at: DateTime<Utc>,
    twin: Option<RequestId>,
    dice: &mut Dice,
) -> Option<Command> {
    let first = matches!(one, Move::Qualify);
    let treated = matches!(one, Move::Task(_) | Move::Answer(_));
    let fits = |fate: Fate| match fate {
        Fate::Refuse | Fate::Forward | Fate::Ask | Fate::Note | Fate::Cancel => true,
        Fate::Merge => twin.is_some(),
        Fate::Reassign | Fate::Suspend | Fate::Extend | Fate::Visit => treated && !first,
        Fate::Withdraw | Fate::Silent | Fate::Rate | Fate::Reopen | Fate::Claim | Fate::Forgotten => false,
    };
    let fate = file.fates.iter().copied().find(|fate| fits(*fate))?;
    file.fates.remove(&fate);
    let basis = |text: &str| Some(text.to_owned());
    match fate {
        Fate::Refuse => {
            let reason = "La demande ne relève pas d’un service public.".to_owned();
            Some(Command::Refuse { reason, basis: None })
        }
        Fate::Forward => {
            let to = dice.pick(&[
                "Préfecture de la Marne",
                "Conseil départemental de la Marne",
                "CAF de la Marne",
            ]);
            Some(Command::Forward { to: (*to?).to_owned(), basis: basis("CRPA L114-2") })
        }
        Fate::Merge => twin.map(|into| Command::Merge { into }),
        Fate::Ask => {
            let question = "Il manque une pièce pour traiter votre demande.".to_owned();
            let piece = dice.pick(&["Justificatif de domicile", "Photographie", "Pièce d’identité", "Plan"]);
            let pieces = piece.map(|piece| vec![(*piece).to_owned()]).unwrap_or_default();
            Some(Command::Ask { question, pieces, within: None })
        }
        Fate::Note => Some(Command::Note { text: "Vu avec le service, suite à donner.".to_owned() }),
        Fate::Cancel => Some(Command::Cancel { reason: "Demande faite deux fois.".to_owned() }),
        Fate::Reassign => reassign(file, dice),
        Fate::Suspend => {
            let until =
                dice.chance(500).then(|| file.calendar().map(|calendar| after(calendar, at, 960))).flatten();
            Some(Command::Suspend { reason: "En attente d’un avis extérieur.".to_owned(), until })
        }
        Fate::Extend => extend(file),
        Fate::Visit => {
            let finding = words::reported(dice);
            Some(Command::Visit { finding, made_safe: dice.chance(600) })
        }
        Fate::Withdraw | Fate::Silent | Fate::Rate | Fate::Reopen | Fate::Claim | Fate::Forgotten => None,
    }
}

fn reassign(file: &File, dice: &mut Dice) -> Option<Command> {
    let mine = file.state.service.as_deref();
    let services = file.organisation.services.iter().filter(|service| service.tenant == file.tenant);
    let others: Vec<&str> =
        services.map(|service| service.service.as_str()).filter(|service| Some(*service) != mine).collect();
    let to = (*dice.pick(&others)?).to_owned();
    Some(Command::Reassign { to, reason: "Ne relève pas de notre service.".to_owned() })
}

fn extend(file: &File) -> Option<Command> {
    let clock = file.state.live_clocks().find(|clock| clock.commitment == "answer" && !clock.broken)?;
    let by = Budget::new(2, clock.budget.unit()).ok()?;
    let basis = "Étude complémentaire du service".to_owned();
    matches!(clock.budget.unit(), Unit::WorkingDays | Unit::Days).then(|| Command::Extend {
        commitment: clock.commitment.clone(),
        by,
        basis,
    })
}

/// A task's report that the rules take.
fn complete(
    file: &File,
    task: &str,
    actor: Actor,
    at: DateTime<Utc>,
    areas: &Areas,
    dice: &mut Dice,
) -> Option<Act> {
    let sheet = file.plan.definition().task(task)?;
    let facts = Facts {
        tenant: &file.tenant,
        request: file.state.id,
        now: at,
        occurred_at: at,
        actor: &actor,
        plan: &file.plan,
        organisation: &file.organisation,
        tracking: None,
        target: None,
        other: None,
    };
    let command =
        |report: &Map<String, Value>| Command::Complete { task: task.to_owned(), report: report.clone() };
    let subject = Subject { kind: file.plan.definition().kind, now: at, areas, report: true };
    let report = fill(dice, &sheet.report, subject, |report| {
        decide(Some(&file.state), &command(report), &facts).map(drop)
    })?;
    Some((command(&report), actor))
}

/// Whether a request is one that others may be merged into.
pub(super) fn is_open(file: &File) -> bool {
    matches!(file.state.stage, Stage::Received | Stage::Assigned)
}
