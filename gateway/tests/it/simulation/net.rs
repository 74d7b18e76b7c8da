//! What is between a device and the gateway: answers arrive, are lost, or the gateway crashes.

use std::cell::Cell;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;

use super::backend::{Mood, Weather};
use super::life::{Answer, Life, Until};
use super::op::Fate;

/// No answer has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lost;

/// One turn of a device.
pub(crate) struct Net<'l> {
    pub(crate) life: &'l Life,
    weather: &'l Weather,
    fate: Fate,
    asked: Cell<u8>,
}

impl<'l> Net<'l> {
    pub(crate) fn new(life: &'l Life, weather: &'l Weather, fate: Fate) -> Self {
        Self { life, weather, fate, asked: Cell::new(0) }
    }

    /// A request and its answer.
    pub(crate) fn ask(&self, request: Request<Full<Bytes>>, certificate: Option<&[u8]>) -> Result<Answer, Lost> {
        let place = self.asked.replace(self.asked.get() + 1);
        let until = match self.fate {
            Fate::CrashAmid(at, polls) if at == place => Until::Polled(polls),
            Fate::CrashWhileSigning => Until::Signing,
            _ => Until::Answered,
        };
        let before = (until == Until::Signing).then(|| self.weather.set(Mood::Silent));
        let answer = self.life.ask(request, certificate, until);
        if let Some(mood) = before {
            self.weather.set(mood);
        }
        let is_lost = matches!(self.fate, Fate::Lost(at) | Fate::CrashWithAnswer(at) if at == place);
        answer.filter(|_| !is_lost && !matches!(until, Until::Polled(_))).ok_or(Lost)
    }
}
