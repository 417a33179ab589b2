//! Texts for what a catalogue has no message of its own for: to the town hall's people, and plain ones to requesters.

use guichet_engine::rules::process::Message;
use guichet_engine::rules::request::Subject;
use guichet_engine::rules::text::Text;

/// The text that tells the town hall's people of `subject`.
#[must_use]
#[allow(clippy::too_many_lines, reason = "one arm for each subject: a list of texts, not a procedure")]
pub fn to_staff(subject: &Subject) -> Message {
    let (fr, en) = match subject {
        Subject::Assignment => (
            "Une demande vient d’être confiée à votre service : « {title} », reçue le {received}.",
            "A request has just been given to your service: “{title}”, received on {received}.",
        ),
        Subject::Reply => (
            "L’usager a répondu, ou le terme fixé est passé : la demande « {title} » reprend son cours.",
            "The citizen has replied, or the term given has passed: the request “{title}” goes on.",
        ),
        Subject::Task(_) => (
            "Une tâche vous attend sur la demande « {title} », reçue le {received} : {subject}.",
            "A task is waiting for you on the request “{title}”, received on {received}: {subject}.",
        ),
        Subject::Approval(_) => (
            "Un projet de réponse attend votre visa ({subject}) : « {title} ».",
            "A draft answer is waiting for your approval ({subject}): “{title}”.",
        ),
        Subject::News(news) if news == "forward_blocked" => (
            "La demande « {title} » n’a pas pu être enregistrée par la collectivité à qui elle est transmise. Nous réessayons ; transmettez-la sous une autre démarche, à quelqu’un d’autre, ou rouvrez-la.",
            "The request “{title}” could not be recorded by the collectivity that it is passed on to. We try again; pass it on under another process, to somebody else, or reopen it.",
        ),
        Subject::Rework => (
            "Le projet de réponse à la demande « {title} » vous est renvoyé pour reprise. Le motif figure au dossier.",
            "The draft answer to the request “{title}” comes back to you for rework. The reason is in the file.",
        ),
        Subject::Warning(_) => (
            "Un délai approche de son terme ({subject}) sur la demande « {title} », reçue le {received}.",
            "A time limit is near ({subject}) on the request “{title}”, received on {received}.",
        ),
        Subject::Breach(_) => (
            "Un engagement n’a pas été tenu ({subject}) sur la demande « {title} », reçue le {received}.",
            "A commitment was not kept ({subject}) on the request “{title}”, received on {received}.",
        ),
        Subject::News(news) if news == "payment_surplus" => (
            "Un paiement est arrivé alors que plus rien n’était à payer sur la demande « {title} » : il est à rembourser.",
            "Money came although nothing was to be paid any more on the request “{title}”: it is to be given back.",
        ),
        Subject::News(news) if news == "payment_refunded" => (
            "Un remboursement de {amount} est noté sur la demande « {title} ». Guichet ne le transmet pas : rendez la somme par l’espace du prestataire de paiement (opération {transaction|encaissée au guichet}) ou à la caisse.",
            "A refund of {amount} is on record for the request “{title}”. Guichet does not pass it on: give the money back in the payment provider’s own pages (transaction {transaction|taken at the counter}), or at the desk.",
        ),
        Subject::News(news) if news == "payment_lapsed" => (
            "Le délai de paiement est passé sur la demande « {title} » : à vous de redemander, d’y renoncer ou de clore.",
            "The term of payment has passed on the request “{title}”: ask again, waive it, or close.",
        ),
        Subject::News(news) if news == "appointment_chosen" => (
            "Un rendez-vous est fixé sur la demande « {title} » : {appointment} ({zone}).",
            "An appointment is fixed on the request “{title}”: {appointment} ({zone}).",
        ),
        Subject::News(news) if news == "appointment_lapsed" => (
            "Aucun créneau n’a été choisi à temps sur la demande « {title} » : proposez-en d’autres.",
            "No slot was chosen in time on the request “{title}”: offer others.",
        ),
        Subject::News(news) if news == "appointment_cancelled" => (
            "L’usager annule le rendez-vous de la demande « {title} ».",
            "The citizen calls off the appointment of the request “{title}”.",
        ),
        Subject::Acknowledgement
        | Subject::Answer
        | Subject::Question
        | Subject::Message
        | Subject::Slip
        | Subject::News(_) => (
            "Du nouveau sur la demande « {title} », reçue le {received}.",
            "There is news on the request “{title}”, received on {received}.",
        ),
    };
    let body = Text::new(
        format!(
            "Bonjour,\n\n{fr}\n\nRéponse promise au plus tard le {{due|terme prévu par la fiche}}.\n\nDossier {{code}} : {{link}}"
        ),
        format!(
            "Hello,\n\n{en}\n\nAnswer promised by {{due|the date set in the process sheet}}.\n\nFile {{code}}: {{link}}"
        ),
    );
    Message {
        message: "guichet/staff".into(),
        subject: Text::new("[{code}] {title}", "[{code}] {title}"),
        body,
        sms: None,
    }
}

/// The acknowledgement of a request that another collectivity passed on (CRPA L114-2), where the process names none.
#[must_use]
pub fn arrived() -> Message {
    Message {
        message: "guichet/arrived".into(),
        subject: Text::new(
            "Votre demande nous est transmise : voici votre nouveau numéro {code}",
            "Your request has been passed on to us: here is your new number {code}",
        ),
        body: Text::new(
            "Bonjour,\n\n{origin} nous a transmis votre demande « {title} », qui relève de {tenant} (article L114-2 du code des relations entre le public et l’administration). Vous n’avez rien à refaire.\n\nElle avait été reçue le {first_received}. Nous l’avons enregistrée le {received}, sous le numéro {code}, avec lequel vous la suivez désormais : {link}\n\nRéponse au plus tard le {due|terme prévu pour cette démarche}.\n\n{silence|}\n\n{tenant}\n{contact}",
            "Hello,\n\n{origin} has passed your request “{title}” on to us, because it is for {tenant} to decide (article L114-2 of the French code of relations between the public and the administration). There is nothing for you to do again.\n\nIt was first received on {first_received}. We recorded it on {received} under the number {code}, with which you follow it from now on: {link}\n\nYou will have an answer by {due|the date set for this process}.\n\n{silence|}\n\n{tenant}\n{contact}",
        ),
        sms: Some(Text::new(
            "{origin} a transmis votre demande à {tenant}. Nouveau numéro : {code}. Suivi : {link}",
            "{origin} passed your request on to {tenant}. New number: {code}. Follow it: {link}",
        )),
    }
}

/// The text that tells the requester of `subject`, where the process names none.
#[must_use]
pub fn to_requester(subject: &Subject) -> Message {
    let (title, said) = match subject {
        Subject::Acknowledgement => (
            Text::new("Nous avons bien reçu votre demande {code}", "We have received your request {code}"),
            Text::new(
                "Votre demande « {title} » nous est parvenue le {received}.",
                "We received your request “{title}” on {received}.",
            ),
        ),
        Subject::Answer => (
            Text::new("Réponse à votre demande {code}", "Answer to your request {code}"),
            Text::new("{answer}", "{answer}"),
        ),
        Subject::Question => (
            Text::new(
                "Votre demande {code} : une précision est nécessaire",
                "Your request {code}: we need to know more",
            ),
            Text::new(
                "{question}\n\nMerci de répondre au plus tard le {reply_by} : {link}",
                "{question}\n\nPlease reply by {reply_by}: {link}",
            ),
        ),
        Subject::Message => (
            Text::new("Au sujet de votre demande {code}", "About your request {code}"),
            Text::new("{reason}", "{reason}"),
        ),
        Subject::News(news) => {
            (Text::new("Du nouveau sur votre demande {code}", "News of your request {code}"), news_of(news))
        }
        Subject::Reply
        | Subject::Assignment
        | Subject::Slip
        | Subject::Task(_)
        | Subject::Approval(_)
        | Subject::Rework
        | Subject::Warning(_)
        | Subject::Breach(_) => (
            Text::new("Du nouveau sur votre demande {code}", "News of your request {code}"),
            Text::new("Votre demande suit son cours : {link}", "Your request is on its way: {link}"),
        ),
    };
    let body = Text::new(
        format!("Bonjour,\n\n{}\n\n{{tenant}}\n{{contact}}", said.fr),
        format!("Hello,\n\n{}\n\n{{tenant}}\n{{contact}}", said.en),
    );
    Message { message: "guichet/requester".into(), subject: title, body, sms: None }
}

fn news_of(news: &str) -> Text {
    match news {
        "refused" => Text::new(
            "Votre demande « {title} » ne peut pas être instruite : {reason}",
            "Your request “{title}” cannot be dealt with: {reason}",
        ),
        "forwarded" => Text::new(
            "Votre demande « {title} » ne relève pas de nos compétences ; nous l’avons transmise : {reason}",
            "Your request “{title}” is not ours to decide; we have passed it on: {reason}",
        ),
        "extended" => Text::new(
            "Il nous faut davantage de temps pour répondre à votre demande « {title} » : {reason}\n\nNous vous répondrons au plus tard le {due|terme du nouveau délai}.",
            "We need more time to answer your request “{title}”: {reason}\n\nWe shall answer by {due|the end of the new period}.",
        ),
        "withdrawn" => Text::new(
            "Comme vous nous l’avez demandé, votre demande « {title} » est retirée.",
            "As you asked, your request “{title}” has been withdrawn.",
        ),
        "cancelled" => Text::new(
            "Votre demande « {title} » est close, pour la raison suivante : {reason}",
            "Your request “{title}” is closed, for this reason: {reason}",
        ),
        "reopened" => Text::new(
            "Votre demande « {title} » est rouverte : nous la reprenons.",
            "Your request “{title}” has been reopened: we take it up again.",
        ),
        "merged" => Text::new(
            "Votre demande « {title} » en rejoint une autre, déjà en cours sur le même sujet.",
            "Your request “{title}” joins another one that is already under way on the same matter.",
        ),
        other => money_or_date(other),
    }
}

/// What became of a payment or an appointment.
fn money_or_date(news: &str) -> Text {
    match news {
        "payment_requested" => Text::new(
            "Pour votre demande « {title} », un paiement de {amount} est attendu au plus tard le {pay_by} : {label}.\n\nPour payer, munissez-vous de votre code {code} : {link}",
            "For your request “{title}”, a payment of {amount} is expected by {pay_by}: {label}.\n\nTo pay, have your code {code} at hand: {link}",
        ),
        "payment_reminded" => Text::new(
            "Nous attendons toujours votre paiement de {amount} ({label}), au plus tard le {pay_by}, pour votre demande « {title} ».\n\nPour payer, munissez-vous de votre code {code} : {link}",
            "We are still waiting for your payment of {amount} ({label}), by {pay_by}, for your request “{title}”.\n\nTo pay, have your code {code} at hand: {link}",
        ),
        "payment_settled" => Text::new(
            "Nous avons bien reçu votre paiement de {amount} ({label}) pour votre demande « {title} ». Numéro de la transaction : {transaction}. Ce message vaut reçu.",
            "We have received your payment of {amount} ({label}) for your request “{title}”. Transaction number: {transaction}. This message is your receipt.",
        ),
        "payment_failed" => Text::new(
            "Votre banque n’a pas accepté le paiement de {amount} ({label}) pour votre demande « {title} ». Vous pouvez réessayer jusqu’au {pay_by}, muni de votre code {code} : {link}",
            "Your bank did not accept the payment of {amount} ({label}) for your request “{title}”. You can try again until {pay_by}, with your code {code}: {link}",
        ),
        "payment_lapsed" => Text::new(
            "Votre paiement de {amount} ({label}) pour votre demande « {title} » ne nous est pas parvenu dans le délai. Le service vous dira la suite : {link}",
            "Your payment of {amount} ({label}) for your request “{title}” did not reach us in time. The service will tell you what comes next: {link}",
        ),
        "payment_cancelled" => Text::new(
            "Le paiement de {amount} ({label}) n’est plus demandé pour votre demande « {title} ».",
            "The payment of {amount} ({label}) is no longer asked for on your request “{title}”.",
        ),
        "payment_refunded" => Text::new(
            "Nous vous remboursons {amount} sur votre demande « {title} » : {reason}",
            "We are giving you back {amount} on your request “{title}”: {reason}",
        ),
        "appointment_offered" => Text::new(
            "Pour votre demande « {title} », nous vous proposons un rendez-vous : {what}.\n\nLieu : {place}\n\nCréneaux possibles ({zone}) :\n{slots}\n\nPour choisir, munissez-vous de votre code {code} : {link}",
            "For your request “{title}”, we offer you an appointment: {what}.\n\nPlace: {place}\n\nPossible times ({zone}):\n{slots}\n\nTo choose, have your code {code} at hand: {link}",
        ),
        "appointment_chosen" => Text::new(
            "Votre rendez-vous est fixé : {appointment} ({zone}).\n\n{what}\nLieu : {place}\n\nPour l’annuler, munissez-vous de votre code {code} : {link}",
            "Your appointment is fixed: {appointment} ({zone}).\n\n{what}\nPlace: {place}\n\nTo call it off, have your code {code} at hand: {link}",
        ),
        "intervention_set" => Text::new(
            "Pour votre demande « {title} », notre équipe interviendra : {appointment} ({zone}).",
            "For your request “{title}”, our team will come: {appointment} ({zone}).",
        ),
        "appointment_reminded" => Text::new(
            "Rappel pour votre demande « {title} » : {appointment} ({zone}).\n\n{place|}",
            "A reminder for your request “{title}”: {appointment} ({zone}).\n\n{place|}",
        ),
        "appointment_cancelled" => Text::new(
            "Le rendez-vous de votre demande « {title} » n’aura pas lieu : {reason}",
            "The appointment of your request “{title}” will not take place: {reason}",
        ),
        _ => Text::new("Suivez votre demande « {title} » : {link}", "Follow your request “{title}”: {link}"),
    }
}
