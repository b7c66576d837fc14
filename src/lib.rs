//! jit.
