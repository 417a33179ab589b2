//! Mails fetched from a mailbox at a provider: a real IMAP server, and the program itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use guichet::channels::mail::read;
use serde_json::Value;

use crate::support::{guichet, run};

const PATIENCE: Duration = Duration::from_secs(90);
const TOWN: &str = "bonjour@ville.chalons.example";

/// What the environment names: the server over TLS, in clear, and its certificate.
fn named() -> Option<(String, String, String)> {
    let named = |name: &str| std::env::var(format!("GUICHET_TEST_IMAP{name}")).ok();
    let all = named("").zip(named("_CLEAR")).zip(named("_CA"));
    if all.is_none() {
        let must = ["CI", "GUICHET_TEST_ALL"].iter().any(|name| std::env::var_os(name).is_some());
        assert!(!must, "run me by .ci/with-imap");
        eprintln!("skipped: no IMAP server; run the tests by: .ci/with-imap cargo test");
    }
    all.map(|((secure, clear), certificate)| (secure, clear, certificate))
}

/// A person at their mailbox, by a client of a few lines.
struct Hand {
    socket: BufReader<TcpStream>,
    tag: u32,
}

impl Hand {
    fn open(clear: &str, user: &str) -> Self {
        let socket = TcpStream::connect(clear).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut hand = Self { socket: BufReader::new(socket), tag: 0 };
        hand.line();
        hand.say(&format!("LOGIN {user} secret"));
        hand
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.socket.read_until(b'\n', &mut line).unwrap();
        String::from_utf8_lossy(&line).trim_end().to_owned()
    }

    /// Gives a command and returns what was said before it was done.
    fn say(&mut self, command: &str) -> Vec<String> {
        self.tag += 1;
        let tag = format!("h{}", self.tag);
        write!(self.socket.get_mut(), "{tag} {command}\r\n").unwrap();
        self.until(&tag, command)
    }

    fn until(&mut self, tag: &str, command: &str) -> Vec<String> {
        let mut said = Vec::new();
        loop {
            let line = self.line();
            if let Some(end) = line.strip_prefix(&format!("{tag} ")) {
                assert!(end.starts_with("OK"), "{command}: {line}");
                return said;
            }
            said.push(line);
        }
    }

    fn put(&mut self, folder: &str, mail: &str) {
        self.tag += 1;
        let (tag, mail) = (format!("h{}", self.tag), mail.replace('\n', "\r\n"));
        write!(self.socket.get_mut(), "{tag} APPEND {folder} {{{}}}\r\n", mail.len()).unwrap();
        assert!(self.line().starts_with('+'));
        write!(self.socket.get_mut(), "{mail}\r\n").unwrap();
        self.until(&tag, "APPEND");
    }

    /// How many mails of a folder are such.
    fn count(&mut self, folder: &str, which: &str) -> usize {
        self.say(&format!("SELECT {folder}"));
        let said = self.say(&format!("UID SEARCH {which}"));
        let found = said.iter().find_map(|line| line.strip_prefix("* SEARCH")).unwrap_or_default();
        found.split_whitespace().count()
    }

    fn wait(&mut self, folder: &str, which: &str, count: usize) {
        let began = Instant::now();
        loop {
            let now = self.count(folder, which);
            if now == count {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{now} of {count} in {folder} are {which}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// A user that no other test has.
fn user() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("ville{}n{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst))
}

/// A town with such a mailbox.
struct Town {
    folder: tempfile::TempDir,
    settings: PathBuf,
    password: PathBuf,
}

impl Town {
    fn new(host: &str, port: &str, user: &str, certificate: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (settings, password) = (folder.path().join("guichet.toml"), folder.path().join("imap.password"));
        std::fs::write(&password, "secret\n").unwrap();
        let becomes = "{ process = \"institutions/question-generale\", text = \"question\", form = { about = \"other\" } }";
        let written = format!(
            "[[channels.mailboxes]]\ntenant = \"ville\"\naddress = \"{TOWN}\"\nbecomes = {becomes}\n\
             [channels.mailboxes.imap]\nhost = \"{host}\"\nport = {port}\nuser = \"{user}\"\n\
             password_file = {password:?}\nca_file = {certificate:?}\n{more}"
        );
        std::fs::write(&settings, written).unwrap();
        Self { folder, settings, password }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn serve(&self, more: &[&str]) -> Served {
        let mut command =
            guichet(&self.data(), &["--lang", "en", "serve", "--catalogue", "processes/chalons"]);
        command.args(["--listen", "127.0.0.1:0", "--settings"]).arg(&self.settings).args(more);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let line = BufReader::new(child.stdout.take().unwrap()).lines().next().expect("it came up").unwrap();
        let address = line.split("http://").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (kept, errors) = (Arc::clone(&log), BufReader::new(child.stderr.take().unwrap()));
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                kept.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        Served { child, address, log }
    }

    fn requests(&self, served: &Served) -> usize {
        let key = run(&self.data(), &["key", "--tenant", "ville", "--agent", "a01"]).out.trim().to_owned();
        let list = served.get("/v1/ville/requests?channel=email&limit=100", &key);
        list["value"]["items"].as_array().unwrap_or_else(|| panic!("{list}")).len()
    }

    fn wait_for_requests(&self, served: &Served, count: usize) {
        let began = Instant::now();
        while self.requests(served) < count && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(200));
        }
        assert_eq!(self.requests(served), count);
    }
}

struct Served {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<String>>,
}

impl Served {
    fn get(&self, path: &str, key: &str) -> Value {
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap_or_default()
    }

    /// Waits until `/ready` tells of this trouble with the mailbox, or of none, and is ready all the same.
    fn wait_for_trouble(&self, code: Option<&str>) {
        let began = Instant::now();
        loop {
            let ready = self.get("/ready", "");
            assert_eq!(ready["ready"], true, "{ready}");
            let told = ready["troubles"][0]["code"].as_str();
            if told == code {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{ready}\n{}", self.log.lock().unwrap());
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn question(from: &str, id: &str, more: &str) -> String {
    format!(
        "From: Camille <{from}>\nTo: {TOWN}\nSubject: Piscine\nMessage-ID: <{id}@exemple.example>\n{more}\n\
         Bonjour,\n\nLa piscine ouvre-t-elle le dimanche ? ({id})\n"
    )
}

fn split(address: &str) -> (&str, &str) {
    address.split_once(':').unwrap()
}

/// A mail of ours that came to this address, by what its subject or text holds.
fn arrived(spool: &Path, to: &str, what: &str) -> guichet::channels::mail::Mail {
    let began = Instant::now();
    loop {
        for entry in std::fs::read_dir(spool.join("new")).unwrap() {
            let Ok(bytes) = std::fs::read(entry.unwrap().path()) else { continue };
            let Ok(mail) = read(&bytes) else { continue };
            if mail.to.iter().any(|known| known == to)
                && (mail.subject.contains(what) || mail.text.contains(what))
            {
                return mail;
            }
        }
        assert!(began.elapsed() < PATIENCE, "no mail “{what}” came");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_mail_in_the_mailbox_becomes_a_request_is_acknowledged_and_its_answer_finds_it() {
    let Some((secure, clear, certificate)) = named() else { return };
    let (Ok(smtp), Ok(spool)) =
        (std::env::var("GUICHET_TEST_SMTP"), std::env::var("GUICHET_TEST_SMTP_SPOOL"))
    else {
        assert!(std::env::var_os("CI").is_none(), "run me by .ci/with-mail");
        return eprintln!(
            "skipped: no SMTP server; run the tests by: .ci/with-mail .ci/with-imap cargo test"
        );
    };
    let user = user();
    let ((host, port), (smtp_host, smtp_port)) = (split(&secure), split(&smtp));
    let town = Town::new(host, port, &user, &certificate, "");
    let mail_server =
        ["--outbound", "smtp", "--smtp-tls", "none", "--smtp-host", smtp_host, "--smtp-port", smtp_port];
    let mut hand = Hand::open(&clear, &user);
    let citizen = format!("camille-{user}@exemple.example");
    hand.put("INBOX", &question(&citizen, &user, ""));
    let served = town.serve(&mail_server);
    let acknowledged = arrived(Path::new(&spool), &citizen, "au plus tard");
    town.wait_for_requests(&served, 1);
    hand.wait("INBOX", "KEYWORD $GuichetTaken", 1);
    assert_eq!(hand.count("INBOX", "UNSEEN"), 1, "nobody of the town hall has read it yet");
    // The server hears of the next one by itself, long before it would look.
    let answers = format!("In-Reply-To: <{}>\nReferences: <{}>\n", acknowledged.id, acknowledged.id);
    hand.put("INBOX", &question(&citizen, &format!("{user}-2"), &answers));
    let began = Instant::now();
    hand.wait("INBOX", "KEYWORD $GuichetTaken", 2);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    town.wait_for_requests(&served, 1);
}

#[test]
fn a_server_killed_between_taking_and_marking_takes_nothing_twice() {
    let Some((secure, clear, certificate)) = named() else { return };
    let (user, (host, port)) = (user(), split(&secure));
    let town = Town::new(host, port, &user, &certificate, "");
    let mut hand = Hand::open(&clear, &user);
    for number in 0..8 {
        hand.put("INBOX", &question(&format!("p{number}@exemple.example"), &format!("{user}-{number}"), ""));
    }
    for round in 0..4 {
        let served = town.serve(&[]);
        let began = Instant::now();
        while hand.count("INBOX", "KEYWORD $GuichetTaken") < 2 * (round + 1) && began.elapsed() < PATIENCE {}
        drop(served);
    }
    // As if each kill had come right after the request was durable and right before the mark.
    hand.say("UID STORE 1:* -FLAGS.SILENT ($GuichetTaken)");
    let served = town.serve(&[]);
    hand.wait("INBOX", "KEYWORD $GuichetTaken", 8);
    town.wait_for_requests(&served, 8);
}

#[test]
fn taken_mails_are_moved_huge_ones_put_aside_and_a_mailbox_made_anew_brings_nothing_twice() {
    let Some((_, clear, certificate)) = named() else { return };
    let (user, (host, port)) = (user(), split(&clear));
    let more = "tls = \"starttls\"\nfolder = \"Arrivee\"\ndone_folder = \"Traites\"\nunreadable_folder = \"Illisibles\"\n";
    let town = Town::new(host, port, &user, &certificate, more);
    let mut hand = Hand::open(&clear, &user);
    hand.say("CREATE Arrivee");
    let mails: Vec<String> = (0..3)
        .map(|number| question(&format!("q{number}@exemple.example"), &format!("{user}-{number}"), ""))
        .collect();
    let huge =
        question("huge@exemple.example", &format!("{user}-huge"), "") + &"x".repeat(78).repeat(345_000);
    hand.put("Arrivee", &huge);
    mails.iter().for_each(|mail| hand.put("Arrivee", mail));
    let served = town.serve(&[]);
    hand.wait("Traites", "ALL", 3);
    hand.wait("Illisibles", "ALL", 1);
    assert_eq!(hand.count("Arrivee", "ALL"), 0);
    town.wait_for_requests(&served, 3);
    // The folder goes and comes again under the same name, with other numbers, and the same mails are put back.
    hand.say("SELECT INBOX");
    hand.say("DELETE Arrivee");
    hand.say("CREATE Arrivee");
    mails.iter().for_each(|mail| hand.put("Arrivee", mail));
    hand.put("Arrivee", &question("new@exemple.example", &format!("{user}-new"), ""));
    hand.wait("Traites", "ALL", 7);
    town.wait_for_requests(&served, 4);
}

#[test]
fn a_wrong_password_is_told_without_it_and_a_right_one_needs_no_restart() {
    let Some((secure, clear, certificate)) = named() else { return };
    let (user, (host, port)) = (user(), split(&secure));
    let town = Town::new(host, port, &user, &certificate, "");
    std::fs::write(&town.password, "c0ntremaitre\n").unwrap();
    let mut hand = Hand::open(&clear, &user);
    hand.put("INBOX", &question("r@exemple.example", &user, ""));
    let served = town.serve(&[]);
    served.wait_for_trouble(Some("imap.refused"));
    std::fs::write(&town.password, "secret").unwrap();
    hand.wait("INBOX", "KEYWORD $GuichetTaken", 1);
    served.wait_for_trouble(None);
    let log = served.log.lock().unwrap().clone();
    assert!(log.contains("refuses the user or the password"), "{log}");
    assert!(!log.contains("c0ntremaitre") && !log.contains("exemple.example"), "{log}");
    // A certificate of somebody else is refused before anything is said.
    let other = Town::new("127.0.0.1", port, &user, &certificate, "");
    other.serve(&[]).wait_for_trouble(Some("imap.certificate"));
}

/// Between the server and the mailbox, to be cut.
struct Line {
    port: u16,
    cut: Arc<AtomicBool>,
}

impl Line {
    fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, cut) = (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
        let (target, cut_here) = (target.to_owned(), Arc::clone(&cut));
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if cut_here.load(Ordering::SeqCst) {
                    continue;
                }
                let far = TcpStream::connect(&target).unwrap();
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let cut = Arc::clone(&cut_here);
                    std::thread::spawn(move || pass(from, to, &cut));
                }
            }
        });
        Self { port, cut }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, cut: &AtomicBool) {
    let mut buffer = [0; 4096];
    from.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    while !cut.load(Ordering::SeqCst) {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) if to.write_all(&buffer[..count]).is_err() => break,
            Ok(_) => {}
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    let _ = from.shutdown(std::net::Shutdown::Both);
    let _ = to.shutdown(std::net::Shutdown::Both);
}

#[test]
fn a_connection_lost_in_the_middle_is_made_again() {
    let Some((secure, clear, certificate)) = named() else { return };
    let (user, line) = (user(), Line::to(&secure));
    let town = Town::new("localhost", &line.port.to_string(), &user, &certificate, "");
    let mut hand = Hand::open(&clear, &user);
    let served = town.serve(&[]);
    for round in 0..3 {
        for number in 0..3 {
            let from = format!("s{round}{number}@exemple.example");
            hand.put("INBOX", &question(&from, &format!("{user}-{round}-{number}"), ""));
        }
        // In the middle of whatever it is at.
        std::thread::sleep(Duration::from_millis(40 * round));
        line.cut.store(true, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(300));
        line.cut.store(false, Ordering::SeqCst);
    }
    hand.wait("INBOX", "KEYWORD $GuichetTaken", 9);
    town.wait_for_requests(&served, 9);
}
