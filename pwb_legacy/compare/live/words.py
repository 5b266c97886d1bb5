"""All sentences of the lesson, in English and Chinese: of the page, of the story, and of the terminal.

A name in braces is a value. The page fills it in; a list is joined by `comma`.
"""

from typing import Final

from .row import IDLE, SLOW_BYTES, SLOW_READERS, SLOW_SENDERS
from .steady_load import PATIENCE
from .story import DISK_MS

Catalogue = dict[str, dict[str, str]]

EN: Final[Catalogue] = {
    "page": {
        "lang": "en",
        "comma": ", ",
        "title": "How servers wait",
        "lead": "Every design has the same files and the same clients. ",
        "switch": "中文",
        "slow-senders": f"{SLOW_SENDERS} slow senders",
        "slow-readers": f"{SLOW_READERS} slow readers",
        "idle": f"{IDLE} idle clients",
        "slow-disk": f"Slow disk, {DISK_MS} ms",
        "kill": "Kill a child of process",
        "slower": "Half the load",
        "faster": "Twice the load",
        "reset": "Reset",
        "buttons": "What happens to all designs",
        "now": "What is happening",
        "designs": "The designs",
        "design": "Design",
        "rate": "Responses/s",
        "wait": "Wait, ms",
        "wait-of": "median / longest",
        "lane": "Waits in the last minute",
        "waiting": "Waiting",
        "lost": "Lost",
        "cpu": "CPU, %",
        "memory": "Memory, MiB",
        "threads": "Threads",
        "processes": "Processes",
        "clients": "Clients",
        "running": "On",
        "running-of": "Clients for {name}",
        "left": "Ends in {minutes} min",
        "last-minute": "Ends in less than a minute",
        "over": "The lesson has ended. Its servers are gone; run pwb-legacy live for another one.",
        "refused": "The button was refused: open the page by the whole address that the terminal shows.",
        "unreached": "The button did not reach the lesson.",
        "none": "none",
        "scale": "lines at 10 ms, 100 ms, 1 s",
        "legend": f"Responses, waits and CPU time are those of the last second. Waits count from the moment at which a request "
        f"was due; a request without a response for {PATIENCE:.0f} s is lost, as is a connection that the server cuts. In "
        "a lane the bar reaches from the median to the longest wait of half a second, red is a loss. Clients are "
        "counted at their own end. 100 % of CPU time is one core.",
    },
    "designs": {
        "single": "one client at a time",
        "thread": "a thread for each client",
        "process": "a process for each client",
        "gevent": "a greenlet for each client",
        "epoll": "one thread and an event loop",
        "epoll-thread": "an event loop, threads for the disk",
        "async": "asyncio on uvloop, with a cache",
        "async-uncached": "asyncio on uvloop, no cache",
        "async-asyncio": "asyncio's own loop, with a cache",
    },
    "story": {
        "load": "Each gets requests for {rate} files a second, {files} at the same moment, as from a browser.",
        "calm": "No client makes trouble. Median waits are between {least} ms ({first}) and {most} ms ({last}).",
        "late": "This machine is busy: the clients themselves began up to {ms} ms late, which is part of all waits.",
        "idle": "{count} clients have had one response each; they stay connected and send nothing.",
        "grown": "Change of memory since they connected: {items}.",
        "processes": "process has {count} child processes now, one for each client, and each has memory of its own.",
        "threads": "thread has {count} threads beside the main one now, one for each client, each with its own stack.",
        "one-request": "{names} has not kept them: it closes each connection after one response.",
        "slow-disk": "Each access to the disk takes {ms} ms longer, and {files} files are requested at once.",
        "alone": "The only thread waits for the disk itself, so the files are read one after the other: {items} (median / "
        "longest).",
        "side-by-side": "Several threads or processes wait for the disk at the same time: {items}.",
        "cached": "Most responses come from the cache, without access to the disk: {items}.",
        "slow-senders": "{count} clients send a request that never ends, one byte every half second.",
        "slow-readers": f"{{count}} clients read a large file slowly, {SLOW_BYTES >> 10} KiB a second each.",
        "own": "{names}: only the thread, process or greenlet of a slow client waits for it; other clients are "
        "answered.",
        "loops": "{names}: the event loop leaves a slow client alone until its socket is ready; other clients are "
        "answered.",
        "behind": "Requests arrive faster than they are answered; those that wait: {items}.",
        "blocked": "{name} has answered none of the others for {seconds} s: it serves one client to the end before the "
        "next, and that one is slow.",
        "stuck": "{name} has answered nothing for {seconds} s.",
        "killed": "Child {pid} of process was killed {seconds} s ago; a client that comes back gets a new one. There are "
        "{processes} processes now. Lost since the reset: {items}; nothing by any other design.",
        "ended": "The server of {name} has ended: {why}",
        "paused": "Without clients now: {names}.",
    },
    "terminal": {
        "starting": "starting {name}",
        "open": "open {url}",
        "ends": "It ends by itself after {time}, or with Ctrl-C.",
        "seconds": "{n:g} s",
        "minutes": "{n:.0f} min",
        "ended": "ended; all servers are gone",
    },
}

ZH: Final[Catalogue] = {
    "page": {
        "lang": "zh-CN",
        "comma": "、",
        "title": "服务器是怎样等待的",
        "lead": "所有设计提供相同的文件，服务相同的客户端。",
        "switch": "English",
        "slow-senders": f"{SLOW_SENDERS} 个慢发送客户端",
        "slow-readers": f"{SLOW_READERS} 个慢读取客户端",
        "idle": f"{IDLE} 个空闲客户端",
        "slow-disk": f"慢磁盘，{DISK_MS} 毫秒",
        "kill": "终止 process 的一个子进程",
        "slower": "负载减半",
        "faster": "负载加倍",
        "reset": "重置",
        "buttons": "同时作用于所有设计",
        "now": "正在发生什么",
        "designs": "各种设计",
        "design": "设计",
        "rate": "响应数/秒",
        "wait": "等待，毫秒",
        "wait-of": "中位数 / 最长",
        "lane": "最近一分钟的等待时间",
        "waiting": "等待中",
        "lost": "丢失",
        "cpu": "CPU，%",
        "memory": "内存，MiB",
        "threads": "线程",
        "processes": "进程",
        "clients": "客户端",
        "running": "开启",
        "running-of": "{name} 的客户端",
        "left": "{minutes} 分钟后结束",
        "last-minute": "不到一分钟后结束",
        "over": "演示已结束，所有服务器都已退出；再次运行 pwb-legacy live 即可重新开始。",
        "refused": "操作被拒绝：请用终端里显示的完整地址打开本页。",
        "unreached": "操作没有送达演示程序。",
        "none": "无",
        "scale": "横线：10 毫秒、100 毫秒、1 秒",
        "legend": "响应数、等待时间和 CPU 都取最近一秒。等待时间从请求计划发出的时刻算起；"
        f"{PATIENCE:.0f} 秒内没有响应的请求，以及被服务器断开的连接，都计入丢失。"
        "图中每一竖条是半秒，从等待时间的中位数画到最长值，红色表示有丢失。"
        "客户端数在客户端一侧统计。CPU 时间 100 % 相当于占满一个核。",
    },
    "designs": {
        "single": "一次只服务一个客户端",
        "thread": "每个客户端一个线程",
        "process": "每个客户端一个进程",
        "gevent": "每个客户端一个 greenlet",
        "epoll": "单线程加事件循环",
        "epoll-thread": "事件循环，磁盘操作交给线程",
        "async": "uvloop 上的 asyncio，带缓存",
        "async-uncached": "uvloop 上的 asyncio，无缓存",
        "async-asyncio": "asyncio 自带的事件循环，带缓存",
    },
    "story": {
        "load": "每秒收到 {rate} 个文件请求，像浏览器那样每次同时发来 {files} 个。",
        "calm": "目前没有异常的客户端。等待时间的中位数在 {least} 毫秒（{first}）到 {most} 毫秒（{last}）之间。",
        "late": "这台机器很忙：客户端自己最多迟了 {ms} 毫秒才发出请求，所有等待时间都包含这一延迟。",
        "idle": "{count} 个客户端各得到一个响应，之后保持连接，不再发送任何数据。",
        "grown": "从它们连接以来内存的变化：{items}。",
        "processes": "process 现在有 {count} 个子进程，每个客户端一个，各有自己的内存。",
        "threads": "thread 现在除主线程外有 {count} 个线程，每个客户端一个，各有自己的栈。",
        "one-request": "{names} 没有保留这些连接：它每发完一个响应就关闭连接。",
        "slow-disk": "每次磁盘操作多花 {ms} 毫秒，而且同时请求 {files} 个文件。",
        "alone": "唯一的线程自己等磁盘，文件只能一个接一个地读：{items}（中位数/最长）。",
        "side-by-side": "多个线程或进程同时等待磁盘：{items}。",
        "cached": "大多数响应来自缓存，不必访问磁盘：{items}。",
        "slow-senders": "{count} 个客户端每半秒发送一个字节，请求永远发不完。",
        "slow-readers": f"{{count}} 个客户端缓慢地读取一个大文件，每个每秒只读 {SLOW_BYTES >> 10} KiB。",
        "own": "{names}：只有为慢客户端服务的那个线程、进程或 greenlet 在等它，其他客户端照常得到响应。",
        "loops": "{names}：在慢客户端的套接字就绪之前，事件循环不去管它，其他客户端照常得到响应。",
        "behind": "请求到达比响应快，正在排队的请求数：{items}。",
        "blocked": "{name} 已有 {seconds} 秒没有响应其他客户端：它服务完一个客户端才轮到下一个，而当前这个很慢。",
        "stuck": "{name} 已有 {seconds} 秒没有任何响应。",
        "killed": "{seconds} 秒前 process 的子进程 {pid} 被终止；客户端重新连接时，会有新的子进程为它服务。现在有 {processes} 个进程。"
        "重置以来丢失的请求数：{items}，其他设计没有丢失。",
        "ended": "{name} 的服务器已退出：{why}",
        "paused": "目前没有客户端：{names}。",
    },
    "terminal": {
        "starting": "正在启动 {name}",
        "open": "请打开 {url}",
        "ends": "{time}后自动结束，也可以按 Ctrl-C。",
        "seconds": "{n:g} 秒",
        "minutes": "{n:.0f} 分钟",
        "ended": "已结束，所有服务器都已退出",
    },
}

LANGUAGES: Final[dict[str, Catalogue]] = {"en": EN, "zh": ZH}
