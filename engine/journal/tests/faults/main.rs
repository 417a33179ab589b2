//! What the SQLite store does when the world around it fails: crashes, full disks, lost, locked, torn and tampered files.

#![cfg(unix)]

#[cfg(test)]
mod appends;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod files;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod tools;
