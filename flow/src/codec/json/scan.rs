//! JSON text, token by token: eight bytes at a time where that is quicker.

/// The reader does not take this payload. Why not, serde_json finds out.
#[derive(Debug)]
pub(super) struct Declined;

/// A number as serde_json hands it to a visitor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Positive(u64),
    Negative(i64),
    Float(f64),
}

/// A place in a text.
#[derive(Debug)]
pub(super) struct Scanner<'de> {
    text: &'de str,
    /// What is left of `text`.
    rest: &'de [u8],
    declined: bool,
}

impl<'de> Scanner<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        Self { text, rest: text.as_bytes(), declined: false }
    }

    /// Nothing of this text is taken, whatever becomes of the error: a type may swallow it.
    #[cold]
    pub(super) fn decline(&mut self) -> Declined {
        self.declined = true;
        Declined
    }

    /// Is the text taken: was all of it read, and nothing declined?
    pub(super) fn taken(&mut self) -> bool {
        self.peek() == 0 && self.rest.is_empty() && !self.declined
    }

    /// The next byte that is no white space, 0 at the end.
    #[inline]
    pub(super) fn peek(&mut self) -> u8 {
        match self.rest {
            [byte, ..] if *byte > b' ' => *byte,
            _ => self.skip_space(),
        }
    }

    #[cold]
    fn skip_space(&mut self) -> u8 {
        while let [b' ' | b'\n' | b'\t' | b'\r', after @ ..] = self.rest {
            self.rest = after;
        }
        self.rest.first().copied().unwrap_or(0)
    }

    /// Goes past the byte that was peeked at.
    #[inline]
    pub(super) fn advance(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    /// Goes past `byte`, which must come next.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Declined> {
        if self.peek() == byte {
            self.advance();
            Ok(())
        } else {
            Err(self.decline())
        }
    }

    /// `true`, `false` or `null`.
    #[inline]
    pub(super) fn word(&mut self, word: &[u8]) -> Result<(), Declined> {
        match self.rest.strip_prefix(word) {
            Some(after) => {
                self.rest = after;
                Ok(())
            }
            None => Err(self.decline()),
        }
    }

    /// The rest of a string after its opening quote, where there is no escape in it. `None` where there is one:
    /// [`Scanner::escaped`] reads it.
    #[inline]
    pub(super) fn string(&mut self) -> Option<&'de str> {
        let length = plain(self.rest);
        let (text, after) = (self.rest.get(..length)?, self.rest.get(length..)?);
        let [b'"', after @ ..] = after else { return None };
        let start = self.text.len() - self.rest.len();
        self.rest = after;
        self.text.get(start..start + text.len())
    }

    /// The rest of a string after its opening quote, put together in `out`.
    #[inline(never)]
    pub(super) fn escaped(&mut self, out: &mut String) -> Result<(), Declined> {
        out.clear();
        loop {
            let start = self.text.len() - self.rest.len();
            let length = plain(self.rest);
            let Some(run) = self.text.get(start..start + length) else { return Err(self.decline()) };
            out.push_str(run);
            self.rest = &self.rest[length..];
            match self.rest {
                [b'"', after @ ..] => {
                    self.rest = after;
                    return Ok(());
                }
                [b'\\', ..] => match self.escape() {
                    Some(character) => out.push(character),
                    None => return Err(self.decline()),
                },
                _ => return Err(self.decline()),
            }
        }
    }

    /// One escape, a pair of surrogates as one.
    fn escape(&mut self) -> Option<char> {
        let [_, kind, after @ ..] = self.rest else { return None };
        self.rest = after;
        Some(match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex()?;
                if !(0xd800..0xdc00).contains(&high) {
                    return char::from_u32(high);
                }
                let [b'\\', b'u', after @ ..] = self.rest else { return None };
                self.rest = after;
                let low = self.hex().filter(|low| (0xdc00..0xe000).contains(low))?;
                return char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let (digits, after) = self.rest.split_first_chunk::<4>()?;
        self.rest = after;
        digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
    }

    /// A number.
    #[inline]
    pub(super) fn number(&mut self) -> Result<Number, Declined> {
        let (negative, whole) = match self.rest {
            [b'-', after @ ..] => (true, after),
            positive => (false, positive),
        };
        match Decimal::within_a_word(whole).or_else(|| Decimal::of(whole)) {
            Some(decimal) => {
                self.rest = &whole[decimal.length..];
                Ok(decimal.signed(negative))
            }
            None => self.long_number(),
        }
    }

    /// A number with many digits or an exponent, or something that is none.
    #[inline(never)]
    fn long_number(&mut self) -> Result<Number, Declined> {
        let text = self.number_text()?;
        if !has_point(text) {
            let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
            if let Ok(significand) = digits.parse() {
                return Ok(whole_number(negative, significand));
            }
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Number::Float(value)),
            _ => Err(self.decline()),
        }
    }

    /// A number that is wanted in single precision: rounded once.
    pub(super) fn single(&mut self) -> Result<Number, Declined> {
        let start = self.text.len() - self.rest.len();
        let number = self.number()?;
        let text = &self.text[start..self.text.len() - self.rest.len()];
        match (number, text.parse::<f32>()) {
            (Number::Float(_), Ok(value)) if has_point(text) && value.is_finite() => {
                Ok(Number::Float(value.into()))
            }
            (Number::Float(_), _) => Err(self.decline()),
            (whole, _) => Ok(whole),
        }
    }

    /// Goes past a number and gives its text.
    #[inline]
    fn number_text(&mut self) -> Result<&'de str, Declined> {
        let start = self.rest;
        let whole = start.strip_prefix(b"-").unwrap_or(start);
        let mut after = past_digits(whole);
        let mut valid = after.len() < whole.len() && (whole[0] != b'0' || whole.len() - after.len() == 1);
        if let [b'.', decimals @ ..] = after {
            after = past_digits(decimals);
            valid &= after.len() < decimals.len();
        }
        if let [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] = after {
            after = past_digits(exponent);
            valid &= after.len() < exponent.len();
        }
        let begin = self.text.len() - start.len();
        match self.text.get(begin..self.text.len() - after.len()) {
            Some(text) if valid => {
                self.rest = after;
                Ok(text)
            }
            _ => Err(self.decline()),
        }
    }

    /// Goes past one value of any kind, whose syntax is checked, up to `depth` deep.
    pub(super) fn skip(&mut self, depth: u8) -> Result<(), Declined> {
        match self.peek() {
            b'"' => {
                self.advance();
                self.skip_string()
            }
            b'-' | b'0'..=b'9' => self.number_text().map(|_| ()),
            b'{' if depth > 0 => self.skip_object(depth - 1),
            b'[' if depth > 0 => self.skip_array(depth - 1),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => Err(self.decline()),
        }
    }

    fn skip_object(&mut self, depth: u8) -> Result<(), Declined> {
        self.advance();
        if self.peek() == b'}' {
            self.advance();
            return Ok(());
        }
        loop {
            self.expect(b'"')?;
            self.skip_string()?;
            self.expect(b':')?;
            self.skip(depth)?;
            match self.peek() {
                b',' => self.advance(),
                b'}' => {
                    self.advance();
                    return Ok(());
                }
                _ => return Err(self.decline()),
            }
        }
    }

    fn skip_array(&mut self, depth: u8) -> Result<(), Declined> {
        self.advance();
        if self.peek() == b']' {
            self.advance();
            return Ok(());
        }
        loop {
            self.skip(depth)?;
            match self.peek() {
                b',' => self.advance(),
                b']' => {
                    self.advance();
                    return Ok(());
                }
                _ => return Err(self.decline()),
            }
        }
    }

    /// Goes past the rest of a string after its opening quote. Nobody reads it, so surrogates need no partner.
    #[inline]
    fn skip_string(&mut self) -> Result<(), Declined> {
        loop {
            self.rest = &self.rest[plain(self.rest)..];
            match self.rest {
                [b'"', after @ ..] => {
                    self.rest = after;
                    return Ok(());
                }
                [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', after @ ..] => {
                    self.rest = after;
                }
                [b'\\', b'u', after @ ..] => {
                    self.rest = after;
                    if self.hex().is_none() {
                        return Err(self.decline());
                    }
                }
                _ => return Err(self.decline()),
            }
        }
    }
}

/// A number without its sign: so few digits that it can be had exactly, and no exponent.
struct Decimal {
    significand: u64,
    /// Digits behind the point; without a point there are none.
    fraction: usize,
    /// In bytes.
    length: usize,
}

impl Decimal {
    /// One that ends within the next eight bytes. `None` says nothing: [`Decimal::of`] knows.
    #[inline]
    fn within_a_word(bytes: &[u8]) -> Option<Self> {
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
    fn of(bytes: &[u8]) -> Option<Self> {
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
    fn signed(self, negative: bool) -> Number {
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
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// How many bytes come before the first quote, backslash or control character.
#[inline]
fn plain(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*word);
        // A byte that is what is looked for borrows, and its high bit is set. So may be those above it, but the lowest
        // counts (Mycroft, comp.lang.c, 1987).
        let quote = (word ^ each(b'"')).wrapping_sub(each(1));
        let backslash = (word ^ each(b'\\')).wrapping_sub(each(1));
        let control = word.wrapping_sub(each(b' '));
        let found = (quote | backslash | control) & !word & each(0x80);
        if found != 0 {
            return bytes.len() - rest.len() + found.trailing_zeros() as usize / 8;
        }
        rest = after;
    }
    bytes.len() - rest.len() + plain_tail(rest)
}

/// The last bytes of a text, which are fewer than a word.
#[cold]
fn plain_tail(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | ..b' ')).count()
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

fn past_digits(mut rest: &[u8]) -> &[u8] {
    while let [b'0'..=b'9', after @ ..] = rest {
        rest = after;
    }
    rest
}

fn has_point(number: &str) -> bool {
    number.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
}

/// As serde_json does: below 64 signed bits, and for a negative zero, it is a float.
#[inline]
fn whole_number(negative: bool, significand: u64) -> Number {
    if !negative {
        return Number::Positive(significand);
    }
    match 0_i64.checked_sub_unsigned(significand) {
        Some(value) if significand > 0 => Number::Negative(value),
        _ => Number::Float(-(significand as f64)),
    }
}
