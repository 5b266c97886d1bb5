"""Clients that people use: curl, wget, ab, httpx, Chromium. Where one is not installed, its tests are skipped."""
