//! What a machine did, as a file, and how a later one compares with it.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{Bench, Case};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::run::durable;

/// Of the file.
const FORMAT: u32 = 1;

/// A rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Name of the case, or `ceiling`.
    pub case: String,
    /// Which part of it: a kernel, a step.
    pub part: String,
    /// So many of these a second.
    pub rate: f64,
    /// Of the rate, with `/s`.
    pub unit: String,
    /// Median of a call.
    pub seconds: Option<f64>,
    /// The part of a ceiling that the work takes, where it can be held against one; the highest of them.
    pub of_ceiling: Option<f64>,
    /// Which one that is.
    pub ceiling: Option<String>,
}

impl Row {
    pub(super) fn new(case: &str, part: &str, unit: &str, rate: f64) -> Self {
        let (case, part, unit) = (case.to_owned(), part.to_owned(), unit.to_owned());
        Self { case, part, rate, unit, seconds: None, of_ceiling: None, ceiling: None }
    }
}

/// What is kept of a machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    format: u32,
    /// Version of the program.
    pub phylon: String,
    /// Of the measurement, in UTC.
    pub date: String,
    /// What computed.
    pub device: String,
    /// The host's.
    pub processor: String,
    /// Ceilings first, then the cases.
    pub rows: Vec<Row>,
}

impl Record {
    /// Time these cases. `told` hears of each, and of its number, before it is timed.
    ///
    /// # Errors
    /// When the device cannot be used, fails, or has no room.
    pub fn of(device: &Device, cases: &[Case], told: &dyn Fn(usize, &Case)) -> Result<Self> {
        let bench = Bench::new(device)?;
        let mut rows = bench.ceilings();
        for (number, case) in cases.iter().enumerate() {
            told(number, case);
            rows.extend(bench.time(*case)?);
        }
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Ok(Self {
            format: FORMAT,
            phylon: env!("CARGO_PKG_VERSION").into(),
            date: date(seconds),
            device: device.description.clone(),
            processor: processor(),
            rows,
        })
    }

    /// Read one.
    ///
    /// # Errors
    /// When there is none, or it is not such a file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|source| Error::io("read", path, source))?;
        let not_one = |why: String| Error::bad_file(path, format!("{why}; try: a file that phylon bench --out wrote"));
        let record: Self = serde_json::from_str(&text).map_err(|e| not_one(e.to_string()))?;
        if record.format != FORMAT {
            return Err(not_one(format!("its format is {}, not {FORMAT}", record.format)));
        }
        Ok(record)
    }

    /// Write it, replacing what is there.
    ///
    /// # Errors
    /// When writing fails; a file that was there is then unchanged.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(|e| Error::Run(format!("cannot write JSON: {e}")))?;
        durable::replace(path, (text + "\n").as_bytes())
    }

    /// How many times the rate that `other` has in the same row; `None` where it has none.
    pub fn ratio(row: &Row, other: &Self) -> Option<f64> {
        let same = |of: &&Row| (&of.case, &of.part, &of.unit) == (&row.case, &row.part, &row.unit);
        other.rows.iter().find(same).map(|of| row.rate / of.rate)
    }
}

/// Of seconds since 1970, `YYYY-MM-DD`: days to a civil date by H. Hinnant's algorithm (chrono-Compatible Low-Level Date
/// Algorithms), which counts eras of 400 years that begin in March.
fn date(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// As Linux names it.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")).and_then(|rest| rest.split_once(':'));
    model.map_or_else(|| "unknown".into(), |(_, name)| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let dates = [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (1_709_251_200, "2024-03-01"),
        ];
        for (seconds, shown) in dates {
            assert_eq!(date(seconds), shown);
        }
        assert_eq!(date(4_107_542_400), "2100-03-01", "no leap year");
    }
}
