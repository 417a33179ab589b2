//! What becomes of a mail: a plain function of it, and of what is known.

use guichet_engine::rules::request::RequestId;
use guichet_engine::rules::tracking::TrackingCode;

use super::{Automatic, HOPS_MAX, Mail};
use crate::channels::thread::Thread;

/// What is known beside the mail itself.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The addresses that are ours, in lower case: who writes from them is ourselves.
    pub ours: Vec<String>,
    /// The mail of ours that it answers, by its keyed tag.
    pub thread: Option<Thread>,
    /// The mail of ours that a report is about.
    pub reported: Option<Thread>,
    /// The request whose tracking code the mail names.
    pub by_code: Option<RequestId>,
}

/// By what a mail showed that it may speak for a request's requester.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It answers a mail that only the requester was sent.
    Thread,
    /// It names the tracking code.
    Code,
}

/// What becomes of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// A new request.
    New,
    /// A word on a request.
    Reply {
        /// The request.
        to: RequestId,
        /// By what it showed that it may.
        proof: Proof,
    },
    /// A mail of ours did not arrive.
    Undelivered(Thread),
    /// Nothing.
    Ignore(Ignored),
}

/// Why nothing becomes of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// A program wrote it.
    Automatic(Automatic),
    /// We sent it ourselves.
    OurOwn,
    /// It goes round in circles.
    Loop,
    /// A filter before us calls it spam.
    Spam,
    /// It names no sender.
    NoSender,
    /// It says nothing and holds nothing.
    Empty,
    /// It reports on a mail that is not ours, or that is still on its way.
    Report,
}

impl Ignored {
    /// Its name, for logs and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Automatic(why) => why.name(),
            Self::OurOwn => "our_own",
            Self::Loop => "loop",
            Self::Spam => "spam",
            Self::NoSender => "no_sender",
            Self::Empty => "empty",
            Self::Report => "report",
        }
    }
}

/// What becomes of `mail`. Who it says it is from proves nothing, so a mail acts on a request only by a tag that stands
/// in a mail of ours, or by the tracking code.
#[must_use]
pub fn what_to_do(mail: &Mail, known: &Known) -> Deed {
    if let Some(report) = &mail.report {
        return match known.reported {
            Some(thread) if report.failed => Deed::Undelivered(thread),
            Some(_) | None => Deed::Ignore(Ignored::Report),
        };
    }
    if mail.hops > HOPS_MAX {
        return Deed::Ignore(Ignored::Loop);
    }
    let Some(from) = &mail.from else { return Deed::Ignore(Ignored::NoSender) };
    if known.ours.contains(&from.address.to_lowercase()) {
        return Deed::Ignore(Ignored::OurOwn);
    }
    if let Some(automatic) = mail.automatic {
        return Deed::Ignore(Ignored::Automatic(automatic));
    }
    if mail.spam {
        return Deed::Ignore(Ignored::Spam);
    }
    if mail.text.trim().is_empty() && mail.subject.is_empty() && mail.attachments.is_empty() {
        return Deed::Ignore(Ignored::Empty);
    }
    match (known.thread, known.by_code) {
        (Some(thread), _) => Deed::Reply { to: thread.request, proof: Proof::Thread },
        (None, Some(to)) => Deed::Reply { to, proof: Proof::Code },
        (None, None) => Deed::New,
    }
}

/// The most tracking codes looked for in one message.
pub const CODES_MAX: usize = 3;

/// The tracking codes that a text seems to name, in the order in which they stand, each once: `XXX-XXX-XXXX`, whose check
/// character fits. Ten letters in a row may be any word, so they count only with a digit among them.
#[must_use]
pub fn codes(text: &str) -> Vec<TrackingCode> {
    let mut found: Vec<TrackingCode> = Vec::new();
    let word =
        |symbol: char| symbol.is_ascii_alphanumeric() || matches!(symbol, '-' | '\u{2011}' | '\u{2010}');
    for token in text.split(|symbol: char| !word(symbol)) {
        let token = token.replace(['\u{2011}', '\u{2010}'], "-");
        let token = token.trim_matches('-');
        let hyphens = token.bytes().filter(|byte| *byte == b'-').count();
        let shaped = match (token.len(), hyphens) {
            (12, 2) => token.bytes().enumerate().all(|(at, byte)| (byte == b'-') == matches!(at, 3 | 7)),
            (10, 0) => token.bytes().any(|byte| byte.is_ascii_digit()),
            _ => false,
        };
        if !shaped {
            continue;
        }
        if let Ok(code) = TrackingCode::parse(token)
            && !found.contains(&code)
        {
            found.push(code);
            if found.len() == CODES_MAX {
                break;
            }
        }
    }
    found
}
