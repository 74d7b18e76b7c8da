//! What stands below the help of each command: what it prints, and a line or two to begin with. Tests parse every line.

pub(super) const CERTGATE: &str = "Examples:
  certgate                                     # serve here, with everything in ./certgate-data
  certgate --config /etc/certgate.toml serve   # serve what a file says
  certgate cert list --output json             # ask the gateway that runs here";

pub(super) const SERVE: &str =
    "Prints how to enroll a first device on the first start, and always, last, one line: certgate ready. Logs go to stderr.
SIGTERM finishes what is under way, SIGHUP reads the configuration again.

Examples:
  certgate serve
  certgate serve --https 0.0.0.0:8443 --http 0.0.0.0:8080 --public-url http://pki.example.com:8080";

pub(super) const EST_USER_ADD: &str = "Prints the credential; the password is kept nowhere and never shown again.

Examples:
  certgate est user add router-7.example.com
  certgate est user add plant --allow 'dns:*.plant.example' --allow ip:192.0.2.0/24 --ttl 30d
  certgate est user add pump-3.example.com --uses 1";

pub(super) const EST_USER_LIST: &str = "Prints a page of credentials, without passwords.

Examples:
  certgate est user list --limit 1000";

pub(super) const EST_USER_REMOVE: &str = "Prints what was removed and denied, and the certificates that remain good.

Examples:
  certgate est user remove router-7.example.com
  certgate est user remove router-7.example.com --revoke";

pub(super) const SCEP_CHALLENGE_NEW: &str = "Prints the challenge; it is kept nowhere and never shown again.

Examples:
  certgate scep challenge new --ttl 12h
  certgate scep challenge new --subject CN=device-7,O=Example --uses 2";

pub(super) const CERT_LIST: &str =
    "Prints a page, newest first, and the cursor of the next one; --all goes on to the end, a page at a time.

Examples:
  certgate cert list --status revoked --authority default
  certgate cert list --expires-before 2027-01-31T00:00:00Z --status valid --all
  certgate cert list --all --output json";

pub(super) const CERT_SHOW: &str = "Prints the certificate as PEM with all that the ledger knows of it.

Examples:
  certgate cert show 0192f1a4b6e37c2d9a
  certgate cert show old-ca/01";

pub(super) const CERT_REVOKE: &str =
    "Prints the certificate, or how many were matched and revoked. OCSP tells of it at once, a new CRL soon after. What is issued while many are
revoked is revoked, too.

Examples:
  certgate cert revoke 0192f1a4b6e37c2d9a --reason keyCompromise
  certgate cert revoke --requester plant --dry-run
  certgate cert revoke --serials stolen.txt --reason keyCompromise --invalidity-date 2026-11-01T00:00:00Z";

pub(super) const CERT_HOLD: &str = "Prints the certificate.

Examples:
  certgate cert hold 0192f1a4b6e37c2d9a";

pub(super) const CERT_RELEASE: &str = "Prints the certificate.

Examples:
  certgate cert release 0192f1a4b6e37c2d9a";

pub(super) const CRL_BUILD: &str = "Prints the lists that were made.

Examples:
  certgate crl build
  certgate crl build default --full";

pub(super) const CRL_SHOW: &str =
    "Prints a line a list: its number, how many entries it has, until when it is good, where it is.

Examples:
  certgate crl show
  certgate crl show default";

pub(super) const ENROLLMENT_LIST: &str = "Prints a page of requests, newest first.

Examples:
  certgate enrollment list --state pending";

pub(super) const ENROLLMENT_SHOW: &str = "Prints the request: who asks, for which names, with which key.

Examples:
  certgate enrollment show 7c9e6679f2a94d0b8a3f5d2c1b0a9e8d";

pub(super) const ENROLLMENT_APPROVE: &str = "Prints the request.

Examples:
  certgate enrollment approve 7c9e6679f2a94d0b8a3f5d2c1b0a9e8d";

pub(super) const ENROLLMENT_DENY: &str = "Prints the request.

Examples:
  certgate enrollment deny 7c9e6679f2a94d0b8a3f5d2c1b0a9e8d --reason 'not one of ours'";

pub(super) const AUDIT_VERIFY: &str = "Prints how many events the trail has, its head, the hash of the last one, and how many signed heads of audit.heads it passes.
Keep copies of that file, or of the log, elsewhere: a later run that is given one notices when the trail was cut or rewritten since.

Examples:
  certgate audit verify
  certgate audit verify --heads /mnt/logs/audit.heads
  certgate audit verify --expect-head 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

pub(super) const BACKUP: &str =
    "Prints what is in the backup, and names keys in it that are not encrypted. The archive is not encrypted: what does that
takes it from standard output.

Examples:
  certgate backup /var/backups/certgate-2027-01-31.tar
  certgate backup - | age -r RECIPIENT > certgate.tar.age
  certgate backup - | gpg -e -r ops@example.com > certgate.tar.gpg
  certgate backup nightly.tar --without-keys";

pub(super) const RESTORE: &str = "Prints what came of it: what the backup did not have, what was carried over, which keys are missing. What was there is kept
in a folder replaced-TIME of the data directory; remove it when you are sure.

Examples:
  certgate --data-dir new restore certgate.tar                      # on a new machine, or to try a backup out
  certgate restore certgate.tar --replace --dry-run                 # what would be forgotten?
  certgate restore certgate.tar --replace --forget-since 2027-01-31T02:00:00Z
  certgate restore certgate.tar --replace --accept-loss             # the ledger that is there cannot be read
  age -d -i key.txt certgate.tar.age | certgate restore - --replace";

pub(super) const LEDGER_CHECK: &str =
    "Prints ok, and how many events and certificates it has; else, with exit code 1, what is wrong.

Examples:
  certgate ledger check";

pub(super) const CONFIG_CHECK: &str = "Prints that the file is good and what is worth a second look, or, with exit code 1, the first thing that is wrong with it: file,
line, what would be right. Looks into the files that it names, too. The gateway need not run.

Examples:
  certgate config check
  certgate config check --no-files
  certgate --config /etc/certgate.toml config check --output json";

pub(super) const CONFIG_DEFAULT: &str = "Prints TOML with comments: a start for a file of one's own.

Examples:
  certgate config default";

pub(super) const CONFIG_SCHEMA: &str = "Prints JSON.

Examples:
  certgate config schema";

pub(super) const COMPLETIONS: &str = "Prints a script that the shell reads.

Examples:
  certgate completions bash    # into /usr/share/bash-completion/completions/certgate
  certgate completions zsh     # into a folder of $fpath, as _certgate
  certgate completions fish    # into /usr/share/fish/vendor_completions.d/certgate.fish";

pub(super) const MAN: &str = "Writes certgate.1 and a page for each command, like certgate-cert-list.1; prints the folder.

Examples:
  certgate man /usr/local/share/man/man1";

pub(super) const CA_SHOW: &str =
    "Prints a table of all authorities, or everything about one: subject, end, SHA-256, and its chain in PEM.

Examples:
  certgate ca show
  certgate ca show default";

pub(super) const CA_EXPORT: &str = "Prints PEM, the authority's own certificate first and the root last.

Examples:
  certgate ca export default";

pub(super) const CA_CSR: &str =
    "Prints the request in PEM. An issuing CA below a root that never comes near this machine: the request is carried to
where the root is, signed there as a CA with pathLenConstraint 0, and what comes of it is imported here.

Examples:
  certgate ca csr default
  certgate ca import default default.pem root.pem";

pub(super) const CA_IMPORT: &str =
    "Prints the authority as it is now, and how much of its past was taken. Nothing has changed when it is refused.

Examples:
  certgate ca import default default.pem root.pem
  certgate ca import default chain.pem
  certgate ca import default --key issuing.key issuing.pem root.pem   # a CA that exists already
  certgate ca import default --key ca.key ca.pem --issued newcerts/ --crl crl.pem --profile default
  certgate ca import default --issued forgotten.pem   # what was left out; what is there already counts as known";

pub(super) const CA_EXPORT_ROOT: &str =
    "Prints what was written and, with --remove, until when the root's CRL and its OCSP responder last without the key.

Examples:
  certgate ca export-root /media/safe/root.pem --passphrase prompt
  certgate ca export-root /media/safe/root.pem --passphrase prompt --remove
  certgate ca export-root /media/safe/root.pem --passphrase file:/media/safe/words --remove --validity 180d";

pub(super) const CA_RESTORE_ROOT: &str = "Prints the authority; the next start has its key as before.

Examples:
  certgate ca restore-root /media/safe/root.pem --passphrase prompt";

pub(super) const CRL_SIGN: &str = "Prints the number of the list, until when it is good, how many entries it has.

Examples:
  certgate crl sign --key root.pem --passphrase prompt --previous root.crl next.crl
  certgate crl sign --key root.pem --passphrase prompt --previous root.crl --revoke 0192f1a4b6e37c2d9a:cACompromise next.crl
  certgate crl sign --key root.key --certificate root.crt --previous root.crl --validity 180d next.pem";

pub(super) const CRL_IMPORT: &str = "Prints the list as it is served now, and the certificates that it has revoked here.

Examples:
  certgate crl import next.crl
  certgate crl import next.crl --authority root";

pub(super) const CONFIG_RELOAD: &str =
    "Prints which keys are in force anew, and which need a restart. A file that is broken changes nothing.

Examples:
  certgate config reload";
