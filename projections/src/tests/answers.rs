use std::collections::BTreeSet;
use std::sync::Arc;

use guichet_rules::process::{Delivery, Party};
use guichet_rules::request::{ClockStatus, Request, Stage, timers};

use super::ground::Ground;
use super::town::Town;
use super::{SOON, memory, open};
use crate::{
    CardOrder, CardQuery, CatalogueQuery, Claim, Cohort, Dimension, InboxQuery, KeptBy, KeptQuery, Options,
    Period, ReadModels, StatisticsQuery, Whose, Work,
};

on_each_place!(
    cards_come_in_stretches_in_their_order_and_none_twice,
    a_card_is_found_by_its_code_and_an_ambiguous_code_finds_none,
    promises_kept_have_their_denominator,
    statistics_add_up_and_agree_with_the_towns_own_books,
    nothing_to_do_is_forgotten_and_stand_ins_see_what_they_may_do,
    timers_come_in_the_order_of_their_instants_those_missed_included,
    an_effect_has_one_worker_at_a_time_and_its_tries_survive_a_rebuild,
    the_trail_tells_every_event_and_nothing_personal,
    the_catalogue_is_found_without_accents_and_by_views,
);

struct Lived {
    town: Town,
    models: ReadModels,
}

async fn lived(ground: &Ground, seed: u64, steps: usize) -> Lived {
    let journal = memory();
    let mut town = Town::new(Arc::clone(&journal), seed).await;
    let models = open(&ground.place("r").await, &journal, Options::default()).await;
    for _ in 0..steps {
        town.step().await;
    }
    models.catch_up(SOON).await.unwrap();
    Lived { town, models }
}

/// Lets the time of every claim pass, by whichever clock it is counted.
async fn leases_end(models: &ReadModels) {
    let sql = "UPDATE outbox_attempt SET leased_until = 1 WHERE leased_until IS NOT NULL";
    super::run(models, sql).await;
}

fn awaits(request: &Request, person: &str) -> bool {
    let Stage::InValidation(approval) = &request.stage else { return false };
    approval.open.as_ref().is_some_and(|open| {
        request.hold.is_none()
            && open.delegated.is_empty()
            && open.approvers.iter().any(|code| code == person)
    })
}

impl Lived {
    fn count(&self, which: impl Fn(&Request) -> bool) -> u64 {
        self.town.requests.iter().filter(|known| which(&known.request)).count() as u64
    }
}

async fn cards_come_in_stretches_in_their_order_and_none_twice(ground: Ground) {
    let lived = lived(&ground, 11, 500).await;
    for order in [CardOrder::Newest, CardOrder::Oldest] {
        let mut query = CardQuery { order, limit: 7, ..CardQuery::default() };
        let mut seen = Vec::new();
        loop {
            let answer = lived.models.cards(&query).await.unwrap();
            assert_eq!(answer.n, lived.town.requests.len() as u64);
            assert_eq!(answer.open, lived.count(|request| !request.stage.is_finished()));
            seen.extend(answer.value.items);
            query.cursor = answer.value.next;
            if query.cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), lived.town.requests.len());
        assert!(seen.is_sorted_by(|a, b| if order == CardOrder::Newest {
            a.received >= b.received
        } else {
            a.received <= b.received
        }));
        assert_eq!(seen.iter().map(|card| card.request).collect::<BTreeSet<_>>().len(), seen.len());
    }
    let open = CardQuery { tenant: Some("ccas".into()), open: Some(true), ..CardQuery::default() };
    let answer = lived.models.cards(&open).await.unwrap();
    assert_eq!(answer.n, lived.count(|request| request.tenant == "ccas" && !request.stage.is_finished()));
    let wrong = CardQuery { cursor: Some("x".into()), ..CardQuery::default() };
    assert!(lived.models.cards(&wrong).await.is_err());
}

async fn a_card_is_found_by_its_code_and_an_ambiguous_code_finds_none(ground: Ground) {
    let lived = lived(&ground, 12, 60).await;
    let known = &lived.town.requests[3];
    let card = lived.models.card_by_tracking(&known.request.tracking_digest).await.unwrap();
    assert_eq!(card.value.unwrap().request, known.id);
    let sql = "UPDATE request_card SET tracking_digest = 'same'";
    super::run(&lived.models, sql).await;
    assert_eq!(lived.models.card_by_tracking("same").await.unwrap().value, None);
}

async fn promises_kept_have_their_denominator(ground: Ground) {
    let lived = lived(&ground, 13, 900).await;
    let now = lived.town.now;
    let query = KeptQuery {
        tenant: None,
        now,
        cohort: Cohort::Due,
        from: None,
        until: None,
        commitment: Some("answer".into()),
        process: None,
        theme: None,
        service: None,
        channel: None,
        by: None,
    };
    let answer = lived.models.kept(&query).await.unwrap();
    let line = &answer.value[0];
    let clocks: Vec<_> = lived
        .town
        .requests
        .iter()
        .flat_map(|known| &known.request.clocks)
        .filter(|clock| clock.commitment == "answer" && clock.status != ClockStatus::Dropped)
        .collect();
    let count = |status| clocks.iter().filter(|clock| clock.status == status).count() as u64;
    let past_due = clocks
        .iter()
        .filter(|clock| match clock.status {
            ClockStatus::Running => clock.broken || clock.due < now,
            ClockStatus::Paused => clock.broken,
            _ => false,
        })
        .count() as u64;
    assert!(line.on_time > 0 && line.late > 0 && past_due > 0, "the town was too orderly: {line:?}");
    assert_eq!(
        (line.on_time, line.late, line.open_past_due),
        (count(ClockStatus::Kept), count(ClockStatus::Late), past_due)
    );
    assert_eq!(line.n, line.on_time + line.late + line.open_past_due + line.running + line.paused);
    assert_eq!(line.known, line.on_time + line.late + line.open_past_due);
    assert!((line.kept.unwrap() - line.on_time as f64 / line.known as f64).abs() < 1e-12);
    let by = KeptQuery { by: Some(KeptBy::Channel), ..query };
    let parts = lived.models.kept(&by).await.unwrap().value;
    assert_eq!(parts.iter().map(|part| part.n).sum::<u64>(), line.n);
    let overdue = lived.models.overdue(None, now, 1_000).await.unwrap();
    assert!(overdue.value.is_sorted_by_key(|commitment| commitment.due) && overdue.n >= past_due);
}

async fn statistics_add_up_and_agree_with_the_towns_own_books(ground: Ground) {
    let lived = lived(&ground, 14, 900).await;
    let query =
        StatisticsQuery { by: vec![Dimension::Channel, Dimension::Month], ..StatisticsQuery::default() };
    let answer = lived.models.statistics(&query).await.unwrap();
    let total = &answer.value.total;
    assert_eq!((answer.n, answer.open), (total.requests, total.open));
    assert_eq!(total.requests, lived.town.requests.len() as u64);
    assert_eq!(total.delivered, lived.count(|request| request.stage.id() == "delivered"));
    assert_eq!(total.online, lived.count(|request| request.channel.is_online()));
    assert_eq!(
        total.reopenings,
        lived.town.requests.iter().map(|known| u64::from(known.request.cycle)).sum::<u64>()
    );
    assert_eq!(total.saving_cents, total.online * 900);
    let unit = total.online * 300 + (total.requests - total.online) * 1200;
    assert_eq!(total.cost_cents, unit + total.letters * 270);
    assert!(total.letters > 0 && total.first_contact > 0 && total.reopened > 0, "{total:?}");
    for (part, whole) in [
        (answer.value.lines.iter().map(|line| line.requests).sum::<u64>(), total.requests),
        (answer.value.lines.iter().map(|line| line.cost_cents).sum(), total.cost_cents),
        (answer.value.lines.iter().map(|line| line.delivered_after.n).sum(), total.delivered_after.n),
    ] {
        assert_eq!(part, whole);
    }
    let of = |request: &Request| request.touched_by.len() as u64;
    assert_eq!(total.people, lived.town.requests.iter().map(|known| of(&known.request)).sum::<u64>());
    let closed = StatisticsQuery { period: Period::Closed, ..StatisticsQuery::default() };
    let closed = lived.models.statistics(&closed).await.unwrap();
    assert_eq!((closed.n, closed.open), (total.requests - total.open, 0));
    let one_day = StatisticsQuery {
        from: Some("2026-03-05".parse().unwrap()),
        until: Some("2026-03-05".parse().unwrap()),
        ..StatisticsQuery::default()
    };
    // The day is the town hall's: in March it begins at 23:00 in UTC, the evening before.
    let day = |request: &Request| (request.milestones.received + chrono::Duration::hours(1)).date_naive();
    let received = lived.count(|request| day(request) == "2026-03-05".parse().unwrap());
    assert!(received > 0);
    assert_eq!(lived.models.statistics(&one_day).await.unwrap().n, received);
    let mut delays: Vec<i64> = lived
        .town
        .requests
        .iter()
        .filter_map(|known| Some(known.request.milestones.delivered? - known.request.milestones.received))
        .map(|delay| delay.num_microseconds().unwrap())
        .collect();
    delays.sort_unstable();
    let rank = |tenths: usize| delays[(delays.len() * tenths).div_ceil(10) - 1] as f64 / 1e6;
    assert_eq!(total.delivered_after.n, delays.len() as u64);
    assert_eq!((total.delivered_after.p50, total.delivered_after.p90), (Some(rank(5)), Some(rank(9))));
}

async fn nothing_to_do_is_forgotten_and_stand_ins_see_what_they_may_do(ground: Ground) {
    let mut lived = lived(&ground, 15, 400).await;
    // Until the elected official has something to decide.
    while !lived.town.requests.iter().any(|known| awaits(&known.request, "a90")) {
        lived.town.step().await;
    }
    lived.models.catch_up(SOON).await.unwrap();
    let day = lived.town.now.date_naive();
    let whose = |whose| InboxQuery { tenant: "ville".into(), whose, work: Vec::new(), limit: 1_000 };
    let all = lived.models.inbox(&whose(Whose::Everyone)).await.unwrap().value;
    // No dead ends: an open request has something to do, someone to wait for, an instant, or an effect under way.
    for known in lived.town.requests.iter().filter(|known| known.tenant.as_str() == "ville") {
        let request = &known.request;
        let moves = all.iter().any(|item| item.request == known.id)
            || !timers(request).is_empty()
            || request.hold.is_some()
            || !known.pending.is_empty();
        assert!(request.stage.is_finished() || moves, "{:?} is stuck", request.stage);
    }
    assert!(all.is_sorted_by(|a, b| a.priority >= b.priority));
    let steps: Vec<_> = all.iter().filter(|item| item.work == Work::Approve).collect();
    assert!(!steps.is_empty(), "nothing awaits approval");
    let person = |person: &str| whose(Whose::Person { person: person.into(), day });
    let elected = lived.models.inbox(&person("a90")).await.unwrap().value;
    let director = lived.models.inbox(&person("a20")).await.unwrap().value;
    assert!(elected.iter().all(|item| item.on_behalf_of.is_none()));
    let of_elected = |items: &[crate::InboxItem]| -> BTreeSet<_> {
        let mine = items.iter().filter(|item| item.party == Party::Person("a90".into()));
        mine.map(|item| (item.request, item.item.clone())).collect()
    };
    // The director stands in for the elected official, for that role only, and the answer says so.
    assert_eq!(of_elected(&elected), of_elected(&director));
    assert!(!of_elected(&director).is_empty());
    let lent = director.iter().filter(|item| item.party == Party::Person("a90".into()));
    assert!(lent.into_iter().all(|item| item.on_behalf_of.as_deref() == Some("a90")));
    let later = InboxQuery {
        whose: Whose::Person { person: "a20".into(), day: "2027-06-01".parse().unwrap() },
        ..whose(Whose::Everyone)
    };
    assert!(of_elected(&lived.models.inbox(&later).await.unwrap().value).is_empty());
    let service = lived.models.inbox(&whose(Whose::Service("voirie".into()))).await.unwrap().value;
    assert!(!service.is_empty() && service.iter().all(|item| item.service.as_deref() == Some("voirie")));
}

async fn timers_come_in_the_order_of_their_instants_those_missed_included(ground: Ground) {
    let lived = lived(&ground, 16, 400).await;
    let now = lived.town.now;
    let mut expected: Vec<_> = lived
        .town
        .requests
        .iter()
        .flat_map(|known| timers(&known.request).into_iter().map(|timer| (timer.due, known.id, timer.kind)))
        .collect();
    expected.sort();
    let due: Vec<_> = expected.iter().filter(|(due, ..)| *due <= now).cloned().collect();
    let answer = lived.models.timers_due(now, 10_000).await.unwrap();
    assert!(answer.value.is_sorted_by_key(|timer| timer.due) && !due.is_empty());
    let mut told: Vec<_> =
        answer.value.into_iter().map(|timer| (timer.due, timer.request, timer.kind)).collect();
    told.sort();
    assert_eq!(told, due);
    assert_eq!(lived.models.next_timer().await.unwrap().value.unwrap().due, expected[0].0);
}

async fn an_effect_has_one_worker_at_a_time_and_its_tries_survive_a_rebuild(ground: Ground) {
    let lived = lived(&ground, 17, 200).await;
    let (models, now) = (&lived.models, lived.town.now);
    let pending: u64 = lived.town.requests.iter().map(|known| known.pending.len() as u64).sum();
    assert_eq!(models.outbox(None, 1_000).await.unwrap().n, pending);
    let minutes = |count| now + chrono::Duration::minutes(count);
    let claim = |at, limit| Claim {
        holder: "one".into(),
        now: at,
        lease_until: at + chrono::Duration::minutes(5),
        by: Vec::new(),
        limit,
    };
    let first = models.outbox_claim(&claim(now, 2)).await.unwrap();
    let others = models.outbox_claim(&claim(now, 10_000)).await.unwrap();
    assert_eq!((first.len(), others.len() as u64), (2, pending - 2));
    assert!(first.is_sorted_by_key(|item| item.asked));
    assert!(models.outbox_failed(&first[0], "greylisted", minutes(30)).await.unwrap());
    models.outbox_done(&first[1]).await.unwrap();
    models.rebuild(&["outbox"]).await.unwrap();
    leases_end(models).await;
    // Leases are over; the one that failed waits for its instant, the one that is done for its event.
    assert_eq!(models.outbox_claim(&claim(minutes(10), 10_000)).await.unwrap().len() as u64, pending - 2);
    leases_end(models).await;
    let again = models.outbox_claim(&claim(minutes(40), 10_000)).await.unwrap();
    assert_eq!(again.len() as u64, pending - 1);
    let tried = again.iter().find(|item| item.attempts == 1).unwrap();
    assert_eq!((&tried.effect, tried.error.as_deref()), (&first[0].effect, Some("greylisted")));
    leases_end(models).await;
    // Whoever comes back after the end of a claim takes nothing from its next holder.
    let second = models.outbox_claim(&Claim { holder: "two".into(), ..claim(minutes(50), 1) }).await.unwrap();
    let late = again.iter().find(|item| item.effect == second[0].effect).unwrap();
    assert!(!models.outbox_failed(late, "late", minutes(50)).await.unwrap());
    let listed = models.outbox(None, 1_000).await.unwrap().value;
    let holder = |item: &&crate::OutboxItem| item.effect == second[0].effect;
    assert_eq!(listed.iter().find(holder).unwrap().holder.as_deref(), Some("two"));
    leases_end(models).await;
    let letters = Claim { by: vec![Delivery::Letter], ..claim(minutes(80), 10_000) };
    assert!(models.outbox_claim(&letters).await.unwrap().iter().all(|item| item.by == Delivery::Letter));
}

async fn the_trail_tells_every_event_and_nothing_personal(ground: Ground) {
    let lived = lived(&ground, 18, 500).await;
    for known in &lived.town.requests {
        let trail = lived.models.timeline(known.tenant.as_str(), known.id).await.unwrap();
        assert_eq!(trail.n, known.revision + 1);
        let revisions: Vec<u64> = trail.value.iter().map(|entry| entry.revision).collect();
        assert_eq!(revisions, (0..=known.revision).collect::<Vec<_>>());
        for entry in &trail.value {
            assert!(!entry.text.fr.contains('?') || entry.text.fr.contains('»'), "{}", entry.text.fr);
        }
    }
    let dumped = super::dump(&lived.models).await.join("\n");
    for personal in
        ["marie@exemple.fr", "Dupont", "+33600000000", "rue de la Paix", "ABC-DEF", "Ampoule", "réparé"]
    {
        assert!(!dumped.contains(personal), "{personal} came into the read models");
    }
    assert!(lived.models.timeline("agglo", lived.town.requests[0].id).await.unwrap().value.is_empty());
}

async fn the_catalogue_is_found_without_accents_and_by_views(ground: Ground) {
    let lived = lived(&ground, 19, 1).await;
    let find = async |search: &str| {
        let search = Some(search.to_owned()).filter(|search| !search.is_empty());
        let query = CatalogueQuery { tenant: Some("ville".into()), search, ..CatalogueQuery::default() };
        let found = lived.models.catalogue(&query).await.unwrap().value;
        found.into_iter().map(|entry| entry.process).collect::<Vec<_>>()
    };
    assert_eq!(find("eclairage").await, ["eclairage/lampadaire"]);
    assert_eq!(find("REVERBERES").await, ["eclairage/lampadaire"]);
    assert_eq!(find("question mairie").await, ["institutions/question"]);
    assert_eq!(find("street light").await, ["eclairage/lampadaire"]);
    assert_eq!(find("rèverbéro").await, ["eclairage/lampadaire"], "mistyped");
    assert_eq!(find("lampes des rues").await[0], "eclairage/lampadaire", "another word");
    assert!(find("piscine").await.is_empty());
    assert_eq!(find("").await[0], "eclairage/lampadaire");
    lived.models.viewed("ville", "institutions/question").await.unwrap();
    lived.models.rebuild(&["catalogue"]).await.unwrap();
    assert_eq!(find("").await[0], "institutions/question");
    let entry = lived.models.catalogue_entry("ville", "institutions/question").await.unwrap().value.unwrap();
    assert_eq!(entry.views, 1);
    assert_eq!(lived.models.themes(None).await.unwrap().value.len(), 2);
    assert!(lived.models.catalogue_entry("ccas", "eclairage/lampadaire").await.unwrap().value.is_none());
}
