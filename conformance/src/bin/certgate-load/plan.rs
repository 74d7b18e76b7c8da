//! What a run does again and again, and what has to be asked of the server before the clock starts.

use bytes::Bytes;
use certgate_conformance::target::Url;
use hyper::Response;

use crate::{
    acme::{self, Issuances},
    client::{Connection, Server},
    scep,
    work::Work,
};

/// What a run is to do.
pub(crate) enum Plan {
    /// Requests that are there already.
    Requests(Work),
    /// Certificates by ACME, for an account that has to be opened.
    Acme(acme::Options),
    /// Messages of SCEP, to a CA that has to be asked for its certificates.
    Scep(scep::Options),
}

/// How much of it, and how.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    /// Connections at one time.
    pub(crate) connections: usize,
    /// Operations, those before the clock starts among them.
    pub(crate) count: usize,
    /// Whether each has a connection of its own.
    pub(crate) cold: bool,
}

/// What a run does for each of its operations.
pub(crate) enum Job {
    /// A request.
    Request(Work),
    /// A certificate by ACME.
    Issuance(Box<Issuances>),
}

impl Plan {
    /// Asks what has to be asked before, and makes all messages.
    pub(crate) async fn prepare(self, server: &Server, url: &Url, extent: Extent) -> anyhow::Result<Job> {
        Ok(match self {
            Self::Requests(work) => Job::Request(work),
            Self::Acme(options) => Job::Issuance(Box::new(Issuances::prepare(&options, server, url, extent).await?)),
            Self::Scep(options) => Job::Request(scep::messages(&options, server, url, extent.count).await?),
        })
    }
}

impl Job {
    /// The operation at `index`, over a connection; its last answer, which is right.
    pub(crate) async fn perform(&self, index: usize, connection: &mut Connection) -> anyhow::Result<Response<Bytes>> {
        match self {
            Self::Request(work) => {
                let answer = connection.ask(work.request(index)?).await?;
                work.check(index, &answer)?;
                Ok(answer)
            }
            Self::Issuance(issuances) => issuances.perform(index, connection).await,
        }
    }
}
