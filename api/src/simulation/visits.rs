//! Who comes is served, and what they bring is recorded.

use std::sync::Arc;

use guichet_engine::rules::process::{Channel, Opener, Party, request_of};
use guichet_engine::rules::request::{Actor, Command, CommandId, RequestId};
use uuid::Uuid;

use super::acts::{self, Act};
use super::arrivals::{Arrival, PATROLLER, at_desk};
use super::desk::{About, Work};
use super::dice::Dice;
use super::file::{Asking, File, Target, decided};
use super::ground::instant;
use super::moves::Fates;
use super::run::{Event, Given, NAMESPACE, REQUEST, Run, Step, Visitor};

impl Run<'_> {
    pub(super) fn arrive(&mut self, place: u32) {
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
    pub(super) fn front_office(&self, offered: usize) -> Option<Party> {
        let of = |place: usize| self.ground.offered.get(place)?.plan.definition().qualification.by.clone();
        of(offered).or_else(|| self.ground.front_office.clone())
    }

    /// A request is recorded: by itself, or by the agent who served whoever brought it.
    pub(super) fn receive(&mut self, arrival: &Arrival, number: u64, mut dice: Dice, who: Option<&str>) {
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
}
