//! JSON text, token by token: eight bytes at a time where that is quicker.

use crate::codec::json::number::{Decimal, Number, each, has_point, past_digits, whole_number};

/// The reader does not take this payload. Why not, serde_json finds out.
#[derive(Debug)]
pub(super) struct Declined;

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
