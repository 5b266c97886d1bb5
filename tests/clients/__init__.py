"""Clients that people use: curl, wget, zsync, zckdl, ab, httpx, Chromium. Where one is not installed, its tests are skipped."""
