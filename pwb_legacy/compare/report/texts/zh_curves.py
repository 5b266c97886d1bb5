"""The part of the Chinese catalogue that is about the sweep, its curves and the growth that they show."""

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, str]] = {
    "curve.rate": "每秒请求数随客户端数的变化",
    "curve.rate.figure": "每秒请求数",
    "curve.rate.unit": "/s",
    "curve.rate.teaches": (
        "每个客户端收到响应后立即发出下一个请求。客户端越多，服务器越忙，直到满负荷为止。"
        "好的设计此后保持在这一水平；每多一个客户端就多一份开销的设计则会下降。"
    ),
    "curve.wait": "等待时间（p99）随客户端数的变化",
    "curve.wait.figure": "p99，毫秒",
    "curve.wait.unit": "ms",
    "curve.wait.teaches": (
        "p99：99 % 的请求等待不超过这个时间。"
        "在闭环负载下，服务器满负荷时，每个客户端都要等其余所有客户端："
        "等待时间大致等于客户端数除以每秒请求数，"
        "因此随客户端数线性增长。增长得更快，说明客户端越多服务器越慢，或者它对某些客户端不公平。"
        "增长趋势按 p90 判断，因为一轮的请求数足够估计 p90。"
    ),
    "curve.cpu": "每个请求的 CPU 时间随客户端数的变化",
    "curve.cpu.figure": "CPU 时间，微秒",
    "curve.cpu.unit": "µs",
    "curve.cpu.teaches": (
        "每个响应消耗的 CPU 时间，服务器的所有进程合计。服务器每次被唤醒能服务多个客户端时，曲线下降；"
        "每个客户端只要连着就有开销时，曲线上升。"
    ),
    "curve.load": "等待时间（p90）随负载的变化",
    "curve.load.figure": "p90，毫秒",
    "curve.load.unit": "ms",
    "curve.load.teaches": (
        "p90：90 % 的请求等待不超过这个时间。"
        "不管服务器在做什么，请求都在随机时刻发出，分布在 {connections} 个客户端的连接上，"
        "速率是该设计刚刚测得的容量的一个比例；等待时间从请求计划发出的时刻算起。"
        "低于容量时，服务器立即响应；接近容量时，开始排队；超过容量后，只要负载不停，等待时间就一直增长，没有上限。"
        "增长趋势按 p50 判断。"
    ),
    "curve.up": "{figure}（对数坐标）",
    "curve.clients": "客户端数（逐次加倍）",
    "curve.offered": "发出的请求占该设计容量的比例",
    "curve.capacity": "容量，每秒请求数：{parts}。",
    "curve.capacity.part": "{design} {rate}",
    "growth": "{title}：{parts}。",
    "growth.alone": "客户端越来越多时：{parts}。",
    "growth.alone.offered": "负载越来越大时：{parts}。",
    "growth.flat": "{designs} 保持平稳",
    "growth.saturates": "{designs} 增长到 {at} 个客户端为止，之后平稳",
    "growth.collapses": "{designs} 在 {at} 个客户端时崩溃",
    "growth.slower": "{designs} 有增长，但比客户端数增长得慢",
    "growth.linear": "{designs} 线性增长",
    "growth.faster": "{designs} 比客户端数增长得更快",
    "growth.grows": "{designs} 上升（括号内为倍数）",
    "growth.falls": "{designs} 下降（括号内为倍数）",
    "growth.leaps": "{designs} 在容量的 {at} 处陡增",
    "growth.no_leap": "{designs} 看不出陡增",
    "growth.cannot_tell": "{designs} 各轮结果不一致，无法判断",
    "growth.cannot_tell.one_round": "只有一轮，无法判断",
    "growth.designs": "{design}（{at}）",
    "growth.words": (
        "平稳：变化在 1.5 倍以内。崩溃：吞吐量降到最高值的一半以下，并且不再恢复。"
        "线性增长：客户端数翻倍，数值大致也翻倍（指数在 0.7 到 1.3 之间）。"
        "陡增：超过最低负载下等待时间的 5 倍，并且不再回落。无法判断：各轮结果不一致，或者请求太少。"
    ),
    "about.load.sweep": "实验室自带的负载发生器；闭环为 1 到 512 个客户端，开环使用 {connections} 个连接",
    "page.questions": "{n} 组曲线",
    "curves.table": (
        "横轴上的每个位置为一列：{axis}。数值是各轮的中位数，下方是最小值和最大值；"
        "如果单独一轮的请求数不足以估计某个百分位数，就由所有轮次的请求合并得出。"
    ),
    "curves.caption": "全部数据：{figure}",
    "curves.limited": "* 负载发生器比服务器更忙：每秒请求数至少有这么多。开环测量中不画这样的点。",
    "curves.disturbed": "† 大多数轮次中，其他程序占用了这些核 {share:.0%} 以上的时间，这样的数值仅供参考。",
    "curves.point.clients": "第 {round} 轮，{design}，{x} 个客户端",
    "curves.point.offered": "第 {round} 轮，{design}，负载 {x}",
    "curves.plan": ("每轮 {points} 个点，时间允许时至少 {least} 轮；每个点约 {each:.1f} 秒，共约 {minutes:.1f} 分钟"),
    "curves.failures": "! {requests:,} 个请求中有 {failures:,} 个失败：{parts}",
    "curves.failed": "{design}，{x}：{why}",
    "remark.over": "第 {number} 轮没有测完，时间已到：缺少其中的 {n} 个点。",
}
