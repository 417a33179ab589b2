//! Two processes that a citizen cannot tell apart.

use std::collections::{BTreeMap, BTreeSet};

use super::{Sheet, Whole};
use crate::language::diagnostic::Fault;
use crate::process::Opener;

pub(super) fn check(whole: &Whole<'_>, faults: &mut Vec<Fault>) {
    let mut titles: BTreeMap<String, &Sheet> = BTreeMap::new();
    let mut keywords: BTreeMap<BTreeSet<String>, &Sheet> = BTreeMap::new();
    // What only staff may open, they tell apart by its name.
    let public = whole.sheets.iter().filter(|s| s.definition.open_to.contains(&Opener::Citizen));
    let mut english: BTreeMap<String, &Sheet> = BTreeMap::new();
    for sheet in public {
        let title = plain(&sheet.definition.title.en);
        let same_french =
            |first: &&Sheet| plain(&first.definition.title.fr) == plain(&sheet.definition.title.fr);
        match english.get(&title) {
            Some(first) if !title.is_empty() && !same_french(first) => {
                faults.push(same_title(sheet, first, "/title/en"));
            }
            _ => drop(english.insert(title, sheet)),
        }
        let title = plain(&sheet.definition.title.fr);
        if title.is_empty() {
            continue;
        }
        if let Some(first) = titles.get(&title) {
            faults.push(same_title(sheet, first, "/title/fr"));
        } else {
            titles.insert(title, sheet);
        }
        let words: BTreeSet<String> = sheet.definition.keywords.iter().map(|w| plain(w)).collect();
        if words.is_empty() {
            continue;
        }
        if let Some(first) = keywords.get(&words) {
            let (fr, en) =
                ("deux fiches ont exactement ces mots-clés", "two sheets have exactly these keywords");
            faults.push(Fault::error("process.same_keywords", sheet.at("/keywords"), fr, en).label(
                first.at("/keywords"),
                "les mêmes",
                "the same",
            ));
        } else {
            keywords.insert(words, sheet);
        }
    }
}

fn same_title(sheet: &Sheet, first: &Sheet, pointer: &str) -> Fault {
    let (fr, en) = (
        "deux fiches portent ce titre : l’usager ne peut pas les distinguer",
        "two sheets have this title: a citizen cannot tell them apart",
    );
    Fault::error("process.same_title", sheet.at(pointer), fr, en).label(
        first.at(pointer),
        "le même titre",
        "the same title",
    )
}

/// A text as it is compared: letters and digits in lower case, single spaces.
fn plain(text: &str) -> String {
    let letters: String =
        text.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    letters.split_whitespace().collect::<Vec<_>>().join(" ")
}
