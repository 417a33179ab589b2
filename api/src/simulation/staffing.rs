//! The organisation as the assumptions have it: people added where there should be more, taken away where fewer.

use std::collections::BTreeSet;

use guichet_engine::rules::organisation::{Organisation, Person};

use super::SimulationError;
use super::assumptions::Assumptions;
use super::ground::{BUSY_WITH_REQUESTS, share_of};

/// The most people that a service, or a role of a collectivity, may be given.
const PEOPLE_MAX: u16 = 2_000;

/// A service, or a role in a collectivity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Post {
    Service(String),
    Role(String, String),
}

impl Post {
    /// The post that `service:x`, `role:x@tenant` or, where only one collectivity has the role, `role:x` names.
    pub(super) fn named(name: &str, organisation: &Organisation) -> Result<Self, SimulationError> {
        let unknown = || SimulationError::NobodyCalled(name.to_owned());
        if let Some(id) = name.strip_prefix("service:") {
            return organisation.service(id).map(|_| Self::Service(id.to_owned())).ok_or_else(unknown);
        }
        let (role, tenant) = match name.strip_prefix("role:").ok_or_else(unknown)?.split_once('@') {
            Some((role, tenant)) => (role, Some(tenant)),
            None => (name.strip_prefix("role:").unwrap_or_default(), None),
        };
        let tenants: BTreeSet<&str> =
            organisation.holders(role).map(|person| person.tenant.as_str()).collect();
        let found = match (tenant, tenants.len()) {
            (Some(tenant), _) => tenants.get(tenant).copied(),
            (None, 1) => tenants.first().copied(),
            (None, _) => None,
        };
        found.map(|tenant| Self::Role(role.to_owned(), tenant.to_owned())).ok_or_else(unknown)
    }

    /// Its name, as [`Post::named`] reads it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Service(id) => format!("service:{id}"),
            Self::Role(role, tenant) => format!("role:{role}@{tenant}"),
        }
    }

    /// Whether someone holds it.
    pub(super) fn is_held_by(&self, person: &Person) -> bool {
        match self {
            Self::Service(id) => person.services.contains(id),
            Self::Role(role, tenant) => person.tenant == *tenant && person.roles.contains(role),
        }
    }

    fn give(&self, person: &mut Person) {
        match self {
            Self::Service(id) => person.services = vec![id.clone()],
            Self::Role(role, _) => person.roles = vec![role.clone()],
        }
    }

    fn take_away(&self, person: &mut Person) {
        match self {
            Self::Service(id) => person.services.retain(|service| service != id),
            Self::Role(role, _) => person.roles.retain(|held| held != role),
        }
    }
}

/// The organisation with the people that are assumed, and the posts that nobody is left at.
pub(super) fn staffed(
    organisation: &Organisation,
    assumed: &Assumptions,
) -> Result<(Organisation, BTreeSet<String>), SimulationError> {
    let mut town = organisation.clone();
    let usual = Assumptions::default().requests_a_year.get();
    let busier = (assumed.requests_a_year.get() / usual).max(1.0);
    let scale = assumed.staff.scale.map_or(busier, |scale| scale.get().max(1.0)).min(200.0);
    multiply(&mut town, assumed, scale);
    let mut deserted = BTreeSet::new();
    for (name, wanted) in &assumed.staff.people {
        let post = Post::named(name, organisation)?;
        man(&mut town, assumed, &post, (*wanted).min(PEOPLE_MAX).into());
        if *wanted == 0 {
            deserted.insert(post.name());
        }
    }
    Ok((town, deserted))
}

/// Everyone who works on requests, `scale` times; what is left over goes to the first of the list.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held below 200 times the people")]
fn multiply(town: &mut Organisation, assumed: &Assumptions, scale: f64) {
    let working = |person: &&Person| share_of(assumed, person) >= BUSY_WITH_REQUESTS;
    let models: Vec<Person> = town.people.iter().filter(working).cloned().collect();
    for (model, place) in models.iter().zip(0u32..) {
        let until = (f64::from(place + 1) * scale).floor() as u32;
        let from = (f64::from(place) * scale).floor() as u32;
        for copy in 1..until.saturating_sub(from) {
            town.people.push(colleague(model, assumed, &copy.to_string()));
        }
    }
}

/// Someone who does the same work as `model`, and leads nobody.
fn colleague(model: &Person, assumed: &Assumptions, mark: &str) -> Person {
    let works = |role: &&String| {
        assumed.staff.time_by_role.get(*role).is_none_or(|share| share.get() >= BUSY_WITH_REQUESTS)
    };
    Person {
        person: format!("{}-{mark}", model.person),
        name: format!("{} {mark}", model.name),
        roles: model.roles.iter().filter(works).cloned().collect(),
        ..model.clone()
    }
}

/// Exactly so many people at a post, beside those who only lead there.
fn man(town: &mut Organisation, assumed: &Assumptions, post: &Post, wanted: usize) {
    let there = |person: &&Person| post.is_held_by(person) && share_of(assumed, person) >= BUSY_WITH_REQUESTS;
    let workers: Vec<Person> = town.people.iter().filter(there).cloned().collect();
    if wanted < workers.len() {
        let gone: BTreeSet<&str> = workers.iter().skip(wanted).map(|person| person.person.as_str()).collect();
        for person in town.people.iter_mut().filter(|person| gone.contains(person.person.as_str())) {
            post.take_away(person);
        }
        return;
    }
    let leader = || town.people.iter().find(|person| post.is_held_by(person)).cloned();
    let models = if workers.is_empty() { leader().into_iter().collect() } else { workers.clone() };
    let more = models.iter().cycle().zip(0..).take(wanted - workers.len());
    let more: Vec<Person> = more
        .map(|(model, place): (&Person, usize)| {
            let mut person = colleague(model, assumed, &format!("plus{place}"));
            post.give(&mut person);
            person
        })
        .collect();
    town.people.extend(more);
}
