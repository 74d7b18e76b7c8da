//! Wire pictures of each extension, and values with one fault each.

use super::*;

const URL: &str = "http://a/c";

/// `cRLDistributionPoints` with one point of one URL.
const POINTS: [u8; 20] = [
    0x30, 18, // CRLDistributionPoints
    0x30, 16, // DistributionPoint
    0xa0, 14, // distributionPoint
    0xa0, 12, // fullName
    0x86, 10, b'h', b't', b't', b'p', b':', b'/', b'/', b'a', b'/', b'c',
];

/// Extensions of one, as they come with a certificate.
fn read(oid: ObjectIdentifier, value: &[u8]) -> Extensions {
    let mut writer = DerWriter::default();
    writer.sequence(|w| Extension { oid, critical: false, value: value.to_vec() }.write(w));
    Extensions::from_der(&writer.finish()).unwrap()
}

#[test]
fn points_are_written_as_rfc_5280_has_them() {
    let name = DistributionPointName::from_urls([URL]).unwrap();
    let (points, freshest) = (Extension::crl_distribution_points(&name), Extension::freshest_crl(&name));
    assert_eq!((points.value.as_slice(), points.oid.to_string().as_str(), points.critical), (&POINTS[..], "2.5.29.31", false));
    assert_eq!(
        (freshest.value.as_slice(), freshest.oid.to_string().as_str(), freshest.critical),
        (&POINTS[..], "2.5.29.46", false)
    );
}

#[test]
fn several_urls_are_one_point() {
    let urls = [URL, "ldap://b/cn=c?certificateRevocationList"];
    let name = DistributionPointName::from_urls(urls).unwrap();
    let written = Extension::crl_distribution_points(&name);
    let points = read(written.oid, &written.value).crl_distribution_points().unwrap();
    assert_eq!(points, [name]);
    assert!(points[0].urls().eq(urls));
    assert_eq!(read(written.oid, &written.value).freshest_crl().unwrap(), []);
}

#[test]
fn a_url_is_a_uri_in_ascii_and_there_is_one() {
    for wrong in [&[][..], &[""], &["a"], &[":a"], &["http://é/"], &["http://a/ b"], &["http://a/\n"], &[URL, ""]] {
        assert_eq!(DistributionPointName::from_urls(wrong.iter().copied()), None, "{wrong:?}");
    }
    assert_eq!(DistributionPointName::from_urls([URL; MAX_GENERAL_NAMES + 1]), None);
}

#[test]
fn points_for_some_reasons_or_of_other_issuers_are_left_out() {
    let name = [0xa0, 5, 0xa0, 3, 0x86, 1, b':'];
    let (reasons, issuer) = ([0x81, 2, 6, 0x40], [0xa2, 3, 0x82, 1, b'a']);
    let point = |fields: &[&[u8]]| {
        let fields = fields.concat();
        let mut writer = DerWriter::default();
        writer.sequence(|w| {
            w.tlv(tag::SEQUENCE, &fields);
        });
        DistributionPointName::read_points(&writer.finish())
    };
    assert_eq!(point(&[&name]).unwrap().len(), 1);
    for left_out in [&[&name[..], &reasons][..], &[&name, &issuer], &[&issuer], &[&reasons, &issuer]] {
        assert_eq!(point(left_out), Ok(Vec::new()), "{left_out:02x?}");
    }
    for wrong in [&[&reasons[..]][..], &[], &[&[0xa0, 0]], &[&[0xa0, 2, 0xa0, 0]], &[&[0xa0, 2, 0xa1, 0]], &[&name, &name]] {
        assert!(point(wrong).is_err(), "{wrong:02x?}");
    }
    for wrong in [&[][..], &[0x30, 0], &[0x31, 0], &[&POINTS[..], &[0]].concat()] {
        assert!(DistributionPointName::read_points(wrong).is_err(), "{wrong:02x?}");
    }
    let many = |points: usize| {
        let one = [&[0x30, 7], &name[..]].concat();
        let mut writer = DerWriter::default();
        writer.tlv(tag::SEQUENCE, &one.repeat(points));
        DistributionPointName::read_points(&writer.finish()).map(|points| points.len())
    };
    assert_eq!(many(MAX_DISTRIBUTION_POINTS), Ok(MAX_DISTRIBUTION_POINTS));
    assert!(many(MAX_DISTRIBUTION_POINTS + 1).is_err());
}

#[test]
fn access_has_responders_before_issuers() {
    let access = AuthorityInfoAccess { ocsp: vec!["x:o".to_owned()], ca_issuers: vec!["x:i".to_owned()] };
    let written = Extension::authority_info_access(&access).unwrap();
    let method = [6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30];
    let ocsp = [&[0x30, 15], &method[..], &[1, 0x86, 3, b'x', b':', b'o']].concat();
    let issuers = [&[0x30, 15], &method[..], &[2, 0x86, 3, b'x', b':', b'i']].concat();
    assert_eq!(written.value, [&[0x30, 34], &ocsp[..], &issuers].concat());
    assert_eq!((written.oid.to_string().as_str(), written.critical), ("1.3.6.1.5.5.7.1.1", false));
    assert_eq!(read(written.oid, &written.value).authority_info_access(), Ok(access));
    assert_eq!(Extension::authority_info_access(&AuthorityInfoAccess::default()), None);

    let read_value = |value: &[u8]| read(rfc5280::ID_PE_AUTHORITY_INFO_ACCESS, value).authority_info_access();
    assert!(read_value(&[0x30, 0]).is_err() && read_value(&[0x30, 2, 0x30, 0]).is_err());
    // Other methods and other names are of no use.
    let others = [
        &[0x30, 28, 0x30, 13],
        &method[..],
        &[3, 0x86, 1, b':', 0x30, 11],
        &[6, 2, 0x2a, 3, 0x86, 5, b'x', b':', b'a', b'b', b'c'],
    ]
    .concat();
    assert_eq!(read_value(&others), Ok(AuthorityInfoAccess::default()));
}

#[test]
fn no_rev_avail_is_null() {
    let written = Extension::no_rev_avail();
    assert_eq!((written.oid.to_string().as_str(), written.critical, &written.value[..]), ("2.5.29.56", false, &[5, 0][..]));
    assert_eq!(read(written.oid, &written.value).no_rev_avail(), Ok(true));
    assert_eq!(Extensions::default().no_rev_avail(), Ok(false));
    for wrong in [&[][..], &[5], &[5, 1, 0], &[0x30, 0]] {
        assert!(read(written.oid, wrong).no_rev_avail().is_err(), "{wrong:02x?}");
    }
}

#[test]
fn the_authority_key_is_named_by_its_identifier() {
    let written = Extension::authority_key_identifier(&[7; 20]);
    assert_eq!(read(written.oid, &written.value).authority_key_identifier(), Ok(Some(vec![7; 20])));
    let by_serial = [0x30, 9, 0xa1, 4, 0xa4, 2, 0x30, 0, 0x82, 1, 5];
    assert_eq!(read(written.oid, &by_serial).authority_key_identifier(), Ok(None));
    assert_eq!(Extensions::default().authority_key_identifier(), Ok(None));
    for wrong in [&[][..], &[0x31, 0], &[0x30, 2, 0x84, 0]] {
        assert!(read(written.oid, wrong).authority_key_identifier().is_err(), "{wrong:02x?}");
    }
}
