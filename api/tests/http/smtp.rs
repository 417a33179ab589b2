//! Sending through a mail server: one of our own that misbehaves, and a real one where the environment names it.

use std::sync::{Arc, Mutex};

use guichet::outbound::{Means, OutMessage, Outbound, SendError, SmtpOptions, SmtpOutbound, SmtpTls};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

fn message(id: &str) -> OutMessage {
    OutMessage {
        id: id.into(),
        means: Means::Email,
        to: "jeanne@exemple.example".into(),
        from: "bonjour@ville.example".into(),
        from_name: "Ville de Châlons".into(),
        subject: "Réponse à votre question".into(),
        text: "Bonjour,\n.\nÀ bientôt.".into(),
        at: "2026-11-03T09:00:00Z".parse().unwrap(),
        language: guichet::engine::rules::text::Language::Fr,
        thread: id.split('.').next().unwrap_or_default().into(),
        link: String::new(),
        files: Vec::new(),
        unsubscribe: None,
    }
}

/// A mail server that answers `RCPT` with `reply`, and keeps what it is sent.
async fn server(reply: &'static str) -> (u16, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let kept = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&kept);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (read, mut write) = stream.into_split();
            let mut lines = BufReader::new(read).lines();
            write.write_all(b"220 sink\r\n").await.unwrap();
            let mut data = false;
            while let Ok(Some(line)) = lines.next_line().await {
                let answer = match line.split(' ').next().unwrap_or_default().to_uppercase().as_str() {
                    _ if data && line != "." => {
                        seen.lock().unwrap().push_str(&format!("{line}\n"));
                        continue;
                    }
                    _ if data => {
                        data = false;
                        "250 kept"
                    }
                    "EHLO" => "250 sink",
                    "RCPT" => reply,
                    "DATA" => {
                        data = true;
                        "354 go on"
                    }
                    "QUIT" => "221 bye",
                    _ => "250 ok",
                };
                write.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
            }
        }
    });
    (port, kept)
}

#[tokio::test]
async fn a_mail_arrives_whole() {
    let (port, kept) = server("250 ok").await;
    let outbound = SmtpOutbound::new(&SmtpOptions::local(port)).unwrap();
    outbound.send(&message("a.1-0")).await.unwrap();
    let text = kept.lock().unwrap().clone();
    assert!(text.contains("Message-ID: <a.1-0@ville.example>"), "{text}");
    assert!(text.contains("Subject: =?utf-8?"), "{text}");
}

#[tokio::test]
async fn a_refusal_for_now_is_tried_again_and_one_for_good_is_not() {
    let (busy, _) = server("450 <jeanne@exemple.example> mailbox busy").await;
    let outbound = SmtpOutbound::new(&SmtpOptions::local(busy)).unwrap();
    let later = outbound.send(&message("a.1-0")).await.unwrap_err();
    assert_eq!(later, SendError::Later("the mail server answered 450".into()), "no address in what is kept");
    let (gone, _) = server("550 <jeanne@exemple.example> no such user").await;
    let outbound = SmtpOutbound::new(&SmtpOptions::local(gone)).unwrap();
    let never = outbound.send(&message("a.1-0")).await.unwrap_err();
    assert_eq!(never, SendError::Never("the mail server answered 550".into()));
}

#[tokio::test]
async fn nobody_there_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let outbound = SmtpOutbound::new(&SmtpOptions::local(port)).unwrap();
    assert!(matches!(outbound.send(&message("a.1-0")).await, Err(SendError::Later(_))));
}

#[test]
fn nothing_goes_in_clear_to_another_machine() {
    let far = SmtpOptions { host: "mail.example".into(), port: 25, tls: SmtpTls::None, credentials: None };
    assert!(SmtpOutbound::new(&far).unwrap_err().to_string().contains("in clear"));
}

/// `GUICHET_TEST_SMTP` names a mail server (`host:port`), `GUICHET_TEST_SMTP_SPOOL` the Maildir in which it keeps what it is sent.
#[tokio::test]
async fn a_real_mail_server_takes_it() {
    let setting = (std::env::var("GUICHET_TEST_SMTP"), std::env::var("GUICHET_TEST_SMTP_SPOOL"));
    let (Ok(address), Ok(folder)) = setting else {
        eprintln!("skipped: GUICHET_TEST_SMTP names no mail server");
        return;
    };
    let (host, port) = address.split_once(':').unwrap();
    let options =
        SmtpOptions { host: host.into(), port: port.parse().unwrap(), tls: SmtpTls::None, credentials: None };
    let id = format!("real.{}-0", std::process::id());
    SmtpOutbound::new(&options).unwrap().send(&message(&id)).await.unwrap();
    let mut found = false;
    for entry in std::fs::read_dir(std::path::Path::new(&folder).join("new")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        found |= text.contains(&format!("<{id}@ville.example>"));
    }
    assert!(found, "the mail is not in {folder}");
}
