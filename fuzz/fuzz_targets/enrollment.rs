//! From a request to a certificate with every signature taken for good: nothing is issued that was not granted (invariant 9).
//!
//! The first octet chooses how the CSR comes and who signs, the rest is the CSR.
#![no_main]

use std::sync::{Arc, LazyLock};

use certgate_ca_backend_api::Locality;
use certgate_enrollment::{EnrollError, EnrollRequest, Principal, Proof, Protocol};
use certgate_est::SimpleEnroll;
use certgate_fuzz::{
    Authority, Records, allowed_names, assert_end_entity, authority, is_allowed, is_allowed_common_name, issue, profile,
    read_by_another,
};
use certgate_pki::{Csr, Reading};
use libfuzzer_sys::fuzz_target;

static AUTHORITIES: LazyLock<[(Authority, Arc<Records>); 2]> =
    LazyLock::new(|| [Locality::InProcess, Locality::Elsewhere].map(authority));

fuzz_target!(|data: &[u8]| {
    let Some((choice, body)) = data.split_first() else { return };
    let csr = match choice & 1 {
        0 => Csr::from_der(body).ok(),
        _ => SimpleEnroll::decode(None, body, Reading::Compatible).ok().map(|request| request.csr),
    };
    let Some(csr) = csr else { return };
    let (authority, records) = &AUTHORITIES[usize::from(choice >> 1 & 1)];
    let grants = allowed_names().iter().filter_map(|grant| grant.parse().ok()).collect();
    let principal = Principal { name: "first-device".into(), grants, proof: Proof::Credential(1), ends_at: None };
    let (protocol, endpoint) = (Protocol::Est, "default".into());
    let request = EnrollRequest { protocol, endpoint, principal, csr: csr.clone(), renews: None, transaction: None };
    match authority.authorize(&profile(), request) {
        Ok(authorized) => {
            let issued = issue(authority, records, authorized);
            assert_eq!(issued.certificate().map(|made| made.public_key().clone()).as_ref(), Ok(csr.public_key()));
            assert_nothing_forbidden(&issued.der);
        }
        Err(EnrollError::Csr(_) | EnrollError::Refused(_)) => assert!(records.take().is_empty()),
        Err(error) => panic!("a CSR is never somebody else's fault: {error}"),
    }
});

/// Judged by another crate's reader.
fn assert_nothing_forbidden(der: &[u8]) {
    let certificate = read_by_another(der);
    let names = assert_end_entity(&certificate);
    assert!(names.iter().all(is_allowed), "{names:?}");
    for attribute in certificate.tbs_certificate().subject().iter() {
        let value = attribute.value.value();
        match attribute.oid.to_string().as_str() {
            "2.5.4.3" => assert!(is_allowed_common_name(value), "{value:02x?}"),
            "2.5.4.10" | "2.5.4.6" | "2.5.4.5" => {}
            other => panic!("{other} is not copied"),
        }
    }
}
