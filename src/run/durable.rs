//! Files that are the old one or the new one, never half of each, whatever stops the process in between.
//!
//! A new content goes to a temporary file in the same folder, is forced to the disk, and only then takes the place
//! of the old one by renaming, which file systems do in one step.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Ending of a file that is being written; one left behind by a kill is overwritten by the next write.
pub const TEMPORARY: &str = ".tmp";

/// Put `bytes` at `path`, replacing what is there.
///
/// # Errors
/// When writing fails (for example a full disk); the file at `path` is then as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = write_temporary(path, bytes)?;
    rename(&temporary, path)?;
    sync_folder_of(path)
}

/// Write and sync the file that is to take the place of `path`; the caller renames it.
///
/// # Errors
/// When writing fails; nothing is left behind, so that a full disk gets its space back.
pub fn write_temporary(path: &Path, bytes: &[u8]) -> Result<PathBuf> {
    let mut name = OsString::from(path);
    name.push(TEMPORARY);
    let temporary = PathBuf::from(name);
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(source) = written {
        // The write error is the one to report; the next write replaces a leftover anyway.
        let _ = fs::remove_file(&temporary);
        return Err(Error::io("write", temporary, source));
    }
    Ok(temporary)
}

/// Rename a file, replacing what is at `to`.
///
/// # Errors
/// When the system refuses.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|source| Error::io("replace", to, source))
}

/// Make the renames in the folder that holds `path` survive a power failure.
///
/// # Errors
/// When the system refuses.
pub fn sync_folder_of(path: &Path) -> Result<()> {
    // Only Unix can open a folder as a file; elsewhere the rename is as durable as it gets.
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder).and_then(|file| file.sync_all()).map_err(|source| Error::io("sync", folder, source))?;
    }
    Ok(())
}
