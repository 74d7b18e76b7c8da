//! Everything that there is, and one operation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use certgate_enrollment::{Clock, EnrollmentId};
use certgate_pki::{Serial, Timestamp};
use certgate_testkit::MockClock;

use super::backend::{Mood, Weather};
use super::devices::{Client, Device, Task, Turned};
use super::life::{Founded, Life};
use super::net::{Lost, Net};
use super::op::{Fate, Op};
use super::relying::{Said, ocsp};
use super::{Fault, ensure};

const HOUR: Duration = Duration::from_secs(3600);
/// Between two turns of a device that is awake: more than one within the last third of a certificate's life.
const STRIDE: u16 = 48;
/// In so many turns a device gets through when nothing is wrong.
const TURNS: usize = 4;

/// What is known without asking the gateway.
#[derive(Default)]
pub(crate) struct Model {
    /// What the operator has made of certificates; the others are good.
    pub(crate) fates: BTreeMap<Serial, Said>,
    pub(crate) approved: BTreeSet<EnrollmentId>,
    pub(crate) denied: BTreeSet<EnrollmentId>,
    /// Principals that were removed, and how many certificates they had then.
    pub(crate) removed: BTreeMap<String, usize>,
    /// Events that must be in the trail, by their names.
    pub(crate) events: BTreeMap<&'static str, u64>,
    /// How many requests that waited were denied with their requester.
    pub(crate) denied_by_removal: u64,
    /// The number of the last CRL that was seen.
    pub(crate) crl_number: u64,
}

impl Model {
    pub(crate) fn fate(&self, serial: &Serial) -> Said {
        self.fates.get(serial).copied().unwrap_or(Said::Good)
    }

    pub(crate) fn count(&mut self, event: &'static str) {
        *self.events.entry(event).or_default() += 1;
    }
}

pub(crate) struct World<'f> {
    pub(crate) founded: &'f Founded,
    pub(crate) clock: Arc<MockClock>,
    pub(crate) weather: Arc<Weather>,
    pub(crate) devices: Vec<Device>,
    pub(crate) model: Model,
    /// The ledger takes nothing any more.
    pub(crate) is_closed: bool,
    /// `None` between a crash and the next start alone.
    life: Option<Life>,
}

impl<'f> World<'f> {
    pub(crate) fn new(founded: &'f Founded) -> Self {
        let (clock, weather) = (Arc::<MockClock>::default(), Weather::new());
        let life = Life::start(founded.copy(), &clock, &weather).unwrap();
        let (devices, model) = (Device::all(), Model::default());
        let mut world = Self { founded, clock, weather, devices, model, is_closed: false, life: Some(life) };
        world.give_passwords();
        world
    }

    pub(crate) fn life(&self) -> &Life {
        self.life.as_ref().unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Does something not work?
    pub(crate) fn is_faulty(&self) -> bool {
        self.is_closed || self.weather.mood() != Mood::Up
    }

    /// Does an operation and judges the moment after it.
    pub(crate) fn step(&mut self, op: Op) -> Result<String, Fault> {
        let said = match op {
            Op::Turn(device, fate) => self.fated_turn(device, fate)?,
            Op::Pass(hours) => self.pass(hours)?,
            Op::Jump(hours) => {
                self.clock.advance(HOUR * u32::from(hours));
                self.now().to_string()
            }
            Op::Ca(mood) => {
                self.weather.set(mood);
                "so it is".to_owned()
            }
            Op::LedgerStops => {
                self.life().block_on(self.life().base.ledger.close());
                self.is_closed = true;
                "so it is".to_owned()
            }
            Op::Crash => self.crash(),
            Op::Restart => self.restart(),
            Op::Replay => self.replay()?,
            other => self.operate(other)?,
        };
        self.judge()?;
        Ok(said)
    }

    /// Everything in memory is gone, and it is started again.
    pub(crate) fn crash(&mut self) -> String {
        let left = self.life.take().unwrap().crash();
        self.start(left)
    }

    fn restart(&mut self) -> String {
        let left = self.life.take().unwrap().stop();
        self.start(left)
    }

    fn start(&mut self, left: tempfile::TempDir) -> String {
        // What certgate needs for itself it must get at a start: a CA in this process is not away then.
        let mood = self.weather.set(Mood::Up);
        self.life = Some(Life::start(left, &self.clock, &self.weather).unwrap());
        self.weather.set(mood);
        self.is_closed = false;
        "started again".to_owned()
    }

    fn fated_turn(&mut self, device: usize, fate: Fate) -> Result<String, Fault> {
        let turned = self.turn(device, fate)?;
        let said = format!("{}: {}", self.devices[device].name, in_words(&turned));
        let crashes = matches!(fate, Fate::CrashWithAnswer(_) | Fate::CrashWhileSigning | Fate::CrashAmid(..));
        Ok(if crashes { format!("{said}; {}", self.crash()) } else { said })
    }

    /// A device does what it has to do.
    fn turn(&mut self, device: usize, fate: Fate) -> Result<Turned, Fault> {
        let now = self.now();
        // Of one that is over nobody tells for long.
        let asked = &self.devices[device];
        let own = asked.current().filter(|_| asked.has_one(now)).map(|own| own.serial().clone());
        let said = own.as_ref().map(|own| ocsp(self.life(), own, now)).transpose()?.flatten();
        if own.is_some() && said.is_none() {
            // It cannot tell what became of its certificate, and asks again.
            return Ok(Turned::Idle);
        }
        let task = self.devices[device].task(said, now);
        if task != Task::Nothing {
            self.give_challenge(device)?;
        }
        let (is_faulty, life) = (self.is_faulty(), self.life.as_ref().unwrap());
        let asked = &mut self.devices[device];
        let turned = asked.turn(&Net::new(life, &self.weather, fate), task);
        let may_be = match &turned {
            Turned::Has(certificate) => !asked.is_removed && certificate.validity().not_after > now,
            Turned::Idle | Turned::Waits => true,
            Turned::Later => is_faulty,
            Turned::Refused(_) => is_faulty || !asked.behaves() || asked.needs_person(),
            Turned::Lost => fate != Fate::Answered,
        };
        ensure(may_be, || format!("{} with {task:?}: {turned:?}", asked.name))?;
        if matches!(turned, Turned::Has(_) | Turned::Waits) {
            asked.is_denied = false;
        }
        Ok(turned)
    }

    /// Time goes on, and every device that is due has its turn: who behaves is never without a certificate while nothing is wrong.
    fn pass(&mut self, hours: u16) -> Result<String, Fault> {
        let mut left = hours;
        while left > 0 {
            let stride = left.min(STRIDE);
            left -= stride;
            self.clock.advance(HOUR * u32::from(stride));
            self.life().settle();
            for device in 0..self.devices.len() {
                self.turns(device)?;
            }
            self.judge()?;
        }
        Ok(self.now().to_string())
    }

    /// As many turns as it takes; who is to ask again comes back when what it waits for has had its time.
    fn turns(&mut self, device: usize) -> Result<(), Fault> {
        for _ in 0..TURNS {
            let waits = matches!(self.turn(device, Fate::Answered)?, Turned::Waits);
            if !waits || self.devices[device].needs_person() {
                break;
            }
            self.life().settle();
        }
        let asked = &self.devices[device];
        let is_excused = self.is_faulty() || asked.needs_person();
        ensure(is_excused || self.is_served(device), || format!("{} behaves, and has no certificate", asked.name))
    }

    /// Has it a certificate that is good, or none for a reason?
    fn is_served(&self, device: usize) -> bool {
        let asked = &self.devices[device];
        let fate = asked.current().map(|own| self.model.fate(own.serial()));
        !asked.behaves() || fate == Some(Said::Held) || fate == Some(Said::Good) && asked.has_one(self.now())
    }

    /// Challenges and nonces that were used are good for nothing.
    fn replay(&mut self) -> Result<String, Fault> {
        let (is_faulty, life) = (self.is_faulty(), self.life.as_ref().unwrap());
        let net = Net::new(life, &self.weather, Fate::Answered);
        let mut tried = 0;
        for device in &mut self.devices {
            let refused = match &mut device.client {
                Client::Est(_) => None,
                Client::Scep(client) => {
                    client.replay(&net).map_err(|Lost| "no answer".to_owned())?.map(|turned| match turned {
                        Turned::Refused(_) => Ok(()),
                        Turned::Later if is_faulty => Ok(()),
                        other => Err(format!("{} uses a challenge once more: {other:?}", device.name)),
                    })
                }
                Client::Acme(client) => client.replay(&net).map_err(|Lost| "no answer".to_owned())?.map(|answer| {
                    let is_refused = !answer.status.is_success() && (is_faulty || answer.status == 400);
                    ensure(is_refused, || format!("a nonce is used once more: {answer:?}"))
                }),
            };
            tried += refused.transpose()?.map_or(0, |()| 1);
        }
        Ok(format!("{tried} refused"))
    }

    /// Faults end: everybody gets through.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        self.weather.set(Mood::Up);
        if self.is_closed {
            self.crash();
        }
        self.life().settle();
        for _ in 0..TURNS {
            for device in 0..self.devices.len() {
                self.turn(device, Fate::Answered)?;
            }
            self.approve_all()?;
        }
        for device in 0..self.devices.len() {
            self.turns(device)?;
            let name = &self.devices[device].name;
            ensure(self.is_served(device), || format!("{name} has no certificate, and nothing is wrong any more"))?;
        }
        self.judge()?;
        self.judge_trail()
    }
}

fn in_words(turned: &Turned) -> String {
    match turned {
        Turned::Idle => "nothing to do".to_owned(),
        Turned::Has(certificate) => format!("has {}", certificate.serial()),
        Turned::Waits => "waits".to_owned(),
        Turned::Later => "is told to come back".to_owned(),
        Turned::Refused(why) => format!("is refused: {why}"),
        Turned::Lost => "hears nothing".to_owned(),
    }
}
