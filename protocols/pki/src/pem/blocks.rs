//! PEM texts of any length, line by line.

use super::{PemError, decode_body};

/// Finds the blocks with one label in a text that comes line by line and is never whole in memory; what is around them and other blocks
/// are passed over.
#[derive(Debug)]
pub struct Blocks {
    label: String,
    begin: String,
    end: String,
    /// Most octets of a block.
    most: usize,
    /// The base64 of the block that has begun.
    body: Option<String>,
}

impl Blocks {
    /// Of blocks with this label, of so many octets at the most.
    #[must_use]
    pub fn new(label: &str, most: usize) -> Self {
        let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
        Self { label: label.to_owned(), begin, end, most, body: None }
    }

    /// Takes the next line; the octets of a block when this line ends it.
    ///
    /// # Errors
    /// [`PemError::BadBase64`], [`PemError::BlockTooLarge`].
    pub fn line(&mut self, line: &str) -> Result<Option<Vec<u8>>, PemError> {
        let line = line.trim();
        let Some(body) = &mut self.body else {
            self.body = (line == self.begin).then(String::new);
            return Ok(None);
        };
        if line == self.end {
            let octets = decode_body(body).map(|mut octets| std::mem::take(&mut *octets));
            self.body = None;
            return octets.map(Some);
        }
        // Four characters stand for three octets.
        if body.len() + line.len() > self.most.div_ceil(3).saturating_mul(4) {
            return Err(PemError::BlockTooLarge(self.most));
        }
        body.push_str(line);
        Ok(None)
    }

    /// The text has ended.
    ///
    /// # Errors
    /// [`PemError::NoBlock`] when a block has not.
    pub fn finish(self) -> Result<(), PemError> {
        if self.body.is_some() { Err(PemError::NoBlock(self.label)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CERTIFICATE, X509_CRL, encode};
    use super::*;

    fn read(text: &str, most: usize) -> Result<Vec<Vec<u8>>, PemError> {
        let mut blocks = Blocks::new(CERTIFICATE, most);
        let found = text.lines().filter_map(|line| blocks.line(line).transpose()).collect::<Result<Vec<_>, _>>()?;
        blocks.finish().map(|()| found)
    }

    #[test]
    fn blocks_of_every_length_and_what_is_around_them() {
        for length in [0, 1, 47, 48, 49, 1000] {
            let (one, other) = (vec![0xa5; length], vec![0x5a; length]);
            let around = format!("Certificate:\n  Data:\n{}{}", encode(X509_CRL, b"x"), encode(CERTIFICATE, &one));
            let text = format!("{around}\r\n{}", encode(CERTIFICATE, &other).replace('\n', "\r\n"));
            assert_eq!(read(&text, length).unwrap(), [one, other]);
        }
        assert_eq!(read("no block", 10), Ok(Vec::new()));
    }

    #[test]
    fn a_block_that_is_none() {
        let text = encode(CERTIFICATE, &[7; 100]);
        assert_eq!(read(&text, 96), Err(PemError::BlockTooLarge(96)));
        assert_eq!(read(text.trim_end().trim_end_matches("-----"), 1000), Err(PemError::NoBlock(CERTIFICATE.into())));
        assert_eq!(read(&text.replace("BwcH", "%%%%"), 100), Err(PemError::BadBase64));
    }
}
