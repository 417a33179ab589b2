//! One run: a list of what happens next, and nothing else that moves time on.
//!
//! Instants are whole seconds. What falls on the same second is done in the order: people go and come, work is
//! finished, the rest in the order in which it was planned, then the town hall's clock strikes. So the order of
//! everything follows from the seed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use guichet_engine::rules::process::{Channel, Opener, Party, Priority, request_of};
use guichet_engine::rules::request::{Actor, Command, CommandId, Request, RequestId};
use uuid::Uuid;

use super::acts::{self, Act, Scene};
use super::arrivals::{Arrival, Offer, PATROLLER, at_desk, dates};
use super::desk::{About, Begun, Desk, Work};
use super::dice::Dice;
use super::figures::{Figures, OfPost, OfProcess, Wait};
use super::file::{Asking, File, Made, Pending, Planned, Target, decided, is_sent_by_itself};
use super::ground::{Ground, instant};
use super::hours::{NEVER, Second};
use super::moves::{Fates, Move};

/// The names from which the ids of a simulation's commands are made.
const NAMESPACE: Uuid = Uuid::from_u128(0xb1a5_35c4_7f06_4f2c_9d0e_84a6_2dd1_5b38);
/// The draws of one request.
const REQUEST: u64 = 2;
/// After so many moves that the rules refused, people leave a request alone.
const REFUSALS_MAX: u32 = 4;

/// What happens at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
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
struct Visitor {
    arrival: Arrival,
    dice: Dice,
    number: u64,
    /// Whether someone is serving them already.
    served: bool,
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
    offer: Offer,
    pub(super) desk: Desk,
    pub(super) now: Second,
    planned: BinaryHeap<Reverse<(Second, u8, u64, Event)>>,
    planned_so_far: u64,
    pub(super) files: Vec<Option<Box<File>>>,
    free: Vec<u32>,
    visitors: HashMap<u32, Visitor>,
    today: Vec<Arrival>,
    arrived: u64,
    stamps: u32,
    received: u32,
    given: u64,
    /// Requests of each process that another may be merged into, the last ones that came.
    recent: Vec<Vec<u32>>,
    /// The soonest timer of each request.
    pub(super) alarms: BTreeSet<(DateTime<Utc>, RequestId, u32)>,
    pub(super) to_send: BTreeSet<ToSend>,
    /// The request whose messages are going out: it is kept until they have.
    pub(super) claimed: Option<u32>,
    /// Whether a party of the town hall has an address.
    pub(super) addresses: HashMap<(Party, usize, Option<String>), bool>,
    pub(super) figures: Figures,
    waits: BTreeMap<(Wait, usize), super::histogram::Histogram>,
    steps: Option<Vec<Step>>,
    moves: Vec<Move>,
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

    fn at(&mut self, at: Second, event: Event) {
        if at < NEVER {
            self.planned_so_far += 1;
            self.planned.push(Reverse((at.max(self.now), event.rank(), self.planned_so_far, event)));
        }
    }

    fn happen(&mut self, event: Event) {
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

    fn counts(&self, at: Second) -> bool {
        at >= self.ground.counted_from
    }

    fn day(&mut self, day: NaiveDate) {
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
    fn sample(&mut self) {
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

    fn arrive(&mut self, place: u32) {
        let place = usize::try_from(place).unwrap_or_default();
        let Some(arrival) = self.today.get(place).copied() else { return };
        let number = self.arrived;
        self.arrived += 1;
        let mut dice = Dice::of(self.seed, REQUEST, number);
        let work = &self.ground.assumed.work;
        let recorded = match (arrival.opened_by, arrival.channel) {
            (Opener::Patroller, _) => Some((Party::Role(PATROLLER.into()), work.round)),
            (Opener::Agent, channel) => self.front_office(arrival.offered).map(|party| {
                let time = match channel {
                    Channel::Counter => work.counter,
                    Channel::Phone => work.phone,
                    _ => work.letter,
                };
                (party, time)
            }),
            (Opener::Citizen, _) => None,
        };
        let Some((party, time)) = recorded else {
            return self.receive(&arrival, number, dice, None);
        };
        let seconds = time.draw(&mut dice, 60.0);
        let visitor = u32::try_from(number).unwrap_or(u32::MAX);
        let patience = match arrival.channel {
            Channel::Counter => Some(self.ground.assumed.requesters.patience_counter),
            Channel::Phone => Some(self.ground.assumed.requesters.patience_phone),
            _ => None,
        };
        let leaves = patience.map(|patience| self.now + patience.draw(&mut dice, 60.0).max(30));
        self.visitors.insert(visitor, Visitor { arrival, dice, number, served: false });
        let there = at_desk(arrival.channel) && arrival.channel != Channel::Letter;
        let rank = if there { 0 } else { 3 };
        let pool = self.desk.pool(self.ground, &party, arrival.offered, None);
        let about = About::Visitor(visitor);
        let work = Work { rank, due: self.now, number: 0, about, seconds, since: self.now };
        let begun = self.desk.add(pool, work, self.now);
        match begun {
            Some(begun) => self.begun(begun),
            None => {
                if let Some(leaves) = leaves {
                    self.at(leaves, Event::Leave(visitor));
                }
            }
        }
    }

    /// Those who record what people bring: who qualifies, or who does so for most processes.
    fn front_office(&self, offered: usize) -> Option<Party> {
        let of = |place: usize| self.ground.offered.get(place)?.plan.definition().qualification.by.clone();
        of(offered).or_else(|| self.ground.front_office.clone())
    }

    fn next_work(&mut self, agent: usize) {
        let (files, visitors) = (&self.files, &self.visitors);
        let wanted = |work: &Work| match work.about {
            About::Visitor(visitor) => visitors.contains_key(&visitor),
            About::File { slot, stamp } => planned(files, slot, stamp).is_some(),
        };
        if let Some(begun) = self.desk.take(agent, self.now, wanted) {
            self.begun(begun);
        }
    }

    fn begun(&mut self, begun: Begun) {
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

    fn waited(&mut self, wait: Wait, post: usize, offered: usize, since: Second, counted: bool) {
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

    fn done(&mut self, agent: usize) {
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

    /// A request is recorded: by itself, or by the agent who served whoever brought it.
    fn receive(&mut self, arrival: &Arrival, number: u64, mut dice: Dice, who: Option<&str>) {
        let ground = self.ground;
        let Some(offered) = ground.offered.get(arrival.offered) else { return };
        let name = format!("{}:received:{number}", self.seed);
        let command_id = CommandId(Uuid::new_v5(&NAMESPACE, name.as_bytes()));
        let id = RequestId(request_of(command_id.0));
        let now = instant(self.now);
        // A letter counts from the day it came, whenever it is opened.
        let occurred_at = if arrival.channel == Channel::Letter { instant(arrival.at) } else { now };
        let attempt = |command: &Command, actor: &Actor| {
            let target = Target {
                tenant: &offered.tenant,
                request: id,
                plan: &offered.plan,
                organisation: &ground.organisation,
                state: None,
                events: 0,
                pending: &[],
                other: None,
            };
            decided(&target, &Asking { command, actor, now, occurred_at })
        };
        let actor = acts::opener(arrival, who);
        let act = acts::receive(ground, arrival, (self.now, actor), &mut dice, attempt);
        let Some((Act { command, actor, .. }, Some(made))) = act.map(|mut act| {
            let made = act.made.take();
            (act, made)
        }) else {
            let process = &offered.plan.definition().process;
            return self.figures.refused(&format!("simulation.form:{process}"));
        };
        let fates = Fates::drawn(&mut dice, offered.kind, &ground.assumed);
        let tenant = Arc::clone(&offered.tenant);
        self.step(|| {
            let tenant = Arc::clone(&tenant);
            let now = now.timestamp();
            Step::Act(Box::new(Given { tenant, request: None, command, actor, command_id, now, occurred_at }))
        });
        let Some(state) = made.state.clone() else { return };
        let file = File {
            number: self.received,
            offered: arrival.offered,
            tenant,
            plan: Arc::clone(&offered.plan),
            state,
            events: 0,
            fates,
            dice,
            planned: Vec::new(),
            drafts: 0,
            refused: 0,
            pending: Vec::new(),
            alarm: None,
            counted: self.counts(self.now),
        };
        self.received += 1;
        self.figures.came(&file);
        let slot = self.keep(file);
        self.changed(slot, made);
    }

    fn keep(&mut self, file: File) -> u32 {
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

    /// Takes in what a command made of a request, and plans what follows.
    pub(super) fn changed(&mut self, slot: u32, made: Made) {
        let Some(mut file) = self.take_file(slot) else { return };
        let rested = acts::resting(&file.state);
        let in_circuit = acts::open_step(&file.state).is_some();
        if let Some(state) = made.state {
            file.state = state;
        }
        file.events += u64::try_from(made.events.len()).unwrap_or_default();
        self.figures.happened(&file, &made.events);
        if in_circuit && matches!(file.state.stage, guichet_engine::rules::request::Stage::Assigned) {
            file.drafts += 1;
        }
        if let Some((since, requester)) = rested
            && acts::resting(&file.state).is_none()
        {
            let wait = if requester { Wait::Requester } else { Wait::Suspended };
            let post = self.desk.post_of_service(file.state.service.as_deref());
            self.waited(wait, post, file.offered, since, file.counted);
        }
        self.set_alarm(slot, &mut file);
        self.set_pending(slot, &mut file, made.pending);
        self.plan(slot, &mut file);
        self.settle(slot, file);
    }

    /// Puts a file back, unless it is over: then figures are all that is kept of it.
    pub(super) fn settle(&mut self, slot: u32, file: Box<File>) {
        if file.is_over() && self.claimed != Some(file.number) {
            self.figures.ended(&file, self.ground.end);
            if let Some(recent) = self.recent.get_mut(file.offered) {
                recent.retain(|other| *other != slot);
            }
            self.free.push(slot);
        } else if let Some(place) = self.files.get_mut(usize::try_from(slot).unwrap_or(usize::MAX)) {
            *place = Some(file);
        }
    }

    pub(super) fn take_file(&mut self, slot: u32) -> Option<Box<File>> {
        self.files.get_mut(usize::try_from(slot).unwrap_or(usize::MAX))?.take()
    }

    pub(super) fn set_alarm(&mut self, slot: u32, file: &mut File) {
        let soonest = file.soonest().map(|(at, _)| at);
        if soonest == file.alarm {
            return;
        }
        let id = file.state.id;
        if let Some(old) = file.alarm.take() {
            self.alarms.remove(&(old, id, slot));
        }
        self.alarms.extend(soonest.map(|alarm| (alarm, id, slot)));
        file.alarm = soonest;
    }

    fn set_pending(&mut self, slot: u32, file: &mut File, pending: Vec<Pending>) {
        let number = file.number;
        let entry = |pending: &Pending| (pending.asked, number, pending.effect.id.clone(), slot);
        let among =
            |list: &[Pending], one: &Pending| list.iter().any(|other| other.effect.id == one.effect.id);
        for gone in file.pending.iter().filter(|old| !among(&pending, old)) {
            self.to_send.remove(&entry(gone));
        }
        let new = pending.iter().filter(|new| !among(&file.pending, new));
        self.to_send.extend(new.filter(|new| is_sent_by_itself(&new.effect)).map(entry));
        file.pending = pending;
    }

    /// Plans what is not planned yet, and drops what has lost its reason.
    fn plan(&mut self, slot: u32, file: &mut File) {
        if file.refused > REFUSALS_MAX {
            file.planned.clear();
            return;
        }
        let mut moves = std::mem::take(&mut self.moves);
        file.moves(&mut moves);
        file.planned.retain(|planned| moves.contains(&planned.one));
        for one in moves.iter().copied() {
            if file.planned.iter().any(|planned| planned.one == one) {
                continue;
            }
            self.stamps = self.stamps.wrapping_add(1);
            let stamp = self.stamps;
            file.planned.push(Planned { one, stamp, since: self.now });
            self.schedule(slot, file, one, stamp);
        }
        self.moves = moves;
    }

    fn schedule(&mut self, slot: u32, file: &mut File, one: Move, stamp: u32) {
        let assumed = &self.ground.assumed;
        let hours =
            self.ground.offered.get(file.offered).and_then(|offered| self.ground.hours.get(offered.hours));
        let hours = hours.unwrap_or(&self.ground.always);
        let dice = &mut file.dice;
        let now = self.now;
        let work = &assumed.work;
        let mut prepared = |time: super::assumptions::Time| {
            let aside = dice.happens(work.put_aside.get());
            let wait = time.draw(dice, 60.0) + if aside { work.put_aside_for.draw(dice, 60.0) } else { 0 };
            hours.after(now, wait)
        };
        let wait = |seconds: i64| now + seconds.max(60);
        let (at, event) = match one {
            Move::Qualify | Move::PostAcknowledgement | Move::Claim | Move::HandOver(_) => {
                return self.enqueue(slot, file, one, stamp);
            }
            Move::Task(_) => (prepared(work.task_ready), Event::Ready { slot, stamp }),
            Move::Answer(_) => (prepared(work.answer_ready), Event::Ready { slot, stamp }),
            Move::Resume => (prepared(work.put_aside_for), Event::Ready { slot, stamp }),
            Move::Decide(..) => {
                let seconds = assumed.approvers.decide.draw(dice, 60.0);
                (hours.after(now, seconds.max(60)), Event::Do { slot, stamp })
            }
            Move::Reply => (wait(assumed.requesters.reply.draw(dice, 3_600.0)), Event::Do { slot, stamp }),
            Move::Withdraw => (wait(dice.between(12_000, 300_000)), Event::Do { slot, stamp }),
            Move::Rate => (wait(dice.between(3_600, 240_000)), Event::Do { slot, stamp }),
            Move::Reopen => (wait(dice.between(36_000, 540_000)), Event::Do { slot, stamp }),
        };
        self.at(at, event);
    }

    /// Work that was prepared joins the queue.
    fn ready(&mut self, slot: u32, stamp: u32) {
        let Some(planned) = planned(&self.files, slot, stamp).copied() else { return };
        let Some(mut file) = self.take_file(slot) else { return };
        let post = self.desk.post_of_service(file.state.service.as_deref());
        self.waited(Wait::Preparation, post, file.offered, planned.since, file.counted);
        self.enqueue(slot, &mut file, planned.one, stamp);
        self.settle(slot, file);
    }

    fn enqueue(&mut self, slot: u32, file: &mut File, one: Move, stamp: u32) {
        let work = &self.ground.assumed.work;
        let kind = file.plan.definition().kind;
        let complex = file.state.complexity == guichet_engine::rules::process::Complexity::Complex;
        let factor = if complex { work.complex.get() } else { 1.0 };
        let sheet = |place: usize| file.plan.definition().treatment.get(place).map(|sheet| sheet.by.clone());
        let (party, time, factor) = match one {
            Move::Qualify => (file.plan.definition().qualification.by.clone(), work.qualify, 1.0),
            Move::Claim => (Some(Party::ServiceInCharge), work.claim, 1.0),
            Move::Task(place) => (sheet(place), work.task.get(kind), factor),
            Move::Answer(_) => (None, work.answer.get(kind), factor),
            _ => (None, work.hand_over, 1.0),
        };
        let service = file.state.service.as_deref();
        let party = match (party, service) {
            (Some(party), _) => party,
            (None, Some(_)) => Party::ServiceInCharge,
            (None, None) => self.front_office(file.offered).unwrap_or(Party::ServiceInCharge),
        };
        let seconds = time.draw(&mut file.dice, 60.0 * factor).max(1);
        let rank = match file.state.priority {
            Priority::Urgent => 1,
            Priority::High => 2,
            Priority::Normal => 3,
            Priority::Low => 4,
        };
        let promises = file.state.live_clocks().map(|clock| clock.due.timestamp());
        let due = promises.min().unwrap_or(self.now + 2_592_000);
        let pool = self.desk.pool(self.ground, &party, file.offered, service);
        let about = About::File { slot, stamp };
        let work = Work { rank, due, number: 0, about, seconds, since: self.now };
        // The file is out of its slot: whoever begins at once is told afterwards.
        if let Some(begun) = self.desk.add(pool, work, self.now) {
            let post = self.desk.agents.get(begun.agent).map_or(0, |agent| agent.post);
            self.at(begun.done, Event::Done(begun.agent));
            let until = begun.done.min(self.ground.end);
            self.desk.spent(begun.agent, self.now.max(self.ground.counted_from), until);
            if let Some(wait) = wait_of(one) {
                self.waited(wait, post, file.offered, self.now, file.counted);
            }
        }
    }

    /// Makes a move that was planned, if it still has a reason.
    fn perform(&mut self, slot: u32, stamp: u32, who: Option<&str>) {
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
    fn twin(&self, slot: u32) -> Option<Request> {
        let file = file_at(&self.files, slot).filter(|file| file.fates.has(super::moves::Fate::Merge))?;
        let others = self.recent.get(file.offered)?.iter().filter(|other| **other != slot);
        let before = |other: &&File| {
            other.state.milestones.received < file.state.milestones.received && acts::is_open(&other.state)
        };
        others.filter_map(|other| file_at(&self.files, *other)).find(before).map(|other| other.state.clone())
    }

    fn finish(mut self) -> (Figures, Vec<Step>) {
        let end = self.ground.end;
        for file in self.files.iter().flatten() {
            self.figures.ended(file, end);
        }
        self.figures.queue_at_end = u64::try_from(self.desk.waiting()).unwrap_or_default();
        self.figures.still_waiting = u64::try_from(self.visitors.len()).unwrap_or_default();
        let name = |post: usize| self.desk.posts.get(post).cloned().unwrap_or_default();
        for agent in &self.desk.agents {
            let of = self.figures.posts.entry(name(agent.post)).or_insert_with(OfPost::default);
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

fn wait_of(one: Move) -> Option<Wait> {
    match one {
        Move::Qualify => Some(Wait::Qualify),
        Move::Task(_) => Some(Wait::Task),
        Move::Answer(_) => Some(Wait::Answer),
        Move::HandOver(_) | Move::PostAcknowledgement => Some(Wait::HandOver),
        Move::Claim
        | Move::Decide(..)
        | Move::Reply
        | Move::Resume
        | Move::Withdraw
        | Move::Rate
        | Move::Reopen => None,
    }
}

fn file_at(files: &[Option<Box<File>>], slot: u32) -> Option<&File> {
    files.get(usize::try_from(slot).ok()?)?.as_deref()
}

/// What is planned under a stamp, if it still is.
fn planned(files: &[Option<Box<File>>], slot: u32, stamp: u32) -> Option<&Planned> {
    file_at(files, slot)?.planned.iter().find(|planned| planned.stamp == stamp)
}
