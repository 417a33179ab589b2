//! Inheritance.

use super::{Page, page_of};

pub(super) const PAGES: &[Page] = &[
    page_of("extends.loop", "Un modèle se prolonge lui-même", "A model extends itself")
        .cause(
            "En suivant `extends`, on revient au point de départ : il n’y a pas de base.",
            "Following `extends` leads back to where it began: there is no base.",
        )
        .remedy("Retirez un des `extends` de la boucle.", "Leave out one `extends` of the loop.")
        .example("models/base.yaml", "model: base\n", "model: base\nextends: models/base\n"),
    page_of("extends.remove_unknown", "Rien de ce nom à retirer", "Nothing of this name to remove")
        .cause(
            "`remove` nomme ce que la base n’a pas ; peut-être la base a-t-elle changé.",
            "`remove` names what the base does not have; perhaps the base has changed.",
        )
        .remedy("Corrigez le nom, ou retirez-le.", "Correct the name, or leave it out.")
        .example("voirie/trottoir.yaml", "remove: [danger]", "remove: [dangers]")
        .certain(),
];
