//! The crypto provider of certgate, on aws-lc-rs: constant-time and fast.

mod cipher;
mod digest;
mod random;
mod sign;
mod verify;

use std::sync::Arc;

use certgate_pki::Provider;

/// All parts on aws-lc-rs.
#[must_use]
pub fn provider() -> Provider {
    Provider {
        verify: Arc::new(verify::AwsLcVerify),
        sign: Arc::new(sign::AwsLcSign),
        decrypt: Arc::new(cipher::AwsLcCipher),
        encrypt: Arc::new(cipher::AwsLcCipher),
        digest: Arc::new(digest::AwsLcDigest),
        random: Arc::new(random::SystemRandom),
    }
}

#[cfg(test)]
mod tests;
