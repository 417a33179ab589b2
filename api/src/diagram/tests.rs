//! Laws of every picture, for the processes of the reference town and for made-up ones.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use guichet_engine::rules::language::Catalogue;
use guichet_engine::rules::process::{
    Circuit, CircuitStep, Definition, Excluded, OnLate, OnReject, Party, Quorum, Rule, Simple, TaskSheet,
};
use guichet_engine::rules::text::{Language, Text};
use proptest::prelude::*;
use quick_xml::events::Event;

use super::chart::{Mark, Subject};
use super::layout::{BOX, LANE_TITLE, SMALL, Spot, TITLE, layout};
use super::measure::{width, wrap};
use super::*;

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../processes/chalons");
        crate::load_folder(&folder).unwrap_or_else(|error| panic!("{error}"))
    })
}

fn pothole() -> &'static Definition {
    catalogue().definition("voirie/chaussee-abimee").unwrap()
}

fn drawn(definition: &Definition, language: Language) -> Chart {
    chart(definition, &Names::of(&catalogue().organisation), language)
}

fn apart(a: (f64, f64, f64, f64), b: (f64, f64, f64, f64)) -> bool {
    a.0 + a.2 <= b.0 || b.0 + b.2 <= a.0 || a.1 + a.3 <= b.1 || b.1 + b.3 <= a.1
}

/// Whether a straight piece of an arrow goes through a place.
fn crosses(piece: &[(f64, f64)], place: (f64, f64, f64, f64)) -> bool {
    let (a, b) = (piece[0], piece[1]);
    let line = (a.0.min(b.0), a.1.min(b.1), (a.0 - b.0).abs(), (a.1 - b.1).abs());
    !apart(line, (place.0 + 1.0, place.1 + 1.0, place.2 - 2.0, place.3 - 2.0))
}

fn texts_fit(chart: &Chart, spot: &Spot, is_box: bool) {
    let fits = |lines: &[String], size: f64, bold: bool, room: f64| {
        for line in lines {
            assert!(width(line, size, bold) <= room, "{}: “{line}” is too wide", chart.process);
        }
    };
    if is_box {
        fits(&spot.title, TITLE, true, BOX - 36.0);
        fits(&spot.details, SMALL, false, BOX - 20.0);
        fits(&spot.when, SMALL, true, BOX - 20.0);
        fits(&spot.alarm, SMALL, false, BOX - 20.0);
        let small = (spot.details.len() + spot.when.len()) as f64 * super::layout::SMALL_LINE;
        let high = spot.title.len() as f64 * super::layout::TITLE_LINE + small;
        assert!(high < spot.height, "{}: {:?} is too high", chart.process, spot.title);
    } else {
        fits(&spot.title, SMALL, true, spot.cell().2 + 12.0);
    }
}

/// No two nodes overlap, each lies in its lane and its column, every text fits, and no arrow runs through a node.
fn well_drawn(chart: &Chart, below: f64) {
    let plan = layout(chart, below);
    for (at, (node, spot)) in chart.nodes.iter().zip(&plan.spots).enumerate() {
        for other in &plan.spots[at + 1..] {
            assert!(apart(spot.cell(), other.cell()), "{}: {:?} and {other:?}", chart.process, spot);
        }
        let (left, top, wide, high) = spot.cell();
        let (lane, height) = plan.lanes[node.lane];
        assert!(
            lane <= top && top + high <= lane + height + 0.1,
            "{}: {} leaves its lane",
            chart.process,
            node.id
        );
        let (start, end) = plan.columns[&node.column];
        assert!(
            start <= left && left + wide <= end + 0.1,
            "{}: {} leaves its column",
            chart.process,
            node.id
        );
        texts_fit(chart, spot, node.shape.is_box());
    }
    for lane in &chart.lanes {
        for line in wrap(&lane.title, TITLE, true, LANE_TITLE - 20.0, 4) {
            assert!(width(&line, TITLE, true) <= LANE_TITLE - 20.0, "{line}");
        }
    }
    for (edge, way) in chart.edges.iter().zip(&plan.ways) {
        for piece in way.windows(2) {
            let straight = (piece[0].0 - piece[1].0).abs() < 0.1 || (piece[0].1 - piece[1].1).abs() < 0.1;
            assert!(straight, "{}: {edge:?} {way:?}", chart.process);
            for (at, spot) in plan.spots.iter().enumerate() {
                let own = at == edge.from || at == edge.to;
                assert!(own || !crosses(piece, spot.cell()), "{}: {edge:?} runs through {at}", chart.process);
            }
        }
    }
}

/// Every node but the first is led to, and every node but the last leads on.
fn connected(chart: &Chart) {
    let (sources, targets): (BTreeSet<usize>, BTreeSet<usize>) =
        chart.edges.iter().map(|edge| (edge.from, edge.to)).unzip();
    for at in 0..chart.nodes.len() {
        assert!(at == 0 || targets.contains(&at), "{}: nothing leads to {at}", chart.process);
        let last = at + 1 == chart.nodes.len();
        assert!(last || sources.contains(&at), "{}: {at} leads nowhere", chart.process);
    }
    let ids: BTreeSet<&str> = chart.nodes.iter().map(|node| node.id.as_str()).collect();
    assert_eq!(ids.len(), chart.nodes.len(), "{}: ids are unique", chart.process);
}

/// An XML document that loads and runs nothing, with each `id` once.
fn well_formed(xml: &str) {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut ids = BTreeSet::new();
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}: {xml}")) {
            Event::Eof => break,
            Event::Start(element) | Event::Empty(element) => {
                let name = element.name().as_ref().to_owned();
                assert!(!["script", "style", "image", "a", "use", "foreignObject"].contains(&name.as_str()));
                for attribute in element.attributes() {
                    let attribute = attribute.unwrap();
                    let key = attribute.key.as_ref().to_owned();
                    assert!(!key.contains("href") && !key.starts_with("on"), "{name} {key}");
                    if key == "id" {
                        assert!(ids.insert(attribute.value.into_owned()), "an id is given twice: {xml}");
                    }
                }
            }
            _ => {}
        }
    }
    assert!(!xml.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{xml}");
}

fn all_laws(definition: &Definition, language: Language) {
    let chart = drawn(definition, language);
    connected(&chart);
    well_drawn(&chart, 0.0);
    well_drawn(&chart, 62.0);
    well_formed(&svg(&chart));
    well_formed(&bpmn(&chart));
    assert!(mermaid(&chart).starts_with("flowchart LR\n"));
}

#[test]
fn every_process_of_the_town_is_well_drawn() {
    for definition in &catalogue().definitions {
        all_laws(definition, Language::Fr);
        all_laws(definition, Language::En);
    }
}

#[test]
fn pictures_keep_to_their_form() {
    let report = catalogue().definition("securite/stationnement-genant").unwrap();
    insta::assert_snapshot!("report_svg", svg(&drawn(report, Language::Fr)));
    insta::assert_snapshot!("report_bpmn", bpmn(&drawn(report, Language::En)));
    insta::assert_snapshot!("pothole_mermaid", mermaid(&drawn(pothole(), Language::Fr)));
}

#[test]
fn what_designers_type_stays_text() {
    let mut definition = pothole().clone();
    let hostile = "</text><script>alert(1)</script> \" ' & ]]> \u{0}\u{7}\u{202e} `x` %% ; end #35; \\";
    definition.title = Text::new(hostile, "");
    definition.treatment[0].title = Text::new(format!("{hostile}\n  classDef x fill:red"), "");
    all_laws(&definition, Language::Fr);
    let chart = drawn(&definition, Language::Fr);
    assert!(!svg(&chart).contains("<script"));
    let lines = mermaid(&chart);
    assert!(
        !lines.contains("<script") && !lines.lines().any(|line| line.trim_start().starts_with("classDef"))
    );
}

#[test]
fn a_decision_is_passed_once_something_after_it_has_begun() {
    let mut chart = drawn(pothole(), Language::Fr);
    let done = ["received", "acknowledge", "qualify", "assign", "task_visite", "answer"];
    let open = "step_direction";
    for node in chart.nodes.iter_mut().filter(|node| node.subject != Subject::Way) {
        node.mark = Some(match node.id.as_str() {
            id if done.contains(&id) => Mark::Done,
            "task_intervention" => Mark::Skipped,
            id if id == open => Mark::Open,
            _ => Mark::Ahead,
        });
    }
    super::progress::ways(&mut chart);
    let passed =
        chart.nodes.iter().filter(|node| node.subject == Subject::Way && node.mark == Some(Mark::Done));
    let passed: Vec<&str> = passed.map(|node| node.id.as_str()).collect();
    let expected = ["if_intervention", "end_if_intervention", "rework", "if_circuit", "again_direction"];
    assert_eq!(passed, expected);
    let texts = [svg(&chart), mermaid(&chart), bpmn(&chart)];
    assert!(
        texts[1].contains("✓ Visite du patrouilleur") && texts[1].contains("– Intervention"),
        "{}",
        texts[1]
    );
    assert!(texts[2].contains("name=\"▸ Valider : direction\""), "{}", texts[2]);
    texts[..1].iter().chain(&texts[2..]).for_each(|text| well_formed(text));
}

/// WCAG 2.2, 1.4.3: relative luminance and contrast.
fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |colour: &str| {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    };
    let (a, b) = (luminance(one) + 0.05, luminance(other) + 0.05);
    (a / b).max(b / a)
}

#[test]
fn every_text_can_be_read_and_every_outline_seen() {
    let marks = [Mark::Ahead, Mark::Open, Mark::Late, Mark::Done, Mark::Skipped].map(Mark::colours);
    let fills =
        marks.iter().map(|(fill, _)| *fill).chain(["#e8f0fb", "#fff8e1", "#f4f6f8", "#e6ebf1", "#ffffff"]);
    for fill in fills {
        for ink in [super::svg::INK, super::svg::QUIET] {
            assert!(contrast(ink, fill) >= 4.5, "{ink} on {fill}");
        }
    }
    for (fill, outline) in marks.into_iter().chain([("#e8f0fb", super::svg::BLUE), ("#f4f6f8", "#8a1f1f")]) {
        assert!(contrast(outline, fill) >= 3.0, "{outline} on {fill}");
    }
}

fn party() -> impl Strategy<Value = Party> {
    prop_oneof![
        Just(Party::ServiceInCharge),
        "[a-c]".prop_map(Party::Role),
        "[a-c]".prop_map(Party::Service),
        "[a-c]".prop_map(Party::Person),
    ]
}

fn rule() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop_oneof![Just("form.danger".to_owned()), "[a-z.=&|!' ()<>é]{0,40}"])
}

fn title() -> impl Strategy<Value = Text> {
    prop_oneof![".{0,60}", "[A-Za-zé ]{0,200}", "W{0,90}"].prop_map(|title| Text::new(title, ""))
}

/// Tasks that wait for any of the others, themselves and circles included.
fn tasks() -> impl Strategy<Value = Vec<TaskSheet>> {
    let one = (title(), party(), prop::option::of(0..400u32), prop::collection::vec(0..9usize, 0..4), rule());
    prop::collection::vec(one, 0..9).prop_map(|drawn| {
        let name = |at: usize| format!("t{at}");
        let tasks = drawn.into_iter().enumerate().map(|(at, (title, by, within, after, when))| TaskSheet {
            task: name(at),
            title,
            by,
            within: within.map(|hours| format!("{hours} hours").parse().unwrap()),
            after: after.into_iter().map(name).collect(),
            when,
            report: Vec::new(),
        });
        tasks.collect()
    })
}

fn step() -> impl Strategy<Value = CircuitStep> {
    let quorum = prop_oneof![Just(Quorum::Any), Just(Quorum::All), (1..9u32).prop_map(Quorum::AtLeast)];
    let reject = prop_oneof![
        Just(OnReject::Stop),
        Just(OnReject::CollectAll),
        (0..4usize).prop_map(|at| OnReject::ReturnTo(format!("s{at}"))),
    ];
    let late = prop_oneof![Just(OnLate::Remind), Just(OnLate::Approve), party().prop_map(OnLate::EscalateTo)];
    let parts = (prop::collection::vec(party(), 1..3), quorum, reject, rule(), any::<bool>(), late);
    parts.prop_map(|(by, rule, on_reject, when, timed, on_late)| CircuitStep {
        step: String::new(),
        by,
        rule,
        veto: Vec::new(),
        on_reject,
        exclude: vec![Excluded::Author],
        when,
        within: timed.then(|| "2 working days".parse().unwrap()),
        on_late,
    })
}

fn definition() -> impl Strategy<Value = Definition> {
    let circuit = prop::option::of(prop::collection::vec(step(), 0..4));
    let services = prop::collection::vec(("[a-c]", rule()), 0..4);
    (title(), tasks(), circuit, rule(), any::<bool>(), services).prop_map(
        |(title, tasks, circuit, when, by_author, services)| {
            let mut definition = pothole().clone();
            definition.title = title;
            definition.treatment = tasks;
            definition.validation.circuit = circuit.map(|mut steps| {
                for (at, step) in steps.iter_mut().enumerate() {
                    step.step = format!("s{at}");
                }
                Circuit { circuit: "circuits/x".into(), steps }
            });
            definition.validation.when = when;
            definition.validation.otherwise = if by_author { Simple::ByAuthor } else { Simple::Automatic };
            definition.assignment = services.into_iter().map(|(is, when)| Rule { when, is }).collect();
            definition
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_process_is_well_drawn(definition in definition()) {
        all_laws(&definition, Language::Fr);
    }
}
