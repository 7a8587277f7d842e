//! `metrics.csv`: one row a generation, for plots and spreadsheets; NaN is written as `NaN` and read back.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::tensorboard::Point;
use crate::engine::{Generation, Summary};
use crate::error::{Error, Result};

const HEADER: &str = "generation,best,mean,std,centre,env_steps_per_s,seconds\n";

/// One row; the fields are the columns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Index of the generation, the first is 0.
    pub generation: u32,
    /// Highest finite fitness among the offspring.
    pub best: f32,
    /// Mean over the finite fitness values.
    pub mean: f32,
    /// Population standard deviation of the finite fitness values.
    pub std: f32,
    /// Fitness of the centre before this generation's update.
    pub centre: f32,
    /// Environment steps a second in this generation, to the nearest whole one.
    pub env_steps_per_s: f64,
    /// Time since the start of the run in seconds, to the millisecond, without the pauses before resumes.
    pub seconds: f64,
}

impl Metrics {
    /// The row of a generation that ended `seconds` after the start of the run.
    pub fn new(generation: &Generation, summary: Summary, seconds: f64) -> Self {
        Self {
            generation: generation.index,
            best: summary.best,
            mean: summary.mean,
            std: summary.std,
            centre: generation.centre,
            env_steps_per_s: (generation.env_steps as f64 / generation.seconds).round(),
            seconds: (seconds * 1e3).round() / 1e3,
        }
    }

    /// The row as points of curves.
    pub(super) fn point(&self, time: SystemTime) -> Point {
        let scalars = [
            ("fitness/best", self.best),
            ("fitness/mean", self.mean),
            ("fitness/std", self.std),
            ("fitness/centre", self.centre),
            ("speed/env_steps_per_s", self.env_steps_per_s as f32),
        ];
        Point { step: self.generation, scalars: scalars.map(|(name, value)| (name.to_owned(), value)).into(), time }
    }
}

/// The rows as points of curves, as if the last had come to be at a time and there had been no pause between them: the file
/// does not say more.
pub(crate) fn points(rows: &[Metrics], last: SystemTime) -> Vec<Point> {
    let end = rows.last().map_or(0.0, |row| row.seconds);
    let before = |row: &Metrics| Duration::try_from_secs_f64(end - row.seconds).unwrap_or_default();
    rows.iter().map(|row| row.point(last.checked_sub(before(row)).unwrap_or(last))).collect()
}

/// The file open for appending.
pub struct MetricsLog {
    file: File,
    path: PathBuf,
    seconds: f64,
}

impl MetricsLog {
    /// Open the file with exactly the rows of generations `0..keep`: a kill may have left more, or part of one.
    ///
    /// # Errors
    /// When these rows are not all there or not what they should be, or the file cannot be opened or cut.
    pub fn open(path: &Path, keep: u32) -> Result<Self> {
        let (seconds, length) = if keep == 0 {
            fs::write(path, HEADER).map_err(|source| Error::io("write", path, source))?;
            (0.0, HEADER.len())
        } else {
            let bytes = read_bytes(path)?;
            // Only the rows that are kept must be sound: after a power failure anything may follow them.
            let length = bytes.split_inclusive(|&byte| byte == b'\n').take(keep as usize + 1).map(<[u8]>::len).sum();
            let rows = parse(path, &bytes[..length])?;
            match rows.last() {
                Some(last) if rows.len() == keep as usize => (last.seconds, length),
                _ => {
                    let have = rows.len();
                    let why = format!("it holds {have} generations, the checkpoint was made after {keep}");
                    return Err(Error::bad_file(path, why));
                }
            }
        };
        let mut file = OpenOptions::new().write(true).open(path).map_err(|source| Error::io("open", path, source))?;
        file.set_len(length as u64)
            .and_then(|()| file.seek(SeekFrom::End(0)))
            .map_err(|source| Error::io("cut", path, source))?;
        Ok(Self { file, path: path.to_owned(), seconds })
    }

    /// Duration of the run up to the last row kept by [`MetricsLog::open`].
    pub fn seconds_before(&self) -> f64 {
        self.seconds
    }

    /// # Errors
    /// When the write fails; part of the row may then be in the file, which the next [`MetricsLog::open`] cuts off.
    pub fn append(&mut self, row: &Metrics) -> Result<()> {
        let failed = |source| Error::io("append to", &self.path, source);
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        writer.serialize(row).map_err(|error| failed(error.into()))?;
        let line = writer.into_inner().map_err(|error| failed(error.into_error()))?;
        self.file.write_all(&line).map_err(failed)
    }

    /// Force what was appended to the disk.
    ///
    /// # Errors
    /// When the system refuses, for example because the disk is full.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(|source| Error::io("sync", &self.path, source))
    }
}

/// All whole rows, in order.
///
/// # Errors
/// When the file cannot be read, has other columns, or skips a generation.
pub fn read(path: &Path) -> Result<Vec<Metrics>> {
    parse(path, &read_bytes(path)?)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| Error::io("read", path, source))
}

/// A last line without its end is a row still being written, or cut short by a kill: not a row yet.
fn parse(path: &Path, text: &[u8]) -> Result<Vec<Metrics>> {
    let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(&text[..0], |end| &text[..=end]);
    if !whole.starts_with(HEADER.as_bytes()) {
        return Err(Error::bad_file(path, format!("its first line is not {}", HEADER.trim_end())));
    }
    let mut rows = Vec::new();
    for row in csv::Reader::from_reader(whole).deserialize() {
        let row: Metrics = row.map_err(|error| Error::bad_file(path, error.to_string()))?;
        if row.generation as usize != rows.len() {
            let (line, expected) = (rows.len() + 2, rows.len());
            return Err(Error::bad_file(path, format!("line {line} is not the row of generation {expected}")));
        }
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(generation: u32) -> Metrics {
        Metrics {
            generation,
            best: -1.5e-30,
            mean: 0.1 + generation as f32,
            std: f32::MIN_POSITIVE,
            centre: -888.0,
            env_steps_per_s: 123_456_789.0,
            seconds: 0.001 * f64::from(generation + 1),
        }
    }

    fn write_rows(path: &Path, n: u32) {
        let mut log = MetricsLog::open(path, 0).unwrap();
        for generation in 0..n {
            log.append(&row(generation)).unwrap();
        }
    }

    #[test]
    fn header_is_the_published_one_and_the_struct_agrees() {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.serialize(row(0)).unwrap();
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        assert!(text.starts_with(HEADER), "{text}");
        assert_eq!(HEADER, "generation,best,mean,std,centre,env_steps_per_s,seconds\n");
    }

    #[test]
    fn rows_come_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        write_rows(&path, 3);
        assert_eq!(read(&path).unwrap(), [row(0), row(1), row(2)]);
    }

    #[test]
    fn nan_and_infinities_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        let mut log = MetricsLog::open(&path, 0).unwrap();
        let odd = Metrics { best: f32::NAN, mean: f32::NEG_INFINITY, centre: f32::INFINITY, ..row(0) };
        log.append(&odd).unwrap();
        let back = read(&path).unwrap()[0];
        assert!(back.best.is_nan());
        assert_eq!((back.mean, back.centre), (f32::NEG_INFINITY, f32::INFINITY));
    }

    #[test]
    fn half_a_row_is_no_row_and_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        write_rows(&path, 3);
        let whole = fs::read(&path).unwrap();
        let third = whole[..whole.len() - 1].iter().rposition(|&b| b == b'\n').unwrap() + 1;
        for end in third..whole.len() {
            fs::write(&path, &whole[..end]).unwrap();
            assert_eq!(read(&path).unwrap(), [row(0), row(1)]);
            let mut log = MetricsLog::open(&path, 2).unwrap();
            assert_eq!(log.seconds_before(), row(1).seconds);
            log.append(&row(2)).unwrap();
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
    }

    #[test]
    fn rows_that_are_missing_or_wrong_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        write_rows(&path, 3);
        let error = MetricsLog::open(&path, 4).err().unwrap().to_string();
        assert!(error.contains("holds 3 generations") && error.contains("after 4"), "{error}");

        let text = fs::read_to_string(&path).unwrap();
        let rewrites: [fn(&str) -> String; 3] = [
            |text| text.replace("\n1,", "\n7,"),
            |text| text.replace("\n1,", "\n1,x,"),
            |text| text.replace("best", "worst"),
        ];
        for rewrite in rewrites {
            fs::write(&path, rewrite(&text)).unwrap();
            assert!(matches!(MetricsLog::open(&path, 2), Err(Error::BadFile { .. })));
            assert!(matches!(read(&path), Err(Error::BadFile { .. })));
        }
    }

    #[test]
    fn rubbish_after_the_rows_that_are_kept_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        write_rows(&path, 2);
        let sound = fs::read(&path).unwrap();
        fs::write(&path, [&sound[..], &[0, 0, 0xff, b'\n', 0]].concat()).unwrap();
        MetricsLog::open(&path, 2).unwrap();
        assert_eq!(fs::read(&path).unwrap(), sound);
    }
}
