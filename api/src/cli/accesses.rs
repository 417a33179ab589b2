//! `guichet accesses`: who opened what was said in requests.

use std::io::Write;

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Europe::Paris;
use clap::Args;
use guichet_engine::rules::text::Language;
use guichet_projections::{AccessFound, AccessQuery};

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::output::{Table, printable};
use super::{find, local, store};

/// Show who opened what was said in requests, by which right and in which hour
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  guichet accesses --request K7M-2QX-9RTA\n  \
    guichet accesses --agent a01 --from 2026-11-01 --to 2026-11-30 --format csv")]
pub(crate) struct Accesses {
    /// Of this request: its id, its tracking code, or its number in the system it was imported from.
    #[arg(long, value_name = "REQUEST")]
    request: Option<String>,
    /// By this member of staff (staff code).
    #[arg(long, value_name = "CODE", conflicts_with_all = ["integrator", "operator"])]
    agent: Option<String>,
    /// By this program (the name of its key).
    #[arg(long, value_name = "NAME", conflicts_with = "operator")]
    integrator: Option<String>,
    /// By this user of the server's machine, at the command line.
    #[arg(long, value_name = "USER")]
    operator: Option<String>,
    /// From this day on (Paris).
    #[arg(long, value_name = "DAY")]
    from: Option<NaiveDate>,
    /// Up to and with this day (Paris).
    #[arg(long, value_name = "DAY")]
    to: Option<NaiveDate>,
    /// The collectivity; all of them if none.
    #[arg(long)]
    tenant: Option<String>,
    /// How many at most, the last first.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

impl Accesses {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json, Format::Csv])?;
        let guichet = store::open_to_read(context).await?;
        let printed = self.print(context, &guichet).await;
        guichet.close().await;
        printed.map(|()| Verdict::Good)
    }

    async fn print(&self, context: &mut Context, guichet: &crate::Guichet) -> Result<(), Failure> {
        let models = guichet.read_models();
        let caught_up = models.catch_up(store::PATIENCE).await;
        caught_up.map_err(|error| store::reading(&error, context.language))?;
        let query = self.query(context, guichet).await?;
        let found = models.accesses_found(&query).await;
        let found = found.map_err(|error| store::reading(&error, context.language))?;
        if context.format == Format::Json {
            let answer = serde_json::json!({ "n": found.n, "accesses": found.value });
            writeln!(context.out, "{answer:#}")?;
            return Ok(());
        }
        let table = table(context, &found.value);
        if context.format == Format::Csv {
            return table.write_csv(&mut context.out);
        }
        table.write(&mut context.out)?;
        let (shown, all) = (found.value.len(), found.n);
        let line = match context.language {
            Language::Fr => format!("{shown} accès sur {all}."),
            Language::En => format!("{shown} of {all} accesses."),
        };
        writeln!(context.out, "\n{line}")?;
        Ok(())
    }

    async fn query(&self, context: &Context, guichet: &crate::Guichet) -> Result<AccessQuery, Failure> {
        let card = match &self.request {
            Some(request) => Some(find::card(context, guichet, request, self.tenant.as_deref()).await?),
            None => None,
        };
        let actor = match (&self.agent, &self.integrator, &self.operator) {
            (Some(code), _, _) => Some(format!("agent:{code}")),
            (None, Some(name), _) => Some(format!("integrator:{name}")),
            (None, None, Some(user)) => Some(format!("operator:{user}")),
            (None, None, None) => None,
        };
        Ok(AccessQuery {
            tenant: card.as_ref().map(|card| card.tenant.clone()).or_else(|| self.tenant.clone()),
            request: card.map(|card| card.request),
            actor,
            from: self.from.and_then(midnight),
            until: self.to.and_then(|day| day.succ_opt()).and_then(midnight),
            limit: self.limit,
        })
    }
}

/// When a day begins in Paris (UTC).
fn midnight(day: NaiveDate) -> Option<DateTime<Utc>> {
    let begins = Paris.from_local_datetime(&day.and_time(NaiveTime::MIN)).earliest();
    // Paris never skipped a midnight; another zone might, and its day begins an hour later then.
    let begins = begins.or_else(|| {
        Paris.from_local_datetime(&(day.and_time(NaiveTime::MIN) + Duration::hours(1))).earliest()
    });
    begins.map(|begins| begins.with_timezone(&Utc))
}

fn table(context: &Context, found: &[AccessFound]) -> Table {
    let mut table = Table::new(&[
        context.say("dans l’heure du", "in the hour of"),
        context.say("qui", "who"),
        context.say("quoi", "what"),
        context.say("à quel titre", "by which right"),
        context.say("collectivité", "collectivity"),
        context.say("demande", "request"),
    ]);
    for one in found {
        let entry = &one.entry;
        table.row(vec![
            local::instant(context.language, entry.hour),
            printable(&entry.actor),
            what(context, &entry.what).to_owned(),
            ground(context, &entry.ground).to_owned(),
            one.tenant.clone(),
            one.request.to_string(),
        ]);
    }
    table
}

fn what<'a>(context: &'a Context, what: &'a str) -> &'a str {
    match what {
        "dossier" => context.say("dossier", "dossier"),
        "file" => context.say("fichier", "file"),
        other => other,
    }
}

fn ground<'a>(context: &'a Context, ground: &'a str) -> &'a str {
    match ground {
        "in_charge" => context.say("agent chargé", "agent in charge"),
        "service" => context.say("service chargé", "service in charge"),
        "qualification" => context.say("qualification", "qualification"),
        "task" => context.say("tâche", "task"),
        "approval" => context.say("validation", "approval"),
        "key" => context.say("clé d’un programme", "key of a program"),
        "console" => context.say("ligne de commande", "command line"),
        other => other,
    }
}
