//! What pkilint's findings are worth.

use crate::target::Url;

/// Findings are `CODE (SEVERITY): WORDS`. pkilint wants a domain name to have a dot, in a URI too; the preferred name syntax of RFC 1034
/// §3.5, which RFC 5280 §4.2.1.6 asks for, does not ("<subdomain> ::= <label> | <subdomain> "." <label>"), and users of targets, and
/// targets themselves, often have none.
///
/// # Errors
/// The findings.
pub(crate) fn judge(success: bool, output: &str) -> Result<(), String> {
    let is_finding = |line: &&str| ["(FATAL):", "(ERROR):", "(WARNING):"].iter().any(|severity| line.contains(severity));
    let findings: Vec<&str> = output.lines().filter(is_finding).collect();
    let is_excused = !findings.is_empty() && findings.iter().all(|line| is_single_label(line.trim()));
    if success || is_excused { Ok(()) } else { Err(output.split_whitespace().collect::<Vec<_>>().join(" ")) }
}

/// Whether a finding is about a name of one label.
fn is_single_label(line: &str) -> bool {
    let is_label = |name: &str| name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
    let name = line.strip_prefix("pkix.invalid_domain_name_syntax (ERROR): Invalid domain name syntax: ");
    let uri = line.strip_prefix("pkix.invalid_uri_syntax (ERROR): Invalid URI syntax: ");
    let host = uri.and_then(|uri| uri.trim_matches('"').parse::<Url>().ok()).map(|url| url.host);
    name.is_some_and(|name| is_label(name.trim_matches('"'))) || host.is_some_and(|host| is_label(&host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_one_label_is_a_name() {
        let of = |name: &str| {
            let words = "pkix.invalid_domain_name_syntax (ERROR): Invalid domain name syntax:";
            format!("GeneralNameDnsNameSyntaxValidator @ certificate\n    {words} \"{name}\"\n")
        };
        judge(false, &of("first-device")).expect("excused");
        judge(false, &of("under_score")).expect_err("an underscore");
        judge(false, &(of("a") + "    pkix.other (WARNING): x\n")).expect_err("another finding");
        judge(false, "Traceback").expect_err("no finding at all");
        judge(true, "").expect("clean");
    }

    #[test]
    fn so_it_is_in_a_uri() {
        let of = |uri: &str| format!("    pkix.invalid_uri_syntax (ERROR): Invalid URI syntax: \"{uri}\"\n");
        judge(false, &of("http://localhost:8080/crl/default.crl")).expect("excused");
        judge(false, &of("http://under_score/crl")).expect_err("an underscore");
        judge(false, &of("nowhere")).expect_err("no URL");
    }
}
