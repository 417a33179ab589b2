//! What can happen to a request next, and when people would do it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use guichet_engine::rules::calendar::Calendar;
use guichet_engine::rules::organisation::{Organisation, Person};
use guichet_engine::rules::process::{Channel, Delivery, Kind, Party, Plan, Simple};
use guichet_engine::rules::request::{
    Acknowledgement, Clock, ClockStatus, Hold, Request, Stage, TaskStatus, acknowledgement,
};

use super::dice::Dice;
use super::staff::{Staff, after, open_minutes};

/// How much of the time they have people use, in thousandths: most well within it, some more than there is.
const PACE: [(i64, i64); 7] =
    [(0, 60), (250, 260), (500, 450), (800, 710), (918, 890), (944, 1000), (1000, 1900)];
/// The same for approvers, who are late more often.
const APPROVERS: [(i64, i64); 5] = [(0, 40), (400, 200), (750, 500), (920, 950), (1000, 1700)];
/// How late those are who are late, in open minutes.
const LATE: [(i64, i64); 3] = [(0, 60), (700, 600), (1000, 1900)];
/// How long requesters take to answer, in minutes of the clock on the wall.
const REPLIES: [(i64, i64); 5] = [(0, 45), (300, 1_200), (600, 3_500), (850, 9_000), (1000, 30_000)];

/// Something that someone will do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Move {
    /// The front office qualifies.
    Qualify,
    /// An agent posts the acknowledgement.
    PostAcknowledgement,
    /// An agent takes the request.
    Claim,
    /// An agent does a task.
    Task(String),
    /// An agent answers; the number counts drafts.
    Answer(u32),
    /// An approver decides a step; the number counts decisions.
    Decide(String, usize),
    /// An agent hands the answer over.
    HandOver(Delivery),
    /// The requester answers.
    Reply,
    /// An agent takes a suspended request up again.
    Resume,
    /// The requester takes it back.
    Withdraw,
    /// The requester rates.
    Rate,
    /// The requester wants it taken up again.
    Reopen,
}

/// What is out of the ordinary about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    Refuse,
    Forward,
    Merge,
    Ask,
    Reassign,
    Suspend,
    Extend,
    Cancel,
    Withdraw,
    Silent,
    Rate,
    Reopen,
    Claim,
    Visit,
    Note,
    /// It is left lying.
    Forgotten,
}

/// How often each happens, per thousand requests of some kind.
pub(super) fn fates(dice: &mut Dice, kind: Kind) -> BTreeSet<Fate> {
    let ask = match kind {
        Kind::Application => 190,
        Kind::Complaint => 90,
        Kind::Question | Kind::Report | Kind::Idea | Kind::Internal => 30,
    };
    let merge = if kind == Kind::Report { 35 } else { 0 };
    let visit = if kind == Kind::Report { 120 } else { 0 };
    let table = [
        (Fate::Refuse, 9),
        (Fate::Forward, 14),
        (Fate::Merge, merge),
        (Fate::Ask, ask),
        (Fate::Reassign, 22),
        (Fate::Suspend, 8),
        (Fate::Extend, 7),
        (Fate::Cancel, 4),
        (Fate::Withdraw, 13),
        (Fate::Silent, 140),
        (Fate::Rate, 95),
        (Fate::Reopen, 14),
        (Fate::Claim, 450),
        (Fate::Visit, visit),
        (Fate::Note, 60),
        (Fate::Forgotten, 32),
    ];
    table.into_iter().filter(|(_, permille)| dice.chance(*permille)).map(|(fate, _)| fate).collect()
}

/// A request that lives.
pub(super) struct File {
    pub(super) tenant: String,
    pub(super) state: Arc<Request>,
    pub(super) revision: u64,
    pub(super) plan: Arc<Plan>,
    pub(super) organisation: Arc<Organisation>,
    pub(super) fates: BTreeSet<Fate>,
    /// What is planned: when, and by whom.
    pub(super) planned: BTreeMap<Move, (DateTime<Utc>, Option<String>)>,
    /// Drafts written so far.
    pub(super) drafts: u32,
    /// The soonest timer, as it stands in the town's list.
    pub(super) alarm: Option<DateTime<Utc>>,
}

impl File {
    /// The calendar that the process counts by.
    pub(super) fn calendar(&self) -> Option<&Calendar> {
        self.plan.calendar(&self.plan.definition().calendar)
    }

    /// People whom `party` means, by staff code.
    pub(super) fn people(&self, party: &Party) -> Vec<&str> {
        let service = self.state.service.as_deref();
        let codes = |people: Vec<&'_ Person>| -> Vec<String> {
            people.into_iter().map(|person| person.person.clone()).collect()
        };
        let near = codes(self.organisation.concerned(party, &self.tenant, service));
        let wanted = if near.is_empty() {
            codes(self.organisation.all_of(party, &self.tenant, service))
        } else {
            near
        };
        let people = self.organisation.people.iter().map(|person| person.person.as_str());
        people.filter(|code| wanted.iter().any(|wanted| wanted == code)).collect()
    }

    /// Whoever has the request; else the service in charge; else the front office.
    pub(super) fn in_charge(&self) -> Vec<&str> {
        if let Some(agent) = &self.state.agent {
            return vec![agent.as_str()];
        }
        let service = self.people(&Party::ServiceInCharge);
        if !service.is_empty() {
            return service;
        }
        match &self.plan.definition().qualification.by {
            Some(party) => self.people(party),
            None => self.people(&Party::Role("ambassadrice".into())),
        }
    }

    /// Everything that someone would do about it as it stands.
    pub(super) fn moves(&self) -> Vec<Move> {
        let request = &*self.state;
        let mut moves = Vec::new();
        if request.acknowledged_at.is_none()
            && let Acknowledgement::ToSend(Delivery::Letter) =
                acknowledgement(&request.requester, request.channel)
            && !request.stage.is_finished()
        {
            moves.push(Move::PostAcknowledgement);
        }
        if self.fates.contains(&Fate::Withdraw) && !request.stage.is_finished() {
            moves.push(Move::Withdraw);
        }
        match &request.hold {
            Some(Hold::WaitingForRequester { .. }) => {
                if !self.fates.contains(&Fate::Silent) {
                    moves.push(Move::Reply);
                }
                return moves;
            }
            Some(Hold::Suspended { until: None, .. }) => {
                moves.push(Move::Resume);
                return moves;
            }
            Some(Hold::Suspended { until: Some(_), .. }) => return moves,
            None => {}
        }
        self.stage_moves(&mut moves);
        moves
    }

    fn stage_moves(&self, moves: &mut Vec<Move>) {
        let request = &*self.state;
        match &request.stage {
            Stage::Received => moves.push(Move::Qualify),
            Stage::Assigned => {
                if request.agent.is_none() && self.fates.contains(&Fate::Claim) {
                    moves.push(Move::Claim);
                }
                let open = request.tasks.iter().filter(|(_, task)| task.status == TaskStatus::Open);
                let before = moves.len();
                moves.extend(open.map(|(name, _)| Move::Task(name.clone())));
                let validation = &self.plan.definition().validation;
                let by_itself = validation.circuit.is_none() && validation.otherwise == Simple::Automatic;
                if moves.len() == before && !by_itself {
                    moves.push(Move::Answer(self.drafts));
                }
            }
            Stage::InValidation(approval) => {
                if let Some(open) = &approval.open {
                    let decisions = open.approved.len() + open.refused.len() + approval.passed.len() * 10;
                    moves.push(Move::Decide(open.step.clone(), decisions));
                }
            }
            Stage::Validated {
                by: Some(by @ (Delivery::Letter | Delivery::Counter | Delivery::Phone)),
                ..
            } => {
                moves.push(Move::HandOver(*by));
            }
            Stage::Delivered { .. } => {
                if self.fates.contains(&Fate::Reopen) {
                    moves.push(Move::Reopen);
                } else if self.fates.contains(&Fate::Rate) && request.rating.is_none() {
                    moves.push(Move::Rate);
                }
            }
            Stage::Qualified
            | Stage::Validated { .. }
            | Stage::Withdrawn
            | Stage::Cancelled
            | Stage::Refused
            | Stage::Forwarded { .. }
            | Stage::Merged { .. } => {}
        }
    }

    /// When someone makes this move, and who.
    pub(super) fn when(
        &self,
        one: &Move,
        now: DateTime<Utc>,
        dice: &mut Dice,
        staff: &mut Staff,
    ) -> (DateTime<Utc>, Option<String>) {
        let Some(calendar) = self.calendar() else { return (now + TimeDelta::hours(1), None) };
        let wall = |minutes: i64| (now + TimeDelta::minutes(minutes), None);
        let mut at_work = |people: Vec<&str>, from: i64, minutes: i64| {
            let Some(person) = staff.freest(&people) else {
                return (after(calendar, now, from + minutes), None);
            };
            let begin = if from > 0 { after(calendar, now, from) } else { now };
            (staff.book(person, calendar, begin, minutes), Some(person.to_owned()))
        };
        match one {
            Move::Qualify => {
                let by = self.plan.definition().qualification.by.clone();
                let people = by.map(|party| self.people(&party)).unwrap_or_default();
                // Who stands at the counter or is on the telephone is seen to at once.
                let there = matches!(self.state.channel, Channel::Counter | Channel::Phone);
                let from = if there { 0 } else { dice.between(5, 150) };
                at_work(people, from, dice.between(3, 9))
            }
            Move::PostAcknowledgement => {
                at_work(self.in_charge(), dice.quantile(&[(0, 30), (900, 380), (1000, 700)]), 2)
            }
            Move::Claim => at_work(self.people(&Party::ServiceInCharge), dice.between(10, 240), 1),
            Move::Task(name) => {
                let sheet = self.plan.definition().task(name);
                let people = sheet.map(|sheet| self.people(&sheet.by)).unwrap_or_default();
                let due = self.state.tasks.get(name).and_then(|task| task.due);
                at_work(people, self.pace(calendar, now, due, dice), dice.between(8, 35))
            }
            Move::Answer(_) => {
                at_work(self.in_charge(), self.pace(calendar, now, None, dice), dice.between(6, 20))
            }
            Move::Decide(step, _) => {
                (after(calendar, now, self.decision(calendar, now, dice)), self.decider(step, now, dice))
            }
            Move::HandOver(Delivery::Counter) => at_work(self.in_charge(), dice.between(60, 900), 3),
            Move::HandOver(_) => at_work(self.in_charge(), dice.between(15, 200), 4),
            Move::Reply => wall(dice.quantile(&REPLIES)),
            Move::Resume => at_work(self.in_charge(), dice.between(300, 1_900), 3),
            Move::Withdraw => wall(dice.between(200, 5_000)),
            Move::Rate => wall(dice.between(60, 4_000)),
            Move::Reopen => wall(dice.between(600, 9_000)),
        }
    }

    /// Open minutes until the next piece of work is begun, so that the whole comes out at the pace drawn.
    fn pace(
        &self,
        calendar: &Calendar,
        now: DateTime<Utc>,
        term: Option<DateTime<Utc>>,
        dice: &mut Dice,
    ) -> i64 {
        let promise = self.promise();
        let left = promise.map_or(1_440, |clock| open_minutes(calendar, now, clock.due));
        if left < 15 {
            return dice.quantile(&LATE);
        }
        if self.fates.contains(&Fate::Forgotten) {
            return left + dice.quantile(&LATE);
        }
        let pace = dice.quantile(&PACE);
        let minutes = left * pace / 1000 / self.pieces_left().max(1);
        match term {
            Some(term) => {
                minutes.min(open_minutes(calendar, now, term).max(30) * dice.quantile(&PACE) / 1000)
            }
            None => minutes,
        }
    }

    /// The promise that people work towards: the running one that is due first and does not end by itself.
    fn promise(&self) -> Option<&Clock> {
        let running = self.state.live_clocks().filter(|clock| clock.status == ClockStatus::Running);
        running
            .filter(|clock| clock.commitment != "acknowledgement" && clock.commitment != "silence")
            .min_by_key(|clock| clock.due)
    }

    /// Pieces of work that are still to be done, one behind the other.
    fn pieces_left(&self) -> i64 {
        let definition = self.plan.definition();
        let finished = |task: &str| {
            self.state
                .tasks
                .get(task)
                .is_some_and(|task| matches!(task.status, TaskStatus::Done | TaskStatus::Skipped))
        };
        let tasks = definition.treatment.iter().filter(|sheet| !finished(&sheet.task)).count();
        let steps = definition.validation.circuit.as_ref().map_or(0, |circuit| circuit.steps.len());
        i64::try_from(tasks + steps + 1).unwrap_or(1)
    }

    fn decision(&self, calendar: &Calendar, now: DateTime<Utc>, dice: &mut Dice) -> i64 {
        let Stage::InValidation(approval) = &self.state.stage else { return 60 };
        let open = approval.open.as_ref();
        match open.and_then(|open| open.due.filter(|_| !open.late)) {
            Some(due) => {
                (open_minutes(calendar, now, due).max(60) * dice.quantile(&APPROVERS) / 1000).max(10)
            }
            None => dice.quantile(&LATE) / 2 + 20,
        }
    }

    /// One of those who have not decided yet; now and then the declared stand-in of one.
    fn decider(&self, step: &str, now: DateTime<Utc>, dice: &mut Dice) -> Option<String> {
        let Stage::InValidation(approval) = &self.state.stage else { return None };
        let open = approval.open.as_ref().filter(|open| open.step == step)?;
        let decided = |code: &&String| {
            open.approved.iter().any(|(name, _)| name == *code) || open.refused.contains(code)
        };
        let left: Vec<&String> = open.approvers.iter().filter(|code| !decided(code)).collect();
        let chosen = dice.pick(&left).map(|code| (*code).clone())?;
        let day = self.calendar()?.local_date(now);
        let there = |from, until| from <= day && day <= until;
        let mut standins =
            self.organisation.standins.iter().filter(|standin| there(standin.from, standin.until));
        let standin = standins.find(|standin| standin.absent == chosen);
        match standin {
            Some(standin) if dice.chance(600) => Some(standin.by.clone()),
            Some(_) | None => Some(chosen),
        }
    }
}
