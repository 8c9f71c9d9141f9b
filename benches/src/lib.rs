//! Programs that measure; each figure in `docs/performance.md` names one of them.
