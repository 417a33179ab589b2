//! What a command makes happen, or why it is refused. One function for each command, one file for each group.
#![deny(clippy::wildcard_enum_match_arm)]

mod answer;
mod appointment;
mod approve;
mod bill;
mod board;
mod clocks;
mod close;
mod decision;
mod deliver;
mod forwarding;
mod legal;
mod migrate;
pub(super) mod moments;
mod passing;
mod payment;
mod people;
mod qualify;
mod receive;
mod resolve;
mod talk;
mod timer;
mod treat;
pub(super) mod tries;
mod wait;
mod what_if;

pub(super) use deliver::reach;
pub use migrate::MIGRATION_REASONS;
pub use receive::{Acknowledgement, acknowledgement, acknowledgement_of};
pub use tries::allowed;
pub use what_if::clocks_under;

use chrono::{DateTime, Utc};

use super::actor::{Actor, RequestId};
use super::appointment::Slot;
use super::command::{Command, Tracking};
use super::event::Event;
use super::refusal;
use super::rejection::{Ground, Rejection};
use super::state::{Meta, Request};
use crate::organisation::Organisation;
use crate::process::Plan;
use decision::Decision;

/// What a decision needs to know beside the request and the command, gathered beforehand by the engine.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The collectivity.
    pub tenant: &'a str,
    /// The request that the command is about.
    pub request: RequestId,
    /// Now (UTC): when it is recorded.
    pub now: DateTime<Utc>,
    /// When what the command tells of happened (UTC), not after `now`.
    pub occurred_at: DateTime<Utc>,
    /// Who asks.
    pub actor: &'a Actor,
    /// The pinned process; for `Receive` the version in force.
    pub plan: &'a Plan,
    /// The organisation as it stands.
    pub organisation: &'a Organisation,
    /// The tracking code drawn for a new request; `Receive` needs it.
    pub tracking: Option<&'a Tracking>,
    /// The process that `Qualify` names, in the version in force, if it exists; the version that `Migrate` names, if it
    /// is published.
    pub target: Option<&'a Plan>,
    /// The request that `Merge` names, if it exists in this collectivity.
    pub other: Option<&'a Request>,
}

/// Decides a command on the state of its request, `None` where there is none yet.
///
/// What fell due by the time of the command and was not recorded yet happens first, dated by its own instant and told
/// by the engine: what a request goes through does not depend on when a program ran.
///
/// # Errors
/// A [`Rejection`] with its reason, the stage, and what is allowed instead; nothing changes then.
pub fn decide(
    request: Option<&Request>,
    command: &Command,
    facts: &Facts<'_>,
) -> Result<Vec<(Event, Meta)>, Rejection> {
    attempt(request, command, facts).map_err(|rejection| match request {
        // Whoever may not see a request learns nothing of it, not even its stage.
        Some(request) if rejection.ground != Ground::Absence => Rejection {
            stage: Some(request.stage.id().to_owned()),
            allowed: allowed(request, facts).into_iter().map(Into::into).collect(),
            ..rejection
        },
        Some(_) | None => rejection,
    })
}

/// Decides as [`decide`] does, without saying what else would be allowed: for those who try many commands.
///
/// # Errors
/// A [`Rejection`] that names nothing that is allowed instead.
#[allow(clippy::too_many_lines, reason = "one arm for each command: a list, not a procedure")]
pub fn attempt(
    request: Option<&Request>,
    command: &Command,
    facts: &Facts<'_>,
) -> Result<Vec<(Event, Meta)>, Rejection> {
    let mut decision = Decision::new(request, facts)?;
    let d = &mut decision;
    timer::catch_up(d, command)?;
    match command {
        Command::Receive { .. } => receive::receive(d, command)?,
        Command::Acknowledge { by } => receive::acknowledge(d, *by)?,
        Command::Qualify { process, complexity, priority, form } => {
            qualify::qualify(d, process.as_deref(), (*complexity, *priority), form)?;
        }
        Command::Migrate { definition, promises, mapping, plan } => {
            migrate::migrate(d, definition, (*promises, mapping), plan.as_deref())?;
        }
        Command::Reassign { to, reason } => qualify::reassign(d, to, reason)?,
        Command::Claim {} => treat::claim(d)?,
        Command::Release {} => treat::release(d)?,
        Command::Complete { task, report } => treat::complete(d, task, report)?,
        Command::Visit { finding, made_safe } => talk::visit(d, finding, *made_safe)?,
        Command::Ask { question, pieces, within } => wait::ask(d, question, pieces, *within)?,
        Command::Reply { text, form, complete } => wait::reply(d, text.as_deref(), form, *complete)?,
        Command::Suspend { reason, until } => wait::suspend(d, reason, *until)?,
        Command::Resume {} => wait::resume(d)?,
        Command::Extend { commitment, by, basis } => wait::extend(d, commitment, *by, basis)?,
        Command::Note { text } => talk::note(d, text)?,
        Command::Message { text } => talk::message(d, text)?,
        Command::Draft { text } => answer::draft(d, text)?,
        Command::Submit {} => answer::submit(d)?,
        Command::Answer { text } => answer::answer(d, text)?,
        Command::Approve { step } => approve::approve(d, step)?,
        Command::Return { step, reason } => approve::return_(d, step, reason)?,
        Command::Delegate { step, to } => approve::delegate(d, step, to)?,
        Command::Deliver { by } => deliver::deliver(d, *by)?,
        Command::FailDelivery { by, reason } => deliver::fail(d, *by, reason)?,
        Command::Resolve { text } => resolve::resolve(d, text)?,
        Command::Withdraw { reason } => close::withdraw(d, reason.as_deref())?,
        Command::Cancel { reason } => close::cancel(d, reason)?,
        Command::Refuse { reason, basis } => close::refuse(d, reason, basis.as_deref())?,
        Command::Forward { to, process, basis } => {
            forwarding::forward(d, to, process.as_deref(), basis.as_deref())?;
        }
        Command::ConfirmForward { request } => forwarding::confirm(d, *request)?,
        Command::BlockForward { reason } => forwarding::block(d, reason)?,
        Command::Merge { into } => close::merge(d, *into)?,
        Command::Reopen { reason } => close::reopen(d, reason)?,
        Command::Rate { score, comment } => talk::rate(d, *score, comment.as_deref())?,
        Command::Elapse { timer, due } => timer::elapse(d, timer, *due)?,
        Command::Notify { effect, recipient } => talk::notify(d, effect, recipient)?,
        Command::FailNotification { effect, recipient, reason, late } => {
            talk::fail_notification(d, effect, recipient, (reason, *late))?
        }
        Command::RequestPayment { amount, label, due } => payment::request(d, *amount, label, *due)?,
        Command::StartPayment { payment } => payment::start(d, *payment)?,
        Command::SettlePayment { payment, reference, transaction, amount, currency } => {
            let paid =
                payment::Paid { reference: reference.as_deref(), transaction, amount: *amount, currency };
            payment::settle(d, *payment, &paid)?;
        }
        Command::FailPayment { payment, reference, reason } => {
            payment::fail(d, *payment, reference, *reason)?;
        }
        Command::CancelPayment { payment, reason } => payment::cancel(d, *payment, reason)?,
        Command::RefundPayment { payment, amount, reason } => {
            payment::refund(d, *payment, *amount, reason)?;
        }
        Command::OfferAppointment { slots, place, what } => appointment::offer(d, slots, place, what)?,
        Command::ChooseAppointment { slot } => appointment::choose(d, *slot)?,
        Command::SetIntervention { from, until } => {
            appointment::intervene(d, Slot { from: *from, until: *until })?;
        }
        Command::CancelAppointment { by, reason } => appointment::cancel(d, *by, reason)?,
        Command::RecordAttendance { came } => appointment::attend(d, *came)?,
    }
    passing::pass(d)?;
    bill::within_bounds(d, command)?;
    Ok(decision.into_events())
}

/// The longest text that a command may carry, in characters.
const LONGEST_TEXT: usize = 20_000;

/// A text that says something and is not too long; `what` names it where it is missing.
fn said<'t>(text: &'t str, (fr, en): (&str, &str)) -> Result<&'t str, Rejection> {
    let text = text.trim();
    if text.is_empty() {
        return Err(refusal::text_empty(fr, en));
    }
    if text.chars().count() > LONGEST_TEXT {
        return Err(refusal::text_too_long(&LONGEST_TEXT.to_string()));
    }
    Ok(text)
}

/// [`said`], for texts that need not be given.
fn said_if_any(text: Option<&str>) -> Result<Option<&str>, Rejection> {
    match text.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => said(text, ("", "")).map(Some),
        None => Ok(None),
    }
}

/// What is missing where a reason is.
const REASON: (&str, &str) = ("le motif", "the reason");

/// Whether the legal clock waits for pieces: they may still come after the term given for them.
fn legal_is_incomplete(request: &Request) -> bool {
    request.clock(board::SILENCE).is_some_and(|clock| clock.status == super::clock::ClockStatus::Paused)
}
