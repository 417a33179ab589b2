//! A message as an Internet mail: plain text and the same as HTML (`multipart/alternative`). Headers are built by `lettre`,
//! which encodes or refuses what does not belong there. The same message always gives the same bytes.

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MessageBuilder, MultiPart, MultiPartKind, SinglePart};
use lettre::{Address, Message};

use super::html::html;
use super::render::one_line;
use super::{OutMessage, SendError};

/// Says that a program wrote this, so that programs that answer by themselves stay silent (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Where whoever gets it says that they want no more (RFC 2369).
#[derive(Clone)]
struct ListUnsubscribe(String);

impl Header for ListUnsubscribe {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), format!("<{}>", self.0))
    }
}

/// Says that a `POST` to that address alone is enough (RFC 8058).
#[derive(Clone)]
struct OneClick;

impl Header for OneClick {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe-Post")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "List-Unsubscribe=One-Click".to_owned())
    }
}

/// An address as it may stand in a header: written anew by the parser of addresses, so that nothing else comes along.
fn unsubscribe(text: &str) -> Option<ListUnsubscribe> {
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    let written = url.as_str();
    (written.is_ascii() && !written.contains(['<', '>', ' ', ',']))
        .then(|| ListUnsubscribe(written.to_owned()))
}

/// `message` as a mail.
///
/// # Errors
/// [`SendError::Never`] when an address cannot be one.
pub(super) fn mail(message: &OutMessage) -> Result<Message, SendError> {
    let to: Address = address(&message.to, "the recipient's address is not one")?;
    let from: Address = address(&message.from, "the collectivity's address is not one")?;
    let domain = from.domain().to_owned();
    let name = one_line(&message.from_name);
    let builder: MessageBuilder = Message::builder()
        .message_id(Some(format!("<{}@{domain}>", message.id)))
        .date(message.at.into())
        .from(Mailbox::new((!name.is_empty()).then_some(name), from))
        .to(Mailbox::new(None, to))
        .subject(one_line(&message.subject))
        .header(AutoSubmitted);
    let builder = match thread(&message.thread, &domain) {
        Some(root) => builder.references(root),
        None => builder,
    };
    let builder = match message.unsubscribe.as_deref().and_then(unsubscribe) {
        Some(header) => builder.header(header).header(OneClick),
        None => builder,
    };
    let page = html(&one_line(&message.subject), &message.text, message.language, &message.link);
    let part = |kind, body: String| SinglePart::builder().header(kind).body(body);
    let parts = MultiPart::builder()
        .kind(MultiPartKind::Alternative)
        .boundary(boundary(&message.id))
        .singlepart(part(ContentType::TEXT_PLAIN, format!("{}\n", message.text)))
        .singlepart(part(ContentType::TEXT_HTML, page));
    builder.multipart(with_files(message, parts)).map_err(|error| SendError::Never(error.to_string()))
}

/// The text with the files behind it; the text alone where there are none.
fn with_files(message: &OutMessage, text: MultiPart) -> MultiPart {
    if message.files.is_empty() {
        return text;
    }
    let mixed =
        MultiPart::builder().kind(MultiPartKind::Mixed).boundary(boundary(&format!("{}.f", message.id)));
    message.files.iter().fold(mixed.multipart(text), |mixed, file| {
        // What cannot be the name of a type is bytes.
        let kind = ContentType::parse(&file.kind).or_else(|_| ContentType::parse("application/octet-stream"));
        let kind = kind.unwrap_or(ContentType::TEXT_PLAIN);
        mixed.singlepart(Attachment::new(one_line(&file.name)).body(file.bytes.to_vec(), kind))
    })
}

/// The message that all of a request refer to. It never was sent; programs that sort mails need no more than its name.
fn thread(thread: &str, domain: &str) -> Option<String> {
    let plain = |symbol: char| symbol.is_ascii_alphanumeric() || "-.".contains(symbol);
    (!thread.is_empty() && thread.chars().all(plain)).then(|| format!("<{thread}@{domain}>"))
}

/// What parts the two forms: no line of either begins with it, and it is the same whenever the mail is made.
fn boundary(id: &str) -> String {
    let plain: String = id.chars().filter(char::is_ascii_alphanumeric).take(48).collect();
    format!("=_guichet_{plain}")
}

fn address(text: &str, wrong: &str) -> Result<Address, SendError> {
    text.trim().parse().map_err(|_| SendError::Never(wrong.to_owned()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::outbound::Means;

    pub(in crate::outbound) fn sample() -> OutMessage {
        OutMessage {
            id: "0198c6a2-0000-7000-8000-0000000000ab.3-0".into(),
            means: Means::Email,
            to: "jeanne@exemple.example".into(),
            from: "bonjour@ville.example".into(),
            from_name: "Ville de Châlons-en-Champagne".into(),
            subject: "Nous avons bien reçu votre demande".into(),
            text: "Bonjour,\n\nMerci.\n.\nÀ bientôt.".into(),
            at: "2026-11-03T16:00:00Z".parse().unwrap(),
            language: guichet_engine::rules::text::Language::Fr,
            thread: "0198c6a2-0000-7000-8000-0000000000ab".into(),
            link: "https://ville.example/suivi".into(),
            files: Vec::new(),
            unsubscribe: None,
        }
    }

    #[test]
    fn the_same_effect_gives_the_same_mail() {
        let (first, second) = (mail(&sample()).unwrap(), mail(&sample()).unwrap());
        assert_eq!(first.formatted(), second.formatted());
        let text = String::from_utf8(first.formatted()).unwrap();
        assert!(
            text.contains("Message-ID: <0198c6a2-0000-7000-8000-0000000000ab.3-0@ville.example>"),
            "{text}"
        );
        assert!(text.contains("Auto-Submitted: auto-generated"), "{text}");
        assert!(text.contains("Tue, 03 Nov 2026"), "{text}");
        assert!(text.contains("References: <0198c6a2-0000-7000-8000-0000000000ab@ville.example>"), "{text}");
    }

    #[test]
    fn a_parser_that_nobody_here_wrote_finds_both_forms() {
        let mut message = sample();
        message.text = "Bonjour <b>Jeanne</b>,\n\nSuivi : https://ville.example/suivi".into();
        message.unsubscribe = Some("https://ville.example/desabonnement?jeton=1".into());
        let bytes = mail(&message).unwrap().formatted();
        let parsed = mail_parser::MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(parsed.body_text(0).unwrap().trim().replace("\r\n", "\n"), message.text);
        let page = parsed.body_html(0).unwrap();
        assert!(
            page.contains("&lt;b&gt;Jeanne&lt;/b&gt;")
                && page.contains("<a href=\"https://ville.example/suivi\">")
        );
        assert_eq!(parsed.parts.len(), 3, "two forms of one text");
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("List-Unsubscribe: <https://ville.example/desabonnement?jeton=1>"), "{text}");
    }

    #[test]
    fn files_go_along_and_the_same_mail_has_the_same_bytes() {
        let mut message = sample();
        let file = |name: &str, kind: &str| crate::outbound::OutFile {
            name: name.into(),
            kind: kind.into(),
            bytes: b"%PDF-1.4 un trou".as_slice().into(),
        };
        message.files =
            vec![file("bordereau.pdf", "application/pdf"), file("l’été\r\nBcc: x@y.example.jpg", "no type")];
        let bytes = mail(&message).unwrap().formatted();
        assert_eq!(bytes, mail(&message).unwrap().formatted());
        let parsed = mail_parser::MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(parsed.body_text(0).unwrap().trim().replace("\r\n", "\n"), message.text);
        use mail_parser::MimeHeaders;
        let files: Vec<_> = parsed.attachments().collect();
        assert_eq!(files.iter().map(|file| file.contents()).collect::<Vec<_>>(), [b"%PDF-1.4 un trou"; 2]);
        assert_eq!(files[0].attachment_name(), Some("bordereau.pdf"));
        assert!(files[1].attachment_name().unwrap().starts_with("l’été"), "{:?}", files[1].attachment_name());
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
    }

    #[test]
    fn nothing_can_be_smuggled_into_the_headers() {
        let mut message = sample();
        message.subject = "Bonjour\r\nBcc: tous@exemple.example\n\nfaux corps".into();
        message.from_name = "Ville\r\nReply-To: x@y.example".into();
        message.thread = "a@b>\r\nBcc: x@y.example".into();
        message.unsubscribe = Some("https://a.example/>\r\nBcc: x@y.example".into());
        let text = String::from_utf8(mail(&message).unwrap().formatted()).unwrap();
        let headers = text.split("\r\n\r\n").next().unwrap();
        let starts_a_header = |name: &str| headers.lines().any(|line| line.starts_with(name));
        assert!(!starts_a_header("Bcc"), "{headers}");
        assert!(!starts_a_header("Reply-To"), "{headers}");
        for bad in
            ["a@b.example\r\nBcc: x@y.example", "a@b.example, x@y.example", "<a@b.example>", "", "a b@c.d"]
        {
            message.to = bad.into();
            assert!(matches!(mail(&message), Err(SendError::Never(_))), "{bad:?}");
        }
    }
}
