//! Where everything stands, in pixels. The picture's flow starts at the left edge of its lanes and the top of the first.

use std::collections::BTreeMap;

use super::chart::{Chart, Column, Node, Shape, Way};
use super::measure::{width, wrap};
use super::place::{Grid, grid};
use super::route::{Routes, Wire, routes};

/// The width of the lanes' titles.
pub(super) const LANE_TITLE: f64 = 140.0;
/// The width of a box.
pub(super) const BOX: f64 = 158.0;
pub(super) const TITLE: f64 = 13.0;
pub(super) const SMALL: f64 = 11.0;
pub(super) const TITLE_LINE: f64 = 17.0;
pub(super) const SMALL_LINE: f64 = 14.0;
const ROUND: f64 = 36.0;
const DIAMOND: f64 = 40.0;
const WAY: f64 = 26.0;
const TRACK: f64 = 10.0;
const PAD: f64 = 11.0;

/// A node with its place and its texts in lines.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    /// The middle of the shape.
    pub(super) x: f64,
    pub(super) y: f64,
    /// The size of the shape itself.
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) title: Vec<String>,
    pub(super) details: Vec<String>,
    pub(super) when: Vec<String>,
    /// Below the shape.
    pub(super) alarm: Vec<String>,
    /// Whether the title of a decision stands above it.
    pub(super) above: bool,
    /// How much of the cell lies above and below the middle, and how wide it is.
    up: f64,
    down: f64,
    cell: f64,
}

impl Spot {
    pub(super) fn left(&self) -> f64 {
        self.x - self.width / 2.0
    }

    pub(super) fn right(&self) -> f64 {
        self.x + self.width / 2.0
    }

    pub(super) fn top(&self) -> f64 {
        self.y - self.height / 2.0
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.height / 2.0
    }

    /// The whole cell: left, top, width, height. Cells never overlap.
    #[cfg(test)]
    pub(super) fn cell(&self) -> (f64, f64, f64, f64) {
        (self.x - self.cell / 2.0, self.y - self.up, self.cell, self.up + self.down)
    }
}

/// A chart laid out.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) spots: Vec<Spot>,
    /// Top and height of each lane.
    pub(super) lanes: Vec<(f64, f64)>,
    /// Left and right of each column.
    pub(super) columns: BTreeMap<Column, (f64, f64)>,
    /// By edge: its corners.
    pub(super) ways: Vec<Vec<(f64, f64)>>,
}

/// Lays a chart out. `below` is how much room a term needs below its box beside its text.
pub(super) fn layout(chart: &Chart, below: f64) -> Layout {
    let grid = grid(chart);
    let routes = routes(chart, &grid);
    let mut spots: Vec<Spot> =
        chart.nodes.iter().enumerate().map(|(at, node)| spot(chart, at, node, below)).collect();
    let across = Across::of(&grid, &routes, &spots);
    let down = Down::of(chart, &grid, &routes, &spots);
    for (spot, cell) in spots.iter_mut().zip(&grid.cells) {
        spot.x = across.layers.get(cell.layer).map_or(0.0, |(left, width)| left + width / 2.0);
        spot.y = down.rows.get(cell.row).copied().unwrap_or_default();
    }
    let ways = (0..chart.edges.len()).map(|edge| way(chart, &routes, edge, &spots, &across, &down));
    let ways = ways.collect();
    let columns = grid.columns.iter().map(|(column, (first, last))| {
        let left = across.edge(*first);
        (*column, (left, across.edge(last + 1)))
    });
    Layout {
        width: across.edge(grid.layers),
        height: down.height,
        columns: columns.collect(),
        lanes: down.lanes,
        spots,
        ways,
    }
}

fn spot(chart: &Chart, at: usize, node: &Node, below: f64) -> Spot {
    let mut spot = Spot {
        x: 0.0,
        y: 0.0,
        width: WAY,
        height: WAY,
        title: Vec::new(),
        details: Vec::new(),
        when: Vec::new(),
        alarm: Vec::new(),
        above: false,
        up: WAY / 2.0,
        down: WAY / 2.0,
        cell: WAY,
    };
    match node.shape {
        Shape::Work | Shape::Rules | Shape::Send => boxed(&mut spot, node, below),
        Shape::Start | Shape::End => {
            (spot.width, spot.height, spot.cell) = (ROUND, ROUND, 96.0);
            spot.title = wrap(&node.title, SMALL, true, 94.0, 3);
            spot.when = wrap(&node.when, SMALL, false, 94.0, 2);
            let lines = (spot.title.len() + spot.when.len()) as f64;
            (spot.up, spot.down) = (ROUND / 2.0, ROUND / 2.0 + 6.0 + SMALL_LINE * lines);
        }
        Shape::Choice => decision(&mut spot, chart, at, node),
        Shape::Merge | Shape::Fork | Shape::Join => {}
    }
    spot
}

fn boxed(spot: &mut Spot, node: &Node, below: f64) {
    spot.title = wrap(&node.title, TITLE, true, BOX - 36.0, 4);
    for detail in &node.details {
        spot.details.extend(wrap(detail, SMALL, false, BOX - 20.0, 5));
    }
    if spot.details.len() > 16 {
        spot.details.truncate(15);
        spot.details.push("…".to_owned());
    }
    spot.when = wrap(&node.when, SMALL, true, BOX - 20.0, 3);
    if let Some(alarm) = &node.alarm {
        spot.alarm = wrap(&format!("{}, {}", alarm.words, alarm.effect), SMALL, false, BOX - 22.0, 3);
    }
    let small = (spot.details.len() + spot.when.len()) as f64 * SMALL_LINE;
    let text = spot.title.len() as f64 * TITLE_LINE + small + if small > 0.0 { 4.0 } else { 0.0 };
    (spot.width, spot.height) = (BOX, (text + 18.0).max(52.0));
    let term = if spot.alarm.is_empty() { 0.0 } else { 8.0 + spot.alarm.len() as f64 * SMALL_LINE + below };
    (spot.up, spot.down, spot.cell) = (spot.height / 2.0, spot.height / 2.0 + term, BOX);
}

/// The question stands where no arrow leaves: below, or above where a way back leaves below.
fn decision(spot: &mut Spot, chart: &Chart, at: usize, node: &Node) {
    spot.above = chart.edges.iter().any(|edge| edge.from == at && edge.way == Way::Back);
    spot.title = wrap(&node.title, SMALL, false, 98.0, 6);
    let text = spot.title.iter().map(|line| width(line, SMALL, false)).fold(0.0, f64::max);
    (spot.width, spot.height, spot.cell) = (DIAMOND, DIAMOND, (text + 4.0).max(DIAMOND + 14.0));
    let (near, far) = (DIAMOND / 2.0 + 6.0 + SMALL_LINE * spot.title.len() as f64, DIAMOND / 2.0 + 16.0);
    (spot.up, spot.down) = if spot.above { (near, far) } else { (far, near) };
}

/// Layers and gaps from left to right.
struct Across {
    /// Left and width of each layer.
    layers: Vec<(f64, f64)>,
    /// The first track of each gap.
    gaps: Vec<f64>,
    /// Between the last track of a gap and the layer after it, for each layer, and the right end of all.
    edges: Vec<f64>,
}

impl Across {
    fn of(grid: &Grid, routes: &Routes, spots: &[Spot]) -> Self {
        let (mut layers, mut gaps, mut edges) = (Vec::new(), Vec::new(), vec![LANE_TITLE]);
        let mut x = LANE_TITLE + PAD;
        for layer in 0..grid.layers {
            let mine = spots.iter().zip(&grid.cells).filter(|(_, cell)| cell.layer == layer);
            let width = mine.map(|(spot, _)| spot.cell).fold(WAY, f64::max);
            layers.push((x, width));
            x += width + PAD;
            gaps.push(x);
            let tracks = routes.gaps.get(&layer).copied().unwrap_or(0).saturating_sub(1);
            let end = x + tracks as f64 * TRACK + PAD;
            edges.push(end - PAD / 2.0);
            x = end;
        }
        if let Some(last) = edges.last_mut() {
            *last = x;
        }
        Self { layers, gaps, edges }
    }

    fn edge(&self, layer: usize) -> f64 {
        self.edges.get(layer).copied().unwrap_or_default()
    }
}

/// Rows and channels from top to bottom.
struct Down {
    /// The middle of each row.
    rows: Vec<f64>,
    /// The track nearest to the row below, of each channel.
    channels: Vec<f64>,
    lanes: Vec<(f64, f64)>,
    height: f64,
}

impl Down {
    fn of(chart: &Chart, grid: &Grid, routes: &Routes, spots: &[Spot]) -> Self {
        let mut down = Self { rows: Vec::new(), channels: Vec::new(), lanes: Vec::new(), height: 0.0 };
        let mut y = 0.0;
        for (lane, (first, count)) in chart.lanes.iter().zip(&grid.lanes) {
            let top = y;
            for row in *first..first + count {
                y = down.row(row, y, grid, routes, spots);
            }
            let title = wrap(&lane.title, TITLE, true, LANE_TITLE - 20.0, 4).len() as f64 * TITLE_LINE;
            let detail = wrap(&lane.detail, SMALL, false, LANE_TITLE - 20.0, 4).len() as f64 * SMALL_LINE;
            y = (y + 10.0).max(top + title + detail + 22.0);
            down.lanes.push((top, y - top));
        }
        let below = routes.channels.get(&grid.rows()).copied().unwrap_or(0);
        if below > 0 {
            y += below as f64 * TRACK + 4.0;
            if let Some(last) = down.lanes.last_mut() {
                last.1 = y - last.0;
            }
        }
        down.channels.push(y - 8.0);
        down.height = y;
        down
    }

    fn row(&mut self, row: usize, y: f64, grid: &Grid, routes: &Routes, spots: &[Spot]) -> f64 {
        let tracks = routes.channels.get(&row).copied().unwrap_or(0) as f64;
        let channel = y + 6.0 + tracks * TRACK;
        self.channels.push(channel - 4.0);
        let mine = || spots.iter().zip(&grid.cells).filter(|(_, cell)| cell.row == row);
        let up = mine().map(|(spot, _)| spot.up).fold(8.0, f64::max);
        let down = mine().map(|(spot, _)| spot.down).fold(8.0, f64::max);
        let middle = channel + 6.0 + up;
        self.rows.push(middle);
        middle + down + 4.0
    }
}

/// The corners of an arrow.
fn way(
    chart: &Chart,
    routes: &Routes,
    edge: usize,
    spots: &[Spot],
    across: &Across,
    down: &Down,
) -> Vec<(f64, f64)> {
    let (Some(arrow), Some(wires)) = (chart.edges.get(edge), routes.wires.get(edge)) else {
        return Vec::new();
    };
    let (Some(from), Some(to)) = (spots.get(arrow.from), spots.get(arrow.to)) else { return Vec::new() };
    let track = |piece: usize| routes.tracks.get(&(edge, piece)).copied().unwrap_or(0) as f64 * TRACK;
    let mut points = vec![match arrow.way {
        Way::Forward => (from.right(), from.y),
        Way::Past => (from.x, from.top()),
        Way::Back => (from.x, from.bottom()),
    }];
    let (mut x, mut y) = points.first().copied().unwrap_or_default();
    for (piece, wire) in wires.iter().enumerate() {
        match wire {
            Wire::Row(row) => y = down.rows.get(*row).copied().unwrap_or(y),
            Wire::Channel(channel) => y = down.channels.get(*channel).copied().unwrap_or(y) - track(piece),
            Wire::Gap(gap) => x = across.gaps.get(*gap).copied().unwrap_or(x) + track(piece),
            Wire::Node(node) => x = spots.get(*node).map_or(x, |spot| spot.x),
        }
        points.push((x, y));
    }
    points.push(match arrow.way {
        Way::Forward => (to.left(), to.y),
        Way::Past => (to.x, to.top()),
        Way::Back => (to.x, to.bottom()),
    });
    straightened(points)
}

/// Without points that lie on the way between their neighbours.
fn straightened(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let same = |a: f64, b: f64| (a - b).abs() < 0.05;
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for point in points {
        if kept.last().is_some_and(|last| same(last.0, point.0) && same(last.1, point.1)) {
            continue;
        }
        if let [.., a, b] = kept.as_slice() {
            let level = same(a.1, b.1) && same(b.1, point.1);
            let upright = same(a.0, b.0) && same(b.0, point.0);
            if level || upright {
                kept.pop();
            }
        }
        kept.push(point);
    }
    kept
}
