//! CRLs: what a long one costs to build and to hold, and how fast a short one is served.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{
    bench::{
        LOAD_CORE,
        asker::Sample,
        load::{Amount, Measurement, RawServer, generator},
        rows::Row,
        seeded::SeededLedger,
        series::{Round, Series},
        start::resident_kib,
    },
    gateway::Gateway,
    process, tree,
};

/// Ids of these rows.
pub(super) const IDS: [&str; 4] = ["crl-get", "crl-get-304", "crl-build", "crl-entry-octets"];
/// Entries of the long list.
pub(super) const ENTRIES: u32 = 1_000_000;

/// Milliseconds of CPU in which it is to be built.
const BUILD_LIMIT: f64 = 1000.0;
/// Octets that an entry of it may take beside the octets that are served.
const ENTRY_LIMIT: f64 = 64.0;
/// Rounds of which the median is taken.
const ROUNDS: u32 = 5;
/// Requests of a round.
const AMOUNT: Amount = Amount::warm(16, 20_000);
/// The list of all certificates, under the URL of the listener.
const PATH: &str = "/crl/default.crl";

/// Measures at both ends, with nothing revoked and with everything.
pub(super) struct Lists {
    work: PathBuf,
    /// Where the gateway writes the list.
    file: PathBuf,
    /// Resident set with an empty list, in KiB.
    empty_kib: f64,
}

impl Lists {
    pub(super) fn new(ledger: &SeededLedger<'_>) -> Self {
        let file = ledger.data_dir().join("crl/default.crl");
        Self { work: ledger.work().to_owned(), file, empty_kib: 0.0 }
    }

    /// Is there something to measure when so many are revoked?
    pub(super) const fn is_about(revoked: u32) -> bool {
        revoked == 0 || revoked == ENTRIES
    }

    /// The rows of this end, by a gateway that has built its list, and was not asked for anything else yet.
    pub(super) fn measure(&mut self, gateway: &Gateway, revoked: u32) -> Result<Vec<Row>> {
        let resident = resident_kib(gateway.run().pid)?;
        if revoked == 0 {
            self.empty_kib = resident;
            return self.gets(gateway).map(Vec::from);
        }
        let served = std::fs::metadata(&self.file).with_context(|| self.file.display().to_string())?.len() as f64;
        let beside = ((resident - self.empty_kib) * 1024.0 - served) / f64::from(ENTRIES);
        let note =
            format!("octets beside the {:.1} MB that are served; resident set {:.0} MiB", served / 1e6, resident / 1024.0);
        let held = Row::information(IDS[3], beside, "octets", note).limited(ENTRY_LIMIT);
        Ok(vec![self.builds(gateway)?, held])
    }

    fn builds(&self, gateway: &Gateway) -> Result<Row> {
        let mut spent = Vec::new();
        for _ in 0..ROUNDS {
            let before = cpu_ms(gateway.run().pid)?;
            build(gateway, ENTRIES)?;
            spent.push(cpu_ms(gateway.run().pid)? - before);
        }
        let note = format!("{ENTRIES} entries; resident set afterwards {:.0} MiB", resident_kib(gateway.run().pid)? / 1024.0);
        Ok(Row::of_values(IDS[2], &spent, "ms CPU", note).limited(BUILD_LIMIT))
    }

    /// The whole of a short list, and the word that it is still the same.
    fn gets(&self, gateway: &Gateway) -> Result<[Row; 2]> {
        let whole = Sample::new(&self.work, "crl");
        let own = (gateway.http_url()?, gateway.run().pid);
        fetch(&own, None, Amount::ONE, Some(&whole))?;
        let tag = entity_tag(&whole.head)?;
        let unchanged = Sample::new(&self.work, "crl-304");
        fetch(&own, Some(&tag), Amount::ONE, Some(&unchanged))?;
        let gets = [(IDS[0], whole, None), (IDS[1], unchanged, Some(tag.as_str()))];
        let [first, second] = gets.map(|(id, sample, tag)| compare(id, &own, &sample.serve(&[])?, tag));
        Ok([first?, second?])
    }
}

/// The gateway, whose URL and process these are, beside a raw server.
fn compare(id: &'static str, own: &(String, u32), raw: &RawServer, tag: Option<&str>) -> Result<Row> {
    let raw = (format!("http://{}", raw.address), raw.pid());
    let mut series = Series::default();
    for _ in 0..ROUNDS {
        let (gateway, raw) = (fetch(own, tag, AMOUNT, None)?, fetch(&raw, tag, AMOUNT, None)?);
        series.add(&Round { gateway, raw, loop_us: 0.0, in_place: None });
    }
    Ok(series.row(id, AMOUNT, None))
}

/// Fetches the list again and again.
fn fetch((url, pid): &(String, u32), tag: Option<&str>, amount: Amount, save: Option<&Sample>) -> Result<Measurement> {
    let mut command: Command = generator(&LOAD_CORE)?;
    command.args(["crl", "--url", &format!("{url}{PATH}"), "--server-pid", &pid.to_string()]);
    amount.add_to(&mut command);
    if let Some(tag) = tag {
        command.args(["--if-none-match", tag]);
    }
    if let Some(Sample { content, head }) = save {
        command.arg("--save").arg(content).arg("--save-head").arg(head);
    }
    Measurement::take(&mut command)
}

fn entity_tag(head: &Path) -> Result<String> {
    let text = tree::read(head)?;
    let tag = text.lines().find_map(|line| line.strip_prefix("etag: "));
    Ok(tag.context("a CRL without ETag")?.to_owned())
}

/// Has the list built, and returns when it is served.
pub(super) fn build(gateway: &Gateway, entries: u32) -> Result<()> {
    let answer = gateway.admin(&["crl", "build", "default", "--full"])?;
    let built = answer["items"][0]["entries"].as_u64();
    ensure!(built == Some(u64::from(entries)), "not {entries} entries but {answer}");
    Ok(())
}

/// CPU time of a process so far, in milliseconds.
fn cpu_ms(pid: u32) -> Result<f64> {
    Ok(process::cpu_time(pid)?.as_secs_f64() * 1000.0)
}
