//! What a library's file says of itself, read before anything of it is loaded. Nothing in the file is trusted.

use object::NativeEndian;
use object::elf;
use object::read::elf::{Dyn, FileHeader, ProgramHeader, SectionHeader, Sym};

use crate::plugin::abi::manifest::{self, ENDIAN, FIRST_SIZE, ManifestFields, SIZES};
use crate::plugin::abi::{ENTRY, MAGIC, MAJOR, MINOR, SECTION};

#[cfg(target_pointer_width = "64")]
type Header = elf::FileHeader64<NativeEndian>;
#[cfg(target_pointer_width = "32")]
type Header = elf::FileHeader32<NativeEndian>;

const ENDIANNESS: NativeEndian = NativeEndian;

/// The `e_machine` of this program.
const MACHINE: Option<u16> = if cfg!(target_arch = "x86_64") {
    Some(elf::EM_X86_64)
} else if cfg!(target_arch = "aarch64") {
    Some(elf::EM_AARCH64)
} else if cfg!(target_arch = "x86") {
    Some(elf::EM_386)
} else if cfg!(target_arch = "arm") {
    Some(elf::EM_ARM)
} else if cfg!(target_arch = "riscv64") {
    Some(elf::EM_RISCV)
} else {
    None
};

/// Checks that all of a library is there, that it is for this machine, and that its border is ours.
///
/// # Errors
/// Why it is refused, to stand after the file's name.
pub(crate) fn examine(bytes: &[u8]) -> Result<ManifestFields, String> {
    if bytes.is_empty() {
        return Err("is empty".to_owned());
    }
    if !bytes.starts_with(&elf::ELFMAG) {
        return Err(match elsewhere(bytes) {
            Some(system) => format!("was built for {system}, this program for {}", std::env::consts::OS),
            None => "is no shared library (it does not begin as an ELF file)".to_owned(),
        });
    }
    let broken = |error: object::read::Error| format!("is a broken ELF file: {error}");
    let (class, data) = (bytes.get(4).copied(), bytes.get(5).copied());
    let own_class = if usize::BITS == 64 { elf::ELFCLASS64 } else { elf::ELFCLASS32 };
    let own_data = if cfg!(target_endian = "little") { elf::ELFDATA2LSB } else { elf::ELFDATA2MSB };
    if class != Some(own_class) || data != Some(own_data) {
        return Err(format!(
            "is for another kind of machine than this program's ({})",
            std::env::consts::ARCH
        ));
    }
    let header = Header::parse(bytes).map_err(broken)?;
    let machine = header.e_machine(ENDIANNESS);
    if MACHINE.is_some_and(|own| own != machine) {
        let own = std::env::consts::ARCH;
        return Err(format!(
            "was built for another architecture (ELF machine {machine}), this program for {own}"
        ));
    }
    if header.e_type(ENDIANNESS) != elf::ET_DYN {
        return Err("is an ELF file but no shared library".to_owned());
    }
    segments(header, bytes)?;
    let sections = header.sections(ENDIANNESS, bytes).map_err(broken)?;
    for (index, section) in sections.iter().enumerate() {
        if section.data(ENDIANNESS, bytes).is_err() {
            return Err(cut_off(&format!("section {index}"), bytes.len()));
        }
    }
    let manifest = match sections.section_by_name(ENDIANNESS, SECTION.as_bytes()) {
        Some((_, section)) => section.data(ENDIANNESS, bytes).map_err(broken)?,
        None => return Err(format!("has no manifest: no section `{SECTION}`; it is no plugin of flow")),
    };
    let manifest = check(manifest)?;
    let symbols = sections.symbols(ENDIANNESS, bytes, elf::SHT_DYNSYM).map_err(broken)?;
    let exports = symbols.iter().enumerate().any(|(index, symbol)| {
        let defined = index > 0 && symbol.st_shndx(ENDIANNESS) != elf::SHN_UNDEF;
        defined && symbols.symbol_name(ENDIANNESS, symbol).is_ok_and(|name| name == ENTRY.as_bytes())
    });
    if !exports {
        return Err(format!("does not export `{ENTRY}`"));
    }
    Ok(manifest)
}

/// The system whose libraries begin like this.
fn elsewhere(bytes: &[u8]) -> Option<&'static str> {
    // Mach-O of 32 and 64 bits in both byte orders, and several in one file.
    const MACH_O: [[u8; 4]; 5] = [
        [0xfe, 0xed, 0xfa, 0xce],
        [0xce, 0xfa, 0xed, 0xfe],
        [0xfe, 0xed, 0xfa, 0xcf],
        [0xcf, 0xfa, 0xed, 0xfe],
        [0xca, 0xfe, 0xba, 0xbe],
    ];
    if MACH_O.iter().any(|magic| bytes.starts_with(magic)) {
        return Some("macOS");
    }
    bytes.starts_with(b"MZ").then_some("Windows")
}

fn cut_off(what: &str, len: usize) -> String {
    format!("is cut off or broken: {what} does not lie in its {len} bytes")
}

/// The loader maps segments without asking whether the file is that long, and follows the addresses of the dynamic
/// segment: what is not there kills the program.
#[allow(clippy::useless_conversion, reason = "fields are narrower where pointers are")]
fn segments(header: &Header, bytes: &[u8]) -> Result<(), String> {
    let broken = |error: object::read::Error| format!("is a broken ELF file: {error}");
    let segments = header.program_headers(ENDIANNESS, bytes).map_err(broken)?;
    let mut mapped: Vec<(u64, u64)> = Vec::new();
    let mut dynamic = None;
    for (index, segment) in segments.iter().enumerate() {
        let (at, len): (u64, u64) =
            (segment.p_offset(ENDIANNESS).into(), segment.p_filesz(ENDIANNESS).into());
        if at.checked_add(len).is_none_or(|end| end > bytes.len() as u64) {
            return Err(cut_off(&format!("segment {index}"), bytes.len()));
        }
        let (address, size): (u64, u64) =
            (segment.p_vaddr(ENDIANNESS).into(), segment.p_memsz(ENDIANNESS).into());
        match segment.p_type(ENDIANNESS) {
            elf::PT_LOAD => {
                let end = address.checked_add(size).filter(|_| size >= len);
                mapped.push((address, end.ok_or_else(|| cut_off(&format!("segment {index}"), bytes.len()))?));
            }
            elf::PT_DYNAMIC => dynamic = segment.dynamic(ENDIANNESS, bytes).map_err(broken)?,
            _ => {}
        }
    }
    let Some(dynamic) = dynamic.filter(|_| !mapped.is_empty()) else {
        return Err("is an ELF file without anything to load".to_owned());
    };
    const ADDRESSES: [i64; 12] = [
        elf::DT_STRTAB,
        elf::DT_SYMTAB,
        elf::DT_HASH,
        elf::DT_GNU_HASH,
        elf::DT_RELA,
        elf::DT_REL,
        elf::DT_JMPREL,
        elf::DT_INIT,
        elf::DT_FINI,
        elf::DT_INIT_ARRAY,
        elf::DT_VERSYM,
        elf::DT_VERNEED,
    ];
    for entry in dynamic {
        let (tag, value): (i64, u64) = (entry.d_tag(ENDIANNESS), entry.d_val(ENDIANNESS));
        if tag == elf::DT_NULL {
            break;
        }
        let is_address = ADDRESSES.contains(&tag);
        if is_address && !mapped.iter().any(|(start, end)| (*start..*end).contains(&value)) {
            return Err(format!("is a broken ELF file: its dynamic entry {tag} points nowhere"));
        }
    }
    Ok(())
}

/// Is the border that the manifest describes ours?
fn check(bytes: &[u8]) -> Result<ManifestFields, String> {
    let manifest = manifest::read(bytes).filter(|manifest| manifest.magic == MAGIC);
    let manifest = manifest.ok_or("has a manifest that cannot be read")?;
    let ManifestFields { major, minor, .. } = manifest;
    // What its builder wants to know first.
    let by = match manifest.compiler.as_str() {
        "" => String::new(),
        compiler => format!(" (it was built by {compiler})"),
    };
    if major != MAJOR {
        return Err(format!(
            "speaks ABI {major}.{minor}, this program {MAJOR}.{MINOR}: build it against a `flow` of the same ABI major{by}"
        ));
    }
    if minor > MINOR {
        return Err(format!(
            "needs ABI {major}.{minor}, this program has {MAJOR}.{MINOR}: update the program{by}"
        ));
    }
    if u32::from(manifest.pointer_width) != usize::BITS || manifest.endian != ENDIAN {
        return Err(format!(
            "was built for `{}`: pointers or byte order differ from this program's",
            manifest.target
        ));
    }
    if manifest.panic == 2 {
        return Err(
            "was built with `panic = \"abort\"`: a panic in it would end this program; build it with `panic = \"unwind\"`"
                .to_owned(),
        );
    }
    if (manifest.size as usize) < FIRST_SIZE || manifest.sizes != SIZES {
        return Err("has structs of other sizes than this program's ABI".to_owned());
    }
    Ok(manifest)
}
