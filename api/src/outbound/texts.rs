//! Texts for what a catalogue has no message of its own for: to the town hall's people, and plain ones to requesters.

use guichet_engine::rules::process::Message;
use guichet_engine::rules::request::Subject;
use guichet_engine::rules::text::Text;

/// The text that tells the town hall's people of `subject`.
#[must_use]
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
        Subject::Acknowledgement
        | Subject::Answer
        | Subject::Question
        | Subject::Message
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
        _ => Text::new("Suivez votre demande « {title} » : {link}", "Follow your request “{title}”: {link}"),
    }
}
