//! Passing a request on to the competent administration, and what the engine reports of it.

use super::close::before_validation;
use super::decision::Decision;
use super::{said, said_if_any};
use crate::request::actor::RequestId;
use crate::request::forwarding::{ForwardMeans, ForwardStanding, PASSED_MAX, PassedOn};
use crate::request::happened::{ForwardArrived, ForwardBlocked, Forwarded};
use crate::request::state::{Request, Stage};
use crate::request::{Rejection, refusal};

/// To whom a request is passed on, and how it gets there.
struct Addressee {
    to: String,
    means: ForwardMeans,
}

pub(super) fn forward(
    d: &mut Decision<'_>,
    to: &str,
    process: Option<&str>,
    basis: Option<&str>,
) -> Result<(), Rejection> {
    if is_blocked(d.request()?) {
        if d.engine().is_err() {
            d.handler()?;
        }
    } else {
        before_validation(d)?;
    }
    let Addressee { to, means } = addressee(d, said(to, ("le destinataire", "the addressee"))?)?;
    let process = said_if_any(process)?.map(str::to_owned);
    if process.is_some() && means != ForwardMeans::Installation {
        return Err(refusal::forward_process());
    }
    let basis = said_if_any(basis)?.map(str::to_owned);
    d.emit(Forwarded { to, process, means: Some(means), basis })
}

/// Whether it was passed on and cannot be taken where it should be.
pub(super) fn is_blocked(request: &Request) -> bool {
    let blocked = request.forwarding.as_ref().and_then(|known| known.blocked());
    matches!(request.stage, Stage::Forwarded { .. }) && blocked.is_some()
}

/// A collectivity of the installation, an administration of the organisation's list, or one that is on no list: the duty to
/// pass a request on (CRPA L114-2) does not end where the list does, so its slip is printed. What is written as `tenant:x` or
/// `administration:x` means the list.
fn addressee(d: &Decision<'_>, to: &str) -> Result<Addressee, Rejection> {
    let organisation = d.facts.organisation;
    let (of_tenants, of_administrations) = (to.strip_prefix("tenant:"), to.strip_prefix("administration:"));
    let name = of_tenants.or(of_administrations).unwrap_or(to).trim();
    if of_administrations.is_none() && organisation.tenant(name).is_some() {
        may_pass_on_to(d, name)?;
        return Ok(Addressee { to: name.to_owned(), means: ForwardMeans::Installation });
    }
    let listed = organisation.administration(name).filter(|_| of_tenants.is_none());
    match listed {
        Some(listed) => {
            let means = if listed.email.is_some() { ForwardMeans::Email } else { ForwardMeans::Letter };
            Ok(Addressee { to: listed.administration.clone(), means })
        }
        None if of_tenants.is_some() || of_administrations.is_some() => Err(refusal::forward_unknown(name)),
        None => Ok(Addressee { to: name.to_owned(), means: ForwardMeans::Letter }),
    }
}

/// Nobody sends a citizen round in a circle: who passed it on decides already, or names a third.
fn may_pass_on_to(d: &Decision<'_>, tenant: &str) -> Result<(), Rejection> {
    if tenant == d.facts.tenant {
        return Err(refusal::forward_self());
    }
    let through = d.request()?.origin.as_ref().map_or(&[][..], |origin| &origin.through);
    if through.iter().any(|passed| passed == tenant) {
        return Err(refusal::forward_already_from_there());
    }
    if through.len() >= PASSED_MAX {
        return Err(refusal::forward_too_far(&PASSED_MAX.to_string()));
    }
    Ok(())
}

/// Whether a request may be received as one that was passed on.
pub(super) fn may_arrive(d: &Decision<'_>, passed: &PassedOn) -> Result<(), Rejection> {
    if d.engine().is_err() {
        return Err(refusal::origin_reserved());
    }
    let through = &passed.origin.through;
    if through.iter().any(|tenant| tenant == d.facts.tenant) {
        return Err(refusal::forward_already_from_there());
    }
    if through.is_empty() || through.len() > PASSED_MAX {
        return Err(refusal::forward_too_far(&PASSED_MAX.to_string()));
    }
    Ok(())
}

/// It is there now, whatever was reported before.
pub(super) fn confirm(d: &mut Decision<'_>, request: RequestId) -> Result<(), Rejection> {
    d.engine()?;
    let to = on_its_way(d, |standing| !matches!(standing, ForwardStanding::Arrived { .. }))?;
    d.emit(ForwardArrived { to, request })
}

pub(super) fn block(d: &mut Decision<'_>, reason: &str) -> Result<(), Rejection> {
    d.engine()?;
    let to = on_its_way(d, |standing| *standing == ForwardStanding::UnderWay)?;
    let reason = said(reason, super::REASON)?.to_owned();
    d.emit(ForwardBlocked { to, reason })
}

/// To which collectivity the request was passed on, if it stands there so.
fn on_its_way(d: &Decision<'_>, fits: impl Fn(&ForwardStanding) -> bool) -> Result<String, Rejection> {
    let request = d.request()?;
    let known = request.forwarding.as_ref().filter(|known| {
        known.means == ForwardMeans::Installation
            && matches!(request.stage, Stage::Forwarded { .. })
            && fits(&known.standing)
    });
    known.map(|known| known.to.clone()).ok_or_else(|| d.wrong_stage())
}
