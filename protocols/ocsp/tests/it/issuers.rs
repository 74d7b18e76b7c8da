//! By which an issuer is known.

use certgate_ocsp::{CertId, IssuerHashes, OcspRequest};
use certgate_pki::{DigestAlgorithm, Serial};

use crate::client::{SERIAL, certificate, provider, read};

fn hashes(algorithm: DigestAlgorithm) -> IssuerHashes {
    let ca = certificate("ca.der");
    IssuerHashes::new(algorithm, ca.subject(), ca.public_key(), &*provider().digest)
}

#[test]
fn what_openssl_asks_for_is_what_we_would_ask_for() {
    let serial = Serial::from_octets(&SERIAL).unwrap();
    for (name, algorithm) in ["sha1.der", "sha256.der", "sha384.der", "sha512.der"].into_iter().zip(IssuerHashes::ALGORITHMS) {
        let der = read(name);
        let request = OcspRequest::parse(&der).unwrap();
        let [with_null, without] = hashes(algorithm).cert_ids(&serial);
        assert_eq!(request.sole_cert_id().map(CertId::as_der), Some(with_null.as_slice()), "{name}");
        assert!(without != with_null && hashes(algorithm).are_in(&CertId::from_der(&without).unwrap()), "{name}");
        for other in IssuerHashes::ALGORITHMS {
            assert_eq!(hashes(other).are_in(request.sole_cert_id().unwrap()), other == algorithm, "{name}, {other:?}");
        }
    }
}

#[test]
fn name_and_key_both_count() {
    let (ca, other) = (certificate("ca.der"), certificate("responder.der"));
    let serial = Serial::from_octets(&SERIAL).unwrap();
    for algorithm in IssuerHashes::ALGORITHMS {
        for (name, key) in [(&ca, &other), (&other, &ca), (&other, &other)] {
            for der in IssuerHashes::new(algorithm, name.subject(), key.public_key(), &*provider().digest).cert_ids(&serial) {
                assert!(!hashes(algorithm).are_in(&CertId::from_der(&der).unwrap()), "{algorithm:?}");
            }
        }
    }
}
