"""The Chinese catalogue, with the names of the English one."""

from collections.abc import Mapping
from typing import Final

from . import zh_curves, zh_terminal

LANGUAGE: Final = "zh-CN"

SCENARIOS: Final[Mapping[str, tuple[str, str]]] = {
    "crowd": (
        "大量空闲连接",
        "只保持连接、不发请求的客户端占用哪些资源：内存，在有些设计中还有一个线程或进程。空闲客户端数：{idle}。"
        "同时另有 {clients} 个客户端在请求一个页面。",
    ),
    "short": ("短连接", "和教材一样，每个请求都新建一个连接：接受一个客户端的开销有多大。"),
    "kept": (
        "持久连接",
        "在持久连接上反复请求同一个页面：除响应本身外没有别的工作时，一个响应的开销有多大。",
    ),
    "many": (
        "许多文件",
        "以固定速率发出请求，每个请求都请求不同的文件：查找文件的开销有多大，缓存能省下多少。",
    ),
    "large": ("大文件", "{clients} 个客户端同时下载一个大文件：传输大量数据的开销有多大。"),
    "slow-heads": (
        "慢发送客户端",
        "有些客户端只发半个请求，永远发不完。服务器在等它们的时候，还能服务其他客户端吗？",
    ),
    "slow-readers": (
        "慢读取客户端",
        "有些客户端一点一点地读取一个大文件。请求小页面的其他客户端要跟着等吗？",
    ),
    "burst": ("突发连接", "{clients} 个客户端在同一时刻建立连接，各发一个请求：最后几个要等多久？"),
    "vanishing": (
        "突然断开的客户端",
        "客户端请求一个大文件后立即重置连接，服务器为它们做的工作全部白费。其他客户端会受多大影响？",
    ),
    "slow-disk": (
        "慢文件",
        "{files} 个文件中有一个在慢磁盘上，每次读取多花 {delay}。请求其余文件的客户端也要跟着等吗？",
    ),
    "page-0ms": (
        "小文件页面",
        "客户端下载 {files} 个小文件：用 HTTP/1.1 时像浏览器一样开 {connections} 个连接，用 HTTP/2（async-http2）时只开"
        "一个连接，在上面一次请求全部文件。两者之间没有延迟，所以这里的时间是服务器和客户端共同用去的。",
    ),
    "page-20ms": (
        "小文件页面，延迟 20 毫秒",
        "同样的 {files} 个文件，但每次往返多花 {delay_ms} 毫秒。用 HTTP/1.1 时，每个连接上的每个文件都要等这么久；"
        "用 HTTP/2 时，所有文件一起等。",
    ),
    "page-100ms": (
        "小文件页面，延迟 100 毫秒",
        "同样的 {files} 个文件，每次往返 {delay_ms} 毫秒，如同来自另一个大洲。这条路没有带宽限制，"
        "没有慢启动，也不丢包；在真实网络中，这些对一个连接的影响比对 {connections} 个连接更大。",
    ),
    "replay": (
        "重放",
        "真实客户端曾经发出的请求，以 {speed:g} 倍速重放："
        "{recorded:,} 个请求中的 {asked:,} 个，历时 {seconds:.0f} 秒。",
    ),
}

MEASURES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "page_ms": ("页面全部到齐的时间", "页面 ms", "ms", "ms"),
    "rate": ("每秒请求数", "请求/s", "", "/s"),
    "p50_ms": ("50 % 请求的最长等待时间", "p50 ms", "ms", "p50"),
    "p90_ms": ("90 % 请求的最长等待时间", "p90 ms", "ms", "p90"),
    "p99_ms": ("99 % 请求的最长等待时间", "p99 ms", "ms", "p99"),
    "cpu_us": ("每个请求的 CPU 时间", "CPU µs", "µs", "µs"),
    "memory_kib": ("所有进程的内存", "内存 MiB", "MiB", "MiB"),
    "memory_per_connection_kib": ("每个空闲连接的内存", "每连接 KiB", "KiB", "KiB"),
    "threads": ("线程数", "线程", "", ""),
    "processes": ("进程数", "进程", "", ""),
    "switches": ("每个请求的上下文切换次数", "上下文切换", "", ""),
    "system_calls": ("每个请求的系统调用次数", "系统调用（n = 1）", "", ""),
}

FAMILIES: Final[Mapping[str, str]] = {
    "one": "一次只服务一个客户端",
    "each": "每个客户端由一个线程、进程或协程等待",
    "loop": "由 epoll 通知哪些套接字就绪",
    "async": "asyncio 事件循环",
    "line": "其他服务器，仅供参考",
}

DESIGNS: Final[Mapping[str, str]] = {
    "single": "一次只服务一个客户端",
    "thread": "每个客户端一个线程",
    "process": "每个客户端一个进程",
    "gevent": "每个客户端一个协程（greenlet）",
    "epoll": "单线程，由 epoll 通知哪些套接字就绪",
    "epoll-thread": "epoll，磁盘操作交给线程",
    "async": "uvloop 上的 asyncio，带缓存",
    "async-uncached": "uvloop 上的 asyncio，无缓存",
    "async-asyncio": "asyncio 自带的事件循环，带缓存",
    "async-http2": "uvloop 上的 asyncio，使用 HTTP/2",
}

TEXTS: Final[Mapping[str, str]] = {
    # The verdict.
    "finding": "{subjects}：{parts}。",
    "subject": "{titles}，{measure}",
    "subject.on_1": "{titles}，{measure}，单核",
    "subject.on_cores": "{titles}，{measure}，{cores} 核",
    "part": "；",
    "series.pages": "小文件页面",
    "series": "延迟 {ms} 毫秒时，{parts}",
    "most.first": "{winners} 最多{tie}，是 {loser} 的 {ratio} 倍（{evidence}）",
    "most.last": "{losers} 最少{tie}，{winner} 是它的 {ratio} 倍（{evidence}）",
    "least.first": "{winners} 最少{tie}，{loser} 是它的 {ratio} 倍（{evidence}）",
    "least.last": "{losers} 最多{tie}，是 {winner} 的 {ratio} 倍（{evidence}）",
    "most.some": "无法判断先后顺序，但 {winners} 是 {losers} 的 {ratio} 倍（{evidence}）",
    "least.some": "无法判断先后顺序，但 {losers} 是 {winners} 的 {ratio} 倍（{evidence}）",
    "beyond": "1,000+",
    "tie": "（彼此无法区分）",
    "tie.some": "（其中有些无法区分）",
    "undecided": "测了 {rounds}，仍无法区分各设计",
    "undecided.one_round": "一轮只能断定 10 倍以上的差别，这里没有",
    "disturbed": "未计入 {designs}，因为其他程序占用了这些核 {share:.0%} 以上的时间",
    "middle": "比值的四分位区间为 {low} 到 {high}，{rounds}中领先 {ahead} 次",
    "silent": "{designs} 没有响应任何请求",
    "rounds.1": "1 轮",
    "rounds": "{n} 轮",
    "runs": "{n} 次运行",
    "failures": "失败的请求：{parts}。",
    "failures.part": "{design} {requests:,} 个中有 {failures:,} 个（{scenario}）",
    "failures.none": "共 {requests:,} 个请求，没有失败的。",
    "failures.few": "共 {requests:,} 个请求，每种设计在每个场景中失败的都不超过千分之一。",
    "limited": "{scenario}：负载发生器比 {designs} 更忙，这些设计每秒本可处理更多请求。",
    "scaling": "从 {few} 核到 {many} 核：{parts}。",
    "scaling.more": "{design} 的请求数是原来的 {ratio} 倍（{evidence}）",
    "scaling.fewer": "{design} 反而减少，是原来的 {ratio} 倍（{evidence}）",
    "scaling.same": "测了 {rounds}，看不出 {designs} 有差别",
    "lock": (
        "同一个解释器的线程共用一把解释器锁（GIL），任一时刻只有一个线程在执行 Python 代码，"
        "所以多一个核对 thread 没有帮助；process 的每个子进程都有自己的解释器。"
    ),
    "and": "、",
    "comma": "、",
    "to": "{least} 到 {most}",
    "between": "{least}–{most}",
    "value.of": "{value} (n={n:,})",
    # Conditions of a run.
    "about.PWB": "PWB",
    "about.command": "命令",
    "about.date": "日期",
    "about.machine": "机器",
    "about.machine.is": "{cpu}，{cores} 核，{gib:,.0f} GiB",
    "about.system": "系统",
    "about.python": "Python",
    "about.cores": "CPU 核",
    "about.cores.are": "服务器用{servers}，负载发生器用{load}",
    "about.cores.several": "服务器依次用{servers}，负载发生器用{load}",
    "about.cores.core": "核 {cores}",
    "about.cores.or": "或",
    "about.cpu_time": "CPU 时间",
    "about.cpu_time.control group": "所有进程的总和，取自内核的 cgroup，不遗漏任何子进程",
    "about.cpu_time.process tree": "所有进程的总和，取自 /proc；已结束的子进程以 10 毫秒为单位计时",
    "about.load": "负载",
    "about.load.own": "实验室自带的负载发生器，除非场景另有规定，使用 {connections} 个繁忙连接",
    "about.load.wrk": "wrk 闭环负载，除非场景另有规定，使用 {connections} 个繁忙连接",
    "about.closed": "闭环",
    "about.closed.is": (
        "{scenarios}：每个客户端收到响应后才发下一个请求。它反映服务器的最大处理能力，但不能反映客户端要等多久："
        "服务器停顿期间，客户端也不再发请求，所以只有少数请求遇到停顿，等待时间大致等于客户端数除以每秒请求数。"
    ),
    "about.open": "开环",
    "about.open.is": (
        "{scenarios}：不管服务器在做什么，请求都以固定速率在随机时刻发出，等待时间从请求计划发出的时刻算起。"
        "速率取本次运行中最慢的设计在 {clients} 个连接上不受干扰时处理能力的一半，"
        "让所有设计都能承受，并且最多每秒 {most:,} 个。"
    ),
    "about.open.one": "{scenario} {rate}/s",
    "about.open.slowest": "{scenario} {rate}/s（{design} 的处理能力为 {capacity}/s）",
    "about.rounds": "轮次",
    "about.rounds.are": "{rounds}，每次测量 {seconds:g} 秒；随机种子 {seed}",
    "about.site": "网站",
    "about.site.made": "为本次运行生成：一个 1 KiB 的页面，{pages:,} 个平均 {kib} KiB 的文件，一个 {mib} MiB 的文件",
    "about.site.found": (
        "{root}：共 {files:,} 个文件，请求其中 {drawn:,} 个；小页面是 {page}（{page_size:,} 字节），"
        "大文件是 {large}（{large_size:,} 字节）"
    ),
    "about.runs": "运行",
    "about.runs.are": "合并了 {n} 次运行，机器：{machines}；其余条件取自第一次运行",
    "about.runs.machine": "{cpu}，{cores} 核，{n} 次",
    "remark.one_core": "只有一个核：负载发生器与服务器争用 CPU 时间。",
    "remark.shared_core": "使用 {cores} 个核时，服务器与负载发生器共用核 {load}，所以测得的结果低于服务器的实际能力。",
    "remark.busy": "开始时机器还有别的工作：平均负载为 {load:.1f}。",
    "remark.disturbed": "在用于测量的核上，其他程序占用了 {share:.0%} 的时间。",
    "remark.few_rounds": "只有 {rounds}：只有每一轮都相差很大时才下结论，一轮则要相差 10 倍。",
    "remark.no_page": "页面无法绘制：{why}。",
    # Reasons for a figure that is not there.
    "missing.too_few": "请求太少",
    "missing.no_response": "没有响应",
    "missing.keeps_none": "不保持连接",
    "missing.threads_end": "随线程一起结束",
    "missing.below_resolution": "太小，测不出",
    "missing.not_measured": "未测量",
    "missing.single_run": "只在其中一次运行中统计",
    # Designs under other interpreters, and other servers.
    "design.python.on": "{version}，启用 GIL",
    "design.python.off": "{version}，停用 GIL",
    "design.reference": "仅供参考：不是 PWB 的设计，结论不涉及它",
    "design.other": "另一个服务器：{asked} 个请求中，有 {unlike} 个响应的状态码或内容与 PWB 不同",
    # Notes below a scenario.
    "note.not_asked": "{design} 没有测量：运行在此之前被中断。",
    "note.failed": "{design} 无法测量：{why}",
    "note.silent": "{design} 在测量期间没有响应任何请求。",
    "note.limited": "* 负载发生器比 {designs} 更忙：每秒请求数至少有这么多。",
    "note.disturbed": (
        "† 画成空心：测量 {designs} 时，其他程序占用了这些核 {share:.0%} 以上的时间，每秒请求数和等待时间仅供参考。"
    ),
    "note.keeps_none": "{designs} 每发完一个响应就关闭连接，所以这里每个请求也都新建一个连接。",
    "note.few": "请求少于 {least:,} 个时不给出 p{percent}：个别请求就足以左右它。",
    "note.in_time": (
        "每秒请求数只计测量时间内得到响应的请求；"
        "n 和失败数统计这段时间内发出的所有请求，包括之后才得到响应或始终没有响应的。"
    ),
    "note.timeout": "没有得到响应的请求，按客户端放弃之前等待的时间计算。",
    # The page.
    "page.title": "PWB：各种设计的比较，{date}",
    "page.other_language": "English",
    "page.other_language.code": "en",
    "page.heading": "同样的响应，{n} 种等待客户端的方式",
    "page.interrupted": "运行被中断，以下是中断之前测得的结果。",
    "page.verdict": "数据能支持的结论",
    "page.conditions": "测量了什么，怎样测量",
    "page.designs": "各种设计。颜色表示它怎样等待。",
    "page.name": "名称",
    "page.command": "命令",
    "page.unlike": "向每种设计各发 {requests:,} 个请求，其中 {n} 个的响应不一致：",
    "page.alike": "响应完全一致：测量之前向每种设计各发 {requests:,} 个请求，得到的字节都相同。",
    "page.reading": (
        "数值是各轮的中位数；百分位数由所有轮次的请求合并得出，旁边注明请求数。数值下方的细线是各轮的四分位区间（中间一半轮次）。"
        "有效数字的位数取决于数据的离散程度。数值相差悬殊时采用对数坐标：用横线上的点表示数值，并标出 10 的各次幂。"
        "请求数和等待时间只统计行为正常的客户端。内存不含文件映射页，同一台机器上的所有 Python 进程共用这些页。"
    ),
    "page.columns": "各列的含义",
    "page.claims": (
        "每个结论都在同一轮内比较两种设计：给出比值的中位数，括号内是比值的四分位区间（中间一半轮次）和领先的轮数。"
        "结论是否成立由配对 t 检验和 Wilcoxon 检验判定，并按比较的次数做多重比较校正（Benjamini–Hochberg，5 %）。"
        "设计的排序中，括号内的各项没有确定的先后；其中能分出先后的，列在后面。"
    ),
    "page.scenarios": "{n} 个场景",
    "page.scenario": "一个场景",
    "page.order": "从优到劣：{tiers}",
    "page.order.of": "{measure}。{order}",
    "page.order.than": " > ",
    "page.order.tie": "（{designs}）",
    "page.order.within": "{order}。括号内可以确定：{pairs}",
    "page.order.pair": "{better} 优于 {worse}",
    "page.more": "越大越好",
    "page.less": "越小越好",
    "page.logarithmic": "对数坐标",
    "page.figures": "全部数据",
    "page.design": "设计",
    "page.failures": "失败",
    "page.requests": "n",
    "page.waits": "请求的等待时间",
    "page.waits.axis": "请求的百分比（越接近 100 越展开）",
    "page.no_chart": "这张图无法绘制：{why}",
    "page.again": "重新测量：",
    "page.files": "每一轮的数据都在 compare.json 中，用 report 可以重新画出本页：",
    # A lesson, and what can be saved.
    "lesson.tools": "课堂工具",
    "lesson.guess_first": "先猜后看",
    "lesson.slides": "幻灯片",
    "lesson.guess": "{name}：你的猜测",
    "lesson.guess.of": "请猜一猜各设计的数值，至少猜一个：",
    "lesson.show": "揭晓",
    "lesson.show_all": "全部揭晓",
    "lesson.hidden": "所有图表都猜过之后才显示结论。",
    "lesson.result": "{name}：猜测 {guess}，实测 {measured}；{times}",
    "lesson.times": "相差 {times} 倍",
    "lesson.exact": "猜对了",
    "lesson.previous": "上一页",
    "lesson.next": "下一页",
    "lesson.close": "关闭（Esc）",
    "lesson.slide": "{place} / {all}",
    "save": "将“{title}”另存为",
    "csv.low": "四分位区间，下限",
    "csv.high": "四分位区间，上限",
    "csv.least": "最小值",
    "csv.most": "最大值",
    **zh_curves.TEXTS,
    **zh_terminal.TEXTS,
}
