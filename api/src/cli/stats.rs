//! `guichet stats`: the dashboard.

use clap::Args;

use super::context::Context;
use super::failure::{Failure, Verdict};
use super::{dashboard, store};

/// Show the dashboard: requests by stage, channel and theme, promises kept, what waits, cost and saving
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet stats --tenant ville --format csv")]
pub(crate) struct Stats {
    /// Only this collectivity.
    #[arg(long)]
    tenant: Option<String>,
}

impl Stats {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        let guichet = store::open_to_read(context).await?;
        let printed = dashboard::print(context, &guichet, self.tenant.as_deref()).await;
        guichet.close().await;
        printed.map(|()| Verdict::Good)
    }
}
