//! The folder of a simulation: what it writes, and that it replaces nothing but what an earlier one wrote.
//!
//! The config comes first, and its first line says whose the folder is; `result.json` comes last, so where it lies all else is of the
//! same simulation. Each file takes its name in one step.

use std::fs;
use std::path::{Path, PathBuf};

use crate::config;
use crate::error::{Error, Result};
use crate::run::durable;

const CONFIG: &str = "config.toml";
/// Written last.
pub const RESULT: &str = "result.json";
/// First line of the config of a folder that simulations write.
const MARK: &str = "# Of `phylon simulate`, which writes this folder anew.";

/// A file's name and content.
pub type File = (String, Vec<u8>);

/// A folder that a simulation may write.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The config under the name that it has until the simulation is done.
    config: PathBuf,
}

impl Folder {
    /// The folder at a path, which is made if there is none. What an earlier simulation wrote stays until [`Folder::write`].
    ///
    /// # Errors
    /// When it holds other files, or cannot be written.
    pub fn open(path: &Path, config: &config::Column) -> Result<Self> {
        fs::create_dir_all(path).map_err(|source| Error::io("create", path, source))?;
        let is_own = fs::read_to_string(path.join(CONFIG)).is_ok_and(|text| text.starts_with(MARK));
        if !is_own {
            for entry in fs::read_dir(path).map_err(|source| Error::io("read", path, source))? {
                let entry = entry.map_err(|source| Error::io("read", path, source))?;
                // What a killed program left.
                if !entry.file_name().to_string_lossy().ends_with(durable::TEMPORARY) {
                    return Err(Error::Config(format!(
                        "{} holds files that are of no simulation; try: an empty or a new folder, with --out",
                        path.display()
                    )));
                }
            }
        }
        let text = format!("{MARK}\n{}", config::to_toml(config));
        let config = durable::write_temporary(&path.join(CONFIG), text.as_bytes())?;
        Ok(Self { path: path.to_owned(), config })
    }

    /// Write files by their names, and the result after them. What an earlier simulation wrote is removed.
    ///
    /// # Errors
    /// When a file cannot be removed or written.
    pub fn write(&self, files: &[File], result: &str) -> Result<()> {
        self.remove(RESULT)?;
        durable::rename(&self.config, &self.path.join(CONFIG))?;
        for entry in fs::read_dir(&self.path).map_err(|source| Error::io("read", &self.path, source))? {
            let entry = entry.map_err(|source| Error::io("read", &self.path, source))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_written(&name) {
                self.remove(&name)?;
            }
        }
        for (name, bytes) in files {
            durable::replace(&self.path.join(name), bytes)?;
        }
        durable::replace(&self.path.join(RESULT), result.as_bytes())
    }

    fn remove(&self, name: &str) -> Result<()> {
        let path = self.path.join(name);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path, source)),
            _ => Ok(()),
        }
    }
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
