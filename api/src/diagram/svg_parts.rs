//! Lanes, nodes and arrows in SVG.

use std::io;

use super::chart::{Chart, Edge, Lane, Mark, Node, Shape, Way};
use super::layout::{LANE_TITLE, SMALL, SMALL_LINE, Spot, TITLE, TITLE_LINE};
use super::measure::{width, wrap};
use super::svg::{BLUE, INK, LINE, QUIET, line};
use super::xml::{Xml, number};

/// A lane: its band and who acts in it.
pub(super) fn lane(
    xml: &mut Xml,
    lane: &Lane,
    (top, height, wide): (f64, f64, f64),
    shaded: bool,
) -> io::Result<()> {
    let (y, high) = (number(top), number(height));
    let fill = if shaded { "#f4f6f8" } else { "#ffffff" };
    xml.empty(
        "rect",
        &[("y", &y), ("width", &number(wide)), ("height", &high), ("fill", fill), ("stroke", "#b6bec7")],
    )?;
    let title = [
        ("y", y.as_str()),
        ("width", &number(LANE_TITLE)),
        ("height", &high),
        ("fill", "#e6ebf1"),
        ("stroke", "#b6bec7"),
    ];
    xml.empty("rect", &title)?;
    let room = LANE_TITLE - 20.0;
    let (title, detail) =
        (wrap(&lane.title, TITLE, true, room, 4), wrap(&lane.detail, SMALL, false, room, 4));
    let text = title.len() as f64 * TITLE_LINE + detail.len() as f64 * SMALL_LINE;
    let mut at = top + (height - text) / 2.0;
    for words in &title {
        at += TITLE_LINE;
        line(xml, 10.0, at - 4.0, words, &[("font-size", "13"), ("font-weight", "bold")])?;
    }
    for words in &detail {
        at += SMALL_LINE;
        line(xml, 10.0, at - 3.0, words, &[("fill", QUIET)])?;
    }
    Ok(())
}

/// Fill, outline and its width.
fn colours(node: &Node) -> (&'static str, &'static str, &'static str) {
    match node.mark {
        Some(mark) => {
            let (fill, stroke) = mark.colours();
            let wide = matches!(mark, Mark::Open | Mark::Late) && node.shape.is_box();
            (fill, stroke, if wide { "3" } else { "1.4" })
        }
        None => match node.shape {
            Shape::Work => ("#e8f0fb", BLUE, "1.5"),
            Shape::Choice | Shape::Merge | Shape::Fork | Shape::Join => ("#fff8e1", "#7a4b00", "1.5"),
            Shape::Start | Shape::End | Shape::Rules | Shape::Send => ("#ffffff", LINE, "1.5"),
        },
    }
}

/// A node with all that is written in and at it.
pub(super) fn node(xml: &mut Xml, chart: &Chart, node: &Node, spot: &Spot) -> io::Result<()> {
    xml.element("g", &[("id", &format!("n_{}", node.id))], |xml| {
        let full = [node.title.as_str(), node.about.as_str()];
        let full: Vec<&str> = full.into_iter().filter(|text| !text.is_empty()).collect();
        if !full.is_empty() {
            xml.text("title", &[], &full.join("\n"))?;
        }
        match node.shape {
            Shape::Work | Shape::Rules | Shape::Send => boxed(xml, node, spot)?,
            Shape::Start | Shape::End => round(xml, node, spot)?,
            Shape::Choice | Shape::Merge | Shape::Fork | Shape::Join => diamond(xml, node, spot)?,
        }
        let marked = chart.marked && node.shape != Shape::Choice;
        match node.mark {
            Some(mark) if marked && (node.shape.is_box() || node.shape.is_round()) => {
                badge(xml, mark, spot.left() + 2.0, spot.top() + 2.0)
            }
            _ => Ok(()),
        }
    })
}

fn boxed(xml: &mut Xml, node: &Node, spot: &Spot) -> io::Result<()> {
    let (fill, stroke, thick) = colours(node);
    let (x, y, w, h) = (number(spot.left()), number(spot.top()), number(spot.width), number(spot.height));
    let mut attributes = vec![
        ("x", x.as_str()),
        ("y", &y),
        ("width", &w),
        ("height", &h),
        ("rx", "7"),
        ("fill", fill),
        ("stroke", stroke),
        ("stroke-width", thick),
    ];
    if node.mark == Some(Mark::Skipped) {
        attributes.push(("stroke-dasharray", "5 4"));
    }
    xml.empty("rect", &attributes)?;
    icon(xml, node.shape, spot.right() - 22.0, spot.top() + 7.0)?;
    let small = (spot.details.len() + spot.when.len()) as f64 * SMALL_LINE;
    let text = spot.title.len() as f64 * TITLE_LINE + small + if small > 0.0 { 4.0 } else { 0.0 };
    let (left, mut at) = (spot.left() + 12.0, spot.y - text / 2.0);
    for words in &spot.title {
        at += TITLE_LINE;
        line(xml, left, at - 4.0, words, &[("font-size", "13"), ("font-weight", "bold")])?;
    }
    at += 4.0;
    for words in &spot.details {
        at += SMALL_LINE;
        line(xml, left, at - 4.0, words, &[("fill", QUIET)])?;
    }
    for words in &spot.when {
        at += SMALL_LINE;
        line(xml, left, at - 4.0, words, &[("font-weight", "bold")])?;
    }
    term(xml, spot)
}

/// The term of a task or a step, below its box: a clock face and the words.
fn term(xml: &mut Xml, spot: &Spot) -> io::Result<()> {
    if spot.alarm.is_empty() {
        return Ok(());
    }
    let (x, y) = (spot.left() + 8.0, spot.bottom() + 12.0);
    xml.empty(
        "circle",
        &[("cx", &number(x)), ("cy", &number(y)), ("r", "6.5"), ("fill", "#ffffff"), ("stroke", INK)],
    )?;
    let hands = format!("M{} {}v4.5h3.5", number(x), number(y - 4.5));
    xml.empty("path", &[("d", &hands), ("stroke", INK), ("fill", "none")])?;
    for (at, words) in spot.alarm.iter().enumerate() {
        line(xml, spot.left() + 20.0, y + 4.0 + SMALL_LINE * at as f64, words, &[])?;
    }
    Ok(())
}

fn round(xml: &mut Xml, node: &Node, spot: &Spot) -> io::Result<()> {
    let (fill, stroke, _) = colours(node);
    let thick = if node.shape == Shape::End { "4" } else { "1.8" };
    let (x, y) = (number(spot.x), number(spot.y));
    let circle = [
        ("cx", x.as_str()),
        ("cy", &y),
        ("r", "17"),
        ("fill", fill),
        ("stroke", stroke),
        ("stroke-width", thick),
    ];
    xml.empty("circle", &circle)?;
    envelope(xml, spot.x - 8.0, spot.y - 5.5)?;
    let mut at = spot.bottom() + 4.0;
    for words in &spot.title {
        at += SMALL_LINE;
        line(xml, spot.x, at - 2.0, words, &[("text-anchor", "middle"), ("font-weight", "bold")])?;
    }
    for words in &spot.when {
        at += SMALL_LINE;
        line(xml, spot.x, at - 2.0, words, &[("text-anchor", "middle")])?;
    }
    Ok(())
}

fn diamond(xml: &mut Xml, node: &Node, spot: &Spot) -> io::Result<()> {
    let (fill, stroke, thick) = colours(node);
    let (x, y, half) = (spot.x, spot.y, spot.width / 2.0);
    let path = format!("M{} {}l{h} {h}l-{h} {h}l-{h} -{h}z", number(x), number(y - half), h = number(half));
    xml.empty("path", &[("d", &path), ("fill", fill), ("stroke", stroke), ("stroke-width", thick)])?;
    let sign = match node.shape {
        Shape::Fork | Shape::Join => {
            format!("M{} {}v12M{} {}h12", number(x), number(y - 6.0), number(x - 6.0), number(y))
        }
        _ if node.title.is_empty() => String::new(),
        _ => format!(
            "M{} {}l10 10M{} {}l10 -10",
            number(x - 5.0),
            number(y - 5.0),
            number(x - 5.0),
            number(y + 5.0)
        ),
    };
    if !sign.is_empty() {
        xml.empty("path", &[("d", &sign), ("stroke", stroke), ("stroke-width", "2.2"), ("fill", "none")])?;
    }
    let lines = spot.title.len() as f64;
    let mut at = if spot.above { spot.top() - 6.0 - SMALL_LINE * lines } else { spot.bottom() + 2.0 };
    for words in &spot.title {
        at += SMALL_LINE;
        line(xml, x, at, words, &[("text-anchor", "middle")])?;
    }
    Ok(())
}

/// Who or what does it: a person, the sheet's rules, a letter.
fn icon(xml: &mut Xml, shape: Shape, x: f64, y: f64) -> io::Result<()> {
    let path = match shape {
        Shape::Work => {
            format!(
                "M{} {}a3.4 3.4 0 1 1 .1 0zM{} {}v-1.5a5.5 5 0 0 1 11 0v1.5z",
                number(x + 7.5),
                number(y + 7.0),
                number(x + 2.0),
                number(y + 14.0)
            )
        }
        Shape::Rules => {
            format!("M{} {}h13v11h-13zm0 3.5h13m-8 0v7.5m-5 -3.8h13", number(x + 1.0), number(y + 2.0))
        }
        Shape::Send => return envelope(xml, x, y + 2.0),
        Shape::Start | Shape::End | Shape::Choice | Shape::Merge | Shape::Fork | Shape::Join => return Ok(()),
    };
    xml.empty("path", &[("d", &path), ("fill", "none"), ("stroke", LINE), ("stroke-width", "1.2")])
}

fn envelope(xml: &mut Xml, x: f64, y: f64) -> io::Result<()> {
    let path = format!("M{} {}h16v11h-16zl8 6.5l8 -6.5", number(x), number(y));
    xml.empty("path", &[("d", &path), ("fill", "none"), ("stroke", LINE), ("stroke-width", "1.2")])
}

/// The sign of where a request stands with a node.
pub(super) fn badge(xml: &mut Xml, mark: Mark, x: f64, y: f64) -> io::Result<()> {
    let (fill, sign) = match mark {
        Mark::Ahead => return Ok(()),
        Mark::Done => ("#1e6b33", "m-4 0l3 3.5l5.5 -6.5"),
        Mark::Open => ("#7a4b00", "m-2.5 -4l6 4l-6 4z"),
        Mark::Late => ("#9b1c1c", "m0 -5v6m0 2.2v2"),
        Mark::Skipped => ("#5c5c5c", "m-4.5 0h9"),
    };
    let (cx, cy) = (number(x), number(y));
    xml.empty("circle", &[("cx", &cx), ("cy", &cy), ("r", "9"), ("fill", fill), ("stroke", "#ffffff")])?;
    let path = format!("M{cx} {cy}{sign}");
    xml.empty("path", &[("d", &path), ("fill", "none"), ("stroke", "#ffffff"), ("stroke-width", "2")])
}

/// An arrow with its head and its word.
pub(super) fn arrow(xml: &mut Xml, chart: &Chart, edge: &Edge, way: &[(f64, f64)]) -> io::Result<()> {
    let (Some(first), Some(last)) = (way.first(), way.last()) else { return Ok(()) };
    let back = edge.way == Way::Back;
    let colour = if back { "#8a1f1f" } else { LINE };
    let path = path(way);
    let mut attributes =
        vec![("d", path.as_str()), ("fill", "none"), ("stroke", colour), ("stroke-width", "1.5")];
    if back {
        attributes.push(("stroke-dasharray", "6 3"));
    }
    xml.empty("path", &attributes)?;
    let shape = match edge.way {
        Way::Forward => "l-8 -4.5v9z",
        Way::Past => "l-4.5 -8h9z",
        Way::Back => "l-4.5 8h9z",
    };
    let head = format!("M{} {}{shape}", number(last.0), number(last.1));
    xml.empty("path", &[("d", &head), ("fill", colour)])?;
    if edge.label.is_empty() {
        return Ok(());
    }
    let (x, y) = match edge.way {
        Way::Forward => (first.0 + 3.0, first.1 - 5.0),
        Way::Past => (first.0 + 5.0, first.1 - 5.0),
        Way::Back => (first.0 + 5.0, first.1 + 12.0),
    };
    debug_assert!(width(&edge.label, SMALL, false) < 60.0, "{}", chart.process);
    line(xml, x, y, &edge.label, &[("fill", if back { colour } else { INK })])
}

/// Straight pieces with rounded corners.
fn path(way: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (at, point) in way.iter().enumerate() {
        let (before, after) = (at.checked_sub(1).and_then(|it| way.get(it)), way.get(at + 1));
        match (before, after) {
            (Some(before), Some(after)) => {
                let (enter, leave) = (toward(*point, *before), toward(*point, *after));
                path.push_str(&format!(
                    "L{} {}Q{} {} {} {}",
                    number(enter.0),
                    number(enter.1),
                    number(point.0),
                    number(point.1),
                    number(leave.0),
                    number(leave.1)
                ));
            }
            (None, _) => path.push_str(&format!("M{} {}", number(point.0), number(point.1))),
            (Some(_), None) => path.push_str(&format!("L{} {}", number(point.0), number(point.1))),
        }
    }
    path
}

/// A point a little way from `corner` toward `other`.
fn toward(corner: (f64, f64), other: (f64, f64)) -> (f64, f64) {
    let (dx, dy) = (other.0 - corner.0, other.1 - corner.1);
    let length = dx.abs().max(dy.abs());
    let step = (length / 2.0).min(5.0);
    if length < 0.1 { corner } else { (corner.0 + dx / length * step, corner.1 + dy / length * step) }
}
