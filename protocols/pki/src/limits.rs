//! Bounds on everything that is parsed. None of the decoders recurses, so nesting depth is bounded by the shape of the types themselves.

/// Largest PKCS#10 request, in octets of DER.
pub const MAX_CSR: usize = 64 * 1024;
/// Bits of the smallest RSA key with which anything is verified (NIST SP 800-131A Rev. 2 §3).
pub const MIN_RSA_BITS: u32 = 2048;
/// Largest certificate, in octets of DER.
pub const MAX_CERTIFICATE: usize = 64 * 1024;
/// Most attributes (all RDNs together) in one distinguished name.
pub const MAX_NAME_ATTRIBUTES: usize = 32;
/// Longest single attribute value of a name, in octets.
pub const MAX_NAME_VALUE: usize = 1024;
/// Most attributes in one PKCS#10 request.
pub const MAX_CSR_ATTRIBUTES: usize = 32;
/// Longest challengePassword, in octets: four times the 255 characters of RFC 2985 Appendix A.
pub const MAX_CHALLENGE_PASSWORD: usize = 1020;
/// Most extensions in one request or certificate.
pub const MAX_EXTENSIONS: usize = 32;
/// Most names in one subjectAltName.
pub const MAX_GENERAL_NAMES: usize = 128;
/// Most points in one cRLDistributionPoints or freshestCRL.
pub const MAX_DISTRIBUTION_POINTS: usize = 32;
/// Most descriptions in one authorityInfoAccess.
pub const MAX_ACCESS_DESCRIPTIONS: usize = 32;
/// Most purposes in one extendedKeyUsage.
pub const MAX_PURPOSES: usize = 32;
/// Largest PEM text, in octets.
pub const MAX_PEM: usize = 1024 * 1024;
/// Largest CMS message, in octets.
pub const MAX_CMS: usize = 256 * 1024;
/// Most certificates in one SignedData.
pub const MAX_CMS_CERTIFICATES: usize = 16;
/// Most signers of one SignedData.
pub const MAX_SIGNERS: usize = 4;
/// Most signed attributes of one signer.
pub const MAX_SIGNED_ATTRIBUTES: usize = 32;
/// Most recipients of one EnvelopedData.
pub const MAX_RECIPIENTS: usize = 8;
/// Most octets of a positive serial number that RFC 5280 §4.1.2.2 allows.
pub const MAX_SERIAL: usize = 20;
/// Largest private key in a file, in octets of DER; one of RSA with 16384 bits has 9.5 KB.
pub const MAX_PRIVATE_KEY: usize = 16 * 1024;
/// Most iterations of PBKDF2 that a key file may ask for (RFC 8018 §4.2 speaks of as many for keys that matter most): seconds.
pub const MAX_KEY_ITERATIONS: u32 = 10_000_000;
/// Most memory that a key file may have scrypt use, in octets.
pub const MAX_KEY_MEMORY: u64 = 128 * 1024 * 1024;
/// Most passes of scrypt over that memory: its parallelization parameter (RFC 7914 §2).
pub const MAX_KEY_PASSES: u16 = 16;
