//! Tracking codes: short enough to say on the telephone, with a check character, and not to be guessed.
//!
//! Nine symbols of an alphabet without look-alikes (no `0`, `O`, `1`, `I`, `L`), then one check symbol by the pure
//! system MOD 31,2 of ISO/IEC 7064, which finds every single wrong symbol and every swap of neighbours. Written
//! `XXX-XXX-XXXX`. There are 31⁹ ≈ 2.6 × 10¹³ of them.

/// The symbols, each with the value of its place.
const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
/// Symbols before the check symbol.
const SYMBOLS: usize = 9;
/// The largest multiple of 31 that a byte can hold: bytes from here on would favour some symbols, so they are not used.
const FAIR_BYTES: u8 = 248;

/// A tracking code. It lets its bearer follow a request, so it is never printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct TrackingCode(String);

/// The text is not a tracking code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTrackingCode {
    /// It does not have ten symbols of the alphabet.
    #[error("a tracking code has ten letters and digits, such as `K7M-4QP-9TXA`")]
    Form,
    /// A symbol is wrong, or two are swapped.
    #[error("the check character does not fit: a letter or digit is wrong, or two are swapped")]
    Check,
}

impl TrackingCode {
    /// A code from random bytes; `None` when too few of them are usable (one byte in 32 is not), so give 32.
    #[must_use]
    pub fn from_random(bytes: &[u8]) -> Option<Self> {
        let values: Vec<u8> =
            bytes.iter().filter(|byte| **byte < FAIR_BYTES).map(|byte| byte % 31).take(SYMBOLS).collect();
        (values.len() == SYMBOLS).then(|| Self::from_values(&values))
    }

    fn from_values(values: &[u8]) -> Self {
        let symbol = |value: u8| ALPHABET.get(usize::from(value)).copied().map_or('?', char::from);
        let mut code: String = values.iter().map(|value| symbol(*value)).collect();
        code.push(symbol(check(values)));
        Self(code)
    }

    /// Reads what a person typed or said: case, spaces, dots and hyphens do not count.
    ///
    /// # Errors
    /// [`BadTrackingCode`].
    pub fn parse(text: &str) -> Result<Self, BadTrackingCode> {
        let mut values = Vec::with_capacity(SYMBOLS + 1);
        for symbol in text.bytes().take(64).filter(|symbol| !matches!(symbol, b' ' | b'-' | b'.')) {
            let upper = symbol.to_ascii_uppercase();
            let value = ALPHABET.iter().position(|known| *known == upper).ok_or(BadTrackingCode::Form)?;
            values.push(u8::try_from(value).map_err(|_| BadTrackingCode::Form)?);
        }
        match values.split_last() {
            Some((given, rest)) if rest.len() == SYMBOLS => {
                if check(rest) == *given {
                    Ok(Self::from_values(rest))
                } else {
                    Err(BadTrackingCode::Check)
                }
            }
            Some(_) | None => Err(BadTrackingCode::Form),
        }
    }

    /// The ten symbols without hyphens: what is hashed and compared.
    #[must_use]
    pub fn plain(&self) -> &str {
        &self.0
    }

    /// As it is shown and said: `XXX-XXX-XXXX`.
    #[must_use]
    pub fn spoken(&self) -> String {
        let (first, rest) = self.0.split_at_checked(3).unwrap_or((&self.0, ""));
        let (second, third) = rest.split_at_checked(3).unwrap_or((rest, ""));
        format!("{first}-{second}-{third}")
    }
}

/// Never prints the code.
impl std::fmt::Debug for TrackingCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TrackingCode(…)")
    }
}

fn check(values: &[u8]) -> u8 {
    let sum = values.iter().fold(0_u16, |sum, value| (sum + u16::from(*value)) * 2 % 31);
    u8::try_from((32 - sum) % 31).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_is_read_back_however_it_was_said() {
        let code = TrackingCode::from_random(&[7; 9]).unwrap();
        let said = format!(" {} ", code.spoken().to_lowercase().replace('-', " . "));
        assert_eq!(TrackingCode::parse(&said), Ok(code.clone()));
        assert_eq!(code.spoken().len(), 12);
    }

    #[test]
    fn random_bytes_that_would_favour_a_symbol_are_not_used() {
        assert!(TrackingCode::from_random(&[250; 32]).is_none());
        assert!(TrackingCode::from_random(&[0; 8]).is_none());
    }

    #[test]
    fn what_is_no_code_is_told_so() {
        assert_eq!(TrackingCode::parse("K7M-4QP"), Err(BadTrackingCode::Form));
        assert_eq!(TrackingCode::parse("O00-111-LLL1"), Err(BadTrackingCode::Form));
        assert_eq!(TrackingCode::parse(""), Err(BadTrackingCode::Form));
    }

    proptest! {
        #[test]
        fn every_wrong_symbol_and_every_swap_of_neighbours_is_found(
            bytes in proptest::collection::vec(0_u8..248, 9), place in 0_usize..10, other in 0_usize..31, swap in 0_usize..9,
        ) {
            let code = TrackingCode::from_random(&bytes).unwrap();
            let mut wrong = code.plain().as_bytes().to_vec();
            wrong[place] = ALPHABET[other];
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert_eq!(TrackingCode::parse(&wrong).is_ok(), wrong == code.plain());
            let mut swapped = code.plain().as_bytes().to_vec();
            swapped.swap(swap, swap + 1);
            let swapped = String::from_utf8(swapped).unwrap();
            prop_assert_eq!(TrackingCode::parse(&swapped).is_ok(), swapped == code.plain());
        }
    }
}
