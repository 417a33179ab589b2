//! What is kept of requests once they are over: figures, and nothing of the requests.

use std::collections::BTreeMap;

use guichet_engine::rules::process::{Channel, Delivery};
use guichet_engine::rules::request::{ClockStatus, Event, Stage, What};
use schemars::JsonSchema;
use serde::Serialize;

use super::file::File;
use super::ground::instant;
use super::histogram::Histogram;
use super::hours::Second;

/// What became of promises of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Done in time.
    pub kept: u64,
    /// Done too late.
    pub late: u64,
    /// Past due and still not done.
    pub overdue: u64,
    /// Still running, or no longer applicable.
    pub open: u64,
}

impl Kept {
    /// Late, or past due.
    #[must_use]
    pub fn broken(self) -> u64 {
        self.late + self.overdue
    }

    /// On time ÷ all whose outcome is known; none where none is.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a count of promises")]
    pub fn share(self) -> Option<f64> {
        let known = self.kept + self.broken();
        (known > 0).then(|| self.kept as f64 / known as f64)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.kept += other.kept;
        self.late += other.late;
        self.overdue += other.overdue;
        self.open += other.open;
    }

    fn sum(all: impl Iterator<Item = Self>) -> Self {
        all.fold(Self::default(), |mut sum, kept| {
            sum.add(kept);
            sum
        })
    }
}

/// Where a request spends its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// In the queue at the counter.
    Counter,
    /// On the telephone, until someone answers.
    Phone,
    /// As a letter nobody has opened.
    Letter,
    /// Until someone qualifies.
    Qualify,
    /// Until work can be begun: material, appointments, advice; or put aside.
    Preparation,
    /// Until someone has time for a task.
    Task,
    /// Until someone has time to answer.
    Answer,
    /// Until an approver decides.
    Approval,
    /// Until an answer is printed, posted or handed over.
    HandOver,
    /// Until the requester answers.
    Requester,
    /// Suspended.
    Suspended,
}

impl Wait {
    /// What it is called, in French and in English.
    #[must_use]
    pub fn words(self) -> [&'static str; 2] {
        match self {
            Self::Counter => ["au guichet", "at the counter"],
            Self::Phone => ["au téléphone", "on the telephone"],
            Self::Letter => ["courrier à ouvrir", "letters to open"],
            Self::Qualify => ["à qualifier", "to be qualified"],
            Self::Preparation => ["préparation", "preparation"],
            Self::Task => ["tâche à faire", "task to be done"],
            Self::Answer => ["réponse à faire", "answer to be given"],
            Self::Approval => ["à valider", "to be approved"],
            Self::HandOver => ["à remettre", "to be handed over"],
            Self::Requester => ["attente de l’usager", "the requester"],
            Self::Suspended => ["suspendue", "suspended"],
        }
    }
}

/// The figures of one process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfProcess {
    /// Requests received.
    pub received: u64,
    /// Those delivered.
    pub delivered: u64,
    /// Promises, by name.
    pub promises: BTreeMap<String, Kept>,
    /// Hours on the clock from received to delivered.
    pub hours: Histogram,
    /// What they cost, in cents.
    pub cost_cents: u64,
}

impl OfProcess {
    /// All its promises together.
    #[must_use]
    pub fn kept(&self) -> Kept {
        Kept::sum(self.promises.values().copied())
    }
}

/// The figures of one channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OfChannel {
    /// Requests received.
    pub received: u64,
    /// What they cost, letters included, in cents.
    pub cost_cents: u64,
    /// What they saved against the counter, in cents.
    pub saving_cents: u64,
    /// Letters posted for them.
    pub letters: u64,
}

/// The figures of one post: a service, or a role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OfPost {
    /// People.
    pub people: u64,
    /// Time that they worked on requests, in seconds of their working time.
    pub busy: i64,
    /// Their working time, in seconds.
    pub there: i64,
}

/// What one run came to. Two runs with the same seed and the same town are equal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Requests received, warm-up included.
    pub lived: u64,
    /// Requests received in the period: all that follows is about them, unless it says otherwise.
    pub received: u64,
    /// Where they stand at the end, by stage.
    pub stages: BTreeMap<&'static str, u64>,
    /// Requests over, warm-up included.
    pub over: u64,
    /// Requests open at the end, warm-up included.
    pub open: u64,
    /// People who left the counter or hung up before they were served.
    pub gave_up: u64,
    /// People who waited to be served when the period ended.
    pub still_waiting: u64,
    /// Commands carried out, warm-up included.
    pub commands: u64,
    /// Events, warm-up included.
    pub events: u64,
    /// Timers that fired, warm-up included.
    pub timers: u64,
    /// Messages sent, warm-up included.
    pub messages: u64,
    /// Messages that did not arrive, warm-up included.
    pub bounced: u64,
    /// Commands that the rules refused, by code.
    pub refused: BTreeMap<String, u64>,
    /// By process and collectivity, in the order of the catalogue.
    pub processes: Vec<OfProcess>,
    /// Promises by the service in charge.
    pub services: BTreeMap<String, Kept>,
    /// By channel.
    pub channels: BTreeMap<&'static str, OfChannel>,
    /// Seconds waited by kind and post: working time of the process for what people of the town hall do, time on the
    /// clock for what requesters do.
    pub waits: BTreeMap<(Wait, String), Histogram>,
    /// By post.
    pub posts: BTreeMap<String, OfPost>,
    /// What waits at each hour of the week, Monday at midnight first: the sum over the samples.
    pub heat: Vec<u64>,
    /// How often each hour of the week was looked at.
    pub samples: Vec<u64>,
    /// What waits on the first day of each week.
    pub queue: Vec<u64>,
    /// What waits at the end.
    pub queue_at_end: u64,
}

impl Figures {
    /// All promises together.
    #[must_use]
    pub fn kept(&self) -> Kept {
        Kept::sum(self.processes.iter().map(OfProcess::kept))
    }

    /// Takes in what an accepted command made happen.
    pub(super) fn happened(&mut self, file: &File, events: &[Event]) {
        self.commands += 1;
        self.events += u64::try_from(events.len()).unwrap_or_default();
        for event in events {
            let letter = match &event.what {
                What::Acknowledged(event) => event.by == Delivery::Letter,
                What::Delivered(event) => event.by == Delivery::Letter,
                What::DeliveryFailed(event) => event.by == Delivery::Letter,
                _ => false,
            };
            if letter && file.counted {
                let cents = file.plan.definition().costs.letter_out_cents;
                let channel = self.channels.entry(file.state.channel.id()).or_default();
                channel.letters += 1;
                channel.cost_cents += cents;
                if let Some(process) = self.processes.get_mut(file.offered) {
                    process.cost_cents += cents;
                }
            }
        }
    }

    /// Counts a request that was received.
    pub(super) fn came(&mut self, file: &File) {
        self.lived += 1;
        if !file.counted {
            return;
        }
        self.received += 1;
        let costs = file.plan.definition().costs;
        let channel: Channel = file.state.channel;
        let unit = if channel.is_online() { costs.online_cents } else { costs.counter_cents };
        let of = self.channels.entry(channel.id()).or_default();
        of.received += 1;
        of.cost_cents += unit;
        of.saving_cents += costs.counter_cents.saturating_sub(unit);
        if let Some(process) = self.processes.get_mut(file.offered) {
            process.received += 1;
            process.cost_cents += unit;
        }
    }

    /// Counts what became of a request: it is over, or the period is.
    pub(super) fn ended(&mut self, file: &File, end: Second) {
        let finished = file.state.stage.is_finished();
        if finished {
            self.over += 1
        } else {
            self.open += 1
        }
        if !file.counted {
            return;
        }
        *self.stages.entry(file.state.stage.id()).or_default() += 1;
        let Some(process) = self.processes.get_mut(file.offered) else { return };
        if matches!(file.state.stage, Stage::Delivered { .. })
            && let Some(delivered) = file.state.milestones.delivered
        {
            process.delivered += 1;
            let hours = (delivered - file.state.milestones.received).num_hours();
            process.hours.add(u64::try_from(hours).unwrap_or_default());
        }
        let mut whole = Kept::default();
        for clock in &file.state.clocks {
            let mut kept = Kept::default();
            match clock.status {
                ClockStatus::Kept => kept.kept = 1,
                ClockStatus::Late => kept.late = 1,
                ClockStatus::Running if clock.due < instant(end) => kept.overdue = 1,
                ClockStatus::Running | ClockStatus::Paused | ClockStatus::Dropped => kept.open = 1,
            }
            whole.add(kept);
            match process.promises.get_mut(&clock.commitment) {
                Some(known) => known.add(kept),
                None => {
                    process.promises.insert(clock.commitment.clone(), kept);
                }
            }
        }
        match file.state.service.as_ref().map(|service| self.services.get_mut(service)) {
            Some(Some(known)) => known.add(whole),
            Some(None) => {
                self.services.extend(file.state.service.clone().map(|service| (service, whole)));
            }
            None => {}
        }
    }

    pub(super) fn refused(&mut self, code: &str) {
        match self.refused.get_mut(code) {
            Some(count) => *count += 1,
            None => {
                self.refused.insert(code.to_owned(), 1);
            }
        }
    }
}
