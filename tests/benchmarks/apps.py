"""The static applications of the Python peers, each as its own documentation shows it.

A program of its own: ``python apps.py NAME PORT LOG`` with the folder to serve in BENCHMARK_ROOT;
gunicorn and Granian import it instead. It loads its libraries late and by name, since none of them
need be there.
"""

import os
import sys
from importlib import import_module
from typing import Any

ROOT = os.environ.get("BENCHMARK_ROOT", ".")


def whitenoise() -> Any:
    """WhiteNoise around a WSGI application that finds nothing."""

    def nothing(environ: dict[str, Any], start: Any) -> list[bytes]:
        start("404 Not Found", [("Content-Length", "0")])
        return []

    return import_module("whitenoise").WhiteNoise(nothing, root=ROOT)


async def nothing(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An ASGI application that finds nothing."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def servestatic() -> Any:
    """ServeStatic around an ASGI application that finds nothing."""
    return import_module("servestatic").ServeStaticASGI(nothing, root=ROOT)


def starlette() -> Any:
    """Starlette with its StaticFiles at the root, inside its GZipMiddleware if BENCHMARK_GZIP is set."""
    files = import_module("starlette.staticfiles").StaticFiles(directory=ROOT)
    mount = import_module("starlette.routing").Mount("/", files)
    application = import_module("starlette.applications").Starlette(routes=[mount])
    if "BENCHMARK_GZIP" in os.environ:
        application.add_middleware(import_module("starlette.middleware.gzip").GZipMiddleware)
    return application


def pwb_asgi() -> Any:
    """PWB's own application, as the server above its peers is measured: without compression, unless that is asked for."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.path[0] = top  # the folder of this file has modules of the names of packages
    options = {} if "BENCHMARK_GZIP" in os.environ else {"compress": False, "precompressed": False}
    return import_module("pwb_async.asgi").StaticSite(ROOT, **options)


def run_uvicorn(application: Any, port: int, log: bool) -> None:
    """uvicorn on uvloop and httptools; its access log goes to standard output."""
    import_module("uvicorn").run(
        application,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        log_level="info" if log else "warning",
        access_log=log,
        timeout_keep_alive=75,
    )


def run_aiohttp(port: int, log: bool) -> None:
    """aiohttp's web.static on asyncio's own loop, the only one with sendfile for it.

    Its access log goes to standard error.
    """
    web = import_module("aiohttp.web")
    if log:
        import_module("logging").basicConfig(level="INFO")
    application = web.Application()
    application.add_routes([web.static("/", ROOT)])
    web.run_app(
        application,
        host="127.0.0.1",
        port=port,
        print=None,
        **({} if log else {"access_log": None}),
    )


def main() -> None:
    """Run the application that the command line names."""
    name, port, log = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "on"
    if name == "aiohttp":
        run_aiohttp(port, log)
    else:
        run_uvicorn({"starlette": starlette, "servestatic": servestatic, "pwb-asgi": pwb_asgi}[name](), port, log)


if __name__ == "__main__":
    main()
