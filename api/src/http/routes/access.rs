//! Keys of a collectivity and signing in.

use utoipa_axum::router::OpenApiRouter;

use crate::http::App;

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}
