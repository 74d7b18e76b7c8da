//! Operations, and how octets become them.

use std::fmt;
use std::time::Duration;

/// How many devices have credentials.
pub(super) const DEVICES: u8 = 3;
/// How many requests there are; the last one asks for what nobody may have.
pub(super) const REQUESTS: u8 = 4;

const MINUTE: u64 = 60;
const DAY: u64 = 86_400;
/// What the clock is moved on by, in seconds: less and more than what a request is remembered for, an order is open for, a certificate lasts.
const STEPS: [u64; 6] = [MINUTE, 60 * MINUTE, DAY, 8 * DAY, 60 * DAY, 91 * DAY];

/// What orders are for, a bit for each name: most often one.
const NAMES: [u8; 8] = [1, 2, 4, 1, 2, 4, 3, 7];

/// Where something is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// Policy alone decides.
    Policy,
    /// A person decides too.
    Person,
}

impl At {
    /// Both of them.
    pub(super) const ALL: [Self; 2] = [Self::Policy, Self::Person];

    /// The name of the endpoint, and of its profile.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Person => "person",
        }
    }
}

/// How the CA behind is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It signs.
    Up,
    /// It takes an order and signs when it is told to ([`Op::Finish`]).
    Slow,
    /// It cannot be reached.
    Away,
    /// It refuses.
    Refuses,
}

/// What a person or the gateway does with a record: as it is now, or as it was when it was first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// As it is now.
    Now,
    /// As it was first seen: somebody has looked and then waited.
    First,
}

/// One operation. Numbers that name things are taken modulo how many there are: an operation on nothing does nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are told where operations are put in words")]
pub enum Op {
    /// A device enrolls with its credential.
    Enroll { device: u8, at: At, request: u8 },
    /// A certificate enrolls for its own names.
    EnrollByCertificate { certificate: u8, request: u8 },
    /// A certificate is renewed.
    Renew { certificate: u8, request: u8 },
    /// A client of SCEP enrolls with a challenge.
    Scep { challenge: u8, request: u8 },
    /// A client of SCEP asks what became of its transaction.
    Poll { request: u8, at: At },
    /// An account of ACME orders names: the lowest bits say which. Orders are counted from the newest.
    Order { at: At, names: u8 },
    /// The requester says that its challenge can be validated.
    Begin { order: u8, name: u8 },
    /// The validation ends.
    End { order: u8, name: u8, is_controlled: bool },
    /// The order is finalized, three times of four with a request for one of its names.
    Finalize { order: u8, request: u8, view: View },
    /// A person says yes.
    Approve { enrollment: u8, view: View },
    /// A person says no.
    Deny { enrollment: u8, view: View },
    /// A certificate is revoked.
    Revoke { certificate: u8, view: View },
    /// A certificate is put on hold.
    Hold { certificate: u8, view: View },
    /// A certificate on hold is released.
    Release { certificate: u8, view: View },
    /// A credential is put in the place of the device's, or added where there is none; it is good for so many certificates, 0 is without bound.
    Replace { device: u8, at: At, uses: u8 },
    /// A device is removed, with all its credentials.
    Remove { device: u8 },
    /// A challenge is given out, for so many certificates and so many days.
    Challenge { at: At, uses: u8, days: u8 },
    /// Time goes on, in seconds.
    Clock { seconds: u64 },
    /// So many writes of the ledger succeed yet; none is all of them.
    Ledger { writes: Option<u8> },
    /// The CA changes its mood.
    Backend { mood: Mood },
    /// The CA signs, or refuses, an order that it has taken.
    Finish { which: u8, signs: bool },
}

impl Op {
    /// How many octets an operation has: each the same, so that one can go and the others mean what they meant.
    pub const OCTETS: usize = 4;

    /// The operation of these octets. All octets are one.
    #[must_use]
    pub fn from_octets([kind, first, second, third]: [u8; Self::OCTETS]) -> Self {
        let (at, seen) = (if second & 1 == 0 { At::Policy } else { At::Person }, view(third));
        let (device, request) = (first % DEVICES, third % REQUESTS);
        match kind % 32 {
            0..3 => Self::Enroll { device, at, request },
            3 => Self::EnrollByCertificate { certificate: first, request },
            4 | 5 => Self::Renew { certificate: first, request },
            6 | 7 => Self::Scep { challenge: first, request },
            8 => Self::Poll { request, at },
            9 => Self::Order { at, names: NAMES[usize::from(first) % NAMES.len()] },
            10 | 28 => Self::Begin { order: first % 2, name: third },
            11 | 29 => Self::End { order: first % 2, name: third, is_controlled: second & 3 != 0 },
            12 | 30 => Self::Finalize { order: first % 2, request: third % 16, view: view(second) },
            13..16 => Self::Approve { enrollment: first, view: seen },
            16 => Self::Deny { enrollment: first, view: seen },
            17 => Self::Revoke { certificate: first, view: seen },
            18 => Self::Hold { certificate: first, view: seen },
            19 => Self::Release { certificate: first, view: seen },
            20 => Self::Replace { device, at, uses: third % 3 },
            21 => Self::Remove { device },
            22 => Self::Challenge { at, uses: 1 + first % 2, days: 1 + third % 9 },
            23 => Self::Clock { seconds: STEPS[usize::from(first) % STEPS.len()] },
            24 => Self::Ledger { writes: (first % 4 != 0).then_some(second % 3) },
            25 => Self::Backend { mood: [Mood::Up, Mood::Slow, Mood::Away, Mood::Refuses][usize::from(first % 4)] },
            _ => Self::Finish { which: first, signs: second & 3 != 0 },
        }
    }

    /// The operations of these octets; what is left over is none.
    #[must_use]
    pub fn all(octets: &[u8]) -> Vec<Self> {
        octets.as_chunks::<{ Self::OCTETS }>().0.iter().map(|octets| Self::from_octets(*octets)).collect()
    }
}

/// Three times of four as it is now.
const fn view(octet: u8) -> View {
    if octet & 3 == 3 { View::First } else { View::Now }
}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = |view: &View| if *view == View::First { ", as it was first seen" } else { "" };
        match self {
            Self::Enroll { device, at, request } => {
                write!(f, "device-{device} enrolls at {} with request {request}", at.name())
            }
            Self::EnrollByCertificate { certificate, request } => {
                write!(f, "certificate {certificate} enrolls with request {request}")
            }
            Self::Renew { certificate, request } => write!(f, "certificate {certificate} is renewed with request {request}"),
            Self::Scep { challenge, request } => write!(f, "challenge {challenge} is used with request {request}"),
            Self::Poll { request, at } => write!(f, "the transaction of request {request} is polled at {}", at.name()),
            Self::Order { at, names } => write!(f, "an order of names {names:03b} at {}", at.name()),
            Self::Begin { order, name } => write!(f, "validation of name {name} of order {order} begins"),
            Self::End { order, name, is_controlled } => {
                write!(f, "validation of name {name} of order {order} ends, controlled: {is_controlled}")
            }
            Self::Finalize { order, request, view } => {
                write!(f, "request {request} finalizes order {order}{}", seen(view))
            }
            Self::Approve { enrollment, view } => write!(f, "enrollment {enrollment}{} is approved", seen(view)),
            Self::Deny { enrollment, view } => write!(f, "enrollment {enrollment}{} is denied", seen(view)),
            Self::Revoke { certificate, view } => write!(f, "certificate {certificate}{} is revoked", seen(view)),
            Self::Hold { certificate, view } => write!(f, "certificate {certificate}{} is held", seen(view)),
            Self::Release { certificate, view } => write!(f, "certificate {certificate}{} is released", seen(view)),
            Self::Replace { device, at, uses } => {
                write!(f, "device-{device} has a new credential at {} for {uses} (0: any number)", at.name())
            }
            Self::Remove { device } => write!(f, "device-{device} is removed"),
            Self::Challenge { at, uses, days } => write!(f, "a challenge at {} for {uses}, {days} days", at.name()),
            Self::Clock { seconds } => write!(f, "{:?} pass", Duration::from_secs(*seconds)),
            Self::Ledger { writes: Some(writes) } => write!(f, "the ledger fails after {writes} writes"),
            Self::Ledger { writes: None } => write!(f, "the ledger works"),
            Self::Backend { mood } => write!(f, "the CA: {mood:?}"),
            Self::Finish { which, signs } => write!(f, "the CA has done order {which}, signed: {signs}"),
        }
    }
}
