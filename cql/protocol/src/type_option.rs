//! Types as messages name them.
//!
//! Types that came after a version are sent to its clients as a custom type with the class name
//! that their drivers know; so are vectors, which have no code of their own.

use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use cql_types::{CqlType, MAX_TYPE_DEPTH, UdtType, java_class_name, parse_java_class_name};

use crate::error::ProtocolError;
use crate::read::Reader;
use crate::version::Version;
use crate::write;

const CUSTOM: u16 = 0x00;
const LIST: u16 = 0x20;
const MAP: u16 = 0x21;
const SET: u16 = 0x22;
const UDT: u16 = 0x30;
const TUPLE: u16 = 0x31;

const SCALARS: [(u16, CqlType); 20] = [
    (0x01, CqlType::Ascii),
    (0x02, CqlType::BigInt),
    (0x03, CqlType::Blob),
    (0x04, CqlType::Boolean),
    (0x05, CqlType::Counter),
    (0x06, CqlType::Decimal),
    (0x07, CqlType::Double),
    (0x08, CqlType::Float),
    (0x09, CqlType::Int),
    (0x0B, CqlType::Timestamp),
    (0x0C, CqlType::Uuid),
    (0x0D, CqlType::Text),
    (0x0E, CqlType::Varint),
    (0x0F, CqlType::TimeUuid),
    (0x10, CqlType::Inet),
    (0x11, CqlType::Date),
    (0x12, CqlType::Time),
    (0x13, CqlType::SmallInt),
    (0x14, CqlType::TinyInt),
    (0x15, CqlType::Duration),
];

/// The code of a scalar in `version`; `None` if it has none there.
fn scalar_code(ty: &CqlType, version: Version) -> Option<u16> {
    match ty {
        // Its code came with version 5.
        CqlType::Duration => None,
        CqlType::Date | CqlType::Time | CqlType::SmallInt | CqlType::TinyInt
            if !version.has_v4() =>
        {
            None
        }
        scalar => SCALARS
            .iter()
            .find(|(_, known)| known == scalar)
            .map(|(code, _)| *code),
    }
}

/// Whether the type is written differently in the two versions.
pub(crate) fn depends_on_version(ty: &CqlType) -> bool {
    ty.any(&|part| scalar_code(part, Version::V3) != scalar_code(part, Version::V4))
}

/// Writes a type.
pub(crate) fn write_type(out: &mut BytesMut, ty: &CqlType, version: Version) {
    match ty {
        CqlType::List { element, .. } => {
            out.put_u16(LIST);
            write_type(out, element, version);
        }
        CqlType::Set { element, .. } => {
            out.put_u16(SET);
            write_type(out, element, version);
        }
        CqlType::Map { key, value, .. } => {
            out.put_u16(MAP);
            write_type(out, key, version);
            write_type(out, value, version);
        }
        CqlType::Tuple(parts) => {
            out.put_u16(TUPLE);
            write::count(out, parts.len());
            for part in parts.iter() {
                write_type(out, part, version);
            }
        }
        CqlType::Udt { def, .. } => {
            out.put_u16(UDT);
            write::string(out, &def.keyspace);
            write::string(out, &def.name);
            write::count(out, def.fields.len());
            for (name, field) in &def.fields {
                write::string(out, name);
                write_type(out, field, version);
            }
        }
        other => match scalar_code(other, version) {
            Some(code) => out.put_u16(code),
            None => {
                out.put_u16(CUSTOM);
                write::string(out, &java_class_name(other));
            }
        },
    }
}

/// Reads a type. Messages do not say what is frozen: the outermost type is taken as not frozen.
pub(crate) fn read_type(reader: &mut Reader<'_>) -> Result<CqlType, ProtocolError> {
    read_nested(reader, MAX_TYPE_DEPTH)
}

fn read_nested(reader: &mut Reader<'_>, depth: usize) -> Result<CqlType, ProtocolError> {
    let at = reader.at();
    let Some(depth) = depth.checked_sub(1) else {
        return Err(ProtocolError::unknown(
            "type nested deeper than",
            at,
            MAX_TYPE_DEPTH,
        ));
    };
    let inner =
        |reader: &mut Reader<'_>| read_nested(reader, depth).map(|ty| Arc::new(ty.freeze()));
    let code = reader.short("type")?;
    Ok(match code {
        CUSTOM => {
            let class = reader.string("class of a custom type")?;
            parse_java_class_name(class)
                .map_err(|_| ProtocolError::unknown("custom type", at, class))?
        }
        LIST => CqlType::List {
            element: inner(reader)?,
            frozen: false,
        },
        SET => CqlType::Set {
            element: inner(reader)?,
            frozen: false,
        },
        MAP => {
            let key = inner(reader)?;
            CqlType::Map {
                key,
                value: inner(reader)?,
                frozen: false,
            }
        }
        TUPLE => {
            let mut parts = Vec::new();
            for _ in 0..reader.short("number of types in a tuple")? {
                parts.push(read_nested(reader, depth)?.freeze());
            }
            CqlType::Tuple(parts.into())
        }
        UDT => {
            let keyspace = Arc::from(reader.string("keyspace of a user type")?);
            let name = Arc::from(reader.string("name of a user type")?);
            let mut fields = Vec::new();
            for _ in 0..reader.short("number of fields")? {
                let field = Arc::from(reader.string("name of a field")?);
                fields.push((field, read_nested(reader, depth)?));
            }
            CqlType::Udt {
                def: Arc::new(UdtType {
                    keyspace,
                    name,
                    fields,
                }),
                frozen: false,
            }
        }
        code => match SCALARS.iter().find(|(known, _)| *known == code) {
            Some((_, ty)) => ty.clone(),
            None => return Err(ProtocolError::unknown("type", at, code)),
        },
    })
}
