//! The list of refusals: every stable code there is, with its sentence in French and in English.
//!
//! A code is a promise to programs: it is never given another meaning, and never renamed. A refusal that has another kind
//! of reason than the state of the request names it before its code.

use super::rejection::{Ground, Rejection};
use crate::text::Text;

macro_rules! refusals {
    ($( $name:ident ( $($arg:ident),* ) = $($ground:ident)? $code:literal, $fr:literal, $en:literal; )*) => {
        /// Every code of a refusal, in the order of the list.
        pub const REJECTION_CODES: &[&str] = &[$( $code ),*];

        sentences! { $( $name($($arg),*) = $($ground)? $code, $fr, $en; )* }
    };
}

macro_rules! sentences {
    ($( $name:ident ( $($arg:ident),* ) = $($ground:ident)? $code:literal, $fr:literal, $en:literal; )*) => {
        $( pub(super) fn $name($($arg: &str),*) -> Rejection {
            Rejection::new($code, Text::new(format!($fr), format!($en)))$(.because(Ground::$ground))?
        } )*
    };
}

refusals! {
    request_unknown() = Absence "request.unknown",
        "Cette demande n’existe pas.", "There is no such request.";
    request_exists() = "request.exists",
        "Cette demande existe déjà.", "This request exists already.";
    stage_wrong(fr, en) = "stage.wrong",
        "Ce n’est pas possible maintenant : la demande est {fr}.", "This is not possible now: the request is {en}.";
    on_hold(fr, en) = "request.on_hold",
        "La demande est en pause ({fr}) ; il faut d’abord la reprendre.",
        "The request rests ({en}); it must be resumed first.";
    role_needed(fr, en) = Person "role.needed",
        "Cette action revient à {fr}.", "This is for {en} to do.";
    process_unknown(process) = Content "process.unknown",
        "Il n’y a pas de démarche « {process} » dans cette collectivité.",
        "This collectivity has no process “{process}”.";
    process_not_open(fr, en) = Person "process.not_open",
        "Cette démarche n’est pas ouverte à {fr}.", "This process is not open to {en}.";
    channel_closed(channel) = Content "channel.closed",
        "Cette démarche ne se fait pas par le canal « {channel} ».",
        "This process does not take requests through the channel “{channel}”.";
    form_invalid() = Content "form.invalid",
        "Des champs du formulaire sont à corriger.", "Some fields of the form must be corrected.";
    text_empty(fr, en) = Content "text.empty",
        "Il manque {fr}.", "{en} is missing.";
    text_too_long(most) = Content "text.too_long",
        "Le texte est trop long : {most} caractères au plus.", "The text is too long: at most {most} characters.";
    time_future() = Content "time.future",
        "Ce qui est rapporté ne peut pas avoir lieu dans le futur.", "What is reported cannot lie in the future.";
    time_before_receipt() = Content "time.before_receipt",
        "Ce qui est rapporté est antérieur à la réception de la demande.",
        "What is reported lies before the receipt of the request.";
    time_past() = Content "time.past",
        "La date indiquée est déjà passée.", "The date given has already passed.";
    term_unusable() = Content "term.unusable",
        "Ce délai ne mène à aucune date que l’on sache calculer.", "This term leads to no date that can be computed.";
    service_unknown(service) = Content "service.unknown",
        "Il n’y a pas de service « {service} » dans cette collectivité.",
        "This collectivity has no service “{service}”.";
    service_same(service) = Content "service.same",
        "La demande est déjà au service « {service} ».", "The request is already with the service “{service}”.";
    claim_taken(agent) = "claim.taken",
        "La demande est déjà prise par {agent}.", "The request has already been taken by {agent}.";
    claim_not_yours() = Person "claim.not_yours",
        "Vous n’avez pas pris cette demande.", "You have not taken this request.";
    acknowledged_already() = "acknowledgement.already",
        "L’accusé de réception a déjà été donné.", "The acknowledgement of receipt has already been given.";
    task_unknown(task) = Content "task.unknown",
        "Cette démarche n’a pas de tâche « {task} ».", "This process has no task “{task}”.";
    task_not_open(task) = "task.not_open",
        "La tâche « {task} » n’est pas à faire maintenant.", "The task “{task}” is not to be done now.";
    tasks_unfinished(tasks) = "tasks.unfinished",
        "Il reste des tâches à faire : {tasks}.", "There are tasks left to do: {tasks}.";
    waiting_not_waiting() = "waiting.not_waiting",
        "Rien n’est attendu du demandeur.", "Nothing is awaited from the requester.";
    hold_none() = "hold.none",
        "La demande n’est pas en pause.", "The request does not rest.";
    reply_empty() = Content "reply.empty",
        "La réponse est vide.", "The reply is empty.";
    commitment_not_running(commitment) = "commitment.not_running",
        "L’engagement « {commitment} » ne court pas.", "The commitment “{commitment}” is not running.";
    extension_too_late(commitment) = "extension.too_late",
        "L’échéance de « {commitment} » est passée : elle ne peut plus être prolongée.",
        "“{commitment}” is past due: it can no longer be extended.";
    extension_unit(budget) = Content "extension.unit",
        "Une prolongation se compte dans l’unité de l’engagement, qui est de {budget}.",
        "An extension is counted in the unit of the commitment, which is {budget}.";
    draft_none() = "draft.none",
        "Aucune réponse n’est rédigée.", "No answer is drafted.";
    circuit_no_approver(step) = "circuit.no_approver",
        "Personne ne pourrait approuver l’étape « {step} ».", "Nobody could approve the step “{step}”.";
    circuit_needed() = "circuit.needed",
        "La réponse doit passer par le circuit de validation.", "The answer must go through the approval circuit.";
    approval_not_yours(step) = Person "approval.not_yours",
        "Aucune décision sur l’étape « {step} » ne vous revient maintenant.",
        "No decision on the step “{step}” is yours to take now.";
    approval_already() = "approval.already",
        "Vous avez déjà décidé de cette étape.", "You have already decided this step.";
    delegate_unfit(person) = Content "delegate.unfit",
        "« {person} » ne peut pas décider de cette étape.", "“{person}” cannot decide this step.";
    delivery_other(means) = Content "delivery.other",
        "La réponse ne part pas par ce moyen, mais par « {means} ».",
        "The answer does not go out by this means, but by “{means}”.";
    resolve_tasks(tasks) = "resolve.tasks",
        "La demande ne peut être close au premier contact : il y a des tâches à faire ({tasks}).",
        "The request cannot be resolved at first contact: there are tasks to do ({tasks}).";
    withdraw_too_late() = "withdraw.too_late",
        "La demande est trop avancée pour être retirée.", "The request is too far on to be withdrawn.";
    forward_self() = Content "forward.self",
        "La demande est déjà dans cette collectivité.", "The request is already with this collectivity.";
    forward_already_from_there() = Content "forward.already_from_there",
        "Cette collectivité nous a elle-même transmis la demande.",
        "This collectivity itself has passed the request on to us.";
    forward_too_far(most) = "forward.too_far",
        "La demande est déjà passée par {most} collectivités : décidez-la, ou refusez-la en disant pourquoi.",
        "The request has already passed through {most} collectivities: decide it, or refuse it and say why.";
    forward_unknown(name) = Content "forward.unknown",
        "La liste ne connaît pas « {name} ».", "“{name}” is not on the list.";
    forward_process() = Content "forward.process",
        "On ne nomme une démarche que pour une collectivité de la même installation.",
        "A process is named for a collectivity of the same installation only.";
    origin_reserved() = Content "origin.reserved",
        "Seul le moteur enregistre une demande transmise par une autre collectivité.",
        "Only the engine records a request that another collectivity passed on.";
    merge_self() = Content "merge.self",
        "Une demande ne peut être rattachée à elle-même.", "A request cannot be merged into itself.";
    merge_unknown() = Content "merge.unknown",
        "L’autre demande n’existe pas.", "The other request does not exist.";
    merge_closed() = "merge.closed",
        "L’autre demande est close.", "The other request is closed.";
    reopen_too_late() = "reopen.too_late",
        "La demande est close depuis trop longtemps pour être rouverte.",
        "The request has been closed for too long to be reopened.";
    rating_range() = Content "rating.range",
        "La note va de 1 à 5.", "The score goes from 1 to 5.";
    rating_already() = "rating.already",
        "Cette demande a déjà été notée.", "This request has already been rated.";
    timer_early() = "timer.early",
        "Cette échéance n’est pas encore venue.", "This instant has not come yet.";
    timer_stale() = "timer.stale",
        "Cette échéance n’a plus lieu d’être.", "This timer no longer has a reason.";
    effect_done() = "effect.done",
        "Cet envoi a déjà été rapporté.", "This effect has already been reported.";
    version_wrong() = Content "version.wrong",
        "La demande suit une autre version de sa démarche.", "The request follows another version of its process.";
    migration_same_version() = "migration.same_version",
        "La demande suit déjà cette version de sa démarche.", "The request follows this version of its process already.";
    migration_version_unknown() = "migration.version_unknown",
        "Cette version n’est pas, ou n’est plus, publiée pour cette démarche dans cette collectivité.",
        "This version is not, or no longer, published for this process in this collectivity.";
    migration_other_process(process) = "migration.other_process",
        "Cette version est celle de la démarche « {process} » : pour changer de démarche, requalifiez la demande.",
        "This version is one of the process “{process}”: to change the process, qualify the request anew.";
    migration_mapping(fr, en) = "migration.mapping",
        "La correspondance ne convient pas : {fr}.", "The mapping does not fit: {en}.";
    migration_no_place() = "migration.no_place",
        "La demande, là où elle en est, n’a pas sa place dans cette version.",
        "The request, where it stands, has no place in this version.";
    payment_unknown() = "payment.unknown",
        "Ce paiement n’est pas demandé.", "There is no such payment.";
    payment_live() = "payment.live",
        "Un paiement est déjà attendu.", "A payment is already awaited.";
    payment_amount() = Content "payment.amount",
        "Le montant va de 0,01 à 100 000 euros.", "The amount goes from 0.01 to 100,000 euros.";
    payment_amount_differs() = Content "payment.amount_differs",
        "Ce n’est pas le montant demandé.", "This is not the amount that was asked for.";
    payment_too_many() = "payment.too_many",
        "Il y a déjà trop de paiements sur cette demande.", "There are too many payments on this request already.";
    payment_not_asked() = "payment.not_asked",
        "Ce paiement n’est plus demandé.", "This payment is no longer asked for.";
    payment_settled_already() = "payment.settled_already",
        "C’est déjà payé.", "This has already been paid.";
    payment_failed_already() = "payment.failed_already",
        "Cette tentative a déjà échoué.", "This attempt has already failed.";
    payment_awaited() = "payment.awaited",
        "La réponse ne part pas tant que le paiement est attendu.",
        "The answer does not go out while the payment is awaited.";
    refund_too_much() = Content "refund.too_much",
        "On ne rembourse que ce qui a été payé.", "Only what was paid can be given back.";
    appointment_none() = "appointment.none",
        "Il n’y a pas de rendez-vous pour lequel ce serait possible.",
        "There is no appointment for which this would be possible.";
    appointment_live() = "appointment.live",
        "Il y a déjà un rendez-vous.", "There is an appointment already.";
    appointment_early() = "appointment.early",
        "Le rendez-vous n’a pas encore eu lieu.", "The appointment has not taken place yet.";
    slot_unfit() = Content "slot.unfit",
        "Il faut de 1 à 50 créneaux différents, dans l’ordre du temps et dans les trois ans.",
        "There must be 1 to 50 different slots that end after they begin, within three years.";
    slot_unknown() = "slot.unknown",
        "Ce créneau n’est pas proposé.", "This slot is not offered.";
    rule_failed(rule) = Fault "rule.failed",
        "Une règle de la démarche ne peut pas être évaluée : {rule}", "A rule of the process cannot be evaluated: {rule}";
}

// The same code with the reason said more exactly.
sentences! {
    approval_own_draft() = Person "approval.not_yours",
        "Nul n’approuve sa propre réponse.", "Nobody approves their own draft.";
    approval_excluded() = Person "approval.not_yours",
        "Vous avez approuvé l’étape précédente : celle-ci revient à quelqu’un d’autre.",
        "You approved the step before: this one is for someone else.";
}
