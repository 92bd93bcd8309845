//! No byte of an export is without meaning, and no line can be moved.

use super::{chain, checkpoint, export, read, rows, verify};

#[test]
fn an_export_is_read_back_as_it_was_written_and_holds() {
    let chain = chain(&rows());
    let bytes = export(&chain);
    let again = read(&bytes);
    assert_eq!(export(&again), bytes, "one form");
    let found = verify(&bytes, vec![checkpoint(&chain)]).expect("the chain holds");
    assert_eq!((found.from, found.to, found.rows, found.gone, found.confirmed), (1, 4, 8, 0, Some(4)));
}

#[test]
fn ten_thousand_changes_of_a_single_byte_are_all_found() {
    let chain = chain(&rows());
    let (bytes, kept) = (export(&chain), checkpoint(&chain));
    // xorshift: the same changes each time.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..10_000 {
        let place = usize::try_from(next() % bytes.len() as u64).expect("small");
        let change = u8::try_from(next() % 255).expect("small") + 1;
        let mut changed = bytes.clone();
        changed[place] ^= change;
        let found = verify(&changed, vec![kept.clone()]);
        assert!(found.is_err(), "byte {place} was changed by {change:#04x} and nobody noticed");
    }
}

#[test]
fn a_line_that_is_removed_repeated_or_moved_is_found_and_so_is_every_cut() {
    let chain = chain(&rows());
    let (bytes, kept) = (export(&chain), checkpoint(&chain));
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let is_found = |lines: &[&[u8]]| verify(&lines.concat(), vec![kept.clone()]).is_err();
    for at in 0..lines.len() {
        let mut removed = lines.clone();
        removed.remove(at);
        assert!(is_found(&removed), "line {at} was removed");
        let mut repeated = lines.clone();
        repeated.insert(at, lines[at]);
        assert!(is_found(&repeated), "line {at} was repeated");
        for other in at + 1..lines.len() {
            let mut moved = lines.clone();
            moved.swap(at, other);
            assert!(moved == lines || is_found(&moved), "lines {at} and {other} were changed for each other");
        }
    }
    for end in 0..bytes.len() {
        assert!(verify(&bytes[..end], vec![kept.clone()]).is_err(), "cut after {end} bytes");
    }
}
