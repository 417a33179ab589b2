//! What becomes of a request that was passed on.

use chrono::{DateTime, Utc};

use super::course::finish;
use crate::request::actor::Recipient;
use crate::request::forwarding::{ForwardMeans, ForwardStanding, Forwarding};
use crate::request::happened::{ForwardArrived, ForwardBlocked, Forwarded};
use crate::request::state::{Request, Stage};

pub(super) fn forwarded(request: &mut Request, event: &Forwarded, at: DateTime<Utc>) {
    // Passed on again because it could not be taken: it ended when it was passed on first.
    let ended = request.closed_at.filter(|_| request.stage.is_finished());
    finish(request, Stage::Forwarded { to: event.to.clone() }, at);
    request.closed_at = ended.or(request.closed_at);
    request.forwarding = event.means.map(|means| Forwarding {
        to: event.to.clone(),
        process: event.process.clone(),
        basis: event.basis.clone(),
        means,
        standing: ForwardStanding::UnderWay,
    });
}

pub(super) fn arrived(request: &mut Request, event: &ForwardArrived) {
    stand(request, ForwardStanding::Arrived { request: event.request });
}

pub(super) fn blocked(request: &mut Request, event: &ForwardBlocked) {
    stand(request, ForwardStanding::Blocked { reason: event.reason.clone() });
}

/// The slip went out.
pub(super) fn notified(request: &mut Request, recipient: &Recipient) {
    if matches!(recipient, Recipient::Administration(_)) {
        stand(request, ForwardStanding::Sent);
    }
}

/// The slip did not get there by e-mail, or came back later: it goes by letter.
pub(super) fn failed(request: &mut Request, recipient: &Recipient) {
    if let (Recipient::Administration(_), Some(known)) = (recipient, &mut request.forwarding)
        && known.means == ForwardMeans::Email
    {
        (known.means, known.standing) = (ForwardMeans::Letter, ForwardStanding::UnderWay);
    }
}

fn stand(request: &mut Request, standing: ForwardStanding) {
    if let Some(known) = &mut request.forwarding {
        known.standing = standing;
    }
}
