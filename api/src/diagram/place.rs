//! The grid: every node in a layer from left to right, and in a row of its lane.

use std::collections::{BTreeMap, BTreeSet};

use super::chart::{Chart, Column, Way};

/// Where a node stands in the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) layer: usize,
    /// Counted over all lanes.
    pub(super) row: usize,
}

/// The grid of a chart.
#[derive(Debug)]
pub(super) struct Grid {
    /// By node.
    pub(super) cells: Vec<Cell>,
    pub(super) layers: usize,
    /// The first row and the number of rows of each lane.
    pub(super) lanes: Vec<(usize, usize)>,
    /// The first and the last layer of each column that has any.
    pub(super) columns: BTreeMap<Column, (usize, usize)>,
}

impl Grid {
    pub(super) fn cell(&self, node: usize) -> Cell {
        self.cells.get(node).copied().unwrap_or(Cell { layer: 0, row: 0 })
    }

    pub(super) fn rows(&self) -> usize {
        self.lanes.iter().map(|(_, rows)| rows).sum()
    }
}

/// Nodes stand in the order in which they were drawn, each after those that lead to it.
pub(super) fn grid(chart: &Chart) -> Grid {
    let before = before(chart);
    let (layers, columns) = layers(chart, &before);
    let rows = rows(chart, &before, &layers);
    let mut lanes = Vec::new();
    let mut first = 0;
    for lane in 0..chart.lanes.len() {
        let mine = chart.nodes.iter().zip(&rows).filter(|(node, _)| node.lane == lane);
        let count = mine.map(|(_, row)| row + 1).max().unwrap_or(1);
        lanes.push((first, count));
        first += count;
    }
    let cells = chart.nodes.iter().zip(layers.iter().zip(&rows)).map(|(node, (layer, row))| {
        let first = lanes.get(node.lane).map_or(0, |(first, _)| *first);
        Cell { layer: *layer, row: first + row }
    });
    let count = layers.iter().max().map_or(0, |last| last + 1);
    Grid { cells: cells.collect(), layers: count, lanes, columns }
}

/// Those that lead to each node; ways back lead nowhere new.
fn before(chart: &Chart) -> Vec<Vec<usize>> {
    let mut before = vec![Vec::new(); chart.nodes.len()];
    for edge in chart.edges.iter().filter(|edge| edge.way != Way::Back) {
        if let Some(list) = before.get_mut(edge.to) {
            list.push(edge.from);
        }
    }
    before
}

type Columns = BTreeMap<Column, (usize, usize)>;

fn layers(chart: &Chart, before: &[Vec<usize>]) -> (Vec<usize>, Columns) {
    let mut layers = vec![0; chart.nodes.len()];
    let mut columns = Columns::new();
    let mut base = 0;
    for column in Column::ALL {
        let mut next = base;
        for (at, _) in chart.nodes.iter().enumerate().filter(|(_, node)| node.column == column) {
            let above = before.get(at).into_iter().flatten().filter_map(|from| layers.get(*from));
            let layer = above.map(|layer| layer + 1).max().unwrap_or(base).max(base);
            if let Some(place) = layers.get_mut(at) {
                *place = layer;
            }
            next = next.max(layer + 1);
        }
        if next > base {
            columns.insert(column, (base, next - 1));
        }
        base = next;
    }
    (layers, columns)
}

/// Rows within lanes: beside whoever leads to a node if that row is free there, else the first free one.
fn rows(chart: &Chart, before: &[Vec<usize>], layers: &[usize]) -> Vec<usize> {
    let mut rows: Vec<usize> = Vec::with_capacity(chart.nodes.len());
    let mut taken: BTreeSet<(usize, usize, usize)> = BTreeSet::new();
    for (at, node) in chart.nodes.iter().enumerate() {
        let layer = layers.get(at).copied().unwrap_or_default();
        let from = before
            .get(at)
            .into_iter()
            .flatten()
            .find(|from| chart.nodes.get(**from).is_some_and(|other| other.lane == node.lane));
        let beside = from.and_then(|from| rows.get(*from)).copied();
        let free = |row: &usize| !taken.contains(&(node.lane, *row, layer));
        let row = beside.filter(free).or_else(|| (0..=chart.nodes.len()).find(free)).unwrap_or_default();
        taken.insert((node.lane, row, layer));
        rows.push(row);
    }
    rows
}
