//! The approval circuit: who decides a step, on whose behalf, and what follows from it.

use chrono::{DateTime, Utc};

use super::decision::Decision;
use super::{REASON, said};
use crate::organisation::Person;
use crate::process::{CircuitStep, Excluded, OnReject, Party, Quorum};
use crate::request::happened::{ApprovalOpened, Approved, Delegated, Returned};
use crate::request::state::{Approval, OpenStep, Stage};
use crate::request::{Personal, Rejection, refusal};

/// Those who may decide a step: whom it names in the collectivity, without the author of the draft (nobody approves
/// their own) and, where the step says so, without those who approved the step before.
pub(super) fn approvers(
    d: &Decision<'_>,
    step: &CircuitStep,
    author: &str,
    before: &[String],
) -> Result<Vec<String>, Rejection> {
    let service = d.request()?.service.as_deref();
    let excluded = |code: &String| {
        code == author || (step.exclude.contains(&Excluded::PreviousApprover) && before.contains(code))
    };
    let mut found: Vec<String> = Vec::new();
    for party in &step.by {
        for person in d.facts.organisation.all_of(party, d.facts.tenant, service) {
            if !excluded(&person.person) && !found.contains(&person.person) {
                found.push(person.person.clone());
            }
        }
    }
    Ok(found)
}

/// Those who approved the step before `step`.
fn approvers_before<'r>(approval: &'r Approval, step: &str) -> &'r [String] {
    let index = approval.steps.iter().position(|name| name == step).unwrap_or(0);
    let before = index.checked_sub(1).and_then(|index| approval.steps.get(index));
    let passed = before.and_then(|before| approval.passed.iter().find(|(name, _)| name == before));
    passed.map_or(&[], |(_, people)| people.as_slice())
}

fn sheet<'a>(d: &Decision<'a>, step: &str) -> Result<&'a CircuitStep, Rejection> {
    let plan = d.plan;
    let circuit = plan.definition().validation.circuit.as_ref();
    let found = circuit.and_then(|circuit| circuit.steps.iter().find(|sheet| sheet.step == step));
    found.ok_or_else(|| refusal::approval_not_yours(step))
}

/// The circuit under way. Where there is none, no decision is anybody's, at whatever stage before the end.
fn approval<'d>(d: &'d Decision<'_>, step: &str) -> Result<&'d Approval, Rejection> {
    if let Stage::InValidation(approval) = &d.unfinished()?.stage {
        return Ok(approval);
    }
    Err(refusal::approval_not_yours(step))
}

/// Opens a step. Should the exclusion of those who approved before leave nobody, they decide it after all; the
/// author never does.
pub(super) fn open_step(d: &mut Decision<'_>, step: &str) -> Result<(), Rejection> {
    let sheet = sheet(d, step)?;
    let approval = approval(d, step)?;
    let before = approvers_before(approval, step);
    let mut approvers_now = approvers(d, sheet, &approval.author, before)?;
    if approvers_now.is_empty() {
        approvers_now = approvers(d, sheet, &approval.author, &[])?;
    }
    let due = sheet.within.map(|budget| d.term(d.at, budget)).transpose()?;
    d.emit(ApprovalOpened { step: step.to_owned(), approvers: approvers_now, due })
}

/// Someone at the table: in whose name they decide.
struct Seat {
    by: String,
    on_behalf_of: Option<String>,
    /// One to whom the late step was escalated: their word alone decides.
    superior: bool,
}

impl Seat {
    fn name(&self) -> &str {
        self.on_behalf_of.as_deref().unwrap_or(&self.by)
    }
}

/// The open step that `step` names, and the acting member of staff.
fn open<'d, 'a>(
    d: &'d Decision<'a>,
    step: &str,
) -> Result<(&'d Approval, &'d OpenStep, &'a Person), Rejection> {
    let person = d.staff()?;
    let approval = approval(d, step)?;
    match approval.open.as_ref().filter(|open| open.step == step) {
        Some(open) => Ok((approval, open, person)),
        None => Err(refusal::approval_not_yours(step)),
    }
}

/// Where `person` sits. Their own seat first; then that of an absent approver whose declared stand-in they are, or
/// who let them decide. One step deep: who stands in for a stand-in sits nowhere.
fn seat(d: &Decision<'_>, step: &str) -> Result<Seat, Rejection> {
    let (approval, open, person) = open(d, step)?;
    let sheet = sheet(d, step)?;
    let me = &person.person;
    if *me == approval.author {
        return Err(refusal::approval_own_draft());
    }
    let base = approvers(d, sheet, &approval.author, approvers_before(approval, step))?;
    let before = approvers_before(approval, step);
    let excluded =
        |code: &String| sheet.exclude.contains(&Excluded::PreviousApprover) && before.contains(code);
    let invited = open.approvers.contains(me);
    if excluded(me) && !invited {
        return Err(refusal::approval_excluded());
    }
    let decided =
        |code: &String| open.approved.iter().any(|(name, _)| name == code) || open.refused.contains(code);
    let abandoned = !open.approvers.iter().any(|code| d.facts.organisation.person(code).is_some());
    let own = invited || (abandoned && base.contains(me));
    if own && !decided(me) {
        let superior = open.late && !base.contains(me);
        return Ok(Seat { by: me.clone(), on_behalf_of: None, superior });
    }
    let absent: Vec<&String> =
        open.approvers.iter().filter(|code| stands_in(d, sheet, me, code, open)).collect();
    match absent.iter().find(|code| !decided(code)) {
        Some(absent) => {
            let superior = open.late && !base.contains(absent);
            Ok(Seat { by: me.clone(), on_behalf_of: Some((*absent).clone()), superior })
        }
        None if own || !absent.is_empty() => Err(refusal::approval_already()),
        None => Err(refusal::approval_not_yours(step)),
    }
}

/// Whether `person` may decide for `absent`: declared for that day and role, or let decide by them.
fn stands_in(d: &Decision<'_>, sheet: &CircuitStep, person: &str, absent: &str, open: &OpenStep) -> bool {
    if open.delegated.iter().any(|(from, to)| from == absent && to == person) {
        return true;
    }
    let Some(calendar) = d.plan.calendar(&d.plan.definition().calendar) else { return false };
    let day = calendar.local_date(d.at);
    let organisation = d.facts.organisation;
    let holds = |role: &String| {
        organisation.person(absent).is_some_and(|person| person.roles.iter().any(|held| held == role))
    };
    let for_role = |role: Option<&str>| organisation.represented_by(person, role, day).contains(absent);
    for_role(None)
        || sheet.by.iter().any(|party| match party {
            Party::Role(role) => holds(role) && for_role(Some(role)),
            Party::Person(_) | Party::Service(_) | Party::ServiceInCharge => false,
        })
}

/// How many may still decide: approvers who have left the town hall are not waited for.
fn table(d: &Decision<'_>, open: &OpenStep) -> usize {
    let there = |code: &&String| {
        d.facts.organisation.person(code).is_some() || open.approved.iter().any(|(name, _)| name == *code)
    };
    open.approvers.iter().filter(there).count().max(1)
}

fn quorum_met(rule: Quorum, approved: usize, table: usize) -> bool {
    match rule {
        Quorum::Any => approved >= 1,
        Quorum::All => approved >= table,
        Quorum::Majority => approved * 2 > table,
        Quorum::AtLeast(needed) => approved >= usize::try_from(needed).unwrap_or(usize::MAX).min(table),
    }
}

pub(super) fn approve(d: &mut Decision<'_>, step: &str) -> Result<(), Rejection> {
    let seat = seat(d, step)?;
    let (_, open, _) = open(d, step)?;
    let sheet = sheet(d, step)?;
    let table = table(d, open);
    let approved = open.approved.len() + 1;
    let passed = seat.superior || quorum_met(sheet.rule, approved, table);
    let returned = !passed && !open.refused.is_empty() && approved + open.refused.len() >= table;
    d.emit(Approved { step: step.to_owned(), by: seat.by, on_behalf_of: seat.on_behalf_of, passed, returned })
}

pub(super) fn return_(d: &mut Decision<'_>, step: &str, reason: &str) -> Result<(), Rejection> {
    let (approval, open, person) = open(d, step)?;
    let sheet = sheet(d, step)?;
    let veto = person.person != approval.author
        && sheet.veto.iter().any(|role| person.roles.iter().any(|held| held == role));
    let seat = match seat(d, step) {
        Ok(seat) => seat,
        // A role with a veto may refuse a step without being one of its approvers.
        Err(rejection) if veto && rejection.code == "approval.not_yours" => {
            Seat { by: person.person.clone(), on_behalf_of: None, superior: false }
        }
        Err(rejection) => return Err(rejection),
    };
    let veto = veto || sheet.veto.iter().any(|role| holds_role(d, seat.name(), role));
    let (to, effective) = match &sheet.on_reject {
        OnReject::Stop => (None, true),
        OnReject::ReturnTo(earlier) => {
            let needed = approval.steps.contains(earlier) && earlier != step;
            (needed.then(|| earlier.clone()), true)
        }
        OnReject::CollectAll => {
            let all = open.approved.len() + open.refused.len() + 1 >= table(d, open);
            (None, veto || seat.superior || all)
        }
    };
    let reason = Personal::requester(said(reason, REASON)?.to_owned());
    let (by, on_behalf_of) = (seat.by, seat.on_behalf_of);
    d.emit(Returned { step: step.to_owned(), by, on_behalf_of, reason, to, effective })
}

fn holds_role(d: &Decision<'_>, code: &str, role: &str) -> bool {
    d.facts.organisation.person(code).is_some_and(|person| person.roles.iter().any(|held| held == role))
}

/// An approver lets a colleague decide. Only for their own seat, and only someone who could sit there: never the
/// author, never one whom the step excludes, never an approver of the step who has a seat already.
pub(super) fn delegate(d: &mut Decision<'_>, step: &str, to: &str) -> Result<(), Rejection> {
    let seat = seat(d, step)?;
    if seat.on_behalf_of.is_some() {
        return Err(refusal::approval_not_yours(step));
    }
    let (approval, open, _) = open(d, step)?;
    let sheet = sheet(d, step)?;
    let organisation = d.facts.organisation;
    let colleague =
        organisation.person(to).is_some_and(|person| organisation.works_for(person, d.facts.tenant));
    let before = approvers_before(approval, step);
    let excluded =
        sheet.exclude.contains(&Excluded::PreviousApprover) && before.iter().any(|code| code == to);
    let seated = open.approvers.iter().any(|code| code == to);
    if !colleague || excluded || seated || to == approval.author {
        return Err(refusal::delegate_unfit(to));
    }
    d.emit(Delegated { step: step.to_owned(), from: seat.by, to: to.to_owned() })
}

/// Those to whom a late step is escalated, the author and those there already left out.
pub(super) fn escalated(d: &Decision<'_>, step: &str, party: &Party) -> Result<Vec<String>, Rejection> {
    let request = d.request()?;
    let approval = approval(d, step)?;
    let people = d.facts.organisation.all_of(party, d.facts.tenant, request.service.as_deref());
    let new = |code: &String| {
        *code != approval.author && approval.open.as_ref().is_some_and(|open| !open.approvers.contains(code))
    };
    Ok(people.into_iter().map(|person| person.person.clone()).filter(new).collect())
}

/// Whether a step that was due then is late; helper of timers.
pub(super) fn late_step<'a>(
    d: &Decision<'a>,
    step: &str,
    due: DateTime<Utc>,
) -> Result<Option<&'a CircuitStep>, Rejection> {
    let open = approval(d, step)?.open.as_ref();
    let is_late = open.is_some_and(|open| open.step == step && open.due == Some(due) && !open.late);
    if is_late { sheet(d, step).map(Some) } else { Ok(None) }
}
