//! `organisation.yaml`: roles, services, people and their stand-ins.

use super::desk::{At, Desk, Kind};
use super::parts::{PERSON, ROLE, SERVICE};
use super::process::Library;
use crate::language::diagnostic::Fault;
use crate::language::grammar;
use crate::language::source::Mark;
use crate::organisation::{Administration, Collectivity, Organisation, Person, Role, Service, StandIn};

const ADMINISTRATION: Kind =
    Kind { code: "administration.unknown", fr: "administration inconnue", en: "unknown administration" };

const TENANT: Kind =
    Kind { code: "tenant.unknown", fr: "collectivité inconnue", en: "unknown collectivity" };

/// Reads `organisation.yaml`; the collectivities come from `catalogue.yaml`.
pub(crate) fn read_organisation(desk: &mut Desk, at: &At<'_>, tenants: Vec<Collectivity>) -> Organisation {
    let entries = desk.entries(at, &grammar::ORGANISATION);
    let mut organisation = Organisation { tenants, ..Organisation::default() };
    if let Some(list) = desk.require(&entries, "roles") {
        organisation.roles = desk.role_list(&list);
    }
    if let Some(list) = desk.require(&entries, "services") {
        organisation.services = desk.service_list(&list, &organisation);
    }
    if let Some(list) = desk.require(&entries, "people") {
        organisation.people = desk.people(&list, &organisation);
    }
    if let Some(list) = desk.get(&entries, "standins") {
        organisation.standins = desk.standins(&list, &organisation);
    }
    if let Some(list) = desk.get(&entries, "administrations") {
        organisation.administrations = desk.administrations(&list, &organisation);
    }
    desk.heads(&organisation);
    organisation
}

impl Desk {
    fn role_list(&mut self, at: &At<'_>) -> Vec<Role> {
        let mut roles: Vec<Role> = Vec::new();
        for item in self.list(at) {
            let entries = self.entries(&item, &grammar::ROLE);
            let id = self.require(&entries, "role");
            let role = id.as_ref().and_then(|a| self.text(a));
            let title = self.require(&entries, "title").and_then(|a| self.words(&a));
            let (Some(role), Some(id)) = (role, id) else { continue };
            self.once(roles.iter().any(|r| r.role == role), &role, &id);
            roles.push(Role { role, title: title.unwrap_or_default() });
        }
        roles
    }

    fn service_list(&mut self, at: &At<'_>, organisation: &Organisation) -> Vec<Service> {
        let mut services: Vec<Service> = Vec::new();
        for item in self.list(at) {
            let item = item.becoming(format!("/services/{}", services.len()));
            let entries = self.entries(&item, &grammar::SERVICE);
            let id = self.require(&entries, "service");
            let service = id.as_ref().and_then(|a| self.text(a));
            let tenant = self.require(&entries, "tenant").and_then(|a| self.tenant(&a, organisation));
            let title = self.require(&entries, "title").and_then(|a| self.words(&a));
            let email = self.require(&entries, "email").and_then(|a| self.email(&a));
            let phone = self.get(&entries, "phone").and_then(|a| self.text(&a));
            let head = self.get(&entries, "head").and_then(|a| self.text(&a));
            let (Some(service), Some(id)) = (service, id) else { continue };
            self.once(services.iter().any(|s| s.service == service), &service, &id);
            let (tenant, title, email) =
                (tenant.unwrap_or_default(), title.unwrap_or_default(), email.unwrap_or_default());
            services.push(Service { service, tenant, title, email, phone, head });
        }
        services
    }

    fn people(&mut self, at: &At<'_>, organisation: &Organisation) -> Vec<Person> {
        let mut people: Vec<Person> = Vec::new();
        for item in self.list(at) {
            let entries = self.entries(&item, &grammar::PERSON);
            let id = self.require(&entries, "person");
            let person = id.as_ref().and_then(|a| self.text(a));
            let name = self.require(&entries, "name").and_then(|a| self.text(&a));
            let tenant = self.require(&entries, "tenant").and_then(|a| self.tenant(&a, organisation));
            let roles = self
                .get(&entries, "roles")
                .map(|a| self.names(&a, organisation.roles.iter().map(|r| r.role.as_str()).collect(), &ROLE));
            let services = self.get(&entries, "services").map(|a| {
                self.names(&a, organisation.services.iter().map(|s| s.service.as_str()).collect(), &SERVICE)
            });
            let email = self.get(&entries, "email").and_then(|a| self.email(&a));
            let (Some(person), Some(id)) = (person, id) else { continue };
            self.once(people.iter().any(|p| p.person == person), &person, &id);
            people.push(Person {
                person,
                name: name.unwrap_or_default(),
                tenant: tenant.unwrap_or_default(),
                roles: roles.unwrap_or_default(),
                services: services.unwrap_or_default(),
                email,
            });
        }
        people
    }

    fn standins(&mut self, at: &At<'_>, organisation: &Organisation) -> Vec<StandIn> {
        let mut standins = Vec::new();
        for item in self.list(at) {
            let entries = self.entries(&item, &grammar::STAND_IN);
            let absent = self.require(&entries, "for").and_then(|a| self.person(&a, organisation));
            let by = self.require(&entries, "by").and_then(|a| self.person(&a, organisation));
            let from = self.require(&entries, "from").and_then(|a| self.date(&a));
            let until = self.require(&entries, "until").and_then(|a| self.date(&a));
            let roles = self
                .get(&entries, "roles")
                .map(|a| self.names(&a, organisation.roles.iter().map(|r| r.role.as_str()).collect(), &ROLE));
            let (Some(absent), Some(by), Some(from), Some(until)) = (absent, by, from, until) else {
                continue;
            };
            if from > until {
                let (fr, en) = (
                    format!("cette délégation commence le {from} et finit le {until}"),
                    format!("this stand-in begins on {from} and ends on {until}"),
                );
                self.fault(Fault::error("standin.backwards", item.mark(), fr, en));
            }
            if absent == by {
                let (fr, en) = ("personne ne se remplace soi-même", "nobody stands in for themselves");
                self.fault(Fault::error("standin.self", item.mark(), fr, en));
            }
            standins.push(StandIn { absent, by, from, until, roles: roles.unwrap_or_default() });
        }
        standins
    }

    fn administrations(&mut self, at: &At<'_>, organisation: &Organisation) -> Vec<Administration> {
        let mut administrations: Vec<Administration> = Vec::new();
        for item in self.list(at) {
            let entries = self.entries(&item, &grammar::ADMINISTRATION);
            let id = self.require(&entries, "administration");
            let name = id.as_ref().and_then(|a| self.text(a));
            let title = self.require(&entries, "title").and_then(|a| self.words(&a));
            let email = self.get(&entries, "email").and_then(|a| self.email(&a));
            let address = self.get(&entries, "address").and_then(|a| self.text(&a));
            let (Some(administration), Some(id)) = (name, id) else { continue };
            self.once(
                administrations.iter().any(|a| a.administration == administration),
                &administration,
                &id,
            );
            if organisation.tenant(&administration).is_some() {
                let (fr, en) = (
                    format!("`{administration}` est une collectivité du catalogue"),
                    format!("`{administration}` is a collectivity of the catalogue"),
                );
                self.fault(Fault::error("administration.tenant", id.mark(), fr, en).help(
                    "on lui transmet sans la déclarer ici ; donnez un autre nom à cette administration",
                    "requests are passed on to it without declaring it here; call this administration otherwise",
                ));
            }
            if email.is_none() && address.is_none() {
                let (fr, en) = (
                    format!("`{administration}` n’a ni courriel ni adresse"),
                    format!("`{administration}` has neither an e-mail nor an address"),
                );
                self.fault(Fault::warning("administration.unreachable", id.mark(), fr, en).help(
                    "le bordereau s’imprimera sans adresse : donnez `email` ou `address`",
                    "the slip will be printed without an address: give `email` or `address`",
                ));
            }
            let title = title.unwrap_or_default();
            administrations.push(Administration { administration, title, email, address });
        }
        administrations
    }

    /// Whether a collectivity of the catalogue is called so.
    pub(super) fn tenant_named(&mut self, name: &str, mark: Mark, library: &Library<'_>) -> bool {
        self.known(name, mark, library.organisation.tenants.iter().map(|t| t.tenant.as_str()), &TENANT)
    }

    /// Whether a request can be passed on to what is written so: `tenant:x` and `administration:x` name somebody of the
    /// catalogue, all else is the name of an administration.
    pub(super) fn addressee(&mut self, at: &At<'_>, text: &str, library: &Library<'_>) -> bool {
        let named = text.split_once(':').map(|(kind, name)| (kind.trim(), name.trim()));
        match named {
            Some(("tenant", name)) => {
                let mark = self.part_of(at, text, name);
                self.tenant_named(name, mark, library)
            }
            Some(("administration", name)) => {
                let mark = self.part_of(at, text, name);
                let known = &library.organisation.administrations;
                self.known(name, mark, known.iter().map(|a| a.administration.as_str()), &ADMINISTRATION)
            }
            Some(_) | None => true,
        }
    }

    /// Heads of service are people, who are read after the services.
    fn heads(&mut self, organisation: &Organisation) {
        for (i, service) in organisation.services.iter().enumerate() {
            let Some(head) = &service.head else { continue };
            let Some(mark) = self.places.mark(&format!("/services/{i}/head")) else { continue };
            self.known(head, mark, organisation.people.iter().map(|p| p.person.as_str()), &PERSON);
        }
    }

    fn tenant(&mut self, at: &At<'_>, organisation: &Organisation) -> Option<String> {
        let name = self.text(at)?;
        self.known(&name, at.mark(), organisation.tenants.iter().map(|t| t.tenant.as_str()), &TENANT);
        Some(name)
    }

    fn person(&mut self, at: &At<'_>, organisation: &Organisation) -> Option<String> {
        let name = self.text(at)?;
        self.known(&name, at.mark(), organisation.people.iter().map(|p| p.person.as_str()), &PERSON);
        Some(name)
    }

    fn names(&mut self, at: &At<'_>, known: Vec<&str>, kind: &Kind) -> Vec<String> {
        let mut names = Vec::new();
        for item in self.items(at) {
            let Some(name) = self.text(&item) else { continue };
            self.known(&name, item.mark(), known.iter().copied(), kind);
            names.push(name);
        }
        names
    }

    fn email(&mut self, at: &At<'_>) -> Option<String> {
        let text = self.text(at)?;
        let sound = text.split_once('@').is_some_and(|(who, host)| {
            !who.is_empty()
                && host.contains('.')
                && !text.contains(char::is_whitespace)
                && !host.contains('@')
        });
        if !sound {
            self.wrong(at, "une adresse électronique", "an e-mail address");
        }
        Some(text)
    }
}
