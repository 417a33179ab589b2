//! Every message of Châlons, written out: no hole, no brace, no `None` in a citizen's letter.

use guichet::engine::rules::language::message_values;
use guichet::engine::rules::process::Message;
use guichet::engine::rules::request::Subject;
use guichet::engine::rules::text::Language;
use guichet::outbound::render::{Values, placeholders, render};
use guichet::outbound::texts;

use crate::support::catalogue;

fn messages() -> Vec<Message> {
    let mut messages: Vec<Message> = catalogue()
        .definitions
        .iter()
        .flat_map(|definition| {
            let own = [definition.acknowledgement.clone(), definition.delivery.message.clone()];
            own.into_iter().chain(definition.messages.values().cloned())
        })
        .collect();
    for news in ["extended", "refused", "forwarded", "withdrawn", "cancelled", "merged", "reopened"] {
        messages.push(texts::to_requester(&Subject::News(news.into())));
    }
    messages.push(texts::arrived());
    for subject in [Subject::Acknowledgement, Subject::Answer, Subject::Question, Subject::Message] {
        messages.push(texts::to_requester(&subject));
    }
    for subject in [Subject::Assignment, Subject::Reply, Subject::Rework, Subject::Task("visite".into())] {
        messages.push(texts::to_staff(&subject));
    }
    messages
}

#[test]
fn no_letter_has_a_hole_whatever_is_missing() {
    let messages = messages();
    assert!(messages.len() > 50, "{}", messages.len());
    for message in messages {
        for language in [Language::Fr, Language::En] {
            let texts = [Some(&message.subject), Some(&message.body), message.sms.as_ref()];
            for template in texts.into_iter().flatten().map(|text| text.get(language)) {
                let empty = render(template, &Values::new(), language);
                for wrong in ["{", "}", "None", "null", "Some("] {
                    assert!(!empty.contains(wrong), "{}: {empty}", message.message);
                }
                assert!(!empty.trim().is_empty(), "{}", message.message);
            }
        }
    }
}

#[test]
fn every_placeholder_is_one_that_the_engine_fills_in() {
    for message in messages() {
        let texts = [Some(&message.subject), Some(&message.body), message.sms.as_ref()];
        for text in texts.into_iter().flatten() {
            for template in [&text.fr, &text.en] {
                for (name, _) in placeholders(template) {
                    let fields = name.starts_with("form.") || name.starts_with("tasks.");
                    // Texts to staff name the subject as well.
                    let known = fields || name == "subject" || message_values().any(|known| known == name);
                    assert!(known, "{}: {{{name}}}", message.message);
                }
            }
        }
    }
}
