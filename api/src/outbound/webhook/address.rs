//! Which addresses may be registered.

use reqwest::Url;

use crate::settings::Settings;

/// The longest address, in characters.
pub const ADDRESS_CHARACTERS_MAX: usize = 2_000;

/// Why an address is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// It is none, or too long.
    #[error("it is not an address, or longer than {ADDRESS_CHARACTERS_MAX} characters")]
    Malformed,
    /// It is not protected, and the operator did not allow that.
    #[error("it must begin with https://")]
    InClear,
    /// It holds a user name or password, which belong nowhere in an address.
    #[error("it must hold no user name and no password")]
    Credentials,
    /// It leads into a network that strangers have no business in.
    #[error("it must be a public address")]
    NotPublic,
}

/// The address in `text`. What a name leads to is looked at again at each delivery; here only what is plain to see is.
///
/// # Errors
/// [`AddressFault`].
pub fn checked_address(text: &str, settings: &Settings) -> Result<Url, AddressFault> {
    if text.chars().count() > ADDRESS_CHARACTERS_MAX {
        return Err(AddressFault::Malformed);
    }
    let url = Url::parse(text).map_err(|_| AddressFault::Malformed)?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(AddressFault::Malformed);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressFault::Credentials);
    }
    if settings.webhooks.allows(&url) {
        return Ok(url);
    }
    match url.scheme() {
        "https" if crate::outgoing::is_public_host(&url) => Ok(url),
        "https" => Err(AddressFault::NotPublic),
        _ => Err(AddressFault::InClear),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_protected_public_addresses_unless_the_operator_says_otherwise() {
        let mut settings = Settings::default();
        let fault = |text: &str, settings: &Settings| checked_address(text, settings).unwrap_err();
        assert!(checked_address("https://portail.example/crochet?jeton=1", &settings).is_ok());
        assert_eq!(fault("http://portail.example/", &settings), AddressFault::InClear);
        assert_eq!(fault("https://127.0.0.1/", &settings), AddressFault::NotPublic);
        assert_eq!(fault("https://[::1]/", &settings), AddressFault::NotPublic);
        assert_eq!(fault("https://2130706433/", &settings), AddressFault::NotPublic);
        assert_eq!(fault("https://0x7f.1/", &settings), AddressFault::NotPublic);
        assert_eq!(fault("https://a:b@portail.example/", &settings), AddressFault::Credentials);
        for none in
            ["ftp://portail.example/", "portail.example", "", "javascript:alert(1)", "file:///etc/passwd"]
        {
            assert_eq!(fault(none, &settings), AddressFault::Malformed, "{none}");
        }
        let long = format!("https://portail.example/{}", "a".repeat(ADDRESS_CHARACTERS_MAX));
        assert_eq!(fault(&long, &settings), AddressFault::Malformed);
        settings.webhooks.allowed_hosts = vec!["127.0.0.1:9000".into(), "portail.interne".into()];
        assert!(checked_address("http://127.0.0.1:9000/", &settings).is_ok());
        assert!(checked_address("http://portail.interne:81/x", &settings).is_ok());
        assert_eq!(fault("http://127.0.0.1:9001/", &settings), AddressFault::InClear);
    }
}
