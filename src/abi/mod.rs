//! What the host and the kernels share: constants and launch structs, written once.
//!
//! `build.rs` compiles this very folder and writes [`header`] next to the kernels as `abi.h`, with a `static_assert` on
//! the size of every struct and the offset of every field. A kernel takes exactly one of the structs, by value. Every file has
//! those of one part of the program.
//!
//! Trials (independent seeds of one plan) are the outermost axis of every array but those of a batch, which have the
//! generation outside of it; P is the population, D the number of parameters, E the number of environments rounded up to whole
//! windows of [`LANES`].

use std::fmt::Write as _;
use std::marker::PhantomData;

/// A type with a twin in C++.
pub trait CType {
    /// Its name there.
    fn c_type() -> String;
}

/// An address on the device, of elements of type `T`. 0 where there is nothing.
#[repr(transparent)]
#[derive(Debug)]
pub struct Pointer<T>(pub u64, PhantomData<T>);

impl<T> Pointer<T> {
    /// Points nowhere.
    pub const NULL: Self = Self(0, PhantomData);

    /// The address that the driver gave.
    pub fn new(address: u64) -> Self {
        Self(address, PhantomData)
    }
}

impl<T> Clone for Pointer<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Pointer<T> {}

impl<T: CType> CType for Pointer<T> {
    fn c_type() -> String {
        T::c_type() + "*"
    }
}

macro_rules! c_types {
    ($($rust:ty => $c:literal),*) => {
        $(impl CType for $rust {
            fn c_type() -> String {
                $c.to_owned()
            }
        })*
    };
}

c_types!(u32 => "uint32_t", i32 => "int32_t", u64 => "uint64_t", f32 => "float", f64 => "double");

macro_rules! abi {
    (
        constants { $($(#[$constant_doc:meta])* $constant:ident = $value:literal;)* }
        $($(#[$doc:meta])* struct $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*
    ) => {
        $($(#[$constant_doc])* pub const $constant: u32 = $value;)*

        $(
            $(#[$doc])*
            #[repr(C)]
            #[derive(Debug, Clone, Copy)]
            pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

            impl CType for $name {
                fn c_type() -> String {
                    stringify!($name).to_owned()
                }
            }
        )*

        /// All of it as C++.
        pub(super) fn declare(out: &mut String) {
            // Writing to a string does not fail.
            $(let _ = writeln!(out, "constexpr uint32_t {} = {};", stringify!($constant), $constant);)*
            $({
                let _ = writeln!(out, "struct {} {{", stringify!($name));
                $(let _ = writeln!(out, "    {} {};", <$type as CType>::c_type(), stringify!($field));)*
                let _ = writeln!(out, "}};");
                let _ = writeln!(
                    out,
                    "static_assert(sizeof({0}) == {1}, \"{0}\");",
                    stringify!($name),
                    size_of::<$name>()
                );
                $(let _ = writeln!(
                    out,
                    "static_assert(offsetof({0}, {1}) == {2}, \"{0}.{1}\");",
                    stringify!($name),
                    stringify!($field),
                    std::mem::offset_of!($name, $field)
                );)*
            })*
        }
    };
}

mod battery;
mod column;
mod device;
mod evolution;
mod growth;
mod learning;
mod network;
mod world;

pub use battery::*;
pub use column::*;
pub use device::*;
pub use evolution::*;
pub use growth::*;
pub use learning::*;
pub use network::*;
pub use world::*;

/// All of it as C++, every struct behind those that it holds.
pub fn header() -> String {
    let mut text = String::from(
        "// Written by build.rs from src/abi/; change it there.\n\
         #pragma once\n#include <cstddef>\n#include <cstdint>\n",
    );
    let out = &mut text;
    evolution::declare(out);
    network::declare(out);
    world::declare(out);
    growth::declare(out);
    learning::declare(out);
    column::declare(out);
    battery::declare(out);
    device::declare(out);
    text
}
