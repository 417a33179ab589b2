//! Pictures of service requests: sent along in a multipart form, or to be fetched from an address that a stranger chose.

use std::convert::Infallible;
use std::sync::OnceLock;

use guichet_engine::rules::process::Field;
use reqwest::{Method, Url};
use serde_json::Value;

use super::answer::Fault;
use super::call::Call;
use crate::attachments::Uploaded;
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::sent::SentFile;
use crate::outgoing::{self, Outgoing, Reach};

/// The longest address of a picture, in bytes.
const URL_BYTES_MAX: usize = 2_000;
/// The largest picture that is fetched, in bytes.
pub(super) const FETCHED_BYTES_MAX: usize = 10 * 1024 * 1024;

/// What becomes of the pictures of a request.
#[derive(Default)]
pub(super) struct Media {
    /// The value of the field for files, if there is something to put into it.
    pub(super) files: Vec<Value>,
    /// An address that could not be fetched, or that no field takes: kept as the requester's words.
    pub(super) address: Option<String>,
}

/// Stores the files that were sent and what stands at `media_url`.
pub(super) async fn arrived(
    app: &App,
    call: &Call,
    field: Option<&Field>,
    sent: Vec<SentFile>,
) -> Result<Media, Fault> {
    let mut media = Media::default();
    let mut wrong = Vec::new();
    for file in sent {
        if field.is_none() {
            let (fr, en) = ("ce service ne prend pas de fichier.", "this service takes no file.");
            wrong.push(Fault::argument("media", fr, en));
            break;
        }
        let declared = Some(file.kind.as_str()).filter(|kind| *kind != "application/octet-stream");
        match stored(app, &call.tenant, &file.name, declared, file.bytes).await {
            Ok(file) => media.files.extend(serde_json::to_value(file.file).ok()),
            Err(problem) => wrong.push(problem),
        }
    }
    Fault::of(wrong)?;
    if let Some(address) = call.arguments.one("media_url") {
        if address.len() > URL_BYTES_MAX {
            let (fr, en) =
                (format!("{URL_BYTES_MAX} octets au plus."), format!("at most {URL_BYTES_MAX} bytes."));
            return Err(Fault::argument("media_url", fr, en).into());
        }
        match fetched(app, call, field, address).await {
            Some(file) => media.files.push(file),
            None => media.address = Some(address.to_owned()),
        }
    }
    Ok(media)
}

async fn stored(
    app: &App,
    tenant: &str,
    name: &str,
    declared: Option<&str>,
    bytes: impl AsRef<[u8]>,
) -> Result<Uploaded, Problem> {
    let whole = futures_util::stream::once(async { Ok::<_, Infallible>(bytes) });
    let done = app.guichet.attachments().upload(tenant, name, declared, whole).await;
    done.map_err(|error| {
        let text = error.text();
        Fault::argument("media", text.fr, text.en)
    })
}

/// What stands at a public address; nothing where it cannot be had or is not taken.
async fn fetched(app: &App, call: &Call, field: Option<&Field>, address: &str) -> Option<Value> {
    field?;
    let url = Url::parse(address).ok()?;
    let name = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or("media").to_owned();
    let mut asked = outgoing::Call::new(Method::GET, url);
    asked.answer_bytes_max = FETCHED_BYTES_MAX;
    let answer = caller()?.call(Reach::Public, asked).await.ok().filter(|answer| answer.status == 200)?;
    let declared = answer.header("content-type").and_then(|kind| kind.split(';').next()).map(str::trim);
    let file = stored(app, &call.tenant, &name, declared, &answer.body).await.ok()?;
    serde_json::to_value(file.file).ok()
}

/// What makes the calls; made at the first one.
fn caller() -> Option<&'static Outgoing> {
    static CALLER: OnceLock<Option<Outgoing>> = OnceLock::new();
    CALLER.get_or_init(|| Outgoing::new().ok()).as_ref()
}
