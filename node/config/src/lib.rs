//! Every option, once: its name, default, YAML, flag, environment variable and documentation.
