//! What stands around the treatment: what people see of the process, law, privacy, costs.

use super::differ::{Differ, Spot};
use super::words::{budget, cents, moment, same, text, word};
use super::{Area, Audience};

const ALL: &[Audience] = &[Audience::Citizens, Audience::Service];
const CITIZENS: &[Audience] = &[Audience::Citizens];
const AUDITORS: &[Audience] = &[Audience::Auditors];
const BOTH: &[Audience] = &[Audience::Citizens, Audience::Auditors];

pub(super) fn identity(d: &mut Differ<'_>) {
    let (old, new) = (d.old, d.new);
    let spot =
        |fr: &str, en: &str, key: &str| Spot::new(Area::Identity, CITIZENS, fr, en).at(format!("/{key}"));
    d.value(
        &spot("Nom de la démarche", "Name of the process", "process"),
        &old.process,
        &new.process,
        |n| same(n),
    );
    d.value(&spot("Titre", "Title", "title"), &old.title, &new.title, text);
    d.option(
        &spot("Description", "Description", "description"),
        old.description.as_ref(),
        new.description.as_ref(),
        text,
    );
    d.value(&spot("Thème", "Theme", "theme"), &old.theme, &new.theme, |n| same(n));
    d.value(&spot("Nature", "Kind", "kind").for_whom(ALL), &old.kind, &new.kind, word);
    let tenants = spot("Collectivités qui la proposent", "Collectivities that offer it", "tenants");
    d.list(&tenants.for_whom(ALL), &old.tenants, &new.tenants, |n| same(n));
    let open_to = spot("Qui peut la demander", "Who may open one", "open_to");
    d.list(&open_to.for_whom(ALL), &old.open_to, &new.open_to, word);
    let channels = spot("Canaux (tous si rien n’est dit)", "Channels (all if none is named)", "channels");
    d.list(&channels.for_whom(ALL), &old.channels, &new.channels, word);
    d.list(&spot("Mots-clés", "Keywords", "keywords"), &old.keywords, &new.keywords, |n| same(n));
    d.list(&spot("Voir aussi", "See also", "see_also"), &old.see_also, &new.see_also, |n| same(n));
    let withdraw = spot("Retrait possible jusqu’à", "May be withdrawn until", "withdrawable_until");
    d.value(&withdraw, &old.withdrawable_until, &new.withdrawable_until, moment);
    let reopen = spot("Réouverture possible pendant", "May be reopened for", "reopenable_for");
    d.term(&reopen, Some(&old.reopenable_for), Some(&new.reopenable_for));
    let waiting = |fr: &str, en: &str, key: &str| spot(fr, en, &format!("waiting/{key}")).for_whom(ALL);
    let remind = waiting("Relance de l’usager après", "The requester is reminded after", "remind_after");
    d.term(&remind, old.waiting.remind_after.as_ref(), new.waiting.remind_after.as_ref());
    let lapse = waiting("Délai de réponse de l’usager", "The requester’s time to reply", "lapse_after");
    d.term(&lapse, Some(&old.waiting.lapse_after), Some(&new.waiting.lapse_after));
}

pub(super) fn law(d: &mut Differ<'_>) {
    let (old, new) = (&d.old.law, &d.new.law);
    let spot = |fr: &str, en: &str, key: &str| Spot::new(Area::Law, BOTH, fr, en).at(format!("/law/{key}"));
    d.value(&spot("Le silence vaut", "Silence means", "silence"), &old.silence, &new.silence, word);
    d.term(&spot("Après", "After", "after"), old.after.as_ref(), new.after.as_ref());
    d.value(&spot("Fondement", "Basis", "basis"), &old.basis, &new.basis, |n| same(n));
    let months = spot("Fin des mois", "How months end", "month_rule");
    d.value(&months, &old.month_rule, &new.month_rule, word);
}

pub(super) fn privacy(d: &mut Differ<'_>) {
    let (old, new) = (&d.old.privacy, &d.new.privacy);
    let spot =
        |fr: &str, en: &str, key: &str| Spot::new(Area::Privacy, BOTH, fr, en).at(format!("/privacy/{key}"));
    d.value(&spot("Base légale", "Lawful basis", "basis"), &old.basis, &new.basis, |n| same(n));
    let personal = spot("Champs personnels", "Personal fields", "personal");
    d.list(&personal, &old.personal, &new.personal, |n| same(n));
    d.value(&spot("Conservation", "Retention", "retain"), &old.retain, &new.retain, budget);
    d.value(&spot("Puis", "Then", "then"), &old.then, &new.then, |n| same(n));
}

pub(super) fn voting(d: &mut Differ<'_>) {
    let spot =
        Spot::new(Area::Identity, CITIZENS, "Idées montrées et vote", "Ideas shown and vote").at("/voting");
    d.option(&spot, d.old.voting.as_ref(), d.new.voting.as_ref(), |voting| {
        let day = |day: Option<chrono::NaiveDate>| day.map_or("…".to_owned(), |day| day.to_string());
        let after = voting.after.as_deref().unwrap_or("qualification");
        same(format!(
            "{}, {after}, {} – {}, {}",
            voting.title,
            day(voting.from),
            day(voting.until),
            word(&voting.by).fr
        ))
    });
}

pub(super) fn costs(d: &mut Differ<'_>) {
    let (old, new) = (&d.old.costs, &d.new.costs);
    let spot =
        |fr: &str, en: &str, key: &str| Spot::new(Area::Costs, AUDITORS, fr, en).at(format!("/costs/{key}"));
    d.value(&spot("Au guichet", "At the counter", "counter"), &old.counter_cents, &new.counter_cents, cents);
    d.value(&spot("En ligne", "Online", "online"), &old.online_cents, &new.online_cents, cents);
    let letter = spot("Lettre envoyée", "Letter sent", "letter_out");
    d.value(&letter, &old.letter_out_cents, &new.letter_out_cents, cents);
}
