"""Writes docs/typed.md and docs/typed.zh-CN.md from the programs of pwb_legacy/typed: python -m tests.docs.typed_page"""

from difflib import unified_diff
from pathlib import Path
from textwrap import fill
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = "pwb_legacy/typed"


class Step(NamedTuple):
    """A program, and what it adds to one before it."""

    file: str
    before: str
    """The program that it is compared with."""
    title: tuple[str, str]
    """In English and in Chinese, like the others."""
    text: tuple[str, str]


STEPS: Final = (
    Step(
        "single.py",
        "fixed_page.py",
        ("9.2 Files", "9.2 文件"),
        (
            "The response is made from the request: `find` decides about the status and the file, `respond` yields the "
            "head and then the file piece by piece. The path is decoded and checked before the file is opened.",
            "响应由请求决定：`find` 决定状态码和文件，`respond` 先给出响应头，再逐块给出文件内容。打开文件之前，"
            "先解码并检查路径。",
        ),
    ),
    Step(
        "threads.py",
        "single.py",
        ("9.3.1 A thread for each client", "9.3.1 每个客户端一个线程"),
        (
            "`handlerequest` is the same, but it runs in a thread of its own, so that a slow client holds up itself alone.",
            "`handlerequest` 没有变，只是在单独的线程里运行，慢客户端只会拖慢自己。",
        ),
    ),
    Step(
        "processes.py",
        "threads.py",
        ("9.3.2 A process for each client", "9.3.2 每个客户端一个进程"),
        (
            "A forked process has copies of both sockets: it closes the one that listens, the parent closes the client's, "
            "and SIGCHLD is ignored, so that the kernel removes processes that have ended.",
            "fork 之后，父子进程都持有两个套接字：子进程关闭监听套接字，父进程关闭客户端套接字。父进程忽略 SIGCHLD，"
            "已退出的子进程由内核自动回收。",
        ),
    ),
    Step(
        "greenlets.py",
        "threads.py",
        ("9.3.3 A greenlet for each client", "9.3.3 每个客户端一个协程"),
        (
            "gevent patches the standard library first; from then on a call that waits for a socket lets other greenlets "
            "run. Without the patch, which the book left out, no greenlet would ever run.",
            "先由 gevent 给标准库打补丁，此后等待套接字的调用会切换到其他协程。书中漏了这一步，协程一次也不会运行。",
        ),
    ),
    Step(
        "epoll.py",
        "single.py",
        ("9.4 One thread and epoll", "9.4 单线程与 epoll"),
        (
            "`handlerequest` becomes a generator: where it waited inside recv() or sendall(), it yields what it waits for, "
            "and the loop goes on with it when epoll reports that. This is what `await` does in asyncio.",
            "`handlerequest` 变成生成器：原来在 recv() 或 sendall() 里等待的地方，改为用 yield 交出要等的事件；"
            "epoll 报告事件就绪后，循环再让它继续执行。asyncio 的 `await` 做的正是这件事。",
        ),
    ),
    Step(
        "epoll_threads.py",
        "epoll.py",
        ("9.4 epoll and threads", "9.4 epoll 与线程"),
        (
            "A thread of a pool takes the step, so that a slow disk holds up one client and not the loop. EPOLLONESHOT "
            "keeps epoll from reporting a client again while a thread still has it, as happened in the book.",
            "每一步都由线程池里的线程执行，慢磁盘只影响一个客户端，不影响循环。使用 EPOLLONESHOT，线程还在处理某个客户端时，"
            "epoll 就不会再次报告它；书中的程序没有这样做，会有两个线程同时处理一个客户端。",
        ),
    ),
)
LANGUAGES: Final = ("en", "zh-CN")
INTRODUCTION: Final = (
    """\
# Seven programs to type

<!-- Made by python -m tests.docs.typed_page from pwb_legacy/typed. -->

[简体中文](typed.zh-CN.md)

The seven programs of the book, each in one file of at most 120 lines, with the standard library (and gevent) alone. They
are correct servers for a folder: GET and HEAD, 404, no way out of the folder, requests in pieces, slow clients and clients
that vanish, files of any size. Type them in this order, and run each:

    .venv/bin/python pwb_legacy/typed/single.py 8080 static
    .venv/bin/pwb-legacy check pwb_legacy/typed/single.py

They listen on 127.0.0.1 alone, and each connection is for one request (`Connection: close`): then nothing that follows a
request can be mistaken for another one. What they leave out on purpose, and PWB has: persistent connections, validators
and ranges, a redirect from `/folder` to `/folder/`, limits on the number of clients, a log, an orderly end. Between the
check of a path and the opening of the file a process that can write to the folder could replace it with a link; PWB opens
beneath the root instead.
""",
    """\
# 七个适合自己动手输入的程序

<!-- 由 python -m tests.docs.typed_page 根据 pwb_legacy/typed 生成。 -->

[English](typed.md)

书中的七个程序，每个只有一个文件，不超过 120 行，只用标准库（和 gevent）。它们都能正确地提供一个目录里的文件：支持 GET 和 HEAD，文件不存在时返回 404，路径不会走出目录，能处理分段到达的请求、慢客户端、中途断开的客户端和任意大小的文件。请按下面的顺序输入，每写完一个就运行一次：

    .venv/bin/python pwb_legacy/typed/single.py 8080 static
    .venv/bin/pwb-legacy check --lang zh pwb_legacy/typed/single.py

它们只监听 127.0.0.1，每个连接只处理一个请求（`Connection: close`），这样请求后面的内容不会被误当成另一个请求。以下功能 PWB 具备，这里有意省略：持久连接、条件请求、范围请求、从 `/folder` 到 `/folder/` 的重定向、客户端数量上限、日志、优雅退出。另外，在检查路径和打开文件之间，有权写这个目录的进程可以把文件换成符号链接；PWB 则从根目录开始逐级打开，没有这个问题。
""",
)
FIRST: Final = (
    (
        "## 9.1 A fixed page",
        "A client is accepted, its request read up to the empty line, the same page sent, and the connection closed only when "
        "the client has it. Nothing may take longer than `PATIENCE`.",
    ),
    (
        "## 9.1 固定页面",
        "接受一个客户端，把请求读到空行为止，发送同一个页面，等客户端收完再关闭连接。任何一步都不能超过 `PATIENCE` 秒。",
    ),
)
COMPARED: Final = (", compared with `{before}`:", "，相对于 `{before}` 的改动：")


def page(language: str) -> str:
    """The whole page in one of LANGUAGES."""
    at = LANGUAGES.index(language)
    heading, text = FIRST[at]
    first = f"{heading}\n\n{wrapped(text)}\n\n[`{FOLDER}/fixed_page.py`](../{FOLDER}/fixed_page.py)\n\n```python\n{source('fixed_page.py')}```\n"
    return "\n".join([INTRODUCTION[at], first, *(section(step, at) for step in STEPS)])


def section(step: Step, at: int) -> str:
    """The heading, the sentence and the difference of one program."""
    link = f"[`{FOLDER}/{step.file}`](../{FOLDER}/{step.file}){COMPARED[at].format(before=step.before)}"
    return f"## {step.title[at]}\n\n{wrapped(step.text[at])}\n\n{link}\n\n```diff\n{difference(step)}```\n"


def wrapped(text: str) -> str:
    """A paragraph in lines of 120 columns, broken at spaces; Chinese, which has few, would get a gap at each break."""
    return fill(text, 120, break_on_hyphens=False) if text.isascii() else text


def difference(step: Step) -> str:
    """The lines that change, each group with one line around it; the docstring is left out."""
    lines = [source(file).splitlines(keepends=True)[1:] for file in (step.before, step.file)]
    changed = list(unified_diff(*lines, n=1))[2:]
    return "".join("...\n" if line.startswith("@@") else line for line in changed[1:])


def source(file: str) -> str:
    return (ROOT / FOLDER / file).read_text()


def path(language: str) -> Path:
    """Where the page of a language is."""
    return ROOT / "docs" / ("typed.md" if language == "en" else f"typed.{language}.md")


if __name__ == "__main__":
    for each in LANGUAGES:
        path(each).write_text(page(each))
