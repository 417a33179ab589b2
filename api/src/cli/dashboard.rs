//! The dashboard: of `stats`, `simulate` and `demo` alike.

mod figures;
mod late;
mod print;

use guichet_engine::rules::text::Language;

use super::context::{Context, Format};
use super::failure::Failure;
use super::store;
use crate::Guichet;

pub(crate) use figures::Figures;

/// Reads the dashboard of a collectivity, or of all of them.
pub(crate) async fn read(
    guichet: &Guichet,
    tenant: Option<&str>,
    language: Language,
) -> Result<Figures, Failure> {
    guichet
        .read_models()
        .catch_up(store::PATIENCE)
        .await
        .map_err(|error| store::reading(&error, language))?;
    Figures::read(guichet, tenant, language).await
}

/// Prints it in the format that was asked for.
pub(crate) async fn print(
    context: &mut Context,
    guichet: &Guichet,
    tenant: Option<&str>,
) -> Result<(), Failure> {
    let figures = read(guichet, tenant, context.language).await?;
    match context.format {
        Format::Human => print::human(context, &figures),
        Format::Json => print::json(context, &figures),
        Format::Csv | Format::Sarif => print::csv(context, &figures),
    }
}
