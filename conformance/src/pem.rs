//! Certificates in PEM, strictly (RFC 7468 §3), and nothing else (RFC 8555 §9.1).

use base64ct::{Base64, Encoding};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// RFC 7468 §2: "Generators MUST wrap the base64-encoded lines so that each line consists of exactly 64 characters except for the final
/// line".
const WIDTH: usize = 64;

/// The certificates in a text, in DER.
///
/// # Errors
/// What is not a `stricttextualmsg` in it. An empty line between two is taken: the grammar of RFC 8555 §9.1 has one, its example none.
pub fn decode(text: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "no text".to_owned())?;
    let mut certificates = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        match line {
            BEGIN => certificates.push(decode_one(lines.by_ref())?),
            "" if !certificates.is_empty() => {}
            _ => return Err(format!("{line:?} outside of a certificate")),
        }
    }
    Ok(certificates)
}

fn decode_one<'t>(lines: &mut impl Iterator<Item = &'t str>) -> Result<Vec<u8>, String> {
    let mut base64 = String::new();
    let mut is_last = false;
    for line in lines {
        if line == END {
            return Base64::decode_vec(&base64).map_err(|error| format!("base64: {error}"));
        }
        if is_last || line.len() > WIDTH || line.is_empty() {
            return Err(format!("the line {line:?}, of {} characters", line.len()));
        }
        is_last = line.len() < WIDTH;
        base64.push_str(line);
    }
    Err("a certificate without end".into())
}

/// A certificate in PEM.
#[must_use]
pub fn encode(der: &[u8]) -> String {
    let base64 = Base64::encode_string(der);
    let mut text = format!("{BEGIN}\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.len().min(WIDTH));
        text.push_str(line);
        text.push('\n');
        rest = behind;
    }
    text + END + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let one = encode(&[7; 100]);
        let chain = [&one[..], &encode(&[8; 48])].concat();
        assert_eq!(decode(chain.as_bytes()), Ok(vec![vec![7; 100], vec![8; 48]]));
        assert_eq!(
            decode(chain.replace("-----\n-----", "-----\n\n-----").replace('\n', "\r\n").as_bytes()).map(|all| all.len()),
            Ok(2)
        );
    }

    #[test]
    fn nothing_else_is_read() {
        let one = encode(&[7; 100]);
        for bad in [
            format!("subject=CN = a\n{one}"),
            format!("{one}more\n"),
            one.replace("CERTIFICATE", "X509 CERTIFICATE"),
            one.replacen("\n", "\n\n", 1),
            one.replace("-----END", "----END"),
            one.replacen("BwcH", "Bwc\nH", 1),
        ] {
            assert!(decode(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
