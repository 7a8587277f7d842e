//! Asking for the driver without the panics that its bindings answer with when there is none.

use std::ffi::CStr;

use cudarc::driver::sys::{self, CUdevice_attribute as Attribute};
use cudarc::driver::{DriverError, result};

use crate::error::{Error, Result};

/// Version that the bindings were made for; an older driver lacks functions that would be called.
const NEEDED: i32 = 13_000;

/// A CUDA device, as the driver describes it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DeviceFacts {
    /// As in `cuda:<ordinal>`.
    pub ordinal: usize,
    /// For people.
    pub name: String,
    /// Compute capability, (9, 0) for sm_90.
    pub capability: (i32, i32),
    /// Bytes of device memory.
    pub memory: u64,
    /// CUDA version of the driver, as 13000.
    pub driver: i32,
}

/// Every device of the machine.
///
/// # Errors
/// [`Error::Device`] with the reason why CUDA cannot be used here.
pub fn devices() -> Result<Vec<DeviceFacts>> {
    // SAFETY: only loads a library by its well-known name.
    if !unsafe { sys::is_culib_present() } {
        return Err(Error::Device("no NVIDIA driver on this machine (libcuda.so is not found)".into()));
    }
    result::init().map_err(|e| super::failed("the NVIDIA driver does not start", e))?;
    let mut driver = 0;
    // SAFETY: writes the one number.
    let asked = unsafe { sys::cuDriverGetVersion(&mut driver) }.result();
    asked.map_err(|e| super::failed("cannot ask for the driver's version", e))?;
    if driver < NEEDED {
        let (major, minor) = (driver / 1000, driver % 1000 / 10);
        return Err(Error::Device(format!(
            "the NVIDIA driver is for CUDA {major}.{minor}; this program needs one for 13.0 (version 580) or newer"
        )));
    }
    let count = result::device::get_count().map_err(|e| super::failed("cannot count devices", e))?;
    (0..count as usize).map(|ordinal| facts(ordinal, driver)).collect()
}

/// One of them.
pub(super) fn device(ordinal: usize) -> Result<DeviceFacts> {
    let mut all = devices()?;
    if ordinal >= all.len() {
        return Err(Error::Device(format!("there is no device {ordinal}: this machine has {}", all.len())));
    }
    Ok(all.swap_remove(ordinal))
}

fn facts(ordinal: usize, driver: i32) -> Result<DeviceFacts> {
    let ask = || -> std::result::Result<DeviceFacts, DriverError> {
        let device = result::device::get(ordinal as i32)?;
        // SAFETY: the device was just given.
        unsafe {
            Ok(DeviceFacts {
                ordinal,
                name: result::device::get_name(device)?,
                capability: (
                    result::device::get_attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
                    result::device::get_attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
                ),
                memory: result::device::total_mem(device)? as u64,
                driver,
            })
        }
    };
    ask().map_err(|e| super::failed(format_args!("cannot ask device {ordinal} about itself"), e))
}

/// Name and text of a driver's error.
pub(super) fn describe(error: &DriverError) -> String {
    let text = |found: std::result::Result<&CStr, DriverError>| {
        found.map_or_else(|_| format!("{:?}", error.0), |text| text.to_string_lossy().into_owned())
    };
    format!("{} ({})", text(error.error_string()), text(error.error_name()))
}

/// Whether the stand-in driver was loaded in place of the real one.
pub(super) fn is_emulated() -> bool {
    #[cfg(feature = "emu")]
    return super::emu::is_loaded();
    #[cfg(not(feature = "emu"))]
    false
}
