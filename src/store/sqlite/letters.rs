//! Dead letters in SQLite: groups and pages by index, and what was unmasked.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::read::{column, digest, inconsistent, micros, optional_digest, optional_time, time, word};
use super::{SqliteTx, Stored, away, sql};
use crate::domain::{Code, Login, MessageNumber, Operator, Position, RecipientId};
use crate::store::{
    Cause, DeadLetter, DeadLetters, LetterChoice, LetterGroup, LetterPage, LetterPart, LetterState, UnmaskedField,
};

const TABLE: &str = "dead_letters";

impl DeadLetters for SqliteTx {
    async fn letter_groups(&mut self) -> Stored<Vec<LetterGroup>> {
        groups(self.db()).await
    }

    async fn dead_letters(&mut self, page: &LetterPage) -> Stored<Vec<DeadLetter>> {
        letters(self.db(), page).await
    }

    async fn unmasked_fields(&mut self, operator: &Operator, message: MessageNumber) -> Stored<Vec<UnmaskedField>> {
        let now = self.now;
        unmasked(self.db(), &operator.name, message, now).await
    }

    async fn keep_unmasked_field(&mut self, operator: &Operator, message: MessageNumber, field: &UnmaskedField) -> Stored<()> {
        let now = self.now;
        keep_unmasked(self.db(), &operator.name, message, field, now).await
    }
}

async fn groups(db: &mut SqliteConnection) -> Stored<Vec<LetterGroup>> {
    let rows = sqlx::query(sql::LETTER_GROUPS).fetch_all(db).await.map_err(away)?;
    let group = |row: &SqliteRow| {
        let (first, last) = (optional_time(row, TABLE, "first")?, optional_time(row, TABLE, "last")?);
        let group = |(first, last)| Ok(LetterGroup { cause: cause(row)?, letters: column(row, "letters")?, first, last });
        first.zip(last).map(group).transpose()
    };
    rows.iter().map(group).filter_map(Result::transpose).collect()
}

async fn letters(db: &mut SqliteConnection, page: &LetterPage) -> Stored<Vec<DeadLetter>> {
    let ((low_at, low_message, low_part), (high_at, high_message, high_part)) = page.bounds();
    let query = sqlx::query(sql::letters(page))
        .bind(page.state.as_str())
        .bind(low_at)
        .bind(low_message)
        .bind(low_part)
        .bind(high_at)
        .bind(high_message)
        .bind(high_part)
        .bind(page.limit);
    let query = match &page.choice {
        LetterChoice::All => query,
        LetterChoice::Sender(login) => query.bind(login.as_str()),
        LetterChoice::Code(code) => query.bind(code.as_str()),
        LetterChoice::SenderCode(login, code) => query.bind(login.as_str()).bind(code.as_str()),
        LetterChoice::Cause(cause) => {
            query.bind(cause.login.as_str()).bind(cause.code.as_str()).bind(&cause.contract).bind(&cause.place)
        }
        LetterChoice::Correlation(id, login, code) => {
            query.bind(id.as_bytes().as_slice()).bind(login.as_ref().map(Login::as_str)).bind(code.map(Code::as_str))
        }
    };
    query.fetch_all(db).await.map_err(away)?.iter().map(letter).collect()
}

fn cause(row: &SqliteRow) -> Stored<Cause> {
    let login: String = column(row, "login")?;
    Ok(Cause {
        login: Login::try_from(login).map_err(|_| inconsistent(TABLE, "login"))?,
        code: word(row, TABLE, "code", |text| text.parse().ok())?,
        contract: column(row, "contract")?,
        place: column(row, "place")?,
    })
}

fn letter(row: &SqliteRow) -> Stored<DeadLetter> {
    let (recipient, position): (Option<String>, Option<i64>) = (column(row, "recipient")?, column(row, "position")?);
    Ok(DeadLetter {
        message: MessageNumber(column(row, "message")?),
        part: LetterPart::from_stored(column(row, "part")?),
        recipient: recipient.map(RecipientId::from_stored),
        position: position.map(Position),
        message_id: digest(row, TABLE, "message_id", |bytes| Uuid::from_slice(bytes).ok())?,
        correlation: optional_digest(row, TABLE, "correlation", |bytes| Uuid::from_slice(bytes).ok())?,
        cause: cause(row)?,
        said: column(row, "said")?,
        received_at: time(row, TABLE, "received_at")?,
        state: word(row, TABLE, "state", LetterState::from_stored)?,
    })
}

async fn unmasked(
    db: &mut SqliteConnection,
    operator: &str,
    message: MessageNumber,
    now: Timestamp,
) -> Stored<Vec<UnmaskedField>> {
    let query = sqlx::query(sql::UNMASKED_FIELDS).bind(operator).bind(message.0).bind(micros(now));
    let rows = query.fetch_all(db).await.map_err(away)?;
    let field =
        |row: &SqliteRow| Ok(UnmaskedField { place: column(row, "place")?, until: time(row, "unmasked_fields", "until")? });
    rows.iter().map(field).collect()
}

async fn keep_unmasked(
    db: &mut SqliteConnection,
    operator: &str,
    message: MessageNumber,
    field: &UnmaskedField,
    now: Timestamp,
) -> Stored<()> {
    let query = sqlx::query(sql::DROP_UNMASKED_FIELDS).bind(operator).bind(micros(now));
    query.execute(&mut *db).await.map_err(away)?;
    let query = sqlx::query(sql::KEEP_UNMASKED_FIELD).bind(operator).bind(message.0).bind(&field.place);
    query.bind(micros(field.until)).execute(db).await.map(drop).map_err(away)
}
