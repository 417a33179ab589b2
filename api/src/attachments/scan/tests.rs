//! Scanners that nobody here wrote, where the environment names them (`.ci/with-scanners`), and what ICAP servers may say.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// The test file of EICAR, put together here: a repository that held it would be taken away by somebody's scanner.
pub(super) fn eicar() -> Vec<u8> {
    ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!$H+H*"].concat().into_bytes()
}

fn named(variable: &str) -> Option<String> {
    let found = std::env::var(variable).ok();
    if found.is_none() {
        eprintln!("skipped: {variable} names no scanner");
    }
    found
}

async fn asked(scanner: &Scanner, bytes: &[u8]) -> Result<Verdict, String> {
    scanner.scan(bytes, u64::try_from(bytes.len()).unwrap()).await
}

/// Nothing, a byte, around the preview, more than one chunk, more than any preview.
const SIZES: [usize; 8] = [1, 1023, 1024, 1025, 4096, 65_536, 65_537, 9_000_000];

#[tokio::test]
async fn a_real_clamd_finds_the_test_file_by_both_of_its_doors() {
    let Some(address) = named("GUICHET_TEST_CLAMD") else { return };
    let socket = format!("unix:{}", std::env::var("GUICHET_TEST_CLAMD_SOCKET").unwrap());
    for address in [address, socket] {
        let scanner = Scanner::Clamd(Clamd::parse(&address));
        let found = asked(&scanner, &eicar()).await.unwrap();
        assert!(matches!(&found, Verdict::Found(name) if name.contains("Eicar-Test-Signature")), "{found:?}");
        for size in SIZES {
            assert_eq!(asked(&scanner, &vec![b'a'; size]).await, Ok(Verdict::Clean), "{size} bytes");
        }
        let long = asked(&scanner, &vec![b'a'; 31 << 20]).await;
        assert!(long.is_err(), "what clamd is told not to look at is unseen, not clean: {long:?}");
    }
}

#[tokio::test]
async fn a_real_icap_server_finds_the_test_file_and_lets_the_rest_pass() {
    let Some(service) = named("GUICHET_TEST_ICAP") else { return };
    let scanner = Scanner::Icap(Icap::parse(&service).unwrap());
    let found = asked(&scanner, &eicar()).await.unwrap();
    assert!(matches!(&found, Verdict::Found(name) if name.starts_with("Eicar-Test-Signature")), "{found:?}");
    for size in SIZES {
        assert_eq!(asked(&scanner, &vec![b'a'; size]).await, Ok(Verdict::Clean), "{size} bytes");
    }
    let nowhere = Icap::parse(&service.replace("avscan", "nowhere")).unwrap();
    let told = asked(&Scanner::Icap(nowhere), b"text").await.unwrap_err();
    assert!(told.contains("404"), "{told}");
}

#[tokio::test]
async fn an_icap_service_that_sends_back_what_it_was_given_found_nothing() {
    let Some(service) = named("GUICHET_TEST_ICAP_ECHO") else { return };
    let scanner = Scanner::Icap(Icap::parse(&service).unwrap());
    for size in SIZES {
        assert_eq!(asked(&scanner, &vec![b'a'; size]).await, Ok(Verdict::Clean), "{size} bytes");
    }
}

/// An ICAP server that offers `methods` with a preview of four bytes, reads the head and the preview, and says `answer`.
async fn saying(methods: &'static str, answer: &'static str) -> Scanner {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut heard = Vec::new();
            let mut buffer = [0; 4096];
            while let Ok(read) = stream.read(&mut buffer).await {
                heard.extend(&buffer[..read]);
                if read == 0 {
                    break;
                }
                if heard.starts_with(b"OPTIONS") && heard.ends_with(b"\r\n\r\n") {
                    heard.clear();
                    let offer = format!("ICAP/1.0 200 OK\r\nMethods: {methods}\r\nPreview: 4\r\n\r\n");
                    stream.write_all(offer.as_bytes()).await.unwrap();
                } else if heard.ends_with(b"0; ieof\r\n\r\n") || heard.ends_with(b"\r\n0\r\n\r\n") {
                    let _ = stream.write_all(answer.as_bytes()).await;
                    break;
                }
            }
        }
    });
    Scanner::Icap(Icap::parse(&format!("icap://{address}/service")).unwrap())
}

#[tokio::test]
async fn what_an_icap_server_says_is_taken_for_no_more_than_it_is() {
    const REPLACED: &str = "ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=19\r\n\r\nHTTP/1.1 403 No\r\n\r\n2\r\nno\r\n0\r\n\r\n";
    const SAME: &str = "ICAP/1.0 200 OK\r\nEncapsulated: req-hdr=0, req-body=19\r\n\r\nPUT /x HTTP/1.1\r\n\r\n2\r\nte\r\n2\r\nxt\r\n0\r\n\r\n";
    const NAMED: &str = "ICAP/1.0 200 OK\r\nX-Infection-Found: Type=0; Resolution=2; Threat=Bad\u{7}One;\r\nEncapsulated: null-body=0\r\n\r\n";
    const ENDLESS: &str = "ICAP/1.0 200 OK\r\nEncapsulated: res-body=0\r\n\r\nffffffffff\r\n";
    let found = |name: &str| Ok(Verdict::Found(name.to_owned()));
    for (methods, file, answer, verdict) in [
        ("RESPMOD", "text", "ICAP/1.0 204 Unmodified\r\n\r\n", Ok(Verdict::Clean)),
        ("RESPMOD, REQMOD", "text", REPLACED, found("the service replaced the file")),
        ("REQMOD", "text", SAME, Ok(Verdict::Clean)),
        ("REQMOD", "a longer text", SAME, found("the service replaced the file")),
        ("RESPMOD", "text", NAMED, found("BadOne")),
        ("RESPMOD", "text", "ICAP/1.0 500 Oh\r\n\r\n", Err("answers 500")),
        ("RESPMOD", "text", "HTTP/1.1 200 OK\r\n\r\n", Err("does not speak ICAP")),
        ("RESPMOD", "text", "ICAP/1.0 2", Err("broke off")),
        ("RESPMOD", "text", ENDLESS, Err("too much")),
        ("OPTIONS", "text", "", Err("looks at no files")),
    ] {
        let told = asked(&saying(methods, answer).await, file.as_bytes()).await;
        match verdict {
            Ok(verdict) => assert_eq!(told, Ok(verdict), "{answer:?}"),
            Err(words) => {
                assert!(told.as_ref().is_err_and(|told| told.contains(words)), "{told:?} for {answer:?}")
            }
        }
    }
}

#[test]
fn addresses_of_services_are_told_from_others() {
    for wrong in
        ["", "127.0.0.1:1344", "http://127.0.0.1/avscan", "icap://127.0.0.1/", "icap://key@127.0.0.1/avscan"]
    {
        assert!(Icap::parse(wrong).is_err(), "{wrong:?}");
    }
    assert_eq!(
        Icap::parse("icap://[::1]/avscan?mode=simple").unwrap().clone(),
        Icap::parse("icap://[::1]:1344/avscan?mode=simple").unwrap()
    );
}
