//! The picture as BPMN 2.0 with its layout (OMG formal/2013-12-09, chapters 10 to 12), for modelling tools. Lanes are
//! whoever acts, stages are groups, clocks are annotations; what BPMN has no word for stands in the documentation.

use std::io;

use super::bpmn_layout;
use super::chart::{Chart, Edge, Hands, Node, Shape, Way};
use super::layout::layout;
use super::xml::Xml;
use guichet_engine::rules::process::Party;

/// The language that conditions are written in.
const CEL: &str = "https://cel.dev";
/// The room below a box for the event of its term and what that leads to.
const BELOW: f64 = 62.0;

/// The chart as a BPMN 2.0 document.
#[must_use]
pub fn bpmn(chart: &Chart) -> String {
    // Nothing can fail that only writes into memory; an empty document would say that it did.
    write(chart).unwrap_or_default()
}

fn write(chart: &Chart) -> io::Result<String> {
    let plan = layout(chart, BELOW);
    let mut xml = Xml::new(true)?;
    let attributes = [
        ("xmlns:bpmn", "http://www.omg.org/spec/BPMN/20100524/MODEL"),
        ("xmlns:bpmndi", "http://www.omg.org/spec/BPMN/20100524/DI"),
        ("xmlns:dc", "http://www.omg.org/spec/DD/20100524/DC"),
        ("xmlns:di", "http://www.omg.org/spec/DD/20100524/DI"),
        ("xmlns:color", "http://www.omg.org/spec/BPMN/non-normative/color/1.0"),
        ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
        ("id", "Definitions"),
        ("targetNamespace", "urn:guichet:processes"),
        ("exporter", "Guichet"),
        ("exporterVersion", env!("CARGO_PKG_VERSION")),
    ];
    xml.element("bpmn:definitions", &attributes, |xml| {
        xml.element("bpmn:category", &[("id", "Stages"), ("name", chart.say("Étapes", "Stages"))], |xml| {
            for column in chart.columns() {
                let id = format!("Stage_{column:?}");
                xml.empty("bpmn:categoryValue", &[("id", &id), ("value", chart.heading(column))])?;
            }
            Ok(())
        })?;
        let opened = chart.nodes.first().map_or(chart.title.as_str(), |node| node.title.as_str());
        xml.empty("bpmn:message", &[("id", "Message"), ("name", opened)])?;
        collaboration(xml, chart)?;
        process(xml, chart)?;
        bpmn_layout::write(xml, chart, &plan)
    })?;
    Ok(xml.done())
}

/// The identifier of the process as a name in XML.
fn process_id(chart: &Chart) -> String {
    let name: String =
        chart.process.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("Process_{name}")
}

fn collaboration(xml: &mut Xml, chart: &Chart) -> io::Result<()> {
    xml.element("bpmn:collaboration", &[("id", "Collaboration")], |xml| {
        let (name, process) = (chart.title.as_str(), process_id(chart));
        xml.empty("bpmn:participant", &[("id", "Pool"), ("name", name), ("processRef", &process)])?;
        for column in chart.columns() {
            let (id, value) = (format!("Group_{column:?}"), format!("Stage_{column:?}"));
            xml.empty("bpmn:group", &[("id", &id), ("categoryValueRef", &value)])?;
        }
        for (at, bar) in chart.bars.iter().enumerate() {
            annotation(xml, &format!("Clock_{at}"), &bar.words(chart.language))?;
            let Some(node) = chart.moments.get(&bar.from).and_then(|node| chart.nodes.get(*node)) else {
                continue;
            };
            let (id, source) = (format!("Link_{at}"), format!("Clock_{at}"));
            xml.empty("bpmn:association", &[("id", &id), ("sourceRef", &source), ("targetRef", &node.id)])?;
        }
        annotation(xml, "Aside", &chart.aside.join("\n"))
    })
}

fn annotation(xml: &mut Xml, id: &str, text: &str) -> io::Result<()> {
    xml.element("bpmn:textAnnotation", &[("id", id)], |xml| xml.text("bpmn:text", &[], text))
}

fn process(xml: &mut Xml, chart: &Chart) -> io::Result<()> {
    let (id, name) = (process_id(chart), chart.title.as_str());
    xml.element("bpmn:process", &[("id", &id), ("name", name), ("isExecutable", "false")], |xml| {
        xml.text("bpmn:documentation", &[], &chart.subtitle.join("\n"))?;
        lanes(xml, chart)?;
        for (at, node) in chart.nodes.iter().enumerate() {
            flow_node(xml, chart, at, node)?;
        }
        for (at, edge) in chart.edges.iter().enumerate() {
            flow(xml, chart, at, edge)?;
        }
        for node in &chart.nodes {
            term(xml, chart, node)?;
        }
        Ok(())
    })
}

fn lanes(xml: &mut Xml, chart: &Chart) -> io::Result<()> {
    xml.element("bpmn:laneSet", &[("id", "Lanes")], |xml| {
        for (at, lane) in chart.lanes.iter().enumerate() {
            let id = format!("Lane_{at}");
            xml.element("bpmn:lane", &[("id", &id), ("name", &lane.title)], |xml| {
                let hands = hands(&lane.hands);
                if !hands.is_empty() {
                    xml.text("bpmn:documentation", &[], &hands)?;
                }
                for node in chart.nodes.iter().filter(|node| node.lane == at) {
                    xml.text("bpmn:flowNodeRef", &[], &node.id)?;
                    if let Some(alarm) = &node.alarm {
                        xml.text("bpmn:flowNodeRef", &[], &term_id(node))?;
                        if !alarm.ends {
                            xml.text("bpmn:flowNodeRef", &[], &late_id(node))?;
                        }
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    })
}

/// Whose lane it is, as sheets write it; no person is named.
fn hands(hands: &Hands) -> String {
    let Hands::Staff(parties) = hands else { return String::new() };
    let words = parties.iter().filter_map(|party| match party {
        Party::Role(role) => Some(format!("role:{role}")),
        Party::Service(service) => Some(format!("service:{service}")),
        Party::ServiceInCharge => Some("service".to_owned()),
        Party::Person(_) => None,
    });
    words.collect::<Vec<_>>().join(", ")
}

pub(super) fn term_id(node: &Node) -> String {
    format!("Term_{}", node.id)
}

pub(super) fn late_id(node: &Node) -> String {
    format!("Late_{}", node.id)
}

pub(super) fn late_flow_id(node: &Node) -> String {
    format!("Flow_late_{}", node.id)
}

fn flow_node(xml: &mut Xml, chart: &Chart, at: usize, node: &Node) -> io::Result<()> {
    let element = match node.shape {
        Shape::Start => "bpmn:startEvent",
        Shape::End => "bpmn:endEvent",
        Shape::Work => "bpmn:userTask",
        Shape::Rules => "bpmn:businessRuleTask",
        Shape::Send => "bpmn:sendTask",
        Shape::Choice | Shape::Merge => "bpmn:exclusiveGateway",
        Shape::Fork | Shape::Join => "bpmn:parallelGateway",
    };
    let otherwise = default_of(chart, at);
    let mut attributes = vec![("id", node.id.as_str())];
    let name = node.signed();
    if !name.is_empty() {
        attributes.push(("name", &name));
    }
    if let Some(flow) = &otherwise {
        attributes.push(("default", flow));
    }
    xml.element(element, &attributes, |xml| {
        let mut said = if node.about.is_empty() { node.details.join("\n") } else { node.about.clone() };
        if !node.when.is_empty() {
            said = format!("{said}\n{}", node.when).trim_start().to_owned();
        }
        if !said.is_empty() {
            xml.text("bpmn:documentation", &[], &said)?;
        }
        for (flow, _) in chart.edges.iter().enumerate().filter(|(_, edge)| edge.to == at) {
            xml.text("bpmn:incoming", &[], &format!("Flow_{flow}"))?;
        }
        for source in chart.nodes.iter().filter(|other| late_target(chart, other) == Some(at)) {
            xml.text("bpmn:incoming", &[], &late_flow_id(source))?;
        }
        for (flow, _) in chart.edges.iter().enumerate().filter(|(_, edge)| edge.from == at) {
            xml.text("bpmn:outgoing", &[], &format!("Flow_{flow}"))?;
        }
        if node.shape == Shape::Start {
            xml.empty("bpmn:messageEventDefinition", &[("id", "Opened"), ("messageRef", "Message")])?;
        }
        Ok(())
    })
}

/// The way taken where the rule of a decision does not hold.
fn default_of(chart: &Chart, at: usize) -> Option<String> {
    let leaves = || chart.edges.iter().enumerate().filter(|(_, edge)| edge.from == at);
    leaves().any(|(_, edge)| edge.rule.is_some()).then_some(())?;
    leaves().find(|(_, edge)| edge.rule.is_none()).map(|(flow, _)| format!("Flow_{flow}"))
}

fn flow(xml: &mut Xml, chart: &Chart, at: usize, edge: &Edge) -> io::Result<()> {
    let (Some(from), Some(to)) = (chart.nodes.get(edge.from), chart.nodes.get(edge.to)) else {
        return Ok(());
    };
    let id = format!("Flow_{at}");
    let mut attributes = vec![("id", id.as_str()), ("sourceRef", &from.id), ("targetRef", &to.id)];
    if !edge.label.is_empty() {
        attributes.push(("name", &edge.label));
    }
    match &edge.rule {
        None => xml.empty("bpmn:sequenceFlow", &attributes),
        Some(rule) => xml.element("bpmn:sequenceFlow", &attributes, |xml| {
            let formal = [("xsi:type", "bpmn:tFormalExpression"), ("language", CEL)];
            xml.text("bpmn:conditionExpression", &formal, rule)
        }),
    }
}

/// Where a term that ends the work leads on: to where those who agreed meet those who said nothing.
pub(super) fn late_target(chart: &Chart, node: &Node) -> Option<usize> {
    node.alarm.as_ref().filter(|alarm| alarm.ends)?;
    let at = chart.nodes.iter().position(|other| other.id == node.id)?;
    let agreed = chart.edges.iter().find(|edge| edge.from == at)?.to;
    chart.edges.iter().find(|edge| edge.from == agreed && edge.way == Way::Forward).map(|edge| edge.to)
}

/// The term of a task or a step: a timer at its border, and what it leads to.
fn term(xml: &mut Xml, chart: &Chart, node: &Node) -> io::Result<()> {
    let Some(alarm) = &node.alarm else { return Ok(()) };
    let (id, flow) = (term_id(node), late_flow_id(node));
    let cancels = if alarm.ends { "true" } else { "false" };
    let attributes = [
        ("id", id.as_str()),
        ("name", &alarm.words),
        ("attachedToRef", &node.id),
        ("cancelActivity", cancels),
    ];
    xml.element("bpmn:boundaryEvent", &attributes, |xml| {
        xml.text("bpmn:outgoing", &[], &flow)?;
        xml.element("bpmn:timerEventDefinition", &[("id", &format!("Timer_{}", node.id))], |xml| {
            let formal = [("xsi:type", "bpmn:tFormalExpression")];
            xml.text("bpmn:timeDuration", &formal, &alarm.duration)
        })
    })?;
    let late = late_id(node);
    let target = late_target(chart, node).and_then(|target| chart.nodes.get(target));
    let target = target.map_or(late.as_str(), |target| &target.id);
    xml.empty("bpmn:sequenceFlow", &[("id", &flow), ("sourceRef", &id), ("targetRef", target)])?;
    if target != late {
        return Ok(());
    }
    xml.element("bpmn:endEvent", &[("id", &late), ("name", &alarm.effect)], |xml| {
        xml.text("bpmn:incoming", &[], &flow)
    })
}
