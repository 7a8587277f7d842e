//! `fitness.f32`: every generation's fitness vector, raw little-endian f32, one record of population values each.
//!
//! Mutations are a function of seed, generation and offspring, so this file is the whole history of a run: replaying
//! it rebuilds the parameters of any generation. The format has no header on purpose, numpy reads it with
//! `numpy.fromfile(path, "<f4").reshape(-1, population)`.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The log open for appending.
pub struct FitnessLog {
    file: File,
    path: PathBuf,
    population: usize,
}

impl FitnessLog {
    /// Open the log with exactly `keep` records: a kill may have left more of them, or part of one.
    ///
    /// # Errors
    /// When the file holds fewer records, or cannot be opened or cut.
    pub fn open(path: &Path, population: usize, keep: u32) -> Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(keep == 0)
            .truncate(false)
            .open(path)
            .map_err(|source| Error::io("open", path, source))?;
        let have = records(&file, path, population)?;
        if have < u64::from(keep) {
            return Err(Error::bad_file(
                path,
                format!("it holds {have} generations, the checkpoint was made after {keep}"),
            ));
        }
        file.set_len(u64::from(keep) * record_bytes(population))
            .and_then(|()| file.seek(SeekFrom::End(0)))
            .map_err(|source| Error::io("cut", path, source))?;
        Ok(Self { file, path: path.to_owned(), population })
    }

    /// # Errors
    /// When the length is not the population or the write fails; part of the record may then be in the file, which
    /// the next [`FitnessLog::open`] cuts off.
    pub fn append(&mut self, fitness: &[f32]) -> Result<()> {
        if fitness.len() != self.population {
            let (got, population) = (fitness.len(), self.population);
            return Err(Error::Run(format!("the engine gave {got} fitness values for a population of {population}")));
        }
        let bytes: Vec<u8> = fitness.iter().flat_map(|f| f.to_le_bytes()).collect();
        self.file.write_all(&bytes).map_err(|source| Error::io("append to", &self.path, source))
    }

    /// Force what was appended to the disk.
    ///
    /// # Errors
    /// When the system refuses, for example because the disk is full.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(|source| Error::io("sync", &self.path, source))
    }
}

/// The log open for reading.
pub struct FitnessReader {
    file: File,
    path: PathBuf,
    population: usize,
}

impl FitnessReader {
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path, population: usize) -> Result<Self> {
        let file = File::open(path).map_err(|source| Error::io("open", path, source))?;
        Ok(Self { file, path: path.to_owned(), population })
    }

    /// Fitness vector of one generation, length population.
    ///
    /// # Errors
    /// When the log does not reach that generation, or cannot be read.
    pub fn read(&mut self, generation: u32) -> Result<Vec<f32>> {
        let have = records(&self.file, &self.path, self.population)?;
        if u64::from(generation) >= have {
            return Err(Error::bad_file(
                &self.path,
                format!("it holds {have} generations, so no generation {generation} (the first is 0)"),
            ));
        }
        let mut bytes = vec![0; self.population * size_of::<f32>()];
        self.file
            .seek(SeekFrom::Start(u64::from(generation) * record_bytes(self.population)))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(|source| Error::io("read", &self.path, source))?;
        Ok(bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect())
    }

    /// Whole records in the file.
    ///
    /// # Errors
    /// When the system does not tell the file's size.
    pub fn records(&self) -> Result<u64> {
        records(&self.file, &self.path, self.population)
    }
}

fn record_bytes(population: usize) -> u64 {
    (population * size_of::<f32>()) as u64
}

fn records(file: &File, path: &Path, population: usize) -> Result<u64> {
    let bytes = file.metadata().map_err(|source| Error::io("read", path, source))?.len();
    bytes.checked_div(record_bytes(population)).ok_or_else(|| Error::Run("the population is empty".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_bit_for_bit_and_extra_ones_are_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fitness.f32");
        let records = [[1.5, f32::NAN], [-0.0, f32::NEG_INFINITY], [f32::MIN_POSITIVE / 2.0, 3.0]];
        let mut log = FitnessLog::open(&path, 2, 0).unwrap();
        records.iter().for_each(|record| log.append(record).unwrap());
        let bytes: Vec<u8> = records.iter().flatten().flat_map(|f| f.to_le_bytes()).collect();
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        let back = FitnessReader::open(&path, 2).unwrap().read(1).unwrap();
        assert_eq!(back.iter().map(|f| f.to_bits()).collect::<Vec<_>>(), records[1].map(f32::to_bits));

        // Two records and a part of a third, as a kill leaves them.
        File::options().write(true).open(&path).unwrap().set_len(21).unwrap();
        assert_eq!(FitnessReader::open(&path, 2).unwrap().records().unwrap(), 2);
        let mut log = FitnessLog::open(&path, 2, 1).unwrap();
        log.append(&records[2]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), [&bytes[..8], &bytes[16..]].concat());
        assert!(FitnessLog::open(&path, 2, 3).is_err());
    }

    #[test]
    fn a_vector_of_another_length_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = FitnessLog::open(&folder.path().join("fitness.f32"), 2, 0).unwrap();
        assert!(log.append(&[1.0]).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let path = PathBuf::from("/dev/full");
        let mut log = FitnessLog { file: File::create(&path).unwrap(), path, population: 1 };
        assert!(log.append(&[1.0]).unwrap_err().to_string().contains("No space left"));
    }
}
