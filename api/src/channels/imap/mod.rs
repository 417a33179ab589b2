//! Fetches the mails of a mailbox at a provider, over IMAP (RFC 9051; RFC 3501 for older servers) and always over TLS.
//!
//! What was taken is marked at the server, by moving it to another folder or by a keyword, and nothing is kept here: a
//! server that dies between the two takes the same mail again, which then counts as one that came before. So neither a
//! mailbox that was made anew (another UIDVALIDITY) nor one that was put back from a backup does any harm. Of several
//! servers, the one that leads reads; should two believe that they lead, each mail counts once all the same.

mod connect;
mod fault;
mod folder;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::watch;

pub(crate) use connect::probe;
pub use fault::ImapFault;

use self::connect::{IDLE_MAX, Opened, Session};
use self::folder::{Marks, Waiting};
use super::mail::MAIL_BYTES_MAX;
use super::post::{PostError, deliver};
use crate::guichet::Guichet;
use crate::settings::channels::{Imap, Mailbox};

/// How often a server that does not lead looks whether it does.
const PACE: Duration = Duration::from_secs(1);
/// Mails taken in one look at a folder; the others have their turn in the next.
pub(super) const BATCH: usize = 100;
/// The longest wait before a mail that could not be taken is tried again.
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);
/// The first wait after a connection was lost; it doubles.
const AGAIN_FIRST: Duration = Duration::from_secs(1);
/// The longest wait before connecting again. A provider locks out who tries a wrong password too often.
const AGAIN_MAX: Duration = Duration::from_secs(5 * 60);

/// Fetches from one mailbox until it is asked to stop. `place` is what the settings call it.
pub(crate) async fn watch(
    guichet: Guichet,
    mailbox: Mailbox,
    place: String,
    mut stopped: watch::Receiver<bool>,
) {
    let Some(imap) = mailbox.imap.clone() else { return };
    let mut again = AGAIN_FIRST;
    while !*stopped.borrow() {
        if !guichet.read_models().leads() {
            guichet.troubles().clear(&place);
            rest(PACE, &mut stopped).await;
            continue;
        }
        let began = Instant::now();
        let mut visit = Visit { guichet: &guichet, mailbox: &mailbox, imap: &imap, place: &place };
        let Err(fault) = visit.attend(&mut stopped).await else { continue };
        tracing::warn!(place, host = %imap.host, %fault, "a mailbox cannot be fetched from, and is tried again");
        metrics::counter!("guichet_channels_imap_faults_total", "fault" => fault.code()).increment(1);
        guichet.troubles().note(&place, fault.code());
        again = if began.elapsed() > AGAIN_MAX { AGAIN_FIRST } else { (again * 2).min(AGAIN_MAX) };
        rest(again, &mut stopped).await;
    }
}

async fn rest(pause: Duration, stopped: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        _ = stopped.changed() => {}
    }
}

/// One connection to a mailbox.
struct Visit<'a> {
    guichet: &'a Guichet,
    mailbox: &'a Mailbox,
    imap: &'a Imap,
    place: &'a str,
}

impl Visit<'_> {
    /// Takes what there is and waits for more, until it is asked to stop or another server leads.
    async fn attend(&mut self, stopped: &mut watch::Receiver<bool>) -> Result<(), ImapFault> {
        let Opened { mut session, marks, idles } = connect::open(self.imap).await?;
        self.guichet.troubles().clear(self.place);
        let mut later: HashMap<u32, Instant> = HashMap::new();
        loop {
            let waiting = folder::waiting(&mut session, self.imap).await?;
            later.retain(|uid, _| waiting.contains(uid));
            let ready: Vec<u32> = waiting
                .into_iter()
                .filter(|uid| later.get(uid).is_none_or(|at| *at <= Instant::now()))
                .take(BATCH)
                .collect();
            let more = ready.len() == BATCH;
            for mail in folder::sizes(&mut session, &ready).await? {
                if *stopped.borrow() || !self.guichet.read_models().leads() {
                    connect::leave(session).await;
                    return Ok(());
                }
                if let Some(wait) = self.take(&mut session, &marks, mail).await? {
                    later.insert(mail.uid, Instant::now() + wait.min(WAIT_MAX));
                }
            }
            if more {
                continue;
            }
            let until =
                later.values().min().map_or(IDLE_MAX, |at| at.saturating_duration_since(Instant::now()));
            let pause = until.clamp(PACE, IDLE_MAX);
            session = connect::rest(session, idles, pause, stopped.clone(), self.guichet).await?;
            if *stopped.borrow() || !self.guichet.read_models().leads() {
                connect::leave(session).await;
                return Ok(());
            }
        }
    }

    /// Takes one mail in and marks it; otherwise how long to wait before it is tried again.
    async fn take(
        &self,
        session: &mut Session,
        marks: &Marks,
        mail: Waiting,
    ) -> Result<Option<Duration>, ImapFault> {
        if mail.size > MAIL_BYTES_MAX {
            return self.put_aside(session, marks, mail.uid, "the mail is too large").await;
        }
        let Some(_place) = self.guichet.limits().place() else { return Ok(Some(PACE)) };
        let Some(bytes) = folder::bytes(session, mail.uid).await? else {
            // Somebody took it away in between.
            return Ok(None);
        };
        if bytes.len() > MAIL_BYTES_MAX {
            return self.put_aside(session, marks, mail.uid, "the mail is too large").await;
        }
        match deliver(self.guichet, &self.mailbox.tenant, Some(self.mailbox), bytes).await {
            Ok(_) => {
                folder::done(session, marks, mail.uid).await?;
                Ok(None)
            }
            Err(error @ (PostError::Unreadable(_) | PostError::Reused(_) | PostError::Broken)) => {
                self.put_aside(session, marks, mail.uid, &error.to_string()).await
            }
            Err(PostError::Take(error)) => {
                tracing::warn!(place = self.place, why = %error, "a mail is taken in later");
                Ok(Some(Duration::from_secs(error.seconds_to_wait())))
            }
        }
    }

    async fn put_aside(
        &self,
        session: &mut Session,
        marks: &Marks,
        uid: u32,
        reason: &str,
    ) -> Result<Option<Duration>, ImapFault> {
        tracing::warn!(place = self.place, reason, "a mail is put in quarantine");
        metrics::counter!("guichet_channels_mails_total", "outcome" => "quarantined").increment(1);
        folder::aside(session, marks, uid).await?;
        Ok(None)
    }
}
