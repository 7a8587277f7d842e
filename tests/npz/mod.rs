//! NumPy archives, as far as the tests need them.

// Every test file takes from this what it needs.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// An opened `.npz`: the bytes of every array.
pub struct Npz(BTreeMap<String, Vec<u8>>);

impl Npz {
    pub fn open(path: &Path) -> Self {
        let mut archive = zip::ZipArchive::new(File::open(path).expect("golden file")).expect("a zip archive");
        let mut arrays = BTreeMap::new();
        for i in 0..archive.len() {
            let mut member = archive.by_index(i).expect("a member");
            let name = member.name().expect("a member's name").trim_end_matches(".npy").to_owned();
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).expect("a whole member");
            arrays.insert(name, bytes);
        }
        Self(arrays)
    }

    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn array(&self, key: &str) -> npyz::NpyFile<&[u8]> {
        let bytes = self.0.get(key).unwrap_or_else(|| panic!("no array {key}"));
        npyz::NpyFile::new(&bytes[..]).expect("a .npy array")
    }

    pub fn shape(&self, key: &str) -> Vec<usize> {
        self.array(key).shape().iter().map(|&n| n as usize).collect()
    }

    pub fn f32(&self, key: &str) -> Vec<f32> {
        self.array(key).into_vec().unwrap_or_else(|e| panic!("{key}: {e}"))
    }

    pub fn f64(&self, key: &str) -> Vec<f64> {
        self.array(key).into_vec().unwrap_or_else(|e| panic!("{key}: {e}"))
    }

    /// Unsigned integers of 1 or 2 bytes.
    pub fn unsigned(&self, key: &str) -> Vec<u32> {
        if let Ok(small) = self.array(key).into_vec::<u8>() {
            return small.into_iter().map(u32::from).collect();
        }
        let words: Vec<u16> = self.array(key).into_vec().unwrap_or_else(|e| panic!("{key}: {e}"));
        words.into_iter().map(u32::from).collect()
    }

    pub fn u32(&self, key: &str) -> Vec<u32> {
        self.array(key).into_vec().unwrap_or_else(|e| panic!("{key}: {e}"))
    }

    /// Integers of 1, 4 or 8 bytes.
    pub fn i64(&self, key: &str) -> Vec<i64> {
        if let Ok(small) = self.array(key).into_vec::<i8>() {
            return small.into_iter().map(i64::from).collect();
        }
        if let Ok(middle) = self.array(key).into_vec::<i32>() {
            return middle.into_iter().map(i64::from).collect();
        }
        self.array(key).into_vec().unwrap_or_else(|e| panic!("{key}: {e}"))
    }

    pub fn u64(&self, key: &str) -> Vec<u64> {
        self.array(key).into_vec().unwrap_or_else(|e| panic!("{key}: {e}"))
    }

    pub fn bools(&self, key: &str) -> Vec<bool> {
        self.array(key).into_vec().unwrap_or_else(|e| panic!("{key}: {e}"))
    }

    /// Text, which NumPy keeps as 32 bits a character in items of one length, padded with zeros.
    pub fn strings(&self, key: &str) -> Vec<String> {
        let array = self.array(key);
        let npyz::DType::Plain(item) = array.dtype() else { panic!("{key}: no plain array") };
        let size = item.num_bytes().expect("items of a fixed size");
        let (count, bytes) = (array.len() as usize, &self.0[key]);
        let character = |four: &[u8]| char::from_u32(u32::from_le_bytes(four.try_into().expect("four bytes")));
        bytes[bytes.len() - count * size..]
            .chunks(size)
            .map(|item| item.chunks(4).filter_map(character).filter(|&c| c != '\0').collect())
            .collect()
    }
}
