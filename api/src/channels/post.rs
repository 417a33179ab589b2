//! A mail's way from its bytes to a command.

use guichet_engine::EngineError;
use guichet_engine::journal::JournalError;
use guichet_engine::rules::process::{Channel, Delivery};
use guichet_engine::rules::request::Contact;

use super::form;
use super::mail::{self, Deed, Known, Mail, Unreadable, what_to_do};
use super::take::{Became, Message, TakeError, by_code, by_tag, undelivered};
use crate::guichet::Guichet;
use crate::settings::channels::Mailbox;

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    /// It cannot be read, now or ever.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Another mail with the same id was taken before: its writer uses ids twice, or it was changed on its way.
    #[error("another mail with the same id was taken before")]
    Reused(TakeError),
    /// It may be taken later.
    #[error(transparent)]
    Take(TakeError),
    /// The reader broke off.
    #[error("reading the mail broke off")]
    Broken,
}

impl From<EngineError> for PostError {
    fn from(error: EngineError) -> Self {
        TakeError::from(error).into()
    }
}

impl From<TakeError> for PostError {
    fn from(error: TakeError) -> Self {
        match error {
            TakeError::Engine(EngineError::Journal(JournalError::CommandReused { .. })) => {
                Self::Reused(error)
            }
            error => Self::Take(error),
        }
    }
}

/// The mailbox of a collectivity that a mail to these addresses came into: the one named, else the first.
#[must_use]
pub(crate) fn mailbox<'g>(guichet: &'g Guichet, tenant: &str, to: &[String]) -> Option<&'g Mailbox> {
    let boxes =
        || guichet.options().settings.channels.mailboxes.iter().filter(|known| known.tenant == tenant);
    boxes().find(|known| to.contains(&known.address.to_lowercase())).or_else(|| boxes().next())
}

/// Takes a mail in: reads it, decides what it is, carries that out. The same mail taken twice counts once.
///
/// # Errors
/// [`PostError`].
pub(crate) async fn deliver(
    guichet: &Guichet,
    tenant: &str,
    into: Option<&Mailbox>,
    bytes: Vec<u8>,
) -> Result<Option<Became>, PostError> {
    // Reading takes a while for large mails, and a fault of the reader must end one mail only.
    let read = tokio::task::spawn_blocking(move || mail::read(&bytes)).await;
    let mail = read.map_err(|_| PostError::Broken)??;
    let Some(mailbox) = into.or_else(|| mailbox(guichet, tenant, &mail.to)) else { return Ok(None) };
    let known = known(guichet, mailbox, &mail).await?;
    let deed = what_to_do(&mail, &known);
    let became = match deed {
        Deed::Ignore(why) => Became::Ignored(why.name()),
        Deed::Undelivered(thread) => {
            let status = mail.report.as_ref().and_then(|report| report.status.clone());
            let reason = match status {
                Some(status) => format!("the mail server of the requester reported {status}"),
                None => {
                    "the mail server of the requester reported that the message did not arrive".to_owned()
                }
            };
            undelivered(guichet, tenant, thread, (Delivery::Email, reason)).await?
        }
        Deed::New => message(guichet, mailbox, &mail, &mail.text).receive(&mailbox.becomes).await?,
        Deed::Reply { to, .. } => {
            let fresh = mail::split(&mail.text).fresh;
            message(guichet, mailbox, &mail, &fresh).reply(to).await?
        }
    };
    let outcome = match &became {
        Became::Request { .. } => "request",
        Became::Reply { .. } => "reply",
        Became::Noted { .. } => "noted",
        Became::Undelivered { .. } => "undelivered",
        Became::Followed { .. } => "followed",
        Became::Ignored(why) => why,
    };
    metrics::counter!("guichet_channels_mails_total", "outcome" => outcome).increment(1);
    tracing::debug!(tenant, outcome, "a mail came in");
    Ok(Some(became))
}

async fn known(guichet: &Guichet, mailbox: &Mailbox, mail: &Mail) -> Result<Known, PostError> {
    let tenant = mailbox.tenant.as_str();
    let organisation = guichet.engine().organisation_now(tenant).await?.ok_or(EngineError::UnknownTenant)?;
    let boxes = guichet.options().settings.channels.mailboxes.iter();
    let mut ours: Vec<String> = boxes.map(|known| known.address.to_lowercase()).collect();
    ours.extend(organisation.tenant(tenant).map(|known| known.email.to_lowercase()));
    let thread = by_tag(guichet, tenant, &mail.answers)?;
    let reported = match &mail.report {
        Some(report) => by_tag(guichet, tenant, &report.about)?.or(thread),
        None => None,
    };
    let by_code = match (thread, &mail.report) {
        (None, None) if mail.automatic.is_none() => {
            by_code(guichet, tenant, &[&mail.subject, &mail.text]).await?
        }
        _ => None,
    };
    Ok(Known { ours, thread, reported, by_code })
}

fn message<'m>(guichet: &'m Guichet, mailbox: &'m Mailbox, mail: &'m Mail, text: &'m str) -> Message<'m> {
    let contact = contact(mailbox, mail);
    Message {
        guichet,
        tenant: &mailbox.tenant,
        channel: Channel::Email,
        id: mail.id.clone(),
        sender: mail.from.as_ref().map(|from| from.address.clone()).unwrap_or_default(),
        preferred: contact.email.is_some().then_some(Delivery::Email),
        contact,
        language: mail.language.unwrap_or_default(),
        subject: &mail.subject,
        text,
        files: &mail.attachments,
        left_out: mail.left_out,
    }
}

/// Local parts of addresses that take no mail.
const NOBODY: [&str; 7] =
    ["noreply", "no-reply", "no_reply", "donotreply", "do-not-reply", "ne-pas-repondre", "nepasrepondre"];

/// How the sender is reached: at the address that they write from, or, where nobody reads that, at the one they name for
/// answers. Whom the mail server in front of us found forged is not written to at all.
fn contact(mailbox: &Mailbox, mail: &Mail) -> Contact {
    let Some(from) = &mail.from else { return Contact::default() };
    let local = from.address.split('@').next().unwrap_or_default().to_lowercase();
    let sender = if NOBODY.contains(&local.as_str()) { mail.reply_to.as_ref() } else { Some(from) };
    let forged = mailbox.authserv_id.as_deref().is_some_and(|name| is_forged(&mail.authentication, name));
    let email = sender.filter(|_| !forged).map(|sender| sender.address.clone());
    let name = sender.unwrap_or(from).name.clone();
    Contact { name: name.map(|name| form::cut(&name, 200).0), email, ..Contact::default() }
}

/// Whether the mail server of this name found that the sender's domain did not send the mail (RFC 8601, RFC 7489).
fn is_forged(results: &[String], server: &str) -> bool {
    let ours = results.iter().find(|result| {
        result
            .trim()
            .split([';', ' ', '\t', '\r', '\n'])
            .next()
            .is_some_and(|id| id.eq_ignore_ascii_case(server))
    });
    ours.is_some_and(|result| {
        let result = result.to_ascii_lowercase().replace(char::is_whitespace, "");
        result.contains("dmarc=fail") || (result.contains("spf=fail") && !result.contains("dkim=pass"))
    })
}
