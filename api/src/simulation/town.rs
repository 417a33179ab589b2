//! The town's days: who comes is received, what is planned is done, and between two steps the engine's own workers run.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use guichet_engine::rules::calendar::Calendar;
use guichet_engine::rules::process::{Party, Plan};
use guichet_engine::rules::request::{Actor, Command, CommandId, RequestId, timers};
use guichet_engine::{EngineError, ManualClock, Receipt, Submission};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::acts::{act, is_open, receive};
use super::arrivals::{Arrival, Offer, midnight, month, next_day};
use super::dice::Dice;
use super::moves::{Fate, File, Move, fates};
use super::staff::Staff;
use super::{Lived, Month, SimulationError};
use crate::Guichet;
use crate::import::Areas;
use crate::workers::{Outbox, Timers};

/// The town hall looks at its clock every so many minutes; what happens in between shares a step, and an fsync.
const STEP: i64 = 5;
/// The most rounds of the outbox in one step.
const ROUNDS: usize = 200;
/// The names from which the ids of a simulation's commands are made.
const NAMESPACE: Uuid = Uuid::from_u128(0xb1a5_35c4_7f06_4f2c_9d0e_84a6_2dd1_5b38);

/// Lives a month: everything that happens in it goes through the engine of `guichet`, whose clock is `clock`. `progress` is
/// told how many of how many minutes are over.
///
/// # Errors
/// [`SimulationError`]; what was done before stands in the journal.
pub async fn live(
    guichet: &Guichet,
    clock: &ManualClock,
    seed: u64,
    days: &Month,
    areas: &Areas,
    progress: &mut (dyn FnMut(i64, i64) + Send),
) -> Result<Lived, SimulationError> {
    let offered = offered(guichet);
    let first = offered.first().map(|(_, plan)| Arc::clone(plan)).ok_or(SimulationError::NoProcess)?;
    let calendar = town_calendar(&offered, &first).ok_or(SimulationError::NoProcess)?;
    let mut dice = Dice::new(seed);
    let patrolled = |tenant: &str| {
        let party = Party::Role("patrouilleur".into());
        let organisation = guichet.engine().definitions().organisation(tenant);
        organisation.is_some_and(|organisation| !organisation.all_of(&party, tenant, None).is_empty())
    };
    let arrivals = month(&mut dice, &Offer::new(&offered, &patrolled), days, calendar);
    let begin = midnight(days.from, calendar.zone());
    let end = midnight(next_day(days.until), calendar.zone());
    clock.move_to(begin);
    let mut town = Town {
        guichet,
        clock,
        seed,
        dice,
        areas,
        arrivals: arrivals.into(),
        files: BTreeMap::new(),
        agenda: BTreeMap::new(),
        alarms: BTreeSet::new(),
        staff: Staff::default(),
        timers: Timers::new(guichet),
        outbox: Outbox::new(guichet),
        lived: Lived { until: Some(end), ..Lived::default() },
    };
    let whole = (end - begin).num_minutes();
    while let Some(next) = town.next().filter(|next| *next < end) {
        let now = round_up(next, begin).min(end);
        town.step(now).await?;
        progress((now - begin).num_minutes(), whole);
    }
    clock.move_to(end);
    town.work(end, BTreeSet::new()).await?;
    progress(whole, whole);
    Ok(town.lived)
}

fn round_up(instant: DateTime<Utc>, begin: DateTime<Utc>) -> DateTime<Utc> {
    let minutes = (instant - begin).num_minutes() / STEP * STEP + STEP;
    begin + TimeDelta::minutes(minutes)
}

/// What all collectivities offer.
fn offered(guichet: &Guichet) -> Vec<(String, Arc<Plan>)> {
    let definitions = guichet.engine().definitions();
    let of = |tenant: String| {
        let plans = definitions.all_in_force(&tenant);
        plans.into_iter().map(move |plan| (tenant.clone(), plan))
    };
    definitions.tenants().into_iter().flat_map(of).collect()
}

/// The hours of the town hall: of what most processes count by.
fn town_calendar<'a>(offered: &'a [(String, Arc<Plan>)], first: &'a Arc<Plan>) -> Option<&'a Calendar> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, plan) in offered {
        *counts.entry(plan.definition().calendar.as_str()).or_default() += 1;
    }
    let name = counts.into_iter().max_by_key(|(_, count)| *count).map(|(name, _)| name)?;
    let with = offered.iter().map(|(_, plan)| plan).find(|plan| plan.definition().calendar == name);
    with.unwrap_or(first).calendar(name)
}

/// Something that is about to be submitted.
enum Job {
    Arrive(Box<Arrival>),
    Move(RequestId, Move, Option<String>),
}

struct Town<'a> {
    guichet: &'a Guichet,
    clock: &'a ManualClock,
    seed: u64,
    dice: Dice,
    areas: &'a Areas,
    arrivals: VecDeque<Arrival>,
    files: BTreeMap<RequestId, File>,
    /// What people will do: when, and the move of which request.
    agenda: BTreeMap<(DateTime<Utc>, RequestId, Move), Option<String>>,
    /// The soonest timer of each request.
    alarms: BTreeSet<(DateTime<Utc>, RequestId)>,
    staff: Staff,
    timers: Timers,
    outbox: Outbox,
    lived: Lived,
}

impl Town<'_> {
    /// The next instant at which something happens.
    fn next(&self) -> Option<DateTime<Utc>> {
        let arrival = self.arrivals.front().map(|arrival| arrival.at);
        let planned = self.agenda.keys().next().map(|(at, ..)| *at);
        let alarm = self.alarms.first().map(|(at, _)| *at);
        [arrival, planned, alarm].into_iter().flatten().min()
    }

    /// Everything up to `now`.
    async fn step(&mut self, now: DateTime<Utc>) -> Result<(), SimulationError> {
        self.clock.move_to(now);
        let mut touched = BTreeSet::new();
        let (jobs, later) = self.due(now);
        self.submit(jobs, &mut touched).await?;
        for ((at, request, one), who) in later {
            self.agenda.insert((at, request, one), who);
        }
        self.work(now, touched).await
    }

    /// What is due, in the order of time, one move of each request; the others wait for the next step.
    #[allow(clippy::type_complexity, reason = "two lists that nobody else sees")]
    fn due(
        &mut self,
        now: DateTime<Utc>,
    ) -> (Vec<(DateTime<Utc>, Job)>, Vec<((DateTime<Utc>, RequestId, Move), Option<String>)>) {
        let mut jobs = Vec::new();
        let mut later = Vec::new();
        let mut taken = BTreeSet::new();
        while self.arrivals.front().is_some_and(|arrival| arrival.at <= now) {
            if let Some(arrival) = self.arrivals.pop_front() {
                jobs.push((arrival.at, Job::Arrive(Box::new(arrival))));
            }
        }
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let ((at, request, one), who) = entry.remove_entry();
            if taken.insert(request) {
                jobs.push((at, Job::Move(request, one, who)));
            } else {
                later.push(((now + TimeDelta::seconds(1), request, one), who));
            }
        }
        jobs.sort_by_key(|(at, _)| *at);
        (jobs, later)
    }

    /// Submits what is due, all at once, and takes the answers in the order of the jobs.
    async fn submit(
        &mut self,
        jobs: Vec<(DateTime<Utc>, Job)>,
        touched: &mut BTreeSet<RequestId>,
    ) -> Result<(), SimulationError> {
        let mut under_way: JoinSet<(usize, Result<Receipt, EngineError>)> = JoinSet::new();
        let mut waiting = BTreeMap::new();
        for (place, (at, job)) in jobs.into_iter().enumerate() {
            let Some((submission, about)) = self.prepare(at, job) else { continue };
            waiting.insert(place, (about, submission.tenant.clone()));
            let guichet = self.guichet.clone();
            under_way.spawn(async move { (place, guichet.submit(submission).await) });
        }
        let mut answers = BTreeMap::new();
        while let Some(answer) = under_way.join_next().await {
            let (place, answer) = answer.map_err(|error| SimulationError::Broken(error.to_string()))?;
            answers.insert(place, answer);
        }
        for (place, answer) in answers {
            let Some((about, tenant)) = waiting.remove(&place) else { continue };
            match answer {
                Ok(receipt) => {
                    self.lived.commands += 1;
                    touched.insert(receipt.request);
                    self.answered(tenant, about, &receipt);
                }
                Err(EngineError::Rejected(rejection)) => {
                    *self.lived.refused.entry(rejection.code.clone()).or_default() += 1;
                    if let Some(request) = about {
                        // Something came between; what is to be done is thought over again.
                        touched.insert(request);
                        self.plan(request);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn prepare(&mut self, at: DateTime<Utc>, job: Job) -> Option<(Submission, Option<RequestId>)> {
        match job {
            Job::Arrive(arrival) => {
                let organisation = self.guichet.engine().definitions().organisation(&arrival.tenant)?;
                let made = receive(&arrival, &organisation, self.areas, &mut self.dice, &self.staff);
                let Some(act) = made else {
                    let code = format!("simulation.form:{}", arrival.plan.definition().process);
                    *self.lived.refused.entry(code).or_default() += 1;
                    return None;
                };
                self.lived.processes.insert(arrival.plan.definition().process.clone());
                Some((self.submission(&arrival.tenant, None, act, at), None))
            }
            Job::Move(request, one, who) => {
                let twin = self.twin(request);
                let file = self.files.get_mut(&request)?;
                file.planned.remove(&one);
                if !file.moves().contains(&one) {
                    return None;
                }
                let tenant = file.tenant.clone();
                match act(file, &one, who.as_deref(), at, twin, self.areas, &mut self.dice) {
                    Some(act) => Some((self.submission(&tenant, Some(request), act, at), Some(request))),
                    None => {
                        self.plan(request);
                        None
                    }
                }
            }
        }
    }

    fn submission(
        &mut self,
        tenant: &str,
        request: Option<RequestId>,
        (command, actor): (Command, Actor),
        at: DateTime<Utc>,
    ) -> Submission {
        let number = self.lived.commands + self.lived.refused.values().sum::<u64>();
        let about = request.map(|request| request.to_string()).unwrap_or_default();
        // A number alone would come again within a step, in which nothing is counted yet.
        let name =
            format!("{}:{number}:{}:{about}:{}", self.seed, at.timestamp_micros(), self.dice.below(u64::MAX));
        let command_id = CommandId(Uuid::new_v5(&NAMESPACE, name.as_bytes()));
        let tenant = tenant.to_owned();
        Submission { tenant, request, command, actor, command_id, occurred_at: Some(at), expected: None }
    }

    /// An open request about the same thing, received before.
    fn twin(&self, request: RequestId) -> Option<RequestId> {
        let file = self.files.get(&request).filter(|file| file.fates.contains(&Fate::Merge))?;
        let before = |other: &&File| {
            other.state.id != request
                && other.tenant == file.tenant
                && other.state.process == file.state.process
                && other.state.milestones.received < file.state.milestones.received
                && is_open(other)
        };
        self.files.values().find(before).map(|other| other.state.id)
    }

    /// Takes in what a command made of a request.
    fn answered(&mut self, tenant: String, about: Option<RequestId>, receipt: &Receipt) {
        let request = receipt.request;
        if about.is_none() {
            let definitions = self.guichet.engine().definitions();
            let plan = definitions.version(&receipt.state.definition);
            let (Some(plan), Some(organisation)) = (plan, definitions.organisation(&tenant)) else { return };
            self.lived.requests += 1;
            self.lived.received.push((tenant.clone(), request));
            let fates = fates(&mut self.dice, plan.definition().kind);
            let file = File {
                tenant,
                state: Arc::clone(&receipt.state),
                revision: receipt.revision,
                plan,
                organisation,
                fates,
                planned: BTreeMap::new(),
                drafts: 0,
                alarm: None,
            };
            self.files.insert(request, file);
        }
        self.changed(request, Arc::clone(&receipt.state), receipt.revision);
    }

    fn changed(
        &mut self,
        request: RequestId,
        state: Arc<guichet_engine::rules::request::Request>,
        revision: u64,
    ) {
        let Some(file) = self.files.get_mut(&request) else { return };
        if file.state.definition != state.definition
            && let Some(plan) = self.guichet.engine().definitions().version(&state.definition)
        {
            file.plan = plan;
        }
        let was_approved = matches!(file.state.stage, guichet_engine::rules::request::Stage::InValidation(_));
        if was_approved && matches!(state.stage, guichet_engine::rules::request::Stage::Assigned) {
            file.drafts += 1;
        }
        (file.state, file.revision) = (state, revision);
        let alarm = timers(&file.state).first().map(|timer| timer.due);
        if let Some(old) = file.alarm.take() {
            self.alarms.remove(&(old, request));
        }
        if let Some(alarm) = alarm {
            file.alarm = Some(alarm);
            self.alarms.insert((alarm, request));
        }
        self.plan(request);
    }

    /// Plans what is not planned yet, and drops what has lost its reason.
    fn plan(&mut self, request: RequestId) {
        let Some(file) = self.files.get_mut(&request) else { return };
        let moves = file.moves();
        file.planned.retain(|one, (at, _)| {
            let keep = moves.contains(one);
            if !keep {
                self.agenda.remove(&(*at, request, one.clone()));
            }
            keep
        });
        let now = guichet_engine::Clock::now(self.clock);
        for one in moves {
            if file.planned.contains_key(&one) {
                continue;
            }
            let (at, who) = file.when(&one, now, &mut self.dice, &mut self.staff);
            let at = at.max(now + TimeDelta::seconds(1));
            self.agenda.insert((at, request, one.clone()), who.clone());
            file.planned.insert(one, (at, who));
        }
    }

    /// Lets the engine's workers run until there is nothing left for them to do.
    async fn work(
        &mut self,
        now: DateTime<Utc>,
        mut touched: BTreeSet<RequestId>,
    ) -> Result<(), SimulationError> {
        let rings = |(at, request): &(DateTime<Utc>, RequestId)| (*at <= now).then_some(*request);
        let ringing: Vec<RequestId> = self.alarms.iter().map_while(rings).collect();
        if !ringing.is_empty() {
            let fired = self.timers.run_once(now).await?;
            self.lived.timers += u64::try_from(fired.fired).unwrap_or_default();
            touched.extend(ringing);
        }
        if touched.is_empty() {
            return Ok(());
        }
        for _ in 0..ROUNDS {
            if self.outbox.run_once(now).await?.claimed == 0 {
                break;
            }
        }
        for request in touched {
            let Some(file) = self.files.get(&request) else { continue };
            let (tenant, revision) = (file.tenant.clone(), file.revision);
            let known = self.guichet.request(&tenant, request).await?;
            if known.revision != revision {
                self.changed(request, known.request, known.revision);
            }
        }
        Ok(())
    }
}
