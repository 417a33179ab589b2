//! What a file is by its bytes, whatever its sender and its name say.

use super::error::AttachmentError;

/// What is taken unless the settings say otherwise. Pages, drawings with scripts and programs are not among them, nor
/// photos of kinds whose position cannot be taken out (HEIC, AVIF): telephones send JPEG when a form asks for it.
pub const KINDS_TAKEN: [&str; 25] = [
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/gif",
    "image/tiff",
    "application/pdf",
    "text/plain",
    "text/csv",
    "application/rtf",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
    "audio/mpeg",
    "audio/ogg",
    "audio/x-wav",
    "audio/m4a",
    "audio/amr",
    "video/mp4",
    "video/quicktime",
];
/// How much of a file's beginning and end is looked at, in bytes.
pub(crate) const LOOKED_AT: usize = 64 * 1024;
/// What nobody knows.
const UNKNOWN: &str = "application/octet-stream";
/// What begins like a page, a drawing or a feed.
const MARKUP: &str = "text/html";

/// The media type of a file by its first and last bytes, checked against what its sender says.
pub(crate) fn kind_of(
    head: &[u8],
    tail: &[u8],
    declared: Option<&str>,
    taken: &[String],
) -> Result<String, AttachmentError> {
    let said = declared.map(plain).filter(|said| !said.is_empty() && said != UNKNOWN);
    let found = sniffed(head, tail, said.as_deref());
    if !taken.contains(&found) {
        return Err(AttachmentError::Refused { kind: found });
    }
    if let Some(said) = said.filter(|said| *said != found) {
        // Repeated to the sender as far as it is a media type at all.
        let declared = said.chars().filter(|c| c.is_ascii_alphanumeric() || "/.+-".contains(*c)).take(100);
        return Err(AttachmentError::Lies { declared: declared.collect(), found });
    }
    Ok(found)
}

/// A media type without parameters, by the name that is used here.
fn plain(kind: &str) -> String {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let usual = match kind.as_str() {
        "image/jpg" | "image/pjpeg" => "image/jpeg",
        "image/x-png" => "image/png",
        "application/x-pdf" => "application/pdf",
        "text/rtf" => "application/rtf",
        "audio/mp3" => "audio/mpeg",
        "audio/wav" | "audio/wave" | "audio/vnd.wave" => "audio/x-wav",
        "audio/mp4" | "audio/x-m4a" => "audio/m4a",
        "application/csv" => "text/csv",
        other => other,
    };
    usual.to_owned()
}

fn sniffed(head: &[u8], tail: &[u8], said: Option<&str>) -> String {
    if is_markup(head) {
        return MARKUP.to_owned();
    }
    let known = infer::get(head).map(|known| plain(known.mime_type()));
    match known.as_deref() {
        Some("application/pdf") => pdf(head, tail),
        Some("application/zip" | "application/epub+zip") => zipped(head, tail, said).to_owned(),
        Some("application/x-ole-storage") => old_office(said).to_owned(),
        Some(known) => known.to_owned(),
        None if is_text(head) && is_text(tail) => match said {
            Some("text/csv") => "text/csv".to_owned(),
            Some(_) | None => "text/plain".to_owned(),
        },
        None => UNKNOWN.to_owned(),
    }
}

/// Whether a browser could take it for a page or a drawing: after a byte-order mark and blanks, it opens a bracket.
fn is_markup(head: &[u8]) -> bool {
    let wide = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    let first = head.iter().filter(|byte| !(wide && matches!(**byte, 0 | 0xff | 0xfe)));
    let text: Vec<u8> = first.copied().take(4096).collect();
    let text = text.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(&text).trim_ascii_start();
    let small = text.to_ascii_lowercase();
    small.starts_with(b"<")
        || [&b"<svg"[..], b"<html", b"<script", b"<!doctype"].iter().any(|tag| holds(&small, tag))
}

/// A PDF that is an archive as well, or does not end as one, is taken for what it hides.
fn pdf(head: &[u8], tail: &[u8]) -> String {
    if holds(tail, b"PK\x05\x06") {
        return "application/zip".to_owned();
    }
    let ends = holds(tail, b"%%EOF") && head.starts_with(b"%PDF-");
    if ends { "application/pdf".to_owned() } else { UNKNOWN.to_owned() }
}

/// An office document by what its archive holds; any other archive stays one.
fn zipped(head: &[u8], tail: &[u8], said: Option<&str>) -> &'static str {
    let office = "application/vnd.openxmlformats-officedocument.";
    let has = |part: &[u8]| holds(head, part) || holds(tail, part);
    let open = |kind: &str| has(format!("mimetypeapplication/vnd.oasis.opendocument.{kind}PK").as_bytes());
    let known = KINDS_TAKEN.into_iter().filter(|kind| kind.starts_with(office) || kind.contains(".oasis."));
    let fits = |kind: &&'static str| match *kind {
        kind if kind.ends_with("wordprocessingml.document") => has(b"word/document.xml"),
        kind if kind.ends_with("spreadsheetml.sheet") => has(b"xl/workbook.xml"),
        kind if kind.ends_with("presentationml.presentation") => has(b"ppt/presentation.xml"),
        kind => kind.rsplit('.').next().is_some_and(open),
    };
    let mut found = known.filter(fits);
    let first = found.next();
    // Where more than one fits, the sender knows.
    first.into_iter().chain(found).find(|kind| Some(*kind) == said).or(first).unwrap_or("application/zip")
}

/// Documents of old word processors all look alike from outside.
fn old_office(said: Option<&str>) -> &'static str {
    let kinds = ["application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"];
    kinds.into_iter().find(|kind| Some(*kind) == said).unwrap_or("application/msword")
}

/// No control characters but those that texts have; whatever its alphabet.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte >= 0x20 || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c))
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8], declared: Option<&str>) -> Result<String, String> {
        let taken: Vec<String> = KINDS_TAKEN.iter().map(|kind| (*kind).to_owned()).collect();
        kind_of(bytes, bytes, declared, &taken).map_err(|error| error.to_string())
    }

    #[test]
    fn a_type_is_what_the_bytes_say() {
        assert_eq!(kind(b"Bonjour, \xe0 demain", None).unwrap(), "text/plain");
        assert_eq!(kind(b"a;b\n1;2\n", Some("text/csv; charset=utf-8")).unwrap(), "text/csv");
        assert_eq!(kind(b"%PDF-1.7\n...\n%%EOF\n", Some("application/x-pdf")).unwrap(), "application/pdf");
        assert_eq!(kind(b"\xff\xd8\xff\xe0....", Some("image/jpg")).unwrap(), "image/jpeg");
    }

    #[test]
    fn lies_are_refused() {
        let lie = kind(b"%PDF-1.7\n%%EOF", Some("image/jpeg")).unwrap_err();
        assert!(lie.contains("`image/jpeg` and is `application/pdf`"), "{lie}");
        assert!(kind(b"just text", Some("application/pdf")).unwrap_err().contains("is `text/plain`"));
    }

    #[test]
    fn pages_drawings_programs_and_polyglots_are_refused_whatever_they_are_called() {
        let wide: Vec<u8> = "\u{feff}<svg>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [
            &b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>"[..],
            b"\xef\xbb\xbf  <!DOCTYPE html><script>x()</script>",
            b"just a note <script>x()</script>",
            &wide,
            b"MZ\x90\x00\x03\x00\x00\x00\x04",
            b"\x7fELF\x02\x01\x01",
            b"#!/bin/sh\nrm -rf /",
            b"%PDF-1.7\n%%EOF\nPK\x05\x06",
            b"%PDF-1.7\nhalf of it",
            b"PK\x03\x04 a bomb perhaps",
            b"\x00\x01\x02\x03",
        ] {
            for declared in [None, Some("image/png"), Some("text/plain")] {
                let told = kind(bytes, declared).unwrap_err();
                assert!(told.contains("are not taken"), "{told} for {:?}", String::from_utf8_lossy(bytes));
            }
        }
    }

    #[test]
    fn office_documents_are_told_from_archives() {
        let open = b"PK\x03\x04....mimetypeapplication/vnd.oasis.opendocument.textPK\x03\x04";
        assert_eq!(kind(open, None).unwrap(), "application/vnd.oasis.opendocument.text");
        let words = b"PK\x03\x04....[Content_Types].xml....PK\x01\x02...word/document.xml";
        let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        assert_eq!(kind(words, Some(docx)).unwrap(), docx);
    }
}
