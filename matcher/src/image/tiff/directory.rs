//! The directories of a TIFF, read as its decoder reads them (TIFF 6.0, section 2). Other formats borrow them for their metadata.

use super::super::MAX_FRAMES;
use std::collections::BTreeMap;

/// The order of the bytes of a number.
#[derive(Clone, Copy)]
pub(in super::super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(in super::super) fn bytes(self, number: u32) -> [u8; 4] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }

    /// A number of up to eight bytes.
    fn number(self, bytes: &[u8]) -> u64 {
        let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        match self {
            Self::Little => bytes.iter().rev().fold(0, add),
            Self::Big => bytes.iter().fold(0, add),
        }
    }
}

/// A tree of numbered fields.
#[derive(Clone, Copy)]
pub(in super::super) struct Tiff<'f> {
    file: &'f [u8],
    pub(in super::super) order: Order,
}

impl<'f> Tiff<'f> {
    pub(in super::super) fn of(file: &'f [u8]) -> Option<Self> {
        match file.first_chunk()? {
            b"II*\0" => Some(Self { file, order: Order::Little }),
            b"MM\0*" => Some(Self { file, order: Order::Big }),
            _ => None,
        }
    }

    fn bytes(&self, at: usize, count: usize) -> Option<&'f [u8]> {
        self.file.get(at..)?.get(..count)
    }

    fn number(&self, at: usize, bytes: usize) -> Option<u64> {
        Some(self.order.number(self.bytes(at, bytes)?))
    }

    fn short(&self, at: usize) -> Option<u16> {
        self.number(at, 2).map(|number| number as u16)
    }

    fn long(&self, at: usize) -> Option<u32> {
        self.number(at, 4).map(|number| number as u32)
    }

    /// Where the directories after the first begin: all, unless one is there twice.
    pub(in super::super) fn pages(self) -> impl Iterator<Item = u32> {
        let mut known = vec![self.long(4).unwrap_or(0)];
        std::iter::from_fn(move || {
            let last = *known.last()? as usize;
            let fields = usize::from(self.short(last)?);
            let next = self.long(last.saturating_add(2 + fields * 12))?;
            if next == 0 || known.contains(&next) || known.len() > MAX_FRAMES {
                return None;
            }
            known.push(next);
            Some(next)
        })
    }
}

/// A field, as the directory has it.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) kind: u16,
    pub(super) count: u32,
    /// Where that stands in the file which is its value, or says where that is.
    at: usize,
}

impl Field {
    /// Whether its values are numbers without a sign.
    fn is_number(&self) -> bool {
        matches!(self.kind, 1 | 3 | 4 | 7 | 13 | 16 | 18)
    }
}

/// How many bytes a value of this type has; `None` if the decoder does not know the type, and steps over the field.
fn value_bytes(kind: u16) -> Option<usize> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16..=18 => Some(8),
        _ => None,
    }
}

/// A directory of fields, the first in its file.
pub(super) struct Directory<'f> {
    tiff: Tiff<'f>,
    /// All fields by their numbers, also those of types that the decoder does not know.
    fields: BTreeMap<u16, Vec<Field>>,
    /// How many fields it says that it has.
    pub(super) count: usize,
}

impl<'f> Directory<'f> {
    /// The first directory of a file; of one that is cut, the fields that are there.
    pub(super) fn first(file: &'f [u8]) -> Option<Self> {
        let tiff = Tiff::of(file)?;
        let start = tiff.long(4)? as usize;
        let count = usize::from(tiff.short(start)?);
        let mut fields = BTreeMap::<u16, Vec<Field>>::new();
        for at in (0..count).map(|number| start.saturating_add(2 + 12 * number)) {
            let Some(entry) = tiff.bytes(at, 12) else { break };
            let number = |from: usize, bytes: usize| tiff.order.number(&entry[from..from + bytes]);
            let field = Field { kind: number(2, 2) as u16, count: number(4, 4) as u32, at: at + 8 };
            fields.entry(number(0, 2) as u16).or_default().push(field);
        }
        Some(Self { tiff, fields, count })
    }

    /// Whether it is shorter than it says.
    pub(super) fn is_cut(&self) -> bool {
        self.fields.values().map(Vec::len).sum::<usize>() < self.count
    }

    /// Whether a field is there twice, with another type, count or value. Of these, the decoder takes the last, and others the first.
    pub(super) fn contradicts_itself(&self, tag: u16) -> bool {
        let told = |field: &Field| (field.kind, field.count, self.tiff.bytes(field.at, 4));
        self.all(tag).windows(2).any(|pair| told(&pair[0]) != told(&pair[1]))
    }

    /// All fields of this number.
    pub(super) fn all(&self, tag: u16) -> &[Field] {
        self.fields.get(&tag).map_or(&[], Vec::as_slice)
    }

    /// The field of this number that the decoder takes.
    pub(super) fn field(&self, tag: u16) -> Option<&Field> {
        self.all(tag).iter().rfind(|field| value_bytes(field.kind).is_some())
    }

    /// How many values a field has; 0 if it is not there.
    pub(super) fn values_of(&self, tag: u16) -> u64 {
        self.field(tag).map_or(0, |field| u64::from(field.count))
    }

    /// What a field's values are, as bytes.
    pub(super) fn bytes(&self, tag: u16) -> Option<&'f [u8]> {
        let field = self.field(tag)?;
        let size = usize::try_from(field.count).ok()?.checked_mul(value_bytes(field.kind)?)?;
        let at = if size <= 4 { field.at } else { self.tiff.long(field.at)? as usize };
        self.tiff.bytes(at, size)
    }

    /// Whether a field is there, and its values are no numbers without a sign: the decoder takes letters for numbers, and fractions for two.
    pub(super) fn is_no_number(&self, tag: u16) -> bool {
        self.field(tag).is_some_and(|field| !field.is_number())
    }

    /// The values of a field that are numbers without a sign; none if they are others, or are not there.
    pub(super) fn numbers(&self, tag: u16) -> impl Iterator<Item = u64> {
        let size = self.field(tag).filter(|field| field.is_number()).and_then(|field| value_bytes(field.kind));
        let bytes = size.and_then(|_| self.bytes(tag)).unwrap_or_default();
        let order = self.tiff.order;
        bytes.chunks_exact(size.unwrap_or(1)).map(move |value| order.number(value))
    }

    /// The first value of a field, as far as four bytes can hold it, if that is a number without a sign.
    pub(super) fn number(&self, tag: u16) -> Option<u32> {
        self.numbers(tag).next().map(|number| u32::try_from(number).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::page;
    use super::*;

    /// Directories without fields, each of which names the next.
    fn chain(order: Order, next: &[u32]) -> Vec<u8> {
        let mut file = match order {
            Order::Little => b"II*\0".to_vec(),
            Order::Big => b"MM\0*".to_vec(),
        };
        file.extend(order.bytes(8));
        for next in next {
            file.extend([0, 0]);
            file.extend(order.bytes(*next));
        }
        file
    }

    #[test]
    fn the_pages_of_a_tiff_are_found_and_a_circle_of_them_ends() {
        let pages = |file: &[u8]| Tiff::of(file).unwrap().pages().collect::<Vec<_>>();
        for order in [Order::Little, Order::Big] {
            assert_eq!(pages(&chain(order, &[14, 20, 0])), [14, 20]);
            assert_eq!(pages(&chain(order, &[14, 8])), [14]);
            assert!(pages(&chain(order, &[0])).is_empty());
            assert_eq!(pages(&chain(order, &[1000])), [1000], "a page that is not there can't be decoded");
        }
        let many: Vec<u32> = (1..MAX_FRAMES as u32 + 100).map(|page| 8 + page * 6).collect();
        assert_eq!(pages(&chain(Order::Big, &many)).len(), MAX_FRAMES);
    }

    #[test]
    fn cut_files_have_the_pages_that_are_there() {
        let file = chain(Order::Little, &[14, 20, 0]);
        let pages = |kept| Tiff::of(&file[..kept]).map_or(0, |tiff| tiff.pages().count());
        assert!((0..file.len()).all(|kept| pages(kept) <= 2));
    }

    #[test]
    fn fields_are_read_as_the_decoder_reads_them() {
        let number = |kind, count, value| Directory::first(&page(&[(259, kind, count, value)])).unwrap().number(259);
        for kind in [1, 3, 4, 7, 13] {
            assert_eq!(number(kind, 1, 7), Some(7), "{kind}");
        }
        // Text, fractions, with a sign, and of no type that there is.
        for kind in [0, 2, 5, 6, 8, 9, 10, 11, 12, 14, 15, 17, 19, 99] {
            assert_eq!(number(kind, 1, 7), None, "{kind}");
        }
        assert_eq!(number(3, 0, 7), None);
        assert_eq!(number(3, 1000, 7), None, "not in the file");
        for value in [7u64, 7 << 40] {
            let file = [page(&[(259, 16, 1, 26)]), value.to_le_bytes().into()].concat();
            let read = Directory::first(&file).unwrap().number(259);
            assert_eq!(read, Some(u32::try_from(value).unwrap_or(u32::MAX)));
        }
        let file = [page(&[(279, 3, 3, 26)]), [1u16, 2, 300].map(u16::to_le_bytes).concat()].concat();
        assert_eq!(Directory::first(&file).unwrap().numbers(279).collect::<Vec<_>>(), [1, 2, 300]);
        // What is of no type does not hide what is of one.
        let both = page(&[(259, 3, 1, 7), (259, 99, 1, 1)]);
        let both = Directory::first(&both).unwrap();
        assert_eq!((both.number(259), both.contradicts_itself(259), both.is_cut()), (Some(7), true, false));
    }
}
