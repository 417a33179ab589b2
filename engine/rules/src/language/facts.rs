//! What the rules of a process may know, at each stage of a request's life.

use std::sync::Arc;

use super::expression::{Environment, Hidden, Type};
use crate::process::{
    Channel, Definition, Field, FieldType, PaymentMoment, Price, Requirement, Rule, TaskSheet,
};

/// The most items of a list that says nothing of its length; also the most that a rule ever looks at.
const MOST_ITEMS: usize = 20;

/// When a rule is evaluated: the later, the more is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// While the form is filled in.
    Form,
    /// While complexity and priority are decided.
    Qualification,
    /// While the service is chosen.
    Assignment,
    /// Afterwards: treatment, validation, commitments.
    Later,
}

/// A rule of a definition, and where it stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleAt<'a> {
    /// JSON pointer into the definition.
    pub pointer: String,
    /// When it is evaluated.
    pub stage: Stage,
    /// Its text.
    pub text: &'a str,
}

/// Every rule of a definition, in the order in which they are evaluated.
#[must_use]
pub fn rules_of(definition: &Definition) -> Vec<RuleAt<'_>> {
    let mut rules = Vec::new();
    fields(&definition.form, "/form", Stage::Form, &mut rules);
    let qualification = &definition.qualification;
    list(&qualification.complexity, "/qualification/complexity", Stage::Qualification, &mut rules);
    list(&qualification.priority, "/qualification/priority", Stage::Qualification, &mut rules);
    list(&definition.assignment, "/assignment", Stage::Assignment, &mut rules);
    for (i, task) in definition.treatment.iter().enumerate() {
        rules.extend(rule(format!("/treatment/{i}/when"), Stage::Later, task.when.as_ref()));
        fields(&task.report, &format!("/treatment/{i}/report"), Stage::Later, &mut rules);
    }
    rules.extend(rule("/validation/when".to_owned(), Stage::Later, definition.validation.when.as_ref()));
    for (i, step) in definition.validation.circuit.iter().flat_map(|c| &c.steps).enumerate() {
        rules.extend(rule(format!("/validation/circuit/steps/{i}/when"), Stage::Later, step.when.as_ref()));
    }
    for (i, commitment) in definition.commitments.iter().enumerate() {
        list(&commitment.within, &format!("/commitments/{i}/within"), Stage::Later, &mut rules);
    }
    if let Some(payment) = &definition.payment {
        let stage = payment_stage(payment.from);
        rules.extend(rule("/payment/when".to_owned(), stage, payment.when.as_ref()));
        list(&payment.amount, "/payment/amount", stage, &mut rules);
    }
    rules
}

/// Every expression of a definition that gives an amount in cents.
#[must_use]
pub fn prices_of(definition: &Definition) -> Vec<RuleAt<'_>> {
    let payment = definition.payment.iter();
    let each = payment.flat_map(|payment| {
        let stage = payment_stage(payment.from);
        payment.amount.iter().enumerate().map(move |(i, rule)| (i, stage, rule))
    });
    each.filter_map(|(i, stage, rule)| match &rule.is {
        Price::Expression(text) => Some(RuleAt { pointer: format!("/payment/amount/{i}/is"), stage, text }),
        Price::Cents(_) => None,
    })
    .collect()
}

/// What is known when money is asked for.
fn payment_stage(from: PaymentMoment) -> Stage {
    match from {
        PaymentMoment::Received => Stage::Form,
        PaymentMoment::Qualified => Stage::Assignment,
        PaymentMoment::Validated => Stage::Later,
    }
}

fn rule(pointer: String, stage: Stage, text: Option<&String>) -> Option<RuleAt<'_>> {
    text.map(|text| RuleAt { pointer, stage, text })
}

fn list<'a, T>(rules: &'a [Rule<T>], base: &str, stage: Stage, out: &mut Vec<RuleAt<'a>>) {
    let each = rules.iter().enumerate();
    out.extend(each.filter_map(|(i, r)| rule(format!("{base}/{i}/when"), stage, r.when.as_ref())));
}

fn fields<'a>(list: &'a [Field], base: &str, stage: Stage, out: &mut Vec<RuleAt<'a>>) {
    for (i, field) in list.iter().enumerate() {
        out.extend(rule(format!("{base}/{i}/shown_when"), stage, field.shown_when.as_ref()));
        if let Requirement::When(text) = &field.required {
            out.extend(rule(format!("{base}/{i}/required"), stage, Some(text)));
        }
    }
}

/// The words that a catalogue adds to what a definition knows by itself.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    /// The services; any text, if the list is empty.
    pub services: Vec<String>,
    /// The channels in use; all of them, if the list is empty.
    pub channels: Vec<String>,
}

/// The names that a rule of this definition may use at a stage.
#[must_use]
pub fn environment(definition: &Definition, vocabulary: &Vocabulary, stage: Stage) -> Environment {
    let tasks = if stage < Stage::Later {
        Type::Hidden(Hidden::TooEarly)
    } else {
        Type::record(definition.treatment.iter().map(|t| (t.task.as_str(), task(t))))
    };
    Environment::new()
        .with("form", group(&definition.form))
        .with("request", request(definition, vocabulary, stage))
        .with("tasks", tasks)
        .with(
            "requester",
            Type::record([
                ("reachable_by_email", Type::Boolean),
                ("reachable_by_sms", Type::Boolean),
                ("reachable_by_letter", Type::Boolean),
                ("anonymous", Type::Boolean),
                ("account", Type::Boolean),
                ("kind", Type::choice(["person", "organisation", "association"])),
            ]),
        )
}

fn request(definition: &Definition, vocabulary: &Vocabulary, stage: Stage) -> Type {
    let known_from =
        |from: Stage, kind: Type| if stage >= from { kind } else { Type::Hidden(Hidden::TooEarly) };
    let words =
        |list: &[String]| if list.is_empty() { Type::Text } else { Type::choice(list.iter().cloned()) };
    let channels = if vocabulary.channels.is_empty() {
        Type::choice(Channel::ALL.map(Channel::id))
    } else {
        words(&vocabulary.channels)
    };
    let priority = Type::choice(["low", "normal", "high", "urgent"]);
    Type::record([
        ("channel", channels),
        ("kind", Type::choice(["question", "report", "application", "complaint", "idea", "internal"])),
        ("process", Type::Text),
        ("priority", known_from(Stage::Assignment, priority)),
        ("complexity", known_from(Stage::Assignment, Type::choice(["simple", "complex"]))),
        ("tenant", words(&definition.tenants)),
        ("service", known_from(Stage::Later, words(&vocabulary.services))),
        ("language", Type::choice(["fr", "en"])),
        ("open_to", Type::choice(["citizen", "agent", "patroller"])),
        ("reopened", Type::Integer),
    ])
}

fn task(task: &TaskSheet) -> Type {
    Type::record([("report", group(&task.report)), ("done", Type::Boolean), ("skipped", Type::Boolean)])
}

fn group(fields: &[Field]) -> Type {
    Type::record(fields.iter().map(|f| (f.field.as_str(), field_type(f))))
}

/// What a field's value is for a rule.
fn field_type(field: &Field) -> Type {
    if field.personal || field.kind.is_personal() {
        return Type::Hidden(Hidden::Personal);
    }
    let options = || Type::Choice(field.options.iter().map(|o| o.value.clone()).collect::<Arc<[String]>>());
    let most = field.at_most.and_then(|n| usize::try_from(n).ok()).unwrap_or(MOST_ITEMS).min(MOST_ITEMS);
    match field.kind {
        FieldType::Text | FieldType::Email | FieldType::Phone | FieldType::Iban => Type::Text,
        FieldType::Number => Type::Number,
        FieldType::Integer | FieldType::Money => Type::Integer,
        FieldType::Boolean => Type::Boolean,
        FieldType::Date => Type::Date,
        FieldType::Time => Type::Time,
        FieldType::Choice => options(),
        FieldType::Choices => Type::List(Box::new(options()), field.options.len().clamp(1, MOST_ITEMS)),
        FieldType::Location => Type::location(),
        FieldType::Files => Type::List(Box::new(Type::file()), most),
        FieldType::Organisation => Type::record([("name", Type::Text), ("siret", Type::Text)]),
        FieldType::Person | FieldType::Address => Type::Hidden(Hidden::Personal),
    }
}
