-- The ids of messages whose contents were erased: where a restored content is older than such a message, its sender sends it
-- again, and then it has come before. Ids and a contract's name alone; the rows outlive retention.
CREATE TABLE taken_ids (
    login      text   NOT NULL,
    message_id uuid   NOT NULL,
    contract   text   NOT NULL,
    at         bigint NOT NULL,
    PRIMARY KEY (login, message_id)
);
