//! The ways of arrows through the grid: along rows where they are free, else in channels between rows, and up or down
//! only in the gaps between layers, so that no arrow crosses a node.

use std::collections::{BTreeMap, BTreeSet};

use super::chart::{Chart, Edge, Way};
use super::place::Grid;

/// A piece of an arrow's way. Pieces across and pieces up or down alternate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    /// Across, through the middle of a row.
    Row(usize),
    /// Across, above a row (below the last one: one more than there are).
    Channel(usize),
    /// Up or down, after a layer.
    Gap(usize),
    /// Up or down, through the middle of a node.
    Node(usize),
}

/// The ways of all arrows, and which track of its channel or gap each piece takes.
#[derive(Debug)]
pub(super) struct Routes {
    /// By edge.
    pub(super) wires: Vec<Vec<Wire>>,
    /// By edge and piece.
    pub(super) tracks: BTreeMap<(usize, usize), usize>,
    /// How many tracks each channel and each gap needs.
    pub(super) channels: BTreeMap<usize, usize>,
    pub(super) gaps: BTreeMap<usize, usize>,
}

pub(super) fn routes(chart: &Chart, grid: &Grid) -> Routes {
    let mut taken: BTreeSet<(usize, usize)> = grid.cells.iter().map(|cell| (cell.row, cell.layer)).collect();
    let wires: Vec<Vec<Wire>> = chart.edges.iter().map(|edge| wires(edge, grid, &mut taken)).collect();
    let mut routes =
        Routes { wires, tracks: BTreeMap::new(), channels: BTreeMap::new(), gaps: BTreeMap::new() };
    let (mut across, mut along) = (BTreeMap::new(), BTreeMap::new());
    for (edge, pieces) in routes.wires.iter().enumerate() {
        for (piece, wire) in pieces.iter().enumerate() {
            let Some(run) = run(chart, grid, pieces, (edge, piece)) else { continue };
            match wire {
                Wire::Channel(channel) => across.entry(*channel).or_insert_with(Vec::new).push(run),
                Wire::Gap(gap) => along.entry(*gap).or_insert_with(Vec::new).push(run),
                Wire::Row(_) | Wire::Node(_) => {}
            }
        }
    }
    for (channel, mut runs) in across {
        // The shorter ones lie nearer to the row, so that one inside another does not cross it.
        runs.sort_by_key(|run: &Run| (run.high - run.low, run.key));
        let count = assign(&runs, &BTreeMap::new(), &mut routes.tracks);
        routes.channels.insert(channel, count);
    }
    for (gap, mut runs) in along {
        runs.sort_by_key(|run: &Run| (run.low, run.high, run.key));
        let order = order(&runs);
        let count = assign(&runs, &order, &mut routes.tracks);
        routes.gaps.insert(gap, count);
    }
    routes
}

fn wires(edge: &Edge, grid: &Grid, taken: &mut BTreeSet<(usize, usize)>) -> Vec<Wire> {
    let (from, to) = (grid.cell(edge.from), grid.cell(edge.to));
    match edge.way {
        Way::Past if from.row == to.row => {
            vec![Wire::Node(edge.from), Wire::Channel(from.row), Wire::Node(edge.to)]
        }
        Way::Past => vec![
            Wire::Node(edge.from),
            Wire::Channel(from.row),
            Wire::Gap(to.layer.saturating_sub(1)),
            Wire::Channel(to.row),
            Wire::Node(edge.to),
        ],
        Way::Back if from.row == to.row => {
            vec![Wire::Node(edge.from), Wire::Channel(from.row + 1), Wire::Node(edge.to)]
        }
        Way::Back => vec![
            Wire::Node(edge.from),
            Wire::Channel(from.row + 1),
            Wire::Gap(to.layer),
            Wire::Channel(to.row + 1),
            Wire::Node(edge.to),
        ],
        Way::Forward => forward((from.layer, from.row), (to.layer, to.row), taken),
    }
}

fn forward(from: (usize, usize), to: (usize, usize), taken: &mut BTreeSet<(usize, usize)>) -> Vec<Wire> {
    let between = || from.0 + 1..to.0;
    let last = to.0.saturating_sub(1);
    let mut pass = |row: usize| {
        let free = between().all(|layer| !taken.contains(&(row, layer)));
        if free {
            taken.extend(between().map(|layer| (row, layer)));
        }
        free
    };
    if from.1 == to.1 && pass(from.1) {
        return vec![Wire::Row(from.1)];
    }
    if from.0 == last || (from.1 != to.1 && pass(to.1)) {
        return vec![Wire::Row(from.1), Wire::Gap(from.0), Wire::Row(to.1)];
    }
    if from.1 != to.1 && pass(from.1) {
        return vec![Wire::Row(from.1), Wire::Gap(last), Wire::Row(to.1)];
    }
    let channel = if to.1 >= from.1 { to.1 } else { to.1 + 1 };
    vec![Wire::Row(from.1), Wire::Gap(from.0), Wire::Channel(channel), Wire::Gap(last), Wire::Row(to.1)]
}

/// A piece that needs a track, from `low` to `high` along it.
#[derive(Debug, Clone, Copy)]
struct Run {
    key: (usize, usize),
    from: usize,
    to: usize,
    low: usize,
    high: usize,
    /// The row that it comes out of, and the one that it goes into, where it does.
    leaves: Option<usize>,
    enters: Option<usize>,
}

fn run(chart: &Chart, grid: &Grid, pieces: &[Wire], key: (usize, usize)) -> Option<Run> {
    let edge = chart.edges.get(key.0)?;
    let place = |wire: &Wire| match wire {
        Wire::Row(row) => row * 2 + 1,
        Wire::Channel(channel) => channel * 2,
        Wire::Gap(gap) => gap * 2 + 1,
        Wire::Node(node) => grid.cell(*node).layer * 2,
    };
    let (before, after) = (pieces.get(key.1.checked_sub(1)?)?, pieces.get(key.1 + 1)?);
    let (a, b) = (place(before), place(after));
    let row = |wire: &Wire| match wire {
        Wire::Row(row) => Some(*row),
        Wire::Channel(_) | Wire::Gap(_) | Wire::Node(_) => None,
    };
    Some(Run {
        key,
        from: edge.from,
        to: edge.to,
        low: a.min(b),
        high: a.max(b),
        leaves: row(before),
        enters: row(after),
    })
}

/// Which runs of a gap must lie left of which: one that leaves a row left of one that enters it.
fn order(runs: &[Run]) -> BTreeMap<(usize, usize), Vec<(usize, usize)>> {
    let mut left = BTreeMap::new();
    for run in runs {
        let others = runs.iter().filter(|other| other.from != run.from && other.to != run.to);
        let lefts = others.filter(|other| other.leaves.is_some() && other.leaves == run.enters);
        left.insert(run.key, lefts.map(|other| other.key).collect());
    }
    left
}

/// Gives each run the first track that is free along it and right of those that must lie left of it. Runs to the same
/// node, or from the same one, may share.
fn assign(
    runs: &[Run],
    left: &BTreeMap<(usize, usize), Vec<(usize, usize)>>,
    tracks: &mut BTreeMap<(usize, usize), usize>,
) -> usize {
    let mut placed: Vec<(Run, usize)> = Vec::new();
    let mut waiting: Vec<Run> = runs.to_vec();
    while !waiting.is_empty() {
        let done = |key: &(usize, usize)| placed.iter().any(|(run, _)| run.key == *key);
        // Where two must each lie left of the other, one simply comes first.
        let ready = waiting.iter().position(|run| left.get(&run.key).into_iter().flatten().all(done));
        let run = waiting.remove(ready.unwrap_or(0));
        let lefts = left.get(&run.key);
        let least = placed
            .iter()
            .filter(|(other, _)| lefts.is_some_and(|lefts| lefts.contains(&other.key)))
            .map(|(_, track)| track + 1)
            .max()
            .unwrap_or(0);
        let clash = |other: &Run| {
            other.from != run.from && other.to != run.to && other.low <= run.high && run.low <= other.high
        };
        let free = |track: &usize| placed.iter().all(|(other, taken)| taken != track || !clash(other));
        let track = (least..=least + placed.len()).find(free).unwrap_or(least + placed.len());
        tracks.insert(run.key, track);
        placed.push((run, track));
    }
    placed.iter().map(|(_, track)| track + 1).max().unwrap_or(0)
}
