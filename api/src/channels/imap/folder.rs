//! What is done with the mails of an open folder: found, measured, fetched, marked.

use async_imap::types::{Fetch, Flag, Mailbox as Selected};
use futures_util::TryStreamExt;

use super::connect::{Session, allow, allow_mail, answered, fetched};
use super::fault::ImapFault;
use crate::channels::mail::MAIL_BYTES_MAX;
use crate::settings::channels::Imap;

/// The keyword on mails that were taken (RFC 9051, section 2.3.2).
const TAKEN: &str = "$GuichetTaken";
/// The keyword on mails that could not be read.
const UNREADABLE: &str = "$GuichetUnreadable";

/// A mail that waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    pub(super) uid: u32,
    /// In bytes, as the server says.
    pub(super) size: usize,
}

/// How what was done with a mail is marked.
#[derive(Debug)]
pub(super) struct Marks {
    done: Mark,
    aside: Mark,
}

#[derive(Debug)]
enum Mark {
    /// By a keyword.
    Keyword(&'static str),
    /// By moving it (RFC 6851).
    Move(String),
    /// By copying it and deleting the first; `expunge` where that can be done to one mail alone (RFC 4315).
    Copy { folder: String, expunge: bool },
}

/// How mails are marked in this mailbox. The folders that the settings name must be there.
pub(super) async fn marks(
    session: &mut Session,
    imap: &Imap,
    selected: &Selected,
    (moves, plus): (bool, bool),
) -> Result<Marks, ImapFault> {
    let keeps = |word: &str| {
        selected.permanent_flags.iter().any(|flag| match flag {
            Flag::MayCreate => true,
            Flag::Custom(known) => known.eq_ignore_ascii_case(word),
            _ => false,
        })
    };
    let mark = |folder: &Option<String>, word: &'static str| match folder {
        Some(folder) if moves => Ok(Mark::Move(folder.clone())),
        Some(folder) => Ok(Mark::Copy { folder: folder.clone(), expunge: plus }),
        None if keeps(word) => Ok(Mark::Keyword(word)),
        None => Err(ImapFault::Keywords),
    };
    let marks = Marks {
        done: mark(&imap.done_folder, TAKEN)?,
        aside: mark(&imap.unreadable_folder.clone().or_else(|| imap.done_folder.clone()), UNREADABLE)?,
    };
    for folder in imap.done_folder.iter().chain(&imap.unreadable_folder) {
        allow(session);
        answered(session.status(folder, "(UIDVALIDITY)")).await?;
    }
    Ok(marks)
}

/// The numbers of the mails that wait, the oldest first.
pub(super) async fn waiting(session: &mut Session, imap: &Imap) -> Result<Vec<u32>, ImapFault> {
    allow(session);
    let mut query = format!("UNDELETED UNKEYWORD {TAKEN} UNKEYWORD {UNREADABLE}");
    if let Some(day) = imap.since {
        query += &format!(" SINCE {}", day.format("%-d-%b-%Y"));
    }
    let mut found: Vec<u32> = answered(session.uid_search(query)).await?.into_iter().collect();
    found.sort_unstable();
    Ok(found)
}

/// How large they are. A mail that is gone is left out.
pub(super) async fn sizes(session: &mut Session, uids: &[u32]) -> Result<Vec<Waiting>, ImapFault> {
    if uids.is_empty() {
        return Ok(Vec::new());
    }
    allow(session);
    let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let fetch = async {
        let answers = session.uid_fetch(set, "(UID RFC822.SIZE)").await?;
        answers.try_collect::<Vec<Fetch>>().await
    };
    let mut found: Vec<Waiting> = answered(fetch)
        .await?
        .iter()
        .filter_map(|mail| Some((mail.uid?, mail.size?)))
        .filter(|(uid, _)| uids.contains(uid))
        .map(|(uid, size)| Waiting { uid, size: usize::try_from(size).unwrap_or(usize::MAX) })
        .collect();
    found.sort_unstable_by_key(|mail| mail.uid);
    found.dedup_by_key(|mail| mail.uid);
    Ok(found)
}

/// A mail as it came, without marking it as seen; one byte more than a mail may have, at most. None if it is gone.
pub(super) async fn bytes(session: &mut Session, uid: u32) -> Result<Option<Vec<u8>>, ImapFault> {
    allow_mail(session);
    let fetch = async {
        let what = format!("(UID BODY.PEEK[]<0.{}>)", MAIL_BYTES_MAX + 1);
        let answers = session.uid_fetch(uid.to_string(), what).await?;
        answers.try_collect::<Vec<Fetch>>().await
    };
    let answers = fetched(fetch).await?;
    let mail = answers.iter().filter(|answer| answer.uid == Some(uid)).find_map(Fetch::body);
    Ok(mail.map(<[u8]>::to_vec))
}

/// Marks that a mail was taken.
pub(super) async fn done(session: &mut Session, marks: &Marks, uid: u32) -> Result<(), ImapFault> {
    marked(session, &marks.done, uid).await
}

/// Marks that a mail cannot be read.
pub(super) async fn aside(session: &mut Session, marks: &Marks, uid: u32) -> Result<(), ImapFault> {
    marked(session, &marks.aside, uid).await
}

async fn marked(session: &mut Session, mark: &Mark, uid: u32) -> Result<(), ImapFault> {
    allow(session);
    match mark {
        Mark::Keyword(word) => flagged(session, uid, word).await,
        Mark::Move(folder) => answered(session.uid_mv(uid.to_string(), folder)).await,
        Mark::Copy { folder, expunge } => {
            answered(session.uid_copy(uid.to_string(), folder)).await?;
            flagged(session, uid, "\\Deleted").await?;
            if *expunge {
                let gone = async {
                    let answers = session.uid_expunge(uid.to_string()).await?;
                    answers.try_collect::<Vec<_>>().await
                };
                answered(gone).await?;
            }
            Ok(())
        }
    }
}

async fn flagged(session: &mut Session, uid: u32, flag: &str) -> Result<(), ImapFault> {
    allow(session);
    let store = async {
        let answers = session.uid_store(uid.to_string(), format!("+FLAGS.SILENT ({flag})")).await?;
        answers.try_collect::<Vec<Fetch>>().await
    };
    answered(store).await.map(drop)
}
