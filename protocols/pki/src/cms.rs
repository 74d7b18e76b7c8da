//! Cryptographic Message Syntax (RFC 5652), read and built by hand.
//!
//! Messages are read in DER; what came in BER goes through [`crate::asn1::ber::to_der`] first.

mod certs_only;
mod enveloped_data;
mod recipient;
mod signed_data;
mod signer_info;
mod signing;

pub use certs_only::certs_only;
pub use enveloped_data::{EnvelopedData, Seal};
pub use recipient::KeyTransRecipient;
pub use signed_data::SignedData;
pub use signer_info::{SignatureFault, SignedAttributes, SignerId, SignerInfo};
pub use signing::{Attribute, Draft};

use const_oid::ObjectIdentifier;

use crate::asn1::{DerWriter, Tlv, tag};
use crate::limits::MAX_CMS;

/// Octets are no such message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CmsError {
    /// More than [`MAX_CMS`] octets.
    #[error("the CMS message is larger than {MAX_CMS} octets")]
    TooLarge,
    /// A ContentInfo of another type.
    #[error("the CMS message is of another type: {0}")]
    OtherType(ObjectIdentifier),
    /// Not that type of message; says in which part.
    #[error("not a CMS message in DER (RFC 5652): {0} is malformed")]
    Malformed(&'static str),
}

/// The error of a part that is malformed.
fn malformed(part: &'static str) -> impl Fn(der::Error) -> CmsError + Copy {
    move |_| CmsError::Malformed(part)
}

/// The content of a ContentInfo of this type.
///
/// ```text
/// ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT ANY }         RFC 5652 §3
/// ```
fn read_content_info(der: &[u8], expected: ObjectIdentifier) -> Result<Tlv<'_>, CmsError> {
    if der.len() > MAX_CMS {
        return Err(CmsError::TooLarge);
    }
    let malformed = malformed("ContentInfo");
    let outer = Tlv::only(der).map_err(malformed)?;
    if outer.tag != tag::SEQUENCE {
        return Err(CmsError::Malformed("ContentInfo"));
    }
    let mut reader = outer.contents().map_err(malformed)?;
    let content_type = reader.expect(tag::OID).and_then(|tlv| tlv.oid()).map_err(malformed)?;
    if content_type != expected {
        return Err(CmsError::OtherType(content_type));
    }
    let content = reader.expect(tag::context_constructed(0)).map_err(malformed)?;
    reader.finish().map_err(malformed)?;
    let content = Tlv::only(content.value).map_err(malformed)?;
    if content.tag == tag::SEQUENCE { Ok(content) } else { Err(CmsError::Malformed("ContentInfo")) }
}

/// A ContentInfo of this type around a SEQUENCE.
fn write_content_info(writer: &mut DerWriter, content_type: &ObjectIdentifier, write: impl FnOnce(&mut DerWriter)) {
    writer.sequence(|w| {
        w.oid(content_type).nested(tag::context_constructed(0), |w| {
            w.sequence(write);
        });
    });
}
