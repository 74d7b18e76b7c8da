//! Operations.

use proptest::prelude::*;

use super::backend::Mood;
use super::devices::DEVICES;

/// What becomes of the answers of a device's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// All arrive.
    Answered,
    /// That of the request of this place is lost; the device asks again when it is its turn again.
    Lost(u8),
    /// The gateway crashes with that answer on its way: what it tells of is committed.
    CrashWithAnswer(u8),
    /// It crashes while the CA signs.
    CrashWhileSigning,
    /// It crashes after the request of this place was polled so often.
    CrashAmid(u8, u8),
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// A device does what it has to do.
    Turn(usize, Fate),
    /// Time goes on, in hours; devices have their turns meanwhile.
    Pass(u16),
    /// Time goes on, in hours, and no device is awake; the gateway is, but sees the clock jump.
    Jump(u16),
    /// The operator says yes to one of those that wait, or no.
    Approve(u8),
    Deny(u8),
    /// The operator does this with the certificate of a device.
    Revoke(usize),
    Hold(usize),
    Release(usize),
    /// The operator removes a device, which has a password.
    Remove(usize),
    /// The CA changes.
    Ca(Mood),
    /// The ledger takes nothing any more, until the gateway is started anew.
    LedgerStops,
    /// The gateway crashes while nothing is under way, or is stopped, and is started.
    Crash,
    Restart,
    /// Somebody uses once more what was used.
    Replay,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Answered),
        2 => (0_u8..8).prop_map(Fate::Lost),
        2 => (0_u8..8).prop_map(Fate::CrashWithAnswer),
        1 => Just(Fate::CrashWhileSigning),
        1 => (0_u8..8, 0_u8..6).prop_map(|(place, polls)| Fate::CrashAmid(place, polls)),
    ]
}

/// Any of them; what is simpler comes first.
pub(crate) fn any() -> impl Strategy<Value = Op> {
    let device = || 0..DEVICES;
    prop_oneof![
        10 => (device(), fate()).prop_map(|(device, fate)| Op::Turn(device, fate)),
        3 => prop_oneof![Just(1_u16), Just(12), Just(24 * 4), Just(24 * 11), Just(24 * 25)].prop_map(Op::Pass),
        1 => prop_oneof![Just(2_u16), Just(24 * 8), Just(24 * 31), Just(24 * 100)].prop_map(Op::Jump),
        4 => (0_u8..4).prop_map(Op::Approve),
        1 => (0_u8..4).prop_map(Op::Deny),
        2 => device().prop_map(Op::Revoke),
        1 => device().prop_map(Op::Hold),
        1 => device().prop_map(Op::Release),
        1 => device().prop_map(Op::Remove),
        2 => prop_oneof![Just(Mood::Up), Just(Mood::Away), Just(Mood::Refuses)].prop_map(Op::Ca),
        1 => Just(Op::LedgerStops),
        1 => Just(Op::Crash),
        1 => Just(Op::Restart),
        1 => Just(Op::Replay),
    ]
}
