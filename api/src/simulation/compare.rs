//! Two towns side by side, and the people that a town needs.

use std::collections::{BTreeMap, BTreeSet};

use guichet_engine::rules::process::Party;
use schemars::JsonSchema;
use serde::Serialize;

use super::answer::{Estimate, Summary, number, over, runs};
use super::figures::{Figures, Kept};
use super::staffing::Post;
use super::{Ground, SimulationError};

/// Two towns that met the same requests: the second beside the first. Differences are taken seed by seed, so that what
/// chance did to both does not hide what the change did.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Comparison {
    /// The other town.
    pub other: Summary,
    /// Broken promises more than in the first; less than 0 is better.
    pub broken: Estimate,
    /// The share of promises kept, less that of the first.
    pub kept: Estimate,
    /// What all requests cost more, in euros.
    pub cost: Estimate,
    /// Broken promises more, by service in charge; those without a difference are left out.
    pub services: BTreeMap<String, Estimate>,
}

impl Comparison {
    /// Compares the runs of two towns, made with the same seeds.
    #[must_use]
    pub fn of((_, first): (&Ground, &[Figures]), (ground, second): (&Ground, &[Figures])) -> Self {
        let difference = |figure: &dyn Fn(&Figures) -> f64| {
            let values: Vec<f64> =
                first.iter().zip(second).map(|(one, other)| figure(other) - figure(one)).collect();
            Estimate::of(&values).unwrap_or(Estimate { mean: 0.0, low: None, high: None })
        };
        let cents = |run: &Figures| run.channels.values().map(|of| of.cost_cents).sum::<u64>();
        let names: BTreeSet<&String> =
            first.iter().chain(second).flat_map(|run| run.services.keys()).collect();
        let broken = |run: &Figures, name: &String| {
            number(run.services.get(name).copied().unwrap_or_default().broken())
        };
        let services = names.into_iter().map(|name| (name.clone(), difference(&|run| broken(run, name))));
        Self {
            other: Summary::of(ground, second),
            broken: difference(&|run| number(run.kept().broken())),
            kept: difference(&|run| run.kept().share().unwrap_or_default()),
            cost: difference(&|run| number(cents(run)) / 100.0),
            services: services.filter(|(_, estimate)| estimate.mean != 0.0).collect(),
        }
    }
}

/// The fewest people with whom a share of promises is kept.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Need {
    /// The post: `service:x` or `role:x@tenant`.
    pub post: String,
    /// The share that was asked for.
    pub target: f64,
    /// People now.
    pub present: u16,
    /// The share kept now: of the promises of requests that the service is in charge of; of a role, of the processes
    /// whose sheets name it.
    pub kept_now: Estimate,
    /// People needed; none where not even the most that were tried are enough.
    pub people: Option<u16>,
    /// The share kept with them, or with the most that were tried.
    pub kept: Estimate,
}

/// Makes a town with so many people at each post.
type Town<'t> = dyn Fn(&BTreeMap<String, u16>) -> Result<Ground, SimulationError> + 't;

/// More people than four times those of now, and four, are not tried.
fn most(present: u16) -> u16 {
    present.saturating_mul(4).saturating_add(4)
}

/// The need of each post, one after the other, with the others as they are: by halving, on the same seeds each time.
///
/// # Errors
/// [`SimulationError::NobodyCalled`] where a post is not there.
pub fn need(
    town: &Town<'_>,
    posts: &[String],
    target: f64,
    (seeds, online, at_once): (&[u64], f64, usize),
    told: &(dyn Fn() + Sync),
) -> Result<Vec<Need>, SimulationError> {
    let ground = town(&BTreeMap::new())?;
    let now = runs(&ground, seeds, online, at_once, told);
    let all: Vec<String> = if posts.is_empty() {
        let services: BTreeSet<&String> = now.iter().flat_map(|run| run.services.keys()).collect();
        services.into_iter().map(|service| format!("service:{service}")).collect()
    } else {
        posts.to_vec()
    };
    let mut needs = Vec::new();
    for name in all {
        let post = Post::named(&name, &ground.organisation)?;
        let estimate = |ground: &Ground, runs: &[Figures]| {
            over(runs, |run| of(&post, ground, run).share().unwrap_or(1.0))
        };
        let with = |people: u16| -> Result<Estimate, SimulationError> {
            let ground = town(&BTreeMap::from([(name.clone(), people)]))?;
            let lived = runs(&ground, seeds, online, at_once, told);
            Ok(estimate(&ground, &lived))
        };
        let present = ground.people_at(&post);
        let kept_now = estimate(&ground, &now);
        let (mut few, mut many) =
            if kept_now.mean >= target { (0, present.max(1)) } else { (present, most(present)) };
        let mut kept = if kept_now.mean >= target { kept_now } else { with(many)? };
        let reached = kept.mean >= target;
        // Whoever is taken away last kept nothing; whoever is added last kept enough.
        while reached && many - few > 1 {
            let middle = few + (many - few) / 2;
            let tried = with(middle)?;
            if tried.mean >= target {
                (many, kept) = (middle, tried);
            } else {
                few = middle;
            }
        }
        let people = reached.then_some(many);
        needs.push(Need { post: post.name(), target, present, kept_now, people, kept });
    }
    Ok(needs)
}

/// The promises that a post has a part in.
fn of(post: &Post, ground: &Ground, run: &Figures) -> Kept {
    match post {
        Post::Service(id) => run.services.get(id).copied().unwrap_or_default(),
        Post::Role(role, tenant) => {
            let party = Party::Role(role.clone());
            let mut kept = Kept::default();
            for (offered, figures) in ground.offered.iter().zip(&run.processes) {
                let definition = offered.plan.definition();
                let named = definition.qualification.by.as_ref() == Some(&party)
                    || definition.treatment.iter().any(|task| task.by == party);
                if named && *offered.tenant == **tenant {
                    kept.add(figures.kept());
                }
            }
            kept
        }
    }
}
