//! Messages that arrive: mails, text messages, social messages, a patroller's quick report, batches.

mod batches;
mod desk;
mod gateway;
mod mail;
mod patrol;
mod reports;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::channels::TakeError;
use crate::channels::mail::MAIL_BYTES_MAX;
use crate::http::App;
use crate::http::problem::Problem;

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<App> {
    let large = |routes: OpenApiRouter<App>, most: usize| routes.layer(DefaultBodyLimit::max(most));
    OpenApiRouter::new()
        .routes(routes!(gateway::channels_sms))
        .routes(routes!(reports::channels_sms_report))
        .routes(routes!(gateway::channels_social))
        .routes(routes!(desk::desk_receive))
        .merge(large(OpenApiRouter::new().routes(routes!(mail::channels_mail)), MAIL_BYTES_MAX))
        .merge(large(OpenApiRouter::new().routes(routes!(patrol::patrol_report)), patrol::REPORT_BYTES_MAX))
        .merge(large(
            OpenApiRouter::new().routes(routes!(batches::batches_receive)),
            batches::BATCH_BYTES_MAX,
        ))
}

impl From<TakeError> for Problem {
    fn from(error: TakeError) -> Self {
        match error {
            TakeError::Engine(error) => error.into(),
            TakeError::ReadModels(error) => error.into(),
            TakeError::Attachments(error) => {
                tracing::warn!(%error, "a file that came with a message is not stored for now");
                Self::busy()
            }
            TakeError::TooMuch(seconds) => Self::too_many(seconds),
            TakeError::NoProcess(_) => {
                tracing::error!(%error, "the settings of the channels do not fit what is in force");
                unset()
            }
        }
    }
}

/// Nothing is set up for this channel, or no longer fits what is in force.
fn unset() -> Problem {
    Problem::new(
        axum::http::StatusCode::NOT_FOUND,
        "channel.unset",
        "Ce canal n’est pas configuré pour cette collectivité.",
        "This channel is not set up for this collectivity.",
    )
}
