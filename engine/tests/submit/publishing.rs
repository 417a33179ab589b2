use std::sync::Arc;

use guichet_engine::Published;
use guichet_engine::journal::MemoryJournal;
use guichet_engine::rules::request::Actor;

use crate::town::{Town, publication, qualify};

#[tokio::test]
async fn publishing_the_same_twice_changes_nothing() {
    let town = Town::new().await;
    let before = town.events().await;
    let again = town.engine.publish(&publication(), &Actor::Engine).await.unwrap();
    assert_eq!(again.changed, 0);
    assert!(again.unchanged > 24);
    assert_eq!(town.events().await, before);
}

#[tokio::test]
async fn requests_under_way_stay_on_the_version_that_received_them() {
    let town = Town::new().await;
    let old = town.pothole(1).await.unwrap();
    let mut changed = publication();
    for (definition, _) in &mut changed.definitions {
        if definition.process == "voirie/chaussee-abimee" {
            definition.title.fr.push_str(" (nouvelle fiche)");
        }
    }
    let Published { changed: count, .. } = town.engine.publish(&changed, &Actor::Engine).await.unwrap();
    assert_eq!(count, 1);
    let new = town.pothole(2).await.unwrap();
    assert_ne!(old.state.definition, new.state.definition);
    let qualified = town.act(3, old.request, qualify()).await.unwrap();
    assert_eq!(qualified.state.definition, old.state.definition);
}

#[tokio::test]
async fn another_engine_finds_in_the_journal_all_that_it_needs() {
    let journal = Arc::new(MemoryJournal::new().unwrap());
    let first = Town::on(Arc::clone(&journal) as _).await;
    let request = first.pothole(1).await.unwrap().request;
    // It publishes nothing itself: what it knows, it read.
    let second = guichet_engine::Engine::new(journal, Arc::clone(&first.around) as _);
    second.refresh().await.unwrap();
    let known = second.state("ville", request).await.unwrap();
    assert_eq!(known.plan.definition().process, "voirie/chaussee-abimee");
    assert_eq!(second.definitions().tenants(), ["agglo", "ccas", "ville"]);
}
