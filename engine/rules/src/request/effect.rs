//! Reactions: what the town hall must send because of an event. Derived from the log, carried out by workers, and
//! reported back as a command, so that a crash repeats and never doubles.

use serde::{Deserialize, Serialize};

use super::actor::Recipient;
use super::appointment::AppointmentParty;
use super::decide::{Acknowledgement, acknowledgement_of, reach};
use super::event::{Event, What};
use super::forwarding::{ForwardMeans, ForwardStanding};
use super::happened::{ApprovalLate, Forwarded, NotificationFailed, TaskOpened};
use super::payment::{PaymentFailed, PaymentFailure};
use super::state::{Request, Stage};
use crate::organisation::Organisation;
use crate::process::{Alarm, Delivery, Party, Plan, Quorum};

/// What is to be sent, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The acknowledgement of receipt; reported by `Acknowledge`.
    Acknowledgement,
    /// The answer; reported by `Deliver` or `FailDelivery`.
    Answer,
    /// The requester is asked for something, or reminded of it.
    Question,
    /// The requester answered or wrote: the service learns of it.
    Reply,
    /// A message to the requester that asks for nothing: its text is in the event.
    Message,
    /// The requester learns what became of the request: `extended`, `suspended`, `refused`, `forwarded`,
    /// `withdrawn`, `cancelled`, `merged`, `reopened`, or what became of a payment or an appointment: `payment_requested`,
    /// `appointment_offered` and so on. The service hears of some of these too.
    News(String),
    /// The summary slip (*bordereau*) of a request that is passed on to an administration elsewhere.
    Slip,
    /// A service has a new request.
    Assignment,
    /// A task is to be done.
    Task(String),
    /// A step of a circuit awaits its approvers.
    Approval(String),
    /// A draft came back for rework.
    Rework,
    /// A commitment nears its due instant, or a task or step is late.
    Warning(String),
    /// A commitment is broken.
    Breach(String),
}

/// An effect not yet done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Its id within the request: `<revision of the event>-<index>`. Sent along as the message's id.
    pub id: String,
    /// Who it goes to.
    pub recipient: Recipient,
    /// What it is about.
    pub subject: Subject,
    /// The means; e-mail to the town hall's own people. Letter, counter and telephone are done by hand: an agent
    /// sees them in the outbox and reports them, no worker sends them.
    pub by: Delivery,
}

/// What one event asks for, being gathered.
struct Asked<'a> {
    revision: u64,
    after: &'a Request,
    effects: Vec<Effect>,
}

impl Asked<'_> {
    fn add(&mut self, recipient: Recipient, subject: Subject, by: Delivery) {
        let id = format!("{}-{}", self.revision, self.effects.len());
        self.effects.push(Effect { id, recipient, subject, by });
    }

    /// To the requester, by whatever they can be reached; to nobody if they cannot be.
    fn requester(&mut self, subject: Subject) {
        if let Some(by) = reach(&self.after.requester) {
            self.add(Recipient::Requester, subject, by);
        }
    }

    fn party(&mut self, party: &Party, subject: Subject) {
        let party = match (party, &self.after.service) {
            (Party::ServiceInCharge, Some(service)) => Party::Service(service.clone()),
            (Party::ServiceInCharge, None) => return,
            (Party::Role(_) | Party::Person(_) | Party::Service(_), _) => party.clone(),
        };
        self.add(Recipient::Party(party), subject, Delivery::Email);
    }

    fn service(&mut self, subject: Subject) {
        self.party(&Party::ServiceInCharge, subject);
    }

    fn person(&mut self, code: &str, subject: Subject) {
        self.party(&Party::Person(code.to_owned()), subject);
    }

    /// Those whom the sheet names for an alarm; the service in charge where it names nobody.
    fn alarms(&mut self, alarms: &[Alarm], subject: &Subject) {
        if alarms.is_empty() {
            self.service(subject.clone());
        }
        for alarm in alarms {
            let (Alarm::Notify(party) | Alarm::EscalateTo(party)) = alarm;
            self.party(party, subject.clone());
        }
    }

    fn author(&mut self, subject: Subject) {
        if let Some(author) = self.after.draft.as_ref().map(|draft| draft.author.clone()) {
            self.person(&author, subject);
        }
    }
}

/// The effects that `event`, at `revision` of its stream, asks for; `after` is the request after it.
///
/// A role is named as it is; [`Organisation::concerned`] says who that is for the service in charge.
#[must_use]
#[allow(clippy::too_many_lines, reason = "one arm for each event: a list, not a procedure")]
pub fn effects(
    revision: u64,
    event: &Event,
    after: &Request,
    plan: &Plan,
    organisation: &Organisation,
) -> Vec<Effect> {
    let mut asked = Asked { revision, after, effects: Vec::new() };
    let news = |words: &str| Subject::News(words.to_owned());
    match &event.what {
        What::Received(_) => {
            if let Acknowledgement::ToSend(by) = acknowledgement_of(after) {
                asked.add(Recipient::Requester, Subject::Acknowledgement, by);
            }
        }
        What::Migrated(event) => {
            for task in &event.tasks {
                if let Some(by) = &task.by {
                    asked.party(by, Subject::Task(task.to.clone()));
                }
            }
        }
        What::Assigned(_) | What::Reassigned(_) => asked.service(Subject::Assignment),
        What::TaskOpened(event) => task_opened(&mut asked, event, plan),
        What::TaskLate(event) => {
            let task = after.tasks.get(&event.task).and_then(|task| task.by.clone());
            asked.party(
                &task.unwrap_or(Party::ServiceInCharge),
                Subject::Warning(format!("task:{}", event.task)),
            );
        }
        What::Asked(_) => asked.requester(Subject::Question),
        What::Reminded(event) if !event.untold => asked.requester(Subject::Question),
        What::Replied(_) | What::Lapsed(_) => to_those_in_charge(&mut asked, plan, &Subject::Reply),
        What::Extended(_) => asked.requester(news("extended")),
        What::Messaged(_) => asked.requester(Subject::Message),
        What::ApprovalOpened(event) => {
            for approver in near(after, plan, organisation, &event.step, &event.approvers) {
                asked.person(approver, Subject::Approval(event.step.clone()));
            }
        }
        What::Delegated(event) => asked.person(&event.to, Subject::Approval(event.step.clone())),
        What::ApprovalLate(event) => approval_late(&mut asked, event, plan, organisation),
        What::Approved(event) if event.returned => asked.author(Subject::Rework),
        What::Returned(event) if event.effective && event.to.is_none() => asked.author(Subject::Rework),
        What::DeliveryOpened(event) => asked.add(Recipient::Requester, Subject::Answer, event.by),
        What::CommitmentWarned(event) if !event.untold => {
            let sheet = plan.definition().commitment(&event.commitment);
            let alarms = sheet.map_or(&[][..], |sheet| &sheet.when_warned);
            asked.alarms(alarms, &Subject::Warning(event.commitment.clone()));
        }
        What::CommitmentBroken(event) => {
            let sheet = plan.definition().commitment(&event.commitment);
            let alarms = sheet.map_or(&[][..], |sheet| &sheet.when_broken);
            asked.alarms(alarms, &Subject::Breach(event.commitment.clone()));
        }
        What::Suspended(_) => asked.requester(news("suspended")),
        What::Withdrawn(_) => asked.requester(news("withdrawn")),
        What::Cancelled(_) => asked.requester(news("cancelled")),
        What::Refused(_) => asked.requester(news("refused")),
        What::Forwarded(event) => forwarded(&mut asked, event),
        What::ForwardBlocked(_) => to_those_in_charge(&mut asked, plan, &news("forward_blocked")),
        What::NotificationFailed(event) => slip_failed(&mut asked, event),
        What::Merged(_) => asked.requester(news("merged")),
        What::Reopened(_) => {
            asked.requester(news("reopened"));
            asked.service(Subject::Assignment);
        }
        What::PaymentRequested(_) => asked.requester(news("payment_requested")),
        What::PaymentSettled(event) => {
            asked.requester(news("payment_settled"));
            if event.surplus {
                asked.service(news("payment_surplus"));
            }
        }
        What::PaymentFailed(event) if is_news_of_bank(event, after) => {
            asked.requester(news("payment_failed"))
        }
        What::PaymentReminded(event) if !event.untold => asked.requester(news("payment_reminded")),
        What::PaymentLapsed(event) => payment_lapsed(&mut asked, event.payment),
        What::PaymentCancelled(_) => asked.requester(news("payment_cancelled")),
        What::PaymentRefunded(_) => {
            asked.requester(news("payment_refunded"));
            asked.service(news("payment_refunded"));
        }
        What::AppointmentOffered(_) => asked.requester(news("appointment_offered")),
        What::AppointmentChosen(_) => {
            asked.requester(news("appointment_chosen"));
            asked.service(news("appointment_chosen"));
        }
        What::InterventionSet(_) => asked.requester(news("intervention_set")),
        What::AppointmentReminded(event) if !event.untold => asked.requester(news("appointment_reminded")),
        What::AppointmentLapsed(_) => asked.service(news("appointment_lapsed")),
        What::AppointmentCancelled(event) => {
            asked.requester(news("appointment_cancelled"));
            if event.by == AppointmentParty::Requester {
                asked.service(news("appointment_cancelled"));
            }
        }
        What::PaymentStarted(_)
        | What::PaymentFailed(_)
        | What::PaymentReminded(_)
        | What::AppointmentReminded(_)
        | What::AttendanceRecorded(_) => {}
        What::Acknowledged(_)
        | What::Qualified(_)
        | What::Reclassified(_)
        | What::Claimed(_)
        | What::Released(_)
        | What::TaskSkipped(_)
        | What::TaskCompleted(_)
        | What::Visited(_)
        | What::Resumed(_)
        | What::Noted(_)
        | What::Drafted(_)
        | What::Submitted(_)
        | What::Approved(_)
        | What::Returned(_)
        | What::Validated(_)
        | What::Delivered(_)
        | What::DeliveryFailed(_)
        | What::Rated(_)
        | What::Reminded(_)
        | What::CommitmentWarned(_)
        | What::ForwardArrived(_)
        | What::Notified(_) => {}
    }
    asked.effects
}

/// The service in charge already hears of the request itself; a notice of its own first tasks would say it twice.
fn task_opened(asked: &mut Asked<'_>, event: &TaskOpened, plan: &Plan) {
    let first = plan.definition().task(&event.task).is_some_and(|sheet| sheet.after.is_empty());
    if event.by != Party::ServiceInCharge || !first {
        asked.party(&event.by, Subject::Task(event.task.clone()));
    }
}

/// Whether the requester must hear that a payment came to nothing: the bank said so, and it is still to be made. Whoever
/// gave up or let the page grow old knows.
fn is_news_of_bank(event: &PaymentFailed, after: &Request) -> bool {
    let open = after.payments.iter().any(|payment| payment.number == event.payment && payment.is_open());
    event.reason == PaymentFailure::Refused && open && !after.stage.is_finished()
}

/// Nothing was lost with an optional payment: nobody has anything to do.
fn payment_lapsed(asked: &mut Asked<'_>, number: u32) {
    let payment = asked.after.payments.iter().find(|payment| payment.number == number);
    if payment.is_some_and(|payment| payment.before.is_none()) {
        return;
    }
    asked.requester(Subject::News("payment_lapsed".to_owned()));
    asked.service(Subject::News("payment_lapsed".to_owned()));
}

/// The service in charge, or the front office before there is one.
fn to_those_in_charge(asked: &mut Asked<'_>, plan: &Plan, subject: &Subject) {
    match (&asked.after.service, &plan.definition().qualification.by) {
        (Some(_), _) => asked.service(subject.clone()),
        (None, Some(party)) => asked.party(party, subject.clone()),
        (None, None) => {}
    }
}

/// Who is passed on within the installation is told once, by the collectivity that has the request from then on, with the
/// new code. Who is passed on out of it is told here, and the slip goes out.
fn forwarded(asked: &mut Asked<'_>, event: &Forwarded) {
    let by = match event.means {
        Some(ForwardMeans::Installation) => return,
        Some(ForwardMeans::Email) => Some(Delivery::Email),
        Some(ForwardMeans::Letter) => Some(Delivery::Letter),
        None => None,
    };
    asked.requester(Subject::News("forwarded".to_owned()));
    if let Some(by) = by {
        asked.add(Recipient::Administration(event.to.clone()), Subject::Slip, by);
    }
}

/// What did not get there by e-mail goes by letter; a letter that came back is looked into by people.
fn slip_failed(asked: &mut Asked<'_>, event: &NotificationFailed) {
    let Recipient::Administration(_) = &event.recipient else { return };
    let earlier = asked.after.effects_done.iter();
    let slips = earlier.filter(|(_, to)| *to == event.recipient).count();
    let known = asked.after.forwarding.as_ref();
    if slips == 1 && known.is_some_and(|known| known.standing == ForwardStanding::UnderWay) {
        asked.add(event.recipient.clone(), Subject::Slip, Delivery::Letter);
    }
}

/// Whom to tell of a step: where one approval is enough, those of the service in charge if there are any (*its* head
/// of service, not every one of the town); else everyone.
fn near<'c>(
    after: &Request,
    plan: &Plan,
    organisation: &Organisation,
    step: &str,
    approvers: &'c [String],
) -> Vec<&'c String> {
    let circuit = plan.definition().validation.circuit.as_ref();
    let sheet = circuit.and_then(|circuit| circuit.steps.iter().find(|sheet| sheet.step == step));
    let one_is_enough = sheet.is_some_and(|sheet| sheet.rule == Quorum::Any);
    let of_service = |code: &&String| {
        let person = organisation.person(code);
        person.is_some_and(|person| person.services.iter().any(|id| after.service.as_ref() == Some(id)))
    };
    let near: Vec<&String> = approvers.iter().filter(of_service).collect();
    if one_is_enough && !near.is_empty() { near } else { approvers.iter().collect() }
}

/// Those who have not decided are reminded; those to whom it is escalated hear of it for the first time.
fn approval_late(asked: &mut Asked<'_>, event: &ApprovalLate, plan: &Plan, organisation: &Organisation) {
    let after = asked.after;
    let Stage::InValidation(approval) = &after.stage else { return };
    let Some(open) = &approval.open else { return };
    let decided =
        |code: &String| open.refused.contains(code) || open.approved.iter().any(|(name, _)| name == code);
    for approver in &event.escalated_to {
        asked.person(approver, Subject::Approval(event.step.clone()));
    }
    let new = |code: &&String| !event.escalated_to.contains(code) && !decided(code);
    let awaited: Vec<String> = open.approvers.iter().filter(new).cloned().collect();
    for approver in near(after, plan, organisation, &event.step, &awaited) {
        if organisation.person(approver).is_some() {
            asked.person(approver, Subject::Warning(format!("step:{}", event.step)));
        }
    }
}

/// The effects, by id, that `event` reports done, failed for good, or no longer wanted, among those of `before`.
#[must_use]
pub fn settled(event: &Event, pending: &[Effect]) -> Vec<String> {
    let over = |effect: &&Effect| match &event.what {
        What::Acknowledged(_) => effect.subject == Subject::Acknowledgement,
        What::Delivered(_) => {
            !matches!(effect.subject, Subject::Breach(_) | Subject::News(_) | Subject::Message)
        }
        What::DeliveryFailed(event) => effect.subject == Subject::Answer && effect.by == event.by,
        What::Replied(_) | What::Lapsed(_) | What::Resumed(_) => effect.subject == Subject::Question,
        What::TaskCompleted(event) => is_about_task(effect, &event.task),
        What::Approved(event) => (event.passed || event.returned) && is_about_step(effect, &event.step),
        What::Returned(event) => event.effective && is_about_step(effect, &event.step),
        What::Drafted(_) | What::Submitted(_) => effect.subject == Subject::Rework,
        What::Reassigned(_) => effect.subject == Subject::Assignment,
        What::Withdrawn(_) | What::Cancelled(_) | What::Refused(_) | What::Forwarded(_) | What::Merged(_) => {
            true
        }
        What::Notified(event) => effect.id == event.effect,
        What::NotificationFailed(event) => effect.id == event.effect,
        What::PaymentSettled(_) | What::PaymentLapsed(_) | What::PaymentCancelled(_) => {
            is_news(effect, &["payment_requested", "payment_reminded", "payment_failed"])
        }
        What::AppointmentChosen(_) | What::AppointmentLapsed(_) => is_news(effect, &["appointment_offered"]),
        What::InterventionSet(_) | What::AppointmentCancelled(_) | What::AttendanceRecorded(_) => is_news(
            effect,
            &["appointment_offered", "appointment_chosen", "intervention_set", "appointment_reminded"],
        ),
        What::PaymentRequested(_)
        | What::PaymentStarted(_)
        | What::PaymentFailed(_)
        | What::PaymentReminded(_)
        | What::PaymentRefunded(_)
        | What::AppointmentOffered(_)
        | What::AppointmentReminded(_) => false,
        What::ForwardArrived(_) => is_news(effect, &["forward_blocked"]),
        What::ForwardBlocked(_)
        | What::Received(_)
        | What::Qualified(_)
        | What::Reclassified(_)
        | What::Migrated(_)
        | What::Assigned(_)
        | What::Claimed(_)
        | What::Released(_)
        | What::TaskOpened(_)
        | What::TaskSkipped(_)
        | What::TaskLate(_)
        | What::Visited(_)
        | What::Asked(_)
        | What::Reminded(_)
        | What::Suspended(_)
        | What::Extended(_)
        | What::Noted(_)
        | What::Messaged(_)
        | What::ApprovalOpened(_)
        | What::Delegated(_)
        | What::ApprovalLate(_)
        | What::Validated(_)
        | What::DeliveryOpened(_)
        | What::Reopened(_)
        | What::Rated(_)
        | What::CommitmentWarned(_)
        | What::CommitmentBroken(_) => false,
    };
    pending.iter().filter(over).map(|effect| effect.id.clone()).collect()
}

fn is_news(effect: &Effect, of: &[&str]) -> bool {
    matches!(&effect.subject, Subject::News(news) if of.contains(&news.as_str()))
}

fn is_about_task(effect: &Effect, task: &str) -> bool {
    match &effect.subject {
        Subject::Task(about) => about == task,
        Subject::Warning(about) => about.strip_prefix("task:") == Some(task),
        _ => false,
    }
}

fn is_about_step(effect: &Effect, step: &str) -> bool {
    match &effect.subject {
        Subject::Approval(about) => about == step,
        Subject::Warning(about) => about.strip_prefix("step:") == Some(step),
        _ => false,
    }
}
