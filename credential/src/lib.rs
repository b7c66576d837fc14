//! The credential cache file format and the hit.
