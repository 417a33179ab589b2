//! `catalogue.yaml`: what all sheets of a town have in common.

use super::desk::{At, Desk};
use crate::language::diagnostic::Fault;
use crate::language::grammar;
use crate::organisation::{Collectivity, Theme};
use crate::process::{Channel, Costs};
use crate::text::{Language, Text};

/// What `catalogue.yaml` says, its collectivities apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Header {
    pub(crate) catalogue: String,
    pub(crate) name: Text,
    pub(crate) languages: Vec<Language>,
    pub(crate) calendar: String,
    pub(crate) themes: Vec<Theme>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) costs: Costs,
    pub(crate) acknowledgement: Option<String>,
    pub(crate) publication: Option<String>,
}

/// Reads `catalogue.yaml`. The names it refers to are looked up by [`check`](crate::language::check), once the other
/// files are read too.
pub(crate) fn read_catalogue(desk: &mut Desk, at: &At<'_>) -> (Header, Vec<Collectivity>) {
    let entries = desk.entries(at, &grammar::CATALOGUE);
    let catalogue = desk.require(&entries, "catalogue").and_then(|a| desk.text(&a));
    let name = desk.require(&entries, "name").and_then(|a| desk.words(&a));
    let languages = desk.get(&entries, "languages").map(|list| {
        let items = desk.items(&list);
        items.iter().filter_map(|i| desk.one_of(i, &grammar::LANGUAGES)).collect()
    });
    let calendar = desk.require(&entries, "calendar").and_then(|a| desk.text(&a));
    let tenants = desk.require(&entries, "tenants").map(|a| desk.collectivities(&a)).unwrap_or_default();
    let themes = desk.require(&entries, "themes").map(|a| desk.themes(&a)).unwrap_or_default();
    let channels = desk.get(&entries, "channels").map(|list| {
        let items = desk.items(&list);
        items.iter().filter_map(|i| desk.one_of(i, &grammar::CHANNELS)).collect::<Vec<_>>()
    });
    let costs = desk.get(&entries, "costs").map(|a| desk.costs(&a, &Costs::default()));
    let acknowledgement = desk.get(&entries, "acknowledgement").and_then(|a| desk.text(&a));
    let publication = desk.get(&entries, "publication").and_then(|a| desk.text(&a));
    let header = Header {
        catalogue: catalogue.unwrap_or_default(),
        name: name.unwrap_or_default(),
        languages: languages.unwrap_or_else(|| vec![Language::Fr]),
        calendar: calendar.unwrap_or_default(),
        themes,
        channels: channels.unwrap_or_else(|| Channel::ALL.to_vec()),
        costs: costs.unwrap_or_default(),
        acknowledgement,
        publication,
    };
    (header, tenants)
}

impl Desk {
    fn collectivities(&mut self, at: &At<'_>) -> Vec<Collectivity> {
        let mut tenants: Vec<Collectivity> = Vec::new();
        for item in self.list(at) {
            let entries = self.entries(&item, &grammar::TENANT);
            let id = self.require(&entries, "tenant");
            let tenant = id.as_ref().and_then(|a| self.text(a));
            let name = self.require(&entries, "name").and_then(|a| self.words(&a));
            let contact = self.get(&entries, "contact").map(|a| self.contact(&a)).unwrap_or_default();
            let (Some(tenant), Some(id)) = (tenant, id) else { continue };
            let sound = tenant.starts_with(|c: char| c.is_ascii_lowercase())
                && tenant.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
            if !sound {
                let (fr, en) = (
                    "le nom d’une collectivité n’a que des lettres minuscules et des chiffres",
                    "the name of a collectivity has only lower-case letters and digits",
                );
                self.fault(Fault::error("name.invalid", id.mark(), fr, en));
            }
            self.once(tenants.iter().any(|t| t.tenant == tenant), &tenant, &id);
            let [address, phone, email] = contact;
            tenants.push(Collectivity { tenant, name: name.unwrap_or_default(), address, phone, email });
        }
        tenants
    }

    fn contact(&mut self, at: &At<'_>) -> [String; 3] {
        let entries = self.entries(at, &grammar::CONTACT);
        ["address", "phone", "email"]
            .map(|key| self.get(&entries, key).and_then(|a| self.text(&a)).unwrap_or_default())
    }

    fn themes(&mut self, at: &At<'_>) -> Vec<Theme> {
        let mut themes: Vec<Theme> = Vec::new();
        for item in self.list(at) {
            let entries = self.entries(&item, &grammar::THEME);
            let id = self.require(&entries, "theme");
            let theme = id.as_ref().and_then(|a| self.text(a));
            let title = self.require(&entries, "title").and_then(|a| self.words(&a));
            let (Some(theme), Some(id)) = (theme, id) else { continue };
            self.once(themes.iter().any(|t| t.theme == theme), &theme, &id);
            themes.push(Theme { theme, title: title.unwrap_or_default() });
        }
        themes
    }

    /// Reports a name that stands twice in one list.
    pub(super) fn once(&mut self, seen: bool, name: &str, at: &At<'_>) {
        if seen {
            let (fr, en) =
                (format!("`{name}` est déjà dans cette liste"), format!("`{name}` is already in this list"));
            self.fault(Fault::error("name.duplicate", at.mark(), fr, en));
        }
    }
}
