//! Whether what the settings say of the ways in fits what is in force.

use guichet_engine::rules::process::Channel;

use super::form;
use crate::guichet::Guichet;
use crate::settings::channels::{Becomes, Imap};

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
        if let Some(imap) = &mailbox.imap {
            faults.extend(fetched(imap, mailbox.maildir.is_some()).map(|fault| format!("{place}: {fault}")));
        }
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

/// What can be seen of a mailbox at a provider without asking it. One that does not answer keeps no server from beginning.
fn fetched(imap: &Imap, has_maildir: bool) -> Option<String> {
    let blank = [&imap.host, &imap.user, &imap.folder].iter().any(|text| text.trim().is_empty());
    let folders = [Some(&imap.folder), imap.done_folder.as_ref(), imap.unreadable_folder.as_ref()];
    let same = imap.done_folder.as_ref() == Some(&imap.folder)
        || imap.unreadable_folder.as_ref() == Some(&imap.folder);
    if has_maildir {
        Some("`maildir` and `imap` are two ways; name one".to_owned())
    } else if blank {
        Some("`host`, `user` and `folder` are needed".to_owned())
    } else if folders.into_iter().flatten().any(|name| !name.is_ascii() || name.bytes().any(|b| b < b' ')) {
        Some("a folder is written as the server writes it, in ASCII (RFC 3501, section 5.1.3)".to_owned())
    } else if same {
        Some("mails that were taken cannot stay in the folder that they are taken from".to_owned())
    } else if std::fs::read(&imap.password_file).map_or(0, |bytes| bytes.trim_ascii().len()) == 0 {
        Some(format!("`{}` cannot be read, or is empty", imap.password_file.display()))
    } else {
        None
    }
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
