//! The folder of a simulation: what it writes, and that it replaces nothing but what an earlier one wrote.
//!
//! The config comes first, and its first line says whose the folder is; `result.json` comes last, so where it lies all else is of the
//! same simulation.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::config;
use crate::error::{Error, Result};
use crate::run::durable;

const CONFIG: &str = "config.toml";
/// Written last.
pub const RESULT: &str = "result.json";
/// First line of the config of a folder that simulations write.
const MARK: &str = "# Of `phylon simulate`, which writes this folder anew.";

/// A folder that a simulation may write. Files have names that end in `.tmp` until all are there; without a
/// [`Folder::finish`] they are removed, and what was there before is as it was.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Names of the files that are written, the config's first.
    names: Mutex<Vec<String>>,
}

impl Folder {
    /// The folder at a path, which is made if there is none.
    ///
    /// # Errors
    /// When it holds other files, or cannot be written.
    pub fn open(path: &Path, config: &config::Column) -> Result<Self> {
        fs::create_dir_all(path).map_err(|source| Error::io("create", path, source))?;
        let is_own = fs::read_to_string(path.join(CONFIG)).is_ok_and(|text| text.starts_with(MARK));
        // What a killed program left is nobody's.
        if !is_own && names(path)?.iter().any(|name| !name.ends_with(durable::TEMPORARY)) {
            return Err(Error::Config(format!(
                "{} holds files that are of no simulation; try: an empty or a new folder, with --out",
                path.display()
            )));
        }
        let folder = Self { path: path.to_owned(), names: Mutex::default() };
        folder.put(CONFIG.into(), format!("{MARK}\n{}", config::to_toml(config)).as_bytes())?;
        Ok(folder)
    }

    /// Write a file; it gets its name at the end.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, name: String, bytes: &[u8]) -> Result<()> {
        durable::write_temporary(&self.path.join(&name), bytes)?;
        self.names.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(name);
        Ok(())
    }

    /// Remove what an earlier simulation wrote, give all files their names, and write the result.
    ///
    /// # Errors
    /// When a file cannot be removed or written.
    pub fn finish(mut self, result: &str) -> Result<()> {
        let remove = |name: &str| {
            let path = self.path.join(name);
            match fs::remove_file(&path) {
                Err(source) if source.kind() != ErrorKind::NotFound => Err(Error::io("remove", path, source)),
                _ => Ok(()),
            }
        };
        remove(RESULT)?;
        names(&self.path)?.iter().filter(|name| is_written(name)).try_for_each(|name| remove(name))?;
        for name in std::mem::take(self.names.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner())) {
            let path = self.path.join(name);
            durable::rename(&temporary(&path), &path)?;
        }
        durable::replace(&self.path.join(RESULT), result.as_bytes())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for name in self.names.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner()) {
            // The error that led here is the one to report.
            let _ = fs::remove_file(temporary(&self.path.join(name)));
        }
    }
}

/// The name that a file has until all are there.
fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(durable::TEMPORARY);
    name.into()
}

/// Of all files in a folder.
fn names(path: &Path) -> Result<Vec<String>> {
    let unread = |source| Error::io("read", path, source);
    let name = |entry: std::io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    fs::read_dir(path).map_err(unread)?.map(|entry| name(entry).map_err(unread)).collect()
}

/// Whether a name is one that simulations give: spikes (of a seed) and figures.
fn is_written(name: &str) -> bool {
    let is_of_seed = |rest: &str| {
        rest.is_empty() || rest.strip_prefix('-').is_some_and(|seed| seed.bytes().all(|digit| digit.is_ascii_digit()))
    };
    let is_spikes = name
        .strip_prefix("spikes")
        .and_then(|rest| rest.strip_suffix(".npz").or_else(|| rest.strip_suffix(".csv")))
        .is_some_and(is_of_seed);
    is_spikes || ["raster.svg", "psth.svg"].contains(&name)
}
