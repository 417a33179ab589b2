//! What a simulation is asked.

use std::collections::BTreeMap;
use std::io::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{Months, NaiveDate, TimeDelta};
use clap::Args;
use guichet_engine::rules::language::Catalogue;
use guichet_engine::rules::process::Plan;
use guichet_engine::rules::text::Language;

use crate::cli::failure::Failure;
use crate::cli::{calendars, catalogue, town};
use crate::import::Areas;
use crate::simulation::{Assumptions, Drawing, Ground, Period, SimulationError, offered};

/// The most requests of a year that are simulated.
const REQUESTS_MAX: u32 = 5_000_000;

/// The options of `guichet simulate`.
#[derive(Debug, Args)]
pub(super) struct SimulateOptions {
    /// The year that is lived; 2026 if neither a year nor a month is given.
    #[arg(long, value_name = "YYYY", conflicts_with = "month", value_parser = clap::value_parser!(i32).range(1950..=2300))]
    year: Option<i32>,
    /// Only a month of it.
    #[arg(long, value_name = "YYYY-MM", value_parser = town::first_day)]
    month: Option<NaiveDate>,
    /// Requests in a year, rounds included; more of them come with more people, unless --staff says otherwise.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(REQUESTS_MAX)))]
    requests: Option<u32>,
    /// A file of assumptions: who comes, how long work takes, who is there.
    #[arg(long, value_name = "FILE")]
    assumptions: Option<PathBuf>,
    /// People at a service or of a role: `service:voirie=3`, `role:ambassadrice@ville=4`. May be repeated.
    #[arg(long = "staff", value_name = "POST=N", value_parser = post)]
    staff_given: Vec<(String, u16)>,
    #[arg(skip)]
    pub(super) staff: BTreeMap<String, u16>,
    /// The share of what comes over the counter, by telephone or letter that comes online instead, as `+20%`.
    #[arg(long, value_name = "SHARE", default_value = "+0%", value_parser = percent)]
    pub(super) online: f64,
    /// How many seeds; the interval over them is that of Student, at 95 %.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    seeds: u16,
    /// The first seed: the same one gives the same bytes.
    #[arg(long, default_value_t = 2016)]
    seed: u64,
    /// How many seeds are lived at once; as many as there are cores, if none is given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Print only the processes whose name begins like this.
    #[arg(long, value_name = "PROCESS", default_value = "")]
    pub(super) process: String,
    /// The same again with other staff or another share online, and the difference: `service:voirie=4,online=+20%`.
    #[arg(long, value_name = "CHANGES", value_parser = variant)]
    pub(super) compare: Option<Variant>,
    /// The fewest people with whom this share of the promises is kept, at each of the posts named by --for.
    #[arg(long, value_name = "SHARE", value_parser = percent)]
    pub(super) target: Option<f64>,
    /// A post that --target is about; all services, if none is given. May be repeated.
    #[arg(long = "for", value_name = "POST", requires = "target")]
    pub(super) posts: Vec<String>,
    /// Write a report as a picture.
    #[arg(long, value_name = "FILE")]
    pub(super) svg: Option<PathBuf>,
    /// The catalogue; that of Châlons in this repository if none is given.
    #[arg(long, value_name = "FOLDER")]
    catalogue: Option<PathBuf>,
}

/// Another town to compare with.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Variant {
    /// People by post.
    pub(super) people: BTreeMap<String, u16>,
    /// The share that moves online.
    pub(super) online: f64,
}

impl Variant {
    /// The assumptions with these people.
    pub(super) fn assumed(&self, assumed: &Assumptions) -> Assumptions {
        let mut assumed = assumed.clone();
        assumed.staff.people.extend(self.people.clone());
        assumed
    }
}

fn post(text: &str) -> Result<(String, u16), String> {
    let wrong = || "write it as service:voirie=3 or role:ambassadrice@ville=4".to_owned();
    let (post, people) = text.rsplit_once('=').ok_or_else(wrong)?;
    let people: u16 = people.trim().parse().map_err(|_| wrong())?;
    if people > 2_000 {
        return Err("at most 2000 people".to_owned());
    }
    Ok((post.trim().to_owned(), people))
}

/// `+20%`, `20 %` or `0.2`.
fn percent(text: &str) -> Result<f64, String> {
    let wrong = || "write it as 20%".to_owned();
    let plain = text.trim().trim_start_matches('+');
    let (digits, hundred) = match plain.strip_suffix('%') {
        Some(digits) => (digits, 100.0),
        None => (plain, 1.0),
    };
    let share = digits.trim().replace(',', ".").parse::<f64>().map_err(|_| wrong())? / hundred;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err(wrong()) }
}

fn variant(text: &str) -> Result<Variant, String> {
    let mut variant = Variant::default();
    for part in text.split(',').filter(|part| !part.trim().is_empty()) {
        match part.trim().strip_prefix("online=") {
            Some(share) => variant.online = percent(share)?,
            None => variant.people.extend([post(part)?]),
        }
    }
    if variant == Variant::default() {
        Err("name what changes: service:voirie=4".to_owned())
    } else {
        Ok(variant)
    }
}

impl SimulateOptions {
    /// Puts what was given together.
    pub(super) fn ready(mut self) -> Self {
        self.staff = self.staff_given.drain(..).collect();
        self
    }

    /// The days that are lived.
    pub(super) fn period(&self) -> Period {
        match (self.month, self.year) {
            (Some(from), _) => Period { from, until: from + Months::new(1) - TimeDelta::days(1) },
            (None, year) => {
                let day = |month, day| {
                    NaiveDate::from_ymd_opt(year.unwrap_or(2026), month, day).unwrap_or_default()
                };
                Period { from: day(1, 1), until: day(12, 31) }
            }
        }
    }

    /// The seeds, one after the other.
    pub(super) fn seeds(&self) -> Vec<u64> {
        (0..u64::from(self.seeds)).map(|place| self.seed.wrapping_add(place)).collect()
    }

    /// How many seeds are lived at once.
    pub(super) fn at_once(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.threads.map_or_else(cores, usize::from)
    }

    /// The catalogue's plans, by collectivity, and its areas.
    pub(super) fn catalogue(&self, language: Language) -> Result<(Found, Areas), Failure> {
        let folder = town::catalogue_folder(self.catalogue.as_deref(), language)?;
        let found = catalogue::sound(&folder, language)?;
        let areas = found.areas.as_deref().map(Areas::read).unwrap_or_default();
        Ok((Found::of(found)?, areas))
    }

    /// The assumptions: those of the file, with the requests that were asked for.
    pub(super) fn assumptions(&self, language: Language) -> Result<Assumptions, Failure> {
        let assumed = match &self.assumptions {
            None => Assumptions::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| calendars::unreadable(path, &error, language))?;
                Assumptions::read(&text).map_err(|fault| {
                    let (path, line, column, what) = (path.display(), fault.line, fault.column, fault.what);
                    Failure::usage(match language {
                        Language::Fr => format!("{path}, ligne {line}, colonne {column} : {what}"),
                        Language::En => format!("{path}, line {line}, column {column}: {what}"),
                    })
                })?
            }
        };
        Ok(self.requests.map_or(assumed.clone(), |requests| assumed.requests(requests)))
    }

    /// A town of the catalogue.
    pub(super) fn ground(
        &self,
        found: &Found,
        areas: &Areas,
        assumed: Assumptions,
    ) -> Result<Ground, SimulationError> {
        Ground::new(
            found.offered.clone(),
            &found.catalogue.organisation,
            areas.clone(),
            assumed,
            self.period(),
        )
    }

    /// The same, or the sentence that says why not.
    pub(super) fn town(
        &self,
        found: &Found,
        areas: &Areas,
        assumed: Assumptions,
        language: Language,
    ) -> Result<Ground, Failure> {
        self.ground(found, areas, assumed).map_err(|error| self.fault(&error, language))
    }

    /// A fault in words; one of the assumptions' names with its place in their file.
    pub(super) fn fault(&self, error: &SimulationError, language: Language) -> Failure {
        let SimulationError::NobodyCalled(name) = error else { return town::failed(error, language) };
        let text = self.assumptions.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        let place = text.filter(|text| text.contains(name.as_str())).zip(self.assumptions.as_ref());
        let place = place.map(|(text, path)| {
            let (line, column) = Assumptions::place_of(&text, name);
            let path = path.display();
            match language {
                Language::Fr => format!("{path}, ligne {line}, colonne {column} : "),
                Language::En => format!("{path}, line {line}, column {column}: "),
            }
        });
        let place = place.unwrap_or_default();
        Failure::usage(match language {
            Language::Fr => format!(
                "{place}le catalogue n’a pas « {name} », ou en a plusieurs (service:voirie, role:ambassadrice@ville)"
            ),
            Language::En => format!(
                "{place}the catalogue has no `{name}`, or more than one (service:voirie, role:ambassadrice@ville)"
            ),
        })
    }

    /// How the report is drawn.
    pub(super) fn drawing(&self, language: Language) -> Drawing {
        Drawing { language, seeds: self.seeds.into(), period: self.period(), process: self.process.clone() }
    }
}

/// A catalogue with its plans compiled.
pub(super) struct Found {
    pub(super) catalogue: Catalogue,
    pub(super) offered: Vec<(String, Arc<Plan>)>,
}

impl Found {
    fn of(catalogue: Catalogue) -> Result<Self, Failure> {
        let offered = offered(&catalogue).map_err(|error| Failure::found(error.to_string()))?;
        Ok(Self { catalogue, offered })
    }
}

/// Why a file cannot be written.
pub(super) fn unwritable(path: &Path, error: &Error, language: Language) -> Failure {
    let path = path.display();
    Failure::usage(match language {
        Language::Fr => format!("impossible d’écrire {path} : {error}"),
        Language::En => format!("cannot write {path}: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_on_the_line_is_read() {
        assert_eq!(percent("+20%"), Ok(0.2));
        assert_eq!(percent("12,5 %"), Ok(0.125));
        assert!(percent("120%").is_err() && percent("much").is_err());
        assert_eq!(post("service:voirie=3"), Ok(("service:voirie".to_owned(), 3)));
        assert!(post("service:voirie").is_err() && post("service:voirie=-1").is_err());
        let both = variant("service:voirie=4, online=+20%").unwrap();
        assert_eq!((both.people.len(), both.online), (1, 0.2));
        assert!(variant("").is_err());
    }
}
