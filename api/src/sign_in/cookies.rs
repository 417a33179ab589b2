//! The cookies of a browser that signs in (RFC 6265bis).

use chrono::TimeDelta;

use super::PREFIX;

/// The longest identity token that goes into a cookie, in bytes: browsers take 4 KiB with everything around it.
const HINT_BYTES_MAX: usize = 3500;
/// The longest header of cookies that is looked at, in bytes.
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// How long a browser may take to come back from a provider, in seconds.
pub(super) const AWAY_SECONDS: i64 = 600;

/// How cookies are named and written. None of them can be read by a page's script, sent along by another site's forms, or,
/// over TLS, set by another name of the same domain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    secure: bool,
    age: TimeDelta,
}

impl Cookies {
    pub(super) fn new(secure: bool, age: TimeDelta) -> Self {
        Self { secure, age }
    }

    fn name(self, name: &str) -> String {
        if self.secure { format!("__Host-guichet-{name}") } else { format!("guichet-{name}") }
    }

    fn value<'a>(self, header: &'a str, name: &str) -> Option<&'a str> {
        let name = self.name(name);
        let mut pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
        let found = pairs.find(|(known, _)| *known == name).map(|(_, value)| value);
        found.filter(|_| header.len() <= HEADER_BYTES_MAX)
    }

    /// The token of the session in this collectivity, among the cookies of a request.
    pub(crate) fn session(self, header: &str, tenant: &str) -> Option<String> {
        let token = self.value(header, &format!("session-{tenant}"))?;
        token.starts_with(PREFIX).then(|| token.to_owned())
    }

    /// The identity token by which somebody is signed out at the provider, among the cookies of a request.
    pub(crate) fn hint(self, header: &str, tenant: &str) -> Option<String> {
        self.value(header, &format!("hint-{tenant}")).map(str::to_owned)
    }

    /// What tells the browser that went to a provider, among the cookies of a request.
    pub(crate) fn bound(self, header: &str) -> Option<String> {
        let value = self.value(header, "sign-in")?;
        let drawn =
            value.len() == 43 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        drawn.then(|| value.to_owned())
    }

    fn written(self, name: &str, value: &str, seconds: i64) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        let name = self.name(name);
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
    }

    /// Sets what tells this browser when it comes back.
    pub(crate) fn bind(self, value: &str) -> String {
        self.written("sign-in", value, AWAY_SECONDS)
    }

    /// Sets the session, and what signs out at the provider.
    pub(crate) fn open(self, tenant: &str, token: &str, hint: &str) -> Vec<String> {
        let mut all = vec![self.written(&format!("session-{tenant}"), token, self.age.num_seconds())];
        if hint.len() <= HINT_BYTES_MAX {
            all.push(self.written(&format!("hint-{tenant}"), hint, self.age.num_seconds()));
        }
        all
    }

    /// Takes both away.
    pub(crate) fn close(self, tenant: &str) -> Vec<String> {
        ["session", "hint"].map(|name| self.written(&format!("{name}-{tenant}"), "", 0)).to_vec()
    }
}
