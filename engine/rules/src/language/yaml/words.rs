//! What is wrong with a YAML file, in words of a town hall.

use serde_saphyr::granit_parser::ErrorKind;

use super::{MAX_ALIASES, MAX_DEPTH, MAX_NODES};
use crate::language::diagnostic::Fault;
use crate::language::source::Mark;

pub(super) fn duplicate(key: &str, mark: Mark, first: Mark) -> Fault {
    Fault::error(
        "yaml.duplicate_key",
        mark,
        format!("la clé `{key}` est écrite deux fois"),
        format!("the key `{key}` is written twice"),
    )
    .label(first, "déjà écrite ici", "already written here")
}

pub(super) fn tag(mark: Mark) -> Fault {
    Fault::error(
        "yaml.tag",
        mark,
        "les étiquettes YAML (`!…`) ne sont pas admises ici",
        "YAML tags (`!…`) are not allowed here",
    )
    .help("mettez le texte entre guillemets s’il commence par `!`", "quote the text if it begins with `!`")
}

pub(super) fn merge_key(mark: Mark) -> Fault {
    Fault::error("yaml.merge_key", mark, "`<<` n’est pas admis ici", "`<<` is not allowed here").help(
        "utilisez `extends: models/…` pour partager une base",
        "use `extends: models/…` to share a base",
    )
}

pub(super) fn complex_key(mark: Mark) -> Fault {
    Fault::error("yaml.complex_key", mark, "une clé doit être un simple mot", "a key must be a simple word")
}

pub(super) fn documents(mark: Mark) -> Fault {
    Fault::error(
        "yaml.documents",
        mark,
        "un second document commence ici (`---`) ; un fichier n’en contient qu’un",
        "a second document begins here (`---`); a file holds only one",
    )
}

pub(super) fn depth(mark: Mark) -> Fault {
    Fault::error(
        "yaml.too_deep",
        mark,
        format!("plus de {MAX_DEPTH} niveaux imbriqués"),
        format!("nested more than {MAX_DEPTH} deep"),
    )
}

pub(super) fn nodes(mark: Mark) -> Fault {
    Fault::error(
        "yaml.too_many",
        mark,
        format!("ce fichier a plus de {MAX_NODES} éléments, renvois (`*`) compris"),
        format!("this file has more than {MAX_NODES} elements, aliases (`*`) written out"),
    )
}

pub(super) fn aliases(mark: Mark) -> Fault {
    Fault::error(
        "yaml.too_many",
        mark,
        format!("plus de {MAX_ALIASES} renvois (`*`) dans un fichier"),
        format!("more than {MAX_ALIASES} aliases (`*`) in one file"),
    )
}

pub(super) fn endless(mark: Mark) -> Fault {
    Fault::error("yaml.endless", mark, "ce renvoi se contient lui-même", "this alias contains itself")
}

/// The reader's own finding, sorted into the few kinds that an officer can act on.
pub(super) fn syntax(kind: &ErrorKind, mark: Mark) -> Fault {
    if matches!(kind, ErrorKind::RecursionLimitExceeded) {
        return depth(mark);
    }
    let (fr, en) = sentence(kind);
    Fault::error("yaml.syntax", mark, fr, en)
}

fn sentence(kind: &ErrorKind) -> (String, String) {
    use ErrorKind as E;
    let pair = |fr: &str, en: &str| (fr.to_owned(), en.to_owned());
    match kind {
        E::UnclosedQuotedScalar => pair("guillemet jamais refermé", "this quote is never closed"),
        E::UnclosedFlowCollection { open } => {
            (format!("`{open}` n’est jamais refermé"), format!("`{open}` is never closed"))
        }
        E::MismatchedFlowCollectionEnd { open, close } => {
            (format!("`{open}` est refermé par `{close}`"), format!("`{open}` is closed by `{close}`"))
        }
        E::MisplacedFlowCollectionEnd => {
            pair("parenthèse fermante de trop", "closing bracket without an opening one")
        }
        E::UnexpectedEof
        | E::UnexpectedEofFlowSequence
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping
        | E::UnexpectedEofBlockSequence
        | E::UnexpectedEofBlockMapping => {
            pair("le fichier s’arrête au milieu d’une valeur", "the file ends in the middle of a value")
        }
        E::ExpectedFlowMappingSeparator => pair("il manque `,` ou `}`", "`,` or `}` is missing"),
        E::ExpectedFlowSequenceSeparator => pair("il manque `,` ou `]`", "`,` or `]` is missing"),
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabInIndentation
        | E::TabInPlainScalar
        | E::TabAtBlockScalarStart => {
            pair("une tabulation : décalez avec des espaces", "a tab: indent with spaces")
        }
        E::InvalidIndentation
        | E::InvalidBlockScalarIndent
        | E::InvalidQuotedScalarIndent
        | E::InvalidFlowScalarIndent
        | E::ExpectedBlockMappingKey
        | E::ExpectedBlockSequenceEntry => pair(
            "cette ligne n’est pas décalée comme celles qui l’entourent",
            "this line is not indented like those around it",
        ),
        E::SimpleKeyExpected | E::InvalidSimpleKey => {
            pair("il manque `:` après cette clé", "`:` is missing after this key")
        }
        E::MappingValueNotAllowed | E::InvalidColonPlacement | E::InvalidMappingValueWhitespace => pair(
            "`:` de trop ici ; mettez entre guillemets un texte qui contient `: `",
            "`:` cannot stand here; quote a text that contains `: `",
        ),
        E::UnknownAnchor => {
            pair("renvoi (`*`) vers une ancre qui n’existe pas", "alias (`*`) to an anchor that is not there")
        }
        E::UnknownQuotedScalarEscape | E::InvalidQuotedScalarHexEscape | E::InvalidUnicodeEscape => pair(
            "`\\` inconnu entre guillemets doubles ; préférez les guillemets simples",
            "unknown `\\` between double quotes; use single quotes",
        ),
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar => {
            pair("du texte suit le guillemet fermant", "text follows the closing quote")
        }
        E::UnexpectedCharacter { character } => (
            format!("`{character}` ne peut pas commencer une valeur ; mettez le texte entre guillemets"),
            format!("`{character}` cannot begin a value; quote the text"),
        ),
        E::DirectiveDisallowed => {
            pair("les directives `%` ne sont pas admises", "`%` directives are not allowed")
        }
        other => (format!("YAML incorrect ({other})"), format!("not valid YAML ({other})")),
    }
}
