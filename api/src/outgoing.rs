//! Calls to other servers over HTTP: bounded in time and size, without redirects, and, where a stranger chose the
//! address, never into the town hall's own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Url};

/// How long a call may take from beginning to end.
const CALL_MAX: Duration = Duration::from_secs(15);
/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// The largest answer read, in bytes, unless a call says otherwise.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Who chose the address, and so where it may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The operator, in the settings: anywhere, this machine included.
    Configured,
    /// Anybody else: public addresses only, whatever a name resolves to.
    Public,
}

/// A call to another server.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The address.
    pub url: Url,
    /// Headers, by name.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The largest answer that is read, in bytes; with 0 the answer's body is not read at all.
    pub answer_bytes_max: usize,
}

impl Call {
    /// A call without headers or body.
    #[must_use]
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: Vec::new(), body: Vec::new(), answer_bytes_max: ANSWER_BYTES_MAX }
    }

    /// With this header as well.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// What the other server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers, names in small letters; values that are not text are left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name, in small letters.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer. The words hold neither the address nor what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The address leads into a network that strangers have no business in, or is none for HTTP.
    #[error("the address may not be called")]
    Forbidden,
    /// Nobody answers there.
    #[error("no connection could be made")]
    Unreachable,
    /// It took too long.
    #[error("no answer came in time")]
    TimedOut,
    /// The answer is larger than what is read.
    #[error("the answer is too large")]
    TooLarge,
    /// The connection broke off.
    #[error("the exchange broke off")]
    Broken,
}

/// What makes calls; cheap to clone.
#[derive(Debug, Clone)]
pub struct Outgoing {
    configured: Client,
    public: Client,
}

impl Outgoing {
    /// Ready to call.
    ///
    /// # Errors
    /// A sentence, when the system's certificates cannot be read.
    pub fn new() -> Result<Self, String> {
        // Another part of the program may have named the provider before: it is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = || {
            Client::builder()
                .no_proxy()
                .redirect(Policy::none())
                .timeout(CALL_MAX)
                .connect_timeout(CONNECT_MAX)
                .user_agent("guichet")
        };
        let public = client().dns_resolver(Arc::new(PublicOnly)).build();
        Ok(Self {
            configured: client().build().map_err(|error| error.to_string())?,
            public: public.map_err(|error| error.to_string())?,
        })
    }

    /// Makes a call.
    ///
    /// # Errors
    /// [`CallError`]; an answer with a status of failure is none.
    pub async fn call(&self, reach: Reach, call: Call) -> Result<Answer, CallError> {
        if !matches!(call.url.scheme(), "http" | "https") {
            return Err(CallError::Forbidden);
        }
        let client = match reach {
            Reach::Configured => &self.configured,
            Reach::Public => {
                may_be_called(&call.url).await?;
                &self.public
            }
        };
        let mut request = client.request(call.method, call.url);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let mut response = request.body(call.body).send().await.map_err(|error| fault(&error))?;
        let status = response.status().as_u16();
        let headers = response.headers().iter();
        let headers = headers
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let mut body = Vec::new();
        if call.answer_bytes_max == 0 {
            return Ok(Answer { status, headers, body });
        }
        while let Some(chunk) = response.chunk().await.map_err(|error| fault(&error))? {
            if body.len() + chunk.len() > call.answer_bytes_max {
                return Err(CallError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }
}

/// How long a bucket may say nothing while bytes go either way.
const SILENT_MAX: Duration = Duration::from_secs(60);

/// A client for files that stream to and from a server that the operator chose: bounded by silence, not by the time of the
/// whole.
///
/// # Errors
/// A sentence, when the system's certificates cannot be read.
pub(crate) fn streaming() -> Result<Client, String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().redirect(Policy::none()).user_agent("guichet");
    let client = client.connect_timeout(CONNECT_MAX).read_timeout(SILENT_MAX).build();
    client.map_err(|error| error.to_string())
}

fn fault(error: &reqwest::Error) -> CallError {
    match error {
        error if error.is_timeout() => CallError::TimedOut,
        error if error.is_connect() => CallError::Unreachable,
        _ => CallError::Broken,
    }
}

/// Refuses an address that leads nowhere public. The connection looks its name up again and takes public addresses only, so
/// that a name whose owner turns it inwards in between is not reached; this is what can tell why.
async fn may_be_called(url: &Url) -> Result<(), CallError> {
    match url.host() {
        Some(url::Host::Domain(name)) => match public_addresses(name).await {
            Ok(addresses) if addresses.is_empty() => Err(CallError::Forbidden),
            Ok(_) => Ok(()),
            Err(_) => Err(CallError::Unreachable),
        },
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) if is_public_host(url) => Ok(()),
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) | None => Err(CallError::Forbidden),
    }
}

/// The addresses of a name that are public ones.
async fn public_addresses(name: &str) -> std::io::Result<Vec<SocketAddr>> {
    let found = tokio::time::timeout(CONNECT_MAX, tokio::net::lookup_host((name, 0))).await??;
    Ok(found.filter(|address| is_public(address.ip())).collect())
}

/// Whether the host of an address is a name, which is looked up later, or a public address.
pub(crate) fn is_public_host(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(_)) => true,
        Some(url::Host::Ipv4(address)) => is_public(IpAddr::V4(address)),
        Some(url::Host::Ipv6(address)) => is_public(IpAddr::V6(address)),
        None => false,
    }
}

/// Gives the public addresses of a name, and those are the ones connected to: asking again later, when the name's owner
/// may have turned it inwards, never happens.
struct PublicOnly;

/// The name leads nowhere public.
#[derive(Debug, thiserror::Error)]
#[error("not a public address")]
struct NotPublic;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let public = public_addresses(name.as_str()).await?;
            if public.is_empty() {
                return Err(Box::new(NotPublic).into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the public Internet (IANA's special-purpose registries left out).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_unspecified()
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a == 198 && (b == 18 || b == 19));
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let [first, second, ..] = address.segments();
    // Global unicast only, without documentation, and without the passages (6to4, Teredo, NAT64) that carry others.
    let global = (first & 0xe000) == 0x2000;
    global && first != 0x2002 && !(first == 0x2001 && (second == 0 || second == 0x0db8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_lead_inwards_are_not_public() {
        for inner in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:10.0.0.1",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
            "2001:db8::1",
        ] {
            assert!(!is_public(inner.parse().unwrap()), "{inner}");
        }
        for outer in ["9.9.9.9", "1.1.1.1", "2620:fe::fe", "2a01:e0a::1"] {
            assert!(is_public(outer.parse().unwrap()), "{outer}");
        }
    }

    #[tokio::test]
    async fn strangers_cannot_have_this_machine_called() {
        let outgoing = Outgoing::new().unwrap();
        for url in [
            "http://127.0.0.1:9/",
            "http://localhost:9/",
            "https://localhost:9/",
            "http://[::1]:9/",
            "file:///etc/passwd",
        ] {
            let call = Call::new(Method::GET, url.parse().unwrap());
            assert_eq!(outgoing.call(Reach::Public, call).await.unwrap_err(), CallError::Forbidden, "{url}");
        }
        let closed = Call::new(Method::GET, "http://127.0.0.1:9/".parse().unwrap());
        assert_eq!(outgoing.call(Reach::Configured, closed).await.unwrap_err(), CallError::Unreachable);
    }
}
