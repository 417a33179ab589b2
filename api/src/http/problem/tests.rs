//! Which status a refusal has, and how it reads.

use super::*;

#[test]
fn every_kind_of_reason_has_its_status() {
    let mut fields = Rejection::new("migration.no_place", Text::new("f", "e"));
    fields.fields.push(FieldFault { pointer: "/tasks/a".into(), code: "c".into(), text: Text::default() });
    assert_eq!(Problem::from(fields).status, 422);
    for (ground, status) in [
        (Ground::State, 409),
        (Ground::Content, 422),
        (Ground::Person, 403),
        (Ground::Absence, 404),
        (Ground::Race, 412),
        (Ground::Fault, 500),
    ] {
        let problem = Problem::from(Rejection::new("some.code", Text::new("f", "e")).because(ground));
        assert_eq!(problem.status, status, "{ground:?}");
    }
}

#[test]
fn what_is_wrong_is_pointed_at_where_it_was_sent() {
    for (rules, sent) in [
        ("/place", "/form/place"),
        ("/requester/contact/email", "/requester/contact/email"),
        ("/requester", "/form/requester"),
    ] {
        let fault = FieldFault { pointer: rules.into(), code: "field.type".into(), text: Text::default() };
        assert_eq!(FieldProblem::from(&fault).pointer, sent);
    }
}

#[test]
fn a_request_of_another_collectivity_reads_as_one_that_does_not_exist() {
    let unknown = Problem::from(EngineError::UnknownRequest);
    let foreign =
        Problem::from(Rejection::new("request.unknown", Text::new("a", "b")).because(Ground::Absence));
    assert_eq!(unknown, foreign);
    assert_eq!(unknown, Problem::not_found());
}

#[test]
fn sentences_come_in_the_readers_language() {
    let problem = Problem::busy();
    assert_eq!(problem.detail, problem.text.fr);
    assert_eq!(problem.clone().speaking(Language::En).detail, problem.text.en);
}
