//! What maintainers, curators and the operator of a log do with lists, each command a process of its own: keys under a
//! passphrase, guard rails, files that are not overwritten, amendments, death at any moment, and the collection of old objects.
#![cfg(unix)]

mod amending;
mod collecting;
mod dialogue;
mod ended;
mod importing;
mod keys;
mod kills;
mod proofs;
mod rails;
mod restricted;
mod scene;
mod two_lists;
mod waiting;
