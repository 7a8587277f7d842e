//! CUDA: the device, its memory, its kernels. The driver is loaded when it is asked for; a machine without one is told
//! why, in words.
//!
//! Everything that computes is in order on one stream; others copy results out beside it, ordered by explicit events. The driver's own tracking of every allocation is off: it breaks graph capture.

mod buffer;
mod driver;
#[cfg(feature = "emu")]
pub mod emu;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use cudarc::driver::sys::{CUdevice_attribute as Attribute, CUevent_flags, CUfunction_attribute};
use cudarc::driver::{CudaContext, CudaFunction, CudaModule, CudaStream, DeviceRepr, LaunchConfig, PushKernelArg};
use cudarc::nvrtc::Ptx;

pub use buffer::{Buffer, Pinned};
pub use driver::{DeviceFacts, devices};

use crate::abi;
use crate::error::{Error, Result};

/// The kernels as compiled by build.rs; empty where there was no nvcc.
static IMAGE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/kernels.fatbin"));

/// What the embedded kernels were compiled for, for example `sm_80 sm_90a`; empty where there was no nvcc.
pub const TARGETS: &str = env!("PHYLON_CUDA_TARGETS");

/// Why [`TARGETS`] is empty.
pub const WHY_NO_KERNELS: &str = env!("PHYLON_CUDA_NONE");

/// A device with the kernels loaded.
pub struct Gpu {
    context: Arc<CudaContext>,
    /// Computes, in order.
    pub compute: Arc<CudaStream>,
    /// Copies results out beside it.
    pub copy: Arc<CudaStream>,
    /// Reads single things on demand, waiting for neither of the others.
    pub aside: Arc<CudaStream>,
    module: Arc<CudaModule>,
    /// By name, with the dynamic shared memory that each may have.
    functions: Mutex<HashMap<String, (CudaFunction, u32)>>,
    /// What is known of it.
    pub facts: DeviceFacts,
}

/// Grid, block and dynamic shared memory of a launch.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Blocks.
    pub grid: [u32; 3],
    /// Threads of a block.
    pub block: u32,
    /// Bytes of dynamic shared memory of a block.
    pub shared: u32,
}

/// Launch structs: a kernel takes one of them.
pub trait KernelArgs: DeviceRepr {}

macro_rules! kernel_args {
    ($($name:ident),*) => {$(
        // SAFETY: `repr(C)`, of numbers and device addresses only, and the header that the kernels see has the same
        // sizes and offsets (static_assert in abi.h).
        unsafe impl DeviceRepr for abi::$name {}
        impl KernelArgs for abi::$name {}
    )*};
}

kernel_args!(
    DrawArgs,
    RolloutArgs,
    DrawMazeArgs,
    NetworkArgs,
    NetworkExactArgs,
    NetworkRuleArgs,
    NetworkTicksArgs,
    MeanArgs,
    RankArgs,
    UpdateArgs,
    KeepBestArgs,
    NoiseArgs,
    FunctionsArgs,
    MazeMovesArgs,
    WorldArgs,
    AssembleArgs,
    LawArgs,
    GrowLawArgs,
    GrowDirectArgs,
    PopulationArgs,
    ColumnsArgs,
    LearnArgs,
    LivesArgs,
    PlainLivesArgs,
    PlateMovesArgs,
    ArenaMovesArgs,
    GratingsArgs,
    RuleMovesArgs,
    LifMovesArgs,
    CeilingArgs
);

/// What the driver said, with what was being done.
pub(crate) fn failed(doing: impl std::fmt::Display, error: cudarc::driver::DriverError) -> Error {
    Error::Device(format!("{doing}: {}", driver::describe(&error)))
}

impl Gpu {
    /// Device `ordinal`, with the embedded kernels or those of `image`.
    ///
    /// # Errors
    /// [`Error::Device`]: no driver, an old one, no such device, no kernels for it.
    pub fn open(ordinal: usize, image: Option<&Path>) -> Result<Self> {
        // Without a driver it does not matter whether there are kernels.
        let facts = driver::device(ordinal)?;
        let image = match image {
            Some(path) => std::fs::read(path).map_err(|e| Error::io("read", path, e))?,
            None if cfg!(feature = "emu") && driver::is_emulated() => b"emulated".to_vec(),
            None if IMAGE.is_empty() => {
                return Err(Error::Device(format!("this program has no kernels: {WHY_NO_KERNELS}")));
            }
            None => IMAGE.to_vec(),
        };
        let context = CudaContext::new(ordinal).map_err(|e| failed(format_args!("cannot open device {ordinal}"), e))?;
        // SAFETY: before any allocation; every order between streams is made by events of ours.
        unsafe { context.disable_event_tracking() };
        let stream = || context.new_stream().map_err(|e| failed("cannot make a stream", e));
        let (compute, copy, aside) = (stream()?, stream()?, stream()?);
        let module = context.load_module(Ptx::from_binary(image)).map_err(|e| {
            let (major, minor) = facts.capability;
            failed(format_args!("the kernels ({TARGETS}) do not load on {} (sm_{major}{minor})", facts.name), e)
        })?;
        Ok(Self { context, compute, copy, aside, module, functions: Mutex::default(), facts })
    }

    /// Make this device the calling thread's; a process may have several.
    fn bind(&self) -> Result<()> {
        self.context.bind_to_thread().map_err(|e| failed("cannot turn to the device", e))
    }

    /// One more stream, which is in no order with the others.
    ///
    /// # Errors
    /// When the driver fails.
    pub fn new_stream(&self) -> Result<Arc<CudaStream>> {
        self.context.new_stream().map_err(|e| failed("cannot make a stream", e))
    }

    /// Bytes of device memory that are free.
    ///
    /// # Errors
    /// When the driver fails.
    pub fn free_bytes(&self) -> Result<u64> {
        let (free, _) = self.context.mem_get_info().map_err(|e| failed("cannot ask for free memory", e))?;
        Ok(free as u64)
    }

    /// Largest dynamic shared memory of a block, bytes.
    pub fn shared_limit(&self) -> u32 {
        let wanted = Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
        self.context.attribute(wanted).map_or(48 << 10, |bytes| bytes as u32)
    }

    /// Shared memory of a multiprocessor, for all of its blocks; each takes 1 KiB more than it asks for.
    pub fn shared_of_multiprocessor(&self) -> u32 {
        let wanted = Attribute::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR;
        self.context.attribute(wanted).map_or(64 << 10, |bytes| bytes as u32)
    }

    /// Multiprocessors.
    pub fn multiprocessors(&self) -> u32 {
        self.context.attribute(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT).map_or(1, |n| n as u32)
    }

    /// The kernel `name`, ready for `shared` bytes of dynamic shared memory.
    ///
    /// # Errors
    /// When there is no such kernel, or not so much shared memory.
    pub fn kernel(&self, name: &str, shared: u32) -> Result<CudaFunction> {
        self.bind()?;
        let mut functions = self.functions.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (function, allowed) = match functions.get(name) {
            Some(known) => known.clone(),
            None => {
                let loaded = self.module.load_function(name);
                (loaded.map_err(|e| failed(format_args!("no kernel {name} in the image"), e))?, 48 << 10)
            }
        };
        if shared > allowed {
            let attribute = CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            function
                .set_attribute(attribute, shared as i32)
                .map_err(|e| failed(format_args!("kernel {name} cannot have {shared} bytes of shared memory"), e))?;
        }
        functions.insert(name.to_owned(), (function.clone(), allowed.max(shared)));
        Ok(function)
    }

    /// Put a kernel on the compute stream.
    ///
    /// # Errors
    /// When the driver refuses the launch. What goes wrong while it runs shows later, at [`Gpu::wait`].
    ///
    /// # Safety
    /// The kernel must be one that takes `A`, and the addresses in `args` must hold what its comments say.
    pub unsafe fn launch<A: KernelArgs>(&self, name: &str, shape: Shape, args: &A) -> Result<()> {
        // SAFETY: the caller's.
        unsafe { self.launch_as(&self.compute, name, shape, args, false) }
    }

    /// The same on another stream, which is in no order with the compute stream.
    ///
    /// # Errors
    /// As [`Gpu::launch`].
    ///
    /// # Safety
    /// As [`Gpu::launch`].
    pub unsafe fn launch_on<A: KernelArgs>(
        &self,
        stream: &Arc<CudaStream>,
        name: &str,
        shape: Shape,
        args: &A,
    ) -> Result<()> {
        // SAFETY: the caller's.
        unsafe { self.launch_as(stream, name, shape, args, false) }
    }

    /// The same for a kernel whose blocks wait for each other.
    ///
    /// # Errors
    /// As [`Gpu::launch`], and when the device does not hold all blocks at once.
    ///
    /// # Safety
    /// As [`Gpu::launch`].
    pub unsafe fn launch_together<A: KernelArgs>(&self, name: &str, shape: Shape, args: &A) -> Result<()> {
        // SAFETY: the caller's.
        unsafe { self.launch_as(&self.compute, name, shape, args, true) }
    }

    /// # Safety
    /// As [`Gpu::launch`].
    unsafe fn launch_as<A: KernelArgs>(
        &self,
        stream: &Arc<CudaStream>,
        name: &str,
        shape: Shape,
        args: &A,
        together: bool,
    ) -> Result<()> {
        let function = self.kernel(name, shape.shared)?;
        let [x, y, z] = shape.grid;
        let config =
            LaunchConfig { grid_dim: (x, y, z), block_dim: (shape.block, 1, 1), shared_mem_bytes: shape.shared };
        let mut builder = stream.launch_builder(&function);
        builder.arg(args);
        // SAFETY: the caller's.
        let launched = unsafe { if together { builder.launch_cooperative(config) } else { builder.launch(config) } };
        launched.map(|_| ()).map_err(|e| {
            let Shape { block, shared, .. } = shape;
            let what = format!("kernel {name} (grid {x} x {y} x {z}, block {block}, shared memory {shared} bytes)");
            failed(format_args!("cannot launch {what}"), e)
        })
    }

    /// Whether this is the stand-in driver, on which times mean nothing.
    pub fn is_emulated(&self) -> bool {
        driver::is_emulated()
    }

    /// Seconds that what `work` puts on the compute stream takes on the device.
    ///
    /// # Errors
    /// When `work` or the driver fails.
    pub fn time(&self, work: impl FnOnce() -> Result<()>) -> Result<f64> {
        self.time_on(&self.compute, work)
    }

    /// The same of another stream.
    ///
    /// # Errors
    /// As [`Gpu::time`].
    pub fn time_on(&self, stream: &Arc<CudaStream>, work: impl FnOnce() -> Result<()>) -> Result<f64> {
        let event = || stream.record_event(Some(CUevent_flags::CU_EVENT_DEFAULT));
        let start = event().map_err(|e| failed("cannot time the device", e))?;
        work()?;
        let end = event().map_err(|e| failed("cannot time the device", e))?;
        let milliseconds = end.synchronize().and_then(|()| start.elapsed_ms(&end));
        milliseconds.map(|ms| f64::from(ms) / 1e3).map_err(|e| failed("the device failed", e))
    }

    /// Wait for all streams.
    ///
    /// # Errors
    /// When a kernel or copy failed.
    pub fn wait(&self) -> Result<()> {
        let streams = [&self.compute, &self.copy, &self.aside];
        streams.iter().try_for_each(|stream| stream.synchronize()).map_err(|e| failed("the device failed", e))
    }
}

/// A range of that name on the timeline of NVIDIA's profilers, until it is dropped; nothing where their library is not.
pub fn range(name: &str) -> Option<cudarc::nvtx::safe::Range> {
    // SAFETY: only loads a library by its well-known name.
    static PRESENT: LazyLock<bool> = LazyLock::new(|| unsafe { cudarc::nvtx::sys::is_culib_present() });
    PRESENT.then(|| cudarc::nvtx::safe::scoped_range(name))
}

/// `n / of`, rounded up, as a number of blocks.
pub fn blocks(n: usize, of: u32) -> u32 {
    n.div_ceil(of as usize) as u32
}
