//! What a message says, as the fields of a form.

use guichet_engine::rules::process::{Channel, Definition, Field, FieldType, Opener, Requirement};
use guichet_engine::rules::text::{Language, Text};
use serde_json::{Map, Value};

use super::mail::Attachment;
use crate::attachments::{AttachmentError, Attachments};
use crate::settings::channels::Becomes;

/// The longest text where the sheet says nothing, in characters.
const TEXT_MAX: u32 = 10_000;
/// The most files where the sheet says nothing.
const FILES_MAX: u32 = 20;
/// The largest file where the sheet says nothing, in bytes.
const FILE_BYTES_MAX: u64 = 25 * 1024 * 1024;

/// A file that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) name: String,
    pub(crate) why: Text,
}

/// The files of a message, sorted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    /// The values for the field.
    pub(crate) taken: Vec<Value>,
    /// Those that were not taken.
    pub(crate) refused: Vec<Refused>,
}

/// The field of a form that takes files: the one named, else the first there is.
pub(crate) fn files_field<'d>(definition: &'d Definition, named: Option<&str>) -> Option<&'d Field> {
    let mut fields = definition.form.iter().filter(|field| field.kind == FieldType::Files);
    match named {
        Some(named) => fields.find(|field| field.field == named),
        None => fields.next(),
    }
}

/// Stores the files that a field takes; `there` of them stand in it already.
///
/// # Errors
/// Those of the store that may pass: then nothing of the message is taken, and it comes again.
pub(crate) async fn store(
    attachments: &Attachments,
    tenant: &str,
    field: Option<&Field>,
    there: usize,
    files: &[Attachment],
) -> Result<Files, AttachmentError> {
    let mut sorted = Files::default();
    for file in files {
        let refused = |why: Text| Refused { name: file.name.clone(), why };
        if let Some(why) = unfit(field, there + sorted.taken.len(), &file.kind, file.bytes.len()) {
            sorted.refused.push(refused(why));
            continue;
        }
        match attachments.put_bytes(tenant, &file.name, declared(&file.kind), &file.bytes).await {
            // What it is by its bytes counts, not what it said.
            Ok(stored) => match unfit(field, there + sorted.taken.len(), &stored.kind, 0) {
                Some(why) => sorted.refused.push(refused(why)),
                None => sorted.taken.push(serde_json::to_value(&stored).unwrap_or_default()),
            },
            Err(error) if may_pass(&error) => return Err(error),
            Err(error) => sorted.refused.push(refused(error.text())),
        }
    }
    Ok(sorted)
}

fn declared(kind: &str) -> Option<&str> {
    (kind != "application/octet-stream").then_some(kind)
}

/// Whether the store may take the same file later.
fn may_pass(error: &AttachmentError) -> bool {
    match error {
        AttachmentError::Scanner { .. }
        | AttachmentError::Quarantined
        | AttachmentError::Interrupted
        | AttachmentError::Busy
        | AttachmentError::Full
        | AttachmentError::ReadOnly { .. }
        | AttachmentError::Store { .. } => true,
        AttachmentError::UnknownTenant
        | AttachmentError::Empty
        | AttachmentError::TooLarge { .. }
        | AttachmentError::Lies { .. }
        | AttachmentError::Refused { .. }
        | AttachmentError::Picture { .. }
        | AttachmentError::Infected { .. } => false,
    }
}

fn unfit(field: Option<&Field>, there: usize, kind: &str, size: usize) -> Option<Text> {
    let Some(field) = field else {
        return Some(Text::new("ce formulaire ne prend pas de fichier", "this form takes no files"));
    };
    let most = field.at_most.unwrap_or(FILES_MAX);
    if u32::try_from(there).is_ok_and(|there| there >= most) {
        return Some(Text::new(format!("{most} fichiers au plus"), format!("at most {most} files")));
    }
    let largest = field.max_size.unwrap_or(FILE_BYTES_MAX);
    if u64::try_from(size).is_ok_and(|size| size > largest) {
        return Some(Text::new(format!("{largest} octets au plus"), format!("at most {largest} bytes")));
    }
    let unknown = kind == "application/octet-stream" && size > 0;
    let fits = |pattern: &String| {
        pattern.strip_suffix("/*").map_or(pattern.eq_ignore_ascii_case(kind), |family| {
            kind.split_once('/').is_some_and(|(found, _)| found.eq_ignore_ascii_case(family))
        })
    };
    if unknown || field.accept.is_empty() || field.accept.iter().any(fits) {
        return None;
    }
    let list = field.accept.join(", ");
    Some(Text::new(format!("types acceptés : {list}"), format!("types accepted: {list}")))
}

/// What is written below a text about files that were not taken.
pub(crate) fn told(refused: &[Refused], left_out: usize, language: Language) -> String {
    let mut lines = String::new();
    for Refused { name, why } in refused {
        let why = why.get(language);
        let line = match language {
            Language::Fr => format!("\n[Pièce jointe refusée : « {name} » – {why}]"),
            Language::En => format!("\n[Attachment refused: “{name}” – {why}]"),
        };
        lines.push_str(&line);
    }
    if left_out > 0 {
        let line = match language {
            Language::Fr => format!("\n[{left_out} pièces jointes en trop n’ont pas été reprises]"),
            Language::En => format!("\n[{left_out} attachments too many were not taken]"),
        };
        lines.push_str(&line);
    }
    lines
}

/// The form of a new request, and the part of its text that had no room in it.
pub(crate) fn form(
    becomes: &Becomes,
    definition: &Definition,
    (subject, text, told): (&str, &str, &str),
    files: Files,
) -> (Map<String, Value>, Option<String>) {
    let mut form = becomes.form.clone();
    let mut words = String::new();
    match &becomes.subject {
        Some(field) if !subject.is_empty() => {
            let (fits, _) = cut(subject, most(definition, field));
            form.insert(field.clone(), fits.into());
        }
        Some(_) => {}
        None if subject.is_empty() || text.starts_with(subject) => {}
        None => words.push_str(subject),
    }
    for part in [text.trim(), told.trim()] {
        if !part.is_empty() && !words.is_empty() {
            words.push_str("\n\n");
        }
        words.push_str(part);
    }
    let (fits, rest) = cut(&words, most(definition, &becomes.text));
    form.insert(becomes.text.clone(), fits.into());
    if let Some(field) = files_field(definition, becomes.files.as_deref())
        && !files.taken.is_empty()
    {
        form.insert(field.field.clone(), files.taken.into());
    }
    (form, rest)
}

fn most(definition: &Definition, name: &str) -> usize {
    let field = definition.form.iter().find(|field| field.field == name);
    let most = field.and_then(|field| field.max_length).unwrap_or(TEXT_MAX);
    usize::try_from(most).unwrap_or(usize::MAX)
}

/// A text with at most `most` characters, and what did not fit.
pub(crate) fn cut(text: &str, most: usize) -> (String, Option<String>) {
    if text.chars().count() <= most {
        return (text.to_owned(), None);
    }
    let end = text.char_indices().nth(most.saturating_sub(4)).map_or(text.len(), |(at, _)| at);
    let (fits, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    (format!("{fits} […]").chars().take(most).collect(), Some(rest.to_owned()))
}

/// What is wrong with what a message is to become, by the process in force.
pub(crate) fn fault(becomes: &Becomes, definition: &Definition, channel: Channel) -> Option<String> {
    let process = &becomes.process;
    if !definition.open_to.contains(&Opener::Citizen) {
        return Some(format!("`{process}` is not open to citizens"));
    }
    if !definition.channels.is_empty() && !definition.channels.contains(&channel) {
        return Some(format!("`{process}` is closed to the channel `{}`", channel.id()));
    }
    let kind = |name: &str| definition.form.iter().find(|field| field.field == name).map(|field| field.kind);
    for name in [Some(&becomes.text), becomes.subject.as_ref()].into_iter().flatten() {
        if kind(name) != Some(FieldType::Text) {
            return Some(format!("`{process}` has no field `{name}` for text"));
        }
    }
    if let Some(name) = &becomes.files
        && kind(name) != Some(FieldType::Files)
    {
        return Some(format!("`{process}` has no field `{name}` for files"));
    }
    if let Some(name) = becomes.form.keys().find(|name| kind(name).is_none()) {
        return Some(format!("`{process}` has no field `{name}`"));
    }
    let given = |name: &String| {
        *name == becomes.text || Some(name) == becomes.subject.as_ref() || becomes.form.contains_key(name)
    };
    let missing = definition.form.iter().find(|field| {
        field.required == Requirement::Always && field.shown_when.is_none() && !given(&field.field)
    });
    missing.map(|field| format!("`{process}` needs `{}`, which nothing gives it", field.field))
}
