//! The codec of every generated service: what arrives is checked before a handler sees it. What checking means is
//! said by whoever installs it (the chassis); without that this is tonic-prost's own codec.

use std::{marker::PhantomData, sync::OnceLock};

use bytes::{Buf, Bytes};
use prost::{Message, Name};
use tonic::{
    Status,
    codec::{BufferSettings, Codec, DecodeBuf, Decoder},
};

/// Checks the bytes of a message of `package.name`.
pub type Check = fn(package: &'static str, name: &'static str, bytes: &Bytes) -> Result<(), Status>;

/// The check that runs on every request; set once per process.
pub static CHECK: OnceLock<Check> = OnceLock::new();

/// tonic-prost's codec with [`CHECK`] before decoding.
#[derive(Debug)]
pub struct CheckedCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for CheckedCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for CheckedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Name + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = tonic_prost::ProstEncoder<T>;
    type Decoder = CheckedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        tonic_prost::ProstEncoder::new(BufferSettings::default())
    }

    fn decoder(&mut self) -> Self::Decoder {
        CheckedDecoder(PhantomData)
    }
}

/// The decoder of [`CheckedCodec`].
#[derive(Debug)]
pub struct CheckedDecoder<U>(PhantomData<U>);

impl<U: Message + Name + Default> Decoder for CheckedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let bytes = from.copy_to_bytes(from.remaining());
        if let Some(check) = CHECK.get() {
            check(U::PACKAGE, U::NAME, &bytes)?;
        }
        U::decode(bytes).map(Some).map_err(|error| Status::invalid_argument(error.to_string()))
    }
}
