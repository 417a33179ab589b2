//! Text messages: a request, a word on one, a question about one, or the wish not to be written to any more.

use guichet_engine::rules::process::{Channel, Delivery};
use guichet_engine::rules::request::{Contact, RequestId};
use guichet_engine::rules::text::Language;
use guichet_engine::{EngineError, tenant_of};

use super::mail::codes;
use super::take::{Became, Message, TakeError, by_code};
use crate::guichet::Guichet;
use crate::http::words;
use crate::outbound::dates;
use crate::settings::channels::SmsGateway;

/// The longest text message, in characters, its parts together.
pub const TEXT_CHARACTERS_MAX: usize = 2_000;
/// The most parts of one message.
pub const PARTS_MAX: u32 = 20;

/// A text message, or one part of it.
#[derive(Clone)]
pub(crate) struct Text {
    pub(crate) from: String,
    pub(crate) text: String,
    pub(crate) id: String,
    /// By what name the parts of one message belong together.
    pub(crate) reference: Option<String>,
}

/// What became of a text message, and what to answer at once.
pub(crate) struct Taken {
    pub(crate) became: Became,
    pub(crate) answer: Option<String>,
}

/// A number as it is compared: digits only, the French trunk zero read as +33.
pub(crate) fn number(written: &str) -> String {
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    match (written.trim().starts_with('+'), digits.strip_prefix("00"), digits.strip_prefix('0')) {
        (false, Some(rest), _) => rest.to_owned(),
        (false, None, Some(rest)) if digits.len() == 10 => format!("33{rest}"),
        _ => digits,
    }
}

/// The keyed digest under which it stands that nobody is to write to this number.
pub(crate) fn stop_digest(guichet: &Guichet, tenant: &str, to: &str) -> Result<String, EngineError> {
    let keys = guichet.engine().journal().keys();
    let secret = keys.blind(&tenant_of(tenant)?, format!("stop\n{}", number(to)).as_bytes());
    Ok(secret.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}

/// Words that end all messages (what operators of networks ask of every sender), and those that allow them again.
const STOP: [&str; 5] = ["STOP", "ARRET", "ARRÊT", "STOPALL", "UNSUBSCRIBE"];
const START: [&str; 3] = ["START", "REPRISE", "UNSTOP"];

/// Takes a text message in.
pub(crate) async fn take(guichet: &Guichet, gateway: &SmsGateway, text: &Text) -> Result<Taken, TakeError> {
    let tenant = gateway.tenant.as_str();
    let said = text.text.trim();
    let first = said.split_whitespace().next().unwrap_or_default().to_uppercase();
    let short = said.split_whitespace().count() <= 2;
    if short && (STOP.contains(&first.as_str()) || START.contains(&first.as_str())) {
        let stopped = STOP.contains(&first.as_str());
        guichet.read_models().note_stop(&stop_digest(guichet, tenant, &text.from)?, stopped).await?;
        return Ok(Taken {
            became: Became::Ignored(if stopped { "stopped" } else { "started" }),
            answer: None,
        });
    }
    if said.is_empty() {
        return Ok(Taken { became: Became::Ignored("empty"), answer: None });
    }
    let cut: String = said.chars().take(TEXT_CHARACTERS_MAX).collect();
    let contact = Contact { phone: Some(text.from.clone()), ..Contact::default() };
    let message = Message {
        guichet,
        tenant,
        channel: Channel::Sms,
        id: text.id.clone(),
        sender: number(&text.from),
        contact,
        preferred: Some(Delivery::Sms),
        language: Language::Fr,
        subject: "",
        text: &cut,
        files: &[],
        left_out: 0,
    };
    if let Some(request) = by_code(guichet, tenant, &[&cut]).await? {
        let rest = without_codes(&cut);
        if rest.chars().filter(|symbol| symbol.is_alphanumeric()).count() < 3 || is_question(&rest) {
            let answer = state(guichet, tenant, request).await?;
            return Ok(Taken { became: Became::Followed { request }, answer: Some(answer) });
        }
        let became = Message { text: rest.trim(), ..message.clone() }.reply(request).await?;
        return Ok(Taken { became, answer: None });
    }
    let became = match &text.reference {
        Some(reference) => {
            message.in_thread(&format!("{}\n{reference}", message.sender), &gateway.becomes).await?
        }
        None => message.receive(&gateway.becomes).await?,
    };
    Ok(Taken { became, answer: None })
}

/// Whether somebody asks how their request stands.
fn is_question(rest: &str) -> bool {
    let rest = rest.trim().to_lowercase();
    ["suivi", "etat", "état", "status", "?"].contains(&rest.trim_end_matches([' ', '.', '!']))
}

fn without_codes(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| codes(word).is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// How a request stands, in one text message: nothing of what was said in it.
async fn state(guichet: &Guichet, tenant: &str, request: RequestId) -> Result<String, TakeError> {
    let known = guichet.request(tenant, request).await?;
    let (plan, language) = (&known.plan, known.request.requester.language);
    let title = plan.definition().title.get(language);
    let stage = words::stage(known.request.stage.id());
    let stage = stage.get(language);
    let zone = plan.calendar(&plan.definition().calendar);
    let zone = zone.map_or(chrono_tz::Europe::Paris, guichet_engine::rules::calendar::Calendar::zone);
    let due = known.request.clock("answer").filter(|_| known.request.milestones.delivered.is_none());
    let due = due.map(|clock| dates::date(clock.due, &zone, language));
    Ok(match (language, due) {
        (Language::Fr, Some(due)) => format!("« {title} » : {stage}. Réponse promise au plus tard le {due}."),
        (Language::Fr, None) => format!("« {title} » : {stage}."),
        (Language::En, Some(due)) => format!("“{title}”: {stage}. Answer promised by {due}."),
        (Language::En, None) => format!("“{title}”: {stage}."),
    })
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for written in ["+33 6 39 98 00 01", "0639980001", "06.39.98.00.01", "0033639980001", "33639980001"] {
            assert_eq!(number(written), "33639980001", "{written}");
        }
    }
}
