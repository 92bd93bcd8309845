-- The people who look after the installation, and their sessions. Passwords are argon2id in the PHC string form; a session is
-- known by the SHA-256 of its token, which only the browser has.

CREATE TABLE accounts (
    name        text PRIMARY KEY,
    role        text   NOT NULL,
    scope       text   NOT NULL,      -- all, or one area a line
    password    text   NOT NULL,
    created_at  bigint NOT NULL,
    password_at bigint NOT NULL,
    disabled_at bigint
);

CREATE TABLE sessions (
    digest     bytea PRIMARY KEY,
    account    text   NOT NULL REFERENCES accounts (name),
    created_at bigint NOT NULL,
    seen_at    bigint NOT NULL
);

CREATE INDEX sessions_account ON sessions (account);
