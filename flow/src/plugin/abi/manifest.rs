//! The manifest: written by the compiler, read from the file before anything of it runs.

use crate::plugin::abi::types::{Bytes, Failure, Header, Manifest, Payload};
use crate::plugin::abi::{MAGIC, MAJOR, MINOR};

/// The sizes that both sides must agree on.
pub(crate) const SIZES: [u32; 4] = [
    size_of::<Bytes>() as u32,
    size_of::<Header>() as u32,
    size_of::<Payload>() as u32,
    size_of::<Failure>() as u32,
];

/// The size of a [`Manifest`] of minor 0: what came later may be missing.
pub(crate) const FIRST_SIZE: usize = std::mem::offset_of!(Manifest, compiler);

/// [`Manifest::endian`] of this program.
pub(crate) const ENDIAN: u8 = if cfg!(target_endian = "little") { 1 } else { 2 };

const TARGET: &str = concat_target();

const fn concat_target() -> &'static str {
    match (cfg!(target_os = "linux"), cfg!(target_env = "musl")) {
        (true, true) => "linux-musl",
        (true, false) => "linux-gnu",
        (false, _) => std::env::consts::OS,
    }
}

impl Manifest {
    /// The manifest of a plugin that is compiled right now. Names that are too long are cut off.
    pub const fn new(name: &str, version: &str) -> Self {
        Self {
            magic: MAGIC,
            size: size_of::<Self>() as u32,
            major: MAJOR,
            minor: MINOR,
            pointer_width: usize::BITS as u8,
            endian: ENDIAN,
            panic: if cfg!(panic = "unwind") { 1 } else { 2 },
            reserved: 0,
            sizes: SIZES,
            name: fill([0; 64], name, ""),
            version: fill([0; 32], version, ""),
            target: fill([0; 64], std::env::consts::ARCH, TARGET),
            compiler: fill([0; 64], env!("FLOW_COMPILER"), ""),
        }
    }
}

/// `first`, and `-second` where there is one, in zeroes.
const fn fill<const N: usize>(mut text: [u8; N], first: &str, second: &str) -> [u8; N] {
    let mut len = 0;
    while len < first.len() && len + 1 < N {
        text[len] = first.as_bytes()[len];
        len += 1;
    }
    if !second.is_empty() && len + 1 < N {
        text[len] = b'-';
        len += 1;
        let mut at = 0;
        while at < second.len() && len + 1 < N {
            text[len] = second.as_bytes()[at];
            len += 1;
            at += 1;
        }
    }
    text
}

/// The fields of a manifest in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ManifestFields {
    pub(crate) magic: [u8; 8],
    pub(crate) size: u32,
    pub(crate) major: u32,
    pub(crate) minor: u32,
    pub(crate) pointer_width: u8,
    pub(crate) endian: u8,
    pub(crate) panic: u8,
    pub(crate) sizes: [u32; 4],
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) target: String,
    /// Empty before 1.1.
    pub(crate) compiler: String,
}

/// Reads a manifest from the bytes of its section; `None` where there are too few. The numbers are those of this
/// machine: a file for another one was refused before.
pub(crate) fn read(bytes: &[u8]) -> Option<ManifestFields> {
    fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
        bytes.get(at..at.checked_add(N)?)?.try_into().ok()
    }
    fn number(bytes: &[u8], at: usize) -> Option<u32> {
        Some(u32::from_ne_bytes(array(bytes, at)?))
    }
    fn text<const N: usize>(bytes: &[u8], at: usize) -> Option<String> {
        let text: [u8; N] = array(bytes, at)?;
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(N);
        // Control characters would reach a terminal.
        Some(String::from_utf8_lossy(&text[..end]).chars().filter(|c| !c.is_control()).collect())
    }
    use std::mem::offset_of as at;
    let sizes = at!(Manifest, sizes);
    let size = number(bytes, at!(Manifest, size))?;
    Some(ManifestFields {
        magic: array(bytes, at!(Manifest, magic))?,
        size,
        major: number(bytes, at!(Manifest, major))?,
        minor: number(bytes, at!(Manifest, minor))?,
        pointer_width: *bytes.get(at!(Manifest, pointer_width))?,
        endian: *bytes.get(at!(Manifest, endian))?,
        panic: *bytes.get(at!(Manifest, panic))?,
        sizes: [
            number(bytes, sizes)?,
            number(bytes, sizes + 4)?,
            number(bytes, sizes + 8)?,
            number(bytes, sizes + 12)?,
        ],
        name: text::<64>(bytes, at!(Manifest, name))?,
        version: text::<32>(bytes, at!(Manifest, version))?,
        target: text::<64>(bytes, at!(Manifest, target))?,
        compiler: match at!(Manifest, compiler) {
            at if size as usize > at => text::<64>(bytes, at)?,
            _ => String::new(),
        },
    })
}
