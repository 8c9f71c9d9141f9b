//! Types of options: how a text becomes a value, and back.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use crate::yaml::Node;

/// A type that an option can have.
pub(crate) trait OptionValue: Sized {
    /// What a user should write, for the help: `PORT`, `true|false`.
    const KIND: &'static str;

    /// From a flag or an environment variable.
    fn from_text(text: &str) -> Result<Self, String>;

    /// From the file; most types take the text of a scalar.
    fn from_node(node: &Node) -> Result<Self, String> {
        match node.scalar_text() {
            Some(text) => Self::from_text(&text),
            None => Err(format!(
                "a {} is needed, not {}",
                Self::KIND,
                node.describe()
            )),
        }
    }

    /// What [`OptionValue::from_text`] would take.
    fn to_text(&self) -> String;

    /// For the range check.
    fn as_number(&self) -> Option<u64> {
        None
    }
}

macro_rules! numbers {
    ($($type:ty, $kind:literal;)*) => {$(
        impl OptionValue for $type {
            const KIND: &'static str = $kind;

            fn from_text(text: &str) -> Result<Self, String> {
                text.trim().parse().map_err(|_| {
                    format!("a whole number from 0 to {} is needed", <$type>::MAX)
                })
            }

            fn to_text(&self) -> String {
                self.to_string()
            }

            fn as_number(&self) -> Option<u64> {
                Some(u64::from(*self))
            }
        }
    )*};
}

numbers! { u8, "NUMBER"; u16, "NUMBER"; u32, "NUMBER"; u64, "NUMBER"; }

impl OptionValue for bool {
    const KIND: &'static str = "true|false";

    fn from_text(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            _ => Err("true or false is needed".to_owned()),
        }
    }

    fn to_text(&self) -> String {
        self.to_string()
    }
}

impl OptionValue for String {
    const KIND: &'static str = "TEXT";

    fn from_text(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    fn to_text(&self) -> String {
        self.clone()
    }
}

impl OptionValue for PathBuf {
    const KIND: &'static str = "PATH";

    fn from_text(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a path is needed".to_owned());
        }
        Ok(Self::from(text))
    }

    /// Also a list with one path in it, as `data_file_directories` is written.
    fn from_node(node: &Node) -> Result<Self, String> {
        match node {
            Node::List(items) => match items.as_slice() {
                [one] => Self::from_node(one),
                _ => Err(format!("one directory is supported, not {}", items.len())),
            },
            Node::Null | Node::Map(_) => Err(format!("a path is needed, not {}", node.describe())),
            Node::Bool(_) | Node::Integer(_) | Node::Float(_) | Node::Text(_) => {
                Self::from_text(&node.scalar_text().unwrap_or_default())
            }
        }
    }

    fn to_text(&self) -> String {
        self.display().to_string()
    }
}

impl OptionValue for IpAddr {
    const KIND: &'static str = "IP";

    fn from_text(text: &str) -> Result<Self, String> {
        match text.trim() {
            "localhost" => Ok(Self::V4(Ipv4Addr::LOCALHOST)),
            other => other
                .parse()
                .map_err(|_| "an IP address such as 127.0.0.1 is needed".to_owned()),
        }
    }

    fn to_text(&self) -> String {
        self.to_string()
    }
}

impl<T: OptionValue> OptionValue for Option<T> {
    const KIND: &'static str = T::KIND;

    fn from_text(text: &str) -> Result<Self, String> {
        T::from_text(text).map(Some)
    }

    fn from_node(node: &Node) -> Result<Self, String> {
        T::from_node(node).map(Some)
    }

    fn to_text(&self) -> String {
        self.as_ref().map(T::to_text).unwrap_or_default()
    }

    fn as_number(&self) -> Option<u64> {
        self.as_ref().and_then(T::as_number)
    }
}

/// A number of bytes, written with or without a unit: `512MB`, `1.5 GiB`, `67108864`.
///
/// A unit means a power of 1024, as it does elsewhere in this ecosystem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

const UNITS: [(&str, u64); 5] = [
    ("T", 1 << 40),
    ("G", 1 << 30),
    ("M", 1 << 20),
    ("K", 1 << 10),
    ("", 1),
];

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) = UNITS
            .into_iter()
            .find(|(_, size)| self.0 >= *size && self.0.is_multiple_of(*size))
            .unwrap_or(("", 1));
        match unit {
            "" => write!(f, "{}", self.0),
            unit => write!(f, "{}{unit}B", self.0 / size),
        }
    }
}

impl OptionValue for Bytes {
    const KIND: &'static str = "SIZE";

    fn from_text(text: &str) -> Result<Self, String> {
        let needed = || "a size such as 512MB, 2G or 67108864 is needed".to_owned();
        let upper = text.trim().to_ascii_uppercase();
        let digits = upper
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(upper.len());
        let (number, unit) = upper.split_at_checked(digits).ok_or_else(needed)?;
        let unit = unit.trim();
        let unit = unit
            .strip_suffix("IB")
            .or_else(|| unit.strip_suffix('B'))
            .unwrap_or(unit);
        let (_, size) = UNITS
            .into_iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(needed)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let whole: u64 = whole.parse().map_err(|_| needed())?;
        let mut bytes = whole
            .checked_mul(size)
            .ok_or_else(|| "that is more than there can be".to_owned())?;
        if !fraction.is_empty() {
            // Three digits are enough: a thousandth of a terabyte is a gigabyte.
            let millis: u64 = format!("{fraction:0<3.3}").parse().map_err(|_| needed())?;
            bytes = bytes.saturating_add(size / 1000 * millis + size % 1000 * millis / 1000);
        }
        Ok(Self(bytes))
    }

    fn to_text(&self) -> String {
        self.to_string()
    }

    fn as_number(&self) -> Option<u64> {
        Some(self.0)
    }
}

/// Addresses to ask for the cluster; on one node only itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seeds(pub Vec<IpAddr>);

impl OptionValue for Seeds {
    const KIND: &'static str = "IP,IP";

    fn from_text(text: &str) -> Result<Self, String> {
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        // A port may follow an IPv4 address, as in `127.0.0.1:7000`.
        let addresses = parts.map(|part| match part.split_once(':') {
            Some((address, port)) if !port.contains(':') => IpAddr::from_text(address),
            Some(_) | None => IpAddr::from_text(part),
        });
        addresses.collect::<Result<_, _>>().map(Self)
    }

    /// Also the nested form that is usual in this ecosystem:
    /// `seed_provider: [{class_name: ..., parameters: [{seeds: "a,b"}]}]`.
    fn from_node(node: &Node) -> Result<Self, String> {
        let shape = || {
            "a list of addresses or `- class_name: ..., parameters: [seeds: \"...\"]` is needed"
                .to_owned()
        };
        match node {
            Node::List(items) => {
                let parts = items
                    .iter()
                    .map(Self::from_node)
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(Self(parts.into_iter().flat_map(|part| part.0).collect()))
            }
            Node::Map(_) => {
                let inner = node.get("seeds").or_else(|| node.get("parameters"));
                Self::from_node(inner.ok_or_else(shape)?)
            }
            Node::Text(text) => Self::from_text(text),
            Node::Null => Ok(Self::default()),
            Node::Bool(_) | Node::Integer(_) | Node::Float(_) => Err(shape()),
        }
    }

    fn to_text(&self) -> String {
        self.0
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(",")
    }
}

macro_rules! choices {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident { $(#[doc = $choice_doc:literal] $choice:ident = $text:literal,)+ }
        $(refuses $($refused:literal)|+ : $why:literal)?
    )*) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $(#[doc = $choice_doc] $choice,)+ }

        impl OptionValue for $name {
            const KIND: &'static str = choices!(@kind $($text)+);

            fn from_text(text: &str) -> Result<Self, String> {
                // Classes may be written with their package.
                let short = text.trim().rsplit('.').next().unwrap_or_default();
                $(if short.eq_ignore_ascii_case($text) { return Ok(Self::$choice); })+
                $($(if short.eq_ignore_ascii_case($refused) {
                    return Err($why.to_owned());
                })+)?
                Err(format!("{} is needed", Self::KIND.replace('|', " or ")))
            }

            fn to_text(&self) -> String {
                match self { $(Self::$choice => $text.to_owned(),)+ }
            }
        }
    )*};
    (@kind $first:literal $($more:literal)*) => { concat!($first $(, "|", $more)*) };
}

choices! {
    /// When a write is acknowledged.
    CommitlogSync {
        /// When it is durable; many share one sync.
        Batch = "batch",
        /// At once; it is durable a period later.
        Periodic = "periodic",
    }
    refuses "group": "`group` is not supported; `batch` gives the same promise and shares syncs too"

    /// The storage engine.
    Backend {
        /// On disk.
        Fjall = "fjall",
        /// Nothing is kept; for tests.
        Memory = "memory",
    }

    /// Who may connect.
    Authenticator {
        /// Everybody.
        AllowAll = "AllowAllAuthenticator",
    }
    refuses "PasswordAuthenticator" | "TransitionalAuthenticator" | "SaslauthdAuthenticator" | "CertificateAuthenticator" | "MutualTlsAuthenticator":
        "logins are not supported yet: use AllowAllAuthenticator and let only trusted hosts reach the port"

    /// Who may do what.
    Authorizer {
        /// Everybody everything.
        AllowAll = "AllowAllAuthorizer",
    }
    refuses "CassandraAuthorizer" | "TransitionalAuthorizer":
        "permissions are not supported yet: use AllowAllAuthorizer"

    /// How the place of a node is known.
    Snitch {
        /// From `dc` and `rack`.
        Simple = "SimpleSnitch",
    }
    refuses "GossipingPropertyFileSnitch" | "PropertyFileSnitch" | "RackInferringSnitch" | "Ec2Snitch" | "Ec2MultiRegionSnitch" | "GoogleCloudSnitch" | "AzureSnitch":
        "this snitch is not supported yet: use SimpleSnitch with the options dc and rack"

    /// How keys become tokens.
    Partitioner {
        /// The ecosystem's default.
        Murmur3 = "Murmur3Partitioner",
    }
    refuses "RandomPartitioner" | "ByteOrderedPartitioner" | "OrderPreservingPartitioner":
        "this partitioner is not supported: use Murmur3Partitioner"

    /// How much is logged.
    LogLevel {
        /// Errors only.
        Error = "error",
        /// What should be looked at.
        Warn = "warn",
        /// What happens.
        Info = "info",
        /// How it happens.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}
