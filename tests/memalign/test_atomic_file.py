from pathlib import Path

import pytest

from memalign.atomic_file import replace_file


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    file.write_text("old", encoding="utf-8")

    replace_file(file, "new – Zoë")

    assert file.read_text(encoding="utf-8") == "new – Zoë"
    assert list(tmp_path.iterdir()) == [file]


def test_a_failed_write_keeps_the_old_content_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "file.json"
    folder.mkdir()
    (folder / "kept").touch()

    with pytest.raises(OSError, match="directory"):
        replace_file(folder, "text")

    assert list(tmp_path.iterdir()) == [folder]
    assert list(folder.iterdir()) == [folder / "kept"]


def test_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "no" / "file.json", "text")


@pytest.mark.parametrize("name", ["new.json", "old.json"])
def test_a_file_is_readable_by_its_owner_alone(name: str, tmp_path: Path) -> None:
    (tmp_path / "old.json").touch(mode=0o644)

    replace_file(tmp_path / name, "people's words")

    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
