//! The SCEP clauses (RFC 8894): one file a family. Messages are made and opened by code of their own, on RustCrypto.

mod again;
mod algorithm;
mod approval;
mod authorities;
mod ber;
mod capabilities;
mod enrollment;
mod envelope;
mod message;
mod oracle;
mod refusal;
mod reply;
pub mod requests;
mod session;
mod steps;
mod wording;

pub use session::{Check, Session};

/// The implemented clauses.
pub const CHECKS: &[(&str, Check)] = &[
    ("S01", capabilities::are_told),
    ("S02", capabilities::suffice),
    ("S03", capabilities::forbid),
    ("S05", capabilities::certificates_are_complete),
    ("S06", enrollment::gives_a_certificate),
    ("S07", enrollment::is_signed),
    ("S08", enrollment::has_its_attributes),
    ("S09", enrollment::has_a_fresh_nonce),
    ("S10", enrollment::is_for_its_signer),
    ("S11", enrollment::answers_in_kind),
    ("S12", refusal::forbids_des_and_md5),
    ("S13", refusal::minds_the_challenge),
    ("S14", refusal::says_why),
    ("S15", approval::pending_is_bare),
    ("S16", approval::is_decided),
    ("S17", approval::nothing_to_poll),
    ("S18", approval::minds_the_transaction_alone),
    ("S19", again::is_one_certificate),
    ("S23", refusal::minds_whose_key_it_is),
    ("S24", refusal::minds_the_signature),
    ("S25", refusal::knows_its_message_types),
    ("S28", refusal::opens_its_own_envelopes_only),
    ("S29", refusal::wants_what_the_type_says),
    ("S30", refusal::wants_a_whole_csr),
    ("S33", capabilities::next_certificate_is_told_or_not),
    ("S34", wording::get_is_as_post),
    ("S35", wording::any_path_will_do),
    ("S36", wording::reads_ber_and_nothing_else),
    ("S37", refusal::encrypts_to_every_key),
    ("S38", again::a_challenge_is_good_once),
    ("S39", oracle::is_no_oracle),
    ("S40", wording::answers_in_der),
];
