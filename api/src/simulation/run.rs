//! One run: a list of what happens next, and nothing else that moves time on.
//!
//! Instants are whole seconds. What falls on the same second is done in the order: people go and come, work is
//! finished, the rest in the order in which it was planned, then the town hall's clock strikes. So the order of
//! everything follows from the seed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use guichet_engine::rules::process::{Channel, Party};
use guichet_engine::rules::request::{Actor, Command, CommandId, Request, RequestId};
use uuid::Uuid;

use super::acts::{self, Scene};
use super::arrivals::{Arrival, Offer, dates};
use super::desk::{About, Begun, Desk, Work};
use super::dice::Dice;
use super::figures::{Figures, OfProcess, Wait};
use super::file::{Asking, File, Planned};
use super::ground::{Ground, instant};
use super::hours::{NEVER, Second};
use super::moves::Move;

/// The names from which the ids of a simulation's commands are made.
pub(super) const NAMESPACE: Uuid = Uuid::from_u128(0xb1a5_35c4_7f06_4f2c_9d0e_84a6_2dd1_5b38);
/// The draws of one request.
pub(super) const REQUEST: u64 = 2;
/// After so many moves that the rules refused, people leave a request alone.
pub(super) const REFUSALS_MAX: u32 = 4;

/// What happens at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// Someone comes or goes.
    Shift(usize),
    /// Someone is done with a piece of work.
    Done(usize),
    /// A day begins.
    Day(NaiveDate),
    /// What waits is counted.
    Sample,
    /// Somebody comes.
    Arrive(u32),
    /// Somebody who waits to be served has had enough.
    Leave(u32),
    /// Work that was planned can be begun.
    Ready { slot: u32, stamp: u32 },
    /// What was planned happens.
    Do { slot: u32, stamp: u32 },
}

impl Event {
    fn rank(self) -> u8 {
        match self {
            Self::Shift(_) => 0,
            Self::Done(_) => 1,
            Self::Day(_) | Self::Sample => 2,
            Self::Arrive(_) | Self::Leave(_) | Self::Ready { .. } | Self::Do { .. } => 3,
        }
    }
}

/// Someone who came and is not recorded yet.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) arrival: Arrival,
    pub(super) dice: Dice,
    pub(super) number: u64,
    /// Whether someone is serving them already.
    pub(super) served: bool,
}

/// What the town does, for those who do it again elsewhere.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Someone gives a command.
    Act(Box<Given>),
    /// The engine's own workers run.
    Tick(Second),
}

/// A command that someone gave and that the rules took.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) tenant: Arc<str>,
    /// None for the one that opens it.
    pub(super) request: Option<RequestId>,
    pub(super) command: Command,
    pub(super) actor: Actor,
    pub(super) command_id: CommandId,
    pub(super) now: Second,
    pub(super) occurred_at: DateTime<Utc>,
}

/// An effect to be carried out by the engine: when it was asked for, the number of its request, its id.
pub(super) type ToSend = (DateTime<Utc>, u32, String, u32);

/// A run under way.
#[derive(Debug)]
pub(super) struct Run<'g> {
    pub(super) ground: &'g Ground,
    pub(super) seed: u64,
    pub(super) offer: Offer,
    pub(super) desk: Desk,
    pub(super) now: Second,
    pub(super) planned: BinaryHeap<Reverse<(Second, u8, u64, Event)>>,
    pub(super) planned_so_far: u64,
    pub(super) files: Vec<Option<Box<File>>>,
    pub(super) free: Vec<u32>,
    pub(super) visitors: HashMap<u32, Visitor>,
    pub(super) today: Vec<Arrival>,
    pub(super) arrived: u64,
    pub(super) stamps: u32,
    pub(super) received: u32,
    pub(super) given: u64,
    /// Requests of each process that another may be merged into, the last ones that came.
    pub(super) recent: Vec<Vec<u32>>,
    /// The soonest timer of each request.
    pub(super) alarms: BTreeSet<(DateTime<Utc>, RequestId, u32)>,
    pub(super) to_send: BTreeSet<ToSend>,
    /// The request whose messages are going out: it is kept until they have.
    pub(super) claimed: Option<u32>,
    /// Whether a party of the town hall has an address.
    pub(super) addresses: HashMap<(Party, usize, Option<String>), bool>,
    pub(super) figures: Figures,
    pub(super) waits: BTreeMap<(Wait, usize), super::histogram::Histogram>,
    pub(super) steps: Option<Vec<Step>>,
    pub(super) moves: Vec<Move>,
}

impl<'g> Run<'g> {
    /// A run that has not begun. With `recorded`, what the town does is kept as a list.
    pub(super) fn new(ground: &'g Ground, seed: u64, online: f64, recorded: bool) -> Self {
        let mut run = Self {
            ground,
            seed,
            offer: Offer::new(ground, online),
            desk: Desk::new(ground, seed),
            now: ground.begin,
            planned: BinaryHeap::new(),
            planned_so_far: 0,
            files: Vec::new(),
            free: Vec::new(),
            visitors: HashMap::new(),
            today: Vec::new(),
            arrived: 0,
            stamps: 0,
            received: 0,
            given: 0,
            recent: vec![Vec::new(); ground.offered.len()],
            alarms: BTreeSet::new(),
            to_send: BTreeSet::new(),
            claimed: None,
            addresses: HashMap::new(),
            figures: Figures {
                processes: vec![OfProcess::default(); ground.offered.len()],
                heat: vec![0; 168],
                samples: vec![0; 168],
                ..Figures::default()
            },
            waits: BTreeMap::new(),
            steps: recorded.then(Vec::new),
            moves: Vec::new(),
        };
        for agent in 0..run.desk.agents.len() {
            run.at(ground.begin, Event::Shift(agent));
        }
        for day in dates(ground) {
            run.at(super::ground::midnight(day, ground.calendar.zone()), Event::Day(day));
        }
        run
    }

    /// Lives until the end.
    pub(super) fn live(mut self, progress: &mut dyn FnMut(Second)) -> (Figures, Vec<Step>) {
        let end = self.ground.end;
        loop {
            let next = self.planned.peek().map(|Reverse((at, ..))| *at);
            match (next, self.next_tick()) {
                (next, Some(tick)) if tick < end && next.is_none_or(|next| tick < next) => self.tick(tick),
                (Some(at), _) if at < end => {
                    if let Some(Reverse((at, _, _, event))) = self.planned.pop() {
                        self.now = at;
                        if matches!(event, Event::Day(_)) {
                            progress(at);
                        }
                        self.happen(event);
                    }
                }
                (_, _) => break,
            }
        }
        self.tick(end);
        self.finish()
    }

    pub(super) fn step(&mut self, step: impl FnOnce() -> Step) {
        if let Some(steps) = &mut self.steps {
            steps.push(step());
        }
    }

    pub(super) fn at(&mut self, at: Second, event: Event) {
        if at < NEVER {
            self.planned_so_far += 1;
            self.planned.push(Reverse((at.max(self.now), event.rank(), self.planned_so_far, event)));
        }
    }

    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::Shift(agent) => {
                if let Some((next, _)) = self.desk.shift(agent, self.now) {
                    self.at(next, Event::Shift(agent));
                }
                self.next_work(agent);
            }
            Event::Done(agent) => self.done(agent),
            Event::Day(day) => self.day(day),
            Event::Sample => self.sample(),
            Event::Arrive(place) => self.arrive(place),
            Event::Leave(visitor) => {
                if self.visitors.get(&visitor).is_some_and(|visitor| !visitor.served) {
                    let gone = self.visitors.remove(&visitor);
                    self.figures.gave_up += u64::from(gone.is_some_and(|gone| self.counts(gone.arrival.at)));
                }
            }
            Event::Ready { slot, stamp } => self.ready(slot, stamp),
            Event::Do { slot, stamp } => self.perform(slot, stamp, None),
        }
    }

    pub(super) fn counts(&self, at: Second) -> bool {
        at >= self.ground.counted_from
    }

    pub(super) fn day(&mut self, day: NaiveDate) {
        self.today = self.offer.day(self.ground, self.seed, day);
        for place in 0..self.today.len() {
            let Some(at) = self.today.get(place).map(|arrival| arrival.at) else { continue };
            self.at(at, Event::Arrive(u32::try_from(place).unwrap_or(u32::MAX)));
        }
        for hour in 0..24 {
            self.at(self.now + hour * 3_600 + 1_800, Event::Sample);
        }
    }

    /// Counts what waits, by the local hour of the week.
    pub(super) fn sample(&mut self) {
        if !self.counts(self.now) {
            return;
        }
        let local = instant(self.now).with_timezone(&self.ground.calendar.zone());
        let hour = local.weekday().num_days_from_monday() * 24 + local.hour();
        let waiting = u64::try_from(self.desk.waiting()).unwrap_or_default();
        let place = usize::try_from(hour).unwrap_or_default();
        if let (Some(sum), Some(count)) =
            (self.figures.heat.get_mut(place), self.figures.samples.get_mut(place))
        {
            *sum += waiting;
            *count += 1;
        }
        if hour == 10 {
            self.figures.queue.push(waiting);
        }
    }

    pub(super) fn next_work(&mut self, agent: usize) {
        let (files, visitors) = (&self.files, &self.visitors);
        let wanted = |work: &Work| match work.about {
            About::Visitor(visitor) => visitors.contains_key(&visitor),
            About::File { slot, stamp } => planned(files, slot, stamp).is_some(),
        };
        if let Some(begun) = self.desk.take(agent, self.now, wanted) {
            self.begun(begun);
        }
    }

    pub(super) fn begun(&mut self, begun: Begun) {
        let Begun { agent, work, done } = begun;
        let until = done.min(self.ground.end);
        self.desk.spent(agent, self.now.max(self.ground.counted_from), until);
        self.at(done, Event::Done(agent));
        let post = self.desk.agents.get(agent).map_or(0, |agent| agent.post);
        match work.about {
            About::Visitor(visitor) => {
                let Some(visitor) = self.visitors.get_mut(&visitor) else { return };
                visitor.served = true;
                let wait = match visitor.arrival.channel {
                    Channel::Counter => Wait::Counter,
                    Channel::Phone => Wait::Phone,
                    Channel::Patrol => return,
                    _ => Wait::Letter,
                };
                let offered = visitor.arrival.offered;
                self.waited(wait, post, offered, work.since, self.counts(work.since));
            }
            About::File { slot, stamp } => {
                let Some(one) = planned(&self.files, slot, stamp).map(|planned| planned.one) else { return };
                let wait = match one {
                    Move::Qualify => Wait::Qualify,
                    Move::Task(_) => Wait::Task,
                    Move::Answer(_) => Wait::Answer,
                    Move::HandOver(_) | Move::PostAcknowledgement => Wait::HandOver,
                    _ => return,
                };
                if let Some(file) = file_at(&self.files, slot) {
                    let (offered, counted) = (file.offered, file.counted);
                    self.waited(wait, post, offered, work.since, counted);
                }
            }
        }
    }

    pub(super) fn waited(&mut self, wait: Wait, post: usize, offered: usize, since: Second, counted: bool) {
        if !counted {
            return;
        }
        let clock = matches!(wait, Wait::Requester | Wait::Counter | Wait::Phone);
        let hours = self.ground.offered.get(offered).and_then(|offered| self.ground.hours.get(offered.hours));
        let seconds = match hours {
            Some(hours) if !clock => hours.between(since, self.now),
            Some(_) | None => self.now - since,
        };
        self.waits.entry((wait, post)).or_default().add(u64::try_from(seconds).unwrap_or_default());
    }

    pub(super) fn done(&mut self, agent: usize) {
        let who =
            self.desk.agents.get(agent).map(|agent| agent.code(self.now).to_owned()).unwrap_or_default();
        if let Some(work) = self.desk.done(agent, self.now) {
            match work.about {
                About::Visitor(visitor) => {
                    if let Some(Visitor { arrival, dice, number, .. }) = self.visitors.remove(&visitor) {
                        self.receive(&arrival, number, dice, Some(&who));
                    }
                }
                About::File { slot, stamp } => self.perform(slot, stamp, Some(&who)),
            }
        }
        self.next_work(agent);
    }

    pub(super) fn keep(&mut self, file: File) -> u32 {
        let offered = file.offered;
        let file = Some(Box::new(file));
        let slot = match self.free.pop() {
            Some(slot) => {
                if let Some(place) = self.files.get_mut(usize::try_from(slot).unwrap_or(usize::MAX)) {
                    *place = file;
                }
                slot
            }
            None => {
                self.files.push(file);
                u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX)
            }
        };
        if let Some(recent) = self.recent.get_mut(offered) {
            recent.push(slot);
            if recent.len() > RECENT {
                recent.remove(0);
            }
        }
        slot
    }

    /// Makes a move that was planned, if it still has a reason.
    pub(super) fn perform(&mut self, slot: u32, stamp: u32, who: Option<&str>) {
        let Some(found) = planned(&self.files, slot, stamp).copied() else { return };
        let twin = self.twin(slot);
        let Some(mut file) = self.take_file(slot) else { return };
        file.planned.retain(|planned| planned.stamp != stamp);
        let decider = match found.one {
            Move::Decide(..) => acts::decider(&mut file, self.ground, self.now),
            _ => None,
        };
        if let Move::Decide(..) = found.one {
            let step = acts::open_step(&file.state).unwrap_or_default();
            let post = self.desk.post_called(&format!("step:{step}"));
            self.waited(Wait::Approval, post, file.offered, found.since, file.counted);
        }
        let scene = Scene {
            ground: self.ground,
            now: self.now,
            who: who.or(decider.as_deref()),
            twin: twin.as_ref(),
        };
        let Some(act) = acts::act(&mut file, found.one, &scene) else {
            file.refused += 1;
            self.plan(slot, &mut file);
            return self.settle(slot, file);
        };
        let now = instant(self.now);
        let asking = Asking { command: &act.command, actor: &act.actor, now, occurred_at: now };
        let other = twin.as_ref().filter(|twin| acts::merged_into(&act.command) == Some(twin.id));
        let made = match act.made {
            Some(made) => Ok(made),
            None => file.asked(&self.ground.organisation, &asking, other),
        };
        match made {
            Ok(made) => {
                self.given += 1;
                let (seed, number) = (self.seed, self.given);
                let (tenant, request) = (Arc::clone(&file.tenant), Some(file.state.id));
                let (command, actor, second) = (act.command, act.actor, self.now);
                self.step(|| {
                    let name = format!("{seed}:given:{number}");
                    let command_id = CommandId(Uuid::new_v5(&NAMESPACE, name.as_bytes()));
                    let given =
                        Given { tenant, request, command, actor, command_id, now: second, occurred_at: now };
                    Step::Act(Box::new(given))
                });
                self.put_back(slot, file);
                self.changed(slot, made);
            }
            Err(rejection) => {
                self.figures.refused(&rejection.code);
                file.refused += 1;
                self.plan(slot, &mut file);
                self.settle(slot, file);
            }
        }
    }

    pub(super) fn put_back(&mut self, slot: u32, file: Box<File>) {
        if let Some(place) = self.files.get_mut(usize::try_from(slot).unwrap_or(usize::MAX)) {
            *place = Some(file);
        }
    }

    /// An open request about the same thing, received before.
    pub(super) fn twin(&self, slot: u32) -> Option<Request> {
        let file = file_at(&self.files, slot).filter(|file| file.fates.has(super::moves::Fate::Merge))?;
        let others = self.recent.get(file.offered)?.iter().filter(|other| **other != slot);
        let before = |other: &&File| {
            other.state.milestones.received < file.state.milestones.received && acts::is_open(&other.state)
        };
        others.filter_map(|other| file_at(&self.files, *other)).find(before).map(|other| other.state.clone())
    }

    pub(super) fn finish(mut self) -> (Figures, Vec<Step>) {
        let end = self.ground.end;
        for file in self.files.iter().flatten() {
            self.figures.ended(file, end);
        }
        self.figures.queue_at_end = u64::try_from(self.desk.waiting()).unwrap_or_default();
        self.figures.still_waiting = u64::try_from(self.visitors.len()).unwrap_or_default();
        let name = |post: usize| self.desk.posts.get(post).cloned().unwrap_or_default();
        for agent in &self.desk.agents {
            let of = self.figures.posts.entry(name(agent.post)).or_default();
            of.people += 1;
            of.busy += agent.busy;
            of.there += agent.there(self.ground.counted_from, end);
        }
        self.figures.waits =
            self.waits.into_iter().map(|((wait, post), hours)| ((wait, name(post)), hours)).collect();
        (self.figures, self.steps.unwrap_or_default())
    }
}

/// How many requests of a process are looked at when one is merged.
const RECENT: usize = 6;

pub(super) fn file_at(files: &[Option<Box<File>>], slot: u32) -> Option<&File> {
    files.get(usize::try_from(slot).ok()?)?.as_deref()
}

/// What is planned under a stamp, if it still is.
pub(super) fn planned(files: &[Option<Box<File>>], slot: u32, stamp: u32) -> Option<&Planned> {
    file_at(files, slot)?.planned.iter().find(|planned| planned.stamp == stamp)
}
