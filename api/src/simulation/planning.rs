//! What follows from what happened: plans made, plans dropped, queues joined.

use guichet_engine::rules::process::{Party, Priority};

use super::acts;
use super::desk::{About, Work};
use super::figures::Wait;
use super::file::{File, Made, Pending, Planned, is_sent_by_itself};
use super::moves::Move;
use super::run::{Event, REFUSALS_MAX, Run, planned};

impl Run<'_> {
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

    pub(super) fn set_pending(&mut self, slot: u32, file: &mut File, pending: Vec<Pending>) {
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
    pub(super) fn plan(&mut self, slot: u32, file: &mut File) {
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

    pub(super) fn schedule(&mut self, slot: u32, file: &mut File, one: Move, stamp: u32) {
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
            Move::Qualify | Move::PostAcknowledgement | Move::Claim | Move::HandOver(_) | Move::Waive(_) => {
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
            // Paying is a reply, too; the provider says so some minutes later.
            Move::Pay(_) => (wait(assumed.requesters.reply.draw(dice, 3_600.0)), Event::Do { slot, stamp }),
            Move::Settle(_) => (wait(dice.between(60, 600)), Event::Do { slot, stamp }),
            Move::Withdraw => (wait(dice.between(12_000, 300_000)), Event::Do { slot, stamp }),
            Move::Rate => (wait(dice.between(3_600, 240_000)), Event::Do { slot, stamp }),
            Move::Reopen => (wait(dice.between(36_000, 540_000)), Event::Do { slot, stamp }),
        };
        self.at(at, event);
    }

    /// Work that was prepared joins the queue.
    pub(super) fn ready(&mut self, slot: u32, stamp: u32) {
        let Some(planned) = planned(&self.files, slot, stamp).copied() else { return };
        let Some(mut file) = self.take_file(slot) else { return };
        let post = self.desk.post_of_service(file.state.service.as_deref());
        self.waited(Wait::Preparation, post, file.offered, planned.since, file.counted);
        self.enqueue(slot, &mut file, planned.one, stamp);
        self.settle(slot, file);
    }

    pub(super) fn enqueue(&mut self, slot: u32, file: &mut File, one: Move, stamp: u32) {
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
}

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
        | Move::Pay(_)
        | Move::Settle(_)
        | Move::Waive(_)
        | Move::Rate
        | Move::Reopen => None,
    }
}
