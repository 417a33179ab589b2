//! Listening, answering, and stopping without breaking anything off.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_service::Service;

use super::cross_origin::cross_origin;
use super::impatient::Impatient;
use super::readiness::Readiness;
use super::{EXCHANGE_MAX, HttpOptions, ServeError, app, surrounded};
use crate::guichet::Guichet;

/// Connections open at once; further ones wait in the system's queue.
pub const CONNECTIONS_MAX: usize = 4096;
/// How long a client may take over the head of a request, and a connection may wait for the next one.
pub const HEAD_MAX: Duration = Duration::from_secs(30);
/// How long connections that came in at the last moment have for beginning their request.
const LAST_WORDS: Duration = Duration::from_millis(250);
/// The wait after the system refused a connection, for want of file descriptors most of all.
const AFTER_REFUSAL: Duration = Duration::from_millis(50);

/// A server that listens already.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    router: Router,
    readiness: Arc<Readiness>,
    drain: Duration,
}

impl Server {
    /// Begins to listen. Connections wait until [`Server::run`].
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn bind(guichet: &Guichet, options: &HttpOptions) -> Result<Self, ServeError> {
        let app = app(guichet, options)?;
        // Before anybody shows one.
        app.access.settle().await?;
        let readiness = Arc::clone(&app.readiness);
        let bind = options.bind;
        let listener = TcpListener::bind(bind).await.map_err(|source| ServeError::Bind { bind, source })?;
        Ok(Self {
            listener,
            router: cross_origin(surrounded(app), &options.origins),
            readiness,
            drain: options.drain,
        })
    }

    /// The address it listens on: the port that the system chose where 0 was asked for.
    ///
    /// # Errors
    /// [`ServeError::Stopped`].
    pub fn address(&self) -> Result<SocketAddr, ServeError> {
        self.listener.local_addr().map_err(ServeError::Stopped)
    }

    /// Serves until `stop` is done. From then on `/ready` answers 503, so that load balancers turn to others; after the
    /// time that the options give them, nothing new is let in, what is under way is answered, and this returns.
    ///
    /// # Errors
    /// [`ServeError::Stopped`].
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let (tell, told) = watch::channel(false);
        let mut open = JoinSet::new();
        self.let_in(&mut open, &told, stop).await;
        self.readiness.drain();
        tracing::info!(seconds = self.drain.as_secs(), "stopping: load balancers are told first");
        self.let_in(&mut open, &told, tokio::time::sleep(self.drain)).await;
        // Whoever reached us before now is not turned away.
        while let Poll::Ready(Ok((socket, peer))) =
            std::future::poll_fn(|context| Poll::Ready(self.listener.poll_accept(context))).await
        {
            open.spawn(converse(socket, peer, self.router.clone(), told.clone()));
        }
        drop(self.listener);
        tokio::time::sleep(LAST_WORDS).await;
        // Those who do not listen have ended.
        let _ = tell.send(true);
        let ended = async { while open.join_next().await.is_some() {} };
        if tokio::time::timeout(EXCHANGE_MAX + LAST_WORDS, ended).await.is_err() {
            tracing::warn!("connections that would not end were broken off");
        }
        Ok(())
    }

    /// Takes connections until `until` is done.
    async fn let_in(
        &self,
        open: &mut JoinSet<()>,
        told: &watch::Receiver<bool>,
        until: impl Future<Output = ()>,
    ) {
        let mut until = pin!(until);
        loop {
            tokio::select! {
                () = &mut until => return,
                Some(_ended) = open.join_next() => {}
                accepted = self.listener.accept(), if open.len() < CONNECTIONS_MAX => match accepted {
                    Ok((socket, peer)) => {
                        open.spawn(converse(socket, peer, self.router.clone(), told.clone()));
                    }
                    Err(error) => {
                        tracing::debug!(%error, "a connection was not made");
                        tokio::time::sleep(AFTER_REFUSAL).await;
                    }
                },
            }
        }
    }
}

/// One connection, until either side has had enough.
async fn converse(socket: TcpStream, peer: SocketAddr, router: Router, mut told: watch::Receiver<bool>) {
    // Without it small answers wait for a packet that never comes; where it cannot be set they wait.
    let _ = socket.set_nodelay(true);
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let mut router = router.clone();
        async move { Ok::<_, Infallible>(answered(router.call(request).await)) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .serve_connection(TokioIo::new(Impatient::new(socket)), service);
    let mut connection = pin!(connection);
    let over = async {
        // An error says that the server is gone, and this with it.
        let _ = told.wait_for(|told| *told).await.map(drop);
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = over => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn answered<T>(answer: Result<T, Infallible>) -> T {
    match answer {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

/// What asks a program to stop: SIGTERM, or SIGINT from the terminal. Listening begins when it is made, so that nothing
/// is missed between the first and the second.
#[derive(Debug)]
pub struct Stop {
    #[cfg(unix)]
    interrupted: Option<tokio::signal::unix::Signal>,
    #[cfg(unix)]
    terminated: Option<tokio::signal::unix::Signal>,
}

impl Stop {
    /// Begins to listen. Where the system lets nobody listen, it stops the program its own way.
    #[must_use]
    pub fn listen() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Self {
                interrupted: signal(SignalKind::interrupt()).ok(),
                terminated: signal(SignalKind::terminate()).ok(),
            }
        }
        #[cfg(not(unix))]
        Self {}
    }

    /// Done at the next signal.
    pub async fn asked(&mut self) {
        #[cfg(unix)]
        {
            tokio::select! {
                () = next(self.interrupted.as_mut()) => {}
                () = next(self.terminated.as_mut()) => {}
            }
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
async fn next(signal: Option<&mut tokio::signal::unix::Signal>) {
    let came = match signal {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if came.is_none() {
        std::future::pending::<()>().await;
    }
}

/// Done when the system or the person at the terminal asks the program to stop (SIGTERM, SIGINT).
pub async fn asked_to_stop() {
    Stop::listen().asked().await;
}
