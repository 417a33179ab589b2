//! The staff and their queues: each person does one thing after the other, in working hours, the most urgent first.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use guichet_engine::rules::organisation::Person;
use guichet_engine::rules::process::Party;

use super::dice::Dice;
use super::ground::Ground;
use super::hours::{Hours, Second};

/// What a piece of work is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum About {
    /// Someone who is there, calls or has written, and is not recorded yet.
    Visitor(u32),
    /// What is planned about a request.
    File { slot: u32, stamp: u32 },
}

/// A piece of work in a queue. The order is that in which it is taken: priority, then due instant, then arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Work {
    /// Lower is sooner.
    pub(super) rank: u8,
    pub(super) due: Second,
    pub(super) number: u64,
    pub(super) about: About,
    /// How long it takes someone who does nothing else, in seconds.
    pub(super) seconds: i64,
    /// Since when it waits.
    pub(super) since: Second,
}

/// Someone at work, or someone on duty for a service.
#[derive(Debug)]
pub(super) struct Agent {
    /// Staff codes: one, or those who take turns of a week.
    codes: Vec<String>,
    hours: Hours,
    share: f64,
    pub(super) post: usize,
    on_shift: bool,
    working_on: Option<Work>,
    idle_since: Second,
    /// Working time spent, counted from the end of the warm-up.
    pub(super) busy: i64,
    pools: Vec<usize>,
}

impl Agent {
    /// The staff code of who is there at `at`.
    pub(super) fn code(&self, at: Second) -> &str {
        let week = usize::try_from(at / 604_800).unwrap_or_default();
        self.codes.get(week % self.codes.len().max(1)).map_or("", String::as_str)
    }

    /// Working time between two instants.
    pub(super) fn there(&self, from: Second, until: Second) -> i64 {
        self.hours.between(from, until)
    }
}

/// A queue and those who work it off.
#[derive(Debug, Default)]
pub(super) struct Pool {
    pub(super) agents: Vec<usize>,
    queue: BinaryHeap<Reverse<Work>>,
    /// Where its figures belong.
    post: usize,
}

/// The people, their queues, and the posts that figures are kept by.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) agents: Vec<Agent>,
    pub(super) pools: Vec<Pool>,
    by_code: HashMap<String, usize>,
    on_duty: HashMap<String, usize>,
    known: HashMap<(Party, usize, Option<String>), usize>,
    /// Names of posts: `service:x`, `role:x@tenant`.
    pub(super) posts: Vec<String>,
    next: u64,
}

/// Someone begins something: when it will be done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    pub(super) agent: usize,
    pub(super) work: Work,
    pub(super) done: Second,
}

impl Desk {
    /// Everyone who works, each with leave of their own for this seed.
    pub(super) fn new(ground: &Ground, seed: u64) -> Self {
        let mut desk = Self {
            agents: Vec::new(),
            pools: Vec::new(),
            by_code: HashMap::new(),
            on_duty: HashMap::new(),
            known: HashMap::new(),
            posts: Vec::new(),
            next: 0,
        };
        for (person, number) in ground.organisation.people.iter().zip(0..) {
            let place = person.services.iter().find_map(|id| ground.hours_of_service.get(id)).copied();
            let hours = ground.hours.get(place.unwrap_or(0)).cloned().unwrap_or_default();
            let away = super::leave::away(ground, &mut Dice::of(seed, LEAVE, number));
            let hours = hours
                .without(|opens| away.contains(&ground.calendar.local_date(super::ground::instant(opens))));
            let post = desk.post(&post_of(ground, person));
            desk.by_code.insert(person.person.clone(), desk.agents.len());
            desk.agents.push(Agent::new(vec![person.person.clone()], hours, ground.share(person), post));
        }
        for service in &ground.assumed.staff.on_call {
            let party = Party::Service(service.clone());
            let tenant = ground.organisation.service(service).map(|service| service.tenant.as_str());
            let people = tenant.map(|tenant| ground.workers(&party, tenant, None)).unwrap_or_default();
            let codes: Vec<String> = people.into_iter().map(|person| person.person.clone()).collect();
            if !codes.is_empty() {
                let post = desk.post(&format!("service:{service}"));
                desk.on_duty.insert(service.clone(), desk.agents.len());
                desk.agents.push(Agent::new(codes, ground.always.clone(), 1.0, post));
            }
        }
        desk
    }

    fn post(&mut self, name: &str) -> usize {
        if let Some(place) = self.posts.iter().position(|known| known == name) {
            return place;
        }
        self.posts.push(name.to_owned());
        self.posts.len() - 1
    }

    /// The place of the post of a service; of none where nobody is in charge.
    pub(super) fn post_of_service(&mut self, service: Option<&str>) -> usize {
        match service {
            Some(service) => self.post(&format!("service:{service}")),
            None => self.post("none"),
        }
    }

    /// The place of a post by its name.
    pub(super) fn post_called(&mut self, name: &str) -> usize {
        self.post(name)
    }

    /// The queue of those whom `party` means for a request of `service`.
    pub(super) fn pool(
        &mut self,
        ground: &Ground,
        party: &Party,
        offered: usize,
        service: Option<&str>,
    ) -> usize {
        let key = (party.clone(), offered, service.map(str::to_owned));
        if let Some(pool) = self.known.get(&key) {
            return *pool;
        }
        let tenant = ground.offered.get(offered).map(|offered| offered.tenant.as_ref()).unwrap_or_default();
        let people = ground.workers(party, tenant, service);
        let mut agents: Vec<usize> =
            people.iter().filter_map(|person| self.by_code.get(&person.person).copied()).collect();
        let service_of = match party {
            Party::Service(id) => Some(id.as_str()),
            Party::ServiceInCharge => service,
            Party::Role(_) | Party::Person(_) => None,
        };
        agents.extend(service_of.and_then(|id| self.on_duty.get(id)).copied());
        let name = match party {
            Party::Role(role) => format!("role:{role}@{tenant}"),
            Party::Person(code) => format!("person:{code}"),
            Party::Service(_) | Party::ServiceInCharge => {
                format!("service:{}", service_of.unwrap_or_default())
            }
        };
        let post = self.post(&name);
        let same = |pool: &Pool| pool.agents == agents && pool.post == post;
        let place = self.pools.iter().position(same).unwrap_or_else(|| {
            let place = self.pools.len();
            for agent in &agents {
                if let Some(agent) = self.agents.get_mut(*agent) {
                    agent.pools.push(place);
                }
            }
            self.pools.push(Pool { agents, queue: BinaryHeap::new(), post });
            place
        });
        self.known.insert(key, place);
        place
    }

    /// Puts work into a queue; whoever is free begins it at once, the one who has been so longest.
    pub(super) fn add(&mut self, pool: usize, work: Work, now: Second) -> Option<Begun> {
        let number = self.next;
        self.next += 1;
        let work = Work { number, ..work };
        let agents = self.pools.get(pool).map(|pool| pool.agents.as_slice()).unwrap_or_default();
        let free = |place: &&usize| {
            self.agents.get(**place).is_some_and(|agent| agent.on_shift && agent.working_on.is_none())
        };
        let idle = |place: &&usize| self.agents.get(**place).map(|agent| agent.idle_since);
        match agents.iter().filter(free).min_by_key(idle).copied() {
            Some(agent) => self.begin(agent, work, now),
            None => {
                if let Some(pool) = self.pools.get_mut(pool) {
                    pool.queue.push(Reverse(work));
                }
                None
            }
        }
    }

    /// Gives an agent who is free the most urgent piece of work of their queues; `wanted` says whether it still has a
    /// reason, and what has none is taken out.
    pub(super) fn take(
        &mut self,
        agent: usize,
        now: Second,
        mut wanted: impl FnMut(&Work) -> bool,
    ) -> Option<Begun> {
        let someone = self.agents.get(agent).filter(|agent| agent.on_shift && agent.working_on.is_none())?;
        let mut best: Option<(Work, usize)> = None;
        for place in &someone.pools {
            let Some(pool) = self.pools.get_mut(*place) else { continue };
            while pool.queue.peek().is_some_and(|Reverse(work)| !wanted(work)) {
                pool.queue.pop();
            }
            let Some(Reverse(work)) = pool.queue.peek() else { continue };
            if best.is_none_or(|(other, _)| *work < other) {
                best = Some((*work, *place));
            }
        }
        let (work, place) = best?;
        self.pools.get_mut(place)?.queue.pop();
        self.begin(agent, work, now)
    }

    fn begin(&mut self, agent: usize, work: Work, now: Second) -> Option<Begun> {
        let someone = self.agents.get_mut(agent)?;
        someone.working_on = Some(work);
        let done = someone.hours.after(now, super::dice::stretched(work.seconds, someone.share));
        Some(Begun { agent, work, done })
    }

    /// Someone is done: with what. Time before `counted_from` does not count as spent.
    pub(super) fn done(&mut self, agent: usize, now: Second) -> Option<Work> {
        let someone = self.agents.get_mut(agent)?;
        someone.idle_since = now;
        someone.working_on.take()
    }

    /// Counts time spent between two instants.
    pub(super) fn spent(&mut self, agent: usize, from: Second, until: Second) {
        if let Some(someone) = self.agents.get_mut(agent) {
            someone.busy += someone.hours.between(from, until);
        }
    }

    /// Someone comes or goes; answers when that changes next.
    pub(super) fn shift(&mut self, agent: usize, now: Second) -> Option<(Second, bool)> {
        let someone = self.agents.get_mut(agent)?;
        let (opens, closes) = someone.hours.next(now)?;
        someone.on_shift = opens <= now;
        Some(if someone.on_shift { (closes, false) } else { (opens, true) })
    }

    /// How much waits, in all queues.
    pub(super) fn waiting(&self) -> usize {
        self.pools.iter().map(|pool| pool.queue.len()).sum()
    }
}

/// The draws for leave.
const LEAVE: u64 = 3;

impl Agent {
    fn new(codes: Vec<String>, hours: Hours, share: f64, post: usize) -> Self {
        Self {
            codes,
            hours,
            share,
            post,
            on_shift: false,
            working_on: None,
            idle_since: 0,
            busy: 0,
            pools: Vec::new(),
        }
    }
}

/// The post that someone's time counts for: a role that most of their time goes into, else their first service.
fn post_of(ground: &Ground, person: &Person) -> String {
    let roles = &ground.assumed.staff.time_by_role;
    let role = person.roles.iter().find(|role| roles.get(*role).is_some_and(|share| share.get() >= 0.5));
    match (role, person.services.first()) {
        (Some(role), _) => format!("role:{role}@{}", person.tenant),
        (None, Some(service)) => format!("service:{service}"),
        (None, None) => format!("management@{}", person.tenant),
    }
}
