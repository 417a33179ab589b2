//! Keys of a collectivity, signing in, and who opened what.

mod accesses;
mod keys;
pub(in crate::http::routes) mod sessions;
mod sign_in;
pub(in crate::http::routes) mod sign_in_email;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::App;

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(accesses::accesses_list))
        .routes(routes!(keys::keys_list, keys::keys_make))
        .routes(routes!(keys::keys_revoke))
        .routes(routes!(keys::keys_rotate))
        .routes(routes!(sign_in::sign_in_begin))
        .routes(routes!(sign_in::sign_in_callback))
        .routes(routes!(sign_in::sign_in_fetch))
        .routes(routes!(sign_in_email::sign_in_email))
        .routes(routes!(sign_in_email::sign_in_email_confirm))
        .routes(routes!(sessions::session_read))
        .routes(routes!(sessions::session_end))
}
