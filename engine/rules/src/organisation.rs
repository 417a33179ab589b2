//! Who works in the town hall: services, roles, people and their declared stand-ins (*délégations*).

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::process::Party;
use crate::text::Text;

/// A theme of the catalogue, under which citizens look for a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Theme {
    /// Its id, the name of its folder.
    pub theme: String,
    /// What people call it.
    pub title: Text,
}

/// A department that treats requests (*service*).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// Its id in rules and addresses, for example `voirie`.
    pub service: String,
    /// The collectivity it belongs to.
    pub tenant: String,
    /// What people call it.
    pub title: Text,
    /// Where it is notified.
    pub email: String,
    /// Shown to citizens, if it has a public line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The head of service, a person's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
}

/// A role that a sheet can name, for example `ambassadrice`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Role {
    /// Its id.
    pub role: String,
    /// What people call it.
    pub title: Text,
}

/// A member of staff or an elected official. Its id is a staff code, never a name: ids stand on events for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    /// Staff code.
    pub person: String,
    /// Name, shown to colleagues only.
    pub name: String,
    /// The collectivity that employs them.
    pub tenant: String,
    /// Roles held.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Services worked in.
    #[serde(default)]
    pub services: Vec<String>,
    /// Where they are notified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// A declared stand-in: `by` may act on behalf of `absent` between two dates, both included.
/// It is one step deep: a stand-in of a stand-in has no power.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StandIn {
    /// The absent person.
    #[serde(rename = "for")]
    pub absent: String,
    /// Who acts on their behalf.
    pub by: String,
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub until: NaiveDate,
    /// Only for these roles; all of them if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// A collectivity served by the engine: a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Collectivity {
    /// Its id: lower-case letters and digits, no hyphen.
    pub tenant: String,
    /// Its name.
    pub name: Text,
    /// Postal address shown to citizens.
    #[serde(default)]
    pub address: String,
    /// Telephone shown to citizens.
    #[serde(default)]
    pub phone: String,
    /// E-mail shown to citizens, and the sender of mails.
    #[serde(default)]
    pub email: String,
}

/// An administration elsewhere, to which requests are passed on that are its own to decide (CRPA L114-2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Administration {
    /// Its id, for example `prefecture`.
    pub administration: String,
    /// What people call it.
    pub title: Text,
    /// Where it takes requests by e-mail, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Its postal address, with commas between its lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// The organisation as of one publication.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Organisation {
    /// The collectivities that share the catalogue.
    #[serde(default)]
    pub tenants: Vec<Collectivity>,
    /// The themes of the catalogue, in the order shown.
    #[serde(default)]
    pub themes: Vec<Theme>,
    /// Services.
    #[serde(default)]
    pub services: Vec<Service>,
    /// Roles.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// People.
    #[serde(default)]
    pub people: Vec<Person>,
    /// Declared stand-ins.
    #[serde(default)]
    pub standins: Vec<StandIn>,
    /// Administrations elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub administrations: Vec<Administration>,
    /// The process whose requests carry new versions of processes into force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publication: Option<String>,
    /// Where each person stands in the list.
    #[serde(skip)]
    pub(crate) places: Places,
}

/// The places of people by staff code, found out when first asked for. It is no part of what an organisation is: it is
/// neither written nor compared nor copied, and what it says is checked against the list.
#[derive(Debug, Default)]
pub(crate) struct Places(OnceLock<HashMap<String, usize>>);

impl Clone for Places {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Places {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Places {}

impl Organisation {
    /// The collectivity with this id.
    #[must_use]
    pub fn tenant(&self, tenant: &str) -> Option<&Collectivity> {
        self.tenants.iter().find(|t| t.tenant == tenant)
    }

    /// The administration elsewhere with this id, or this name.
    #[must_use]
    pub fn administration(&self, name: &str) -> Option<&Administration> {
        let called = |known: &&Administration| known.title.fr == name || known.title.en == name;
        let by_id = self.administrations.iter().find(|known| known.administration == name);
        by_id.or_else(|| self.administrations.iter().find(called))
    }

    /// What whoever a request is passed on to is called: a collectivity, an administration of the list, or what was written.
    #[must_use]
    pub fn addressee(&self, to: &str) -> Text {
        let tenant = self.tenant(to).map(|tenant| tenant.name.clone());
        let listed = || self.administration(to).map(|known| known.title.clone());
        tenant.or_else(listed).unwrap_or_else(|| Text::new(to, to))
    }

    /// Whether whom a sheet names exists here.
    #[must_use]
    pub fn knows(&self, party: &Party) -> bool {
        match party {
            Party::ServiceInCharge => true,
            Party::Role(role) => self.roles.iter().any(|known| known.role == *role),
            Party::Service(service) => self.service(service).is_some(),
            Party::Person(person) => self.person(person).is_some(),
        }
    }

    /// The service with this id.
    #[must_use]
    pub fn service(&self, service: &str) -> Option<&Service> {
        self.services.iter().find(|s| s.service == service)
    }

    /// The person with this staff code.
    #[must_use]
    pub fn person(&self, person: &str) -> Option<&Person> {
        let listed = || self.people.iter().zip(0..).map(|(person, place)| (person.person.clone(), place));
        let places = self.places.0.get_or_init(|| listed().collect());
        let found = places.get(person).and_then(|place| self.people.get(*place));
        // The list may have changed since.
        found.filter(|p| p.person == person).or_else(|| self.people.iter().find(|p| p.person == person))
    }

    /// Everyone who holds `role`, in the order of the file.
    pub fn holders<'a>(&'a self, role: &'a str) -> impl Iterator<Item = &'a Person> {
        self.people.iter().filter(move |p| p.roles.iter().any(|r| r == role))
    }

    /// Those on whose behalf `person` may act for `role` on `day`, themselves left out.
    #[must_use]
    pub fn represented_by(&self, person: &str, role: Option<&str>, day: NaiveDate) -> BTreeSet<&str> {
        self.standins
            .iter()
            .filter(|s| s.by == person && s.absent != person && s.from <= day && day <= s.until)
            .filter(|s| s.roles.is_empty() || role.is_some_and(|r| s.roles.iter().any(|x| x == r)))
            .map(|s| s.absent.as_str())
            .collect()
    }

    /// Whether `person` works for the collectivity: employed by it, or a member of one of its services.
    #[must_use]
    pub fn works_for(&self, person: &Person, tenant: &str) -> bool {
        person.tenant == tenant
            || person
                .services
                .iter()
                .any(|id| self.service(id).is_some_and(|service| service.tenant == tenant))
    }

    /// Everyone of the collectivity whom `party` names, wherever in it they work. `service` is the one in charge.
    #[must_use]
    pub fn all_of(&self, party: &Party, tenant: &str, service: Option<&str>) -> Vec<&Person> {
        self.people
            .iter()
            .filter(|person| Self::is_named(person, party, service))
            .filter(|person| self.works_for(person, tenant))
            .collect()
    }

    /// Whether `party` names `person`, whichever collectivity they work for. `service` is the one in charge.
    #[must_use]
    pub fn is_named(person: &Person, party: &Party, service: Option<&str>) -> bool {
        let of_service = |id: &str| person.services.iter().any(|s| s == id);
        match party {
            Party::Role(role) => person.roles.iter().any(|r| r == role),
            Party::Person(code) => person.person == *code,
            Party::Service(id) => of_service(id),
            Party::ServiceInCharge => service.is_some_and(of_service),
        }
    }

    /// Those whom `party` means for a request of this service: of the holders of a role, those of the service in
    /// charge where there are any (*its* head of service, *its* director), else all of the collectivity.
    #[must_use]
    pub fn concerned(&self, party: &Party, tenant: &str, service: Option<&str>) -> Vec<&Person> {
        let all = self.all_of(party, tenant, service);
        let (Party::Role(_), Some(service)) = (party, service) else { return all };
        let near: Vec<&Person> =
            all.iter().copied().filter(|person| person.services.iter().any(|s| s == service)).collect();
        if near.is_empty() { all } else { near }
    }
}
