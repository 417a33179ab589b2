//! Names of streams.

use guichet_journal::{StreamId, Tenant};
use guichet_rules::process::REQUEST_STREAM;
use guichet_rules::request::RequestId;

use crate::error::EngineError;

/// The collectivity called `tenant`.
///
/// # Errors
/// [`EngineError::UnknownTenant`] when it cannot be one's name.
pub fn tenant_of(tenant: &str) -> Result<Tenant, EngineError> {
    tenant.parse().map_err(|_| EngineError::UnknownTenant)
}

/// The stream of a request.
///
/// # Errors
/// [`EngineError::Journal`] never in practice: the kind is a constant.
pub fn request_stream(tenant: &Tenant, request: RequestId) -> Result<StreamId, EngineError> {
    Ok(StreamId::new(tenant, REQUEST_STREAM, request.0).map_err(guichet_journal::JournalError::from)?)
}
