//! Texts with a shape of their own: addresses, numbers, accounts, amounts.

use serde_json::Value;

/// An e-mail address: one `@`, something before it, a domain with a dot after it, no blanks.
pub(in crate::request) fn email(text: &str) -> Option<String> {
    let (local, domain) = text.rsplit_once('@')?;
    let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control()) && !local.contains('@');
    let host = domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.');
    (plain && host && !local.is_empty() && text.len() <= 254).then(|| text.to_owned())
}

/// A telephone number as people write it, kept as its digits with the `+` there was.
pub(in crate::request) fn phone(text: &str) -> Option<String> {
    let separators = [' ', '.', '-', '/', '(', ')', '\u{a0}', '\u{202f}'];
    let number: String = text.chars().filter(|c| !separators.contains(c)).collect();
    let digits = number.strip_prefix('+').unwrap_or(&number);
    (digits.bytes().all(|byte| byte.is_ascii_digit()) && (3..=15).contains(&digits.len())).then_some(number)
}

/// An IBAN whose check digits are right (ISO 13616, ISO 7064 MOD 97-10), without blanks.
pub(super) fn bank_account(text: &str) -> Option<String> {
    let iban: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase();
    if !(15..=34).contains(&iban.len()) || !iban.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let (head, account) = iban.split_at(4);
    let letters = head.bytes().take(2).all(|byte| byte.is_ascii_uppercase());
    let mut rest: u32 = 0;
    for symbol in account.chars().chain(head.chars()) {
        let value = symbol.to_digit(36)?;
        rest = if value < 10 { rest * 10 + value } else { rest * 100 + value } % 97;
    }
    (letters && rest == 1).then_some(iban)
}

/// An amount in cents and its currency: `{ amount, currency }` or `12.50 EUR`.
pub(super) fn money(value: &Value) -> Option<(i64, String)> {
    let (amount, currency) = match value {
        Value::String(text) => {
            let (amount, currency) = text.trim().split_once(' ')?;
            (amount.to_owned(), currency.trim().to_owned())
        }
        Value::Object(object) => {
            let currency = object.get("currency").and_then(Value::as_str).unwrap_or("EUR").to_owned();
            let amount = match object.get("amount")? {
                Value::String(text) => text.trim().to_owned(),
                Value::Number(number) => number.to_string(),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
            };
            (amount, currency)
        }
        Value::Number(number) => (number.to_string(), "EUR".to_owned()),
        Value::Null | Value::Bool(_) | Value::Array(_) => return None,
    };
    let is_currency = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
    Some((cents(&amount).filter(|_| is_currency)?, currency))
}

/// `12.5` or `12,50` as 1250, without a detour through binary fractions.
fn cents(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once(['.', ',']).unwrap_or((digits, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 2 || !plain(whole) || !plain(fraction) {
        return None;
    }
    let hundredths: i64 = format!("{fraction:0<2}").parse().ok()?;
    Some(sign * whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(hundredths)?)
}
