//! The Authorization header.
#![no_main]

use certgate_est::{BasicCredentials, InvalidBasic, MAX_BASIC};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &[u8]| {
    match BasicCredentials::parse(header) {
        Ok(credentials) => {
            assert!(header.len() <= MAX_BASIC);
            // RFC 7617 §2: no colon in the user, no control characters in either.
            assert!(!credentials.user.contains(':'));
            assert!(!credentials.user.chars().chain(credentials.password.chars()).any(char::is_control));
            let shown = format!("{credentials:?}");
            let secret = credentials.password.as_str();
            assert!(secret.len() < 8 || !shown.replace(&format!("{:?}", credentials.user), "").contains(secret));
        }
        Err(InvalidBasic::OtherScheme) => assert!(!header.to_ascii_lowercase().starts_with(b"basic ")),
        Err(InvalidBasic::Malformed) => {}
    }
});
