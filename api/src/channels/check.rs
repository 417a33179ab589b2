//! Whether what the settings say of the ways in fits what is in force.

use guichet_engine::rules::process::Channel;

use super::form;
use crate::guichet::Guichet;
use crate::settings::channels::Becomes;

/// Every fault of `[channels]`, held against the organisation and the processes in force.
#[must_use]
pub fn check(guichet: &Guichet) -> Vec<String> {
    let section = &guichet.options().settings.channels;
    let mut faults = Vec::new();
    for (index, mailbox) in section.mailboxes.iter().enumerate() {
        let place = format!("channels.mailboxes, entry {}", index + 1);
        if !mailbox.address.contains('@') {
            faults.push(format!("{place}: the address is none"));
        }
        let found = becomes(guichet, &mailbox.tenant, &mailbox.becomes, Channel::Email);
        faults.extend(found.map(|fault| format!("{place}: {fault}")));
        if let Some(folder) = &mailbox.maildir
            && !folder.join("new").is_dir()
        {
            faults.push(format!("{place}: `{}` is no Maildir, it has no folder `new`", folder.display()));
        }
    }
    faults
}

fn becomes(guichet: &Guichet, tenant: &str, becomes: &Becomes, channel: Channel) -> Option<String> {
    let definitions = guichet.engine().definitions();
    if definitions.organisation(tenant).is_none() {
        return Some(format!("no collectivity is called `{tenant}`"));
    }
    match definitions.in_force(tenant, &becomes.process) {
        None => Some(format!("`{}` is not in force for `{tenant}`", becomes.process)),
        Some(plan) => form::fault(becomes, plan.definition(), channel),
    }
}
