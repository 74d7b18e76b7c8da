use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn written(algorithm: SignatureAlgorithm) -> Vec<u8> {
    let mut writer = DerWriter::default();
    algorithm.write(&mut writer);
    writer.finish()
}

fn read(der: &[u8]) -> der::Result<Option<SignatureAlgorithm>> {
    SignatureAlgorithm::read(Tlv::only(der)?)
}

/// AlgorithmIdentifier of a hash, id-sha256 and its neighbours by their last arc, with these parameters.
fn hash(last_arc: u8, parameters: &[u8]) -> Vec<u8> {
    let mut writer = DerWriter::default();
    writer.sequence(|w| {
        w.tlv(tag::OID, &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, last_arc]).raw(parameters);
    });
    writer.finish()
}

fn mgf(oid: ObjectIdentifier, parameters: &[u8]) -> Vec<u8> {
    let mut writer = DerWriter::default();
    writer.sequence(|w| {
        w.oid(&oid).raw(parameters);
    });
    writer.finish()
}

/// id-RSASSA-PSS with these fields, each DER of what is in the explicit tag of that number.
fn pss(fields: &[(u8, &[u8])]) -> Vec<u8> {
    let mut writer = DerWriter::default();
    writer.sequence(|w| {
        w.oid(&rfc5912::ID_RSASSA_PSS).sequence(|w| {
            for (number, value) in fields {
                w.tlv(tag::context_constructed(*number), value);
            }
        });
    });
    writer.finish()
}

const NULL: [u8; 2] = [tag::NULL, 0];
const SALT_32: &[u8] = &[tag::INTEGER, 1, 32];

/// As RFC 4055 §3.1 has it, octet by octet.
#[test]
fn sha_256_with_its_recommended_salt() {
    let sha256 = [0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0];
    let expected = [
        &[0x30, 0x41, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10][..], // id-RSASSA-PSS
        &[0x30, 0x34],                                                         // RSASSA-PSS-params
        &[0xa0, 0x0f],                                                         // [0] hashAlgorithm
        &sha256,
        &[0xa1, 0x1c, 0x30, 0x1a, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8], // [1] id-mgf1
        &sha256,
        &[0xa2, 3, 2, 1, 0x20], // [2] saltLength 32
    ]
    .concat();
    assert_eq!(written(SignatureAlgorithm::RsaPssSha256 { salt: 32 }), expected);
}

#[test]
fn what_else_is_rsassa_pss_with_one_hash() {
    for (last_arc, make) in [(1, 256), (2, 384), (3, 512)] {
        let algorithm = |salt| match make {
            256 => SignatureAlgorithm::RsaPssSha256 { salt },
            384 => SignatureAlgorithm::RsaPssSha384 { salt },
            _ => SignatureAlgorithm::RsaPssSha512 { salt },
        };
        for (parameters, mask_parameters) in [(&NULL[..], &NULL[..]), (&[], &[]), (&NULL, &[]), (&[], &NULL)] {
            let one = hash(last_arc, parameters);
            let mask = mgf(rfc5912::ID_MGF_1, &hash(last_arc, mask_parameters));
            let base: [(u8, &[u8]); 2] = [(0, &one), (1, &mask)];
            assert_eq!(read(&pss(&base)), Ok(Some(algorithm(20))), "20 is the DEFAULT");
            for (salt, octets) in [(0, &[0][..]), (127, &[127]), (222, &[0, 222]), (446, &[1, 0xbe])] {
                let salt_field = [&[tag::INTEGER, u8::try_from(octets.len()).unwrap()], octets].concat();
                let fields = [&base[..], &[(2, &salt_field)]].concat();
                assert_eq!(read(&pss(&fields)), Ok(Some(algorithm(salt))));
                let with_trailer = [&fields[..], &[(3, &[tag::INTEGER, 1, 1])]].concat();
                assert_eq!(read(&pss(&with_trailer)), Ok(Some(algorithm(salt))));
            }
        }
    }
}

#[test]
fn well_formed_and_not_known() {
    let sha256 = hash(1, &NULL);
    let mask = mgf(rfc5912::ID_MGF_1, &sha256);
    for fields in [
        // SHA-1, in one place or both.
        &[][..],
        &[(2, SALT_32)],
        &[(0, &sha256), (2, SALT_32)],
        &[(1, &mask), (2, SALT_32)],
        // SHA-224; two hashes; a hash with parameters.
        &[(0, &hash(4, &NULL)), (1, &mgf(rfc5912::ID_MGF_1, &hash(4, &NULL)))],
        &[(0, &sha256), (1, &mgf(rfc5912::ID_MGF_1, &hash(2, &NULL))), (2, SALT_32)],
        &[(0, &hash(1, &[tag::INTEGER, 1, 0])), (1, &mask), (2, SALT_32)],
        // Another mask, another trailer, too much salt.
        &[(0, &sha256), (1, &mgf(rfc5912::ID_RSASSA_PSS, &sha256)), (2, SALT_32)],
        &[(0, &sha256), (1, &mask), (2, SALT_32), (3, &[tag::INTEGER, 1, 2])],
        &[(0, &sha256), (1, &mask), (2, &[tag::INTEGER, 3, 1, 0, 0])],
    ] {
        assert_eq!(read(&pss(fields)), Ok(None), "{fields:02x?}");
    }
    let without_parameters = mgf(rfc5912::ID_RSASSA_PSS, &[]);
    assert_eq!(read(&without_parameters), Ok(None));
}

#[test]
fn malformed_parameters() {
    let sha256 = hash(1, &NULL);
    let mask = mgf(rfc5912::ID_MGF_1, &sha256);
    for fields in [
        &[(1, &mask[..]), (0, &sha256[..]), (2, SALT_32)][..],
        &[(0, &sha256), (0, &sha256), (1, &mask), (2, SALT_32)],
        &[(0, &sha256), (1, &mgf(rfc5912::ID_MGF_1, &[])), (2, SALT_32)],
        &[(0, &sha256), (1, &mask), (2, &[tag::INTEGER, 1, 0x80])],
        &[(0, &sha256), (1, &mask), (2, &[tag::INTEGER, 2, 0, 32])],
        &[(0, &sha256), (1, &mask), (2, &[tag::INTEGER, 0])],
        &[(0, &sha256), (1, &mask), (2, &[tag::OCTET_STRING, 1, 32])],
        &[(0, &sha256), (1, &mask), (2, &[])],
        &[(0, &sha256), (1, &mask), (4, SALT_32)],
        &[(0, &[]), (1, &mask)],
        &[(0, &[sha256.as_slice(), &NULL].concat()), (1, &mask)],
    ] {
        assert!(read(&pss(fields)).is_err(), "{fields:02x?}");
    }
    for parameters in [&NULL[..], &[tag::SET, 0]] {
        assert!(read(&mgf(rfc5912::ID_RSASSA_PSS, parameters)).is_err());
    }
}

#[test]
fn which_key_makes_which_signature() {
    let rsa = KeyType::Rsa { bits: 2048 };
    for key in [rsa, KeyType::P256, KeyType::Ed25519, KeyType::Unknown(rfc5912::ID_RSASSA_PSS)] {
        for salt in [0, 32, 222] {
            assert_eq!(SignatureAlgorithm::RsaPssSha256 { salt }.suits(key), key == rsa, "{key}");
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(which in 0..SignatureAlgorithm::ALL.len(), any_salt in any::<u16>()) {
        let algorithm = match SignatureAlgorithm::ALL[which] {
            SignatureAlgorithm::RsaPssSha256 { .. } => SignatureAlgorithm::RsaPssSha256 { salt: any_salt },
            SignatureAlgorithm::RsaPssSha384 { .. } => SignatureAlgorithm::RsaPssSha384 { salt: any_salt },
            SignatureAlgorithm::RsaPssSha512 { .. } => SignatureAlgorithm::RsaPssSha512 { salt: any_salt },
            other => other,
        };
        let der = written(algorithm);
        prop_assert_eq!(read(&der), Ok(Some(algorithm)));
    }

    #[test]
    fn no_octets_make_the_reader_panic(parameters in vec(any::<u8>(), 0..80)) {
        let _ = read(&mgf(rfc5912::ID_RSASSA_PSS, &parameters));
        let mut sequence = DerWriter::default();
        sequence.tlv(tag::SEQUENCE, &parameters);
        let _ = read(&mgf(rfc5912::ID_RSASSA_PSS, &sequence.finish()));
    }

    #[test]
    fn right_parameters_with_a_few_octets_changed(
        salt in any::<u16>(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut der = written(SignatureAlgorithm::RsaPssSha384 { salt });
        for (at, octet) in changes {
            let at = at.index(der.len());
            der[at] = octet;
        }
        // What is still read says what it is: written again, it reads the same.
        if let Ok(Some(algorithm)) = read(&der) {
            prop_assert_eq!(read(&written(algorithm)), Ok(Some(algorithm)));
        }
    }
}
