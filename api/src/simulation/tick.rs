//! The engine's own work, as its workers do it: every five minutes timers that fell due are fired, in the order of their
//! instants, then what is to be sent is sent.

use chrono::{DateTime, Utc};
use guichet_engine::rules::process::{Delivery, Party};
use guichet_engine::rules::request::{Actor, Command, Effect, Recipient, RequestId};

use super::file::{Asking, File};
use super::ground::instant;
use super::hours::Second;
use super::outbound::bounces;
use super::run::{Run, Step, ToSend};
use crate::outbound::compose::addresses;
use crate::workers::{BATCH, done_command, failed_command};

/// How often the workers look for something to do, in seconds.
const EVERY: Second = 300;

/// The first stroke of the clock at or after an instant.
fn stroke(at: Second) -> Second {
    at.div_euclid(EVERY) * EVERY + if at.rem_euclid(EVERY) == 0 { 0 } else { EVERY }
}

impl Run<'_> {
    /// The next instant at which the workers have something to do.
    pub(super) fn next_tick(&self) -> Option<Second> {
        let alarm = self.alarms.first().map(|(due, ..)| {
            let second = due.timestamp() + i64::from(due.timestamp_subsec_micros() > 0);
            stroke(second.max(self.now))
        });
        let send = (!self.to_send.is_empty()).then(|| stroke(self.now));
        [alarm, send].into_iter().flatten().min()
    }

    /// The clock strikes.
    pub(super) fn tick(&mut self, at: Second) {
        self.now = at;
        let now = instant(at);
        self.step(|| Step::Tick(at));
        while let Some((due, id, slot)) = self.alarms.first().copied().filter(|(due, ..)| *due <= now) {
            self.fire(due, id, slot, now);
        }
        loop {
            let entries: Vec<ToSend> = self.to_send.iter().take(BATCH).cloned().collect();
            if entries.is_empty() {
                return;
            }
            // What is claimed is sent, even if what is reported before it makes it idle.
            let batch: Vec<(ToSend, Effect)> =
                entries.into_iter().filter_map(|entry| Some((entry.clone(), self.effect(&entry)?))).collect();
            // What one request asks for is reported together, at the place of the first.
            let mut order: Vec<u32> = Vec::new();
            for ((_, number, ..), _) in &batch {
                if !order.contains(number) {
                    order.push(*number);
                }
            }
            for number in order {
                self.claimed = Some(number);
                let mine = || batch.iter().filter(|((_, other, ..), _)| *other == number);
                for (entry, effect) in mine() {
                    self.send(entry, effect, now);
                }
                self.claimed = None;
                if let Some(((.., slot), _)) = mine().next()
                    && let Some(file) = self.take_file(*slot)
                {
                    self.settle(*slot, file);
                }
            }
        }
    }

    fn effect(&mut self, entry: &ToSend) -> Option<Effect> {
        let (_, _, id, slot) = entry;
        let file = self.files.get(usize::try_from(*slot).ok()?)?.as_deref();
        let found = file.and_then(|file| file.pending.iter().find(|pending| pending.effect.id == *id));
        let effect = found.map(|pending| pending.effect.clone());
        if effect.is_none() {
            self.to_send.remove(entry);
        }
        effect
    }

    fn fire(&mut self, due: DateTime<Utc>, id: RequestId, slot: u32, now: DateTime<Utc>) {
        self.alarms.remove(&(due, id, slot));
        let Some(mut file) = self.take_file(slot) else { return };
        file.alarm = None;
        let Some((_, timer)) = file.soonest() else { return self.settle(slot, file) };
        let command = Command::Elapse { timer: timer.kind, due: timer.due };
        let asking = Asking { command: &command, actor: &Actor::Engine, now, occurred_at: timer.due };
        match file.asked(&self.ground.organisation, &asking, None) {
            Ok(made) => {
                self.figures.timers += 1;
                self.put_back(slot, file);
                self.changed(slot, made);
            }
            Err(rejection) => {
                self.figures.refused(&rejection.code);
                self.settle(slot, file);
            }
        }
    }

    fn send(&mut self, entry: &ToSend, effect: &Effect, now: DateTime<Utc>) {
        let (_, _, id, slot) = entry;
        self.to_send.remove(entry);
        let Some(mut file) = self.take_file(*slot) else { return };
        let arrives = self.arrives(&file, effect);
        let (kind, about, by) = (&effect.recipient, &effect.subject, effect.by);
        let command = match arrives {
            Ok(()) => done_command(about, kind, by, &effect.id),
            Err(why) => failed_command(about, kind, by, &effect.id, why.to_owned()),
        };
        let asking = Asking { command: &command, actor: &Actor::Engine, now, occurred_at: now };
        match file.asked(&self.ground.organisation, &asking, None) {
            Ok(made) => {
                self.put_back(*slot, file);
                self.changed(*slot, made);
            }
            // Somebody was quicker.
            Err(_) => {
                file.pending.retain(|pending| pending.effect.id != *id);
                self.settle(*slot, file);
            }
        }
    }

    /// Whether a message arrives.
    fn arrives(&mut self, file: &File, effect: &Effect) -> Result<(), &'static str> {
        let requester = &file.state.requester;
        let reached = match (&effect.recipient, effect.by) {
            (Recipient::Requester, Delivery::Email) => requester.by_email,
            (Recipient::Requester, Delivery::Sms) => requester.by_sms,
            (Recipient::Requester, _) => return Ok(()),
            (Recipient::Administration(_), _) => {
                self.figures.messages += u64::from(effect.by == Delivery::Email);
                return Ok(());
            }
            (Recipient::Party(party), _) => {
                let there = self.has_address(party, file);
                self.figures.messages += u64::from(there);
                return if there { Ok(()) } else { Err("nobody there has an address") };
            }
        };
        if !reached {
            return Err("the requester gave no address, or it was erased");
        }
        let id = format!("{}.{}", file.state.id, effect.id);
        if bounces(self.seed, &id, self.ground.assumed.deliveries.bounced.get()) {
            self.figures.bounced += 1;
            return Err("mailbox unknown (simulated)");
        }
        self.figures.messages += 1;
        Ok(())
    }

    fn has_address(&mut self, party: &Party, file: &File) -> bool {
        let service = file.state.service.as_deref();
        let key = (party.clone(), file.offered, service.map(str::to_owned));
        let organisation = &self.ground.organisation;
        let found = || !addresses(party, &file.tenant, service, organisation).is_empty();
        *self.addresses.entry(key).or_insert_with(found)
    }
}
