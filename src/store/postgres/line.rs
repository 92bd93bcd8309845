//! Connections on which no statement is waited for without end.
//!
//! The server bounds what it does itself, but a server that is stopped, or a network that swallows everything, says nothing at
//! all. So each statement's answer is waited for in bounded time here too. A connection whose answer was not read to its end
//! (the time was over, or nobody waited any more) is never given back to its pool: it is dropped, and the server ends what was
//! begun on it when it notices.

use std::fmt;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, StreamExt as _, TryFutureExt as _, TryStreamExt as _};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Either, Error, Execute, Executor, Postgres, SqlStr};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::connect::Making;
use super::fault::away;
use super::{connect, sql};
use crate::store::Stored;

/// The server does not know the login by what it showed (PostgreSQL 15, appendix A, class 28).
const LOGIN_REFUSED: [&str; 2] = ["28P01", "28000"];

/// A step of an answer: a row, or what the statement has done.
type Step = Either<PgQueryResult, PgRow>;

/// A pool of such connections. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    pool: PgPool,
    patience: Duration,
    making: Arc<Making>,
}

impl Lines {
    pub(super) fn new(pool: PgPool, patience: Duration, making: Making) -> Self {
        Self { pool, patience, making: Arc::new(making) }
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    async fn line(&self) -> sqlx::Result<Line> {
        let connection = match self.pool.acquire().await {
            Err(Error::Database(error)) if error.code().is_some_and(|code| LOGIN_REFUSED.contains(&&*code)) => {
                // The password may have been changed, and its file with it. It may lie on something slow.
                let making = Arc::clone(&self.making);
                if let Ok(options) = tokio::task::spawn_blocking(move || making.options()).await {
                    self.pool.set_connect_options(options);
                }
                self.pool.acquire().await?
            }
            connection => connection?,
        };
        Ok(Line { connection: Some(connection), patience: self.patience, astray: false })
    }

    /// Takes a connection and begins a transaction on it. It ends with [`Line::commit`], or is rolled back.
    ///
    /// A future of sqlx that begins a transaction and is dropped halfway leaves it open on its connection (sqlx issue 4393).
    /// So this is run in a task of its own, to its end, whoever still waits for it.
    pub(super) async fn begin(&self) -> Stored<Line> {
        let (hand, taken) = oneshot::channel();
        let lines = self.clone();
        tokio::spawn(async move {
            let begun = async {
                let mut line = lines.line().await?;
                (&mut line).execute(sql::BEGIN).await?;
                Ok(line)
            };
            if let Err(unwanted) = hand.send(begun.await) {
                // Nobody took it: it is rolled back on its way to the pool.
                drop(unwanted);
            }
        });
        taken.await.map_err(|_| connect::cut_off())?.map_err(away)
    }
}

/// A connection, taken out of its pool.
pub(super) struct Line {
    connection: Option<PoolConnection<Postgres>>,
    /// How long an answer is waited for.
    patience: Duration,
    /// Whether something was asked and its answer was not read to its end.
    astray: bool,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("astray", &self.astray).finish_non_exhaustive()
    }
}

impl Line {
    /// Makes everything durable. Where the answer does not come it is not known whether it is.
    pub(super) async fn commit(mut self) -> sqlx::Result<()> {
        (&mut self).execute(sql::COMMIT).await.map(drop)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take_if(|_| self.astray) {
            drop(connection.detach());
        }
    }
}

/// What is said where no answer comes in time.
pub(super) fn no_answer() -> Error {
    Error::Io(ErrorKind::TimedOut.into())
}

/// Whether a connection can go on after this: an error that the server has told, and none of the connection.
fn is_told<T>(result: &sqlx::Result<T>) -> bool {
    matches!(result, Ok(_) | Err(Error::Database(_) | Error::RowNotFound))
}

impl<'c> Executor<'c> for &'c mut Line {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Step>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let Line { connection: Some(connection), patience, astray } = self else {
            return stream::once(async { Err(Error::PoolClosed) }).boxed();
        };
        let patience = *patience;
        *astray = true;
        let steps = (&mut **connection).fetch_many(query);
        let next = move |(mut steps, astray, goes_on): (BoxStream<'e, sqlx::Result<Step>>, &'e mut bool, bool)| async move {
            if !goes_on {
                return None;
            }
            match timeout(patience, steps.next()).await {
                Ok(Some(step)) => {
                    let goes_on = step.is_ok();
                    if !goes_on && is_told(&step) {
                        *astray = false;
                    }
                    Some((step, (steps, astray, goes_on)))
                }
                Ok(None) => {
                    *astray = false;
                    None
                }
                Err(_) => Some((Err(no_answer()), (steps, astray, false))),
            }
        };
        stream::unfold((steps, astray, true), next).boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        async move {
            let Line { connection: Some(connection), patience, astray } = self else { return Err(Error::PoolClosed) };
            *astray = true;
            let result =
                timeout(*patience, (&mut **connection).fetch_optional(query)).await.unwrap_or_else(|_| Err(no_answer()));
            *astray = !is_told(&result);
            result
        }
        .boxed()
    }

    fn prepare_with<'e>(self, text: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'c: 'e,
    {
        async move {
            let Line { connection: Some(connection), patience, astray } = self else { return Err(Error::PoolClosed) };
            *astray = true;
            let preparing = (&mut **connection).prepare_with(text, parameters);
            let result = timeout(*patience, preparing).await.unwrap_or_else(|_| Err(no_answer()));
            *astray = !is_told(&result);
            result
        }
        .boxed()
    }
}

/// One statement on whichever connection is free; its answer is read whole first.
impl<'c> Executor<'c> for &'c Lines {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Step>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let whole = async move {
            let mut line = self.line().await?;
            let steps: Vec<Step> = (&mut line).fetch_many(query).try_collect().await?;
            Ok(stream::iter(steps.into_iter().map(Ok)))
        };
        whole.try_flatten_stream().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        async move {
            let mut line = self.line().await?;
            (&mut line).fetch_optional(query).await
        }
        .boxed()
    }

    fn prepare_with<'e>(self, text: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'c: 'e,
    {
        async move {
            let mut line = self.line().await?;
            (&mut line).prepare_with(text, parameters).await
        }
        .boxed()
    }
}
