//! A process sheet, with its base written out, as a definition.

use std::collections::BTreeMap;

use super::catalogue::Header;
use super::desk::{At, Desk, Entries, Kind, Places};
use super::stages::{default_reopenable, default_waiting};
use crate::calendar::CalendarSheet;
use crate::language::diagnostic::Fault;
use crate::language::grammar;
use crate::organisation::Organisation;
use crate::process::{
    Channel, Circuit, Definition, DeliveryChoice, DeliverySheet, Kind as ProcessKind, Message, Moment,
    Opener, Privacy, Qualification, Simple, Validation, Waiting,
};
use crate::text::Text;

/// A shared part and where its pieces are.
#[derive(Debug, Clone)]
pub(crate) struct Item<T> {
    pub(crate) value: T,
    pub(crate) places: Places,
}

/// Everything that sheets can refer to.
pub(crate) struct Library<'l> {
    pub(crate) header: &'l Header,
    pub(crate) organisation: &'l Organisation,
    pub(crate) messages: BTreeMap<String, Item<Message>>,
    pub(crate) circuits: BTreeMap<String, Item<Circuit>>,
    pub(crate) calendars: BTreeMap<String, Item<CalendarSheet>>,
}

impl Desk {
    /// A shared part by its name.
    pub(super) fn shared<T: Clone>(
        &mut self,
        at: &At<'_>,
        known: &BTreeMap<String, Item<T>>,
        kind: &Kind,
    ) -> Option<T> {
        let name = self.text(at)?;
        if !self.known(&name, at.mark(), known.keys().map(String::as_str), kind) {
            return None;
        }
        self.used.insert(name.clone());
        let item = known.get(&name)?;
        self.places.adopt(&at.pointer, &item.places);
        Some(item.value.clone())
    }

    /// Reports an empty list where somebody or something must be named.
    fn not_empty(&mut self, empty: bool, at: &At<'_>) {
        if empty && at.node.list().is_some_and(<[_]>::is_empty) {
            self.fault(Fault::error("value.empty", at.mark(), "cette liste est vide", "this list is empty"));
        }
    }

    /// A calendar by its name, which must exist.
    pub(super) fn calendar_name(&mut self, at: &At<'_>, library: &Library<'_>) -> Option<String> {
        let name = self.text(at)?;
        let kind = Kind { code: "calendar.unknown", fr: "calendrier inconnu", en: "unknown calendar" };
        self.known(&name, at.mark(), library.calendars.keys().map(String::as_str), &kind);
        self.used.insert(name.clone());
        Some(name)
    }
}

/// Reads a sheet whose base has been written out. What is missing or wrong has been reported, and is replaced by
/// something that the checks can look at; a catalogue with such a finding is never used.
pub(crate) fn read_process(desk: &mut Desk, at: &At<'_>, path: &str, library: &Library<'_>) -> Definition {
    let entries = desk.entries(at, &grammar::PROCESS);
    desk.own_name(&entries, "process", path);
    let named = Named { entries: &entries, library, path };
    let (theme, tenants) = (named.theme(desk), named.tenants(desk));
    let title = desk.require(&entries, "title").and_then(|a| desk.words(&a));
    let kind = desk.require(&entries, "kind").and_then(|a| desk.one_of(&a, &grammar::KINDS));
    let calendar = named.calendar(desk);
    let form = desk.get(&entries, "form").map(|a| desk.fields(&a)).unwrap_or_default();
    let qualification = desk.require(&entries, "qualification").map(|a| desk.qualification(&a, library));
    let assignment = desk
        .require(&entries, "assignment")
        .map(|a| desk.rules(&a, &grammar::ASSIGNMENT_RULE, "to", |d, v| d.service(v, library)))
        .unwrap_or_default();
    let treatment = desk.get(&entries, "treatment").map(|a| desk.treatment(&a, library)).unwrap_or_default();
    let validation = desk.get(&entries, "validation").map(|a| desk.validation(&a, library));
    let delivery = desk.require(&entries, "delivery").and_then(|a| desk.delivery(&a, library));
    let acknowledgement = named.acknowledgement(desk);
    let commitments = match desk.require(&entries, "commitments") {
        Some(a) => desk.commitments(&a, library, &calendar),
        None => Vec::new(),
    };
    let law = desk.get(&entries, "law").map(|a| desk.law(&a)).unwrap_or_default();
    let privacy = named.privacy(desk);
    let costs = desk.get(&entries, "costs");
    let costs = costs.map_or(library.header.costs, |a| desk.costs(&a, &library.header.costs));
    let calendars = used_calendars(library, &calendar, commitments.iter().map(|c| c.calendar.as_str()));
    let mut definition = Definition {
        process: path.to_owned(),
        theme,
        tenants,
        title: title.unwrap_or_default(),
        description: desk.get(&entries, "description").and_then(|a| desk.words(&a)),
        kind: kind.unwrap_or(ProcessKind::Question),
        open_to: named.open_to(desk),
        channels: named.channels(desk),
        keywords: named.keywords(desk),
        see_also: desk.get(&entries, "see_also").map(|a| desk.texts(&a)).unwrap_or_default(),
        form,
        qualification: qualification.unwrap_or(Qualification {
            by: None,
            complexity: vec![],
            priority: vec![],
        }),
        assignment,
        treatment,
        validation: validation.unwrap_or(Validation {
            circuit: None,
            when: None,
            otherwise: Simple::ByAuthor,
        }),
        delivery: delivery.unwrap_or_else(no_delivery),
        acknowledgement: acknowledgement.unwrap_or_else(no_message),
        waiting: named.waiting(desk),
        withdrawable_until: named.withdrawable_until(desk),
        reopenable_for: desk
            .get(&entries, "reopenable_for")
            .and_then(|a| desk.budget(&a))
            .unwrap_or_else(default_reopenable),
        commitments,
        calendars,
        calendar,
        law,
        privacy: privacy.unwrap_or_else(no_privacy),
        costs,
        messages: named.side_messages(desk),
        voting: desk.get(&entries, "voting").and_then(|a| desk.voting(&a)),
        payment: desk.get(&entries, "payment").and_then(|a| desk.payment(&a)),
    };
    personal_fields(&mut definition);
    definition
}

/// Fields that `privacy` names are personal, whatever their type.
fn personal_fields(definition: &mut Definition) {
    let named = &definition.privacy.personal;
    let reports = definition.treatment.iter_mut().flat_map(|t| &mut t.report);
    for field in definition.form.iter_mut().chain(reports) {
        field.personal = field.personal || named.contains(&field.field);
    }
}

fn used_calendars<'a>(
    library: &Library<'_>,
    default: &'a str,
    others: impl Iterator<Item = &'a str>,
) -> BTreeMap<String, CalendarSheet> {
    std::iter::once(default)
        .chain(others)
        .filter_map(|name| Some((name.to_owned(), library.calendars.get(name)?.value.clone())))
        .collect()
}

/// The parts of a sheet that fall back on its folder or on the catalogue.
struct Named<'a, 'n> {
    entries: &'a Entries<'n>,
    library: &'a Library<'a>,
    path: &'a str,
}

impl Named<'_, '_> {
    fn theme(&self, desk: &mut Desk) -> String {
        let folder = self.path.split('/').next().unwrap_or_default().to_owned();
        let known = || self.library.header.themes.iter().map(|t| t.theme.as_str());
        let kind = Kind { code: "theme.unknown", fr: "thème inconnu", en: "unknown theme" };
        if let Some(at) = desk.get(self.entries, "theme") {
            let theme = desk.text(&at).unwrap_or(folder);
            desk.known(&theme, at.mark(), known(), &kind);
            return theme;
        }
        if !known().any(|theme| theme == folder) {
            let mark = desk.places.mark("/process").unwrap_or(self.entries.mark);
            let (fr, en) = (
                format!("le dossier `{folder}` n’est pas un thème"),
                format!("the folder `{folder}` is not a theme"),
            );
            let list = known().collect::<Vec<_>>().join(", ");
            desk.fault(Fault::error(kind.code, mark, fr, en).help(
                format!("déplacez le fichier, ou dites `theme: …` ; thèmes connus : {list}"),
                format!("move the file, or say `theme: …`; known themes: {list}"),
            ));
        }
        folder
    }

    fn tenants(&self, desk: &mut Desk) -> Vec<String> {
        let all = || self.library.organisation.tenants.iter().map(|t| t.tenant.as_str());
        let Some(at) = desk.get(self.entries, "tenants") else { return all().map(str::to_owned).collect() };
        let kind = Kind { code: "tenant.unknown", fr: "collectivité inconnue", en: "unknown collectivity" };
        let mut tenants = Vec::new();
        for item in desk.items(&at) {
            let Some(name) = desk.text(&item) else { continue };
            desk.known(&name, item.mark(), all(), &kind);
            tenants.push(name);
        }
        desk.not_empty(tenants.is_empty(), &at);
        tenants.sort_unstable();
        tenants.dedup();
        tenants
    }

    fn calendar(&self, desk: &mut Desk) -> String {
        let own = desk.get(self.entries, "calendar").and_then(|a| desk.calendar_name(&a, self.library));
        own.unwrap_or_else(|| {
            desk.used.insert(self.library.header.calendar.clone());
            self.library.header.calendar.clone()
        })
    }

    fn acknowledgement(&self, desk: &mut Desk) -> Option<Message> {
        if let Some(at) = desk.get(self.entries, "acknowledgement") {
            return desk.message(&at, self.library);
        }
        let Some(name) = &self.library.header.acknowledgement else {
            let (fr, en) = (
                "aucun accusé de réception : ni cette fiche ni le catalogue n’en nomme un",
                "no acknowledgement: neither this sheet nor the catalogue names one",
            );
            let mark = desk.places.mark("/process").unwrap_or(self.entries.mark);
            desk.fault(Fault::error("acknowledgement.missing", mark, fr, en).help(
                "toute demande reçoit un accusé de réception (CRPA L112-3) : `acknowledgement: messages/…`",
                "every request is acknowledged (CRPA L112-3): `acknowledgement: messages/…`",
            ));
            return None;
        };
        desk.used.insert(name.clone());
        let item = self.library.messages.get(name)?;
        desk.places.adopt("/acknowledgement", &item.places);
        Some(item.value.clone())
    }

    fn privacy(&self, desk: &mut Desk) -> Option<Privacy> {
        let Some(at) = desk.get(self.entries, "privacy") else {
            let (fr, en) = (
                "il manque `privacy` : combien de temps les données sont-elles gardées ?",
                "`privacy` is missing: how long are the data kept?",
            );
            let mark = desk.places.mark("/process").unwrap_or(self.entries.mark);
            desk.fault(Fault::error("privacy.missing", mark, fr, en).help(
                "par exemple : privacy: { basis: public_task, personal: [contact], retain: 2 years after closed, then: anonymise }",
                "for example: privacy: { basis: public_task, personal: [contact], retain: 2 years after closed, then: anonymise }",
            ));
            return None;
        };
        desk.privacy(&at)
    }

    fn open_to(&self, desk: &mut Desk) -> Vec<Opener> {
        let Some(at) = desk.require(self.entries, "open_to") else { return Vec::new() };
        let items = desk.items(&at);
        let mut openers: Vec<Opener> =
            items.iter().filter_map(|item| desk.one_of(item, &grammar::OPENERS)).collect();
        desk.not_empty(items.is_empty(), &at);
        openers.sort_unstable();
        openers.dedup();
        openers
    }

    fn channels(&self, desk: &mut Desk) -> Vec<Channel> {
        let Some(at) = desk.get(self.entries, "channels") else {
            return self.library.header.channels.clone();
        };
        let known = || self.library.header.channels.iter().map(|c| c.id());
        let kind = Kind { code: "channel.unknown", fr: "canal inconnu", en: "unknown channel" };
        let mut channels = Vec::new();
        for item in desk.items(&at) {
            let Some(name) = desk.text(&item) else { continue };
            desk.known(&name, item.mark(), known(), &kind);
            channels.extend(Channel::ALL.into_iter().find(|c| c.id() == name));
        }
        channels.sort_unstable();
        channels.dedup();
        channels
    }

    fn keywords(&self, desk: &mut Desk) -> Vec<String> {
        let Some(at) = desk.get(self.entries, "keywords") else { return Vec::new() };
        if at.node.map().is_none() {
            return desk.texts(&at);
        }
        let entries = desk.entries(&at, &grammar::KEYWORDS);
        let mut words = Vec::new();
        for language in ["fr", "en"] {
            words.extend(desk.get(&entries, language).map(|a| desk.texts(&a)).unwrap_or_default());
        }
        words
    }

    fn waiting(&self, desk: &mut Desk) -> Waiting {
        match desk.get(self.entries, "waiting") {
            Some(at) => desk.waiting(&at),
            None => default_waiting(),
        }
    }

    fn withdrawable_until(&self, desk: &mut Desk) -> Moment {
        let own = desk
            .get(self.entries, "withdrawable_until")
            .and_then(|a| desk.one_of(&a, &grammar::WITHDRAWABLE));
        own.unwrap_or(Moment::Validated)
    }

    fn side_messages(&self, desk: &mut Desk) -> BTreeMap<String, Message> {
        let Some(at) = desk.get(self.entries, "messages") else { return BTreeMap::new() };
        let entries = desk.entries(&at, &grammar::SIDE_WAYS);
        let mut messages = BTreeMap::new();
        for name in grammar::SIDE_WAYS.names() {
            if let Some(message) = desk.get(&entries, name).and_then(|a| desk.message(&a, self.library)) {
                messages.insert(name.to_owned(), message);
            }
        }
        messages
    }
}

fn no_message() -> Message {
    Message { message: String::new(), subject: Text::default(), body: Text::default(), sms: None }
}

fn no_privacy() -> Privacy {
    let (basis, then) = ("public_task".to_owned(), "anonymise".to_owned());
    Privacy { basis, personal: Vec::new(), retain: default_reopenable(), then }
}

fn no_delivery() -> DeliverySheet {
    DeliverySheet { by: vec![DeliveryChoice::Counter], message: no_message() }
}
