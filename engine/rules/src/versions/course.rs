//! The way of a request: qualification, assignment, delivery, and the texts that are sent on it.

use super::differ::{Differ, Spot};
use super::words::{party, rule, same, text, word};
use super::{Area, Audience, Nature};
use crate::process::Message;
use crate::text::Text;

const SERVICE: &[Audience] = &[Audience::Service];
const CITIZENS: &[Audience] = &[Audience::Citizens];

pub(super) fn qualification(d: &mut Differ<'_>) {
    let (old, new) = (&d.old.qualification, &d.new.qualification);
    let spot = |fr: &str, en: &str, key: &str| {
        Spot::new(Area::Qualification, SERVICE, fr, en).at(format!("/qualification/{key}"))
    };
    let by = spot("Qui qualifie (personne : d’elle-même)", "Who qualifies (nobody: by itself)", "by");
    d.option(&by, old.by.as_ref(), new.by.as_ref(), party);
    let complexity = spot("Complexité", "Complexity", "complexity");
    d.list(&complexity, &old.complexity, &new.complexity, |r| rule(r, word));
    let priority = spot("Priorité", "Priority", "priority");
    d.list(&priority, &old.priority, &new.priority, |r| rule(r, word));
}

pub(super) fn assignment(d: &mut Differ<'_>) {
    let spot = Spot::new(Area::Assignment, SERVICE, "Service chargé", "Service in charge").at("/assignment");
    let show = |service: &String| same(service.strip_prefix("service:").unwrap_or(service));
    d.list(&spot, &d.old.assignment, &d.new.assignment, |r| rule(r, show));
}

pub(super) fn delivery(d: &mut Differ<'_>) {
    let (old, new) = (&d.old.delivery, &d.new.delivery);
    let spot = Spot::new(Area::Delivery, CITIZENS, "La réponse part par", "The answer goes out by");
    d.list(&spot.at("/delivery/by"), &old.by, &new.by, word);
}

pub(super) fn messages(d: &mut Differ<'_>) {
    let (old, new) = (d.old, d.new);
    let spot = |fr: &str, en: &str, at: &str| Spot::new(Area::Messages, CITIZENS, fr, en).at(at);
    let receipt = spot("Accusé de réception", "Acknowledgement", "/acknowledgement");
    message(d, &receipt, &old.acknowledgement, &new.acknowledgement);
    let answer = spot("Réponse", "Answer", "/delivery/message");
    message(d, &answer, &old.delivery.message, &new.delivery.message);
    let names: std::collections::BTreeSet<&String> = old.messages.keys().chain(new.messages.keys()).collect();
    for name in names {
        let spot =
            spot(&format!("Texte « {name} »"), &format!("Text “{name}”"), &format!("/messages/{name}"));
        match (old.messages.get(name), new.messages.get(name)) {
            (Some(old), Some(new)) => message(d, &spot, old, new),
            (Some(old), None) => d.push(&spot, Nature::Removed, Some(old.body.clone()), None),
            (None, Some(new)) => d.push(&spot, Nature::Added, None, Some(new.body.clone())),
            (None, None) => {}
        }
    }
}

fn message(d: &mut Differ<'_>, spot: &Spot, old: &Message, new: &Message) {
    let whole = Spot {
        subject: Text::new(format!("{}, modèle", spot.subject.fr), format!("{}, template", spot.subject.en)),
        ..spot.clone()
    };
    d.value(&whole, &old.message, &new.message, |name| same(name));
    d.value(&spot.part("objet", "subject", "subject"), &old.subject, &new.subject, text);
    d.value(&spot.part("texte", "text", "body"), &old.body, &new.body, text);
    d.option(&spot.part("SMS", "text message", "sms"), old.sms.as_ref(), new.sms.as_ref(), text);
}
