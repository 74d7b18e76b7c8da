//! `tls-unique` (RFC 5929 §3.1), which rustls has no call for: "the first TLS Finished message sent (note: the Finished struct, not the
//! TLS record layer message containing it) in the most recent TLS handshake".
//!
//! The pseudorandom function of every TLS 1.2 suite is wrapped; of what it computes under a label that ends in ` finished`, the first
//! is kept. Both sides compute that one first, in a full handshake and in a resumed one.

use std::{
    cell::RefCell,
    sync::{Arc, LazyLock},
};

use rustls::{
    CipherSuiteCommon, Error, SupportedCipherSuite, Tls12CipherSuite,
    crypto::{ActiveKeyExchange, CryptoProvider, aws_lc_rs, tls12::Prf},
};

thread_local! {
    static FIRST: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// aws-lc-rs, with suites that [`watch`] can look into.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
        let mut provider = aws_lc_rs::default_provider();
        for suite in &mut provider.cipher_suites {
            if let SupportedCipherSuite::Tls12(original) = suite {
                *suite = SupportedCipherSuite::Tls12(watched(original));
            }
        }
        Arc::new(provider)
    });
    Arc::clone(&PROVIDER)
}

/// Runs a handshake, all of it on this thread and over suites of [`provider`], and gives its first Finished too: `None` under TLS 1.3.
pub fn watch<T>(handshake: impl FnOnce() -> T) -> (T, Option<Vec<u8>>) {
    FIRST.set(None);
    let outcome = handshake();
    (outcome, FIRST.take())
}

/// rustls wants suites that live for ever: each is made once.
fn watched(original: &'static Tls12CipherSuite) -> &'static Tls12CipherSuite {
    Box::leak(Box::new(Tls12CipherSuite {
        common: CipherSuiteCommon {
            suite: original.common.suite,
            hash_provider: original.common.hash_provider,
            confidentiality_limit: original.common.confidentiality_limit,
        },
        prf_provider: Box::leak(Box::new(Watched(original.prf_provider))),
        kx: original.kx,
        sign: original.sign,
        aead_alg: original.aead_alg,
    }))
}

struct Watched(&'static dyn Prf);

impl Prf for Watched {
    fn for_key_exchange(
        &self,
        output: &mut [u8; 48],
        kx: Box<dyn ActiveKeyExchange>,
        peer_pub_key: &[u8],
        label: &[u8],
        seed: &[u8],
    ) -> Result<(), Error> {
        self.0.for_key_exchange(output, kx, peer_pub_key, label, seed)
    }

    fn for_secret(&self, output: &mut [u8], secret: &[u8], label: &[u8], seed: &[u8]) {
        self.0.for_secret(output, secret, label, seed);
        if label.ends_with(b" finished") {
            FIRST.with_borrow_mut(|first| {
                first.get_or_insert_with(|| output.to_vec());
            });
        }
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }
}
