//! The letter of an effect: what the town hall owes the requester on paper.

use chrono::{DateTime, Utc};
use guichet_engine::rules::calendar::Calendar;
use guichet_engine::rules::process::Delivery;
use guichet_engine::rules::request::{Contact, Effect, Recipient, Request, RequestId, effects, evolve};
use guichet_engine::rules::text::{Language, Text};
use guichet_engine::{EngineError, Entry, Known, Span};

use super::Letter;
use crate::guichet::Guichet;
use crate::outbound::compose::{Occasion, in_writing};
use crate::outbound::{dates, slip};

/// Why there is no letter.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// The engine cannot read the request, or there is none.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The request asks for no letter by this name.
    #[error("the request asks for no letter by this name")]
    Unknown,
    /// The requester gave no postal address, or it was erased.
    #[error("the requester gave no postal address, or it was erased")]
    NoAddress,
}

/// The letter that a request asks for, whether it was sent already or not. It is dated `now` (UTC).
///
/// # Errors
/// [`LetterError`].
pub async fn letter(
    guichet: &Guichet,
    tenant: &str,
    request: RequestId,
    effect: &str,
    now: DateTime<Utc>,
) -> Result<Letter, LetterError> {
    let known = guichet.request(tenant, request).await?;
    let history = guichet.history(tenant, request, &Span::default(), true).await?;
    let effect = asked(&known, &history, effect).ok_or(LetterError::Unknown)?;
    let public_url = &guichet.options().public_url;
    let occasion = Occasion { effect: &effect, known: &known, history: &history, now, public_url };
    match &effect.recipient {
        Recipient::Administration(to) => Ok(slip_letter(&occasion, to)),
        Recipient::Requester | Recipient::Party(_) => {
            addressed(&occasion, slip::contact_of(&history).ok_or(LetterError::NoAddress)?)
        }
    }
}

/// The effect, as the history asks for it; only those on paper, for the requester or for an administration elsewhere.
fn asked(known: &Known, history: &[Entry], id: &str) -> Option<Effect> {
    let mut state: Option<Request> = None;
    for entry in history {
        state = evolve(state, &entry.event, &entry.meta);
        let after = state.as_ref()?;
        let all = effects(entry.revision, &entry.event, after, &known.plan, &known.organisation);
        let mut fitting = all.into_iter().filter(|effect| {
            effect.id == id
                && effect.by == Delivery::Letter
                && !matches!(effect.recipient, Recipient::Party(_))
        });
        if let Some(effect) = fitting.next() {
            return Some(effect);
        }
    }
    None
}

fn addressed(occasion: &Occasion<'_>, contact: &Contact) -> Result<Letter, LetterError> {
    let language = occasion.known.request.requester.language;
    let address = contact.address.as_deref().filter(|address| !address.trim().is_empty());
    let address = address.ok_or(LetterError::NoAddress)?;
    let recipient = contact.name.iter().map(String::as_str).chain(address.lines().flat_map(parts));
    Ok(written(occasion, recipient.map(str::to_owned).collect(), in_writing(occasion), language))
}

/// The summary slip of a request that is passed on, as a letter to the administration; to its name alone where nobody
/// knows its address.
pub(crate) fn slip_letter(occasion: &Occasion<'_>, to: &str) -> Letter {
    let organisation = &occasion.known.organisation;
    let mut recipient = vec![organisation.addressee(to).get(Language::Fr).to_owned()];
    let address = organisation.administration(to).and_then(|listed| listed.address.as_deref());
    recipient.extend(address.into_iter().flat_map(str::lines).flat_map(parts).map(str::to_owned));
    written(occasion, recipient, slip::in_writing(occasion), Language::Fr)
}

/// A letter of the collectivity.
fn written(
    occasion: &Occasion<'_>,
    recipient: Vec<String>,
    (subject, body): (String, String),
    language: Language,
) -> Letter {
    let (known, now) = (occasion.known, occasion.now);
    let request = &known.request;
    let zone = known.plan.calendar(&known.plan.definition().calendar);
    let zone = zone.map_or(chrono_tz::Europe::Paris, Calendar::zone);
    let say = |fr: &str, en: &str| Text::new(fr, en).get(language).to_owned();
    let day = dates::date(now, &zone, language);
    let collectivity = known.organisation.tenant(&request.tenant);
    let name = collectivity.map(|tenant| tenant.name.get(language).to_owned()).unwrap_or_default();
    let mut sender = vec![name.clone()];
    if let Some(tenant) = collectivity {
        sender.extend(tenant.address.split(',').map(|part| part.trim().to_owned()));
        sender.extend([&tenant.phone, &tenant.email].into_iter().cloned());
    }
    sender.retain(|line| !line.is_empty());
    let service = request.service.as_deref().and_then(|id| known.organisation.service(id));
    let service = service.map(|service| service.title.get(language).to_owned());
    let lines = recipient.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    Letter {
        sender,
        recipient: lines.map(str::to_owned).collect(),
        dated: format!("{} {day}", say("Le", "")).trim().to_owned(),
        reference: format!("{} {}", say("Référence :", "Reference:"), request.id),
        subject: format!("{} {subject}", say("Objet :", "Subject:")),
        body,
        signature: service.into_iter().chain([name]).collect(),
        language: match language {
            Language::Fr => "fr-FR",
            Language::En => "en",
        },
    }
}

/// An address in one line is one with commas between its lines; the number of the house keeps its own.
fn parts(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = line;
    let is_number =
        |part: &str| part.trim().chars().next().is_some_and(|c| c.is_ascii_digit()) && part.len() <= 8;
    while let Some((at, _)) =
        rest.match_indices(',').find(|(at, _)| !is_number(rest.get(..*at).unwrap_or_default()))
    {
        parts.push(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_one_line_becomes_several() {
        assert_eq!(parts("3, rue de Marne, 51000 Châlons"), ["3, rue de Marne", " 51000 Châlons"]);
        assert_eq!(parts("12 bis rue X"), ["12 bis rue X"]);
    }
}
