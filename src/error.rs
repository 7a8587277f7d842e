//! The one error type of the library. A message reads `what happened: why`, and where it helps ends in `try: ...`.

use std::path::{Path, PathBuf};

/// What the library's functions that can fail return.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, sorted by what a caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A config file, an override or a derived size that cannot be: the message carries file, line, column and key.
    #[error("{0}")]
    Config(String),
    /// Reading or writing failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// A verb: `read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is there but is not what it should be (truncated, altered, of another run).
    #[error("{} is not usable: {why}", path.display())]
    BadFile {
        /// The file, or the run folder it is missing from.
        path: PathBuf,
        /// What is wrong with it, and where it helps what to try.
        why: String,
    },
    /// The run itself cannot go on, for example when every fitness of a generation is NaN.
    #[error("{0}")]
    Run(String),
    /// The device cannot be used: there is none, it is too small, or it failed.
    #[error("{0}")]
    Device(String),
}

impl Error {
    /// [`Error::Io`]: `action` is a verb that goes before the path, such as `read`.
    pub fn io(action: &'static str, path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Io { action, path: path.as_ref().to_owned(), source }
    }

    /// [`Error::BadFile`]: `why` completes "PATH is not usable".
    pub fn bad_file(path: impl AsRef<Path>, why: impl Into<String>) -> Self {
        Self::BadFile { path: path.as_ref().to_owned(), why: why.into() }
    }

    /// Process exit code: 2 for usage and config, 3 for the device, 1 for everything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => 2,
            Self::Device(_) => 3,
            _ => 1,
        }
    }
}
