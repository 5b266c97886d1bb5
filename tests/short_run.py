"""The tests that a run without --exhaustive leaves out, all of them in this table.

A short run answers "did I break something?" in minutes: it runs every row of a plain site on every design, the rows of
sites with rules, guards or listings on two, and every cheap test, too.
The tests named here wait for deadlines, start many servers or move much data; a short run runs them on few designs, or
not at all. A run that is given files or tests by name leaves out nothing.
"""

from typing import Final

import pytest

from pwb_legacy.compare.checks import essential_rows
from tests.conformance.designs import COLUMNS, Design

ESSENTIAL_DESIGNS: Final = {"async-uvloop", "thread"}
"""The design for production, and one of those that share the blocking conversation of pwb_legacy/common."""
ESSENTIAL_LOOPS: Final = {"uvloop"}
ESSENTIAL_COLUMNS: Final = {"https-uvloop"}
ESSENTIAL_SERVERS: Final = {"uvicorn-httptools", "gunicorn"}
"""Of the servers of other projects, one of ASGI and one of WSGI."""
ESSENTIAL_ROWS: Final = frozenset(row.id for row in essential_rows.ROWS)
"""The rows that a short run runs in the columns of other protocols, and there it runs nothing else."""
ROWS_ELSEWHERE: Final = ("tests/asgi/test_rows.py::test_row", "tests/http2/test_rows.py::test_row")
"""The rows over HTTP/2, and in the servers of other projects."""

ON_ESSENTIAL_DESIGNS: Final = (
    "tests/compare/test_load.py",
    "tests/conformance/test_access.py",
    "tests/conformance/test_capacity.py",
    "tests/conformance/test_changes.py",
    "tests/conformance/test_corpus.py",
    "tests/conformance/test_current_folder.py",
    "tests/conformance/test_dotfiles.py",
    "tests/conformance/test_endings.py",
    "tests/conformance/test_error_pages.py",
    "tests/conformance/test_fallback.py",
    "tests/conformance/test_faults.py",
    "tests/conformance/test_files.py",
    "tests/conformance/test_generated.py",
    "tests/conformance/test_hooks.py",
    "tests/conformance/test_large.py",
    "tests/conformance/test_limits.py",
    "tests/conformance/test_listing.py",
    "tests/conformance/test_log.py",
    "tests/conformance/test_many.py",
    "tests/conformance/test_own_configuration.py",
    "tests/conformance/test_proxy_protocol.py",
    "tests/conformance/test_rules.py",
    "tests/conformance/test_scarce.py",
    "tests/conformance/test_sendfile.py",
    "tests/conformance/test_sites.py",
    "tests/conformance/test_splits.py",
    "tests/conformance/test_start.py",
    "tests/conformance/test_stop.py",
    "tests/conformance/test_time.py",
    "tests/conformance/test_types.py",
    "tests/interop/",
    "tests/process/",
)
"""The tests that a short run runs on ESSENTIAL_DESIGNS only, and those of tests/process on ESSENTIAL_LOOPS only."""

ONLY_EXHAUSTIVE: Final = (
    "tests/access/test_htpasswd.py::test_100_000_users",
    "tests/asgi/test_rows.py::test_the_rows_of_a_site",
    "tests/asgi/test_servers.py",
    "tests/benchmarks/test_growth.py::test_the_command_writes_figures_and_pictures",
    "tests/benchmarks/test_works.py",
    "tests/book/test_command.py::test_details_and_columns_fit_80_columns",
    "tests/book/test_exhibits.py",
    "tests/book/test_matrix.py::test_a_design_of_pwb_has_none_of_them",
    "tests/book/test_matrix.py::test_an_exhibit_has_the_defects_of_the_book",
    "tests/book/test_page.py",
    "tests/check/test_check.py",
    "tests/compare/test_compare.py::test_a_capacity_is_no_best_moment",
    "tests/compare/test_compare.py::test_a_design_that_cannot_start_has_a_reason",
    "tests/compare/test_compare.py::test_a_design_that_crashes_has_a_reason_and_is_started_again",
    "tests/compare/test_compare.py::test_a_design_that_crashes_while_its_calls_are_counted_is_told_as_such",
    "tests/compare/test_compare.py::test_a_fault_in_drawing_loses_nothing",
    "tests/compare/test_compare.py::test_a_file_that_is_no_result_is_one_line",
    "tests/compare/test_compare.py::test_a_folder_in_the_way_of_a_file_is_found_at_once",
    "tests/compare/test_compare.py::test_a_folder_that_cannot_be_made_is_one_line_before_anything_is_measured",
    "tests/compare/test_compare.py::test_a_folder_without_files_is_one_line",
    "tests/compare/test_compare.py::test_a_load_that_is_cancelled_before_its_time_begins_is_only_cancelled",
    "tests/compare/test_compare.py::test_a_name_is_printed_on_one_line_whatever_it_is",
    "tests/compare/test_compare.py::test_a_percentile_is_given_where_the_requests_carry_it",
    "tests/compare/test_compare.py::test_a_report_names_what_it_has_written",
    "tests/compare/test_compare.py::test_a_run_can_be_told_in_chinese_and_begin_with_guesses",
    "tests/compare/test_compare.py::test_a_run_prints_names_on_one_line_whatever_they_are",
    "tests/compare/test_compare.py::test_an_unknown_name_is_one_line_with_those_there_are",
    "tests/compare/test_compare.py::test_ctrl_c_before_anything_is_measured_writes_nothing",
    "tests/compare/test_compare.py::test_ctrl_c_keeps_what_was_measured_and_leaves_nobody_behind",
    "tests/compare/test_compare.py::test_every_design_is_measured_in_every_scenario",
    "tests/compare/test_compare.py::test_help_names_the_scenarios_that_there_are",
    "tests/compare/test_compare.py::test_more_cores_than_there_are_is_one_line",
    "tests/compare/test_compare.py::test_one_design_alone_is_measured_with_a_hint",
    "tests/compare/test_compare.py::test_open_loops_have_a_rate_that_the_design_can_serve",
    "tests/compare/test_compare.py::test_rounds_are_played_as_long_as_they_fit",
    "tests/compare/test_compare.py::test_runs_are_joined",
    "tests/compare/test_compare.py::test_the_conditions_and_the_equality_are_kept",
    "tests/compare/test_compare.py::test_the_figures_of_an_earlier_run_are_kept",
    "tests/compare/test_compare.py::test_the_files_are_written_whatever_the_locale_and_the_names_of_folders",
    "tests/compare/test_compare.py::test_the_number_of_idle_clients_is_on_the_page",
    "tests/compare/test_compare.py::test_the_page_is_whole",
    "tests/compare/test_compare.py::test_the_page_or_the_folder_of_a_run_leads_to_its_figures",
    "tests/compare/test_compare.py::test_the_slowest_design_decides_a_rate_that_all_can_serve",
    "tests/compare/test_compare.py::test_two_numbers_of_cores_are_measured_side_by_side",
    "tests/compare/test_compare.py::test_what_a_connection_costs",
    "tests/compare/test_compare.py::test_what_cannot_be_written_at_the_end_is_written_elsewhere",
    "tests/compare/test_compare.py::test_what_is_said_has_a_line_for_each_measurement",
    "tests/compare/test_compare.py::test_what_the_servers_need_too_comes_without_the_extra",
    "tests/compare/test_compare.py::test_without_the_extra_it_says_how_to_get_it",
    "tests/compare/test_compare.py::test_wrk_that_is_missing_is_one_line",
    "tests/compare/test_cpu_time.py::test_no_child_is_missed[in_a_group",
    "tests/compare/test_diff.py",
    "tests/compare/test_growth.py::test_a_noisy_machine_makes_it_silent_not_wrong",
    "tests/compare/test_lesson.py",
    "tests/compare/test_live.py",
    "tests/compare/test_live_page.py",
    "tests/compare/test_load.py::test_it_agrees_with_wrk",
    "tests/compare/test_load.py::test_work_after_the_time_that_is_measured_is_no_part_of_its_share",
    "tests/compare/test_load_process.py",
    "tests/compare/test_others.py",
    "tests/compare/test_page.py",
    "tests/compare/test_pages.py::test_a_far_page_waits_for_each_file_with_http1_and_once_with_http2",
    "tests/compare/test_pages.py::test_designs_without_http2_do_not_play_them",
    "tests/compare/test_pages.py::test_the_whole_command",
    "tests/compare/test_paired.py",
    "tests/compare/test_play.py",
    "tests/compare/test_replay.py",
    "tests/compare/test_sweep.py",
    "tests/compare/test_timeline_page.py",
    "tests/compress/test_compress.py::test_a_process_that_is_killed_is_one_line",
    "tests/compress/test_compress.py::test_check_reports_what_is_missing_or_stale_and_writes_nothing",
    "tests/compress/test_compress.py::test_ctrl_c_ends_it",
    "tests/compress/test_compress.py::test_orphans_are_named_and_removed_on_request",
    "tests/compress/test_compress.py::test_what_does_not_decode_to_its_file_is_stale_d13",
    "tests/conformance/test_access.py::test_a_changed_file_of_users",
    "tests/conformance/test_changes.py::test_nodes_agree_as_they_can",
    "tests/conformance/test_error_pages.py::test_a_page_and_what_it_stands_for_are_seen_when_they_change",
    "tests/conformance/test_explain.py::test_the_rows_of_the_other_sites",
    "tests/conformance/test_fuzz.py",
    "tests/conformance/test_large.py::test_more_than_32_bits_can_count_c12",
    "tests/conformance/test_listing.py::test_pages_of_a_thousand_entries",
    "tests/conformance/test_printing.py",
    "tests/conformance/test_proxy_protocol.py::test_headers_in_pieces_and_wrong_ones",
    "tests/conformance/test_sendfile.py::test_slow_readers_get_every_byte_and_delay_no_client_l5_a15",
    "tests/core/http2/test_oracles.py",
    "tests/core/test_oracles.py",
    "tests/docs/test_asgi_page.py::test_a_command",
    "tests/docs/test_asgi_page.py::test_django",
    "tests/docs/test_book_page.py",
    "tests/docs/test_examples.py::test_pytest_accepts_its_options_and_finds_the_files",
    "tests/docs/test_proxies_page.py",
    "tests/docs/test_python_page.py::test_a_program_runs_without_a_warning",
    "tests/docs/test_python_page.py::test_a_program_that_serves_alone",
    "tests/docs/test_python_page.py::test_tests_pass",
    "tests/docs/test_recipes_page.py",
    "tests/embedding/test_leaks.py",
    "tests/embedding/test_leaks.py::test_200_servers_in_one_loop_leave_nothing",
    "tests/embedding/test_serve.py::test_a_reload_by_sighup",
    "tests/embedding/test_serve.py::test_the_log_goes_to_standard_output_as_that_of_the_command_does",
    "tests/embedding/test_serve.py::test_workers_end_by_signals",
    "tests/embedding/test_served_site.py::test_the_fixture_of_pytest",
    "tests/embedding/test_server.py::test_certificates_that_change_are_used",
    "tests/http2/test_attacks.py::test_an_attack_leaves_nothing",
    "tests/http2/test_programs.py::test_chromium_downloads_a_large_file",
    "tests/http2/test_programs.py::test_chromium_loads_many_images_over_one_connection",
    "tests/http2/test_programs.py::test_chromium_reads_a_range_beside_downloads_that_have_stalled",
    "tests/http2/test_programs.py::test_curl_slowly",
    "tests/http2/test_programs.py::test_h2load",
    "tests/http2/test_programs.py::test_nghttp",
    "tests/http2/test_server.py::test_a_large_file_without_a_window_gives_its_place_to_others",
    "tests/interop/test_acme.py",
    "tests/interop/test_chromium.py",
    "tests/interop/test_duckdb.py",
    "tests/interop/test_fields_in_chromium.py",
    "tests/interop/test_git.py",
    "tests/interop/test_https.py::test_chromium",
    "tests/interop/test_java.py",
    "tests/interop/test_listing_page.py",
    "tests/interop/test_live_reload.py",
    "tests/interop/test_live_reload_editors.py",
    "tests/interop/test_local_authority.py",
    "tests/interop/test_mercurial.py",
    "tests/interop/test_redirects.py",
    "tests/interop/test_static_site.py",
    "tests/interop/test_testssl.py",
    "tests/interop/test_video_in_chromium.py",
    "tests/interop/test_website.py",
    "tests/interop/test_wget.py::test_generated_site",
    "tests/interop/test_wget.py::test_python_documentation",
    "tests/legacy/test_command_line.py",
    "tests/listing/test_zip_format.py::test_many_entries",
    "tests/live_reload/test_watcher.py::test_a_directory_is_waited_for",
    "tests/live_reload/test_watcher.py::test_a_directory_that_is_made_anew_is_watched",
    "tests/live_reload/test_watcher.py::test_a_link_to_another_release_is_followed",
    "tests/live_reload/test_watcher.py::test_without_notifications_files_are_looked_at",
    "tests/process/test_limits.py",
    "tests/process/test_listings.py",
    "tests/process/test_live_reload.py::test_a_client_that_leaves_is_forgotten_and_logged",
    "tests/process/test_live_reload.py::test_a_reload_of_the_options_and_of_rules_reloads_pages",
    "tests/process/test_live_reload.py::test_a_restart_is_another_version",
    "tests/process/test_live_reload.py::test_a_stream_of_http_2_that_the_client_resets",
    "tests/process/test_live_reload.py::test_compressed_files_are_as_they_are",
    "tests/process/test_live_reload.py::test_in_the_sandbox",
    "tests/process/test_live_reload.py::test_it_can_be_switched_by_a_restart_only",
    "tests/process/test_live_reload.py::test_one_process_serves",
    "tests/process/test_live_reload.py::test_style_sheets_are_named",
    "tests/process/test_live_reload.py::test_the_page_of_another_worker_is_another_version",
    "tests/process/test_live_reload.py::test_the_profile_for_development_has_it",
    "tests/process/test_live_reload.py::test_what_is_ignored",
    "tests/process/test_packages.py::test_a_design_that_runs_without_what_macos_lacks",
    "tests/process/test_packages.py::test_gevent_is_for_its_mode_alone",
    "tests/process/test_reload.py",
    "tests/process/test_rules.py::test_every_worker_sees_a_change[uvloop-confined",
    "tests/process/test_slow_disk.py::test_responses_do_not_change",
    "tests/process/test_tls.py::test_a_warning_before_a_certificate_ends",
    "tests/process/test_tls.py::test_files_that_cannot_be_used_leave_all_as_it_was",
    "tests/process/test_tls.py::test_files_that_change_are_used[uvloop-confined",
    "tests/process/test_tls.py::test_files_that_change_are_used[uvloop-two",
    "tests/process/test_tls.py::test_sighup_uses_new_files",
    "tests/process/test_tls.py::test_workers_that_could_not_be_replaced_are_replaced_later",
    "tests/process/test_tls.py::test_workers_that_may_not_read_the_key",
    "tests/process/test_trace.py",
    "tests/process/test_unix_and_systemd.py",
    "tests/runtime/test_rule_files.py::test_a_megabyte_of_rules",
    "tests/server/test_checks.py::test_a_check_delays_no_other_client",
    "tests/server/test_coded_responses.py::test_a14_images_take_the_same_memory_however_many_codings_are_accepted",
    "tests/storage/test_disk.py::test_openat2_and_the_walk_find_the_same_whatever_the_links",
    "tests/terminal/test_commands.py::test_completion",
    "tests/terminal/test_commands.py::test_the_schema_accepts_what_config_prints",
    "tests/terminal/test_mistakes.py::test_a_mistake_is_one_line_that_shows_what_to_do[site",
    "tests/terminal/test_session.py::test_a_signal_gives_the_terminal_back",
    "tests/terminal/test_session.py::test_a_terminal_that_cannot_show_chinese_has_english",
    "tests/terminal/test_session.py::test_colours_and_movements",
    "tests/terminal/test_session.py::test_no_line_of_the_banner_is_too_long",
    "tests/terminal/test_session.py::test_without_a_display_nothing_takes_the_terminal",
    "tests/tls/test_attacks.py::test_a_flood_of_handshakes_that_are_completed",
    "tests/tls/test_attacks.py::test_a_flood_of_handshakes_that_are_never_completed",
    "tests/tls/test_attacks.py::test_a_handshake_that_arrives_byte_by_byte",
    "tests/tls/test_attacks.py::test_a_record_that_arrives_byte_by_byte",
    "tests/tls/test_attacks.py::test_clients_that_read_nothing",
    "tests/tls/test_attacks.py::test_garbage_as_the_servers_name",
    "tests/tls/test_attacks.py::test_new_keys_again_and_again",
    "tests/tls/test_contexts.py::test_a_session_without_a_ticket_takes_two_kibibytes_at_most",
    "tests/tls/test_start.py::test_a_certificate_that_cannot_be_used",
    "tests/tls/test_start.py::test_options_that_do_not_fit",
    "tests/typed/test_typed.py::test_a_client_that_is_too_slow_is_cut_off",
)
"""The tests that a short run omits. Each takes seconds, and shows little that others do not."""

MUTANTS: Final = 100
"""The number of the thousand malformed requests of tests/conformance/test_fuzz.py that a short run sends."""


def leaves_out(item: pytest.Item) -> bool:
    """Whether a short run leaves out this test."""
    if item.nodeid.startswith(ONLY_EXHAUSTIVE):
        return True
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    design, loop = parameters.get("design"), parameters.get("loop")
    if any(value in COLUMNS and value.name not in ESSENTIAL_COLUMNS for value in parameters.values()):
        return True
    if "other_design" in parameters and parameters["other_design"].name not in ESSENTIAL_SERVERS:  # type: ignore[attr-defined]
        return True
    if design in COLUMNS or item.nodeid.startswith(ROWS_ELSEWHERE):
        return getattr(parameters.get("row"), "id", "") not in ESSENTIAL_ROWS
    if not item.nodeid.startswith(ON_ESSENTIAL_DESIGNS):
        return False
    if isinstance(design, Design) and design.name not in ESSENTIAL_DESIGNS:
        return True
    return isinstance(loop, str) and loop not in ESSENTIAL_LOOPS
