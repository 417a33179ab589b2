//! Which status a refusal has, and how it reads.

use guichet_engine::rules::request::REJECTION_CODES;

use super::*;

#[test]
fn every_refusal_of_the_rules_has_a_status_on_purpose() {
    for (code, status) in [
        ("request.unknown", 404),
        ("approval.not_yours", 403),
        ("process.unknown", 422),
        ("form.invalid", 422),
        ("stage.wrong", 409),
        ("timer.stale", 409),
    ] {
        let problem = Problem::from(Rejection::new(code, Text::new("f", "e")));
        assert_eq!(problem.status, status, "{code}");
    }
}

#[test]
fn only_codes_that_exist_are_listed() {
    for code in FORBIDDEN.iter().chain(&WRONG) {
        assert!(REJECTION_CODES.contains(code), "{code}");
    }
}

#[test]
fn a_request_of_another_collectivity_reads_as_one_that_does_not_exist() {
    let unknown = Problem::from(EngineError::UnknownRequest);
    let foreign = Problem::from(Rejection::new("request.unknown", Text::new("a", "b")));
    assert_eq!(unknown, foreign);
    assert_eq!(unknown, Problem::not_found());
}

#[test]
fn sentences_come_in_the_readers_language() {
    let problem = Problem::busy();
    assert_eq!(problem.detail, problem.text.fr);
    assert_eq!(problem.clone().speaking(Language::En).detail, problem.text.en);
}
