//! Dead letters in PostgreSQL: the changes of their counts folded, then groups and pages by index; and what was
//! unmasked.

use jiff::Timestamp;
use sqlx::postgres::PgRow;

use super::fault::away;
use super::line::Line;
use super::read::{column, micros, optional_time, time, word};
use super::rows::{login, message_id, number};
use super::sql;
use super::tx::PgTx;
use crate::domain::{Code, Login, MessageNumber, Operator, Position, RecipientId};
use crate::store::{
    Cause, DeadLetter, DeadLetters, LetterChoice, LetterGroup, LetterPage, LetterPart, LetterState, Stored, UnmaskedField,
};

const TABLE: &str = "dead_letters";

/// How many changes of counts one look folds. What is left is added up as it stands.
const FOLDED: i64 = 20_000;

impl DeadLetters for PgTx {
    async fn letter_groups(&mut self) -> Stored<Vec<LetterGroup>> {
        self.write_out().await?;
        groups(self.db()).await
    }

    async fn dead_letters(&mut self, page: &LetterPage) -> Stored<Vec<DeadLetter>> {
        self.write_out().await?;
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

async fn groups(db: &mut Line) -> Stored<Vec<LetterGroup>> {
    sqlx::query(sql::FOLD_LETTER_CHANGES).bind(FOLDED).execute(&mut *db).await.map_err(away)?;
    sqlx::query(sql::DROP_EMPTY_GROUPS).execute(&mut *db).await.map_err(away)?;
    let rows = sqlx::query(sql::LETTER_GROUPS).fetch_all(db).await.map_err(away)?;
    let group = |row: &PgRow| {
        let (first, last) = (optional_time(row, TABLE, "first")?, optional_time(row, TABLE, "last")?);
        let group = |(first, last)| Ok(LetterGroup { cause: cause(row)?, letters: column(row, "letters")?, first, last });
        first.zip(last).map(group).transpose()
    };
    rows.iter().map(group).filter_map(Result::transpose).collect()
}

async fn letters(db: &mut Line, page: &LetterPage) -> Stored<Vec<DeadLetter>> {
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
            query.bind(id).bind(login.as_ref().map(Login::as_str)).bind(code.map(Code::as_str))
        }
    };
    query.fetch_all(db).await.map_err(away)?.iter().map(letter).collect()
}

fn cause(row: &PgRow) -> Stored<Cause> {
    Ok(Cause {
        login: login(row)?,
        code: word(row, TABLE, "code", |text| text.parse().ok())?,
        contract: column(row, "contract")?,
        place: column(row, "place")?,
    })
}

fn letter(row: &PgRow) -> Stored<DeadLetter> {
    let (recipient, position): (Option<String>, Option<i64>) = (column(row, "recipient")?, column(row, "position")?);
    Ok(DeadLetter {
        message: number(row, "message")?,
        part: LetterPart::from_stored(column(row, "part")?),
        recipient: recipient.map(RecipientId::from_stored),
        position: position.map(Position),
        message_id: message_id(row)?,
        correlation: column(row, "correlation")?,
        cause: cause(row)?,
        said: column(row, "said")?,
        received_at: time(row, TABLE, "received_at")?,
        state: word(row, TABLE, "state", LetterState::from_stored)?,
    })
}

async fn unmasked(db: &mut Line, operator: &str, message: MessageNumber, now: Timestamp) -> Stored<Vec<UnmaskedField>> {
    let query = sqlx::query(sql::UNMASKED_FIELDS).bind(operator).bind(message.0).bind(micros(now));
    let rows = query.fetch_all(db).await.map_err(away)?;
    let field = |row: &PgRow| Ok(UnmaskedField { place: column(row, "place")?, until: time(row, "unmasked_fields", "until")? });
    rows.iter().map(field).collect()
}

async fn keep_unmasked(
    db: &mut Line,
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
