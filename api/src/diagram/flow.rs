//! From a definition to what there is to draw: the way of a request through the stages.

use std::collections::{BTreeMap, BTreeSet};

use guichet_engine::rules::process::{
    Complexity, Definition, DeliveryChoice, Kind, Moment, Opener, PaidBefore, Party, Priority, Rule,
};
use guichet_engine::rules::text::Language;

use super::chart::{Chart, Column, Edge, Hands, Lane, Node, Shape, Subject, Way, say};
use super::conditions::Conditions;
use super::names::Names;
use super::{circuit, clocks, payment, treatment};
use crate::vocabulary;

/// The picture of a process, in one language.
#[must_use]
pub fn chart(definition: &Definition, names: &Names, language: Language) -> Chart {
    let mut builder = Builder::new(definition, names, language);
    let assigned = builder.until_assigned();
    let begun = payment::draw(&mut builder, assigned, PaidBefore::Treatment, Column::Treatment);
    let treated = treatment::draw(&mut builder, begun);
    builder.chart.moments.insert(Moment::Treated, treated);
    let validated = circuit::draw(&mut builder, treated);
    builder.chart.moments.insert(Moment::Validated, validated);
    let paid = payment::draw(&mut builder, validated, PaidBefore::Delivery, Column::Delivery);
    builder.until_delivered(paid);
    builder.chart.bars = clocks::bars(definition, names, &builder.conditions, language);
    builder.chart.aside = clocks::aside(definition, language);
    builder.chart
}

/// A chart in the making.
pub(super) struct Builder<'a> {
    pub(super) definition: &'a Definition,
    pub(super) names: &'a Names,
    pub(super) language: Language,
    pub(super) conditions: Conditions,
    pub(super) chart: Chart,
    ids: BTreeSet<String>,
}

impl<'a> Builder<'a> {
    fn new(definition: &'a Definition, names: &'a Names, language: Language) -> Self {
        let chart = Chart {
            process: definition.process.clone(),
            language,
            title: definition.title.get(language).to_owned(),
            subtitle: vec![subtitle(definition, language)],
            lanes: Vec::new(),
            nodes: Vec::new(),
            edges: Vec::new(),
            bars: Vec::new(),
            moments: BTreeMap::new(),
            aside: Vec::new(),
            reached: BTreeMap::new(),
            marked: false,
        };
        let conditions = Conditions::of(definition, language);
        Self { definition, names, language, conditions, chart, ids: BTreeSet::new() }
    }

    pub(super) fn say<'w>(&self, fr: &'w str, en: &'w str) -> &'w str {
        say(self.language, fr, en)
    }

    /// The lane of those who act, made when they first do.
    pub(super) fn lane(&mut self, hands: Hands) -> usize {
        let hands = self.normal(hands);
        if let Some(known) = self.chart.lanes.iter().position(|lane| lane.hands == hands) {
            return known;
        }
        let (title, detail) = match &hands {
            Hands::Requester => (self.say("Demandeur", "Requester").to_owned(), String::new()),
            Hands::Engine => {
                let detail =
                    self.say("de lui-même, par les règles de la fiche", "by itself, by the sheet’s rules");
                ("Guichet".to_owned(), detail.to_owned())
            }
            Hands::Staff(parties) => {
                let in_charge = parties.contains(&Party::ServiceInCharge);
                let detail = if in_charge { self.services() } else { String::new() };
                (self.names.parties(parties, self.language), detail)
            }
        };
        self.chart.lanes.push(Lane { hands, title, detail });
        self.chart.lanes.len() - 1
    }

    /// The lane of the service in charge.
    pub(super) fn service_lane(&mut self) -> usize {
        self.lane(Hands::Staff(vec![Party::ServiceInCharge]))
    }

    /// Where only one service can be in charge, it has one lane under its name.
    fn normal(&self, hands: Hands) -> Hands {
        let Hands::Staff(parties) = hands else { return hands };
        let mut services: Vec<&String> = self.definition.assignment.iter().map(|rule| &rule.is).collect();
        services.dedup();
        let only = match services.as_slice() {
            [only] => Some((*only).clone()),
            _ => None,
        };
        let parties = parties.into_iter().map(|party| match (&party, &only) {
            (Party::ServiceInCharge, Some(service)) => Party::Service(service.clone()),
            _ => party,
        });
        Hands::Staff(parties.collect())
    }

    fn services(&self) -> String {
        let mut titles: Vec<String> = Vec::new();
        for rule in &self.definition.assignment {
            let title = self.names.service(&rule.is, self.language);
            if !titles.contains(&title) {
                titles.push(title);
            }
        }
        titles.join(self.say(" ou ", " or "))
    }

    /// Adds a node; `id` is made unique and fit for XML and Mermaid.
    pub(super) fn node(
        &mut self,
        id: &str,
        shape: Shape,
        place: (usize, Column),
        title: impl Into<String>,
        subject: Subject,
    ) -> usize {
        let (lane, column) = place;
        let stem: String =
            id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(60).collect();
        let mut id = stem.clone();
        let mut count = 1;
        while !self.ids.insert(id.clone()) {
            count += 1;
            id = format!("{stem}_{count}");
        }
        self.chart.nodes.push(Node {
            id,
            shape,
            lane,
            column,
            title: title.into(),
            details: Vec::new(),
            about: String::new(),
            alarm: None,
            subject,
            mark: None,
            when: String::new(),
        });
        self.chart.nodes.len() - 1
    }

    /// A fork, a join, a merge: they say nothing.
    pub(super) fn way(&mut self, id: &str, shape: Shape, lane: usize, column: Column) -> usize {
        self.node(id, shape, (lane, column), "", Subject::Way)
    }

    /// Says more about a node.
    pub(super) fn tell(&mut self, node: usize, details: Vec<String>, about: String) {
        if let Some(node) = self.chart.nodes.get_mut(node) {
            (node.details, node.about) = (details, about);
        }
    }

    pub(super) fn lane_of(&self, node: usize) -> usize {
        self.chart.nodes.get(node).map_or(0, |node| node.lane)
    }

    /// An arrow onwards; from a decision it is the way of the yes.
    pub(super) fn link(&mut self, from: usize, to: usize) {
        let decides = self.chart.nodes.get(from).is_some_and(|node| node.shape == Shape::Choice);
        let label = if decides { self.say("oui", "yes") } else { "" };
        self.arrow(from, to, Way::Forward, label, None);
    }

    pub(super) fn arrow(&mut self, from: usize, to: usize, way: Way, label: &str, rule: Option<&str>) {
        let (label, rule) = (label.to_owned(), rule.map(str::to_owned));
        self.chart.edges.push(Edge { from, to, way, label, rule });
    }

    /// A decision by one rule: its node, from which `yes` and `no` lead.
    pub(super) fn choice(&mut self, id: &str, rule: &str, lane: usize, column: Column) -> usize {
        let words = self.conditions.words(rule);
        let asks = words.ends_with("? »") || words.ends_with("?”");
        let title = if asks { words } else { format!("{words}{}", self.say(" ?", "?")) };
        let node = self.node(id, Shape::Choice, (lane, column), title, Subject::Way);
        self.tell(node, Vec::new(), rule.to_owned());
        node
    }

    fn until_assigned(&mut self) -> usize {
        let (requester, engine) = (self.lane(Hands::Requester), self.lane(Hands::Engine));
        let opened = kind(self.definition.kind, self.language);
        let start =
            self.node("received", Shape::Start, (requester, Column::Reception), opened, Subject::Received);
        let title = self.say("Accuser réception", "Acknowledge");
        let told =
            self.node("acknowledge", Shape::Send, (engine, Column::Reception), title, Subject::Acknowledged);
        self.link(start, told);
        let qualify = self.qualification(engine);
        self.link(told, qualify);
        let assign = self.assignment(engine);
        self.link(qualify, assign);
        for (moment, node) in [
            (Moment::Received, start),
            (Moment::Acknowledged, told),
            (Moment::Qualified, qualify),
            (Moment::Assigned, assign),
        ] {
            self.chart.moments.insert(moment, node);
        }
        assign
    }

    fn qualification(&mut self, engine: usize) -> usize {
        let sheet = &self.definition.qualification;
        let (lane, shape) = match &sheet.by {
            Some(party) => (self.lane(Hands::Staff(vec![party.clone()])), Shape::Work),
            None => (engine, Shape::Rules),
        };
        let title = self.say("Qualifier la demande", "Qualify the request");
        let node = self.node("qualify", shape, (lane, Column::Qualification), title, Subject::Qualify);
        let language = self.language;
        let (mut details, mut about) = (Vec::new(), Vec::new());
        self.rules(&sheet.complexity, |it| complexity(*it, language), &mut details, &mut about);
        self.rules(&sheet.priority, |it| priority(*it, language), &mut details, &mut about);
        self.tell(node, details, about.join("\n"));
        node
    }

    fn assignment(&mut self, engine: usize) -> usize {
        let (names, language) = (self.names, self.language);
        let place = (engine, Column::Assignment);
        let (mut details, mut about) = (Vec::new(), Vec::new());
        let title = match self.definition.assignment.as_slice() {
            [only] => {
                details.push(names.service(&only.is, language));
                self.say("Confier au service", "Give to the service").to_owned()
            }
            rules => {
                self.rules(rules, |it| names.service(it, language), &mut details, &mut about);
                self.say("Confier au service", "Give to the service").to_owned()
            }
        };
        let node = self.node("assign", Shape::Rules, place, title, Subject::Assign);
        self.tell(node, details, about.join("\n"));
        node
    }

    /// The rules of a list, in short and in full. One that always gives the same says nothing about any request.
    fn rules<T>(
        &self,
        rules: &[Rule<T>],
        word: impl Fn(&T) -> String,
        details: &mut Vec<String>,
        about: &mut Vec<String>,
    ) {
        if rules.iter().all(|rule| rule.when.is_none()) {
            return;
        }
        for rule in rules {
            let result = word(&rule.is);
            match &rule.when {
                Some(when) => {
                    let joint = self.say("si", "if");
                    details.push(format!("{result} {joint} {}", self.conditions.words(when)));
                    about.push(format!("{result} {joint} {when}"));
                }
                None => {
                    let last = format!("{} {result}", self.say("sinon", "otherwise"));
                    details.push(last.clone());
                    about.push(last);
                }
            }
        }
    }

    fn until_delivered(&mut self, validated: usize) {
        let (requester, engine) = (self.lane(Hands::Requester), self.lane(Hands::Engine));
        let title = self.say("Remettre la réponse", "Deliver the answer");
        let deliver = self.node("deliver", Shape::Send, (engine, Column::Delivery), title, Subject::Deliver);
        let means: Vec<&str> =
            self.definition.delivery.by.iter().map(|it| means(*it, self.language)).collect();
        self.tell(deliver, vec![means.join(self.say(", sinon ", ", else "))], String::new());
        self.link(validated, deliver);
        let title = self.say("Réponse reçue", "Answer received");
        let end =
            self.node("delivered", Shape::End, (requester, Column::Delivery), title, Subject::Delivered);
        self.link(deliver, end);
        self.chart.moments.insert(Moment::Delivered, end);
    }
}

fn subtitle(definition: &Definition, language: Language) -> String {
    let openers = definition.open_to.iter().map(|opener| match opener {
        Opener::Citizen => say(language, "les habitants", "the public"),
        Opener::Agent => say(language, "les agents", "staff"),
        Opener::Patroller => say(language, "les patrouilleurs", "patrollers"),
    });
    let openers = openers.collect::<Vec<_>>().join(", ");
    let mut line =
        format!("{} · {} {openers}", definition.process, say(language, "ouverte par", "opened by"));
    if !definition.channels.is_empty() {
        let channels = definition.channels.iter().map(|it| vocabulary::channel(it.id(), language));
        let channels = channels.collect::<Vec<_>>().join(", ");
        line = format!("{line} · {} {channels}", say(language, "canaux :", "channels:"));
    }
    line
}

fn kind(kind: Kind, language: Language) -> &'static str {
    let (fr, en) = match kind {
        Kind::Question => ("Question reçue", "Question received"),
        Kind::Report => ("Signalement reçu", "Report received"),
        Kind::Application => ("Demande reçue", "Application received"),
        Kind::Complaint => ("Réclamation reçue", "Complaint received"),
        Kind::Idea => ("Idée reçue", "Idea received"),
        Kind::Internal => ("Demande interne reçue", "Internal request received"),
    };
    say(language, fr, en)
}

fn complexity(complexity: Complexity, language: Language) -> String {
    let (fr, en) = match complexity {
        Complexity::Simple => ("simple", "simple"),
        Complexity::Complex => ("complexe", "complex"),
    };
    say(language, fr, en).to_owned()
}

fn priority(priority: Priority, language: Language) -> String {
    let (fr, en) = match priority {
        Priority::Low => ("priorité basse", "low priority"),
        Priority::Normal => ("priorité normale", "normal priority"),
        Priority::High => ("priorité haute", "high priority"),
        Priority::Urgent => ("urgente", "urgent"),
    };
    say(language, fr, en).to_owned()
}

fn means(choice: DeliveryChoice, language: Language) -> &'static str {
    let (fr, en) = match choice {
        DeliveryChoice::RequesterChoice => ("au choix du demandeur", "as the requester prefers"),
        DeliveryChoice::Email => ("courriel", "e-mail"),
        DeliveryChoice::Sms => ("SMS", "text message"),
        DeliveryChoice::Letter => ("courrier", "letter"),
        DeliveryChoice::Counter => ("guichet", "counter"),
        DeliveryChoice::Phone => ("téléphone", "telephone"),
    };
    say(language, fr, en)
}
