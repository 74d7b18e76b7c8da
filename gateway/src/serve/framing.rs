//! How a request's body is framed (RFC 9112 §6), as far as hyper lets more pass than there is.

use hyper::Version;
use hyper::header::TRANSFER_ENCODING;
use hyper::http::request::Parts;

/// What is wrong with a request's Transfer-Encoding; `None` when nothing is.
///
/// RFC 9112 §6.1: "A server that receives a request message with a transfer coding it does not understand SHOULD respond with 501", and
/// chunked is applied once. hyper looks at the last coding alone, and would give a body that is compressed as it came; whoever stands in front
/// may read it another way (RFC 9112 §11.2).
pub(super) fn coding_fault(head: &Parts) -> Option<&'static str> {
    let mut codings = head.headers.get_all(TRANSFER_ENCODING).iter();
    let is_plain = codings.next().is_none_or(|coding| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"));
    let is_known = head.version >= Version::HTTP_2 || (is_plain && codings.next().is_none());
    (!is_known).then_some("a body comes as it is, or chunked once (RFC 9112 §6.1)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunked_once_and_nothing_else() {
        let fault = |codings: &[&str]| {
            let request = codings.iter().fold(hyper::Request::post("/"), |one, coding| one.header(TRANSFER_ENCODING, *coding));
            coding_fault(&request.body(()).unwrap().into_parts().0)
        };
        for good in [&[][..], &["chunked"], &["Chunked "]] {
            assert_eq!(fault(good), None, "{good:?}");
        }
        for bad in
            [&["chunked, chunked"][..], &["gzip, chunked"], &["gzip", "chunked"], &["chunked", "chunked"], &["identity"], &[""]]
        {
            assert!(fault(bad).is_some(), "{bad:?}");
        }
    }
}
