//! That requests name files: noted before a command is decided, so that nothing named is ever without its note.

use guichet_engine::rules::process::request_of;
use guichet_engine::rules::request::{Command, RequestId, What};
use guichet_engine::{Entry, Submission};
use serde_json::{Map, Value};

use super::error::AttachmentError;
use crate::dossier::opened;

use super::{Attachments, Note, StoredFile, blob_key, checked, file, unwritable};

impl Attachments {
    /// Notes what a command names, before it is decided. What is not stored here is left out: imports bring histories
    /// whose files stand elsewhere.
    pub(crate) async fn note(&self, submission: &Submission) -> Result<(), AttachmentError> {
        let Some(form) = form_of(&submission.command) else { return Ok(()) };
        let named = named(form);
        if named.is_empty() {
            return Ok(());
        }
        let tenant = &submission.tenant;
        checked(tenant)?;
        let request = submission.request.unwrap_or_else(|| RequestId(request_of(submission.command_id.0)));
        for file in named {
            if self.inner.shelf.size(&blob_key(tenant, &file.sha256)).await?.is_some() {
                let of_request = request_key(tenant, request, &file.sha256);
                if self.inner.shelf.size(&of_request).await?.is_some() {
                    continue;
                }
                let pending = pending_key(tenant, request, &file.sha256);
                let holder = holder_key(tenant, &file.sha256, request);
                let note = Note { at: self.inner.ambient.now(), file };
                let note = serde_json::to_vec(&note).map_err(unwritable)?;
                // The one that is settled later first, then the one that keeps the file.
                self.inner.shelf.write(&pending, note.clone()).await?;
                self.inner.shelf.write(&holder, Vec::new()).await?;
                self.inner.shelf.write(&of_request, note).await?;
            }
        }
        Ok(())
    }
}

/// The form that a command brings, to be changed before it is decided.
pub(crate) fn form_of_mut(command: &mut Command) -> Option<&mut Map<String, Value>> {
    if let Command::Receive { form, .. } | Command::Qualify { form, .. } | Command::Reply { form, .. } =
        command
    {
        Some(form)
    } else if let Command::Complete { report, .. } = command {
        Some(report)
    } else {
        None
    }
}

/// The form that a command brings, if it brings one.
pub(crate) fn form_of(command: &Command) -> Option<&Map<String, Value>> {
    if let Command::Receive { form, .. } | Command::Qualify { form, .. } | Command::Reply { form, .. } =
        command
    {
        Some(form)
    } else if let Command::Complete { report, .. } = command {
        Some(report)
    } else {
        None
    }
}

/// Who wishes to see a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Somebody who may read all that was said in the request.
    ByStaff,
    /// Its requester: what they sent, and nothing that agents added.
    ByRequester,
}

/// The file with this digest, as a history whose personal parts were opened names it.
pub(crate) fn file_in(history: &[Entry], sha256: &str, asked: Asked) -> Option<StoredFile> {
    let sha256 = file::digest(sha256)?;
    let forms = history.iter().filter_map(|entry| form_in(&entry.event.what, asked));
    forms.flat_map(opened_files).find(|file| file.sha256 == sha256)
}

/// The files that the requester sent, each once, as a history whose personal parts were opened names them.
pub(crate) fn files_of_requester(history: &[Entry]) -> Vec<StoredFile> {
    let forms = history.iter().filter_map(|entry| form_in(&entry.event.what, Asked::ByRequester));
    let mut files: Vec<StoredFile> = Vec::new();
    for file in forms.flat_map(opened_files) {
        if !files.iter().any(|known| known.sha256 == file.sha256) {
            files.push(file);
        }
    }
    files
}

fn opened_files(form: &Map<String, Value>) -> Vec<StoredFile> {
    let opened = form.iter().filter_map(|(key, value)| Some((key.clone(), opened(value.clone())?)));
    named(&opened.collect())
}

/// What an event records of a form. Others record none.
fn form_in(what: &What, asked: Asked) -> Option<&Map<String, Value>> {
    let staff = asked == Asked::ByStaff;
    if let What::Received(event) = what {
        Some(&event.form)
    } else if let What::Replied(event) = what {
        Some(&event.form)
    } else if let What::Qualified(event) = what {
        Some(&event.form).filter(|_| staff)
    } else if let What::Reclassified(event) = what {
        Some(&event.form).filter(|_| staff)
    } else if let What::TaskCompleted(event) = what {
        Some(&event.report).filter(|_| staff)
    } else {
        None
    }
}

/// The files that a form names: its values, and what stands in lists.
pub(crate) fn named(form: &Map<String, Value>) -> Vec<StoredFile> {
    let each = form.values().flat_map(|value| match value {
        Value::Array(items) => items.as_slice(),
        other => std::slice::from_ref(other),
    });
    each.filter_map(as_file).collect()
}

/// The file that a value is, if it is one.
pub(crate) fn as_file(value: &Value) -> Option<StoredFile> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    Some(StoredFile {
        name: text("name")?.to_owned(),
        kind: text("type")?.to_owned(),
        size: value.get("size").and_then(Value::as_u64)?,
        sha256: file::digest(text("sha256")?)?,
    })
}

pub(super) fn holder_key(tenant: &str, sha256: &str, request: RequestId) -> String {
    format!("{tenant}/holders/{sha256}/{}", request.0)
}

pub(super) fn pending_key(tenant: &str, request: RequestId, sha256: &str) -> String {
    format!("{tenant}/pending/{}.{sha256}", request.0)
}

pub(super) fn request_key(tenant: &str, request: RequestId, sha256: &str) -> String {
    format!("{tenant}/requests/{}/{sha256}", request.0)
}
