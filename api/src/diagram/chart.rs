//! What there is to draw, before anything has a place.

use std::collections::BTreeMap;

use guichet_engine::rules::process::{Moment, Party};
use guichet_engine::rules::text::Language;

/// The columns of the picture, each ending at a milestone. Treatment and validation both lie between the milestones
/// `assigned` and `validated`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Column {
    Reception,
    Qualification,
    Assignment,
    Treatment,
    Validation,
    Delivery,
}

impl Column {
    pub(super) const ALL: [Self; 6] = [
        Self::Reception,
        Self::Qualification,
        Self::Assignment,
        Self::Treatment,
        Self::Validation,
        Self::Delivery,
    ];
}

/// Whose lane it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hands {
    Requester,
    /// What happens by itself.
    Engine,
    Staff(Vec<Party>),
}

/// A lane: whoever acts.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    pub(super) hands: Hands,
    pub(super) title: String,
    /// Who that can be, where the title does not say.
    pub(super) detail: String,
}

/// What a node is drawn as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Start,
    End,
    /// Done by people.
    Work,
    /// Decided by the sheet's rules.
    Rules,
    /// Sent to the requester.
    Send,
    /// One way of several.
    Choice,
    /// Where those ways meet.
    Merge,
    /// All ways at once.
    Fork,
    /// Where they wait for each other.
    Join,
}

impl Shape {
    pub(super) fn is_box(self) -> bool {
        match self {
            Self::Work | Self::Rules | Self::Send => true,
            Self::Start | Self::End | Self::Choice | Self::Merge | Self::Fork | Self::Join => false,
        }
    }

    pub(super) fn is_round(self) -> bool {
        matches!(self, Self::Start | Self::End)
    }
}

/// What a node stands for, so that a request can be marked on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    Received,
    Acknowledged,
    Qualify,
    Assign,
    Task(String),
    Answer,
    Step(String),
    /// What the sheet asks to be paid.
    Payment,
    Deliver,
    Delivered,
    /// A fork, a join, a decision.
    Way,
}

/// Where a request stands with a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Not yet.
    Ahead,
    /// Now.
    Open,
    /// Now, and late.
    Late,
    Done,
    /// Not needed.
    Skipped,
}

impl Mark {
    /// The sign before a text, for whoever sees no colours.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Ahead => "",
            Self::Open => "▸ ",
            Self::Late => "! ",
            Self::Done => "✓ ",
            Self::Skipped => "– ",
        }
    }

    /// Fill and outline; dark text on any of them has the contrast that WCAG 2.2 AA asks for.
    pub(super) fn colours(self) -> (&'static str, &'static str) {
        match self {
            Self::Ahead => ("#ffffff", "#57606a"),
            Self::Open => ("#fff3cd", "#7a4b00"),
            Self::Late => ("#fde2e0", "#9b1c1c"),
            Self::Done => ("#e3f4e6", "#1e6b33"),
            Self::Skipped => ("#f0f0f0", "#6b6b6b"),
        }
    }
}

/// How long a task or a step may take, and what then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alarm {
    /// In the reader's words.
    pub(super) words: String,
    /// What happens when it is late, in the reader's words.
    pub(super) effect: String,
    /// The duration: ISO 8601 for calendar time, the sheet's own words for working time.
    pub(super) duration: String,
    /// Whether lateness ends the work: silence is agreement.
    pub(super) ends: bool,
}

/// A node of the picture.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Unique, and a name in XML and in Mermaid: letters, digits and `_`.
    pub(super) id: String,
    pub(super) shape: Shape,
    pub(super) lane: usize,
    pub(super) column: Column,
    pub(super) title: String,
    /// Short lines below the title.
    pub(super) details: Vec<String>,
    /// The same in full: rules as written.
    pub(super) about: String,
    pub(super) alarm: Option<Alarm>,
    pub(super) subject: Subject,
    pub(super) mark: Option<Mark>,
    /// When it was done or is due, in the reader's words.
    pub(super) when: String,
}

impl Node {
    /// Its title, after the sign of where a request stands with it.
    pub(super) fn signed(&self) -> String {
        format!("{}{}", self.mark.filter(|_| !self.title.is_empty()).map_or("", Mark::sign), self.title)
    }
}

/// How an edge leaves and arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Onwards.
    Forward,
    /// Past something that is not needed.
    Past,
    /// Back to an earlier node.
    Back,
}

/// An arrow.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) way: Way,
    pub(super) label: String,
    /// The rule under which this way is taken, as written.
    pub(super) rule: Option<String>,
}

/// A clock: a promise, or the law's.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    pub(super) commitment: String,
    pub(super) title: String,
    /// Budgets, pauses, warnings, breach: each a sentence or a part of one.
    pub(super) details: Vec<String>,
    pub(super) from: Moment,
    pub(super) until: Moment,
    /// Percentages of the time at which to warn.
    pub(super) warnings: Vec<u8>,
    pub(super) legal: bool,
    /// Where it stands in a request.
    pub(super) mark: Option<Mark>,
}

impl Bar {
    /// What it is called and all that is said of it.
    pub(super) fn words(&self, language: Language) -> String {
        format!("{}{}{}", self.title, say(language, " : ", ": "), self.details.join(" · "))
    }
}

/// Where a moment lies: at the end of a node.
pub(super) type Moments = BTreeMap<Moment, usize>;

/// A process, or a request on its way through one, ready to be laid out and written.
#[derive(Debug, Clone)]
pub struct Chart {
    pub(super) process: String,
    pub(super) language: Language,
    pub(super) title: String,
    /// Lines below the title.
    pub(super) subtitle: Vec<String>,
    pub(super) lanes: Vec<Lane>,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    pub(super) bars: Vec<Bar>,
    pub(super) moments: Moments,
    /// What may happen beside the way drawn.
    pub(super) aside: Vec<String>,
    /// When each column's milestone was reached, where a request is marked.
    pub(super) reached: BTreeMap<Column, String>,
    /// Whether a request is marked on it.
    pub(super) marked: bool,
}

impl Chart {
    /// The French or the English words.
    pub(super) fn say<'a>(&self, fr: &'a str, en: &'a str) -> &'a str {
        say(self.language, fr, en)
    }

    /// The columns that there is anything in.
    pub(super) fn columns(&self) -> impl Iterator<Item = Column> {
        Column::ALL.into_iter().filter(|column| self.nodes.iter().any(|node| node.column == *column))
    }

    /// What a column is called.
    pub(super) fn heading(&self, column: Column) -> &'static str {
        let (fr, en) = match column {
            Column::Reception => ("Réception", "Reception"),
            Column::Qualification => ("Qualification", "Qualification"),
            Column::Assignment => ("Affectation", "Assignment"),
            Column::Treatment => ("Traitement", "Treatment"),
            Column::Validation => ("Validation", "Validation"),
            Column::Delivery => ("Remise", "Delivery"),
        };
        say(self.language, fr, en)
    }

    /// The milestone at the end of a column; treatment has none of its own.
    pub(super) fn milestone(&self, column: Column) -> &'static str {
        let (fr, en) = match column {
            Column::Reception => ("reçue", "received"),
            Column::Qualification => ("qualifiée", "qualified"),
            Column::Assignment => ("affectée", "assigned"),
            Column::Treatment => ("traitée", "treated"),
            Column::Validation => ("validée", "validated"),
            Column::Delivery => ("délivrée", "delivered"),
        };
        say(self.language, fr, en)
    }
}

/// The French or the English words.
pub(super) fn say<'a>(language: Language, fr: &'a str, en: &'a str) -> &'a str {
    match language {
        Language::Fr => fr,
        Language::En => en,
    }
}
