"""MLflow beside the bot, both ways, on MLflow's own server."""

from pathlib import Path

from tests.bot.connectors import both_ways
from tests.bot.connectors.mlflow_client import MlflowClient


async def test_the_verdict_and_each_vote_stand_at_the_server_as_they_stand_in_slack(
    tmp_path: Path, real: MlflowClient
) -> None:
    await both_ways.walk_verdict_and_votes(tmp_path, real)


async def test_a_vote_given_at_the_server_teaches_until_it_is_deleted_and_is_never_written_back(
    tmp_path: Path, real: MlflowClient
) -> None:
    await both_ways.walk_votes_at_the_server(tmp_path, real)


async def test_a_verdict_that_somebody_edits_at_the_server_teaches_as_their_vote(
    tmp_path: Path, real: MlflowClient
) -> None:
    await both_ways.walk_correction_at_the_server(tmp_path, real)


async def test_what_is_forgotten_is_deleted_at_the_server_and_not_read_again(
    tmp_path: Path, real: MlflowClient
) -> None:
    await both_ways.walk_forgetting(tmp_path, real)


async def test_labels_on_traces_without_a_card_teach_and_count_in_no_figure(
    tmp_path: Path, real: MlflowClient
) -> None:
    await both_ways.walk_labels_without_cards(tmp_path, real)


async def test_a_trace_that_also_comes_over_otlp_is_one_trace(tmp_path: Path, real: MlflowClient) -> None:
    await both_ways.walk_two_ways_in(tmp_path, real)


async def test_a_trace_deleted_at_the_server_is_forgotten_here(tmp_path: Path, real: MlflowClient) -> None:
    await both_ways.walk_deletion_at_the_source(tmp_path, real)
