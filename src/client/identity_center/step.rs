//! How somebody signs in, and what they have to see meanwhile. Refuses to show it: whoever called does.

use crate::error::Error;

/// How somebody signs in.
#[derive(Clone, Debug)]
pub enum Means {
    /// With a browser: what `$BROWSER` lists, else the platform's. Without any, with a code.
    Browser(Option<String>),
    /// With a code that is typed in elsewhere.
    Code,
}

/// What a person has to see.
#[derive(Clone, Debug)]
pub enum Step<'a> {
    /// A browser is about to have the page.
    Opening,
    /// None can be started.
    NoBrowser(&'a Error),
    /// A page to be opened anywhere, and the code that it shows.
    Code {
        /// AWS's own.
        url: &'a str,
        /// What is typed in or compared.
        code: &'a str,
        /// For how long it can be.
        expires_in_s: u32,
    },
}
