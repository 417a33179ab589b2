//! Reading one's own write: whoever names the position that a command was answered with is not shown less than that, on
//! any server.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use guichet_engine::journal::Position;

use super::App;
use super::problem::Problem;

/// In an answer: the position from which lists and figures show it, or up to which they are true. In a request: show
/// nothing older than this.
pub(crate) const GUICHET_POSITION: HeaderName = HeaderName::from_static("guichet-position");
/// How long a reader waits for a position, where it does not say with `Prefer: wait`.
pub(crate) const CATCH_UP: Duration = Duration::from_secs(2);

/// Waits until the read models have seen the position that a request names.
///
/// # Errors
/// 400 `position.malformed`, `position.unknown`; 503 `read_models.behind` when they have not seen it in time.
pub(crate) async fn reached(app: &App, text: &HeaderValue, wait: Option<Duration>) -> Result<(), Problem> {
    let position = text.to_str().ok().and_then(|text| text.trim().parse::<Position>().ok());
    let position = position.ok_or_else(malformed)?;
    // What the journal has not reached yet was given by no server: waiting for it would help nobody.
    if app.guichet.read_models().status().await?.head < Some(position) {
        return Err(Problem::malformed(
            "position.unknown",
            "Le journal ne va pas jusqu’à cette position.",
            "The journal does not reach this position.",
        ));
    }
    app.guichet.wait_for(position, wait.unwrap_or(CATCH_UP)).await.map_err(|_| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "read_models.behind",
            "Les tableaux de lecture n’en sont pas encore là ; réessayez.",
            "The read models are not that far yet; try again.",
        )
        .retry_after(1)
    })
}

/// What is no position of a journal.
pub(crate) fn malformed() -> Problem {
    Problem::malformed(
        "position.malformed",
        "Une position est faite de 16 chiffres hexadécimaux, tels que le serveur les a donnés.",
        "A position is 16 hexadecimal digits, as the server gave them.",
    )
}

/// Says at which position an answer is true.
pub(crate) fn tell(headers: &mut HeaderMap, position: Option<Position>) {
    if let Some(position) = position
        && let Ok(value) = HeaderValue::from_str(&position.to_string())
    {
        headers.insert(GUICHET_POSITION, value);
    }
}
