//! Who really calls, where a reverse proxy stands in front: what `Forwarded` (RFC 7239) or `X-Forwarded-For` say is
//! believed of machines that the operator named, and of nobody else.

use std::net::IpAddr;
use std::str::FromStr;

use axum::http::HeaderMap;

/// The most machines that a request may say it came through; the nearest count.
const HOPS_MAX: usize = 16;

/// Addresses with the same first bits, such as `10.0.0.0/8`; a single address is one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    bits: u32,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is neither an address nor a network such as 10.0.0.0/8");
        let (base, bits) = text.split_once('/').map_or((text, None), |(base, bits)| (base, Some(bits)));
        let base: IpAddr = base.parse().map_err(|_| wrong())?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| wrong()))?;
        if bits > most { Err(wrong()) } else { Ok(Self { base, bits }) }
    }
}

impl Network {
    fn holds(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
                u32::from(base) & mask == u32::from(address) & mask
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
                u128::from(base) & mask == u128::from(address) & mask
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// The address that a request comes from. Every proxy adds to the right; read from there, the first address that is no
/// trusted proxy's is the caller's, and whatever stands left of it anybody may have written.
pub(crate) fn caller(trusted: &[Network], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let is_proxy = |address: IpAddr| trusted.iter().any(|network| network.holds(address));
    let mut known = peer.to_canonical();
    if !is_proxy(known) {
        return known;
    }
    for hop in hops(headers).into_iter().rev().take(HOPS_MAX) {
        let Some(address) = hop else { return known };
        known = address.to_canonical();
        if !is_proxy(known) {
            return known;
        }
    }
    known
}

/// The addresses that the headers name, from left to right; none where something else stands there.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let listed = |name: &str| -> Vec<String> {
        let values = headers.get_all(name).into_iter();
        values
            .flat_map(|value| value.to_str().unwrap_or("?").split(',').map(|part| part.trim().to_owned()))
            .collect()
    };
    let forwarded = listed("forwarded");
    if !forwarded.is_empty() {
        return forwarded.iter().map(|element| forwarded_for(element)).collect();
    }
    listed("x-forwarded-for").iter().map(|hop| address(hop)).collect()
}

/// The `for` of an element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut named = pairs.filter(|(name, _)| name.eq_ignore_ascii_case("for"));
    address(named.next()?.1.trim_matches('"'))
}

/// An address with or without a port, IPv6 in brackets or not.
fn address(text: &str) -> Option<IpAddr> {
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split(']').next()?.parse().ok();
    }
    text.parse().ok().or_else(|| text.rsplit_once(':')?.0.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(trusted: &[&str], peer: &str, headers: &[(&'static str, &str)]) -> String {
        let trusted: Vec<Network> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        caller(&trusted, peer.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn nobody_is_believed_who_was_not_named() {
        let forged = [("x-forwarded-for", "198.51.100.9")];
        assert_eq!(told(&[], "192.0.2.1", &forged), "192.0.2.1");
        assert_eq!(told(&["10.0.0.0/8"], "192.0.2.1", &forged), "192.0.2.1");
        assert_eq!(told(&["10.0.0.0/8"], "10.1.2.3", &forged), "198.51.100.9");
        assert_eq!(told(&["10.0.0.0/8"], "::ffff:10.1.2.3", &forged), "198.51.100.9");
    }

    #[test]
    fn what_the_caller_wrote_itself_stands_left_and_does_not_count() {
        let chain = [("x-forwarded-for", "203.0.113.7, 198.51.100.9"), ("x-forwarded-for", "10.0.0.2")];
        assert_eq!(told(&["10.0.0.0/8"], "10.0.0.1", &chain), "198.51.100.9");
        let broken = [("x-forwarded-for", "198.51.100.9, nobody")];
        assert_eq!(told(&["10.0.0.0/8"], "10.0.0.1", &broken), "10.0.0.1");
        assert_eq!(told(&["10.0.0.0/8"], "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn the_standard_header_counts_before_the_customary_one() {
        let both =
            [("forwarded", "for=\"[2001:db8::7]:4711\";proto=https"), ("x-forwarded-for", "198.51.100.9")];
        assert_eq!(told(&["10.0.0.1", "fd00::/8"], "10.0.0.1", &both), "2001:db8::7");
        assert_eq!(told(&["fd00::/8"], "fd00::1", &[("forwarded", "For=192.0.2.60:80")]), "192.0.2.60");
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "proxy.example", "10.0.0.0/-1"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        assert_eq!(told(&["0.0.0.0/0"], "192.0.2.1", &[]), "192.0.2.1");
    }
}
