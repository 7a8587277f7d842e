//! The device that tests of the kernels run on: the stand-in driver, or what PHYLON_TEST_DEVICE names.

// Every test file takes from this what it needs.
#![allow(dead_code)]

use std::sync::OnceLock;

use phylon::device::{Device, Wish};
use phylon::gpu::Gpu;

/// A real one, whose threads cannot be told their order.
pub fn on_gpu() -> bool {
    std::env::var("PHYLON_TEST_DEVICE").is_ok_and(|device| device.starts_with("cuda"))
}

pub fn gpu() -> Gpu {
    // A real device is slow to open unless something keeps it open.
    static KEPT: OnceLock<Gpu> = OnceLock::new();
    if on_gpu() {
        KEPT.get_or_init(open);
    }
    open()
}

fn open() -> Gpu {
    let wish: Wish = std::env::var("PHYLON_TEST_DEVICE").as_deref().unwrap_or("emu").parse().expect("a device");
    let device = Device::choose(&wish, None).unwrap_or_else(|e| panic!("{e}"));
    device.open().unwrap_or_else(|e| panic!("{e}")).expect("no CPU")
}
