//! Certs-only messages.

use const_oid::db::rfc5911::{ID_DATA, ID_SIGNED_DATA};

use super::write_content_info;
use crate::asn1::{DerWriter, tag};

/// A certs-only message: SignedData with certificates and nothing signed (RFC 5272 §4.1, which RFC 7030 §4.1.3 takes over).
///
/// ```text
/// ContentInfo ::= SEQUENCE { contentType id-signedData, content [0] EXPLICIT SignedData }      RFC 5652 §3
/// SignedData  ::= SEQUENCE {                                                                   RFC 5652 §5.1
///     version INTEGER (1), digestAlgorithms SET OF {}, encapContentInfo SEQUENCE { eContentType id-data },
///     certificates [0] IMPLICIT SET OF Certificate, signerInfos SET OF {} }
/// ```
///
/// `certificates` are DER; the SET OF is sorted, as DER wants it.
#[must_use]
pub fn certs_only(certificates: &[&[u8]]) -> Vec<u8> {
    let contents: usize = certificates.iter().map(|certificate| certificate.len()).sum();
    let mut writer = DerWriter::with_capacity(contents + 64);
    write_content_info(&mut writer, &ID_SIGNED_DATA, |w| {
        w.tlv(tag::INTEGER, &[1]).tlv(tag::SET, &[]);
        w.sequence(|w| {
            w.oid(&ID_DATA);
        });
        w.set_of(tag::context_constructed(0), certificates.to_vec());
        w.tlv(tag::SET, &[]);
    });
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The empty message, octet by octet.
    #[test]
    fn certs_only_message() {
        #[rustfmt::skip]
        let expected = [
            0x30, 0x25,                                                             // ContentInfo
            0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02,       //   id-signedData
            0xa0, 0x18,                                                             //   [0] EXPLICIT
            0x30, 0x16,                                                             //     SignedData
            0x02, 0x01, 0x01,                                                       //       version 1
            0x31, 0x00,                                                             //       digestAlgorithms: none
            0x30, 0x0b,                                                             //       encapContentInfo
            0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01,       //         id-data, no eContent
            0xa0, 0x00,                                                             //       certificates: none
            0x31, 0x00,                                                             //       signerInfos: none
        ];
        assert_eq!(certs_only(&[]), expected);
    }
}
