//! Reading many pairs without holding the store.

use super::{Pair, StoreError, Tree};

/// The most pairs in one page.
pub const MAX_PAGE: usize = 1000;

/// How many pairs a scan reads at once.
const STEP: usize = 256;

/// The pairs of a tree in ascending order of their keys; ends after the first error.
pub struct Scan {
    tree: Tree,
    prefix: Vec<u8>,
    after: Option<Vec<u8>>,
    page: std::vec::IntoIter<Pair>,
    is_over: bool,
}

impl Scan {
    pub(super) fn new(tree: Tree, prefix: Vec<u8>) -> Self {
        Self { tree, prefix, after: None, page: Vec::new().into_iter(), is_over: false }
    }

    fn read_page(&mut self) -> Result<(), StoreError> {
        let page = self.tree.page(&self.prefix, self.after.as_deref(), STEP)?;
        self.is_over = page.len() < STEP;
        self.after = page.last().map(|(key, _)| key.clone());
        self.page = page.into_iter();
        Ok(())
    }
}

impl Iterator for Scan {
    type Item = Result<Pair, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.len() == 0
            && !self.is_over
            && let Err(error) = self.read_page()
        {
            self.is_over = true;
            return Some(Err(error));
        }
        self.page.next().map(Ok)
    }
}
