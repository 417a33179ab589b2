//! `[rights]`: who of the staff may do what not everybody there may.

use serde::Deserialize;

use crate::rights::RoleRules;

/// The section `[rights]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// Rights and who holds them: `staff = { "keys:manage" = ["role:dgs", "service:informatique"] }`. A right that is
    /// not named here stays with the roles that Guichet knows.
    pub staff: RoleRules,
}
