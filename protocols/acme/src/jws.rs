//! Requests: a JWS in the Flattened JSON Serialization (RFC 8555 §6.2, RFC 7515 §7.2.2).

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::error::RequestError;
use crate::json::Members;
use crate::jwk::Jwk;

/// Largest body of a request, in octets.
pub const MAX_BODY: usize = 64 * 1024;
/// Longest `url` and `kid`, in octets.
pub const MAX_URL: usize = 2048;

/// A signed request as it was received. Nothing in it is verified: see [`Self::verify`].
///
/// ```text
/// { "protected": BASE64URL({ "alg": "ES256", "jwk": {…} or "kid": "…", "nonce": "…", "url": "…" }),
///   "payload": BASE64URL(…), "signature": BASE64URL(…) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jws {
    /// What the header says.
    pub protected: Protected,
    /// The octets of the payload; none of them in a POST-as-GET request (RFC 8555 §6.3).
    pub payload: Vec<u8>,
    signing_input: String,
    signature: Vec<u8>,
}

/// The protected header, which is all the header that a request has (RFC 8555 §6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// `alg`. It suits the key of [`KeyRef::Jwk`].
    pub algorithm: Algorithm,
    /// Whose request it is.
    pub key: KeyRef,
    /// `nonce`, in base64url (RFC 8555 §6.5.2); whether the server has made it is for others to find out.
    pub nonce: String,
    /// `url`: to be compared with that of the request (RFC 8555 §6.4).
    pub url: String,
}

/// Which key is said to have signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyRef {
    /// `jwk`: the key itself, for newAccount, and revokeCert by the certificate's key.
    Jwk(Jwk),
    /// `kid`: the URL of an account, for all other requests.
    Kid(String),
}

impl Jws {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`RequestError`], of which the first is told that is found: in the whole, in `alg`, in the key, in `url`, in `nonce`.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        if body.len() > MAX_BODY {
            return Err(RequestError::TooLarge);
        }
        let mut members =
            Members::parse(body, "the body is not a JWS in the Flattened JSON Serialization: one JSON object (RFC 8555 §6.2)")?;
        // "The JWS MUST NOT have multiple signatures", "The JWS Unprotected Header [RFC7515] MUST NOT be used". RFC 7515 §7.2.1 ignores
        // members that it does not know; here nothing stands beside what is signed.
        if members.names().any(|name| !matches!(name, "protected" | "payload" | "signature")) {
            return Err(RequestError::Malformed(
                "the JWS has other members than `protected`, `payload` and `signature` (RFC 8555 §6.2)",
            ));
        }
        let (protected, payload) = (members.string("protected")?, members.string("payload")?);
        let header = decoded(&protected, "protected")?;
        let octets = decoded(&payload, "payload")?;
        let signature = decoded(&members.string("signature")?, "signature")?;
        // RFC 7515 §5.1: ASCII(BASE64URL(UTF8(JWS Protected Header)) || '.' || BASE64URL(JWS Payload)).
        let signing_input = format!("{protected}.{payload}");
        Ok(Self { protected: Protected::parse(&header)?, payload: octets, signing_input, signature })
    }

    /// The JWS Signing Input (RFC 7515 §5.1), as received.
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        self.signing_input.as_bytes()
    }

    /// The octets of the signature, of any length.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

impl Protected {
    fn parse(json: &[u8]) -> Result<Self, RequestError> {
        let mut members = Members::parse(json, "the protected header is not one JSON object without duplicate members")?;
        // RFC 7515 §4.1.11: an extension in `crit` that is not understood makes the JWS invalid, and none is understood here. RFC 8555
        // §6.2: "The JWS Unencoded Payload Option [RFC7797] MUST NOT be used".
        if members.has("crit") || members.has("b64") {
            return Err(RequestError::Malformed("`crit` and `b64` have no place in the protected header (RFC 8555 §6.2)"));
        }
        let algorithm = Algorithm::from_name(&members.string("alg")?)
            .ok_or_else(|| RequestError::BadSignatureAlgorithm(Algorithm::ALL.to_vec()))?;
        let key = KeyRef::read(&mut members, algorithm)?;
        let url = url(&mut members, "url")?;
        if !members.has("nonce") {
            return Err(RequestError::MissingNonce);
        }
        let nonce = members.string("nonce")?;
        // RFC 8555 §6.5.2: "If the value of a "nonce" header parameter is not valid according to this encoding, then the verifier MUST
        // reject the JWS as malformed." It is compared as text and never decoded, so bits at its end do not matter.
        if nonce.is_empty() || !base64url::is_base64url(&nonce) {
            return Err(RequestError::Malformed("`nonce` is not base64url without padding (RFC 8555 §6.5.2)"));
        }
        Ok(Self { algorithm, key, nonce, url })
    }
}

impl KeyRef {
    /// RFC 8555 §6.2: "The "jwk" and "kid" fields are mutually exclusive. Servers MUST reject requests that contain both."
    fn read(members: &mut Members, algorithm: Algorithm) -> Result<Self, RequestError> {
        match (members.has("jwk"), members.has("kid")) {
            (true, false) => {
                let jwk = Jwk::read(members.object("jwk")?)?;
                if Algorithm::of_key(jwk.public_key().key_type()) != Some(algorithm) {
                    return Err(RequestError::BadPublicKey("`alg` does not suit the key in `jwk`"));
                }
                Ok(Self::Jwk(jwk))
            }
            (false, true) => url(members, "kid").map(Self::Kid),
            _ => Err(RequestError::Malformed("the protected header must have either `jwk` or `kid` (RFC 8555 §6.2)")),
        }
    }
}

/// A URL to be compared as text.
fn url(members: &mut Members, name: &'static str) -> Result<String, RequestError> {
    let url = members.string(name)?;
    if (1..=MAX_URL).contains(&url.len()) {
        Ok(url)
    } else {
        Err(RequestError::Member { name, shape: "a URL of at most 2048 octets" })
    }
}

fn decoded(text: &str, name: &'static str) -> Result<Vec<u8>, RequestError> {
    base64url::decode(text).ok_or(RequestError::Member { name, shape: "base64url without padding" })
}
