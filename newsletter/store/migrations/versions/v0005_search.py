"""Search over the archive, kept in step by the database itself, and what editions' public pages show.

`paper_search` is FTS5 on SQLite and a table of tsvectors on PostgreSQL; both stem English words and fold accents, and
neither knows papers that no digest has listed (first day 9999-12-31): those are some reader's likes, and nobody else's
business.
"""

import sqlalchemy as sa
from alembic import op

from newsletter.errors import StoreError

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# external content: the index holds words, the texts stay in `papers` (https://sqlite.org/fts5.html, section 4.4.4)
_SQLITE = (
    """CREATE VIEW paper_texts AS SELECT number, title, abstract,
    (SELECT group_concat(value, '; ') FROM json_each(authors)) AS authors, first_day FROM papers""",
    """CREATE VIRTUAL TABLE paper_search USING fts5(title, abstract, authors, content='paper_texts',
    content_rowid='number', tokenize='porter unicode61 remove_diacritics 2', prefix='3 4 5')""",
    """INSERT INTO paper_search(rowid, title, abstract, authors)
    SELECT number, title, abstract, authors FROM paper_texts WHERE first_day < '9999-12-31'""",
)
# a change is what was, taken out, and what is, taken in
_IN = """INSERT INTO paper_search(rowid, title, abstract, authors)
    SELECT new.number, new.title, new.abstract, (SELECT group_concat(value, '; ') FROM json_each(new.authors))
    WHERE new.first_day < '9999-12-31';"""
_OUT = """INSERT INTO paper_search(paper_search, rowid, title, abstract, authors)
    SELECT 'delete', old.number, old.title, old.abstract, (SELECT group_concat(value, '; ') FROM json_each(old.authors))
    WHERE old.first_day < '9999-12-31';"""
_CHANGED = """old.title IS NOT new.title OR old.abstract IS NOT new.abstract OR old.authors IS NOT new.authors
    OR (old.first_day < '9999-12-31') IS NOT (new.first_day < '9999-12-31')"""
_SQLITE_TRIGGERS = (
    f"CREATE TRIGGER paper_search_insert AFTER INSERT ON papers BEGIN {_IN} END",
    f"CREATE TRIGGER paper_search_delete AFTER DELETE ON papers BEGIN {_OUT} END",
    f"CREATE TRIGGER paper_search_update AFTER UPDATE ON papers WHEN {_CHANGED} BEGIN {_OUT} {_IN} END",
)

# PostgreSQL's parser takes "state/of" for a path and "a-b" for a compound; FTS5 knows letters and digits alone. So the
# text is cut the same way before it is parsed. Longer abstracts could pass the 1 MB that a tsvector may have.
_POSTGRES = (
    "CREATE TEXT SEARCH DICTIONARY paper_stem (TEMPLATE = snowball, LANGUAGE = english)",  # without stop words
    "CREATE TEXT SEARCH CONFIGURATION paper_words (COPY = simple)",
    "ALTER TEXT SEARCH CONFIGURATION paper_words ALTER MAPPING FOR asciiword, word, numword WITH paper_stem",
    r"""CREATE FUNCTION paper_plain(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    regexp_replace(regexp_replace(normalize(lower(left(given, 50000)), NFKD), '[\u0300-\u036f]', '', 'g'),
    '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7\u2000-\u206f\u2190-\u2bff\u3000-\u3003\u3008-\u3020]+',
    ' ', 'g')""",
    # rows of 8 kB: a long value out of its row is a second read
    """CREATE TABLE paper_search (paper integer PRIMARY KEY REFERENCES papers (number) ON DELETE CASCADE,
    words tsvector NOT NULL, people tsvector NOT NULL) WITH (toast_tuple_target = 8160)""",
    """CREATE FUNCTION paper_search_row(given papers) RETURNS void LANGUAGE sql AS $$
    INSERT INTO paper_search SELECT given.number,
      setweight(to_tsvector('paper_words', paper_plain(left(given.title, 2000))), 'A')
      || setweight(to_tsvector('paper_words', paper_plain(names)), 'B')
      || setweight(to_tsvector('paper_words', paper_plain(given.abstract)), 'D'),
      to_tsvector('paper_words', paper_plain(names))
    FROM (SELECT coalesce(string_agg(value, ' ; '), '') AS names FROM json_array_elements_text(given.authors) AS value)
      AS people
    WHERE given.first_day < '9999-12-31' $$""",
    "SELECT paper_search_row(papers) FROM papers",
    "CREATE INDEX ix_paper_search_words ON paper_search USING gin (words)",
    "CREATE INDEX ix_paper_search_people ON paper_search USING gin (people)",
    """CREATE FUNCTION paper_search_keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'UPDATE' THEN DELETE FROM paper_search WHERE paper = old.number; END IF;
    PERFORM paper_search_row(new); RETURN NULL; END $$""",
    "CREATE TRIGGER paper_search_insert AFTER INSERT ON papers FOR EACH ROW EXECUTE FUNCTION paper_search_keep()",
    """CREATE TRIGGER paper_search_update AFTER UPDATE ON papers FOR EACH ROW WHEN (
    old.title IS DISTINCT FROM new.title OR old.abstract IS DISTINCT FROM new.abstract
    OR old.authors::text IS DISTINCT FROM new.authors::text
    OR (old.first_day < '9999-12-31') IS DISTINCT FROM (new.first_day < '9999-12-31'))
    EXECUTE FUNCTION paper_search_keep()""",
)


def upgrade() -> None:
    """Creates the tables, and the index filled with the archive as it is."""
    op.create_table(
        "edition_maps",
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("edition", name="pk_edition_maps"),
    )
    op.create_index("ix_edition_maps_day", "edition_maps", ["day"])
    op.create_index("ix_themes_id_day", "themes", ["id", "day"])
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        statements: tuple[str, ...] = _POSTGRES
    else:
        _check_fts5(connection)
        statements = (*_SQLITE, *_SQLITE_TRIGGERS)
    for statement in statements:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Removes them; nothing is lost that is not made again."""
    if op.get_bind().dialect.name == "postgresql":
        removed: tuple[str, ...] = (
            "TRIGGER paper_search_insert ON papers", "TRIGGER paper_search_update ON papers",
            "FUNCTION paper_search_keep()", "FUNCTION paper_search_row(papers)", "TABLE paper_search",
            "FUNCTION paper_plain(text)", "TEXT SEARCH CONFIGURATION paper_words", "TEXT SEARCH DICTIONARY paper_stem",
        )  # fmt: skip
    else:
        triggers = (f"TRIGGER paper_search_{event}" for event in ("insert", "delete", "update"))
        removed = (*triggers, "TABLE paper_search", "VIEW paper_texts")
    for one in removed:
        op.execute(f"DROP {one}")
    op.drop_index("ix_themes_id_day", "themes")
    op.drop_table("edition_maps")


def _check_fts5(connection: sa.Connection) -> None:
    if not connection.exec_driver_sql("SELECT sqlite_compileoption_used('ENABLE_FTS5')").scalar():
        raise StoreError(
            "cannot search papers", why="this Python's SQLite was built without FTS5",
            do="Use a Python whose SQLite has it, or PostgreSQL by the key `database`",
        )  # fmt: skip
