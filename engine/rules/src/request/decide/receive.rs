//! Recording a request, and telling the requester so.

use serde_json::{Map, Value};

use super::decision::{Decision, failed};
use super::{forwarding, passing, resolve, said};
use crate::process::{Channel, Delivery, Opener};
use crate::request::command::{Command, RequesterInput};
use crate::request::form::{self, Place};
use crate::request::happened::{Acknowledged, Noted, Received};
use crate::request::rejection::FieldFault;
use crate::request::requester::{Contact, Requester};
use crate::request::state::Request;
use crate::request::{Actor, Personal, Rejection, bindings, refusal};
use crate::text::Text;

/// How the requester is told that the request is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledgement {
    /// On the spot: by the agent at the counter or on the telephone, or on the screen.
    AtOnce(Delivery),
    /// By a message or letter still to be sent.
    ToSend(Delivery),
}

/// How a requester who came through `channel` is told that the request is recorded.
///
/// Who is there, or on the telephone, is told so at once unless they prefer a message; everyone else gets a message
/// where they can be reached, and is told on the screen where they cannot.
#[must_use]
pub fn acknowledgement(requester: &Requester, channel: Channel) -> Acknowledgement {
    use Acknowledgement::{AtOnce, ToSend};
    match requester.preferred {
        Some(Delivery::Email) if requester.by_email => return ToSend(Delivery::Email),
        Some(Delivery::Sms) if requester.by_sms => return ToSend(Delivery::Sms),
        Some(_) | None => {}
    }
    let message = if requester.by_email {
        Some(ToSend(Delivery::Email))
    } else {
        requester.by_sms.then_some(ToSend(Delivery::Sms))
    };
    let letter = requester.by_letter.then_some(ToSend(Delivery::Letter));
    match channel {
        Channel::Counter | Channel::Patrol | Channel::Council => AtOnce(Delivery::Counter),
        Channel::Phone => AtOnce(Delivery::Phone),
        Channel::Web | Channel::Mobile | Channel::Social => message.unwrap_or(AtOnce(Delivery::Screen)),
        Channel::Email | Channel::Sms => message.or(letter).unwrap_or(AtOnce(Delivery::Screen)),
        // Whoever writes a letter is answered by letter; an anonymous one is kept at the counter.
        Channel::Letter => letter.or(message).unwrap_or(AtOnce(Delivery::Counter)),
    }
}

/// How the requester is told that this request is recorded.
///
/// Whoever is passed on is no longer there, whatever the way in which they came to the first collectivity: they get a
/// message, the one that says who passed them on, to whom, and under which code (CRPA L114-2).
#[must_use]
pub fn acknowledgement_of(request: &Request) -> Acknowledgement {
    if request.origin.is_none() {
        return acknowledgement(&request.requester, request.channel);
    }
    let reached = super::deliver::reach(&request.requester);
    reached.map_or(Acknowledgement::AtOnce(Delivery::Screen), Acknowledgement::ToSend)
}

pub(super) fn receive(d: &mut Decision<'_>, command: &Command) -> Result<(), Rejection> {
    let Command::Receive {
        process,
        channel,
        opened_by,
        requester,
        form,
        external,
        first_received_at,
        answer,
        origin,
    } = command
    else {
        return Ok(());
    };
    if d.known().is_some() {
        return Err(refusal::request_exists());
    }
    may_open(d, command)?;
    if first_received_at.is_some_and(|first| first > d.facts.occurred_at) {
        return Err(refusal::time_future());
    }
    let tracking = d.facts.tracking.ok_or_else(|| refusal::rule_failed("tracking"))?;
    let (requester, mut faults) = requester_of(requester, *channel);
    let typed = form::typed(&d.plan.definition().form, form);
    let event = Received {
        request: d.facts.request,
        process: process.clone(),
        definition: d.plan.hash().clone(),
        channel: *channel,
        opened_by: *opened_by,
        requester,
        form: typed.form.clone(),
        tracking: Personal::requester(tracking.code.clone()),
        tracking_digest: tracking.digest.clone(),
        external: external.clone(),
        first_received_at: *first_received_at,
        origin: origin.as_ref().map(|passed| passed.origin.clone()),
    };
    faults.extend(typed.faults);
    let preview = d.preview(event.clone()).ok_or_else(refusal::request_unknown)?;
    // What this process asks beyond the first one is completed when it is qualified: it must not keep the request out.
    if origin.is_none() {
        faults.extend(missing(d, &preview, &typed.form, form, &faults)?);
    }
    form::refuse(faults)?;
    d.emit(event)?;
    if let Acknowledgement::AtOnce(by) = acknowledgement_of(&preview) {
        d.emit(Acknowledged { by })?;
    }
    if let Some(rest) = origin.as_ref().and_then(|passed| passed.rest.as_deref()) {
        let text = Personal::requester(said(rest, ("le texte", "the text"))?.to_owned());
        d.emit(Noted { text })?;
    }
    match answer {
        Some(answer) => resolve::resolve(d, said(answer, ("la réponse", "the answer"))?),
        None if recorded_by_who_qualifies(d) => passing::qualify(d, (None, None)).map(|_| ()),
        None => Ok(()),
    }
}

/// Whether whoever records the request is one of those who qualify. At the counter or on the telephone they have
/// asked all that is needed, so the rules rate it in the same append; they may still qualify it otherwise later.
fn recorded_by_who_qualifies(d: &Decision<'_>) -> bool {
    d.plan.definition().qualification.by.as_ref().is_some_and(|party| d.one_of(party).is_ok())
}

/// Whether this request may be opened at all.
fn may_open(d: &Decision<'_>, command: &Command) -> Result<(), Rejection> {
    let Command::Receive { process, channel, opened_by, external, origin, .. } = command else {
        return Ok(());
    };
    let definition = d.plan.definition();
    let offered = definition.tenants.iter().any(|tenant| tenant == d.facts.tenant);
    if definition.process != *process || !offered {
        return Err(refusal::process_unknown(process));
    }
    if let Some(passed) = origin {
        // Who turned to another collectivity came through a door that was open there.
        return forwarding::may_arrive(d, passed);
    }
    match d.facts.actor {
        Actor::Agent(_) => d.staff().map(|_| ())?,
        Actor::Requester | Actor::Integrator(_) => {
            if *opened_by != Opener::Citizen {
                return Err(refusal::role_needed("un agent", "a member of staff"));
            }
        }
        // The engine takes over what another system recorded, whoever opened it there; it opens nothing of its own.
        Actor::Engine if external.is_some() => {}
        Actor::Engine | Actor::Operator(_) => {
            return Err(refusal::role_needed("un usager ou un agent", "a citizen or an agent"));
        }
    }
    if !definition.open_to.contains(opened_by) {
        let (fr, en) = match opened_by {
            Opener::Citizen => ("aux usagers", "citizens"),
            Opener::Agent => ("aux agents", "agents"),
            Opener::Patroller => ("aux patrouilleurs", "patrollers"),
        };
        return Err(refusal::process_not_open(fr, en));
    }
    if !definition.channels.is_empty() && !definition.channels.contains(channel) {
        return Err(refusal::channel_closed(channel.id()));
    }
    Ok(())
}

/// Which fields are missing or not asked for. A field whose value is wrong is not called missing as well.
fn missing(
    d: &Decision<'_>,
    preview: &Request,
    form: &Map<String, Value>,
    given: &Map<String, Value>,
    faults: &[FieldFault],
) -> Result<Vec<FieldFault>, Rejection> {
    let fields = &d.plan.definition().form;
    let facts = bindings(preview, d.plan);
    let found = form::presence(d.plan, (fields, Place::Form), (form, given), facts, true)
        .map_err(|error| failed(&error))?;
    let new = |fault: &FieldFault| !faults.iter().any(|known| known.pointer.starts_with(&fault.pointer));
    Ok(found.into_iter().filter(new).collect())
}

/// What is recorded of the requester, and what is wrong with it.
fn requester_of(input: &RequesterInput, channel: Channel) -> (Requester, Vec<FieldFault>) {
    let given = |text: &Option<String>| {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let contact = Contact {
        name: given(&input.contact.name),
        email: given(&input.contact.email),
        phone: given(&input.contact.phone),
        address: given(&input.contact.address),
        // Nobody names a conversation who did not write in it.
        social: input
            .contact
            .social
            .clone()
            .filter(|social| channel == Channel::Social && social.is_usable()),
    };
    let mut faults = Vec::new();
    let mut check = |field: &str, wrong: bool, fr: &str, en: &str| {
        if wrong {
            let pointer = format!("/requester/contact/{field}");
            faults.push(FieldFault { pointer, code: "field.type".into(), text: Text::new(fr, en) });
        }
    };
    let wrong_email = contact.email.as_deref().is_some_and(|text| form::email(text).is_none());
    check("email", wrong_email, "Il faut une adresse électronique.", "This must be an e-mail address.");
    let wrong_phone = contact.phone.as_deref().is_some_and(|text| form::phone(text).is_none());
    check("phone", wrong_phone, "Il faut un numéro de téléphone.", "This must be a telephone number.");
    let long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > 500);
    check("name", long(&contact.name), "Le nom est trop long.", "The name is too long.");
    check("address", long(&contact.address), "L’adresse est trop longue.", "The address is too long.");
    let requester = Requester {
        kind: input.kind,
        language: input.language,
        preferred: input.preferred,
        by_email: contact.email.is_some(),
        by_sms: contact.phone.is_some(),
        by_letter: contact.address.is_some(),
        by_social: contact.social.is_some(),
        account: input.account || input.account_id.is_some(),
        account_id: input.account_id,
        named: contact.name.is_some(),
        contact: (contact != Contact::default()).then(|| Personal::requester(contact)),
    };
    (requester, faults)
}

pub(super) fn acknowledge(d: &mut Decision<'_>, by: Delivery) -> Result<(), Rejection> {
    d.engine_or_staff()?;
    if d.unfinished()?.acknowledged_at.is_some() {
        return Err(refusal::acknowledged_already());
    }
    d.emit(Acknowledged { by })
}
