//! Enrollment over Secure Transport, RFC 7030 as clarified by RFC 8951: paths, bodies, the Basic header, channel binding, csrattrs. Pure: bytes in, types out.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod basic;
mod body;
mod channel_binding;
mod csr_attrs;
mod path;
mod response;
mod simple_enroll;

pub use basic::{BasicCredentials, InvalidBasic, MAX_BASIC};
pub use body::{BodyError, Lenience, decode_body};
pub use channel_binding::{BindingError, ChannelBinding, check_binding};
pub use csr_attrs::{Demands, csr_attrs};
pub use path::{EstPath, InvalidPath, Label, Operation, PREFIX};
pub use response::{CERTS_ONLY, EstBody, PKCS7_MIME, ca_certs, enrolled};
pub use simple_enroll::{RequestError, SimpleEnroll};
