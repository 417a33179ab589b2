//! Reports of mail servers that a mail of ours did not arrive (RFC 3464).

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

/// What a mail server reports about a mail of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whether it gave up; otherwise it still tries.
    pub failed: bool,
    /// The status (RFC 3463), such as `5.1.1`, where it says one.
    pub status: Option<String>,
    /// The ids of the mails that it is about.
    pub about: Vec<String>,
}

/// The report in `message`, if it is one: by its form, or by coming from a mail server with the mail that came back.
pub(super) fn report(message: &Message<'_>, from_server: bool) -> Option<Report> {
    let root = message.parts.first()?;
    let formal = root.is_content_type("multipart", "report");
    if !formal && !from_server {
        return None;
    }
    let mut report = Report { failed: !formal, status: None, about: Vec::new() };
    for part in message.parts.iter().skip(1) {
        if part.is_content_type("message", "delivery-status") {
            read_status(&mut report, &words(&part.body));
        } else if let PartType::Message(inner) = &part.body {
            report.about.extend(inner.message_id().map(str::to_owned));
        } else if part.is_content_type("text", "rfc822-headers") {
            let text = format!("{}\r\n\r\n", words(&part.body));
            // The last line of the part may be its last header.
            let inner = MessageParser::default().parse_headers(text.as_bytes());
            report.about.extend(inner.and_then(|inner| inner.message_id().map(str::to_owned)));
        }
    }
    (formal || !report.about.is_empty()).then_some(report)
}

fn words(body: &PartType<'_>) -> String {
    match body {
        PartType::Text(text) | PartType::Html(text) => text.to_string(),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        PartType::Message(_) | PartType::Multipart(_) => String::new(),
    }
}

fn read_status(report: &mut Report, text: &str) {
    for line in text.lines().take(200) {
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        if name.eq_ignore_ascii_case("action") {
            report.failed |= value.eq_ignore_ascii_case("failed");
        } else if name.eq_ignore_ascii_case("status") {
            let digits: String =
                value.chars().take_while(|c| c.is_ascii_digit() || *c == '.').take(11).collect();
            report.status = Some(digits).filter(|digits| !digits.is_empty());
        }
    }
}
