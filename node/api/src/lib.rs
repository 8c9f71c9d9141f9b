//! REST, metrics and the status page.
