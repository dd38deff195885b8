"""Archives read in place: kinds, names, what is skipped, and archives made to do harm."""

import gzip
import io
import shutil
import stat
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from convscope.datasets.dataset import Skipped
from convscope.datasets.store import unpacked
from convscope.datasets.store.cache import default_folder, make_room
from convscope.errors import DataError
from convscope.layouts import open_data


def png(seed: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 9, 3), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


FILES = {f"{kind}/{i}.png": png(i + 10 * (kind == "b")) for kind in "ab" for i in range(3)}


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_tar(path: Path, files: dict[str, bytes], *others: tarfile.TarInfo) -> Path:
    mode = {".gz": "w:gz", ".tgz": "w:gz", ".xz": "w:xz", ".bz2": "w:bz2"}.get(path.suffix, "w")
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in others:
            archive.addfile(info)
    return path


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        open_data(path)
    return str(caught.value)


@pytest.mark.parametrize("name", ["d.zip", "d.tar", "d.tar.gz", "d.tgz", "d.tar.xz", "d.tar.bz2", "D.ZIP"])
def test_an_archive_is_read_like_its_folder(tmp_path: Path, name: str) -> None:
    archive = (write_zip if name.lower().endswith("zip") else write_tar)(tmp_path / name, FILES)
    dataset = open_data(archive)
    assert (dataset.source, dataset.layout, dataset.classes) == (str(archive), "folder", ("a", "b"))
    assert dataset.names == tuple(sorted(FILES))
    assert [path.read_bytes() for path in dataset.images] == [FILES[name] for name in dataset.names]
    assert dataset.skipped == ()


def test_it_is_unpacked_once(tmp_path: Path, monkeypatch) -> None:
    first = open_data(write_zip(tmp_path / "d.zip", FILES))
    shutil.copy(tmp_path / "d.zip", tmp_path / "copy.zip")
    monkeypatch.setattr(unpacked, "_unpack", None)
    assert open_data(tmp_path / "copy.zip").images == first.images


def test_the_fingerprint_stays_when_it_is_unpacked_again(tmp_path: Path) -> None:
    archive = write_tar(tmp_path / "d.tar.gz", FILES)
    before = open_data(archive).fingerprint()
    shutil.rmtree(default_folder())
    assert open_data(archive).fingerprint() == before


def test_a_single_file_in_an_archive_is_read_like_the_file(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.savez(file, images=np.zeros((4, 5, 6), np.uint8), labels=[0, 1, 0, 1])
    dataset = open_data(write_zip(tmp_path / "d.zip", {"inside/data.npz": file.getvalue()}))
    assert (dataset.layout, len(dataset), dataset.source) == ("arrays", 4, str(tmp_path / "d.zip"))


def test_what_would_leave_the_folder_is_skipped(tmp_path: Path) -> None:
    link, device, hard = (tarfile.TarInfo(f"a/{name}.png") for name in ("link", "device", "hard"))
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    device.type = tarfile.CHRTYPE
    hard.type, hard.linkname = tarfile.LNKTYPE, "../../x"
    bad = {"/etc/x.png": b"1", "../../y.png": b"2", "a/../../z.png": b"3", "C:/w.png": b"4", "in.zip": b"5"}
    archive = write_tar(tmp_path / "d.tar", {**FILES, **bad, "a/0.png/1.png": b"6"}, link, device, hard)
    outside, linked = "would lie outside the folder", "is a link or a device, which is not unpacked"
    assert open_data(archive).skipped == (
        Skipped("../../y.png", outside),
        Skipped("/etc/x.png", outside),
        Skipped("C:/w.png", outside),
        Skipped("a/../../z.png", outside),
        Skipped("a/0.png/1.png", "has the name of another file or folder"),
        Skipped("a/device.png", linked),
        Skipped("a/hard.png", linked),
        Skipped("a/link.png", linked),
        Skipped("in.zip", "is an archive inside the archive; unpack it and give the folder"),
    )
    inside = {path for path in default_folder().rglob("*") if path.is_file()}
    assert not [path for path in inside if path.name in ("x.png", "y.png", "z.png", "w.png")]
    assert not [path for path in inside if path.is_symlink()]


def test_links_and_backslashes_in_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name.replace("/", "\\"), content)
        link = zipfile.ZipInfo("a/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("..\\..\\x.png", b"1")
    dataset = open_data(tmp_path / "d.zip")
    assert dataset.names == tuple(sorted(FILES))
    assert {skipped.name for skipped in dataset.skipped} == {"a/link.png", "..\\..\\x.png"}


@pytest.mark.parametrize("name", ["bomb.zip", "bomb.tar.gz", "bomb.tar.xz", "bomb.tar.bz2"])
def test_bombs_are_refused(tmp_path: Path, name: str, monkeypatch) -> None:
    monkeypatch.setattr("convscope.datasets.store.decompress._FREE", 1_000_000)
    archive = (write_zip if name.endswith("zip") else write_tar)(tmp_path / name, {"a/0.png": bytes(20_000_000)})
    assert refused(archive) == (
        f"{archive}: unpacks to more than 200 times its size, as archives made to fill disks do; if you trust it, "
        "unpack it and give the folder"
    )
    assert not [path for path in default_folder().rglob("*") if path.is_file()]


def test_more_than_the_cache_may_take_is_refused(tmp_path: Path, monkeypatch) -> None:
    archive = write_zip(tmp_path / "d.zip", FILES)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    assert refused(archive) == (
        f"{archive}: unpacks to more than 0.0 GB, which is what the cache may take; unpack it and give the folder"
    )


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(unpacked, "MOST_FILES", 5)
    archive = write_zip(tmp_path / "d.zip", FILES)
    assert refused(archive) == f"{archive}: holds more than 5 files; unpack it and give the folder"


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "d.zip", FILES)
    content = bytearray(archive.read_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + place] |= 1
            at = content.find(signature, at + 1)
    archive.write_bytes(content)
    assert refused(archive) == f"{archive}: is encrypted; unpack it with its password and give the folder"


@pytest.mark.parametrize("name", ["d.zip", "d.tar.gz", "d.tar.xz", "d.tar.bz2", "d.tar"])
def test_a_cut_archive_is_refused(tmp_path: Path, name: str) -> None:
    archive = (write_zip if name.endswith("zip") else write_tar)(tmp_path / name, FILES)
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 3])
    assert refused(archive) == f"{archive}: damaged or cut short; download or copy it again"


def test_an_empty_archive_and_another_kind_are_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "d.zip", {})
    assert refused(archive) == f"{archive}: an archive without files; download or copy it again"
    (tmp_path / "d.7z").write_bytes(b"7z")
    assert refused(tmp_path / "d.7z") == (
        f"{tmp_path / 'd.7z'}: an archive of a kind that is not read in place; unpack it and give the folder"
    )


def test_errors_name_the_archive_and_not_its_place_in_the_cache(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "d.zip", {"a/notes.txt": b"text", "a/more.txt": b"text"})
    assert str(default_folder()) not in refused(archive)
    assert refused(archive).startswith(f"{archive}: ")


def test_names_that_are_not_utf_8_are_read(tmp_path: Path) -> None:
    info = tarfile.TarInfo("K\udce4fer/0.png")
    info.size = len(png(1))
    with tarfile.open(tmp_path / "d.tar", "w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as archive:
        archive.addfile(info, io.BytesIO(png(1)))
        for name, content in FILES.items():
            other = tarfile.TarInfo(name)
            other.size = len(content)
            archive.addfile(other, io.BytesIO(content))
    assert open_data(tmp_path / "d.tar").classes == ("K\u00e4fer", "a", "b")


def test_two_streams_in_one_file_are_both_read(tmp_path: Path) -> None:
    content = write_tar(tmp_path / "d.tar", FILES).read_bytes()
    half = len(content) // 2
    (tmp_path / "d.tar.gz").write_bytes(gzip.compress(content[:half]) + gzip.compress(content[half:]) + bytes(100))
    assert len(open_data(tmp_path / "d.tar.gz")) == 6


def test_the_cache_keeps_what_this_process_reads_and_is_bounded(tmp_path: Path, monkeypatch) -> None:
    first = open_data(write_zip(tmp_path / "d.zip", FILES))
    make_room(default_folder(), 0)
    assert all(path.exists() for path in first.images)
    monkeypatch.setattr("convscope.datasets.store.cache._in_use", set())
    make_room(default_folder(), 0)
    assert not any(path.exists() for path in first.images)
