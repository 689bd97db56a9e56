//! Brightness, blurred and sampled down to 64 × 64.
//!
//! The blur is a box filter along the rows, then along the columns, twice. Its window grows with the picture: a side of
//! n pixels has one of (n + 127) / 128. Where the window reaches over the border, the mean is of what is inside. Sums
//! slide: each step adds the value that enters, *then* subtracts the one that leaves, so that rounding errors are those
//! of the reference.
//!
//! Rows stream through all four filters, sixteen at a time, since the reference's order of operations along a row
//! leaves nothing else to do in parallel. Beside the picture itself this takes 4 · width · (height / 128 + 80) bytes or
//! so, 6 MB for 100 million pixels in a square, where the reference holds two copies of the picture in floating point.

use crate::image::{Channels, Picture};
use crate::machine::{Instructions, Kernel, Task};

/// Pixels along each side of the result.
pub(super) const SIDE: usize = 64;

/// The downscaled picture, by row and then column, from 0 (black) to 255.
pub(super) type Grid = [[f32; SIDE]; SIDE];

/// Rows that are filtered together.
const LANES: usize = 16;

/// One pixel of each of them.
type Lane = [f32; LANES];

/// Pixels along each side of the squares in which rows are turned into columns and back.
const QUAD: usize = 4;

/// Downscales `picture`, no side of which may be 0. One of 64 × 64 pixels already is what is sought.
pub(super) fn downscale(picture: &Picture) -> Grid {
    Instructions::best().run(Downscale(picture))
}

/// Wider instructions do more rows at a time. They change no bit: each row is summed in the same order, and nothing is
/// fused.
struct Downscale<'a>(&'a Picture);

impl Task for Downscale<'_> {
    type Output = Grid;

    #[inline(always)]
    fn run<K: Kernel>(self, _: K) -> Grid {
        let Self(picture) = self;
        if picture.width() == SIDE && picture.height() == SIDE {
            let mut grid = [[0.0; SIDE]; SIDE];
            write_luma(picture.channels(), picture.data(), grid.as_flattened_mut());
            return grid;
        }
        let mut pipeline = Pipeline::new(picture.width(), picture.height());
        let row_bytes = picture.width() * picture.channels().count();
        for rows in picture.data().chunks(row_bytes * LANES) {
            pipeline.push(picture.channels(), rows);
        }
        pipeline.finish()
    }
}

/// The brightness of each pixel: 0.299 R + 0.587 G + 0.114 B, or the grey value itself. The reference sums in double
/// precision and rounds once to single. A sum of thousandths in integers, divided in single precision, has the same bits
/// for each of the 2^24 colours, and is computed sixteen at a time.
#[inline(always)]
fn write_luma(channels: Channels, pixels: &[u8], luma: &mut [f32]) {
    match channels {
        Channels::Grey => {
            for (luma, grey) in luma.iter_mut().zip(pixels) {
                *luma = f32::from(*grey);
            }
        }
        Channels::Rgb => {
            for (luma, colour) in luma.iter_mut().zip(pixels.as_chunks::<3>().0) {
                *luma = brightness(*colour);
            }
        }
    }
}

#[inline(always)]
fn brightness([red, green, blue]: [u8; 3]) -> f32 {
    let thousandths = 299 * i32::from(red) + 587 * i32::from(green) + 114 * i32::from(blue);
    thousandths as f32 / 1000.0
}

/// How a box filter runs along a line of a given length.
#[derive(Clone, Copy)]
struct Window {
    /// Pixels in a whole window.
    full: usize,
    /// Pixels that enter before the first mean is taken, and that leave after the last one has entered.
    ahead: usize,
}

impl Window {
    fn of(length: usize) -> Self {
        let full = length.div_ceil(2 * SIDE);
        Self { full, ahead: full / 2 }
    }

    /// Runs along `line`, giving each place with the sum and the number of the pixels in its window.
    #[inline(always)]
    fn slide(self, line: &[Lane], mut emit: impl FnMut(usize, &Lane, usize)) {
        let (starting, entering) = line.split_at(self.full);
        let mut sums = [0f32; LANES];
        let mut place = 0;
        for (index, enters) in starting.iter().enumerate() {
            add(&mut sums, enters);
            if index >= self.ahead {
                emit(place, &sums, index + 1);
                place += 1;
            }
        }
        for (enters, leaves) in entering.iter().zip(line) {
            add(&mut sums, enters);
            subtract(&mut sums, leaves);
            emit(place, &sums, self.full);
            place += 1;
        }
        for (index, leaves) in line[entering.len()..].iter().take(self.ahead).enumerate() {
            subtract(&mut sums, leaves);
            emit(place, &sums, self.full - index - 1);
            place += 1;
        }
    }
}

#[inline(always)]
fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

#[inline(always)]
fn subtract(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum -= value;
    }
}

/// `sums` divided by `count`. The inverse of a power of two is exact, and so is then the product with it.
#[inline(always)]
fn write_means(sums: &[f32], count: usize, means: &mut [f32]) {
    let divisor = count as f32;
    if count.is_power_of_two() {
        let inverse = 1.0 / divisor;
        for (mean, sum) in means.iter_mut().zip(sums) {
            *mean = sum * inverse;
        }
    } else {
        for (mean, sum) in means.iter_mut().zip(sums) {
            *mean = sum / divisor;
        }
    }
}

/// A box filter along all columns at once, which takes and gives one row at a time.
struct ColumnFilter {
    window: Window,
    /// The sum over the window of each column.
    sums: Vec<f32>,
    /// The rows in the window; row r is at place r mod window.
    rows: Vec<f32>,
    entered: usize,
    left: usize,
}

impl ColumnFilter {
    fn new(width: usize, height: usize) -> Self {
        let window = Window::of(height);
        Self { window, sums: vec![0.0; width], rows: vec![0.0; width * window.full], entered: 0, left: 0 }
    }

    /// Takes the next row; writes the next row of means if there is one.
    #[inline(always)]
    fn push(&mut self, row: &[f32], means: &mut [f32]) -> bool {
        let full = self.entered >= self.window.full;
        let oldest = kept_row(&mut self.rows, self.sums.len(), self.entered % self.window.full);
        add(&mut self.sums, row);
        if full {
            subtract(&mut self.sums, oldest);
            self.left += 1;
        }
        oldest.copy_from_slice(row);
        self.entered += 1;
        if self.entered <= self.window.ahead {
            return false;
        }
        write_means(&self.sums, self.entered - self.left, means);
        true
    }

    /// After the last row has entered: writes the next row of means, as long as there is one.
    #[inline(always)]
    fn drain(&mut self, means: &mut [f32]) -> bool {
        if self.entered - self.left <= self.window.full - self.window.ahead {
            return false;
        }
        let oldest = kept_row(&mut self.rows, self.sums.len(), self.left % self.window.full);
        subtract(&mut self.sums, oldest);
        self.left += 1;
        write_means(&self.sums, self.entered - self.left, means);
        true
    }
}

#[inline(always)]
fn kept_row(rows: &mut [f32], width: usize, place: usize) -> &mut [f32] {
    &mut rows[place * width..][..width]
}

/// Sixteen rows (the last ones of a picture may be fewer) on their way through a filter along the rows.
struct Block {
    width: usize,
    /// From the start of one row to the start of the next: the width, made divisible by [`QUAD`].
    stride: usize,
    rows: Vec<f32>,
    filled: usize,
}

impl Block {
    fn new(width: usize) -> Self {
        let stride = width.next_multiple_of(QUAD);
        Self { width, stride, rows: vec![0.0; stride * LANES], filled: 0 }
    }

    /// As many lanes as [`Self::write_lanes`] and [`Self::read_lanes`] take.
    fn lanes(&self) -> Vec<Lane> {
        vec![[0.0; LANES]; self.stride]
    }

    /// The row to be filled next.
    #[inline(always)]
    fn next_row(&mut self) -> &mut [f32] {
        &mut self.rows[self.filled * self.stride..][..self.width]
    }

    /// The rows that are filled.
    #[inline(always)]
    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.rows.chunks_exact(self.stride).take(self.filled).map(|row| &row[..self.width])
    }

    /// Writes the rows as columns, in squares of four pixels by four.
    #[inline(always)]
    fn write_lanes(&self, lanes: &mut [Lane]) {
        for (group, rows) in self.rows.chunks_exact(QUAD * self.stride).enumerate() {
            let (rows, _) = rows.as_chunks::<QUAD>();
            let quads = self.stride / QUAD;
            for (column, lanes) in lanes.chunks_exact_mut(QUAD).enumerate() {
                let square = core::array::from_fn(|row| rows[row * quads + column]);
                for (lane, turned) in lanes.iter_mut().zip(transpose(square)) {
                    lane.as_chunks_mut::<QUAD>().0[group] = turned;
                }
            }
        }
    }

    /// The reverse of [`Self::write_lanes`].
    #[inline(always)]
    fn read_lanes(&mut self, lanes: &[Lane]) {
        for (group, rows) in self.rows.chunks_exact_mut(QUAD * self.stride).enumerate() {
            let (rows, _) = rows.as_chunks_mut::<QUAD>();
            let quads = self.stride / QUAD;
            for (column, lanes) in lanes.as_chunks::<QUAD>().0.iter().enumerate() {
                let square = core::array::from_fn(|lane| lanes[lane].as_chunks::<QUAD>().0[group]);
                for (row, turned) in transpose(square).into_iter().enumerate() {
                    rows[row * quads + column] = turned;
                }
            }
        }
    }
}

#[inline(always)]
fn transpose(square: [[f32; QUAD]; QUAD]) -> [[f32; QUAD]; QUAD] {
    core::array::from_fn(|column| square.map(|row| row[column]))
}

/// The first filter along the rows and the first along the columns, and all that follows.
struct Pipeline {
    window: Window,
    block: Block,
    lanes: Vec<Lane>,
    filtered: Vec<Lane>,
    columns: ColumnFilter,
    sampler: Sampler,
}

impl Pipeline {
    fn new(width: usize, height: usize) -> Self {
        let block = Block::new(width);
        Self {
            window: Window::of(width),
            lanes: block.lanes(),
            filtered: block.lanes(),
            block,
            columns: ColumnFilter::new(width, height),
            sampler: Sampler::new(width, height),
        }
    }

    /// Takes the next sixteen rows of the picture, or the last ones.
    #[inline(always)]
    fn push(&mut self, channels: Channels, pixels: &[u8]) {
        self.block.filled = 0;
        for row in pixels.chunks_exact(self.block.width * channels.count()) {
            write_luma(channels, row, self.block.next_row());
            self.block.filled += 1;
        }
        self.block.write_lanes(&mut self.lanes);
        let filtered = &mut self.filtered;
        let lanes = &self.lanes[..self.block.width];
        self.window.slide(lanes, |place, sums, count| write_means(sums, count, &mut filtered[place]));
        self.block.read_lanes(&self.filtered);
        for row in self.block.rows() {
            if self.columns.push(row, self.sampler.block.next_row()) {
                self.sampler.take_row();
            }
        }
    }

    /// Once all rows have been taken.
    #[inline(always)]
    fn finish(mut self) -> Grid {
        while self.columns.drain(self.sampler.block.next_row()) {
            self.sampler.take_row();
        }
        self.sampler.finish()
    }
}

/// The second filters along the rows and the columns, which only take the means that are wanted: those at the centres
/// of 64 × 64 equal parts of the picture.
struct Sampler {
    window: Window,
    block: Block,
    lanes: Vec<Lane>,
    wanted_columns: [usize; SIDE],
    columns: ColumnFilter,
    wanted_rows: [usize; SIDE],
    finished_rows: usize,
    grid: Grid,
}

impl Sampler {
    fn new(width: usize, height: usize) -> Self {
        let block = Block::new(width);
        Self {
            window: Window::of(width),
            lanes: block.lanes(),
            block,
            wanted_columns: centres(width),
            columns: ColumnFilter::new(SIDE, height),
            wanted_rows: centres(height),
            finished_rows: 0,
            grid: [[0.0; SIDE]; SIDE],
        }
    }

    /// Takes the row that has just been written to `block.next_row()`.
    #[inline(always)]
    fn take_row(&mut self) {
        self.block.filled += 1;
        if self.block.filled == LANES {
            self.filter_block();
        }
    }

    #[inline(always)]
    fn filter_block(&mut self) {
        let mut means = [0f32; SIDE];
        let sampled = self.sample_columns();
        for row in sampled.iter().take(self.block.filled) {
            if self.columns.push(row, &mut means) {
                self.keep(&means);
            }
        }
        self.block.filled = 0;
    }

    /// The wanted means along the rows of the block.
    #[inline(always)]
    fn sample_columns(&mut self) -> [[f32; SIDE]; LANES] {
        self.block.write_lanes(&mut self.lanes);
        let mut sampled = [[0f32; LANES]; SIDE];
        let mut next = 0;
        let lanes = &self.lanes[..self.block.width];
        self.window.slide(lanes, |place, sums, count| {
            while self.wanted_columns.get(next) == Some(&place) {
                write_means(sums, count, &mut sampled[next]);
                next += 1;
            }
        });
        core::array::from_fn(|row| sampled.map(|column| column[row]))
    }

    /// Takes a row that has left the last filter. In a small picture one row may be wanted several times.
    #[inline(always)]
    fn keep(&mut self, means: &[f32; SIDE]) {
        for (wanted, row) in self.wanted_rows.iter().zip(&mut self.grid) {
            if *wanted == self.finished_rows {
                *row = *means;
            }
        }
        self.finished_rows += 1;
    }

    #[inline(always)]
    fn finish(mut self) -> Grid {
        self.filter_block();
        let mut means = [0f32; SIDE];
        while self.columns.drain(&mut means) {
            self.keep(&means);
        }
        self.grid
    }
}

/// The pixels at the centres of 64 equal parts of a side: (i + ½) · length / 64, rounded down.
fn centres(length: usize) -> [usize; SIDE] {
    core::array::from_fn(|part| (2 * part + 1) * length / (2 * SIDE))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, one pixel at a time over a whole copy of the picture: slow, and the order of the sums is that of
    /// the reference.
    fn by_definition(picture: &Picture) -> Grid {
        let (width, height) = (picture.width(), picture.height());
        let mut luma = vec![0.0; width * height];
        write_luma(picture.channels(), picture.data(), &mut luma);
        for _ in 0..2 {
            for row in 0..height {
                box_filter(&mut luma, row * width, 1, width);
            }
            for column in 0..width {
                box_filter(&mut luma, column, width, height);
            }
        }
        let (rows, columns) = (centres(height), centres(width));
        rows.map(|row| columns.map(|column| luma[row * width + column]))
    }

    fn box_filter(values: &mut [f32], start: usize, step: usize, length: usize) {
        let line: Vec<f32> = (0..length).map(|place| values[start + place * step]).collect();
        let Window { full, ahead } = Window::of(length);
        let (mut sum, mut entered, mut left) = (0f32, 0, 0);
        for place in 0..length {
            while entered < length && entered <= place + ahead {
                sum += line[entered];
                entered += 1;
                if entered > full {
                    sum -= line[left];
                    left += 1;
                }
            }
            if entered == length && place + ahead >= length {
                sum -= line[left];
                left += 1;
            }
            values[start + place * step] = sum / (entered - left) as f32;
        }
    }

    fn noise(width: usize, height: usize, channels: Channels) -> Picture {
        let mut state = 0x9E37_79B9_7F4A_7C15u64 ^ (width * 1009 + height) as u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        let data = (0..width * height * channels.count()).map(|_| next()).collect();
        Picture::new(width, height, channels, data).unwrap()
    }

    #[test]
    fn brightness_is_the_rounded_sum_in_double_precision() {
        for red in 0..=255 {
            for green in 0..=255 {
                for blue in 0..=255 {
                    let sum = 0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue);
                    let found = brightness([red, green, blue]);
                    assert_eq!(found.to_bits(), (sum as f32).to_bits(), "{red} {green} {blue}");
                }
            }
        }
    }

    #[test]
    fn grey_is_as_bright_in_colour() {
        let grey: Vec<u8> = (0..=255).collect();
        let colour: Vec<u8> = grey.iter().flat_map(|value| [*value; 3]).collect();
        let (mut one, mut other) = ([0.0; 256], [0.0; 256]);
        write_luma(Channels::Grey, &grey, &mut one);
        write_luma(Channels::Rgb, &colour, &mut other);
        assert_eq!(one, other);
    }

    #[test]
    fn streaming_gives_the_bits_of_the_definition() {
        for (width, height) in
            [(5, 5), (5, 300), (300, 5), (64, 65), (127, 129), (128, 256), (200, 150), (257, 400), (640, 383)]
        {
            for channels in [Channels::Grey, Channels::Rgb] {
                let picture = noise(width, height, channels);
                let expected = by_definition(&picture);
                for instructions in Instructions::available() {
                    let found = instructions.run(Downscale(&picture));
                    assert!(found == expected, "{width} × {height}, {channels:?}, {}", instructions.name());
                }
            }
        }
    }

    #[test]
    fn centres_are_those_of_the_floating_point_formula() {
        for length in (5..3000).chain([65_535, 100_000, 20_000_000]) {
            let formula = core::array::from_fn(|part| ((part as f64 + 0.5) * length as f64 / 64.0) as usize);
            assert_eq!(centres(length), formula, "{length}");
        }
    }

    #[test]
    fn a_picture_of_the_right_size_is_not_blurred() {
        let picture = noise(SIDE, SIDE, Channels::Grey);
        let grid = downscale(&picture);
        assert!(grid.as_flattened().iter().zip(picture.data()).all(|(luma, grey)| *luma == f32::from(*grey)));
    }
}
