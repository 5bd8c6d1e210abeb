//! From the descriptor of a library to its entry point.

use std::error::Error as _;
use std::os::fd::{AsRawFd, OwnedFd};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use crate::plugin::abi::ENTRY;
use crate::plugin::abi::offers::{Entry, Offer, offers};

/// A library that is loaded for good.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loaded(Entry);

/// Loads the library behind `file`, whose bytes nobody can change any more, and never unloads it.
///
/// # Errors
/// What the dynamic linker says.
pub(crate) fn load(file: OwnedFd) -> Result<Loaded, String> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    // SAFETY: this runs the initializers of the library: whoever may put files into the plugin directory is trusted
    // with that. The file was checked whole.
    let library = unsafe { Library::open(Some(&path), RTLD_NOW | RTLD_LOCAL) };
    let library =
        std::mem::ManuallyDrop::new(library.map_err(|error| whole_text(&error).replace(&path, "it"))?);
    // The linker knows a library by its path. Were the descriptor closed, the next file would get its number, and the
    // linker would give this library for it.
    std::mem::forget(file);
    // SAFETY: the manifest promises a function of this type under this name.
    let entry = unsafe { library.get::<Entry>(ENTRY) }.map_err(|error| whole_text(&error))?;
    Ok(Loaded(*entry))
}

/// What went wrong, and what the dynamic linker says about it.
fn whole_text(error: &libloading::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

impl Loaded {
    /// What it offers.
    ///
    /// # Errors
    /// As [`offers`].
    pub(crate) fn offers(self) -> Result<Vec<Offer>, String> {
        // SAFETY: an entry point of our major, by its manifest; it is never unloaded.
        unsafe { offers(self.0, true) }
    }
}
