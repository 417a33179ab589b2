//! Approval circuits: four eyes, stand-ins, quorums, refusals, lateness.

use serde_json::json;

use super::*;
use crate::process::*;
use crate::request::*;

fn approve(step: &str) -> Command {
    Command::Approve { step: step.into() }
}

fn send_back(step: &str) -> Command {
    Command::Return { step: step.into(), reason: "À revoir.".into() }
}

fn approval(story: &Story) -> Approval {
    match &story.request().stage {
        Stage::InValidation(approval) => (**approval).clone(),
        other => panic!("{other:?}"),
    }
}

/// The dangerous pothole with one step decided by the three of the roads service and the director.
fn voted(rule: Quorum, on_reject: OnReject, veto: &[&str]) -> Story {
    let mut sheet = pothole();
    let step: CircuitStep = CircuitStep {
        step: "vote".into(),
        by: vec![Party::Service("voirie".into())],
        rule,
        veto: veto.iter().map(|role| (*role).to_owned()).collect(),
        on_reject,
        exclude: vec![Excluded::Author],
        when: None,
        within: None,
        on_late: OnLate::Remind,
    };
    sheet.validation.circuit = Some(Circuit { circuit: "circuits/vote".into(), steps: vec![step] });
    let mut story = Story::of(vec![sheet]);
    let place = json!({ "place": [48.9, 4.3], "danger": true });
    story.does(&agent("a22"), receive("voirie/chaussee-abimee", Channel::Phone, place));
    story.does(
        &agent("a02"),
        Command::Qualify { process: None, complexity: None, priority: None, form: serde_json::Map::new() },
    );
    story.does(&agent("a05"), complete("visite", json!({ "finding": "trou", "made_safe": true })));
    story.does(&agent("a21"), answer("Fait."));
    story
}

#[test]
fn steps_follow_one_another_without_those_whose_rule_does_not_hold() {
    let mut story = Story::in_circuit("a21");
    assert_eq!(approval(&story).steps, ["direction", "elu"]);
    // Every director may decide; the one of the service in charge is told.
    assert_eq!(approval(&story).open.unwrap().approvers, ["a80", "a84"]);
    let told =
        story.told().into_iter().filter(|(_, subject)| *subject == Subject::Approval("direction".into()));
    assert_eq!(told.map(|(to, _)| to).collect::<Vec<_>>(), [Recipient::Party(Party::Person("a80".into()))]);
    assert_eq!(story.refuses(&agent("a90"), approve("elu")), "approval.not_yours");
    assert_eq!(story.refuses(&agent("a83"), approve("direction")), "approval.not_yours");
    story.does(&agent("a80"), approve("direction"));
    story.does(&agent("a91"), approve("elu"));
    assert_eq!(story.stage(), "validated");
    assert_eq!(story.refuses(&agent("a90"), approve("elu")), "approval.not_yours");
}

#[test]
fn nobody_approves_their_own_draft_directly_or_through_a_stand_in() {
    let mut story = Story::in_circuit("a80");
    // The director wrote it, so the other directors of the town decide.
    assert_eq!(approval(&story).open.unwrap().approvers, ["a84"]);
    assert_eq!(story.refuses(&agent("a80"), approve("direction")), "approval.not_yours");
    // a81 stands in for a80, who is excluded: so is the stand-in.
    assert_eq!(story.refuses(&agent("a81"), approve("direction")), "approval.not_yours");
    story.does(&agent("a84"), approve("direction"));
    // a80 stands in for a90, but wrote the draft.
    assert_eq!(story.refuses(&agent("a80"), approve("elu")), "approval.not_yours");
}

#[test]
fn a_stand_in_decides_for_the_absent_and_the_event_names_both() {
    let mut story = Story::in_circuit("a21");
    story.does(&agent("a81"), approve("direction"));
    let event = story.world.cases[0].history.iter().find_map(|(event, _)| match &event.what {
        What::Approved(event) => Some((event.by.clone(), event.on_behalf_of.clone())),
        _ => None,
    });
    assert_eq!(event, Some(("a81".to_owned(), Some("a80".to_owned()))));
}

#[test]
fn a_stand_in_of_a_stand_in_has_no_power() {
    let mut story = Story::in_circuit("a21");
    assert_eq!(story.refuses(&agent("a82"), approve("direction")), "approval.not_yours");
}

#[test]
fn a_stand_in_has_no_power_outside_the_dates_declared() {
    let mut sheet = pothole();
    sheet.validation.circuit.as_mut().unwrap().steps[0].by = vec![Party::Role("dgs".into())];
    let mut story = Story::of(vec![sheet]);
    story.does(
        &agent("a22"),
        receive("voirie/chaussee-abimee", Channel::Phone, json!({ "place": [48.9, 4.3], "danger": true })),
    );
    story.does(
        &agent("a02"),
        Command::Qualify { process: None, complexity: None, priority: None, form: serde_json::Map::new() },
    );
    story.does(&agent("a05"), complete("visite", json!({ "finding": "trou", "made_safe": true })));
    story.does(&agent("a21"), answer("Fait."));
    assert_eq!(story.refuses(&agent("a82"), approve("direction")), "approval.not_yours");
    story.does(&agent("a83"), approve("direction"));
}

#[test]
fn whoever_approved_the_step_before_does_not_decide_the_next_where_the_sheet_says_so() {
    let mut story = Story::in_circuit("a21");
    story.does(&agent("a80"), approve("direction"));
    // a80 stands in for the elected official a90, but approved the step before.
    assert_eq!(story.refuses(&agent("a80"), approve("elu")), "approval.not_yours");
    story.does(&agent("a90"), approve("elu"));
}

#[test]
fn an_approver_may_let_a_colleague_decide() {
    let mut story = Story::in_circuit("a21");
    let delegate = |to: &str| Command::Delegate { step: "direction".into(), to: to.into() };
    for unfit in ["a21", "a80", "a84", "c01", "nobody"] {
        assert_eq!(story.refuses(&agent("a80"), delegate(unfit)), "delegate.unfit", "{unfit}");
    }
    story.does(&agent("a80"), delegate("a83"));
    assert_eq!(story.refuses(&agent("a83"), delegate("a82")), "approval.not_yours");
    story.does(&agent("a83"), approve("direction"));
    assert_eq!(approval(&story).passed[0].1, ["a80", "a83"]);
}

#[test]
fn a_refusal_goes_back_to_the_author_who_sends_it_again() {
    let mut story = Story::in_circuit("a21");
    story.does(&agent("a80"), send_back("direction"));
    assert_eq!(story.request().stage, Stage::Assigned);
    assert!(story.told().contains(&(Recipient::Party(Party::Person("a21".into())), Subject::Rework)));
    story.does(&agent("a21"), Command::Draft { text: "Mieux.".into() });
    story.does(&agent("a21"), Command::Submit {});
    assert!(approval(&story).passed.is_empty());
}

#[test]
fn a_refusal_may_go_back_to_an_earlier_step() {
    let mut story = Story::in_circuit("a21");
    story.does(&agent("a80"), approve("direction"));
    story.does(&agent("a90"), send_back("elu"));
    let now = approval(&story);
    assert_eq!((now.open.unwrap().step.as_str(), now.passed.len()), ("direction", 0));
}

#[test]
fn quorums_count_names() {
    // The author a21 is left out: a20, a22 and a80 decide.
    for (rule, needed) in [
        (Quorum::Any, 1),
        (Quorum::Majority, 2),
        (Quorum::AtLeast(2), 2),
        (Quorum::AtLeast(9), 3),
        (Quorum::All, 3),
    ] {
        let mut story = voted(rule, OnReject::Stop, &[]);
        for (count, approver) in ["a20", "a22", "a80"].iter().enumerate() {
            assert_eq!(story.stage(), "assigned", "{rule:?}");
            story.does(&agent(approver), approve("vote"));
            if count + 1 == needed {
                break;
            }
            assert_eq!(
                story.refuses(&agent(approver), approve("vote")),
                if *approver == "a80" { "stage.wrong" } else { "approval.already" }
            );
        }
        assert_eq!(story.stage(), "validated", "{rule:?}");
    }
}

#[test]
fn collected_refusals_take_effect_when_everyone_has_decided() {
    let mut story = voted(Quorum::All, OnReject::CollectAll, &[]);
    story.does(&agent("a20"), send_back("vote"));
    assert!(matches!(story.request().stage, Stage::InValidation(_)));
    story.does(&agent("a22"), send_back("vote"));
    story.does(&agent("a80"), approve("vote"));
    assert_eq!(story.request().stage, Stage::Assigned);
    // A majority carries against one refusal.
    let mut story = voted(Quorum::Majority, OnReject::CollectAll, &[]);
    story.does(&agent("a20"), send_back("vote"));
    story.does(&agent("a22"), approve("vote"));
    story.does(&agent("a80"), approve("vote"));
    assert_eq!(story.stage(), "validated");
}

#[test]
fn a_veto_is_final_even_from_outside_the_step() {
    let mut story = voted(Quorum::Majority, OnReject::CollectAll, &["elu"]);
    assert_eq!(story.refuses(&agent("a90"), approve("vote")), "approval.not_yours");
    assert_eq!(story.refuses(&agent("a83"), send_back("vote")), "approval.not_yours");
    story.does(&agent("a90"), send_back("vote"));
    assert_eq!(story.request().stage, Stage::Assigned);
}

#[test]
fn a_late_step_reminds_approves_or_escalates() {
    let remind = |story: &Story| {
        story.told().contains(&(
            Recipient::Party(Party::Person("a80".into())),
            Subject::Warning("step:direction".into()),
        ))
    };
    let mut story = Story::in_circuit("a21");
    story.at("2026-05-07T09:00");
    assert!(remind(&story));

    let late = |on_late: OnLate| {
        let mut sheet = pothole();
        sheet.validation.circuit.as_mut().unwrap().steps[0].on_late = on_late;
        let mut story = Story::of(vec![sheet]);
        story.does(
            &agent("a22"),
            receive(
                "voirie/chaussee-abimee",
                Channel::Phone,
                json!({ "place": [48.9, 4.3], "danger": true }),
            ),
        );
        story.does(
            &agent("a02"),
            Command::Qualify {
                process: None,
                complexity: None,
                priority: None,
                form: serde_json::Map::new(),
            },
        );
        story.does(&agent("a05"), complete("visite", json!({ "finding": "trou", "made_safe": true })));
        story.does(&agent("a21"), answer("Fait."));
        story.at("2026-05-07T09:00");
        story
    };
    let story = late(OnLate::Approve);
    assert_eq!(approval(&story).passed[0], ("direction".to_owned(), vec!["engine".to_owned()]));
    let mut story = late(OnLate::EscalateTo(Party::Role("dga".into())));
    assert_eq!(approval(&story).open.unwrap().approvers, ["a80", "a84", "a82"]);
    story.does(&agent("a82"), approve("direction"));
    assert_eq!(approval(&story).passed[0].1, ["a82"]);
}

#[test]
fn an_answer_that_nobody_could_approve_is_not_sent_into_the_circuit() {
    let mut sheet = pothole();
    sheet.validation.circuit.as_mut().unwrap().steps[0].by = vec![Party::Person("a21".into())];
    let mut story = Story::of(vec![sheet]);
    story.does(
        &agent("a22"),
        receive("voirie/chaussee-abimee", Channel::Phone, json!({ "place": [48.9, 4.3], "danger": true })),
    );
    story.does(
        &agent("a02"),
        Command::Qualify { process: None, complexity: None, priority: None, form: serde_json::Map::new() },
    );
    story.does(&agent("a05"), complete("visite", json!({ "finding": "trou", "made_safe": true })));
    assert_eq!(story.refuses(&agent("a21"), answer("Fait.")), "circuit.no_approver");
}
