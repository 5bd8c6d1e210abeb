//! Which files of a directory are loaded, and why the others are not.

use std::fmt;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{Dir, FileType, MemfdFlags, Mode, OFlags, SealFlags, Stat};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind};
use crate::plugin::abi::library::{self, Loaded};
use crate::plugin::abi::manifest::ManifestFields;
use crate::plugin::abi::offers::Offer;
use crate::plugin::file;

/// What a program demands of the plugins it loads.
///
/// ```
/// let policy = flow::plugin::Policy::default().strict();
/// assert!(policy.strict);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Policy {
    /// Is a file that is refused an error? Otherwise the others are loaded all the same.
    pub strict: bool,
    /// The largest library, in bytes. 512 MiB where nothing else is said.
    pub max_bytes: u64,
    /// The SHA-256 sums, in hex, of the only libraries that are loaded. Any, where there is no list.
    pub sha256: Option<Vec<String>>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { strict: false, max_bytes: 512 << 20, sha256: None }
    }
}

impl Policy {
    /// A file that is refused is an error.
    #[must_use]
    pub fn strict(self) -> Self {
        Self { strict: true, ..self }
    }

    /// No library is loaded whose SHA-256 sum, in hex, is not among these.
    #[must_use]
    pub fn only(self, sha256: impl IntoIterator<Item: Into<String>>) -> Self {
        Self { sha256: Some(sha256.into_iter().map(Into::into).collect()), ..self }
    }

    /// No library is loaded that is larger, in bytes.
    #[must_use]
    pub fn up_to(self, max_bytes: u64) -> Self {
        Self { max_bytes, ..self }
    }
}

/// A file that is not loaded, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The file.
    pub file: PathBuf,
    /// Why, to stand after its name.
    pub reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the plugin `{}` {}", self.file.display(), self.reason)
    }
}

/// A plugin that is loaded: its file, what its manifest says, and what it offers.
#[derive(Clone)]
pub(crate) struct Plugin {
    pub(crate) file: PathBuf,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) compiler: String,
    pub(crate) digest: [u8; 32],
    pub(crate) offers: Vec<Offer>,
}

/// Loads every plugin of a directory, in the order of their names.
///
/// # Errors
/// The directory cannot be used at all.
pub(crate) fn load(directory: &Path, policy: &Policy) -> Result<(Vec<Plugin>, Vec<Refusal>), Error> {
    let wrong = |why: String| {
        let message = format!("the plugin directory `{}` {why}", directory.display());
        Error::permanent(ErrorKind::Config, message)
    };
    if !directory.is_absolute() {
        return Err(wrong("is not an absolute path".to_owned()));
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::open(directory, flags, Mode::empty()).map_err(|error| match error {
        Errno::NOTDIR | Errno::LOOP => wrong("is no directory, or a symbolic link".to_owned()),
        error => wrong(format!("cannot be opened: {error}")),
    })?;
    let stat = rustix::fs::fstat(&opened).map_err(|error| wrong(format!("cannot be looked at: {error}")))?;
    owned_by_us_alone(&stat).map_err(wrong)?;
    let names = names(&opened).map_err(|error| wrong(format!("cannot be listed: {error}")))?;
    let (mut plugins, mut refused) = (Vec::new(), Vec::new());
    for name in names {
        let file = directory.join(&name);
        match load_file(&opened, &name, &file, policy) {
            Ok(plugin) => plugins.push(plugin),
            Err(reason) => refused.push(Refusal { file, reason }),
        }
    }
    Ok((plugins, refused))
}

/// The names that end as libraries do, sorted.
fn names(directory: &OwnedFd) -> Result<Vec<String>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".so") || name.ends_with(".dylib") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Nobody but root and ourselves may change what we run.
fn owned_by_us_alone(stat: &Stat) -> Result<(), String> {
    let mode = stat.st_mode & 0o7777;
    if mode & 0o022 != 0 {
        return Err(format!("can be written by group or others (mode {mode:04o}): run `chmod go-w` on it"));
    }
    let own = rustix::process::geteuid().as_raw();
    if stat.st_uid != 0 && stat.st_uid != own {
        return Err(format!(
            "belongs to the user {}, not to root or to this program's user {own}",
            stat.st_uid
        ));
    }
    Ok(())
}

fn load_file(directory: &OwnedFd, name: &str, file: &Path, policy: &Policy) -> Result<Plugin, String> {
    // Opening a FIFO would wait for its other end.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(directory, name, flags, Mode::empty()).map_err(|error| match error {
        Errno::LOOP => "is a symbolic link: put the file itself there".to_owned(),
        error => format!("cannot be opened: {error}"),
    })?;
    let stat = rustix::fs::fstat(&opened).map_err(|error| format!("cannot be looked at: {error}"))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {}
        FileType::Directory => return Err("is a directory".to_owned()),
        FileType::Fifo => return Err("is a FIFO".to_owned()),
        _ => return Err("is no regular file".to_owned()),
    }
    owned_by_us_alone(&stat)?;
    let too_large = || format!("is larger than {} bytes", policy.max_bytes);
    if u64::try_from(stat.st_size).is_ok_and(|size| size > policy.max_bytes) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let read = File::from(opened).take(policy.max_bytes.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot be read: {error}"))?;
    // It may have grown meanwhile.
    if bytes.len() as u64 > policy.max_bytes {
        return Err(too_large());
    }
    let digest: [u8; 32] = Sha256::digest(&bytes).into();
    if let Some(allowed) = &policy.sha256 {
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        if !allowed.iter().any(|sum| sum.eq_ignore_ascii_case(&hex)) {
            return Err(format!("has the SHA-256 sum {hex}, which is not in the list"));
        }
    }
    let manifest = file::examine(&bytes)?;
    let loaded = load_once(name, digest, &bytes)?;
    let ManifestFields { name, version, compiler, .. } = manifest;
    Ok(Plugin { file: file.to_owned(), name, version, compiler, digest, offers: loaded.offers()? })
}

/// The bytes that were checked, loaded. What was loaded before, byte for byte, is there already: libraries belong to
/// the process and are never unloaded.
fn load_once(name: &str, digest: [u8; 32], bytes: &[u8]) -> Result<Loaded, String> {
    static LOADED: Mutex<Vec<([u8; 32], Loaded)>> = Mutex::new(Vec::new());
    let mut known = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, loaded)) = known.iter().find(|(of, _)| *of == digest) {
        return Ok(*loaded);
    }
    let copy = sealed_copy(name, bytes).map_err(|error| format!("cannot be copied into memory: {error}"))?;
    let loaded = library::load(copy).map_err(|error| format!("cannot be loaded: {error}"))?;
    known.push((digest, loaded));
    Ok(loaded)
}

/// A file in memory that nobody can change or shorten: what runs is what was checked.
fn sealed_copy(name: &str, bytes: &[u8]) -> std::io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Where the system forbids executable memory files, this one asks for it; older kernels do not know the flag.
    let file = rustix::fs::memfd_create(name, flags | MemfdFlags::EXEC)
        .or_else(|_| rustix::fs::memfd_create(name, flags))?;
    let mut file = File::from(file);
    file.write_all(bytes)?;
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    rustix::fs::fcntl_add_seals(&file, seals)?;
    Ok(file.into())
}
