//! What a town stands on, the same for every seed: what it offers, who works there, its hours.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone, Utc};
use guichet_engine::rules::calendar::Calendar;
use guichet_engine::rules::language::Catalogue;
use guichet_engine::rules::organisation::{Organisation, Person};
use guichet_engine::rules::process::{Definition, Kind, Party, Plan, PlanError};
use schemars::JsonSchema;
use serde::Serialize;

use super::SimulationError;
use super::assumptions::Assumptions;
use super::hours::{Hours, Second};
use super::staffing::{Post, staffed};
use crate::import::Areas;

/// Days beyond the end for which working time is known: work may be finished later.
const BEYOND: u64 = 400;

/// A process that a collectivity offers.
#[derive(Debug, Clone)]
pub(super) struct Offered {
    pub(super) tenant: Arc<str>,
    pub(super) plan: Arc<Plan>,
    pub(super) kind: Kind,
    /// Its place among the hours: those that its process counts by.
    pub(super) hours: usize,
}

/// What the collectivities of a catalogue offer, its plans compiled: by collectivity, then by name, as an engine that it
/// is published to knows them.
///
/// # Errors
/// [`PlanError`] when a definition cannot run, which the checker would have refused.
pub fn offered(catalogue: &Catalogue) -> Result<Vec<(String, Arc<Plan>)>, PlanError> {
    let compile = |definition: &Definition| Plan::compile(Arc::new(definition.clone())).map(Arc::new);
    let mut plans = catalogue.definitions.iter().map(compile).collect::<Result<Vec<_>, _>>()?;
    plans.sort_by(|a, b| a.definition().process.cmp(&b.definition().process));
    let mut tenants: Vec<&str> =
        catalogue.organisation.tenants.iter().map(|tenant| tenant.tenant.as_str()).collect();
    tenants.sort_unstable();
    let of = |tenant: &str| {
        let mine = |plan: &&Arc<Plan>| plan.definition().tenants.iter().any(|other| other == tenant);
        plans.iter().filter(mine).map(|plan| (tenant.to_owned(), Arc::clone(plan))).collect::<Vec<_>>()
    };
    Ok(tenants.into_iter().flat_map(of).collect())
}

/// The days that are lived, both included, in the town's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Period {
    /// First day that is counted.
    pub from: NaiveDate,
    /// Last day.
    pub until: NaiveDate,
}

/// A town: its processes, its people, what is assumed of it, and the days to be lived.
#[derive(Debug)]
pub struct Ground {
    pub(super) assumed: Assumptions,
    pub(super) period: Period,
    pub(super) offered: Vec<Offered>,
    pub(super) organisation: Arc<Organisation>,
    /// Services and roles from which everyone was taken away on purpose.
    pub(super) deserted: BTreeSet<String>,
    pub(super) areas: Areas,
    /// The collectivity with the most people.
    pub(super) largest: String,
    /// Who qualifies most processes.
    pub(super) front_office: Option<Party>,
    /// Working time by calendar; the first is the town's.
    pub(super) hours: Vec<Hours>,
    /// For each service, the place of its hours.
    pub(super) hours_of_service: BTreeMap<String, usize>,
    /// Day and night.
    pub(super) always: Hours,
    /// The town's calendar.
    pub(super) calendar: Calendar,
    /// First instant that is lived, warm-up included.
    pub(super) begin: Second,
    /// First instant that is counted.
    pub(super) counted_from: Second,
    /// The end.
    pub(super) end: Second,
}

impl Ground {
    /// Makes a town of what is offered, by collectivity.
    ///
    /// # Errors
    /// [`SimulationError::NoProcess`] where nothing is offered, [`SimulationError::NobodyCalled`] where the
    /// assumptions name a service, role or process that is not there.
    pub fn new(
        offered: Vec<(String, Arc<Plan>)>,
        organisation: &Organisation,
        areas: Areas,
        assumed: Assumptions,
        period: Period,
    ) -> Result<Self, SimulationError> {
        let calendar = town_calendar(&offered).ok_or(SimulationError::NoProcess)?;
        let unknown = |name: &&String| !offered.iter().any(|(_, plan)| plan.definition().process == **name);
        let named = Assumptions::default().processes;
        if let Some(name) = assumed.processes.keys().filter(|name| !named.contains_key(*name)).find(unknown) {
            return Err(SimulationError::NobodyCalled(name.clone()));
        }
        let (organisation, deserted) = staffed(organisation, &assumed)?;
        let zone = calendar.zone();
        let first =
            period.from.checked_sub_days(Days::new(assumed.warm_up_days.into())).unwrap_or(period.from);
        let last = period.until.checked_add_days(Days::new(BEYOND)).unwrap_or(period.until);
        let mut shelf = Shelf { first, last, hours: Vec::new(), places: BTreeMap::new() };
        shelf.place(&calendar);
        let offered: Vec<Offered> = offered
            .into_iter()
            .map(|(tenant, plan)| {
                let definition = plan.definition();
                let hours = plan.calendar(&definition.calendar).map_or(0, |calendar| shelf.place(calendar));
                Offered { tenant: tenant.into(), kind: definition.kind, hours, plan }
            })
            .collect();
        let front_office = front_office(&offered);
        let largest = largest(&organisation);
        let (begin, counted_from) = (midnight(first, zone), midnight(period.from, zone));
        let end = midnight(next_day(period.until), zone);
        let always = Hours::always(begin, midnight(last, zone));
        let mut ground = Self {
            assumed,
            period,
            offered,
            organisation: Arc::new(organisation),
            deserted,
            areas,
            largest,
            front_office,
            hours: shelf.hours,
            hours_of_service: BTreeMap::new(),
            always,
            calendar,
            begin,
            counted_from,
            end,
        };
        ground.hours_of_service = ground.service_hours();
        Ok(ground)
    }

    /// The hours that most processes of each service count by. Nobody works day and night because a process does.
    fn service_hours(&self) -> BTreeMap<String, usize> {
        let mut counts: BTreeMap<&str, BTreeMap<usize, usize>> = BTreeMap::new();
        for offered in &self.offered {
            for rule in &offered.plan.definition().assignment {
                let service = rule.is.strip_prefix("service:").unwrap_or(&rule.is);
                *counts.entry(service).or_default().entry(offered.hours).or_default() += 1;
            }
        }
        let most = |hours: BTreeMap<usize, usize>| {
            let place = hours.into_iter().max_by_key(|(place, count)| (*count, std::cmp::Reverse(*place)))?.0;
            let week = 7 * 86_400;
            let open = |place: usize| {
                self.hours.get(place).map_or(0, |hours| hours.between(self.begin, self.begin + week))
            };
            Some(if open(place) > week * 9 / 10 && open(0) < week * 9 / 10 { 0 } else { place })
        };
        counts.into_iter().filter_map(|(service, hours)| Some((service.to_owned(), most(hours)?))).collect()
    }

    /// What is assumed of it.
    #[must_use]
    pub fn assumptions(&self) -> &Assumptions {
        &self.assumed
    }

    /// How many people work on requests at a post.
    pub(super) fn people_at(&self, post: &Post) -> u16 {
        let working = |person: &&Person| post.is_held_by(person) && self.share(person) >= BUSY_WITH_REQUESTS;
        u16::try_from(self.organisation.people.iter().filter(working).count()).unwrap_or(u16::MAX)
    }

    /// How much of their working time someone has for requests.
    pub(super) fn share(&self, person: &Person) -> f64 {
        share_of(&self.assumed, person)
    }

    /// Those who do the work that `party` names for a request of `service`, in the order of the organisation:
    /// whoever has time for requests, else whoever is there.
    pub(super) fn workers(&self, party: &Party, tenant: &str, service: Option<&str>) -> Vec<&Person> {
        let deserted = match party {
            Party::Service(id) => self.deserted.contains(&format!("service:{id}")),
            Party::ServiceInCharge => {
                service.is_some_and(|id| self.deserted.contains(&format!("service:{id}")))
            }
            Party::Role(role) => self.deserted.contains(&format!("role:{role}@{tenant}")),
            Party::Person(_) => false,
        };
        if deserted {
            return Vec::new();
        }
        let near = self.organisation.concerned(party, tenant, service);
        let all = if near.is_empty() { self.organisation.all_of(party, tenant, service) } else { near };
        let busy: Vec<&Person> =
            all.iter().copied().filter(|person| self.share(person) >= BUSY_WITH_REQUESTS).collect();
        if busy.is_empty() { all } else { busy }
    }
}

/// Whoever has less of their time for requests than this leads, and only does what nobody else can.
pub(super) const BUSY_WITH_REQUESTS: f64 = 0.2;

/// How much of their working time someone has for requests: the largest figure of their roles.
pub(super) fn share_of(assumed: &Assumptions, person: &Person) -> f64 {
    let staff = &assumed.staff;
    let said = person.roles.iter().filter_map(|role| staff.time_by_role.get(role));
    let most = said.map(|share| share.get()).reduce(f64::max);
    most.unwrap_or_else(|| staff.time_for_requests.get()).max(0.01)
}

struct Shelf {
    first: NaiveDate,
    last: NaiveDate,
    hours: Vec<Hours>,
    places: BTreeMap<String, usize>,
}

impl Shelf {
    fn place(&mut self, calendar: &Calendar) -> usize {
        if let Some(place) = self.places.get(calendar.version()) {
            return *place;
        }
        self.hours.push(Hours::of(calendar, self.first, self.last, |_| true));
        let place = self.hours.len() - 1;
        self.places.insert(calendar.version().to_owned(), place);
        place
    }
}

fn largest(organisation: &Organisation) -> String {
    let people = |tenant: &str| organisation.people.iter().filter(|person| person.tenant == tenant).count();
    let largest = organisation.tenants.iter().max_by_key(|tenant| people(&tenant.tenant));
    largest.map(|tenant| tenant.tenant.clone()).unwrap_or_default()
}

fn front_office(offered: &[Offered]) -> Option<Party> {
    let mut counts: BTreeMap<&Party, usize> = BTreeMap::new();
    for party in offered.iter().filter_map(|offered| offered.plan.definition().qualification.by.as_ref()) {
        *counts.entry(party).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(party, _)| party.clone())
}

/// The hours of the town hall: of what most processes count by.
fn town_calendar(offered: &[(String, Arc<Plan>)]) -> Option<Calendar> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, plan) in offered {
        *counts.entry(plan.definition().calendar.as_str()).or_default() += 1;
    }
    let name = counts.into_iter().max_by_key(|(_, count)| *count).map(|(name, _)| name)?;
    offered.iter().find_map(|(_, plan)| plan.calendar(name)).cloned()
}

/// The instant at which a day begins in a zone.
pub(super) fn midnight(day: NaiveDate, zone: chrono_tz::Tz) -> Second {
    let found = zone.from_local_datetime(&day.and_time(NaiveTime::MIN)).earliest();
    found.map_or_else(|| day.and_time(NaiveTime::MIN).and_utc().timestamp(), |at| at.timestamp())
}

/// The day after.
pub(super) fn next_day(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(day)
}

/// A whole second as an instant.
pub(super) fn instant(at: Second) -> DateTime<Utc> {
    DateTime::from_timestamp(at, 0).unwrap_or_default()
}
