//! Paths of EST.
#![no_main]

use certgate_est::{EstPath, Label, Operation, PREFIX};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for path in [text.to_owned(), format!("{PREFIX}{text}"), format!("{PREFIX}{text}/simpleenroll")] {
        let Ok(read) = EstPath::parse(&path) else { continue };
        let label = read.label.as_ref().map(|label| format!("{label}/")).unwrap_or_default();
        let canonical = format!("{PREFIX}{label}{}", read.operation.segment());
        assert_eq!(path.strip_suffix('/').unwrap_or(&path), canonical, "one path, one meaning");
        assert_eq!(EstPath::parse(&canonical), Ok(read));
    }
    if let Some(label) = Label::parse(text) {
        assert_eq!(label.as_str(), text);
        assert!(Operation::ALL.iter().all(|operation| operation.segment() != text));
        assert!(EstPath::parse(&format!("{PREFIX}{text}/cacerts")).is_ok());
    }
});
