//! What the hooks do, without commands: the first word is the hook's name.

use anyhow::{anyhow, bail};
use certgate_conformance::{certificate::hex, key::random};

use super::{Server, User};

impl Server {
    pub(super) fn add_user(&mut self, endpoint: &str, name: &str, password: &str, allowed: &[String]) {
        self.users.push(User {
            endpoint: endpoint.into(),
            name: name.into(),
            password: password.into(),
            allowed: allowed.to_vec(),
        });
    }

    pub(super) fn operate(&mut self, argv: &[String]) -> anyhow::Result<String> {
        let words: Vec<&str> = argv.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["add_user", name, endpoint, allowed @ ..] => {
                let password = hex(&random::<8>()?);
                let mut names: Vec<String> =
                    allowed.iter().filter_map(|word| word.split_once(':')).map(|(_, name)| name.to_owned()).collect();
                if names.is_empty() {
                    names.push((*name).to_owned());
                }
                self.add_user(endpoint, name, &password, &names);
                Ok(format!("{{\"name\":\"{name}\",\"password\":\"{password}\",\"endpoint\":\"{endpoint}\"}}\n"))
            }
            ["approve", digest] => self.decide(digest, true),
            ["deny", digest] => self.decide(digest, false),
            ["revoke", serial, _, ..] | ["hold", serial] => self.mark(serial, false),
            ["release", serial] => self.mark(serial, true),
            ["set_time", time] => {
                let time: jiff::Timestamp = time.parse()?;
                self.ahead = 0;
                self.ahead = time.as_second() - self.clock();
                Ok(String::new())
            }
            _ => bail!("no such hook: {argv:?}"),
        }
    }

    fn decide(&mut self, digest: &str, decision: bool) -> anyhow::Result<String> {
        let item = self.pending.iter_mut().find(|item| item.csr_sha256 == digest && item.decision.is_none());
        item.ok_or_else(|| anyhow!("nothing pending of {digest}"))?.decision = Some(decision);
        Ok(String::new())
    }

    fn mark(&mut self, serial: &str, is_good: bool) -> anyhow::Result<String> {
        let issued = self.issued.iter_mut().find(|issued| issued.serial == serial);
        issued.ok_or_else(|| anyhow!("no certificate {serial}"))?.is_good = is_good;
        Ok(String::new())
    }
}
