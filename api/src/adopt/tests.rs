//! Processes drawn elsewhere, and our own pictures taken back.

use std::path::Path;

use guichet_engine::rules::language::Catalogue;
use guichet_engine::rules::process::Kind;
use guichet_engine::rules::text::{Language, Text};

use super::{DocumentError, read_bpmn};
use crate::diagram::{Names, bpmn, chart};
use crate::starter::Sketch;

fn chalons() -> Catalogue {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../processes/chalons");
    Catalogue::load(crate::read_catalogue_folder(&folder).unwrap()).catalogue.unwrap()
}

fn pattern() -> Sketch {
    Sketch {
        process: "voirie/".into(),
        model: Some("models/commun".into()),
        title: Text::default(),
        kind: Kind::Application,
        keywords: Vec::new(),
        fields: Vec::new(),
        qualified_by: None,
        service: "voirie".into(),
        tasks: Vec::new(),
        circuit: None,
        days: None,
        silence: None,
        delivery: None,
        schema: None,
    }
}

const ELSEWHERE: &str = r#"<?xml version="1.0"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" exporter="Another tool">
<bpmn:process id="P" name="Abattage d’un arbre">
<bpmn:laneSet><bpmn:lane name="Agent de police municipale"><bpmn:flowNodeRef>B</bpmn:flowNodeRef></bpmn:lane>
<bpmn:lane name="Voirie"><bpmn:flowNodeRef>A</bpmn:flowNodeRef></bpmn:lane>
<bpmn:lane name="Bûcheron"><bpmn:flowNodeRef>C</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>
<bpmn:startEvent id="S"/>
<bpmn:userTask id="A" name="Visiter"/>
<bpmn:exclusiveGateway id="G" name="Dangereux ?"/>
<bpmn:userTask id="B" name="Fermer la rue"/>
<bpmn:serviceTask id="X" name="Envoyer un SMS"/>
<bpmn:manualTask id="C" name="Abattre"/>
<bpmn:endEvent id="E"/>
<bpmn:boundaryEvent id="T" attachedToRef="A"><bpmn:timerEventDefinition><bpmn:timeDuration>P2D</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>
<bpmn:boundaryEvent id="U" attachedToRef="C"><bpmn:timerEventDefinition><bpmn:timeDuration>bientôt</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>
<bpmn:sequenceFlow id="f1" sourceRef="S" targetRef="A"/>
<bpmn:sequenceFlow id="f2" sourceRef="A" targetRef="G"/>
<bpmn:sequenceFlow id="f3" name="oui" sourceRef="G" targetRef="B"/>
<bpmn:sequenceFlow id="f4" sourceRef="B" targetRef="X"/>
<bpmn:sequenceFlow id="f5" sourceRef="X" targetRef="C"/>
<bpmn:sequenceFlow id="f6" sourceRef="C" targetRef="A"/>
<bpmn:sequenceFlow id="f7" sourceRef="C" targetRef="E"/>
</bpmn:process></bpmn:definitions>"#;

#[test]
fn order_lanes_and_terms_are_taken_over_and_the_rest_is_reported() {
    let town = chalons();
    let adopted = read_bpmn(ELSEWHERE, &town.organisation, &pattern()).unwrap();
    assert_eq!(adopted.sketch.process, "voirie/abattage-d-un-arbre");
    let tasks: Vec<_> = adopted
        .sketch
        .tasks
        .iter()
        .map(|task| (task.task.as_str(), task.by.as_str(), task.within.as_deref(), task.after.join(",")))
        .collect();
    assert_eq!(
        tasks,
        [
            ("visiter", "service:voirie", Some("2 days"), String::new()),
            ("fermer_la_rue", "role:policier-municipal", None, "visiter".to_owned()),
            ("abattre", "service", None, "fermer_la_rue".to_owned()),
        ]
        .map(|(task, by, within, after)| (
            task,
            by,
            within,
            if task == "visiter" { String::new() } else { after }
        )),
    );
    assert!(adopted.sketch.tasks[1].notes[0].contains("Dangereux ? → oui"));
    let left: Vec<_> = adopted.left_out.iter().map(|part| part.what.en.as_str()).collect();
    for part in ["a task of a machine", "not understood", "a way back", "neither a role nor a service"] {
        assert!(left.iter().any(|what| what.contains(part)), "{part}: {left:#?}");
    }
    assert!(adopted.left_out.iter().all(|part| part.line > 1));
}

#[test]
fn our_own_pictures_come_back_with_their_tasks_their_order_and_who_does_them() {
    let town = chalons();
    let names = Names::of(&town.organisation);
    for definition in &town.definitions {
        let picture = bpmn(&chart(definition, &names, Language::Fr));
        let adopted = match read_bpmn(&picture, &town.organisation, &pattern()) {
            Ok(adopted) => adopted,
            Err(DocumentError::Malformed { .. }) if definition.treatment.is_empty() => continue,
            Err(error) => panic!("{}: {error}", definition.process),
        };
        let drawn: Vec<_> = definition.treatment.iter().map(|task| task.task.clone()).collect();
        let mut back: Vec<_> = adopted.sketch.tasks.iter().map(|task| task.task.clone()).collect();
        back.sort_by_key(|task| drawn.iter().position(|known| known == task));
        assert_eq!(back, drawn, "{}", definition.process);
        for task in &definition.treatment {
            let found = adopted.sketch.tasks.iter().find(|found| found.task == task.task).unwrap();
            let by = match &task.by {
                guichet_engine::rules::process::Party::Role(role) => format!("role:{role}"),
                guichet_engine::rules::process::Party::Service(service) => format!("service:{service}"),
                guichet_engine::rules::process::Party::Person(_)
                | guichet_engine::rules::process::Party::ServiceInCharge => "service".to_owned(),
            };
            // Where every request goes to the same service, the picture names it.
            let only = definition.assignment.first().filter(|_| definition.assignment.len() == 1);
            let named =
                only.is_some_and(|rule| by == "service" && found.by == format!("service:{}", rule.is));
            assert!(found.by == by || named, "{}: {}: {} for {by}", definition.process, task.task, found.by);
        }
    }
}
