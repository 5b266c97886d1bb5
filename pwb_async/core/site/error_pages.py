"""The error pages of PWB. They contain nothing that a client sent, so that no script can be injected (hazard G2)."""

from functools import lru_cache
from typing import Final

from pwb_async.core.semantics.messages import REASONS

_TITLES: Final = {404: b"404 file not found"}
"""Titles that are not the reason phrase: these are quoted from the book."""
_CHINESE: Final = {
    400: "请求有误",
    403: "禁止访问",
    404: "找不到文件",
    405: "不支持这种请求方法",
    408: "请求超时",
    412: "前置条件不满足",
    414: "URI 太长",
    416: "请求的范围无效",
    417: "无法满足 Expect",
    431: "请求头部字段太大",
    500: "服务器内部错误",
    501: "未实现",
    503: "服务暂时不可用",
    505: "不支持的 HTTP 版本",
}
"""What the title means, for the pages of errors."""

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>body {{ font: 1.1rem system-ui, sans-serif; margin: 20vh 1rem; text-align: center }}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p lang="zh">{chinese}</p>
<p><a href="/">Home page <span lang="zh">首页</span></a></p>
</main>
</body>
</html>
"""


@lru_cache(64)
def status_page(status: int) -> bytes:
    """Return a small HTML page for a status code."""
    title = _TITLES.get(status) or b"%d %s" % (status, REASONS[status])
    return _PAGE.format(title=title.decode(), chinese=_CHINESE.get(status, "")).encode()
