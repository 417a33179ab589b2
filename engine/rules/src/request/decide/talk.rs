//! What is said about a request and moves nothing: notes, messages, visits, ratings, reports of effects.

use super::decision::Decision;
use super::{said, said_if_any};
use crate::request::actor::Recipient;
use crate::request::happened::{Messaged, Noted, NotificationFailed, Notified, Rated, Visited};
use crate::request::state::Stage;
use crate::request::{Personal, Rejection, refusal};

pub(super) fn visit(d: &mut Decision<'_>, finding: &str, made_safe: bool) -> Result<(), Rejection> {
    d.unfinished()?;
    d.staff()?;
    let finding = Personal::requester(said(finding, ("le constat", "the finding"))?.to_owned());
    d.emit(Visited { finding, made_safe })
}

/// Anyone of the staff may leave a note, also when the request is closed.
pub(super) fn note(d: &mut Decision<'_>, text: &str) -> Result<(), Rejection> {
    d.request()?;
    if d.engine().is_err() {
        d.staff()?;
    }
    let text = Personal::requester(said(text, ("le texte", "the text"))?.to_owned());
    d.emit(Noted { text })
}

pub(super) fn message(d: &mut Decision<'_>, text: &str) -> Result<(), Rejection> {
    d.unfinished()?;
    d.handler()?;
    let text = Personal::requester(said(text, ("le message", "the message"))?.to_owned());
    d.emit(Messaged { text })
}

pub(super) fn rate(d: &mut Decision<'_>, score: u8, comment: Option<&str>) -> Result<(), Rejection> {
    d.requester()?;
    let request = d.request()?;
    if !matches!(request.stage, Stage::Delivered { .. }) {
        return Err(d.wrong_stage());
    }
    if request.rating.is_some() {
        return Err(refusal::rating_already());
    }
    if !(1..=5).contains(&score) {
        return Err(refusal::rating_range());
    }
    let comment = said_if_any(comment)?.map(|text| Personal::requester(text.to_owned()));
    d.emit(Rated { score, comment })
}

pub(super) fn notify(d: &mut Decision<'_>, effect: &str, recipient: &Recipient) -> Result<(), Rejection> {
    not_reported(d, effect, recipient)?;
    d.emit(Notified { effect: effect.to_owned(), recipient: recipient.clone() })
}

pub(super) fn fail_notification(
    d: &mut Decision<'_>,
    effect: &str,
    recipient: &Recipient,
    (reason, late): (&str, bool),
) -> Result<(), Rejection> {
    if late {
        // What was handed over did not arrive, as its carrier tells hours or days later: whatever was reported before,
        // and once.
        d.engine_or_staff()?;
        if d.request()?.effects_failed.iter().any(|id| id == effect) {
            return Err(refusal::effect_done());
        }
    } else {
        not_reported(d, effect, recipient)?;
    }
    let reason = said(reason, super::REASON)?.to_owned();
    d.emit(NotificationFailed { effect: effect.to_owned(), recipient: recipient.clone(), reason })
}

/// Effects are reported once, by the engine or by the agent who did them by hand, whatever the request's stage.
fn not_reported(d: &Decision<'_>, effect: &str, recipient: &Recipient) -> Result<(), Rejection> {
    d.engine_or_staff()?;
    let request = d.request()?;
    let done = request.effects_done.iter().any(|(id, to)| id == effect && to == recipient);
    if done { Err(refusal::effect_done()) } else { Ok(()) }
}
