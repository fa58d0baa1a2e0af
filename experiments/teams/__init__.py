"""One MLflow for a team: `python -m experiments.teams.server`; docs/teams.md says how and what it protects."""
