//! The pace without a clock: time is a number that the test moves.

use proptest::prelude::*;

use super::*;

const TAKE: Class = (Urgency::Take, Step::Begin);
const GIVE: Class = (Urgency::Give, Step::Begin);

/// Lets everybody go, from `now` on: who went, and when.
fn drain<T>(pace: &mut Pace<T>, mut now: i64) -> Vec<(i64, T)> {
    let mut gone = Vec::new();
    loop {
        match pace.next(now, |_| true) {
            Next::Go(who) => gone.push((now, who)),
            Next::At(later) => {
                assert!(later > now, "{later} is not after {now}");
                now = later;
            }
            Next::Nobody => return gone,
        }
    }
}

/// The most starts in any one second.
fn busiest_second(starts: &[i64]) -> usize {
    let within = |from: &i64| starts.iter().filter(|at| (*from..*from + length).contains(at)).count();
    starts.iter().map(within).max().unwrap_or(0)
}

#[test]
fn ten_thousand_takes_go_before_a_thousand_gives() {
    let mut pace = Pace::new(Quota::default().calls_per_second);
    for number in 0..1_000 {
        pace.enter(GIVE, number);
    }
    for number in 0..10_000 {
        pace.enter(TAKE, 1_000_000 + number);
    }
    let gone = drain(&mut pace, 0);
    let order: Vec<i32> = gone.iter().map(|(_, who)| *who).collect();
    let wanted: Vec<i32> = (1_000_000..1_010_000).chain(0..1_000).collect();
    assert_eq!(order, wanted);
    let starts: Vec<i64> = gone.iter().map(|(at, _)| *at).collect();
    // sorted, so that the last of any 19 in a row must be a second after the first
    assert!(starts.windows(19).all(|few| few[18] - few[0] >= SECOND));
    assert_eq!(starts.last(), Some(&((11_000 - 1) / 18 * SECOND)));
}

#[test]
fn waiting_take_gets_the_next_place() {
    let mut pace = Pace::new(1);
    for who in ["give one", "give two"] {
        pace.enter(GIVE, who);
    }
    assert_eq!(pace.next(0, |_| true), Next::Go("give one"));
    assert_eq!(pace.next(10, |_| true), Next::At(1_000));
    pace.enter(TAKE, "take");
    assert_eq!(pace.next(1_000, |_| true), Next::Go("take"));
    assert_eq!(pace.next(2_000, |_| true), Next::Go("give two"));
}

#[test]
fn what_has_begun_goes_on_before_more_begins() {
    let mut pace = Pace::new(100);
    pace.enter(TAKE, "begin");
    pace.enter((Urgency::Give, Step::GoOn), "poll of a give");
    pace.enter((Urgency::Take, Step::GoOn), "poll");
    let order: Vec<&str> = drain(&mut pace, 0).into_iter().map(|(_, who)| who).collect();
    assert_eq!(order, ["poll", "begin", "poll of a give"]);
}

#[test]
fn those_who_gave_up_cost_no_call() {
    let mut pace = Pace::new(1);
    for who in 0..5_000 {
        pace.enter(TAKE, who);
    }
    assert_eq!(pace.next(0, |who| *who == 4_999), Next::Go(4_999));
    assert_eq!(pace.next(0, |_| true), Next::Nobody);
    assert!(!pace.is_busy());
}

#[test]
fn slowed_pace_waits_then_recovers_to_the_quota() {
    let mut pace = Pace::new(18);
    pace.slow_down(0, 200);
    for who in 0..400 {
        pace.enter(TAKE, who);
    }
    let starts: Vec<i64> = drain(&mut pace, 0).into_iter().map(|(at, _)| at).collect();
    assert_eq!(starts[0], 200, "all wait for the pause");
    let in_second = |n: i64| {
        starts
            .iter()
            .filter(|at| (n * SECOND..(n + 1) * SECOND).contains(at))
            .count()
    };
    assert_eq!(in_second(0), 12, "two thirds at first");
    assert_eq!(in_second(15), 18, "all of it again");
}

#[test]
fn pace_never_stops_however_often_it_is_slowed() {
    let mut pace = Pace::new(18);
    for second in 0..100 {
        pace.slow_down(second * SECOND, 50);
    }
    for who in 0..40 {
        pace.enter(TAKE, who);
    }
    let starts: Vec<i64> = drain(&mut pace, 99_000).into_iter().map(|(at, _)| at).collect();
    assert!(*starts.last().unwrap() < 99_000 + 9 * SECOND, "{starts:?}");
}

/// What happens to a pace.
#[derive(Clone, Debug)]
enum Event {
    Enter(usize),
    Later(i64),
    SlowDown(i64),
    Next,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        5 => (0..CLASSES.len()).prop_map(Event::Enter),
        3 => (0..1_500_i64).prop_map(Event::Later),
        1 => (0..300_i64).prop_map(Event::SlowDown),
        5 => Just(Event::Next),
    ];
    proptest::collection::vec(event, 0..300)
}

proptest! {
    #[test]
    fn pace_keeps_order_and_quota_and_loses_nobody(quota in 1..25_u32, events in events()) {
        let mut pace = Pace::new(quota);
        let (mut now, mut entered) = (0, 0);
        let mut waiting: Vec<(usize, usize)> = Vec::new();
        let mut gone: Vec<(i64, (usize, usize))> = Vec::new();
        for event in events {
            match event {
                Event::Enter(class) => {
                    pace.enter(CLASSES[class], (class, entered));
                    waiting.push((class, entered));
                    entered += 1;
                }
                Event::Later(millis) => now += millis,
                Event::SlowDown(pause) => pace.slow_down(now, pause),
                Event::Next => if let Next::Go(who) = pace.next(now, |_| true) {
                    // the first of the most urgent of those who wait at that instant
                    prop_assert_eq!(Some(&who), waiting.iter().min());
                    waiting.retain(|other| *other != who);
                    gone.push((now, who));
                },
            }
        }
        gone.extend(drain(&mut pace, now));
        prop_assert_eq!(gone.len(), entered);
        let starts: Vec<i64> = gone.iter().map(|(at, _)| *at).collect();
        prop_assert!(busiest(&starts, SECOND) <= quota as usize);
        prop_assert!(busiest(&starts, QUARTER) <= quota.div_ceil(4) as usize);
    }
}
