//! Which command made a run of events happen.

use serde_json::{Map, Value};

use super::neutral;
use crate::commitment::{Budget, MonthRule, Unit, due_instant};
use crate::process::Plan;
use crate::request::{
    Asked, CURRENCY, Command, Event, Meta, PassedOn, Qualified, Received, Reclassified, What,
};
use crate::text::Language;

/// What is known where a command is looked for.
pub(super) struct Clue<'a> {
    /// The events that follow, as far as they have the same actor and instants.
    pub(super) run: &'a [(Event, Meta)],
    /// The process that the command was decided by.
    pub(super) plan: &'a Plan,
    /// The process that the request was given, where the command is about that.
    pub(super) target: Option<&'a Plan>,
    /// The language of what stands for free texts.
    pub(super) language: Language,
}

impl Clue<'_> {
    /// The commands that may have begun with this event, the likeliest first; none where time alone brings it about,
    /// or where it only follows from others.
    #[allow(clippy::too_many_lines, reason = "one arm for each event: a list, not a procedure")]
    pub(super) fn commands(&self) -> Vec<Command> {
        let Some((event, _)) = self.run.first() else { return Vec::new() };
        match &event.what {
            What::Received(event) => vec![self.receive(event)],
            What::Acknowledged(event) => vec![Command::Acknowledge { by: event.by }],
            What::Qualified(event) => self.qualify(event),
            What::Reclassified(event) => vec![self.reclassify(event)],
            What::Reassigned(event) => vec![Command::Reassign { to: event.to.clone(), reason: self.text() }],
            What::Claimed(_) => vec![Command::Claim {}],
            What::Released(_) => vec![Command::Release {}],
            What::TaskCompleted(event) => vec![self.complete(&event.task, &event.report)],
            What::Visited(event) => vec![Command::Visit { finding: self.text(), made_safe: event.made_safe }],
            What::Asked(_)
            | What::Replied(_)
            | What::Suspended(_)
            | What::Resumed(_)
            | What::Extended(_)
            | What::Noted(_)
            | What::Messaged(_) => self.talk(&event.what),
            What::Drafted(_) => vec![
                Command::Answer { text: self.text() },
                Command::Resolve { text: self.text() },
                Command::Draft { text: self.text() },
            ],
            What::Submitted(_) | What::Validated(_) => vec![Command::Submit {}],
            What::Approved(event) => vec![Command::Approve { step: event.step.clone() }],
            What::Returned(event) => {
                vec![Command::Return { step: event.step.clone(), reason: self.text() }]
            }
            What::Delegated(event) => {
                vec![Command::Delegate { step: event.step.clone(), to: event.to.clone() }]
            }
            What::Delivered(event) => vec![Command::Deliver { by: event.by }],
            What::DeliveryFailed(event) => vec![Command::FailDelivery { by: event.by, reason: self.text() }],
            What::Withdrawn(_)
            | What::Cancelled(_)
            | What::Refused(_)
            | What::Forwarded(_)
            | What::Merged(_)
            | What::Reopened(_)
            | What::Rated(_) => self.ending(&event.what),
            What::PaymentRequested(_)
            | What::PaymentStarted(_)
            | What::PaymentSettled(_)
            | What::PaymentFailed(_)
            | What::PaymentCancelled(_)
            | What::PaymentRefunded(_) => self.paying(&event.what),
            What::AppointmentOffered(_)
            | What::AppointmentChosen(_)
            | What::InterventionSet(_)
            | What::AppointmentCancelled(_)
            | What::AttendanceRecorded(_) => self.meeting(&event.what),
            What::PaymentReminded(_)
            | What::PaymentLapsed(_)
            | What::AppointmentReminded(_)
            | What::AppointmentLapsed(_)
            | What::Assigned(_)
            | What::Migrated(_)
            | What::TaskOpened(_)
            | What::TaskSkipped(_)
            | What::TaskLate(_)
            | What::Reminded(_)
            | What::Lapsed(_)
            | What::ApprovalOpened(_)
            | What::ApprovalLate(_)
            | What::DeliveryOpened(_)
            | What::CommitmentWarned(_)
            | What::CommitmentBroken(_)
            | What::ForwardArrived(_)
            | What::ForwardBlocked(_)
            | What::Notified(_)
            | What::NotificationFailed(_) => Vec::new(),
        }
    }

    fn text(&self) -> String {
        neutral::text(self.language).to_owned()
    }

    fn text_if<T>(&self, there: Option<&T>) -> Option<String> {
        there.map(|_| self.text())
    }

    fn form(&self, given: &Map<String, Value>) -> Map<String, Value> {
        neutral::form(&self.plan.definition().form, given, self.language)
    }

    /// The note that came with a request that was passed on.
    fn rest(&self) -> Option<String> {
        self.has(|what| matches!(what, What::Noted(_))).then(|| self.text())
    }

    fn has(&self, wanted: impl Fn(&What) -> bool) -> bool {
        self.run.iter().any(|(event, _)| wanted(&event.what))
    }

    fn receive(&self, event: &Received) -> Command {
        Command::Receive {
            process: event.process.clone(),
            channel: event.channel,
            opened_by: event.opened_by,
            requester: neutral::requester(&event.requester),
            form: self.form(&event.form),
            external: None,
            first_received_at: event.first_received_at,
            answer: self.has(|what| matches!(what, What::Drafted(_))).then(|| self.text()),
            origin: event.origin.clone().map(|origin| PassedOn { origin, rest: self.rest() }),
        }
    }

    /// By the rules, unless somebody said otherwise: then the event names no rule.
    fn rated(plan: &Plan, event: &Qualified, form: Map<String, Value>, process: Option<String>) -> Command {
        let sheet = &plan.definition().qualification;
        let complexity = event.complexity_rule.is_none() && !sheet.complexity.is_empty();
        let priority = event.priority_rule.is_none() && !sheet.priority.is_empty();
        let default = (crate::process::Complexity::default(), crate::process::Priority::default());
        Command::Qualify {
            process,
            complexity: (complexity || event.complexity != default.0 && event.complexity_rule.is_none())
                .then_some(event.complexity),
            priority: (priority || event.priority != default.1 && event.priority_rule.is_none())
                .then_some(event.priority),
            form,
        }
    }

    fn qualify(&self, event: &Qualified) -> Vec<Command> {
        vec![
            Self::rated(self.plan, event, self.form(&event.form), None),
            Command::Resolve { text: self.text() },
        ]
    }

    /// The form of the new process is given whole: what the old one had in common is given once more, as it was.
    fn reclassify(&self, event: &Reclassified) -> Command {
        let target = self.target.unwrap_or(self.plan);
        let form = neutral::form(&target.definition().form, &event.form, self.language);
        let rated = self.run.iter().find_map(|(event, _)| match &event.what {
            What::Qualified(event) => Some(event),
            _ => None,
        });
        let process = Some(event.process.clone());
        match rated {
            Some(rated) => Self::rated(target, rated, form, process),
            None => Command::Qualify { process, complexity: None, priority: None, form },
        }
    }

    fn complete(&self, task: &str, report: &Map<String, Value>) -> Command {
        let fields = self.plan.definition().task(task).map(|sheet| sheet.report.as_slice());
        let report = neutral::form(fields.unwrap_or_default(), report, self.language);
        Command::Complete { task: task.to_owned(), report }
    }

    fn talk(&self, what: &What) -> Vec<Command> {
        let one = if let What::Asked(event) = what {
            let piece = |index: usize| format!("{} {}", self.piece(), index + 1);
            let pieces = (0..event.pieces.len()).map(piece).collect();
            Command::Ask { question: self.text(), pieces, within: self.term(event) }
        } else if let What::Replied(event) = what {
            Command::Reply {
                text: self.text_if(event.text.as_ref()),
                form: self.form(&event.form),
                complete: event.complete,
            }
        } else if let What::Suspended(event) = what {
            Command::Suspend { reason: self.text(), until: event.until }
        } else if let What::Resumed(_) = what {
            Command::Resume {}
        } else if let What::Extended(event) = what {
            let (commitment, by, basis) = (event.commitment.clone(), event.by, self.text());
            Command::Extend { commitment, by, basis }
        } else if let What::Noted(_) = what {
            Command::Note { text: self.text() }
        } else {
            Command::Message { text: self.text() }
        };
        vec![one]
    }

    fn piece(&self) -> &'static str {
        match self.language {
            Language::Fr => "pièce",
            Language::En => "document",
        }
    }

    /// The term that an asking gave, where it is not the process's own: the event tells only when it ends.
    fn term(&self, event: &Asked) -> Option<Budget> {
        let (_, meta) = self.run.first()?;
        let definition = self.plan.definition();
        let calendar = self.plan.calendar(&definition.calendar)?;
        let ends = |budget: Budget| {
            due_instant(calendar, meta.occurred_at, budget, MonthRule::default(), &[]).ok()
                == Some(event.reply_by)
        };
        if ends(definition.waiting.lapse_after) {
            return None;
        }
        let all = [Unit::WorkingDays, Unit::Days, Unit::Months, Unit::WorkingHours, Unit::Hours];
        let budgets =
            all.into_iter().flat_map(|unit| (1..=60).filter_map(move |n| Budget::new(n, unit).ok()));
        budgets.into_iter().find(|budget| ends(*budget))
    }

    fn paying(&self, what: &What) -> Vec<Command> {
        let one = if let What::PaymentRequested(event) = what {
            // What the sheet asks for follows from it.
            if event.rule.is_some() {
                return Vec::new();
            }
            let (amount, due) = (event.amount, Some(event.due));
            Command::RequestPayment { amount, label: self.text(), due }
        } else if let What::PaymentStarted(event) = what {
            Command::StartPayment { payment: event.payment }
        } else if let What::PaymentSettled(event) = what {
            Command::SettlePayment {
                payment: event.payment,
                reference: event.reference.clone(),
                transaction: event.transaction.clone(),
                amount: event.amount,
                currency: CURRENCY.to_owned(),
            }
        } else if let What::PaymentFailed(event) = what {
            let (payment, reason) = (event.payment, event.reason);
            Command::FailPayment { payment, reference: event.reference.clone(), reason }
        } else if let What::PaymentRefunded(event) = what {
            let (payment, amount) = (event.payment, event.amount);
            Command::RefundPayment { payment, amount, reason: self.text() }
        } else if let What::PaymentCancelled(event) = what {
            Command::CancelPayment { payment: event.payment, reason: self.text() }
        } else {
            return Vec::new();
        };
        vec![one]
    }

    fn meeting(&self, what: &What) -> Vec<Command> {
        let one = if let What::AppointmentOffered(event) = what {
            let slots = event.slots.clone();
            Command::OfferAppointment { slots, place: self.text(), what: self.text() }
        } else if let What::AppointmentChosen(event) = what {
            Command::ChooseAppointment { slot: event.slot.from }
        } else if let What::InterventionSet(event) = what {
            Command::SetIntervention { from: event.slot.from, until: event.slot.until }
        } else if let What::AppointmentCancelled(event) = what {
            Command::CancelAppointment { by: Some(event.by), reason: self.text() }
        } else if let What::AttendanceRecorded(event) = what {
            Command::RecordAttendance { came: event.came }
        } else {
            return Vec::new();
        };
        vec![one]
    }

    fn ending(&self, what: &What) -> Vec<Command> {
        let one = if let What::Withdrawn(event) = what {
            Command::Withdraw { reason: self.text_if(event.reason.as_ref()) }
        } else if let What::Refused(event) = what {
            Command::Refuse { reason: self.text(), basis: self.text_if(event.basis.as_ref()) }
        } else if let What::Forwarded(event) = what {
            let (to, process) = (event.to.clone(), event.process.clone());
            Command::Forward { to, process, basis: self.text_if(event.basis.as_ref()) }
        } else if let What::Merged(event) = what {
            Command::Merge { into: event.into }
        } else if let What::Reopened(_) = what {
            Command::Reopen { reason: self.text() }
        } else if let What::Rated(event) = what {
            Command::Rate { score: event.score, comment: self.text_if(event.comment.as_ref()) }
        } else {
            Command::Cancel { reason: self.text() }
        };
        vec![one]
    }
}

/// The commands that the engine gives itself, where a scenario does not send by itself: what it sent, and what did
/// not arrive. Whatever else it does follows from time.
pub(super) fn of_the_engine(command: &Command, sends: bool) -> bool {
    match command {
        Command::FailDelivery { .. } | Command::Receive { .. } => true,
        Command::Acknowledge { .. } | Command::Deliver { .. } => !sends,
        Command::Qualify { .. }
        | Command::Migrate { .. }
        | Command::Reassign { .. }
        | Command::Claim {}
        | Command::Release {}
        | Command::Complete { .. }
        | Command::Visit { .. }
        | Command::Ask { .. }
        | Command::Reply { .. }
        | Command::Suspend { .. }
        | Command::Resume {}
        | Command::Extend { .. }
        | Command::Note { .. }
        | Command::Message { .. }
        | Command::Draft { .. }
        | Command::Submit {}
        | Command::Answer { .. }
        | Command::Approve { .. }
        | Command::Return { .. }
        | Command::Delegate { .. }
        | Command::Resolve { .. }
        | Command::Withdraw { .. }
        | Command::Cancel { .. }
        | Command::Refuse { .. }
        | Command::Forward { .. }
        | Command::ConfirmForward { .. }
        | Command::BlockForward { .. }
        | Command::Merge { .. }
        | Command::Reopen { .. }
        | Command::Rate { .. }
        | Command::Elapse { .. }
        | Command::Notify { .. }
        | Command::FailNotification { .. }
        | Command::RequestPayment { .. }
        | Command::StartPayment { .. }
        | Command::CancelPayment { .. }
        | Command::RefundPayment { .. }
        | Command::OfferAppointment { .. }
        | Command::ChooseAppointment { .. }
        | Command::SetIntervention { .. }
        | Command::CancelAppointment { .. }
        | Command::RecordAttendance { .. } => false,
        // The provider's word comes from outside.
        Command::SettlePayment { .. } | Command::FailPayment { .. } => true,
    }
}
