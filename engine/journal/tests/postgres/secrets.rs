//! What goes over the network, and what is never written down.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use guichet_journal::{Expected, Journal, JournalError, MemoryKeyStore, PostgresJournal, PostgresOptions};

use crate::appends::{command, stream};
use crate::server::{Server, own, text};
use crate::tools::present;

const PASSWORD: &str = "un-mot-de-passe";

fn openssl(folder: &Path, arguments: &str) {
    let done = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Makes `NAME.crt` that signs itself, and `server.crt` for `localhost` signed by it.
fn certificates(folder: &Path) {
    for authority in ["right", "wrong"] {
        openssl(
            folder,
            &format!(
                "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={authority} -keyout {authority}.key -out {authority}.crt -addext basicConstraints=critical,CA:TRUE"
            ),
        );
    }
    openssl(folder, "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr");
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    openssl(
        folder,
        "x509 -req -in server.csr -CA right.crt -CAkey right.key -CAcreateserial -days 2 -extfile names -out server.crt",
    );
    std::fs::set_permissions(folder.join("server.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
}

async fn open(url: &str) -> Result<PostgresJournal, JournalError> {
    PostgresJournal::open(&PostgresOptions::parse(url).unwrap(), Arc::new(MemoryKeyStore::new().unwrap()))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_known_by_its_certificate_and_no_password_is_told() {
    if !present() {
        return;
    }
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    certificates(folder.path());
    own(folder.path());
    let path = |name: &str| text(&folder.path().join(name)).to_owned();
    let settings = format!(
        "ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\npassword_encryption = 'scram-sha-256'",
        path("server.crt"),
        path("server.key")
    );
    // Trust over the socket's address of this test only; everybody else needs TLS and a password.
    let server = Server::new(
        &settings,
        "local all all trust\nhostssl all town 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 trust\n",
    );
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&server.url()).await.unwrap();
    let create =
        format!("CREATE ROLE town LOGIN PASSWORD '{PASSWORD}'; GRANT CREATE ON DATABASE postgres TO town");
    sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
    let url = |host: &str, password: &str, root: &str| {
        format!(
            "postgres://town:{password}@{host}:{}/postgres?sslmode=verify-full&sslrootcert={}",
            server.port,
            path(root)
        )
    };
    let journal = open(&url("localhost", PASSWORD, "right.crt")).await.unwrap();
    journal.append(command(&stream(), Expected::NoStream, 1)).await.unwrap();
    let ciphers: Vec<Option<String>> = sqlx::query_scalar(
        "SELECT cipher FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'town'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(
        !ciphers.is_empty() && ciphers.iter().all(Option::is_some),
        "a connection without TLS: {ciphers:?}"
    );
    let mut said = format!(
        "{journal:?} {:?}",
        PostgresOptions::parse(&url("localhost", PASSWORD, "right.crt")).unwrap()
    );
    for (host, password, root) in [
        ("localhost", PASSWORD, "wrong.crt"),
        // The certificate names the host, not its address.
        ("127.0.0.1", PASSWORD, "right.crt"),
        ("localhost", "un-autre-mot-de-passe", "right.crt"),
        ("localhost", PASSWORD, "missing.crt"),
    ] {
        let refused = open(&url(host, password, root)).await.unwrap_err();
        assert!(matches!(refused, JournalError::Unavailable { .. }), "{refused:?}");
        said.push_str(&format!("\n{refused} {refused:?}"));
    }
    let plain = format!("postgres://town:{PASSWORD}@localhost:{}/postgres?sslmode=disable", server.port);
    said.push_str(&format!("\n{}", open(&plain).await.unwrap_err()));
    assert!(!said.contains("mot-de-passe"), "{said}");
    assert!(said.contains("certificate") && said.contains("password authentication failed"), "{said}");
}
