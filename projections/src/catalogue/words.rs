//! How words are compared: without accents, without endings, with the words that mean the same, and, where nothing else
//! is found, with typing faults.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};

/// What citizens say for what town halls write.
const SYNONYMS: &str = include_str!("synonyms.txt");
/// Words that say nothing about what is meant.
const EMPTY: &str = " a ai alors au aux avec ce cet cette ces chez comme comment dans de depuis des devant donc du elle en \
    est et etre faire il ils j je l la le les leur lui ma mais me mes moi mon ne nos notre nous on ou par pas pour pres \
    qu que qui s sa se ses son sont sur ta te tes toi ton tu un une vers vos votre vous y d c n m t plus tres \
    veux voudrais besoin demande demander probleme \
    an and are at be by for from has have how i in is it my near of on or our please the there this to want we with you your ";
/// Words of a search that count; more are left out.
const TERMS_MAX: usize = 12;
/// Characters of a search that count.
const SEARCH_CHARACTERS_MAX: usize = 300;

/// A process, as a search compares it. Stems stand between single blanks, with one before and after.
#[derive(Debug, Clone, Default)]
pub(super) struct Document {
    pub(super) titles: String,
    pub(super) keywords: String,
    pub(super) words: String,
    /// The folded text of all, for meanings of several words.
    pub(super) folded: String,
}

/// One word that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    /// The word without accents.
    word: String,
    /// Its stems in both languages.
    stems: Vec<String>,
    /// The stems of words that mean the same.
    synonyms: Vec<String>,
    /// Folded phrases that mean the same.
    phrases: Vec<String>,
}

/// The words of one meaning.
struct Meaning {
    stems: BTreeSet<String>,
    phrases: Vec<String>,
}

static MEANINGS: LazyLock<Vec<Meaning>> = LazyLock::new(|| {
    let lines = SYNONYMS.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let members: Vec<String> = line.split(',').map(folded).collect();
            let is_word = |member: &&String| member.split_whitespace().count() == 1;
            let stems = members.iter().filter(is_word).flat_map(|word| stems_of(word.trim())).collect();
            let phrases = members.iter().filter(|member| !is_word(member));
            Meaning { stems, phrases: phrases.map(|phrase| format!("{} ", phrase.trim_end())).collect() }
        })
        .collect()
});

static STEMMERS: LazyLock<[Stemmer; 2]> =
    LazyLock::new(|| [Stemmer::create(Algorithm::French), Stemmer::create(Algorithm::English)]);

/// A text in lower case, without accents and without signs: what searching compares.
pub(super) fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + 2);
    folded.push(' ');
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => folded.push('a'),
            'ç' => folded.push('c'),
            'è' | 'é' | 'ê' | 'ë' => folded.push('e'),
            'ì' | 'í' | 'î' | 'ï' => folded.push('i'),
            'ñ' => folded.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' => folded.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            // Combining accents of decomposed letters.
            '\u{300}'..='\u{36f}' => {}
            other if other.is_alphanumeric() => folded.push(other),
            _ if folded.ends_with(' ') => {}
            _ => folded.push(' '),
        }
    }
    folded
}

/// The stems of a folded word: the French one and, if it differs, the English one.
fn stems_of(word: &str) -> Vec<String> {
    let mut stems: Vec<String> = STEMMERS.iter().map(|stemmer| stemmer.stem(word).into_owned()).collect();
    stems.dedup();
    stems
}

/// The stems of a text, each once, between blanks.
pub(super) fn stemmed(text: &str) -> String {
    let folded = folded(text);
    let words: BTreeSet<&str> = folded.split_whitespace().collect();
    let stems: BTreeSet<String> =
        words.into_iter().filter(|word| !is_empty(word)).flat_map(stems_of).collect();
    stems.iter().fold(" ".to_owned(), |text, stem| text + stem + " ")
}

fn is_empty(word: &str) -> bool {
    EMPTY.contains(&format!(" {word} "))
}

/// What a search looks for: meanings of several words first, then words; those that say nothing only if there are no
/// others.
fn terms(search: &str) -> Vec<Term> {
    let search: String = search.chars().take(SEARCH_CHARACTERS_MAX).collect();
    let mut rest = format!("{} ", folded(&search).trim_end());
    let mut terms = Vec::new();
    for meaning in MEANINGS.iter() {
        let Some(phrase) = meaning.phrases.iter().find(|phrase| rest.contains(phrase.as_str())) else {
            continue;
        };
        rest = rest.replace(phrase.as_str(), " ");
        terms.push(Term {
            word: phrase.trim().to_owned(),
            stems: Vec::new(),
            synonyms: meaning.stems.iter().cloned().collect(),
            phrases: meaning.phrases.clone(),
        });
    }
    let all: Vec<&str> = rest.split_whitespace().collect();
    let mut telling: Vec<&str> = all.iter().copied().filter(|word| !is_empty(word)).collect();
    if telling.is_empty() && terms.is_empty() {
        telling = all;
    }
    terms.extend(telling.into_iter().map(term));
    terms.truncate(TERMS_MAX);
    terms
}

fn term(word: &str) -> Term {
    let stems = stems_of(word);
    let alike = MEANINGS.iter().filter(|meaning| stems.iter().any(|stem| meaning.stems.contains(stem)));
    let (mut synonyms, mut phrases) = (BTreeSet::new(), Vec::new());
    for meaning in alike {
        synonyms.extend(meaning.stems.iter().filter(|stem| !stems.contains(stem)).cloned());
        phrases.extend(meaning.phrases.iter().cloned());
    }
    Term { word: word.to_owned(), stems, synonyms: synonyms.into_iter().collect(), phrases }
}

/// Which documents a search finds, by their places, with how well each fits. Those that hold all words; if none does,
/// those that hold the most. Without any word, all of them.
pub(super) fn ranked(documents: &[Document], search: &str) -> Vec<(usize, u32)> {
    let terms = terms(search);
    let mut found: Vec<(usize, u32)> = vec![(0, 0); documents.len()];
    for term in &terms {
        let mut scores: Vec<u32> = documents.iter().map(|document| term.fits(document)).collect();
        if scores.iter().all(|score| *score == 0) {
            // Nobody writes it like this: perhaps it is mistyped, or a part of a word.
            let mut seen = HashMap::new();
            scores = documents.iter().map(|document| term.nearly_fits(document, &mut seen)).collect();
        }
        for (sum, score) in found.iter_mut().zip(scores) {
            sum.0 += usize::from(score > 0);
            sum.1 += score;
        }
    }
    let most = found.iter().map(|(count, _)| *count).max().unwrap_or_default();
    let places = found.into_iter().enumerate();
    places
        .filter(|(_, (count, _))| terms.is_empty() || (*count == most && most > 0))
        .map(|(place, (_, score))| (place, score))
        .collect()
}

impl Term {
    /// How well a document holds the word itself, a longer one, or one that means the same. A word in the title counts
    /// for three, in the keywords for two.
    fn fits(&self, document: &Document) -> u32 {
        let fields = [(&document.titles, 3), (&document.keywords, 2), (&document.words, 1)];
        let held = |(text, weight): (&String, u32)| {
            let whole = |stem: &String| text.contains(&format!(" {stem} "));
            let begins = |stem: &String| stem.len() > 2 && text.contains(&format!(" {stem}"));
            let score = if self.stems.iter().any(whole) {
                8
            } else if self.stems.iter().any(begins) {
                6
            } else if self.synonyms.iter().any(whole) {
                5
            } else {
                0
            };
            score * weight
        };
        let phrase = self.phrases.iter().any(|phrase| document.folded.contains(phrase.as_str()));
        fields.into_iter().map(held).max().unwrap_or_default().max(if phrase { 10 } else { 0 })
    }

    /// How well a document holds a word that differs by a typing fault or two, or one that has this in its middle.
    fn nearly_fits<'a>(&self, document: &'a Document, seen: &mut HashMap<&'a str, u32>) -> u32 {
        let fields = [(&document.titles, 3), (&document.keywords, 2), (&document.words, 1)];
        let near = |(text, weight): (&'a String, u32)| {
            let best =
                text.split_whitespace().map(|stem| *seen.entry(stem).or_insert_with(|| self.near(stem)));
            best.max().unwrap_or_default() * weight
        };
        fields.into_iter().map(near).max().unwrap_or_default()
    }

    fn near(&self, other: &str) -> u32 {
        let inside = self.word.len() > 3 && other.contains(&self.word);
        let faults = self.stems.iter().filter_map(|stem| {
            let most = match stem.len() {
                0..=3 => return None,
                4..=6 => 1,
                _ => 2,
            };
            distance(stem, other, most)
        });
        match faults.min() {
            Some(0 | 1) => 4,
            Some(_) => 3,
            None if inside => 2,
            None => 0,
        }
    }
}

/// How many letters must be put in, taken out, replaced or swapped with their neighbour to come from one word to another;
/// nothing if more than `most` (optimal string alignment).
fn distance(one: &str, other: &str, most: usize) -> Option<usize> {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len().abs_diff(other.len()) > most {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, against) in other.iter().enumerate() {
            let at = |line: &[usize], place: usize| line.get(place).copied().unwrap_or(usize::MAX / 2);
            let swapped = row > 0
                && column > 0
                && one.get(row - 1) == Some(against)
                && other.get(column - 1) == Some(letter);
            let replaced = at(&above, column) + usize::from(letter != against);
            let mut least = replaced.min(at(&above, column + 1) + 1).min(at(&current, column) + 1);
            if swapped {
                least = least.min(at(&before, column - 1) + 1);
            }
            current.push(least);
        }
        if current.iter().all(|faults| *faults > most) {
            return None;
        }
        before = std::mem::replace(&mut above, current);
    }
    above.last().copied().filter(|faults| *faults <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(title: &str, keywords: &str) -> Document {
        let (titles, keywords_stemmed) = (stemmed(title), stemmed(keywords));
        Document {
            titles,
            keywords: keywords_stemmed,
            words: " ".into(),
            folded: format!("{} ", folded(&format!("{title} {keywords}")).trim_end()),
        }
    }

    #[test]
    fn accents_case_and_signs_do_not_matter() {
        assert_eq!(folded("Éclairage — l'Œuvre, Noël"), " eclairage l oeuvre noel");
        assert_eq!(folded("E\u{301}clairage"), " eclairage");
    }

    #[test]
    fn faults_are_counted_as_typists_make_them() {
        for (one, other, faults) in [
            ("poubele", "poubelle", Some(1)),
            ("lapmadaire", "lampadaire", Some(1)),
            ("lampader", "lampadair", Some(2)),
            ("rat", "bus", None),
            ("route", "route", Some(0)),
        ] {
            assert_eq!(distance(one, other, 2), faults, "{one} {other}");
            assert_eq!(distance(other, one, 2), faults, "{other} {one}");
        }
    }

    #[test]
    fn words_are_found_mistyped_bent_and_by_what_means_the_same() {
        let all = [
            document("Éclairage public en panne", "lampadaire"),
            document("Chaussée abîmée", "nid-de-poule"),
            document("Bac à ordures", "poubelles"),
            document("Carte d’identité ou passeport", ""),
        ];
        let first = |search: &str| {
            let mut found = ranked(&all, search);
            found.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
            found.first().map(|(place, _)| *place)
        };
        for (search, place) in [
            ("lampadère cassé", 0),
            ("les Réverbères", 0),
            ("trou dans la route", 1),
            ("poubele", 2),
            ("ma carte d'identité", 3),
            ("CNI", 3),
            ("pasport", 3),
        ] {
            assert_eq!(first(search), Some(place), "{search}");
        }
        assert_eq!(first("zzzz"), None);
        assert_eq!(ranked(&all, " , ").len(), 4, "no word is no condition");
    }
}
