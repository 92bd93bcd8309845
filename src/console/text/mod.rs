//! Every text of the console: one file a language, and a struct that each has to fill, so that no text can be without the
//! other. `{}` stands where a value comes.

mod en;
mod sv;

pub use en::EN;
pub use sv::SV;

/// The texts of a language, by name, and all of them for the test that compares languages.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// All texts in one language.
        #[derive(Debug)]
        pub struct Texts {
            $($(#[$doc])* pub $name: &'static str,)*
        }

        impl Texts {
            /// Every text with its name.
            #[must_use]
            pub fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

texts! {
    /// The language's tag (BCP 47).
    lang,
    /// The name of the other language, in that language.
    other_language,
    /// Its tag.
    other_lang,
    /// The product and what this is of it.
    product,
    /// To what the page is about, past what all pages have.
    skip,
    /// The navigation's name.
    navigation,
    /// Navigation.
    nav_overview,
    /// Navigation.
    nav_people,
    /// Navigation.
    nav_account,
    /// Navigation.
    nav_help,
    /// Navigation.
    nav_accessibility,
    /// Signing in.
    sign_in,
    /// Signing in.
    sign_in_words,
    /// Signing in.
    sign_in_refused,
    /// Signing in.
    sign_in_wait,
    /// Signing in.
    sign_in_busy,
    /// Signing in.
    name,
    /// Signing in.
    password,
    /// Signing in.
    forgotten,
    /// Signing out.
    sign_out,
    /// The overview.
    overview,
    /// The overview.
    all_well,
    /// The overview.
    alarms,
    /// The overview.
    what_helps,
    /// The overview.
    as_of,
    /// The overview.
    part_down,
    /// The overview.
    part_starting,
    /// The overview.
    letter_old,
    /// The overview.
    feed_refused,
    /// The overview.
    feed_waits,
    /// The overview.
    due_old,
    /// The overview.
    sums_wrong,
    /// The picture.
    picture,
    /// The picture.
    picture_words,
    /// The picture and its table.
    received,
    /// The picture and its table.
    journeys,
    /// The picture and its table.
    refused_messages,
    /// The picture and its table.
    published,
    /// The picture and its table.
    held,
    /// The picture and its table.
    unfetched,
    /// The table.
    duplicates,
    /// The table.
    recorded,
    /// The table.
    diverted,
    /// The table.
    legs_refused,
    /// The table.
    superseded,
    /// The table.
    withdrawn,
    /// The table.
    numbers,
    /// The table.
    where_it_stands,
    /// The table.
    count,
    /// Instead of the table.
    numbers_bounded,
    /// Feeds.
    feeds,
    /// Feeds.
    feeds_words,
    /// Feeds.
    no_feeds,
    /// Feeds.
    recipient,
    /// Feeds.
    last_fetched,
    /// Feeds.
    oldest_waiting,
    /// Feeds.
    waiting,
    /// Feeds.
    not_taken,
    /// Feeds.
    never,
    /// Feeds.
    nothing,
    /// What waits.
    waits,
    /// What waits.
    oldest_letter,
    /// What waits.
    oldest_due,
    /// An age.
    seconds,
    /// An age.
    minutes,
    /// An age.
    hours,
    /// An age.
    days,
    /// One's own account.
    account,
    /// One's own account.
    role,
    /// One's own account.
    scope,
    /// One's own account.
    scope_all,
    /// One's own account.
    signed_in_since,
    /// One's own account.
    session_words,
    /// One's own account.
    everywhere,
    /// One's own account.
    everywhere_words,
    /// One's own account.
    change_password,
    /// One's own account.
    change_password_words,
    /// One's own account.
    present_password,
    /// One's own account.
    new_password,
    /// One's own account.
    new_password_again,
    /// One's own account.
    password_rule,
    /// One's own account.
    password_differs,
    /// One's own account.
    password_wrong,
    /// One's own account.
    password_short,
    /// One's own account.
    password_weak,
    /// Accounts.
    people,
    /// Accounts.
    people_words,
    /// Accounts.
    password_since,
    /// Accounts.
    disabled,
    /// Accounts.
    active,
    /// Accounts.
    state,
    /// Roles.
    role_viewer,
    /// Roles.
    role_operator,
    /// Roles.
    role_privacy,
    /// Roles.
    role_admin,
    /// Errors.
    error,
    /// Errors.
    forbidden,
    /// Errors.
    forbidden_words,
    /// Errors.
    missing,
    /// Errors.
    missing_words,
    /// Errors.
    method_words,
    /// Errors.
    away,
    /// Errors.
    away_words,
    /// Errors.
    failed,
    /// Errors.
    failed_words,
    /// Errors.
    refused,
    /// Errors.
    refused_words,
    /// Errors.
    to_start,
    /// Help.
    help,
    /// Help.
    help_words,
    /// Help.
    help_part,
    /// Help.
    help_part_words,
    /// Help.
    help_letter,
    /// Help.
    help_letter_words,
    /// Help.
    help_refused,
    /// Help.
    help_refused_words,
    /// Help.
    help_waits,
    /// Help.
    help_waits_words,
    /// Help.
    help_due,
    /// Help.
    help_due_words,
    /// Help.
    help_sums,
    /// Help.
    help_sums_words,
    /// The statement.
    accessibility,
    /// The statement.
    accessibility_words,
    /// The statement.
    accessibility_how,
    /// The statement.
    accessibility_how_words,
    /// The statement.
    accessibility_checked,
    /// The statement.
    accessibility_checked_words,
    /// The statement.
    accessibility_report,
    /// The statement.
    accessibility_report_words,
}

/// The texts of one of the two languages.
pub(super) const fn in_language(is_english: bool) -> &'static Texts {
    if is_english { &EN } else { &SV }
}

#[cfg(test)]
mod tests {
    use super::{EN, SV};

    #[test]
    fn every_text_is_there_in_both_languages_and_takes_the_same_values() {
        let (swedish, english) = (SV.all(), EN.all());
        assert_eq!(swedish.len(), english.len());
        // Words that are the same in both.
        let alike = ["product", "minutes", "seconds"];
        for ((name, sv), (other, en)) in swedish.into_iter().zip(english) {
            assert_eq!(name, other);
            assert!(!sv.trim().is_empty() && !en.trim().is_empty(), "{name} is empty");
            assert_eq!(sv.matches("{}").count(), en.matches("{}").count(), "{name}");
            assert!(sv != en || alike.contains(&name), "{name} was not translated: {sv}");
        }
    }
}
