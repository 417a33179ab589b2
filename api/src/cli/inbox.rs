//! `guichet inbox`: what is to be done, by whom.

use std::io::Write;

use clap::Args;
use guichet_engine::rules::process::Party;
use guichet_engine::rules::text::Language;
use guichet_projections::{InboxItem, InboxQuery, Whose};

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::output::Table;
use super::{local, store};
use crate::vocabulary;

/// Show what is to be done: by a person, a role, a service, or everyone
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  guichet inbox --person a20\n  guichet inbox --service voirie --format csv"
)]
pub(crate) struct Inbox {
    /// Of this member of staff, stand-ins included (staff code).
    #[arg(long, conflicts_with_all = ["role", "service"])]
    person: Option<String>,
    /// Of this role.
    #[arg(long, conflicts_with = "service")]
    role: Option<String>,
    /// Of this service.
    #[arg(long)]
    service: Option<String>,
    /// The collectivity; all of them if none.
    #[arg(long)]
    tenant: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

impl Inbox {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        let guichet = store::open_to_read(context).await?;
        let printed = self.print(context, &guichet).await;
        guichet.close().await;
        printed.map(|()| Verdict::Good)
    }

    async fn print(&self, context: &mut Context, guichet: &crate::Guichet) -> Result<(), Failure> {
        let failed = |error: &guichet_projections::ProjectionError| store::reading(error, context.language);
        let models = guichet.read_models();
        models.catch_up(store::PATIENCE).await.map_err(|error| failed(&error))?;
        let tenants = match &self.tenant {
            Some(tenant) => vec![tenant.clone()],
            None => guichet.engine().definitions().tenants(),
        };
        let (mut items, mut all) = (Vec::new(), 0);
        for tenant in tenants {
            let query =
                InboxQuery { tenant, whose: self.whose(guichet), work: Vec::new(), limit: self.limit };
            let answer = models.inbox(&query).await.map_err(|error| failed(&error))?;
            all += answer.n;
            items.extend(answer.value);
        }
        items.sort_by_key(|item| {
            (std::cmp::Reverse(item.priority), item.due.is_none(), item.due, item.request)
        });
        items.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        if context.format == Format::Json {
            writeln!(context.out, "{:#}", serde_json::json!({ "n": all, "items": items }))?;
            return Ok(());
        }
        let table = table(context, &items);
        if context.format == Format::Csv {
            return table.write_csv(&mut context.out);
        }
        table.write(&mut context.out)?;
        let shown = items.len();
        let line = match context.language {
            Language::Fr => format!("{shown} sur {all} choses à faire."),
            Language::En => format!("{shown} of {all} things to do."),
        };
        writeln!(context.out, "\n{line}")?;
        Ok(())
    }

    fn whose(&self, guichet: &crate::Guichet) -> Whose {
        match (&self.person, &self.role, &self.service) {
            (Some(person), _, _) => {
                let day = guichet.now().with_timezone(&chrono_tz::Tz::Europe__Paris).date_naive();
                Whose::Person { person: person.clone(), day }
            }
            (None, Some(role), _) => Whose::Role(role.clone()),
            (None, None, Some(service)) => Whose::Service(service.clone()),
            (None, None, None) => Whose::Everyone,
        }
    }
}

fn table(context: &Context, items: &[InboxItem]) -> Table {
    let language = context.language;
    let mut table = Table::new(&[
        context.say("à faire", "to do"),
        context.say("par", "by"),
        context.say("démarche", "process"),
        context.say("canal", "channel"),
        context.say("échéance", "due"),
        context.say("demande", "request"),
    ]);
    for item in items {
        let work = serde_json::to_value(item.work).unwrap_or_default();
        let work = vocabulary::work(work.as_str().unwrap_or_default(), language);
        let work = item.item.as_ref().map_or(work.clone(), |about| format!("{work} : {about}"));
        let by = match &item.party {
            Party::Role(id) | Party::Person(id) | Party::Service(id) => id.clone(),
            Party::ServiceInCharge => item.service.clone().unwrap_or_default(),
        };
        let due = item.due.map(|due| local::instant(language, due)).unwrap_or_else(|| "–".into());
        let due = if item.late { format!("{due} !") } else { due };
        let channel = vocabulary::channel(item.channel.id(), language);
        table.row(vec![work, by, item.process.clone(), channel, due, item.request.to_string()]);
    }
    table
}
