//! `[sign_in]`: the identity providers of agents and citizens, by OpenID Connect.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The section `[sign_in]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// The provider of agents, such as ProConnect; nobody of the staff signs in without.
    pub agents: Option<Provider>,
    /// The provider of citizens, such as FranceConnect; without, citizens sign in by e-mail alone.
    pub citizens: Option<Provider>,
    /// Whether citizens may sign in with a code that is sent to their e-mail address, as those do whom no provider knows;
    /// they may by default.
    pub citizens_by_email: bool,
    /// Origins of portals (`https://portail.exemple.example`) that people may be led back to; this server always is one.
    pub portals: Vec<String>,
    /// After how many minutes without use a session is over; 30 by default.
    pub idle_minutes: u32,
    /// After how many hours a session is over however much it is used; 10 by default.
    pub hours: u32,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            agents: None,
            citizens: None,
            citizens_by_email: true,
            portals: Vec::new(),
            idle_minutes: 30,
            hours: 10,
        }
    }
}

impl Section {
    /// Lets paths count from this folder.
    pub(super) fn count_from(&mut self, folder: &Path) {
        for provider in self.agents.iter_mut().chain(&mut self.citizens) {
            provider.client_secret_file = folder.join(&provider.client_secret_file);
        }
    }
}

/// An identity provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its issuer, exactly as it names itself, for example `https://auth.agentconnect.example/api/v2`.
    pub issuer: String,
    /// What it is called in accounts: `franceconnect`, `proconnect`.
    pub name: String,
    /// By what it knows this installation.
    pub client_id: String,
    /// The file that holds the secret shared with it, and nothing else.
    pub client_secret_file: PathBuf,
    /// What it is asked for; `openid` is always among it.
    #[serde(default = "usual_scopes")]
    pub scopes: Vec<String>,
    /// How surely it must know people (`acr_values`), for example `eidas1`; whatever it likes if none. What it answers
    /// must be one of these.
    #[serde(default)]
    pub acr: Vec<String>,
    /// The claim by which a member of staff is found in the organisation.
    #[serde(default = "email")]
    pub staff_claim: String,
    /// What the claim is compared with.
    #[serde(default)]
    pub staff_by: StaffBy,
}

/// What a claim of an agent is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaffBy {
    /// Their e-mail address in the organisation, capitals aside.
    #[default]
    Email,
    /// Their staff code.
    Code,
}

fn usual_scopes() -> Vec<String> {
    ["openid", "email"].map(str::to_owned).to_vec()
}

fn email() -> String {
    "email".to_owned()
}
