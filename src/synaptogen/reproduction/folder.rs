//! The folder of a reproduction: its settings, and every training and search that is finished.
//!
//! A profile's file holds the settings' hash and the record of how it was found, and takes its name in one step. So what has
//! a name is finished, whatever stopped the program, and it is of these settings.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Settings;
use crate::error::{Error, Result};
use crate::hash::fnv1a;
use crate::run::durable;
use crate::synaptogen::file;
use crate::synaptogen::profile::Profile;

const SETTINGS: &str = "settings.json";
/// Entries of a profile's provenance.
const HASH: &str = "settings";
const RECORD: &str = "record";
/// Raised when the bits of a reproduction change.
const FORMAT: u32 = 1;

/// A folder whose settings are those of a reproduction.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    settings: Settings,
    hash: String,
}

/// What [`SETTINGS`] holds.
#[derive(Serialize, Deserialize)]
struct Stored {
    format: u32,
    settings: Settings,
    hash: String,
}

impl Folder {
    /// The folder at a path; one that does not exist or is empty gets the settings.
    ///
    /// # Errors
    /// When it has other settings or other files, or cannot be read or written.
    pub fn open(path: &Path, settings: &Settings) -> Result<Self> {
        fs::create_dir_all(path).map_err(|source| Error::io("create", path, source))?;
        let hash = hash(settings)?;
        let at = path.join(SETTINGS);
        if at.exists() {
            let text = fs::read_to_string(&at).map_err(|source| Error::io("read", &at, source))?;
            let stored: Stored = serde_json::from_str(&text)
                .map_err(|error| Error::bad_file(&at, format!("it holds no settings: {error}; try: another folder")))?;
            check(path, &at, &stored, settings, &hash)?;
        } else {
            refuse_other_files(path)?;
            let stored = Stored { format: FORMAT, settings: settings.clone(), hash: hash.clone() };
            durable::replace(&at, json(&stored)?.as_bytes())?;
        }
        Ok(Self { path: path.to_owned(), settings: settings.clone(), hash })
    }

    /// Of all that decides what is kept here, as `settings.json` has it.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Whether a profile is there.
    pub fn has(&self, name: &str) -> bool {
        self.profile_path(name).exists()
    }

    /// The profile and the record of this name; what `make` gives where there is none yet, which is then kept.
    ///
    /// # Errors
    /// Those of `make`; when the file cannot be read or written, is damaged, or is of other settings.
    pub fn keep<R: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<(Profile, R)>,
    ) -> Result<(Profile, R)> {
        let path = self.profile_path(name);
        if !path.exists() {
            let (profile, record) = make()?;
            let provenance = [(RECORD.into(), json(&record)?)].into_iter().chain(self.provenance()).collect();
            file::write(&path, &profile, &provenance)?;
            tracing::info!(name, "finished");
            return Ok((profile, record));
        }
        let (profile, provenance) = file::read(&path)?;
        let bad = |why: &str| Error::bad_file(&path, format!("{why}; try: remove it, and it will be computed again"));
        if provenance.get(HASH) != Some(&self.hash) {
            return Err(bad("it is of other settings than its folder"));
        }
        let record = provenance.get(RECORD).and_then(|record| serde_json::from_str(record).ok());
        Ok((profile, record.ok_or_else(|| bad("its record is missing or damaged"))?))
    }

    /// Writes a profile that is made of kept ones.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, profile: &Profile) -> Result<()> {
        file::write(&self.profile_path(name), profile, &self.provenance().collect())
    }

    /// Writes another file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_text(&self, name: &str, text: &str) -> Result<()> {
        durable::replace(&self.path.join(name), text.as_bytes())
    }

    fn profile_path(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.safetensors"))
    }

    fn provenance(&self) -> impl Iterator<Item = (String, String)> {
        let Settings { env, steps, seed, .. } = &self.settings;
        let entries = [
            ("environment", env.clone()),
            ("steps", steps.to_string()),
            ("seed", seed.to_string()),
            (HASH, self.hash.clone()),
        ];
        entries.map(|(name, value)| (name.to_owned(), value)).into_iter()
    }
}

/// That what is stored is what is asked for.
fn check(path: &Path, at: &Path, stored: &Stored, settings: &Settings, hash_now: &str) -> Result<()> {
    let (old, new) = (&stored.settings, settings);
    let fields = [
        ("env", old.env.clone(), new.env.clone()),
        ("genes", old.genes.to_string(), new.genes.to_string()),
        ("rules_from_data", old.rules_from_data.to_string(), new.rules_from_data.to_string()),
        ("steps", old.steps.to_string(), new.steps.to_string()),
        ("seed", old.seed.to_string(), new.seed.to_string()),
        ("brief", old.brief.to_string(), new.brief.to_string()),
    ];
    let differing: Vec<String> = fields
        .into_iter()
        .filter(|(_, old, new)| old != new)
        .map(|(name, old, new)| format!("{name} {old}, not {new}"))
        .collect();
    if stored.format != FORMAT || stored.hash != hash(old)? {
        let why = "it is of another version of phylon, or was changed; try: another folder, with --out";
        return Err(Error::bad_file(at, why));
    }
    if !differing.is_empty() || stored.hash != hash_now {
        return Err(Error::Config(format!(
            "{} has other settings: {}; try: another folder, with --out",
            path.display(),
            differing.join("; ")
        )));
    }
    Ok(())
}

fn refuse_other_files(path: &Path) -> Result<()> {
    for entry in fs::read_dir(path).map_err(|source| Error::io("read", path, source))? {
        let entry = entry.map_err(|source| Error::io("read", path, source))?;
        // What a killed program left.
        if !entry.file_name().to_string_lossy().ends_with(durable::TEMPORARY) {
            return Err(Error::Config(format!(
                "{} holds other files, and no {SETTINGS}; try: an empty or a new folder, with --out",
                path.display()
            )));
        }
    }
    Ok(())
}

fn hash(settings: &Settings) -> Result<String> {
    Ok(format!("{:016x}", fnv1a(format!("{FORMAT} {}", json(settings)?).into_bytes())))
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Run(format!("cannot write JSON: {error}")))
}
