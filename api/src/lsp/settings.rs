//! What was agreed upon with the editor.

use guichet_engine::rules::text::Language;
use serde_json::Value;

use super::position::Encoding;

/// What was agreed upon with the editor when the session began.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Settings {
    /// The language that the person in front of the editor reads.
    pub(super) language: Language,
    /// How the editor counts along a line.
    pub(super) encoding: Encoding,
    /// Whether it fills in completions with holes to jump between.
    pub(super) snippets: bool,
    /// Whether it shows second places of a finding.
    pub(super) related: bool,
    /// Whether it draws tags of findings.
    pub(super) tags: bool,
    /// Whether it sets hovers in Markdown; else they are plain text.
    pub(super) markdown: bool,
    /// Whether it nests the symbols of a document.
    pub(super) nested_symbols: bool,
    /// Whether it watches files on request.
    pub(super) watches: bool,
}

impl Settings {
    /// What `initialize` says. It is read leniently: an editor that says something odd of itself is still served.
    pub(super) fn agreed(language: Language, params: &Value) -> Self {
        let is = |pointer: &str| params.pointer(pointer) == Some(&Value::Bool(true));
        let offered = params.pointer("/capabilities/general/positionEncodings").cloned().unwrap_or_default();
        let offered = serde_json::from_value(offered).unwrap_or_else(|_| Vec::new());
        let formats = params.pointer("/capabilities/textDocument/hover/contentFormat");
        let document = "/capabilities/textDocument";
        Self {
            language: language_of(params.get("initializationOptions")).unwrap_or(language),
            encoding: Encoding::agreed(&offered),
            snippets: is(&format!("{document}/completion/completionItem/snippetSupport")),
            related: is(&format!("{document}/publishDiagnostics/relatedInformation")),
            tags: params.pointer(&format!("{document}/publishDiagnostics/tagSupport")).is_some(),
            markdown: formats
                .and_then(Value::as_array)
                .is_some_and(|all| all.iter().any(|f| f == "markdown")),
            nested_symbols: is(&format!("{document}/documentSymbol/hierarchicalDocumentSymbolSupport")),
            watches: is("/capabilities/workspace/didChangeWatchedFiles/dynamicRegistration"),
        }
    }

    /// The French or the English words.
    pub(super) fn say(&self, fr: impl Into<String>, en: impl Into<String>) -> String {
        match self.language {
            Language::Fr => fr.into(),
            Language::En => en.into(),
        }
    }
}

/// `{ "language": "fr" }`, or the same below `guichet`, as editors send whole sections of their settings.
pub(super) fn language_of(options: Option<&Value>) -> Option<Language> {
    let options = options?;
    let own = options.get("guichet").unwrap_or(options);
    own.get("language").and_then(Value::as_str).and_then(Language::from_code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_editor_that_says_nothing_of_itself_gets_the_least() {
        let settings = Settings::agreed(Language::En, &json!({"capabilities": {"general": 3}}));
        assert_eq!((settings.language, settings.encoding), (Language::En, Encoding::Utf16));
        assert!(!settings.snippets && !settings.related && !settings.markdown && !settings.watches);
    }

    #[test]
    fn the_editor_chooses_language_and_encoding() {
        let params = json!({
            "initializationOptions": {"guichet": {"language": "en-GB"}},
            "capabilities": {
                "general": {"positionEncodings": ["utf-16", "utf-8", "utf-7"]},
                "textDocument": {"hover": {"contentFormat": ["plaintext", "markdown"]}},
            },
        });
        let settings = Settings::agreed(Language::Fr, &params);
        assert_eq!(
            (settings.language, settings.encoding, settings.markdown),
            (Language::En, Encoding::Utf8, true)
        );
    }
}
