//! Maps of imports.

use super::{Page, page_of};

const MAP: &str = "imports/tableau.yaml";

pub(super) const PAGES: &[Page] = &[
    page_of("import.invalid", "Une table d’import incomplète", "A map that is not complete")
        .cause(
            "Une clé manque, ou une valeur n’est pas de son genre.",
            "A key is missing, or a value is not of its kind.",
        )
        .remedy("Corrigez ce que le message nomme.", "Correct what the message names.")
        .example(MAP, "tenant: ville\n", ""),
    page_of("import.unknown_key", "Une clé inconnue", "An unknown key")
        .cause("Rien ne la lit.", "Nothing reads it.")
        .remedy("Corrigez le mot, ou retirez la ligne.", "Correct the word, or leave the line out.")
        .example(MAP, "channel: phone\n", "channel: phone\nlanguages: fr\n")
        .rather("channel: phone\nlanguage: fr\n")
        .certain(),
    page_of("import.unknown_word", "Un mot qui n’est pas au choix", "A word that is not one of the choices")
        .cause("Cette clé n’admet que quelques mots.", "This key takes only a few words.")
        .remedy("Prenez un des mots indiqués.", "Take one of the words listed.")
        .example(MAP, "channel: phone\n", "channel: phones\n")
        .certain(),
    page_of(
        "import.unknown_column",
        "Une colonne que le tableau n’a pas",
        "A column that the table does not have",
    )
    .cause(
        "`guichet import` a lu le tableau, et n’y trouve pas cette colonne.",
        "`guichet import` has read the table, and does not find this column in it.",
    )
    .remedy("Reprenez le nom de la première ligne du tableau.", "Take the name from the table’s first line.")
    .example(MAP, "id: numero", "id: numéro"),
    page_of(
        "import.unknown_field",
        "Un champ que la fiche n’a pas",
        "A field that the process does not have",
    )
    .cause("La valeur serait refusée.", "The value would be refused.")
    .remedy(
        "Corrigez le nom, ou ajoutez le champ à la fiche.",
        "Correct the name, or add the field to the sheet.",
    )
    .example(MAP, "{ is: voirie/trou }", "{ is: voirie/trou, form: { dangr: true } }")
    .rather("{ is: voirie/trou, form: { danger: true } }")
    .certain(),
    page_of("import.unknown_process", "Une fiche inconnue", "An unknown process")
        .cause("Les lignes du tableau seraient mises de côté.", "The rows of the table would be kept aside.")
        .remedy("Corrigez le nom.", "Correct the name.")
        .example(MAP, "is: voirie/trou", "is: voirie/troue")
        .certain(),
];
