//! The fuzzer's input, taken apart.

/// What is left of the input. When it is over, zeros and empty pieces follow.
#[derive(Clone, Copy, Debug)]
pub struct Octets<'d>(&'d [u8]);

impl<'d> Octets<'d> {
    /// All of the input.
    #[must_use]
    pub const fn new(data: &'d [u8]) -> Self {
        Self(data)
    }

    /// The next octet.
    pub fn octet(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u8) -> u8 {
        self.octet() % bound
    }

    /// Yes or no.
    pub fn flag(&mut self) -> bool {
        self.octet() & 1 == 1
    }

    /// One of several, of which there are fewer than 256.
    pub fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::from(self.octet()) % from.len()]
    }

    /// A number of two octets.
    pub fn number(&mut self) -> u16 {
        u16::from_be_bytes([self.octet(), self.octet()])
    }

    /// A piece whose length is the first octet of it.
    pub fn piece(&mut self) -> &'d [u8] {
        let length = usize::from(self.octet()).min(self.0.len());
        let (piece, rest) = self.0.split_at(length);
        self.0 = rest;
        piece
    }

    /// All that is left.
    #[must_use]
    pub const fn rest(self) -> &'d [u8] {
        self.0
    }
}
