//! Processes of BPMN 2.0. What has a meaning here is the order of the tasks, who does them (the lanes) and how long they
//! may take (timers at their border). Receiving, qualifying, assigning, validating and delivering are the engine's own.
//! Conditions are written for people or for another engine: they stand as comments, to be put into the words of the form.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use guichet_engine::rules::commitment::Budget;
use guichet_engine::rules::organisation::Organisation;
use guichet_engine::rules::text::Text;

use super::document::{DocumentError, Element, read_xml};
use super::{Adopted, LeftOut};
use crate::starter::{Sketch, SketchedTask, name_from};

/// What people do; the rest of the flow leads from one to the next.
const TASKS: [&str; 3] = ["task", "userTask", "manualTask"];
/// What a machine does, which has no place in a sheet.
const MACHINE: [&str; 5] = ["serviceTask", "scriptTask", "businessRuleTask", "sendTask", "receiveTask"];
/// What only leads on.
const LEADS_ON: [&str; 8] = [
    "startEvent",
    "endEvent",
    "intermediateThrowEvent",
    "intermediateCatchEvent",
    "exclusiveGateway",
    "parallelGateway",
    "inclusiveGateway",
    "eventBasedGateway",
];

/// Whether a document is BPMN, by its outermost element.
#[must_use]
pub fn is_bpmn(root: &Element) -> bool {
    root.name == "definitions"
}

/// The largest process of a BPMN document, with what has no meaning here. `pattern` holds what BPMN does not say: theme and
/// short name are made of the title where its `process` is only a theme with a slash.
///
/// # Errors
/// [`DocumentError`] when it cannot be read, is no BPMN or has no process with a task.
pub fn read_bpmn(
    text: &str,
    organisation: &Organisation,
    pattern: &Sketch,
) -> Result<Adopted, DocumentError> {
    let root = read_xml(text)?;
    let missing = |line: usize| DocumentError::Malformed { line, reason: "no process with tasks".to_owned() };
    if !is_bpmn(&root) {
        return Err(missing(root.line));
    }
    // A picture that was drawn here marks the tasks of its treatment; everything else in it is the engine's.
    let ours = root.attribute("exporter") == Some("Guichet");
    let mut graphs: Vec<Graph<'_>> =
        root.all("process").map(|process| Graph::new(process, organisation, ours)).collect();
    graphs.sort_by_key(|graph| graph.tasks().count());
    let mut graph =
        graphs.pop().filter(|graph| graph.tasks().next().is_some()).ok_or_else(|| missing(root.line))?;
    for other in graphs.iter().filter(|graph| graph.tasks().next().is_some()) {
        graph.leave_out(
            other.process,
            "un autre processus du même document",
            "another process of the same document",
        );
    }
    let title = title(&root, graph.process);
    let tasks = graph.sketch();
    let mut left_out = graph.left_out;
    left_out.sort_by_key(|part| part.line);
    let process = format!("{}{}", pattern.process, name_from(&title, '-'));
    let sketch = Sketch { process, title: Text::new(title, ""), tasks, ..pattern.clone() };
    Ok(Adopted { sketch, left_out })
}

fn title(root: &Element, process: &Element) -> String {
    let id = process.attribute("id").unwrap_or_default();
    let participants = root.all("collaboration").flat_map(|collaboration| collaboration.all("participant"));
    let participant = participants.into_iter().find(|part| part.attribute("processRef") == Some(id));
    let names = [process.attribute("name"), participant.and_then(|part| part.attribute("name")), Some(id)];
    names.into_iter().flatten().map(str::trim).find(|name| !name.is_empty()).unwrap_or("processus").to_owned()
}

/// One process as nodes and flows.
struct Graph<'d> {
    process: &'d Element,
    organisation: &'d Organisation,
    ours: bool,
    nodes: BTreeMap<&'d str, &'d Element>,
    /// From each node to those before it.
    before: BTreeMap<&'d str, Vec<&'d str>>,
    flows: Vec<&'d Element>,
    lanes: BTreeMap<&'d str, &'d Element>,
    terms: BTreeMap<&'d str, &'d Element>,
    left_out: Vec<LeftOut>,
}

impl<'d> Graph<'d> {
    fn new(process: &'d Element, organisation: &'d Organisation, ours: bool) -> Self {
        let mut graph = Self {
            process,
            organisation,
            ours,
            nodes: BTreeMap::new(),
            before: BTreeMap::new(),
            flows: Vec::new(),
            lanes: BTreeMap::new(),
            terms: BTreeMap::new(),
            left_out: Vec::new(),
        };
        graph.collect(process);
        graph
    }

    fn collect(&mut self, parent: &'d Element) {
        for element in &parent.children {
            let id = element.attribute("id").unwrap_or_default();
            let name = element.name.as_str();
            if TASKS.contains(&name) || LEADS_ON.contains(&name) {
                self.nodes.insert(id, element);
            } else if MACHINE.contains(&name) {
                self.nodes.insert(id, element);
                if !self.ours {
                    self.leave_out(element, "une tâche automatique", "a task of a machine");
                }
            } else if name == "sequenceFlow" {
                let (from, to) = (element.attribute("sourceRef"), element.attribute("targetRef"));
                self.before.entry(to.unwrap_or_default()).or_default().push(from.unwrap_or_default());
                self.flows.push(element);
            } else if name == "laneSet" || name == "childLaneSet" || name == "lane" {
                self.collect_lane(element);
            } else if name == "boundaryEvent" {
                self.collect_border(element);
            } else if matches!(name, "subProcess" | "transaction" | "adHocSubProcess") {
                self.nodes.insert(id, element);
                self.leave_out(
                    element,
                    "un sous-processus : ses tâches sont reprises sans lui",
                    "a sub-process: its tasks are taken over without it",
                );
                self.collect(element);
            } else if matches!(
                name,
                "callActivity"
                    | "complexGateway"
                    | "textAnnotation"
                    | "dataObjectReference"
                    | "dataStoreReference"
            ) && !self.ours
            {
                self.nodes.insert(id, element);
                self.leave_out(
                    element,
                    "n’a pas d’équivalent dans une fiche",
                    "has nothing like it in a sheet",
                );
            }
        }
    }

    fn collect_lane(&mut self, element: &'d Element) {
        for node in element.all("flowNodeRef") {
            self.lanes.insert(node.text.as_str(), element);
        }
        // Inner lanes are read last, since they say more exactly who it is.
        for inner in
            element.children.iter().filter(|child| matches!(child.name.as_str(), "lane" | "childLaneSet"))
        {
            self.collect_lane(inner);
        }
    }

    fn collect_border(&mut self, element: &'d Element) {
        let duration = element.child("timerEventDefinition").and_then(|timer| timer.child("timeDuration"));
        match (duration, element.attribute("attachedToRef")) {
            (Some(duration), Some(task)) => {
                self.terms.insert(task, duration);
            }
            _ if self.ours => {}
            _ => self.leave_out(
                element,
                "un événement au bord d’une tâche",
                "an event at the border of a task",
            ),
        }
    }

    fn leave_out(&mut self, element: &Element, fr: &str, en: &str) {
        let name = element.attribute("name").or(element.attribute("id")).unwrap_or_default();
        let kind = &element.name;
        let what = Text::new(format!("{fr} : `{kind}` « {name} »"), format!("{en}: `{kind}` \"{name}\""));
        self.left_out.push(LeftOut { line: element.line, what });
    }

    /// The tasks that people do, in the order of the document.
    fn tasks(&self) -> impl Iterator<Item = (&'d str, &'d Element)> + '_ {
        let mut tasks: Vec<(&str, &Element)> = self.nodes.iter().map(|(id, node)| (*id, *node)).collect();
        tasks.retain(|(id, node)| self.is_task(id, node));
        tasks.sort_by_key(|(_, node)| node.line);
        tasks.into_iter()
    }

    fn is_task(&self, id: &str, node: &Element) -> bool {
        TASKS.contains(&node.name.as_str()) && (!self.ours || id.starts_with("task_"))
    }

    /// The tasks that come directly before a node, looking through everything that only leads on.
    fn tasks_before(&self, node: &'d str) -> BTreeSet<&'d str> {
        let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let mut open: Vec<&str> = self.before.get(node).cloned().unwrap_or_default();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            match self.nodes.get(id) {
                Some(element) if self.is_task(id, element) => {
                    found.insert(id);
                }
                Some(_) | None => open.extend(self.before.get(id).into_iter().flatten().copied()),
            }
        }
        found.remove(node);
        found
    }

    fn sketch(&mut self) -> Vec<SketchedTask> {
        let tasks: Vec<(&str, &Element)> = self.tasks().collect();
        let mut names: BTreeMap<&str, String> = BTreeMap::new();
        for (id, element) in &tasks {
            let own = id.strip_prefix("task_").filter(|_| self.ours).map(str::to_owned);
            let wanted = own.unwrap_or_else(|| name_from(element.attribute("name").unwrap_or(id), '_'));
            let letter = wanted.starts_with(|first: char| first.is_ascii_lowercase());
            let base = if letter { wanted } else { format!("tache_{wanted}") };
            let taken = |name: &String| names.values().any(|known| known == name);
            let mut free = std::iter::once(base.clone()).chain((2_u32..).map(|n| format!("{base}_{n}")));
            let name = free.find(|name| !taken(name)).unwrap_or(base);
            names.insert(id, name);
        }
        let after = self.order(&tasks);
        tasks.iter().map(|(id, element)| self.task(id, element, &names, &after)).collect()
    }

    /// What comes before each task, without the ways back: a sheet has no loops. In every loop some step leads to a task
    /// that is nearer to the start than the one it comes from; that step is left out.
    fn order(&mut self, tasks: &[(&'d str, &'d Element)]) -> BTreeMap<&'d str, BTreeSet<&'d str>> {
        let all: BTreeMap<&str, BTreeSet<&str>> =
            tasks.iter().map(|(id, _)| (*id, self.tasks_before(id))).collect();
        let rank = self.distances();
        let far = |task: &str| rank.get(task).copied().unwrap_or(usize::MAX);
        let mut order = all.clone();
        for (id, element) in tasks {
            let back = |candidate: &&str| far(candidate) >= far(id) && leads_to(id, candidate, &all);
            let Some(before) = order.get_mut(id) else { continue };
            let circles: Vec<&str> = before.iter().copied().filter(|candidate| back(candidate)).collect();
            for candidate in circles {
                before.remove(candidate);
                self.leave_out(element, "un retour en arrière vers cette tâche", "a way back to this task");
            }
        }
        order
    }

    /// How many steps each node is from the nearest node that nothing leads to.
    fn distances(&self) -> BTreeMap<&'d str, usize> {
        let led_to = |id: &str| self.before.contains_key(id);
        let mut ranks: BTreeMap<&str, usize> =
            self.nodes.keys().filter(|id| !led_to(id)).map(|id| (*id, 0)).collect();
        let mut open: VecDeque<&str> = ranks.keys().copied().collect();
        while let Some(id) = open.pop_front() {
            let next = ranks.get(id).copied().unwrap_or_default() + 1;
            for flow in self.flows.iter().filter(|flow| flow.attribute("sourceRef") == Some(id)) {
                let target = flow.attribute("targetRef").unwrap_or_default();
                if !ranks.contains_key(target) {
                    ranks.insert(target, next);
                    open.push_back(target);
                }
            }
        }
        ranks
    }

    fn task(
        &mut self,
        id: &'d str,
        element: &Element,
        names: &BTreeMap<&'d str, String>,
        after: &BTreeMap<&'d str, BTreeSet<&'d str>>,
    ) -> SketchedTask {
        let before = after.get(id).into_iter().flatten();
        let after = before.filter_map(|task| names.get(task).cloned()).collect();
        let title = element.attribute("name").unwrap_or(id).trim().to_owned();
        let within = self.within(id);
        let by = self.by(id, element);
        let notes = self.conditions(id);
        let task = names.get(id).cloned().unwrap_or_default();
        SketchedTask { task, title: Text::new(title, ""), by, within, after, finding: false, notes }
    }

    /// The term of the timer at the task's border, in a sheet's words.
    fn within(&mut self, id: &str) -> Option<String> {
        let duration = *self.terms.get(id)?;
        let text = duration.text.trim();
        let within = iso(text).unwrap_or_else(|| text.to_owned());
        if within.parse::<Budget>().is_ok() {
            return Some(within);
        }
        let what = Text::new(
            format!("un délai qui n’est pas compris : « {text} »"),
            format!("a term that is not understood: \"{text}\""),
        );
        self.left_out.push(LeftOut { line: duration.line, what });
        None
    }

    /// Who does it: the lane's role or service, by what the lane documents, its id or its title.
    fn by(&mut self, id: &str, element: &Element) -> String {
        let Some(lane) = self.lanes.get(id).copied() else { return "service".into() };
        let said = lane.text_of("documentation");
        let name = lane.attribute("name").unwrap_or_default();
        let roles = self.organisation.roles.iter().map(|role| ("role", &role.role, &role.title));
        let services = self.organisation.services.iter().map(|s| ("service", &s.service, &s.title));
        let wanted = name_from(name, '-');
        let found = roles.chain(services).find(|(kind, id, title)| {
            said == format!("{kind}:{id}")
                || (said.is_empty()
                    && [id.as_str(), &name_from(&title.fr, '-'), &name_from(&title.en, '-')]
                        .contains(&wanted.as_str()))
        });
        match found {
            Some((kind, id, _)) => format!("{kind}:{id}"),
            None => {
                if said != "service" {
                    let what = Text::new(
                        format!(
                            "le couloir « {name} » n’est ni un rôle ni un service d’ici : la tâche revient au service chargé"
                        ),
                        format!(
                            "the lane \"{name}\" is neither a role nor a service here: the task is for the service in charge"
                        ),
                    );
                    self.left_out.push(LeftOut { line: element.line, what });
                }
                "service".into()
            }
        }
    }

    /// The conditions on the way to a task, back to the tasks before it.
    fn conditions(&mut self, id: &'d str) -> Vec<String> {
        let (mut notes, mut open, mut seen) = (Vec::new(), vec![id], BTreeSet::new());
        while let Some(node) = open.pop() {
            if !seen.insert(node) {
                continue;
            }
            for flow in self.flows.iter().filter(|flow| flow.attribute("targetRef") == Some(node)) {
                let from = flow.attribute("sourceRef").unwrap_or_default();
                let words = [flow.text_of("conditionExpression"), flow.attribute("name").unwrap_or_default()];
                let gateway =
                    self.nodes.get(from).and_then(|gateway| gateway.attribute("name")).unwrap_or_default();
                let said: Vec<&str> =
                    std::iter::once(gateway).chain(words).filter(|word| !word.is_empty()).collect();
                if self.nodes.get(from).is_some_and(|node| node.name.ends_with("clusiveGateway"))
                    && !said.is_empty()
                {
                    notes.push(format!("when: ? ({})", said.join(" → ")));
                }
                if !self.nodes.get(from).is_some_and(|node| self.is_task(from, node)) {
                    open.push(from);
                }
            }
        }
        notes.dedup();
        notes
    }
}

/// Whether `from` comes somewhere before `task`.
fn leads_to(from: &str, task: &str, before: &BTreeMap<&str, BTreeSet<&str>>) -> bool {
    let (mut open, mut seen) = (vec![task], BTreeSet::new());
    while let Some(at) = open.pop() {
        if at == from {
            return true;
        }
        if seen.insert(at) {
            open.extend(before.get(at).into_iter().flatten().copied());
        }
    }
    false
}

/// A duration of ISO 8601 with one unit, in a sheet's words.
fn iso(text: &str) -> Option<String> {
    let rest = text.strip_prefix('P')?;
    let (rest, time) = rest.strip_prefix('T').map_or((rest, false), |rest| (rest, true));
    let (number, unit) = rest.split_at_checked(rest.len().checked_sub(1)?)?;
    let number: u32 = number.parse().ok()?;
    let (number, unit) = match (unit, time) {
        ("Y", false) => (number, "years"),
        ("M", false) => (number, "months"),
        ("W", false) => (number.checked_mul(7)?, "days"),
        ("D", false) => (number, "days"),
        ("H", true) => (number, "hours"),
        _ => return None,
    };
    let unit = if number == 1 { unit.trim_end_matches('s') } else { unit };
    Some(format!("{number} {unit}"))
}
