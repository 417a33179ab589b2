//! `guichet mail-in`: hands a mail over to a server, for `.forward` files, pipes of mail servers and procmail. How it ends
//! is said as mail servers understand it (`sysexits.h`): what may pass is tried again, and nothing is lost.

use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use reqwest::Method;
use url::Url;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use crate::channels::mail::MAIL_BYTES_MAX;
use crate::outgoing::{Call, Outgoing, Reach};

/// Wrong usage (`EX_USAGE`).
const USAGE: u8 = 64;
/// The mail itself cannot be taken (`EX_DATAERR`): its sender is told so by their mail server.
const DATA: u8 = 65;
/// It may pass: the mail server keeps the mail and tries again (`EX_TEMPFAIL`).
const LATER: u8 = 75;

/// Problems that are the mail's own: trying again changes nothing.
const UNFIT: [&str; 2] = ["mail.unreadable", "idempotency.reused"];

/// Hand a mail over to a server; it is read from standard input
#[derive(Debug, Args)]
#[command(
    after_help = "Example, in a .forward: \"|guichet mail-in --url https://guichet.ville.example --tenant ville --key-file /etc/guichet/mail.key\"\n\
    Ends with 0 when the mail was taken, 75 when the mail server should try again, 65 when it cannot be read as a mail."
)]
pub(crate) struct MailIn {
    /// The server's address.
    #[arg(long, value_name = "URL")]
    url: Url,
    /// A file with the key, one that may deliver messages (`channels:deliver`).
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// The collectivity.
    #[arg(long, value_name = "TENANT")]
    tenant: String,
}

impl MailIn {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human])?;
        let mut mail = Vec::new();
        let most = u64::try_from(MAIL_BYTES_MAX).unwrap_or(u64::MAX);
        let read = std::io::stdin().lock().take(most + 1).read_to_end(&mut mail);
        read.map_err(|error| later(format!("the mail cannot be read: {error}")))?;
        if mail.len() > MAIL_BYTES_MAX {
            return Err(Failure::exit(DATA, "the mail is larger than 25 MiB"));
        }
        let key = std::fs::read_to_string(&self.key_file)
            .map_err(|error| later(format!("`{}` cannot be read: {error}", self.key_file.display())))?;
        let mut url = self.url.clone();
        match url.path_segments_mut() {
            Ok(mut path) => {
                path.pop_if_empty().extend(["v1", self.tenant.as_str(), "channels", "mail"]);
            }
            Err(()) => {
                return Err(Failure::exit(USAGE, "the address must begin with http:// or https://"));
            }
        }
        let mut call = Call::new(Method::POST, url);
        call.headers = vec![
            ("content-type".into(), "message/rfc822".into()),
            ("authorization".into(), format!("Bearer {}", key.trim())),
        ];
        call.body = mail;
        let outgoing = Outgoing::new().map_err(later)?;
        let answer =
            outgoing.call(Reach::Configured, call).await.map_err(|error| later(error.to_string()))?;
        match answer.status {
            200..=299 => Ok(Verdict::Good),
            // The mail itself: too large, or not a mail. Anything else is ours to put right while the mail waits.
            413 => Err(Failure::exit(DATA, "the server finds the mail too large")),
            422 if UNFIT.iter().any(|code| String::from_utf8_lossy(&answer.body).contains(code)) => {
                Err(Failure::exit(DATA, "the server cannot read the mail, or took another one with its id"))
            }
            status => Err(later(format!("the server answered {status}"))),
        }
    }
}

fn later(reason: String) -> Failure {
    Failure::exit(LATER, reason)
}
