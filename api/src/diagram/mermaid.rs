//! The picture as a Mermaid flowchart, for wikis and pages that draw those: the same nodes and arrows, the stages as
//! boxes, who acts written into each node.

use super::chart::{Chart, Column, Edge, Mark, Node, Shape, Way};

/// The chart as a Mermaid flowchart.
#[must_use]
pub fn mermaid(chart: &Chart) -> String {
    let mut lines = vec!["flowchart LR".to_owned()];
    lines.push(format!("  accTitle: {}", plain(&chart.title)));
    lines.push(format!("  accDescr: {}", plain(&chart.subtitle.join(" · "))));
    for column in Column::ALL {
        let nodes: Vec<&Node> = chart.nodes.iter().filter(|node| node.column == column).collect();
        if nodes.is_empty() {
            continue;
        }
        let heading = match chart.reached.get(&column) {
            Some(at) => format!("{} ✓ {at}", chart.heading(column)),
            None => chart.heading(column).to_owned(),
        };
        lines.push(format!("  subgraph stage_{} [\"{}\"]", stage(column), text(&heading)));
        lines.push("    direction LR".to_owned());
        lines.extend(nodes.into_iter().map(|node| format!("    {}", drawn(chart, node))));
        lines.push("  end".to_owned());
    }
    for edge in &chart.edges {
        lines.extend(arrow(chart, edge));
    }
    for (at, bar) in chart.bars.iter().enumerate() {
        let words = bar.words(chart.language);
        lines.push(format!("  clock_{at}[[\"{}\"]]", text(&words)));
        let (from, until) = (moment(chart, &bar.from), moment(chart, &bar.until));
        lines.extend(from.map(|id| format!("  clock_{at} -.- {id}")));
        lines.extend(until.map(|id| format!("  clock_{at} -.- {id}")));
    }
    if chart.marked {
        lines.extend(classes(chart));
    }
    lines.join("\n") + "\n"
}

fn moment<'a>(chart: &'a Chart, moment: &guichet_engine::rules::process::Moment) -> Option<&'a str> {
    chart.moments.get(moment).and_then(|node| chart.nodes.get(*node)).map(|node| node.id.as_str())
}

fn stage(column: Column) -> &'static str {
    match column {
        Column::Reception => "reception",
        Column::Qualification => "qualification",
        Column::Assignment => "assignment",
        Column::Treatment => "treatment",
        Column::Validation => "validation",
        Column::Delivery => "delivery",
    }
}

fn drawn(chart: &Chart, node: &Node) -> String {
    let mut parts = vec![text(&node.signed())];
    if node.shape.is_box() {
        let lane = chart.lanes.get(node.lane).map_or("", |lane| lane.title.as_str());
        parts.push(format!("({})", text(lane)));
        parts.extend(node.details.iter().map(|detail| text(detail)));
        parts.extend(node.alarm.iter().map(|alarm| text(&format!("{}, {}", alarm.words, alarm.effect))));
    }
    if !node.when.is_empty() {
        parts.push(text(&node.when));
    }
    let words = parts.join("<br/>");
    let (open, close) = match node.shape {
        Shape::Start | Shape::End => ("([", "])"),
        Shape::Work => ("[", "]"),
        Shape::Rules => ("[/", "/]"),
        Shape::Send => ("[\\", "\\]"),
        Shape::Choice => ("{", "}"),
        Shape::Merge | Shape::Fork | Shape::Join => ("((", "))"),
    };
    let words = match node.shape {
        Shape::Fork | Shape::Join => "+".to_owned(),
        Shape::Merge => " ".to_owned(),
        Shape::Start | Shape::End | Shape::Work | Shape::Rules | Shape::Send | Shape::Choice => words,
    };
    format!("{}{open}\"{words}\"{close}", node.id)
}

fn arrow(chart: &Chart, edge: &Edge) -> Option<String> {
    let (from, to) = (chart.nodes.get(edge.from)?, chart.nodes.get(edge.to)?);
    let line = if edge.way == Way::Back { "-.->" } else { "-->" };
    Some(if edge.label.is_empty() {
        format!("  {} {line} {}", from.id, to.id)
    } else {
        format!("  {} {line}|\"{}\"| {}", from.id, text(&edge.label), to.id)
    })
}

fn classes(chart: &Chart) -> Vec<String> {
    let mut lines = Vec::new();
    let names = [
        (Mark::Done, "done", ""),
        (Mark::Open, "open", ",stroke-width:3px"),
        (Mark::Late, "late", ",stroke-width:3px"),
        (Mark::Skipped, "skipped", ",stroke-dasharray:5 4"),
    ];
    for (mark, name, more) in names {
        let (fill, stroke) = mark.colours();
        lines.push(format!("  classDef {name} fill:{fill},stroke:{stroke},color:#1b1f24{more}"));
        let nodes = chart.nodes.iter().filter(|node| node.mark == Some(mark));
        let nodes: Vec<&str> = nodes.map(|node| node.id.as_str()).collect();
        if !nodes.is_empty() {
            lines.push(format!("  class {} {name}", nodes.join(",")));
        }
    }
    lines
}

/// Text inside quotes: what Mermaid or the page around it would read as its own is written as its number.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '#' | ';' | '<' | '>' | '&' | '`' | '\\' | '{' | '}' | '[' | ']' | '|' | '$' | '*'
            | '_' | '~' => {
                out.push_str(&format!("#{};", u32::from(c)));
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Text on a line of its own, where nothing can be quoted.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || ";#{}<>\"`%".contains(c) { ' ' } else { c }).collect()
}
