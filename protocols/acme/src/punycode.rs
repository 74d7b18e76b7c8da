//! Punycode (RFC 3492): RFC 8555 §7.1.4 has servers verify that what begins with `xn--` is "properly encoded".

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const INITIAL_BIAS: u32 = 72;
const INITIAL_N: u32 = 128;

/// What the rest of a label behind `xn--` stands for, in lower case; `None` where it is no Punycode (RFC 3492 §6.2).
pub(crate) fn decode(text: &str) -> Option<Vec<char>> {
    let (basic, extended) = text.rsplit_once('-').filter(|(basic, _)| !basic.is_empty()).unwrap_or(("", text));
    let mut decoded: Vec<char> = basic.chars().collect();
    let (mut n, mut i, mut bias) = (INITIAL_N, 0_u32, INITIAL_BIAS);
    let mut digits = extended.bytes();
    while digits.len() > 0 {
        let before = i;
        i = integer(&mut digits, i, bias)?;
        let length = u32::try_from(decoded.len()).ok()?.checked_add(1)?;
        bias = adapt(i - before, length, before == 0);
        n = n.checked_add(i / length)?;
        i %= length;
        // Surrogates and what is beyond U+10FFFF are no characters.
        decoded.insert(usize::try_from(i).ok()?, char::from_u32(n)?);
        i += 1;
    }
    Some(decoded)
}

/// Adds the next generalized variable-length integer (RFC 3492 §3.3) to `i`.
fn integer(digits: &mut std::str::Bytes<'_>, mut i: u32, bias: u32) -> Option<u32> {
    let (mut weight, mut k) = (1_u32, BASE);
    loop {
        let digit = char::from(digits.next()?).to_digit(36)?;
        // RFC 3492 §5: the letters are 0 to 25, the digits 26 to 35.
        let digit = if digit < 10 { digit + 26 } else { digit - 10 };
        i = i.checked_add(digit.checked_mul(weight)?)?;
        let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
        if digit < threshold {
            return Some(i);
        }
        weight = weight.checked_mul(BASE - threshold)?;
        k += BASE;
    }
}

/// RFC 3492 §6.1.
fn adapt(delta: u32, length: u32, is_first: bool) -> u32 {
    const SKEW: u32 = 38;
    const DAMP: u32 = 700;
    let mut delta = if is_first { delta / DAMP } else { delta / 2 };
    delta += delta / length;
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(punycode: &str) -> Option<String> {
        decode(punycode).map(|characters| characters.into_iter().collect())
    }

    /// RFC 3492 §7.1 (A), (B), (I), (L), (S), lower-cased; and names of today.
    #[test]
    fn vectors() {
        for (punycode, expected) in [
            ("egbpdaj6bu4bxfgehfvwxn", "ليهمابتكلموشعربي؟"),
            ("ihqwcrb4cv8a8dqg056pqjye", "他们为什么不说中文"),
            ("b1abfaaepdrnnbgefbadotcwatmq2g4l", "почемужеонинеговорятпорусски"),
            ("3b-ww4c5e180e575a65lsy2b", "3年b組金八先生"),
            ("-> $1.00 <--", "-> $1.00 <-"),
            ("bcher-kva", "bücher"),
            ("mnchen-3ya", "münchen"),
        ] {
            assert_eq!(text(punycode).as_deref(), Some(expected), "{punycode}");
        }
    }

    #[test]
    fn what_is_no_punycode() {
        for wrong in ["bcher-kv", "bcher-kv_", "99999999", "-bcher", "a-9999999999", "\u{fc}"] {
            assert_eq!(text(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_label_is_decoded_or_refused(label in "[a-z0-9-]{0,63}") {
            if let Some(decoded) = decode(&label) {
                prop_assert!(decoded.len() <= label.len());
                let is_basic = |character: &char| character.is_ascii();
                prop_assert!(label.is_empty() || label.ends_with('-') || !decoded.iter().all(is_basic));
            }
        }
    }
}
