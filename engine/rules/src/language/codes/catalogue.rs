//! The catalogue as a whole.

use super::{Page, page_of};

const TROTTOIR: &str = "voirie/trottoir.yaml";

pub(super) const PAGES: &[Page] = &[
    page_of("catalogue.incomplete", "Il manque un fichier au catalogue", "The catalogue lacks a file")
        .cause(
            "`catalogue.yaml` et `organisation.yaml` disent qui est qui : rien ne peut être lu sans eux.",
            "`catalogue.yaml` and `organisation.yaml` say who is who: nothing can be read without them.",
        )
        .remedy("Ajoutez le fichier nommé.", "Add the file that is named.")
        .example("organisation.yaml", "", "# …"),
    page_of("catalogue.too_large", "Trop de fichiers", "Too many files")
        .cause(
            "Un catalogue a au plus 10 000 fichiers, 32 Mio de texte et 8 dossiers imbriqués.",
            "A catalogue has at most 10,000 files, 32 MiB of text, and folders 8 deep.",
        )
        .remedy(
            "Désignez le dossier du catalogue, et non celui qui contient tout le reste.",
            "Name the folder of the catalogue, not the one that holds everything else too.",
        )
        .example("voirie/…", "", "# …"),
    page_of("catalogue.unused", "Un fichier que rien n’emploie", "A file that nothing uses")
        .cause(
            "Aucune fiche ne nomme ce modèle, ce circuit, ce message ou ce calendrier : peut-être un nom a-t-il changé.",
            "No sheet names this model, circuit, message or calendar: perhaps a name has changed.",
        )
        .remedy("Employez-le, ou supprimez-le.", "Use it, or delete it.")
        .example(
            "circuits/ancien.yaml",
            "",
            "circuit: ancien\nsteps:\n  - { step: direction, by: role:directeur }",
        )
        .warning(),
    page_of("text.untranslated", "Un texte en français seulement", "A text in French only")
        .cause(
            "Le catalogue écrit aussi en anglais (`languages`) : ces lecteurs verraient du français.",
            "The catalogue writes in English too (`languages`): those readers would see French.",
        )
        .remedy(
            "Ajoutez `en: …`, ou retirez `en` des `languages` de catalogue.yaml.",
            "Add `en: …`, or take `en` out of the `languages` of catalogue.yaml.",
        )
        .example(
            TROTTOIR,
            "title: { fr: \"Trottoir abîmé\", en: \"Damaged pavement\" }",
            "title: \"Trottoir abîmé\"",
        )
        .warning(),
];
