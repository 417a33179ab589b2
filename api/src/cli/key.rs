//! `guichet key`: makes, lists, replaces and takes back keys of agents and programs.

use std::io::Write;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use clap::{Args, Subcommand};
use guichet_engine::Ambient;
use serde_json::{Value, json};

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::output::Table;
use crate::ambient::Surroundings;
use crate::rights::Scope;
use crate::rights::keys::{AccessError, Holder, KeyEntry, KeyTerms, Keyring};

/// How long a replaced key goes on opening unless something else is said, in days.
const GRACE_DAYS: u32 = 7;
/// The longest that a replaced key goes on opening, in days.
pub(crate) const GRACE_DAYS_MAX: u32 = 90;

/// Make, list, replace or take back the keys of agents and programs
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples: guichet key --tenant ville --agent a01\n          \
    guichet key make --tenant ville --integrator portail --scope requests:receive --process voirie\n          \
    guichet key list --tenant ville\n          \
    guichet key rotate --tenant ville 3fa94b0c12de --grace 14\n          \
    guichet key revoke --tenant ville 3fa94b0c12de\n\
    A key is shown once and kept only as a digest. A running server knows every change at once."
)]
pub(crate) struct Key {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    make: Option<Make>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key; it is shown once
    Make(Make),
    /// List the keys of a collectivity, those that open nothing any more included
    List {
        /// The collectivity.
        #[arg(long, value_name = "TENANT")]
        tenant: String,
    },
    /// Take a key back: it opens nothing from now on
    Revoke(Named),
    /// Make a key with the same rights; the old one opens for a while yet
    Rotate {
        #[command(flatten)]
        named: Named,
        /// How many days the old key goes on opening.
        #[arg(long, value_name = "DAYS", default_value_t = GRACE_DAYS,
            value_parser = clap::value_parser!(u32).range(0..=i64::from(GRACE_DAYS_MAX)))]
        grace: u32,
    },
}

#[derive(Debug, Args)]
struct Named {
    /// The collectivity.
    #[arg(long, value_name = "TENANT")]
    tenant: String,
    /// The key, as `guichet key list` calls it.
    #[arg(value_name = "ID")]
    id: String,
}

#[derive(Debug, Args)]
struct Make {
    /// The collectivity that it opens.
    #[arg(long, value_name = "TENANT")]
    tenant: String,
    /// For this member of staff, by staff code.
    #[arg(long, value_name = "CODE", conflicts_with = "integrator", required_unless_present = "integrator")]
    agent: Option<String>,
    /// For this program, by a name of your choice.
    #[arg(long, value_name = "NAME")]
    integrator: Option<String>,
    /// What it lets through, as often as needed, for example `requests:read`; the usual if none is named.
    #[arg(long = "scope", value_name = "RIGHT")]
    scopes: Vec<Scope>,
    /// A process (`voirie/chaussee-abimee`) or theme (`voirie`) that it is limited to, as often as needed.
    #[arg(long = "process", value_name = "PROCESS")]
    processes: Vec<String>,
    /// The first day on which it opens nothing any more, for example `2027-01-01` (UTC).
    #[arg(long, value_name = "DAY")]
    expires: Option<NaiveDate>,
}

impl Make {
    fn terms(self) -> KeyTerms {
        let holder = match (self.agent, self.integrator) {
            (Some(code), _) => Holder::Agent(code),
            (None, name) => Holder::Integrator(name.unwrap_or_default()),
        };
        KeyTerms {
            tenant: self.tenant,
            holder,
            scopes: (!self.scopes.is_empty()).then_some(self.scopes),
            processes: self.processes,
            expires: self.expires.map(|day| day.and_time(NaiveTime::MIN).and_utc()),
        }
    }
}

impl Key {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        let access = Keyring::at(&context.options()).map_err(refused)?;
        access.settle().await.map_err(refused)?;
        let ambient: Arc<dyn Ambient> = Arc::new(Surroundings::system());
        match (self.action, self.make) {
            (Some(Action::Make(make)), _) | (None, Some(make)) => {
                let (key, entry) = access.make(&make.terms(), &ambient).await.map_err(refused)?;
                show(context, &key, &entry)?;
            }
            (Some(Action::List { tenant }), _) => {
                let keys = access.list(&tenant).await.map_err(refused)?;
                list(context, &keys, ambient.now())?;
            }
            (Some(Action::Revoke(named)), _) => {
                let revoked = access.revoke(&named.tenant, &named.id, ambient.now());
                let entry = revoked.await.map_err(refused)?;
                let words = context.say("La clé n’ouvre plus rien.", "The key opens nothing any more.");
                match context.format {
                    Format::Json => writeln!(context.out, "{}", described(&entry))?,
                    Format::Human | Format::Csv | Format::Sarif => writeln!(context.out, "{words}")?,
                }
            }
            (Some(Action::Rotate { named, grace }), _) => {
                let grace = TimeDelta::days(i64::from(grace));
                let rotated = access.rotate(&named.tenant, &named.id, grace, &ambient);
                let (key, entry) = rotated.await.map_err(refused)?;
                show(context, &key, &entry)?;
            }
            (None, None) => return Err(Failure::usage("guichet key --help")),
        }
        Ok(Verdict::Good)
    }
}

fn show(context: &mut Context, key: &str, entry: &KeyEntry) -> Result<(), Failure> {
    match context.format {
        Format::Json => {
            let shown = json!({ "key": key, "tenant": entry.tenant, "id": entry.id });
            writeln!(context.out, "{shown}")?;
        }
        Format::Human | Format::Csv | Format::Sarif => {
            writeln!(context.out, "{key}")?;
            let note = context.say(
                "Gardez cette clé : elle ne sera plus montrée. Elle s’appelle",
                "Keep this key: it will not be shown again. It is called",
            );
            // On standard error, so that a script can take the key alone.
            let _ = writeln!(std::io::stderr(), "{note} {}.", entry.id);
        }
    }
    Ok(())
}

fn described(entry: &KeyEntry) -> Value {
    json!({
        "id": entry.id, "holder": entry.holder, "created": entry.created, "scopes": entry.scopes,
        "processes": entry.processes, "expires": entry.expires, "revoked": entry.revoked,
        "replaced_by": entry.replaced_by,
    })
}

fn list(context: &mut Context, keys: &[KeyEntry], now: DateTime<Utc>) -> Result<(), Failure> {
    if context.format == Format::Json {
        let all: Vec<Value> = keys.iter().map(described).collect();
        writeln!(context.out, "{}", Value::Array(all))?;
        return Ok(());
    }
    let head = match context.language {
        guichet_engine::rules::text::Language::Fr => {
            ["clé", "titulaire", "créée", "état", "droits", "démarches"]
        }
        guichet_engine::rules::text::Language::En => {
            ["key", "holder", "made", "state", "rights", "processes"]
        }
    };
    let mut table = Table::new(&head);
    for entry in keys {
        let state = match (entry.revoked, entry.expires) {
            (Some(_), _) => context.say("retirée", "taken back").to_owned(),
            (None, Some(expires)) if expires <= now => context.say("expirée", "expired").to_owned(),
            (None, Some(expires)) => {
                format!("{} {}", context.say("jusqu’au", "until"), expires.format("%Y-%m-%d %H:%M"))
            }
            (None, None) => context.say("valable", "valid").to_owned(),
        };
        let (Holder::Agent(name) | Holder::Integrator(name)) = &entry.holder;
        let scopes = entry.scopes.as_ref().map(|all| all.iter().map(|one| one.name()).collect::<Vec<_>>());
        let usual = context.say("ceux du titulaire", "the holder’s").to_owned();
        table.row(vec![
            entry.id.clone(),
            name.clone(),
            entry.created.format("%Y-%m-%d").to_string(),
            state,
            scopes.map_or(usual, |scopes| scopes.join(" ")),
            entry.processes.join(" "),
        ]);
    }
    table.write(&mut context.out)
}

fn refused(error: AccessError) -> Failure {
    match error {
        AccessError::Holder(_)
        | AccessError::Tenant(_)
        | AccessError::Scope(_)
        | AccessError::Limit(_)
        | AccessError::Expired => Failure::usage(error.to_string()),
        AccessError::File { .. } | AccessError::Table(_) => Failure::store(error.to_string()),
        AccessError::TooMany | AccessError::Unknown(_) | AccessError::Chance(_) => {
            Failure::found(error.to_string())
        }
    }
}
