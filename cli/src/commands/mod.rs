//! One module for each word after `isonomy`.

pub(crate) mod assess;
pub(crate) mod attest;
pub(crate) mod bundle;
pub(crate) mod charter;
pub(crate) mod client;
pub(crate) mod collect;
pub(crate) mod configuration;
pub(crate) mod confirming;
mod crowding;
pub(crate) mod evidence;
pub(crate) mod files;
pub(crate) mod fsck;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod list;
pub(crate) mod log;
pub(crate) mod matching;
pub(crate) mod monitor;
pub(crate) mod passphrase;
pub(crate) mod receipt;
pub(crate) mod release;
pub(crate) mod serving;
mod subjects;
pub(crate) mod trace;
mod waiting;
pub(crate) mod witness;
