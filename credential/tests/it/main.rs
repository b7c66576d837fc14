//! The cache through its public face and the helper as a real program.

mod attack_17;
mod attack_25;
mod cache;
mod current;
mod helper;
mod hit;
mod lock;
mod support;
