//! What is published: versions of processes and organisations.

use std::collections::HashMap;
use std::sync::Arc;

use guichet_rules::organisation::Organisation;
use guichet_rules::process::DefinitionHash;

use super::change::Process;

/// What was published up to some position. A copy shares everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    processes: HashMap<DefinitionHash, Arc<Process>>,
    organisations: HashMap<String, Arc<Organisation>>,
}

impl Known {
    /// A version.
    pub(crate) fn process(&self, hash: &DefinitionHash) -> Option<&Arc<Process>> {
        self.processes.get(hash)
    }

    /// The organisation of a collectivity.
    pub(crate) fn organisation(&self, tenant: &str) -> Option<&Arc<Organisation>> {
        self.organisations.get(tenant)
    }

    /// Takes in a version; one that is known already stays, with its plan compiled.
    pub(crate) fn add_process(&mut self, process: Arc<Process>) {
        self.processes.entry(process.hash.clone()).or_insert(process);
    }

    /// Takes in an organisation.
    pub(crate) fn set_organisation(&mut self, tenant: &str, organisation: Arc<Organisation>) {
        self.organisations.insert(tenant.to_owned(), organisation);
    }
}
