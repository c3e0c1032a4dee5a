"""The application's own writes through an ORM: application.py <database url> <schema> <table> <id>

It reads the process and says so; then it takes, a line each, what is to be written, and answers with what came of it: "written", or the
name of the error. What it knows of the process is what it read at first, as in a Lambda function that has been at work since.
"""

import re
import sys
from datetime import datetime, timezone

from sqlalchemy import MetaData, Table, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Session


def progress(process):
    yield
    process.progress = 90
    yield


def complete(process):
    yield
    process.status, process.progress, process.result = "COMPLETED", 100, {"goals": ["Run"]}
    process.completed_at = now(process)
    yield


def cancel(process):
    """The status first, then why: two statements."""
    yield
    process.status, process.completed_at = "CANCELLED", now(process)
    yield
    process.error = {"code": "CANCELLED", "message": "the user changed their mind"}
    yield


WRITES = {write.__name__: write for write in (progress, complete, cancel)}


def now(process):
    zoned = type(process).completed_at.type.timezone
    return datetime.now(timezone.utc) if zoned else datetime.now(timezone.utc).replace(tzinfo=None)


def main(url, schema, table, process_id):
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg", query={}))
    reflected = Table(table, MetaData(), schema=schema, autoload_with=engine)

    class Base(DeclarativeBase):
        pass

    def snake(name):
        return re.sub("([A-Z])", r"_\1", name).lower()

    columns = {snake(column.name): column for column in reflected.c}
    Process = type("Process", (Base,), {"__table__": reflected, **columns})
    with Session(engine, expire_on_commit=False) as session:
        process = session.get(Process, process_id)
        session.commit()
        print("read", flush=True)
        for line in sys.stdin:
            try:
                for _ in WRITES[line.strip()](process):
                    session.commit()
                print("written", flush=True)
            except Exception as error:  # the caller tells what it may be
                session.rollback()
                print(type(error).__name__, error, flush=True)


main(*sys.argv[1:])
