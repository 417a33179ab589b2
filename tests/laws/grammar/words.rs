//! The words of the grammar are those of the types that they stand for.

use std::collections::BTreeSet;

use guichet_rules::commitment::MonthRule;
use guichet_rules::language::grammar::{self, Choice};
use guichet_rules::process::{
    Channel, Complexity, Delivery, DeliveryChoice, Excluded, FieldType, Kind, Moment, OnLate, OnReject,
    Opener, PauseReason, Priority, Quorum, Silence, Simple,
};
use guichet_rules::request::RequesterKind;
use guichet_rules::text::Language;
use schemars::JsonSchema;
use serde_json::Value;

/// The words that a type has of itself, variants with a content apart.
fn words_of<T: JsonSchema>() -> BTreeSet<String> {
    fn gather(schema: &Value, words: &mut BTreeSet<String>) {
        let said = schema["enum"].as_array().into_iter().flatten().chain(schema.get("const"));
        words.extend(said.filter_map(Value::as_str).map(str::to_owned));
        for inner in schema["oneOf"].as_array().into_iter().flatten() {
            gather(inner, words);
        }
    }
    let mut words = BTreeSet::new();
    gather(&schemars::schema_for!(T).to_value(), &mut words);
    words
}

fn same<T: JsonSchema>(choices: &[Choice], more: &[&str], fewer: &[&str]) {
    let mut expected = words_of::<T>();
    expected.extend(more.iter().map(|word| (*word).to_owned()));
    expected.retain(|word| !fewer.contains(&word.as_str()));
    let listed: BTreeSet<String> = choices.iter().map(|choice| choice.word.to_owned()).collect();
    assert_eq!(listed, expected);
    assert_eq!(listed.len(), choices.len(), "a word stands twice");
}

#[test]
fn words_are_those_of_the_types() {
    same::<Kind>(&grammar::KINDS, &[], &[]);
    same::<Opener>(&grammar::OPENERS, &[], &[]);
    same::<Channel>(&grammar::CHANNELS, &[], &[]);
    same::<Language>(&grammar::LANGUAGES, &[], &[]);
    same::<FieldType>(&grammar::FIELD_TYPES, &["file"], &[]);
    same::<Complexity>(&grammar::COMPLEXITY, &[], &[]);
    same::<Priority>(&grammar::PRIORITY, &[], &[]);
    same::<Simple>(&grammar::SIMPLE_VALIDATION, &[], &[]);
    same::<DeliveryChoice>(&grammar::DELIVERY_CHOICES, &[], &[]);
    // A sheet cannot choose the conversation of a social network: only who wrote in one is answered there.
    same::<Delivery>(&grammar::DELIVERIES, &[], &["social"]);
    same::<Delivery>(&grammar::PREFERRED, &["none"], &["social"]);
    same::<Moment>(&grammar::MOMENTS, &[], &[]);
    same::<Moment>(&grammar::WITHDRAWABLE, &[], &["received", "acknowledged", "treated"]);
    same::<PauseReason>(&grammar::PAUSE_REASONS, &[], &[]);
    same::<MonthRule>(&grammar::MONTH_RULES, &[], &[]);
    same::<Silence>(&grammar::SILENCE, &[], &[]);
    same::<Quorum>(&grammar::QUORUMS, &[], &[]);
    same::<OnReject>(&grammar::ON_REJECT, &[], &[]);
    same::<OnLate>(&grammar::ON_LATE, &[], &[]);
    same::<Excluded>(&grammar::EXCLUDED, &[], &[]);
    same::<RequesterKind>(&grammar::REQUESTER_KINDS, &[], &[]);
    let sets = guichet_rules::calendar::HolidaySet::ALL.map(guichet_rules::calendar::HolidaySet::name);
    assert_eq!(grammar::HOLIDAYS.iter().map(|c| c.word).collect::<BTreeSet<_>>(), BTreeSet::from(sets));
}
