-- SPDX-License-Identifier: MIT
-- Texts are indexed when somebody searches, not when they are written: text_stale says which are not. Among the words is one for
-- whose they are, so that a search never reads others' texts.
ALTER TABLE todos
    ADD COLUMN text_stale boolean NOT NULL DEFAULT true,
    ADD COLUMN text_words tsvector;
CREATE INDEX todos_text_stale ON todos (user_id, id) WHERE text_stale;
CREATE INDEX todos_text_words ON todos USING gin (text_words) WHERE text_words IS NOT NULL;
