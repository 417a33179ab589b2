//! Opening a data folder, and what is told when that cannot be done.

use guichet::engine::journal::JournalError;
use guichet::{Guichet, NewRequest, OpenError, Options};
use serde_json::json;

use crate::support::chalons;

#[tokio::test]
async fn what_was_received_is_there_when_the_folder_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let guichet = Guichet::open(Options::new(folder.path())).await.unwrap();
    guichet.publish_folder(&chalons()).await.unwrap();
    let receipt = guichet
        .receive(NewRequest::new("ville", "voirie/chaussee-abimee").field("place", json!([48.957, 4.363])))
        .await
        .unwrap();
    let code = receipt.tracking.clone().unwrap();
    guichet.close().await;
    drop(guichet);
    let guichet = Guichet::open(Options::new(folder.path())).await.unwrap();
    let known = guichet.request("ville", receipt.request).await.unwrap();
    assert_eq!(known.request.as_ref(), receipt.state.as_ref());
    let digest = guichet.engine().code_digest(&"ville".parse().unwrap(), &code);
    assert_eq!(known.request.tracking_digest, digest);
    guichet.close().await;
}

#[tokio::test]
async fn two_servers_cannot_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = Guichet::open(Options::new(folder.path())).await.unwrap();
    let second = Guichet::open(Options::new(folder.path())).await;
    assert!(matches!(second, Err(OpenError::Journal(JournalError::Locked { .. }))), "{second:?}");
    first.close().await;
}

#[tokio::test]
async fn a_catalogue_with_errors_changes_nothing_and_names_them_all() {
    let folder = tempfile::tempdir().unwrap();
    let guichet = Guichet::open(Options::new(folder.path().join("data"))).await.unwrap();
    let broken = folder.path().join("catalogue");
    std::fs::create_dir_all(&broken).unwrap();
    std::fs::write(broken.join("catalogue.yaml"), "catalogue: x\nnom: y\n").unwrap();
    let error = guichet.publish_folder(&broken).await.unwrap_err();
    assert!(error.to_string().contains("catalogue.yaml:1:1"), "{error}");
    assert!(guichet.engine().definitions().tenants().is_empty());
    guichet.close().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_one_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    std::fs::write(&path, "a file").unwrap();
    let opened = Guichet::open(Options::new(&path)).await;
    assert!(matches!(opened, Err(OpenError::Journal(JournalError::ReadOnly { .. }))), "{opened:?}");
    let lost = folder.path().join("lost");
    Guichet::open(Options::new(&lost)).await.unwrap().close().await;
    std::fs::remove_file(lost.join("master.key")).unwrap();
    let opened = Guichet::open(Options::new(&lost)).await;
    assert!(matches!(opened, Err(OpenError::Journal(JournalError::Keys { .. }))), "{opened:?}");
}
