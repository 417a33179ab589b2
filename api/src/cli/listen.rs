//! Listening on an address until the program is asked to stop.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use guichet_engine::rules::text::Language;

use super::context::Context;
use super::failure::Failure;
use crate::Guichet;
use crate::http::{HttpOptions, ServeError, Server, Stop};

/// How long the workers may take over what they are at, and the store over closing, once nobody is served any more.
const FINISH_MAX: Duration = Duration::from_secs(30);

/// Serves until the program is asked to stop.
pub(crate) async fn serve(
    context: &mut Context,
    guichet: &Guichet,
    options: &HttpOptions,
) -> Result<(), Failure> {
    let language = context.language;
    let server = Server::bind(guichet, options).await.map_err(|error| failed(&error, language))?;
    let address = server.address().map_err(|error| failed(&error, language))?;
    let words = context.say("Guichet répond sur", "Guichet answers at");
    // Whoever reads the line may ask for the end at once.
    let asked = Stop::listen();
    let stop = context.say("Ctrl-C arrête.", "Ctrl-C stops it.");
    writeln!(context.out, "{words} http://{address}/  {stop}")?;
    context.out.flush()?;
    until_stopped(server, guichet, asked).await.map_err(|error| failed(&error, language))
}

/// Serves, with the workers beside, until the program is asked to stop; then lets everything finish and closes. Asked a
/// second time, it ends at once: what was acknowledged stands either way.
pub(crate) async fn until_stopped(
    server: Server,
    guichet: &Guichet,
    mut stop: Stop,
) -> Result<(), ServeError> {
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let workers = guichet.start_workers();
    let orderly = async {
        let served = server
            .run(async {
                // An error says as well that it is over.
                let _ = told.await;
            })
            .await;
        let closed = async {
            workers.stop().await;
            guichet.close().await;
        };
        if tokio::time::timeout(FINISH_MAX, closed).await.is_err() {
            tracing::warn!("the workers and the store did not finish in time and were broken off");
        }
        served
    };
    let mut orderly = pin!(orderly);
    tokio::select! {
        served = &mut orderly => return served,
        () = stop.asked() => {
            // Nobody listens only if it has ended already.
            let _ = tell.send(());
        }
    }
    tokio::select! {
        served = &mut orderly => served,
        () = stop.asked() => {
            tracing::warn!("asked twice to stop: ended at once");
            Ok(())
        }
    }
}

/// Why a server does not come up, with a port that is free where the wanted one is not.
pub(crate) fn failed(error: &ServeError, language: Language) -> Failure {
    match (error, language) {
        (ServeError::Bind { bind, .. }, Language::Fr) => {
            let free =
                free_port(*bind).map(|port| format!(" ; le port {port} est libre")).unwrap_or_default();
            Failure::usage(format!(
                "impossible d’écouter sur {bind} : l’adresse est prise ou interdite{free}"
            ))
        }
        (ServeError::Bind { bind, .. }, Language::En) => {
            let free = free_port(*bind).map(|port| format!("; port {port} is free")).unwrap_or_default();
            Failure::usage(format!("cannot listen on {bind}: the address is taken or forbidden{free}"))
        }
        (ServeError::SignIn(_), _) => Failure::usage(error.to_string()),
        (ServeError::Access(_) | ServeError::Stopped(_), _) => Failure::store(error.to_string()),
    }
}

/// A port near the wanted one that nobody listens on.
pub(crate) fn free_port(wanted: SocketAddr) -> Option<u16> {
    let ip = if wanted.ip().is_loopback() { wanted.ip() } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
    let first = wanted.port().checked_add(1)?;
    (first..=first.saturating_add(20)).find(|port| std::net::TcpListener::bind((ip, *port)).is_ok())
}
