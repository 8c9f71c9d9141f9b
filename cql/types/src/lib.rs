//! CQL types: values, validation, ordering, literals, wire form, order-preserving key encoding, tokens.
