//! Queries of SCEP, and messages in them.
#![no_main]

use base64ct::{Base64, Encoding};
use certgate_scep::{Query, decode_message};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(query) = Query::parse(text)
        && let Some(message) = query.message
    {
        assert!(text.contains(message));
        let _ = decode_message(message);
    }
    let Ok(message) = decode_message(text) else { return };
    // As RFC 8894 §4.1 has it, and as clients send it that escape less.
    let plain = Base64::encode_string(&message);
    let escaped = plain.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    for again in [&plain, &escaped, &plain.replace('+', " ")] {
        assert_eq!(decode_message(again).as_ref(), Ok(&message));
    }
});
