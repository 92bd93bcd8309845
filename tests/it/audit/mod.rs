//! The audit chain: an export that was changed in any way is noticed, and what it is that was changed.

mod bytes;
mod keys;
mod rows;

use brygga::audit::{
    Batch, Checkpoint, ExportFault, ExportReader, Exporter, Head, Link, NOTHING, PublicKey, SigningKey, Verified,
    verify_exports,
};
use brygga::audit::{Chained, Digest, Record};
use brygga::domain::{Code, MessageNumber, Position, RecipientId};
use brygga::seal::ContentDigest;
use brygga::store::{AuditAct, AuditRow};
use jiff::Timestamp;

fn noon() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().expect("an instant")
}

/// Rows of every form: three links of two, three and one, and one more of two.
fn rows() -> Vec<Vec<AuditRow>> {
    let af = RecipientId::arbetsformedlingen();
    let message = MessageNumber(7);
    let decision = AuditRow::of_program(AuditAct::Decision).on(message).with("journey");
    let disclosure = AuditRow::of_program(AuditAct::Disclosure).on(message).to(&af).resting_on("{\"agreement\":\"å\"}");
    let operator = AuditRow::by(AuditAct::Operator, "an operator").on(message).with("discard").because("two\nlines \"here\"");
    let page = AuditRow::of_program(AuditAct::PageServed).to(&af).with("{\"first\":1,\"last\":2,\"count\":2}");
    let withdrawal = AuditRow::of_program(AuditAct::Withdrawal).on(message).to(&af).at(Position(1));
    vec![
        vec![decision.clone(), disclosure.clone().of_content(ContentDigest::from_slice(&[9; 32]))],
        vec![disclosure.clone().resting_on("{}"), operator, withdrawal.under(Code::ConsentRevoked)],
        vec![page],
        vec![decision, disclosure.with("again")],
    ]
}

/// A chain of rows, as a store would have it.
fn chain(rows: &[Vec<AuditRow>]) -> Vec<Chained> {
    let mut all = Vec::new();
    for (number, rows) in (1_i64..).zip(rows) {
        let mut bases: Vec<(Vec<u8>, String)> = Vec::new();
        for row in rows {
            if let (Some(digest), Some(text)) = (Record::of(row).basis, row.basis.clone()) {
                bases.push((digest, text));
            }
        }
        let rows: Vec<(i64, Record)> = (0..).zip(rows.iter().map(Record::of)).collect();
        let batch = Batch::of(rows.iter().map(|(_, row)| row));
        let at = noon().as_microsecond() + number;
        all.push(Chained { link: Link { number, tx: number + 3, at, batch, hash: Digest::ZERO }, rows, bases });
    }
    forge(&mut all);
    all
}

/// Makes all hashes anew, as somebody would who may write to the store.
fn forge(chain: &mut [Chained]) {
    let mut before = NOTHING;
    for (number, one) in (1_i64..).zip(chain) {
        one.link.number = number;
        one.link.batch = Batch::of(one.rows.iter().map(|(_, row)| row));
        one.link.hash = Link::hash_after(&before.hash, number, one.link.tx, one.link.at, &one.link.batch);
        before = Head { number, hash: one.link.hash };
    }
}

fn export(chain: &[Chained]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let to = chain.last().expect("a link").link.number;
    let mut exporter = Exporter::begin(&mut bytes, NOTHING, to).expect("begun");
    for one in chain {
        exporter.write(one).expect("written");
    }
    exporter.end().expect("ended");
    bytes
}

/// A checkpoint of a chain's end, signed and read again as it would be.
fn checkpoint(chain: &[Chained]) -> Checkpoint {
    let link = &chain.last().expect("a link").link;
    let key = SigningKey::read(&SigningKey::new_secret().expect("random numbers")).expect("a key");
    let text = Checkpoint::of(Head { number: link.number, hash: link.hash }, noon(), 1).to_text(&key).expect("written");
    Checkpoint::read(&text, &PublicKey::read(&key.public().to_text()).expect("a key")).expect("signed")
}

fn verify(export: &[u8], checkpoints: Vec<Checkpoint>) -> Result<Verified, ExportFault> {
    verify_exports([Ok(export)], checkpoints)
}

/// What is said of a chain that was changed.
fn said(chain: &[Chained], checkpoints: &[Checkpoint]) -> String {
    verify(&export(chain), checkpoints.to_vec()).expect_err("it was changed").to_string()
}

/// An export is what it says.
fn read(export: &[u8]) -> Vec<Chained> {
    let mut reader = ExportReader::begin(export).expect("an export");
    let mut all = Vec::new();
    while let Some(one) = reader.link().expect("a link") {
        all.push(one);
    }
    all
}
