//! Files that are no text, as findings: an officer learns which, and what to do, beside everything else that is wrong.

use super::diagnostic::Fault;
use super::source::{FileId, Mark, NotText, SourceFile, Unread};
use super::yaml::MAX_BYTES;

/// What stands for the file when findings are drawn.
pub(super) fn shown(unread: &Unread) -> SourceFile {
    let text = match &unread.why {
        NotText::TooLarge { .. } => String::new(),
        NotText::Encoding { text, .. } => text.clone(),
    };
    SourceFile { path: unread.path.clone(), text }
}

pub(super) fn fault(unread: &Unread, file: FileId) -> Fault {
    match &unread.why {
        NotText::TooLarge { bytes } => Fault::error(
            "yaml.too_large",
            Mark { file, start: 0, end: 0 },
            format!("ce fichier fait {bytes} octets ; un fichier du catalogue en a au plus {MAX_BYTES}"),
            format!("this file has {bytes} bytes; a file of the catalogue has at most {MAX_BYTES}"),
        ),
        NotText::Encoding { probably, text, at } => {
            let length = text.get(*at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            Fault::error(
                "file.encoding",
                Mark { file, start: *at, end: at + length },
                format!("ce fichier n’est pas en UTF-8 ; sans doute en {probably}"),
                format!("this file is not in UTF-8, but probably in {probably}"),
            )
            .help("enregistrez-le en UTF-8", "save it as UTF-8")
        }
    }
}
