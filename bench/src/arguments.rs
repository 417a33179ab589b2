//! What was asked for on the command line.

use std::time::Duration;

use crate::measure::Fault;
use crate::store::Store;

/// How to ask, for those who ask wrongly.
const USAGE: &str = "guichet-bench [PART …] [--quick] [--events N] [--seconds N]";

/// The size of every part.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// The parts asked for; all when none is.
    parts: Vec<String>,
    /// Events of the journal that is replayed and rebuilt from.
    pub(crate) events: usize,
    /// Events appended by each number of callers but one, which appends a tenth.
    pub(crate) appends: usize,
    /// Requests taken through their lives by each number of callers.
    pub(crate) requests: usize,
    /// How long each fixed rate is kept up.
    pub(crate) duration: Duration,
    /// Requests of the year that is simulated: those of a town of 75,000.
    pub(crate) year: u32,
    /// Whether everything is to be measured on a small scale.
    pub(crate) quick: bool,
    /// A PostgreSQL server, from `GUICHET_TEST_POSTGRES`.
    pub(crate) postgres: Option<String>,
}

impl Arguments {
    /// Reads the command line.
    ///
    /// # Errors
    /// When it cannot be understood.
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Self, Fault> {
        let mut arguments = Self {
            parts: Vec::new(),
            events: 1_000_000,
            appends: 60_000,
            requests: 4096,
            duration: Duration::from_secs(20),
            year: 500_000,
            quick: false,
            postgres: std::env::var("GUICHET_TEST_POSTGRES").ok(),
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("a value is missing: {USAGE}"));
            match word.as_str() {
                "--quick" => {
                    arguments.quick = true;
                    (arguments.events, arguments.appends, arguments.requests) = (200_000, 20_000, 1024);
                    (arguments.duration, arguments.year) = (Duration::from_secs(5), 50_000);
                }
                "--events" => arguments.events = value()?.parse()?,
                "--seconds" => arguments.duration = Duration::from_secs(value()?.parse()?),
                part if !part.starts_with('-') => arguments.parts.push(part.to_owned()),
                _ => return Err(USAGE.into()),
            }
        }
        Ok(arguments)
    }

    /// Whether a part is to be measured.
    pub(crate) fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }
    /// Whether a part was asked for by name: those that take long are not measured otherwise.
    pub(crate) fn names(&self, part: &str) -> bool {
        self.parts.iter().any(|wanted| wanted == part)
    }

    /// The stores to measure.
    pub(crate) fn stores(&self) -> Vec<Store> {
        let postgres = self.postgres.clone().map(Store::Postgres);
        [Store::Sqlite].into_iter().chain(postgres).collect()
    }
}
