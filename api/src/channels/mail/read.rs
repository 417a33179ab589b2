//! Bytes become a mail.

use guichet_engine::rules::text::Language;
use mail_parser::{Addr, Address, HeaderValue, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use sha2::{Digest, Sha256};

use super::automatic::{Automatic, automatic};
use super::report::{Report, report};
use super::{
    ATTACHMENTS_MAX, MAIL_BYTES_MAX, ORNAMENT_BYTES, PARTS_MAX, REFERENCES_MAX, SUBJECT_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX, html,
};

/// Why bytes are not read as a mail. They are kept aside then, never thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Larger than [`MAIL_BYTES_MAX`].
    #[error("the mail is larger than {MAIL_BYTES_MAX} bytes")]
    TooLarge,
    /// More than [`PARTS_MAX`] parts.
    #[error("the mail has more than {PARTS_MAX} parts")]
    TooManyParts,
    /// No headers at all.
    #[error("these bytes are no mail: they have no headers")]
    NoMail,
}

/// Who sent a mail, by its own account: anybody can write any address there.
#[derive(Clone, PartialEq, Eq)]
pub struct Sender {
    /// The name shown.
    pub name: Option<String>,
    /// The address.
    pub address: String,
}

/// Never prints who it is.
impl std::fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Sender(…)")
    }
}

/// A file in a mail.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, without folders; made up where there is none.
    pub name: String,
    /// Its media type by its own account.
    pub kind: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Never prints its name.
impl std::fmt::Debug for Attachment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Attachment({}, {} bytes)", self.kind, self.bytes.len())
    }
}

/// A mail, as far as it matters here.
#[derive(Clone)]
pub struct Mail {
    /// Its id without brackets; the SHA-256 of its bytes where it has none.
    pub id: String,
    /// Who sent it.
    pub from: Option<Sender>,
    /// Where answers are to go, if it says so.
    pub reply_to: Option<Sender>,
    /// The addresses it went to, in lower case: `To`, `Cc`, and what servers noted on delivery.
    pub to: Vec<String>,
    /// Its subject, on one line; may be empty.
    pub subject: String,
    /// Its text, quotations and signature included; may be empty.
    pub text: String,
    /// The ids of the mails that it answers, the nearest first.
    pub answers: Vec<String>,
    /// Its files, real attachments first.
    pub attachments: Vec<Attachment>,
    /// Files beyond the limit, which were not taken.
    pub left_out: usize,
    /// Whether a program wrote it.
    pub automatic: Option<Automatic>,
    /// Whether it reports that a mail of ours did not arrive.
    pub report: Option<Report>,
    /// The servers that it passed.
    pub hops: usize,
    /// What servers found out about its sender (`Authentication-Results`, RFC 8601), the last server first.
    pub authentication: Vec<String>,
    /// Whether a filter before us calls it spam.
    pub spam: bool,
    /// The language it says it is written in.
    pub language: Option<Language>,
}

/// Never prints what it says.
impl std::fmt::Debug for Mail {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Mail({} attachments, {:?})", self.attachments.len(), self.automatic)
    }
}

/// Reads `bytes` as a mail (RFC 5322, MIME). What is broken in it is read as well as it can be.
///
/// # Errors
/// [`Unreadable`].
pub fn read(bytes: &[u8]) -> Result<Mail, Unreadable> {
    if bytes.len() > MAIL_BYTES_MAX {
        return Err(Unreadable::TooLarge);
    }
    // Before anything is built: a part begins with a header of this name, or it has no type that could nest.
    if count_ignoring_case(bytes, b"content-type") > PARTS_MAX {
        return Err(Unreadable::TooManyParts);
    }
    let message = MessageParser::default().parse(bytes).ok_or(Unreadable::NoMail)?;
    if message.parts.len() > PARTS_MAX {
        return Err(Unreadable::TooManyParts);
    }
    if message.parts.first().is_none_or(|root| root.headers.is_empty()) {
        return Err(Unreadable::NoMail);
    }
    Ok(mail(&message, bytes))
}

fn mail(message: &Message<'_>, bytes: &[u8]) -> Mail {
    let from = message.from().and_then(sender);
    let subject = one_line(message.subject().unwrap_or_default(), SUBJECT_CHARACTERS_MAX);
    let automatic = automatic(message, from.as_ref().map(|from| from.address.as_str()), &subject);
    let server = matches!(automatic, Some(Automatic::NullSender | Automatic::Daemon));
    let (attachments, left_out) = attachments(message);
    let id = message.message_id().map(str::trim).filter(|id| !id.is_empty() && id.len() <= 998);
    Mail {
        id: id.map_or_else(|| digest(bytes), str::to_owned),
        reply_to: message.reply_to().and_then(sender),
        to: recipients(message),
        text: text(message),
        answers: answers(message),
        report: report(message, server),
        hops: message.headers_raw().filter(|(name, _)| name.eq_ignore_ascii_case("received")).count(),
        authentication: raw(message, "authentication-results"),
        spam: raw(message, "x-spam-flag").iter().any(|flag| flag.trim().eq_ignore_ascii_case("yes")),
        language: language(message),
        from,
        subject,
        attachments,
        left_out,
        automatic,
    }
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().fold(String::from("sha256-"), |text, byte| format!("{text}{byte:02x}"))
}

fn count_ignoring_case(bytes: &[u8], needle: &[u8]) -> usize {
    bytes.windows(needle.len()).filter(|window| window.eq_ignore_ascii_case(needle)).count()
}

/// The values of a header, as they stand.
fn raw(message: &Message<'_>, name: &str) -> Vec<String> {
    let found = message.headers_raw().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    found.take(20).map(|(_, value)| value.chars().take(4_000).collect()).collect()
}

fn sender(address: &Address<'_>) -> Option<Sender> {
    let first: &Addr<'_> = address.first()?;
    let written = first.address.as_deref()?.trim();
    let plausible = written.len() <= 254
        && written.contains('@')
        && !written.contains(|symbol: char| symbol.is_control() || symbol.is_whitespace());
    let name = first.name.as_deref().map(|name| one_line(name, 200)).filter(|name| !name.is_empty());
    plausible.then(|| Sender { name, address: written.to_owned() })
}

fn recipients(message: &Message<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let named = [message.to(), message.cc()];
    for address in named.into_iter().flatten().flat_map(Address::iter).take(200) {
        found.extend(address.address.as_deref().map(|address| address.trim().to_lowercase()));
    }
    for name in ["delivered-to", "x-original-to", "envelope-to"] {
        let values = raw(message, name).into_iter();
        found.extend(values.map(|value| value.trim().trim_matches(['<', '>']).to_lowercase()));
    }
    found
}

/// The ids that a mail answers: `In-Reply-To`, then `References` from its end.
fn answers(message: &Message<'_>) -> Vec<String> {
    let mut ids = ids(message.in_reply_to());
    let mut references = self::ids(message.references());
    references.reverse();
    ids.extend(references);
    ids.truncate(REFERENCES_MAX);
    ids
}

fn ids(value: &HeaderValue<'_>) -> Vec<String> {
    let clean = |text: &str| text.trim().trim_matches(['<', '>']).to_owned();
    match value {
        HeaderValue::Text(text) => vec![clean(text)],
        HeaderValue::TextList(texts) => texts.iter().map(|text| clean(text)).collect(),
        HeaderValue::Address(_)
        | HeaderValue::DateTime(_)
        | HeaderValue::ContentType(_)
        | HeaderValue::Received(_)
        | HeaderValue::Empty => Vec::new(),
    }
}

fn language(message: &Message<'_>) -> Option<Language> {
    let said = raw(message, "content-language").into_iter().chain(raw(message, "accept-language"));
    said.flat_map(|value| value.split(',').map(|code| code.trim().to_owned()).collect::<Vec<_>>())
        .find_map(|code| Language::from_code(code.split(';').next().unwrap_or_default()))
}

/// The text: the plain parts, or where there is none the words of the pages.
fn text(message: &Message<'_>) -> String {
    let mut out = String::new();
    for id in &message.text_body {
        let Some(part) = part(message, *id).filter(|part| is_words(part)) else { continue };
        let words = match &part.body {
            PartType::Text(text) => text.replace("\r\n", "\n"),
            PartType::Html(page) => {
                html::to_text(&page.chars().take(4 * TEXT_CHARACTERS_MAX).collect::<String>())
            }
            PartType::Binary(_)
            | PartType::InlineBinary(_)
            | PartType::Message(_)
            | PartType::Multipart(_) => {
                continue;
            }
        };
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        out.extend(words.trim().chars().filter(|symbol| is_harmless(*symbol)));
        if out.len() > 4 * TEXT_CHARACTERS_MAX {
            break;
        }
    }
    out.chars().take(TEXT_CHARACTERS_MAX).collect()
}

/// Control characters and those that turn the direction of writing around have no business in a request.
fn is_harmless(symbol: char) -> bool {
    matches!(symbol, '\n' | '\t')
        || !(symbol.is_control()
            || matches!(symbol, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{200b}'))
}

fn part<'m, 'x>(message: &'m Message<'x>, id: u32) -> Option<&'m MessagePart<'x>> {
    message.parts.get(usize::try_from(id).ok()?)
}

/// Whether a part is read as text: calendars and cards are texts to MIME, and files to people.
fn is_words(part: &MessagePart<'_>) -> bool {
    part.content_type().is_none_or(|kind| {
        let (kind, below) = (&kind.c_type, kind.c_subtype.as_deref().unwrap_or("plain"));
        kind.eq_ignore_ascii_case("text")
            && ["plain", "html", "enriched", "markdown"].iter().any(|known| known.eq_ignore_ascii_case(below))
    })
}

fn attachments(message: &Message<'_>) -> (Vec<Attachment>, usize) {
    let bodies = message.text_body.iter().chain(&message.html_body);
    let mut places: Vec<u32> = message.attachments.clone();
    // A text that is a file to people, such as an invitation beside the words.
    for id in bodies {
        let file =
            part(message, *id).is_some_and(|part| matches!(part.body, PartType::Text(_)) && !is_words(part));
        if file && !places.contains(id) {
            places.push(*id);
        }
    }
    let mut inline = Vec::new();
    let mut found = Vec::new();
    for id in places {
        let Some(part) = part(message, id) else { continue };
        let bytes: Vec<u8> = match &part.body {
            PartType::Text(text) | PartType::Html(text) => text.as_bytes().to_vec(),
            PartType::Binary(bytes) | PartType::InlineBinary(bytes) => bytes.to_vec(),
            PartType::Message(inner) => inner.raw_message.to_vec(),
            PartType::Multipart(_) => continue,
        };
        let shown = matches!(part.body, PartType::InlineBinary(_)) || part.content_id().is_some();
        if bytes.is_empty() || (shown && bytes.len() < ORNAMENT_BYTES) {
            continue;
        }
        let file = Attachment { name: name(part, found.len() + inline.len() + 1), kind: kind(part), bytes };
        if shown { inline.push(file) } else { found.push(file) }
    }
    found.append(&mut inline);
    let left_out = found.len().saturating_sub(ATTACHMENTS_MAX);
    found.truncate(ATTACHMENTS_MAX);
    (found, left_out)
}

fn kind(part: &MessagePart<'_>) -> String {
    let Some(kind) = part.content_type() else { return "application/octet-stream".into() };
    let below = kind.c_subtype.as_deref().unwrap_or("octet-stream");
    let written = format!("{}/{below}", kind.c_type).to_ascii_lowercase();
    let known = |symbol: char| symbol.is_ascii_alphanumeric() || "/.+-_".contains(symbol);
    if written.len() <= 127 && written.chars().all(known) {
        written
    } else {
        "application/octet-stream".into()
    }
}

/// The name of a file: its last part, on one line, without what a file system or a header could take for something else.
fn name(part: &MessagePart<'_>, number: usize) -> String {
    let given = part.attachment_name().unwrap_or_default();
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = one_line(last, 120).chars().filter(|c| !"<>:\"|?*".contains(*c)).collect();
    let clean = clean.trim_matches(['.', ' ']).to_owned();
    if !clean.is_empty() {
        return clean;
    }
    let ending = match kind(part).as_str() {
        "image/jpeg" => ".jpg",
        "image/png" => ".png",
        "application/pdf" => ".pdf",
        "text/calendar" => ".ics",
        "message/rfc822" => ".eml",
        _ => "",
    };
    format!("piece-{number}{ending}")
}

/// `text` on one line, without control characters, cut to `most` characters.
fn one_line(text: &str, most: usize) -> String {
    let words = text.split(|symbol: char| symbol.is_whitespace() || symbol.is_control());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    line.chars().filter(|symbol| is_harmless(*symbol)).take(most).collect()
}
