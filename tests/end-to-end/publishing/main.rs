//! What maintainers, curators and the operator of a log do with lists, each command a process of its own: keys under a
//! passphrase, guard rails, files that are not overwritten, death at any moment, and the collection of old objects.
#![cfg(unix)]

mod collecting;
mod dialogue;
mod keys;
mod kills;
mod rails;
mod scene;
