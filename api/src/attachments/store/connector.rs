//! The HTTP client that the library for S3 is given: ours, so that one stack for TLS and one set of limits hold for every
//! call that leaves this program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use axum::http::{Method, Response, StatusCode, header};
use http_body_util::BodyExt;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService,
};
use reqwest::{Body, Client, Url};

use crate::outgoing::streaming;

/// Makes the calls of one bucket.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    client: Client,
    /// Whether the server said that it cannot write on a condition.
    unconditional: Arc<AtomicBool>,
}

impl Connector {
    /// Ready to call.
    ///
    /// # Errors
    /// A sentence, when the system's certificates cannot be read.
    pub(super) fn new() -> Result<Self, String> {
        Ok(Self { client: streaming()?, unconditional: Arc::default() })
    }

    /// Whether the server said that it cannot write on a condition.
    pub(super) fn is_unconditional(&self) -> bool {
        self.unconditional.load(Ordering::Relaxed)
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url = parts.uri.to_string().parse::<Url>();
        let url = url.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        let conditional = parts.method == Method::PUT && parts.headers.contains_key(header::IF_NONE_MATCH);
        let mut call = reqwest::Request::new(parts.method, url);
        *call.headers_mut() = parts.headers;
        *call.body_mut() = Some(Body::wrap(body));
        let answer: Response<Body> = self.client.execute(call).await.map_err(fault)?.into();
        if conditional && answer.status() == StatusCode::NOT_IMPLEMENTED {
            self.unconditional.store(true, Ordering::Relaxed);
        }
        let (parts, body) = answer.into_parts();
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body.map_err(fault))))
    }
}

/// What the library tries again is what may pass: every call made here may be repeated without harm.
fn fault(error: reqwest::Error) -> HttpError {
    let kind = match &error {
        error if error.is_timeout() => HttpErrorKind::Timeout,
        error if error.is_connect() => HttpErrorKind::Connect,
        _ => HttpErrorKind::Interrupted,
    };
    // The address names the file, and sometimes holds a proof.
    HttpError::new(kind, error.without_url())
}
