"""Look at the database that DATABASE_URL names: does it answer, and is PostGIS there. Runs inside `.venv`."""

import os
import sys

import dj_database_url
import psycopg2

from webapp.setup.place import SetupError


def look(address: str) -> None:
    """Raise SetupError where the database cannot be used.

    Raises:
        SetupError: it does not answer, or PostGIS is missing and may not be made by us.
    """
    config = dj_database_url.parse(address)
    try:
        connection = psycopg2.connect(
            host=config.get("HOST") or None,
            port=config.get("PORT") or None,
            user=config.get("USER") or None,
            password=config.get("PASSWORD") or None,
            dbname=config.get("NAME") or None,
            connect_timeout=10,
        )
    except psycopg2.Error as error:
        raise SetupError(f"The database of DATABASE_URL does not answer: {' '.join(str(error).split())}.") from error
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    except psycopg2.Error as error:
        raise SetupError(
            "The database of DATABASE_URL has no PostGIS; have its administrator run CREATE EXTENSION postgis in it."
        ) from error
    finally:
        connection.close()


if __name__ == "__main__":
    try:
        look(os.environ["DATABASE_URL"])
    except SetupError as error:
        sys.exit(str(error))
