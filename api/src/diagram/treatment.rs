//! The tasks: a graph with forks where several start at once, joins where one waits for several, and a decision before
//! each that is not always needed.

use std::collections::{BTreeMap, BTreeSet};

use guichet_engine::rules::commitment::{Budget, Unit};
use guichet_engine::rules::process::{Definition, Moment, TaskSheet};

use super::chart::{Alarm, Column, Hands, Shape, Subject, Way};
use super::flow::Builder;

/// Beyond this many tasks arrows that others imply are drawn too: telling them apart takes the cube of the number.
const REDUCED_MAX: usize = 300;

/// A task with the tasks it directly waits for, by their places in the sheet.
struct Placed<'a> {
    index: usize,
    sheet: &'a TaskSheet,
    after: BTreeSet<usize>,
}

/// Draws the tasks after `from`; gives the node at which all of them are finished.
pub(super) fn draw(builder: &mut Builder<'_>, from: usize) -> usize {
    let tasks = in_order(builder.definition);
    let mut followers: BTreeMap<usize, usize> = BTreeMap::new();
    for before in tasks.iter().flat_map(|task| &task.after) {
        *followers.entry(*before).or_default() += 1;
    }
    let starting = tasks.iter().filter(|task| task.after.is_empty()).count();
    let mut start = from;
    if starting > 1 {
        start = builder.way("fork", Shape::Fork, builder.lane_of(from), Column::Treatment);
        builder.link(from, start);
    }
    let mut exits: BTreeMap<usize, usize> = BTreeMap::new();
    for task in &tasks {
        let before: Vec<usize> = task.after.iter().filter_map(|it| exits.get(it)).copied().collect();
        let exit = one(builder, task.sheet, start, &before);
        let several = followers.get(&task.index).is_some_and(|count| *count > 1);
        let exit = if several { fork(builder, &task.sheet.task, exit) } else { exit };
        exits.insert(task.index, exit);
    }
    let last: Vec<usize> = tasks
        .iter()
        .filter(|task| !followers.contains_key(&task.index))
        .filter_map(|task| exits.get(&task.index).copied())
        .collect();
    match last.as_slice() {
        [] => from,
        [only] => *only,
        several => {
            let lane = builder.service_lane();
            join(builder, "join", lane, several)
        }
    }
}

fn fork(builder: &mut Builder<'_>, task: &str, exit: usize) -> usize {
    let lane = builder.lane_of(exit);
    let fork = builder.way(&format!("fork_{task}"), Shape::Fork, lane, Column::Treatment);
    builder.link(exit, fork);
    fork
}

fn join(builder: &mut Builder<'_>, id: &str, lane: usize, ends: &[usize]) -> usize {
    let join = builder.way(id, Shape::Join, lane, Column::Treatment);
    for end in ends {
        builder.link(*end, join);
    }
    join
}

/// Draws one task after those `before` it, or after `start`; gives the node at which it is finished.
fn one(builder: &mut Builder<'_>, sheet: &TaskSheet, start: usize, before: &[usize]) -> usize {
    let lane = builder.lane(Hands::Staff(vec![sheet.by.clone()]));
    let mut entry = match before {
        [] => start,
        [only] => *only,
        several => join(builder, &format!("join_{}", sheet.task), lane, several),
    };
    let choice = sheet.when.as_deref().map(|rule| {
        let choice = builder.choice(&format!("if_{}", sheet.task), rule, lane, Column::Treatment);
        builder.link(entry, choice);
        entry = choice;
        (choice, rule)
    });
    let node = task(builder, sheet, lane);
    let exit = match choice {
        None => {
            builder.link(entry, node);
            node
        }
        Some((choice, rule)) => {
            let (yes, no) = (builder.say("oui", "yes"), builder.say("non", "no"));
            builder.arrow(choice, node, Way::Forward, yes, Some(rule));
            let merge = builder.way(&format!("end_if_{}", sheet.task), Shape::Merge, lane, Column::Treatment);
            builder.link(node, merge);
            builder.arrow(choice, merge, Way::Past, no, None);
            merge
        }
    };
    builder.chart.moments.insert(Moment::Task(sheet.task.clone()), exit);
    exit
}

fn task(builder: &mut Builder<'_>, sheet: &TaskSheet, lane: usize) -> usize {
    let language = builder.language;
    let title = Some(sheet.title.get(language)).filter(|title| !title.trim().is_empty());
    let title = title.map_or_else(|| sheet.task.replace('_', " "), str::to_owned);
    let subject = Subject::Task(sheet.task.clone());
    let node =
        builder.node(&format!("task_{}", sheet.task), Shape::Work, (lane, Column::Treatment), title, subject);
    let labels: Vec<&str> = sheet.report.iter().map(|field| field.label.get(language)).collect();
    if !labels.is_empty() {
        let report = format!("{} {}", builder.say("À rapporter :", "Reports:"), labels.join(", "));
        builder.tell(node, vec![report.clone()], report);
    }
    let late = builder.say("sinon signalée en retard", "else flagged late");
    let alarm = sheet.within.map(|within| alarm(builder, within, late.to_owned(), false));
    if let Some(node) = builder.chart.nodes.get_mut(node) {
        node.alarm = alarm;
    }
    node
}

/// What a term comes to.
pub(super) fn alarm(builder: &Builder<'_>, within: Budget, effect: String, ends: bool) -> Alarm {
    let words = format!("{} {}", builder.say("sous", "within"), within.in_words(builder.language));
    Alarm { words, effect, duration: duration(within), ends }
}

/// ISO 8601 for calendar time. Working time is in no standard: it keeps the sheet's own words.
fn duration(budget: Budget) -> String {
    let amount = budget.amount();
    match budget.unit() {
        Unit::Minutes => format!("PT{amount}M"),
        Unit::Hours => format!("PT{amount}H"),
        Unit::Days => format!("P{amount}D"),
        Unit::Months => format!("P{amount}M"),
        Unit::Years => format!("P{amount}Y"),
        Unit::WorkingDays | Unit::WorkingHours | Unit::WorkingMinutes => budget.to_string(),
    }
}

/// The tasks in an order in which each comes after all that it waits for. Names that are no task's, and circles, which
/// the checker refuses, are left out of what is waited for.
fn in_order(definition: &Definition) -> Vec<Placed<'_>> {
    let names: BTreeMap<&str, usize> =
        definition.treatment.iter().enumerate().map(|(at, task)| (task.task.as_str(), at)).collect();
    let mut left: Vec<Placed<'_>> = definition
        .treatment
        .iter()
        .enumerate()
        .map(|(index, sheet)| {
            let after = sheet.after.iter().filter_map(|name| names.get(name.as_str()).copied());
            Placed { index, sheet, after: after.filter(|before| *before != index).collect() }
        })
        .collect();
    let (mut done, mut ordered) = (BTreeSet::new(), Vec::new());
    while !left.is_empty() {
        let ready = left.iter().position(|task| task.after.is_subset(&done));
        let mut task = left.remove(ready.unwrap_or(0));
        task.after.retain(|before| done.contains(before));
        done.insert(task.index);
        ordered.push(task);
    }
    if ordered.len() <= REDUCED_MAX {
        reduce(&mut ordered);
    }
    ordered
}

/// Leaves out what others imply: after `a` and after `b`, where `b` is after `a` itself.
fn reduce(ordered: &mut [Placed<'_>]) {
    let mut above: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for task in ordered {
        let implied: BTreeSet<usize> =
            task.after.iter().filter_map(|before| above.get(before)).flatten().copied().collect();
        let mut all = implied.clone();
        all.extend(&task.after);
        above.insert(task.index, all);
        task.after.retain(|before| !implied.contains(before));
    }
}
