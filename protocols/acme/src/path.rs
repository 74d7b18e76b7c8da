//! `/acme/ENDPOINT/RESOURCE`, and the URLs that clients are given. RFC 8555 leaves the paths to the server; URLs are compared as text
//! (§6.4), so each resource has one path: nothing is decoded, and no slash is taken at the end.

use std::fmt;

/// What every path of ACME starts with.
pub const PREFIX: &str = "/acme/";

/// Longest segment that names something, in octets.
const MAX_SEGMENT: usize = 64;

/// The path is none of ACME's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ACME paths are /acme/ENDPOINT/RESOURCE, as the directory and what follows from it name them")]
pub struct InvalidPath;

/// A segment that names something, an endpoint or an account and so on: 1 to 64 letters, digits, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Segment(String);

impl Segment {
    /// Checks the characters and the length.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let good = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_' || octet == b'-';
        ((1..=MAX_SEGMENT).contains(&text.len()) && text.bytes().all(good)).then(|| Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A resource of RFC 8555 §7.1. Its `Display` is its path beneath the endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// `directory`, §7.1.1.
    Directory,
    /// `new-nonce`, §7.2.
    NewNonce,
    /// `new-account`, §7.3.
    NewAccount,
    /// `new-order`, §7.4.
    NewOrder,
    /// `account/ID`, §7.3.2: the `kid` of its requests.
    Account(Segment),
    /// `account/ID/orders`, §7.1.2.1.
    Orders(Segment),
    /// `order/ID`, §7.1.3.
    Order(Segment),
    /// `order/ID/finalize`, §7.4.
    Finalize(Segment),
    /// `authz/ID`, §7.5.
    Authorization(Segment),
    /// `challenge/ID`, §7.5.1.
    Challenge(Segment),
    /// `certificate/ID`, §7.4.2.
    Certificate(Segment),
}

impl Resource {
    /// Reads the path beneath an endpoint.
    ///
    /// # Errors
    /// [`InvalidPath`].
    pub fn parse(path: &str) -> Result<Self, InvalidPath> {
        let mut segments = path.split('/');
        let (first, id, last) = (segments.next().unwrap_or_default(), segments.next(), segments.next());
        if segments.next().is_some() {
            return Err(InvalidPath);
        }
        let Some(id) = id else {
            return match first {
                "directory" => Ok(Self::Directory),
                "new-nonce" => Ok(Self::NewNonce),
                "new-account" => Ok(Self::NewAccount),
                "new-order" => Ok(Self::NewOrder),
                _ => Err(InvalidPath),
            };
        };
        let id = Segment::parse(id).ok_or(InvalidPath)?;
        match (first, last) {
            ("account", None) => Ok(Self::Account(id)),
            ("account", Some("orders")) => Ok(Self::Orders(id)),
            ("order", None) => Ok(Self::Order(id)),
            ("order", Some("finalize")) => Ok(Self::Finalize(id)),
            ("authz", None) => Ok(Self::Authorization(id)),
            ("challenge", None) => Ok(Self::Challenge(id)),
            ("certificate", None) => Ok(Self::Certificate(id)),
            _ => Err(InvalidPath),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory => f.write_str("directory"),
            Self::NewNonce => f.write_str("new-nonce"),
            Self::NewAccount => f.write_str("new-account"),
            Self::NewOrder => f.write_str("new-order"),
            Self::Account(id) => write!(f, "account/{id}"),
            Self::Orders(id) => write!(f, "account/{id}/orders"),
            Self::Order(id) => write!(f, "order/{id}"),
            Self::Finalize(id) => write!(f, "order/{id}/finalize"),
            Self::Authorization(id) => write!(f, "authz/{id}"),
            Self::Challenge(id) => write!(f, "challenge/{id}"),
            Self::Certificate(id) => write!(f, "certificate/{id}"),
        }
    }
}

/// A request's path, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcmePath {
    /// Which endpoint.
    pub endpoint: Segment,
    /// What of it.
    pub resource: Resource,
}

impl AcmePath {
    /// Reads a request's path, without its query.
    ///
    /// # Errors
    /// [`InvalidPath`].
    pub fn parse(path: &str) -> Result<Self, InvalidPath> {
        let (endpoint, rest) = path.strip_prefix(PREFIX).and_then(|rest| rest.split_once('/')).ok_or(InvalidPath)?;
        Ok(Self { endpoint: Segment::parse(endpoint).ok_or(InvalidPath)?, resource: Resource::parse(rest)? })
    }
}

/// The URLs of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Urls {
    base: String,
}

impl Urls {
    /// Those beneath `https://HOST/acme/ENDPOINT`, with or without a slash at the end.
    #[must_use]
    pub fn new(base: &str) -> Self {
        Self { base: base.strip_suffix('/').unwrap_or(base).to_owned() }
    }

    /// The URL of a resource.
    #[must_use]
    pub fn of(&self, resource: &Resource) -> String {
        format!("{}/{resource}", self.base)
    }

    /// The resource of a URL that a client has sent, such as a `kid`.
    ///
    /// # Errors
    /// [`InvalidPath`] when it is no URL of this endpoint.
    pub fn resource(&self, url: &str) -> Result<Resource, InvalidPath> {
        Resource::parse(url.strip_prefix(&self.base).and_then(|rest| rest.strip_prefix('/')).ok_or(InvalidPath)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATHS: [&str; 11] = [
        "directory",
        "new-nonce",
        "new-account",
        "new-order",
        "account/rzGoeA",
        "account/rzGoeA/orders",
        "order/TOlocE8rfgo",
        "order/TOlocE8rfgo/finalize",
        "authz/PAniVnsZcis",
        "challenge/prV_B7yEyA4",
        "certificate/mAt3xBGaobw",
    ];

    #[test]
    fn paths_and_urls_of_every_resource() {
        let urls = Urls::new("https://ca.example/acme/iot-1/");
        for path in PATHS {
            let read = AcmePath::parse(&format!("/acme/iot-1/{path}")).unwrap();
            assert_eq!((read.endpoint.as_str(), read.resource.to_string().as_str()), ("iot-1", path));
            let url = urls.of(&read.resource);
            assert_eq!(url, format!("https://ca.example/acme/iot-1/{path}"));
            assert_eq!(urls.resource(&url), Ok(read.resource));
        }
    }

    #[test]
    fn one_path_for_each_resource() {
        for path in PATHS {
            for wrong in [format!("{path}/"), format!("/{path}"), format!("{path}/x"), path.to_uppercase(), format!("{path}?x")]
            {
                assert_eq!(AcmePath::parse(&format!("/acme/iot-1/{wrong}")), Err(InvalidPath), "{wrong}");
            }
        }
        let long = format!("/acme/a/order/{}", "a".repeat(65));
        for wrong in [
            "",
            "/acme",
            "/acme/",
            "/acme/a",
            "/acme/a/",
            "/acme//directory",
            "/acme/a/order",
            "/acme/a/order/",
            "/acme/a/order//finalize",
            "/acme/a/order/%41",
            "/acme/a/order/a.b",
            "/acme/a/directory/b",
            "/acme/../directory",
            "/ACME/a/directory",
            "acme/a/directory",
            &long,
        ] {
            assert_eq!(AcmePath::parse(wrong), Err(InvalidPath), "{wrong}");
        }
    }

    #[test]
    fn urls_of_others_are_none_of_ours() {
        let urls = Urls::new("https://ca.example/acme/iot");
        for other in [
            "http://ca.example/acme/iot/account/a",
            "https://CA.example/acme/iot/account/a",
            "https://ca.example/acme/iot-1/account/a",
            "https://ca.example/acme/iotaccount/a",
            "https://ca.example/acme/iot//account/a",
            "https://ca.example/acme/iot",
            "a",
        ] {
            assert_eq!(urls.resource(other), Err(InvalidPath), "{other}");
        }
    }
}
