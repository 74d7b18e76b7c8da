//! Places for validations: a bounded number in all, and of each requester.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use certgate_enrollment::AuthorizationRecord;

/// The part of an IPv6 address that tells one network from another: hosts have a /64 for themselves (RFC 4291 §2.5.4).
const NETWORK: u128 = !0 << 64;

/// All places.
pub(super) struct Places {
    most: usize,
    most_of_one: usize,
    taken: Mutex<Taken>,
}

/// Places that are taken.
#[derive(Default)]
struct Taken {
    authorizations: HashSet<String>,
    requesters: HashMap<Requester, usize>,
}

/// Whose places are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Requester {
    Account(u64),
    Network(IpAddr),
}

/// There is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// It has one.
    UnderWay,
    /// All are taken, or all that its requester may have.
    Full,
}

/// A place, until it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    authorization: String,
    requesters: Vec<Requester>,
}

impl Places {
    pub(super) fn new(most: usize, most_of_one: usize) -> Self {
        Self { most, most_of_one, taken: Mutex::default() }
    }

    /// A place for the validation of an authorization, which somebody asks for from this address; from none, where nobody does.
    pub(super) fn take(self: &Arc<Self>, authorization: &AuthorizationRecord, from: Option<IpAddr>) -> Result<Place, NoPlace> {
        let account = Requester::Account(authorization.account);
        let requesters: Vec<Requester> = from.map(network).into_iter().chain([account]).collect();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.authorizations.contains(&authorization.id) {
            return Err(NoPlace::UnderWay);
        }
        let has_enough = |one: &Requester| taken.requesters.get(one).is_some_and(|count| *count >= self.most_of_one);
        if taken.authorizations.len() >= self.most || requesters.iter().any(has_enough) {
            return Err(NoPlace::Full);
        }
        taken.authorizations.insert(authorization.id.clone());
        for one in &requesters {
            *taken.requesters.entry(*one).or_default() += 1;
        }
        Ok(Place { places: Arc::clone(self), authorization: authorization.id.clone(), requesters })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.authorizations.remove(&self.authorization);
        for one in &self.requesters {
            if let Some(count) = taken.requesters.get_mut(one) {
                *count -= 1;
                if *count == 0 {
                    taken.requesters.remove(one);
                }
            }
        }
    }
}

fn network(address: IpAddr) -> Requester {
    Requester::Network(match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
        v4 @ IpAddr::V4(_) => v4,
    })
}

#[cfg(test)]
mod tests {
    use certgate_enrollment::AuthorizationState;
    use certgate_pki::{DnsName, GeneralName};
    use certgate_testkit::NOW;

    use super::*;

    fn authorization(id: &str, account: u64) -> AuthorizationRecord {
        AuthorizationRecord {
            id: id.into(),
            order: "1".into(),
            endpoint: "default".into(),
            account,
            name: GeneralName::Dns(DnsName::parse("a.example").unwrap()),
            token: "AAAAAAAAAAAAAAAAAAAAAA".into(),
            expires_at: NOW,
            state: AuthorizationState::Pending,
            changed_at: NOW,
            error: None,
        }
    }

    #[test]
    fn nobody_gets_all_places() {
        let places = Arc::new(Places::new(4, 2));
        let take = |id: &str, account, from: &str| places.take(&authorization(id, account), Some(from.parse().unwrap()));
        let first = take("1", 1, "192.0.2.1").ok().unwrap();
        let _second = take("2", 1, "192.0.2.2").ok().unwrap();
        assert_eq!(take("1", 1, "192.0.2.1").err(), Some(NoPlace::UnderWay));
        assert_eq!(take("3", 1, "192.0.2.3").err(), Some(NoPlace::Full), "an account");
        let _third = take("3", 2, "::ffff:192.0.2.1").ok().unwrap();
        assert_eq!(take("4", 3, "192.0.2.1").err(), Some(NoPlace::Full), "a network");
        drop(first);
        let _fourth = take("4", 3, "192.0.2.1").ok().unwrap();
        let _fifth = take("5", 4, "2001:db8::1").ok().unwrap();
        assert_eq!(take("6", 5, "2001:db8:0:0:1::1").err(), Some(NoPlace::Full), "all");
    }

    #[test]
    fn hosts_of_an_ipv6_network_are_one() {
        let [one, other, another] =
            ["2001:db8::1", "2001:db8::2:1", "2001:db8:0:1::1"].map(|text| network(text.parse().unwrap()));
        assert!(one == other && one != another);
    }
}
