//! Lists with one fault each.

use certgate_crl::{Crl, MAX_CRL};
use certgate_pki::asn1::{DerWriter, tag};

use crate::lists::{Parts, encoded, entry, made};

/// The fields of a TBSCertList, each in DER, to be changed one by one.
#[derive(Clone)]
struct Fields(Vec<Vec<u8>>);

const VERSION: usize = 0;
const ALGORITHM: usize = 1;
const ISSUER: usize = 2;
const THIS_UPDATE: usize = 3;
const NEXT_UPDATE: usize = 4;
const REVOKED: usize = 5;
const EXTENSIONS: usize = 6;

/// id-Ed25519.
const ED25519: [u8; 7] = [0x30, 5, 6, 3, 0x2b, 0x65, 0x70];

fn tlv(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let mut writer = DerWriter::default();
    writer.tlv(tag, &contents.concat());
    writer.finish()
}

fn time(text: &str) -> Vec<u8> {
    let tag = if text.len() == 13 { tag::UTC_TIME } else { tag::GENERALIZED_TIME };
    tlv(tag, &[text.as_bytes()])
}

fn extension(number: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    tlv(0x30, &[&[6, 3, 0x55, 0x1d, number], critical, &tlv(4, &[value])])
}

impl Fields {
    fn good() -> Self {
        Self(vec![
            vec![2, 1, 1],
            ED25519.to_vec(),
            Parts::new().issuer.as_der().to_vec(),
            time("260921141320Z"),
            time("260922141320Z"),
            tlv(0x30, &[&encoded(&[entry(1)])]),
            tlv(0xa0, &[&tlv(0x30, &[&extension(20, false, &[2, 1, 5])])]),
        ])
    }

    fn with(mut self, at: usize, der: Vec<u8>) -> Self {
        self.0[at] = der;
        self
    }

    fn list(&self) -> Vec<u8> {
        tlv(0x30, &[&tlv(0x30, &[&self.0.concat()]), &ED25519, &[3, 2, 0, 9]])
    }

    /// What is said of it.
    fn fault(&self) -> String {
        Crl::parse(&self.list()).map_or_else(|fault| fault.0.to_owned(), |_| "none".to_owned())
    }
}

/// What is said of a list with this entry.
fn entry_fault(serial: &[u8], date: &[u8], extensions: &[u8]) -> String {
    Fields::good().with(REVOKED, tlv(0x30, &[&tlv(0x30, &[serial, date, extensions])])).fault()
}

/// What is said of an entry with these extensions.
fn entry_extensions_fault(extensions: &[&[u8]]) -> String {
    entry_fault(&[2, 1, 1], &time("260921141320Z"), &tlv(0x30, extensions))
}

/// What is said of a list with these extensions.
fn extensions_fault(extensions: &[&[u8]]) -> String {
    Fields::good().with(EXTENSIONS, tlv(0xa0, &[&tlv(0x30, extensions)])).fault()
}

#[test]
fn the_list_without_a_fault() {
    assert_eq!(Fields::good().fault(), "none");
    let der = Fields::good().with(EXTENSIONS, Vec::new()).list();
    let crl = Crl::parse(&der).unwrap();
    assert_eq!((crl.number, crl.authority_key), (None, None));
}

#[test]
fn fields() {
    for (at, der, fault) in [
        (VERSION, vec![], "version"),
        (VERSION, vec![2, 1, 0], "version"),
        (VERSION, vec![2, 1, 2], "version"),
        (VERSION, vec![2, 2, 0, 1], "version"),
        (ALGORITHM, vec![0x30, 7, 6, 3, 0x2b, 0x65, 0x70, 5, 0], "signatureAlgorithm differs from signature"),
        (ALGORITHM, vec![], "signatureAlgorithm differs from signature"),
        (ISSUER, vec![0x30, 0], "issuer"),
        (ISSUER, vec![0x30, 2, 0x31, 0], "issuer"),
        (ISSUER, vec![], "issuer"),
        (THIS_UPDATE, vec![], "nextUpdate"),
        (THIS_UPDATE, time("20260921141320Z"), "thisUpdate"),
        (THIS_UPDATE, time("20500101000000"), "thisUpdate"),
        (THIS_UPDATE, time("2609211413Z"), "thisUpdate"),
        (NEXT_UPDATE, vec![], "nextUpdate"),
        (NEXT_UPDATE, time("20491231235959Z"), "nextUpdate"),
        (NEXT_UPDATE, time("260922141320+"), "nextUpdate"),
        (NEXT_UPDATE, time("20500101000000.0Z"), "nextUpdate"),
        (REVOKED, vec![0x30, 0], "revokedCertificates: empty"),
        (REVOKED, vec![0x30, 2, 5, 0], "revokedCertificates"),
        (REVOKED, vec![0x30, 2, 0x30, 0], "entry: userCertificate"),
        (REVOKED, vec![0x31, 0], "what follows crlExtensions"),
        (EXTENSIONS, vec![0xa1, 2, 0x30, 0], "what follows crlExtensions"),
        (EXTENSIONS, vec![0xa0, 0], "crlExtensions"),
        (EXTENSIONS, vec![0xa0, 2, 0x31, 0], "crlExtensions"),
        (EXTENSIONS, vec![0xa0, 4, 0x30, 0, 5, 0], "crlExtensions"),
    ] {
        assert_eq!(Fields::good().with(at, der.clone()).fault(), fault, "{at}: {der:02x?}");
    }
    assert_eq!(Fields::good().with(NEXT_UPDATE, time("20500101000000Z")).fault(), "none");
}

#[test]
fn entries() {
    let (serial, date) = ([2, 1, 1], time("260921141320Z"));
    for (serial, date, extensions, fault) in [
        (&serial[..], &date[..], &[][..], "none"),
        (&[2, 1, 0], &date, &[], "entry: userCertificate"),
        (&[2, 1, 0x80], &date, &[], "entry: userCertificate"),
        (&[2, 2, 0, 1], &date, &[], "entry: userCertificate"),
        (&[2, 0], &date, &[], "entry: userCertificate"),
        (&[4, 1, 1], &date, &[], "entry: userCertificate"),
        (&[], &date, &[], "entry: userCertificate"),
        (&serial, &[], &[], "entry: revocationDate"),
        (&serial, &time("20260921141320Z"), &[], "entry: revocationDate"),
        (&serial, &time("261321141320Z"), &[], "entry: revocationDate"),
        (&serial, &date, &[0x30, 0], "crlEntryExtensions"),
        (&serial, &date, &[0x30, 2, 5, 0], "crlEntryExtensions"),
        (&serial, &date, &[0x31, 0], "what follows crlEntryExtensions"),
        (&serial, &date, &[0x30, 7, 0x30, 5, 6, 1, 0x2a, 4, 0, 5, 0], "what follows crlEntryExtensions"),
    ] {
        assert_eq!(entry_fault(serial, date, extensions), fault, "{serial:02x?} {date:02x?} {extensions:02x?}");
    }
    let long = tlv(2, &[&[1; 21]]);
    assert_eq!(entry_fault(&long, &date, &[]), "entry: userCertificate");
    assert_eq!(entry_fault(&tlv(2, &[&[1; 20]]), &date, &[]), "none");
}

#[test]
fn reasons() {
    for code in 0..=255 {
        let fault = entry_extensions_fault(&[&extension(21, false, &[0x0a, 1, code])]);
        let expected = match code {
            0..=6 | 9 | 10 => "none",
            8 => "reasonCode: removeFromCRL in a complete CRL",
            _ => "reasonCode",
        };
        assert_eq!(fault, expected, "{code}");
    }
    for value in [&[2, 1, 1][..], &[0x0a, 0], &[0x0a, 2, 0, 1], &[0x0a, 1, 1, 0], &[]] {
        assert_eq!(entry_extensions_fault(&[&extension(21, false, value)]), "reasonCode", "{value:02x?}");
    }
}

#[test]
fn extensions_of_entries() {
    let reason = extension(21, false, &[0x0a, 1, 1]);
    let dated = extension(24, false, &time("20260921141320Z"));
    let unknown = |number: u8| extension(number, false, &[5, 0]);
    for good in [&[&reason[..], &dated][..], &[&dated, &reason], &[&unknown(23), &dated], &[&unknown(99)]] {
        assert_eq!(entry_extensions_fault(good), "none", "{good:02x?}");
    }
    let twice = "crlEntryExtensions: one comes twice";
    let critical = "crlEntryExtensions: a critical one";
    for (extensions, fault) in [
        (&[&reason[..], &reason][..], twice),
        (&[&unknown(99), &reason, &unknown(99)], twice),
        (&[&extension(21, true, &[0x0a, 1, 1])], critical),
        (&[&extension(24, true, &time("20260921141320Z"))], critical),
        (&[&extension(99, true, &[5, 0])], critical),
        (&[&extension(29, true, &[0x30, 2, 0xa4, 0])], "certificateIssuer: an indirect CRL"),
        (&[&extension(29, false, &[0x30, 2, 0xa4, 0])], "certificateIssuer: an indirect CRL"),
        (&[&extension(24, false, &time("260921141320Z"))], "invalidityDate"),
        (&[&extension(24, false, &time("20260921141320.5Z"))], "invalidityDate"),
        (&[&extension(24, false, &time("202609211413Z"))], "invalidityDate"),
        // critical FALSE, and a TRUE that is not 0xff
        (&[&[0x30, 13, 6, 3, 0x55, 0x1d, 21, 1, 1, 0, 4, 3, 0x0a, 1, 1]], "crlEntryExtensions"),
        (&[&[0x30, 13, 6, 3, 0x55, 0x1d, 21, 1, 1, 1, 4, 3, 0x0a, 1, 1]], "crlEntryExtensions"),
        (&[&[0x30, 2, 6, 0]], "crlEntryExtensions"),
        (&[&[0x30, 4, 6, 0, 4, 0]], "crlEntryExtensions"),
    ] {
        assert_eq!(entry_extensions_fault(extensions), fault, "{extensions:02x?}");
    }
    let many: Vec<_> = (100..109).map(unknown).collect();
    let many: Vec<_> = many.iter().map(Vec::as_slice).collect();
    assert_eq!(entry_extensions_fault(&many), "crlEntryExtensions: too many");
    assert_eq!(entry_extensions_fault(&many[..8]), "none");
}

#[test]
fn extensions_of_lists() {
    let against = "crlExtensions: critical, or not, against RFC 5280 §5.2";
    let points = [0x30, 9, 0x30, 7, 0xa0, 5, 0xa0, 3, 0x86, 1, b':'];
    let delta = extension(27, true, &[2, 1, 4]);
    for (extensions, fault) in [
        (&[&extension(99, false, &[])[..]][..], "none"),
        (&[&extension(99, true, &[])], "crlExtensions: a critical one that is not known"),
        (&[&delta], "none"),
        (&[&extension(20, true, &[2, 1, 5])], against),
        (&[&extension(27, false, &[2, 1, 4])], against),
        (&[&extension(28, false, &[0x30, 3, 0x81, 1, 0xff])], against),
        (&[&extension(35, true, &[0x30, 0])], against),
        (&[&extension(46, true, &points)], against),
        (&[&extension(46, false, &points)], "none"),
        (&[&extension(46, false, &points), &delta], "freshestCRL in a delta CRL"),
        (&[&delta, &extension(46, false, &points)], "freshestCRL in a delta CRL"),
        (&[&extension(46, false, &[0x30, 0])], "freshestCRL"),
        (&[&extension(20, false, &[2, 1, 0x80])], "cRLNumber"),
        (&[&extension(20, false, &tlv(2, &[&[1; 21]]))], "cRLNumber"),
        (&[&extension(20, false, &[2, 1, 5, 0])], "cRLNumber"),
        (&[&extension(27, true, &[4, 1, 5])], "deltaCRLIndicator"),
        (&[&extension(28, true, &[0x30, 0])], "issuingDistributionPoint: empty"),
        (&[&extension(28, true, &[0x30, 3, 0x84, 1, 0xff])], "issuingDistributionPoint: indirectCRL"),
        (&[&extension(35, false, &[0x31, 0])], "authorityKeyIdentifier"),
        (&[&delta, &delta], "crlExtensions"),
    ] {
        assert_eq!(extensions_fault(extensions), fault, "{extensions:02x?}");
    }
}

#[test]
fn what_is_around() {
    let good = made(&Parts::new().fields(), &encoded(&[entry(1)])).unwrap();
    let fault = |der: &[u8]| Crl::parse(der).unwrap_err().0;
    assert_eq!(fault(&[]), "CertificateList");
    assert_eq!(fault(&good[..good.len() - 1]), "CertificateList");
    assert_eq!(fault(&[&good[..], &[0]].concat()), "CertificateList");
    assert_eq!(fault(&[&[0x31], &good[1..]].concat()), "CertificateList");
    let around = |parts: &[&[u8]]| tlv(0x30, &[&parts.concat()]);
    let tbs = tlv(0x30, &[&Fields::good().0.concat()]);
    for (der, part) in [
        (around(&[&tbs, &ED25519]), "signatureValue"),
        (around(&[&tbs, &ED25519, &[3, 0]]), "signatureValue"),
        (around(&[&tbs, &ED25519, &[3, 2, 1, 8]]), "signatureValue"),
        (around(&[&tbs, &ED25519, &[3, 2, 0, 9], &[5, 0]]), "what follows signatureValue"),
        (around(&[&tbs]), "signatureAlgorithm"),
        (around(&[]), "tbsCertList"),
    ] {
        assert_eq!(fault(&der), part, "{der:02x?}");
    }
    assert_eq!(fault(&vec![0x30; MAX_CRL + 1]), "too large");
}
