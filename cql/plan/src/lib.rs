//! From an AST and a schema to a plan; from a plan and bound values to mutations or a read command.
