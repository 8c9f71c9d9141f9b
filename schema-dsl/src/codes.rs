//! Every diagnostic code, with what `schema-dsl explain` says about it.
//!
//! Codes are stable: one is never reused for another finding.
//! `S00` text and grammar, `S01` names, `S02` tables, `S03` types, `S04` history, `S05` generated code;
//! `B1` to `B4` are differences between two versions, by what they break: disk, wire, API, documents.

use std::fmt;

/// A code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// `S0107`
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// Why it is so and what to do, with an example.
    pub explanation: &'static str,
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

/// The code of that name, in whatever case.
pub fn find(id: &str) -> Option<Code> {
    ALL.iter()
        .find(|code| code.id.eq_ignore_ascii_case(id))
        .copied()
}

macro_rules! codes {
    ($($id:ident $title:literal $explanation:literal)*) => {
        $(
            #[doc = $title]
            pub const $id: Code = Code { id: stringify!($id), title: $title, explanation: $explanation };
        )*
        /// All codes, sorted.
        pub const ALL: &[Code] = &[$($id),*];
    };
}

codes! {
    B101 "DISK: a column has another type"
        "Stored values would be read as what they are not.\n\
         Retire the column and add one of another name; a migration copies what is still needed."
    B102 "DISK: the key has other columns or another order"
        "Rows are stored under the bytes of their key, so every stored row would be lost to readers.\n\
         Declare a new table with the new key, copy, and retire the old one."
    B103 "DISK: a clustering column has another direction"
        "Descending columns are stored with inverted bytes; old rows would be found in the wrong places.\n\
         Declare a new table, copy, and retire the old one."
    B104 "DISK: the table has another home"
        "The rows lie where the old home put them, and the new one does not look there.\n\
         Declare a new table in the new home, copy, and retire the old one."
    B105 "DISK: the table has another id"
        "Stored rows and log frames name their table by its id.\n\
         Write the old id down: `id ...`."
    B106 "DISK: a column has become something else"
        "A static column is stored once per partition, a regular one once per row, a key column in the key.\n\
         Retire the column and add one of another name."
    B107 "DISK: a value of an enum is stored differently"
        "Rows that hold the old form could not be read any more.\n\
         Keep what is stored; the name may change: `new_name = \"old text\"`."
    B108 "DISK: a column was removed"
        "Its name and number could be given again, and old bytes would come back as something else.\n\
         Keep a line `retired name type` instead of removing it."
    B109 "DISK: a table was removed"
        "Its name and id could be given again, and old rows would come back as something else.\n\
         Keep a line `retired table keyspace.name`."
    B110 "DISK: the fields of a tuple or type have changed"
        "Fields are stored by their place: only a new optional field of a user-defined type, at the end, is safe.\n\
         Declare a new tuple, and a new column that uses it."
    B111 "DISK: the table has another partitioner"
        "The partitioner decides under which token a partition lies.\n\
         Declare a new table, copy, and retire the old one."
    B112 "DISK: the number of a column has changed"
        "Values are stored under the number of their column. Numbers follow the order of the text, older versions\n\
         first; so a column in the middle without `@since` moves those behind it.\n\
         Put new columns at the end, or give them `@since(n)`."
    B113 "DISK: a retired name lives again"
        "Bytes of the old meaning may still be stored.\n\
         Choose another name and keep the `retired` line."
    B201 "WIRE: a table is gone"
        "Drivers and operators ask for it by name.\n\
         Keep it for a release in which nothing writes it, or raise the level if nobody outside reads it."
    B202 "WIRE: a column is gone"
        "`SELECT` of that column fails from now on.\n\
         Keep it as an optional column for a release, then retire it."
    B204 "WIRE: a user-defined type is gone or renamed"
        "Drivers know it from `system_schema.types`.\n\
         Keep it."
    B301 "API: an optional value has become mandatory"
        "Old rows lack it, so that reading them becomes a data error; code that passes `Option` no longer compiles.\n\
         Keep the `?`."
    B302 "API: a mandatory value has become optional"
        "Code that uses the value no longer compiles.\n\
         Change the callers in the same commit, and check with `--level wire`."
    B303 "API: a value of an enum is gone"
        "Code that names it no longer compiles, and stored rows that hold it are data errors.\n\
         Keep a line `retired value`, and be sure that no row holds it."
    B304 "API: a tuple, enum or field has another name"
        "Code that names it no longer compiles; what is stored is the same.\n\
         Change the callers in the same commit, and check with `--level wire`."
    B305 "API: a new column is mandatory"
        "Rows written before lack it, so that reading them is a data error.\n\
         Add it with `?`."
    B401 "DOC: documentation was removed"
        "People, and `system_schema.tables.comment`, lose what was said.\n\
         Put it back, or say it better."
    S0001 "a character that begins nothing"
        "The language has words, numbers, texts between quotes, `{ } ( ) < > , = ? : . @`, comments with `//` and\n\
         documentation with `///`. There are no semicolons."
    S0002 "a text is not closed"
        "A text begins and ends in one line. A quote inside is written twice: \"say \"\"hello\"\"\"."
    S0003 "something else was expected"
        "Each column and property has a line of its own:\n\
         \x20   partition  id   uuid\n\
         \x20   column     name text?   /// documentation"
    S0004 "an unknown item"
        "A file holds `table`, `tuple`, `enum`, `type`, `keyspace` and `retired table`."
    S0005 "an unknown line in a table"
        "Lines of a table begin with `home`, `id`, `partitioner`, `options`, `partition`, `clustering`, `static`,\n\
         `column` or `retired`."
    S0006 "braces do not match"
        "Every block is closed by `}` in a line of its own, and every `}` closes a block."
    S0007 "documentation of nothing"
        "`///` documents what follows it, or what stands before it in its line.\n\
         For anything else there are comments: `//`."
    S0008 "a name that CQL reads differently"
        "CQL folds unquoted names to small letters. Write them so, or quote the name: `partition \"IndexInfo\" text`."
    S0009 "a file cannot be read"
        "Give files, or folders; of folders, all `*.tables` below them are read."
    S0010 "nested too deep"
        "Types and maps nest to a fixed depth. A tuple gives an inner part a name."
    S0101 "a table is declared twice"
        "A table is declared in one place, in one of the files that are compiled together."
    S0102 "a type is declared twice"
        "Tuples and enums share one space of names over all files; user-defined types have one per keyspace."
    S0103 "a column is declared twice"
        "The names of columns are unique in their table, also in Rust, where `aB` and `a_b` are one."
    S0104 "a field is declared twice"
        "The names of fields are unique in their tuple or type."
    S0105 "something is set twice"
        "`home`, `id`, `partitioner`, each option and `@since` are given once."
    S0106 "a keyspace is declared twice"
        "A keyspace is declared in one place, in one of the files that are compiled together."
    S0107 "an enum stores two values in the same way"
        "What is stored must tell which value it is, also for retired values:\n\
         \x20   enum Stage : text { streaming, cleanup, retired lost }"
    S0108 "two names are one in Rust"
        "Generated code writes fields and functions in snake case, types and values in camel case;\n\
         names that differ only in that cannot both be generated."
    S0109 "two tables have one id"
        "Ids follow from keyspace and name unless they are written; stored rows name their table by its id."
    S0110 "the name of a type of CQL"
        "A declared type cannot be called `uuid`, `list` and so on."
    S0111 "an unknown keyspace"
        "As soon as one keyspace is declared, all must be, so that a typo is found:\n\
         \x20   keyspace shop { replication = { class = \"NetworkTopologyStrategy\", dc1 = 3 } }"
    S0112 "a name is empty or too long"
        "Names of keyspaces, tables and types have at most 48 bytes."
    S0113 "the name of a tuple or enum"
        "Tuples and enums are written as in Rust: `TabletStage`. User-defined types are CQL's and written as there."
    S0201 "no partition key"
        "The partition key decides where a row lives:\n\
         \x20   partition id uuid"
    S0202 "no home"
        "`home` says where a table lives and who may write it, and becomes a type in generated code:\n\
         `local`, `shard_local`, `group0`, `distributed`, `virtual`."
    S0203 "a virtual table has no storage"
        "Its rows are made when they are read; times to live, caching and compaction mean nothing."
    S0205 "static without clustering"
        "A static value is shared by the rows of a partition; without clustering columns there is one row."
    S0206 "an unknown home"
        "Homes are `local`, `shard_local`, `group0`, `distributed`, `virtual`."
    S0207 "an unknown option"
        "Options are CQL's table properties, with shorter names and units: `options { gc_grace = 10d }`."
    S0208 "the value of an option"
        "Times have a unit (`s`, `m`, `h`, `d`), caching is `all`, `keys`, `rows`, `none` or a map, texts have quotes."
    S0209 "an optional key"
        "A row without a value for a key column cannot exist."
    S0210 "a type that cannot be a key"
        "Keys are compared byte by byte, whole: collections must be frozen, counters and durations cannot be keys."
    S0211 "a direction outside the clustering key"
        "`asc` and `desc` stand behind clustering columns only."
    S0213 "an optional collection of cells"
        "A collection that is not frozen is stored as its elements: without any it is empty, never absent."
    S0214 "no documentation"
        "The lines of `///` before a declaration reach rustdoc, the Markdown pages and the comment of the table."
    S0215 "counters beside other columns"
        "A table has counters only, or none, beside its key."
    S0216 "too many columns"
        "Columns have numbers of 16 bits which are never given again."
    S0301 "an unknown type"
        "Types are CQL's, and the tuples, enums and user-defined types of all files that are compiled together."
    S0302 "the wrong types between `<` and `>`"
        "`list<a>`, `set<a>`, `map<k, v>`, `tuple<a, b>`, `vector<float, 3>`, `frozen<...>` around a collection,\n\
         tuple or user-defined type."
    S0303 "a collection inside another must be frozen"
        "Only the outermost collection can be stored as cells: `list<frozen<set<int>>>`."
    S0304 "a type contains itself"
        "A value would have no end."
    S0305 "a counter or duration in the wrong place"
        "Counters are columns of their own; durations have no order."
    S0306 "the dimensions of a vector"
        "A vector has from 1 to 8192 dimensions."
    S0307 "a user-defined type of another keyspace"
        "CQL looks for types in the keyspace of the table."
    S0308 "how an enum is stored"
        "As `text`, `ascii`, `tinyint`, `smallint`, `int` or `bigint`."
    S0309 "nothing inside"
        "An enum has at least one value, a tuple or type at least one field."
    S0310 "what a value of an enum stores"
        "Text enums store the name, or what is written behind `=`; number enums need a number:\n\
         \x20   enum Stage : int { initial = 0, failed = 1 }"
    S0311 "a number out of range"
        "The number of an enum value must fit into the type in which the enum is stored."
    S0312 "an unused tuple or enum"
        "Nothing refers to it."
    S0313 "optional inside a value"
        "Only columns and the fields of tuples and types can be absent."
    S0401 "not a version"
        "`@since(n)` names the version that introduced something; versions count from 1."
    S0402 "an unknown attribute"
        "The only attribute is `@since(n)`."
    S0403 "the name of a retired column"
        "A retired name stays taken: old nodes, backups and files still know it with its old meaning."
    S0405 "the name of a retired table"
        "A retired name stays taken, and with it the id that follows from it."
    S0406 "a key that came later"
        "Stored rows have the key with which their table was made."
    S0407 "not an id"
        "An id is a UUID: `id 7ad54392-bcdd-35a6-8417-4e047860b377`."
    S0408 "older than its table"
        "A column cannot come with a version before its table's."
    S0501 "a column for which no code is generated"
        "Accessors are generated for all types but counters, lists and user-defined types that are not frozen,\n\
         and sets and maps whose keys have no total order in Rust (floating point, duration, decimal, varint)."
    S0503 "an option that generated code ignores"
        "Generated code knows `gc_grace`, `default_ttl`, `caching` and `comment`."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_found() {
        assert!(ALL.is_sorted_by(|a, b| a.id < b.id));
        assert_eq!(find("s0107"), Some(S0107));
        assert_eq!(find("S9999"), None);
    }
}
