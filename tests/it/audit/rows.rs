//! Whatever is changed in a chain is named by its link and row; a chain that was made anew is found by what was kept elsewhere.

use brygga::audit::{Batch, Chained, Digest, ROWS_GONE_THROUGH, Record};
use brygga::store::{AuditAct, AuditRow};

use super::{chain, checkpoint, export, forge, rows, said, verify};

/// Every way in which one field of a row can be another.
fn changes() -> Vec<fn(&mut Record)> {
    fn other(text: &mut Option<String>) {
        *text = if text.is_some() { None } else { Some(String::new()) };
    }
    vec![
        |row| row.act.push('x'),
        |row| row.actor.push('x'),
        |row| row.message = Some(row.message.map_or(0, |known| known + 1)),
        |row| row.message = row.message.map_or(Some(1), |_| None),
        |row| other(&mut row.recipient),
        |row| row.position = Some(row.position.map_or(0, |known| known + 1)),
        |row| other(&mut row.code),
        |row| other(&mut row.reason),
        |row| row.detail.push('x'),
        |row| row.basis = None,
        |row| row.content = Some(vec![1; 32]),
        |row| row.content = row.content.as_ref().map_or(Some(Vec::new()), |_| None),
    ]
}

#[test]
fn a_row_that_was_changed_is_named_whatever_field_it_was() {
    let good = chain(&rows());
    for link in 0..good.len() {
        for row in 0..good[link].rows.len() {
            for (number, change) in changes().into_iter().enumerate() {
                let mut changed = good.clone();
                change(&mut changed[link].rows[row].1);
                if changed == good {
                    continue;
                }
                let wanted = format!("link {}, row {row}: the row was changed", link + 1);
                assert_eq!(said(&changed, &[]), wanted, "change {number}");
                // Who makes the digest over the rows anew as well, but not the hashes.
                changed[link].link.batch = Batch::of(changed[link].rows.iter().map(|(_, row)| row));
                assert!(said(&changed, &[]).starts_with(&format!("link {}: the link was changed", link + 1)));
                // And who makes all hashes anew is found by what was kept elsewhere.
                forge(&mut changed);
                assert!(said(&changed, &[checkpoint(&good)]).starts_with("link 4: the checkpoint kept elsewhere"));
            }
        }
    }
}

/// Gives rows the places that they would have.
fn renumber(one: &mut Chained) {
    for (place, row) in (0..).zip(&mut one.rows) {
        row.0 = place;
    }
}

#[test]
fn a_row_that_was_removed_inserted_or_moved_is_named() {
    let good = chain(&rows());
    for link in 0..good.len() {
        let (number, size) = (link + 1, good[link].rows.len());
        for row in 0..size {
            let mut removed = good.clone();
            removed[link].rows.remove(row);
            renumber(&mut removed[link]);
            let wanted = match size {
                1 => format!("link {number}, row 0: all rows of the link were removed, and no proof of retention covers them"),
                _ => format!("link {number}, row {row}: a row was removed here"),
            };
            assert_eq!(said(&removed, &[]), wanted);
            let mut inserted = good.clone();
            let another = Record::of(&AuditRow::by(AuditAct::Reading, "somebody"));
            inserted[link].rows.insert(row, (0, another));
            renumber(&mut inserted[link]);
            assert_eq!(said(&inserted, &[]), format!("link {number}, row {row}: a row was inserted here"));
            if row + 1 < size {
                let mut moved = good.clone();
                moved[link].rows.swap(row, row + 1);
                renumber(&mut moved[link]);
                assert_eq!(said(&moved, &[]), format!("link {number}, row {row}: rows were reordered from here on"));
            }
        }
    }
}

#[test]
fn a_link_that_was_changed_removed_repeated_or_moved_is_named() {
    let good = chain(&rows());
    let changes: [fn(&mut Chained); 7] = [
        |one| one.link.tx += 1,
        |one| one.link.at += 1,
        |one| one.link.batch.size += 1,
        |one| one.link.batch.digest = Digest::ZERO,
        |one| one.link.batch.marks.push(0),
        |one| one.link.batch.marks.clear(),
        |one| one.link.hash = Digest::ZERO,
    ];
    for link in 0..good.len() {
        let number = link + 1;
        for change in changes {
            let mut other = good.clone();
            change(&mut other[link]);
            assert!(said(&other, &[]).starts_with(&format!("link {number}")), "{}", said(&other, &[]));
        }
        let mut repeated = good.clone();
        repeated.insert(link, good[link].clone());
        assert!(said(&repeated, &[]).starts_with(&format!("link {number}: the link was inserted")));
        let mut removed = good.clone();
        removed.remove(link);
        if link + 1 < good.len() {
            assert_eq!(said(&removed, &[]), format!("link {number}: links were removed from here on"));
        } else {
            verify(&export(&removed), Vec::new()).expect("what comes after the last checkpoint is not protected");
            let wanted = "link 4: the chain ends before it, and the checkpoint kept elsewhere has link 4: the end was cut off";
            assert_eq!(said(&removed, &[checkpoint(&good)]), wanted);
        }
    }
}

#[test]
fn what_is_rested_on_cannot_be_another_text() {
    let good = chain(&rows());
    let mut changed = good.clone();
    changed[1].bases[0].1.push(' ');
    assert_eq!(said(&changed, &[]), "link 2, row 0: the text that the row rests on was changed or removed");
}

#[test]
fn rows_that_retention_has_removed_are_counted_where_a_row_proves_it() {
    let mut all = rows();
    let proof = |through: i64| {
        let detail = serde_json::json!({ "class": "audit", ROWS_GONE_THROUGH: through }).to_string();
        vec![AuditRow::of_program(AuditAct::Retention).with(detail)]
    };
    all.push(proof(2));
    let good = chain(&all);
    let mut gone = good.clone();
    for one in &mut gone[..2] {
        one.rows.clear();
    }
    let found = verify(&export(&gone), vec![checkpoint(&good)]).expect("the chain holds");
    assert_eq!((found.rows, found.gone), (4, 5));
    gone[2].rows.clear();
    assert!(said(&gone, &[]).starts_with("link 3, row 0: all rows of the link were removed"));
    // A proof is about what came before it, and itself stays.
    let mut unproved = chain(&[rows(), vec![proof(9)]].concat());
    unproved[4].rows.clear();
    assert!(said(&unproved, &[]).starts_with("link 5, row 0: all rows of the link were removed"));
}

#[test]
fn a_checkpoint_ahead_of_a_restored_chain_is_told_with_the_restore_that_may_explain_it() {
    let lost = chain(&rows());
    let restore = AuditRow::by(AuditAct::Restore, "an operator").with("{\"epoch\":2}");
    let restored = chain(&[rows()[..1].to_vec(), vec![vec![restore]]].concat());
    let told = said(&restored, &[checkpoint(&lost)]);
    assert!(told.ends_with("; link 2 says that a restored content was accepted after that checkpoint"), "{told}");
    assert!(told.starts_with("link 3: the chain ends before it"), "{told}");
    let grown = chain(&[rows()[..1].to_vec(), rows()[2..].to_vec(), rows()].concat());
    assert!(said(&grown, &[checkpoint(&lost)]).starts_with("link 4: the checkpoint kept elsewhere has another hash"));
}

#[test]
fn exports_of_parts_go_on_where_the_one_before_ends() {
    use brygga::audit::{Exporter, Head, NOTHING, verify_exports};
    let good = chain(&rows());
    let part = |before: Head, links: &[Chained]| {
        let mut bytes = Vec::new();
        let to = links.last().expect("a link").link.number;
        let mut exporter = Exporter::begin(&mut bytes, before, to).expect("begun");
        for one in links {
            exporter.write(one).expect("written");
        }
        exporter.end().expect("ended");
        bytes
    };
    let middle = Head { number: 2, hash: good[1].link.hash };
    let (first, second) = (part(NOTHING, &good[..2]), part(middle, &good[2..]));
    let kept = checkpoint(&good);
    let found = verify_exports([Ok(&*first), Ok(&*second)], vec![kept.clone()]).expect("the chain holds");
    assert_eq!((found.from, found.to, found.confirmed), (1, 4, Some(4)));
    let found = verify_exports([Ok(&*second)], vec![kept]).expect("a part holds");
    assert_eq!((found.from, found.to), (3, 4));
    assert!(verify_exports([Ok(&*second), Ok(&*first)], Vec::new()).is_err());
    assert!(verify_exports([Ok(&*first), Ok(&*first)], Vec::new()).is_err());
}
