//! `guichet demo`: a town hall lives a month on one machine.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use clap::Args;
use guichet_engine::Ambient;
use guichet_engine::rules::text::Language;

use super::context::Context;
use super::failure::{Failure, Verdict};
use super::town::{Town, TownOptions, folder, month};
use super::{dashboard, listen};
use crate::ambient::Surroundings;
use crate::http::HttpOptions;
use crate::{Holder, KeyTerms, Keyring};

/// Live a month of Châlons on a simulated clock, print the dashboard, and serve it
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet demo --exit")]
pub(crate) struct Demo {
    #[command(flatten)]
    town: TownOptions,
    /// Print the dashboard and leave.
    #[arg(long)]
    exit: bool,
    /// The port to serve on; another one if it is taken.
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

impl Demo {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        let (data, _passing) = folder(context)?;
        let town = month(context, &data, &self.town).await?;
        let shown = self.show(context, &town).await;
        town.guichet.close().await;
        shown.map(|()| Verdict::Good)
    }

    async fn show(&self, context: &mut Context, town: &Town) -> Result<(), Failure> {
        dashboard::print(context, &town.guichet, None).await?;
        context.out.flush()?;
        if self.exit {
            return Ok(());
        }
        town.clock.let_go();
        let wanted = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.port);
        let taken = self.port != 0 && std::net::TcpListener::bind(wanted).is_err();
        let free = taken.then(|| listen::free_port(wanted)).flatten();
        let bind = free.map_or(wanted, |port| SocketAddr::new(wanted.ip(), port));
        if bind != wanted {
            let words = context.say("Le port est pris :", "The port is taken:");
            writeln!(context.out, "\n{words} {} → {}", self.port, bind.port())?;
        }
        self.hint(context, town, bind).await?;
        let options = HttpOptions { bind, open_figures: true, ..HttpOptions::default() };
        listen::serve(context, &town.guichet, &options).await
    }

    /// A key and a request to try things with.
    async fn hint(&self, context: &mut Context, town: &Town, bind: SocketAddr) -> Result<(), Failure> {
        let failed = |error: crate::AccessError| Failure::store(error.to_string());
        let keys = Keyring::of(&town.guichet).map_err(failed)?;
        let terms = KeyTerms::new("ville", Holder::Agent("a01".into()));
        let ambient: Arc<dyn Ambient> = Arc::new(Surroundings::system());
        let (key, _) = keys.make(&terms, &ambient).await.map_err(failed)?;
        let words = match context.language {
            Language::Fr => {
                "L’horloge continue à partir de la fin du mois. Une clé d’agent pour essayer (a01, ville) :"
            }
            Language::En => {
                "The clock goes on from the end of the month. An agent’s key to try things with (a01, ville):"
            }
        };
        writeln!(context.out, "\n{words}\n  {key}")?;
        writeln!(context.out, "  curl http://{bind}/v1/ville/dashboard")?;
        Ok(())
    }
}
