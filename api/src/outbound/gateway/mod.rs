//! Text messages and social messages through gateways that speak HTTP: whatever their method, headers and body, described in
//! the settings (`[messages.sms]`, `[messages.social]`).

mod length;
mod template;

use async_trait::async_trait;
use guichet_engine::rules::request::SocialAddress;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;

use super::{Means, OutMessage, Outbound, SendError};
use crate::outgoing::{Answer, Call, CallError, Outgoing, Reach};
use crate::settings::messages::SmsGateway;

pub use length::{Alphabet, SEGMENTS_MAX, cut_to, measure, transliterated};
pub use template::{Filled, TEMPLATE_DEPTH_MAX, filled};

/// The largest answer of a gateway that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The longest id of a gateway's own, in bytes.
pub const CARRIER_ID_BYTES_MAX: usize = 200;
/// The largest file with a secret, in bytes.
const SECRET_BYTES_MAX: u64 = 16 * 1024;
/// The longest telephone number, in digits (ITU-T E.164).
const NUMBER_DIGITS_MAX: usize = 15;
/// The shortest number that is called, in digits: short codes of emergency services have fewer.
const NUMBER_DIGITS_MIN: usize = 6;

/// Why a gateway cannot be used. No word of a secret stands in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// The address is none.
    #[error(
        "[messages.sms] url: it must be an address that begins with http:// or https://, without a password"
    )]
    Address,
    /// Messages would stand in addresses, which everybody on the way logs.
    #[error("[messages.sms] method: POST or PUT")]
    Method,
    /// A header cannot be one.
    #[error("[messages.sms] header `{0}`: it cannot be a header")]
    Header(String),
    /// A file with a secret cannot be read.
    #[error("[messages.sms] header_files `{header}`: {reason}")]
    Secret {
        /// The header that it is for.
        header: String,
        /// What is wrong.
        reason: String,
    },
    /// The body is described twice, or not at all, or wrongly.
    #[error("[messages.sms] {0}")]
    Body(String),
}

/// How the body is written.
#[derive(Clone)]
enum Body {
    Json(Value),
    Form(Vec<(String, String)>),
}

/// Sends text messages, or social messages, through a gateway. E-mails are none of its business.
#[derive(Clone)]
pub struct GatewayOutbound {
    outgoing: Outgoing,
    method: Method,
    url: Url,
    headers: Vec<(String, String)>,
    body: Body,
    settings: SmsGateway,
    means: Means,
}

/// Never prints the address or a header: both may hold secrets.
impl std::fmt::Debug for GatewayOutbound {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("GatewayOutbound")
    }
}

impl GatewayOutbound {
    /// As the settings say. Nobody is called before the first message.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn new(settings: &SmsGateway, outgoing: Outgoing) -> Result<Self, GatewayError> {
        let url = Url::parse(&settings.url).map_err(|_| GatewayError::Address)?;
        if !matches!(url.scheme(), "http" | "https") || url.password().is_some() {
            return Err(GatewayError::Address);
        }
        let method = match settings.method.as_str() {
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            _ => return Err(GatewayError::Method),
        };
        let body = match (&settings.json, settings.form.is_empty()) {
            (Some(text), true) => Body::Json(template::json(text).map_err(GatewayError::Body)?),
            (None, false) => Body::Form(settings.form.clone().into_iter().collect()),
            _ => return Err(GatewayError::Body("either `json` or `form` must say what is sent".into())),
        };
        let mut headers: Vec<(String, String)> = settings.headers.clone().into_iter().collect();
        for (header, path) in &settings.header_files {
            let reason = |reason: String| GatewayError::Secret { header: header.clone(), reason };
            let size = std::fs::metadata(path).map_err(|error| reason(error.kind().to_string()))?.len();
            if size > SECRET_BYTES_MAX {
                return Err(reason("the file is too large".into()));
            }
            let text = std::fs::read_to_string(path).map_err(|error| reason(error.kind().to_string()))?;
            headers.push((header.clone(), text.trim_end_matches(['\r', '\n']).to_owned()));
        }
        let fits = |(name, value): &&(String, String)| {
            HeaderName::try_from(name.as_str()).is_ok() && HeaderValue::try_from(value.as_str()).is_ok()
        };
        if let Some((name, _)) = headers.iter().find(|header| !fits(header)) {
            return Err(GatewayError::Header(name.clone()));
        }
        Ok(Self { outgoing, method, url, headers, body, settings: settings.clone(), means: Means::Sms })
    }

    /// The same for social messages (`[messages.social]`).
    ///
    /// # Errors
    /// [`GatewayError`].
    pub fn social(settings: &SmsGateway, outgoing: Outgoing) -> Result<Self, GatewayError> {
        Ok(Self { means: Means::Social, ..Self::new(settings, outgoing)? })
    }

    /// What a social message names so that the network puts it into its conversation.
    fn in_conversation(&self, message: &OutMessage) -> Result<Call, SendError> {
        let to: SocialAddress = serde_json::from_str(&message.to)
            .map_err(|_| SendError::Never("the conversation is not one".into()))?;
        let most = self.settings.characters_max;
        let text = if message.text.chars().count() > most {
            let cut: String = message.text.chars().take(most.saturating_sub(1)).collect();
            format!("{}…", cut.trim_end())
        } else {
            message.text.clone()
        };
        Ok(self.filled(&Filled {
            to: &to.author,
            text: &text,
            from: &self.settings.sender,
            id: &message.id,
            thread: &to.thread,
            platform: &to.platform,
        }))
    }

    fn call(&self, message: &OutMessage) -> Result<Call, SendError> {
        if self.means == Means::Social {
            return self.in_conversation(message);
        }
        let to = number(&message.to, self.settings.country_code.as_deref())
            .ok_or_else(|| SendError::Never("the recipient's number is not one".into()))?;
        let text =
            if self.settings.transliterate { transliterated(&message.text) } else { message.text.clone() };
        let text = cut_to(&text, self.settings.segments_max);
        let (from, id) = (self.settings.sender.as_str(), message.id.as_str());
        Ok(self.filled(&Filled { to: &to, text: &text, from, id, thread: "", platform: "" }))
    }

    /// The call with what the operator described, filled in.
    fn filled(&self, filled: &Filled<'_>) -> Call {
        let mut call = Call::new(self.method.clone(), self.url.clone());
        call.answer_bytes_max = ANSWER_BYTES_MAX;
        for (name, value) in &self.headers {
            call = call.header(name, template::words(value, filled));
        }
        match &self.body {
            Body::Json(value) => {
                let bytes = serde_json::to_vec(&template::filled(value, filled)).unwrap_or_default();
                call.header("content-type", "application/json").body(bytes)
            }
            Body::Form(fields) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in fields {
                    form.append_pair(name, &template::words(value, filled));
                }
                call.header("content-type", "application/x-www-form-urlencoded").body(form.finish())
            }
        }
    }

    fn judge(&self, answer: &Answer) -> Result<(), SendError> {
        let words = format!("the gateway answered {}", answer.status);
        if self.settings.success.contains(&answer.status) {
            return self.accepted(&answer.body);
        }
        match answer.status {
            408 | 425 | 429 | 500.. => Err(SendError::Later(words)),
            _ => Err(SendError::Never(words)),
        }
    }

    /// The gateway's own id of the message, where the settings say where its answer holds it.
    fn carrier_id(&self, body: &[u8]) -> Option<String> {
        let place = self.settings.id_at.as_ref()?;
        let answer: Value = serde_json::from_slice(body).ok()?;
        let id = match answer.pointer(place)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        (1..=CARRIER_ID_BYTES_MAX).contains(&id.len()).then_some(id)
    }

    /// Some gateways answer 200 to everything, and say inside whether they took it.
    fn accepted(&self, body: &[u8]) -> Result<(), SendError> {
        let Some(place) = &self.settings.accepted_at else { return Ok(()) };
        let answer: Value = serde_json::from_slice(body)
            .map_err(|_| SendError::Later("the gateway's answer cannot be read".into()))?;
        let said = answer.pointer(place).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        if said.is_some_and(|said| self.settings.accepted.contains(&said)) {
            return Ok(());
        }
        Err(SendError::Never("the gateway says in its answer that it did not take it".into()))
    }
}

#[async_trait]
impl Outbound for GatewayOutbound {
    async fn send(&self, message: &OutMessage) -> Result<(), SendError> {
        self.hand_over(message).await.map(drop)
    }

    async fn hand_over(&self, message: &OutMessage) -> Result<Option<String>, SendError> {
        if message.means != self.means {
            return Err(SendError::Never("this gateway sends other messages".into()));
        }
        match self.outgoing.call(Reach::Configured, self.call(message)?).await {
            Ok(answer) => self.judge(&answer).map(|()| self.carrier_id(&answer.body)),
            Err(CallError::Forbidden) => {
                Err(SendError::Never("the gateway's address may not be called".into()))
            }
            Err(error) => Err(SendError::Later(format!("the gateway: {error}"))),
        }
    }
}

/// A number in the international form (E.164) where it can be told; none where it cannot be a number.
fn number(text: &str, country_code: Option<&str>) -> Option<String> {
    let mut digits: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '.' | '-' | '(' | ')' | '/'))
        .collect();
    if let Some(rest) = digits.strip_prefix("00") {
        digits = format!("+{rest}");
    } else if let (Some(rest), Some(code)) = (digits.strip_prefix('0'), country_code) {
        digits = format!("+{code}{rest}");
    }
    let bare = digits.strip_prefix('+').unwrap_or(&digits);
    let fits = (NUMBER_DIGITS_MIN..=NUMBER_DIGITS_MAX).contains(&bare.len());
    (fits && bare.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_the_international_form() {
        let french = |text| number(text, Some("33"));
        assert_eq!(french("06 12 34 56 78").unwrap(), "+33612345678");
        assert_eq!(french("06.12.34.56.78").unwrap(), "+33612345678");
        assert_eq!(french("0032 470 12 34 56").unwrap(), "+32470123456");
        assert_eq!(french("+33612345678").unwrap(), "+33612345678");
        assert_eq!(number("0612345678", None).unwrap(), "0612345678");
        for none in [
            "",
            "112",
            "jeanne",
            "+33612345678,+33687654321",
            "06 12\r\nX: y",
            "+1234567890123456",
            "++336123456",
        ] {
            assert_eq!(french(none), None, "{none:?}");
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused_at_the_start() {
        let outgoing = Outgoing::new().unwrap();
        let good = SmsGateway {
            url: "https://passerelle.example/sms".into(),
            json: Some(r#"{"to": "{to}", "text": "{text}"}"#.into()),
            ..SmsGateway::default()
        };
        let error = |settings: &SmsGateway| GatewayOutbound::new(settings, outgoing.clone()).unwrap_err();
        assert!(GatewayOutbound::new(&good, outgoing.clone()).is_ok());
        assert_eq!(error(&SmsGateway { url: "passerelle".into(), ..good.clone() }), GatewayError::Address);
        assert_eq!(error(&SmsGateway { method: "GET".into(), ..good.clone() }), GatewayError::Method);
        let none = SmsGateway { json: None, ..good.clone() };
        assert!(matches!(error(&none), GatewayError::Body(_)));
        let broken = SmsGateway { json: Some("{".into()), ..good.clone() };
        assert!(matches!(error(&broken), GatewayError::Body(_)));
        let mut split = good.clone();
        split.headers.insert("x".into(), "a\r\nb: c".into());
        assert_eq!(error(&split), GatewayError::Header("x".into()));
        let mut lost = good;
        lost.header_files.insert("authorization".into(), "/nowhere/at/all".into());
        assert!(matches!(error(&lost), GatewayError::Secret { .. }));
    }
}
