//! The stand-in driver: the kernels compiled by g++, run on the CPU behind a `libcuda` of our own (kernels/emu/), which
//! the same host code loads in place of the real one. For development: it is slow, and it is strict.

use std::sync::OnceLock;

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};

use crate::error::{Error, Result};

static LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/emulated.so"));

/// Never unloaded: the driver's functions are called until the end.
static LOADED: OnceLock<std::result::Result<Library, String>> = OnceLock::new();

/// In which order the emulated threads of a block run between two barriers. Right kernels give the same bits in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By index.
    Forward,
    /// From the last.
    Reverse,
    /// Shuffled, by a seed.
    Shuffled(u64),
}

/// Put the stand-in driver in the place of the real one, for the whole process. `PHYLON_EMU_LIBRARY` names another
/// build of it, for example one with sanitizers.
///
/// # Errors
/// When it cannot be loaded.
pub fn load() -> Result<()> {
    loaded().map(|_| ())
}

pub(super) fn is_loaded() -> bool {
    LOADED.get().is_some_and(|loaded| loaded.is_ok())
}

fn loaded() -> Result<&'static Library> {
    let loaded = LOADED.get_or_init(|| match std::env::var_os("PHYLON_EMU_LIBRARY") {
        Some(path) => open(path.as_ref()),
        None => {
            let file = std::env::temp_dir().join(format!("phylon-emulated-{}.so", std::process::id()));
            let written = std::fs::write(&file, LIBRARY).map_err(|e| format!("cannot write {}: {e}", file.display()));
            let library = written.and_then(|()| open(&file));
            let _ = std::fs::remove_file(&file);
            library
        }
    });
    loaded.as_ref().map_err(|why| Error::Device(format!("the stand-in driver does not load: {why}")))
}

/// By its path, but under the name libcuda.so that it carries: who asks for that afterwards is given this one.
fn open(path: &std::path::Path) -> std::result::Result<Library, String> {
    // SAFETY: its initialisers only register kernels.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_GLOBAL) }.map_err(|e| e.to_string())
}

/// Order of the threads in what this thread launches from now on.
///
/// # Errors
/// When the stand-in driver cannot be loaded.
pub fn set_order(order: Order) -> Result<()> {
    let (kind, seed) = match order {
        Order::Forward => (0, 0),
        Order::Reverse => (1, 0),
        Order::Shuffled(seed) => (2, seed),
    };
    // SAFETY: the stand-in driver defines it so.
    unsafe {
        let set = loaded()?.get::<unsafe extern "C" fn(i32, u64)>(b"phylon_emu_set_order\0");
        set.map_err(|e| Error::Device(e.to_string()))?(kind, seed);
    }
    Ok(())
}

/// When what is put on a stream runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// As it is put there.
    AtOnce,
    /// When the host waits for it, and then only that and what it waits for in turn.
    AsLateAsPossible,
    /// When the host waits for anything; the newest streams first, as far as the events allow.
    NewestFirst,
}

/// When the work that this thread puts on streams from now on runs. Right host code gives the same bits in each: a
/// missing wait between streams does not.
///
/// # Errors
/// When the stand-in driver cannot be loaded.
pub fn set_when(when: When) -> Result<()> {
    // SAFETY: the stand-in driver defines it so.
    unsafe {
        let set = loaded()?.get::<unsafe extern "C" fn(i32)>(b"phylon_emu_set_deferred\0");
        set.map_err(|e| Error::Device(e.to_string()))?(when as i32);
    }
    Ok(())
}
