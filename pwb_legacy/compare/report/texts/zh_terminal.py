"""The part of the Chinese catalogue that is printed in a terminal."""

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, str]] = {
    "table.legend": (
        "/s：每秒请求数（k：千）；p90：90 % 请求的最长等待毫秒数；\n"
        "KiB：每个空闲连接的内存；! 有失败；- 没有数值；x 未测量"
    ),
    "table.legend.pages": "ms：页面全部到齐的毫秒数",
    "table.line": "第 {round} 轮  {design:16} {scenario:12}",
    "table.line.rate": "{rate:9,.0f}/s",
    "table.line.p90": "  p90 {ms:.1f} ms",
    "table.line.cpu": "  每个 {us:,.0f} µs",
    "table.line.failures": "  失败 {n:,}",
    "table.written": "图表在 {page}，数据在 {json}",
    "table.drawn": "图表在 {page}",
    "table.earlier": "上一次运行的数据在 {json}",
    "table.elsewhere": "{json}：{why}；全部写入 {folder}",
    "table.alone": "只测量一种设计，没有可比较的；请给出两种，例如 --modes thread,epoll",
    "table.not_drawn": "数据在 {json}；页面无法绘制：{why}",
    "table.alike": "{n} 种设计对 {requests} 个请求的响应完全一致",
    "table.one_design": "只有一种设计，没有可比较的响应",
    "table.progress": "第 {round} 轮，{design}，{scenario}",
    "table.rates": "开环负载的速率：{rates}",
    "table.finding_rates": "正在确定开环负载的速率",
    # diff
    "diff.alike": "向 {n} 种设计各发 {requests}，响应完全一致",
    "diff.unlike": "向 {n} 种设计各发 {requests}，其中 {count:,} 个的响应不一致",
    "diff.one": "向一种设计发了 {requests}，没有可比较的响应",
    "diff.request": "1 个请求",
    "diff.requests": "{n:,} 个请求",
}
