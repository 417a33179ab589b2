//! What can happen to a request next.

use guichet_engine::rules::process::{Delivery, Kind, PaidBefore, Simple};
use guichet_engine::rules::request::{
    Acknowledgement, Hold, PaymentStatus, Stage, TaskStatus, acknowledgement,
};

use super::assumptions::Assumptions;
use super::dice::Dice;
use super::file::File;

/// Something that someone will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// The front office qualifies.
    Qualify,
    /// An agent posts the acknowledgement.
    PostAcknowledgement,
    /// An agent takes the request.
    Claim,
    /// An agent does a task, by its place in the sheet.
    Task(usize),
    /// An agent answers; the number counts drafts.
    Answer(u32),
    /// An approver decides the open step; the numbers count steps passed and decisions.
    Decide(usize, usize),
    /// An agent hands the answer over.
    HandOver(Delivery),
    /// The requester answers.
    Reply,
    /// An agent takes a suspended request up again.
    Resume,
    /// The requester takes it back.
    Withdraw,
    /// The requester goes to the page of payment, by its number.
    Pay(u32),
    /// The provider says that it was paid.
    Settle(u32),
    /// An agent gives up a payment that did not come.
    Waive(u32),
    /// The requester rates.
    Rate,
    /// The requester wants it taken up again.
    Reopen,
}

/// What is out of the ordinary about a request, in the order in which it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Refuse,
    Forward,
    Merge,
    Ask,
    Reassign,
    Suspend,
    Extend,
    Cancel,
    Withdraw,
    Silent,
    Rate,
    Reopen,
    Claim,
    Visit,
    Note,
}

/// All of them, in order.
pub(super) const FATES: [Fate; 15] = [
    Fate::Refuse,
    Fate::Forward,
    Fate::Merge,
    Fate::Ask,
    Fate::Reassign,
    Fate::Suspend,
    Fate::Extend,
    Fate::Cancel,
    Fate::Withdraw,
    Fate::Silent,
    Fate::Rate,
    Fate::Reopen,
    Fate::Claim,
    Fate::Visit,
    Fate::Note,
];

/// A set of fates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Fates(u16);

impl Fates {
    pub(super) fn has(self, fate: Fate) -> bool {
        self.0 & (1 << fate as u16) != 0
    }

    pub(super) fn drop(&mut self, fate: Fate) {
        self.0 &= !(1 << fate as u16);
    }

    /// What will befall a request of this kind.
    pub(super) fn drawn(dice: &mut Dice, kind: Kind, assumed: &Assumptions) -> Self {
        let happenings = &assumed.happenings;
        let share = |fate| match fate {
            Fate::Refuse => happenings.refused,
            Fate::Forward => happenings.forwarded,
            Fate::Merge => happenings.merged.get(kind),
            Fate::Ask => happenings.asked.get(kind),
            Fate::Reassign => happenings.reassigned,
            Fate::Suspend => happenings.suspended,
            Fate::Extend => happenings.extended,
            Fate::Cancel => happenings.cancelled,
            Fate::Withdraw => happenings.withdrawn,
            Fate::Silent => assumed.requesters.silent,
            Fate::Rate => happenings.rated,
            Fate::Reopen => happenings.reopened,
            Fate::Claim => happenings.claimed,
            Fate::Visit => happenings.visited.get(kind),
            Fate::Note => happenings.noted,
        };
        let drawn = FATES.into_iter().filter(|fate| dice.happens(share(*fate).get()));
        Self(drawn.fold(0, |set, fate| set | (1 << fate as u16)))
    }
}

impl File {
    /// Everything that someone would do about it as it stands.
    pub(super) fn moves(&self, moves: &mut Vec<Move>) {
        let request = &self.state;
        moves.clear();
        if request.acknowledged_at.is_none()
            && !request.stage.is_finished()
            && let Acknowledgement::ToSend(Delivery::Letter) =
                acknowledgement(&request.requester, request.channel)
        {
            moves.push(Move::PostAcknowledgement);
        }
        if self.fates.has(Fate::Withdraw) && !request.stage.is_finished() {
            moves.push(Move::Withdraw);
        }
        if let Some(payment) = request.unpaid().filter(|_| !request.stage.is_finished()) {
            let number = payment.number;
            let under_way = payment.attempts.iter().any(|attempt| attempt.outcome.is_none());
            match payment.status {
                PaymentStatus::Lapsed => moves.push(Move::Waive(number)),
                _ if under_way => moves.push(Move::Settle(number)),
                _ if self.fates.has(Fate::Silent) => {}
                _ => moves.push(Move::Pay(number)),
            }
        }
        match &request.hold {
            Some(Hold::WaitingForRequester { .. }) if self.fates.has(Fate::Silent) => {}
            Some(Hold::WaitingForRequester { .. }) => moves.push(Move::Reply),
            Some(Hold::Suspended { until: None, .. }) => moves.push(Move::Resume),
            Some(Hold::Suspended { until: Some(_), .. }) => {}
            None => self.stage_moves(moves),
        }
    }

    fn stage_moves(&self, moves: &mut Vec<Move>) {
        let request = &self.state;
        match &request.stage {
            Stage::Received => moves.push(Move::Qualify),
            Stage::Assigned if request.agent.is_none() && self.fates.has(Fate::Claim) => {
                moves.push(Move::Claim)
            }
            Stage::Assigned => self.treatment_moves(moves),
            Stage::InValidation(approval) => {
                if let Some(open) = &approval.open {
                    moves.push(Move::Decide(approval.passed.len(), open.approved.len() + open.refused.len()));
                }
            }
            Stage::Validated {
                by: Some(by @ (Delivery::Letter | Delivery::Counter | Delivery::Phone)),
                ..
            } => {
                moves.push(Move::HandOver(*by));
            }
            Stage::Delivered { .. } if self.fates.has(Fate::Reopen) => moves.push(Move::Reopen),
            Stage::Delivered { .. } if self.fates.has(Fate::Rate) && request.rating.is_none() => {
                moves.push(Move::Rate);
            }
            Stage::Qualified
            | Stage::Validated { .. }
            | Stage::Delivered { .. }
            | Stage::Withdrawn
            | Stage::Cancelled
            | Stage::Refused
            | Stage::Forwarded { .. }
            | Stage::Merged { .. } => {}
        }
    }

    fn treatment_moves(&self, moves: &mut Vec<Move>) {
        let definition = self.plan.definition();
        let open =
            |task: &str| self.state.tasks.get(task).is_some_and(|task| task.status == TaskStatus::Open);
        let before = moves.len();
        let sheets = definition.treatment.iter().zip(0..);
        moves.extend(sheets.filter(|(sheet, _)| open(&sheet.task)).map(|(_, place)| Move::Task(place)));
        let validation = &definition.validation;
        let by_itself = validation.circuit.is_none() && validation.otherwise == Simple::Automatic;
        let unpaid = self.state.unpaid().is_some_and(|payment| payment.before == Some(PaidBefore::Treatment));
        if moves.len() == before && !by_itself && !unpaid {
            moves.push(Move::Answer(self.drafts));
        }
    }
}
