//! A device that renews its certificate while others guess passwords that people chose (Argon2id): its latency beside that of a calm
//! moment of the same run.

use std::{collections::BTreeMap, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::{
    LOAD_CORE,
    rows::{Row, median, spread},
    start_gateway,
};
use crate::{cargo, device::Device, gateway::Gateway, process};

/// The row of this file.
pub(super) const ID: &str = "est-reenroll-in-a-storm";
/// Rounds of which the median is taken.
const ROUNDS: usize = 3;
/// Guesses at the same time.
const GUESSES: usize = 1000;
/// Renewals that are enough for a median.
const FEWEST: usize = 20;
/// How many times the calm latency is normal.
const LIMIT: f64 = 1.5;
/// Whose password is guessed.
const VICTIM: &str = "person";

/// What one round found.
#[derive(Deserialize)]
struct Measurement {
    calm_p50_us: u64,
    storm_p50_us: u64,
    storm_p99_us: u64,
    renewals: usize,
    answers: BTreeMap<String, usize>,
}

/// Storms, round after round.
pub(super) fn measure(work: &Path) -> Result<Row> {
    let gateway = start_gateway(work, "storm")?;
    choose_password(&gateway)?;
    let mut device = Device::new(&gateway, work, "storm-device")?;
    device.request("ec -pkeyopt ec_paramgen_curve:P-256")?;
    device.enroll("")?;
    let (mut calm, mut storm, mut ratios, mut notes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let measured = round(&gateway, &device)?;
        let known = measured.answers.keys().all(|status| matches!(status.as_str(), "401" | "503"));
        ensure!(known, "guesses were answered {:?}", measured.answers);
        ensure!(measured.renewals >= FEWEST, "the storm was over after {} renewals", measured.renewals);
        calm.push(measured.calm_p50_us as f64);
        storm.push(measured.storm_p50_us as f64);
        ratios.push(measured.storm_p50_us as f64 / measured.calm_p50_us as f64);
        let answers: Vec<String> = measured.answers.iter().map(|(status, count)| format!("{count} x {status}")).collect();
        notes.push(format!("{}, p99 {:.1} ms", answers.join(" "), measured.storm_p99_us as f64 / 1000.0));
    }
    gateway.stop()?;
    let (value, raw) = (median(&storm), median(&calm));
    Ok(Row {
        id: ID,
        value,
        unit: "us p50",
        limit: Some(LIMIT * raw),
        raw: Some(raw),
        ratio: Some(value / raw),
        spread: spread(&ratios),
        in_place: None,
        note: format!("{GUESSES} guesses at once: {}; raw: before them", notes.pop().unwrap_or_default()),
    })
}

/// A user with a password that a person chose.
fn choose_password(gateway: &Gateway) -> Result<()> {
    let script = r#"echo 'correct horse battery' | "$CERTGATE" --data-dir "$DATA" est user add "$VICTIM" --password-stdin"#;
    let certgate = cargo::release_binary("certgate")?;
    let environment =
        [("CERTGATE", certgate.as_os_str()), ("DATA", gateway.data_dir().as_os_str()), ("VICTIM", VICTIM.as_ref())];
    process::script(gateway.data_dir(), script, &environment).map(drop)
}

fn round(gateway: &Gateway, device: &Device) -> Result<Measurement> {
    let mut command = Command::new(LOAD_CORE[0]);
    command.args(&LOAD_CORE[1..]).arg(cargo::tool("certgate-load")?).arg("storm");
    command.args(["--url", &gateway.est_url()?, "--victim", VICTIM, "--device", device.name()]);
    command.args(["--guesses", &GUESSES.to_string()]).arg("--ca-file").arg(&gateway.run().ca_pem);
    for (flag, file) in [("--certificate", "cert.pem"), ("--key", "key.pem")] {
        command.arg(flag).arg(device.folder().join(file));
    }
    serde_json::from_str(&process::stdout(&mut command)?).context("what certgate-load printed")
}
