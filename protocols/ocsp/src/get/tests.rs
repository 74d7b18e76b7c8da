use base64ct::{Base64, Base64Url, Encoding};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const BOTH: [Reading; 2] = [Reading::Strict, Reading::Compatible];
/// Base64 of it has all the characters that are special in a URL.
const OCTETS: [u8; 10] = [0x33, 0xef, 0xff, 0xff, 0xff, 0xff, 0xbf, 1, 2, 3];

fn decoded(path: &str, reading: Reading) -> Result<Vec<u8>, GetError> {
    decode_get(path, reading).map(|decoded| decoded.der)
}

/// Named after what was done to the base64.
#[test]
fn paths_that_the_rfc_allows() {
    assert_eq!(Base64::encode_string(&OCTETS), "M+//////vwECAw==");
    for (what, path) in [
        ("escaped", "/M%2B%2F%2F%2F%2F%2F%2FvwECAw%3D%3D"),
        ("escaped in lower case", "/M%2b%2f%2f%2f%2f%2f%2fvwECAw%3d%3d"),
        ("not escaped", "/M+//////vwECAw=="),
        ("half escaped", "/M+%2F/%2f///vwECAw%3D="),
        ("all escaped", "%4d%2b%2f%2f%2f%2f%2f%2f%76%77%45%43%41%77%3d%3d"),
        ("no slash before", "M+//////vwECAw=="),
        ("two slashes before", "//M+//////vwECAw=="),
        ("an escaped slash before", "/%2FM+//////vwECAw=="),
    ] {
        for reading in BOTH {
            let expected = DecodedGet { der: OCTETS.to_vec(), leniences: vec![] };
            assert_eq!(decode_get(path, reading), Ok(expected), "{what}");
        }
    }
}

#[test]
fn paths_that_only_compatible_reading_takes() {
    use Lenience::{Base64Url, Space, Unpadded};
    for (path, leniences) in [
        ("/M-______vwECAw==", vec![Base64Url]),
        ("/M-______vwECAw", vec![Base64Url, Unpadded]),
        ("/M+//////vwECAw", vec![Unpadded]),
        ("/M //////vwECAw==", vec![Space]),
        ("/M%20_/_/__vwECAw", vec![Space, Base64Url, Unpadded]),
    ] {
        assert_eq!(decoded(path, Reading::Strict), Err(GetError::NotBase64), "{path}");
        assert_eq!(decode_get(path, Reading::Compatible), Ok(DecodedGet { der: OCTETS.to_vec(), leniences }), "{path}");
    }
    let names: Vec<_> = Lenience::ALL.into_iter().map(Lenience::name).collect();
    assert_eq!(names, ["base64url", "unpadded", "space"]);
}

#[test]
fn paths_without_a_request() {
    for reading in BOTH {
        for empty in ["", "/", "//", "/%2f"] {
            assert_eq!(decoded(empty, reading), Err(GetError::Empty), "{empty}");
        }
        for wrong in [
            "/A",
            "/MII%",
            "/MII%2",
            "/MII%zz",
            "/MII%+1",
            "/M!II",
            "/MIé",
            "/MI==I",
            "/MI=",
            "/=",
            "/====",
            "/MIIB/",
            // Escaped twice; a bit behind the last octet; a line feed.
            "/M%252B%252F",
            "/MH==",
            "/MII%0A",
        ] {
            let result = decoded(wrong, reading);
            assert_eq!(result, Err(GetError::NotBase64), "{wrong}");
        }
    }
}

#[test]
fn bounds() {
    for reading in BOTH {
        let most = Base64::encode_string(&vec![0x30; MAX_REQUEST]);
        assert_eq!(decoded(&most, reading).unwrap().len(), MAX_REQUEST);
        let more = Base64::encode_string(&vec![0x30; MAX_REQUEST + 1]);
        assert_eq!(decoded(&more, reading), Err(GetError::TooLong));
        assert_eq!(decoded(&"%".repeat(MAX_TEXT + 1), reading), Err(GetError::TooLong));
    }
}

proptest! {
    #[test]
    fn however_it_is_escaped(rest in vec(any::<u8>(), 0..200), escapes in vec(0..3_u8, 300), slashes in 0..4_usize) {
        let der = [&[0x30], &rest[..]].concat();
        let mut path = "/".repeat(slashes);
        for (character, how) in Base64::encode_string(&der).chars().zip(escapes.iter().cycle()) {
            match how {
                0 => path.push(character),
                1 => path.push_str(&format!("%{:02X}", u32::from(character))),
                _ => path.push_str(&format!("%{:02x}", u32::from(character))),
            }
        }
        for reading in BOTH {
            prop_assert_eq!(decode_get(&path, reading), Ok(DecodedGet { der: der.clone(), leniences: vec![] }));
        }
        let url = Base64Url::encode_string(&der);
        prop_assert_eq!(decoded(url.trim_end_matches('='), Reading::Compatible), Ok(der));
    }

    #[test]
    fn any_text(path in ".{0,80}") {
        if let Ok(strict) = decode_get(&path, Reading::Strict) {
            prop_assert!(strict.leniences.is_empty());
            prop_assert_eq!(decode_get(&path, Reading::Compatible), Ok(strict));
        }
    }
}
