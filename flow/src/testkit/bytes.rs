//! Bytes that do harm, and bytes compared.

/// The same numbers in every run, so that what fails once fails again. SplitMix64 (Steele, Lea, Flood 2014).
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`; 0 where that is 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        // The remainder is below a usize.
        (self.next() % (end.max(1) as u64)) as usize
    }

    pub(super) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

/// Random payloads of many lengths; every other one begins as a good one does.
pub(super) fn random(samples: &[Vec<u8>], count: usize) -> Vec<Vec<u8>> {
    let mut numbers = Numbers::new(1);
    let mut all = vec![Vec::new()];
    for round in 0..count {
        let length = [1, 2, 3, 4, 8, 16, 64, 512, 4096][numbers.below(9)];
        let length = numbers.below(length) + 1;
        let mut payload = numbers.bytes(length);
        if let (1, Some(sample)) = (round % 2, samples.get(numbers.below(samples.len()))) {
            let lead = numbers.below(sample.len() + 1);
            payload.splice(0..0, sample[..lead].iter().copied());
        }
        all.push(payload);
    }
    all
}

/// Every beginning of each sample, as far as it is short enough for every one.
pub(super) fn truncated(samples: &[Vec<u8>]) -> Vec<Vec<u8>> {
    /// Cuts of one sample.
    const CUTS: usize = 512;
    let cuts = |sample: &Vec<u8>| {
        let step = sample.len().div_ceil(CUTS).max(1);
        (0..sample.len()).step_by(step).map(|end| sample[..end].to_vec()).collect::<Vec<_>>()
    };
    samples.iter().flat_map(cuts).collect()
}

/// Samples with every byte changed, with numbers that could be lengths at their largest, repeated, glued together;
/// and deep nesting of what formats nest with.
pub(super) fn adversarial(samples: &[Vec<u8>]) -> Vec<Vec<u8>> {
    /// Places of one sample that are changed.
    const PLACES: usize = 256;
    const DEEP: usize = 20_000;
    let mut all = Vec::new();
    for sample in samples {
        let step = sample.len().div_ceil(PLACES).max(1);
        for at in (0..sample.len()).step_by(step) {
            for byte in [0x00, 0x7f, 0x80, 0xff, sample[at] ^ 1, sample[at].wrapping_add(1)] {
                let mut payload = sample.clone();
                payload[at] = byte;
                all.push(payload);
            }
            for length in [2, 4, 8] {
                let mut payload = sample.clone();
                let end = (at + length).min(sample.len());
                payload[at..end].fill(0xff);
                all.push(payload);
            }
            let mut without = sample.clone();
            without.remove(at);
            all.push(without);
        }
        all.push([sample.as_slice(), sample].concat());
        all.push([sample.as_slice(), &[0]].concat());
        all.push(sample.repeat(1 + (1 << 16) / sample.len().max(1)));
    }
    for nested in ["[", "{\"a\":", "(", "<a>"] {
        all.push(nested.repeat(DEEP).into_bytes());
    }
    for byte in [0x00, 0x7f, 0x80, 0x9f, 0xff] {
        all.push(vec![byte; DEEP]);
    }
    all
}

/// A payload for a message: as text where it is text, in hexadecimal digits where not.
pub(super) fn show(payload: &[u8]) -> String {
    /// Bytes that are shown.
    const SHOWN: usize = 48;
    let head = &payload[..payload.len().min(SHOWN)];
    let rest = if payload.len() > SHOWN { format!("… ({} bytes)", payload.len()) } else { String::new() };
    match std::str::from_utf8(head) {
        Ok(text) if !text.contains(char::is_control) && !text.is_empty() => format!("`{text}`{rest}"),
        _ => {
            let digits: String = head.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("0x{digits}{rest}")
        }
    }
}

/// Were these payloads received, each once and in this order?
pub(super) fn same(expected: &[Vec<u8>], received: &[Vec<u8>]) -> Result<(), String> {
    let Some(at) = (0..expected.len().max(received.len())).find(|at| expected.get(*at) != received.get(*at))
    else {
        return Ok(());
    };
    let name = |payload: &Vec<u8>| show(payload);
    Err(match (expected.get(at), received.get(at)) {
        (Some(lost), got) if !received.contains(lost) => {
            format!("{} was lost; {} came in its place", name(lost), got.map_or("nothing".to_owned(), name))
        }
        (_, Some(again)) if received[..at].contains(again) => format!("{} came twice", name(again)),
        (Some(due), Some(got)) => format!("{} came where {} was due", name(got), name(due)),
        (_, Some(got)) => format!("{} came and was never sent", name(got)),
        (_, None) => "a payload was lost".to_owned(),
    })
}
