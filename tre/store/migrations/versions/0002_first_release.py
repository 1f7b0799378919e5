"""The tables of sessions, rates, leases and of the reviewers' search."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_erasures_project_projects")),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_erasures_person_people")),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_erasures")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("until", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "rates",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("window", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "window", name=op.f("pk_rates")),
    )
    op.create_index(op.f("ix_rates_window"), "rates", ["window"], unique=False)
    op.create_table(
        "sign_ins",
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("browser", sa.String(length=64), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("expires", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("state", name=op.f("pk_sign_ins")),
    )
    op.create_index(op.f("ix_sign_ins_expires"), "sign_ins", ["expires"], unique=False)
    op.create_table(
        "trail",
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("time", sa.String(length=32), nullable=False),
        sa.Column("terms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("log_index", name=op.f("pk_trail")),
    )
    op.create_index(op.f("ix_trail_time"), "trail", ["time"], unique=False)
    op.create_table(
        "trail_terms",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("kind", "term", "log_index", name=op.f("pk_trail_terms")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_reads",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("expires", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_audit_reads")),
    )
    op.create_index(op.f("ix_audit_reads_expires"), "audit_reads", ["expires"], unique=False)
    op.create_table(
        "controllers",
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("since", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["datasets.name"], name=op.f("fk_controllers_dataset")),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_controllers_person")),
        sa.PrimaryKeyConstraint("person", "dataset", name=op.f("pk_controllers")),
    )
    op.create_index(op.f("ix_controllers_dataset"), "controllers", ["dataset"], unique=False)
    op.create_table(
        "identities",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("linked", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_identities_person")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_identities")),
    )
    op.create_index(op.f("ix_identities_person"), "identities", ["person"], unique=False)
    op.create_table(
        "sign_in_codes",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("expires", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_sign_in_codes_person")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_sign_in_codes")),
    )
    op.create_index(op.f("ix_sign_in_codes_expires"), "sign_in_codes", ["expires"], unique=False)
    op.create_index(op.f("ix_sign_in_codes_person"), "sign_in_codes", ["person"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("acr", sa.String(length=64), nullable=False),
        sa.Column("began", sa.String(length=32), nullable=False),
        sa.Column("seen", sa.String(length=32), nullable=False),
        sa.Column("expires", sa.String(length=32), nullable=False),
        sa.Column("ended", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_sessions_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("secret", name=op.f("uq_sessions_secret")),
    )
    op.create_index(op.f("ix_sessions_expires"), "sessions", ["expires"], unique=False)
    op.create_index(op.f("ix_sessions_person"), "sessions", ["person"], unique=False)
    with op.batch_alter_table("movements") as movements:
        movements.drop_constraint(op.f("ck_movements_kind"), type_="check")
        kinds = "kind IN ('reserve', 'commit', 'burn', 'void', 'charge')"
        movements.create_check_constraint(op.f("ck_movements_kind"), kinds)
    op.create_table(
        "bounds_releases",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("measure", sa.String(length=32), nullable=False),
        sa.Column("cost_amount", sa.BigInteger(), nullable=False),
        sa.Column("cost_delta", sa.BigInteger(), nullable=False),
        sa.Column("charged", sa.String(length=32), nullable=False),
        sa.Column("released", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["dataset"], ["datasets.name"], name=op.f("fk_bounds_releases_dataset")),
        sa.ForeignKeyConstraint(["version"], ["versions.name"], name=op.f("fk_bounds_releases_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bounds_releases")),
    )
    op.create_index(op.f("ix_bounds_releases_dataset"), "bounds_releases", ["dataset"], unique=False)
    op.create_table(
        "histograms",
        sa.Column("dataset", sa.String(length=64), nullable=False),
        sa.Column("table_name", sa.String(length=64), nullable=False),
        sa.Column("column_name", sa.String(length=64), nullable=False),
        sa.Column("statistic", sa.String(length=32), nullable=False),
        sa.Column("release", sa.String(length=64), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["datasets.name"], name=op.f("fk_histograms_dataset")),
        sa.ForeignKeyConstraint(["release"], ["bounds_releases.id"], name=op.f("fk_histograms_release")),
        sa.PrimaryKeyConstraint("dataset", "table_name", "column_name", "statistic", name=op.f("pk_histograms")),
    )
    op.create_table(
        "sizes",
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("table_name", sa.String(length=64), nullable=False),
        sa.Column("release", sa.String(length=64), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["version"], ["versions.name"], name=op.f("fk_sizes_version")),
        sa.ForeignKeyConstraint(["release"], ["bounds_releases.id"], name=op.f("fk_sizes_release")),
        sa.PrimaryKeyConstraint("version", "table_name", name=op.f("pk_sizes")),
    )
    op.add_column("queries", sa.Column("cancelled", sa.String(length=32), nullable=True))
    op.add_column("queries", sa.Column("aim", sa.Text(), nullable=True))
    op.add_column("queries", sa.Column("second", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_queries_aim"), "queries", ["aim"], unique=False)
