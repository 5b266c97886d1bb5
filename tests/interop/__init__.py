"""Clients that people use: curl, wget, zsync, apt, git, DuckDB, Java, Chromium and others. Where one is not installed,
its tests are skipped."""
