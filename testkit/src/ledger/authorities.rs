//! What is remembered of authorities: their addresses, the certificates they were given, whether they are offline.

use async_trait::async_trait;
use certgate_enrollment::{Authorities, Event, LedgerError};
use certgate_pki::Timestamp;

use super::MemoryLedger;

#[async_trait]
impl Authorities for MemoryLedger {
    async fn use_base_url(&self, authority: &str, url: &str, event: Event) -> Result<bool, LedgerError> {
        let mut state = self.write()?;
        let newest = state.base_urls.iter().rev().find(|(name, _)| name == authority);
        if newest.is_some_and(|(_, newest)| newest == url) {
            return Ok(false);
        }
        state.base_urls.push((authority.to_owned(), url.to_owned()));
        state.append(event);
        Ok(true)
    }

    async fn base_urls(&self, authority: &str) -> Result<Vec<String>, LedgerError> {
        let mut urls: Vec<String> = Vec::new();
        for (_, url) in self.read().base_urls.iter().filter(|(name, _)| name == authority) {
            if !urls.contains(url) {
                urls.push(url.clone());
            }
        }
        Ok(urls)
    }

    async fn import_certificate(&self, authority: &str, der: &[u8], event: Event) -> Result<(), LedgerError> {
        let mut state = self.write()?;
        state.imported.push((authority.to_owned(), der.to_owned()));
        state.append(event);
        Ok(())
    }

    async fn imported_certificate(&self, authority: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.read().imported.iter().rev().find(|(name, _)| name == authority).map(|(_, der)| der.clone()))
    }

    async fn take_offline(&self, authority: &str, event: Event) -> Result<bool, LedgerError> {
        let mut state = self.write()?;
        if state.offline.contains_key(authority) {
            return Ok(false);
        }
        state.offline.insert(authority.to_owned(), event.at);
        state.append(event);
        Ok(true)
    }

    async fn bring_back(&self, authority: &str, event: Event) -> Result<bool, LedgerError> {
        let mut state = self.write()?;
        let was_offline = state.offline.remove(authority).is_some();
        if was_offline {
            state.append(event);
        }
        Ok(was_offline)
    }

    async fn offline_since(&self, authority: &str) -> Result<Option<Timestamp>, LedgerError> {
        Ok(self.read().offline.get(authority).copied())
    }
}
