//! The credential of a first device, so that a fresh installation can be tried at once.

use std::path::PathBuf;

use anyhow::{Context, bail};
use certgate_enrollment::{EstUserAdded, EstUsers};
use certgate_pki::GeneralName;
use certgate_policy::Approval;
use zeroize::Zeroizing;

use super::Base;
use crate::admin::est_users::{NewUser, generate_password, operator_event};
use crate::auth::hash_generated;
use crate::config::{AuthMethod, ChannelBindingName, Config, EndpointConfig, ProtocolName};
use crate::data_dir::{self, DataDir, Secrecy, write_atomically};

/// Its name.
const NAME: &str = "first-device";

/// The first start, which is over when the first device could be announced.
///
/// A file tells of it from before the ledger exists: a first start that was cut short is done over.
pub struct FirstStart {
    marker: PathBuf,
}

impl FirstStart {
    /// Begins it if there is no ledger yet, or takes it up again.
    ///
    /// # Errors
    /// When the file cannot be written, or a ledger was there and is lost.
    pub fn begin(data_dir: &DataDir) -> anyhow::Result<Self> {
        let marker = data_dir.join("first-start");
        let has_ledger = data_dir.join("ledger.db").exists();
        if !has_ledger && !marker.exists() && data_dir.has_keys()? {
            bail!(
                "{} has keys in ca/ but no ledger.db: what those keys have signed is recorded nowhere. Restore ledger.db from a backup, \
                 or start with an empty data directory",
                data_dir.path().display()
            );
        }
        if !has_ledger {
            write_atomically(&marker, b"This file goes when the first start is over.\n", Secrecy::Public)?;
        }
        Ok(Self { marker })
    }

    /// Is this the first start?
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.marker.exists()
    }

    /// Ends it, for good: were the file there again after a crash, the next start would replace a password that is in use.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn end(&self) -> anyhow::Result<()> {
        data_dir::remove(&self.marker).with_context(|| self.marker.display().to_string())
    }
}

/// Where its credential is.
#[derive(Debug)]
pub struct FirstDevice {
    /// The endpoint that it may enroll at.
    pub endpoint: String,
    /// The chain of its certificates within the data directory; none when a root signs them itself.
    pub chain: Option<String>,
}

/// Makes the credential and `first-device.netrc`, which names the password once for each name of the server.
///
/// A first start that was cut short is done over: a password that was made then is replaced.
///
/// # Errors
/// When it cannot be recorded or written.
pub async fn make_first_device(
    config: &Config,
    base: &Base,
    data_dir: &DataDir,
    server_names: &[GeneralName],
) -> anyhow::Result<Option<FirstDevice>> {
    let Some(configured) = config.endpoints.iter().find(|endpoint| takes_first_device(config, endpoint)) else {
        return Ok(None);
    };
    let endpoint = configured.name.clone();
    let now = base.clock.now();
    let new = NewUser { name: NAME.into(), endpoint: endpoint.clone(), allow: Vec::new(), expires_at: None, uses: None };
    base.ledger.remove(NAME, operator_event(now, certgate_enrollment::EventKind::EstUserRemoved, NAME, &endpoint)).await?;
    let password = generate_password(&base.provider)?;
    let (user, event) = new.with(hash_generated(&*base.provider.digest, &password), &base.provider, now)?;
    let netrc = netrc(server_names, &password);
    if base.ledger.add(user, event).await? == EstUserAdded::Exists {
        bail!("the EST user {NAME} is there already");
    }
    write_atomically(&data_dir.join("first-device.netrc"), netrc.as_bytes(), Secrecy::Private)?;
    let profile = config.profiles.iter().find(|profile| profile.name == *configured.profile.get_ref());
    let authority = profile.and_then(|profile| config.authorities.iter().find(|one| one.name == *profile.authority.get_ref()));
    let chain = authority.filter(|one| one.external || one.issuer.is_some()).map(|one| format!("ca/{}.chain.pem", one.name));
    Ok(Some(FirstDevice { endpoint, chain }))
}

/// Can a device enroll there with a password and nothing else, as the introduction tells?
fn takes_first_device(config: &Config, endpoint: &EndpointConfig) -> bool {
    let profile = config.profiles.iter().find(|profile| profile.name == *endpoint.profile.get_ref());
    endpoint.protocol == ProtocolName::Est
        && endpoint.auth().contains(&AuthMethod::Basic)
        && endpoint.channel_binding() == ChannelBindingName::Optional
        && profile.is_some_and(|profile| profile.profile().approval == Approval::Auto)
}

/// One `machine` line for each name, for `curl --netrc-file`.
fn netrc(server_names: &[GeneralName], password: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    for name in server_names {
        let machine = match name {
            GeneralName::Dns(name) => name.to_string(),
            GeneralName::Ip(address) => address.to_string(),
            _ => continue,
        };
        text.push_str(&format!("machine {machine} login {NAME} password {password}\n"));
    }
    text
}
