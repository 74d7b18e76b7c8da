//! What the responder reads of a request.

use certgate_conformance::asn1::{Element, tag};

/// `id-pkix-ocsp` (RFC 6960 §4.4).
pub(super) const ARC: &str = "1.3.6.1.5.5.7.48.1";
/// More CertIDs than this are too many.
const MOST: usize = 100;

/// A request that conforms.
pub(super) struct Asked {
    pub(super) ids: Vec<Element>,
    /// The value of the nonce extension.
    pub(super) nonce: Option<Vec<u8>>,
}

/// What stands in a list of extensions.
#[derive(Default)]
struct Extensions {
    nonces: Vec<Vec<u8>>,
    is_bearable: bool,
    takes_basic: bool,
}

impl Extensions {
    fn read(list: &Element, ignores_critical: bool) -> Option<Self> {
        let mut all = Self { is_bearable: true, takes_basic: true, ..Self::default() };
        for extension in list.elements() {
            let (oid, critical, value) = match extension.elements() {
                [oid, value] => (oid, false, value),
                [oid, critical, value] => (oid, critical.octets() == [0xff], value),
                _ => return None,
            };
            let (oid, value) = (oid.oid()?.to_string(), value.octets());
            if oid == format!("{ARC}.2") {
                all.nonces.push(value.to_vec());
            } else if oid == format!("{ARC}.4") {
                let types = Element::parse(value).ok()?;
                let basic = format!("{ARC}.1");
                all.takes_basic = types.elements().iter().any(|one| one.oid().is_some_and(|oid| oid.to_string() == basic));
            } else if critical && !ignores_critical {
                all.is_bearable = false;
            }
        }
        Some(all)
    }

    fn nonce(&self) -> Option<Option<Vec<u8>>> {
        match self.nonces.as_slice() {
            [] => Some(None),
            [value] => {
                let nonce = Element::parse(value).ok()?;
                let is_good = nonce.tag == tag::OCTET_STRING && (1..=128).contains(&nonce.octets().len());
                is_good.then(|| Some(value.clone()))
            }
            _ => None,
        }
    }
}

/// Reads a request; `None` when it is malformed.
pub(super) fn read(octets: &[u8], ignores_critical: bool) -> Option<Asked> {
    let whole = Element::parse(octets).ok()?;
    let tbs = match whole.elements() {
        [tbs] => tbs,
        [tbs, signature] if signature.tag == tag::context(0) => tbs,
        _ => return None,
    };
    let mut fields = tbs.elements();
    if let [version, rest @ ..] = fields
        && version.tag == tag::context(0)
    {
        (version.elements().first()?.octets() == [0]).then_some(())?;
        fields = rest;
    }
    if let [requestor, rest @ ..] = fields
        && requestor.tag == tag::context(1)
    {
        fields = rest;
    }
    let (list, extensions) = match fields {
        [list] => (list, None),
        [list, extensions] if extensions.tag == tag::context(2) => (list, extensions.elements().first()),
        _ => return None,
    };
    let empty = Element::sequence(Vec::new());
    let extensions = Extensions::read(extensions.unwrap_or(&empty), ignores_critical)?;
    let mut ids = Vec::new();
    for single in list.elements() {
        let (id, own) = match single.elements() {
            [id] => (id, None),
            [id, own] => (id, own.elements().first()),
            _ => return None,
        };
        Extensions::read(own.unwrap_or(&empty), ignores_critical)?.is_bearable.then_some(())?;
        ids.push(id.clone());
    }
    let is_good = extensions.is_bearable && extensions.takes_basic && (1..=MOST).contains(&ids.len());
    is_good.then_some(())?;
    Some(Asked { ids, nonce: extensions.nonce()? })
}
