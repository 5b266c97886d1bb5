"""`pwb-legacy check` on servers that are right, wrong, silent or dead, as real processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.typed.running import FILES, FOLDER, eventually, free_port

ROOT = Path(__file__).parents[2]
HTTP_SERVER = """
import functools, sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
handler = functools.partial(SimpleHTTPRequestHandler, directory=sys.argv[2])
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), handler).serve_forever()
"""
LISTENS = """
import socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
"""
RESPONDS = (
    LISTENS
    + """
while True:
    client, _ = server.accept()
    client.recv(65536)
    client.sendall(RESPONSE)
    client.close()
"""
)


def check(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a process. It is bounded in time by itself, also where the server is not."""
    command = [sys.executable, "-m", "pwb_legacy", "check", *words]
    env = os.environ | {"PYTHONUTF8": "1"} | environment
    return subprocess.run(command, capture_output=True, text=True, timeout=150, cwd=ROOT, env=env, check=False)


def write(folder: Path, source: str) -> Path:
    """A server as a student hands it in."""
    path = folder / "my_server.py"
    path.write_text(source)
    return path


@pytest.mark.parametrize("file", FILES[1:])
def test_a_program_to_type_passes(file: str) -> None:
    done = check(FOLDER / file)
    assert done.stdout.splitlines()[-1] == "all 48 hold"
    assert (done.returncode, done.stderr) == (0, "")


def test_a_design_of_pwb_passes() -> None:
    done = check("--command", f"{sys.executable} -m pwb_legacy --mode epoll --port {{port}} {{root}}", "--lang", "zh")
    assert "48 项全部通过" in done.stdout
    assert done.returncode == 0


def test_the_server_of_the_standard_library_fails_what_it_fails(tmp_path: Path) -> None:
    done = check(write(tmp_path, HTTP_SERVER), "--rows", "B7-*", "--rows", "9110-*", "--rows", "C1-*")
    assert done.returncode == 1
    failure = done.stdout.partition("An HTTP/1.1 request without Host is 400  [B7-no-host]\n")[2].partition("\n\n")[0]
    assert failure.startswith("  sent (at once)\n    GET /a.txt HTTP/1.1\n  received\n    HTTP/1.0 200 OK\n")
    assert "\n  wrong\n    the status is 200, not 400\n  see\n    RFC 9112, 3.2\n" in failure
    assert '"GET /a.txt HTTP/1.1" 200 -' in failure
    assert done.stdout.splitlines()[-1] == "3 of 20 fail"


def test_a_server_that_hangs_is_given_up(tmp_path: Path) -> None:
    began = time.monotonic()
    done = check(write(tmp_path, LISTENS + "time.sleep(1000)"), "--rows", "9110-*", "--rows", "C*")
    assert time.monotonic() - began < 90
    assert "given up after 8: 10 were not tried, because the server does not answer" in done.stdout
    assert "nothing more comes within 3 s, and the connection stays open" in done.stdout
    assert done.returncode == 1


def test_a_server_that_ends_at_once(tmp_path: Path) -> None:
    done = check(write(tmp_path, "print('no port is good enough')\nraise SystemExit(3)"))
    assert done.returncode == 1
    assert done.stdout.splitlines()[1:] == [
        "the server ended with status 3 before it accepted a connection",
        "the server has printed:",
        "    no port is good enough",
    ]


def test_a_server_that_never_listens(tmp_path: Path) -> None:
    done = check(write(tmp_path, "import time\ntime.sleep(1000)"), "--lang", "zh", "--port", str(port := free_port()))
    assert done.returncode == 1
    assert done.stdout.splitlines()[1:] == [f"服务器在 10 秒内没有接受 127.0.0.1:{port} 上的连接", "服务器没有任何输出"]


def test_a_server_may_print_as_much_as_it_likes(tmp_path: Path) -> None:
    noise = "import sys, threading\nthreading.Thread(target=lambda: [print('x' * 1000) for _ in iter(int, 1)], daemon=True).start()\n"
    done = check(write(tmp_path, noise + HTTP_SERVER), "--rows", "9110-8.6-*")
    assert done.stdout.splitlines()[-1] == "all 7 hold"
    assert done.returncode == 0


def test_a_server_that_closes_within_the_content(tmp_path: Path) -> None:
    source = RESPONDS.replace("RESPONSE", repr(b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\nabc"))
    done = check(write(tmp_path, source), "--rows", "9110-9.3.1-get")
    assert "3 bytes of content follow, where Content-Length is 26" in done.stdout
    assert done.returncode == 1


def test_a_server_that_takes_one_piece_for_a_request(tmp_path: Path) -> None:
    source = RESPONDS.replace("client.recv(65536)", "assert b'\\r\\n\\r\\n' in client.recv(65536), 'too short'")
    source = source.replace("RESPONSE", repr(b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1"))
    done = check(write(tmp_path, source), "--rows", "9110-8.6-size-1")
    assert "sent (byte by byte)" in done.stdout
    assert "the server has ended, with status 1" in done.stdout
    assert "AssertionError: too short" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 of 1 fail"


def test_a_server_that_dies_is_started_again(tmp_path: Path) -> None:
    done = check(write(tmp_path, LISTENS + "server.accept()\nraise SystemExit(7)"), "--rows", "9110-8.6-*")
    assert done.stdout.count("the server has ended, with status 7") == 7
    assert done.stdout.splitlines()[-1] == "7 of 7 fail"


def test_no_process_is_left(tmp_path: Path) -> None:
    """Not even one that has left the process group, and whose parent has ended."""
    source = f"""
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(1000)"])
    os._exit(0)
{HTTP_SERVER}"""
    assert check(write(tmp_path, source), "--rows", "9110-9.3.1-get").returncode == 0
    pid = (tmp_path / "pid").read_text()
    assert eventually(lambda: not Path("/proc", pid).exists())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_as_well(number: int, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    source = f"import os\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\n{LISTENS}time.sleep(1000)"
    command = [sys.executable, "-m", "pwb_legacy", "check", write(tmp_path, source)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert eventually(lambda: pid.exists() and pid.read_text() != "")
        process.send_signal(number)
        assert (process.communicate(timeout=30)[1].strip(), process.returncode) == ("pwb-legacy: stopped", 130)
    assert eventually(lambda: not Path("/proc", pid.read_text()).exists())  # init may have to reap it


def test_a_server_that_sends_a_byte_now_and_then_is_bounded(tmp_path: Path) -> None:
    source = (
        LISTENS
        + """
while True:
    client, _ = server.accept()
    client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\n")
    while True:
        client.sendall(b".")
        time.sleep(1)
"""
    )
    done = check(write(tmp_path, source), "--rows", "client-slow-reader")
    assert "nothing more comes within 15 s" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 of 1 fail"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "SERVER is missing: the file of your server, started as `python SERVER PORT ROOT`"),
        (["missing.py"], "there is no file missing.py"),
        (["docs"], "docs is a folder: name the file of your server in it"),
        (
            ["pwb_legacy/book/exhibits/pwb2.py"],
            "pwb_legacy/book/exhibits/pwb2.py is one of the textbook's programs, which only `pwb-legacy book` starts: "
            "`pwb-legacy book 2`",
        ),
        (
            ["pwb_legacy/threads.py"],
            "pwb_legacy/threads.py is a part of PWB, and no program; a design is checked by "
            "--command 'pwb-legacy --mode MODE --port {port} {root}'",
        ),
        (["README.md", "--command", "x {port}"], "give SERVER or --command, not both"),
        (["--command", "x"], "--command: 'x' has no {port}"),
        (["--command", "x {port} {folder}"], "--command: 'x {port} {folder}': {folder}"),
        (["--command", "x '{port}"], "--command: 'x '{port}': No closing quotation"),
        (["--command", "./missing {port}"], "cannot run ./missing {port}: No such file or directory"),
        (["README.md", "--rows", "X*"], "--rows: no row is called X*; --list shows them"),
        (["README.md", "--port", "x"], "--port: 'x' is not a valid integer range."),
        (["--lang", "zh"], "缺少 SERVER：你的服务器文件，以 `python SERVER PORT ROOT` 的方式启动"),
    ],
)
def test_a_wrong_use_is_one_line(words: list[str], line: str) -> None:
    done = check(*words)
    assert (done.returncode, done.stderr.splitlines()) == (2, [f"pwb-legacy: {line}"])


def test_a_port_that_is_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = check(FOLDER / "single.py", "--port", str(port))
    assert (done.returncode, done.stderr) == (2, f"pwb-legacy: --port: {port} is in use already\n")


def test_the_list_has_every_row_with_what_it_demands() -> None:
    done = check("--list", "--lang", "zh")
    assert len(done.stdout.splitlines()) == 48
    assert "HTTP/1.1 请求缺少 Host 时返回 400" in done.stdout
