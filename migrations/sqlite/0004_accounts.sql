-- The people who look after the installation, and their sessions. Passwords are argon2id in the PHC string form; a session is
-- known by the SHA-256 of its token, which only the browser has.

CREATE TABLE accounts (
    name        TEXT PRIMARY KEY,
    role        TEXT    NOT NULL,
    scope       TEXT    NOT NULL,      -- all, or one area a line
    password    TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    password_at INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT;

CREATE TABLE sessions (
    digest     BLOB PRIMARY KEY,
    account    TEXT    NOT NULL REFERENCES accounts (name),
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_account ON sessions (account);
