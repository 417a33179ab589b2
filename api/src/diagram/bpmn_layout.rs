//! The layout of a BPMN document (BPMN DI): the same places as in the SVG, with the events of terms below their boxes.

use std::io;

use super::bpmn::{late_flow_id, late_id, late_target, term_id};
use super::chart::{Chart, Mark, Node, Shape};
use super::layout::{LANE_TITLE, Layout, SMALL, SMALL_LINE, Spot};
use super::measure::{width, wrap};
use super::xml::{Xml, number};

/// The left edge of the pool, and the width of the pool's title and of the lanes' titles in modelling tools.
const LEFT: f64 = 60.0;
const TITLE: f64 = 30.0;
/// What is left of the lane titles of the SVG, which are wider.
const SHIFT: f64 = TITLE + LEFT + 60.0 - LANE_TITLE;
const EVENT: f64 = 36.0;
const NOTE: f64 = 300.0;

/// Where the drawing starts below the annotations.
struct Page<'a> {
    plan: &'a Layout,
    top: f64,
    notes: Vec<Vec<String>>,
}

pub(super) fn write(xml: &mut Xml, chart: &Chart, plan: &Layout) -> io::Result<()> {
    let notes: Vec<Vec<String>> =
        chart.bars.iter().map(|bar| wrap(&bar.words(chart.language), 12.0, false, NOTE - 12.0, 9)).collect();
    let most = notes.iter().map(Vec::len).max().unwrap_or(0) as f64;
    let page = Page { plan, top: 60.0 + most * 15.0 + 60.0, notes };
    xml.element("bpmndi:BPMNDiagram", &[("id", "Diagram")], |xml| {
        xml.element("bpmndi:BPMNPlane", &[("id", "Plane"), ("bpmnElement", "Collaboration")], |xml| {
            frame(xml, chart, &page)?;
            for (node, spot) in chart.nodes.iter().zip(&plan.spots) {
                shape(xml, node, spot, &page)?;
            }
            for (at, (edge, way)) in chart.edges.iter().zip(&plan.ways).enumerate() {
                let id = format!("Flow_{at}");
                let label = (!edge.label.is_empty()).then_some(edge.label.as_str());
                connection(xml, &id, &page.shifted(way), label)?;
            }
            for (node, spot) in chart.nodes.iter().zip(&plan.spots) {
                term(xml, chart, (node, spot), &page)?;
            }
            asides(xml, chart, &page)
        })
    })
}

impl Page<'_> {
    fn x(&self, x: f64) -> f64 {
        x + SHIFT
    }

    fn y(&self, y: f64) -> f64 {
        y + self.top
    }

    fn shifted(&self, way: &[(f64, f64)]) -> Vec<(f64, f64)> {
        way.iter().map(|(x, y)| (self.x(*x), self.y(*y))).collect()
    }

    fn width(&self) -> f64 {
        self.x(self.plan.width) - LEFT - TITLE
    }
}

type Bounds = (f64, f64, f64, f64);

fn bounds(xml: &mut Xml, (x, y, wide, high): Bounds) -> io::Result<()> {
    let (x, y, wide, high) = (number(x), number(y), number(wide), number(high));
    xml.empty("dc:Bounds", &[("x", &x), ("y", &y), ("width", &wide), ("height", &high)])
}

fn drawn(
    xml: &mut Xml,
    element: &str,
    place: Bounds,
    more: &[(&str, &str)],
    label: Option<Bounds>,
) -> io::Result<()> {
    let id = format!("Shape_{element}");
    let mut attributes = vec![("id", id.as_str()), ("bpmnElement", element)];
    attributes.extend_from_slice(more);
    xml.element("bpmndi:BPMNShape", &attributes, |xml| {
        bounds(xml, place)?;
        match label {
            Some(label) => xml.element("bpmndi:BPMNLabel", &[], |xml| bounds(xml, label)),
            None => Ok(()),
        }
    })
}

fn frame(xml: &mut Xml, chart: &Chart, page: &Page<'_>) -> io::Result<()> {
    let level = [("isHorizontal", "true")];
    let pool = (LEFT, page.top, page.width() + TITLE, page.plan.height);
    drawn(xml, "Pool", pool, &level, None)?;
    for (at, (top, height)) in page.plan.lanes.iter().enumerate() {
        let lane = (LEFT + TITLE, page.y(*top), page.width(), *height);
        drawn(xml, &format!("Lane_{at}"), lane, &level, None)?;
    }
    for column in chart.columns() {
        let Some((left, right)) = page.plan.columns.get(&column) else { continue };
        let group = (page.x(*left) + 1.0, page.top - 26.0, right - left - 2.0, page.plan.height + 40.0);
        let label = (page.x(*left) + 8.0, page.top - 22.0, (right - left - 16.0).max(20.0), 14.0);
        drawn(xml, &format!("Group_{column:?}"), group, &[], Some(label))?;
    }
    Ok(())
}

fn shape(xml: &mut Xml, node: &Node, spot: &Spot, page: &Page<'_>) -> io::Result<()> {
    let place = (page.x(spot.left()), page.y(spot.top()), spot.width, spot.height);
    let high = SMALL_LINE * spot.title.len() as f64;
    let wide = spot.title.iter().map(|line| width(line, SMALL, true)).fold(20.0, f64::max) + 4.0;
    let label =
        |y: f64| (!spot.title.is_empty()).then_some((page.x(spot.x) - wide / 2.0, page.y(y), wide, high));
    let below = spot.bottom() + 5.0;
    let mut more: Vec<(&str, &str)> = Vec::new();
    if let Some((fill, stroke)) = node.mark.map(Mark::colours) {
        more.extend([("color:background-color", fill), ("color:border-color", stroke)]);
    }
    let label = match node.shape {
        Shape::Start | Shape::End => label(below),
        Shape::Choice => label(if spot.above { spot.top() - 5.0 - high } else { below }),
        Shape::Work | Shape::Rules | Shape::Send | Shape::Merge | Shape::Fork | Shape::Join => None,
    };
    if matches!(node.shape, Shape::Choice | Shape::Merge) {
        more.push(("isMarkerVisible", "true"));
    }
    drawn(xml, &node.id, place, &more, label)
}

fn connection(xml: &mut Xml, element: &str, way: &[(f64, f64)], label: Option<&str>) -> io::Result<()> {
    let id = format!("Edge_{element}");
    xml.element("bpmndi:BPMNEdge", &[("id", &id), ("bpmnElement", element)], |xml| {
        for (x, y) in way {
            xml.empty("di:waypoint", &[("x", &number(*x)), ("y", &number(*y))])?;
        }
        let (Some(label), Some((x, y)), Some(next)) = (label, way.first(), way.get(1)) else { return Ok(()) };
        let wide = width(label, SMALL, false) + 2.0;
        let place = if next.1 > *y {
            (x + 5.0, *y + 3.0)
        } else if next.1 < *y {
            (x + 9.0, *y - 18.0)
        } else {
            (x + 3.0, *y - 16.0)
        };
        xml.element("bpmndi:BPMNLabel", &[], |xml| bounds(xml, (place.0, place.1, wide, SMALL_LINE)))
    })
}

/// The timer at the border of a box, and what it leads to.
fn term(xml: &mut Xml, chart: &Chart, (node, spot): (&Node, &Spot), page: &Page<'_>) -> io::Result<()> {
    let Some(alarm) = &node.alarm else { return Ok(()) };
    let (left, bottom) = (page.x(spot.left()), page.y(spot.bottom()));
    let x = page.x(spot.right()) - 10.0 - EVENT;
    let lines = wrap(&alarm.words, SMALL, false, spot.width - EVENT - 20.0, 3).len() as f64;
    let label = (left, bottom + 4.0, spot.width - EVENT - 16.0, SMALL_LINE * lines);
    drawn(xml, &term_id(node), (x, bottom - EVENT / 2.0, EVENT, EVENT), &[], Some(label))?;
    let (middle, start) = (x + EVENT / 2.0, bottom + EVENT / 2.0);
    if let Some(target) = late_target(chart, node).and_then(|target| page.plan.spots.get(target)) {
        let (end, level) = ((page.x(target.x), page.y(target.bottom())), start + 12.0);
        let way = [(middle, start), (middle, level), (end.0, level), end];
        return connection(xml, &late_flow_id(node), &way, None);
    }
    let end = (x, start + 14.0, EVENT, EVENT);
    let lines = wrap(&alarm.effect, SMALL, false, spot.width - EVENT - 20.0, 3).len() as f64;
    let label = (left, bottom + 34.0, spot.width - EVENT - 16.0, SMALL_LINE * lines);
    drawn(xml, &late_id(node), end, &[], Some(label))?;
    connection(xml, &late_flow_id(node), &[(middle, start), (middle, start + 14.0)], None)
}

/// Clocks above the pool, tied to where they start; what may happen beside the way below it.
fn asides(xml: &mut Xml, chart: &Chart, page: &Page<'_>) -> io::Result<()> {
    for (at, (bar, lines)) in chart.bars.iter().zip(&page.notes).enumerate() {
        let (x, high) = (LEFT + at as f64 * (NOTE + 24.0), lines.len() as f64 * 15.0 + 12.0);
        drawn(xml, &format!("Clock_{at}"), (x, 40.0, NOTE, high), &[], None)?;
        let spot = chart.moments.get(&bar.from).and_then(|node| page.plan.spots.get(*node));
        if let Some(spot) = spot {
            let way = [(x + 20.0, 40.0 + high), (page.x(spot.x), page.y(spot.top()))];
            connection(xml, &format!("Link_{at}"), &way, None)?;
        }
    }
    let wide = 900.0_f64.min(page.width());
    let lines: usize = chart.aside.iter().map(|line| wrap(line, 12.0, false, wide - 12.0, 9).len()).sum();
    let aside = (LEFT, page.y(page.plan.height) + 30.0, wide, lines as f64 * 15.0 + 12.0);
    drawn(xml, "Aside", aside, &[], None)
}
