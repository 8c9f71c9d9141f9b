//! CQL text to an AST with spans, and back; diagnostics that point at the place.
