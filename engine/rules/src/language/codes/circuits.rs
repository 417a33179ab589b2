//! Circuits.

use super::{Page, page_of};

const CIRCUIT: &str = "circuits/reponse.yaml";

pub(super) const PAGES: &[Page] = &[
    page_of("circuit.no_approver", "Personne ne peut approuver", "Nobody can approve")
        .cause(
            "L’étape n’a pas d’approbateur parmi les agents : aucune réponse ne partirait.",
            "The step has no approver among the staff: no answer would ever leave.",
        )
        .remedy("Nommez un rôle que quelqu’un tient.", "Name a role that somebody holds.")
        .example(CIRCUIT, "by: role:directeur", "by: role:archiviste"),
    page_of("circuit.only_author", "Le seul approbateur est l’auteur", "The only approver is the author")
        .cause(
            "Personne n’approuve son propre projet : il resterait dans le parapheur.",
            "Nobody approves their own draft: it would stay in the signature folder.",
        )
        .remedy("Nommez quelqu’un d’autre.", "Name somebody else.")
        .example(CIRCUIT, "by: role:directeur", "by: person:a01"),
    page_of("circuit.quorum", "Plus d’approbations que d’approbateurs", "More approvals than approvers")
        .cause(
            "Il en faut plus qu’il n’y a de personnes pour en donner, ou aucune.",
            "More are needed than there are people to give them, or none.",
        )
        .remedy("Demandez-en moins, ou nommez plus de monde.", "Ask for fewer, or name more people.")
        .example(CIRCUIT, "by: role:directeur,", "by: role:directeur, rule: { at_least: 5 },")
        .rather("by: role:directeur, rule: { at_least: 2 },"),
    page_of("circuit.return_to", "Un retour vers nulle part", "A return to nowhere")
        .cause(
            "Un refus renvoie à une étape qui précède ; celle-ci n’existe pas, ou vient après.",
            "A refusal goes back to an earlier step; this one does not exist, or comes later.",
        )
        .remedy("Nommez une étape qui précède.", "Name an earlier step.")
        .example(CIRCUIT, "return_to: direction", "return_to: dirction")
        .certain(),
];
