//! Numbers, eight digits at a time.

/// A number as serde_json hands it to a visitor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Positive(u64),
    Negative(i64),
    Float(f64),
}

/// A number without its sign: so few digits that it can be had exactly, and no exponent.
pub(super) struct Decimal {
    significand: u64,
    /// Digits behind the point; without a point there are none.
    fraction: usize,
    /// In bytes.
    pub(super) length: usize,
}

impl Decimal {
    /// One that ends within the next eight bytes. `None` says nothing: [`Decimal::of`] knows.
    #[inline]
    pub(super) fn within_a_word(bytes: &[u8]) -> Option<Self> {
        let word = u64::from_le_bytes(*bytes.first_chunk()?);
        let others = not_digits(word);
        let whole = others.trailing_zeros() & !7;
        if whole == 0 || whole == 64 || (whole > 8 && word as u8 == b'0') {
            return None;
        }
        let (digits, end) = match (word >> whole) as u8 {
            b'.' => {
                // Out goes the point, and what follows it moves up.
                let before = (1 << whole) - 1;
                (word & before | word >> 8 & !before, (others & (others - 1)).trailing_zeros() & !7)
            }
            _ => (word, whole),
        };
        let point = end - whole;
        if end == 64 || point == 8 || (word >> end) as u8 | 0x20 == b'e' {
            return None;
        }
        let count = if point == 0 { end } else { end - 8 };
        Some(Self {
            significand: value(digits << (64 - count)),
            fraction: (point / 8).saturating_sub(1) as usize,
            length: end as usize / 8,
        })
    }

    /// A number of any length.
    #[inline(never)]
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let (mut significand, mut after) = digits(0, bytes);
        let mut count = bytes.len() - after.len();
        if count != 1 && (count == 0 || bytes.first() == Some(&b'0')) {
            return None;
        }
        let mut fraction = 0;
        if let [b'.', decimals @ ..] = after {
            (significand, after) = digits(significand, decimals);
            fraction = decimals.len() - after.len();
            count += fraction;
            if fraction == 0 || fraction >= POWERS.len() || significand > 1 << f64::MANTISSA_DIGITS {
                return None;
            }
        }
        if count > MAX_DIGITS || matches!(after, [b'e' | b'E', ..]) {
            return None;
        }
        Some(Self { significand, fraction, length: bytes.len() - after.len() })
    }

    #[inline]
    pub(super) fn signed(self, negative: bool) -> Number {
        if self.fraction == 0 {
            return whole_number(negative, self.significand);
        }
        // Both are exact, so that their quotient is rounded once (Clinger, “How to read floating point numbers
        // accurately”, 1990).
        let value = self.significand as i64 as f64 / POWERS[self.fraction];
        Number::Float(if negative { -value } else { value })
    }
}

/// So many digits fit into 64 bits, whatever they are.
const MAX_DIGITS: usize = 19;

/// The powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// A byte in each place of a word.
pub(super) const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The high bit of each byte that is no digit.
#[inline]
fn not_digits(word: u64) -> u64 {
    let digits = word ^ each(b'0');
    (((digits & each(0x7f)) + each(0x80 - 10)) | digits) & each(0x80)
}

/// The value of eight digits, or of fewer behind bytes of zero. All other bits of the digits' bytes are ignored.
#[inline]
fn value(digits: u64) -> u64 {
    // Digits to pairs, pairs to fours, fours to eight.
    let digits = (digits & each(0x0f)).wrapping_mul((10 << 8) + 1) >> 8;
    let digits = (digits & 0x00ff_00ff_00ff_00ff).wrapping_mul((100 << 16) + 1) >> 16;
    (digits & 0x0000_ffff_0000_ffff).wrapping_mul((10_000 << 32) + 1) >> 32
}

/// Reads decimal digits on from `number`, and gives what follows them. Wraps around beyond 64 bits.
#[inline]
fn digits(mut number: u64, mut rest: &[u8]) -> (u64, &[u8]) {
    const TENS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
    while let Some((word, after)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*word);
        let count = not_digits(word).trailing_zeros() / 8;
        if count == 0 {
            return (number, rest);
        }
        number = number.wrapping_mul(TENS[count as usize]).wrapping_add(value(word << (64 - 8 * count)));
        if count < 8 {
            return (number, &rest[count as usize..]);
        }
        rest = after;
    }
    while let [digit @ b'0'..=b'9', after @ ..] = rest {
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        rest = after;
    }
    (number, rest)
}

pub(super) fn past_digits(mut rest: &[u8]) -> &[u8] {
    while let [b'0'..=b'9', after @ ..] = rest {
        rest = after;
    }
    rest
}

pub(super) fn has_point(number: &str) -> bool {
    number.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
}

/// As serde_json does: below 64 signed bits, and for a negative zero, it is a float.
#[inline]
pub(super) fn whole_number(negative: bool, significand: u64) -> Number {
    if !negative {
        return Number::Positive(significand);
    }
    match 0_i64.checked_sub_unsigned(significand) {
        Some(value) if significand > 0 => Number::Negative(value),
        _ => Number::Float(-(significand as f64)),
    }
}
