//! Keys, values and names.

use super::{Page, page_of};

const TROU: &str = "voirie/trou.yaml";
const TROTTOIR: &str = "voirie/trottoir.yaml";

pub(super) const PAGES: &[Page] = &[
    page_of("key.unknown", "Une clé inconnue", "An unknown key")
        .cause(
            "Rien ne lit cette clé : ce qu’elle dit n’aurait aucun effet.",
            "Nothing reads this key: what it says would have no effect.",
        )
        .remedy(
            "Corrigez le mot, ou retirez la ligne. Les clés connues à cet endroit sont indiquées.",
            "Correct the word, or leave the line out. The keys known in this place are listed.",
        )
        .example(TROTTOIR, "keywords: [trottoir]", "keyword: [trottoir]")
        .certain(),
    page_of("key.missing", "Une clé manque", "A key is missing")
        .cause(
            "La fiche, et les modèles qu’elle prolonge, ne disent rien d’une chose qui doit être dite.",
            "Neither the sheet nor the models that it extends say what must be said.",
        )
        .remedy("Ajoutez la clé nommée.", "Add the key that is named.")
        .example(
            TROTTOIR,
            "title: { fr: \"Trottoir abîmé\", en: \"Damaged pavement\" }",
            "title: { en: \"Damaged pavement\" }",
        ),
    page_of("value.missing", "Une clé sans valeur", "A key without a value")
        .cause("Rien n’est écrit après les deux points.", "Nothing is written after the colon.")
        .remedy("Écrivez la valeur, ou retirez la ligne.", "Write the value, or leave the line out.")
        .example(TROTTOIR, "keywords: [trottoir]", "keywords:"),
    page_of("value.empty", "Un texte ou une liste vide", "An empty text or list")
        .cause("Là où il faut un mot, il n’y a rien.", "Where a word is needed there is nothing.")
        .remedy("Écrivez-le, ou retirez la ligne.", "Write it, or leave the line out.")
        .example(TROTTOIR, "keywords: [trottoir]", "keywords: [\"\"]"),
    page_of("value.kind", "Une valeur d’un autre genre", "A value of another kind")
        .cause(
            "Il faut ici un nombre, une liste, un oui ou non, une date… et c’est autre chose qui est écrit.",
            "A number, a list, a yes or no, a date … is needed here, and something else is written.",
        )
        .remedy(
            "Écrivez la valeur comme le message le montre. Oui et non s’écrivent `true` et `false`.",
            "Write the value as the message shows. Yes and no are written `true` and `false`.",
        )
        .example(TROU, "type: boolean, required: true", "type: boolean, required: oui")
        .certain(),
    page_of("value.unknown", "Un mot qui n’est pas au choix", "A word that is not one of the choices")
        .cause("Cette clé n’admet que quelques mots.", "This key takes only a few words.")
        .remedy("Prenez un des mots indiqués.", "Take one of the words listed.")
        .example(TROU, "field: seen, type: date", "field: seen, type: dates")
        .certain(),
    page_of("duration.invalid", "Une durée illisible", "A duration that cannot be read")
        .cause(
            "Une durée est un nombre entier et une unité, en anglais : `2 working days`, `1 month`.",
            "A duration is a whole number and a unit: `2 working days`, `1 month`.",
        )
        .remedy(
            "Jours ouvrés : `working days` ; jours : `days` ; heures ouvrées : `working hours` ; mois : `months`.",
            "Write one of the units listed.",
        )
        .example(TROU, "within: 1 working day\n", "within: 1 jour ouvré\n")
        .certain(),
    page_of("party.invalid", "Cela ne désigne personne", "This names nobody")
        .cause(
            "Un rôle, un service et un agent peuvent porter le même mot : il faut dire lequel.",
            "A role, a service and a person may have the same word: say which is meant.",
        )
        .remedy(
            "Écrivez `role:…`, `service:…`, `person:…`, ou `service` seul pour le service chargé de la demande.",
            "Write `role:…`, `service:…`, `person:…`, or `service` alone for the service in charge.",
        )
        .example(TROU, "by: role:accueil", "by: accueil")
        .certain(),
    page_of("name.invalid", "Un nom dont une règle ne peut se servir", "A name that a rule cannot use")
        .cause(
            "Les règles nomment les champs et les tâches : lettres minuscules sans accent, chiffres et `_`.",
            "Rules use the names of fields and tasks: lower-case letters without accents, digits and `_`.",
        )
        .remedy(
            "Renommez-le, partout où il est employé.",
            "Give it another name, wherever it is used.",
        )
        .example(TROU, "field: seen,", "field: vu_à,")
        .rather("field: seen_on,"),
    page_of("name.mismatch", "Le fichier et son contenu ne portent pas le même nom", "A file and its content differ in name")
        .cause(
            "Les autres fichiers désignent celui-ci par son chemin ; sa première clé doit le répéter.",
            "Other files refer to this one by its path; its first key must repeat it.",
        )
        .remedy(
            "Reprenez le nom du fichier, ou renommez le fichier.",
            "Take the file’s name, or rename the file.",
        )
        .example(TROTTOIR, "process: voirie/trottoir\n", "process: voirie/trottoirs\n")
        .certain(),
    page_of("name.duplicate", "Le même nom deux fois", "The same name twice")
        .cause(
            "Deux champs, tâches, étapes, options, agents ou rôles ont le même nom : on ne saurait lequel est désigné.",
            "Two fields, tasks, steps, options, people or roles have one name: nobody could tell which is meant.",
        )
        .remedy("Renommez-en un.", "Rename one of them.")
        .example(TROU, "{ value: works, label", "{ value: frost, label"),
];
