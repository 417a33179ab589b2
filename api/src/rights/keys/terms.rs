//! What a new key is to be, checked.

use chrono::{DateTime, Utc};

use super::{AccessError, Holder, PROGRAM_SCOPES};
use crate::rights::Scope;
use crate::rights::allows::is_for_programs;

/// The most processes and themes that a key can be limited to.
pub const LIMITS_MAX: usize = 100;
/// The longest name of a process or theme on a key, in characters.
const LIMIT_LENGTH_MAX: usize = 128;
/// The longest name of a holder: it stands on events.
const HOLDER_LENGTH_MAX: usize = 32;

/// What a new key is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTerms {
    /// The collectivity that it opens.
    pub tenant: String,
    /// Whose it is.
    pub holder: Holder,
    /// What it lets through at most; the usual if none.
    pub scopes: Option<Vec<Scope>>,
    /// Processes and themes that it is limited to; all of them if empty.
    pub processes: Vec<String>,
    /// From when on it opens nothing (UTC).
    pub expires: Option<DateTime<Utc>>,
}

impl KeyTerms {
    /// The usual key for somebody.
    #[must_use]
    pub fn new(tenant: &str, holder: Holder) -> Self {
        Self { tenant: tenant.to_owned(), holder, scopes: None, processes: Vec::new(), expires: None }
    }

    /// Whether such a key can be; the rights that stand on it then.
    ///
    /// # Errors
    /// [`AccessError`], about what was asked for.
    pub(super) fn check(&self, now: DateTime<Utc>) -> Result<Option<Vec<Scope>>, AccessError> {
        let (Holder::Agent(name) | Holder::Integrator(name)) = &self.holder;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if name.is_empty() || name.len() > HOLDER_LENGTH_MAX || !name.bytes().all(fits) {
            return Err(AccessError::Holder(name.clone()));
        }
        if guichet_engine::tenant_of(&self.tenant).is_err() {
            return Err(AccessError::Tenant(self.tenant.clone()));
        }
        let wrong = self.processes.iter().find(|limit| !is_limit(limit));
        if let Some(wrong) = wrong.or_else(|| self.processes.get(LIMITS_MAX)) {
            return Err(AccessError::Limit(wrong.clone()));
        }
        if self.expires.is_some_and(|expires| expires <= now) {
            return Err(AccessError::Expired);
        }
        match (&self.holder, &self.scopes) {
            (Holder::Integrator(_), Some(scopes)) => {
                let not = scopes.iter().copied().find(|scope| !is_for_programs(*scope));
                not.map_or_else(|| Ok(Some(in_order(scopes))), |scope| Err(AccessError::Scope(scope)))
            }
            (Holder::Integrator(_), None) => Ok(Some(PROGRAM_SCOPES.to_vec())),
            (Holder::Agent(_), scopes) => Ok(scopes.as_deref().map(in_order)),
        }
    }
}

fn in_order(scopes: &[Scope]) -> Vec<Scope> {
    let mut scopes = scopes.to_vec();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

fn is_limit(text: &str) -> bool {
    let fits = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.len() <= LIMIT_LENGTH_MAX && text.split('/').count() <= 2 && text.split('/').all(fits)
}
