//! Traces for a collector of OpenTelemetry (feature `otlp`): the spans of the rooms under their own names,
//! `http.request` → `engine.submit` → `journal.append`, and `workers.…`, `projections.batch` beside them.
//!
//! Spans only, and only ours: no line of the log leaves with them. A caller's `traceparent` is continued; a proxy in front
//! of citizens should take it away.

use axum::http::HeaderMap;
use tracing::Span;

#[cfg(feature = "otlp")]
pub use exporting::{TraceError, Traces};

/// Goes on with the trace of the caller, where they name one (W3C Trace Context) and traces are kept.
#[cfg(feature = "otlp")]
pub(crate) fn go_on(span: &Span, headers: &HeaderMap) {
    use opentelemetry::trace::TraceContextExt;
    use tracing_opentelemetry::OpenTelemetrySpanExt;
    let named = headers.get("traceparent").and_then(|value| value.to_str().ok()).and_then(exporting::parent);
    if let Some(parent) = named {
        let context = opentelemetry::Context::new().with_remote_span_context(parent);
        // Without a collector there is nothing that could take it.
        let _ = span.set_parent(context);
    }
}

/// Traces are not built in.
#[cfg(not(feature = "otlp"))]
pub(crate) fn go_on(_span: &Span, _headers: &HeaderMap) {}

#[cfg(feature = "otlp")]
mod exporting {
    use std::time::Duration;

    use async_trait::async_trait;
    use opentelemetry::KeyValue;
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState, TracerProvider};
    use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
    use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing::Subscriber;
    use tracing_subscriber::Layer;
    use tracing_subscriber::filter::filter_fn;
    use tracing_subscriber::registry::LookupSpan;

    /// How long the collector may take for a batch; spans are lost then, and nothing else.
    const PATIENCE: Duration = Duration::from_secs(5);

    /// Why no traces are sent.
    #[derive(Debug, thiserror::Error)]
    #[error("traces cannot be sent: {0}")]
    pub struct TraceError(String);

    /// What sends traces, until it is closed.
    #[derive(Debug, Clone)]
    pub struct Traces(SdkTracerProvider);

    impl Traces {
        /// Sends to the collector whose address, without `/v1/traces`, is given. Nobody is called yet.
        ///
        /// # Errors
        /// [`TraceError`] when the address is none.
        pub fn to(collector: &str) -> Result<Self, TraceError> {
            let agent = ureq::Agent::config_builder()
                .timeout_global(Some(PATIENCE))
                .http_status_as_error(false)
                .build()
                .new_agent();
            let exporter = SpanExporter::builder()
                .with_http()
                .with_http_client(Sender(agent))
                .with_protocol(Protocol::HttpBinary)
                .with_endpoint(format!("{}/v1/traces", collector.trim_end_matches('/')))
                .with_timeout(PATIENCE)
                .build()
                .map_err(|error| TraceError(error.to_string()))?;
            let about = [
                KeyValue::new("service.name", "guichet"),
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            ];
            let resource = Resource::builder_empty().with_attributes(about).build();
            let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource);
            Ok(Self(provider.build()))
        }

        /// The layer that hands spans of ours on.
        pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> {
            let ours = filter_fn(|about| {
                about.is_span()
                    && about.target().starts_with("guichet")
                    && *about.level() <= tracing::Level::DEBUG
            });
            tracing_opentelemetry::layer()
                .with_tracer(self.0.tracer("guichet"))
                .with_location(false)
                .with_threads(false)
                .with_filter(ours)
        }

        /// Sends what is left, and no more. It waits for the collector.
        pub fn close(&self) {
            if let Err(error) = self.0.shutdown() {
                tracing::debug!(%error, "the last traces were not sent");
            }
        }
    }

    #[derive(Debug)]
    struct Sender(ureq::Agent);

    #[async_trait]
    impl HttpClient for Sender {
        /// It blocks: whoever calls it is a thread that does nothing else.
        async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
            let (head, body) = request.into_parts();
            let answer = self.0.run(Request::from_parts(head, body.to_vec()))?;
            let (head, mut body) = answer.into_parts();
            let body = body.read_to_vec()?;
            Ok(Response::from_parts(head, body.into()))
        }
    }

    /// Reads `00-<trace>-<span>-<flags>`; anything else is nobody's trace.
    pub(super) fn parent(text: &str) -> Option<SpanContext> {
        let mut parts = text.trim().split('-');
        let (version, trace) = (parts.next()?, TraceId::from_hex(parts.next()?).ok()?);
        let (span, flags) =
            (SpanId::from_hex(parts.next()?).ok()?, u8::from_str_radix(parts.next()?, 16).ok()?);
        let context = SpanContext::new(trace, span, TraceFlags::new(flags), true, TraceState::default());
        (version == "00" && parts.next().is_none() && context.is_valid()).then_some(context)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn only_a_whole_trace_of_a_caller_is_continued() {
            let whole = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
            assert_eq!(parent(whole).unwrap().span_id().to_string(), "b7ad6b7169203331");
            for bad in [
                "",
                "00",
                &whole[..40],
                &whole.replace('0', "g"),
                &format!("{whole}-x"),
                "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            ] {
                assert!(parent(bad).is_none(), "{bad}");
            }
        }
    }
}
