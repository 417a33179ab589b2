//! The picture as one SVG file that needs nothing else: no script, no style sheet, no font of its own. Every colour has
//! a shape or a sign beside it, so that a black-and-white print says the same.

use std::io;

use super::chart::{Chart, Mark};
use super::layout::{LANE_TITLE, Layout, SMALL, SMALL_LINE, TITLE, layout};
use super::measure::{width, wrap};
use super::svg_parts::{arrow, lane, node};
use super::xml::{Xml, number};

const MARGIN: f64 = 24.0;
pub(super) const INK: &str = "#1b1f24";
pub(super) const QUIET: &str = "#444c56";
pub(super) const LINE: &str = "#57606a";
pub(super) const BLUE: &str = "#1f4e8c";
const PURPLE: &str = "#5b2a86";
const FONT: &str = "Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', sans-serif";

/// The chart as an SVG document.
#[must_use]
pub fn svg(chart: &Chart) -> String {
    // Nothing can fail that only writes into memory; an empty picture would say that it did.
    write(chart).unwrap_or_default()
}

/// Heights of the parts above and below the lanes.
struct Page {
    width: f64,
    subtitle: Vec<String>,
    title: Vec<String>,
    bars: Vec<BarSpot>,
    aside: Vec<String>,
    /// The top of the columns' headings, and of the first lane.
    heading: f64,
    lanes: f64,
    height: f64,
}

/// A clock with its place.
struct BarSpot {
    left: f64,
    right: f64,
    /// The middle of the bar.
    y: f64,
    text: f64,
    lines: Vec<String>,
}

fn write(chart: &Chart) -> io::Result<String> {
    let plan = layout(chart, 0.0);
    let page = page(chart, &plan);
    let mut xml = Xml::new(false)?;
    let (wide, high) = (number(page.width), number(page.height));
    let view = format!("0 0 {wide} {high}");
    let scale = scale(&page);
    let sheet = (format!("{}mm", number(page.width * scale)), format!("{}mm", number(page.height * scale)));
    let language = chart.say("fr", "en");
    let attributes = [
        ("xmlns", "http://www.w3.org/2000/svg"),
        ("viewBox", view.as_str()),
        ("width", sheet.0.as_str()),
        ("height", sheet.1.as_str()),
        ("role", "img"),
        ("aria-labelledby", "title account"),
        ("xml:lang", language),
        ("lang", language),
        ("font-family", FONT),
        ("font-size", "11"),
        ("fill", INK),
    ];
    xml.element("svg", &attributes, |xml| {
        xml.text("title", &[("id", "title")], &chart.title)?;
        xml.text("desc", &[("id", "account")], &account(chart))?;
        xml.empty("rect", &[("width", &wide), ("height", &high), ("fill", "#ffffff")])?;
        head(xml, &page)?;
        clocks(xml, chart, &page)?;
        let across = format!("translate({} {})", number(MARGIN), number(page.lanes));
        xml.element("g", &[("transform", &across)], |xml| flow(xml, chart, &plan, &page))?;
        foot(xml, chart, &page)
    })?;
    Ok(xml.done())
}

/// A4, A3, A2 and A1 in landscape, in millimetres, without the margins of printers.
const SHEETS: [(f64, f64); 4] = [(277.0, 190.0), (400.0, 277.0), (574.0, 400.0), (821.0, 574.0)];
/// Small letters of that many millimetres for each unit can still be read on a wall.
const READABLE: f64 = 0.16;

/// Millimetres on paper for each unit: the picture fits on the smallest sheet on which it can be read, and is never
/// larger than on a screen.
fn scale(page: &Page) -> f64 {
    let fit = |(wide, high): (f64, f64)| (wide / page.width).min(high / page.height).min(25.4 / 96.0);
    let mut scales = SHEETS.into_iter().map(fit);
    scales.find(|scale| *scale >= READABLE).unwrap_or(READABLE)
}

fn page(chart: &Chart, plan: &Layout) -> Page {
    let width = plan.width.max(760.0) + MARGIN * 2.0;
    let room = width - MARGIN * 2.0;
    let title = wrap(&chart.title, 22.0, true, room, 3);
    let subtitle: Vec<String> =
        chart.subtitle.iter().flat_map(|line| wrap(line, 12.0, false, room, 3)).collect();
    let mut y = MARGIN + 28.0 * title.len() as f64 + 16.0 * subtitle.len() as f64 + 12.0;
    let mut bars = Vec::new();
    for bar in &chart.bars {
        let spot = |moment| chart.moments.get(moment).and_then(|node| plan.spots.get(*node));
        let left = spot(&bar.from).map_or(LANE_TITLE, |it| it.right()) + MARGIN;
        let right = spot(&bar.until).map_or(plan.width, |it| it.right()) + MARGIN;
        let (left, right) = if right < left + 24.0 { (left, left + 24.0) } else { (left, right) };
        // A clock that starts late would have no room for its words: they begin earlier then.
        let text = left.min(width - MARGIN - 460.0).max(MARGIN + LANE_TITLE);
        let lines = wrap(&bar.words(chart.language), 12.0, false, width - MARGIN - text, 4);
        y += 15.0 * lines.len() as f64 + 4.0;
        bars.push(BarSpot { left, right: right.min(width - MARGIN), y: y + 6.0, text, lines });
        y += 26.0;
    }
    let heading = y + 4.0;
    let lanes = heading + 52.0;
    let aside: Vec<String> = chart.aside.iter().flat_map(|line| wrap(line, 11.0, false, room, 3)).collect();
    let legend = if chart.marked { 24.0 } else { 0.0 };
    let height = lanes + plan.height + 20.0 + 15.0 * aside.len() as f64 + legend + MARGIN;
    Page { width, subtitle, title, bars, aside, heading, lanes, height }
}

/// The picture for those who do not see it.
fn account(chart: &Chart) -> String {
    let mut parts: Vec<String> = chart.subtitle.clone();
    parts.extend(chart.bars.iter().map(|bar| bar.words(chart.language)));
    for node in chart.nodes.iter().filter(|node| !node.title.is_empty()) {
        let lane = chart.lanes.get(node.lane).map_or("", |lane| lane.title.as_str());
        let mut part = format!("{} — {} ({lane})", chart.heading(node.column), node.title);
        let more = node.details.iter().cloned().chain(node.alarm.iter().map(|alarm| alarm.words.clone()));
        let more = more.chain(Some(node.when.clone()).filter(|when| !when.is_empty()));
        let more: Vec<String> = more.collect();
        if !more.is_empty() {
            part = format!("{part}{}{}", chart.say(" : ", ": "), more.join(", "));
        }
        parts.push(part);
    }
    parts.extend(chart.aside.iter().cloned());
    parts.join("\n")
}

/// A line of text.
pub(super) fn line(xml: &mut Xml, x: f64, y: f64, text: &str, more: &[(&str, &str)]) -> io::Result<()> {
    let (x, y) = (number(x), number(y));
    let mut attributes = vec![("x", x.as_str()), ("y", y.as_str())];
    attributes.extend_from_slice(more);
    xml.text("text", &attributes, text)
}

fn head(xml: &mut Xml, page: &Page) -> io::Result<()> {
    let mut y = MARGIN;
    for text in &page.title {
        y += 28.0;
        line(xml, MARGIN, y - 6.0, text, &[("font-size", "22"), ("font-weight", "bold")])?;
    }
    for text in &page.subtitle {
        y += 16.0;
        line(xml, MARGIN, y - 2.0, text, &[("font-size", "12"), ("fill", QUIET)])?;
    }
    Ok(())
}

fn clocks(xml: &mut Xml, chart: &Chart, page: &Page) -> io::Result<()> {
    if let Some(first) = page.bars.first() {
        let y = first.y - 15.0 * first.lines.len() as f64 + 5.0;
        let heading = chart.say("Engagements", "Promises");
        line(xml, MARGIN, y, heading, &[("font-size", "13"), ("font-weight", "bold")])?;
    }
    for (bar, spot) in chart.bars.iter().zip(&page.bars) {
        let colour = if bar.legal { PURPLE } else { BLUE };
        xml.element("g", &[("font-size", "12")], |xml| {
            let top = spot.y - 15.0 * spot.lines.len() as f64;
            for (at, text) in spot.lines.iter().enumerate() {
                line(xml, spot.text, top + 15.0 * at as f64 + 5.0, text, &[])?;
            }
            span(xml, spot, bar, colour)
        })?;
    }
    Ok(())
}

/// The bar of a clock between its two ends, with its warnings.
fn span(xml: &mut Xml, spot: &BarSpot, bar: &super::chart::Bar, colour: &str) -> io::Result<()> {
    let (left, long) = (number(spot.left), number(spot.right - spot.left));
    let y = number(spot.y + 1.0);
    let fill = match bar.mark {
        Some(Mark::Done) => "#d7efdb",
        Some(Mark::Late) => "#fad4d1",
        Some(Mark::Open) => "#ffeab0",
        Some(Mark::Skipped) => "#ececec",
        Some(Mark::Ahead) | None => "#dfe9f7",
    };
    let fill = if bar.legal && bar.mark.is_none() { "#ece2f5" } else { fill };
    let mut attributes = vec![
        ("x", left.as_str()),
        ("y", &y),
        ("width", &long),
        ("height", "10"),
        ("fill", fill),
        ("stroke", colour),
    ];
    if bar.legal {
        attributes.push(("stroke-dasharray", "5 3"));
    }
    xml.empty("rect", &attributes)?;
    for x in [spot.left, spot.right] {
        let path = format!("M{} {}v16", number(x), number(spot.y - 2.0));
        xml.empty("path", &[("d", &path), ("stroke", colour), ("stroke-width", "2.5"), ("fill", "none")])?;
    }
    for percent in &bar.warnings {
        let x = spot.left + (spot.right - spot.left) * f64::from(*percent) / 100.0;
        let path = format!("M{} {}l5 -9h-10z", number(x), number(spot.y + 10.0));
        xml.empty("path", &[("d", &path), ("fill", colour)])?;
    }
    Ok(())
}

fn flow(xml: &mut Xml, chart: &Chart, plan: &Layout, page: &Page) -> io::Result<()> {
    let wide = page.width - MARGIN * 2.0;
    for (at, (swim, (top, height))) in chart.lanes.iter().zip(&plan.lanes).enumerate() {
        lane(xml, swim, (*top, *height, wide), at % 2 == 1)?;
    }
    headings(xml, chart, plan, page)?;
    let frame =
        [("fill", "none"), ("stroke", LINE), ("width", &number(wide)), ("height", &number(plan.height))];
    xml.empty("rect", &frame)?;
    for (edge, way) in chart.edges.iter().zip(&plan.ways) {
        arrow(xml, chart, edge, way)?;
    }
    for (drawn, spot) in chart.nodes.iter().zip(&plan.spots) {
        node(xml, chart, drawn, spot)?;
    }
    Ok(())
}

/// The stages above the lanes, with dashed lines down between them.
fn headings(xml: &mut Xml, chart: &Chart, plan: &Layout, page: &Page) -> io::Result<()> {
    let top = page.heading - page.lanes;
    for (column, (left, right)) in &plan.columns {
        let path = format!("M{} {}V{}", number(*left), number(top), number(plan.height));
        let dash =
            [("d", path.as_str()), ("stroke", "#8c959f"), ("stroke-dasharray", "3 4"), ("fill", "none")];
        xml.empty("path", &dash)?;
        let (room, x) = (right - left - 10.0, left + 6.0);
        let heading = chart.heading(*column);
        let size = if width(heading, TITLE, true) > room { SMALL } else { TITLE };
        for text in wrap(heading, size, true, room, 1) {
            line(xml, x, top + 14.0, &text, &[("font-size", &number(size)), ("font-weight", "bold")])?;
        }
        let milestone = match chart.reached.get(column) {
            Some(at) => format!("✓ {} {at}", chart.milestone(*column)),
            None => format!("→ {}", chart.milestone(*column)),
        };
        for (at, text) in wrap(&milestone, SMALL, false, room, 2).iter().enumerate() {
            line(xml, x, top + 30.0 + SMALL_LINE * at as f64, text, &[("fill", QUIET)])?;
        }
    }
    Ok(())
}

fn foot(xml: &mut Xml, chart: &Chart, page: &Page) -> io::Result<()> {
    let legend = if chart.marked { 24.0 } else { 0.0 };
    let mut y = page.height - MARGIN - legend - 15.0 * page.aside.len() as f64;
    for text in &page.aside {
        y += 15.0;
        line(xml, MARGIN, y - 4.0, text, &[("fill", QUIET)])?;
    }
    if !chart.marked {
        return Ok(());
    }
    let mut x = MARGIN + 10.0;
    let signs = [
        (Mark::Done, chart.say("fait", "done")),
        (Mark::Open, chart.say("en cours", "under way")),
        (Mark::Late, chart.say("en retard", "late")),
        (Mark::Skipped, chart.say("sans objet", "not needed")),
    ];
    for (mark, word) in signs {
        super::svg_parts::badge(xml, mark, x, y + 16.0)?;
        line(xml, x + 14.0, y + 20.0, word, &[])?;
        x += 40.0 + width(word, SMALL, false);
    }
    Ok(())
}
