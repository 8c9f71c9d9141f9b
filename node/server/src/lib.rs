//! One server process: boot order, threads, listeners, shutdown.
