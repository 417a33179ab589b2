//! Listening on an address until the program is asked to stop.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use guichet_engine::rules::text::Language;

use super::context::Context;
use super::failure::Failure;
use crate::Guichet;
use crate::http::{HttpOptions, ServeError, Server, asked_to_stop};

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
    let stop = context.say("Ctrl-C arrête.", "Ctrl-C stops it.");
    writeln!(context.out, "{words} http://{address}/  {stop}")?;
    context.out.flush()?;
    let workers = guichet.start_workers();
    let ended = server.run(asked_to_stop()).await;
    workers.stop().await;
    ended.map_err(|error| failed(&error, language))
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
        (ServeError::Access(_) | ServeError::Stopped(_), _) => Failure::store(error.to_string()),
    }
}

/// A port near the wanted one that nobody listens on.
pub(crate) fn free_port(wanted: SocketAddr) -> Option<u16> {
    let ip = if wanted.ip().is_loopback() { wanted.ip() } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
    let first = wanted.port().checked_add(1)?;
    (first..=first.saturating_add(20)).find(|port| std::net::TcpListener::bind((ip, *port)).is_ok())
}
