"""What docs/book.md and docs/book.zh-CN.md tell of the chapter and of its programs, in English and in Chinese."""

from typing import Final, NamedTuple


class ProgramText(NamedTuple):
    """One of the seven programs. file: its name in the book."""

    section: str
    title: str
    file: str
    paragraphs: tuple[str, ...]


class Chapter(NamedTuple):
    """All that a page tells in one language but the defects. option: behind each command. stop: ends a sentence.
    gap: behind it. place: a piece of code and its file. and_: between two places."""

    title: str
    introduction: tuple[str, ...]
    matrix_title: str
    matrix: str
    programs: dict[str, ProgramText]
    again: str
    option: str
    stop: str
    gap: str
    place: str
    and_: str


_ENGLISH: Final = Chapter(
    title="The book, program by program",
    introduction=(
        "Chapter 9 of the textbook that PWB comes from builds a static web server in seven steps, 9.1 to 9.4. Each step "
        "is a short program that shows one idea, and each of them has defects that the chapter does not mention. This "
        "page goes through the seven programs: what each does, what is wrong with it, a command that shows the defect on "
        "your own machine, and the place in PWB where it is cured. The files of `pwb_legacy` are the same designs with "
        "the defects mended.",
        "The command starts the program, attacks it, and prints what happened. What it starts is not the book's text but an "
        "exhibit: the same program, written anew and shorter, with the same defects on purpose. **The exhibits are not to "
        "be used.** They listen on 127.0.0.1 alone and answer the command alone, they can open nothing but a temporary folder and a file beside it, the "
        "canary, which must not be served, and they end with the command (`pwb_legacy/book/exhibits/guard.py`). The whole "
        "run, all defects of all programs, with the designs of PWB beside them, takes about a minute:",
        "    .venv/bin/pwb-legacy book\n    .venv/bin/pwb-legacy book --out .      # writes book.html, too, which has each result, cause and cure",
        "Each defect has a code, L1 to L20; [hazards.md](hazards.md) has them among all others that a static server meets. The "
        "same page in Chinese: [book.zh-CN.md](book.zh-CN.md).",
    ),
    matrix_title="Overview",
    matrix="`x`: the program has the defect, and the run shows it. `?`: the attack meets another defect first: "
    "that for L15 ends 1 and 2 by L9, and that for L14 keeps 2 busy as L10 does, since it serves one client at a time, without a "
    "timeout. Empty: the program does not have the defect, or it does not show. The content of 1 has nine bytes, which always "
    "fit, so L5 does not show there, though the line is the same. 5 answers nothing at all (L12); its other cells are those of "
    "the program with gevent's patches, which the book left out.",
    programs={
        "1": ProgramText(
            "9.1",
            "A fixed page",
            "net09_web_PWB1.py",
            (
                "The first program has everything that a server must have: it makes a socket, binds it, listens, and then "
                "accepts one client after the other. It calls `recv()` once, prints what came, sends a status line, one field "
                "and `hello PWB`, and closes. It does not look at what the client asked for. The exhibit is "
                "`pwb_legacy/book/exhibits/pwb1.py`; the design done right is `pwb_legacy/fixed_page.py`, or `--mode fixed`.",
                "Thirty lines are enough to show eight of the twenty defects, and all six later programs inherit them.",
            ),
        ),
        "2": ProgramText(
            "9.2",
            "Files, one client at a time",
            "net09_web_PWB2.py",
            (
                "The second program takes the path out of the first line, appends it to `./static/`, and sends the file, or 404 "
                "if there is none. The chapter mentions that a server should keep files such as password lists out of reach, "
                "and expects the folder's name in front of the path to do that; L1 shows that it does not. The exhibit is "
                "`pwb_legacy/book/exhibits/pwb2.py`; the design done right is `pwb_legacy/single.py`, or `--mode single`.",
            ),
        ),
        "3": ProgramText(
            "9.3.1",
            "A thread for each client",
            "net09_web_PWB3.py",
            (
                "The programs of section 9.3 change one method, `serve_forever()`. This one starts a thread for each client, so that a "
                "slow one delays no other. The rest is that of 9.2, defects and all. Some look different now: an exception ends a thread, "
                "and no longer the program: the server seems to run well, but the client waits without a response. The exhibit is "
                "`pwb_legacy/book/exhibits/pwb3.py`; the design done right is `pwb_legacy/threads.py`, or `--mode thread`.",
            ),
        ),
        "4": ProgramText(
            "9.3.2",
            "A process for each client",
            "net09_web_PWB4.py",
            (
                "A child process serves each client, and the parent closes its own copy of the client's socket, as it must: "
                "otherwise the connection would stay open when the child has closed it. What else a parent has to do "
                "is missing. The exhibit is `pwb_legacy/book/exhibits/pwb4.py`; the design done right is "
                "`pwb_legacy/processes.py`, or `--mode process`.",
            ),
        ),
        "5": ProgramText(
            "9.3.3",
            "A greenlet for each client",
            "net09_web_PWB5.py",
            (
                "`gevent.spawn()` starts a greenlet that serves each client. It runs only when whatever runs now waits in a "
                "function of gevent. The standard library's `accept()` is no such function, so not even the first greenlet "
                "gets its turn. One line at the top is missing: `monkey.patch_all()`. The exhibit is `pwb_legacy/book/exhibits/pwb5.py`; the "
                "design done right is `pwb_legacy/greenlets.py`, or `--mode gevent`.",
            ),
        ),
        "6": ProgramText(
            "9.4",
            "One thread and epoll",
            "net09_web_PWB6.py",
            (
                "One thread asks the kernel through `epoll` which sockets are ready, and serves those. The program asks for "
                "edge-triggered events: each change is reported once. Whoever asks for that has to take everything that "
                "is there, each time; this program calls `accept()` once (L13), `recv()` once (L2) and `send()` once (L5). The exhibit is `pwb_legacy/book/exhibits/pwb6.py`; "
                "the design done right is `pwb_legacy/epoll.py`, or `--mode epoll`.",
            ),
        ),
        "7": ProgramText(
            "9.4",
            "Epoll, and a thread for each event",
            "net09_web_PWB7.py",
            (
                "The last program keeps the loop of 6 and starts a thread for each event, which receives, reads the file, sends "
                "and closes. So the loop and many threads use the same sockets and the same table, and nothing says which of "
                "them owns what. The design done right keeps the sockets in the loop, and gives threads nothing but the disk: "
                "`pwb_legacy/epoll_threads.py`, or `--mode epoll-thread`. The exhibit is `pwb_legacy/book/exhibits/pwb7.py`.",
            ),
        ),
    },
    again=", again",
    option="",
    stop=".",
    gap=" ",
    place="`{0.text}` in [`{0.file}`](../{0.file})",
    and_=", ",
)

_CHINESE: Final = Chapter(
    title="逐个程序读教材",
    introduction=(
        "PWB 源自一本教材的第 9 章：从 9.1 到 9.4，分七步写出一个静态 Web 服务器。每一步都是一个短小的程序，讲清一个思路，但每个程序都有书中没有提到的缺陷。本页逐个分析这七个程序：做了什么，错在哪里，用哪条命令可以在自己的机器上重现，以及 PWB 在哪里解决了这个问题。`pwb_legacy` 里的各个文件就是改正之后的同样设计。",
        "命令会启动程序，发起攻击，并打印结果。启动的并不是书中的原文，而是反例程序：按同样的设计重新编写，更短，故意保留同样的缺陷。**反例程序不可用于任何实际用途。** 它们只监听 127.0.0.1，只响应这条命令，只能打开一个临时目录，以及与它同级的一个文件（称为“金丝雀”，客户端不应拿到它），命令结束时一起退出（`pwb_legacy/book/exhibits/guard.py`）。用全部攻击把这些程序和 PWB 的各种设计都试一遍，大约需要一分钟：",
        "    .venv/bin/pwb-legacy book --lang zh\n    .venv/bin/pwb-legacy book --lang zh --out .      # 同时生成 book.html，里面有每一格的结果、原因和解决办法",
        "每个缺陷有一个编号，从 L1 到 L20；[hazards.md](hazards.md)（英文）列出了它们和静态服务器会遇到的其他问题。本页的英文版：[book.md](book.md)。",
    ),
    matrix_title="总览",
    matrix="`x`：程序有这个缺陷，运行时可以看到。`?`：攻击先触发了另一个缺陷，无法判断：L15 的攻击会让程序 1 和 2 直接退出（L9）；程序 2 一次只处理一个客户端，又没有超时，L14 的攻击在它上面只会表现为 L10。空白：没有这个缺陷，或者不会表现出来：程序 1 的响应体只有 9 个字节，总能一次发完，代码虽然一样，却看不到 L5。程序 5 不响应任何请求（L12），其余各格是打上 gevent 补丁之后的结果，教材漏掉了这个补丁。",
    programs={
        "1": ProgramText(
            "9.1",
            "固定页面",
            "net09_web_PWB1.py",
            (
                "第一个程序已经具备服务器的全部要素：创建套接字、绑定、监听，然后依次接受客户端。它只调用一次 `recv()`，打印收到的内容，发出状态行、一个响应头字段和 `hello PWB`，然后关闭连接。它不看客户端请求的是什么。反例是 `pwb_legacy/book/exhibits/pwb1.py`；正确的写法是 `pwb_legacy/fixed_page.py`，即 `--mode fixed`。",
                "三十行代码就暴露出二十个缺陷中的八个，后面六个程序全都继承了它们。",
            ),
        ),
        "2": ProgramText(
            "9.2",
            "按路径返回文件，一次一个客户端",
            "net09_web_PWB2.py",
            (
                "第二个程序从请求行取出路径，拼在 `./static/` 后面，返回这个文件；文件不存在就返回 404。书中提到，不能让客户端拿到密码文件之类的内容，并认为在路径前面加上目录名就够了；L1 说明这还不够。反例是 `pwb_legacy/book/exhibits/pwb2.py`；正确的写法是 `pwb_legacy/single.py`，即 `--mode single`。",
            ),
        ),
        "3": ProgramText(
            "9.3.1",
            "多线程，每个客户端一个线程",
            "net09_web_PWB3.py",
            (
                "9.3 节的程序都只改一个方法 `serve_forever()`。这一个为每个客户端启动一个线程，慢客户端不再拖累其他客户端。其余部分和 9.2 一样，缺陷也一样，只是有些表现不同：异常只结束一个线程，不再结束整个程序，服务器看似正常，客户端却一直等不到响应。反例是 `pwb_legacy/book/exhibits/pwb3.py`；正确的写法是 `pwb_legacy/threads.py`，即 `--mode thread`。",
            ),
        ),
        "4": ProgramText(
            "9.3.2",
            "多进程，每个客户端一个进程",
            "net09_web_PWB4.py",
            (
                "每个客户端由一个子进程处理，父进程关闭自己持有的那份客户端套接字。这一步必不可少，否则子进程关闭之后连接仍然不会断开。但父进程该做的其他事情，它都没有做。反例是 `pwb_legacy/book/exhibits/pwb4.py`；正确的写法是 `pwb_legacy/processes.py`，即 `--mode process`。",
            ),
        ),
        "5": ProgramText(
            "9.3.3",
            "协程，每个客户端一个协程",
            "net09_web_PWB5.py",
            (
                "每个客户端由一个 greenlet（gevent 的协程）处理，用 `gevent.spawn()` 启动。只有当前运行的代码在 gevent 的函数里等待时，才会切换到别的协程。标准库的 `accept()` 不是这样的函数，所以连第一个协程也永远得不到运行。程序开头少了一行 `monkey.patch_all()`。反例是 `pwb_legacy/book/exhibits/pwb5.py`；正确的写法是 `pwb_legacy/greenlets.py`，即 `--mode gevent`。",
            ),
        ),
        "6": ProgramText(
            "9.4",
            "单线程加 epoll",
            "net09_web_PWB6.py",
            (
                "一个线程通过 `epoll` 询问内核哪些套接字就绪，然后处理它们。程序选择了边缘触发：每次变化只通知一次。因此每次收到通知，都必须一直处理到没有剩余为止；而它只调用一次 `accept()`（L13）、一次 `recv()`（L2）、一次 `send()`（L5）。反例是 `pwb_legacy/book/exhibits/pwb6.py`；正确的写法是 `pwb_legacy/epoll.py`，即 `--mode epoll`。",
            ),
        ),
        "7": ProgramText(
            "9.4",
            "epoll，每个事件一个线程",
            "net09_web_PWB7.py",
            (
                "最后一个程序保留了程序 6 的循环，但为每个事件启动一个线程，由线程接收请求、读文件、发送响应、关闭连接。于是循环和许多线程共用同一批套接字和同一张表，却没有约定由谁负责。正确的做法是套接字只归循环，线程只读磁盘。反例是 `pwb_legacy/book/exhibits/pwb7.py`；正确的写法是 `pwb_legacy/epoll_threads.py`，即 `--mode epoll-thread`。",
            ),
        ),
    },
    again="（再次出现）",
    option=" --lang zh",
    stop="。",
    gap="",
    place="`{0.text}`，见 [`{0.file}`](../{0.file})",
    and_="；",
)

BOOK: Final = {"en": _ENGLISH, "zh": _CHINESE}
