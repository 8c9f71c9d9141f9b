//! The words of the language.
//!
//! Reserved words cannot be names unless they are quoted; the others mean something in some places only and are names elsewhere.
//! Which are which follows the appendix of the public CQL documentation.
//!
//! A word is looked up once, by the lexer, in a hash table made at compile time.

macro_rules! keywords {
    ($($variant:ident $word:literal $class:ident,)*) => {
        /// A word that the grammar knows.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub(crate) enum Keyword { $($variant,)* }

        const KEYWORDS: &[(Keyword, &str, Class)] =
            &[$((Keyword::$variant, $word, Class::$class),)*];
    };
}

/// Whether a keyword can be a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Reserved,
    Free,
}

keywords! {
    Access "ACCESS" Free,
    Add "ADD" Reserved,
    Aggregate "AGGREGATE" Free,
    Aggregates "AGGREGATES" Free,
    All "ALL" Free,
    Allow "ALLOW" Reserved,
    Alter "ALTER" Reserved,
    And "AND" Reserved,
    Ann "ANN" Free,
    Apply "APPLY" Reserved,
    As "AS" Free,
    Asc "ASC" Reserved,
    Ascii "ASCII" Free,
    Attach "ATTACH" Free,
    Attached "ATTACHED" Free,
    Authorize "AUTHORIZE" Reserved,
    Batch "BATCH" Reserved,
    Begin "BEGIN" Reserved,
    Between "BETWEEN" Free,
    Bigint "BIGINT" Free,
    Blob "BLOB" Free,
    Boolean "BOOLEAN" Free,
    By "BY" Reserved,
    Bypass "BYPASS" Free,
    Cache "CACHE" Free,
    Called "CALLED" Free,
    Cast "CAST" Free,
    Cluster "CLUSTER" Free,
    Clustering "CLUSTERING" Free,
    Columnfamilies "COLUMNFAMILIES" Free,
    Columnfamily "COLUMNFAMILY" Reserved,
    Compact "COMPACT" Free,
    Contains "CONTAINS" Free,
    Count "COUNT" Free,
    Counter "COUNTER" Free,
    Create "CREATE" Reserved,
    Custom "CUSTOM" Free,
    Datacenters "DATACENTERS" Free,
    Date "DATE" Free,
    Decimal "DECIMAL" Free,
    Default "DEFAULT" Reserved,
    Delete "DELETE" Reserved,
    Desc "DESC" Reserved,
    Describe "DESCRIBE" Reserved,
    Detach "DETACH" Free,
    Distinct "DISTINCT" Free,
    Double "DOUBLE" Free,
    Drop "DROP" Reserved,
    Duration "DURATION" Free,
    Effective "EFFECTIVE" Free,
    Entries "ENTRIES" Reserved,
    Execute "EXECUTE" Reserved,
    Exists "EXISTS" Free,
    Explain "EXPLAIN" Free,
    Expr "EXPR" Free,
    False "FALSE" Reserved,
    Filtering "FILTERING" Free,
    Finalfunc "FINALFUNC" Free,
    Float "FLOAT" Free,
    From "FROM" Reserved,
    Frozen "FROZEN" Free,
    Full "FULL" Reserved,
    Function "FUNCTION" Free,
    Functions "FUNCTIONS" Free,
    Grant "GRANT" Reserved,
    Group "GROUP" Free,
    Hashed "HASHED" Free,
    If "IF" Reserved,
    In "IN" Reserved,
    Index "INDEX" Reserved,
    Inet "INET" Free,
    Infinity "INFINITY" Reserved,
    Initcond "INITCOND" Free,
    Input "INPUT" Free,
    Insert "INSERT" Reserved,
    Int "INT" Free,
    Internals "INTERNALS" Free,
    Into "INTO" Reserved,
    Is "IS" Reserved,
    Json "JSON" Free,
    Key "KEY" Free,
    Keys "KEYS" Free,
    Keyspace "KEYSPACE" Reserved,
    Keyspaces "KEYSPACES" Free,
    Language "LANGUAGE" Free,
    Level "LEVEL" Free,
    Levels "LEVELS" Free,
    Like "LIKE" Free,
    Limit "LIMIT" Reserved,
    List "LIST" Free,
    Logged "LOGGED" Free,
    Login "LOGIN" Free,
    Map "MAP" Free,
    Materialized "MATERIALIZED" Reserved,
    Maxwritetime "MAXWRITETIME" Free,
    Mbean "MBEAN" Reserved,
    Mbeans "MBEANS" Reserved,
    Modify "MODIFY" Reserved,
    Nan "NAN" Reserved,
    Nologin "NOLOGIN" Free,
    Norecursive "NORECURSIVE" Reserved,
    Nosuperuser "NOSUPERUSER" Free,
    Not "NOT" Reserved,
    Null "NULL" Reserved,
    Of "OF" Reserved,
    On "ON" Reserved,
    Only "ONLY" Free,
    Options "OPTIONS" Free,
    Or "OR" Reserved,
    Order "ORDER" Reserved,
    Partition "PARTITION" Free,
    Password "PASSWORD" Free,
    Passwords "PASSWORDS" Free,
    Per "PER" Free,
    Permission "PERMISSION" Free,
    Permissions "PERMISSIONS" Free,
    Primary "PRIMARY" Reserved,
    Reducefunc "REDUCEFUNC" Free,
    Rename "RENAME" Reserved,
    Replace "REPLACE" Reserved,
    Returns "RETURNS" Free,
    Revoke "REVOKE" Reserved,
    Role "ROLE" Free,
    Roles "ROLES" Free,
    Schema "SCHEMA" Reserved,
    Select "SELECT" Reserved,
    SelectMasked "SELECT_MASKED" Free,
    Service "SERVICE" Free,
    ServiceLevel "SERVICE_LEVEL" Free,
    ServiceLevels "SERVICE_LEVELS" Free,
    Set "SET" Reserved,
    Sfunc "SFUNC" Free,
    Smallint "SMALLINT" Free,
    Static "STATIC" Free,
    Storage "STORAGE" Free,
    Stype "STYPE" Free,
    Superuser "SUPERUSER" Free,
    Table "TABLE" Reserved,
    Tables "TABLES" Free,
    Text "TEXT" Free,
    TextSearchIndexing "TEXT_SEARCH_INDEXING" Free,
    Time "TIME" Free,
    Timeout "TIMEOUT" Free,
    Timestamp "TIMESTAMP" Free,
    Timeuuid "TIMEUUID" Free,
    Tinyint "TINYINT" Free,
    To "TO" Reserved,
    Token "TOKEN" Reserved,
    Trigger "TRIGGER" Free,
    True "TRUE" Reserved,
    Truncate "TRUNCATE" Reserved,
    Ttl "TTL" Free,
    Tuple "TUPLE" Free,
    Type "TYPE" Free,
    Types "TYPES" Free,
    Unlogged "UNLOGGED" Reserved,
    Unmask "UNMASK" Free,
    Unset "UNSET" Reserved,
    Update "UPDATE" Reserved,
    Use "USE" Reserved,
    User "USER" Free,
    Users "USERS" Free,
    Using "USING" Reserved,
    Uuid "UUID" Free,
    Values "VALUES" Free,
    Varchar "VARCHAR" Free,
    Varint "VARINT" Free,
    Vector "VECTOR" Free,
    VectorSearchIndexing "VECTOR_SEARCH_INDEXING" Free,
    View "VIEW" Reserved,
    Where "WHERE" Reserved,
    With "WITH" Reserved,
    Writetime "WRITETIME" Free,
}

const LENGTH_MAX: usize = 22;
const SLOTS: usize = 1024;
const EMPTY: u8 = u8::MAX;
const _: () = assert!(KEYWORDS.len() < EMPTY as usize);

/// Index into [`KEYWORDS`] by hash, with linear probing; [`EMPTY`] ends a probe.
static TABLE: [u8; SLOTS] = table();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler, which checks it"
)]
const fn table() -> [u8; SLOTS] {
    let mut table = [EMPTY; SLOTS];
    let mut index = 0;
    while index < KEYWORDS.len() {
        let word = KEYWORDS[index].1.as_bytes();
        assert!(word.len() <= LENGTH_MAX);
        let mut hash = SEED;
        let mut at = 0;
        while at < word.len() {
            hash = mix(hash, word[at]);
            at += 1;
        }
        let mut slot = slot(hash);
        while table[slot] != EMPTY {
            slot = (slot + 1) % SLOTS;
        }
        table[slot] = index as u8;
        index += 1;
    }
    table
}

const SEED: u32 = 0x811c_9dc5;

/// One step of a hash that does not tell upper from lower case.
const fn mix(hash: u32, byte: u8) -> u32 {
    (hash ^ (byte | 0x20) as u32).wrapping_mul(0x0100_0193)
}

const fn slot(hash: u32) -> usize {
    ((hash ^ (hash >> 15)) as usize) % SLOTS
}

impl Keyword {
    /// The keyword that `word` spells, in any case.
    pub(crate) fn lookup(word: &[u8]) -> Option<Self> {
        if word.len() > LENGTH_MAX {
            return None;
        }
        let hash = word.iter().fold(SEED, |hash, byte| mix(hash, *byte));
        let mut slot = slot(hash);
        loop {
            let index = *TABLE.get(slot)?;
            // `EMPTY` is no index, so this also ends the probe.
            let (keyword, spelling, _) = KEYWORDS.get(usize::from(index))?;
            if spelling.as_bytes().eq_ignore_ascii_case(word) {
                return Some(*keyword);
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    /// The word in capitals.
    pub(crate) fn word(self) -> &'static str {
        KEYWORDS.get(self as usize).map_or("", |entry| entry.1)
    }

    /// Whether it is a name only in quotes.
    pub(crate) fn is_reserved(self) -> bool {
        KEYWORDS
            .get(self as usize)
            .is_some_and(|entry| entry.2 == Class::Reserved)
    }
}

/// The words that are names only in quotes, in lower case and in order.
pub fn reserved_words() -> impl Iterator<Item = String> {
    let reserved = KEYWORDS
        .iter()
        .filter(|(_, _, class)| *class == Class::Reserved);
    reserved.map(|(_, word, _)| word.to_lowercase())
}

/// Whether `name` can be written without quotes and still be this name.
#[must_use]
pub fn is_plain_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !Keyword::lookup(name.as_bytes()).is_some_and(Keyword::is_reserved)
        && !crate::lexer::is_iso_duration(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_is_found_in_any_case() {
        for (keyword, word, _) in KEYWORDS {
            assert_eq!(Keyword::lookup(word.as_bytes()), Some(*keyword));
            assert_eq!(
                Keyword::lookup(word.to_lowercase().as_bytes()),
                Some(*keyword)
            );
            assert_eq!(keyword.word(), *word);
        }
        assert_eq!(Keyword::lookup(b"selec"), None);
        assert_eq!(Keyword::lookup(b""), None);
        assert_eq!(Keyword::lookup(b"a_word_longer_than_any_keyword"), None);
    }

    #[test]
    fn plain_names() {
        for name in ["a", "a_1", "key", "type", "values"] {
            assert!(is_plain_name(name), "{name}");
        }
        for name in [
            "", "A", "1a", "_a", "select", "a-b", "\u{e9}", "p1d", "true",
        ] {
            assert!(!is_plain_name(name), "{name}");
        }
    }
}
