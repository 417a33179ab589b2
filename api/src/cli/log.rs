//! What a server writes to standard error while it runs, and the traces that it sends.

use clap::ValueEnum;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::context::Context;
use super::failure::Failure;

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object on each line, for programs that gather logs.
    Json,
}

/// What is open as long as the program tells of itself.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    #[cfg(feature = "otlp")]
    traces: Option<crate::traces::Traces>,
}

impl Telling {
    /// Sends what is left to be sent.
    pub(crate) async fn close(self) {
        #[cfg(feature = "otlp")]
        if let Some(traces) = self.traces {
            // It waits for the collector, which must not keep others waiting.
            let _ = tokio::task::spawn_blocking(move || traces.close()).await;
        }
    }
}

/// Begins to log to standard error, as much as `GUICHET_LOG` says, and to send traces to the collector, if one is named.
pub(crate) fn begin(
    context: &Context,
    format: LogFormat,
    collector: Option<&str>,
) -> Result<Telling, Failure> {
    let filter = EnvFilter::try_from_env("GUICHET_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // Whoever asks for everything is also told how long each span took.
    let everything = filter.max_level_hint() == Some(LevelFilter::TRACE);
    let lines = tracing_subscriber::fmt::layer()
        .with_span_events(if everything { FmtSpan::CLOSE } else { FmtSpan::NONE })
        .with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Human => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
    };
    let registry = tracing_subscriber::registry().with(lines.with_filter(filter));
    // Whoever set one up before keeps it.
    #[cfg(feature = "otlp")]
    let telling = {
        let traces = collector.map(crate::traces::Traces::to).transpose();
        let traces = traces.map_err(|error| Failure::usage(error.to_string()))?;
        let _ = registry.with(traces.as_ref().map(crate::traces::Traces::layer)).try_init();
        Telling { traces }
    };
    #[cfg(not(feature = "otlp"))]
    let telling = {
        let _ = registry.try_init();
        Telling::default()
    };
    if cfg!(not(feature = "otlp")) && collector.is_some() {
        let sentence = context.say(
            "ce guichet a été construit sans traces (feature `otlp`)",
            "this guichet was built without traces (feature `otlp`)",
        );
        return Err(Failure::usage(sentence));
    }
    // What a panic says may hold what it was working on: where it happened is enough to find it.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a part of the program panicked");
    }));
    Ok(telling)
}
