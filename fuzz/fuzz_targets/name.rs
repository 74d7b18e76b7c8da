//! Distinguished names, as DER and as text.
#![no_main]

use certgate_pki::{Name, NameAttributeType, limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(name) = Name::from_der(data) {
        assert_eq!(name.as_der(), data);
        assert!(name.attributes().len() <= limits::MAX_NAME_ATTRIBUTES);
        assert_eq!(name.is_empty(), data == [0x30, 0]);
        assert_issued_again(&name);
    }
    if let Ok(name) = std::str::from_utf8(data).unwrap_or_default().parse::<Name>() {
        assert!(name.attributes().iter().all(certgate_pki::NameAttribute::is_well_formed));
        assert_issued_again(&name);
    }
});

/// Of attributes that may be issued, a name is made that reads the same, and its text says the same.
fn assert_issued_again(name: &Name) {
    let may_be_issued = |kind| !matches!(kind, NameAttributeType::Other(_));
    let attributes: Vec<_> = name
        .attributes()
        .iter()
        .filter(|attribute| may_be_issued(attribute.kind) && attribute.is_well_formed())
        .cloned()
        .collect();
    let made = Name::from_attributes(attributes.clone());
    let Ok(read) = Name::from_der(made.as_der()) else { panic!("what was written is read") };
    assert_eq!((read.attributes(), &read), (attributes.as_slice(), &made));
    let text = made.to_string();
    if !attributes.is_empty() {
        match text.parse::<Name>() {
            Ok(parsed) => assert_eq!(parsed, made, "{text}"),
            Err(error) => panic!("{text}: {error}"),
        }
    }
}
