//! Groups and pages of dead letters, as one person may see them.

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::{Code, Login, Operator, Scope};
use crate::journey::Journey;
use crate::store::{
    Cause, DeadLetter, DeadLetters as _, LetterChoice, LetterGroup, LetterKey, LetterPage, LetterState, Store, Stored, Tx as _,
};

/// The most letters of one page.
pub const MOST: usize = 1000;

/// The open dead letters of one cause, by an id that tells nothing and can stand in an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The group's id: a keyed digest of its cause.
    pub id: String,
    /// What its letters have in common, how many they are, and when the oldest and the newest came. A contract that is not
    /// known here is `?`.
    pub group: LetterGroup,
}

/// Which dead letters somebody asks for. What is not named is not asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Whether they wait, or were set aside.
    pub state: LetterState,
    /// Who sent them.
    pub sender: Option<Login>,
    /// Why they went no further.
    pub code: Option<Code>,
    /// The id of their group; it names sender and code, so these two are not asked besides.
    pub group: Option<String>,
    /// The message that they belong to, as the sender gave it.
    pub correlation: Option<Uuid>,
    /// Those that came at this time or later.
    pub from: Option<Timestamp>,
    /// Those that came before this time.
    pub before: Option<Timestamp>,
    /// The newest first, instead of the oldest.
    pub newest_first: bool,
    /// Where the page before ended.
    pub after: Option<LetterKey>,
    /// The most letters, at most [`MOST`].
    pub limit: usize,
}

impl Query {
    /// The open ones, the oldest first.
    #[must_use]
    pub const fn open(limit: usize) -> Self {
        Self {
            state: LetterState::Open,
            sender: None,
            code: None,
            group: None,
            correlation: None,
            from: None,
            before: None,
            newest_first: false,
            after: None,
            limit,
        }
    }
}

/// A page of dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The letters, in order. A contract that is not known here is `?`.
    pub letters: Vec<DeadLetter>,
    /// Where the next page begins, if there is one.
    pub next: Option<LetterKey>,
}

/// Whose letters somebody sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sight {
    /// Everybody's, also those whose sender could not be told.
    Everybody,
    /// Those of these logins.
    Of(Vec<Login>),
}

impl Sight {
    pub(super) fn of(journey: &Journey, operator: &Operator) -> Self {
        match operator.scope {
            Scope::Everything => Self::Everybody,
            Scope::Areas(_) => Self::Of(journey.set().catalogue.parties().logins_within(&operator.scope)),
        }
    }

    pub(super) fn has(&self, login: &Login) -> bool {
        match self {
            Self::Everybody => true,
            Self::Of(logins) => logins.contains(login),
        }
    }
}

/// The open dead letters that somebody may see, by cause, the largest group first.
///
/// # Errors
/// A fault of the store.
pub async fn groups<S: Store>(journey: &Journey, store: &S, operator: &Operator) -> Stored<Vec<Group>> {
    let groups = named_groups(journey, store, operator).await?;
    let shown = |(id, mut group): (String, LetterGroup)| {
        group.cause.contract = shown_contract(journey, &group.cause.contract);
        Group { id, group }
    };
    Ok(groups.into_iter().map(shown).collect())
}

async fn named_groups<S: Store>(journey: &Journey, store: &S, operator: &Operator) -> Stored<Vec<(String, LetterGroup)>> {
    let mut tx = store.begin("dead-letter-groups").await?;
    let groups = tx.letter_groups().await?;
    tx.commit().await?;
    let sight = Sight::of(journey, operator);
    let mine = groups.into_iter().filter(|group| sight.has(&group.cause.login));
    Ok(mine.map(|group| (id_of(journey, &group.cause), group)).collect())
}

/// A group's id. It is keyed, because anything may stand in a contract's name that a sender has made up.
pub(super) fn id_of(journey: &Journey, cause: &Cause) -> String {
    let parts = [cause.login.as_str(), cause.code.as_str(), &cause.contract, &cause.place];
    let digest = journey.keys().digest("dead-letter-group", &parts.map(str::as_bytes));
    digest
        .iter()
        .take(8)
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// A page of the dead letters that somebody may see. It costs the same wherever it begins.
///
/// # Errors
/// A fault of the store.
pub async fn page<S: Store>(journey: &Journey, store: &S, operator: &Operator, query: &Query) -> Stored<Page> {
    let choices = choices(journey, store, operator, query).await?;
    let limit = query.limit.clamp(1, MOST);
    let mut letters = Vec::new();
    let mut tx = store.begin("dead-letters-list").await?;
    for choice in choices {
        let one = LetterPage {
            choice,
            state: query.state,
            from: query.from,
            before: query.before,
            newest_first: query.newest_first,
            after: query.after.clone(),
            // One more tells whether there is a next page.
            limit: i64::try_from(limit + 1).unwrap_or(i64::MAX),
        };
        letters.extend(tx.dead_letters(&one).await?);
    }
    tx.commit().await?;
    letters.sort_by_cached_key(DeadLetter::key);
    if query.newest_first {
        letters.reverse();
    }
    let is_more = letters.len() > limit;
    letters.truncate(limit);
    let next = if is_more { letters.last().map(DeadLetter::key) } else { None };
    for letter in &mut letters {
        letter.cause.contract = shown_contract(journey, &letter.cause.contract);
    }
    Ok(Page { letters, next })
}

/// What is asked of the store: for each sender in sight by itself, so that no page looks at letters of others.
async fn choices<S: Store>(journey: &Journey, store: &S, operator: &Operator, query: &Query) -> Stored<Vec<LetterChoice>> {
    if let Some(wanted) = &query.group {
        let groups = named_groups(journey, store, operator).await?;
        let found = groups.into_iter().find(|(id, _)| id == wanted);
        return Ok(found.map(|(_, group)| LetterChoice::Cause(group.cause)).into_iter().collect());
    }
    let senders = match (&query.sender, Sight::of(journey, operator)) {
        (Some(sender), sight) => sight.has(sender).then(|| Some(sender.clone())).into_iter().collect(),
        (None, Sight::Everybody) => vec![None],
        (None, Sight::Of(logins)) => logins.into_iter().map(Some).collect(),
    };
    let choice = |sender: Option<Login>| match (query.correlation, sender, query.code) {
        (Some(id), sender, code) => LetterChoice::Correlation(id, sender, code),
        (None, Some(sender), Some(code)) => LetterChoice::SenderCode(sender, code),
        (None, Some(sender), None) => LetterChoice::Sender(sender),
        (None, None, Some(code)) => LetterChoice::Code(code),
        (None, None, None) => LetterChoice::All,
    };
    Ok(senders.into_iter().map(choice).collect())
}

/// A contract's name as it may be shown: anything may stand in one that no contract has.
#[must_use]
pub fn shown_contract(journey: &Journey, name: &str) -> String {
    let is_known = name.parse().is_ok_and(|name| journey.set().catalogue.contract(&name).is_some());
    if is_known { name.to_owned() } else { "?".to_owned() }
}
