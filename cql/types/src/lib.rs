//! CQL types: values, validation, ordering, literals, wire form, order-preserving key encoding, tokens.
//!
//! Everything here is pure: bytes or text in, bytes, text or a verdict out.
//! A value travels as its *serialized bytes* (the form of the native protocol and of stored cells)
//! together with a [`CqlType`]; the tree form [`Value`] exists for literals, tests and tools.
//!
//! ```text
//!  literal text ──parse_scalar──►┐                     ┌──►compare, to_literal
//!  bound bytes  ──validate──────►├─ serialized bytes ──┤
//!  Value        ──encode────────►┘                     ├──►encode_clustering ─► memcmp-ordered key
//!                                                      └──►PartitionKey ─► Token ─► shard
//! ```
//!
//! # Invariants
//! * No function panics on any input bytes; sizes found in the input are checked before use.
//! * [`validate`], [`compare`], [`encode_clustering`], [`Token::of_key`] and
//!   [`PartitionKey::from_components`] allocate nothing beyond their output
//!   (`varint` and `decimal` values above 16 bytes excepted, where [`compare`] and the encoder do arithmetic).
//! * Recursion follows the type, never the value, and a type is at most [`MAX_TYPE_DEPTH`] deep.
//! * Two values are equal under [`compare`] exactly if their clustering encodings are the same bytes.

mod collections;
mod compare;
mod consistency;
mod decimal;
mod duration;
mod error;
mod id;
mod identifier;
mod key;
mod literal;
mod normalize;
mod partition_key;
mod suggest;
mod temporal;
mod time;
mod token;
mod ty;
mod type_name;
mod validate;
mod value;
mod varint;
mod vint;

pub use collections::{
    ListIter, MapIter, TupleIter, VectorIter, push_count, push_element, push_vector_element,
};
pub use compare::compare;
pub use consistency::{Consistency, SerialConsistency};
pub use duration::CqlDuration;
pub use error::ValueError;
pub use id::{
    HostId, TableId, Uuid, compare_timeuuid, compare_uuid, table_id_for, timeuuid_from,
    timeuuid_max, timeuuid_micros, timeuuid_min,
};
pub use identifier::{RESERVED_WORDS, quoted};
pub use key::{
    BoundKind, ClusteringDecoder, bound_bytes, decode_clustering, decode_partition_key,
    decode_value, encode_clustering, encode_clustering_prefix, encode_partition_key, encode_value,
    is_exact, is_lossless, split_partition_key,
};
pub use literal::{parse_scalar, to_literal};
pub use normalize::normalize;
pub use partition_key::{Components, KeyError, MAX_KEY_BYTES, PartitionKey};
pub use suggest::did_you_mean;
pub use time::{Seconds, WriteTime};
pub use token::{Token, decode_token, encode_token};
pub use ty::{ComponentOrder, CqlType, MAX_TYPE_DEPTH, UdtType};
pub use type_name::{
    ResolveUdt, TypeParseError, java_class_name, parse_java_class_name, parse_type,
};
pub use validate::validate;
pub use value::{Value, decode, encode};
