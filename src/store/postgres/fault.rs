//! What PostgreSQL and the driver say, in the words of the port. Of an error of the server only its code is kept: message
//! and detail can quote the values of a row.

use std::io::ErrorKind;

use sqlx::migrate::MigrateError;

use crate::store::StoreError;

/// A deadlock, in which this transaction was the one to give way.
const DEADLOCK: &str = "40P01";

/// A transaction that could not be put in order with another.
const SERIALIZATION: &str = "40001";

/// Reads an error of the driver.
pub(super) fn away(error: sqlx::Error) -> StoreError {
    let words = match error {
        sqlx::Error::Database(error) => match error.code().as_deref() {
            Some(DEADLOCK | SERIALIZATION) => return StoreError::Contended,
            Some(code) if is_of_the_row(code) => return StoreError::Refused(format!("SQLSTATE {code}")),
            Some(code) => server_words(code),
            None => "the server refused".to_owned(),
        },
        sqlx::Error::Io(error) if error.kind() == ErrorKind::TimedOut => "the server does not answer".to_owned(),
        sqlx::Error::Io(error) => format!("no connection: {}", error.kind()),
        sqlx::Error::Tls(_) => "no connection: TLS failed".to_owned(),
        sqlx::Error::PoolTimedOut => "no connection became free in time".to_owned(),
        sqlx::Error::PoolClosed => "the connections are closed".to_owned(),
        sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_) => "the connection broke".to_owned(),
        sqlx::Error::BeginFailed => "no transaction could be begun".to_owned(),
        sqlx::Error::Configuration(_) => "the connection's settings were refused".to_owned(),
        _ => return StoreError::Inconsistent { table: "a row", column: "a column" },
    };
    StoreError::Away(words)
}

/// Whether the server does not take a value or a row: data exceptions (class 22), integrity constraints (class 23), and what
/// exceeds a bound of the server's (54000). No waiting mends that, and others need not wait for it.
fn is_of_the_row(code: &str) -> bool {
    code.starts_with("22") || code.starts_with("23") || code == "54000"
}

/// A code of the server (PostgreSQL 15, appendix A) with words for those that an operator meets.
fn server_words(code: &str) -> String {
    let words = match code {
        "28P01" | "28000" => "the login was refused",
        "3D000" => "there is no such database",
        "42501" => "a right is missing",
        "53100" => "the server's disk is full",
        "53300" => "the server has no connections left",
        "55P03" => "a lock was not free in time",
        "57014" => "a statement took too long",
        "57P01" | "57P02" | "57P03" => "the server is stopping or starting",
        "25P03" => "a transaction stood idle for too long",
        "25006" => "the server only reads",
        _ => "the server refused",
    };
    format!("{words} (SQLSTATE {code})")
}

/// Reads an error of the migrations: what is in the database and is not ours is refused rather than guessed at.
pub(super) fn migration(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => away(error),
        MigrateError::VersionMissing(version) => {
            StoreError::Schema(format!("the database has migration {version}, which this version of Brygga does not know"))
        }
        MigrateError::VersionMismatch(version) => {
            StoreError::Schema(format!("migration {version} in the database is not the one that this version of Brygga has"))
        }
        MigrateError::Dirty(version) => StoreError::Schema(format!("migration {version} was begun and not ended")),
        _ => StoreError::Schema("the migrations cannot be read".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_of_the_row, server_words};

    #[test]
    fn what_is_wrong_with_one_row_is_told_from_what_is_wrong_with_the_server() {
        for of_the_row in ["22001", "22021", "22P02", "23502", "23505", "23514"] {
            assert!(is_of_the_row(of_the_row), "{of_the_row}");
        }
        for of_the_server in ["08006", "25006", "28P01", "42501", "42P01", "53100", "57014", "57P01", "XX000"] {
            assert!(!is_of_the_row(of_the_server), "{of_the_server}");
        }
    }

    #[test]
    fn an_error_of_the_server_is_told_by_its_code_alone() {
        assert_eq!(server_words("42P01"), "the server refused (SQLSTATE 42P01)");
        assert_eq!(server_words("57014"), "a statement took too long (SQLSTATE 57014)");
    }
}
