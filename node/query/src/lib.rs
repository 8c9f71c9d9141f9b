//! Sessions, prepared statements, execution, result sets, events.
