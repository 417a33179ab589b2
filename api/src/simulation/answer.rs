//! What many runs say together: means, and how far they can be trusted.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::JsonSchema;
use serde::Serialize;

use super::figures::{Figures, Kept, OfChannel, OfPost, Wait};
use super::{Ground, simulate};

/// A mean over seeds with its 95 % confidence interval (Student's t: mean ± t · s / √n). With one seed there is no interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// The lower end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// The upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

/// Student's t for a two-sided 95 % interval, by degrees of freedom from 1.
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

impl Estimate {
    /// The estimate that these values, one of each seed, give; none if there are none.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = number(u64::try_from(values.len()).ok()?);
        if values.is_empty() {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count;
        let half = (values.len() > 1).then(|| {
            let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
            let freedom = values.len() - 1;
            let t = STUDENT.get(freedom - 1).copied().unwrap_or(1.96 + 2.5 / (count - 1.0));
            t * (squares / (count - 1.0)).sqrt() / count.sqrt()
        });
        let low = half.map(|half| rounded(mean - half));
        Some(Self { mean: rounded(mean), low, high: half.map(|half| rounded(mean + half)) })
    }

    /// The same for a share, which lies between 0 and 1 whatever the spread says.
    #[must_use]
    pub fn share(values: &[f64]) -> Option<Self> {
        let estimate = Self::of(values)?;
        let within = |end: Option<f64>| end.map(|end| end.clamp(0.0, 1.0));
        Some(Self { low: within(estimate.low), high: within(estimate.high), ..estimate })
    }
}

/// Six digits behind the point: more would say more than is known.
fn rounded(value: f64) -> f64 {
    let rounded = (value * 1e6).round() / 1e6;
    // No minus before a zero.
    if rounded == 0.0 { 0.0 } else { rounded }
}

/// A count as a number to compute with.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}

/// Promises: how many were kept, and how many broken.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Promises {
    /// On time ÷ all whose outcome is known; none where none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<Estimate>,
    /// Late, or past due at the end.
    pub broken: Estimate,
    /// All whose outcome is known.
    pub known: Estimate,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ProcessLine {
    /// Its id.
    pub process: String,
    /// The collectivity.
    pub tenant: String,
    /// What people call it, in French.
    pub title_fr: String,
    /// What people call it, in English.
    pub title_en: String,
    /// Requests received.
    pub received: Estimate,
    /// All its promises.
    pub promises: Promises,
    /// Each of them.
    pub by_promise: BTreeMap<String, Promises>,
    /// Hours on the clock from received to delivered: half of them take less.
    pub hours_median: Estimate,
    /// The same: nine of ten take less.
    pub hours_p90: Estimate,
}

/// A service, by the promises of the requests that it is in charge of.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ServiceLine {
    /// Its id.
    pub service: String,
    /// Its promises.
    pub promises: Promises,
}

/// Where requests wait.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WaitLine {
    /// What they wait for.
    pub wait: Wait,
    /// At whose desk: `service:x`, `role:x@tenant`, `step:x`.
    pub at: String,
    /// How many waited.
    pub times: Estimate,
    /// Hours that one waited on average.
    pub hours_mean: Estimate,
    /// Nine of ten waited less.
    pub hours_p90: Estimate,
    /// What part of all the waiting it is.
    pub share: Estimate,
}

/// How busy a post is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PostLine {
    /// `service:x` or `role:x@tenant`.
    pub post: String,
    /// People.
    pub people: u64,
    /// Time at work on requests ÷ working time, with what else they do counted as far as it slows them down.
    pub busy: Estimate,
}

/// What a channel costs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ChannelLine {
    /// Its id.
    pub channel: String,
    /// Requests received.
    pub received: Estimate,
    /// What they cost, letters included, in euros.
    pub cost: Estimate,
    /// What they saved against the counter, in euros.
    pub saving: Estimate,
}

/// What a town came to, over all seeds.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// Requests received in the period.
    pub received: Estimate,
    /// People who left or hung up before they were served.
    pub gave_up: Estimate,
    /// All promises.
    pub promises: Promises,
    /// What all requests cost, in euros.
    pub cost: Estimate,
    /// What was saved against the counter, in euros.
    pub saving: Estimate,
    /// What waits at the end, in all queues.
    pub queue_at_end: Estimate,
    /// Queues that grow: what waits in the last quarter of the period, on average, beside the second. Around 1 is steady.
    pub growth: Estimate,
    /// By process.
    pub processes: Vec<ProcessLine>,
    /// By service in charge.
    pub services: Vec<ServiceLine>,
    /// Where they wait, the longest first.
    pub waits: Vec<WaitLine>,
    /// How busy people are.
    pub posts: Vec<PostLine>,
    /// By channel.
    pub channels: Vec<ChannelLine>,
    /// What waits at each hour of the week on average, Monday at midnight first.
    pub heat: Vec<f64>,
    /// Where requests stand at the end, by stage.
    pub stages: BTreeMap<String, Estimate>,
    /// Commands that the rules refused, by code.
    pub refused: BTreeMap<String, Estimate>,
    /// Commands carried out, warm-up included.
    pub commands: Estimate,
    /// Events, warm-up included.
    pub events: Estimate,
}

/// Runs one seed after the other, several at once, and answers in the order of the seeds: the same bytes, however many
/// run at once.
#[must_use]
pub fn runs(
    ground: &Ground,
    seeds: &[u64],
    online: f64,
    at_once: usize,
    told: &(dyn Fn() + Sync),
) -> Vec<Figures> {
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, Figures>> = Mutex::new(BTreeMap::new());
    let work = || {
        while let Some((place, seed)) = {
            let place = next.fetch_add(1, Ordering::Relaxed);
            seeds.get(place).map(|seed| (place, *seed))
        } {
            let figures = simulate(ground, seed, online);
            done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(place, figures);
            told();
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..at_once.min(seeds.len()) {
            scope.spawn(work);
        }
        work();
    });
    done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_values().collect()
}

/// The estimate of a figure that every run has.
pub(super) fn over(runs: &[Figures], figure: impl Fn(&Figures) -> f64) -> Estimate {
    let values: Vec<f64> = runs.iter().map(figure).collect();
    Estimate::of(&values).unwrap_or(Estimate { mean: 0.0, low: None, high: None })
}

/// The estimate of a share, from the runs that have it.
fn share(runs: &[Figures], figure: impl Fn(&Figures) -> Option<f64>) -> Option<Estimate> {
    let values: Vec<f64> = runs.iter().filter_map(figure).collect();
    Estimate::share(&values)
}

fn promises(runs: &[Figures], kept: impl Fn(&Figures) -> Kept) -> Promises {
    Promises {
        kept: share(runs, |run| kept(run).share()),
        broken: over(runs, |run| number(kept(run).broken())),
        known: over(runs, |run| number(kept(run).broken() + kept(run).kept)),
    }
}

impl Summary {
    /// What the runs of one town, one of each seed, say together.
    #[must_use]
    pub fn of(ground: &Ground, runs: &[Figures]) -> Self {
        let channel = |run: &Figures, sum: fn(&OfChannel) -> u64| run.channels.values().map(sum).sum::<u64>();
        let euros = |run: &Figures, sum: fn(&OfChannel) -> u64| number(channel(run, sum)) / 100.0;
        Self {
            received: over(runs, |run| number(run.received)),
            gave_up: over(runs, |run| number(run.gave_up)),
            promises: promises(runs, Figures::kept),
            cost: over(runs, |run| euros(run, |of| of.cost_cents)),
            saving: over(runs, |run| euros(run, |of| of.saving_cents)),
            queue_at_end: over(runs, |run| number(run.queue_at_end)),
            growth: over(runs, growth),
            processes: processes(ground, runs),
            services: services(runs),
            waits: waits(runs),
            posts: posts(runs),
            channels: channels(runs),
            heat: heat(runs),
            stages: counts(runs, |run| {
                run.stages.iter().map(|(id, count)| ((*id).to_owned(), *count)).collect()
            }),
            refused: counts(runs, |run| run.refused.clone()),
            commands: over(runs, |run| number(run.commands)),
            events: over(runs, |run| number(run.events)),
        }
    }
}

fn counts(runs: &[Figures], of: impl Fn(&Figures) -> BTreeMap<String, u64>) -> BTreeMap<String, Estimate> {
    let all: Vec<BTreeMap<String, u64>> = runs.iter().map(of).collect();
    let names: std::collections::BTreeSet<&String> = all.iter().flat_map(BTreeMap::keys).collect();
    let estimate = |name: &String| {
        let values: Vec<f64> =
            all.iter().map(|counts| number(counts.get(name).copied().unwrap_or_default())).collect();
        Estimate::of(&values)
    };
    names.into_iter().filter_map(|name| Some((name.clone(), estimate(name)?))).collect()
}

/// What waits late beside what waits early, one added to both so that nothing is divided by nothing.
fn growth(run: &Figures) -> f64 {
    let quarter = run.queue.len() / 4;
    let mean = |from: usize| {
        let part = run.queue.iter().skip(from).take(quarter.max(1));
        number(part.clone().sum()) / number(part.count().max(1) as u64)
    };
    (mean(run.queue.len().saturating_sub(quarter)) + 1.0) / (mean(quarter) + 1.0)
}

fn processes(ground: &Ground, runs: &[Figures]) -> Vec<ProcessLine> {
    let mut lines = Vec::new();
    for (place, offered) in ground.offered.iter().enumerate() {
        let of = |run: &Figures| run.processes.get(place).cloned().unwrap_or_default();
        let names: std::collections::BTreeSet<String> =
            runs.iter().flat_map(|run| of(run).promises.into_keys()).collect();
        let by_promise = names.into_iter().map(|name| {
            let promises = promises(runs, |run| {
                let of = run.processes.get(place);
                of.and_then(|of| of.promises.get(&name)).copied().unwrap_or_default()
            });
            (name, promises)
        });
        let by_promise: BTreeMap<String, Promises> = by_promise.collect();
        let hours = |part: f64| over(runs, |run| number(of(run).hours.quantile(part)));
        let definition = offered.plan.definition();
        let received = over(runs, |run| number(of(run).received));
        if received.mean > 0.0 {
            lines.push(ProcessLine {
                process: definition.process.clone(),
                tenant: offered.tenant.to_string(),
                title_fr: definition.title.fr.clone(),
                title_en: definition.title_in(guichet_engine::rules::text::Language::En).to_owned(),
                received,
                promises: promises(runs, |run| of(run).kept()),
                by_promise,
                hours_median: hours(0.5),
                hours_p90: hours(0.9),
            });
        }
    }
    lines
}

fn services(runs: &[Figures]) -> Vec<ServiceLine> {
    let names: std::collections::BTreeSet<&String> =
        runs.iter().flat_map(|run| run.services.keys()).collect();
    let of = |run: &Figures, name: &String| run.services.get(name).copied().unwrap_or_default();
    let line =
        |name: &String| ServiceLine { service: name.clone(), promises: promises(runs, |run| of(run, name)) };
    names.into_iter().map(line).collect()
}

fn waits(runs: &[Figures]) -> Vec<WaitLine> {
    let all: std::collections::BTreeSet<&(Wait, String)> =
        runs.iter().flat_map(|run| run.waits.keys()).collect();
    let whole = |run: &Figures| number(run.waits.values().map(super::Histogram::sum).sum::<u64>()).max(1.0);
    let line = |key: &(Wait, String)| {
        let of = |run: &Figures| run.waits.get(key).cloned().unwrap_or_default();
        let mean = |run: &Figures| number(of(run).sum()) / number(of(run).number().max(1)) / 3_600.0;
        WaitLine {
            wait: key.0,
            at: key.1.clone(),
            times: over(runs, |run| number(of(run).number())),
            hours_mean: over(runs, mean),
            hours_p90: over(runs, |run| number(of(run).quantile(0.9)) / 3_600.0),
            share: over(runs, |run| number(of(run).sum()) / whole(run)),
        }
    };
    let mut lines: Vec<WaitLine> = all.into_iter().map(line).collect();
    lines.sort_by(|a, b| {
        b.share.mean.total_cmp(&a.share.mean).then_with(|| (a.wait, &a.at).cmp(&(b.wait, &b.at)))
    });
    lines
}

fn posts(runs: &[Figures]) -> Vec<PostLine> {
    let names: std::collections::BTreeSet<&String> = runs.iter().flat_map(|run| run.posts.keys()).collect();
    let of = |run: &Figures, name: &String| run.posts.get(name).copied().unwrap_or_default();
    let busy = |of: OfPost| {
        let part = |time: i64| number(u64::try_from(time).unwrap_or_default());
        part(of.busy) / part(of.there).max(1.0)
    };
    let line = |name: &String| PostLine {
        post: name.clone(),
        people: runs.iter().map(|run| of(run, name).people).max().unwrap_or_default(),
        busy: over(runs, |run| busy(of(run, name))),
    };
    names.into_iter().map(line).collect()
}

fn channels(runs: &[Figures]) -> Vec<ChannelLine> {
    use guichet_engine::rules::process::Channel;
    let of = |run: &Figures, id: &str| run.channels.get(id).copied().unwrap_or_default();
    let line = |channel: Channel| ChannelLine {
        channel: channel.id().to_owned(),
        received: over(runs, |run| number(of(run, channel.id()).received)),
        cost: over(runs, |run| number(of(run, channel.id()).cost_cents) / 100.0),
        saving: over(runs, |run| number(of(run, channel.id()).saving_cents) / 100.0),
    };
    Channel::ALL.into_iter().map(line).filter(|line| line.received.mean > 0.0).collect()
}

fn heat(runs: &[Figures]) -> Vec<f64> {
    let at = |list: &[u64], hour: usize| list.get(hour).copied().unwrap_or_default();
    let mean = |hour: usize| {
        let waiting: u64 = runs.iter().map(|run| at(&run.heat, hour)).sum();
        let samples: u64 = runs.iter().map(|run| at(&run.samples, hour)).sum();
        rounded(number(waiting) / number(samples.max(1)))
    };
    (0..168).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_textbook() {
        // Student 1908, the sleep data, second drug: mean 2.33, s 2.002, n 10, so ± 2.262 · 2.002 / √10.
        let sleep = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let estimate = Estimate::of(&sleep).unwrap();
        assert!((estimate.mean - 2.33).abs() < 1e-6);
        assert!((estimate.low.unwrap() - 0.898).abs() < 1e-3, "{estimate:?}");
        assert!((estimate.high.unwrap() - 3.762).abs() < 1e-3, "{estimate:?}");
        assert_eq!(Estimate::of(&[3.0]), Some(Estimate { mean: 3.0, low: None, high: None }));
        assert_eq!(Estimate::of(&[]), None);
        assert_eq!(Estimate::share(&[1.0, 0.9]).unwrap().high, Some(1.0));
    }
}
