//! A small seeded generator (SplitMix64), so that a run can be played again with the same choices.
//! `JIT_TEST_SEED` sets the seed; without it each run has its own, which is printed.

/// The generator.
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// The generator of this run, with its seed.
    pub fn of_this_run() -> (Self, u64) {
        let given = std::env::var("JIT_TEST_SEED").ok();
        let seed = match given.map(|text| text.parse()) {
            Some(seed) => seed.expect("JIT_TEST_SEED is a number"),
            None => jiff::Timestamp::now().as_millisecond().unsigned_abs(),
        };
        (Self(seed), seed)
    }

    /// Another generator, which goes its own way.
    pub fn fork(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}
