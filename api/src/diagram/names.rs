//! What people call services and roles. People are never named in a picture: it hangs on walls.

use std::collections::BTreeMap;

use guichet_engine::rules::organisation::Organisation;
use guichet_engine::rules::process::Party;
use guichet_engine::rules::text::{Language, Text};

use super::chart::say;

/// Titles of services and roles, by id.
#[derive(Debug, Clone, Default)]
pub struct Names {
    services: BTreeMap<String, Text>,
    roles: BTreeMap<String, Text>,
}

impl Names {
    /// Those of an organisation.
    #[must_use]
    pub fn of(organisation: &Organisation) -> Self {
        let services = organisation.services.iter().map(|it| (it.service.clone(), it.title.clone()));
        let roles = organisation.roles.iter().map(|it| (it.role.clone(), it.title.clone()));
        Self { services: services.collect(), roles: roles.collect() }
    }

    pub(super) fn service(&self, id: &str, language: Language) -> String {
        titled(&self.services, id, language)
    }

    pub(super) fn role(&self, id: &str, language: Language) -> String {
        titled(&self.roles, id, language)
    }

    pub(super) fn party(&self, party: &Party, language: Language) -> String {
        match party {
            Party::Role(role) => self.role(role, language),
            Party::Service(service) => self.service(service, language),
            Party::Person(_) => say(language, "Agent désigné", "Named member of staff").to_owned(),
            Party::ServiceInCharge => say(language, "Service en charge", "Service in charge").to_owned(),
        }
    }

    pub(super) fn parties(&self, parties: &[Party], language: Language) -> String {
        let names: Vec<String> = parties.iter().map(|party| self.party(party, language)).collect();
        names.join(", ")
    }
}

fn titled(titles: &BTreeMap<String, Text>, id: &str, language: Language) -> String {
    let title = titles.get(id).map(|title| title.get(language)).filter(|title| !title.trim().is_empty());
    title.map_or_else(|| id.replace(['-', '_'], " "), str::to_owned)
}
