//! `candidates.csv` of a search: one row a candidate, in the order in which they were told. NaN is written as `NaN`.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Judged, Target};
use crate::column::{NAMES, POPULATIONS};
use crate::error::{Error, Result};
use crate::run::tensorboard::Point;

/// The file open for appending.
pub struct Log {
    file: File,
    path: PathBuf,
}

/// What figures and curves need of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The first is 0.
    pub generation: u32,
    /// In its generation.
    pub candidate: u32,
    /// Sum of the targets' errors.
    pub error: f64,
    /// Of each population, Hz; NaN where a candidate was given up.
    pub rates: [f64; POPULATIONS],
}

impl Row {
    /// Of the candidates of a generation.
    pub(super) fn of(generation: u32, judged: &[Judged]) -> Vec<Self> {
        let row = |(candidate, judged): (usize, &Judged)| Self {
            generation,
            candidate: candidate as u32,
            error: judged.error,
            rates: judged.rates,
        };
        judged.iter().enumerate().map(row).collect()
    }
}

/// A generation as points of curves: its least error, their mean, the least of the search so far, and the rates of the candidate
/// with the least error.
pub(super) fn point(generation: &[Row], least: f64, time: SystemTime) -> Point {
    let finite = || generation.iter().filter(|row| row.error.is_finite());
    let best = finite().min_by(|a, b| a.error.total_cmp(&b.error));
    let mean = finite().map(|row| row.error).sum::<f64>() / finite().count() as f64;
    let (error, rates) = best.map_or((f64::NAN, [f64::NAN; POPULATIONS]), |row| (row.error, row.rates));
    let errors = [("best", error), ("mean", mean), ("best_so_far", least)];
    let errors = errors.into_iter().map(|(name, value)| (format!("error/{name}"), value as f32));
    let rates = NAMES.iter().zip(rates).map(|(name, rate)| (format!("rate/{name}"), rate as f32));
    let step = generation.first().map_or(0, |row| row.generation);
    Point { step, scalars: errors.chain(rates).collect(), time }
}

/// All generations as points of curves. The file has no times: they are spread evenly over the `seconds` that the search took
/// until the last of them.
pub(crate) fn points(rows: &[Row], seconds: f64, last: SystemTime) -> Vec<Point> {
    let (mut least, mut done) = (f64::NAN, 0);
    let generations = rows.chunk_by(|a, b| a.generation == b.generation);
    let of = |generation: &[Row]| {
        // NaN is less than nothing: `min` gives the other.
        least = generation.iter().map(|row| row.error).filter(|error| error.is_finite()).fold(least, f64::min);
        done += generation.len();
        let before = seconds * (1.0 - done as f64 / rows.len() as f64);
        let before = Duration::try_from_secs_f64(before).unwrap_or_default();
        point(generation, least, last.checked_sub(before).unwrap_or(last))
    };
    generations.map(of).collect()
}

/// The first line: whose rates and measures follow.
fn header(targets: &[Target]) -> String {
    let fixed = ["generation", "candidate", "error", "reward", "clipped"].into_iter().map(str::to_owned);
    let rates = NAMES.iter().map(|name| (*name).to_owned());
    let columns: Vec<String> = fixed.chain(rates).chain(targets.iter().map(Target::name)).collect();
    columns.join(",") + "\n"
}

impl Log {
    /// Open the file with exactly its first `keep` rows: a kill may have left more, or part of one.
    ///
    /// # Errors
    /// When these rows are not all there, or the file cannot be opened or cut.
    pub fn open(path: &Path, targets: &[Target], keep: u64) -> Result<Self> {
        let header = header(targets);
        let length = if keep == 0 {
            fs::write(path, &header).map_err(|source| Error::io("write", path, source))?;
            header.len()
        } else {
            let bytes = fs::read(path).map_err(|source| Error::io("read", path, source))?;
            let lines: Vec<usize> = bytes
                .split_inclusive(|&byte| byte == b'\n')
                .filter(|line| line.ends_with(b"\n"))
                .map(<[u8]>::len)
                .take(keep as usize + 1)
                .collect();
            if lines.len() as u64 != keep + 1 || !bytes.starts_with(header.as_bytes()) {
                let have = lines.len().saturating_sub(1);
                let why = format!("it holds {have} candidates, the checkpoint was made after {keep}");
                return Err(Error::bad_file(path, why));
            }
            lines.iter().sum()
        };
        let mut file = OpenOptions::new().write(true).open(path).map_err(|source| Error::io("open", path, source))?;
        file.set_len(length as u64)
            .and_then(|()| file.seek(SeekFrom::End(0)))
            .map_err(|source| Error::io("cut", path, source))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// The rows of a generation.
    ///
    /// # Errors
    /// When the write fails; part of a row may then be in the file, which the next [`Log::open`] cuts off.
    pub fn append(&mut self, generation: u32, judged: &[Judged]) -> Result<()> {
        let mut lines = String::new();
        for (candidate, judged) in judged.iter().enumerate() {
            let Judged { error, reward, clipped, rates, measured, .. } = judged;
            lines += &format!("{generation},{candidate},{error},{reward},{clipped}");
            rates.iter().chain(measured).for_each(|value| lines += &format!(",{value}"));
            lines.push('\n');
        }
        self.file.write_all(lines.as_bytes()).map_err(|source| Error::io("append to", &self.path, source))
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
/// When the file cannot be read, or a row is none.
pub fn read(path: &Path) -> Result<Vec<Row>> {
    let text = fs::read_to_string(path).map_err(|source| Error::io("read", path, source))?;
    // A last line without its end is a row still being written.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let row = |(number, line): (usize, &str)| {
        let mut fields = line.split(',');
        let mut field = || fields.next().unwrap_or_default();
        let row = (field().parse(), field().parse(), field().parse());
        // Behind reward and clipped.
        let rates: Vec<f64> = fields.skip(2).take(POPULATIONS).map_while(|rate| rate.parse().ok()).collect();
        let (Ok(generation), Ok(candidate), Ok(error), Ok(rates)) = (row.0, row.1, row.2, rates.try_into()) else {
            return Err(Error::bad_file(path, format!("line {} is not a candidate", number + 1)));
        };
        Ok(Row { generation, candidate, error, rates })
    };
    whole.lines().enumerate().skip(1).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::search::objective::in_vivo;

    fn judged(error: f64) -> Judged {
        let (measured, rates) = (vec![error; 4], [1.0 / 3.0; 8]);
        Judged { actions: vec![], clipped: 2, measured, rates, error, reward: -error }
    }

    #[test]
    fn rows_come_back_and_are_cut_to_those_that_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("candidates.csv");
        let mut log = Log::open(&path, &in_vivo(), 0).unwrap();
        log.append(0, &[judged(0.1), judged(f64::NAN)]).unwrap();
        let two = fs::read_to_string(&path).unwrap();
        assert!(two.starts_with("generation,candidate,error,reward,clipped,L23E,L23I,"), "{two}");
        assert!(two.contains("\n0,1,NaN,NaN,2,0.3333333333333333,"), "{two}");
        log.append(1, &[judged(1e-20)]).unwrap();
        let rows = read(&path).unwrap();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[2], Row { generation: 1, candidate: 0, error: 1e-20, rates: [1.0 / 3.0; 8] });
        assert!(rows[1].error.is_nan());

        // What a kill left of a row, and rows that the checkpoint does not know.
        fs::write(&path, fs::read_to_string(&path).unwrap() + "1,1,0.").unwrap();
        assert_eq!(read(&path).unwrap().len(), 3);
        Log::open(&path, &in_vivo(), 2).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), two);
        assert!(matches!(Log::open(&path, &in_vivo(), 3), Err(Error::BadFile { .. })));
        assert!(matches!(Log::open(&path, &in_vivo()[..2], 2), Err(Error::BadFile { .. })));
        fs::write(&path, "generation\n0,x,1\n").unwrap();
        assert!(read(&path).is_err());
    }
}
