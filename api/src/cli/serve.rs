//! `guichet serve`: answers over HTTP, fires timers, sends messages.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use clap::{Args, ValueEnum};
use guichet_engine::rules::text::Language;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::listen::{failed, until_stopped};
use super::log::LogFormat;
use super::{log, store};

use crate::Guichet;
use crate::http::{CALLS_EACH_SECOND, HttpOptions, Network, Server, Stop};
use crate::metrics::{Metrics, MetricsServer};
use crate::options::Options;
use crate::outbound::{
    ConsoleOutbound, FileOutbound, GatewayOutbound, Outbound, SmtpOptions, SmtpOutbound, SmtpTls,
    SplitOutbound,
};
use crate::outgoing::Outgoing;
use crate::settings::Settings;

/// How messages leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Way {
    /// Into files below the data folder: nothing leaves.
    File,
    /// Onto the terminal.
    Console,
    /// Through a mail server.
    Smtp,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Protection {
    /// Begins in clear and changes to TLS.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// In clear, to this machine only.
    None,
}

/// Serve: answer over HTTP, fire timers, send messages
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet serve --listen 127.0.0.1:8080 --data guichet-data\n\
    Set GUICHET_LOG=debug for more of the log.")]
pub(crate) struct Serve {
    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Bring this catalogue into force first.
    #[arg(long, value_name = "FOLDER")]
    catalogue: Option<PathBuf>,
    /// A file of settings, in TOML: identity providers, gateways, webhooks, payments, attachments.
    #[arg(long, value_name = "FILE", env = "GUICHET_SETTINGS")]
    settings: Option<PathBuf>,
    /// How messages leave.
    #[arg(long, value_enum, default_value_t = Way::File)]
    outbound: Way,
    /// The mail server's name.
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    smtp_host: String,
    /// The mail server's port.
    #[arg(long, value_name = "PORT", default_value_t = 587)]
    smtp_port: u16,
    /// How the connection to it is protected.
    #[arg(long, value_enum, default_value_t = Protection::Starttls)]
    smtp_tls: Protection,
    /// A file with the user on its first line and the password on its second.
    #[arg(long, value_name = "FILE")]
    smtp_credentials: Option<PathBuf>,
    /// Hand text messages over in this folder, one file each, for a gateway to fetch; without it, sending one through
    /// `smtp` is reported failed, and the requester is reached another way.
    #[arg(long, value_name = "FOLDER")]
    sms_folder: Option<PathBuf>,
    /// The address that letters give for following a request.
    #[arg(long, value_name = "URL", default_value = crate::PUBLIC_URL)]
    public_url: String,
    /// Show the dashboard, figures only, to whoever reaches the server.
    #[arg(long)]
    open_figures: bool,
    /// A reverse proxy, or a network of them, whose `Forwarded` or `X-Forwarded-For` is believed; may be repeated.
    #[arg(long, value_name = "ADDRESS/BITS")]
    trusted_proxy: Vec<Network>,
    /// The origin of a portal whose pages may call from browsers, such as https://portail.exemple.fr; may be repeated.
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    allow_origin: Vec<HeaderValue>,
    /// Calls a second that one caller may make (a key, or an address without one); six times as many at once.
    #[arg(long, value_name = "NUMBER", default_value_t = CALLS_EACH_SECOND, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    calls_per_second: u32,
    /// Answer `/metrics` for Prometheus on this address as well; nobody but the monitoring should reach it.
    #[arg(long, value_name = "ADDRESS:PORT", env = "GUICHET_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,
    /// Send traces to this collector of OpenTelemetry, over HTTP; its address without `/v1/traces`.
    #[arg(long, value_name = "URL", env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    otlp: Option<String>,
    /// How lines of the log are written on standard error.
    #[arg(long, value_enum, default_value_t = LogFormat::Human)]
    log_format: LogFormat,
    /// Asked to stop, go on serving for this long while /ready says 503, so that load balancers turn to other servers;
    /// 5 where several may share the store, else none.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(0..=600))]
    drain: Option<u16>,
}

/// How long load balancers have to notice that a server is being stopped, where nothing else is said.
const DRAIN_SECONDS: u16 = 5;

impl Serve {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human])?;
        let telling = log::begin(context, self.log_format, self.otlp.as_deref())?;
        let metrics = self.metrics_listen.map(|bind| Metrics::install().map(|metrics| (bind, metrics)));
        let metrics = metrics.transpose().map_err(|error| Failure::usage(error.to_string()))?;
        let mut options = context.options().public_url(&self.public_url);
        if let Some(path) = &self.settings {
            options =
                options.settings(Settings::read(path).map_err(|error| Failure::usage(error.to_string()))?);
        }
        match self.outbound {
            Way::File => {}
            Way::Console => options = options.outbound(Arc::new(ConsoleOutbound)),
            Way::Smtp => options = options.outbound(self.mail_server()?),
        }
        options = with_gateway(options)?;
        let guichet = store::open_or_make(context, options).await?;
        if let Some(catalogue) = &self.catalogue {
            store::publish(&guichet, catalogue, context.language).await?;
        }
        let faults = crate::channels::check(&guichet);
        if !faults.is_empty() {
            return Err(Failure::usage(faults.join("\n")));
        }
        let drain = self.drain.unwrap_or(if context.store.is_shared() { DRAIN_SECONDS } else { 0 });
        let http = HttpOptions {
            bind: self.listen,
            open_figures: self.open_figures,
            drain: Duration::from_secs(u64::from(drain)),
            trusted_proxies: self.trusted_proxy,
            origins: self.allow_origin,
            calls_each_second: self.calls_per_second,
        };
        let server = Server::bind(&guichet, &http).await.map_err(|error| failed(&error, context.language))?;
        let address = server.address().map_err(|error| failed(&error, context.language))?;
        let line = match context.language {
            Language::Fr => format!("À l’écoute sur http://{address} (Ctrl-C pour arrêter)"),
            Language::En => format!("Listening on http://{address} (Ctrl-C to stop)"),
        };
        // Whoever reads the line may ask for the end at once.
        let stop = Stop::listen();
        writeln!(context.out, "{line}")?;
        let measured = match metrics {
            Some((bind, metrics)) => Some(measure(context, &guichet, &metrics, bind).await?),
            None => None,
        };
        context.out.flush()?;
        let served = until_stopped(server, &guichet, stop).await;
        drop(measured);
        telling.close().await;
        served.map_err(|error| failed(&error, context.language))?;
        Ok(Verdict::Good)
    }

    fn mail_server(&self) -> Result<Arc<dyn Outbound>, Failure> {
        let email = Arc::new(self.smtp()?);
        let Some(folder) = &self.sms_folder else { return Ok(email) };
        let sms = FileOutbound::new(folder)
            .map_err(|error| Failure::usage(format!("`{}`: {error}", folder.display())))?;
        Ok(Arc::new(SplitOutbound { email, sms: Arc::new(sms), social: None }))
    }

    fn smtp(&self) -> Result<SmtpOutbound, Failure> {
        let tls = match self.smtp_tls {
            Protection::Starttls => SmtpTls::StartTls,
            Protection::Tls => SmtpTls::Implicit,
            Protection::None => SmtpTls::None,
        };
        let options =
            SmtpOptions { host: self.smtp_host.clone(), port: self.smtp_port, tls, credentials: None };
        let wrong = |error: crate::outbound::SmtpError| Failure::usage(error.to_string());
        let options = match &self.smtp_credentials {
            Some(path) => options.with_credentials_from(path).map_err(wrong)?,
            None => options,
        };
        SmtpOutbound::new(&options).map_err(wrong)
    }
}

/// With text messages and social messages through the gateways of the settings, where there are such; whatever else leaves
/// as before.
fn with_gateway(options: Options) -> Result<Options, Failure> {
    let settings = &options.settings.messages;
    if settings.sms.is_none() && settings.social.is_none() {
        return Ok(options);
    }
    let outgoing = Outgoing::new().map_err(Failure::usage)?;
    let wrong = |error: crate::outbound::GatewayError| Failure::usage(error.to_string());
    let before: Arc<dyn Outbound> = match &options.outbound {
        Some(outbound) => Arc::clone(outbound),
        None => Arc::new(
            FileOutbound::new(options.data.join("outbox"))
                .map_err(|error| Failure::store(format!("`{}`: {error}", options.data.display())))?,
        ),
    };
    let sms: Arc<dyn Outbound> = match &settings.sms {
        Some(gateway) => Arc::new(GatewayOutbound::new(gateway, outgoing.clone()).map_err(wrong)?),
        None => Arc::clone(&before),
    };
    let social: Option<Arc<dyn Outbound>> = match &settings.social {
        Some(gateway) => Some(Arc::new(GatewayOutbound::social(gateway, outgoing).map_err(wrong)?)),
        None => None,
    };
    Ok(options.outbound(Arc::new(SplitOutbound { email: before, sms, social })))
}

/// An origin as browsers send it: scheme, host, perhaps a port, and nothing else.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let wrong = || format!("`{text}` is not an origin such as https://portail.exemple.fr");
    let url = url::Url::parse(text).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || url.origin().ascii_serialization() != text {
        return Err(wrong());
    }
    HeaderValue::from_str(text).map_err(|_| wrong())
}

async fn measure(
    context: &mut Context,
    guichet: &Guichet,
    metrics: &Metrics,
    bind: SocketAddr,
) -> Result<MetricsServer, Failure> {
    let started = MetricsServer::start(metrics, guichet, bind).await;
    let server = started.map_err(|error| Failure::usage(error.to_string()))?;
    let words = context.say("Mesures sur", "Metrics at");
    writeln!(context.out, "{words} http://{}/metrics", server.address())?;
    Ok(server)
}
