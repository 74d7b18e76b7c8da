//! What is asked for.

use std::sync::LazyLock;

use certgate_enrollment::{EnrollRequest, EnrollmentRecord, Operation, Principal, Proof, Protocol, Renewal};
use certgate_pki::{Csr, Serial, Timestamp};
use certgate_policy::NamePattern;

use super::op::{At, REQUESTS};
use crate::{CsrBuilder, device_key};

/// What credentials and challenges grant.
pub(super) static GRANTED: LazyLock<[NamePattern; 2]> =
    LazyLock::new(|| ["cn:device-*", "dns:*.fleet.example"].map(|grant| grant.parse().expect("a pattern")));

/// Requests of devices, and the same as clients of ACME make them: without a common name.
static REQUEST: LazyLock<[Vec<Csr>; 2]> = LazyLock::new(|| {
    let key = device_key();
    let make = |number, with_name: bool| {
        let builder = CsrBuilder::new(&key).dns(&name(number));
        if with_name { builder.common_name(&format!("device-{number}")).csr() } else { builder.csr() }
    };
    [true, false].map(|with_name| (0..REQUESTS).map(|number| make(number, with_name)).collect())
});

/// The host name that a request asks for. Nobody may have that of the last one.
pub(super) fn name(request: u8) -> String {
    let domain = if request + 1 == REQUESTS { "evil.example" } else { "fleet.example" };
    format!("c{request}.{domain}")
}

/// A request as this protocol has it.
pub(super) fn csr(protocol: Protocol, request: u8) -> &'static Csr {
    &REQUEST[usize::from(protocol == Protocol::Acme)][usize::from(request)]
}

/// Who asks for what, and how.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) principal: String,
    pub(super) at: At,
    pub(super) protocol: Protocol,
    pub(super) operation: Operation,
    pub(super) request: u8,
    pub(super) proof: Proof,
    pub(super) renews: Option<Serial>,
    pub(super) transaction: Option<String>,
    /// Was what it asks with not over when it asked?
    pub(super) is_in_time: bool,
    /// May it have the names that it asks for?
    pub(super) is_granted: bool,
}

impl Asked {
    /// What an enrollment was asked with: it was in time when it began, and was granted then.
    pub(super) fn of(enrollment: &EnrollmentRecord) -> Self {
        let key = &enrollment.key;
        let is_it = |request: &u8| csr(key.protocol, *request).as_der() == enrollment.csr;
        let at = At::ALL.into_iter().find(|at| at.name() == key.endpoint).expect("an endpoint");
        Self {
            principal: key.principal.clone(),
            at,
            protocol: key.protocol,
            operation: key.operation,
            request: (0..REQUESTS).find(is_it).expect("a request"),
            proof: enrollment.proof.clone(),
            renews: enrollment.renews.clone(),
            transaction: key.transaction.clone(),
            is_in_time: true,
            is_granted: true,
        }
    }

    /// The same as the core is asked it, by who may have these names and has until then to ask.
    pub(super) fn request(
        &self,
        grants: Vec<NamePattern>,
        ends_at: Option<Timestamp>,
        renews: Option<Box<Renewal>>,
    ) -> EnrollRequest {
        let (name, proof) = (self.principal.clone(), self.proof.clone());
        EnrollRequest {
            protocol: self.protocol,
            endpoint: self.at.name().into(),
            principal: Principal { name, grants, proof, ends_at },
            csr: csr(self.protocol, self.request).clone(),
            renews,
            transaction: self.transaction.clone(),
        }
    }

    /// Is an enrollment of the same request, by the same requester, in the same transaction?
    pub(super) fn is_same(&self, enrollment: &EnrollmentRecord) -> bool {
        let other = Self::of(enrollment);
        other.principal == self.principal
            && (other.at, other.protocol, other.operation, other.request)
                == (self.at, self.protocol, self.operation, self.request)
            && other.transaction == self.transaction
    }

    /// Is it remembered what came of it?
    pub(super) fn is_remembered(&self) -> bool {
        self.at == At::Person || self.transaction.is_some()
    }
}

/// The transaction of clients of SCEP, who call it by their key; here each request has one.
pub(super) fn transaction(request: u8) -> String {
    format!("transaction-{request}")
}
