//! CRLs as they were published.

use async_trait::async_trait;
use certgate_enrollment::{CrlRecord, CrlScope, Crls, Event, LedgerError};
use certgate_pki::Timestamp;

use super::MemoryLedger;

#[async_trait]
impl Crls for MemoryLedger {
    async fn record_crls(&self, crls: Vec<(CrlRecord, Event)>) -> Result<bool, LedgerError> {
        let mut state = self.write()?;
        let is_late = |crl: &CrlRecord| state.crls.iter().any(|one| one.scope == crl.scope && one.number >= crl.number);
        if crls.iter().any(|(crl, _)| is_late(crl)) {
            return Ok(false);
        }
        for (crl, event) in crls {
            state.crls.push(crl);
            state.append(event);
        }
        Ok(true)
    }

    async fn last_crl(&self, scope: &CrlScope, is_delta: bool) -> Result<Option<CrlRecord>, LedgerError> {
        let state = self.read();
        Ok(state.crls.iter().rev().find(|crl| crl.scope == *scope && crl.base.is_some() == is_delta).cloned())
    }

    async fn withdraw_crl(&self, scope: &CrlScope, number: u64, event: Event) -> Result<(), LedgerError> {
        let mut state = self.write()?;
        let is_it = |crl: &CrlRecord| crl.scope == *scope && crl.number == number && crl.base.is_none();
        let place = (scope.clone(), number);
        if state.crls.iter().any(is_it) && !state.withdrawn.contains(&place) {
            state.withdrawn.push(place);
            state.append(event);
        }
        Ok(())
    }

    async fn base_crl(&self, scope: &CrlScope, made_by: Timestamp) -> Result<Option<CrlRecord>, LedgerError> {
        let state = self.read();
        let is_withdrawn = |crl: &CrlRecord| state.withdrawn.contains(&(crl.scope.clone(), crl.number));
        let is_one = |crl: &&CrlRecord| crl.scope == *scope && crl.base.is_none() && !is_withdrawn(crl);
        let complete = || state.crls.iter().filter(is_one);
        let by_then = complete().rfind(|crl| crl.this_update <= made_by);
        Ok(by_then.or_else(|| complete().next()).cloned())
    }

    async fn crl_shards(&self, authority: &str) -> Result<Vec<u32>, LedgerError> {
        let state = self.read();
        let of = state.crls.iter().filter(|crl| crl.scope.authority == authority && crl.base.is_none());
        let mut shards: Vec<u32> = of.map(|crl| crl.scope.shard).collect();
        shards.sort_unstable();
        shards.dedup();
        Ok(shards)
    }
}
