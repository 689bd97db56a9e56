//! Exact binomial confidence intervals (Clopper and Pearson 1934): the shares that make what was counted, or more
//! extreme, no less likely than 2.5 % on each side.

use serde::Serialize;

/// The chance on each side that the true share lies outside.
const TAIL: f64 = 0.025;
/// Halvings until an interval of 1 is below what a double can tell apart.
const HALVINGS: u32 = 60;

/// A count among so many, and its share with the exact 95 % interval. Fractions are decimal strings with six digits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Share {
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// Their share; `0.000000` of none.
    pub rate: String,
    /// The least share that the count is compatible with.
    pub low: String,
    /// The greatest.
    pub high: String,
}

impl Share {
    /// `count` of `of`; of none, nothing is known: from 0 to 1.
    pub fn new(count: u64, of: u64) -> Self {
        let (low, high) = interval(count, of);
        let rate = if of == 0 { 0.0 } else { count as f64 / of as f64 };
        let shown = |share: f64| format!("{share:.6}");
        Self { count, of, rate: shown(rate), low: shown(low), high: shown(high) }
    }
}

/// The interval for `count` of `of`.
fn interval(count: u64, of: u64) -> (f64, f64) {
    // At least `count` gets likelier with the share, at most `count` less likely.
    let low = if count == 0 { 0.0 } else { solve(|share| at_least(count, of, share) < TAIL) };
    let high = if count >= of { 1.0 } else { solve(|share| 1.0 - at_least(count + 1, of, share) > TAIL) };
    (low, high)
}

/// The share at which `is_below` turns false.
fn solve(is_below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if is_below(middle) { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The probability of at least `count` of `of` at this share. Of both tails the shorter one is summed, so that nothing
/// small is lost in the difference of large ones.
fn at_least(count: u64, of: u64, share: f64) -> f64 {
    if count == 0 {
        return 1.0;
    }
    let mean = of as f64 * share;
    if (count as f64) > mean { sum(count..=of, of, share) } else { 1.0 - sum(0..=count - 1, of, share) }
}

/// The probability that the count lies in this range.
fn sum(range: std::ops::RangeInclusive<u64>, of: u64, share: f64) -> f64 {
    let (start, end) = (*range.start(), *range.end());
    // From the likeliest term outwards each next one is smaller; far out they add nothing.
    let mode = ((of + 1) as f64 * share) as u64;
    let first = mode.clamp(start, end);
    let term = log_term(first, of, share).exp();
    let odds = share / (1.0 - share);
    let (mut total, mut up) = (term, term);
    for count in first..end {
        up *= (of - count) as f64 / (count + 1) as f64 * odds;
        total += up;
        if up < total * f64::EPSILON / 4.0 {
            break;
        }
    }
    let mut down = term;
    for count in (start + 1..=first).rev() {
        down *= count as f64 / (of - count + 1) as f64 / odds;
        total += down;
        if down < total * f64::EPSILON / 4.0 {
            break;
        }
    }
    total.min(1.0)
}

/// The logarithm of the probability of exactly `count`.
fn log_term(count: u64, of: u64, share: f64) -> f64 {
    let choose = log_factorial(of) - log_factorial(count) - log_factorial(of - count);
    let times = |count: u64, log: f64| if count == 0 { 0.0 } else { count as f64 * log };
    choose + times(count, share.ln()) + times(of - count, (-share).ln_1p())
}

/// ln n!, summed for small n; by Stirling's series otherwise, whose next term is below 10^-13 there.
fn log_factorial(n: u64) -> f64 {
    if n < 256 {
        return (2..=n).map(|factor| (factor as f64).ln()).sum();
    }
    let n = n as f64;
    let series = 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3)) + 1.0 / (1260.0 * n.powi(5));
    n * n.ln() - n + 0.5 * (2.0 * std::f64::consts::PI * n).ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values() {
        // From the tables of Clopper and Pearson and from R's binom.test.
        for (count, of, low, high) in [
            (0, 10, 0.0, 0.308_497),
            (1, 10, 0.002_529, 0.445_016),
            (5, 10, 0.187_086, 0.812_914),
            (10, 10, 0.691_503, 1.0),
            (0, 1000, 0.0, 0.003_682),
            (3, 1000, 0.000_619, 0.008_742),
        ] {
            let (found_low, found_high) = interval(count, of);
            assert!(
                (found_low - low).abs() < 2e-6 && (found_high - high).abs() < 2e-6,
                "{count} of {of}: {found_low} {found_high}"
            );
        }
        assert_eq!(interval(0, 0), (0.0, 1.0));
    }

    #[test]
    fn without_a_count_the_interval_has_a_closed_form() {
        for of in [1, 7, 100, 12_345, 1_000_000] {
            let high = 1.0 - TAIL.powf(1.0 / of as f64);
            let found = interval(0, of).1;
            assert!((found - high).abs() < 1e-9 * high.max(1e-3), "{of}: {found} {high}");
            let (low, one) = interval(of, of);
            assert!((low - TAIL.powf(1.0 / of as f64)).abs() < 1e-9 && one == 1.0);
        }
    }

    /// The regularised incomplete beta function by its continued fraction (Lentz), which shares nothing with the sums.
    fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
        if x > (a + 1.0) / (a + b + 2.0) {
            return 1.0 - incomplete_beta(b, a, 1.0 - x);
        }
        let (tiny, mut c, mut d) = (1e-300, 1.0, 1.0 - (a + b) * x / (a + 1.0));
        d = 1.0 / if f64::abs(d) < tiny { tiny } else { d };
        let mut fraction = d;
        for m in 1..10_000 {
            let m = f64::from(m);
            for numerator in [
                m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
                -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
            ] {
                d = 1.0 / (1.0 + numerator * d);
                c = 1.0 + numerator / c;
                fraction *= c * d;
            }
            if (c * d - 1.0).abs() < 1e-15 {
                break;
            }
        }
        let log = |n: f64| log_gamma(n);
        let front = (a * x.ln() + b * (-x).ln_1p() + log(a + b) - log(a) - log(b)).exp();
        front * fraction / a
    }

    /// ln Γ by Lanczos' approximation (g = 7, n = 9).
    fn log_gamma(x: f64) -> f64 {
        const C: [f64; 9] = [
            0.999_999_999_999_809_9,
            676.520_368_121_885_1,
            -1_259.139_216_722_402_8,
            771.323_428_777_653_1,
            -176.615_029_162_140_6,
            12.507_343_278_686_905,
            -0.138_571_095_265_720_12,
            9.984_369_578_019_572e-6,
            1.505_632_735_149_311_6e-7,
        ];
        let x = x - 1.0;
        let t = x + 7.5;
        let series = C[1..].iter().zip(1..).fold(C[0], |sum, (c, k)| sum + c / (x + f64::from(k)));
        0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + series.ln()
    }

    #[test]
    fn both_ends_are_quantiles_of_the_beta_distribution() {
        for of in [1, 2, 13, 100, 999, 50_000] {
            for count in [1, 2, of / 7, of / 2, of - 1].into_iter().filter(|count| (1..of).contains(count)) {
                let (low, high) = interval(count, of);
                let (k, n) = (count as f64, of as f64);
                let below = incomplete_beta(k, n - k + 1.0, low);
                let above = 1.0 - incomplete_beta(k + 1.0, n - k, high);
                assert!((below - TAIL).abs() < 1e-8 && (above - TAIL).abs() < 1e-8, "{count} of {of}: {below} {above}");
            }
        }
    }

    #[test]
    fn fractions_are_decimal_strings() {
        let share = Share::new(1, 8);
        assert_eq!([share.rate, share.low, share.high], ["0.125000", "0.003160", "0.526510"]);
    }
}
