//! Lists as they are built.

use std::cell::Cell;
use std::time::Duration;

use certgate_crl::{Crl, CrlNumber, Draft, InvalidFields, IssuingDistributionPoint, Kind, Listed, Removal, Scope};
use certgate_pki::asn1::{DerReader, Tlv, tag};
use certgate_pki::{Name, SignatureAlgorithm, Timestamp};
use certgate_testkit::{ca_key, provider};

use crate::lists::{ED25519, NOW, Parts, encoded, entry, made, name};

/// The picture of a list without entries, and of where each field is.
#[test]
fn a_list_without_entries_has_no_revoked_certificates() {
    let algorithm = [0x30, 5, 6, 3, 0x2b, 0x65, 0x70];
    let expected = [
        &[0x30, 0x81, 180][..],                                                // CertificateList
        &[0x30, 104],                                                          // TBSCertList
        &[2, 1, 1],                                                            // version v2(1)
        &algorithm,                                                            // signature
        &[0x30, 13, 0x31, 11, 0x30, 9, 6, 3, 0x55, 4, 3, 0x0c, 2, b'C', b'A'], // issuer
        &[0x17, 13],                                                           // thisUpdate
        b"260921141320Z",
        &[0x17, 13], // nextUpdate
        b"260922141320Z",
        &[0xa0, 47, 0x30, 45],                                          // crlExtensions
        &[0x30, 31, 6, 3, 0x55, 0x1d, 0x23, 4, 24, 0x30, 22, 0x80, 20], // authorityKeyIdentifier
        &[7; 20],
        &[0x30, 10, 6, 3, 0x55, 0x1d, 0x14, 4, 3, 2, 1, 5], // cRLNumber
        &algorithm,                                         // signatureAlgorithm
        &[3, 65, 0],                                        // signatureValue
        &[9; 64],
    ];
    let der = made(&Parts::new().fields(), &[]).unwrap();
    assert_eq!(der, expected.concat());
    assert_eq!(Crl::parse(&der).unwrap().entry_count(), 0);
}

#[test]
fn entries_are_the_pieces_one_after_the_other() {
    let parts = Parts::new();
    let entries: Vec<_> = (0..9).map(entry).collect();
    let pieces: Vec<_> = entries.chunks(2).map(encoded).collect();
    let draft = parts.fields().prepare(ED25519, pieces.iter().map(Vec::as_slice)).unwrap();
    let der = draft.assemble(&[9; 64]);
    assert_eq!(der, made(&parts.fields(), &encoded(&entries)).unwrap());
    let crl = Crl::parse(&der).unwrap();
    assert_eq!((crl.entry_count(), crl.encoded_entries()), (9, encoded(&entries).as_slice()));
    assert!(crl.entries().eq(entries.into_iter().map(Listed::Revoked)));
}

#[test]
fn pieces_that_are_empty_are_no_entries() {
    let parts = Parts::new();
    let none: [&[u8]; 0] = [];
    let of = |draft: Result<Draft, InvalidFields>| draft.unwrap().assemble(&[9; 64]);
    let expected = made(&parts.fields(), &[]).unwrap();
    assert_eq!(of(parts.fields().prepare(ED25519, none)), expected);
    assert_eq!(of(parts.fields().prepare(ED25519, [&[][..], &[]])), expected);
}

#[test]
fn every_field_comes_back() {
    let parts = Parts::new();
    let (freshest, base) = (name("http://crl.example/delta.crl"), CrlNumber::from(3));
    for scope in [Scope::All, Scope::UserCertificates, Scope::CaCertificates] {
        let point = IssuingDistributionPoint::new(Some(name("http://crl.example/1.crl")), scope).unwrap();
        for kind in
            [Kind::Complete { freshest: Some(&freshest) }, Kind::Complete { freshest: None }, Kind::Delta { base: &base }]
        {
            let mut fields = parts.fields();
            (fields.distribution_point, fields.kind) = (Some(&point), kind);
            let der = made(&fields, &encoded(&[entry(1)])).unwrap();
            let crl = Crl::parse(&der).unwrap();
            assert_eq!(
                (crl.issuer.as_der(), crl.this_update, crl.next_update),
                (parts.issuer.as_der(), NOW, fields.next_update)
            );
            assert_eq!((crl.authority_key.as_ref(), crl.number.as_ref()), (Some(&parts.key), Some(&parts.number)));
            assert_eq!((crl.distribution_point.as_ref(), crl.algorithm()), (Some(&point), Some(ED25519)));
            match kind {
                Kind::Complete { freshest } => assert_eq!((crl.freshest.first(), crl.delta_base), (freshest, None)),
                Kind::Delta { base } => assert_eq!((crl.freshest.len(), crl.delta_base.as_ref()), (0, Some(base))),
            }
        }
    }
}

#[test]
fn what_is_critical_is_that_and_nothing_else() {
    let parts = Parts::new();
    let (freshest, base) = (name("x:f"), CrlNumber::from(5));
    let point = IssuingDistributionPoint::new(None, Scope::UserCertificates).unwrap();
    let extensions = |kind| {
        let mut fields = parts.fields();
        (fields.distribution_point, fields.kind) = (Some(&point), kind);
        let der = made(&fields, &[]).unwrap();
        let crl = Crl::parse(&der).unwrap();
        let mut reader = Tlv::only(crl.to_be_signed()).unwrap().contents().unwrap();
        let last = std::iter::from_fn(|| reader.any().ok()).last().unwrap();
        let read = certgate_pki::Extensions::from_der(last.value).unwrap();
        read.iter().map(|extension| (extension.oid.to_string(), extension.critical)).collect::<Vec<_>>()
    };
    let expected = |kinds: [(&str, bool); 4]| kinds.map(|(oid, critical)| (oid.to_owned(), critical));
    assert_eq!(
        extensions(Kind::Complete { freshest: Some(&freshest) }),
        expected([("2.5.29.35", false), ("2.5.29.20", false), ("2.5.29.28", true), ("2.5.29.46", false)])
    );
    assert_eq!(
        extensions(Kind::Delta { base: &base }),
        expected([("2.5.29.35", false), ("2.5.29.20", false), ("2.5.29.27", true), ("2.5.29.28", true)])
    );
}

#[test]
fn deltas_remove() {
    let parts = Parts::new();
    let base = CrlNumber::from(4);
    let removal = Removal { serial: entry(2).serial, date: NOW };
    let mut octets = encoded(&[entry(1)]);
    removal.encode_into(&mut octets);
    let mut fields = parts.fields();
    assert!(Crl::parse(&made(&fields, &octets).unwrap()).is_err(), "a complete list does not");
    fields.kind = Kind::Delta { base: &base };
    let der = made(&fields, &octets).unwrap();
    assert!(Crl::parse(&der).unwrap().entries().eq([Listed::Revoked(entry(1)), Listed::Removed(removal)]));
}

#[test]
fn fields_that_make_no_list() {
    let (mut parts, nobody) = (Parts::new(), Name::from_attributes(Vec::new()));
    let (zero, six) = (CrlNumber::from(0), CrlNumber::from(6));
    let refused = |change: &dyn Fn(&mut certgate_crl::CrlFields<'_>)| {
        let mut fields = parts.fields();
        change(&mut fields);
        made(&fields, &[]).unwrap_err()
    };
    // A closure over `&mut CrlFields<'_>` cannot put a borrow of its own into it, so what refers to more is set here.
    let second = NOW.after(Duration::from_millis(999));
    assert_eq!(refused(&|fields| fields.next_update = NOW), InvalidFields::Dates);
    assert_eq!(refused(&|fields| fields.next_update = second), InvalidFields::Dates);
    let mut fields = parts.fields();
    fields.issuer = &nobody;
    assert_eq!(made(&fields, &[]), Err(InvalidFields::NoIssuer));
    for base in [&zero, &six] {
        let mut fields = parts.fields();
        fields.kind = Kind::Delta { base };
        assert_eq!(made(&fields, &[]), Err(InvalidFields::Base));
    }
    parts.number = zero;
    assert_eq!(made(&parts.fields(), &[]), Err(InvalidFields::Number));
}

#[test]
fn entries_that_change_meanwhile_make_no_list() {
    let (parts, times, octets) = (Parts::new(), Cell::new(0), encoded(&[entry(1)]));
    let pieces = (0..2).map(|_| {
        times.set(times.get() + 1);
        if times.get() == 4 { &[][..] } else { octets.as_slice() }
    });
    assert_eq!(parts.fields().prepare(ED25519, pieces).unwrap_err(), InvalidFields::Entries);
}

/// Where lengths get another octet, of the whole, of the TBSCertList, of revokedCertificates.
#[test]
fn lengths_are_right_around_every_boundary() {
    let parts = Parts::new();
    for octets in (1..300).chain(65_000..65_700).chain((1 << 24) - 4..(1 << 24) + 4) {
        // Not entries, and not looked into: one INTEGER, or two, of as many octets as are wanted.
        let piece = vec![0; octets];
        let draft = parts.fields().prepare(ED25519, [piece.as_slice()]).unwrap();
        let is_whole = |tlv: Tlv<'_>, all: &[u8]| tlv.tag == tag::SEQUENCE && tlv.raw == all;
        assert!(is_whole(Tlv::only(draft.to_be_signed()).unwrap(), draft.to_be_signed()), "{octets}");
        let to_be_signed = draft.to_be_signed().to_vec();
        let der = draft.assemble(&[9; 64]);
        let outer = Tlv::only(&der).unwrap();
        assert!(is_whole(outer, &der), "{octets}");
        let tbs = outer.contents().unwrap().any().unwrap();
        assert_eq!(tbs.raw, to_be_signed);
        let mut fields = tbs.contents().unwrap();
        let revoked = (0..6).map(|_| fields.any().unwrap()).last().unwrap();
        assert_eq!((revoked.tag, revoked.value.len()), (tag::SEQUENCE, octets));
        assert_eq!(fields.any().unwrap().tag, 0xa0);
        assert!(fields.is_finished());
    }
}

#[test]
fn signed_by_the_key_over_what_was_prepared() {
    let (parts, key, provider) = (Parts::new(), ca_key(), provider(1));
    let draft = parts.fields().prepare(key.algorithm(), [encoded(&[entry(1)]).as_slice()]).unwrap();
    let signature = key.sign(draft.to_be_signed()).unwrap();
    let der = draft.assemble(&signature);
    let crl = Crl::parse(&der).unwrap();
    assert_eq!(crl.verify_signed_by(key.public_key(), &provider), Ok(()));
    let mut changed = der.clone();
    let at = der.windows(5).position(|octets| octets == b"26092").unwrap();
    changed[at + 5] = b'0';
    let changed = Crl::parse(&changed).unwrap();
    assert!(changed.verify_signed_by(key.public_key(), &provider).is_err());
}

/// Both AlgorithmIdentifiers are those of certificates, for every algorithm there is.
#[test]
fn the_algorithm_is_named_twice_and_alike() {
    let parts = Parts::new();
    for algorithm in SignatureAlgorithm::ALL {
        let der = parts.fields().prepare(algorithm, [&[][..]]).unwrap().assemble(&[9; 64]);
        assert_eq!(Crl::parse(&der).unwrap().algorithm(), Some(algorithm));
    }
}

#[test]
fn dates_of_2050_are_generalized() {
    let parts = Parts::new();
    let mut fields = parts.fields();
    fields.next_update = Timestamp::from_seconds(2_524_608_000);
    let der = made(&fields, &[]).unwrap();
    let crl = Crl::parse(&der).unwrap();
    assert_eq!(crl.next_update, fields.next_update);
    let mut reader = DerReader::new(Tlv::only(crl.to_be_signed()).unwrap().value).unwrap();
    let tags: Vec<_> = std::iter::from_fn(|| reader.any().ok()).map(|field| field.tag).collect();
    assert_eq!(tags, [tag::INTEGER, tag::SEQUENCE, tag::SEQUENCE, tag::UTC_TIME, tag::GENERALIZED_TIME, 0xa0]);
}
