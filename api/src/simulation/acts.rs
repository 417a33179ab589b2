//! Moves turned into commands.

use chrono::{DateTime, Utc};
use guichet_engine::rules::commitment::{Budget, Unit};
use guichet_engine::rules::process::{Channel, Delivery, Kind, Opener, Party};
use guichet_engine::rules::request::{
    Actor, CURRENCY, Command, Hold, Rejection, Request, RequestId, RequesterInput, Stage,
};
use serde_json::{Map, Value};

use super::arrivals::Arrival;
use super::dice::Dice;
use super::file::{Asking, File, Made};
use super::forms::{Subject, fill};
use super::ground::{Ground, instant};
use super::hours::Second;
use super::moves::{FATES, Fate, Move};
use super::{people, words};

/// A command, who gives it, and what it makes if that was tried already.
pub(super) struct Act {
    pub(super) command: Command,
    pub(super) actor: Actor,
    pub(super) made: Option<Made>,
}

impl Act {
    fn new(command: Command, actor: Actor) -> Self {
        Self { command, actor, made: None }
    }
}

/// Who opens a request: the agent who records it, or the way it came in by itself.
pub(super) fn opener(arrival: &Arrival, agent: Option<&str>) -> Actor {
    match (agent, arrival.opened_by, arrival.channel) {
        (Some(code), Opener::Agent | Opener::Patroller, _) => Actor::Agent(code.to_owned()),
        (_, _, Channel::Email | Channel::Sms | Channel::Social) => Actor::Integrator("messagerie".into()),
        (_, _, _) => Actor::Integrator("espace-citoyen".into()),
    }
}

/// What a requester brings: a command that the rules take; none if the form cannot be filled in. `attempt` carries a
/// command out.
pub(super) fn receive(
    ground: &Ground,
    arrival: &Arrival,
    (now, actor): (Second, Actor),
    dice: &mut Dice,
    attempt: impl Fn(&Command, &Actor) -> Result<Made, Rejection>,
) -> Option<Act> {
    let definition = ground.offered.get(arrival.offered)?.plan.definition();
    let requester = people::requester(dice, arrival.channel, definition.kind == Kind::Report);
    let there = matches!(arrival.channel, Channel::Counter | Channel::Phone);
    let at_once = definition.kind == Kind::Question
        && there
        && matches!(actor, Actor::Agent(_))
        && dice.happens(ground.assumed.work.at_once.get());
    let command =
        |requester: RequesterInput, form: Map<String, Value>, answer: Option<String>| Command::Receive {
            process: definition.process.clone(),
            channel: arrival.channel,
            opened_by: arrival.opened_by,
            requester,
            form,
            external: None,
            answer,
            first_received_at: None,
            origin: None,
        };
    let subject = Subject { kind: definition.kind, now: instant(now), areas: &ground.areas, report: false };
    let (form, made) = fill(dice, &definition.form, subject, |form| {
        attempt(&command(requester.clone(), form.clone(), None), &actor)
    })?;
    if at_once {
        let answered = words::answered(dice, definition.kind);
        let command = command(requester.clone(), form.clone(), Some(answered));
        if let Ok(made) = attempt(&command, &actor) {
            return Some(Act { command, actor, made: Some(made) });
        }
    }
    Some(Act { command: command(requester, form, None), actor, made: Some(made) })
}

/// What surrounds a move.
pub(super) struct Scene<'a> {
    pub(super) ground: &'a Ground,
    pub(super) now: Second,
    /// Who makes it, if it is someone of the town hall.
    pub(super) who: Option<&'a str>,
    /// An open request about the same thing.
    pub(super) twin: Option<&'a Request>,
}

impl Scene<'_> {
    fn at(&self) -> DateTime<Utc> {
        instant(self.now)
    }
}

/// What a move does, or what happens in its place.
pub(super) fn act(file: &mut File, one: Move, scene: &Scene<'_>) -> Option<Act> {
    let kind = file.plan.definition().kind;
    if let (Move::Qualify | Move::Task(_) | Move::Answer(_), Some(who)) = (one, scene.who)
        && let Some(command) = instead(file, one, scene)
    {
        return Some(Act::new(command, Actor::Agent(handler(file, who, scene.ground))));
    }
    let agent = || scene.who.map(|who| Actor::Agent(who.to_owned()));
    let assumed = &scene.ground.assumed;
    let (command, actor) = match one {
        Move::Qualify => {
            (Command::Qualify { process: None, complexity: None, priority: None, form: Map::new() }, agent()?)
        }
        Move::PostAcknowledgement => (Command::Acknowledge { by: Delivery::Letter }, agent()?),
        Move::Claim => (Command::Claim {}, agent()?),
        Move::Task(place) => return complete(file, place, agent()?, scene),
        Move::Answer(_) => (Command::Answer { text: words::answered(&mut file.dice, kind) }, agent()?),
        Move::Decide(passed, decisions) => {
            let step = open_step(&file.state)?;
            let returned = passed + decisions == 0 && file.drafts == 0;
            let returned = returned && file.dice.happens(assumed.approvers.returned.get());
            let reason = || "Merci de préciser le fondement et le délai.".to_owned();
            (
                if returned { Command::Return { step, reason: reason() } } else { Command::Approve { step } },
                agent()?,
            )
        }
        Move::HandOver(by) => {
            let lost = by == Delivery::Letter && file.dice.happens(assumed.deliveries.letters_returned.get());
            let reason = || "n’habite pas à l’adresse indiquée".to_owned();
            (
                if lost { Command::FailDelivery { by, reason: reason() } } else { Command::Deliver { by } },
                agent()?,
            )
        }
        Move::Reply => {
            let text = Some("Voici la pièce qui manquait.".to_owned());
            (Command::Reply { text, form: Map::new(), complete: true }, Actor::Requester)
        }
        Move::Resume => (Command::Resume {}, agent()?),
        Move::Withdraw => {
            file.fates.drop(Fate::Withdraw);
            (Command::Withdraw { reason: Some("Le problème est réglé.".to_owned()) }, Actor::Requester)
        }
        Move::Pay(payment) => (Command::StartPayment { payment }, Actor::Requester),
        Move::Settle(payment) => (settled(&file.state, payment)?, Actor::Engine),
        Move::Waive(payment) => {
            let reason = "Le service renonce à cette recette.".to_owned();
            let actor = Actor::Agent(handler(file, scene.who?, scene.ground));
            (Command::CancelPayment { payment, reason }, actor)
        }
        Move::Rate => {
            file.fates.drop(Fate::Rate);
            let score =
                file.dice.weighted(&[(1u8, 6), (2, 8), (3, 16), (4, 36), (5, 34)]).copied().unwrap_or(4);
            (Command::Rate { score, comment: None }, Actor::Requester)
        }
        Move::Reopen => {
            file.fates.drop(Fate::Reopen);
            (Command::Reopen { reason: "Le problème est revenu.".to_owned() }, Actor::Requester)
        }
    };
    Some(Act::new(command, actor))
}

/// The provider's word that the last visit to its page was paid.
fn settled(request: &Request, number: u32) -> Option<Command> {
    let payment = request.payments.iter().find(|payment| payment.number == number)?;
    let reference = payment.attempts.last()?.reference.clone();
    Some(Command::SettlePayment {
        payment: number,
        transaction: format!("SIM-{reference}"),
        reference: Some(reference),
        amount: payment.amount,
        currency: CURRENCY.to_owned(),
    })
}

/// The step that awaits its approvers.
pub(super) fn open_step(request: &Request) -> Option<String> {
    let Stage::InValidation(approval) = &request.stage else { return None };
    approval.open.as_ref().map(|open| open.step.clone())
}

/// Who may ask, refuse, forward: someone who handles the request, which the one who does a task need not.
fn handler(file: &File, who: &str, ground: &Ground) -> String {
    let service = file.state.service.as_deref();
    let of_service = ground.workers(&Party::ServiceInCharge, &file.tenant, service);
    let front = file.plan.definition().qualification.by.as_ref();
    let front = front.map(|party| ground.workers(party, &file.tenant, service)).unwrap_or_default();
    let all = || of_service.iter().chain(&front);
    if all().any(|person| person.person == who) {
        return who.to_owned();
    }
    all().next().map_or(who, |person| person.person.as_str()).to_owned()
}

/// What happens in place of a piece of work, once; the work itself is planned again afterwards.
fn instead(file: &mut File, one: Move, scene: &Scene<'_>) -> Option<Command> {
    let treated = matches!(one, Move::Task(_) | Move::Answer(_));
    let fits = |fate: Fate| match fate {
        Fate::Refuse | Fate::Forward | Fate::Ask | Fate::Note | Fate::Cancel => true,
        Fate::Merge => scene.twin.is_some(),
        Fate::Reassign | Fate::Suspend | Fate::Extend | Fate::Visit => treated,
        Fate::Withdraw | Fate::Silent | Fate::Rate | Fate::Reopen | Fate::Claim => false,
    };
    let fate = FATES.into_iter().find(|fate| file.fates.has(*fate) && fits(*fate))?;
    file.fates.drop(fate);
    match fate {
        Fate::Refuse => {
            let reason = "La demande ne relève pas d’un service public.".to_owned();
            Some(Command::Refuse { reason, basis: None })
        }
        Fate::Forward => {
            let list = ["Préfecture de la Marne", "Conseil départemental de la Marne", "CAF de la Marne"];
            let to = (*file.dice.pick(&list)?).to_owned();
            Some(Command::Forward { to, process: None, basis: Some("CRPA L114-2".to_owned()) })
        }
        Fate::Merge => scene.twin.map(|twin| Command::Merge { into: twin.id }),
        Fate::Ask => {
            let question = "Il manque une pièce pour traiter votre demande.".to_owned();
            let list = ["Justificatif de domicile", "Photographie", "Pièce d’identité", "Plan"];
            let pieces = file.dice.pick(&list).map(|piece| vec![(*piece).to_owned()]).unwrap_or_default();
            Some(Command::Ask { question, pieces, within: None })
        }
        Fate::Note => Some(Command::Note { text: "Vu avec le service, suite à donner.".to_owned() }),
        Fate::Cancel => Some(Command::Cancel { reason: "Demande faite deux fois.".to_owned() }),
        Fate::Reassign => reassign(file, scene.ground),
        Fate::Suspend => {
            let hours = scene.ground.offered.get(file.offered).and_then(|o| scene.ground.hours.get(o.hours));
            let until = hours.filter(|_| file.dice.chance(500)).map(|hours| hours.after(scene.now, 57_600));
            let until = until.filter(|until| *until < super::hours::NEVER).map(instant);
            Some(Command::Suspend { reason: "En attente d’un avis extérieur.".to_owned(), until })
        }
        Fate::Extend => extend(file),
        Fate::Visit => {
            let finding = words::reported(&mut file.dice);
            Some(Command::Visit { finding, made_safe: file.dice.chance(600) })
        }
        Fate::Withdraw | Fate::Silent | Fate::Rate | Fate::Reopen | Fate::Claim => None,
    }
}

fn reassign(file: &mut File, ground: &Ground) -> Option<Command> {
    let mine = file.state.service.clone();
    let services = ground.organisation.services.iter().filter(|service| service.tenant == *file.tenant);
    let others: Vec<&str> = services
        .map(|service| service.service.as_str())
        .filter(|service| Some(*service) != mine.as_deref())
        .collect();
    let to = (*file.dice.pick(&others)?).to_owned();
    Some(Command::Reassign { to, reason: "Ne relève pas de notre service.".to_owned() })
}

fn extend(file: &File) -> Option<Command> {
    let clock = file.state.live_clocks().find(|clock| clock.commitment == "answer" && !clock.broken)?;
    let by = Budget::new(2, clock.budget.unit()).ok()?;
    let basis = "Étude complémentaire du service".to_owned();
    let commitment = clock.commitment.clone();
    matches!(clock.budget.unit(), Unit::WorkingDays | Unit::Days).then_some(Command::Extend {
        commitment,
        by,
        basis,
    })
}

/// A task's report that the rules take.
fn complete(file: &mut File, place: usize, actor: Actor, scene: &Scene<'_>) -> Option<Act> {
    let plan = std::sync::Arc::clone(&file.plan);
    let sheet = plan.definition().treatment.get(place)?;
    let (now, organisation) = (scene.at(), &scene.ground.organisation);
    let command = |report: Map<String, Value>| Command::Complete { task: sheet.task.clone(), report };
    let subject = Subject { kind: plan.definition().kind, now, areas: &scene.ground.areas, report: true };
    let mut dice = file.dice.clone();
    let filled = fill(&mut dice, &sheet.report, subject, |report| {
        let command = command(report.clone());
        file.asked(organisation, &Asking { command: &command, actor: &actor, now, occurred_at: now }, None)
    });
    file.dice = dice;
    let (report, made) = filled?;
    Some(Act { command: command(report), actor, made: Some(made) })
}

/// Whether a request is one that others may be merged into.
pub(super) fn is_open(request: &Request) -> bool {
    matches!(request.stage, Stage::Received | Stage::Assigned)
}

/// Since when a request rests, and whether for its requester.
pub(super) fn resting(request: &Request) -> Option<(Second, bool)> {
    match &request.hold {
        Some(Hold::WaitingForRequester { since, .. }) => Some((since.timestamp(), true)),
        Some(Hold::Suspended { since, .. }) => Some((since.timestamp(), false)),
        None => None,
    }
}

/// One of those who have not decided yet; now and then the declared stand-in of one.
pub(super) fn decider(file: &mut File, ground: &Ground, now: Second) -> Option<String> {
    let Stage::InValidation(approval) = &file.state.stage else { return None };
    let open = approval.open.as_ref()?;
    let decided =
        |code: &&String| open.approved.iter().any(|(name, _)| name == *code) || open.refused.contains(code);
    let left: Vec<&String> = open.approvers.iter().filter(|code| !decided(code)).collect();
    let chosen = file.dice.pick(&left).map(|code| (*code).clone())?;
    let day = ground.calendar.local_date(instant(now));
    let mut standins = ground.organisation.standins.iter().filter(|s| s.from <= day && day <= s.until);
    let standin = standins.find(|standin| standin.absent == chosen);
    match standin {
        Some(standin) if file.dice.happens(ground.assumed.approvers.stand_in.get()) => {
            Some(standin.by.clone())
        }
        Some(_) | None => Some(chosen),
    }
}

/// The id that a merging names.
pub(super) fn merged_into(command: &Command) -> Option<RequestId> {
    if let Command::Merge { into } = command { Some(*into) } else { None }
}
