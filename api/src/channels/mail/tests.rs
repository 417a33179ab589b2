//! Mails as they really come.

use guichet_engine::rules::request::RequestId;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::channels::thread::Thread;

const PLAIN: &str = "Return-Path: <jeanne@exemple.example>\r\nFrom: =?ISO-8859-1?Q?Jeanne_Dupr=E9?= <jeanne@exemple.example>\r\n\
    To: Ville <bonjour@ville.example>\r\nSubject: =?UTF-8?B?TGFtcGFkYWlyZSBlbiBwYW5uZSDigJMgcnVlIGRlIGzigJlIw7R0ZWw=?=\r\n\
    Message-ID: <abc@exemple.example>\r\nDate: Tue, 3 Nov 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
    Bonjour,\r\n\r\nLe lampadaire n=B012 est =E9teint depuis une =\r\nsemaine.\r\n-- \r\nJeanne\r\n";

const MIXED: &str = "From: \"Paul, L.\" <paul@exemple.example>\r\nTo: bonjour@ville.example\r\nSubject: Photo\r\n\
    Content-Type: multipart/mixed; boundary=\"A\"\r\n\r\n--A\r\nContent-Type: multipart/alternative; boundary=B\r\n\r\n\
    --B\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nVm9pY2kgbGEgcGhvdG8u\r\n\
    --B\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Voici la <b>photo</b>.</p>\r\n--B--\r\n\
    --A\r\nContent-Type: image/jpeg; name=\"=?UTF-8?Q?trottoir_ab=C3=AEm=C3=A9.jpg?=\"\r\n\
    Content-Disposition: attachment; filename*=UTF-8''..%2F..%2Ftrottoir%20ab%C3%AEm%C3%A9.jpg\r\n\
    Content-Transfer-Encoding: base64\r\n\r\n/9j/4AAQSkZJRg==\r\n\
    --A\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\neJ8+IgA=\r\n\
    --A\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n--A--\r\n";

const BOUNCE: &str = "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.exemple.example\r\nTo: bonjour@ville.example\r\n\
    Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\n\
    Content-Type: multipart/report; report-type=delivery-status; boundary=R\r\n\r\n--R\r\nContent-Type: text/plain\r\n\r\n\
    I'm sorry.\r\n--R\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.exemple.example\r\n\r\n\
    Final-Recipient: rfc822; jeanne@exemple.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\
    --R\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <ours@ville.example>\r\nSubject: x\r\n--R--\r\n";

fn thread() -> Thread {
    Thread { request: RequestId(Uuid::from_u128(7)), effect: (3, 0) }
}

fn with(headers: &str) -> Mail {
    read(format!("From: jeanne@exemple.example\r\nSubject: Bonjour\r\n{headers}\r\nDes mots.\r\n").as_bytes())
        .unwrap()
}

#[test]
fn latin_letters_and_encoded_headers_are_read() {
    let mail = read(PLAIN.as_bytes()).unwrap();
    assert_eq!(mail.id, "abc@exemple.example");
    let from = mail.from.clone().unwrap();
    assert_eq!(
        (from.name.as_deref(), from.address.as_str()),
        (Some("Jeanne Dupré"), "jeanne@exemple.example")
    );
    assert_eq!(mail.subject, "Lampadaire en panne – rue de l’Hôtel");
    assert!(
        mail.text.starts_with("Bonjour,\n\nLe lampadaire n°12 est éteint depuis une semaine."),
        "{}",
        mail.text
    );
    assert_eq!(mail.to, ["bonjour@ville.example"]);
    assert_eq!((mail.attachments.len(), mail.automatic, mail.report.clone()), (0, None, None));
    assert_eq!(what_to_do(&mail, &Known::default()), Deed::New);
    assert!(!format!("{mail:?}").contains("Jeanne"), "nothing personal is printed");
}

#[test]
fn the_plain_text_is_chosen_and_files_keep_no_folder_in_their_names() {
    let mail = read(MIXED.as_bytes()).unwrap();
    assert_eq!(mail.text, "Voici la photo.");
    let files: Vec<_> =
        mail.attachments.iter().map(|file| (file.name.as_str(), file.kind.as_str())).collect();
    assert_eq!(
        files,
        [
            ("trottoir abîmé.jpg", "image/jpeg"),
            ("winmail.dat", "application/ms-tnef"),
            ("piece-3.ics", "text/calendar")
        ]
    );
    assert!(mail.attachments[0].bytes.starts_with(&[0xff, 0xd8, 0xff]));
    assert!(mail.id.starts_with("sha256-"), "a mail without an id is named by its bytes");
    assert_eq!(mail.id, read(MIXED.as_bytes()).unwrap().id);
}

#[test]
fn a_page_alone_is_read_and_does_nothing() {
    let page = "From: a@b.example\r\nContent-Type: text/html; charset=windows-1252\r\n\r\n\
        <html><style>x</style><p>D\u{e9}chets rue Pasteur</p><script>alert(1)</script><blockquote>cit\u{e9}</blockquote>";
    let bytes: Vec<u8> = page.chars().map(|symbol| u8::try_from(u32::from(symbol)).unwrap()).collect();
    let mail = read(&bytes).unwrap();
    assert_eq!(mail.text, "Déchets rue Pasteur\n\n> cité");
    assert_eq!(split(&mail.text).fresh, "Déchets rue Pasteur");
}

#[test]
fn programs_that_answer_by_themselves_are_told_apart() {
    for (headers, why) in [
        ("Auto-Submitted: auto-replied\r\n", Automatic::Submitted),
        ("Auto-Submitted: auto-generated (rejected)\r\n", Automatic::Submitted),
        ("Precedence: bulk\r\n", Automatic::Precedence),
        ("X-Autoreply: yes\r\n", Automatic::Responder),
        ("List-Id: <voisins.exemple.example>\r\n", Automatic::List),
        ("Return-Path: <>\r\n", Automatic::NullSender),
        ("Return-Path:<>\r\n", Automatic::NullSender),
    ] {
        let mail = with(headers);
        assert_eq!(mail.automatic, Some(why), "{headers}");
        let known = Known { thread: Some(thread()), ..Known::default() };
        assert_eq!(what_to_do(&mail, &known), Deed::Ignore(Ignored::Automatic(why)), "{headers}");
    }
    assert_eq!(with("Auto-Submitted: no\r\n").automatic, None);
    let absence = "From: j@e.example\r\nSubject: =?utf-8?Q?R=C3=A9ponse_automatique?= : Demande\r\nIn-Reply-To: <x@y.example>\r\n\r\nx";
    assert_eq!(read(absence.as_bytes()).unwrap().automatic, Some(Automatic::Absence));
}

#[test]
fn a_mail_acts_on_a_request_by_tag_or_code_only() {
    let mail = with("In-Reply-To: <a@x.example>\r\nReferences: <b@x.example> <c@x.example>\r\n");
    assert_eq!(mail.answers, ["a@x.example", "c@x.example", "b@x.example"]);
    assert_eq!(what_to_do(&mail, &Known::default()), Deed::New, "whom it says it is from proves nothing");
    let known = Known { thread: Some(thread()), ..Known::default() };
    assert_eq!(what_to_do(&mail, &known), Deed::Reply { to: thread().request, proof: Proof::Thread });
    let known = Known { by_code: Some(thread().request), ..Known::default() };
    assert_eq!(what_to_do(&mail, &known), Deed::Reply { to: thread().request, proof: Proof::Code });
}

#[test]
fn what_goes_round_in_circles_ends() {
    let own = Known { ours: vec!["jeanne@exemple.example".into()], ..Known::default() };
    assert_eq!(what_to_do(&with(""), &own), Deed::Ignore(Ignored::OurOwn));
    let hops = "Received: from a by b; Tue, 3 Nov 2026 10:00:00 +0100\r\n".repeat(HOPS_MAX + 1);
    assert_eq!(what_to_do(&with(&hops), &Known::default()), Deed::Ignore(Ignored::Loop));
    assert_eq!(what_to_do(&with("X-Spam-Flag: YES\r\n"), &Known::default()), Deed::Ignore(Ignored::Spam));
    let nobody = read(b"Subject: x\r\n\r\ny").unwrap();
    assert_eq!(what_to_do(&nobody, &Known::default()), Deed::Ignore(Ignored::NoSender));
    let empty = read(b"From: a@b.example\r\nSubject: \r\n\r\n \r\n").unwrap();
    assert_eq!(what_to_do(&empty, &Known::default()), Deed::Ignore(Ignored::Empty));
}

#[test]
fn a_bounce_names_the_mail_that_did_not_arrive() {
    let mail = read(BOUNCE.as_bytes()).unwrap();
    let report = mail.report.clone().unwrap();
    assert_eq!((report.failed, report.status.as_deref()), (true, Some("5.1.1")));
    assert_eq!(report.about, ["ours@ville.example"]);
    assert_eq!(what_to_do(&mail, &Known::default()), Deed::Ignore(Ignored::Report), "not one of ours");
    let known = Known { reported: Some(thread()), ..Known::default() };
    assert_eq!(what_to_do(&mail, &known), Deed::Undelivered(thread()));
    let delayed = read(BOUNCE.replace("Action: failed", "Action: delayed").as_bytes()).unwrap();
    assert_eq!(what_to_do(&delayed, &known), Deed::Ignore(Ignored::Report), "it still tries");
}

#[test]
fn headers_hold_no_second_line_and_no_turned_letters() {
    let mail = with("X: y\r\n");
    assert_eq!(mail.subject, "Bonjour");
    let sly = "From: \"Ville\u{202e}elliV\" <a@b.example>\r\nSubject: =?utf-8?B?Qm9uam91cg0KQmNjOiB0b3VzQHguZXhhbXBsZQ==?=\r\n\r\nx";
    let mail = read(sly.as_bytes()).unwrap();
    assert_eq!(mail.subject, "Bonjour Bcc: tous@x.example");
    assert!(!mail.from.unwrap().name.unwrap_or_default().contains('\u{202e}'));
}

#[test]
fn what_is_made_to_exhaust_is_refused_before_it_is_built() {
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(2 * PARTS_MAX);
    assert_eq!(read(nested.as_bytes()).unwrap_err(), Unreadable::TooManyParts);
    let mut parts = String::from("From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n");
    parts.push_str(&"--x\r\n\r\ny\r\n".repeat(2 * PARTS_MAX));
    assert_eq!(read(parts.as_bytes()).unwrap_err(), Unreadable::TooManyParts);
    assert_eq!(read(b"").unwrap_err(), Unreadable::NoMail);
    assert_eq!(read(&[b'x'].repeat(MAIL_BYTES_MAX + 1)).unwrap_err(), Unreadable::TooLarge);
    let mut files = String::from("From: a@b.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n");
    files.push_str(&"--x\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n".repeat(ATTACHMENTS_MAX + 5));
    let mail = read(files.as_bytes()).unwrap();
    assert_eq!((mail.attachments.len(), mail.left_out), (ATTACHMENTS_MAX, 5));
}

#[test]
fn codes_are_found_where_people_write_them() {
    let code = guichet_engine::rules::tracking::TrackingCode::from_random(&[7; 9]).unwrap();
    let said = code.spoken();
    for text in [
        format!("Re: Nous avons bien reçu votre demande {said}"),
        format!("(code:{})", said.to_lowercase()),
        format!("{}.", said.replace('-', "\u{2011}")),
    ] {
        assert_eq!(codes(&text), std::slice::from_ref(&code), "{text}");
    }
    assert!(codes("Bonjour, dérangement, 06-39-98-00-01, 2026-11-0312").is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_bytes_make_the_reader_fall(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_mangled_mail_makes_the_reader_fall(
        which in 0_usize..3, cuts in proptest::collection::vec((0_usize..2_000, any::<u8>()), 0..20), end in 0_usize..2_000,
    ) {
        let mut bytes = [PLAIN, MIXED, BOUNCE][which].as_bytes().to_vec();
        bytes.truncate(bytes.len().saturating_sub(end % 700));
        for (at, byte) in cuts {
            let length = bytes.len();
            if length > 0 {
                bytes[at % length] = byte;
            }
        }
        if let Ok(mail) = read(&bytes) {
            let _ = what_to_do(&mail, &Known::default());
            let done = split(&mail.text);
            prop_assert!(done.fresh.len() <= mail.text.len());
            prop_assert!(!mail.subject.contains(['\r', '\n']));
        }
    }

    #[test]
    fn no_text_makes_the_splitter_or_the_pages_fall(text in "(?s).{0,400}") {
        let _ = split(&text);
        let _ = codes(&text);
        let _ = html::to_text(&text);
        let _ = html::to_text(&format!("<p>{text}<a '"));
    }
}
