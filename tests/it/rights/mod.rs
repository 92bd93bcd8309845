//! The participant's rights: what is erased is gone from every copy, and nothing brings it back.

mod archive;
mod erasure;
mod erasure_postgres;
mod export;
mod people;
mod retention;
mod space;
mod wrapping_files;
