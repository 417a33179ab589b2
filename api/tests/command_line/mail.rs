//! Mails both ways, through a real SMTP server and the program itself: a mail becomes a request, its acknowledgement comes
//! back, what the citizen adds is heard, and the agent's answer closes it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use guichet::channels::mail::{Mail, read};
use lettre::message::{Attachment, MultiPart, SinglePart, header};
use lettre::{Message, SmtpTransport, Transport};
use serde_json::{Value, json};

use crate::support::{Run, guichet, run};

const TOWN: &str = "bonjour@ville.chalons.example";
const PATIENCE: Duration = Duration::from_secs(90);

/// The mail server of the test, and the mailboxes behind it.
struct Post {
    server: (String, u16),
    spool: PathBuf,
    maildir: PathBuf,
    citizen: String,
    seen: Vec<PathBuf>,
}

impl Post {
    fn send(&self, mail: &Message) {
        let transport = SmtpTransport::builder_dangerous(&self.server.0).port(self.server.1).build();
        transport.send(mail).unwrap();
    }

    fn to_town(&self, id: &str, subject: &str) -> lettre::message::MessageBuilder {
        let from = format!("Camille Dupré <{}>", self.citizen);
        Message::builder()
            .from(from.parse().unwrap())
            .to(TOWN.parse().unwrap())
            .subject(subject)
            .message_id(Some(format!("<{id}.{}@exemple.example>", std::process::id())))
    }

    /// What a delivery agent does: what came for the town goes into its Maildir, what came for the citizen to them.
    fn deliver(&mut self) -> Vec<Mail> {
        let mut arrived = Vec::new();
        for entry in std::fs::read_dir(self.spool.join("new")).unwrap() {
            let path = entry.unwrap().path();
            if self.seen.contains(&path) {
                continue;
            }
            let Ok(bytes) = std::fs::read(&path) else { continue };
            let Ok(mail) = read(&bytes) else { continue };
            if mail.to.contains(&self.citizen) {
                arrived.push(mail);
            } else if mail.to.iter().any(|to| to == TOWN)
                && mail.from.as_ref().is_some_and(|from| from.address == self.citizen)
            {
                let name = path.file_name().unwrap();
                std::fs::write(self.maildir.join("tmp").join(name), &bytes).unwrap();
                std::fs::rename(self.maildir.join("tmp").join(name), self.maildir.join("new").join(name))
                    .unwrap();
            }
            self.seen.push(path);
        }
        arrived
    }

    fn wait_for(&mut self, what: &str) -> Mail {
        let began = Instant::now();
        loop {
            if let Some(mail) = self.deliver().into_iter().find(|mail| mail.subject.contains(what)) {
                return mail;
            }
            assert!(began.elapsed() < PATIENCE, "no mail “{what}” came");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn until_taken(&mut self, count: usize) {
        let began = Instant::now();
        loop {
            self.deliver();
            let files = |folder: &str| std::fs::read_dir(self.maildir.join(folder)).unwrap().count();
            if files("new") == 0 && files("cur") >= count {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "the town took {} of {count} mails", files("cur"));
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The server, ended with the test however it ends.
struct Served(Child, SocketAddr, String);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(data: &Path, settings: &Path, post: &Post) -> Served {
    let port = post.server.1.to_string();
    let mut child = guichet(
        data,
        &["--lang", "en", "serve", "--catalogue", "processes/chalons", "--listen", "127.0.0.1:0"],
    )
    .args(["--outbound", "smtp", "--smtp-tls", "none", "--smtp-host", &post.server.0, "--smtp-port", &port])
    .arg("--settings")
    .arg(settings)
    .stdout(Stdio::piped())
    .stderr(Stdio::null())
    .spawn()
    .unwrap();
    let line =
        BufReader::new(child.stdout.take().unwrap()).lines().next().expect("the server came up").unwrap();
    let address = line.split("http://").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let key = run(data, &["key", "--tenant", "ville", "--agent", "a01"]).out.trim().to_owned();
    Served(child, address, key)
}

impl Served {
    fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut socket = TcpStream::connect(self.1).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.2,
            body.len()
        );
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    fn mails_received(&self) -> usize {
        let (status, list) = self.call("GET", "/v1/ville/requests?channel=email", &Value::Null);
        assert_eq!(status, 200, "{list}");
        list["value"]["items"].as_array().unwrap_or_else(|| panic!("{list}")).len()
    }
}

/// What absence notices say of themselves (RFC 3834).
#[derive(Clone)]
struct Replied;

impl header::Header for Replied {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "auto-replied".to_owned())
    }
}

fn answering(post: &Post, id: &str, mail: &Mail) -> lettre::message::MessageBuilder {
    let ours = format!("<{}>", mail.id);
    post.to_town(id, &format!("Re: {}", mail.subject)).in_reply_to(ours.clone()).references(ours)
}

/// A Maildir, and settings that make questions of what comes into it.
fn mailbox(folder: &Path, address: &str, spool: String) -> (Post, PathBuf) {
    let maildir = folder.join("maildir");
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(maildir.join(part)).unwrap();
    }
    let (host, port) = address.split_once(':').unwrap();
    let citizen = format!("camille-{}@exemple.example", std::process::id());
    let post = Post {
        server: (host.into(), port.parse().unwrap()),
        spool: spool.into(),
        maildir,
        citizen,
        seen: Vec::new(),
    };
    let settings = folder.join("guichet.toml");
    let becomes =
        "{ process = \"institutions/question-generale\", text = \"question\", form = { about = \"other\" } }";
    let written = format!(
        "[[channels.mailboxes]]\ntenant = \"ville\"\naddress = \"{TOWN}\"\nmaildir = {:?}\nbecomes = {becomes}\n",
        post.maildir
    );
    std::fs::write(&settings, written).unwrap();
    (post, settings)
}

/// Thanks for the answer, through the pipe of a mail server this time: a note on what is closed, and no new request.
fn thanks_through_the_pipe(folder: &Path, server: &Served, thanks: lettre::message::MessageBuilder) {
    let data = folder.join("data");
    let scope =
        ["key", "make", "--tenant", "ville", "--integrator", "postfix", "--scope", "channels:deliver"];
    let key = folder.join("mail.key");
    std::fs::write(&key, run(&data, &scope).out).unwrap();
    let url = format!("http://{}", server.1);
    let mut pipe = guichet(&data, &["mail-in", "--tenant", "ville", "--url", &url]);
    let mut pipe = pipe.arg("--key-file").arg(&key).stdin(Stdio::piped()).spawn().unwrap();
    let thanks = thanks.header(header::ContentType::TEXT_PLAIN);
    let thanks = thanks.body("Merci beaucoup !".to_owned()).unwrap().formatted();
    pipe.stdin.take().unwrap().write_all(&thanks).unwrap();
    assert_eq!(pipe.wait().unwrap().code(), Some(0));
}

/// `GUICHET_TEST_SMTP` names a mail server (`host:port`), `GUICHET_TEST_SMTP_SPOOL` the Maildir in which it keeps what it is sent.
#[test]
fn a_mail_becomes_a_request_and_the_answer_closes_it() {
    let setting = (std::env::var("GUICHET_TEST_SMTP"), std::env::var("GUICHET_TEST_SMTP_SPOOL"));
    let (Ok(address), Ok(spool)) = setting else {
        eprintln!("skipped: GUICHET_TEST_SMTP names no mail server");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (mut post, settings) = mailbox(folder.path(), &address, spool);
    let server = serve(&folder.path().join("data"), &settings, &post);

    let question = post.to_town("question", "Déchèterie").header(header::ContentType::TEXT_PLAIN);
    post.send(&question.body("Bonjour,\n\nEst-elle ouverte le samedi ?\n-- \nCamille".to_owned()).unwrap());
    let receipt = post.wait_for("Nous avons bien reçu votre demande");
    let code = receipt.subject.split(' ').next_back().unwrap().to_owned();
    assert_eq!(code.len(), 12, "{}", receipt.subject);
    assert!(
        receipt.text.contains("Nous nous engageons à vous répondre au plus tard le "),
        "{}",
        receipt.text
    );
    assert!(!receipt.id.contains(&code), "the code stands in no header but the subject");
    let request = receipt.id.split('.').next().unwrap().to_owned();

    let absent = answering(&post, "absent", &receipt).header(header::ContentType::TEXT_PLAIN).header(Replied);
    post.send(&absent.body("Je suis absente.".to_owned()).unwrap());
    let pdf = "%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n".as_bytes().to_vec();
    let attached = Attachment::new("plan d’accès.pdf".into()).body(pdf, "application/pdf".parse().unwrap());
    let words = format!("Voici le plan.\n\nLe 3 nov. 2026 à 10:00, Ville <{TOWN}> a écrit :\n> Bonjour,");
    let parts = MultiPart::mixed().singlepart(SinglePart::plain(words)).singlepart(attached);
    post.send(&answering(&post, "reply", &receipt).multipart(parts).unwrap());
    post.until_taken(3);
    assert_eq!(server.mails_received(), 1, "neither the absence notice nor the reply is a request");

    let path = format!("/v1/ville/requests/{request}");
    for command in
        [json!({ "command": "qualify" }), json!({ "command": "answer", "text": "Oui, de 9 h à 18 h." })]
    {
        let (status, answer) = server.call("POST", &format!("{path}/commands"), &command);
        assert_eq!(status, 200, "{answer}");
    }
    let answered = post.wait_for("Réponse à votre question");
    assert!(answered.text.contains("Oui, de 9 h à 18 h."), "{}", answered.text);
    let began = Instant::now();
    let shown = loop {
        let (_, shown) = server.call("GET", &path, &Value::Null);
        if shown["stage"] == "delivered" {
            break shown;
        }
        assert!(began.elapsed() < PATIENCE, "{shown}");
        std::thread::sleep(Duration::from_millis(100));
    };
    let dossier = shown["dossier"].to_string();
    assert!(
        dossier.contains("Est-elle ouverte le samedi ?") && dossier.contains("plan d’accès.pdf"),
        "{dossier}"
    );
    assert!(dossier.contains("Voici le plan.") && !dossier.contains("Je suis absente."), "{dossier}");

    thanks_through_the_pipe(folder.path(), &server, answering(&post, "thanks", &answered));
    let (_, timeline) = server.call("GET", &format!("{path}/timeline"), &Value::Null);
    assert!(timeline.to_string().contains("request.noted"), "{timeline}");

    // A server that died between taking a mail and moving it finds the mail again, and it counts once.
    let taken = std::fs::read_dir(post.maildir.join("cur")).unwrap().map(|entry| entry.unwrap().path());
    for path in taken.collect::<Vec<_>>() {
        let name = path.file_name().unwrap().to_string_lossy().replace(":2,S", "");
        std::fs::rename(&path, post.maildir.join("new").join(name)).unwrap();
    }
    drop(server);
    let server = serve(&folder.path().join("data"), &settings, &post);
    post.until_taken(3);
    assert_eq!(server.mails_received(), 1);
}

#[test]
fn settings_that_fit_nothing_in_force_are_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("guichet.toml");
    std::fs::write(
        &settings,
        "[[channels.mailboxes]]\ntenant = \"ville\"\naddress = \"a@b.example\"\n\
         becomes = { process = \"institutions/question-generale\", text = \"qestion\" }\n",
    )
    .unwrap();
    let mut command =
        guichet(&folder.path().join("data"), &["--lang", "en", "serve", "--catalogue", "processes/chalons"]);
    let run =
        Run::of(&command.args(["--listen", "127.0.0.1:0", "--settings"]).arg(&settings).output().unwrap());
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.err.contains("channels.mailboxes, entry 1") && run.err.contains("qestion"), "{run:?}");
}

#[test]
fn a_mail_server_is_told_to_keep_what_cannot_be_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "none").unwrap();
    let mut child = guichet(folder.path(), &["mail-in", "--url", "http://127.0.0.1:9", "--tenant", "ville"]);
    let mut child =
        child.arg("--key-file").arg(&key).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"From: a@b.example\r\n\r\nx").unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(75));
}
