//! Gathering changes.

use super::{Area, Audience, Change, Nature, Version};
use crate::process::{Definition, SourceLine, Sources};
use crate::text::Text;

/// What is compared, and where it stands in both versions.
#[derive(Clone)]
pub(super) struct Spot {
    pub(super) area: Area,
    pub(super) who: &'static [Audience],
    pub(super) subject: Text,
    /// JSON pointers into the old and the new definition.
    pub(super) at: (String, String),
}

impl Spot {
    pub(super) fn new(
        area: Area,
        who: &'static [Audience],
        fr: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self { area, who, subject: Text::new(fr, en), at: (String::new(), String::new()) }
    }

    /// At the same place in both versions.
    pub(super) fn at(self, pointer: impl Into<String>) -> Self {
        let pointer = pointer.into();
        Self { at: (pointer.clone(), pointer), ..self }
    }

    /// At a place in each version.
    pub(super) fn between(self, old: impl Into<String>, new: impl Into<String>) -> Self {
        Self { at: (old.into(), new.into()), ..self }
    }

    /// A part of it.
    pub(super) fn part(&self, fr: &str, en: &str, key: &str) -> Self {
        let subject = Text::new(format!("{}, {fr}", self.subject.fr), format!("{}, {en}", self.subject.en));
        let at = (format!("{}/{key}", self.at.0), format!("{}/{key}", self.at.1));
        Self { subject, at, ..self.clone() }
    }

    /// The same, for others.
    pub(super) fn for_whom(self, who: &'static [Audience]) -> Self {
        Self { who, ..self }
    }
}

pub(super) struct Differ<'a> {
    pub(super) old: &'a Definition,
    pub(super) new: &'a Definition,
    sources: (&'a Sources, &'a Sources),
    changes: Vec<Change>,
}

impl<'a> Differ<'a> {
    pub(super) fn new(old: Version<'a>, new: Version<'a>) -> Self {
        let sources = (old.sources, new.sources);
        Self { old: old.definition, new: new.definition, sources, changes: Vec::new() }
    }

    pub(super) fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    /// A change from what there was to what there is; none is nothing.
    pub(super) fn push(&mut self, spot: &Spot, nature: Nature, old: Option<Text>, new: Option<Text>) {
        let place = |there: bool, sources: &Sources, pointer: &str| {
            if there { source(sources, pointer) } else { None }
        };
        let old_at = place(nature != Nature::Added, self.sources.0, &spot.at.0);
        let new_at = place(nature != Nature::Removed, self.sources.1, &spot.at.1);
        let concerns = spot.who.to_vec();
        let (area, subject) = (spot.area, spot.subject.clone());
        self.changes.push(Change { area, concerns, nature, subject, old, new, old_at, new_at });
    }

    /// A value that is always there.
    pub(super) fn value<T: PartialEq>(&mut self, spot: &Spot, old: &T, new: &T, show: impl Fn(&T) -> Text) {
        if old != new {
            self.push(spot, Nature::Changed, Some(show(old)), Some(show(new)));
        }
    }

    /// A value that may be missing.
    pub(super) fn option<T: PartialEq>(
        &mut self,
        spot: &Spot,
        old: Option<&T>,
        new: Option<&T>,
        show: impl Fn(&T) -> Text,
    ) {
        let nature = match (old, new) {
            (None, None) => return,
            (None, Some(_)) => Nature::Added,
            (Some(_), None) => Nature::Removed,
            (Some(old), Some(new)) if old == new => return,
            (Some(_), Some(_)) => Nature::Changed,
        };
        self.push(spot, nature, old.map(&show), new.map(&show));
    }

    /// A list of which each item says something by itself.
    pub(super) fn list<T: PartialEq>(
        &mut self,
        spot: &Spot,
        old: &[T],
        new: &[T],
        show: impl Fn(&T) -> Text,
    ) {
        if old == new {
            return;
        }
        let joined = |items: &[T]| {
            let shown: Vec<Text> = items.iter().map(&show).collect();
            let of = |take: fn(&Text) -> &str| shown.iter().map(take).collect::<Vec<_>>().join(", ");
            (!items.is_empty())
                .then(|| Text::new(of(|text| &text.fr), of(|t| if t.en.is_empty() { &t.fr } else { &t.en })))
        };
        let nature = match (old.is_empty(), new.is_empty()) {
            (true, _) => Nature::Added,
            (_, true) => Nature::Removed,
            (false, false) => Nature::Changed,
        };
        self.push(spot, nature, joined(old), joined(new));
    }

    /// Things that have a name: those in both with their places, for the caller to compare; the others are new or gone.
    pub(super) fn named<T>(
        &mut self,
        (old, new): (&'a [T], &'a [T]),
        name: impl Fn(&T) -> &str,
        spot: impl Fn(&str) -> Spot,
        (base_old, base_new): (&str, &str),
        show: impl Fn(&T) -> Text,
    ) -> Vec<(Spot, &'a T, &'a T)> {
        let mut both = Vec::new();
        let at = |base: &str, index: usize| format!("{base}/{index}");
        for (index, was) in old.iter().enumerate() {
            match new.iter().enumerate().find(|(_, other)| name(other) == name(was)) {
                Some((place, is)) => {
                    let spot = spot(name(was)).between(at(base_old, index), at(base_new, place));
                    both.push((spot, was, is));
                }
                None => {
                    let spot = spot(name(was)).between(at(base_old, index), String::new());
                    self.push(&spot, Nature::Removed, Some(show(was)), None);
                }
            }
        }
        for (index, is) in new.iter().enumerate() {
            if !old.iter().any(|other| name(other) == name(is)) {
                let spot = spot(name(is)).between(String::new(), at(base_new, index));
                self.push(&spot, Nature::Added, None, Some(show(is)));
            }
        }
        both
    }
}

/// Where a part was written: at its own place, or else at that of what it is part of.
fn source(sources: &Sources, pointer: &str) -> Option<SourceLine> {
    let mut pointer = pointer;
    loop {
        if let Some(line) = sources.get(pointer) {
            return Some(line.clone());
        }
        pointer = pointer.rsplit_once('/')?.0;
    }
}
