//! The documents that are open in the editor. What they hold goes before what is on the disk.

use std::collections::HashMap;
use std::path::PathBuf;

use gen_lsp_types::{TextDocumentContentChangeEvent as Change, Uri};

use super::address;
use super::position::{Encoding, Lines};
use super::wire::BODY_MAX;

/// The most documents that are kept open.
const DOCUMENTS_MAX: usize = 1_000;

/// One open document.
#[derive(Debug)]
pub(super) struct Document {
    /// Where it lies or will lie; nothing if it is no file.
    pub(super) path: Option<PathBuf>,
    pub(super) version: i32,
    pub(super) text: String,
}

/// All open documents, by the address that the editor gave.
#[derive(Debug, Default)]
pub(super) struct Documents {
    open: HashMap<Uri, Document>,
}

impl Documents {
    /// Takes in a document; says whether there was room.
    pub(super) fn open(&mut self, uri: Uri, version: i32, text: String) -> bool {
        if self.open.len() >= DOCUMENTS_MAX && !self.open.contains_key(&uri) {
            return false;
        }
        let path = address::path_of(&uri).map(|path| address::real(&path));
        self.open.insert(uri, Document { path, version, text });
        true
    }

    /// Changes a document as the editor changed it; says whether it is open and not too large to be kept.
    pub(super) fn change(
        &mut self,
        uri: &Uri,
        version: i32,
        changes: Vec<Change>,
        encoding: Encoding,
    ) -> bool {
        let Some(document) = self.open.get_mut(uri) else { return false };
        document.version = version;
        for change in changes {
            match change {
                Change::TextDocumentContentChangeWholeDocument(whole) => document.text = whole.text,
                Change::TextDocumentContentChangePartial(part) => {
                    let bytes = Lines::new(&document.text, encoding).bytes(part.range);
                    document.text.replace_range(bytes, &part.text);
                }
            }
        }
        if u64::try_from(document.text.len()).unwrap_or(u64::MAX) > BODY_MAX {
            self.open.remove(uri);
            return false;
        }
        true
    }

    pub(super) fn close(&mut self, uri: &Uri) -> Option<Document> {
        self.open.remove(uri)
    }

    pub(super) fn get(&self, uri: &Uri) -> Option<&Document> {
        self.open.get(uri)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Uri, &Document)> {
        self.open.iter()
    }
}
