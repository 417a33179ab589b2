//! What names in braces about payments and appointments mean. What was written for or by a person is shown to the
//! requester only.

use guichet_engine::rules::request::{Slot, What};
use guichet_engine::rules::text::Language;

use super::dates::{self, euros};
use super::render::Values;
use super::values::{Ground, Reader};

/// Puts the values in that are known of the last payment and the last appointment told of.
pub(super) fn put(ground: &Ground<'_>, values: &mut Values) {
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            values.insert(name.to_owned(), value);
        }
    };
    let to_requester = ground.reader == Reader::Requester;
    put("zone", Some(ground.zone.name().to_owned()));
    put("amount", ground.last(amount).map(|cents| euros(cents, ground.language)));
    put(
        "transaction",
        ground.last(|what| match what {
            What::PaymentSettled(event) => Some(event.transaction.clone()),
            _ => None,
        }),
    );
    put(
        "pay_by",
        ground.last(|what| match what {
            What::PaymentRequested(event) => Some(ground.date(event.due)),
            _ => None,
        }),
    );
    put("appointment", ground.last(fixed).map(|slot| in_words(ground, &slot)));
    if !to_requester {
        return;
    }
    put(
        "label",
        ground.last(|what| match what {
            What::PaymentRequested(event) => event.label.known().cloned(),
            _ => None,
        }),
    );
    let offered = |take: fn(&What) -> Option<String>| ground.last(take);
    put(
        "place",
        offered(|what| match what {
            What::AppointmentOffered(event) => event.place.known().cloned(),
            // A team comes to the requester: the place of an earlier appointment is not where.
            What::InterventionSet(_) => Some(String::new()),
            _ => None,
        }),
    );
    put(
        "what",
        offered(|what| match what {
            What::AppointmentOffered(event) => event.what.known().cloned(),
            _ => None,
        }),
    );
    put(
        "slots",
        ground.last(|what| match what {
            What::AppointmentOffered(event) => {
                let lines = event.slots.iter().map(|slot| format!("- {}", in_words(ground, slot)));
                Some(lines.collect::<Vec<_>>().join("\n"))
            }
            _ => None,
        }),
    );
}

fn amount(what: &What) -> Option<u64> {
    match what {
        What::PaymentRequested(event) => Some(event.amount),
        What::PaymentSettled(event) => Some(event.amount),
        What::PaymentRefunded(event) => Some(event.amount),
        _ => None,
    }
}

fn fixed(what: &What) -> Option<Slot> {
    match what {
        What::AppointmentChosen(event) => Some(event.slot),
        What::InterventionSet(event) => Some(event.slot),
        _ => None,
    }
}

fn in_words(ground: &Ground<'_>, slot: &Slot) -> String {
    let (zone, language) = (&ground.zone, ground.language);
    let from = dates::date_time(slot.from, zone, language);
    let one_day = slot.from.with_timezone(zone).date_naive() == slot.until.with_timezone(zone).date_naive();
    let until = if one_day {
        dates::time(slot.until, zone, language)
    } else {
        dates::date_time(slot.until, zone, language)
    };
    match language {
        Language::Fr => format!("{from} – {until}"),
        Language::En => format!("{from} to {until}"),
    }
}
