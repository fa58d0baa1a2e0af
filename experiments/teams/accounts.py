"""Accounts of a team's MLflow: `python -m experiments.teams.accounts ann --role trainer`.

A name and a role enter; an account on the server of `MLFLOW_TRACKING_URI` leaves. Run by its administrator, whom
`MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD` name as any other user. The new password is asked for, or
taken from `NEW_PASSWORD`.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import TYPE_CHECKING

import click

from stance.errors import ServiceError, StanceError
from stance.tracking.reach import VARIABLE
from stance.tracking.store import open_store

if TYPE_CHECKING:
    from mlflow.server.auth.client import AuthServiceClient

NEW = "NEW_PASSWORD"
READER, TRAINER = "reader", "trainer"
SHORTEST = 12  # characters, by MLflow
WORKSPACE = "default"
# MANAGE, as a promotion takes away an alias and its lock, which MLflow counts as deleting from a model.
GRANTS = (("experiment", "EDIT"), ("registered_model", "MANAGE"))


def add_account(name: str, role: str, password: str) -> None:
    """Make an account: a trainer writes all runs and models, a reader reads them.

    Raises ServiceError for a short password, StoreError where the server refuses: a name that is taken, or an asker
    who is not its administrator.
    """
    if len(password) < SHORTEST:
        raise ServiceError(f"a password needs {SHORTEST} characters or more")
    with open_store() as store:
        if not store.uri.startswith("http"):
            raise ServiceError(f"accounts are the server's: set {VARIABLE} to its http address")
        client = _client(store.uri)
        trainers = _trainers(client) if role == TRAINER else None
        try:
            client.create_user(name, password)
        except Exception as error:
            if getattr(error, "error_code", "") != "RESOURCE_ALREADY_EXISTS":
                raise
            # Not from the error, which quotes what the server wanted to store.
            raise ServiceError(f"there is an account '{name}' already; choose another name") from None
        if trainers is not None:
            client.assign_role(name, trainers)


def _client(uri: str) -> AuthServiceClient:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the import takes all of MLflow's server, and what it has yet to renew
        from mlflow.server.auth.client import AuthServiceClient

    return AuthServiceClient(uri)


def _trainers(client: AuthServiceClient) -> int:
    """The number of the trainers' role, made on first use."""
    found = [role.id for role in client.list_roles(WORKSPACE) if role.name == TRAINER]
    if found:
        return int(found[0])
    made = client.create_role(WORKSPACE, TRAINER, "Trains, and promotes models").id
    for kind, permission in GRANTS:
        client.add_role_permission(made, kind, "*", permission)
    return int(made)


@click.command()
@click.argument("name")
@click.option("--role", type=click.Choice([READER, TRAINER]), default=READER, show_default=True, help="What it may do.")
def main(name: str, role: str) -> None:
    """Make an account on the team's MLflow."""
    password = os.environ.get(NEW) or click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
    try:
        add_account(name, role, password)
    except StanceError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_status)
    click.echo(f"{name} is a {role} now")


if __name__ == "__main__":
    main()
