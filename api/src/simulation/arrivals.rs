//! Who comes when, with what, through which channel.
//!
//! Châlons, 1 January to 31 July 2016: 9,724 requests, 1,111 of them reports, and 1,688 interventions of the patroller.
//! A month is a seventh of that.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use guichet_engine::rules::calendar::Calendar;
use guichet_engine::rules::process::{Channel, Kind, Opener, Plan};
use std::sync::Arc;

use super::Month;
use super::dice::Dice;

/// Requests of the public in a month.
const REQUESTS: i64 = 9_724 / 7;
/// Requests that the patroller opens on the round in a month.
const ROUNDS: i64 = 1_688 / 7;

/// Kinds of request, per thousand. Reports are 1,111 of 9,724.
const KINDS: [(Kind, u64); 6] = [
    (Kind::Question, 470),
    (Kind::Application, 300),
    (Kind::Report, 114),
    (Kind::Complaint, 85),
    (Kind::Idea, 21),
    (Kind::Internal, 10),
];

/// Channels, per thousand: those of a town of 75,000 (100,000 letters, 75,000 calls, 150,000 people at the counter, as
/// many e-mails), once a third of the letters and a part of the counter have moved online.
const CHANNELS: [(Channel, u64); 9] = [
    (Channel::Counter, 235),
    (Channel::Phone, 190),
    (Channel::Email, 210),
    (Channel::Web, 165),
    (Channel::Letter, 80),
    (Channel::Mobile, 75),
    (Channel::Social, 20),
    (Channel::Sms, 15),
    (Channel::Council, 10),
];

/// How much of the week falls on each day, Monday first: while the town hall is open, and online.
const OPEN_WEEK: [u64; 7] = [125, 105, 100, 92, 85, 0, 0];
const ONLINE_WEEK: [u64; 7] = [115, 105, 100, 95, 90, 60, 65];

/// How much of a day falls in each hour, from the hour on.
const OPEN_HOURS: [(i64, u64); 8] =
    [(9, 14), (10, 17), (11, 15), (12, 7), (13, 8), (14, 15), (15, 14), (16, 10)];
const ONLINE_HOURS: [(i64, u64); 17] = [
    (6, 1),
    (7, 3),
    (8, 6),
    (9, 8),
    (10, 8),
    (11, 7),
    (12, 7),
    (13, 6),
    (14, 6),
    (15, 6),
    (16, 6),
    (17, 7),
    (18, 8),
    (19, 8),
    (20, 8),
    (21, 6),
    (22, 3),
];

/// What the processes of one kind have of it; those that are not named have 10.
const POPULAR: [(&str, u64); 16] = [
    ("demarches-administratives/acte-etat-civil", 90),
    ("demarches-administratives/rendez-vous-titre-identite", 110),
    ("demarches-administratives/payer-facture", 60),
    ("education/inscription-periscolaire", 45),
    ("education/inscription-scolaire", 30),
    ("proprete/rendez-vous-encombrants", 40),
    ("logement/demande-logement-social", 22),
    ("senior/portage-repas", 14),
    ("solidarite/aide-urgence", 16),
    ("proprete/depot-sauvage", 34),
    ("proprete/graffiti", 16),
    ("eclairage/panne", 26),
    ("voirie/chaussee-abimee", 24),
    ("voirie/trottoir-abime", 18),
    ("espaces-verts/herbes-folles", 15),
    ("tranquillite/nuisances-sonores", 14),
];

/// A request on its way to the town hall.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    /// When it is made (UTC).
    pub(super) at: DateTime<Utc>,
    pub(super) tenant: String,
    pub(super) plan: Arc<Plan>,
    pub(super) channel: Channel,
    pub(super) opened_by: Opener,
}

/// Processes to draw from, those of one opener apart by kind.
pub(super) struct Offer {
    kinds: Vec<(Vec<(Choice, u64)>, u64)>,
    rounds: Vec<(Choice, u64)>,
}

#[derive(Clone)]
struct Choice {
    tenant: String,
    plan: Arc<Plan>,
}

impl Offer {
    /// What is offered: processes in force, each with its collectivity; rounds only where `patrolled` says so.
    pub(super) fn new(offered: &[(String, Arc<Plan>)], patrolled: &dyn Fn(&str) -> bool) -> Self {
        let list = |keep: &dyn Fn(&str, &Plan) -> bool| -> Vec<(Choice, u64)> {
            let kept = offered.iter().filter(|(tenant, plan)| keep(tenant, plan));
            kept.map(|(tenant, plan)| {
                let name = plan.definition().process.as_str();
                let popular =
                    POPULAR.iter().find(|(known, _)| *known == name).map_or(10, |(_, weight)| *weight);
                // What several collectivities offer is asked of the town first.
                let share = if tenant == "ville" { 4 } else { 1 };
                let several = plan.definition().tenants.len() > 1;
                (
                    Choice { tenant: tenant.clone(), plan: Arc::clone(plan) },
                    if several { popular * share } else { popular * 4 },
                )
            })
            .collect()
        };
        let kinds =
            KINDS.iter().map(|(kind, weight)| (list(&|_, plan| plan.definition().kind == *kind), *weight));
        let kinds = kinds.filter(|(list, _)| !list.is_empty()).collect();
        Self {
            kinds,
            rounds: list(&|tenant, plan| {
                patrolled(tenant) && plan.definition().open_to.contains(&Opener::Patroller)
            }),
        }
    }
}

/// All arrivals of a month, in the order of time.
pub(super) fn month(dice: &mut Dice, offer: &Offer, month: &Month, calendar: &Calendar) -> Vec<Arrival> {
    let days: Vec<NaiveDate> = month.from.iter_days().take_while(|day| *day <= month.until).collect();
    let is_open = |day: NaiveDate| calendar.is_open_on(day);
    let weigh = |week: &[u64; 7], needs_open: bool| -> Vec<(NaiveDate, u64)> {
        let weight =
            |day: NaiveDate| week.get(usize::try_from(day.weekday().num_days_from_monday()).unwrap_or(0));
        let fits = days.iter().filter(|day| !needs_open || is_open(**day));
        fits.map(|day| (*day, weight(*day).copied().unwrap_or_default())).collect()
    };
    let (open_days, online_days) = (weigh(&OPEN_WEEK, true), weigh(&ONLINE_WEEK, false));
    let volume = |monthly: i64| {
        let days = i64::try_from(days.len()).unwrap_or(30);
        monthly * days * i64::from(month.permille) / 31 / 1000
    };
    let zone = calendar.zone();
    let mut arrivals = Vec::new();
    for _ in 0..volume(REQUESTS) {
        let Some(choice) = dice.weighted(&offer.kinds).and_then(|list| dice.clone_weighted(list)) else {
            continue;
        };
        let channel = channel(dice, &choice.plan);
        let at_desk =
            matches!(channel, Channel::Counter | Channel::Phone | Channel::Letter | Channel::Council);
        let (days, hours) =
            if at_desk { (&open_days, &OPEN_HOURS[..]) } else { (&online_days, &ONLINE_HOURS[..]) };
        let Some(at) = instant(dice, days, hours, zone) else { continue };
        let open_to = &choice.plan.definition().open_to;
        let noted = (at_desk || !open_to.contains(&Opener::Citizen)) && open_to.contains(&Opener::Agent);
        let opened_by = if noted { Opener::Agent } else { Opener::Citizen };
        arrivals.push(Arrival { at, tenant: choice.tenant, plan: choice.plan, channel, opened_by });
    }
    for _ in 0..volume(ROUNDS) {
        let Some(choice) = dice.clone_weighted(&offer.rounds) else { continue };
        let Some(at) = instant(dice, &open_days, &OPEN_HOURS, zone) else { continue };
        let (tenant, plan, opened_by) = (choice.tenant, choice.plan, Opener::Patroller);
        arrivals.push(Arrival { at, tenant, plan, channel: Channel::Patrol, opened_by });
    }
    arrivals.sort_by_key(|arrival| arrival.at);
    arrivals
}

impl Dice {
    fn clone_weighted(&mut self, list: &[(Choice, u64)]) -> Option<Choice> {
        self.weighted(list).cloned()
    }
}

/// A channel that the process takes.
fn channel(dice: &mut Dice, plan: &Plan) -> Channel {
    let definition = plan.definition();
    if definition.kind == Kind::Internal {
        return definition.channels.first().copied().unwrap_or(Channel::Web);
    }
    let taken = |channel: &Channel| definition.channels.is_empty() || definition.channels.contains(channel);
    let list: Vec<(Channel, u64)> = CHANNELS.iter().filter(|(channel, _)| taken(channel)).copied().collect();
    dice.weighted(&list).copied().unwrap_or(Channel::Web)
}

fn instant(
    dice: &mut Dice,
    days: &[(NaiveDate, u64)],
    hours: &[(i64, u64)],
    zone: Tz,
) -> Option<DateTime<Utc>> {
    let (day, hour) = (*dice.weighted(days)?, *dice.weighted(hours)?);
    let seconds = u32::try_from(hour * 3600 + dice.between(0, 3599)).ok()?;
    let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0)?;
    Some(zone.from_local_datetime(&day.and_time(time)).earliest()?.with_timezone(&Utc))
}

/// The instant at which a day begins in `zone`.
pub(super) fn midnight(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let found = zone.from_local_datetime(&day.and_time(NaiveTime::MIN)).earliest();
    found.map_or_else(|| day.and_time(NaiveTime::MIN).and_utc(), |at| at.with_timezone(&Utc))
}

/// The day after.
pub(super) fn next_day(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(day)
}
