//! Sentences of the audit trail, in French and English. Instants stay among the operands: whoever shows them knows
//! the reader's zone.

use guichet_rules::organisation::Organisation;
use guichet_rules::process::Definition;
use guichet_rules::text::Text;
use serde_json::{Map, Value};

/// Where titles come from; ids are shown where there are none.
pub(super) struct Names<'a> {
    pub(super) organisation: Option<&'a Organisation>,
    pub(super) definition: Option<&'a Definition>,
}

/// The operands of one event, as words.
struct Words<'a> {
    operands: &'a Map<String, Value>,
    names: &'a Names<'a>,
}

fn same(word: impl Into<String>) -> Text {
    let word = word.into();
    Text::new(word.clone(), word)
}

impl Words<'_> {
    fn text(&self, key: &str) -> &str {
        self.operands.get(key).and_then(Value::as_str).unwrap_or("?")
    }

    fn has(&self, key: &str) -> bool {
        self.operands.contains_key(key)
    }

    fn yes(&self) -> bool {
        self.operands.get("yes").and_then(Value::as_bool).unwrap_or(false)
    }

    fn number(&self) -> u64 {
        self.operands.get("number").and_then(Value::as_u64).unwrap_or(0)
    }

    fn list(&self, key: &str) -> String {
        let items = self.operands.get(key).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
    }

    fn service(&self, key: &str) -> Text {
        let id = self.text(key);
        let known = self.names.organisation.and_then(|organisation| organisation.service(id));
        known.map_or_else(|| same(id), |service| service.title.clone())
    }

    fn task(&self) -> Text {
        let id = self.text("task");
        let known = self.names.definition.and_then(|definition| definition.task(id));
        known.map(|task| task.title.clone()).filter(|title| !title.fr.is_empty()).unwrap_or_else(|| same(id))
    }

    fn process(&self) -> Text {
        let id = self.text("process");
        let known = self.names.definition.filter(|definition| definition.process == id);
        known.map_or_else(|| same(id), |definition| definition.title.clone())
    }

    /// A role, service or person; the operand is `{"role": "x"}`, `"service_in_charge"` or `{"party": …}`.
    fn party(&self, value: Option<&Value>) -> Text {
        let Some(value) = value else { return same("?") };
        if let Some(word) = value.as_str() {
            return match word {
                "requester" => Text::new("l’usager", "the requester"),
                _ => Text::new("le service en charge", "the service in charge"),
            };
        }
        if let Some(party) = value.get("party") {
            return self.party(Some(party));
        }
        let id = |key: &str| value.get(key).and_then(Value::as_str);
        let organisation = self.names.organisation;
        if let Some(service) = id("service") {
            let known = organisation.and_then(|o| o.service(service)).map(|s| s.title.clone());
            let title = known.unwrap_or_else(|| same(service));
            return Text::new(format!("le service {}", title.fr), format!("the service {}", english(&title)));
        }
        if let Some(administration) = id("administration") {
            return organisation.map_or_else(|| same(administration), |o| o.addressee(administration));
        }
        if let Some(role) = id("role") {
            let known = organisation.and_then(|o| o.roles.iter().find(|r| r.role == role));
            return known.map_or_else(|| same(role), |known| known.title.clone());
        }
        same(id("person").unwrap_or("?"))
    }

    /// Who passed a request on, or whom it was passed on to.
    fn addressee(&self, key: &str) -> Text {
        let id = self.text(key);
        self.names.organisation.map_or_else(|| same(id), |organisation| organisation.addressee(id))
    }

    fn in_the_name_of(&self) -> Text {
        if !self.has("on_behalf_of") {
            return Text::default();
        }
        let absent = self.text("on_behalf_of");
        Text::new(format!(" au nom de {absent}"), format!(" on behalf of {absent}"))
    }

    fn basis(&self) -> Text {
        if self.has("basis") { same(format!(" ({})", self.text("basis"))) } else { Text::default() }
    }
}

fn english(text: &Text) -> &str {
    if text.en.is_empty() { &text.fr } else { &text.en }
}

/// A means or a channel, with its preposition.
fn means(code: &str) -> (&'static str, &'static str) {
    match code {
        "email" => ("par courriel", "by e-mail"),
        "sms" => ("par SMS", "by text message"),
        "letter" => ("par courrier", "by letter"),
        "counter" => ("au guichet", "at the counter"),
        "phone" => ("par téléphone", "by telephone"),
        "screen" => ("à l’écran", "on screen"),
        "web" => ("sur le site", "on the website"),
        "mobile" => ("par l’application mobile", "through the mobile app"),
        "social" => ("par un réseau social", "through a social network"),
        "patrol" => ("par le patrouilleur", "by the patroller"),
        "council" => ("par le conseil de quartier", "through the neighbourhood council"),
        _ => ("par une autre voie", "another way"),
    }
}

/// What an event of this type says, with these operands.
pub(super) fn sentence(event_type: &str, operands: &Map<String, Value>, names: &Names<'_>) -> Text {
    let words = Words { operands, names };
    let name = event_type.strip_prefix("request.").unwrap_or(event_type);
    intake(name, &words)
        .or_else(|| treatment(name, &words))
        .or_else(|| validation(name, &words))
        .or_else(|| ending(name, &words))
        .or_else(|| passing_on(name, &words))
        .or_else(|| money(name, &words))
        .or_else(|| dates(name, &words))
        .unwrap_or_else(|| same(event_type))
}

fn intake(name: &str, words: &Words<'_>) -> Option<Text> {
    Some(match name {
        "received" => {
            let (process, (fr, en)) = (words.process(), means(words.text("channel")));
            if words.has("from") {
                let from = words.addressee("from");
                return Some(Text::new(
                    format!("Transmise par {} : {}", from.fr, process.fr),
                    format!("Passed on by {}: {}", english(&from), english(&process)),
                ));
            }
            Text::new(format!("Reçue {fr} : {}", process.fr), format!("Received {en}: {}", english(&process)))
        }
        "acknowledged" => {
            let (fr, en) = means(words.text("by"));
            Text::new(format!("Accusé de réception {fr}"), format!("Receipt acknowledged {en}"))
        }
        "qualified" => {
            let (complexity_fr, complexity_en) = complexity(words.text("complexity"));
            let (priority_fr, priority_en) = priority(words.text("priority"));
            Text::new(
                format!("Qualifiée : {complexity_fr}, {priority_fr}"),
                format!("Qualified: {complexity_en}, {priority_en}"),
            )
        }
        "reclassified" => {
            let process = words.process();
            Text::new(
                format!("Changée de démarche : {}", process.fr),
                format!("Moved to another process: {}", english(&process)),
            )
        }
        "migrated" => {
            let (from, to) = (short(words.text("from")), short(words.text("to")));
            Text::new(
                format!("Passée de la version {from} de la démarche à la version {to}"),
                format!("Moved from version {from} of the process to version {to}"),
            )
        }
        "assigned" => {
            let service = words.service("service");
            Text::new(
                format!("Affectée au service {}", service.fr),
                format!("Assigned to the service {}", english(&service)),
            )
        }
        "reassigned" => {
            let (from, to) = (words.service("from"), words.service("service"));
            Text::new(
                format!("Transmise du service {} au service {}", from.fr, to.fr),
                format!("Handed from the service {} to the service {}", english(&from), english(&to)),
            )
        }
        "claimed" => {
            let person = words.text("person");
            Text::new(format!("Prise en charge par {person}"), format!("Taken by {person}"))
        }
        "released" => {
            let person = words.text("person");
            Text::new(
                format!("Rendue au service par {person}"),
                format!("Given back to the service by {person}"),
            )
        }
        _ => return None,
    })
}

/// The beginning of a version, as people compare it.
fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn complexity(code: &str) -> (&'static str, &'static str) {
    if code == "complex" { ("demande complexe", "complex") } else { ("demande simple", "simple") }
}

fn priority(code: &str) -> (&'static str, &'static str) {
    match code {
        "low" => ("priorité basse", "low priority"),
        "high" => ("priorité haute", "high priority"),
        "urgent" => ("urgente", "urgent"),
        _ => ("priorité normale", "normal priority"),
    }
}

fn treatment(name: &str, words: &Words<'_>) -> Option<Text> {
    let task = words.task();
    let of_task =
        |fr: &str, en: &str| Text::new(format!("{fr} : {}", task.fr), format!("{en}: {}", english(&task)));
    Some(match name {
        "task_opened" => of_task("Tâche à faire", "Task to be done"),
        "task_skipped" => of_task("Tâche sans objet", "Task not needed"),
        "task_completed" => of_task("Tâche faite", "Task done"),
        "task_late" => of_task("Tâche en retard", "Task late"),
        "visited" if words.yes() => {
            Text::new("Lieu visité et mis en sécurité", "Place visited and made safe")
        }
        "visited" => Text::new("Lieu visité", "Place visited"),
        "asked" if words.has("pieces") => {
            let pieces = words.list("pieces");
            Text::new(
                format!("Pièces demandées à l’usager : {pieces}"),
                format!("The requester is asked for: {pieces}"),
            )
        }
        "asked" => Text::new("Question posée à l’usager", "The requester is asked something"),
        "reminded" => Text::new("Usager relancé", "The requester is reminded"),
        "replied" if words.yes() => {
            Text::new("Réponse complète de l’usager", "The requester replied in full")
        }
        "replied" => Text::new("Réponse partielle de l’usager", "The requester replied in part"),
        "lapsed" => Text::new("Délai de réponse de l’usager dépassé", "The requester’s time to reply ended"),
        "suspended" => Text::new("Suspendue", "Suspended"),
        "resumed" => Text::new("Reprise", "Resumed"),
        "extended" => {
            let (what, how_much, basis) = (words.text("commitment"), words.text("budget"), words.basis());
            Text::new(
                format!("Engagement « {what} » prolongé de {how_much}{}", basis.fr),
                format!("Commitment “{what}” extended by {how_much}{}", basis.en),
            )
        }
        "noted" => Text::new("Note interne", "Internal note"),
        "messaged" => Text::new("Message à l’usager", "Message to the requester"),
        _ => return None,
    })
}

fn validation(name: &str, words: &Words<'_>) -> Option<Text> {
    let (person, step, name_of) = (words.text("person"), words.text("step"), words.in_the_name_of());
    Some(match name {
        "drafted" => {
            Text::new(format!("Réponse rédigée par {person}"), format!("Answer drafted by {person}"))
        }
        "submitted" => Text::new(
            format!("Projet de réponse envoyé au parapheur par {person}"),
            format!("Draft sent to the approval circuit by {person}"),
        ),
        "approval_opened" => {
            let people = words.list("people");
            Text::new(
                format!("Étape « {step} » à valider par {people}"),
                format!("Step “{step}” awaits {people}"),
            )
        }
        "approved" => Text::new(
            format!("Étape « {step} » approuvée par {person}{}", name_of.fr),
            format!("Step “{step}” approved by {person}{}", name_of.en),
        ),
        "returned" => Text::new(
            format!("Projet renvoyé à l’étape « {step} » par {person}{}", name_of.fr),
            format!("Draft returned at step “{step}” by {person}{}", name_of.en),
        ),
        "delegated" => {
            let (from, to) = (words.text("from"), words.text("to"));
            Text::new(
                format!("Étape « {step} » confiée par {from} à {to}"),
                format!("Step “{step}” entrusted by {from} to {to}"),
            )
        }
        "approval_late" => Text::new(format!("Étape « {step} » en retard"), format!("Step “{step}” late")),
        "validated" if words.has("person") => {
            Text::new(format!("Réponse validée par {person}"), format!("Answer validated by {person}"))
        }
        "validated" => Text::new("Réponse validée", "Answer validated"),
        _ => return None,
    })
}

fn ending(name: &str, words: &Words<'_>) -> Option<Text> {
    let ((fr, en), basis) = (means(words.text("by")), words.basis());
    let (what, number) = (words.text("commitment"), words.number());
    let told = || words.party(words.operands.get("recipient"));
    Some(match name {
        "delivery_opened" => {
            Text::new(format!("Réponse à remettre {fr}"), format!("Answer to be delivered {en}"))
        }
        "delivered" => Text::new(format!("Réponse remise {fr}"), format!("Answer delivered {en}")),
        "delivery_failed" => Text::new(format!("La remise {fr} a échoué"), format!("Delivery {en} failed")),
        "withdrawn" => Text::new("Retirée par l’usager", "Withdrawn by the requester"),
        "cancelled" => Text::new("Close sans suite", "Cancelled"),
        "refused" => {
            Text::new(format!("Irrecevable{}", basis.fr), format!("Refused as inadmissible{}", basis.en))
        }
        "merged" => {
            let other = words.text("request");
            Text::new(format!("Réunie à la demande {other}"), format!("Merged into request {other}"))
        }
        "reopened" => Text::new("Rouverte", "Reopened"),
        "rated" => Text::new(format!("Notée {number} sur 5"), format!("Rated {number} out of 5")),
        "commitment_warned" => Text::new(
            format!("Engagement « {what} » : {number} % du délai écoulé"),
            format!("Commitment “{what}”: {number} % of the time is gone"),
        ),
        "commitment_broken" => {
            Text::new(format!("Engagement « {what} » non tenu"), format!("Commitment “{what}” broken"))
        }
        "notified" => {
            let who = told();
            Text::new(format!("Avis envoyé : {}", who.fr), format!("Notified: {}", english(&who)))
        }
        "notification_failed" => {
            let who = told();
            Text::new(
                format!("Avis non remis : {}", who.fr),
                format!("Could not be notified: {}", english(&who)),
            )
        }
        _ => return None,
    })
}

fn passing_on(name: &str, words: &Words<'_>) -> Option<Text> {
    Some(match name {
        "forwarded" => {
            let (to, basis) = (words.addressee("to"), words.basis());
            Text::new(
                format!("Transmise à {}{}", to.fr, basis.fr),
                format!("Forwarded to {}{}", english(&to), basis.en),
            )
        }
        "forward_arrived" => {
            let (to, other) = (words.addressee("to"), words.text("request"));
            Text::new(
                format!("Enregistrée par {} : demande {other}", to.fr),
                format!("On record at {}: request {other}", english(&to)),
            )
        }
        "forward_blocked" => {
            let (to, code) = (words.addressee("to"), words.text("reason"));
            Text::new(
                format!("{} ne peut pas l’enregistrer pour l’instant ({code})", to.fr),
                format!("{} cannot record it for now ({code})", english(&to)),
            )
        }
        _ => return None,
    })
}

/// An amount in cents, as people write it.
fn euros(cents: u64) -> Text {
    let (whole, part) = (cents / 100, cents % 100);
    Text::new(format!("{whole},{part:02} €"), format!("€{whole}.{part:02}"))
}

fn money(name: &str, words: &Words<'_>) -> Option<Text> {
    let number = words.number();
    let cents = words.operands.get("cents").and_then(Value::as_u64).unwrap_or(0);
    let amount = euros(cents);
    Some(match name {
        "payment_requested" => Text::new(
            format!("Paiement n° {number} demandé : {}", amount.fr),
            format!("Payment no. {number} asked for: {}", amount.en),
        ),
        "payment_started" => Text::new(
            format!("Paiement n° {number} : l’usager est allé sur la page de paiement"),
            format!("Payment no. {number}: the requester went to the payment page"),
        ),
        "payment_settled" if words.yes() => Text::new(
            format!("Paiement n° {number} : {} encaissés en trop, à rembourser", amount.fr),
            format!("Payment no. {number}: {} taken although none was due, to be given back", amount.en),
        ),
        "payment_settled" => Text::new(
            format!("Paiement n° {number} encaissé : {}", amount.fr),
            format!("Payment no. {number} taken: {}", amount.en),
        ),
        "payment_failed" => Text::new(
            format!("Paiement n° {number} : tentative sans suite"),
            format!("Payment no. {number}: an attempt came to nothing"),
        ),
        "payment_reminded" => Text::new(
            format!("Paiement n° {number} : usager relancé"),
            format!("Payment no. {number}: the requester is reminded"),
        ),
        "payment_lapsed" => Text::new(
            format!("Paiement n° {number} : délai dépassé"),
            format!("Payment no. {number}: its term has passed"),
        ),
        "payment_cancelled" => Text::new(
            format!("Paiement n° {number} : n’est plus demandé"),
            format!("Payment no. {number}: no longer asked for"),
        ),
        "payment_refunded" => Text::new(
            format!("Paiement n° {number} : {} remboursés", amount.fr),
            format!("Payment no. {number}: {} given back", amount.en),
        ),
        _ => return None,
    })
}

fn dates(name: &str, words: &Words<'_>) -> Option<Text> {
    let yes = words.yes();
    Some(match name {
        "appointment_offered" => Text::new("Rendez-vous proposé", "Appointment offered"),
        "appointment_chosen" => Text::new("Créneau de rendez-vous choisi", "Slot of the appointment chosen"),
        "intervention_set" => Text::new("Date d’intervention annoncée", "Date of the intervention announced"),
        "appointment_reminded" => Text::new("Rappel du rendez-vous", "Reminder of the appointment"),
        "appointment_lapsed" => Text::new("Aucun créneau choisi à temps", "No slot was chosen in time"),
        "appointment_cancelled" if yes => {
            Text::new("Rendez-vous annulé par l’usager", "Appointment called off by the requester")
        }
        "appointment_cancelled" => {
            Text::new("Rendez-vous annulé par le service", "Appointment called off by the service")
        }
        "attendance_recorded" if yes => Text::new("Rendez-vous honoré", "Appointment kept"),
        "attendance_recorded" => Text::new("Absence au rendez-vous", "Appointment missed"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use guichet_rules::request::What;

    use super::*;

    #[test]
    fn every_event_has_a_sentence_in_both_languages() {
        let names = Names { organisation: None, definition: None };
        for name in What::NAMES {
            let text = sentence(name, &Map::new(), &names);
            assert!(text.fr != *name && !text.fr.is_empty() && !text.en.is_empty(), "{name}: {text:?}");
            assert_ne!(text.fr, text.en, "{name}");
        }
    }
}
