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
    let sms = section.sms.iter().map(|gateway| ("sms", &gateway.tenant, &gateway.becomes, &gateway.proof));
    let social =
        section.social.iter().map(|gateway| ("social", &gateway.tenant, &gateway.becomes, &gateway.proof));
    for (kind, tenant, made, proof) in sms.chain(social) {
        let place = format!("channels.{kind}, `{tenant}`");
        let channel = if kind == "sms" { Channel::Sms } else { Channel::Social };
        let found = becomes(guichet, tenant, made, channel);
        faults.extend(found.map(|fault| format!("{place}: {fault}")));
        if let Some(proof) = proof
            && std::fs::read(&proof.secret_file).map_or(0, |bytes| bytes.trim_ascii().len()) < 16
        {
            let file = proof.secret_file.display();
            faults.push(format!("{place}: `{file}` cannot be read, or holds fewer than 16 bytes"));
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
