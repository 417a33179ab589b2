//! That the persons of a request were erased: by whom, and on which ground.
//!
//! GDPR, article 17 (1), says when; its paragraph 3 (b) and (d), and the Code du patrimoine, articles L212-2 and R212-14, say that
//! what a town hall received is public archives, which go only as was agreed with the administration of archives. So the order
//! names both a ground and what it rests on. The record holds nothing personal.

use serde::{Deserialize, Serialize};

use super::{RecordEvent, record_events};
use crate::request::{Rejection, RequestId};
use crate::text::Text;

/// The kind of its streams.
pub const ERASURE: &str = "erasure";
/// The longest reference, in characters.
pub const REFERENCE_MAX: usize = 200;

record_events! {
    /// What happened.
    ErasureEvent {
        /// Somebody ordered it.
        ErasureOrdered = "erasure.ordered",
        /// Its keys are destroyed, its files are gone.
        ErasureDone = "erasure.done",
    }
}

/// Somebody ordered that the persons of a request be erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureOrdered {
    /// Whose persons.
    pub request: RequestId,
    /// Why.
    pub basis: Basis,
    /// What it rests on: the agreement of the archives, a decision, the number of the person's demand. Nothing personal belongs there.
    pub reference: String,
}

/// The keys of a request's persons are destroyed, and its files are gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureDone {
    /// Whose.
    pub request: RequestId,
    /// How many files went; those that another request names stay.
    pub files: u64,
}

/// Why the persons of a request are erased (GDPR, article 17 (1)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// It is not needed any more: its retention is over (point a; Code du patrimoine, article L212-2).
    Unneeded,
    /// The person withdrew consent, or objects (points b and c).
    Asked,
    /// It should never have been kept (point d).
    Unlawful,
    /// A law or a court demands it (point e).
    Obliged,
}

impl Basis {
    /// Its name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unneeded => "unneeded",
            Self::Asked => "asked",
            Self::Unlawful => "unlawful",
            Self::Obliged => "obliged",
        }
    }
}

/// The order as it stands in a record, if there is one.
#[must_use]
pub fn ordered<'a>(mut before: impl Iterator<Item = &'a RecordEvent>) -> Option<&'a ErasureOrdered> {
    before.find_map(|event| {
        let RecordEvent::Erasure(ErasureEvent::ErasureOrdered(order)) = event else { return None };
        Some(order)
    })
}

/// What happens when somebody orders it: nothing where it was ordered before.
///
/// # Errors
/// A rejection while something is still to be done for the requester.
pub fn order(
    is_ordered: bool,
    is_finished: bool,
    order: ErasureOrdered,
) -> Result<Vec<ErasureEvent>, Rejection> {
    if !is_finished {
        let text = Text::new(
            "La demande est en cours : elle s’efface une fois close.",
            "The request is open: it can be erased once it is closed.",
        );
        return Err(Rejection::new("erasure.open", text));
    }
    Ok(if is_ordered { Vec::new() } else { vec![order.into()] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_request_is_not_erased_and_an_order_is_given_once() {
        let wanted = || ErasureOrdered {
            request: RequestId(uuid::Uuid::nil()),
            basis: Basis::Asked,
            reference: "2026-118".into(),
        };
        assert_eq!(order(false, false, wanted()).unwrap_err().code, "erasure.open");
        assert_eq!(order(false, true, wanted()).unwrap(), [wanted().into()]);
        assert_eq!(order(true, true, wanted()).unwrap(), []);
        let record = [RecordEvent::from(ErasureEvent::from(wanted()))];
        assert_eq!(ordered(record.iter()), Some(&wanted()));
    }
}
