//! What a running server tells of itself to a monitoring system, in the text format of Prometheus.
//!
//! Names begin with the room that counts: `guichet_journal_…`, `guichet_engine_…`, `guichet_projections_…`,
//! `guichet_workers_…`, `guichet_http_…`. Labels take few values, all of them written in this program: routes as they
//! stand in the list, never an address; no tenant, no request, no person.

mod listen;
mod process;

use std::time::Duration;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::guichet::Guichet;
use guichet_engine::journal::Filter;
pub use listen::MetricsServer;

/// Bounds of times in seconds: from a quarter of a millisecond, twice and a half wider each.
const SECONDS: [f64; 12] = [0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 30.0];
/// Bounds of numbers of events.
const EVENTS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1000.0];
/// What was recorded is gathered this often, so that memory does not grow while nobody asks.
const UPKEEP: Duration = Duration::from_secs(5);
/// The most events that the lag of read models is counted to.
pub const LAG_EVENTS_MAX: usize = 1_000;

/// Why nothing is measured.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The program measures for something else already.
    #[error("this program measures already: {0}")]
    Installed(String),
    /// The address for scraping cannot be listened on.
    #[error("cannot listen on {bind} for metrics: {source}")]
    Bind {
        /// The address.
        bind: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What was counted and timed since the program began.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl Metrics {
    /// Begins to measure, for the whole program. Do it before an engine is opened, so that nothing is left out.
    ///
    /// # Errors
    /// [`MetricsError::Installed`] when it was done before.
    pub fn install() -> Result<Self, MetricsError> {
        let wrong =
            |error: metrics_exporter_prometheus::BuildError| MetricsError::Installed(error.to_string());
        let events = Matcher::Full("guichet_journal_group_events".to_owned());
        let builder = PrometheusBuilder::new().set_buckets(&SECONDS).map_err(wrong)?;
        let recorder = builder.set_buckets_for_metric(events, &EVENTS).map_err(wrong)?.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(|error| MetricsError::Installed(error.to_string()))?;
        describe();
        metrics::gauge!("guichet_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        process::started();
        Ok(Self { handle })
    }

    /// Gathers what was recorded, every few seconds, for ever.
    pub(crate) async fn upkeep(self) {
        loop {
            tokio::time::sleep(UPKEEP).await;
            self.handle.run_upkeep();
        }
    }

    /// Everything, as Prometheus reads it (text format 0.0.4), with what is measured only now: how far the read models
    /// are behind, what waits to be sent, the process itself.
    pub async fn render(&self, guichet: &Guichet) -> String {
        lag(guichet).await;
        process::look();
        self.handle.run_upkeep();
        self.handle.render()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Metrics")
    }
}

/// A figure that does not come is told as none (NaN), so that an alarm on its absence can be set.
async fn lag(guichet: &Guichet) {
    let (events, seconds) = behind(guichet).await.unwrap_or((f64::NAN, f64::NAN));
    metrics::gauge!("guichet_projections_lag_events").set(events);
    metrics::gauge!("guichet_projections_lag_seconds").set(seconds);
    let waiting = guichet.read_models().outbox(None, 1).await.map(|outbox| f64_of(outbox.n));
    metrics::gauge!("guichet_outbox_waiting").set(waiting.unwrap_or(f64::NAN));
    let due = guichet.read_models().timers_due(guichet.now(), 1).await.map(|timers| f64_of(timers.n));
    metrics::gauge!("guichet_timers_due").set(due.unwrap_or(f64::NAN));
}

/// How many events the read models have not taken in, counted to [`LAG_EVENTS_MAX`], and for how long the first of them
/// has stood in the journal.
async fn behind(guichet: &Guichet) -> Option<(f64, f64)> {
    let status = guichet.read_models().status().await.ok()?;
    if status.caught_up {
        return Some((0.0, 0.0));
    }
    let journal = guichet.engine().journal();
    let page = journal.read_all(status.position, &Filter::everything(), LAG_EVENTS_MAX).await.ok()?;
    let Some(first) = page.events.first() else { return Some((0.0, 0.0)) };
    let stood = guichet.now() - first.header().ok()?.recorded_at;
    let seconds = stood.to_std().unwrap_or_default().as_secs_f64();
    Some((f64_of(u64::try_from(page.events.len()).unwrap_or(u64::MAX)), seconds))
}

/// A count as a float; none here comes near what a float cannot hold.
fn f64_of(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

fn describe() {
    let seconds = |name: &'static str, what: &'static str| describe_histogram!(name, Unit::Seconds, what);
    seconds("guichet_journal_append_seconds", "From the call to the answer of an append, durable.");
    seconds("guichet_engine_submit_seconds", "From a command to its receipt or refusal.");
    seconds("guichet_projections_batch_seconds", "Writing a batch of rows and its checkpoint.");
    seconds("guichet_http_requests_seconds", "Exchanges over HTTP, by route as it is documented.");
    describe_histogram!("guichet_journal_group_events", "Events that were made durable together.");
    describe_gauge!("guichet_journal_queue_length", "Appends that waited when the last group was begun.");
    describe_counter!(
        "guichet_journal_failed_groups_total",
        "Groups of appends that the store did not take."
    );
    describe_counter!("guichet_engine_conflicts_total", "Commands decided again because another came first.");
    describe_counter!("guichet_projections_events_total", "Events taken in by the read models.");
    describe_gauge!(
        "guichet_projections_lag_events",
        "Events not yet in the read models; 1000 is that or more."
    );
    describe_gauge!("guichet_projections_lag_seconds", "Age of the oldest event not yet in the read models.");
    describe_counter!("guichet_workers_timers_fired_total", "Timers whose instant was reported.");
    describe_counter!("guichet_workers_effects_total", "Messages and notices, by what became of them.");
    describe_counter!(
        "guichet_channels_undelivered_total",
        "Messages to requesters of which a mail server or a gateway reported that they did not arrive."
    );
    describe_counter!(
        "guichet_workers_forwards_total",
        "Requests passed on to another collectivity, by what became of them."
    );
    describe_counter!(
        "guichet_workers_webhook_deliveries_total",
        "Events sent to webhooks, by what became of them: delivered, postponed, dead."
    );
    describe_gauge!("guichet_outbox_waiting", "Effects that are not done.");
    describe_gauge!("guichet_timers_due", "Timers whose instant has passed.");
    describe_gauge!("guichet_build_info", "The version that runs; always 1.");
    process::describe();
}
