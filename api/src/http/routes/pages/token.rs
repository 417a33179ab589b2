//! Hidden tokens of forms: they say which form was handed out and when, and carry the id of the command that it will be,
//! so that pressing the button twice makes one request. They are keyed with the installation's own key, so any of its
//! servers knows them and nobody else makes one.

use guichet_engine::rules::request::CommandId;
use guichet_engine::tenant_of;
use uuid::Uuid;

use crate::http::App;
use crate::http::problem::Problem;

/// How long a form may be filled in, in seconds.
const AGE_MAX: i64 = 24 * 60 * 60;

/// A token for a form of `purpose`.
pub(super) fn fresh(app: &App, tenant: &str, purpose: &str) -> Result<String, Problem> {
    let (id, at) = (app.guichet.fresh_command_id()?.0, app.guichet.now().timestamp());
    let mark = mark(app, tenant, purpose, id, at)?;
    Ok(format!("{id}.{at}.{mark}"))
}

/// The command that a token stands for.
pub(super) fn checked(app: &App, tenant: &str, purpose: &str, token: &str) -> Result<CommandId, Problem> {
    let mut parts = token.splitn(3, '.');
    let id = parts.next().and_then(|id| Uuid::parse_str(id).ok());
    let at = parts.next().and_then(|at| at.parse::<i64>().ok());
    let (Some(id), Some(at), Some(given)) = (id, at, parts.next()) else { return Err(stale()) };
    let now = app.guichet.now().timestamp();
    let young = (0..=AGE_MAX).contains(&now.saturating_sub(at));
    // Whoever compares in a time that tells how much fits would still need the key to make use of it; equal time costs
    // nothing, though.
    let known = mark(app, tenant, purpose, id, at)?;
    let differing = known.len().abs_diff(given.len())
        + known.bytes().zip(given.bytes()).filter(|(one, other)| one != other).count();
    if young && differing == 0 { Ok(CommandId(id)) } else { Err(stale()) }
}

fn mark(app: &App, tenant: &str, purpose: &str, id: Uuid, at: i64) -> Result<String, Problem> {
    let tenant = tenant_of(tenant)?;
    let text = format!("form token\n{purpose}\n{id}\n{at}");
    let digest = app.guichet.engine().journal().keys().blind(&tenant, text.as_bytes());
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A form that is too old, or none of ours. What was filled in is shown again with a new token.
fn stale() -> Problem {
    Problem::unprocessable(
        "form.stale",
        "Ce formulaire est resté ouvert trop longtemps ; vérifiez-le et envoyez-le de nouveau.",
        "This form was open for too long; check it and send it again.",
    )
}
