//! Event files of TensorBoard: the curves of a run where people look, while it goes on.
//!
//! A file is a sequence of records: length, its checksum, an `Event` in Protocol Buffers, its checksum
//! (<https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details>; the messages are those of
//! tensorflow/core/util/event.proto and framework/summary.proto). The first three have the version, the start of a session, and
//! the config as text; then there is one for each point of the curves.
//!
//! The file adds nothing to the logs of its run but the time of each point. So where a run begins or goes on, it is made to
//! agree with them: points that are in it already stay, with their times, up to the first that is not what the log has; what
//! follows is cut off, and what is missing is added. TensorBoard never sees a point twice, nor a gap. A program that has read on
//! beyond the cut keeps its place: a point that is computed again has the bits it had, but for its times, so every record is as
//! long as before. (TensorBoard's own way, a new file that begins with a session's start and makes earlier ones void from some
//! step on, leaves that to every reader.)

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::folder::Folder;
use crate::error::{Error, Result};
use crate::export::protobuf::Message;

/// Tag and bytes of the time, with which every event begins.
const TIME: usize = 9;
/// In TensorBoard's list of texts.
const CONFIG_TAG: &str = "config";

/// What all curves are at a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    /// A generation; the first is 0.
    pub step: u32,
    /// By the names of their curves; what stands before a slash is the name of a group.
    pub scalars: Vec<(String, f32)>,
    /// When it came to be, or on a device, where several generations come together, when it was told.
    pub time: SystemTime,
}

/// The event file of a run, open for appending.
pub(crate) struct Events {
    file: File,
    path: PathBuf,
}

impl Events {
    /// Open the folder's event file, a new one where there is none, with exactly these points.
    ///
    /// The times of `past` are used for points that the file does not have.
    ///
    /// # Errors
    /// When the file cannot be read, cut or written.
    pub fn open(folder: &Folder, config: &str, past: &[Point]) -> Result<Self> {
        let began = past.first().map_or_else(SystemTime::now, |point| point.time);
        let path = match folder.events_path()? {
            Some(path) => path,
            None => folder.new_events_path(seconds(began) as u64),
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| Error::io("open", &path, source))?;
        let bytes = fs::read(&path).map_err(|source| Error::io("read", &path, source))?;
        let mut kept = kept(&bytes, past);
        let mut missing = Vec::new();
        if kept.bytes == 0 {
            missing = [version(), session(), text(config)].iter().flat_map(|event| record(&at(began, event))).collect();
            kept.points = 0;
        }
        missing.extend(past[kept.points..].iter().flat_map(|point| record(&at(point.time, &summary(point)))));
        file.set_len(kept.bytes as u64)
            .and_then(|()| file.seek(SeekFrom::End(0)))
            .map_err(|source| Error::io("cut", &path, source))?;
        let mut events = Self { file, path };
        events.write(&missing)?;
        Ok(events)
    }

    /// A point behind all others. It is in the file at once, for those who watch; what a power failure takes of it,
    /// [`Events::open`] has from the log.
    ///
    /// # Errors
    /// When the write fails; part of the record may then be in the file, which the next [`Events::open`] cuts off.
    pub fn append(&mut self, point: &Point) -> Result<()> {
        self.write(&record(&at(point.time, &summary(point))))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|source| Error::io("append to", &self.path, source))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// What of a file is as it should be.
struct Kept {
    bytes: usize,
    points: usize,
}

fn kept(bytes: &[u8], past: &[Point]) -> Kept {
    let is = |event: &[u8], wanted: &[u8]| event.get(TIME..) == Some(wanted);
    // The config may have changed since: a run that goes on may be told to be longer.
    let first = [Some(version()), Some(session()), None];
    let begins = first.iter().try_fold(0, |end, wanted| {
        let event = first_record(&bytes[end..])?;
        wanted.as_ref().is_none_or(|wanted| is(event, wanted)).then_some(end + framed(event))
    });
    let Some(mut end) = begins else { return Kept { bytes: 0, points: 0 } };
    let mut points = 0;
    while let Some(point) = past.get(points)
        && let Some(event) = first_record(&bytes[end..])
        && is(event, &summary(point))
    {
        end += framed(event);
        points += 1;
    }
    Kept { bytes: end, points }
}

/// When a log was last written to; where that is not known, now.
pub(crate) fn written(log: &Path) -> SystemTime {
    fs::metadata(log).and_then(|log| log.modified()).unwrap_or_else(|_| SystemTime::now())
}

/// Seconds since the Epoch; times before are not told apart.
fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64()
}

/// An event with its time, which is its first field.
fn at(time: SystemTime, event: &[u8]) -> Vec<u8> {
    [&Message::new().double(1, seconds(time)).into_bytes()[..], event].concat()
}

/// An event without its time, as the following.
fn version() -> Vec<u8> {
    Message::new().text(3, "brain.Event:2").into_bytes()
}

/// The start of a session at step 0: in a TensorBoard that has read a run of which this one takes the place, that one's points
/// are void.
fn session() -> Vec<u8> {
    const START: i64 = 1;
    Message::new().int(2, 0).message(7, Message::new().int(1, START)).into_bytes()
}

/// The points of all curves at a step.
fn summary(point: &Point) -> Vec<u8> {
    let value = |(tag, value): &(String, f32)| Message::new().text(1, tag).float(2, *value);
    let values = Message::new().messages(1, point.scalars.iter().map(value));
    Message::new().int(2, point.step.into()).message(5, values).into_bytes()
}

/// The config, as a block of code in TensorBoard's Markdown.
fn text(config: &str) -> Vec<u8> {
    const STRING: i64 = 7;
    const TENSOR: i64 = 2;
    let lines: String = config.lines().map(|line| format!("    {line}\n")).collect();
    let tensor = Message::new().int(1, STRING).message(2, Message::new()).text(8, &lines);
    let plugin = Message::new().text(1, "text");
    let metadata = Message::new().message(1, plugin).int(4, TENSOR);
    let value = Message::new().text(1, CONFIG_TAG).message(9, metadata).message(8, tensor);
    Message::new().int(2, 0).message(5, Message::new().message(1, value)).into_bytes()
}

/// Bytes of a record with this event.
fn framed(event: &[u8]) -> usize {
    event.len() + 16
}

fn record(event: &[u8]) -> Vec<u8> {
    let length = (event.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), event, &masked(event)].concat()
}

/// The event of the record with which `bytes` begins, if it is whole.
fn first_record(bytes: &[u8]) -> Option<&[u8]> {
    let (length, _) = bytes.split_first_chunk::<8>()?;
    let event = bytes.get(12..)?.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    bytes.starts_with(&record(event)).then_some(event)
}

/// The checksum of a record: rotated and shifted, so that a checksum of checksums is not trivial.
fn masked(bytes: &[u8]) -> [u8; 4] {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// Castagnoli's cyclic redundancy check (RFC 3720, B.4).
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| REMAINDERS[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

/// Of every byte, its bits in reverse.
const REMAINDERS: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            remainder = (remainder >> 1) ^ (0x82f6_3b78 * (remainder & 1));
            bit += 1;
        }
        table[byte] = remainder;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        // RFC 3720, B.4, and the check value of CRC-32/ISCSI.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(&std::array::from_fn::<u8, 32, _>(|i| i as u8)), 0x46dd_794e);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}
