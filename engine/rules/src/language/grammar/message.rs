//! Files of `messages/`.

use super::{Group, Key, Referent, Shape};

/// The same words in two languages.
pub static WORDS: Group = Group::new(
    "words",
    "Les mêmes mots en français et en anglais.",
    "The same words in French and in English.",
    &[
        Key::new("fr", "En français.", "In French.", Shape::Text, "\"Où ?\"").required(),
        Key::new("en", "En anglais.", "In English.", Shape::Text, "\"Where?\"")
            .default("le français est montré", "the French is shown"),
    ],
);

/// A text sent to people.
pub static MESSAGE: Group = Group::new(
    "message",
    "Un texte envoyé aux gens. Ce qui est entre accolades est remplacé : `{code}`, `{due|bientôt}`.",
    "A text sent to people. What stands in braces is filled in: `{code}`, `{due|soon}`.",
    &[
        Key::new("message", "Le nom du message : celui du fichier, sans `.yaml`.", "The message’s name: its file’s, without `.yaml`.", Shape::Own(Referent::Message), "accuse-reception").required(),
        Key::new("subject", "L’objet, sans donnée personnelle.", "The subject, without personal data.", Shape::Words, "{ fr: \"Votre demande {code}\", en: \"Your request {code}\" }").required(),
        Key::new("body", "Le texte.", "The text.", Shape::Words, "{ fr: \"Bonjour, votre demande « {title} » nous est parvenue le {received}.\", en: \"Hello, your request “{title}” reached us on {received}.\" }").required(),
        Key::new("sms", "La forme courte, sans donnée personnelle.", "The short form, without personal data.", Shape::Words, "{ fr: \"Demande {code} reçue : {link}\", en: \"Request {code} received: {link}\" }").default("l’objet et la première ligne", "the subject and the first line"),
    ],
);
