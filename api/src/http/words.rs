//! What the stages and possible actions are called towards citizens.

use guichet_engine::rules::commitment::Budget;
use guichet_engine::rules::process::{Definition, Field, FieldType, Price, Rule, Silence};
use guichet_engine::rules::text::{Language, Text};

use crate::outbound::dates::euros;

/// A stage in a citizen's words.
pub(crate) fn stage(id: &str) -> Text {
    match id {
        "received" => Text::new(
            "Votre demande est enregistrée ; nous l’étudions.",
            "Your request is on record; we are looking at it.",
        ),
        "qualified" => Text::new(
            "Votre demande est comprise ; nous cherchons le service qui s’en charge.",
            "Your request is understood; we are finding the service to deal with it.",
        ),
        "assigned" => {
            Text::new("Un service s’occupe de votre demande.", "A service is dealing with your request.")
        }
        "validated" => Text::new(
            "La réponse est prête ; elle vous parvient.",
            "The answer is ready and on its way to you.",
        ),
        "delivered" => Text::new("La réponse vous a été donnée.", "The answer has been given to you."),
        "withdrawn" => Text::new("Vous avez retiré votre demande.", "You withdrew your request."),
        "cancelled" => Text::new("Votre demande a été close.", "Your request has been closed."),
        "refused" => Text::new(
            "Votre demande ne peut pas être instruite ; le motif vous a été écrit.",
            "Your request cannot be dealt with; you were told the reason.",
        ),
        "forwarded" => Text::new(
            "Votre demande a été transmise à l’administration compétente.",
            "Your request has been passed on to the right administration.",
        ),
        "merged" => Text::new(
            "Votre demande en rejoint une autre, déjà en cours.",
            "Your request has joined another one that is under way.",
        ),
        "waiting_for_payment" => Text::new(
            "Nous attendons votre paiement pour continuer.",
            "We are waiting for your payment to go on.",
        ),
        _ => Text::new("Votre demande suit son cours.", "Your request is on its way."),
    }
}

/// What a process promises: how soon an answer comes, and what silence means.
pub(crate) fn promises(definition: &Definition) -> Vec<Text> {
    let answer = definition.commitments.iter().find(|commitment| commitment.commitment == "answer");
    let answer = answer.and_then(|commitment| {
        let usual = commitment.within.last()?.is;
        let mut others = commitment.within.iter().map(|rule| rule.is);
        Some(within(usual, others.rfind(|budget| *budget != usual)))
    });
    let after =
        definition.law.after.map(|after| (after.in_words(Language::Fr), after.in_words(Language::En)));
    let silence = after.and_then(|(fr, en)| match definition.law.silence {
        Silence::None => None,
        Silence::Acceptance => Some(Text::new(
            format!("Sans réponse au bout de {fr}, votre demande est acceptée."),
            format!("Without an answer after {en}, your request is accepted."),
        )),
        Silence::Rejection => Some(Text::new(
            format!("Sans réponse au bout de {fr}, votre demande est rejetée."),
            format!("Without an answer after {en}, your request is rejected."),
        )),
    });
    answer.into_iter().chain(silence).chain(fee(definition)).collect()
}

/// What a process asks to be paid, before anybody has said anything.
fn fee(definition: &Definition) -> Option<Text> {
    let payment = definition.payment.as_ref()?;
    let fixed = |rule: &Rule<Price>| match &rule.is {
        Price::Cents(cents) => Some(*cents),
        Price::Expression(_) => None,
    };
    let amounts: Option<Vec<u64>> = payment.amount.iter().map(fixed).collect();
    let bounds = amounts.and_then(|all| Some((all.iter().copied().min()?, all.iter().copied().max()?)));
    let (fr, en) = match bounds {
        None => (String::new(), String::new()),
        Some((least, most)) if least == most => {
            (format!(" : {}", euros(most, Language::Fr)), format!(": {}", euros(most, Language::En)))
        }
        Some((least, most)) => (
            format!(" : de {} à {}", euros(least, Language::Fr), euros(most, Language::Fr)),
            format!(": {} to {}", euros(least, Language::En), euros(most, Language::En)),
        ),
    };
    let label = &payment.label;
    let in_english = if label.en.is_empty() { &label.fr } else { &label.en };
    Some(if payment.when.is_some() || bounds.is_none() {
        Text::new(
            format!("Un paiement peut être demandé ({}){fr}.", label.fr),
            format!("A payment may be asked for ({in_english}){en}."),
        )
    } else {
        Text::new(
            format!("Un paiement est demandé ({}){fr}.", label.fr),
            format!("A payment is asked for ({in_english}){en}."),
        )
    })
}

fn within(usual: Budget, other: Option<Budget>) -> Text {
    let (fr, en) = (usual.in_words(Language::Fr), usual.in_words(Language::En));
    match other {
        None => {
            Text::new(format!("Réponse promise sous {fr}."), format!("An answer is promised within {en}."))
        }
        Some(other) => Text::new(
            format!("Réponse promise sous {fr}, ou {} dans certains cas.", other.in_words(Language::Fr)),
            format!("An answer is promised within {en}, or {} in some cases.", other.in_words(Language::En)),
        ),
    }
}

/// A part of a value that is asked for in parts.
pub(crate) fn part(part: &str) -> Text {
    match part {
        "lat" => Text::new("latitude", "latitude"),
        "lon" => Text::new("longitude", "longitude"),
        "address" => Text::new("adresse", "address"),
        "name" => Text::new("nom", "name"),
        "first_name" => Text::new("prénom", "first name"),
        "birth_date" => Text::new("date de naissance", "date of birth"),
        "siret" => Text::new("numéro SIRET", "SIRET number"),
        "city" => Text::new("ville", "town"),
        "street" => Text::new("numéro et rue", "number and street"),
        "postcode" => Text::new("code postal", "postcode"),
        other => Text::new(other, ""),
    }
}

/// How a value must look, where its type or its limits say so.
pub(crate) fn limits(field: &Field) -> Vec<Text> {
    let mut said = Vec::new();
    match field.kind {
        FieldType::Date => said.push(Text::new("Format AAAA-MM-JJ.", "Format YYYY-MM-DD.")),
        FieldType::Time => said.push(Text::new("Format HH:MM.", "Format HH:MM.")),
        FieldType::Integer => said.push(Text::new("Un nombre entier.", "A whole number.")),
        FieldType::Money => said.push(Text::new("En euros.", "In euros.")),
        FieldType::Text
        | FieldType::Number
        | FieldType::Boolean
        | FieldType::Choice
        | FieldType::Choices
        | FieldType::Location
        | FieldType::Files
        | FieldType::Person
        | FieldType::Organisation
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Address
        | FieldType::Iban => {}
    }
    if let Some(most) = field.max_length {
        said.push(Text::new(format!("{most} caractères au plus."), format!("At most {most} characters.")));
    }
    if let Some(min) = field.min {
        said.push(Text::new(format!("Au moins {min}."), format!("At least {min}.")));
    }
    if let Some(max) = field.max {
        said.push(Text::new(format!("Au plus {max}."), format!("At most {max}.")));
    }
    if let Some(most) = field.at_most {
        said.push(Text::new(format!("{most} au plus."), format!("At most {most}.")));
    }
    said
}
