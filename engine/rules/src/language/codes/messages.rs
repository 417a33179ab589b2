//! Messages and titles.

use super::{Page, page_of};

const ACCUSE: &str = "messages/accuse.yaml";
const TROU: &str = "voirie/trou.yaml";
const SUBJECT: &str = "fr: \"Demande {code}\"";

pub(super) const PAGES: &[Page] = &[
    page_of("acknowledgement.missing", "Pas d’accusé de réception", "No acknowledgement")
        .cause(
            "Toute demande reçoit un accusé de réception (CRPA, article L112-3).",
            "Every request is acknowledged (CRPA, article L112-3).",
        )
        .remedy(
            "Nommez un message, dans la fiche ou dans catalogue.yaml.",
            "Name a message, in the sheet or in catalogue.yaml.",
        )
        .example("catalogue.yaml", "acknowledgement: messages/accuse\n", ""),
    page_of("message.placeholder", "Une mention inconnue", "An unknown placeholder")
        .cause("Rien ne peut la remplir.", "Nothing can fill it in.")
        .remedy("Prenez une des mentions indiquées.", "Take one of the placeholders listed.")
        .example(ACCUSE, SUBJECT, "fr: \"Demande {coode}\"")
        .certain(),
    page_of("message.may_be_empty", "Une mention qui peut être vide", "A placeholder that can be empty")
        .cause(
            "La lettre aurait un trou, ou dirait « None », quand la valeur n’est pas connue.",
            "The letter would have a hole, or say “None”, where the value is not known.",
        )
        .remedy("Dites quoi écrire dans ce cas, après `|`.", "Say what to write then, after `|`.")
        .example(ACCUSE, SUBJECT, "fr: \"Demande suivie par {service}\"")
        .rather("fr: \"Demande suivie par {service|l’accueil}\""),
    page_of("message.personal", "Une donnée personnelle en vue de tous", "Personal data in plain view")
        .cause(
            "L’objet d’un courriel et un SMS se lisent sans ouvrir de session.",
            "The subject of an e-mail and a text message are read without signing in.",
        )
        .remedy("Mettez-la dans le corps du message.", "Put it into the body.")
        .example(ACCUSE, SUBJECT, "fr: \"Demande de {form.witness}\""),
    page_of("message.braces", "Une accolade seule", "A brace without its partner")
        .cause("Les accolades entourent une mention.", "Braces stand around a placeholder.")
        .remedy("Fermez-la, ou écrivez `{{` ou `}}`.", "Close it, or write `{{` or `}}`.")
        .example(ACCUSE, SUBJECT, "fr: \"Demande {code\""),
    page_of("title.personal", "Une donnée personnelle dans un titre", "Personal data in a title")
        .cause(
            "Titres et libellés sont les mêmes pour tous, et tous les lisent.",
            "Titles and labels are the same for everybody, and everybody reads them.",
        )
        .remedy("Retirez la mention.", "Leave the placeholder out.")
        .example(TROU, "fr: \"Trou dans la rue\"", "fr: \"Trou vu par {form.witness}\""),
    page_of("title.placeholder", "Une mention dans un titre", "A placeholder in a title")
        .cause(
            "Seuls les messages se remplissent ; un titre serait imprimé avec ses accolades.",
            "Only messages are filled in; a title would be printed with its braces.",
        )
        .remedy("Retirez la mention.", "Leave the placeholder out.")
        .example(TROU, "fr: \"Trou dans la rue\"", "fr: \"Trou du {received}\""),
];
