//! What a simulated town is assumed to be: who comes when, how long work takes, who is there to do it. Everything has a
//! value of its own accord; a file says only what differs. Each figure is an assumption to be argued with, not a fact:
//! where a source gives one, its description says so.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dice::{Dice, seconds};

/// The largest file of assumptions, in bytes.
const ASSUMPTIONS_BYTES_MAX: usize = 64 * 1024;

macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident, $least:expr, $most:expr, $words:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// The number.
            #[must_use]
            pub fn get(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = String;

            fn try_from(number: f64) -> Result<Self, String> {
                if ($least..=$most).contains(&number) { Ok(Self(number)) } else { Err(format!("{number}: {}", $words)) }
            }
        }

        impl From<$name> for f64 {
            fn from(number: $name) -> Self {
                number.0
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "number", "minimum": $least, "maximum": $most })
            }
        }
    };
}

bounded! {
    /// A part of a whole, from 0 to 1.
    Share, 0.0, 1.0, "a share lies between 0 and 1"
}
bounded! {
    /// How much of something there is beside other things of its kind; only the proportions count.
    Weight, 0.0, 1_000_000.0, "a weight lies between 0 and 1000000"
}
bounded! {
    /// A length of time in the unit that its name says.
    Length, 0.0, 1_000_000.0, "a length of time lies between 0 and 1000000"
}

/// The form of a distribution of times around its mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Log-normal, as times of human work are found to be: few very short, some very long.
    #[default]
    Lognormal,
    /// Exponential: what queueing theory computes with.
    Exponential,
    /// Always the mean.
    Fixed,
}

/// A random length of time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Time {
    /// The mean, in the unit of the key it stands under.
    pub mean: Length,
    /// How far a log-normal one spreads: the standard deviation of its logarithm. 0.5 is little, 1 is much.
    #[serde(default = "usual_spread")]
    pub spread: Spread,
    /// Its form.
    #[serde(default)]
    pub form: Form,
}

bounded! {
    /// The standard deviation of a logarithm, from 0 to 3.
    Spread, 0.0, 3.0, "a spread lies between 0 and 3"
}

fn usual_spread() -> Spread {
    Spread(0.6)
}

impl Time {
    const fn new(mean: f64, spread: f64) -> Self {
        Self { mean: Length(mean), spread: Spread(spread), form: Form::Lognormal }
    }

    /// A draw, in whole seconds, of a time whose unit has `unit` seconds.
    pub(super) fn draw(self, dice: &mut Dice, unit: f64) -> i64 {
        let mean = self.mean.0;
        let drawn = match self.form {
            Form::Lognormal => dice.lognormal(mean, self.spread.0),
            Form::Exponential => dice.exponential(mean),
            Form::Fixed => mean,
        };
        seconds(drawn, unit)
    }
}

macro_rules! group {
    ($(#[$doc:meta])* $name:ident { $( $(#[$field_doc:meta])* $field:ident : $type:ty = $default:expr ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name { $( $(#[$field_doc])* pub $field: $type ),* }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $default ),* }
            }
        }
    };
}

group! {
    /// The assumptions of a simulation.
    Assumptions {
        /// Requests of the public in a year. Châlons had 9,724 in seven months of 2016.
        requests_a_year: Weight = Weight(16_670.0),
        /// Requests that patrollers open on the round in a year. Châlons: 1,688 interventions in seven months.
        rounds_a_year: Weight = Weight(2_894.0),
        /// Days lived before the period, so that it does not begin with empty desks. Their requests are not counted.
        warm_up_days: u16 = 28,
        /// When people come.
        arrivals: Arrivals = Arrivals::default(),
        /// What they come with, beside each other. Reports were 1,111 of 9,724 at Châlons.
        kinds: PerKind<Weight> = PerKind::of([470.0, 114.0, 300.0, 85.0, 21.0, 10.0].map(Weight)),
        /// How often single processes are asked for, beside others of their kind, each of which has 10.
        processes: BTreeMap<String, Weight> = popular(),
        /// The channels they come through. Those of a town of 75,000 (100,000 letters, 75,000 calls, 150,000 people at
        /// the counter, as many e-mails), once a part of the letters and of the counter has moved online.
        channels: Channels = Channels::default(),
        /// How long work takes.
        work: Work = Work::default(),
        /// What requesters do.
        requesters: Requesters = Requesters::default(),
        /// What becomes of requests beside the ordinary course.
        happenings: Happenings = Happenings::default(),
        /// How approvers decide.
        approvers: Approvers = Approvers::default(),
        /// Who is there.
        staff: StaffRules = StaffRules::default(),
        /// Messages that do not arrive.
        deliveries: Deliveries = Deliveries::default(),
    }
}

group! {
    /// When people come: a Poisson process whose rate changes by month, weekday and hour.
    Arrivals {
        /// How busy each month is, January first. School starts in September; August is on holiday.
        months: [Weight; 12] =
            [1.06, 0.99, 1.05, 1.00, 0.94, 1.08, 0.88, 0.70, 1.30, 1.09, 1.01, 0.90].map(Weight),
        /// How busy each weekday is for who comes, calls or writes, Monday first; nobody does on days that are closed.
        open_week: [Weight; 7] = [125.0, 105.0, 100.0, 92.0, 85.0, 40.0, 0.0].map(Weight),
        /// The same online, where every day is open.
        online_week: [Weight; 7] = [115.0, 105.0, 100.0, 95.0, 90.0, 60.0, 65.0].map(Weight),
        /// How busy each hour of an open day is, from midnight on; hours that are closed do not count.
        open_hours: [Weight; 24] = [
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 4.0, 9.0, 14.0, 17.0, 15.0, 7.0, 8.0, 15.0, 14.0, 10.0, 6.0, 0.0,
            0.0, 0.0, 0.0, 0.0, 0.0,
        ].map(Weight),
        /// The same online.
        online_hours: [Weight; 24] = [
            1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 3.0, 6.0, 8.0, 8.0, 7.0, 7.0, 6.0, 6.0, 6.0, 6.0, 7.0, 8.0, 8.0,
            8.0, 6.0, 3.0, 2.0,
        ].map(Weight),
    }
}

/// A figure for each kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the kinds of the process language")]
pub struct PerKind<T> {
    pub question: T,
    pub report: T,
    pub application: T,
    pub complaint: T,
    pub idea: T,
    pub internal: T,
}

impl<T: Copy> PerKind<T> {
    const fn of([question, report, application, complaint, idea, internal]: [T; 6]) -> Self {
        Self { question, report, application, complaint, idea, internal }
    }

    /// That of a kind.
    pub(super) fn get(&self, kind: guichet_engine::rules::process::Kind) -> T {
        use guichet_engine::rules::process::Kind;
        match kind {
            Kind::Question => self.question,
            Kind::Report => self.report,
            Kind::Application => self.application,
            Kind::Complaint => self.complaint,
            Kind::Idea => self.idea,
            Kind::Internal => self.internal,
        }
    }
}

group! {
    /// The weight of each channel; a process that does not take one shares it out among the others.
    Channels {
        /// At the counter.
        counter: Weight = Weight(235.0),
        /// By telephone.
        phone: Weight = Weight(190.0),
        /// By letter.
        letter: Weight = Weight(80.0),
        /// By e-mail.
        email: Weight = Weight(210.0),
        /// By text message.
        sms: Weight = Weight(15.0),
        /// On the portal.
        web: Weight = Weight(165.0),
        /// In the app.
        mobile: Weight = Weight(75.0),
        /// On a social network.
        social: Weight = Weight(20.0),
        /// By a neighbourhood council.
        council: Weight = Weight(10.0),
    }
}

group! {
    /// How long work takes the one who does it, in minutes, and how long it is prepared before.
    Work {
        /// To serve and record someone at the counter.
        counter: Time = Time::new(7.0, 0.6),
        /// To answer and record a call.
        phone: Time = Time::new(5.0, 0.6),
        /// To open and record a letter, or a message of a neighbourhood council.
        letter: Time = Time::new(5.0, 0.4),
        /// To open a request on the round.
        round: Time = Time::new(4.0, 0.4),
        /// To qualify.
        qualify: Time = Time::new(4.0, 0.5),
        /// To take a request.
        claim: Time = Time::new(1.0, 0.2),
        /// To do a task, by kind of request; a complex one takes `complex` times as long.
        task: PerKind<Time> = PerKind::of([
            Time::new(15.0, 0.7), Time::new(40.0, 0.8), Time::new(25.0, 0.7), Time::new(30.0, 0.7),
            Time::new(30.0, 0.7), Time::new(20.0, 0.6),
        ]),
        /// To answer, by kind of request; a complex one takes `complex` times as long.
        answer: PerKind<Time> = PerKind::of([
            Time::new(10.0, 0.7), Time::new(6.0, 0.6), Time::new(12.0, 0.7), Time::new(20.0, 0.7),
            Time::new(10.0, 0.6), Time::new(10.0, 0.6),
        ]),
        /// How many times longer complex requests take.
        complex: Weight = Weight(2.5),
        /// To print and post a letter, or hand an answer over.
        hand_over: Time = Time::new(4.0, 0.4),
        /// Working minutes that pass before a task can be begun: material, an appointment, a visit on the next round.
        task_ready: Time = Time::new(240.0, 1.0),
        /// Working minutes that pass before an answer is begun: reading up, asking a colleague.
        answer_ready: Time = Time::new(90.0, 1.0),
        /// How often a piece of work is put aside: forgotten, or waiting for somebody outside.
        put_aside: Share = Share(0.03),
        /// For how many working minutes.
        put_aside_for: Time = Time::new(2_400.0, 0.7),
        /// How often who knows answers a question on the spot, at the counter or on the telephone.
        at_once: Share = Share(0.62),
    }
}

group! {
    /// What requesters do.
    Requesters {
        /// How long they take to answer what they are asked, in hours on the clock.
        reply: Time = Time::new(70.0, 1.2),
        /// How many never answer.
        silent: Share = Share(0.14),
        /// How long they wait at the counter before they leave, in minutes.
        patience_counter: Time = Time::new(45.0, 0.5),
        /// How long they wait on the telephone before they hang up, in minutes.
        patience_phone: Time = Time::new(8.0, 0.6),
    }
}

group! {
    /// How often what happens, as a share of the requests.
    Happenings {
        /// Refused as inadmissible.
        refused: Share = Share(0.009),
        /// Passed on to the competent administration.
        forwarded: Share = Share(0.014),
        /// Merged with another about the same thing, where there is one.
        merged: PerKind<Share> = PerKind::of([0.0, 0.035, 0.0, 0.0, 0.0, 0.0].map(Share)),
        /// Sent back to the requester with a question, or for missing pieces.
        asked: PerKind<Share> = PerKind::of([0.03, 0.03, 0.19, 0.09, 0.03, 0.03].map(Share)),
        /// Given to another service.
        reassigned: Share = Share(0.022),
        /// Suspended.
        suspended: Share = Share(0.008),
        /// Put off before it is late.
        extended: Share = Share(0.007),
        /// Cancelled by an agent.
        cancelled: Share = Share(0.004),
        /// Taken back by the requester.
        withdrawn: Share = Share(0.013),
        /// Rated.
        rated: Share = Share(0.095),
        /// Reopened after the answer.
        reopened: Share = Share(0.014),
        /// Taken by an agent before it is worked on.
        claimed: Share = Share(0.45),
        /// Visited by a patroller outside its tasks.
        visited: PerKind<Share> = PerKind::of([0.0, 0.12, 0.0, 0.0, 0.0, 0.0].map(Share)),
        /// Noted on by an agent.
        noted: Share = Share(0.06),
    }
}

group! {
    /// How approvers decide.
    Approvers {
        /// Working minutes until a step is decided by the one who is asked.
        decide: Time = Time::new(300.0, 1.0),
        /// How often the first decision is a return for rework.
        returned: Share = Share(0.045),
        /// How often a declared stand-in decides where there is one.
        stand_in: Share = Share(0.3),
    }
}

group! {
    /// Who is there to work.
    StaffRules {
        /// People for each service (`service:voirie: 3`) or role (`role:ambassadrice: 4`); the others are those of the
        /// catalogue's organisation, as many times as `scale` says.
        people: BTreeMap<String, u16> = BTreeMap::new(),
        /// How many times the people of the organisation there are; if none, as many times as there are requests,
        /// compared with Châlons.
        scale: Option<Weight> = None,
        /// The part of working time that goes into requests, for those who have no other figure.
        time_for_requests: Share = Share(0.5),
        /// The same by role: whoever has several gives the largest.
        time_by_role: BTreeMap<String, Share> = time_by_role(),
        /// Services with someone on duty day and night, in turns of a week.
        on_call: Vec<String> = vec!["astreinte".into(), "astreinte-eau".into()],
        /// Weeks of leave in July and August.
        summer_weeks: u8 = 3,
        /// Weeks of leave in the rest of the year.
        other_weeks: u8 = 3,
        /// Days of illness in a year.
        sick_days: u8 = 8,
    }
}

group! {
    /// Messages that do not arrive, as a share of those sent to people outside the town hall.
    Deliveries {
        /// E-mails and text messages.
        bounced: Share = Share(0.012),
        /// Letters.
        letters_returned: Share = Share(0.012),
    }
}

fn popular() -> BTreeMap<String, Weight> {
    [
        ("demarches-administratives/acte-etat-civil", 90.0),
        ("demarches-administratives/rendez-vous-titre-identite", 110.0),
        ("demarches-administratives/payer-facture", 60.0),
        ("education/inscription-periscolaire", 45.0),
        ("education/inscription-scolaire", 30.0),
        ("proprete/rendez-vous-encombrants", 40.0),
        ("logement/demande-logement-social", 22.0),
        ("senior/portage-repas", 14.0),
        ("solidarite/aide-urgence", 16.0),
        ("proprete/depot-sauvage", 34.0),
        ("proprete/graffiti", 16.0),
        ("eclairage/panne", 26.0),
        ("voirie/chaussee-abimee", 24.0),
        ("voirie/trottoir-abime", 18.0),
        ("espaces-verts/herbes-folles", 15.0),
        ("tranquillite/nuisances-sonores", 14.0),
    ]
    .into_iter()
    .map(|(process, weight)| (process.to_owned(), Weight(weight)))
    .collect()
}

fn time_by_role() -> BTreeMap<String, Share> {
    let roles = [("ambassadrice", 0.85), ("patrouilleur", 0.8), ("directeur", 0.05), ("dga", 0.05)];
    let others = [("dgs", 0.05), ("directeur-de-cabinet", 0.05), ("elu", 0.05), ("chef-de-service", 0.15)];
    roles.into_iter().chain(others).map(|(role, share)| (role.to_owned(), Share(share))).collect()
}

/// What is wrong with a file of assumptions, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}")]
pub struct AssumptionFault {
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// What is wrong, in English, as the reader says it.
    pub what: String,
}

impl Assumptions {
    /// Reads a file. What it does not say is as in [`Assumptions::default`].
    ///
    /// # Errors
    /// [`AssumptionFault`]: the first fault, with its place.
    pub fn read(text: &str) -> Result<Self, AssumptionFault> {
        if text.len() > ASSUMPTIONS_BYTES_MAX {
            let what = format!("the file has more than {ASSUMPTIONS_BYTES_MAX} bytes");
            return Err(AssumptionFault { line: 1, column: 1, what });
        }
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Self::default());
        }
        serde_saphyr::from_str(text).map_err(|error| {
            let place = error.location();
            let words = error.without_snippet().to_string();
            let first = words.lines().next().unwrap_or_default();
            let what = first.split(" at line ").next().unwrap_or_default().to_owned();
            AssumptionFault {
                line: place.map_or(1, |place| place.line().max(1)),
                column: place.map_or(1, |place| place.column().max(1)),
                what,
            }
        })
    }

    /// The same town, so many thousandths as busy.
    #[must_use]
    pub fn busy(self, permille: u32) -> Self {
        let times = |weight: Weight| Weight(weight.0 * f64::from(permille) / 1000.0);
        let (requests_a_year, rounds_a_year) = (times(self.requests_a_year), times(self.rounds_a_year));
        Self { requests_a_year, rounds_a_year, ..self }
    }

    /// The same town with so many requests in a year, rounds included.
    #[must_use]
    pub fn requests(self, a_year: u32) -> Self {
        let all = self.requests_a_year.0 + self.rounds_a_year.0;
        let times = f64::from(a_year) / all.max(1.0);
        let times = |weight: Weight| Weight(weight.0 * times);
        let (requests_a_year, rounds_a_year) = (times(self.requests_a_year), times(self.rounds_a_year));
        Self { requests_a_year, rounds_a_year, ..self }
    }

    /// As many people as the organisation has.
    pub(super) fn once() -> Weight {
        Weight(1.0)
    }

    /// Everything that can be assumed, with its values, as a file.
    #[must_use]
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(Self)
    }

    /// The place of a key in the file it was read from, for faults that only the catalogue shows.
    #[must_use]
    pub fn place_of(text: &str, key: &str) -> (u64, u64) {
        let found = text.lines().zip(1..).find_map(|(line, number)| {
            let column = line.find(key)?;
            Some((number, u64::try_from(line.get(..column)?.chars().count()).ok()? + 1))
        });
        found.unwrap_or((1, 1))
    }
}
