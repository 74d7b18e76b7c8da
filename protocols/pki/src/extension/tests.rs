use super::*;

#[test]
fn path_length_of_a_ca() {
    let of = |value: Vec<u8>| {
        let mut writer = DerWriter::default();
        writer.sequence(|w| Extension { value, ..Extension::basic_constraints_leaf() }.write(w));
        Extensions::from_der(&writer.finish()).unwrap().path_len()
    };
    for length in [0, 1, 0x7f] {
        assert_eq!(of(Extension::basic_constraints_ca(Some(length)).value), Ok(Some(length)));
    }
    assert_eq!(of(Extension::basic_constraints_ca(None).value), Ok(None));
    assert_eq!(of(vec![0x30, 7, 1, 1, 0xff, 2, 2, 0, 200]), Ok(Some(200)));
    assert_eq!(of(vec![0x30, 7, 1, 1, 0xff, 2, 2, 1, 0]), Ok(None));
    for malformed in
        [vec![0x30, 6, 1, 1, 0xff, 2, 1, 0xff], vec![0x30, 7, 1, 1, 0xff, 2, 2, 0, 5], vec![0x30, 5, 1, 1, 0xff, 2, 0]]
    {
        assert!(of(malformed).is_err());
    }
}

#[test]
fn key_usage_has_no_trailing_zero_bits() {
    let usage = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT;
    assert_eq!(Extension::key_usage(usage).value, [0x03, 0x02, 0x05, 0xa0]);
    let ca = KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN;
    assert_eq!(Extension::key_usage(ca).value, [0x03, 0x02, 0x01, 0x06]);
    assert_eq!(KeyUsage::read(&[0x03, 0x02, 0x01, 0x06]).unwrap(), ca);
    assert!(KeyUsage::read(&[0x03, 0x01, 0x00]).unwrap().is_empty());
}

#[test]
fn a_ca_hidden_in_ber_is_a_ca() {
    assert!(read_ca(&[0x30, 0x03, 0x01, 0x01, 0x01]).unwrap());
    assert!(read_ca(&[0x30, 0x03, 0x01, 0x01, 0xff]).unwrap());
    assert!(!read_ca(&[0x30, 0x00]).unwrap());
    assert!(read_ca(&[0x30, 0x02, 0x01, 0x00]).is_err());
    assert!(read_ca(&[0x31, 0x00]).is_err());
}

#[test]
fn ocsp_no_check_is_null_and_not_critical() {
    let mut writer = DerWriter::default();
    Extension::ocsp_no_check().write(&mut writer);
    // id-pkix-ocsp 5 under id-ad-ocsp, 1.3.6.1.5.5.7.48.1.
    assert_eq!(writer.finish(), [0x30, 0x0f, 0x06, 0x09, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 5, 0x04, 0x02, 0x05, 0x00]);
}

#[test]
fn an_extension_comes_once() {
    let one = [0x30, 0x09, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x04, 0x02, 0x30, 0x00];
    let mut twice = vec![0x30, 22];
    twice.extend(one);
    twice.extend(one);
    assert!(Extensions::from_der(&twice).is_err());
    assert_eq!(Extensions::from_der(&[&[0x30, 11], &one[..]].concat()).unwrap().iter().count(), 1);
}
