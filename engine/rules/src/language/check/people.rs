//! Whoever a sheet names must be somebody: a role that nobody holds stops a request for ever.

use super::{Sheet, Whole};
use crate::language::diagnostic::Fault;
use crate::process::{Alarm, Party};

pub(super) fn check(sheet: &Sheet, whole: &Whole<'_>, faults: &mut Vec<Fault>) {
    let definition = &sheet.definition;
    let mut parties: Vec<(String, &Party)> = Vec::new();
    parties.extend(definition.qualification.by.iter().map(|p| ("/qualification/by".to_owned(), p)));
    parties
        .extend(definition.treatment.iter().enumerate().map(|(i, t)| (format!("/treatment/{i}/by"), &t.by)));
    for (i, commitment) in definition.commitments.iter().enumerate() {
        for (key, alarms) in
            [("when_broken", &commitment.when_broken), ("when_warned", &commitment.when_warned)]
        {
            parties.extend(alarms.iter().enumerate().map(|(j, alarm)| {
                let (Alarm::Notify(party) | Alarm::EscalateTo(party)) = alarm;
                (format!("/commitments/{i}/{key}/{j}"), party)
            }));
        }
    }
    for (pointer, party) in parties {
        let Party::Role(role) = party else { continue };
        let known = whole.library.organisation.roles.iter().any(|r| r.role == *role);
        if known && whole.library.organisation.holders(role).next().is_none() {
            let (fr, en) =
                (format!("personne ne tient le rôle `{role}`"), format!("nobody holds the role `{role}`"));
            faults.push(Fault::error("role.nobody", sheet.at(&pointer), fr, en).help(
                "donnez ce rôle à quelqu’un dans organisation.yaml",
                "give the role to somebody in organisation.yaml",
            ));
        }
    }
    in_every_tenant(sheet, whole, faults);
    services_of_others(sheet, whole, faults);
}

/// A service treats the requests of its own collectivity.
fn services_of_others(sheet: &Sheet, whole: &Whole<'_>, faults: &mut Vec<Fault>) {
    // A collectivity that is unknown may be the service's own, misspelt.
    if sheet.definition.tenants.iter().any(|tenant| whole.library.organisation.tenant(tenant).is_none()) {
        return;
    }
    for (i, rule) in sheet.definition.assignment.iter().enumerate() {
        let Some(service) = whole.library.organisation.service(&rule.is) else { continue };
        if sheet.definition.tenants.contains(&service.tenant) {
            continue;
        }
        let (fr, en) = (
            format!(
                "le service `{}` est de la collectivité `{}`, qui ne propose pas cette démarche",
                rule.is, service.tenant
            ),
            format!(
                "the service `{}` belongs to the collectivity `{}`, which does not offer this process",
                rule.is, service.tenant
            ),
        );
        faults.push(Fault::error("service.other_tenant", sheet.at(&format!("/assignment/{i}/is")), fr, en));
    }
}

/// A request is treated by the people of its own collectivity: each that offers a process needs somebody to qualify.
fn in_every_tenant(sheet: &Sheet, whole: &Whole<'_>, faults: &mut Vec<Fault>) {
    let organisation = whole.library.organisation;
    let Some(Party::Role(role)) = &sheet.definition.qualification.by else { return };
    if organisation.holders(role).next().is_none() {
        return;
    }
    for tenant in &sheet.definition.tenants {
        if !organisation.holders(role).any(|p| p.tenant == *tenant) {
            let (fr, en) = (
                format!(
                    "personne ne tient le rôle `{role}` dans la collectivité `{tenant}`, qui propose cette démarche"
                ),
                format!(
                    "nobody holds the role `{role}` in the collectivity `{tenant}`, which offers this process"
                ),
            );
            faults.push(Fault::warning("role.nobody_there", sheet.at("/qualification/by"), fr, en).help(
                "restreignez `tenants`, ou donnez ce rôle à quelqu’un",
                "restrict `tenants`, or give the role to somebody",
            ));
        }
    }
}
