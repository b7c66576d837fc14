//! The integration tests: one binary, so that they are linked once.
//! Every test runs the real `jit` in a sealed box or reads this tree; the harness owns what they share.

mod dependencies;
mod harness;
mod harness_works;
mod structure;
