//! The two clocks of the silence of an administration, and how they differ (CRPA L114-3, L114-5).
//!
//! A legal clock is a budget of months like any other; the law only says where it starts and when it stands
//! still. So the law is written here as the choice of the start and of the pauses, with the rule that led to each.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::budget::{Budget, MonthRule};
use super::due::{Due, NoDue, due};
use super::pause::Pause;
use crate::calendar::Calendar;
use crate::text::Text;

/// What the silence of the administration means once its term has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SilenceMeans {
    /// The request is accepted (CRPA L231-1).
    Acceptance,
    /// The request is rejected (CRPA L231-4).
    Rejection,
}

/// A legal rule that chose the start of a clock or one of its pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LegalRule {
    /// CRPA L114-3: implied rejection counts from the first administration that was seized.
    RejectionFromFirstSeized,
    /// CRPA L114-3: implied acceptance counts from receipt by the competent administration.
    AcceptanceFromCompetent,
    /// CRPA L114-5: implied acceptance counts from the receipt of the last missing piece.
    AcceptanceFromComplete,
    /// CRPA L114-5: implied rejection is suspended for the term given to complete the file, or until it is.
    RejectionSuspended,
}

impl LegalRule {
    /// The article, and what it says, in French and in English.
    #[must_use]
    pub fn text(self) -> Text {
        let (fr, en) = match self {
            Self::RejectionFromFirstSeized => (
                "CRPA L114-3 : le rejet implicite court depuis la saisine de la première administration.",
                "CRPA L114-3: implied rejection counts from the first administration that was seized.",
            ),
            Self::AcceptanceFromCompetent => (
                "CRPA L114-3 : l’acceptation implicite court depuis la réception par l’administration compétente.",
                "CRPA L114-3: implied acceptance counts from receipt by the competent administration.",
            ),
            Self::AcceptanceFromComplete => (
                "CRPA L114-5 : l’acceptation implicite ne court qu’à compter de la réception des pièces manquantes.",
                "CRPA L114-5: implied acceptance counts only from receipt of the missing pieces.",
            ),
            Self::RejectionSuspended => (
                "CRPA L114-5 : le rejet implicite est suspendu pendant le délai imparti pour compléter le dossier, ou jusqu’à réception des pièces.",
                "CRPA L114-5: implied rejection is suspended for the term given to complete the file, or until the pieces arrive.",
            ),
        };
        Text::new(fr, en)
    }
}

/// Pieces that were asked for because a file was incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PiecesAsked {
    /// When they were asked for.
    pub asked: DateTime<Utc>,
    /// End of the term given to send them.
    pub term: DateTime<Utc>,
    /// When the last of them arrived.
    pub received: Option<DateTime<Utc>>,
}

/// What the legal clock of a request depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LegalHistory {
    /// When the first administration received the request, competent or not.
    pub first_seized: DateTime<Utc>,
    /// When the competent administration received it, if it was forwarded (CRPA L114-2).
    pub competent: Option<DateTime<Utc>>,
    /// Pieces asked for, in any order.
    pub pieces: Vec<PiecesAsked>,
}

/// Where a legal clock starts and when it stands still, and by which rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalClock {
    /// Its start; `None` while a file whose completion starts the clock is incomplete.
    pub from: Option<DateTime<Utc>>,
    /// When it stands still.
    pub pauses: Vec<Pause>,
    /// The rules that were used, in order of use.
    pub rules: Vec<LegalRule>,
}

/// An implied decision: when it comes about, why, and under which legal rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImpliedDecision {
    /// The instant and its arithmetic.
    #[serde(flatten)]
    pub due: Due,
    /// The rules that chose the start and the pauses.
    pub rules: Vec<LegalRule>,
}

impl LegalHistory {
    /// The clock of an implied acceptance: from the competent administration, and from the last piece asked for.
    fn acceptance(&self) -> LegalClock {
        let mut clock = match self.competent {
            Some(competent) => LegalClock {
                from: Some(competent),
                pauses: Vec::new(),
                rules: vec![LegalRule::AcceptanceFromCompetent],
            },
            None => LegalClock { from: Some(self.first_seized), pauses: Vec::new(), rules: Vec::new() },
        };
        for pieces in &self.pieces {
            if !clock.rules.contains(&LegalRule::AcceptanceFromComplete) {
                clock.rules.push(LegalRule::AcceptanceFromComplete);
            }
            clock.from = match (clock.from, pieces.received) {
                (Some(from), Some(received)) => Some(from.max(received)),
                _ => None,
            };
        }
        clock
    }

    /// The clock of an implied rejection: from the first administration seized, standing still for each term.
    fn rejection(&self) -> LegalClock {
        let mut rules = Vec::new();
        if self.competent.is_some() {
            rules.push(LegalRule::RejectionFromFirstSeized);
        }
        if !self.pieces.is_empty() {
            rules.push(LegalRule::RejectionSuspended);
        }
        let end = |pieces: &PiecesAsked| pieces.received.map_or(pieces.term, |at| at.min(pieces.term));
        let pauses = self.pieces.iter().map(|pieces| Pause::new(pieces.asked, end(pieces))).collect();
        LegalClock { from: Some(self.first_seized), pauses, rules }
    }

    /// Where the clock of this silence starts and when it stands still, all pieces asked for taken into account.
    #[must_use]
    pub fn clock(&self, silence: SilenceMeans) -> LegalClock {
        match silence {
            SilenceMeans::Acceptance => self.acceptance(),
            SilenceMeans::Rejection => self.rejection(),
        }
    }
}

/// When silence becomes a decision, or `None` while the clock of an acceptance has not started because pieces are
/// missing. Pieces asked for after the decision came about move nothing.
///
/// # Errors
/// [`NoDue`] outside the years that are computed.
pub fn implied_decision(
    calendar: &Calendar,
    silence: SilenceMeans,
    after: Budget,
    month_rule: MonthRule,
    history: &LegalHistory,
) -> Result<Option<ImpliedDecision>, NoDue> {
    let decide = |clock: LegalClock| -> Result<Option<ImpliedDecision>, NoDue> {
        let Some(from) = clock.from else { return Ok(None) };
        let due = due(calendar, from, after, month_rule, &clock.pauses)?;
        Ok(Some(ImpliedDecision { due, rules: clock.rules }))
    };
    match silence {
        SilenceMeans::Rejection => decide(history.rejection()),
        SilenceMeans::Acceptance => {
            // Each asking counts only if the decision had not come about by then under those before it.
            let mut known = LegalHistory { pieces: Vec::new(), ..history.clone() };
            let mut decision = decide(known.acceptance())?;
            let mut asked = history.pieces.clone();
            asked.sort_by_key(|pieces| pieces.asked);
            for pieces in asked {
                if decision.as_ref().is_some_and(|decision| decision.due.at <= pieces.asked) {
                    break;
                }
                known.pieces.push(pieces);
                decision = decide(known.acceptance())?;
            }
            Ok(decision)
        }
    }
}
