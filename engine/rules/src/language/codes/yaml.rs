//! The file as YAML.

use super::{Page, page_of};

const TROTTOIR: &str = "voirie/trottoir.yaml";
const WORDS: &str = "keywords: [trottoir]";

pub(super) const PAGES: &[Page] = &[
    page_of("yaml.syntax", "Le fichier n’est pas du YAML", "The file is not YAML")
        .cause(
            "Une parenthèse, un guillemet ou un décalage ne va pas : la suite du fichier ne peut pas être lue.",
            "A bracket, a quote or an indentation is wrong: the rest of the file cannot be read.",
        )
        .remedy(
            "Corrigez à l’endroit marqué, ou juste avant ; décalez avec des espaces, jamais avec des tabulations.",
            "Put right the place that is marked, or the one just before; indent with spaces, never with tabs.",
        )
        .example(TROTTOIR, WORDS, "keywords: [trottoir"),
    page_of("yaml.duplicate_key", "Une clé écrite deux fois", "A key written twice")
        .cause(
            "Deux valeurs sous le même nom : personne ne peut dire laquelle vaut.",
            "Two values under the same name: nobody can tell which of them counts.",
        )
        .remedy("Gardez une des deux.", "Keep one of the two.")
        .example(TROTTOIR, WORDS, "keywords: [trottoir]\nkeywords: [bordure]"),
    page_of("yaml.tag", "Une étiquette YAML", "A YAML tag")
        .cause(
            "Un mot qui commence par `!` est une étiquette pour programmes ; une fiche n’en a pas l’usage.",
            "A word that begins with `!` is a tag for programs; a sheet has no use for one.",
        )
        .remedy(
            "Retirez-la, ou mettez le texte entre guillemets.",
            "Leave it out, or put the text in quotes.",
        )
        .example(TROTTOIR, WORDS, "keywords: !liste [trottoir]"),
    page_of("yaml.merge_key", "La clé `<<`", "The key `<<`")
        .cause(
            "La clé de fusion de YAML cache d’où vient une valeur.",
            "YAML’s merge key hides where a value comes from.",
        )
        .remedy(
            "Écrivez les valeurs, ou partagez-les par un modèle : `extends: models/…`.",
            "Write the values out, or share them in a model: `extends: models/…`.",
        )
        .example(
            TROTTOIR,
            "qualification: automatic",
            "qualification: automatic\ncosts: { <<: { online: 1.00 EUR }, counter: 9.00 EUR }",
        )
        .rather("qualification: automatic\ncosts: { online: 1.00 EUR, counter: 9.00 EUR }"),
    page_of("yaml.complex_key", "Une clé qui n’est pas un mot", "A key that is not a word")
        .cause("Une clé est un nom, pas une liste.", "A key is a name, not a list.")
        .remedy("Écrivez `clé: valeur`.", "Write `key: value`.")
        .example(TROTTOIR, "qualification: automatic", "? [qualification]\n: automatic"),
    page_of("yaml.documents", "Deux documents dans un fichier", "Two documents in one file")
        .cause(
            "`---` commence un second document, que personne ne lirait.",
            "`---` begins a second document, which nobody would read.",
        )
        .remedy("Retirez la ligne, ou faites deux fichiers.", "Leave the line out, or make two files of it.")
        .example(TROTTOIR, "qualification: automatic\n", "qualification: automatic\n---\n"),
    page_of("yaml.endless", "Un renvoi qui se contient", "An alias that contains itself")
        .cause("La valeur n’aurait pas de fin.", "The value would have no end.")
        .remedy("Retirez le renvoi (`*…`).", "Leave the alias (`*…`) out.")
        .example(TROTTOIR, WORDS, "keywords: &mots [trottoir, *mots]"),
    page_of("yaml.too_deep", "Trop de niveaux", "Nested too deeply")
        .cause(
            "Une fiche a au plus 32 niveaux imbriqués ; au-delà, c’est une erreur ou une attaque.",
            "A sheet is nested at most 32 deep; beyond that it is a mistake or an attack.",
        )
        .remedy("Fermez les parenthèses ouvertes.", "Close the brackets that were opened.")
        .example(TROTTOIR, WORDS, "keywords: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["),
    page_of("yaml.too_many", "Trop d’éléments", "Too many elements")
        .cause(
            "Un fichier a au plus 40 000 éléments, renvois écrits en toutes lettres, et 200 renvois.",
            "A file has at most 40,000 elements, its aliases written out, and 200 aliases.",
        )
        .remedy("Partagez le fichier.", "Split the file.")
        .example(TROTTOIR, WORDS, "keywords: [&mot trottoir, *mot, *mot, …]"),
    page_of("yaml.too_large", "Fichier trop gros", "File too large")
        .cause(
            "Un fichier du catalogue a au plus 1 Mio (1 048 576 octets).",
            "A file of the catalogue has at most 1 MiB (1,048,576 bytes).",
        )
        .remedy(
            "Partagez-le ; une fiche de mille lignes est en général plusieurs démarches.",
            "Split it; a sheet of a thousand lines is mostly several processes.",
        )
        .example(TROTTOIR, WORDS, "keywords: [trottoir]  # …"),
    page_of("file.encoding", "Le fichier n’est pas en UTF-8", "The file is not in UTF-8")
        .cause(
            "Un éditeur l’a enregistré dans un autre codage (latin-1, UTF-16) : les accents seraient illisibles.",
            "An editor saved it in another encoding (Latin-1, UTF-16): accents could not be read.",
        )
        .remedy(
            "Enregistrez-le en UTF-8, depuis le même éditeur : « Enregistrer sous… », codage UTF-8.",
            "Save it as UTF-8 from the same editor: “Save as…”, encoding UTF-8.",
        )
        .example(TROTTOIR, WORDS, "keywords: [abîmé]  # latin-1"),
    page_of("file.empty", "Un fichier vide", "An empty file")
        .cause(
            "Il n’y a rien, ou rien que des commentaires.",
            "There is nothing in it, or nothing but comments.",
        )
        .remedy("Remplissez-le, ou supprimez-le.", "Fill it in, or delete it.")
        .example("messages/rappel.yaml", "", "# à écrire"),
];
