"""Our hashes, proofs, paths, keys and notes against values others published."""

import base64
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from getihu.audit.signers import Ed25519Signer, Ed25519Verifier, Sm2Signer, Sm2Verifier
from getihu.audit.tlog import merkle, note
from getihu.audit.tlog.tiles import Tile, tiles_of
from getihu.kernel import sm2
from tests.audit import vectors as v
from tools import verify_log

LEAF_HASHES = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in v.TREE]


def subtree(level: int, index: int) -> bytes:
    return merkle.perfect_root(LEAF_HASHES[index << level : (index + 1) << level])


def unhex(path: list[str]) -> list[bytes]:
    return [bytes.fromhex(step) for step in path]


def unbase64(path: list[str]) -> list[bytes]:
    return [base64.b64decode(step) for step in path]


@pytest.mark.parametrize("module", [merkle, verify_log], ids=["platform", "verifier"])
def test_hashes_of_leaves_and_nodes(module):
    assert {entry: module.leaf_hash(entry).hex() for entry in v.LEAVES} == v.LEAVES
    assert module.node_hash(*v.NODE[:2]).hex() == v.NODE[2]


def test_roots_of_the_reference_tree():
    assert merkle.root(0, subtree).hex() == v.EMPTY_ROOT == verify_log.root_at(0, []).hex()
    assert [merkle.root(size, subtree).hex() for size in range(1, 9)] == v.ROOTS
    levels = [b"".join(LEAF_HASHES)]
    assert [verify_log.root_at(size, levels).hex() for size in range(1, 9)] == v.ROOTS


@pytest.mark.parametrize(("index", "size", "path"), v.INCLUSION)
def test_inclusion_proofs_of_the_reference_tree(index, size, path):
    root = bytes.fromhex(v.ROOTS[size - 1])

    assert merkle.inclusion_path(index, size, subtree) == unhex(path)
    assert merkle.is_included(index, size, LEAF_HASHES[index], unhex(path), root)
    verify_log.check_inclusion(index, size, LEAF_HASHES[index], unhex(path), root)


@pytest.mark.parametrize(("old", "size", "path"), v.CONSISTENCY)
def test_consistency_proofs_of_the_reference_tree(old, size, path):
    roots = (bytes.fromhex(v.ROOTS[old - 1]), bytes.fromhex(v.ROOTS[size - 1]))

    assert merkle.consistency_path(old, size, subtree) == unhex(path)
    assert merkle.is_consistent(old, size, *roots, unhex(path))


def spoiled(path: list[bytes]) -> list[list[bytes]]:
    flipped = [
        [*path[:i], bytes([step[0] ^ 8]) + step[1:], *path[i + 1 :]] for i, step in enumerate(path)
    ]
    other = bytes.fromhex(v.EMPTY_ROOT)
    return [*flipped, path[:-1], path[1:], [*path, other], [other, *path]]


@pytest.mark.parametrize(("index", "size", "path"), v.INCLUSION[1:])
def test_spoiled_inclusion_proofs_do_not_hold(index, size, path):
    root, leaf, whole = bytes.fromhex(v.ROOTS[size - 1]), LEAF_HASHES[index], unhex(path)
    wrong = [(index, size, leaf, bad, root) for bad in spoiled(whole)]
    wrong += [(i, size, leaf, whole, root) for i in (index - 1, index + 1, index ^ 2)]
    wrong += [(index, s, leaf, whole, root) for s in (size * 2, size // 2)]
    wrong += [(index, size, LEAF_HASHES[index - 1], whole, root), (index, size, leaf, whole, leaf)]

    for case in wrong:
        assert not merkle.is_included(*case)
        with pytest.raises(verify_log.DoesNotHold):
            verify_log.check_inclusion(*case)


@pytest.mark.parametrize(("old", "size", "path"), v.CONSISTENCY[1:])
def test_spoiled_consistency_proofs_do_not_hold(old, size, path):
    first, second = bytes.fromhex(v.ROOTS[old - 1]), bytes.fromhex(v.ROOTS[size - 1])
    wrong = [(old, size, first, second, bad) for bad in spoiled(unhex(path))]
    wrong += [(o, size, first, second, unhex(path)) for o in (old - 1, old + 1, old ^ 2)]
    wrong += [(old, s, first, second, unhex(path)) for s in (size * 2, size // 2)]
    wrong += [(old, size, second, first, unhex(path)), (old, size, first, second, [])]

    assert [case for case in wrong if merkle.is_consistent(*case)] == []


def test_proofs_of_a_real_certificate_transparency_log():
    root = base64.b64decode(v.ARGON_ROOT)
    leaf = base64.b64decode(v.ARGON_LEAF_HASH)
    old_root = base64.b64decode(v.ARGON_OLD_ROOT)

    path = unbase64(v.ARGON_PATH.split())
    assert merkle.is_included(v.ARGON_INDEX, v.ARGON_SIZE, leaf, path, root)
    verify_log.check_inclusion(v.ARGON_INDEX, v.ARGON_SIZE, leaf, path, root)
    consistency = unbase64(v.ARGON_CONSISTENCY.split())
    assert merkle.is_consistent(v.ARGON_OLD_SIZE, v.ARGON_SIZE, old_root, root, consistency)


@pytest.mark.parametrize(("level", "number", "width", "path"), v.TILE_PATHS)
def test_paths_of_tiles(level, number, width, path):
    assert Tile(level, number, width).path == path == verify_log.tile_path(level, number, width)


def test_the_tiles_of_a_tree_of_70000():
    tiles = [tile for tile in tiles_of(70_000) if tile.level != "entries"]
    last = {tile.level: (tile.number, tile.width) for tile in tiles}

    assert last == v.TILES_OF_70000
    assert len([t for t in tiles if t.level == 0]) == 274


def peter() -> Ed25519Signer:
    seed = base64.b64decode(v.PETER_SEED)[1:]
    return Ed25519Signer("PeterNeumann", Ed25519PrivateKey.from_private_bytes(seed))


def test_the_id_of_a_key_and_its_published_line():
    assert peter().verifier.vkey == v.PETER_KEY


def test_a_signed_note_byte_for_byte():
    assert note.sign(v.NOTE_TEXT, [peter()]) == f"{v.NOTE_TEXT}\n{v.PETER_LINE}"


def test_a_note_signed_by_a_known_and_an_unknown_key_holds():
    both = f"{v.NOTE_TEXT}\n{v.PETER_LINE}{v.ENOCH_LINE}"

    assert note.verify(both, [peter().verifier]) == v.NOTE_TEXT
    for key in (v.PETER_KEY, v.ENOCH_KEY, f"{v.PETER_KEY}\n{v.ENOCH_KEY}"):
        assert verify_log.open_note(both, verify_log.read_keys(key)) == v.NOTE_TEXT


MALFORMED = [
    v.NOTE_TEXT,
    f"{v.NOTE_TEXT}\n",
    f"{v.NOTE_TEXT}\n{v.PETER_LINE[:-1]}",
    f"\x01{v.NOTE_TEXT}\n{v.PETER_LINE}",
    f"{v.NOTE_TEXT}\n{v.PETER_LINE}Unexpected line.\n",
    f"{v.NOTE_TEXT}\n{v.PETER_LINE.replace('PeterNeumann', 'Bad Name')}",
    f"{v.NOTE_TEXT}\n{v.PETER_LINE * 101}",
    f"{v.NOTE_TEXT}\n{v.PETER_LINE[:60]}ABCD{v.PETER_LINE[60:]}",
    f"{v.NOTE_TEXT}\n{v.PETER_LINE.replace('x08g', 'xxxx')}",
    f"{v.NOTE_TEXT}\n{v.PETER_LINE.replace('PeterNeumann', 'CarmenSandiego')}",
    f"{v.NOTE_TEXT} \n{v.PETER_LINE}",
]


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_or_wrongly_signed_notes_do_not_hold(text):
    with pytest.raises(note.InvalidNote):
        note.verify(text, [peter().verifier])
    with pytest.raises(verify_log.DoesNotHold):
        verify_log.open_note(text, verify_log.read_keys(v.PETER_KEY))


def test_a_mangled_key_line_is_refused():
    for place in range(len(v.PETER_KEY) - 1):
        mangled = (
            f"{v.PETER_KEY[:place]}{chr(ord(v.PETER_KEY[place]) + 1)}{v.PETER_KEY[place + 1 :]}"
        )
        with pytest.raises(verify_log.DoesNotHold):
            verify_log.read_keys(mangled)


def test_a_real_checkpoint_of_the_go_checksum_database():
    name, _, encoded = v.GO_KEY.split("+", 2)
    verifier = Ed25519Verifier(name, base64.b64decode(encoded)[1:])

    assert verifier.vkey == v.GO_KEY
    assert (
        note.read_checkpoint(v.GO_CHECKPOINT, "go.sum database tree", [verifier]).size == 49189689
    )
    text = verify_log.open_note(v.GO_CHECKPOINT, verify_log.read_keys(v.GO_KEY))
    assert text.startswith("go.sum database tree\n49189689\n")
    with pytest.raises(note.InvalidNote):
        note.verify(v.GO_CHECKPOINT.replace("49189689", "49189688"), [verifier])


def test_the_standards_example_of_an_sm2_signature():
    signature = bytes.fromhex(v.SM2_SIGNATURE)
    made = sm2._keys(v.SM2_PRIVATE, bytes.fromhex(v.SM2_PUBLIC))

    assert made.sign_with_sm3(v.SM2_MESSAGE, v.SM2_NONCE) == v.SM2_SIGNATURE
    assert Sm2Verifier("standard", bytes.fromhex(v.SM2_PUBLIC)).verify(v.SM2_MESSAGE, signature)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl program here")
def test_openssl_accepts_our_sm2_signature_and_refuses_a_changed_text(tmp_path):
    signer = Sm2Signer("getihu.example/audit", bytes.fromhex(v.SM2_PRIVATE))
    signature = signer.sign(b"getihu.example/audit\n1\n")
    r, s = (int.from_bytes(signature[i : i + 32], "big") for i in (0, 32))
    point = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004" + v.SM2_PUBLIC)
    (tmp_path / "key").write_bytes(point)
    (tmp_path / "signature").write_bytes(encode_dss_signature(r, s))
    (tmp_path / "text").write_bytes(b"getihu.example/audit\n1\n")
    (tmp_path / "other").write_bytes(b"getihu.example/audit\n2\n")

    def holds(text: str) -> int:
        command = (
            f"openssl pkeyutl -verify -pubin -inkey key -keyform DER -rawin -in {text} -digest sm3 "
            "-sigfile signature -pkeyopt distid:1234567812345678"
        )
        return subprocess.run(command.split(), cwd=tmp_path, capture_output=True).returncode

    assert (holds("text"), holds("other")) == (0, 1)
