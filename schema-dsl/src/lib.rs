//! A compiler for table descriptions: parser, checker, formatter, compatibility check, documents, code generation.
