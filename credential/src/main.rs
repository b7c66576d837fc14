//! The tiny helper.
fn main() {}
