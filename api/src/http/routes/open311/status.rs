//! Where a request stands, in Open311's two words and in mySociety's thirteen.

use guichet_engine::rules::process::Kind;
use guichet_projections::Card;

/// `open` or `closed`.
pub(super) fn plain(card: &Card) -> &'static str {
    if card.open { "open" } else { "closed" }
}

/// The status among mySociety's: `open`, `for_triage`, `investigating`, `internal_referral`, `planned`, `action_scheduled`,
/// `in_progress`, `fixed`, `closed`, `cancelled`, `no_further_action`, `not_councils_responsibility`, `duplicate`.
pub(super) fn extended(card: &Card) -> &'static str {
    match card.stage.as_str() {
        _ if card.hold.as_deref() == Some("suspended") => "planned",
        "received" => "open",
        "assigned" if card.agent.is_none() && card.reassignments > 0 => "internal_referral",
        "assigned" | "validated" => "in_progress",
        stage => ended(stage, card.kind).unwrap_or("investigating"),
    }
}

/// The status of a request that ended this way.
fn ended(stage: &str, kind: Kind) -> Option<&'static str> {
    Some(match stage {
        // A report says that something is broken: delivering its answer says that it is dealt with.
        "delivered" if kind == Kind::Report => "fixed",
        "delivered" | "cancelled" => "closed",
        "withdrawn" => "cancelled",
        "refused" => "no_further_action",
        "forwarded" => "not_councils_responsibility",
        "merged" => "duplicate",
        _ => return None,
    })
}

/// The status that an event of a request brings about; none where it changes none.
pub(super) fn of_event(event: &str, kind: Kind, triaged: bool) -> Option<&'static str> {
    Some(match event.strip_prefix("request.")? {
        "received" if triaged => "for_triage",
        "received" | "reopened" => "open",
        "qualified" | "reclassified" => "investigating",
        "reassigned" => "internal_referral",
        "suspended" => "planned",
        "task_opened" => "action_scheduled",
        "assigned" | "claimed" | "resumed" | "task_completed" | "visited" | "validated" => "in_progress",
        ended_as => return ended(ended_as, kind),
    })
}

/// Whether a status sent to us says that something is still to be done.
pub(super) fn is_open(status: &str) -> bool {
    matches!(
        status,
        "open"
            | "for_triage"
            | "investigating"
            | "internal_referral"
            | "planned"
            | "action_scheduled"
            | "in_progress"
    )
}

/// Whether it is one of the thirteen.
pub(super) fn is_known(status: &str) -> bool {
    is_open(status)
        || matches!(
            status,
            "fixed"
                | "closed"
                | "cancelled"
                | "no_further_action"
                | "not_councils_responsibility"
                | "duplicate"
        )
}
