//! Versions of processes as people name them on the command line: a catalogue's folder, a sheet in it, what is in
//! force, or the hash of a published version.

use std::path::Path;
use std::sync::Arc;

use guichet_engine::rules::process::{Definition, Plan, Sources};
use guichet_engine::rules::versions::Version;

use super::context::Context;
use super::failure::Failure;
use super::{catalogue, migrate};
use crate::Guichet;

/// The word for what the journal has in force.
pub(crate) const IN_FORCE: &str = "in-force";

/// Versions, each with the places of its parts.
pub(crate) struct Versions {
    all: Vec<(Arc<Definition>, Arc<Sources>)>,
    /// The one process that was named, if one was.
    pub(crate) only: Option<String>,
}

impl Versions {
    /// Each for comparison; of `only` alone, if that is said.
    pub(crate) fn borrowed(&self, only: Option<&str>) -> Vec<Version<'_>> {
        let wanted =
            self.all.iter().filter(|(definition, _)| only.is_none_or(|only| definition.process == only));
        wanted.map(|(definition, sources)| Version { definition, sources }).collect()
    }

    /// The version of a process.
    pub(crate) fn of(&self, process: &str) -> Option<&Definition> {
        self.all.iter().map(|(definition, _)| definition.as_ref()).find(|d| d.process == process)
    }

    /// Compiled, by process.
    pub(crate) fn plans(&self) -> Result<std::collections::BTreeMap<String, Arc<Plan>>, Failure> {
        let mut plans = std::collections::BTreeMap::new();
        for (definition, _) in &self.all {
            if self.only.as_ref().is_some_and(|only| *only != definition.process) {
                continue;
            }
            let plan =
                Plan::compile(Arc::clone(definition)).map_err(|error| Failure::found(error.to_string()))?;
            plans.insert(definition.process.clone(), Arc::new(plan));
        }
        Ok(plans)
    }
}

/// Whether `text` needs the data folder.
pub(crate) fn is_published(text: &str) -> bool {
    text == IN_FORCE || !Path::new(text).exists()
}

/// The versions that `text` names.
pub(crate) fn named(
    context: &Context,
    guichet: Option<&Guichet>,
    text: &str,
    tenant: Option<&str>,
) -> Result<Versions, Failure> {
    let path = Path::new(text);
    match guichet.filter(|_| is_published(text)) {
        Some(guichet) if text == IN_FORCE => Ok(in_force(guichet, tenant)),
        Some(guichet) => {
            let hash = migrate::version(context, guichet, text)?;
            let definitions = guichet.engine().definitions();
            let all: Vec<_> = definitions
                .version(&hash)
                .map(|plan| (plan.shared_definition(), definitions.sources(&hash).unwrap_or_default()))
                .into_iter()
                .collect();
            let only = all.first().map(|(definition, _)| definition.process.clone());
            Ok(Versions { all, only })
        }
        None => written(context, path),
    }
}

fn in_force(guichet: &Guichet, tenant: Option<&str>) -> Versions {
    let definitions = guichet.engine().definitions();
    let tenants = tenant.map_or_else(|| definitions.tenants(), |tenant| vec![tenant.to_owned()]);
    let mut all: Vec<(Arc<Definition>, Arc<Sources>)> = Vec::new();
    for plan in tenants.iter().flat_map(|tenant| definitions.all_in_force(tenant)) {
        if !all.iter().any(|(known, _)| known.process == plan.definition().process) {
            all.push((plan.shared_definition(), definitions.sources(plan.hash()).unwrap_or_default()));
        }
    }
    Versions { all, only: None }
}

/// A catalogue on the disk; a sheet is one process of its catalogue, any other file of it all of them.
fn written(context: &Context, path: &Path) -> Result<Versions, Failure> {
    let root = catalogue::root_of(path).ok_or_else(|| {
        let shown = path.display();
        Failure::usage(match context.language {
            guichet_engine::rules::text::Language::Fr => {
                format!("{shown} n’est ni un catalogue, ni une fiche d’un catalogue, ni une version publiée")
            }
            guichet_engine::rules::text::Language::En => {
                format!("{shown} is no catalogue, no sheet of one, and no published version")
            }
        })
    })?;
    let found = catalogue::sound(&root, context.language)?;
    let inside = std::fs::canonicalize(path).ok().zip(std::fs::canonicalize(&root).ok());
    let name = inside.and_then(|(path, root)| {
        let name = path.strip_prefix(root).ok()?.with_extension("");
        Some(name.to_str()?.replace('\\', "/"))
    });
    let only = name.filter(|name| found.definitions.iter().any(|d| d.process == *name));
    let all = found.definitions.iter().map(|definition| {
        let places = found.places.get(&definition.process).cloned().unwrap_or_default();
        (Arc::new(definition.clone()), Arc::new(places))
    });
    Ok(Versions { all: all.collect(), only })
}
