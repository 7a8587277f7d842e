//! Device memory with its address, and page-locked host memory beside it.

use cudarc::driver::{CudaSlice, CudaStream, DevicePtr, DeviceRepr, PinnedHostSlice, ValidAsZeroBits, result};

use super::{Gpu, failed};
use crate::abi::{self, Pointer};
use crate::error::Result;

/// Structs of numbers that arrays on the device are made of.
macro_rules! elements {
    ($($name:ident),*) => {$(
        // SAFETY: numbers only; all zero bits are zeros.
        unsafe impl ValidAsZeroBits for abi::$name {}
        // SAFETY: as above.
        unsafe impl DeviceRepr for abi::$name {}
    )*};
}

elements!(Step, BestSoFar, ProfileLayer, Column, ColumnPair, ColumnSynapse, ColumnStrip, ColumnReport, ColumnVolley);
elements!(Learner, LearnerLayer, LearnerPair, LearnerState);
elements!(Moments, LawGroup, LawPlan, PairLaw, GeneTable, PowerTable, PairEnds);

/// `length` elements on the device; freed when dropped.
pub struct Buffer<T> {
    slice: CudaSlice<T>,
    address: u64,
}

/// `length` elements of page-locked host memory, which the device copies to and from beside its work.
pub struct Pinned<T>(PinnedHostSlice<T>);

impl<T: DeviceRepr + ValidAsZeroBits> Buffer<T> {
    /// Zeros.
    ///
    /// # Errors
    /// When there is not so much memory.
    pub fn zeros(gpu: &Gpu, length: usize) -> Result<Self> {
        let slice = gpu.compute.alloc_zeros(length).map_err(|e| {
            let (wanted, free) = (length * size_of::<T>(), gpu.free_bytes().unwrap_or(0));
            failed(format_args!("cannot have {wanted} bytes of device memory ({free} are free)"), e)
        })?;
        let address = slice.device_ptr(&gpu.compute).0;
        Ok(Self { slice, address })
    }

    /// A copy of `values`.
    ///
    /// # Errors
    /// As [`Buffer::zeros`].
    pub fn of(gpu: &Gpu, values: &[T]) -> Result<Self> {
        let buffer = Self::zeros(gpu, values.len())?;
        buffer.write(gpu, 0, values)?;
        Ok(buffer)
    }

    /// Overwrite elements `first ..` and wait until that is done.
    ///
    /// # Errors
    /// When the driver fails.
    pub fn write(&self, gpu: &Gpu, first: usize, values: &[T]) -> Result<()> {
        gpu.bind()?;
        // SAFETY: inside the buffer (`at` checks), and the values outlive the copy.
        let copied =
            unsafe { result::memcpy_htod_async(self.at(first, values.len()).0, values, gpu.compute.cu_stream()) };
        copied.and_then(|()| gpu.compute.synchronize()).map_err(|e| failed("cannot write device memory", e))
    }

    /// Elements `first .. first + length`, once the work of `stream` before is done.
    ///
    /// # Errors
    /// When the driver fails.
    pub fn read(&self, stream: &CudaStream, first: usize, length: usize) -> Result<Vec<T>>
    where
        T: Default + Clone,
    {
        stream.context().bind_to_thread().map_err(|e| failed("cannot turn to the device", e))?;
        let mut values = vec![T::default(); length];
        // SAFETY: as in `write`.
        let copied = unsafe { result::memcpy_dtoh_async(&mut values, self.at(first, length).0, stream.cu_stream()) };
        copied.and_then(|()| stream.synchronize()).map_err(|e| failed("cannot read device memory", e))?;
        Ok(values)
    }

    /// All of it.
    ///
    /// # Errors
    /// When the driver fails.
    pub fn read_all(&self, gpu: &Gpu) -> Result<Vec<T>>
    where
        T: Default + Clone,
    {
        self.read(&gpu.compute, 0, self.slice.len())
    }

    /// Elements.
    #[expect(clippy::len_without_is_empty, reason = "no buffer is ever empty")]
    pub fn len(&self) -> usize {
        self.slice.len()
    }

    /// Address of the first element.
    pub fn pointer(&self) -> Pointer<T> {
        Pointer::new(self.address)
    }

    /// Address of element `first`, which `length` elements follow.
    ///
    /// # Panics
    /// When the buffer is shorter.
    pub fn at(&self, first: usize, length: usize) -> Pointer<T> {
        assert!(first + length <= self.slice.len(), "elements {first} .. {length} of {}", self.slice.len());
        Pointer::new(self.address + (first * size_of::<T>()) as u64)
    }

    /// Put a copy of all of it into `to`, of the same length, on the compute stream.
    ///
    /// # Errors
    /// When the driver fails.
    pub fn copy_to(&self, gpu: &Gpu, to: &Self) -> Result<()> {
        gpu.bind()?;
        let bytes = self.slice.len() * size_of::<T>();
        let from = self.pointer().0;
        // SAFETY: both are of this length.
        unsafe { result::memcpy_dtod_async(to.at(0, self.slice.len()).0, from, bytes, gpu.compute.cu_stream()) }
            .map_err(|e| failed("cannot copy device memory", e))
    }

    /// Zero all of it, on the compute stream.
    ///
    /// # Errors
    /// When the driver fails.
    pub fn clear(&self, gpu: &Gpu) -> Result<()> {
        gpu.bind()?;
        let bytes = self.slice.len() * size_of::<T>();
        // SAFETY: the whole buffer, and all zero bits are zeros.
        unsafe { result::memset_d8_async(self.address, 0, bytes, gpu.compute.cu_stream()) }
            .map_err(|e| failed("cannot clear device memory", e))
    }

    /// Put a copy of `from`'s first elements at the start of this one, on the compute stream.
    ///
    /// # Errors
    /// When the driver fails.
    pub fn upload(&self, gpu: &Gpu, from: &mut Pinned<T>, length: usize) -> Result<()> {
        gpu.bind()?;
        let from = &from.as_mut_slice()?[..length];
        // SAFETY: inside the buffer; the pinned memory is not touched until the copy is done, which the caller waits for
        // before it writes there again.
        unsafe { result::memcpy_htod_async(self.at(0, length).0, from, gpu.compute.cu_stream()) }
            .map_err(|e| failed("cannot write device memory", e))
    }

    /// Put a copy of the first elements into `to`, on the copy stream.
    ///
    /// # Errors
    /// When the driver fails.
    pub fn download(&self, gpu: &Gpu, to: &mut Pinned<T>, length: usize) -> Result<()> {
        gpu.bind()?;
        let to = &mut to.as_mut_slice()?[..length];
        // SAFETY: as in `upload`.
        unsafe { result::memcpy_dtoh_async(to, self.at(0, length).0, gpu.copy.cu_stream()) }
            .map_err(|e| failed("cannot read device memory", e))
    }
}

impl<T: DeviceRepr + ValidAsZeroBits> Pinned<T> {
    /// Zeros.
    ///
    /// # Errors
    /// When there is not so much memory to lock.
    pub fn zeros(gpu: &Gpu, length: usize) -> Result<Self> {
        // Without flags: the write-combined kind is very slow to read.
        // SAFETY: filled with zeros, which are valid, at once.
        let mut pinned = unsafe { gpu.context.alloc_pinned_with_flags(length, 0) }
            .map_err(|e| failed(format_args!("cannot lock {} bytes of host memory", length * size_of::<T>()), e))?;
        let all = pinned.as_mut_ptr().map_err(|e| failed("cannot lock host memory", e))?;
        // SAFETY: `length` elements were just given, and zero bits are valid for them.
        unsafe { std::ptr::write_bytes(all, 0, length) };
        Ok(Self(pinned))
    }

    /// To read or write, when no copy is under way.
    ///
    /// # Errors
    /// When the driver fails.
    pub fn as_mut_slice(&mut self) -> Result<&mut [T]> {
        self.0.as_mut_slice().map_err(|e| failed("cannot reach locked host memory", e))
    }
}
