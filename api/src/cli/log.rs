//! What a server writes to standard error while it runs.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object on each line, for programs that gather logs.
    Json,
}

/// Begins to log to standard error, as much as `GUICHET_LOG` says.
pub(crate) fn to_standard_error(format: LogFormat) {
    let filter = EnvFilter::try_from_env("GUICHET_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // Whoever asks for everything is also told how long each span took.
    let everything = filter.max_level_hint() == Some(LevelFilter::TRACE);
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(if everything { FmtSpan::CLOSE } else { FmtSpan::NONE })
        .with_writer(std::io::stderr);
    // Whoever set one up before keeps it.
    let _ = match format {
        LogFormat::Human => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
    };
    // What a panic says may hold what it was working on: where it happened is enough to find it.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a part of the program panicked");
    }));
}
