//! jit.
fn main() {}
