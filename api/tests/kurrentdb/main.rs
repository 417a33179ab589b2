//! A town hall whose journal stands in KurrentDB. What runs here is the protocol server of the journal's own tests, no real node.

#[cfg(test)]
#[allow(dead_code, unused_imports, reason = "the server can do more than is asked of it here")]
#[path = "../../../engine/journal/tests/kurrentdb/server/mod.rs"]
mod server;

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use guichet::engine::rules::language::Catalogue;
    use guichet::{Guichet, NewRequest, Options, READ_MODELS_FILE, Store, load_folder};
    use serde_json::json;

    use crate::server::{Cluster, Role};

    const PATIENCE: Duration = Duration::from_secs(60);

    /// The processes of one theme, which are published in a moment.
    fn roads() -> Catalogue {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../processes/chalons");
        let mut roads = load_folder(&folder).unwrap();
        roads.definitions.retain(|definition| definition.theme == "voirie");
        roads
    }

    fn options(cluster: &Cluster, data: &Path) -> Options {
        Options::new(data).store(Store::parse(&cluster.url()).unwrap())
    }

    fn request() -> NewRequest {
        let mut request = NewRequest::new("ville", "voirie/chaussee-abimee");
        let form =
            json!({ "place": [48.957, 4.363], "nature": "Nid-de-poule devant l’école", "danger": true });
        request.form = form.as_object().unwrap().clone();
        request
    }

    async fn figures(guichet: &Guichet) -> String {
        guichet.read_models().catch_up(PATIENCE).await.unwrap();
        let dashboard = guichet.dashboard(Some("ville")).await.unwrap();
        assert_eq!(dashboard.as_of, guichet.engine().journal().head().await.unwrap());
        format!("{:?} {:?} {:?}", dashboard.total, dashboard.by_stage, dashboard.by_channel)
    }

    /// Requests go on coming while the leader dies; the same command is carried out once; read models made anew from the log are the same.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_town_lives_through_the_death_of_a_leader() {
        let (cluster, folder) = (Cluster::of(3).await, tempfile::tempdir().unwrap());
        let guichet = Guichet::open(options(&cluster, folder.path())).await.unwrap();
        guichet.publish(&roads()).await.unwrap();
        let mut requests = Vec::new();
        for number in 0..12 {
            if number == 6 {
                cluster.leader().kill();
                cluster.change_leader(Role::Follows);
            }
            let mut request = request();
            request.command_id = Some(guichet.fresh_command_id().unwrap());
            let receipt = guichet.receive(request.clone()).await.unwrap();
            let again = guichet.receive(request).await.unwrap();
            assert!(!receipt.repeated && again.repeated && again.request == receipt.request);
            requests.push(receipt.request);
        }
        let before = figures(&guichet).await;
        guichet.close().await;
        std::fs::remove_file(folder.path().join(READ_MODELS_FILE)).unwrap();
        let guichet = Guichet::open(options(&cluster, folder.path())).await.unwrap();
        assert_eq!(figures(&guichet).await, before);
        for request in requests {
            guichet.request("ville", request).await.unwrap();
        }
        let report = guichet::engine::journal::verify_all(guichet.engine().journal().as_ref()).await.unwrap();
        assert!(report.is_sound(), "{:?}", report.findings);
        guichet.close().await;
    }
}
