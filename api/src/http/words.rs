//! What the stages and possible actions are called towards citizens.

use guichet_engine::rules::text::Text;

/// A stage in a citizen's words.
pub(crate) fn stage(id: &str) -> Text {
    match id {
        "received" => Text::new(
            "Votre demande est enregistrée ; nous l’étudions.",
            "Your request is on record; we are looking at it.",
        ),
        "qualified" => Text::new(
            "Votre demande est comprise ; nous cherchons le service qui s’en charge.",
            "Your request is understood; we are finding the service to deal with it.",
        ),
        "assigned" => {
            Text::new("Un service s’occupe de votre demande.", "A service is dealing with your request.")
        }
        "validated" => Text::new(
            "La réponse est prête ; elle vous parvient.",
            "The answer is ready and on its way to you.",
        ),
        "delivered" => Text::new("La réponse vous a été donnée.", "The answer has been given to you."),
        "withdrawn" => Text::new("Vous avez retiré votre demande.", "You withdrew your request."),
        "cancelled" => Text::new("Votre demande a été close.", "Your request has been closed."),
        "refused" => Text::new(
            "Votre demande ne peut pas être instruite ; le motif vous a été écrit.",
            "Your request cannot be dealt with; you were told the reason.",
        ),
        "forwarded" => Text::new(
            "Votre demande a été transmise à l’administration compétente.",
            "Your request has been passed on to the right administration.",
        ),
        "merged" => Text::new(
            "Votre demande en rejoint une autre, déjà en cours.",
            "Your request has joined another one that is under way.",
        ),
        _ => Text::new("Votre demande suit son cours.", "Your request is on its way."),
    }
}
