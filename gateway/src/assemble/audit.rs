//! The key that signs heads of the audit trail, and what signs them.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use certgate_enrollment::{AuditTrail, Event, EventKind, INTERNAL_PRINCIPAL};
use certgate_pki::{GeneratedKey, KeyType, PublicKey, SigningKey, pem};

use super::{Base, FirstStart, keys};
use crate::audit::{AuditKey, CheckpointParts, Checkpoints, HeadsFile, KeyId, Pace};
use crate::config::AuditConfig;
use crate::data_dir::{DataDir, Secrecy, write_atomically};
use crate::telemetry::Metrics;

/// What signs heads of the trail, with the key in `audit.key`.
///
/// # Errors
/// When the key cannot be read, made or written, or is of another kind.
pub async fn open_checkpoints(
    config: &AuditConfig,
    base: &Base,
    data_dir: &DataDir,
    first_start: &FirstStart,
    metrics: &Metrics,
) -> anyhow::Result<Checkpoints> {
    let key = open_key(base, data_dir, first_start).await?;
    Ok(Checkpoints::new(CheckpointParts {
        trail: Arc::new(base.ledger.clone()),
        clock: Arc::clone(&base.clock),
        key,
        file: HeadsFile::new(data_dir.join("audit.heads")),
        pace: Pace { period: config.checkpoint.duration(), events: config.checkpoint_events },
        metrics: metrics.audit.clone(),
    }))
}

/// The key, with the public keys of those before it in `audit.pub.pem`: the present one first, which is what OpenSSL takes.
async fn open_key(base: &Base, data_dir: &DataDir, first_start: &FirstStart) -> anyhow::Result<AuditKey> {
    let (secret, public) = (data_dir.join("audit.key"), data_dir.join("audit.pub.pem"));
    let known = read_public(&public)?;
    let key = if secret.exists() {
        keys::load_or_generate(&secret, KeyType::P256, &base.provider)?
    } else {
        let made = keys::make(KeyType::P256, &base.provider)?;
        tell(base, &made, known.first(), first_start).await?;
        keys::write(&secret, &made, &base.provider)?;
        made.key
    };
    if key.public_key().key_type() != KeyType::P256 {
        bail!("the key in {} is of type {}, and heads are signed with p256", secret.display(), key.public_key().key_type());
    }
    let earlier: Vec<PublicKey> = known.iter().filter(|one| *one != key.public_key()).cloned().collect();
    if known.first() != Some(key.public_key()) {
        write_public(&public, &*key, &earlier)?;
    }
    Ok(AuditKey::new(key, &earlier, base.provider.clone()))
}

/// A key that is made is an event of the trail, before it signs anything.
async fn tell(base: &Base, made: &GeneratedKey, before: Option<&PublicKey>, first_start: &FirstStart) -> anyhow::Result<()> {
    let id = |key| KeyId::of(key, &base.provider).to_string();
    let key = id(made.key.public_key());
    let mut details = vec![("key", key.clone())];
    details.extend(before.map(|before| ("replaces", id(before))));
    let (at, actor) = (base.clock.now(), INTERNAL_PRINCIPAL.to_owned());
    base.ledger.append(Event { at, kind: EventKind::AuditKeyMade, actor, details }).await?;
    if first_start.is_under_way() {
        tracing::info!(key, "made the key that signs heads of the audit trail");
    } else {
        tracing::warn!(key, "there was no audit.key: made the key anew that signs heads of the audit trail");
    }
    Ok(())
}

fn read_public(path: &Path) -> anyhow::Result<Vec<PublicKey>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let name =
        || format!("{}: move it away if it cannot be mended, and heads of earlier keys are not verified", path.display());
    let text = std::fs::read_to_string(path).with_context(name)?;
    let keys = pem::decode_all(pem::PUBLIC_KEY, &text).with_context(name)?;
    keys.iter().map(|der| PublicKey::from_der(der)).collect::<Result<_, _>>().with_context(name)
}

fn write_public(path: &Path, key: &dyn SigningKey, earlier: &[PublicKey]) -> anyhow::Result<()> {
    let all = std::iter::once(key.public_key()).chain(earlier);
    let text: String = all.map(|key| pem::encode(pem::PUBLIC_KEY, key.spki())).collect();
    write_atomically(path, text.as_bytes(), Secrecy::Public)
}
