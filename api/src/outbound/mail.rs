//! A message as an Internet mail. Headers are built by `lettre`, which encodes or refuses what does not belong there.

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::{Address, Message};

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
        .header(AutoSubmitted)
        .header(ContentType::TEXT_PLAIN);
    builder.body(format!("{}\n", message.text)).map_err(|error| SendError::Never(error.to_string()))
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
    }

    #[test]
    fn nothing_can_be_smuggled_into_the_headers() {
        let mut message = sample();
        message.subject = "Bonjour\r\nBcc: tous@exemple.example\n\nfaux corps".into();
        message.from_name = "Ville\r\nReply-To: x@y.example".into();
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
