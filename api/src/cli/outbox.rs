//! `guichet outbox`: what is not out yet, what failed, what is not tried any more; and sending it again.

use std::io::Write;

use clap::{Args, Subcommand};
use guichet_engine::rules::text::Language;
use guichet_projections::{DeadLetter, OutboxItem, ProjectionError};
use serde_json::{Value, json};
use uuid::Uuid;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::output::{Table, printable};
use super::{find, local, store};
use crate::Guichet;
use crate::outbound::named::{is_by_hand, recipient, subject};

/// The most messages, and the most dead letters of one address, that are shown.
const LISTED_MAX: u32 = 1_000;

/// Show messages that are not out yet and changes that no webhook took, and send them again
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  guichet outbox --failed\n  guichet outbox retry K7M-2QX-9RTA 3-0\n  \
    guichet outbox resend 5e1c… \n\
    A folder that a server holds can be looked at beside it; to send again, ask the server (POST …/retry, …/resend).")]
pub(crate) struct Outbox {
    #[command(subcommand)]
    action: Option<Action>,
    /// The collectivity; all of them if none.
    #[arg(long, global = true)]
    tenant: Option<String>,
    /// Only what failed at least once.
    #[arg(long)]
    failed: bool,
    /// Only what people do by hand: letters, the counter, the telephone.
    #[arg(long)]
    by_hand: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Try a message again now, however often it failed
    Retry {
        /// Its request: the id, the tracking code, or the number in the system it was imported from.
        #[arg(value_name = "REQUEST")]
        request: String,
        /// The message, as the list calls it.
        #[arg(value_name = "EFFECT")]
        effect: String,
    },
    /// Send changes again that a webhook did not take: all of them, or one
    Resend {
        /// The webhook's id.
        #[arg(value_name = "WEBHOOK")]
        webhook: Uuid,
        /// The event's id.
        #[arg(value_name = "EVENT")]
        event: Option<Uuid>,
    },
}

/// A change that a webhook did not take.
struct Dead {
    tenant: String,
    webhook: Uuid,
    letter: DeadLetter,
}

impl Outbox {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json, Format::Csv])?;
        let guichet = match self.action {
            None => store::open_to_read(context).await?,
            Some(_) => store::open(context).await?,
        };
        let done = match &self.action {
            None => self.list(context, &guichet).await,
            Some(Action::Retry { request, effect }) => self.retry(context, &guichet, request, effect).await,
            Some(Action::Resend { webhook, event }) => self.resend(context, &guichet, *webhook, *event).await,
        };
        guichet.close().await;
        done.map(|()| Verdict::Good)
    }

    fn tenants(&self, guichet: &Guichet) -> Vec<String> {
        let all = || guichet.engine().definitions().tenants();
        self.tenant.as_ref().map_or_else(all, |tenant| vec![tenant.clone()])
    }

    async fn list(&self, context: &mut Context, guichet: &Guichet) -> Result<(), Failure> {
        let models = guichet.read_models();
        let language = context.language;
        let failed = |error: ProjectionError| store::reading(&error, language);
        models.catch_up(store::PATIENCE).await.map_err(failed)?;
        let found = models.outbox(self.tenant.as_deref(), LISTED_MAX).await.map_err(failed)?;
        let wanted =
            |item: &OutboxItem| (!self.failed || item.attempts > 0) && (!self.by_hand || is_by_hand(item.by));
        let items: Vec<OutboxItem> = found.value.into_iter().filter(wanted).collect();
        let mut dead = Vec::new();
        for tenant in self.tenants(guichet).into_iter().filter(|_| !self.by_hand) {
            for webhook in models.webhooks(&tenant).await.map_err(failed)? {
                let webhook = webhook.webhook;
                for letter in models.dead_letters(webhook, LISTED_MAX).await.map_err(failed)? {
                    dead.push(Dead { tenant: tenant.clone(), webhook, letter });
                }
            }
        }
        match context.format {
            Format::Json => {
                let messages: Vec<Value> = items.iter().map(message).collect();
                let letters: Vec<Value> = dead.iter().map(Dead::json).collect();
                let answer = json!({ "n": found.n, "messages": messages, "dead_letters": letters });
                writeln!(context.out, "{answer:#}")?;
                Ok(())
            }
            Format::Csv => table(context, &items).write_csv(&mut context.out),
            Format::Human | Format::Sarif => told(context, &items, &dead),
        }
    }

    async fn retry(
        &self,
        context: &mut Context,
        guichet: &Guichet,
        request: &str,
        effect: &str,
    ) -> Result<(), Failure> {
        let card = find::card(context, guichet, request, self.tenant.as_deref()).await?;
        let models = guichet.read_models();
        let language = context.language;
        let failed = |error: ProjectionError| store::reading(&error, language);
        let item = models.outbox_item(&card.tenant, card.request, effect).await.map_err(failed)?;
        let item = item.ok_or_else(|| {
            Failure::found(context.say(
                "aucun message de ce nom n’attend : il est parti, ou n’est plus voulu",
                "no message of this name waits: it is out, or no longer wanted",
            ))
        })?;
        if is_by_hand(item.by) {
            return Err(Failure::found(context.say(
                "cet envoi se fait à la main : un agent le signale comme fait",
                "this is done by hand: an agent reports it done",
            )));
        }
        models.outbox_retried(&item).await.map_err(failed)?;
        let words = context.say(
            "Il sera tenté de nouveau dès qu’un serveur tourne.",
            "It is tried again as soon as a server runs.",
        );
        writeln!(context.out, "{words}")?;
        Ok(())
    }

    async fn resend(
        &self,
        context: &mut Context,
        guichet: &Guichet,
        webhook: Uuid,
        event: Option<Uuid>,
    ) -> Result<(), Failure> {
        let models = guichet.read_models();
        let language = context.language;
        let failed = |error: ProjectionError| store::reading(&error, language);
        let mut known = false;
        for tenant in self.tenants(guichet) {
            known |= models.webhook(&tenant, webhook).await.map_err(failed)?.is_some();
        }
        let revived = if known {
            models.revive_dead_letters(webhook, event, guichet.now()).await.map_err(failed)?
        } else {
            0
        };
        if revived == 0 {
            return Err(Failure::found(
                context.say("rien de tel n’a été abandonné", "nothing of the kind was given up"),
            ));
        }
        let line = match language {
            Language::Fr => format!("{revived} envois seront tentés de nouveau dès qu’un serveur tourne."),
            Language::En => format!("{revived} deliveries are tried again as soon as a server runs."),
        };
        writeln!(context.out, "{line}")?;
        Ok(())
    }
}

/// A message as programs read it; nothing of it is personal.
fn message(item: &OutboxItem) -> Value {
    json!({
        "tenant": item.tenant, "request": item.request, "effect": item.effect,
        "recipient": recipient(&item.recipient), "subject": subject(&item.subject), "by": item.by,
        "by_hand": is_by_hand(item.by), "asked": item.asked, "attempts": item.attempts,
        "next_attempt": item.next_attempt, "error": item.error,
    })
}

impl Dead {
    fn json(&self) -> Value {
        json!({
            "tenant": self.tenant, "webhook": self.webhook, "event": self.letter.event,
            "request": self.letter.request, "attempts": self.letter.attempts, "since": self.letter.since,
            "error": self.letter.error,
        })
    }
}

fn told(context: &mut Context, items: &[OutboxItem], dead: &[Dead]) -> Result<(), Failure> {
    table(context, items).write(&mut context.out)?;
    let (waiting, failed) = (items.len(), items.iter().filter(|item| item.attempts > 0).count());
    let line = match context.language {
        Language::Fr => format!("{waiting} messages attendent, dont {failed} après un échec."),
        Language::En => format!("{waiting} messages wait, {failed} of them after a failure."),
    };
    writeln!(context.out, "\n{line}")?;
    if !dead.is_empty() {
        let words = context.say("Plus tenté (webhooks) :", "Not tried any more (webhooks):");
        writeln!(context.out, "\n{words}")?;
        letters(context, dead).write(&mut context.out)?;
    }
    Ok(())
}

fn table(context: &Context, items: &[OutboxItem]) -> Table {
    let mut table = Table::new(&[
        context.say("demandé", "asked"),
        context.say("objet", "about"),
        context.say("à", "to"),
        context.say("par", "by"),
        context.say(">essais", ">tries"),
        context.say("prochain", "next"),
        context.say("dernier échec", "last failure"),
        context.say("demande", "request"),
        context.say("message", "message"),
    ]);
    for item in items {
        let by = serde_json::to_value(item.by).unwrap_or_default();
        let next = item.next_attempt.map(|next| local::instant(context.language, next));
        let next = next.filter(|_| item.attempts > 0).unwrap_or_else(|| "–".into());
        table.row(vec![
            local::instant(context.language, item.asked),
            subject(&item.subject).to_owned(),
            printable(&recipient(&item.recipient)),
            by.as_str().unwrap_or_default().to_owned(),
            item.attempts.to_string(),
            next,
            item.error.as_deref().map_or_else(|| "–".into(), printable),
            item.request.to_string(),
            item.effect.clone(),
        ]);
    }
    table
}

fn letters(context: &Context, dead: &[Dead]) -> Table {
    let mut table = Table::new(&[
        context.say("depuis", "since"),
        "webhook",
        context.say("événement", "event"),
        context.say(">essais", ">tries"),
        context.say("dernier échec", "last failure"),
    ]);
    for one in dead {
        table.row(vec![
            local::instant(context.language, one.letter.since),
            one.webhook.to_string(),
            one.letter.event.to_string(),
            one.letter.attempts.to_string(),
            one.letter.error.as_deref().map_or_else(|| "–".into(), printable),
        ]);
    }
    table
}
