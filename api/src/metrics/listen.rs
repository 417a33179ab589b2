//! An address of its own for those who scrape: what a server tells of itself is not for citizens, and the address that
//! they reach stands behind a proxy.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{Metrics, MetricsError};
use crate::guichet::Guichet;

/// A listener that answers `/metrics` until it is dropped.
#[derive(Debug)]
pub struct MetricsServer {
    address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl MetricsServer {
    /// Listens, and begins to answer.
    ///
    /// # Errors
    /// [`MetricsError::Bind`].
    pub async fn start(metrics: &Metrics, guichet: &Guichet, bind: SocketAddr) -> Result<Self, MetricsError> {
        let wrong = |source| MetricsError::Bind { bind, source };
        let listener = TcpListener::bind(bind).await.map_err(wrong)?;
        let address = listener.local_addr().map_err(wrong)?;
        let router =
            Router::new().route("/metrics", get(scrape)).with_state((metrics.clone(), guichet.clone()));
        let served = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "metrics are no longer served");
            }
        });
        Ok(Self { address, tasks: vec![served, tokio::spawn(metrics.clone().upkeep())] })
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn scrape(State((metrics, guichet)): State<(Metrics, Guichet)>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render(&guichet).await)
}
