//! First-contact resolution: the milestones from received to delivered in one append.

use super::answer::{circuit_needed, unfinished_tasks, write};
use super::decision::Decision;
use super::passing::{pass_to_treatment, qualify};
use super::said;
use crate::process::{Channel, Delivery};
use crate::request::happened::{Acknowledged, Delivered, Validated};
use crate::request::state::Stage;
use crate::request::{Rejection, refusal};

pub(super) fn resolve(d: &mut Decision<'_>, text: &str) -> Result<(), Rejection> {
    let request = d.unfinished()?;
    let early = matches!(request.stage, Stage::Received | Stage::Qualified | Stage::Assigned);
    if !early {
        d.staff()?;
        return Err(d.wrong_stage());
    }
    let text = said(text, ("la réponse", "the answer"))?;
    let channel = request.channel;
    let acknowledged = request.acknowledged_at.is_some();
    d.first_contact(request.service.as_deref())?;
    d.not_resting()?;
    if request.stage == Stage::Received {
        qualify(d, (None, None))?;
    }
    pass_to_treatment(d)?;
    let author = d.first_contact(d.request()?.service.as_deref())?.person.clone();
    super::payment::none_awaited(d)?;
    let tasks = unfinished_tasks(d)?;
    if !tasks.is_empty() {
        return Err(refusal::resolve_tasks(&tasks.join(", ")));
    }
    if circuit_needed(d)? {
        return Err(refusal::circuit_needed());
    }
    write(d, text, author.clone())?;
    let there = match channel {
        Channel::Counter => Some(Delivery::Counter),
        Channel::Phone => Some(Delivery::Phone),
        Channel::Letter
        | Channel::Email
        | Channel::Sms
        | Channel::Web
        | Channel::Mobile
        | Channel::Social
        | Channel::Patrol
        | Channel::Council => None,
    };
    if let Some(by) = there.filter(|_| !acknowledged) {
        d.emit(Acknowledged { by })?;
    }
    d.emit(Validated { by: Some(author) })?;
    match there {
        // Whoever is there, or on the telephone, has heard the answer.
        Some(by) => {
            super::payment::none_awaited(d)?;
            d.emit(Delivered { by })
        }
        None => Ok(()),
    }
}
