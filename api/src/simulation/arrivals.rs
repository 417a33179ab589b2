//! Who comes when, with what, through which channel: a Poisson process whose rate changes by month, weekday and hour,
//! drawn day by day.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use guichet_engine::rules::process::{Channel, Kind, Opener, Party};

use super::assumptions::Weight;
use super::dice::Dice;
use super::ground::{Ground, Offered, midnight, next_day};
use super::hours::{Hours, Second};

/// What a process has among those of its kind where nothing is said.
const USUAL: f64 = 10.0;
/// The role that goes on rounds.
pub(super) const PATROLLER: &str = "patrouilleur";
/// The draws for arrivals.
const ARRIVALS: u64 = 1;

/// A request on its way to the town hall.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) at: Second,
    /// The place of its process among those offered.
    pub(super) offered: usize,
    pub(super) channel: Channel,
    pub(super) opened_by: Opener,
}

/// Something that may come, with the sum of the weights up to it.
#[derive(Debug, Default)]
struct Choices {
    list: Vec<(usize, Channel, Opener)>,
    sums: Vec<f64>,
}

impl Choices {
    fn add(&mut self, choice: (usize, Channel, Opener), weight: f64) {
        if weight > 0.0 {
            self.list.push(choice);
            self.sums.push(self.whole() + weight);
        }
    }

    fn whole(&self) -> f64 {
        self.sums.last().copied().unwrap_or_default()
    }
}

/// All that may come, and how much of it comes in a year.
#[derive(Debug)]
pub(super) struct Offer {
    desk: Choices,
    online: Choices,
    rounds: Choices,
    /// Arrivals of a year, of each.
    yearly: [f64; 3],
    /// The weights of all days, by year.
    years: BTreeMap<i32, [f64; 3]>,
}

/// The three streams of arrivals: over the counter, online, on the round.
const STREAMS: [usize; 3] = [0, 1, 2];

/// Whether people bring it themselves, so that somebody must be there.
pub(super) fn at_desk(channel: Channel) -> bool {
    matches!(channel, Channel::Counter | Channel::Phone | Channel::Letter | Channel::Council)
}

impl Offer {
    /// What the town is asked. `online` is the share of what would come over the counter, by telephone or by letter
    /// that comes over the portal instead, where the process takes it there.
    pub(super) fn new(ground: &Ground, online: f64) -> Self {
        let mut offer = Self {
            desk: Choices::default(),
            online: Choices::default(),
            rounds: Choices::default(),
            yearly: [0.0; 3],
            years: BTreeMap::new(),
        };
        for day in dates(ground) {
            offer.years.entry(day.year()).or_insert_with(|| {
                STREAMS.map(|stream| year_around(day).map(|day| day_weight(ground, day, stream)).sum())
            });
        }
        for kind in
            [Kind::Question, Kind::Application, Kind::Report, Kind::Complaint, Kind::Idea, Kind::Internal]
        {
            let of_kind: Vec<(usize, &Offered)> =
                ground.offered.iter().enumerate().filter(|(_, offered)| offered.kind == kind).collect();
            let whole: f64 = of_kind.iter().map(|(_, offered)| weight_of(ground, offered)).sum();
            if whole <= 0.0 {
                continue;
            }
            let share = ground.assumed.kinds.get(kind).get() / whole;
            for (place, offered) in of_kind {
                offer.add(ground, (place, offered), share * weight_of(ground, offered), online);
            }
        }
        let party = Party::Role(PATROLLER.into());
        for (place, offered) in ground.offered.iter().enumerate() {
            let open = offered.plan.definition().open_to.contains(&Opener::Patroller);
            let there = !ground.organisation.all_of(&party, &offered.tenant, None).is_empty();
            if open && there {
                let weight = weight_of(ground, offered);
                offer.rounds.add((place, Channel::Patrol, Opener::Patroller), weight);
            }
        }
        let (desk, online) = (offer.desk.whole(), offer.online.whole());
        let requests = ground.assumed.requests_a_year.get() / (desk + online).max(f64::MIN_POSITIVE);
        let rounds = if offer.rounds.list.is_empty() { 0.0 } else { ground.assumed.rounds_a_year.get() };
        offer.yearly = [requests * desk, requests * online, rounds];
        offer
    }

    fn add(&mut self, ground: &Ground, (place, offered): (usize, &Offered), weight: f64, online: f64) {
        let definition = offered.plan.definition();
        let takes =
            |channel: Channel| definition.channels.is_empty() || definition.channels.contains(&channel);
        let citizen = definition.open_to.contains(&Opener::Citizen);
        let agent = definition.open_to.contains(&Opener::Agent);
        let opener = |channel: Channel| {
            let noted = (at_desk(channel) || !citizen) && agent;
            if noted { Opener::Agent } else { Opener::Citizen }
        };
        if offered.kind == Kind::Internal {
            let channel = definition.channels.first().copied().unwrap_or(Channel::Web);
            self.desk.add((place, channel, opener(channel)), weight);
            return;
        }
        let list: Vec<(Channel, f64)> =
            channels(ground).into_iter().filter(|(channel, _)| takes(*channel)).collect();
        let whole: f64 = list.iter().map(|(_, weight)| weight).sum();
        if whole <= 0.0 {
            let channel = definition.channels.first().copied().unwrap_or(Channel::Web);
            let choices = if at_desk(channel) { &mut self.desk } else { &mut self.online };
            choices.add((place, channel, opener(channel)), weight);
            return;
        }
        let moves = if takes(Channel::Web) && citizen { online } else { 0.0 };
        for (channel, part) in list {
            let part = weight * part / whole;
            if at_desk(channel) {
                self.desk.add((place, channel, opener(channel)), part * (1.0 - moves));
                self.online.add((place, Channel::Web, Opener::Citizen), part * moves);
            } else {
                self.online.add((place, channel, opener(channel)), part);
            }
        }
    }

    /// The arrivals of one day, in the order of time.
    pub(super) fn day(&self, ground: &Ground, seed: u64, day: NaiveDate) -> Vec<Arrival> {
        let assumed = &ground.assumed.arrivals;
        let mut dice = Dice::of(seed, ARRIVALS, u64::try_from(day.num_days_from_ce()).unwrap_or_default());
        let midnight = midnight(day, ground.calendar.zone());
        let years = self.years.get(&day.year()).copied().unwrap_or_default();
        let choices = [&self.desk, &self.online, &self.rounds];
        let mut arrivals = Vec::new();
        for (((stream, choices), yearly), whole) in
            STREAMS.into_iter().zip(choices).zip(self.yearly).zip(years)
        {
            let expected = yearly * day_weight(ground, day, stream) / whole.max(f64::MIN_POSITIVE);
            if expected <= 0.0 || choices.list.is_empty() {
                continue;
            }
            let weights = if is_online(stream) {
                hour_weights(&assumed.online_hours, midnight, &ground.always)
            } else {
                hour_weights(&assumed.open_hours, midnight, ground.hours.first().unwrap_or(&ground.always))
            };
            let of_day: f64 = weights.iter().map(|(_, _, weight)| weight).sum();
            for (from, until, weight) in weights {
                for _ in 0..dice.poisson(expected * weight / of_day.max(f64::MIN_POSITIVE)) {
                    let at = from + dice.between(0, (until - from - 1).max(0));
                    let choice = choices.list.get(dice.place(&choices.sums)).copied();
                    let Some((offered, channel, opened_by)) = choice else { continue };
                    arrivals.push(Arrival { at, offered, channel, opened_by });
                }
            }
        }
        arrivals.sort_by_key(|arrival| arrival.at);
        arrivals
    }
}

fn weight_of(ground: &Ground, offered: &Offered) -> f64 {
    let definition = offered.plan.definition();
    let popular = ground.assumed.processes.get(&definition.process).map_or(USUAL, |weight| weight.get());
    // What several collectivities offer is asked of the largest mostly.
    let several = definition.tenants.len() > 1;
    if several && ground.largest != *offered.tenant { popular / 4.0 } else { popular }
}

fn channels(ground: &Ground) -> [(Channel, f64); 9] {
    let assumed = &ground.assumed.channels;
    [
        (Channel::Counter, assumed.counter),
        (Channel::Phone, assumed.phone),
        (Channel::Letter, assumed.letter),
        (Channel::Email, assumed.email),
        (Channel::Sms, assumed.sms),
        (Channel::Web, assumed.web),
        (Channel::Mobile, assumed.mobile),
        (Channel::Social, assumed.social),
        (Channel::Council, assumed.council),
    ]
    .map(|(channel, weight)| (channel, weight.get()))
}

fn year_around(day: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    let first = NaiveDate::from_ymd_opt(day.year(), 1, 1).unwrap_or(day);
    first.iter_days().take_while(move |other| other.year() == day.year())
}

fn is_online(stream: usize) -> bool {
    stream == 1
}

/// How busy a day is for a stream, beside others; nothing where the town hall is closed.
fn day_weight(ground: &Ground, day: NaiveDate, stream: usize) -> f64 {
    let assumed = &ground.assumed.arrivals;
    let place = |number: u32| usize::try_from(number).unwrap_or_default();
    let week = if is_online(stream) { &assumed.online_week } else { &assumed.open_week };
    let weekday = week.get(place(day.weekday().num_days_from_monday())).map_or(0.0, |weight| weight.get());
    let month = assumed.months.get(place(day.month0())).map_or(0.0, |weight| weight.get());
    if is_online(stream) || ground.calendar.is_open_on(day) { weekday * month } else { 0.0 }
}

/// The hours of a day that are open, as far as they are, with their weights.
fn hour_weights(hours: &[Weight; 24], midnight: Second, open: &Hours) -> Vec<(Second, Second, f64)> {
    let mut list = Vec::new();
    for (weight, number) in hours.iter().zip(0i64..) {
        let (from, until) = (midnight + number * 3_600, midnight + (number + 1) * 3_600);
        let Some((opens, closes)) = open.next(from) else { continue };
        let (from, until) = (from.max(opens), until.min(closes));
        if from < until && weight.get() > 0.0 {
            let part = super::dice::stretched(until - from, 1.0);
            list.push((from, until, weight.get() * whole(part) / 3_600.0));
        }
    }
    list
}

#[allow(clippy::cast_precision_loss, reason = "seconds of an hour")]
fn whole(seconds: i64) -> f64 {
    seconds as f64
}

/// The dates from the first that is lived to the last.
pub(super) fn dates(ground: &Ground) -> impl Iterator<Item = NaiveDate> {
    let first = ground.calendar.local_date(super::ground::instant(ground.begin));
    let last = next_day(ground.period.until);
    first.iter_days().take_while(move |day| *day < last)
}
