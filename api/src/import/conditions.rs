//! Conditions on the columns of a row.

/// A column and what its value must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// Tests that must all hold.
    pub tests: Vec<Test>,
}

/// A test of a value. One of its texts is enough; they are folded already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// The value is one of these.
    Is(Vec<String>),
    /// It starts with one of these.
    StartsWith(Vec<String>),
    /// It contains one of these.
    Contains(Vec<String>),
}

impl Test {
    /// Whether it holds for a folded value.
    #[must_use]
    pub fn holds(&self, value: &str) -> bool {
        match self {
            Self::Is(texts) => texts.iter().any(|text| value == text),
            Self::StartsWith(texts) => texts.iter().any(|text| value.starts_with(text)),
            Self::Contains(texts) => texts.iter().any(|text| value.contains(text)),
        }
    }
}

/// The text with what does not count taken out: letter case, runs of spaces, the shape of apostrophes. Accents count.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().flat_map(char::to_lowercase).map(|symbol| match symbol {
            '’' | '‘' | 'ʼ' | '`' | '´' => '\'',
            other => other,
        }));
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_spaces_and_apostrophes_do_not_count_and_accents_do() {
        assert_eq!(fold("  Œuvre   d’ART\u{a0}ancienne "), "œuvre d'art ancienne");
        assert_ne!(fold("Vélo"), fold("Velo"));
        assert!(Test::StartsWith(vec![fold("Feux")]).holds(&fold("FEUX tricolores")));
        assert!(!Test::Is(vec![fold("Feux")]).holds(&fold("Feux tricolores")));
    }
}
