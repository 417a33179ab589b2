//! A map beside the catalogue that it lies in: the processes and fields that it names exist.

use guichet_engine::rules::language::Catalogue;
use guichet_engine::rules::language::diagnostic::{Fault, near};

use super::map::ImportMap;

/// The processes and fields of a map that the catalogue does not have.
#[must_use]
pub fn beside(map: &ImportMap, catalogue: &Catalogue) -> Vec<Fault> {
    let mut faults = Vec::new();
    for rule in &map.rules {
        let tenant = rule.tenant.as_ref().unwrap_or(&map.tenant);
        let offered = || catalogue.definitions.iter().filter(|d| d.tenants.contains(tenant));
        let process = &rule.process;
        let Some(definition) = offered().find(|definition| definition.process == *process) else {
            let (fr, en) = (
                format!("« {tenant} » ne propose pas de démarche « {process} »"),
                format!("`{tenant}` offers no process `{process}`"),
            );
            let names = offered().map(|definition| definition.process.as_str());
            let fault = Fault::error("import.unknown_process", rule.mark, fr, en);
            faults.push(fault.suggest(near(process, names)));
            continue;
        };
        let known = || definition.form.iter().map(|field| field.field.as_str());
        for (field, _, mark) in rule.form.iter().filter(|(field, _, _)| !known().any(|name| name == field)) {
            let (fr, en) = (
                format!("« {process} » n’a pas de champ « {field} »"),
                format!("`{process}` has no field `{field}`"),
            );
            faults.push(Fault::error("import.unknown_field", *mark, fr, en).suggest(near(field, known())));
        }
    }
    faults
}
