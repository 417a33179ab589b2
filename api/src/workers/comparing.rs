//! What all servers of an installation must have alike and each is given by itself: files of secrets, the address for the
//! public. Each says by digests, keyed with the installation's own key, what it was started with; where another that runs
//! says otherwise, `/ready` tells it by name. Nothing stops for it: a secret that is being changed differs for a while.
//!
//! `master.key` itself is compared when the store is opened, and a server with another one does not begin.

use std::time::Duration;

use tokio::sync::watch;

use super::WorkerError;
use crate::guichet::Guichet;

/// How often a server says what it has.
const PACE: Duration = Duration::from_secs(20);
/// The largest file of a secret that is looked at, in bytes.
const SECRET_BYTES_MAX: u64 = 64 * 1024;
/// The code under which `/ready` tells it.
const DIFFERS: &str = "differs";
/// The name that the digests are made for; no collectivity's.
const NAME: &str = "installation";

pub(super) async fn run(guichet: Guichet, mut stopped: watch::Receiver<bool>) {
    let Some(common) = guichet.read_models().common() else { return };
    let mut told: Vec<String> = Vec::new();
    while !*stopped.borrow() {
        match compared(&guichet, &common).await {
            Ok(differing) => {
                for gone in told.iter().filter(|place| !differing.contains(place)) {
                    guichet.troubles().clear(gone);
                }
                for place in differing.iter().filter(|place| !told.contains(place)) {
                    tracing::warn!(place, "another server has this otherwise");
                    guichet.troubles().note(place, DIFFERS);
                }
                told = differing;
            }
            Err(error) => tracing::debug!(%error, "what other servers have is looked at later"),
        }
        tokio::select! {
            () = tokio::time::sleep(PACE) => {}
            _ = stopped.changed() => {}
        }
    }
    // It is stopped: what it had counts no more. If this fails, the others forget it by themselves.
    let _ = common.forget(guichet.name()).await;
}

async fn compared(
    guichet: &Guichet,
    common: &guichet_projections::Common,
) -> Result<Vec<String>, WorkerError> {
    let tenant = guichet_engine::tenant_of(NAME)?;
    let keys = guichet.engine().journal().keys();
    let mut said = Vec::new();
    let mut say = |place: String, value: &[u8]| {
        let text = [b"said\0", place.as_bytes(), b"\0", value].concat();
        let digest = keys.blind(&tenant, &text).iter().map(|byte| format!("{byte:02x}")).collect();
        said.push((place, digest));
    };
    say("public_url".to_owned(), guichet.options().public_url.as_bytes());
    for (place, path) in guichet.options().settings.secret_files() {
        let small = tokio::fs::metadata(&path).await.is_ok_and(|about| about.len() <= SECRET_BYTES_MAX);
        // One that cannot be read differs from one that can.
        let bytes = if small { tokio::fs::read(&path).await.unwrap_or_default() } else { Vec::new() };
        say(place, bytes.trim_ascii());
    }
    Ok(common.compare(guichet.name(), &said, guichet.now()).await?)
}
