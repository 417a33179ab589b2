//! Where people are also written to in English, every text has English words: French ones in an English letter look
//! like a mistake of the town.

use super::Whole;
use crate::language::diagnostic::Fault;
use crate::text::Language;

pub(super) fn check(whole: &Whole<'_>, faults: &mut Vec<Fault>) {
    if !whole.library.header.languages.contains(&Language::En) {
        return;
    }
    faults.extend(whole.french_only.iter().map(|mark| {
        let (fr, en) = (
            "ce texte n’existe qu’en français, et le catalogue écrit aussi en anglais",
            "this text is in French only, and the catalogue writes in English too",
        );
        Fault::warning("text.untranslated", *mark, fr, en).help(
            "écrivez { fr: \"…\", en: \"…\" }, ou retirez `en` des `languages` de catalogue.yaml",
            "write { fr: \"…\", en: \"…\" }, or take `en` out of the `languages` of catalogue.yaml",
        )
    }));
}
