//! Rights that not every member of staff has: who holds them, by role, service or person.

use std::collections::BTreeMap;

use guichet_engine::rules::process::Party;
use serde::{Deserialize, Deserializer};

use super::Scope;

/// Who of the staff has each right that not everybody there has. The roles that stand here at first are those of
/// `processes/chalons/organisation.yaml`; `[rights]` of the settings names others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRules(BTreeMap<Scope, Vec<Party>>);

/// Why a table of rights cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartyFault {
    /// The name on the left is no right.
    #[error("`{0}`: {1}")]
    Scope(String, String),
    /// The name on the right is nobody.
    #[error("`{0}` is nobody: write `role:…`, `service:…` or `person:…`")]
    Party(String),
}

const DIRECTION: [&str; 2] = ["dgs", "dga"];

impl Default for RoleRules {
    fn default() -> Self {
        let roles = |names: &[&str]| names.iter().map(|name| Party::Role((*name).to_owned())).collect();
        let with_direction = |names: &[&str]| roles(&[names, &DIRECTION].concat());
        Self(BTreeMap::from([
            (Scope::AccessesRead, with_direction(&["juriste"])),
            (Scope::AlertsSend, with_direction(&["directeur-de-cabinet"])),
            (Scope::KeysManage, with_direction(&[])),
            (Scope::OutboxManage, with_direction(&["ambassadrice", "chef-de-service"])),
            (Scope::PaymentsManage, with_direction(&["regisseur"])),
            (Scope::RequestsErase, with_direction(&["juriste"])),
            (Scope::WebhooksManage, with_direction(&[])),
        ]))
    }
}

impl RoleRules {
    /// With what a file of settings says in place of what stands here at first, right by right.
    ///
    /// # Errors
    /// [`PartyFault`].
    pub fn with(table: &BTreeMap<String, Vec<String>>) -> Result<Self, PartyFault> {
        let mut rules = Self::default();
        for (name, parties) in table {
            let scope = name.parse().map_err(|reason| PartyFault::Scope(name.clone(), reason))?;
            let parties = parties.iter().map(|text| party(text)).collect::<Result<_, _>>()?;
            rules.0.insert(scope, parties);
        }
        Ok(rules)
    }

    /// Who has this right; none where every member of staff has it, or nobody.
    #[must_use]
    pub fn of(&self, scope: Scope) -> Option<&[Party]> {
        self.0.get(&scope).map(Vec::as_slice)
    }
}

impl<'de> Deserialize<'de> for RoleRules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = BTreeMap::deserialize(deserializer)?;
        Self::with(&table).map_err(serde::de::Error::custom)
    }
}

fn party(text: &str) -> Result<Party, PartyFault> {
    match text.split_once(':') {
        Some(("role", name)) if !name.is_empty() => Ok(Party::Role(name.to_owned())),
        Some(("service", name)) if !name.is_empty() => Ok(Party::Service(name.to_owned())),
        Some(("person", code)) if !code.is_empty() => Ok(Party::Person(code.to_owned())),
        _ => Err(PartyFault::Party(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_take_the_place_of_what_stands_at_first_and_faults_are_named() {
        let table = |scope: &str, party: &str| BTreeMap::from([(scope.to_owned(), vec![party.to_owned()])]);
        let rules = RoleRules::with(&table("keys:manage", "service:informatique")).unwrap();
        assert_eq!(rules.of(Scope::KeysManage), Some(&[Party::Service("informatique".into())][..]));
        assert_eq!(rules.of(Scope::AlertsSend), RoleRules::default().of(Scope::AlertsSend));
        assert!(matches!(RoleRules::with(&table("keys:made", "role:x")), Err(PartyFault::Scope(..))));
        assert!(matches!(RoleRules::with(&table("keys:manage", "dgs")), Err(PartyFault::Party(_))));
    }
}
