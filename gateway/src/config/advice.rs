//! What is no error and worth a second look.

use certgate_pki::{KeyType, Timestamp};

use super::{AuthorityConfig, Config, EndpointConfig, Family, ListenerConfig, ListenerKind, ProtocolName, PublicUrl, Unissued};

/// 2031-01-01T00:00:00Z: until then 112 bits of security, and so RSA of 2048 bits, are held to be enough (NIST SP 800-57 Part 1, table 4).
const END_OF_RSA_2048: Timestamp = Timestamp::from_millis(1_924_992_000_000);

impl Config {
    /// What the gateway takes and its operator may not have meant.
    #[must_use]
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        let mut warnings: Vec<String> = self.authorities.iter().flat_map(|one| self.of_authority(one, now)).collect();
        warnings.extend(self.profiles.iter().filter_map(|profile| {
            let is_used = self.endpoints.iter().any(|endpoint| *endpoint.profile.get_ref() == profile.name);
            (!is_used).then(|| format!("profile \"{}\": no endpoint issues by it", profile.name))
        }));
        warnings.extend(self.too_long());
        warnings.extend(self.endpoints.iter().filter_map(|endpoint| self.of_endpoint(endpoint)));
        warnings.extend(self.listeners.iter().flat_map(|listener| self.of_listener(listener)));
        warnings.extend(self.untold());
        warnings
    }

    fn of_authority(&self, authority: &AuthorityConfig, now: Timestamp) -> Vec<String> {
        let name = &authority.name;
        let mut warnings = Vec::new();
        if authority.public_url.as_ref().is_some_and(PublicUrl::is_https) {
            warnings.push(format!(
                "authority \"{name}\": public_url is https, and relying parties may not fetch CRLs and OCSP by it, since checking that \
                 server's certificate could lead them in a circle (RFC 5280 §8): use http"
            ));
        }
        let is_short = matches!(authority.key.key_type(), KeyType::Rsa { bits } if bits < 3072);
        if is_short && now.after(authority.validity.duration()) > END_OF_RSA_2048 {
            warnings.push(format!(
                "authority \"{name}\": rsa2048 is held to be enough until the end of 2030 (NIST SP 800-57), and this one lasts longer: \
                 use rsa3072 or p256, or a shorter validity"
            ));
        }
        if authority.ocsp.unissued == Unissued::Good {
            warnings.push(format!(
                "authority \"{name}\": with ocsp.unissued = \"good\", certificates that are forged or forgotten are called good: import \
                 what it has issued by `certgate ca import {name} --issued`, and use \"unknown\" as soon as all of it is there"
            ));
        }
        let issuer = authority.issuer.as_ref().and_then(|issuer| self.authority(issuer.get_ref()));
        if let Some(issuer) = issuer.filter(|issuer| issuer.validity.duration() < authority.validity.duration()) {
            warnings.push(format!(
                "authority \"{name}\": validity ({}) is longer than that of its issuer ({}), at whose end its certificate ends",
                authority.validity, issuer.validity
            ));
        }
        warnings
    }

    /// Profiles whose certificates would outlast their authority.
    fn too_long(&self) -> impl Iterator<Item = String> {
        self.profiles.iter().filter_map(|profile| {
            let authority = self.authority(profile.authority.get_ref())?;
            (authority.validity.duration() < profile.validity.duration()).then(|| {
                format!(
                    "profile \"{}\": validity ({}) is longer than that of its authority ({}), at whose end its certificates end",
                    profile.name, profile.validity, authority.validity
                )
            })
        })
    }

    fn of_endpoint(&self, endpoint: &EndpointConfig) -> Option<String> {
        let family = family(endpoint.protocol);
        let is_served = self.listeners.iter().any(|listener| listener.serves.contains(&family));
        let name = endpoint.protocol.name();
        (!is_served)
            .then(|| format!("endpoint \"{}\" of {name}: no listener serves {name}, so nobody reaches it", endpoint.name))
    }

    fn of_listener(&self, listener: &ListenerConfig) -> Vec<String> {
        let lacks = |protocol: &ProtocolName| {
            listener.serves.contains(&family(*protocol))
                && !self.endpoints.iter().any(|endpoint| endpoint.protocol == *protocol)
        };
        let mut warnings: Vec<String> = ProtocolName::ALL
            .iter()
            .filter(|protocol| lacks(protocol))
            .map(|protocol| {
                let name = protocol.name();
                format!("listener {}: it serves {name}, and there is no endpoint of {name} to authenticate to", listener.bind)
            })
            .collect();
        if listener.kind() == ListenerKind::Ops && !listener.bind.ip().is_loopback() {
            warnings.push(format!("listener {}: health and metrics can be read by everyone who reaches it", listener.bind));
        }
        warnings
    }

    /// Profiles that promise that somebody is told of revocations, where nobody could be.
    fn untold(&self) -> Option<String> {
        let tells =
            |listener: &ListenerConfig| listener.serves.iter().any(|family| [Family::Crl, Family::Ocsp].contains(family));
        let promises = self.profiles.iter().find(|profile| !profile.no_rev_avail)?;
        (!self.listeners.iter().any(tells)).then(|| {
            format!(
                "profile \"{}\": no listener serves crl or ocsp, so relying parties are not told of revocations",
                promises.name
            )
        })
    }

    fn authority(&self, name: &str) -> Option<&AuthorityConfig> {
        self.authorities.iter().find(|authority| authority.name == name)
    }
}

const fn family(protocol: ProtocolName) -> Family {
    match protocol {
        ProtocolName::Est => Family::Est,
        ProtocolName::Scep => Family::Scep,
        ProtocolName::Acme => Family::Acme,
    }
}
